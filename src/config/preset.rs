//! The presets, one name for a whole configuration, and the templates that a custom one may start
//! from. Numbers are those of the source project's code.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::strategy::{Strategy, Tuning};

/// The operations that the source project knows; others are registered at run time.
pub const OPERATIONS: [&str; 5] = ["summarize", "sentiment", "key_points", "questions", "qa"];

/// One name for a whole configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// For anything that is not said to be something else.
    Simple,
    /// Fails fast.
    Development,
    /// Patient, and differs by operation.
    Production,
}

impl Preset {
    /// All of them.
    pub const ALL: [Preset; 3] = [Preset::Simple, Preset::Development, Preset::Production];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Preset::Simple => "simple",
            Preset::Development => "development",
            Preset::Production => "production",
        }
    }

    /// The preset of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Preset> {
        Preset::ALL.into_iter().find(|preset| preset.as_str() == name)
    }

    /// Attempts, failures that open the breaker, seconds until it tries again, and the strategy of
    /// operations that it says nothing of.
    const fn row(self) -> (u32, u32, u64, Strategy) {
        match self {
            Preset::Simple => (3, 5, 60, Strategy::Balanced),
            Preset::Development => (2, 3, 30, Strategy::Aggressive),
            Preset::Production => (5, 10, 120, Strategy::Conservative),
        }
    }

    /// The strategy of operations that it says nothing of.
    #[must_use]
    pub const fn strategy(self) -> Strategy {
        self.row().3
    }

    /// The operations that have another strategy, in the order in which they are written.
    #[must_use]
    pub const fn overrides(self) -> &'static [(&'static str, Strategy)] {
        match self {
            Preset::Simple => &[],
            Preset::Development => {
                &[("sentiment", Strategy::Aggressive), ("qa", Strategy::Balanced)]
            }
            Preset::Production => &[
                ("qa", Strategy::Critical),
                ("sentiment", Strategy::Aggressive),
                ("summarize", Strategy::Conservative),
                ("key_points", Strategy::Balanced),
                ("questions", Strategy::Balanced),
            ],
        }
    }

    /// Which environments it is meant for.
    #[must_use]
    pub const fn contexts(self) -> &'static [&'static str] {
        match self {
            Preset::Simple => &["dev", "test", "staging", "prod"],
            Preset::Development => &["dev", "testing"],
            Preset::Production => &["prod", "staging"],
        }
    }

    /// The numbers of operations that it says nothing of: its own attempts, failures and recovery;
    /// `max_delay` is twenty seconds for each attempt, two minutes at most; the rest follows from
    /// its strategy, by a rule of its own (`to_resilience_config`) and not by the strategy's row.
    #[must_use]
    pub const fn tuning(self) -> Tuning {
        let (attempts, failure_threshold, recovery, strategy) = self.row();
        let max_delay = if attempts > 6 { 120 } else { attempts as u64 * 20 };
        let (multiplier, exp_min, exp_max) = match strategy {
            Strategy::Aggressive => (500, 1, 5),
            Strategy::Balanced => (1_000, 2, 10),
            Strategy::Conservative | Strategy::Critical => (1_500, 2, 30),
        };
        Tuning {
            attempts,
            max_delay: Duration::from_secs(max_delay),
            multiplier,
            exp_min: Duration::from_secs(exp_min),
            exp_max: Duration::from_secs(exp_max),
            jitter: Some(Duration::from_secs(2)),
            failure_threshold,
            recovery: Duration::from_secs(recovery),
            half_open_calls: 1,
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Four numbers that a custom configuration may start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its name.
    pub name: &'static str,
    /// Attempts including the first.
    pub attempts: u32,
    /// Failures that open the breaker.
    pub failure_threshold: u32,
    /// How long it stays open.
    pub recovery: Duration,
    /// The strategy of operations that nothing is said of.
    pub strategy: Strategy,
}

impl Template {
    /// All of them.
    pub const ALL: [Template; 5] = [
        template("fast_development", 1, 2, 15, Strategy::Aggressive),
        template("robust_production", 6, 12, 180, Strategy::Conservative),
        template("low_latency", 1, 2, 10, Strategy::Aggressive),
        template("high_throughput", 3, 8, 45, Strategy::Balanced),
        template("maximum_reliability", 8, 15, 300, Strategy::Critical),
    ];

    /// The template that comes nearest to what is given, if one is near: attempts within 1 count 3
    /// and within 2 count 1, failures within 2 count 2 and within 5 count 1, the same strategy
    /// counts 3, and it takes 4. Of equals the first.
    #[must_use]
    pub fn suggest(
        attempts: Option<u32>,
        failure_threshold: Option<u32>,
        strategy: Option<Strategy>,
    ) -> Option<&'static Template> {
        const NEEDED: u32 = 4;
        const TEMPLATES: &[Template] = &Template::ALL;
        let score = |template: &Template| {
            let attempts = match attempts.map(|it| it.abs_diff(template.attempts)) {
                Some(0 | 1) => 3,
                Some(2) => 1,
                _ => 0,
            };
            let failures = match failure_threshold.map(|it| it.abs_diff(template.failure_threshold))
            {
                Some(0..=2) => 2,
                Some(3..=5) => 1,
                _ => 0,
            };
            attempts + failures + if strategy == Some(template.strategy) { 3 } else { 0 }
        };
        let mut best: Option<(u32, &Template)> = None;
        for template in TEMPLATES {
            let score = score(template);
            if score >= NEEDED && best.is_none_or(|(most, _)| score > most) {
                best = Some((score, template));
            }
        }
        best.map(|(_, template)| template)
    }
}

const fn template(
    name: &'static str,
    attempts: u32,
    failure_threshold: u32,
    recovery: u64,
    strategy: Strategy,
) -> Template {
    Template {
        name,
        attempts,
        failure_threshold,
        recovery: Duration::from_secs(recovery),
        strategy,
    }
}
