//! When something is too much: the thresholds, and the alerts that begin and end at them.
//!
//! The source project declares four thresholds and looks at one. All of these are looked at.

use std::{sync::Arc, time::Duration};

use super::{
    Level, MetricType, Monitor, OPERATIONS_MAX, Operation, Sample, baseline::Judgement,
    usage::percentile_95,
};
use crate::world::Time;

/// What is too much: more than this, not as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Loads that fail, in thousandths of all loads.
    pub errors_permille: u64,
    /// How long one load takes, in microseconds.
    pub load_us: u64,
    /// Changes in an hour.
    pub changes_per_hour: u64,
    /// Checks that fail, in thousandths of all checks.
    pub validation_failures_permille: u64,
    /// How long the slowest twentieth of an operation's latest responses take, in microseconds; `None`
    /// if nobody minds. Our own.
    pub response_us: Option<u64>,
    /// Memory in use, in bytes; `None` if nobody minds. Our own.
    pub memory_bytes: Option<u64>,
}

impl Default for Thresholds {
    /// The source project's: 5 %, 100 ms, 10 and 10 %.
    fn default() -> Thresholds {
        Thresholds {
            errors_permille: 50,
            load_us: 100_000,
            changes_per_hour: 10,
            validation_failures_permille: 100,
            response_us: None,
            memory_bytes: None,
        }
    }
}

/// For how long a change counts as one of this hour.
pub const HOUR: Duration = Duration::from_secs(3_600);
/// How many responses the slowest twentieth is taken of. With fewer, nothing is said: of fewer than
/// twenty, the slowest one alone would decide.
pub const RESPONSES: usize = 20;

/// What is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertKind {
    /// Loads that fail.
    ErrorRate,
    /// How long a load takes.
    LoadTime,
    /// Changes in an hour.
    ChangeRate,
    /// Checks that fail.
    ValidationFailures,
    /// How long an operation takes.
    ResponseTime,
    /// Memory in use.
    Memory,
    /// An operation takes longer than it did, for certain.
    Regression,
}

impl AlertKind {
    /// Its name in machine output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            AlertKind::ErrorRate => "error_rate",
            AlertKind::LoadTime => "load_time",
            AlertKind::ChangeRate => "change_rate",
            AlertKind::ValidationFailures => "validation_failures",
            AlertKind::ResponseTime => "response_time",
            AlertKind::Memory => "memory",
            AlertKind::Regression => "regression",
        }
    }

    /// How bad it is just above the threshold.
    const fn level(self) -> Level {
        match self {
            AlertKind::ErrorRate | AlertKind::Memory => Level::Error,
            _ => Level::Warning,
        }
    }
}

/// Something is too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What.
    pub kind: AlertKind,
    /// Of which operation; empty if it is of none.
    pub of: Arc<str>,
    /// How bad it was when it began: above twice the threshold, one level worse.
    pub level: Level,
    /// How much it was when it began: thousandths, microseconds, bytes or changes.
    pub value: u64,
    /// The threshold, of the same.
    pub threshold: u64,
    /// Since when.
    pub since: Time,
}

/// An alert begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It begins.
    Raised(Alert),
    /// It ends.
    Cleared(Alert),
}

impl Monitor {
    /// Looks at everything that depends on what is kept as a whole.
    pub(super) fn look_at_rates(&mut self, now: Time) -> Vec<Notice> {
        let count = |metric| count(self.samples(metric));
        let (loads, errors) = (count(MetricType::ConfigLoad), count(MetricType::ConfigError));
        let checks = count(MetricType::ValidationEvent);
        let failures = self.samples(MetricType::ValidationEvent).filter(|it| it.value == 0);
        let failures = failures.count() as u64;
        let lately = |sample: &&Sample| now < sample.at + HOUR;
        let changes = self.samples(MetricType::ConfigChange).rev().take_while(lately);
        let changes = changes.count() as u64;
        let Thresholds { errors_permille, changes_per_hour, validation_failures_permille, .. } =
            self.thresholds;
        let none: Arc<str> = "".into();
        let mut notices = Vec::new();
        let shares = [
            (AlertKind::ErrorRate, errors, loads + errors, errors_permille),
            (AlertKind::ValidationFailures, failures, checks, validation_failures_permille),
        ];
        for (kind, part, all, limit) in shares {
            let is_more = u128::from(part) * 1_000 > u128::from(all) * u128::from(limit);
            notices.extend(self.weigh(now, kind, &none, (permille(part, all), limit), is_more));
        }
        let (value, limit) = (changes, changes_per_hour);
        notices.extend(self.weigh(
            now,
            AlertKind::ChangeRate,
            &none,
            (value, limit),
            value > limit,
        ));
        notices
    }

    /// Looks at how long a load took. The alert ends with the next one that is quick.
    pub(super) fn look_at_load(&mut self, now: Time, us: u64) -> Option<Notice> {
        let limit = self.thresholds.load_us;
        self.weigh(now, AlertKind::LoadTime, &"".into(), (us, limit), us > limit)
    }

    /// Looks at how long an operation takes, by the threshold and by what it took before.
    pub(super) fn look_at_response(
        &mut self,
        now: Time,
        operation: &Arc<str>,
        us: u64,
    ) -> Vec<Notice> {
        let mut notices = Vec::new();
        if !self.operations.contains_key(operation) && self.operations.len() >= OPERATIONS_MAX {
            return notices;
        }
        let Operation { latest, baseline } =
            self.operations.entry(Arc::clone(operation)).or_default();
        if latest.len() >= RESPONSES {
            latest.pop_front();
        }
        latest.push_back(us);
        let is_full = latest.len() >= RESPONSES;
        let slow = percentile_95(latest.iter().copied().collect());
        let judgement = baseline.see(us);
        if let Some(limit) = self.thresholds.response_us.filter(|_| is_full) {
            let kind = AlertKind::ResponseTime;
            notices.extend(self.weigh(now, kind, operation, (slow, limit), slow > limit));
        }
        if let Some(judgement) = judgement {
            let finding = *judgement.finding();
            let value = (finding.after.median, finding.before.median);
            // Whoever is not sure neither raises an alarm nor calls one off.
            if let Judgement::Slower(_) | Judgement::NoChange(_) = judgement {
                let is_slower = matches!(judgement, Judgement::Slower(_));
                notices.extend(self.weigh(now, AlertKind::Regression, operation, value, is_slower));
            }
        }
        notices
    }

    /// Raises or clears an alert if that is news.
    pub(super) fn weigh(
        &mut self,
        now: Time,
        kind: AlertKind,
        of: &Arc<str>,
        (value, threshold): (u64, u64),
        is_more: bool,
    ) -> Option<Notice> {
        let key = (kind, Arc::clone(of));
        match (is_more, self.raised.contains_key(&key)) {
            (true, false) => {
                let is_worse = value > threshold.saturating_mul(2);
                let level = match kind.level() {
                    Level::Warning if is_worse => Level::Error,
                    Level::Error if is_worse => Level::Critical,
                    level => level,
                };
                let of = Arc::clone(of);
                let alert = Alert { kind, of, level, value, threshold, since: now };
                self.raised.insert(key, alert.clone());
                Some(Notice::Raised(alert))
            }
            (false, true) => self.raised.remove(&key).map(Notice::Cleared),
            _ => None,
        }
    }
}

pub(super) fn count<'a>(samples: impl Iterator<Item = &'a Sample>) -> u64 {
    samples.count() as u64
}

/// A part in thousandths of the whole, rounded down; none of nothing.
pub(super) fn permille(part: u64, all: u64) -> u64 {
    part.saturating_mul(1_000).checked_div(all).unwrap_or(0)
}
