//! A sim as the rest of the crate sees it: typed, checked, every default filled in.
//!
//! These are plain values. They never hold what a run draws from its seed, and nothing in them
//! depends on the machine, the path or the moment at which the file was read.

mod chaos;
mod expect;
mod fault;
mod load;
mod network;
mod service;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

pub use crate::policy::{Jitter, Retry};
pub use crate::stack::Leak;
pub use crate::stack::settings::flow::{Approvals, Dashboard, ReviewerGroup, RunnerGroup, Store};
pub use crate::stack::settings::service::{
    AskerGroup, BreakerPer, CallErrors, CallerGroup, CheckMode, Heal, HealWorks, Monitor, Pace,
    Pool, Service, ServiceKind,
};
pub use crate::stack::settings::{
    Acts, AgentGroup, Asked, Backend, Badge, ClientGroup, ErrorMix, Operator, Project, Provider,
    RetryAfter, Router, Sidecar, Step, Streaming, SubscriberGroup, Task, TokenKind, Tokens, Told,
    Tracing, Wanted, Workspace,
};
pub use chaos::{Chaos, ChaosKind, Healing, Points};
pub use expect::{
    Baseline, Bound, Bounds, CheckOff, Checks, EventMatch, Expectation, FieldValue, Window,
};
pub use fault::{Fault, FaultKind, Partition};
pub use load::{Load, Stage};
pub use network::{Link, Selector};

pub use service::{Connections, ServiceFault};

use super::span::Source;
use crate::world::{Limits, LinkRule, Schedule};

/// One sim: a stack, a load, faults, and what must come of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sim {
    /// The path under `sims/` without extension, as in `ccr/primary_fails`.
    pub name: String,
    /// Why the sim exists and what should happen, in a sentence.
    pub purpose: String,
    /// The requirement rows that it proves.
    pub covers: Vec<String>,
    /// The seeds of its snapshots; never empty, no duplicates.
    pub seeds: Vec<u64>,
    /// The UTC instant at which virtual time starts.
    pub start: Timestamp,
    /// How simultaneous events are ordered.
    pub schedule: Schedule,
    /// What a run has to come to.
    pub must: Must,
    /// The checks and expectations by which it must fail; empty unless `must` is [`Must::Fail`].
    pub fails_by: Vec<String>,
    /// A planted source of nondeterminism; only with [`Must::Diverge`].
    pub leak: Option<Leak>,
    /// When a run is ended.
    pub limits: Limits,
    /// The links between all nodes, unless a rule in `links` says otherwise.
    pub network: LinkRule,
    /// Links that differ; a later one overrides an earlier one.
    pub links: Vec<Link>,
    /// The orchestration sidecar, when there is one and it is enabled.
    pub sidecar: Option<Sidecar>,
    /// The projects that the sidecar knows from the start; no two have the same id.
    pub projects: Vec<Project>,
    /// Groups of subscribers to events of the sidecar.
    pub subscribers: Vec<SubscriberGroup>,
    /// Groups of clients of the sidecar.
    pub clients: Vec<ClientGroup>,
    /// The model router; there is one if there are backends.
    pub router: Router,
    /// Workspaces.
    pub workspaces: Vec<Workspace>,
    /// Model backends.
    pub backends: Vec<Backend>,
    /// Groups of agents.
    pub agents: Vec<AgentGroup>,
    /// Services that others call.
    pub services: Vec<Service>,
    /// Groups of callers of services.
    pub callers: Vec<CallerGroup>,
    /// Groups of askers of the router.
    pub askers: Vec<AskerGroup>,
    /// The health monitor, when there is one.
    pub monitor: Option<Monitor>,
    /// Who changes the configuration of the router, in the order of their first changes.
    pub operators: Vec<Operator>,
    /// Groups of runners of tasks.
    pub runners: Vec<RunnerGroup>,
    /// The queue of approvals, when there is one.
    pub approvals: Option<Approvals>,
    /// Groups of reviewers; there is a queue if there are any.
    pub reviewers: Vec<ReviewerGroup>,
    /// The dashboard, when there is one.
    pub dashboard: Option<Dashboard>,
    /// Where requests come from; `None` is the closed loop of each agent's `requests`.
    pub load: Option<Load>,
    /// What breaks, in the order of the file.
    pub faults: Vec<Fault>,
    /// What breaks besides, drawn from the seed.
    pub chaos: Option<Chaos>,
    /// When everything must work again; `None` if it need not.
    pub healing: Option<Healing>,
    /// What must hold at the end.
    pub expectations: Vec<Expectation>,
    /// What at least one of several runs must reach.
    pub sometimes: Vec<Expectation>,
    /// The built-in checks that do not apply.
    pub checks: Checks,
    /// How traces are made; if it is said, spans are checked.
    pub tracing: Option<Tracing>,
    /// What was read from files beside it, by the names that it has for them.
    pub beside: BTreeMap<String, String>,
    /// The text it was read from.
    pub source: Source,
}

/// What a run has to come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Must {
    /// Every expectation and every check holds.
    #[default]
    Pass,
    /// A canary: it fails by what it names in `fails_by`, by all of that and by nothing else.
    Fail,
    /// A canary: two runs of one seed differ.
    Diverge,
}
