//! The tables of the router and of the workspaces whose requests it takes, as written.
//!
//! Nothing here judges a value.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::{RawBreaker, RawDelay};
use crate::scenario::field::{At, Field};
use crate::scenario::model::{Jitter, Provider, Streaming, Task};
use crate::scenario::values::{MicroDollars, ScalePermille, Whole};
use crate::world::Probability;

/// The model router.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Router"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawRouter {
    /// Whether it routes at all; otherwise every request is skipped. Default: true.
    pub(in crate::scenario) enabled: Option<bool>,
    /// The backend asked first.
    pub(in crate::scenario) primary: At<String>,
    /// The backends asked next, in this order. Default: none.
    #[serde(default)]
    pub(in crate::scenario) fallback: Vec<At<String>>,
    /// Chains of their own for some tasks: the backends to ask, in this order.
    #[serde(default)]
    pub(in crate::scenario) routes: BTreeMap<Task, At<Vec<At<String>>>>,
    /// How the models of a chain are ordered: chain, tier, weighted, least_busy, latency or cost. Default: chain.
    pub(in crate::scenario) strategy: Option<At<String>>,
    /// The least tier that is enough for a task. Default: 3 for architecture, code_review and reasoning, 1 for formatting, 2 for the rest.
    #[serde(default)]
    pub(in crate::scenario) tiers: BTreeMap<Task, u8>,
    /// How long one attempt may take. Default: 30s.
    pub(in crate::scenario) timeout: Option<Field<Duration>>,
    /// How long the first token may take; needs stream. Default: as long as the attempt.
    pub(in crate::scenario) first_token_timeout: Option<Field<Duration>>,
    /// How long each further token may take; needs stream. Default: as long as the attempt.
    pub(in crate::scenario) token_timeout: Option<Field<Duration>>,
    /// Whether answers come as streams. Default: off.
    pub(in crate::scenario) stream: Option<Streaming>,
    /// How often one backend is asked. Default: once.
    pub(in crate::scenario) retry: Option<At<RawRetry>>,
    /// How many retries all requests together may make. Default: no limit.
    pub(in crate::scenario) retry_budget: Option<At<RawRetryBudget>>,
    /// Whether a backend's Retry-After is waited out. Default: true.
    pub(in crate::scenario) honour_retry_after: Option<bool>,
    /// The longest Retry-After that is waited out; for a longer one the next model is asked instead.
    /// Default: as long as the request has.
    pub(in crate::scenario) retry_after_max: Option<Field<Duration>>,
    /// The breaker in front of each model. Default: none.
    pub(in crate::scenario) breaker: Option<At<RawBreaker>>,
    /// Whether each task has a breaker of its own at each model. Default: false.
    pub(in crate::scenario) breaker_per_task: Option<At<bool>>,
    /// How many requests may be in hand at once. Default: no limit.
    pub(in crate::scenario) bulkhead: Option<At<RawBulkhead>>,
    /// When a second model is asked without waiting for the first. Default: never.
    pub(in crate::scenario) hedge: Option<At<RawHedge>>,
    /// How models are checked. Default: only when somebody asks.
    pub(in crate::scenario) health: Option<RawHealth>,
    /// Whether breakers and quotas survive a crash, on the node's disk. Default: false.
    pub(in crate::scenario) persist: Option<bool>,
    /// The router's own work for each request. Default: 1ms.
    pub(in crate::scenario) overhead: Option<At<RawDelay>>,
    /// How long a whole request may take. Default: no limit.
    pub(in crate::scenario) deadline: Option<Field<Duration>>,
    /// Known bugs that it has, as `seedbed list --quirks` names them. Default: none.
    #[serde(default)]
    pub(in crate::scenario) quirks: Vec<At<String>>,
}

/// How often one backend is asked, and when.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Retry"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawRetry {
    /// The library whose rules it has; the keys beside it change them.
    pub(in crate::scenario) preset: Option<At<String>>,
    /// Attempts at one backend including the first, from 1 to 100. Default: 1.
    pub(in crate::scenario) attempts: Option<Field<Whole>>,
    /// The pause before the second attempt. Default: 500ms.
    pub(in crate::scenario) base: Option<Field<Duration>>,
    /// By what each further pause grows. Default: 2.
    pub(in crate::scenario) factor: Option<Field<ScalePermille>>,
    /// The longest pause. Default: 8s.
    pub(in crate::scenario) max: Option<Field<Duration>>,
    /// How a pause is varied. Default: full.
    pub(in crate::scenario) jitter: Option<Jitter>,
}

/// How many retries all requests together may make.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "RetryBudget"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawRetryBudget {
    /// Whose rules it has: aws_2020, aws_2026, grpc, tower or failsafe.
    pub(in crate::scenario) kind: At<String>,
    /// grpc: how many tokens there are; retries stop at half of them. Default: 10.
    pub(in crate::scenario) max_tokens: Option<Field<Whole>>,
    /// grpc: how much of a token a success gives back. Default: 0.1.
    pub(in crate::scenario) token_ratio: Option<Field<ScalePermille>>,
    /// tower: retries for each request. failsafe: retries among the calls in hand. Default: 20%.
    pub(in crate::scenario) ratio: Option<Field<Probability>>,
    /// tower: retries per second that are always allowed. Default: 10.
    pub(in crate::scenario) min_per_second: Option<Field<Whole>>,
    /// tower: for how long a request counts. Default: 10s.
    pub(in crate::scenario) ttl: Option<Field<Duration>>,
    /// failsafe: calls in hand below which retries are always allowed. Default: 3.
    pub(in crate::scenario) min_concurrency: Option<Field<Whole>>,
}

/// How many requests may be in hand at once.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Bulkhead"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawBulkhead {
    /// At once.
    pub(in crate::scenario) concurrent: Field<Whole>,
    /// Waiting. Default: 0.
    pub(in crate::scenario) queue: Option<Field<Whole>>,
    /// How long each may wait. Default: 5s if there is a queue.
    pub(in crate::scenario) wait: Option<Field<Duration>>,
    /// Who is next: fifo, or fair (each workspace in turn). Default: fifo.
    pub(in crate::scenario) order: Option<At<String>>,
}

/// When a second model is asked: exactly one of after and percentile.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Hedge"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawHedge {
    /// After this long.
    pub(in crate::scenario) after: Option<Field<Duration>>,
    /// When so many in a hundred answers would have come.
    pub(in crate::scenario) percentile: Option<Field<Whole>>,
    /// How many more may be asked. Default: 1.
    pub(in crate::scenario) extra: Option<Field<Whole>>,
}

/// How models are checked.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Health"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawHealth {
    /// From one check to the next. Default: 30s.
    pub(in crate::scenario) interval: Option<Field<Duration>>,
    /// How long a check may take. Default: 10s.
    pub(in crate::scenario) timeout: Option<Field<Duration>>,
    /// Checks in a row without an answer that make a model unhealthy. Default: 3.
    pub(in crate::scenario) unhealthy_after: Option<Field<Whole>>,
    /// Checks in a row that make it healthy again. Default: 1.
    pub(in crate::scenario) healthy_after: Option<Field<Whole>>,
    /// Whether an unhealthy model is passed over. Default: true.
    pub(in crate::scenario) eject: Option<bool>,
}

/// A workspace, to which agents and quotas belong.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Workspace"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawWorkspace {
    /// Its name.
    pub(in crate::scenario) name: At<String>,
    /// What it may use in a day. Default: no limit.
    pub(in crate::scenario) quota: Option<At<RawQuota>>,
    /// The provider that it would rather have. Default: none.
    pub(in crate::scenario) prefer: Option<Provider>,
    /// The highest price that it pays, in dollars for a million output tokens. Default: any.
    pub(in crate::scenario) price_max: Option<Field<MicroDollars>>,
}

/// What a workspace may use in a day.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Quota"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawQuota {
    /// Tokens, sent and received. Default: no limit.
    pub(in crate::scenario) tokens_per_day: Option<Field<Whole>>,
    /// Requests. Default: no limit.
    pub(in crate::scenario) requests_per_day: Option<Field<Whole>>,
    /// From what part of the tokens on it is a warning. Default: 80%.
    pub(in crate::scenario) warn: Option<Field<Probability>>,
    /// From what part of the tokens on it is critical. Default: 95%.
    pub(in crate::scenario) critical: Option<Field<Probability>>,
    /// The time zone whose midnight begins a day, as in Europe/Berlin or +05:30. Default: UTC.
    pub(in crate::scenario) zone: Option<At<String>>,
}
