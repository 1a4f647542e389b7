//! A sim exactly as it is written: one type for each table, from which the JSON Schema is made.
//!
//! The comments on the fields are what an editor shows a user. Nothing here judges a value; `build`
//! does, and turns these into the model.

mod backend;
mod breaker;
mod chaos;
mod events;
mod flow;
mod resilience;
mod router;
mod service;
mod sidecar;
mod stack;

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

pub(super) use backend::{RawBackend, RawBackendFault, RawErrors, RawRetryAfter};
pub(super) use breaker::{RawBreaker, RawWindow};
pub(super) use chaos::{RawChaos, RawFaultPoint, RawHealing, RawPoints};
pub(super) use events::{
    RawChecks, RawClock, RawEventMatch, RawExpect, RawFault, RawFieldMatch, RawPartition, RawWithin,
};
pub(super) use flow::{RawApprovals, RawDashboard, RawReviewer, RawRunner, RawStore};
pub(super) use resilience::{RawChange, RawConfigFile, RawConfigMonitor, RawResilience};
pub(super) use router::{
    RawBulkhead, RawHealth, RawHedge, RawQuota, RawRetry, RawRetryBudget, RawRouter, RawWorkspace,
};
pub(super) use service::{
    RawAsker, RawCallErrors, RawCaller, RawMonitor, RawService, RawServiceFault, RawServiceKind,
};
pub(super) use sidecar::{
    RawAllowance, RawClient, RawDelivery, RawNaming, RawProject, RawRates, RawSidecar,
    RawSidecarFault, RawSize, RawStep, RawSubscriber, RawTold, RawWanted,
};
pub(super) use stack::{RawAgent, RawLoad};

use super::field::{At, Field, ScalarOr};
use super::model::{Leak, Must};
use super::values::{Seed, TokenCount, Whole};
use crate::world::Probability;

/// A seedbed sim: a stack, a load, faults, and what must come of it.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(title = "seedbed sim"))]
#[cfg_attr(feature = "cli", schemars(extend("anyOf" = [
    { "required": ["agent"] }, { "required": ["service"] }, { "required": ["sidecar", "client"] },
    { "required": ["sidecar", "subscriber"] }, { "required": ["runner"] }
])))]
#[cfg_attr(feature = "cli", schemars(rename = "Sim"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawSim {
    /// Why the sim exists and what should happen, in a sentence.
    #[cfg_attr(feature = "cli", schemars(required))]
    pub(super) purpose: Option<At<String>>,
    /// The requirement rows that it proves.
    #[serde(default)]
    pub(super) covers: Vec<At<String>>,
    /// The seeds of its snapshots. Default: [1].
    pub(super) seeds: Option<At<Vec<Field<Seed>>>>,
    /// The UTC instant at which virtual time starts. Default: 2026-01-01T00:00:00Z.
    pub(super) start: Option<Field<Timestamp>>,
    /// How simultaneous events are ordered. Default: fifo.
    pub(super) schedule: Option<At<RawSchedule>>,
    /// What a run has to come to; anything but pass is a canary. Default: pass.
    pub(super) must: Option<Must>,
    /// With must = "fail": the names of all checks and expectations that must fail; no other may.
    #[serde(default)]
    pub(super) fails_by: Vec<At<String>>,
    /// A planted source of nondeterminism; needs must = "diverge".
    pub(super) leak: Option<At<Leak>>,
    /// When a run is ended.
    pub(super) limits: Option<RawLimits>,
    /// The links between all nodes.
    pub(super) network: Option<RawLinkProperties>,
    /// Links that differ from [network].
    #[serde(default)]
    pub(super) link: Vec<RawLink>,
    /// The orchestration sidecar; without the table there is none.
    pub(super) sidecar: Option<RawSidecar>,
    /// Projects that the sidecar knows; others that are named are tiny.
    #[serde(default)]
    pub(super) project: Vec<RawProject>,
    /// Groups of subscribers: they wait for events and do nothing else.
    #[serde(default)]
    pub(super) subscriber: Vec<RawSubscriber>,
    /// Groups of clients of the sidecar: they send what they are told to.
    #[serde(default)]
    pub(super) client: Vec<RawClient>,
    /// The model router.
    pub(super) router: Option<RawRouter>,
    /// The stack's configuration; without the table there is none.
    pub(super) resilience: Option<At<RawResilience>>,
    /// Changes of the configuration while the sim runs.
    #[serde(default)]
    pub(super) change: Vec<At<RawChange>>,
    /// Workspaces.
    #[serde(default)]
    pub(super) workspace: Vec<RawWorkspace>,
    /// Model backends, at least one if there is a router.
    #[cfg_attr(feature = "cli", schemars(length(min = 1)))]
    pub(super) backend: Option<Vec<RawBackend>>,
    /// Groups of agents, at least one if nothing else acts.
    #[cfg_attr(feature = "cli", schemars(length(min = 1)))]
    pub(super) agent: Option<Vec<RawAgent>>,
    /// Services that others call.
    #[serde(default)]
    pub(super) service: Vec<RawService>,
    /// Groups of callers of services.
    #[serde(default)]
    pub(super) caller: Vec<RawCaller>,
    /// Groups of askers of the router.
    #[serde(default)]
    pub(super) asker: Vec<RawAsker>,
    /// The health monitor, which checks and heals; without the table there is none.
    pub(super) monitor: Option<RawMonitor>,
    /// Groups of runners: each does tasks, and tells how far it is.
    #[serde(default)]
    pub(super) runner: Vec<RawRunner>,
    /// The queue of approvals; without the table there is none.
    pub(super) approvals: Option<At<RawApprovals>>,
    /// Groups of reviewers: they decide what is in the queue.
    #[serde(default)]
    pub(super) reviewer: Vec<RawReviewer>,
    /// The dashboard, which shows what runners do; without the table there is none.
    pub(super) dashboard: Option<At<RawDashboard>>,
    /// Where requests come from, if not from each agent's own loop.
    pub(super) load: Option<At<RawLoad>>,
    /// What breaks.
    #[serde(default)]
    pub(super) fault: Vec<At<RawFault>>,
    /// What breaks besides, drawn from the seed.
    pub(super) chaos: Option<At<RawChaos>>,
    /// When everything must work again, in a sim without [chaos].
    pub(super) healing: Option<At<RawHealing>>,
    /// What must hold at the end.
    #[serde(default)]
    pub(super) expect: Vec<At<RawExpect>>,
    /// What at least one of several runs must reach; a run alone may miss it.
    #[serde(default)]
    pub(super) sometimes: Vec<At<RawExpect>>,
    /// The built-in checks.
    pub(super) checks: Option<RawChecks>,
    /// How traces are made; with the table, spans are checked.
    pub(super) tracing: Option<RawTracing>,
}

/// How traces are made.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Tracing"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawTracing {
    /// The share of traces whose spans are kept. Default: 100%.
    pub(super) sample: Option<Field<Probability>>,
    /// The share of the agents' calls of the router whose traceparent is broken. Default: 0%.
    pub(super) broken: Option<Field<Probability>>,
}

/// How simultaneous events are ordered.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Schedule"))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum RawSchedule {
    /// In the order in which they were scheduled.
    Fifo,
    /// A permutation drawn from the seed.
    Random,
    /// Probabilistic concurrency testing.
    Pct {
        /// How many ordering constraints a bug may need, from 1 to 100.
        depth: u32,
    },
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Limits"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawLimits {
    /// Virtual time since the start. Default: 10m.
    pub(super) time: Option<Field<Duration>>,
    /// Events. Default: 5000000.
    pub(super) events: Option<Field<Whole>>,
    /// Events at one instant. Default: 100000.
    pub(super) same_instant: Option<Field<Whole>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "LinkProperties"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawLinkProperties {
    /// How long a message takes. Default: uniform from 1ms to 5ms.
    pub(super) latency: Option<At<RawDelay>>,
    /// How likely a message is lost. Default: 0.
    pub(super) loss: Option<Field<Probability>>,
    /// How likely a message arrives twice. Default: 0.
    pub(super) duplicate: Option<Field<Probability>>,
    /// How likely a message is overtaken by later ones. Default: 0.
    pub(super) reorder: Option<Field<Probability>>,
    /// How likely a message arrives damaged. Default: 0.
    pub(super) corrupt: Option<Field<Probability>>,
    /// Bytes per second. Default: no limit.
    pub(super) bandwidth: Option<Field<Whole>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Link"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawLink {
    /// The nodes that send: a node, a group of agents, or a prefix and a star.
    pub(super) from: At<String>,
    /// The nodes that receive.
    pub(super) to: At<String>,
    /// Whether it is the same in the other direction. Default: true.
    pub(super) both: Option<bool>,
    /// How long a message takes.
    pub(super) latency: Option<At<RawDelay>>,
    /// How likely a message is lost.
    pub(super) loss: Option<Field<Probability>>,
    /// How likely a message arrives twice.
    pub(super) duplicate: Option<Field<Probability>>,
    /// How likely a message is overtaken by later ones.
    pub(super) reorder: Option<Field<Probability>>,
    /// How likely a message arrives damaged.
    pub(super) corrupt: Option<Field<Probability>>,
    /// Bytes per second.
    pub(super) bandwidth: Option<Field<Whole>>,
}

/// A delay: a duration, or a distribution of them.
pub(super) type RawDelay = ScalarOr<Duration, RawDistribution>;

/// A distribution of durations: exactly one of the three.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(extend("minProperties" = 1, "maxProperties" = 1)))]
#[cfg_attr(feature = "cli", schemars(rename = "Distribution"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawDistribution {
    /// From the shortest to the longest, equally likely.
    #[cfg_attr(feature = "cli", schemars(length(equal = 2)))]
    pub(super) uniform: Option<At<Vec<Field<Duration>>>>,
    /// Log-normal, given by two of its percentiles.
    pub(super) lognormal: Option<RawLogNormal>,
    /// One of these measured values.
    #[cfg_attr(feature = "cli", schemars(length(min = 1, max = 10_000)))]
    pub(super) empirical: Option<At<Vec<Field<Duration>>>>,
}

/// A log-normal distribution.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "LogNormal"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawLogNormal {
    /// The median.
    pub(super) p50: Field<Duration>,
    /// The 99th percentile.
    pub(super) p99: Field<Duration>,
}

/// A number of tokens, or a distribution of them.
pub(super) type RawTokens = ScalarOr<TokenCount, RawTokenRange>;

/// A distribution of tokens.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "TokenRange"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawTokenRange {
    /// From the fewest to the most, equally likely.
    #[cfg_attr(feature = "cli", schemars(length(equal = 2)))]
    pub(super) uniform: At<Vec<Field<TokenCount>>>,
}
