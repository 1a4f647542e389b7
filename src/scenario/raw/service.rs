//! The tables of services, their callers, the health monitor and askers, as written.
//!
//! Nothing here judges a value.

use std::time::Duration;

use serde::Deserialize;

use super::{RawBreaker, RawDelay};
use crate::scenario::field::{At, Field};
use crate::scenario::model::{BreakerPer, CheckMode, Connections, HealWorks};
use crate::scenario::values::Whole;
use crate::world::Probability;

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Service"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawService {
    /// Its name, and its node's.
    pub(in crate::scenario) name: At<String>,
    /// What it is. Default: rpc.
    pub(in crate::scenario) kind: Option<RawServiceKind>,
    /// How long a call takes. Default: uniform from 2ms to 10ms.
    pub(in crate::scenario) latency: Option<At<RawDelay>>,
    /// Connections of a database. Default: 10.
    pub(in crate::scenario) pool: Option<Field<Whole>>,
    /// How long a call waits for a connection. Default: 1s.
    pub(in crate::scenario) pool_wait: Option<Field<Duration>>,
    /// After how long lost connections come back by themselves. Default: never.
    pub(in crate::scenario) reconnect_after: Option<Field<Duration>>,
    /// What goes wrong on its own. Default: nothing.
    pub(in crate::scenario) errors: Option<At<RawCallErrors>>,
    /// What healing it does. Default: it works, in 500ms.
    pub(in crate::scenario) heal: Option<RawHeal>,
    /// Whether its check works. Default: works.
    pub(in crate::scenario) check: Option<CheckMode>,
}

/// What a service is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "ServiceKind"))]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum RawServiceKind {
    /// It takes every call at once.
    Rpc,
    /// Each call needs a connection.
    Database,
}

/// How likely each error is for one call; together at most 100%.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "CallErrors"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawCallErrors {
    /// It answers that it failed.
    pub(in crate::scenario) failure: Option<Field<Probability>>,
    /// No answer at all.
    pub(in crate::scenario) silence: Option<Field<Probability>>,
    /// The connection breaks.
    pub(in crate::scenario) reset: Option<Field<Probability>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Heal"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawHeal {
    /// How long it takes. Default: 500ms.
    pub(in crate::scenario) takes: Option<Field<Duration>>,
    /// Whether it works; "error" if it fails itself. Default: true.
    pub(in crate::scenario) works: Option<Field<HealWorks>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "ServiceFault"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawServiceFault {
    /// The service.
    pub(in crate::scenario) name: At<String>,
    /// The one operation that it is about. Default: the whole service.
    pub(in crate::scenario) operation: Option<At<String>>,
    /// It answers every call that it is not available, until it is healed.
    pub(in crate::scenario) down: Option<bool>,
    /// It answers nothing.
    pub(in crate::scenario) hang: Option<bool>,
    /// Connections of its pool break, true for all: until it is healed, or they come back.
    pub(in crate::scenario) lose_connections: Option<Field<Connections>>,
    /// Its errors while it lasts.
    pub(in crate::scenario) errors: Option<At<RawCallErrors>>,
    /// Its latency while it lasts.
    pub(in crate::scenario) latency: Option<At<RawDelay>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Caller"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawCaller {
    /// The group's name.
    pub(in crate::scenario) name: At<String>,
    /// Callers in the group. Default: 1.
    pub(in crate::scenario) count: Option<Field<Whole>>,
    /// The service that they call.
    pub(in crate::scenario) service: At<String>,
    /// What they ask of it, in turn. Default: ["call"].
    pub(in crate::scenario) operations: Option<At<Vec<At<String>>>>,
    /// Calls of each caller. Default: 1.
    pub(in crate::scenario) requests: Option<Field<Whole>>,
    /// From one call to the next, whether or not earlier ones are over.
    pub(in crate::scenario) every: Option<Field<Duration>>,
    /// From the end of a call to the next, without `every`. Default: uniform from 0s to 100ms.
    pub(in crate::scenario) think: Option<At<RawDelay>>,
    /// Calls of each caller at once. Default: 1.
    pub(in crate::scenario) concurrency: Option<Field<Whole>>,
    /// How long a call may take. Default: 1s.
    pub(in crate::scenario) timeout: Option<Field<Duration>>,
    /// The circuit breaker of each caller. Default: none.
    pub(in crate::scenario) breaker: Option<At<RawBreaker>>,
    /// What has a breaker of its own. Default: service.
    pub(in crate::scenario) breaker_per: Option<At<BreakerPer>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Monitor"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawMonitor {
    /// From one round of checks to the next. Default: 10s.
    pub(in crate::scenario) interval: Option<Field<Duration>>,
    /// How long a check, or healing, may take. Default: 5s.
    pub(in crate::scenario) timeout: Option<Field<Duration>>,
    /// Whether a service that says it is unhealthy is healed. Default: false.
    pub(in crate::scenario) auto_heal: Option<bool>,
    /// So many checks in a row that fail make a component unhealthy. Default: 1.
    pub(in crate::scenario) unhealthy_after: Option<Field<Whole>>,
    /// The services, the router and the callers that are checked. Default: all.
    pub(in crate::scenario) watch: Option<At<Vec<At<String>>>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Asker"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawAsker {
    /// The group's name.
    pub(in crate::scenario) name: At<String>,
    /// Askers in the group; they ask at the same instants. Default: 1.
    pub(in crate::scenario) count: Option<Field<Whole>>,
    /// From one question to the next. Default: 10s.
    pub(in crate::scenario) every: Option<Field<Duration>>,
    /// How often each asks. Default: 1.
    pub(in crate::scenario) requests: Option<Field<Whole>>,
    /// How long each waits for an answer. Default: 5s.
    pub(in crate::scenario) timeout: Option<Field<Duration>>,
}
