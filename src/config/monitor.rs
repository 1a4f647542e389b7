//! What becomes of a configuration while it is used: which preset, how long a change takes until it
//! holds, what is refused, how long operations take, and when any of that is too much.
//!
//! Pure: time is an argument and must not go back. Whatever is kept is bounded, for each type of
//! metric by itself, so that a million responses push no change out. Shares are whole thousandths and
//! are compared without dividing; a threshold is crossed by more than it, never by as much.
//!
//! Start at [`Monitor::record`]. [`alert`] has the thresholds, [`usage`] what is told of the past,
//! [`baseline`] says whether something got slower and how sure that is, [`export`] writes it down.

pub mod alert;
pub mod baseline;
pub mod export;
#[cfg(test)]
mod tests;
pub mod usage;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use self::{
    alert::{Alert, AlertKind, Notice, Thresholds},
    baseline::Baseline,
    usage::Usage,
};
use crate::world::Time;

/// The most events that are kept of each type: the source project's number, which is for all of them.
pub const EVENTS_MAX: usize = 10_000;
/// How long an event is kept: the source project's number.
pub const KEPT_FOR: Duration = Duration::from_secs(24 * 3_600);
/// How long a [`Usage`] is told again before it is counted anew: the source project's number.
pub const CACHED_FOR: Duration = Duration::from_secs(60);
/// The most operations whose responses are told apart: a configuration knows no more.
pub const OPERATIONS_MAX: usize = super::OPERATIONS_MAX + 1;

/// What kind of thing was measured. The names are the source project's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricType {
    /// A preset is in force from now on.
    PresetUsage,
    /// A configuration was loaded; the value is how long it took, in microseconds.
    ConfigLoad,
    /// A configuration could not be loaded.
    ConfigError,
    /// A configuration was changed.
    ConfigChange,
    /// A configuration was checked; the value is 1 if it is good and 0 if not.
    ValidationEvent,
    /// An operation ended; the value is how long it took, in microseconds.
    PerformanceEvent,
}

impl MetricType {
    /// All of them.
    pub const ALL: [MetricType; 6] = [
        MetricType::PresetUsage,
        MetricType::ConfigLoad,
        MetricType::ConfigError,
        MetricType::ConfigChange,
        MetricType::ValidationEvent,
        MetricType::PerformanceEvent,
    ];

    /// Its name in machine output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            MetricType::PresetUsage => "preset_usage",
            MetricType::ConfigLoad => "config_load",
            MetricType::ConfigError => "config_error",
            MetricType::ConfigChange => "config_change",
            MetricType::ValidationEvent => "validation_event",
            MetricType::PerformanceEvent => "performance_event",
        }
    }
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is as it should be.
    Info,
    /// Somebody should look.
    Warning,
    /// Something does not work.
    Error,
    /// Much of it does not.
    Critical,
}

impl Level {
    /// Its name in machine output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Critical => "critical",
        }
    }
}

/// One thing that was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: Time,
    /// What kind of thing.
    pub metric: MetricType,
    /// Of what: a preset, a file, an operation.
    pub name: Arc<str>,
    /// How much; the type says of what.
    pub value: u64,
    /// How bad that is.
    pub level: Level,
}

/// How long an operation took lately, and at first.
#[derive(Clone, Debug, Default)]
struct Operation {
    latest: VecDeque<u64>,
    baseline: Baseline,
}

/// What was measured lately, and what is too much of it.
#[derive(Clone, Debug)]
pub struct Monitor {
    thresholds: Thresholds,
    kept: BTreeMap<MetricType, VecDeque<Sample>>,
    raised: BTreeMap<(AlertKind, Arc<str>), Alert>,
    operations: BTreeMap<Arc<str>, Operation>,
    cached: Option<Usage>,
}

impl Monitor {
    /// A monitor that has seen nothing yet.
    #[must_use]
    pub fn new(thresholds: Thresholds) -> Monitor {
        Monitor {
            thresholds,
            kept: BTreeMap::new(),
            raised: BTreeMap::new(),
            operations: BTreeMap::new(),
            cached: None,
        }
    }

    /// Sees something, and says which alerts begin or end with it.
    pub fn record(&mut self, now: Time, metric: MetricType, name: &str, value: u64) -> Vec<Notice> {
        let name: Arc<str> = name.into();
        let level = self.level(metric, value);
        self.forget(now);
        let kept = self.kept.entry(metric).or_default();
        if kept.len() >= EVENTS_MAX {
            kept.pop_front();
        }
        kept.push_back(Sample { at: now, metric, name: Arc::clone(&name), value, level });
        let mut notices = self.look_at_rates(now);
        match metric {
            MetricType::ConfigLoad => notices.extend(self.look_at_load(now, value)),
            MetricType::PerformanceEvent => {
                notices.extend(self.look_at_response(now, &name, value))
            }
            _ => {}
        }
        notices
    }

    /// Sees how much memory is in use, in bytes. That is a level and not an event, so it is not kept.
    pub fn memory(&mut self, now: Time, bytes: u64) -> Option<Notice> {
        let limit = self.thresholds.memory_bytes?;
        self.weigh(now, AlertKind::Memory, &"".into(), (bytes, limit), bytes > limit)
    }

    /// What is kept of a type, the oldest first.
    pub fn samples(&self, metric: MetricType) -> impl DoubleEndedIterator<Item = &Sample> {
        self.kept.get(&metric).into_iter().flatten()
    }

    /// The alerts that are raised now.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.raised.values()
    }

    /// What is to be told of the past. It is counted anew when the last count is older than
    /// [`CACHED_FOR`].
    pub fn usage(&mut self, now: Time) -> &Usage {
        let fresh = self.cached.take().filter(|usage| now < usage.at + CACHED_FOR);
        let usage = fresh.unwrap_or_else(|| {
            self.forget(now);
            Usage::of(self, now)
        });
        self.cached.insert(usage)
    }

    fn level(&self, metric: MetricType, value: u64) -> Level {
        match metric {
            MetricType::ConfigError => Level::Error,
            MetricType::ValidationEvent if value == 0 => Level::Warning,
            MetricType::ConfigLoad if value > self.thresholds.load_us => Level::Warning,
            _ => Level::Info,
        }
    }

    /// Forgets what is too old.
    fn forget(&mut self, now: Time) {
        for kept in self.kept.values_mut() {
            while kept.front().is_some_and(|sample| now >= sample.at + KEPT_FOR) {
                kept.pop_front();
            }
        }
    }
}
