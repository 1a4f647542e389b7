//! What is told of the past: counts, shares, how long things took, and where that is going.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    MetricType, Monitor, Sample,
    alert::{HOUR, count, permille},
};
use crate::world::Time;

/// Which way something goes, by this hour and the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    /// By more than a tenth up.
    Rising,
    /// By more than a tenth down.
    Falling,
    /// Neither.
    Steady,
}

impl Trend {
    /// The trend from one count to the next.
    #[must_use]
    pub const fn of(before: u64, now: u64) -> Trend {
        if now.saturating_mul(10) > before.saturating_mul(11) {
            Trend::Rising
        } else if now.saturating_mul(10) < before.saturating_mul(9) {
            Trend::Falling
        } else {
            Trend::Steady
        }
    }

    /// Its name in machine output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Trend::Rising => "rising",
            Trend::Falling => "falling",
            Trend::Steady => "steady",
        }
    }
}

/// How long things took, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Took {
    /// How many things.
    pub count: u64,
    /// The middle one.
    pub median_us: u64,
    /// All but the slowest twentieth.
    pub p95_us: u64,
    /// The slowest.
    pub max_us: u64,
}

impl Took {
    fn of(mut values: Vec<u64>) -> Took {
        values.sort_unstable();
        let at = |index: usize| values.get(index).copied().unwrap_or(0);
        Took {
            count: values.len() as u64,
            median_us: at(values.len() / 2),
            p95_us: at(index_95(values.len())),
            max_us: values.last().copied().unwrap_or(0),
        }
    }
}

/// What happened in the time that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// When this was counted.
    pub at: Time,
    /// How long loads took.
    pub loads: Took,
    /// Loads that failed.
    pub errors: u64,
    /// The same, in thousandths of all.
    pub errors_permille: u64,
    /// Changes.
    pub changes: u64,
    /// Changes in the last hour.
    pub changes_last_hour: u64,
    /// Whether that is more than in the hour before.
    pub changes_trend: Trend,
    /// Checks.
    pub validations: u64,
    /// Checks that failed.
    pub validation_failures: u64,
    /// How often each preset came into force.
    pub presets: BTreeMap<Arc<str>, u64>,
    /// Where that is going.
    pub preset_trends: BTreeMap<Arc<str>, Trend>,
    /// How long each operation took.
    pub operations: BTreeMap<Arc<str>, Took>,
}

impl Usage {
    pub(super) fn of(monitor: &Monitor, now: Time) -> Usage {
        let samples = |metric| monitor.samples(metric);
        let loads = samples(MetricType::ConfigLoad).map(|sample| sample.value).collect();
        let (loads, errors) = (Took::of(loads), count(samples(MetricType::ConfigError)));
        let (last, before) = hours(samples(MetricType::ConfigChange), now);
        let mut presets = BTreeMap::new();
        for sample in samples(MetricType::PresetUsage) {
            *presets.entry(Arc::clone(&sample.name)).or_insert(0) += 1;
        }
        let trend = |name: &Arc<str>| {
            let its = samples(MetricType::PresetUsage).filter(|sample| sample.name == *name);
            let (last, before) = hours(its, now);
            (Arc::clone(name), Trend::of(before, last))
        };
        let mut responses: BTreeMap<Arc<str>, Vec<u64>> = BTreeMap::new();
        for sample in samples(MetricType::PerformanceEvent) {
            responses.entry(Arc::clone(&sample.name)).or_default().push(sample.value);
        }
        let failed = samples(MetricType::ValidationEvent).filter(|sample| sample.value == 0);
        Usage {
            at: now,
            loads,
            errors,
            errors_permille: permille(errors, errors + loads.count),
            changes: count(samples(MetricType::ConfigChange)),
            changes_last_hour: last,
            changes_trend: Trend::of(before, last),
            validations: count(samples(MetricType::ValidationEvent)),
            validation_failures: count(failed),
            preset_trends: presets.keys().map(trend).collect(),
            presets,
            operations: responses.into_iter().map(|(name, took)| (name, Took::of(took))).collect(),
        }
    }

    /// The preset that came into force most often; of several, the first by name.
    #[must_use]
    pub fn usual_preset(&self) -> Option<&str> {
        let most = self.presets.values().max()?;
        self.presets.iter().find(|(_, count)| *count == most).map(|(name, _)| &**name)
    }
}

/// How many are of the last hour, and of the one before.
fn hours<'a>(samples: impl Iterator<Item = &'a Sample>, now: Time) -> (u64, u64) {
    samples.fold((0, 0), |(last, before), sample| {
        if now < sample.at + HOUR {
            (last + 1, before)
        } else if now < sample.at + 2 * HOUR {
            (last, before + 1)
        } else {
            (last, before)
        }
    })
}

/// The place of the value below which all but a twentieth are: the source project's `int(n * .95)`.
const fn index_95(count: usize) -> usize {
    count.saturating_mul(95) / 100
}

/// All but the slowest twentieth take no longer; zero of none.
pub(super) fn percentile_95(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(index_95(values.len())).copied().unwrap_or(0)
}
