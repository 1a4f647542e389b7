//! What the actors of the stack are told: plain values, checked by whoever made them. Sims from TOML
//! and worlds from code use the same ones.

mod backend;
pub mod flow;
mod operator;
mod router;
pub mod service;
mod sidecar;

use std::time::Duration;

use serde::Deserialize;

pub use backend::{Backend, ErrorKind, ErrorMix, Provider, RetryAfter};
pub use operator::{DueChange, Operator};
pub use router::{Breakers, HealthChecks, HedgeDelay, Hedging, KNOWN_AT_LEAST, Router, Streaming};
pub use sidecar::{
    Acts, Asked, Badge, ClientGroup, Project, Sidecar, Step, SubscriberGroup, TokenKind, Told,
    Wanted,
};

use crate::{
    policy::{profile::Client, quota},
    world::{Delay, Probability},
};

/// How traces are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracing {
    /// The share of traces whose spans are kept.
    pub sample: Probability,
    /// The share of an agent's calls of the router whose `traceparent` is broken.
    pub broken: Probability,
}

impl Default for Tracing {
    /// Every trace, whole.
    fn default() -> Tracing {
        Tracing { sample: Probability::ALWAYS, broken: Probability::NEVER }
    }
}

/// The ways in which a `traceparent` is broken, each as often as the others.
pub const BROKEN_HEADERS: [&str; 6] =
    ["upper_case", "short", "long", "version", "no_trace", "empty"];

/// A workspace, to which agents and quotas belong.
#[derive(Clone, Debug, PartialEq)]
pub struct Workspace {
    /// Its name, in a namespace of its own.
    pub name: String,
    /// What it may use in a day.
    pub quota: Option<quota::Settings>,
    /// The provider that it would rather have.
    pub prefer: Option<Provider>,
    /// The highest price that it pays, in millionths of a dollar for a million output tokens.
    pub price_max: Option<u64>,
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
    /// The operation that its requests are part of, by which `[resilience]` configures them; `None`
    /// if that is the task.
    pub operation: Option<String>,
    /// Requests of each agent in the closed loop.
    pub requests: u32,
    /// The pause between an answer and the next request.
    pub think: Delay,
    /// Tokens sent with a request.
    pub input_tokens: Tokens,
    /// Tokens asked for.
    pub output_tokens: Tokens,
    /// How long an agent waits for an answer, over all its attempts.
    pub deadline: Duration,
    /// How long it waits in one attempt; `None` for as long as there is.
    pub timeout: Option<Duration>,
    /// How its SDK asks the router again; `None` for never.
    pub sdk: Option<Client>,
    /// Who it is at the sidecar.
    pub badge: Badge,
    /// How long it works by itself, without the router; `None` if it asks the router.
    pub work: Option<Delay>,
    /// Which events it begins a request for; `None` if it begins them by itself.
    pub wakes_on: Option<Wanted>,
    /// How long it listens for such events, from its start on.
    pub listens: Duration,
    /// What it tells the others when the sidecar has its result.
    pub publishes: Option<Told>,
}

impl Task {
    /// Every task there is.
    pub const ALL: [Task; 7] = [
        Task::Reasoning,
        Task::CodeGeneration,
        Task::LongContext,
        Task::General,
        Task::Architecture,
        Task::CodeReview,
        Task::Formatting,
    ];
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
