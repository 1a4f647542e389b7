//! Rate limits: how many permits may be taken in how much time.
//!
//! Integers only: an instant is in whole nanoseconds and a bucket's level in exact fractions of a
//! permit, so nothing drifts over days. No limiter waits; each says how long a caller would have
//! to. Time that goes back is taken as standing still.
//!
//! Start at [`Limiter`], which all of them are:
//!
//! | | bursts | a place in the future can be reserved |
//! |---|---|---|
//! | [`TokenBucket`] | up to its capacity | yes |
//! | [`Gcra`] | up to its burst | yes |
//! | [`FixedWindow`] | a window's limit; twice that over a boundary | yes |
//! | [`SlidingLog`] | a window's limit, over any window | yes |
//! | [`SlidingCounter`] | about a window's limit | no |
//! | [`Smooth`] | none | yes |

use std::time::Duration;

use crate::world::Time;

mod bucket;
mod fixed;
mod gcra;
mod sliding;
mod smooth;
#[cfg(test)]
mod tests;

pub use bucket::{Refill, TokenBucket};
pub use fixed::{FixedWindow, Start};
pub use gcra::Gcra;
pub use sliding::{SlidingCounter, SlidingLog};
pub use smooth::Smooth;

/// So many permits in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    permits: u64,
    /// At least 1.
    per: u64,
}

impl Rate {
    /// `permits` every `per`. More than 2⁶² permits are taken as that many, a `per` of more than
    /// 146 years as that long, and one of zero as a nanosecond.
    pub const fn new(permits: u64, per: Duration) -> Rate {
        const MOST: u64 = 1 << 62;
        let nanos = per.as_nanos();
        let per = if nanos == 0 {
            1
        } else if nanos > MOST as u128 {
            MOST
        } else {
            nanos as u64
        };
        Rate { permits: if permits > MOST { MOST } else { permits }, per }
    }

    /// So many permits a second.
    pub const fn per_second(permits: u64) -> Rate {
        Rate::new(permits, Duration::from_secs(1))
    }

    /// So many permits a minute.
    pub const fn per_minute(permits: u64) -> Rate {
        Rate::new(permits, Duration::from_secs(60))
    }

    /// The permits.
    pub const fn permits(self) -> u64 {
        self.permits
    }

    /// The time they are for.
    pub const fn per(self) -> Duration {
        Duration::from_nanos(self.per)
    }
}

/// Why permits are not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not now.
    #[error("the rate limit is reached: permits are free in {0:?}")]
    Wait(
        /// From when on, counted from now, they could be had, if nobody else takes any.
        Duration,
    ),
    /// Neither now nor later: more at once than there ever are.
    #[error("more permits at once than the rate limit ever has")]
    Never,
}

impl Refused {
    /// How long to wait, if waiting helps.
    pub const fn wait(self) -> Option<Duration> {
        match self {
            Refused::Wait(wait) => Some(wait),
            Refused::Never => None,
        }
    }
}

/// What gives permits at a limited rate.
pub trait Limiter {
    /// Takes permits that are free now or will be within `max_wait`, and says in how long they may
    /// be used. Who is refused takes none.
    ///
    /// # Errors
    ///
    /// [`Refused::Wait`] if they will be free later only, [`Refused::Never`] if at no time.
    fn reserve(&mut self, now: Time, permits: u64, max_wait: Duration)
    -> Result<Duration, Refused>;

    /// Takes permits that are free now.
    ///
    /// # Errors
    ///
    /// As [`reserve`](Self::reserve) without waiting.
    #[inline]
    fn try_acquire(&mut self, now: Time, permits: u64) -> Result<(), Refused> {
        self.reserve(now, permits, Duration::ZERO).map(drop)
    }

    /// The whole permits that are free now; negative while more are reserved than there are.
    fn available(&self, now: Time) -> i64;
}

/// The waiting time as an answer: granted if the caller would wait so long.
fn within(wait: u128, max_wait: Duration) -> Result<Duration, Refused> {
    let wait = duration(wait);
    if wait <= max_wait { Ok(wait) } else { Err(Refused::Wait(wait)) }
}

/// So many nanoseconds; more than 584 years are cut there.
fn duration(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// A signed count, cut at its ends.
fn whole(count: i128) -> i64 {
    count.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}
