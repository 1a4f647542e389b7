//! What the stack says of itself: its events, in the past tense.
//!
//! A new event needs its name and fields in `scenario`'s vocabulary, so that sims may expect it.

mod config;
mod flow;
mod sidecar;

use std::{fmt, rc::Rc};

use jiff::Timestamp;
use serde::{Serialize, Serializer};

pub use self::{config::ConfigEvent, flow::FlowEvent, sidecar::SidecarEvent};
use super::message::Alternative;

/// One request of one agent: `rust-3/17`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId {
    /// The node of the agent.
    pub agent: Rc<str>,
    /// Counts the requests of the agent, from 1.
    pub number: u32,
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.agent, self.number)
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A digest needs no text, and there is one of each event.
        match serializer.is_human_readable() {
            true => serializer.collect_str(self),
            false => (&self.agent, self.number).serialize(serializer),
        }
    }
}

/// An instant of the wall clock: `2026-01-01T00:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Utc(pub Timestamp);

impl Serialize for Utc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(&self.0),
            false => self.0.as_nanosecond().serialize(serializer),
        }
    }
}

/// How a request ended for its agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestOutcome {
    /// A model answered.
    Ok,
    /// The router answered that no model would, or the connection to it broke.
    Failed,
    /// Nothing came back before the deadline of the agent or of the router.
    TimedOut,
    /// Nobody took the request: the router was down, or a required sidecar was away.
    Refused,
}

/// An event of the stack. Each is emitted on the node it happens on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the fields are named in full, and shared by the variants")]
pub enum Event {
    /// An agent has something to ask.
    RequestStarted { request: RequestId, agent: Rc<str>, task: &'static str, workspace: Rc<str> },
    /// The sidecar gave an agent its context.
    ContextReceived { request: RequestId },
    /// The sidecar did not.
    ContextMissing { request: RequestId, cause: &'static str },
    /// The router called a model. `hedge` says that another call of the request is under way.
    AttemptStarted { request: RequestId, model: Rc<str>, attempt: u32, hedge: bool },
    /// The router passed a model over without calling it.
    AttemptSkipped { request: RequestId, model: Rc<str>, reason: &'static str },
    /// The call brought no answer, or none that is one. `status` is the HTTP status, if any;
    /// `class` is what the router made of it;
    /// `budget_ms` is the time that it had, if that was too little, and `retry_after_ms` what the
    /// provider asked for.
    AttemptFailed {
        request: RequestId,
        model: Rc<str>,
        attempt: u32,
        cause: &'static str,
        class: &'static str,
        status: Option<u16>,
        budget_ms: Option<u64>,
        retry_after_ms: Option<u64>,
    },
    /// The router will try a model again.
    RetryScheduled { request: RequestId, model: Rc<str>, delay_ms: u64, cause: &'static str },
    /// The router will not, though the model had attempts left. `reason` is `max_delay`, `deadline`,
    /// `retry_after` or `budget`.
    RetryRefused { request: RequestId, model: Rc<str>, reason: &'static str },
    /// A model answered, and the router passed it on. The tokens are for observers in the process; no
    /// log and no fingerprint has them.
    RequestRouted {
        request: RequestId,
        model: Rc<str>,
        provider: &'static str,
        attempts: u32,
        fallback_used: bool,
        reason: &'static str,
        latency_ms: u64,
        alternatives: Alternatives,
        #[serde(skip)]
        input_tokens: u32,
        #[serde(skip)]
        output_tokens: u32,
    },
    /// The router gave up. `retry_after_ms` is when it says that one may ask again, if it does.
    RequestFailed {
        request: RequestId,
        code: &'static str,
        attempts: u32,
        fallback_attempts: usize,
        causes: Alternatives,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
    /// An agent got a shorter answer than the model had to give.
    AnswerTruncated { request: RequestId, model: Rc<str>, tokens: u32, whole: u32 },
    /// An agent got the first token of a stream.
    FirstToken { request: RequestId, model: Rc<str>, latency_ms: u64 },
    /// An agent got tokens of another model, or of another answer of the same, in the middle of one.
    StreamMixed { request: RequestId, from: Rc<str>, to: Rc<str> },
    /// It is over for the agent. `error` is what the router said, `baggage_kept` whether what the
    /// agent sent along came back as it was.
    RequestEnded {
        request: RequestId,
        outcome: RequestOutcome,
        latency_ms: u64,
        error: Option<&'static str>,
        baggage_kept: Option<bool>,
    },
    /// A breaker went from one state to another. `component` is what it guards.
    BreakerChanged { component: Rc<str>, from: &'static str, to: &'static str },
    /// A workspace has used up what it may use today, of `tokens` or of `requests`; no model was
    /// called.
    QuotaExceeded {
        request: RequestId,
        workspace: Rc<str>,
        what: &'static str,
        limit: u64,
        used: u64,
        remaining: u64,
        reset_at: Utc,
    },
    /// What a request really used was charged, and how the quota stands then.
    QuotaSettled {
        request: RequestId,
        workspace: Rc<str>,
        model: Rc<str>,
        provider: &'static str,
        tokens: u64,
        limit: u64,
        used: u64,
        remaining: u64,
        reset_at: Utc,
    },
    /// A workspace passed a threshold: `warning` or `critical`.
    QuotaLevel { workspace: Rc<str>, level: &'static str, used: u64, limit: u64 },
    /// A new day began for a workspace.
    QuotaReset { workspace: Rc<str>, used: u64 },
    /// What an actor knew before it crashed was read from its disk.
    StateRestored { component: Rc<str>, entries: usize },
    /// A health check ended. Of the monitor's, `status` is what the check said, or `error` or
    /// `timed_out` if it said nothing.
    HealthChecked { component: Rc<str>, status: &'static str, duration_ms: u64 },
    /// A component went from one status to another.
    HealthChanged { component: Rc<str>, from: &'static str, to: &'static str },
    /// Somebody asked how a component is, and was told.
    HealthReported { component: Rc<str>, status: &'static str, latency_ms: u64, parts: String },
    /// A component is being healed.
    HealStarted { component: Rc<str> },
    /// Healing ended: `healed`, `failed` or `error`.
    HealEnded { component: Rc<str>, result: &'static str },
    /// A caller's call of a service is over: `ok`, `failed`, `timed_out`, `refused`,
    /// `pool_exhausted`, `circuit_open`.
    ServiceCalled { service: Rc<str>, operation: Rc<str>, outcome: &'static str, latency_ms: u64 },
    /// A service lost connections of its pool.
    ConnectionsLost { service: Rc<str>, count: usize },
    /// A service has its connections again.
    ConnectionsRestored { service: Rc<str>, count: usize },
    /// The `traceparent` of a call could not be read, so a new trace begins.
    TraceRestarted { cause: &'static str },
}

/// The models that did not answer, each with why: `opus=circuit_open, gemini=not_needed`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alternatives(pub Rc<[Alternative]>);

impl fmt::Display for Alternatives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Alternative { model, why, .. }) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{model}={why}")?;
        }
        Ok(())
    }
}

impl Serialize for Alternatives {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(self),
            false => serializer.collect_seq(self.0.iter().map(|it| (&it.model, it.why))),
        }
    }
}

impl Event {
    /// The name in logs, filters and expectations.
    pub const fn name(&self) -> &'static str {
        match self {
            Event::RequestStarted { .. } => "request_started",
            Event::ContextReceived { .. } => "context_received",
            Event::ContextMissing { .. } => "context_missing",
            Event::AttemptStarted { .. } => "attempt_started",
            Event::AttemptSkipped { .. } => "attempt_skipped",
            Event::AttemptFailed { .. } => "attempt_failed",
            Event::RetryScheduled { .. } => "retry_scheduled",
            Event::RetryRefused { .. } => "retry_refused",
            Event::RequestRouted { .. } => "request_routed",
            Event::RequestFailed { .. } => "request_failed",
            Event::AnswerTruncated { .. } => "answer_truncated",
            Event::FirstToken { .. } => "first_token",
            Event::StreamMixed { .. } => "stream_mixed",
            Event::RequestEnded { .. } => "request_ended",
            Event::BreakerChanged { .. } => "breaker_changed",
            Event::QuotaExceeded { .. } => "quota_exceeded",
            Event::QuotaSettled { .. } => "quota_settled",
            Event::QuotaLevel { .. } => "quota_level",
            Event::QuotaReset { .. } => "quota_reset",
            Event::StateRestored { .. } => "state_restored",
            Event::HealthChecked { .. } => "health_checked",
            Event::HealthChanged { .. } => "health_changed",
            Event::HealthReported { .. } => "health_reported",
            Event::HealStarted { .. } => "heal_started",
            Event::HealEnded { .. } => "heal_ended",
            Event::ServiceCalled { .. } => "service_called",
            Event::ConnectionsLost { .. } => "connections_lost",
            Event::ConnectionsRestored { .. } => "connections_restored",
            Event::TraceRestarted { .. } => "trace_restarted",
        }
    }
}
