//! The token bucket: full at first, emptied by use, refilled with time.

use std::time::Duration;

use super::{Limiter, Rate, Refused, duration, whole, within};
use crate::world::Time;

/// How a bucket is refilled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refill {
    /// Evenly, nanosecond by nanosecond (Go's `x/time/rate`, bucket4j's greedy refill).
    #[default]
    Continuous,
    /// All permits of a period at its end (.NET's `TokenBucketRateLimiter`, bucket4j's interval
    /// refill). The first period begins when the world does.
    Stepwise,
}

/// A bucket of tokens. Its level may go below zero: by reservations, or by a
/// [`charge`](Self::charge) of what has been used already.
#[derive(Clone, Copy, Debug)]
pub struct TokenBucket {
    rate: Rate,
    refill: Refill,
    capacity: i128,
    /// In tokens times the period of the rate: a nanosecond adds as many as the rate has permits.
    level: i128,
    /// Up to when the level is right.
    since: Time,
    /// When the latest reservation may be used.
    last_ready: Time,
}

impl TokenBucket {
    /// A full bucket.
    pub fn new(capacity: u64, rate: Rate) -> TokenBucket {
        TokenBucket::with_refill(capacity, rate, Refill::Continuous)
    }

    /// A full bucket that is refilled in this way.
    pub fn with_refill(capacity: u64, rate: Rate, refill: Refill) -> TokenBucket {
        let capacity = units(capacity, rate);
        let (since, last_ready) = (Time::ZERO, Time::ZERO);
        TokenBucket { rate, refill, capacity, level: capacity, since, last_ready }
    }

    /// How many tokens it holds at most.
    pub fn capacity(&self) -> u64 {
        u64::try_from(self.capacity / i128::from(self.rate.per)).unwrap_or(u64::MAX)
    }

    /// At what rate it is refilled.
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// Refills at another rate from now on; what is in it stays.
    pub fn set_rate(&mut self, now: Time, rate: Rate) {
        self.advance(now);
        let per = i128::from(self.rate.per);
        let convert = |amount: i128| {
            let (tokens, rest) = (amount.div_euclid(per), amount.rem_euclid(per));
            let new = i128::from(rate.per);
            tokens.saturating_mul(new).saturating_add(rest.saturating_mul(new) / per)
        };
        (self.level, self.capacity) = (convert(self.level), convert(self.capacity));
        self.rate = rate;
    }

    /// Holds another number of tokens from now on; what is in it stays, as far as it has room.
    pub fn set_capacity(&mut self, now: Time, capacity: u64) {
        self.advance(now);
        self.capacity = units(capacity, self.rate);
        self.level = self.level.min(self.capacity);
    }

    /// Takes tokens that have been used already, whether there are so many or not.
    pub fn charge(&mut self, now: Time, tokens: u64) {
        self.advance(now);
        self.level = self.level.saturating_sub(units(tokens, self.rate));
    }

    /// Puts tokens back that were taken and not used, as far as there is room.
    pub fn give_back(&mut self, now: Time, tokens: u64) {
        self.advance(now);
        self.level = self.level.saturating_add(units(tokens, self.rate)).min(self.capacity);
    }

    /// Gives a reservation back that was to be used at `ready`, unless that time has passed. What
    /// was reserved after it keeps its place, so those tokens do not come back (the rule of Go's
    /// `x/time/rate`). Says how many do.
    pub fn cancel(&mut self, now: Time, tokens: u64, ready: Time) -> u64 {
        if tokens == 0 || ready < now {
            return 0;
        }
        let later = i128::from((self.last_ready - ready).as_nanos() as u64)
            .saturating_mul(i128::from(self.rate.permits));
        let back = units(tokens, self.rate).saturating_sub(later).max(0);
        self.advance(now);
        self.level = self.level.saturating_add(back).min(self.capacity);
        if self.last_ready == ready {
            let earlier = duration(self.nanos_for(units(tokens, self.rate)));
            self.last_ready = Time::ZERO + (ready - Time::ZERO).saturating_sub(earlier);
        }
        u64::try_from(back / i128::from(self.rate.per)).unwrap_or(u64::MAX)
    }

    /// In how long so many tokens are in it, if nobody takes any; none if that is never so.
    #[inline]
    pub fn ready_in(&self, now: Time, tokens: u64) -> Option<Duration> {
        let mut then = *self;
        then.advance(now);
        then.wait(now, units(tokens, self.rate)).map(duration)
    }

    /// Nanoseconds until the level is at least so high.
    #[inline]
    fn wait(&self, now: Time, needed: i128) -> Option<u128> {
        if needed <= self.level {
            return Some(0);
        }
        if needed > self.capacity || self.rate.permits == 0 {
            return None;
        }
        let nanos = self.nanos_for(needed - self.level);
        Some(match self.refill {
            Refill::Continuous => nanos,
            // The periods run from `since`, a part of the first has passed.
            Refill::Stepwise => {
                let per = u128::from(self.rate.per);
                nanos.div_ceil(per) * per - (now - self.since).as_nanos()
            }
        })
    }

    /// How long it takes to refill so much, in nanoseconds, rounded up.
    fn nanos_for(&self, amount: i128) -> u128 {
        amount.unsigned_abs().div_ceil(u128::from(self.rate.permits).max(1))
    }

    #[inline]
    fn advance(&mut self, now: Time) {
        let passed = now.as_nanos().saturating_sub(self.since.as_nanos());
        let passed = match self.refill {
            Refill::Continuous => passed,
            Refill::Stepwise => passed / self.rate.per * self.rate.per,
        };
        self.since = Time::from_nanos(self.since.as_nanos() + passed);
        let added = i128::from(passed) * i128::from(self.rate.permits);
        self.level = self.level.saturating_add(added).min(self.capacity);
    }
}

/// Tokens in the unit of the level.
#[inline]
fn units(tokens: u64, rate: Rate) -> i128 {
    i128::from(tokens.min(1 << 62)) * i128::from(rate.per)
}

impl Limiter for TokenBucket {
    #[inline]
    fn reserve(
        &mut self,
        now: Time,
        permits: u64,
        max_wait: Duration,
    ) -> Result<Duration, Refused> {
        self.advance(now);
        let needed = units(permits, self.rate);
        let wait = within(self.wait(now, needed).ok_or(Refused::Never)?, max_wait)?;
        self.level = self.level.saturating_sub(needed);
        self.last_ready = now + wait;
        Ok(wait)
    }

    fn available(&self, now: Time) -> i64 {
        let mut then = *self;
        then.advance(now);
        whole(then.level.div_euclid(i128::from(self.rate.per)))
    }
}
