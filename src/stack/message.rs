//! What the actors of the stack say to each other.
//!
//! Messages are imperative. They can be copied, so that a link may duplicate them, and are cheap to
//! copy. What a request carries is made once, by its agent, and passed on unchanged: each attempt
//! at a model is built from it.

use std::{rc::Rc, time::Duration};

use actix::Message;
use serde::Serialize;

use super::{RequestId, settings::Task};

/// What an agent asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// Which request.
    pub request: RequestId,
    /// What kind of work it is.
    pub task: Task,
    /// The workspace it belongs to.
    pub workspace: Rc<str>,
    /// Tokens in the prompt.
    pub input_tokens: u32,
    /// Tokens in the answer, if it is given in full.
    pub output_tokens: u32,
}

/// A request becomes due at an agent.
#[derive(Clone, Copy, Debug, Message, PartialEq, Eq)]
#[rtype(result = "()")]
pub struct Arrive {
    /// Tokens in the prompt; `None` to draw them from the agent's own distribution.
    pub tokens: Option<(u32, u32)>,
}

/// Agent to sidecar: give me what I need to know for this request.
#[derive(Clone, Debug, Message)]
#[rtype(result = "ContextBundle")]
pub struct GetContext {
    /// Which request.
    pub request: RequestId,
}

/// What the sidecar knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextBundle {
    /// The request it is for.
    pub request: RequestId,
    /// How many earlier results went into it.
    pub earlier_results: usize,
}

/// Agent to sidecar: keep this result.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), StoreError>")]
pub struct PostResult {
    /// Which request it is the result of. Posting it again changes nothing.
    pub request: RequestId,
    /// The model that answered.
    pub model: Rc<str>,
}

/// Why a result was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk is full.
    #[error("the sidecar's disk is full")]
    DiskFull,
}

/// Agent to router: get me an answer.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Answer, RouteError>")]
pub struct RouteRequest {
    /// What is asked.
    pub prompt: Prompt,
    /// How long the agent will wait.
    pub patience: Duration,
}

/// A model's answer, and how it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Which request it answers.
    pub request: RequestId,
    /// The model that answered.
    pub model: Rc<str>,
    /// Its provider.
    pub provider: &'static str,
    /// Why this model: `primary` or `fallback`.
    pub reason: &'static str,
    /// Whether another model than the primary answered.
    pub fallback_used: bool,
    /// How many attempts were made, over all models.
    pub attempts: u32,
    /// From the arrival at the router to the answer.
    pub latency: Duration,
    /// The models that were passed over, each with the cause of its last failure.
    pub passed_over: Vec<(Rc<str>, &'static str)>,
    /// Tokens in the answer.
    pub output_tokens: u32,
}

/// Why the router has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code} after {attempts} attempts")]
pub struct RouteError {
    /// `all_models_failed` or `deadline_exceeded`.
    pub code: &'static str,
    /// How many attempts were made, over all models.
    pub attempts: u32,
    /// The models that were tried, each with the cause of its last failure.
    pub causes: Vec<(Rc<str>, &'static str)>,
}

/// Router to backend: generate an answer.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Generated")]
pub struct Generate {
    /// What is asked.
    pub prompt: Prompt,
}

/// What comes back from a backend that answers at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Generated {
    /// An answer.
    Completion {
        /// Tokens in it.
        output_tokens: u32,
    },
    /// An error, shaped as the provider shapes it.
    Error(ProviderError),
    /// HTTP 200, and a body that is not what it should be.
    Malformed,
}

/// An error as a provider reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProviderError {
    /// The HTTP status.
    pub status: u16,
    /// The provider's name for it, as in the body: `overloaded_error`.
    pub error_type: &'static str,
    /// The Retry-After header.
    pub retry_after: Option<Duration>,
}
