//! The four strategies and what a configuration comes to for one operation: nine plain numbers.
//!
//! Nothing here reads a configuration, and nothing here is a fraction: what a decision is made of
//! is whole numbers only.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// A named row of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// Few attempts and a nervous breaker: fail fast.
    Aggressive,
    /// The middle.
    Balanced,
    /// More attempts, further apart, and a patient breaker.
    Conservative,
    /// As many attempts as are reasonable.
    Critical,
}

impl Strategy {
    /// All of them, the most impatient first.
    pub const ALL: [Strategy; 4] =
        [Strategy::Aggressive, Strategy::Balanced, Strategy::Conservative, Strategy::Critical];

    /// Its name in files and variables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Strategy::Aggressive => "aggressive",
            Strategy::Balanced => "balanced",
            Strategy::Conservative => "conservative",
            Strategy::Critical => "critical",
        }
    }

    /// The strategy of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Strategy> {
        Strategy::ALL.into_iter().find(|strategy| strategy.as_str() == name)
    }

    /// Its numbers. Source: the resilience plan's project, `DEFAULT_PRESETS` of its code (some of
    /// its texts say otherwise; the code is what ran).
    #[must_use]
    pub const fn tuning(self) -> Tuning {
        // Attempts, longest pause, multiplier in thousandths, shortest and longest exponential
        // part, jitter, failures, recovery; times in seconds.
        match self {
            Strategy::Aggressive => row(2, 10, 500, 1, 5, 2, 3, 30),
            Strategy::Balanced => row(3, 30, 1_000, 2, 10, 2, 5, 60),
            Strategy::Conservative => row(5, 120, 2_000, 4, 30, 2, 8, 120),
            Strategy::Critical => row(7, 300, 1_500, 3, 60, 5, 10, 300),
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a configuration comes to for one operation.
///
/// The pause after the `n`-th failure is `multiplier` · 2ⁿ⁻¹ seconds, no shorter than `exp_min` and
/// no longer than `exp_max`, plus anything up to `jitter`. There is no further attempt once `max_delay`
/// has passed since the first one began, as the source project has it (tenacity's `stop_after_delay`),
/// so the last pause may go beyond it. No single pause is longer than `max_delay`; that is our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Attempts including the first.
    pub attempts: u32,
    /// How long after the beginning of the first attempt another one is planned; also the longest
    /// pause, jitter included.
    pub max_delay: Duration,
    /// The pause after the first failure before it is held between `exp_min` and `exp_max`, in
    /// thousandths of a second.
    pub multiplier: u32,
    /// The shortest pause without jitter.
    pub exp_min: Duration,
    /// The longest pause without jitter.
    pub exp_max: Duration,
    /// The most that is added to a pause; nothing is if `None`.
    pub jitter: Option<Duration>,
    /// Failures in a row that open the breaker.
    pub failure_threshold: u32,
    /// How long the breaker stays open.
    pub recovery: Duration,
    /// Calls that a half-open breaker lets through; all must succeed to close it.
    pub half_open_calls: u32,
}

impl Default for Tuning {
    /// What holds if nobody says anything: `RetryConfig` 3/60/1.0/2/10 with jitter up to 2 s, and
    /// `CircuitBreakerConfig` 5/60 with one half-open call, as the source project has them.
    fn default() -> Self {
        row(3, 60, 1_000, 2, 10, 2, 5, 60)
    }
}

#[expect(clippy::too_many_arguments, reason = "a row of a table")]
const fn row(
    attempts: u32,
    max_delay: u64,
    multiplier: u32,
    exp_min: u64,
    exp_max: u64,
    jitter: u64,
    failure_threshold: u32,
    recovery: u64,
) -> Tuning {
    Tuning {
        attempts,
        max_delay: Duration::from_secs(max_delay),
        multiplier,
        exp_min: Duration::from_secs(exp_min),
        exp_max: Duration::from_secs(exp_max),
        jitter: Some(Duration::from_secs(jitter)),
        failure_threshold,
        recovery: Duration::from_secs(recovery),
        half_open_calls: 1,
    }
}
