//! What the actors of the stack are told: plain values, checked by whoever made them. Sims from TOML
//! and worlds from code use the same ones.

pub mod service;

use std::time::Duration;

use serde::Deserialize;

use crate::{
    policy::Retry,
    world::{Delay, Probability},
};

/// The orchestration sidecar, node `sidecar`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sidecar {
    /// How long it takes to assemble a context.
    pub context: Delay,
    /// How long it takes to store a result.
    pub store: Delay,
    /// How long agents wait for it.
    pub timeout: Duration,
    /// Whether a request fails without it; otherwise agents go on alone.
    pub required: bool,
}

/// The model router, node `router`.
#[derive(Clone, Debug, PartialEq)]
pub struct Router {
    /// The backend asked first.
    pub primary: String,
    /// The backends asked next, in this order; neither `primary` nor duplicates among them.
    pub fallback: Vec<String>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How often one backend is asked.
    pub retry: Retry,
    /// The router's own work for each request.
    pub overhead: Delay,
    /// Whether a backend's `retry_after` is waited out.
    pub honour_retry_after: bool,
    /// How long a whole request may take.
    pub deadline: Option<Duration>,
}

/// A workspace, to which agents and quotas belong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Its name, in a namespace of its own.
    pub name: String,
}

/// A model backend, a node of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Backend {
    /// Its name, and its node's.
    pub name: String,
    /// Whose API and error shapes it has.
    pub provider: Provider,
    /// How capable the model is; more is more.
    pub tier: u8,
    /// The time to the first token.
    pub first_token: Delay,
    /// Tokens per second after the first, at least 1.
    pub tokens_per_second: u32,
    /// What goes wrong on its own.
    pub errors: ErrorMix,
    /// What it sends as Retry-After with a 429 or a 529.
    pub retry_after: Option<Duration>,
    /// Tokens per minute above which it answers 429.
    pub tokens_per_minute: Option<u64>,
    /// Requests per minute above which it answers 429.
    pub requests_per_minute: Option<u64>,
}

/// Whose API and error shapes a backend has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Anthropic's.
    Anthropic,
    /// OpenAI's.
    Openai,
    /// Nobody's in particular.
    #[default]
    Generic,
}

impl Provider {
    /// As written in a sim.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::Anthropic => "anthropic",
            Provider::Openai => "openai",
            Provider::Generic => "generic",
        }
    }
}

/// How likely each error is for one request; together at most 100 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorMix {
    /// 429.
    pub rate_limited: Probability,
    /// 529.
    pub overloaded: Probability,
    /// 500.
    pub server_error: Probability,
    /// No answer at all.
    pub silence: Probability,
    /// The connection breaks.
    pub reset: Probability,
    /// An answer that cannot be parsed.
    pub malformed: Probability,
}

impl ErrorMix {
    /// Each error under its name, in the order in which a draw is compared with them.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, Probability); 6] {
        [
            ("rate_limited", self.rate_limited),
            ("overloaded", self.overloaded),
            ("server_error", self.server_error),
            ("silence", self.silence),
            ("reset", self.reset),
            ("malformed", self.malformed),
        ]
    }
}

/// A group of agents that are alike. The node of a group of one is the group's name; the nodes of a
/// larger one are `<name>-1` to `<name>-<count>`.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentGroup {
    /// The group's name.
    pub name: String,
    /// Agents in it, at least 1.
    pub count: u32,
    /// The workspace it works for.
    pub workspace: Option<String>,
    /// What its requests are about.
    pub task: Task,
    /// Requests of each agent in the closed loop.
    pub requests: u32,
    /// The pause between an answer and the next request.
    pub think: Delay,
    /// Tokens sent with a request.
    pub input_tokens: Tokens,
    /// Tokens asked for.
    pub output_tokens: Tokens,
    /// How long an agent waits for the router.
    pub deadline: Duration,
}

/// What a request is about, which decides the tier it is routed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Step-by-step reasoning.
    Reasoning,
    /// Writing code.
    CodeGeneration,
    /// A long input.
    LongContext,
    /// Nothing in particular.
    #[default]
    General,
    /// Designing a system.
    Architecture,
    /// Reviewing a change.
    CodeReview,
    /// Formatting a text.
    Formatting,
}

impl Task {
    /// As written in a sim.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Task::Reasoning => "reasoning",
            Task::CodeGeneration => "code_generation",
            Task::LongContext => "long_context",
            Task::General => "general",
            Task::Architecture => "architecture",
            Task::CodeReview => "code_review",
            Task::Formatting => "formatting",
        }
    }
}

/// A distribution of token counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// Always the same.
    Fixed(u32),
    /// Every count from `min` to `max`, both included, equally likely.
    Uniform {
        /// The fewest.
        min: u32,
        /// The most; at least `min`.
        max: u32,
    },
}
