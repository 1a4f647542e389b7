//! When a breaker opens.

use std::cmp::Ordering;

use crate::policy::window::Tally;

/// Parts per million.
pub type Parts = u32;

/// A million parts: everything.
pub(super) const MILLION: u64 = 1_000_000;

/// When a breaker opens, asked of what is in its window.
#[derive(Clone, Debug, PartialEq)]
pub enum Trip {
    /// One of the rates is *at least* its limit, in parts per million.
    Rates {
        /// Failures among all calls.
        failures: Option<Parts>,
        /// Slow calls among all calls.
        slow: Option<Parts>,
    },
    /// At least so many failures are in the window.
    Failures(u32),
    /// At least so many calls in a row failed.
    Consecutive(u32),
    /// A condition on the counts holds (gobreaker's `ReadyToTrip`).
    When(Condition),
}

/// A condition on what is in a window.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All of them hold.
    All(Vec<Condition>),
    /// One of them holds.
    Any(Vec<Condition>),
    /// A number, or the ratio of two, compares as it should. A ratio to nothing is infinite, and
    /// that of nothing to nothing compares with no number, as in IEEE 754.
    Compare {
        /// The number.
        number: Number,
        /// What it is divided by.
        over: Option<Number>,
        /// How it must compare.
        is: Comparison,
        /// With this, in millionths.
        millionths: u64,
    },
}

/// A number that a window tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Calls that began.
    Requests,
    /// Calls that began, but for those that turned out not to count.
    ValidRequests,
    /// Calls that succeeded.
    Successes,
    /// Calls that failed.
    Failures,
    /// Calls that did not count.
    Excluded,
    /// Successes since the last failure.
    ConsecutiveSuccesses,
    /// Failures since the last success.
    ConsecutiveFailures,
}

/// How a number must compare with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Above it.
    Above,
    /// Above it or the same.
    AtLeast,
    /// Below it.
    Below,
    /// Below it or the same.
    AtMost,
    /// The same.
    Equal,
}

/// Which limits are exceeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Exceeded {
    pub(super) failures: bool,
    pub(super) slow: bool,
}

impl Exceeded {
    pub(super) fn any(self) -> bool {
        self.failures || self.slow
    }
}

impl Trip {
    /// What the rule says. It calls everything that is no slow call a failure.
    #[inline]
    pub(super) fn exceeded(&self, tally: &Tally, whole_percents: bool) -> Exceeded {
        let rate = |part: u32, limit: Option<Parts>| {
            limit.is_some_and(|limit| at_least(part, tally.calls(), limit, whole_percents))
        };
        match self {
            Trip::Rates { failures, slow } => Exceeded {
                failures: rate(tally.failures, *failures),
                slow: rate(tally.slow(), *slow),
            },
            Trip::Failures(limit) => failures(tally.failures >= *limit),
            Trip::Consecutive(limit) => failures(tally.consecutive_failures >= *limit),
            Trip::When(condition) => failures(condition.holds(tally)),
        }
    }
}

fn failures(failures: bool) -> Exceeded {
    Exceeded { failures, slow: false }
}

/// Whether `part` of `all` is at least this rate. Nothing of nothing is no rate.
#[inline]
fn at_least(part: u32, all: u32, limit: Parts, whole_percents: bool) -> bool {
    if all == 0 {
        return false;
    }
    if whole_percents {
        return whole_percent(part, all) * 10_000 >= u64::from(limit);
    }
    u64::from(part) * MILLION >= u64::from(limit) * u64::from(all)
}

/// A rate in whole percents, half up; 0 of nothing.
pub(super) fn whole_percent(part: u32, all: u32) -> u64 {
    (u64::from(part) * 200 + u64::from(all)).checked_div(u64::from(all) * 2).unwrap_or(0)
}

impl Condition {
    /// Whether it holds for these counts.
    pub fn holds(&self, tally: &Tally) -> bool {
        match self {
            Condition::All(all) => all.iter().all(|it| it.holds(tally)),
            Condition::Any(any) => any.iter().any(|it| it.holds(tally)),
            Condition::Compare { number, over, is, millionths } => {
                let number = number.of(tally);
                let over = over.map_or(1, |over| over.of(tally));
                if number == 0 && over == 0 {
                    return false;
                }
                let left = u128::from(number) * u128::from(MILLION);
                is.holds(left.cmp(&(u128::from(*millionths) * u128::from(over))))
            }
        }
    }
}

impl Number {
    fn of(self, tally: &Tally) -> u32 {
        match self {
            Number::Requests => tally.requests,
            Number::ValidRequests => tally.requests.saturating_sub(tally.excluded),
            Number::Successes => tally.successes,
            Number::Failures => tally.failures,
            Number::Excluded => tally.excluded,
            Number::ConsecutiveSuccesses => tally.consecutive_successes,
            Number::ConsecutiveFailures => tally.consecutive_failures,
        }
    }
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Above => order.is_gt(),
            Comparison::AtLeast => order.is_ge(),
            Comparison::Below => order.is_lt(),
            Comparison::AtMost => order.is_le(),
            Comparison::Equal => order.is_eq(),
        }
    }
}
