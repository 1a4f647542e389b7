//! The generic cell rate algorithm: a token bucket in one number.

use std::time::Duration;

use super::{Limiter, Rate, Refused, duration, whole, within};
use crate::world::Time;

/// A limiter that keeps only the instant at which it will be idle again, the "theoretical arrival
/// time" (ITU-T I.371; governor). It decides as a [`TokenBucket`](super::TokenBucket) of the same
/// capacity does.
#[derive(Clone, Copy, Debug)]
pub struct Gcra {
    rate: Rate,
    burst: u64,
    /// When it is idle again, in nanoseconds times the permits of the rate.
    idle_at: u128,
}

impl Gcra {
    /// A limiter that gives up to `burst` permits at once, and all in all so many as the rate says.
    pub const fn new(burst: u64, rate: Rate) -> Gcra {
        Gcra { rate, burst, idle_at: 0 }
    }

    /// How many permits can be had at once at most.
    pub const fn burst(&self) -> u64 {
        self.burst
    }

    /// In how long so many permits are free, if nobody takes any.
    ///
    /// # Errors
    ///
    /// [`Refused::Never`] if they are more than the burst (governor's `InsufficientCapacity`).
    #[inline]
    pub fn check(&self, now: Time, permits: u64) -> Result<Duration, Refused> {
        Ok(duration(self.wait(now, permits)?))
    }

    /// Takes permits, free or not: those beyond the burst are borrowed from the future.
    pub fn consume(&mut self, now: Time, permits: u64) {
        self.idle_at = self.busy_from(now).saturating_add(self.cost(permits));
    }

    fn wait(&self, now: Time, permits: u64) -> Result<u128, Refused> {
        if permits > self.burst {
            return Err(Refused::Never);
        }
        let end = self.busy_from(now).saturating_add(self.cost(permits));
        let ahead = end - self.units(now);
        let late = ahead.saturating_sub(self.cost(self.burst));
        match u128::from(self.rate.permits) {
            _ if late == 0 => Ok(0),
            0 => Err(Refused::Never),
            permits => Ok(late.div_ceil(permits)),
        }
    }

    /// From when on what is taken now keeps it busy.
    #[inline]
    fn busy_from(&self, now: Time) -> u128 {
        self.idle_at.max(self.units(now))
    }

    #[inline]
    fn units(&self, now: Time) -> u128 {
        u128::from(now.as_nanos()) * u128::from(self.rate.permits)
    }

    #[inline]
    fn cost(&self, permits: u64) -> u128 {
        u128::from(permits) * u128::from(self.rate.per)
    }
}

impl Limiter for Gcra {
    #[inline]
    fn reserve(
        &mut self,
        now: Time,
        permits: u64,
        max_wait: Duration,
    ) -> Result<Duration, Refused> {
        let wait = within(self.wait(now, permits)?, max_wait)?;
        self.consume(now, permits);
        Ok(wait)
    }

    fn available(&self, now: Time) -> i64 {
        let ahead = self.busy_from(now) - self.units(now);
        let taken = i128::try_from(ahead.div_ceil(u128::from(self.rate.per))).unwrap_or(i128::MAX);
        whole(i128::from(self.burst) - taken)
    }
}
