//! The tables of faults, expectations and checks, as written.
//!
//! Nothing here judges a value.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::{RawBackendFault, RawFaultPoint, RawLink, RawServiceFault, RawSidecarFault};
use crate::scenario::field::{At, Field, ScalarOr};
use crate::scenario::model::FieldValue;
use crate::scenario::values::{BoundValue, SignedNanos};
use crate::world::Probability;

/// A planned fault: when, for how long, and exactly one kind.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(extend("oneOf" = [
    { "required": ["partition"] }, { "required": ["crash"] }, { "required": ["pause"] },
    { "required": ["clock"] }, { "required": ["disk_full"] }, { "required": ["disk_lost"] },
    { "required": ["link"] }, { "required": ["backend"] }, { "required": ["service"] },
    { "required": ["sidecar"] }, { "required": ["dns"] }, { "required": ["point"] }
])))]
#[cfg_attr(feature = "cli", schemars(rename = "Fault"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawFault {
    /// When it fires, since the start.
    pub(in crate::scenario) at: Field<Duration>,
    /// After how long it heals. Default: never.
    pub(in crate::scenario) r#for: Option<Field<Duration>>,
    /// Messages between nodes are silently lost.
    pub(in crate::scenario) partition: Option<At<RawPartition>>,
    /// Nodes lose their memory; they restart at the end of `for`.
    pub(in crate::scenario) crash: Option<RawNode>,
    /// Nodes stand still.
    pub(in crate::scenario) pause: Option<RawNode>,
    /// The clocks of nodes go wrong.
    pub(in crate::scenario) clock: Option<At<RawClock>>,
    /// Nothing more can be written to a node's disk.
    pub(in crate::scenario) disk_full: Option<RawNode>,
    /// A node's disk is lost with all that is on it.
    pub(in crate::scenario) disk_lost: Option<RawNode>,
    /// Links get worse.
    pub(in crate::scenario) link: Option<At<RawLink>>,
    /// A provider has an outage.
    pub(in crate::scenario) backend: Option<At<RawBackendFault>>,
    /// A service has trouble.
    pub(in crate::scenario) service: Option<At<RawServiceFault>>,
    /// The sidecar has less memory, or fewer connections.
    pub(in crate::scenario) sidecar: Option<At<RawSidecarFault>>,
    /// Nodes do not find the sidecar by its name.
    pub(in crate::scenario) dns: Option<RawNode>,
    /// A fault point in the code of the stack is armed.
    pub(in crate::scenario) point: Option<RawFaultPoint>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Clock"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawClock {
    /// The nodes it happens to.
    pub(in crate::scenario) node: At<String>,
    /// By what their clocks jump ahead, or back.
    pub(in crate::scenario) skew: Option<Field<SignedNanos>>,
    /// By how many parts per million they run fast, or slow when negative.
    pub(in crate::scenario) drift_ppm: Option<At<i32>>,
}

/// Which messages are lost: between two, from one to another, or all of one's.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(extend("oneOf" = [
    { "required": ["between"] }, { "required": ["from", "to"] }, { "required": ["isolate"] }
])))]
#[cfg_attr(feature = "cli", schemars(rename = "Partition"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawPartition {
    /// The two sides, in both directions.
    #[cfg_attr(feature = "cli", schemars(length(equal = 2)))]
    pub(in crate::scenario) between: Option<At<Vec<At<String>>>>,
    /// The nodes that are not heard.
    pub(in crate::scenario) from: Option<At<String>>,
    /// The nodes that do not hear them.
    pub(in crate::scenario) to: Option<At<String>>,
    /// Nodes cut off from all others.
    pub(in crate::scenario) isolate: Option<At<String>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Node"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawNode {
    /// The nodes it happens to.
    pub(in crate::scenario) node: At<String>,
}

/// What must hold at the end: exactly one of metric, event and order.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(extend("oneOf" = [
    { "required": ["metric"] }, { "required": ["event"] }, { "required": ["order"] }
])))]
#[cfg_attr(feature = "cli", schemars(rename = "Expect"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawExpect {
    /// A metric of the whole run.
    pub(in crate::scenario) metric: Option<At<String>>,
    /// An event.
    pub(in crate::scenario) event: Option<At<String>>,
    /// Fields of the event and the values they must have, or { at_least, at_most }.
    pub(in crate::scenario) r#where: Option<BTreeMap<String, RawFieldMatch>>,
    /// The nodes at which the event must happen. Default: any.
    pub(in crate::scenario) node: Option<At<String>>,
    /// The instant since the start from which on an event counts. Default: the start.
    pub(in crate::scenario) from: Option<Field<Duration>>,
    /// The instant since the start from which on an event no longer counts. Default: never.
    pub(in crate::scenario) until: Option<Field<Duration>>,
    /// One event before another.
    pub(in crate::scenario) order: Option<RawOrder>,
    /// The least it may be. Default for an event: 1.
    pub(in crate::scenario) at_least: Option<Field<BoundValue>>,
    /// The most it may be.
    pub(in crate::scenario) at_most: Option<Field<BoundValue>>,
    /// What it must be exactly.
    pub(in crate::scenario) equals: Option<Field<BoundValue>>,
    /// What a metric was when somebody recorded it: a duration or a ratio, and the only bound.
    pub(in crate::scenario) baseline: Option<Field<BoundValue>>,
    /// The part of the baseline by which it may be worse. Default: 10%.
    pub(in crate::scenario) margin: Option<Field<Probability>>,
}

/// What a field must be: a value, or within limits.
pub(in crate::scenario) type RawFieldMatch = At<ScalarOr<FieldValue, RawWithin>>;

/// Limits of an integer, both included.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Within", extend("minProperties" = 1)))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawWithin {
    /// The least it may be.
    pub(in crate::scenario) at_least: Option<i64>,
    /// The most it may be.
    pub(in crate::scenario) at_most: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Order"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawOrder {
    /// What happens first.
    pub(in crate::scenario) first: RawEventMatch,
    /// What happens after it.
    pub(in crate::scenario) then: RawEventMatch,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "EventMatch"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawEventMatch {
    /// An event.
    pub(in crate::scenario) event: At<String>,
    /// Fields of the event and the values they must have, or { at_least, at_most }.
    pub(in crate::scenario) r#where: Option<BTreeMap<String, RawFieldMatch>>,
    /// The nodes at which the event must happen. Default: any.
    pub(in crate::scenario) node: Option<At<String>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Checks"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawChecks {
    /// Built-in checks that are switched off.
    #[serde(default)]
    pub(in crate::scenario) off: Vec<RawCheckOff>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "CheckOff"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawCheckOff {
    /// The check's name.
    pub(in crate::scenario) check: At<String>,
    /// Why it does not apply.
    pub(in crate::scenario) why: At<String>,
}
