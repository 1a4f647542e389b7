//! What the actors of the stack say to each other.
//!
//! Messages are imperative, and cheap to copy. What a request carries is made once, by its agent, and passed on unchanged: each attempt
//! at a model is built from it.

use std::{rc::Rc, time::Duration};

use actix::Message;

use super::{RequestId, agent::Agent, router::Router, settings::Task, tracer::TraceHeader};
use crate::{
    config::audit::{Change, Entry, Outcome},
    policy::{breaker, health, quota, trace_context::TraceContext},
    world::Peer,
};

/// What an agent asks for: the canonical request, from which every attempt is built.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// Which request.
    pub request: RequestId,
    /// What kind of work it is.
    pub task: Task,
    /// The operation that it is part of, if that is not its task.
    pub operation: Option<Rc<str>>,
    /// The workspace it belongs to.
    pub workspace: Rc<str>,
    /// What goes with it and comes back unchanged.
    pub baggage: Rc<Baggage>,
    /// Tokens in the prompt.
    pub input_tokens: u32,
    /// Tokens in the answer, if it is given in full.
    pub output_tokens: u32,
}

impl Prompt {
    /// The operation that it is part of: by that it is configured.
    #[must_use]
    pub fn operation(&self) -> &str {
        self.operation.as_deref().unwrap_or(self.task.as_str())
    }

    /// What a workspace is charged for the request with an answer of so many tokens.
    pub(super) fn tokens_with(&self, output_tokens: u32) -> u64 {
        u64::from(self.input_tokens) + u64::from(output_tokens)
    }
}

/// What a request carries that nobody on the way may change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baggage {
    /// The agent's own data.
    pub custom: String,
    /// The W3C trace context of the request itself; those of calls are in their messages.
    pub traceparent: String,
    /// The turns of the conversation so far.
    pub conversation: Vec<String>,
}

impl Baggage {
    /// What goes with the first turn of a conversation.
    #[must_use]
    pub fn of(request: &RequestId, trace: TraceContext) -> Baggage {
        let custom = request.to_string();
        Baggage {
            traceparent: trace.to_string(),
            conversation: vec![format!("turn 1 of {custom}")],
            custom,
        }
    }
}

/// A request becomes due at an agent.
#[derive(Clone, Copy, Debug, Message, PartialEq, Eq)]
#[rtype(result = "()")]
pub struct Arrive {
    /// Tokens in the prompt; `None` to draw them from the agent's own distribution.
    pub tokens: Option<(u32, u32)>,
}

/// Agent to router: get me an answer.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Answer, RouteError>")]
pub struct RouteRequest {
    /// What is asked.
    pub prompt: Prompt,
    /// How long the agent will wait.
    pub patience: Duration,
    /// Who reads the answer as it comes, if the router passes it on so.
    pub reader: Option<Peer<Agent>>,
    /// How often the agent has asked, this time included.
    pub attempt: u32,
    /// The `traceparent` of the call.
    pub trace: TraceHeader,
}

/// Router to agent: more of the answer.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct AnswerPart {
    /// Of which request.
    pub request: RequestId,
    /// In answer to which of its attempts.
    pub attempt: u32,
    /// The model that says it.
    pub model: Rc<str>,
    /// In which of the router's calls of models for the request.
    pub call: u32,
    /// How many tokens more.
    pub tokens: u32,
}

/// A model's answer, and how it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Which request it answers.
    pub request: RequestId,
    /// The baggage as the model that answered was given it.
    pub baggage: Rc<Baggage>,
    /// The model that answered.
    pub model: Rc<str>,
    /// Its provider.
    pub provider: &'static str,
    /// Why this model: `primary`, `fallback`, `tier`, `preferred` …
    pub reason: &'static str,
    /// Whether another model than the one chosen first answered.
    pub fallback_used: bool,
    /// How many attempts were made, over all models.
    pub attempts: u32,
    /// From the arrival at the router to the answer.
    pub latency: Duration,
    /// The models that did not answer, each with why it was passed over.
    pub alternatives: Vec<Alternative>,
    /// Tokens in the answer.
    pub output_tokens: u32,
    /// How full the workspace's quota is, if it has one.
    pub quota: Option<quota::Level>,
}

/// A model that did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// The model.
    pub model: Rc<str>,
    /// Why it was passed over, or the cause of its last failure.
    pub why: &'static str,
    /// Whether it was called.
    pub tried: bool,
}

/// Why the router has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code} after {attempts} attempts")]
pub struct RouteError {
    /// `all_models_failed`, `deadline_exceeded`, `quota_exceeded`, `rate_limited`, `overloaded`,
    /// `skipped`, `bad_request`, `stream_broken` or `disk_full`.
    pub code: &'static str,
    /// How many attempts were made, over all models.
    pub attempts: u32,
    /// The models that were considered, each with the cause of its last failure.
    pub causes: Vec<Alternative>,
    /// When it may make sense to ask again, if the router knows.
    pub retry_after: Option<Duration>,
}

impl RouteError {
    /// How many models were called in vain.
    #[must_use]
    pub fn fallback_attempts(&self) -> usize {
        self.causes.iter().filter(|cause| cause.tried).count()
    }

    /// The HTTP status of it, as a router answers.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.code {
            "bad_request" => 400,
            "quota_exceeded" | "rate_limited" => 429,
            "deadline_exceeded" => 504,
            "stream_broken" => 502,
            _ => 503,
        }
    }
}

/// Router to backend: generate an answer.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Generated")]
pub struct Generate {
    /// What is asked.
    pub prompt: Prompt,
    /// Where the answer goes as it comes; `None` to have it whole.
    pub stream: Option<StreamTo>,
    /// The `traceparent` of the call.
    pub trace: TraceHeader,
}

/// Where a stream goes.
#[derive(Clone, Debug)]
pub struct StreamTo {
    /// Who reads it.
    pub reader: Peer<Router>,
    /// By what the reader knows it.
    pub id: StreamId,
}

/// One stream of one router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(pub u64);

/// What comes back from a backend that answers at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Generated {
    /// An answer.
    Completion {
        /// Tokens in it.
        output_tokens: u32,
        /// The baggage that came with the request.
        baggage: Rc<Baggage>,
        /// The rate-limit headers, if the backend has limits.
        headers: Headers,
    },
    /// HTTP 200 and the headers: the answer follows in [`Chunk`]s.
    Streaming {
        /// The baggage that came with the request.
        baggage: Rc<Baggage>,
        /// The rate-limit headers, if the backend has limits.
        headers: Headers,
    },
    /// An error, shaped as the provider shapes it.
    Error(HttpError),
    /// HTTP 200, and a body that is not what it should be.
    Malformed,
}

/// Names and values, as they come over the wire.
pub type Headers = Vec<(&'static str, String)>;

/// An error as it comes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError {
    /// The HTTP status.
    pub status: u16,
    /// Retry-After and its relatives, rate limits, the id of the request.
    pub headers: Headers,
    /// The JSON body.
    pub body: String,
}

/// Backend to router: a part of an answer.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Chunk {
    /// Of which stream.
    pub stream: StreamId,
    /// Counts the chunks of the stream, from 0.
    pub number: u32,
    /// What is in it.
    pub part: Part,
}

/// What is in a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// So many tokens.
    Tokens(u32),
    /// An error after HTTP 200, with the provider's body.
    Error(String),
    /// Something that cannot be parsed.
    Malformed,
    /// The end that says that it is one: `message_stop` or `[DONE]`. A stream that was cut has none.
    End {
        /// Tokens in the whole answer.
        output_tokens: u32,
    },
    /// The connection was closed.
    Closed,
}

/// Router to backend: nobody reads this stream any more.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct CloseStream {
    /// Which.
    pub stream: StreamId,
    /// Whose.
    pub reader: Peer<Router>,
}

/// Operator to router: have this hold from now on. Asked for again, it is the same change.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Settled, ChangeError>")]
pub struct ChangeConfig {
    /// What.
    pub change: Change,
    /// The `traceparent` of the call.
    pub trace: TraceHeader,
}

/// What became of a change, once that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Whether it holds.
    pub outcome: Outcome,
    /// How many changes hold then.
    pub version: u32,
}

/// Why nothing has become of a change yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The router has no configuration that could be changed.
    #[error("the router has no configuration")]
    NoConfiguration,
    /// Too many changes wait for their turn.
    #[error("too many changes wait")]
    Busy,
    /// Whoever asks was turned away a moment ago.
    #[error("turned away a moment ago")]
    TooOften,
    /// The trail is full, or the disk that it is on.
    #[error("the change cannot be written down")]
    DiskFull,
}

impl ChangeError {
    /// Its name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ChangeError::NoConfiguration => "no_configuration",
            ChangeError::Busy => "busy",
            ChangeError::TooOften => "too_often",
            ChangeError::DiskFull => "disk_full",
        }
    }
}

/// Anyone to router: what does the trail say?
#[derive(Clone, Debug, Default, Message, PartialEq, Eq)]
#[rtype(result = "Vec<Entry>")]
pub struct ReadTrail {
    /// The `traceparent` of the call.
    pub trace: TraceHeader,
}

/// Are you well?
#[derive(Clone, Debug, Default, Message, PartialEq, Eq)]
#[rtype(result = "health::Status")]
pub struct Probe {
    /// The `traceparent` of the call.
    pub trace: TraceHeader,
}

/// Anyone to router: how are you, and your models?
#[derive(Clone, Debug, Default, Message, PartialEq, Eq)]
#[rtype(result = "HealthReport")]
pub struct HealthQuery {
    /// The `traceparent` of the call.
    pub trace: TraceHeader,
}

/// How the router and what is behind it are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthReport {
    /// `available` if all models are, `unavailable` if none is, `degraded` otherwise.
    pub status: health::Availability,
    /// Each model.
    pub models: Vec<ModelHealth>,
    /// Each provider, by the models of it.
    pub providers: Vec<(&'static str, health::Availability)>,
}

/// How one model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelHealth {
    /// The model.
    pub model: Rc<str>,
    /// Its provider.
    pub provider: &'static str,
    /// What checks and breaker say of it.
    pub availability: health::Availability,
    /// How long its last check took.
    pub latency: Duration,
    /// Its breaker, if it has one.
    pub breaker: Option<BreakerHealth>,
}

/// What a breaker says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerHealth {
    /// Its state.
    pub state: breaker::State,
    /// Calls that it counted, failures among them, and calls that it turned away.
    pub calls: u64,
    /// Failures among the calls.
    pub failures: u64,
    /// Calls turned away.
    pub rejected: u64,
}
