//! What a tuning means to the policies.

use std::time::Duration;

use super::strategy::Tuning;
use crate::policy::{
    Growth, Jitter, Retry,
    breaker::{HalfOpen, Settings, Trip, Wait},
};

impl Tuning {
    /// The retries: `multiplier` seconds doubled with each failure, held between `exp_min` and
    /// `exp_max` (tenacity's `wait_exponential`), plus anything up to `jitter` (its `wait_random`),
    /// and `max_delay` at most. That nothing is tried again once `max_delay` has passed since the first
    /// attempt is for whoever knows when that was.
    #[must_use]
    pub fn retry(&self) -> Retry {
        let first = Duration::from_millis(self.multiplier.into());
        // As tenacity has it, the shortest wins if it is above the longest.
        let base = first.min(self.exp_max).max(self.exp_min);
        Retry {
            attempts: self.attempts.max(1),
            base: base.min(self.max_delay),
            growth: Growth::Within {
                first,
                permille: 2_000,
                least: self.exp_min,
                most: self.exp_max,
            },
            max: self.max_delay,
            jitter: match self.jitter {
                Some(more) => Jitter::Shifted { less: Duration::ZERO, more },
                None => Jitter::None,
            },
            hard_max: true,
        }
    }

    /// The breaker: opens after `failure_threshold` failures in a row, lets nobody through until
    /// `recovery` has passed, then `half_open_calls` calls, all of which must succeed.
    ///
    /// The source project's own breaker never hears of outcomes and ignores its half-open limit;
    /// this one does what its settings say.
    #[must_use]
    pub fn breaker(&self) -> Settings {
        Settings {
            trip: Trip::Consecutive(self.failure_threshold.max(1)),
            wait: Wait::constant(self.recovery.max(Duration::from_nanos(1))),
            half_open: Some(HalfOpen::all_of(self.half_open_calls.max(1))),
            ..Settings::engined()
        }
    }
}
