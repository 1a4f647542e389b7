//! The tables of the stack under test and of its load, as written.
//!
//! Nothing here judges a value.

use std::time::Duration;

use serde::Deserialize;

use super::{RawDelay, RawTokens, RawTold, RawWanted};
use crate::scenario::field::{At, Field};
use crate::scenario::model::Task;
use crate::scenario::values::{PerKilosecond, ScalePermille, StageRate, Whole};
use crate::stack::sidecar::wire::{AgentType, IssueId, ProjectId};

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Agent"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawAgent {
    /// The group's name.
    pub(in crate::scenario) name: At<String>,
    /// Agents in the group. Default: 1.
    pub(in crate::scenario) count: Option<Field<Whole>>,
    /// The workspace it works for.
    pub(in crate::scenario) workspace: Option<At<String>>,
    /// What its requests are about. Default: general.
    pub(in crate::scenario) task: Option<Task>,
    /// The operation that its requests are part of, by which [resilience] configures them. Default: the task.
    pub(in crate::scenario) operation: Option<At<String>>,
    /// Requests of each agent when there is no [load]. Default: 1.
    pub(in crate::scenario) requests: Option<Field<Whole>>,
    /// The pause between an answer and the next request. Default: uniform from 0s to 100ms.
    pub(in crate::scenario) think: Option<At<RawDelay>>,
    /// Tokens sent with a request. Default: 500.
    pub(in crate::scenario) input_tokens: Option<At<RawTokens>>,
    /// Tokens asked for. Default: 200.
    pub(in crate::scenario) output_tokens: Option<At<RawTokens>>,
    /// How long an agent waits for an answer, over all its attempts. Default: 2m.
    pub(in crate::scenario) deadline: Option<Field<Duration>>,
    /// How long it waits in one attempt. Default: as long as there is.
    pub(in crate::scenario) timeout: Option<Field<Duration>>,
    /// The SDK by whose rules it asks the router again. Default: it does not.
    pub(in crate::scenario) sdk: Option<At<String>>,
    /// Which type of agent it is at the sidecar. Default: rust-specialist.
    pub(in crate::scenario) r#type: Option<Field<AgentType>>,
    /// The project in which it acts. Default: its workspace, or else default.
    pub(in crate::scenario) project: Option<Field<ProjectId>>,
    /// What it works on. Default: issue-1.
    pub(in crate::scenario) issue: Option<Field<IssueId>>,
    /// It works by itself for so long, and does not ask the router. Default: it asks.
    pub(in crate::scenario) work: Option<At<RawDelay>>,
    /// It makes a request for each such event, and none otherwise.
    pub(in crate::scenario) wakes_on: Option<At<RawWanted>>,
    /// For how long it listens for these events. Default: 60s.
    pub(in crate::scenario) listens: Option<Field<Duration>>,
    /// What it publishes when its result is stored. Default: nothing.
    pub(in crate::scenario) publishes: Option<At<RawTold>>,
}

/// Where requests come from: exactly one of poisson, stages and trace.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(extend("oneOf" = [
    { "required": ["poisson"] }, { "required": ["stages"] }, { "required": ["trace"] }
])))]
#[cfg_attr(feature = "cli", schemars(rename = "Load"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawLoad {
    /// Arrivals at random, independent of each other.
    pub(in crate::scenario) poisson: Option<RawPoisson>,
    /// A rate that goes linearly from stage to stage, starting at 0.
    #[cfg_attr(feature = "cli", schemars(length(min = 1, max = 1000)))]
    pub(in crate::scenario) stages: Option<At<Vec<RawStage>>>,
    /// The file of a recorded trace, relative to the sim's.
    pub(in crate::scenario) trace: Option<At<String>>,
    /// By what the trace's times are multiplied. Default: 1.
    pub(in crate::scenario) scale: Option<Field<ScalePermille>>,
    /// How many of the trace's requests are read at most.
    pub(in crate::scenario) limit: Option<Field<Whole>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Poisson"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawPoisson {
    /// Mean arrivals per second.
    pub(in crate::scenario) per_second: Field<PerKilosecond>,
    /// How long they go on.
    pub(in crate::scenario) r#for: Field<Duration>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Stage"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawStage {
    /// How long the stage takes.
    pub(in crate::scenario) r#for: Field<Duration>,
    /// Arrivals per second at its end.
    pub(in crate::scenario) to: Field<StageRate>,
}
