//! Evenly spaced permits.

use std::time::Duration;

use super::{Limiter, Rate, Refused, duration, whole, within};
use crate::world::Time;

/// One permit in every interval and no bursts: failsafe-go's smooth limiter. Intervals begin with
/// the world, and a permit that nobody took in its interval is lost.
#[derive(Clone, Copy, Debug)]
pub struct Smooth {
    /// In nanoseconds, at least 1.
    interval: u64,
    next_free: Time,
}

impl Smooth {
    /// A permit every `interval`, at least a nanosecond.
    pub fn new(interval: Duration) -> Smooth {
        Smooth { interval: Rate::new(1, interval).per, next_free: Time::ZERO }
    }

    /// How far apart permits are.
    pub const fn interval(&self) -> Duration {
        Duration::from_nanos(self.interval)
    }

    /// When the next permit is free.
    pub const fn next_free(&self) -> Time {
        self.next_free
    }

    /// When the next permit would be free after taking so many, in nanoseconds.
    #[inline]
    fn after(&self, now: Time, permits: u64) -> u128 {
        let now = now.as_nanos();
        let from = if now >= self.next_free.as_nanos() {
            now - now % self.interval
        } else {
            self.next_free.as_nanos()
        };
        u128::from(from) + u128::from(permits) * u128::from(self.interval)
    }
}

impl Limiter for Smooth {
    #[inline]
    fn reserve(
        &mut self,
        now: Time,
        permits: u64,
        max_wait: Duration,
    ) -> Result<Duration, Refused> {
        let next = self.after(now, permits);
        let used_until = u128::from(now.as_nanos()) + u128::from(self.interval);
        let wait = within(next.saturating_sub(used_until), max_wait)?;
        self.next_free = Time::ZERO + duration(next);
        Ok(wait)
    }

    /// 1 or less: how many intervals are reserved ahead.
    fn available(&self, now: Time) -> i64 {
        let ahead = self.next_free.as_nanos().saturating_sub(now.as_nanos());
        whole(1 - i128::from(ahead.div_ceil(self.interval)))
    }
}
