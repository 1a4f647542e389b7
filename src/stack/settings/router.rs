//! What the router is told.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::{Task, Tracing};
use crate::{
    config,
    policy::{Retry, breaker, budget, bulkhead, deadline::Timeouts, health, select::Strategy},
    stack::quirk::Quirks,
    world::Delay,
};

/// The model router, node `router`.
#[derive(Clone, Debug, PartialEq)]
pub struct Router {
    /// Whether it routes at all; otherwise every request is `skipped`.
    pub enabled: bool,
    /// The backend asked first.
    pub primary: String,
    /// The backends asked next, in this order; neither `primary` nor duplicates among them.
    pub fallback: Vec<String>,
    /// Chains of their own for some tasks; no duplicates in a chain.
    pub routes: BTreeMap<Task, Vec<String>>,
    /// How the models of a chain are ordered.
    pub strategy: Strategy,
    /// The least tier that is enough for a task, where it is not the usual one.
    pub tiers: BTreeMap<Task, u8>,
    /// How long one attempt may take, in total and in parts.
    pub timeouts: Timeouts,
    /// Whether answers come as streams.
    pub streaming: Streaming,
    /// How often one backend is asked.
    pub retry: Retry,
    /// How many retries all requests together may make.
    pub retry_budget: Option<budget::Settings>,
    /// Whether a backend's `retry_after` is waited out.
    pub honour_retry_after: bool,
    /// The longest `retry_after` that is waited out; for a longer one the next model is asked.
    pub retry_after_max: Option<Duration>,
    /// The breaker in front of each model.
    pub breaker: Option<Breakers>,
    /// How many requests may be in hand at once.
    pub bulkhead: Option<bulkhead::Settings>,
    /// When a second model is asked without waiting for the first.
    pub hedge: Option<Hedging>,
    /// How models are checked.
    pub health: HealthChecks,
    /// Whether breakers and quotas survive a crash, on the node's disk.
    pub persist: bool,
    /// The router's own work for each request.
    pub overhead: Delay,
    /// How long a whole request may take.
    pub deadline: Option<Duration>,
    /// The stack's configuration, which makes `retry` and `breaker` unused: each operation has its
    /// own. `None` if there is none.
    pub resilience: Option<config::Layers>,
    /// What of the configuration in use is too much; `None` if nobody watches it.
    pub watched: Option<config::monitor::alert::Thresholds>,
    /// The known bugs that it has.
    pub quirks: Quirks,
    /// How traces are made.
    pub tracing: Tracing,
}

/// Breakers, and what each of them guards.
#[derive(Clone, Debug, PartialEq)]
pub struct Breakers {
    /// How they behave.
    pub settings: breaker::Settings,
    /// Whether each task has its own at each model.
    pub per_task: bool,
}

/// When a second model is asked without waiting for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hedging {
    /// How long the first one has.
    pub delay: HedgeDelay,
    /// How many more may be asked.
    pub extra: u32,
}

/// How long a model has before another one is asked as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HedgeDelay {
    /// So long.
    Fixed(Duration),
    /// As long as all but the slowest answers took: the quantile, in millionths. Before
    /// [`KNOWN_AT_LEAST`] answers are known, no other is asked.
    Quantile(u32),
}

/// Answers that make a quantile of them worth something.
pub const KNOWN_AT_LEAST: u64 = 20;

/// How the router checks its models.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthChecks {
    /// Interval, timeout and hysteresis.
    pub settings: health::Settings,
    /// Whether models are checked on the interval, and not only when somebody asks.
    pub active: bool,
    /// Whether an unhealthy model is passed over.
    pub eject: bool,
}

/// How an answer comes from a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Streaming {
    /// Whole.
    #[default]
    Off,
    /// As a stream that the router reads to its end before it answers: until then another model may
    /// take over.
    Buffered,
    /// As a stream that is passed on as it comes: from the first token on, no other model can.
    Relayed,
}
