//! What the stack says of itself: its events, in the past tense.
//!
//! A new event needs its name and fields in `scenario`'s vocabulary, so that sims may expect it.

use std::{fmt, rc::Rc};

use serde::{Serialize, Serializer};

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
        serializer.collect_str(self)
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
    /// The router called a model.
    AttemptStarted { request: RequestId, model: Rc<str>, attempt: u32 },
    /// The call brought no answer, or none that is one. `status` is the HTTP status, if any.
    AttemptFailed {
        request: RequestId,
        model: Rc<str>,
        attempt: u32,
        cause: &'static str,
        status: Option<u16>,
    },
    /// The router will try a model again.
    RetryScheduled { request: RequestId, model: Rc<str>, delay_ms: u64 },
    /// A model answered, and the router passed it on.
    RequestRouted {
        request: RequestId,
        model: Rc<str>,
        attempts: u32,
        fallback_used: bool,
        reason: &'static str,
    },
    /// The router gave up.
    RequestFailed { request: RequestId, code: &'static str, attempts: u32 },
    /// It is over for the agent.
    RequestEnded { request: RequestId, outcome: RequestOutcome, latency_ms: u64 },
    /// The sidecar has the agent's result on disk.
    ResultStored { request: RequestId },
}

impl Event {
    /// The name in logs, filters and expectations.
    pub const fn name(&self) -> &'static str {
        match self {
            Event::RequestStarted { .. } => "request_started",
            Event::ContextReceived { .. } => "context_received",
            Event::ContextMissing { .. } => "context_missing",
            Event::AttemptStarted { .. } => "attempt_started",
            Event::AttemptFailed { .. } => "attempt_failed",
            Event::RetryScheduled { .. } => "retry_scheduled",
            Event::RequestRouted { .. } => "request_routed",
            Event::RequestFailed { .. } => "request_failed",
            Event::RequestEnded { .. } => "request_ended",
            Event::ResultStored { .. } => "result_stored",
        }
    }
}
