//! A circuit breaker: a dialect's own settings, and what a sim sets differently.

use std::time::Duration;

use miette::SourceSpan;

use super::Builder;
use crate::policy::breaker::{Contradiction, Dialect, Growth, HalfOpen, Settings, Trip, Verdict};
use crate::policy::window::{Align, Shape};
use crate::scenario::field::{At, Field};
use crate::scenario::raw::{RawBreaker, RawWindow};
use crate::scenario::values::{ScalePermille, Whole};
use crate::world::Probability;

/// The most that a breaker may count to: windows are kept call by call.
const CALLS_MAX: u32 = 100_000;

/// The longest window of time: resilience4j's has a bucket for each second.
const WINDOW_MAX: Duration = Duration::from_secs(86_400);

/// Buckets in the window of time of the others: Polly's and failsafe-go's own number.
const BUCKETS: u32 = 10;

/// The keys that a dialect has.
fn keys(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Resilience4j => &[
            "window",
            "failure_rate",
            "minimum_calls",
            "slow_call",
            "slow_rate",
            "open_for",
            "open_factor",
            "open_max",
            "probes",
            "half_open_max",
        ],
        Dialect::Polly => &["window", "failure_rate", "minimum_calls", "open_for"],
        Dialect::Gobreaker => &[
            "window",
            "failure_rate",
            "minimum_calls",
            "consecutive_failures",
            "open_for",
            "probes",
        ],
        Dialect::Failsafe => &[
            "window",
            "failure_rate",
            "minimum_calls",
            "failures",
            "open_for",
            "probes",
            "successes",
        ],
        Dialect::EnvoyOutlier => &["consecutive_failures", "open_for", "open_max"],
        Dialect::Engined => {
            &["consecutive_failures", "successes", "open_for", "open_factor", "open_max"]
        }
    }
}

impl RawBreaker {
    /// Where each key stands that is there.
    fn given(&self) -> impl Iterator<Item = (&'static str, SourceSpan)> {
        fn span<T>(field: &Option<At<T>>) -> Option<SourceSpan> {
            field.as_ref().map(|field| field.span)
        }
        [
            ("window", span(&self.window)),
            ("failure_rate", span(&self.failure_rate)),
            ("minimum_calls", span(&self.minimum_calls)),
            ("failures", span(&self.failures)),
            ("consecutive_failures", span(&self.consecutive_failures)),
            ("slow_call", span(&self.slow_call)),
            ("slow_rate", span(&self.slow_rate)),
            ("open_for", span(&self.open_for)),
            ("open_factor", span(&self.open_factor)),
            ("open_max", span(&self.open_max)),
            ("probes", span(&self.probes)),
            ("successes", span(&self.successes)),
            ("half_open_max", span(&self.half_open_max)),
        ]
        .into_iter()
        .filter_map(|(key, span)| Some((key, span?)))
    }
}

impl Builder {
    pub(super) fn breaker(&mut self, At { value: raw, span }: At<RawBreaker>) -> Settings {
        let dialect = raw.dialect.unwrap_or(Dialect::Resilience4j);
        let known = keys(dialect);
        let given: Vec<(&str, SourceSpan)> = raw.given().collect();
        let mut fits = true;
        for (key, span) in given.iter().filter(|(key, _)| !known.contains(key)) {
            let message = format!("the dialect {dialect} has no {key}");
            let list = known.join(", ");
            let help = format!("remove it, or change the dialect; {dialect} has {list}");
            self.error(*span, "not of this dialect", &message, &help);
            fits = false;
        }
        let rules = ["failure_rate", "failures", "consecutive_failures"];
        let mut rules = given.iter().filter(|(key, _)| rules.contains(key));
        if let (Some((_, first)), Some((_, second))) = (rules.next(), rules.next()) {
            self.twice(*second, *first, "a breaker opens by one rule".to_owned());
            fits = false;
        }
        let mut settings = dialect.settings();
        if fits && self.apply(raw, dialect, &mut settings) {
            self.contradictions(&settings, &given, span);
        }
        settings
    }

    /// Settings that say one thing here and another there, each at the key that is nearest to it.
    fn contradictions(
        &mut self,
        settings: &Settings,
        given: &[(&str, SourceSpan)],
        table: SourceSpan,
    ) {
        let Err(Contradiction { field, reason, try_instead }) = settings.check() else { return };
        let try_instead = format!("write {try_instead}, for example");
        let (keys, help): (&[&str], &str) = match field {
            "minimum_calls" => (&["minimum_calls", "window"], &try_instead),
            "trip.failures" => (&["failure_rate"], "write a rate above 0%, as in \"50%\""),
            "trip.slow" => (&["slow_rate"], "write a rate above 0%, as in \"50%\""),
            "trip" => (&["failures", "consecutive_failures", "window"], &try_instead),
            "wait.base" => (&["open_for"], "write a longer duration"),
            "wait.max" => (&["open_max", "open_for"], "make open_max at least open_for"),
            "wait.growth" => (&["open_factor"], "write a factor of 1 or more"),
            "half_open.permits" => (&["probes", "successes"], &try_instead),
            "half_open.verdict" => (&["successes", "probes"], &try_instead),
            other => (&[other], &try_instead),
        };
        let at = keys.iter().find_map(|key| given.iter().find(|(other, _)| other == key));
        let (key, span) = at.copied().unwrap_or((field, table));
        self.error(span, "contradicts the rest", &format!("{key} {reason}"), help);
    }

    /// What a sim sets differently; false if something of it cannot be read.
    fn apply(&mut self, raw: RawBreaker, dialect: Dialect, settings: &mut Settings) -> bool {
        let before = self.problems.len();
        let has_minimum = raw.minimum_calls.is_some();
        if let Some(shape) = raw.window.and_then(|window| self.breaker_window(dialect, window)) {
            settings.window = shape;
        }
        settings.minimum_calls = self.calls(raw.minimum_calls, settings.minimum_calls);
        if let (Shape::Calls(calls), false) = (settings.window, has_minimum) {
            // What a sim does not say follows from what it says.
            settings.minimum_calls = settings.minimum_calls.min(calls);
        }
        let rate = self.optional(raw.failure_rate).map(Probability::as_ppm);
        match (rate, &mut settings.trip) {
            (Some(_), Trip::Rates { failures, .. }) => *failures = rate,
            (Some(_), other) => *other = Trip::Rates { failures: rate, slow: None },
            (None, _) => {}
        }
        let rate = self.optional(raw.slow_rate).map(Probability::as_ppm);
        if let (Some(_), Trip::Rates { slow, .. }) = (rate, &mut settings.trip) {
            *slow = rate;
        }
        settings.slow_after = self.optional(raw.slow_call).or(settings.slow_after);
        if let Some(failures) = raw.failures {
            let failures = self.calls(Some(failures), 1);
            settings.trip = Trip::Failures(failures);
            if settings.window == dialect.settings().window {
                settings.window = Shape::Calls(failures);
            }
        }
        if let Some(failures) = raw.consecutive_failures {
            settings.trip = Trip::Consecutive(self.calls(Some(failures), 1));
        }
        settings.wait.base = self.read(raw.open_for, settings.wait.base);
        settings.wait.max = self.optional(raw.open_max).or(settings.wait.max);
        if let Some(ScalePermille(factor)) = self.optional(raw.open_factor) {
            settings.wait.growth = Growth::Times((factor * 1_000) as u32);
        }
        if let Some(half_open) = &mut settings.half_open {
            self.half_open((raw.probes, raw.successes, raw.half_open_max), half_open);
        }
        self.problems.len() == before
    }

    /// What the breaker looks at, as the dialect keeps it.
    fn breaker_window(
        &mut self,
        dialect: Dialect,
        At { value: raw, span }: At<RawWindow>,
    ) -> Option<Shape> {
        let has_calls = matches!(dialect, Dialect::Resilience4j | Dialect::Failsafe);
        match (raw.calls, raw.time) {
            (Some(calls), None) if has_calls => Some(Shape::Calls(self.calls(Some(calls), 1))),
            (Some(_), None) => {
                let message = format!("the window of {dialect} is a time");
                self.error(span, "", &message, "write { time = \"30s\" }");
                None
            }
            (None, Some(time)) => {
                let span = time.span;
                let time = self.value(time)?;
                let whole = dialect != Dialect::Resilience4j || time.subsec_nanos() == 0;
                if time > WINDOW_MAX || !whole {
                    let message =
                        "a window is at most a day, that of resilience4j in whole seconds";
                    self.error(span, "", message, "write another, as in \"20s\"");
                    return None;
                }
                Some(match dialect {
                    // One bucket for each second.
                    Dialect::Resilience4j => Shape::time(time, time.as_secs() as u32, Align::Clock),
                    Dialect::Gobreaker => Shape::Interval(time),
                    Dialect::Failsafe => Shape::time(time, BUCKETS, Align::Clock),
                    _ => Shape::time(time, BUCKETS, Align::Call),
                })
            }
            _ => {
                let help = "write { calls = 10 } or { time = \"20s\" }";
                self.error(span, "", "a window is of calls or of time", help);
                None
            }
        }
    }

    fn half_open(&mut self, raw: RawHalfOpen, half_open: &mut HalfOpen) {
        let (probes, successes, longest) = raw;
        let probes = probes.map(|probes| self.calls(Some(probes), 1));
        let successes = successes.map(|successes| self.calls(Some(successes), 1));
        half_open.permits = probes.or(half_open.permits);
        half_open.max_wait = self.optional(longest).or(half_open.max_wait);
        match &mut half_open.verdict {
            Verdict::Trip => {}
            Verdict::Successes(count) => *count = successes.or(probes).unwrap_or(*count),
            Verdict::Ratio { successes: wanted, of } => {
                *wanted = successes.unwrap_or(*wanted);
                *of = probes.unwrap_or(*wanted);
                half_open.permits = Some(*of);
            }
        }
    }

    fn calls(&mut self, raw: Option<Field<Whole>>, default: u32) -> u32 {
        self.whole_up_to(raw, default, CALLS_MAX, "a count of calls")
    }
}

/// The keys about the half-open state: probes, successes and the longest time in it.
type RawHalfOpen = (Option<Field<Whole>>, Option<Field<Whole>>, Option<Field<Duration>>);
