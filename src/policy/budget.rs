//! Retry budgets: how many retries all callers together may make.
//!
//! A budget is shared by all requests to one backend (or whatever its owner keeps it for). It says
//! yes or no to a retry and never delays one. Start at [`Budget::withdraw`]; the adaptive throttle,
//! which refuses first attempts too, is [`Throttle`].

mod aws;
mod concurrent;
mod grpc;
mod throttle;
mod tower;

use std::time::Duration;

pub use aws::Quota;
pub use concurrent::Concurrent;
pub use grpc::Tokens;
pub use throttle::{Throttle, ThrottleSettings};
pub use tower::Deposits;

use crate::world::Time;

/// Which budget, and how large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settings {
    /// AWS standard mode: a quota of tokens that a retry takes and a success gives back.
    Aws {
        /// Tokens at first and at most.
        capacity: u32,
        /// What a retry after a transient error takes.
        transient: u32,
        /// What a retry after throttling takes.
        throttling: u32,
        /// What a retry after a timeout takes.
        timeout: u32,
    },
    /// gRPC's retry throttling (proposal A6): a failure takes a token, a success gives a part of
    /// one back, and there is no retry while half of them or fewer are left.
    Grpc {
        /// Tokens at first and at most, in thousandths; A6 allows up to 1000 whole ones.
        max_tokens: u32,
        /// What a success gives back, in thousandths; A6 allows three decimals.
        token_ratio: u32,
    },
    /// tower's `TpsBudget`: requests deposit, retries withdraw, deposits expire. A share below one
    /// is rounded to one retry for so many requests: 75 % is as good as 100 %.
    Tower {
        /// How long a deposit counts; whole seconds of it set the reserve. Both libraries take
        /// from 1 to 60 seconds.
        ttl: Duration,
        /// Retries per second that need no deposit.
        min_per_second: u32,
        /// Retries for a million requests.
        retries_ppm: u32,
    },
    /// Finagle's `RetryBudget`, from which tower's comes: the same, but shares are kept to a
    /// thousandth.
    Finagle {
        /// As above.
        ttl: Duration,
        /// As above.
        min_per_second: u32,
        /// As above.
        retries_ppm: u32,
    },
    /// failsafe-go's budget: a share of all that is in flight may be retries.
    Failsafe {
        /// The share that retries may have before the next one, in millionths.
        max_rate_ppm: u32,
        /// So many retries in flight are always allowed.
        min_concurrency: u32,
    },
}

impl Settings {
    /// AWS standard mode until 2026: 500 tokens, 5 for a retry, 10 after a timeout.
    pub const AWS_2020: Settings =
        Settings::Aws { capacity: 500, transient: 5, throttling: 5, timeout: 10 };
    /// AWS standard mode by the rules of 2026: 14 for a retry, 5 after throttling.
    pub const AWS_2026: Settings =
        Settings::Aws { capacity: 500, transient: 14, throttling: 5, timeout: 14 };
    /// tower's default, and Finagle's: 20 % over 10 s, and 10 a second anyway.
    pub const TOWER: Settings =
        Settings::Tower { ttl: Duration::from_secs(10), min_per_second: 10, retries_ppm: 200_000 };
    /// failsafe-go's default.
    pub const FAILSAFE: Settings = Settings::Failsafe { max_rate_ppm: 200_000, min_concurrency: 3 };
}

/// Why a retry is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An error that may be gone the next time.
    Transient,
    /// The server asks for fewer requests.
    Throttling,
    /// No answer in time.
    Timeout,
}

/// A retry that was allowed: what it took. It goes back to the budget that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    cost: u32,
}

/// A retry budget.
#[derive(Clone, Debug)]
pub enum Budget {
    /// See [`Settings::Aws`].
    Aws(Quota),
    /// See [`Settings::Grpc`].
    Grpc(Tokens),
    /// See [`Settings::Tower`] and [`Settings::Finagle`].
    Tower(Deposits),
    /// See [`Settings::Failsafe`].
    Failsafe(Concurrent),
}

impl Budget {
    /// A budget nobody has used yet.
    #[must_use]
    pub fn new(settings: &Settings) -> Budget {
        match *settings {
            Settings::Aws { capacity, transient, throttling, timeout } => {
                Budget::Aws(Quota::new(capacity, transient, throttling, timeout))
            }
            Settings::Grpc { max_tokens, token_ratio } => {
                Budget::Grpc(Tokens::new(max_tokens, token_ratio))
            }
            Settings::Tower { ttl, min_per_second, retries_ppm } => {
                Budget::Tower(Deposits::tower(ttl, min_per_second, retries_ppm))
            }
            Settings::Finagle { ttl, min_per_second, retries_ppm } => {
                Budget::Tower(Deposits::finagle(ttl, min_per_second, retries_ppm))
            }
            Settings::Failsafe { max_rate_ppm, min_concurrency } => {
                Budget::Failsafe(Concurrent::new(max_rate_ppm, min_concurrency))
            }
        }
    }

    /// The first attempt of a request starts.
    pub fn on_request(&mut self, now: Time) {
        match self {
            Budget::Tower(deposits) => deposits.deposit(now),
            Budget::Failsafe(concurrent) => concurrent.start(),
            Budget::Aws(_) | Budget::Grpc(_) => {}
        }
    }

    /// An attempt, first or not, failed in a way that a retry might mend, or the server asked not
    /// to be retried.
    pub fn on_attempt_failed(&mut self) {
        if let Budget::Grpc(tokens) = self {
            tokens.fail();
        }
    }

    /// Asks for a retry. `last` is the ticket of the attempt that has just failed, if that was a
    /// retry already; the new ticket takes its place.
    pub fn withdraw(&mut self, now: Time, cause: Cause, last: Option<Ticket>) -> Option<Ticket> {
        match self {
            Budget::Aws(quota) => quota.withdraw(cause),
            Budget::Grpc(tokens) => tokens.allowed().then_some(Ticket { cost: 0 }),
            Budget::Tower(deposits) => deposits.withdraw(now).then_some(Ticket { cost: 0 }),
            Budget::Failsafe(concurrent) => {
                concurrent.withdraw(last.is_some()).then_some(Ticket { cost: 1 })
            }
        }
    }

    /// A request ended, with the ticket of its last attempt if that was a retry.
    pub fn on_end(&mut self, succeeded: bool, last: Option<Ticket>) {
        match self {
            Budget::Aws(quota) if succeeded => quota.succeed(last),
            Budget::Grpc(tokens) if succeeded => tokens.succeed(),
            Budget::Failsafe(concurrent) => concurrent.end(last.is_some()),
            Budget::Aws(_) | Budget::Grpc(_) | Budget::Tower(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
