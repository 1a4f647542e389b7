//! How long something takes: the distributions a link, a disk or a service time is drawn from.
//!
//! Everything is integer nanoseconds. The one place with floating point is the log-normal, and it
//! uses `libm` throughout, so that a draw is the same on every machine and in every build.

use std::time::Duration;

/// A distribution of durations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delay {
    /// Always the same.
    Fixed(Duration),
    /// Every nanosecond from `min` to `max`, both included, equally likely.
    Uniform {
        /// The shortest delay.
        min: Duration,
        /// The longest delay; at least `min`.
        max: Duration,
    },
    /// Log-normal, given by two of its percentiles: what latency reports state.
    LogNormal {
        /// The median.
        p50: Duration,
        /// The 99th percentile; at least `p50`.
        p99: Duration,
    },
    /// One of the measured values, each equally likely; never empty.
    Empirical(Vec<Duration>),
}

impl Delay {
    /// No delay at all.
    pub const ZERO: Delay = Delay::Fixed(Duration::ZERO);
}
