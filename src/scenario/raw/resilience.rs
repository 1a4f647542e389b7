//! The tables of the stack's configuration, and of what changes it, as written.
//!
//! Nothing here judges a value.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::scenario::field::{At, Field};
use crate::scenario::values::{ByteSize, Whole};

/// The stack's configuration, from which each operation gets its retries and its breakers.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Resilience"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawResilience {
    /// The preset that it builds on: simple, development or production.
    pub(in crate::scenario) preset: Option<At<String>>,
    /// The strategy of operations that have none: aggressive, balanced, conservative or critical.
    pub(in crate::scenario) strategy: Option<At<String>>,
    /// Values for all operations, as a configuration file writes them.
    pub(in crate::scenario) set: Option<At<Map<String, Value>>>,
    /// Values for single operations, as a configuration file writes them.
    #[serde(default)]
    pub(in crate::scenario) operations: BTreeMap<String, At<Map<String, Value>>>,
    /// A configuration file.
    pub(in crate::scenario) file: Option<At<RawConfigFile>>,
    /// The environment variables that the stack sees.
    pub(in crate::scenario) env: Option<At<BTreeMap<String, String>>>,
    /// Watches the configuration in use, and raises alerts: more than 5 % of loads that fail, 100 ms for
    /// a load, 10 changes in an hour, 10 % of checks that fail, and what is said here. Default: nobody does.
    pub(in crate::scenario) monitor: Option<RawConfigMonitor>,
    /// The host that the stack runs on, of which the environment may be detected. Default: none.
    pub(in crate::scenario) host: Option<At<String>>,
}

/// What else is too much for whoever watches the configuration.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "ConfigMonitor"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawConfigMonitor {
    /// How long an operation may take, but for the slowest twentieth. Default: as long as it likes.
    pub(in crate::scenario) response: Option<Field<Duration>>,
    /// Bytes that the requests in hand may hold, four for each token sent. Default: any number.
    pub(in crate::scenario) memory: Option<Field<ByteSize>>,
}

/// A configuration file.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "ConfigFile"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawConfigFile {
    /// What it is called. One that ends in .json is JSON, any other is TOML.
    pub(in crate::scenario) name: At<String>,
    /// What is in it. Default: what is in the file of that name, relative to the sim's.
    pub(in crate::scenario) text: Option<At<String>>,
}

/// A change of the configuration while the sim runs.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Change"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawChange {
    /// When it is asked for, in virtual time since the start.
    pub(in crate::scenario) at: Field<Duration>,
    /// How many such changes are asked for, each of them a change of its own. Default: 1.
    pub(in crate::scenario) times: Option<Field<Whole>>,
    /// How long after each the next one is asked for. Default: 1s.
    pub(in crate::scenario) every: Option<Field<Duration>>,
    /// Who asks: the name of a node. Default: operator.
    pub(in crate::scenario) by: Option<At<String>>,
    /// Another preset.
    pub(in crate::scenario) preset: Option<At<String>>,
    /// Another strategy for operations that have none.
    pub(in crate::scenario) strategy: Option<At<String>>,
    /// Values for all operations, as a configuration file writes them.
    pub(in crate::scenario) set: Option<At<Map<String, Value>>>,
    /// Values for single operations; one that is not known yet is registered.
    #[serde(default)]
    pub(in crate::scenario) operations: BTreeMap<String, At<Map<String, Value>>>,
    /// A file that takes the place of the one before; it may well be broken.
    pub(in crate::scenario) file: Option<At<RawConfigFile>>,
}
