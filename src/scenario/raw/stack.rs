//! The tables of the stack under test and of its load, as written.
//!
//! Nothing here judges a value.

use std::time::Duration;

use serde::Deserialize;

use super::{RawDelay, RawTokens};
use crate::scenario::field::{At, Field};
use crate::scenario::model::Task;
use crate::scenario::values::{PerKilosecond, ScalePermille, StageRate, Whole};

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Sidecar"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawSidecar {
    /// Whether there is a sidecar at all. Default: true.
    pub(in crate::scenario) enabled: Option<bool>,
    /// How long it takes to assemble a context. Default: uniform from 5ms to 20ms.
    pub(in crate::scenario) context: Option<At<RawDelay>>,
    /// How long it takes to store a result. Default: uniform from 1ms to 5ms.
    pub(in crate::scenario) store: Option<At<RawDelay>>,
    /// How long agents wait for it. Default: 2s.
    pub(in crate::scenario) timeout: Option<Field<Duration>>,
    /// Whether a request fails without it; otherwise agents go on alone. Default: false.
    pub(in crate::scenario) required: Option<bool>,
}

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
