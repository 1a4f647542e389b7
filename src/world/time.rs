//! Virtual time: integer nanoseconds since the world began.
//!
//! Nothing here may read a clock of the machine.

use std::{
    fmt,
    ops::{Add, Sub},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An instant of virtual time, in nanoseconds since the world began. It holds 584 years; sums that
/// would pass its end stay there.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time(u64);

impl Time {
    /// The instant the world began.
    pub const ZERO: Time = Time(0);
    /// The last instant there is.
    pub const MAX: Time = Time(u64::MAX);

    /// The instant this many nanoseconds after the beginning.
    pub const fn from_nanos(nanos: u64) -> Time {
        Time(nanos)
    }

    /// Nanoseconds since the beginning.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long ago the world began.
    pub const fn since_start(self) -> Duration {
        Duration::from_nanos(self.0)
    }
}

/// Whole nanoseconds of a duration; one of more than 584 years is cut there.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, duration: Duration) -> Time {
        Time(self.0.saturating_add(nanos(duration)))
    }
}

impl Sub for Time {
    type Output = Duration;
    /// The time between the two; zero if `earlier` is the later one.
    fn sub(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Time {
    /// Seconds with as many decimals as the instant needs, at least three: `12.304s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        if nanos % 1_000_000 == 0 {
            write!(f, "{seconds}.{:03}s", nanos / 1_000_000)
        } else if nanos % 1_000 == 0 {
            write!(f, "{seconds}.{:06}s", nanos / 1_000)
        } else {
            write!(f, "{seconds}.{nanos:09}s")
        }
    }
}

/// The clock of one node: the world's time, bent by faults.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NodeClock {
    /// How many faults bend it; they add up.
    faults: u32,
    /// How far the wall clock is off, in nanoseconds.
    skew: i64,
    /// How much too fast the node's oscillator runs, in parts per million.
    drift_ppm: i32,
    /// Local time gained (or lost) by drift until `drifting_since`.
    drifted: i64,
    drifting_since: Time,
}

impl NodeClock {
    /// What the node's monotonic clock says when the world's says `now`.
    pub(crate) fn monotonic(&self, now: Time) -> Time {
        if self.drift_ppm == 0 && self.drifted == 0 {
            return now;
        }
        Time(now.0.saturating_add_signed(self.gained(now)))
    }

    /// What the node's wall clock says when the world's says `now`.
    pub(crate) fn wall(&self, start: Timestamp, now: Time) -> Timestamp {
        let offset = i128::from(now.0) + i128::from(self.gained(now)) + i128::from(self.skew);
        Timestamp::from_nanosecond(start.as_nanosecond() + offset).unwrap_or(Timestamp::MAX)
    }

    /// How long the world waits while the node's clock counts `local`.
    pub(crate) fn world_duration(&self, local: Duration) -> Duration {
        if self.drift_ppm == 0 {
            return local;
        }
        let rate = 1_000_000_i128 + i128::from(self.drift_ppm);
        let nanos = i128::from(nanos(local)) * 1_000_000 / rate.max(1);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// A fault bends the clock, on top of those that already do.
    pub(crate) fn bend(&mut self, skew: i64, drift_ppm: i32, now: Time) {
        self.faults += 1;
        self.add(skew, drift_ppm, now);
    }

    /// That fault is over. After the last one the wall clock is right again, as time
    /// synchronisation would make it; the monotonic one runs at the right rate, and keeps what it
    /// has gained, as it must not jump.
    pub(crate) fn unbend(&mut self, skew: i64, drift_ppm: i32, now: Time) {
        self.faults = self.faults.saturating_sub(1);
        self.add(skew.saturating_neg(), drift_ppm.saturating_neg(), now);
        if self.faults == 0 {
            self.skew = self.drifted.saturating_neg();
        }
    }

    /// Changes the rate from `now` on; what was gained so far stays.
    fn add(&mut self, skew: i64, drift_ppm: i32, now: Time) {
        self.drifted = self.gained(now);
        self.drifting_since = now;
        self.skew = self.skew.saturating_add(skew);
        self.drift_ppm = self.drift_ppm.saturating_add(drift_ppm);
    }

    fn gained(&self, now: Time) -> i64 {
        let elapsed = i128::from(now.0.saturating_sub(self.drifting_since.0));
        let gained = elapsed * i128::from(self.drift_ppm) / 1_000_000;
        self.drifted.saturating_add(i64::try_from(gained).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_print_with_the_decimals_they_need() {
        assert_eq!(Time(12_304_000_000).to_string(), "12.304s");
        assert_eq!(Time(1_000).to_string(), "0.000001s");
        assert_eq!(Time(1_500_000_001).to_string(), "1.500000001s");
    }

    #[test]
    fn sums_stay_at_the_end_of_time() {
        assert_eq!(Time::MAX + Duration::from_nanos(1), Time::MAX);
        assert_eq!(Time(1) + Duration::MAX, Time::MAX);
        assert_eq!(Time(1) - Time(2), Duration::ZERO);
    }

    #[test]
    fn a_fast_clock_gains_and_its_timers_fire_early() {
        let mut clock = NodeClock::default();
        clock.bend(0, 1_000, Time(0));
        assert_eq!(clock.monotonic(Time(1_000_000)), Time(1_001_000));
        assert_eq!(clock.world_duration(Duration::from_nanos(1_001)), Duration::from_nanos(1_000));
        clock.bend(0, -1_000, Time(1_000_000));
        assert_eq!(clock.monotonic(Time(2_000_000)), Time(2_001_000));
    }

    #[test]
    fn faults_of_a_clock_add_up_and_the_last_to_heal_sets_it_right() {
        let start = Timestamp::UNIX_EPOCH;
        let off = |clock: &NodeClock| clock.wall(start, Time::ZERO).as_second();
        let mut clock = NodeClock::default();
        clock.bend(5_000_000_000, 0, Time(0));
        clock.bend(7_000_000_000, 1_000, Time(0));
        assert_eq!(off(&clock), 12);
        clock.unbend(5_000_000_000, 0, Time(1_000_000));
        assert_eq!(off(&clock), 7);
        assert_eq!(clock.monotonic(Time(2_000_000)), Time(2_002_000));
        clock.unbend(7_000_000_000, 1_000, Time(2_000_000));
        assert_eq!(off(&clock), 0);
        assert_eq!(clock.monotonic(Time(3_000_000)), Time(3_002_000), "it never jumps");
    }

    #[test]
    fn skew_moves_the_wall_clock_only() {
        let mut clock = NodeClock::default();
        clock.bend(-30_000_000_000, 0, Time(0));
        let start = Timestamp::UNIX_EPOCH;
        assert_eq!(clock.wall(start, Time::ZERO).as_second(), -30);
        assert_eq!(clock.monotonic(Time(5)), Time(5));
    }
}
