//! Sliding windows: exact with a log, or about right with two counters.

use std::{collections::VecDeque, time::Duration};

use super::{Limiter, Rate, Refused, duration, whole, within};
use crate::world::Time;

/// A log of what was taken: over *any* window of the period no more than the limit. It remembers
/// an instant per permit at most; instants can be rounded down to segments to remember fewer.
#[derive(Clone, Debug)]
pub struct SlidingLog {
    rate: Rate,
    /// In nanoseconds, at least 1.
    segment: u64,
    /// When permits were or will be used, and how many then; in order.
    taken: VecDeque<(Time, u64)>,
    /// Their sum.
    total: u64,
}

impl SlidingLog {
    /// The exact log.
    pub fn new(rate: Rate) -> SlidingLog {
        SlidingLog::segmented(rate, 1)
    }

    /// A log that divides its window into segments: permits come back when the segment in which
    /// they were used is a whole window ago (.NET's `SlidingWindowRateLimiter`). Segments begin
    /// with the world; a log of 0 segments or of more than nanoseconds is the exact one.
    pub fn with_segments(rate: Rate, segments: u64) -> SlidingLog {
        SlidingLog::segmented(rate, rate.per.checked_div(segments).unwrap_or(1).max(1))
    }

    fn segmented(rate: Rate, segment: u64) -> SlidingLog {
        let room = usize::try_from(rate.permits).unwrap_or(usize::MAX).min(1_024);
        SlidingLog { rate, segment, taken: VecDeque::with_capacity(room), total: 0 }
    }

    /// Whether what was used at `then` no longer counts.
    fn is_past(&self, then: Time, now: Time) -> bool {
        now.as_nanos() >= then.as_nanos().saturating_add(self.rate.per)
    }

    fn forget(&mut self, now: Time) {
        while let Some(&(then, permits)) = self.taken.front() {
            if !self.is_past(then, now) {
                break;
            }
            self.taken.pop_front();
            self.total -= permits;
        }
    }

    /// The first instant, not before the latest reservation, at which so many permits are free.
    fn free_at(&self, now: Time, permits: u64) -> Time {
        let mut at = self.taken.back().map_or(now, |&(last, _)| now.max(last));
        let mut total = self.total;
        for &(then, back) in &self.taken {
            if total.saturating_add(permits) <= self.rate.permits {
                break;
            }
            at = at.max(then + self.rate.per());
            total -= back;
        }
        at
    }
}

impl Limiter for SlidingLog {
    fn reserve(
        &mut self,
        now: Time,
        permits: u64,
        max_wait: Duration,
    ) -> Result<Duration, Refused> {
        self.forget(now);
        if permits > self.rate.permits {
            return Err(Refused::Never);
        }
        let at = self.free_at(now, permits);
        let wait = within((at - now).as_nanos(), max_wait)?;
        if permits > 0 {
            let at = Time::from_nanos(at.as_nanos() - at.as_nanos() % self.segment);
            match self.taken.back_mut() {
                Some((last, count)) if *last == at => *count += permits,
                _ => self.taken.push_back((at, permits)),
            }
            self.total += permits;
        }
        Ok(wait)
    }

    fn available(&self, now: Time) -> i64 {
        let past: u64 = self
            .taken
            .iter()
            .take_while(|taken| self.is_past(taken.0, now))
            .map(|taken| taken.1)
            .sum();
        whole(i128::from(self.rate.permits) - i128::from(self.total - past))
    }
}

/// Two counters, of this window and of the last, which counts for the part of it that a window
/// ending now would overlap: about right, and of constant size. Windows begin with the world. It
/// keeps no places: permits that are not free now are refused, however long the caller would wait.
#[derive(Clone, Copy, Debug)]
pub struct SlidingCounter {
    rate: Rate,
    start: Time,
    last: u64,
    this: u64,
}

impl SlidingCounter {
    /// A limiter that has given nothing yet.
    pub const fn new(rate: Rate) -> SlidingCounter {
        SlidingCounter { rate, start: Time::ZERO, last: 0, this: 0 }
    }

    fn advance(&mut self, now: Time) {
        let windows = now.as_nanos().saturating_sub(self.start.as_nanos()) / self.rate.per;
        if windows > 0 {
            self.last = if windows == 1 { self.this } else { 0 };
            self.this = 0;
            self.start = Time::from_nanos(self.start.as_nanos() + windows * self.rate.per);
        }
    }

    /// What is left of the limit, in permits times the period.
    fn room(&self, now: Time) -> u128 {
        let per = u128::from(self.rate.per);
        let ahead = per - (now - self.start).as_nanos().min(per);
        (u128::from(self.rate.permits) * per)
            .saturating_sub(u128::from(self.last) * ahead + u128::from(self.this) * per)
    }

    /// From what age of a window on a last one of so many permits leaves room for so many.
    fn age(&self, last: u64, needed: u64) -> u128 {
        let per = u128::from(self.rate.per);
        let room = u128::from(self.rate.permits.saturating_sub(needed));
        per - (room * per).checked_div(u128::from(last)).unwrap_or(per).min(per)
    }
}

impl Limiter for SlidingCounter {
    fn reserve(&mut self, now: Time, permits: u64, _: Duration) -> Result<Duration, Refused> {
        self.advance(now);
        if permits > self.rate.permits {
            return Err(Refused::Never);
        }
        let per = u128::from(self.rate.per);
        if u128::from(permits) * per <= self.room(now) {
            self.this += permits;
            return Ok(Duration::ZERO);
        }
        let needed = self.this + permits;
        let age = if needed <= self.rate.permits {
            self.age(self.last, needed)
        } else {
            per + self.age(self.this, permits)
        };
        Err(Refused::Wait(duration(age.saturating_sub((now - self.start).as_nanos()))))
    }

    fn available(&self, now: Time) -> i64 {
        let mut then = *self;
        then.advance(now);
        let room = then.room(now) / u128::from(self.rate.per);
        whole(i128::try_from(room).unwrap_or(i128::MAX))
    }
}
