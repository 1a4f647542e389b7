//! The small types of a breaker: states, outcomes, permits, refusals.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::world::Time;

/// The state of a breaker.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Calls pass, and are watched.
    #[default]
    Closed,
    /// Calls are refused, for a while.
    Open,
    /// Some calls pass, to see how they fare.
    HalfOpen,
    /// Calls pass, and nobody watches.
    Disabled,
    /// Calls pass and are watched, but nothing follows.
    MetricsOnly,
    /// Calls are refused until somebody says otherwise.
    ForcedOpen,
}

impl State {
    /// All of them.
    pub const ALL: [State; 6] = [
        State::Closed,
        State::Open,
        State::HalfOpen,
        State::Disabled,
        State::MetricsOnly,
        State::ForcedOpen,
    ];

    /// Its name in settings, events and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Closed => "closed",
            State::Open => "open",
            State::HalfOpen => "half_open",
            State::Disabled => "disabled",
            State::MetricsOnly => "metrics_only",
            State::ForcedOpen => "forced_open",
        }
    }

    /// Whether resilience4j's table of transitions has this one.
    pub(super) fn may_become(self, to: State) -> bool {
        match self {
            State::Closed => to != State::HalfOpen,
            State::MetricsOnly => !matches!(to, State::Open | State::HalfOpen),
            _ => true,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It succeeded.
    Success,
    /// It failed.
    Failure,
    /// It says nothing about the backend: it does not count, and its permit is free again.
    Ignored,
}

/// The permission to make one call. Hand it to [`record`](super::Breaker::record) or
/// [`release`](super::Breaker::release), once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permit {
    /// Which stretch of the breaker's life it was given in.
    pub(super) generation: u64,
    /// The part of the window in which the call began.
    pub(super) bucket: u64,
}

/// A call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the circuit is {state}")]
pub struct Rejected {
    /// Why: what state the breaker is in.
    pub state: State,
    /// The first instant at which another call may be let through, if that is known.
    pub until: Option<Time>,
}

/// A transition by hand that the settings do not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a circuit that is {from} cannot be made {to}")]
pub struct Illegal {
    /// The state that the breaker is in, and stays in.
    pub from: State,
    /// The state that was asked for.
    pub to: State,
}
