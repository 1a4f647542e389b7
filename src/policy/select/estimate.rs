//! What a choice is based on: how long a model takes, and what a task needs.

use std::time::Duration;

/// One part in so many of the way to each new measurement: the gain of TCP's smoothed round-trip
/// time (RFC 6298).
const GAIN: u128 = 8;

/// An exponentially weighted moving average of latencies, in whole nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ewma(Option<u64>);

impl Ewma {
    /// Takes in a measurement. The first one is the estimate.
    pub fn observe(&mut self, latency: Duration) {
        let latency = super::nanos(latency);
        let mean = |old: u64| {
            let mean = (u128::from(old) * (GAIN - 1) + u128::from(latency)) / GAIN;
            // Between two that fit.
            u64::try_from(mean).unwrap_or(u64::MAX)
        };
        self.0 = Some(self.0.map_or(latency, mean));
    }

    /// The estimate; `None` before the first measurement.
    #[must_use]
    pub fn estimate(self) -> Option<Duration> {
        self.0.map(Duration::from_nanos)
    }
}

/// The least tier that is enough for a task, by its name in a sim: 3 for the complex ones, 1 for
/// the simple one, 2 for all others.
#[must_use]
pub fn tier_for(task: &str) -> u8 {
    match task {
        "architecture" | "code_review" | "reasoning" => 3,
        "formatting" => 1,
        _ => 2,
    }
}
