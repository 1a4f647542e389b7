//! What the sidecar answers. Examples from real deployments parse as these.

use std::{collections::BTreeMap, rc::Rc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    AgentId, AgentType, Cursor, EventId, EventType, IssueId, ProjectId, RequestId, ResultId,
    ResultStatus, Topic,
};

/// `GET /health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `healthy`, `degraded` or `unhealthy`.
    pub status: String,
    /// `orchestration-sidecar`.
    pub service: String,
    /// Of what is deployed.
    pub version: String,
    /// Whole seconds since it started.
    pub uptime_seconds: u64,
    /// What was looked at.
    pub checks: HealthChecks,
}

/// What a sidecar looks at in itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthChecks {
    /// `healthy` or what is wrong.
    pub storage: String,
    /// `healthy` or what is wrong.
    pub event_bus: String,
    /// Memory in use, in MB.
    pub memory_usage_mb: u64,
    /// Processor in use, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_usage_percent: Option<u32>,
    /// Agents that were started and have not ended.
    pub active_agents: u64,
    /// Events that are kept.
    pub event_queue_size: u64,
    /// Free space, in MB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_space_available_mb: Option<u64>,
}

/// `GET /status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusReply {
    /// Agents.
    pub agents: AgentsStatus,
    /// What is kept.
    pub storage: StorageStatus,
    /// Events.
    pub events: EventsStatus,
    /// How fast it is.
    pub performance: PerformanceStatus,
}

/// Agents, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentsStatus {
    /// At work.
    pub active: u64,
    /// With a result that is no failure.
    pub completed: u64,
    /// With a failure.
    pub failed: u64,
    /// By type.
    pub by_type: BTreeMap<String, u64>,
}

/// What is kept, counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StorageStatus {
    /// Cached contexts.
    pub context_cache_entries: u64,
    /// Results.
    pub results_stored: u64,
    /// Their size.
    pub total_size_mb: f64,
}

/// Events, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventsStatus {
    /// Ever.
    pub total_published: u64,
    /// Now.
    pub active_subscriptions: u64,
    /// Kept.
    pub queue_depth: u64,
}

/// How fast a sidecar is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PerformanceStatus {
    /// Mean.
    pub avg_response_time_ms: f64,
    /// 99th percentile.
    pub p99_response_time_ms: f64,
    /// Requests a second.
    pub requests_per_second: f64,
}

/// An agent that should be next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NextAgent {
    /// With a reason.
    Suggested {
        /// Which type.
        agent_type: AgentType,
        /// `high`, `medium` or `low`.
        priority: String,
        /// Why.
        reason: String,
    },
    /// By its type alone, as older deployments say it.
    Named(AgentType),
}

/// `POST /api/results`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Its id from now on.
    pub id: ResultId,
    /// It is on disk.
    pub stored: bool,
    /// Where.
    pub storage_path: String,
    /// Who should be next.
    pub next_agents: Vec<NextAgent>,
    /// Whether the others were told.
    pub event_published: bool,
    /// The event that tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
}

/// `GET /api/results/:id`, and each of `GET /api/results`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultView {
    /// Its id.
    pub id: ResultId,
    /// Whose.
    pub agent_id: AgentId,
    /// Of which type.
    pub agent_type: AgentType,
    /// About what.
    pub issue_id: IssueId,
    /// In which project.
    pub project_id: ProjectId,
    /// When, by the agent's clock.
    pub timestamp: Timestamp,
    /// What came out, as it was handed in.
    pub result: Map<String, Value>,
    /// When it was accepted, by the sidecar's clock.
    pub stored_at: Timestamp,
    /// Where it is.
    pub storage_path: String,
}

/// `GET /api/results`: newest first, and those of one instant by their ids.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResultsPage {
    /// The results, in their order.
    pub results: Vec<Rc<ResultView>>,
    /// Whether there are more.
    pub more_available: bool,
    /// Where to go on, if there are.
    #[serde(default)]
    pub next_cursor: Option<Cursor>,
}

/// `DELETE /api/results/:id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultDeleted {
    /// Which.
    pub id: ResultId,
    /// It is gone from the disk.
    pub deleted: bool,
}

/// `POST /api/events/:type`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Its id from now on.
    pub event_id: EventId,
    /// It is kept.
    pub published: bool,
    /// Who was waiting for it.
    #[serde(default)]
    pub subscribers_notified: Vec<String>,
    /// How many they are.
    #[serde(default)]
    pub subscriber_count: u64,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Topic>,
    /// For how long it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u32>,
    /// When, by the sidecar's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
}

/// An event as a subscriber gets it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventView {
    /// Its id; older deployments call it `event_id`.
    #[serde(alias = "event_id")]
    pub id: EventId,
    /// What kind.
    pub event_type: EventType,
    /// By whom.
    pub publisher: AgentId,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Topic>,
    /// What it says.
    pub data: Value,
    /// What it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<RequestId>,
    /// In which project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// When, by the sidecar's clock.
    pub timestamp: Timestamp,
    /// For how long it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u32>,
}

/// `GET /api/events/wait/:type`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EventsPage {
    /// What came, oldest first; nothing if the time was over.
    pub events: Vec<Rc<EventView>>,
    /// Whether there are more already.
    pub more_available: bool,
    /// Where to go on.
    #[serde(default)]
    pub next_cursor: Option<Cursor>,
    /// That the time was over; only then is it on the wire.
    #[serde(default, skip_serializing_if = "is_false")]
    pub timeout: bool,
    /// How many events were dropped from a full buffer, since the subscription began, before this
    /// reader had them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost: u64,
    /// That `since` is of an earlier life of the event bus, of which nothing is left.
    #[serde(default, skip_serializing_if = "is_false")]
    pub restarted: bool,
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// `POST /api/agents/spawn`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spawned {
    /// The new agent.
    pub agent_id: AgentId,
    /// It was started.
    pub spawned: bool,
    /// Its process, if it has one.
    pub process_id: Option<u32>,
    /// Whether it has its context.
    pub context_injected: bool,
    /// Its token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt_token: Option<String>,
    /// Where its state can be read.
    pub webhook_url: String,
}

/// `GET /api/agents/:agent_id/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentState {
    /// Which.
    pub agent_id: AgentId,
    /// Its type.
    pub agent_type: AgentType,
    /// For what it was started.
    pub issue_id: IssueId,
    /// `ready`, or how its work ended.
    pub status: String,
    /// When it was started.
    pub spawned_at: Timestamp,
    /// Whether it has its context.
    pub context_available: bool,
    /// Of its result, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultStatus>,
    /// When it was last heard of.
    pub last_activity: Option<Timestamp>,
}

/// `DELETE /api/cache/context/:issue_id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheCleared {
    /// It is done, also if there was nothing.
    pub cleared: bool,
    /// How many contexts were thrown away.
    pub entries_removed: u64,
}
