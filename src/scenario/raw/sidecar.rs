//! The tables of the sidecar, its projects and those who use it, as written.
//!
//! Nothing here judges a value.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::RawDelay;
use crate::scenario::field::{At, Field, ScalarOr};
use crate::scenario::model::TokenKind;
use crate::scenario::values::{ByteSize, Switch, Whole};
use crate::stack::sidecar::wire::{
    AgentId, AgentType, EventType, Filter, IssueId, ProjectId, Topic,
};

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Sidecar"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawSidecar {
    /// Whether there is a sidecar at all. Default: true.
    pub(in crate::scenario) enabled: Option<bool>,
    /// How long it takes to assemble a context. Default: uniform from 5ms to 20ms.
    pub(in crate::scenario) context: Option<At<RawDelay>>,
    /// How long it takes to find a context in the cache. Default: uniform from 1ms to 3ms.
    pub(in crate::scenario) cached: Option<At<RawDelay>>,
    /// How long it takes to store or read a result. Default: uniform from 1ms to 5ms.
    pub(in crate::scenario) store: Option<At<RawDelay>>,
    /// How long it takes to take an event. Default: uniform from 1ms to 5ms.
    pub(in crate::scenario) publish: Option<At<RawDelay>>,
    /// How long those who use it wait for an answer. Default: 2s.
    pub(in crate::scenario) timeout: Option<Field<Duration>>,
    /// Whether a request fails without it; otherwise agents go on alone. Default: false.
    pub(in crate::scenario) required: Option<bool>,
    /// Where results are put. Default: by_id.
    pub(in crate::scenario) naming: Option<RawNaming>,
    /// For how long a context is kept. Default: 60s.
    pub(in crate::scenario) cache_ttl: Option<Field<Duration>>,
    /// How many bytes of contexts are kept. Default: 1GiB.
    pub(in crate::scenario) cache_bytes: Option<Field<ByteSize>>,
    /// How many bytes a context may have. Default: 10MiB.
    pub(in crate::scenario) context_bytes: Option<Field<ByteSize>>,
    /// How many files a context may have. Default: 50.
    pub(in crate::scenario) files: Option<Field<Whole>>,
    /// How many events are kept at most. Default: 10000.
    pub(in crate::scenario) buffer: Option<Field<Whole>>,
    /// For how long an event is kept at most. Default: 24h.
    pub(in crate::scenario) retention: Option<Field<Duration>>,
    /// After how long what is not acknowledged is delivered again. Default: 30s.
    pub(in crate::scenario) redeliver_after: Option<Field<Duration>>,
    /// How many events are delivered at once at most. Default: 100.
    pub(in crate::scenario) batch: Option<Field<Whole>>,
    /// What subscribers are promised. Default: at_least_once.
    pub(in crate::scenario) delivery: Option<RawDelivery>,
    /// Rate limits: true for the contract's, false for none, or some of one's own. Default: true.
    pub(in crate::scenario) rate_limits: Option<At<ScalarOr<Switch, RawRates>>>,
    /// How far the clock of whoever issues a token may be off. Default: 1m.
    pub(in crate::scenario) leeway: Option<Field<Duration>>,
    /// How many bytes the body of a request may have. Default: 2MiB.
    pub(in crate::scenario) body: Option<Field<ByteSize>>,
    /// Requests in hand at once. Default: 1024.
    pub(in crate::scenario) connections: Option<Field<Whole>>,
    /// Bytes of requests in hand, cached contexts and kept events together. Default: 2GiB.
    pub(in crate::scenario) memory: Option<Field<ByteSize>>,
    /// Agents that it has started and that are not done. Default: 119.
    pub(in crate::scenario) agents_max: Option<Field<Whole>>,
}

/// Where results are put.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Naming"))]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum RawNaming {
    /// Each in a file of its own.
    ById,
    /// One file for each type of agent and issue: a second result overwrites the first.
    PerAgentType,
}

/// What subscribers are promised.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Delivery"))]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum RawDelivery {
    /// Every event, again and again until it is acknowledged.
    AtLeastOnce,
    /// No event twice.
    AtMostOnce,
}

/// Rate limits by what an agent is for; who is not here keeps the contract's.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "RateLimits"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawRates {
    /// Of the chief architect. Default: none.
    pub(in crate::scenario) architect: Option<RawAllowance>,
    /// Of those who write code. Default: 60 a minute, 10 at once.
    pub(in crate::scenario) coding: Option<RawAllowance>,
    /// Of those who test and review. Default: 60 a minute, 10 at once.
    pub(in crate::scenario) qa: Option<RawAllowance>,
    /// Of those who audit. Default: 60 a minute, 10 at once.
    pub(in crate::scenario) security: Option<RawAllowance>,
    /// Of those who document. Default: 30 a minute, 5 at once.
    pub(in crate::scenario) documentation: Option<RawAllowance>,
    /// Of those who help the others. Default: 30 a minute, 5 at once.
    pub(in crate::scenario) support: Option<RawAllowance>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Allowance"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawAllowance {
    /// Requests a minute, in the long run.
    pub(in crate::scenario) per_minute: Field<Whole>,
    /// Requests at once.
    pub(in crate::scenario) burst: Field<Whole>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Project"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawProject {
    /// Its id.
    pub(in crate::scenario) name: Field<ProjectId>,
    /// How large it is. Default: tiny.
    pub(in crate::scenario) size: Option<RawSize>,
}

/// How large a project is.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "ProjectSize"))]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum RawSize {
    /// A script: 12 files.
    Tiny,
    /// A library: 200 files.
    Small,
    /// A service: 5000 files.
    Large,
    /// A monorepo: 100000 files.
    Huge,
}

/// Which events somebody waits for.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Wanted"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawWanted {
    /// The kind of event.
    pub(in crate::scenario) event: Field<EventType>,
    /// What its data must be, as in "status:done,stage:2". Default: anything.
    pub(in crate::scenario) filter: Option<Field<Filter>>,
}

/// What is published.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Told"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawTold {
    /// The kind of event.
    pub(in crate::scenario) event: Field<EventType>,
    /// What it is about. Default: coordination.
    pub(in crate::scenario) topic: Option<Field<Topic>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Subscriber"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawSubscriber {
    /// The group's name.
    pub(in crate::scenario) name: At<String>,
    /// Subscribers in the group. Default: 1.
    pub(in crate::scenario) count: Option<Field<Whole>>,
    /// Which type of agent they are. Default: rust-specialist.
    pub(in crate::scenario) r#type: Option<Field<AgentType>>,
    /// The project in which they act. Default: default.
    pub(in crate::scenario) project: Option<Field<ProjectId>>,
    /// The kind of events that they wait for.
    pub(in crate::scenario) event: Field<EventType>,
    /// What the data of such an event must be, as in "status:done". Default: anything.
    pub(in crate::scenario) filter: Option<Field<Filter>>,
    /// When they begin. Default: 0s.
    pub(in crate::scenario) start: Option<Field<Duration>>,
    /// For how long they listen. Default: 30s.
    pub(in crate::scenario) r#for: Option<Field<Duration>>,
    /// How long each takes over an event. Default: 0s.
    pub(in crate::scenario) lag: Option<At<RawDelay>>,
    /// How long the sidecar may let them wait in one request, at most 5m. Default: 30s.
    pub(in crate::scenario) wait: Option<Field<Duration>>,
    /// How many events they take at once, at most 1000. Default: 100.
    pub(in crate::scenario) batch: Option<Field<Whole>>,
}

/// Clients that send what they are told to: exactly one of steps and hostile.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(extend("oneOf" = [
    { "required": ["steps"] }, { "required": ["hostile"] }
])))]
#[cfg_attr(feature = "cli", schemars(rename = "Client"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawClient {
    /// The group's name.
    pub(in crate::scenario) name: At<String>,
    /// Clients in the group. Default: 1.
    pub(in crate::scenario) count: Option<Field<Whole>>,
    /// Which type of agent they are. Default: rust-specialist.
    pub(in crate::scenario) r#type: Option<Field<AgentType>>,
    /// The project in which they act. Default: default.
    pub(in crate::scenario) project: Option<Field<ProjectId>>,
    /// What they work on. Default: issue-1.
    pub(in crate::scenario) issue: Option<Field<IssueId>>,
    /// When they begin. Default: 0s.
    pub(in crate::scenario) start: Option<Field<Duration>>,
    /// From one round to the next. Default: each follows the last answer of the one before.
    pub(in crate::scenario) every: Option<Field<Duration>>,
    /// How many rounds. Default: 1.
    pub(in crate::scenario) rounds: Option<Field<Whole>>,
    /// What they ask for in a round, one after the answer of the other.
    #[cfg_attr(feature = "cli", schemars(length(min = 1, max = 1000)))]
    pub(in crate::scenario) steps: Option<At<Vec<At<RawStep>>>>,
    /// One hostile request a round, drawn from the seed.
    pub(in crate::scenario) hostile: Option<At<bool>>,
}

/// One request of a client: exactly one of get, post, delete, store, read, delete_result, publish.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(extend("oneOf" = [
    { "required": ["get"] }, { "required": ["post"] }, { "required": ["delete"] },
    { "required": ["store"] }, { "required": ["read"] }, { "required": ["delete_result"] },
    { "required": ["publish"] }
])))]
#[cfg_attr(feature = "cli", schemars(rename = "Step"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawStep {
    /// A path to read. In texts {n} is the round, {client} the client, {result} the last result it
    /// stored, {cursor} where the last list ended.
    pub(in crate::scenario) get: Option<At<String>>,
    /// A path to send a body to.
    pub(in crate::scenario) post: Option<At<String>>,
    /// A path to delete.
    pub(in crate::scenario) delete: Option<At<String>>,
    /// The body of a post, as text.
    pub(in crate::scenario) body: Option<At<String>>,
    /// The body of a post, as JSON.
    pub(in crate::scenario) json: Option<At<serde_json::Value>>,
    /// More headers of get, post or delete.
    pub(in crate::scenario) headers: Option<At<BTreeMap<String, String>>>,
    /// So many blanks in front of the body of a post.
    pub(in crate::scenario) padding: Option<Field<ByteSize>>,
    /// A result is handed in; the same key is the same request again.
    pub(in crate::scenario) store: Option<At<String>>,
    /// The issue of a result. Default: the client's.
    pub(in crate::scenario) issue: Option<Field<IssueId>>,
    /// The last result that it stored is read.
    pub(in crate::scenario) read: Option<At<RawWhich>>,
    /// The last result that it stored is deleted.
    pub(in crate::scenario) delete_result: Option<At<RawWhich>>,
    /// An event of this kind is published.
    pub(in crate::scenario) publish: Option<Field<EventType>>,
    /// What the event is about. Default: coordination.
    pub(in crate::scenario) topic: Option<Field<Topic>>,
    /// With which token. Default: valid.
    pub(in crate::scenario) token: Option<TokenKind>,
    /// In the name of this project. Default: the client's own.
    pub(in crate::scenario) as_project: Option<Field<ProjectId>>,
    /// In the name of this agent. Default: the client's own.
    pub(in crate::scenario) as_agent: Option<Field<AgentId>>,
}

/// Which of the results that a client stored.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Which"))]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum RawWhich {
    /// The last.
    Last,
}

/// What the sidecar has less of while a fault lasts; at least one of the two.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(extend("minProperties" = 1)))]
#[cfg_attr(feature = "cli", schemars(rename = "SidecarFault"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawSidecarFault {
    /// Its memory.
    pub(in crate::scenario) memory: Option<Field<ByteSize>>,
    /// Its connections.
    pub(in crate::scenario) connections: Option<Field<Whole>>,
}
