//! The tables of what goes on around the stack: runners, approvals, reviewers, the dashboard.
//!
//! Nothing here judges a value.

use std::time::Duration;

use serde::Deserialize;

use super::RawDelay;
use crate::scenario::field::{At, Field};
use crate::scenario::values::{ByteSize, Whole};
use crate::world::Probability;

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Runner"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawRunner {
    /// The group's name.
    pub(in crate::scenario) name: At<String>,
    /// Runners in the group. Default: 1.
    pub(in crate::scenario) count: Option<Field<Whole>>,
    /// Tasks of each, one after another. Default: 1.
    pub(in crate::scenario) tasks: Option<Field<Whole>>,
    /// How long each half of a task takes. Default: uniform from 1s to 5s.
    pub(in crate::scenario) takes: Option<At<RawDelay>>,
    /// The pause before a task. Default: 1s.
    pub(in crate::scenario) pause: Option<At<RawDelay>>,
    /// How likely a half of a task fails. Default: 0.
    pub(in crate::scenario) fails: Option<Field<Probability>>,
    /// Whether each task waits for an approval. Default: false.
    pub(in crate::scenario) approval: Option<At<bool>>,
    /// How often a stream of progress says that it is still there. Default: 5s.
    pub(in crate::scenario) heartbeat: Option<Field<Duration>>,
    /// After how long a stream is closed, as by a proxy. Default: 60s.
    pub(in crate::scenario) stream_lasts: Option<Field<Duration>>,
}

/// The queue of approvals, node "approvals".
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Approvals"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawApprovals {
    /// After how long what nobody decided expires. Default: 5m.
    pub(in crate::scenario) expires_after: Option<Field<Duration>>,
    /// Whether the queue is on disk. Default: true.
    pub(in crate::scenario) durable: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Reviewer"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawReviewer {
    /// The group's name.
    pub(in crate::scenario) name: At<String>,
    /// Reviewers in the group. Default: 1.
    pub(in crate::scenario) count: Option<Field<Whole>>,
    /// The pause before the next look into the queue. Default: 1s.
    pub(in crate::scenario) every: Option<Field<Duration>>,
    /// How long they think about each. Default: uniform from 2s to 10s.
    pub(in crate::scenario) think: Option<At<RawDelay>>,
    /// How likely they approve. Default: 90%.
    pub(in crate::scenario) approves: Option<Field<Probability>>,
}

/// The dashboard, node "dashboard": it follows all runners.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Dashboard"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawDashboard {
    /// Whether it says what it has when it connects again. Default: true.
    pub(in crate::scenario) resume: Option<bool>,
    /// After how long without a word a stream is given up. Default: 12s.
    pub(in crate::scenario) stale_after: Option<Field<Duration>>,
    /// So many failures in a row make widgets show an error. Default: 3.
    pub(in crate::scenario) failures: Option<Field<Whole>>,
    /// How often it looks into the queue of approvals. Default: 2s.
    pub(in crate::scenario) poll: Option<Field<Duration>>,
    /// How often it keeps its state. Default: 1s.
    pub(in crate::scenario) save_every: Option<Field<Duration>>,
    /// The store of the browser.
    pub(in crate::scenario) store: Option<RawStore>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Store"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawStore {
    /// How much there is room for. Default: 5MB.
    pub(in crate::scenario) quota: Option<Field<ByteSize>>,
    /// The part of it from which on there is a warning, and the oldest goes. Default: 80%.
    pub(in crate::scenario) warn: Option<Field<Probability>>,
    /// The least size of a state. Default: 0B.
    pub(in crate::scenario) state: Option<Field<ByteSize>>,
    /// What is in it from earlier days. Default: 0B.
    pub(in crate::scenario) filled: Option<Field<ByteSize>>,
    /// Whether the oldest goes. Default: true.
    pub(in crate::scenario) cleanup: Option<bool>,
}
