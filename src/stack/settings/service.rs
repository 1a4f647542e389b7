//! What services, their callers, the monitor and askers are told: plain values, checked by whoever
//! made them.

use std::time::Duration;

use serde::Deserialize;

use crate::{
    policy::breaker,
    world::{Delay, Probability},
};

/// A service that others call, on a node of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its name, and its node's.
    pub name: String,
    /// What it is.
    pub kind: ServiceKind,
    /// How long a call takes.
    pub latency: Delay,
    /// What goes wrong on its own.
    pub errors: CallErrors,
    /// What healing it does.
    pub heal: Heal,
    /// Whether its check can be made.
    pub check: CheckMode,
}

/// What a service is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServiceKind {
    /// It takes every call at once.
    #[default]
    Rpc,
    /// Each call needs a connection.
    Database(Pool),
}

/// The connections of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// How many; at least 1.
    pub connections: u32,
    /// How long a call waits for one.
    pub wait: Duration,
    /// After how long lost ones come back by themselves; `None` is never.
    pub reconnect_after: Option<Duration>,
}

/// How likely each error is for one call; together at most 100 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallErrors {
    /// The service answers that it failed.
    pub failure: Probability,
    /// No answer at all.
    pub silence: Probability,
    /// The connection breaks.
    pub reset: Probability,
}

impl CallErrors {
    /// Each probability with what it is of, in the order in which a draw is compared with them.
    #[must_use]
    pub fn parts(&self) -> [(CallError, Probability); 3] {
        [
            (CallError::Failure, self.failure),
            (CallError::Silence, self.silence),
            (CallError::Reset, self.reset),
        ]
    }
}

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The service answers that it failed.
    Failure,
    /// No answer at all.
    Silence,
    /// The connection breaks.
    Reset,
}

/// What healing a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heal {
    /// How long it takes.
    pub takes: Duration,
    /// What comes of it.
    pub works: HealWorks,
}

/// What comes of healing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HealWorks {
    /// The service is up and connected again.
    #[default]
    Yes,
    /// It says that it could not.
    No,
    /// It fails itself.
    Error,
}

/// Whether the check of a service can be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckMode {
    /// It says how the service is.
    #[default]
    Works,
    /// It fails itself, however the service is.
    Errors,
}

/// A group of callers of a service that are alike; named as groups of agents are.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerGroup {
    /// The group's name.
    pub name: String,
    /// Callers in it, at least 1.
    pub count: u32,
    /// The service that they call.
    pub service: String,
    /// What they ask of it, in turn; never empty.
    pub operations: Vec<String>,
    /// Calls of each caller.
    pub requests: u32,
    /// When they call.
    pub pace: Pace,
    /// Calls of each caller at once, at least 1.
    pub concurrency: u32,
    /// How long a call may take.
    pub timeout: Duration,
    /// The circuit breaker in front of the service, if there is one.
    pub breaker: Option<breaker::Settings>,
    /// What has a breaker of its own.
    pub breaker_per: BreakerPer,
}

/// When a caller calls.
#[derive(Clone, Debug, PartialEq)]
pub enum Pace {
    /// As many calls as may be made at once, again and again, whether earlier ones are over or not.
    Every(Duration),
    /// The next call a while after the one before is over; as many such loops as calls at once.
    Think(Delay),
}

/// What has a breaker of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BreakerPer {
    /// The whole service.
    #[default]
    Service,
    /// Each operation.
    Operation,
}

/// The health monitor, node `monitor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    /// From one round of checks to the next.
    pub interval: Duration,
    /// How long a check, or healing, may take.
    pub timeout: Duration,
    /// Whether a service that says it is unhealthy is healed.
    pub auto_heal: bool,
    /// So many checks in a row that fail make a component unhealthy.
    pub unhealthy_after: u32,
    /// The services, the router and the groups of callers that are checked; `None` for all.
    pub watch: Option<Vec<String>>,
}

/// A group of askers that are alike: they ask the router how it is, all at the same instants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskerGroup {
    /// The group's name.
    pub name: String,
    /// Askers in it, at least 1.
    pub count: u32,
    /// From one question to the next.
    pub every: Duration,
    /// How often each asks.
    pub requests: u32,
    /// How long it waits for an answer.
    pub timeout: Duration,
}
