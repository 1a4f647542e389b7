//! Fixed windows: so many permits in each, all of them free at its beginning.

use std::time::Duration;

use super::{Limiter, Rate, Refused, duration, whole, within};
use crate::world::Time;

/// When windows begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At this instant and every period after it (resilience4j and failsafe-go: the making of the
    /// limiter; windows of the hour or the minute: any full one).
    At(Time),
    /// With the first use after the last window has ended (tower's `RateLimit`).
    FirstUse,
}

/// A fixed window. Its permits may go below zero by reservations of those of later windows, as in
/// resilience4j's `AtomicRateLimiter` and failsafe-go's bursty limiter.
#[derive(Clone, Copy, Debug)]
pub struct FixedWindow {
    rate: Rate,
    /// The beginning of the window that the permits are of.
    start: Time,
    /// Whether the window is to begin with the next use.
    floating: bool,
    first_use: bool,
    free: i64,
}

impl FixedWindow {
    /// The limiter with so many permits in each window of the period of the rate.
    pub fn new(rate: Rate, start: Start) -> FixedWindow {
        let (start, first_use) = match start {
            Start::At(start) => (start, false),
            Start::FirstUse => (Time::ZERO, true),
        };
        let free = whole(i128::from(rate.permits));
        FixedWindow { rate, start, floating: first_use, first_use, free }
    }

    /// The permits of a window, and its length.
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// Gives so many permits from the next window on; those of this window stay (resilience4j's
    /// `changeLimitForPeriod`).
    pub fn set_limit(&mut self, now: Time, permits: u64) {
        self.advance(now);
        self.rate = Rate::new(permits, self.rate.per());
    }

    /// Takes what is free in this window, and says how much that was.
    pub fn drain(&mut self, now: Time) -> u64 {
        self.advance(now);
        let drained = self.free.max(0);
        self.free -= drained;
        drained.unsigned_abs()
    }

    /// How many windows have begun since the first one at a fixed instant; 0 in the first.
    pub fn window(&self, now: Time, first: Time) -> u64 {
        now.as_nanos().saturating_sub(first.as_nanos()) / self.rate.per
    }

    /// In how long so many permits are free; none if never.
    pub fn ready_in(&self, now: Time, permits: u64) -> Option<Duration> {
        let mut then = *self;
        then.advance(now);
        then.wait(now, permits).map(duration)
    }

    #[inline]
    fn advance(&mut self, now: Time) {
        let limit = i128::from(self.rate.permits);
        if !self.floating {
            let passed = now.as_nanos().saturating_sub(self.start.as_nanos()) / self.rate.per;
            if passed == 0 {
                return;
            }
            self.free = whole(limit.min(i128::from(self.free) + i128::from(passed) * limit));
            self.start = Time::from_nanos(self.start.as_nanos() + passed * self.rate.per);
            self.floating = self.first_use && i128::from(self.free) == limit;
        }
        if self.floating {
            self.free = whole(limit);
            self.start = now;
        }
    }

    /// Nanoseconds until so many permits are free.
    #[inline]
    fn wait(&self, now: Time, permits: u64) -> Option<u128> {
        let missing = i128::from(permits.min(1 << 62)) - i128::from(self.free);
        if missing <= 0 {
            return Some(0);
        }
        if self.rate.permits == 0 {
            return None;
        }
        let windows = missing.unsigned_abs().div_ceil(u128::from(self.rate.permits));
        let then = u128::from(self.start.as_nanos()) + windows * u128::from(self.rate.per);
        Some(then.saturating_sub(u128::from(now.as_nanos())))
    }
}

impl Limiter for FixedWindow {
    #[inline]
    fn reserve(
        &mut self,
        now: Time,
        permits: u64,
        max_wait: Duration,
    ) -> Result<Duration, Refused> {
        self.advance(now);
        let wait = within(self.wait(now, permits).ok_or(Refused::Never)?, max_wait)?;
        self.free = self.free.saturating_sub_unsigned(permits);
        self.floating = false;
        Ok(wait)
    }

    fn available(&self, now: Time) -> i64 {
        let mut then = *self;
        then.advance(now);
        then.free
    }
}
