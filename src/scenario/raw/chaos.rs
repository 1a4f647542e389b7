//! The tables of chaos and of healing, as written.
//!
//! Nothing here judges a value.

use std::time::Duration;

use serde::Deserialize;

use super::RawDelay;
use crate::scenario::field::{At, Field};
use crate::scenario::model::ChaosKind;
use crate::scenario::values::{PerMinute, Whole};
use crate::world::Probability;

/// Faults that are drawn from the seed, and heal before `until`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Chaos"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawChaos {
    /// What may break. Default: every kind that has something to break.
    pub(in crate::scenario) kinds: Option<At<Vec<At<ChaosKind>>>>,
    /// How many faults there are. Default: two of each kind in a minute.
    pub(in crate::scenario) faults: Option<RawFaultRate>,
    /// How long each lasts. Default: uniform from 1s to 15s.
    pub(in crate::scenario) lasts: Option<At<RawDelay>>,
    /// How many may be in force at once. Default: 3.
    pub(in crate::scenario) at_once: Option<Field<Whole>>,
    /// Whether each run switches each kind off with probability 1/2, but never all. Default: false.
    pub(in crate::scenario) swarm: Option<bool>,
    /// When the first fault may fire, since the start. Default: 0s.
    pub(in crate::scenario) from: Option<Field<Duration>>,
    /// When the last fault has healed, since the start.
    pub(in crate::scenario) until: Field<Duration>,
    /// How long after `until` everything must work again. Default: it need not.
    pub(in crate::scenario) heal_within: Option<Field<Duration>>,
    /// What may be hit: nodes, groups, or a prefix and a star. Default: every node but the monitor.
    pub(in crate::scenario) targets: Option<At<Vec<At<String>>>>,
    /// The fault points in the code of the stack. Default: none fires.
    pub(in crate::scenario) points: Option<RawPoints>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "FaultRate"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawFaultRate {
    /// Faults of each kind in a minute, on average.
    pub(in crate::scenario) per_minute: Field<PerMinute>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Points"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawPoints {
    /// How likely a point is armed in a run. Default: 25%.
    pub(in crate::scenario) arm: Option<Field<Probability>>,
    /// How likely an armed point fires each time it is passed. Default: 10%.
    pub(in crate::scenario) rate: Option<Field<Probability>>,
}

/// A place in the code of the stack where something may go wrong.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "FaultPoint"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawFaultPoint {
    /// The place.
    pub(in crate::scenario) site: At<String>,
    /// How likely it goes wrong each time.
    pub(in crate::scenario) rate: Field<Probability>,
}

/// When everything must work again.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Healing"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawHealing {
    /// When every fault has healed, since the start.
    pub(in crate::scenario) after: Field<Duration>,
    /// How long the stack may take from then on.
    pub(in crate::scenario) within: Field<Duration>,
}
