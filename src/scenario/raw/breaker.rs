//! The table of a circuit breaker, as written; the router's and the callers' are alike.
//!
//! Nothing here judges a value.

use std::time::Duration;

use serde::Deserialize;

use crate::policy::breaker::Dialect;
use crate::scenario::field::{At, Field};
use crate::scenario::values::{ScalePermille, Whole};
use crate::world::Probability;

/// A circuit breaker. What is not set is as in the library whose dialect it has; no dialect has all
/// keys.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Breaker"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawBreaker {
    /// Whose behaviour it has. Default: resilience4j.
    pub(in crate::scenario) dialect: Option<Dialect>,
    /// The calls that it looks at.
    pub(in crate::scenario) window: Option<At<RawWindow>>,
    /// It opens at this rate of failures.
    pub(in crate::scenario) failure_rate: Option<Field<Probability>>,
    /// Below so many calls in the window it does not open by a rate.
    pub(in crate::scenario) minimum_calls: Option<Field<Whole>>,
    /// It opens at so many failures in the window.
    pub(in crate::scenario) failures: Option<Field<Whole>>,
    /// It opens at so many failures in a row.
    pub(in crate::scenario) consecutive_failures: Option<Field<Whole>>,
    /// A call that takes longer is slow.
    pub(in crate::scenario) slow_call: Option<Field<Duration>>,
    /// It opens at this rate of slow calls.
    pub(in crate::scenario) slow_rate: Option<Field<Probability>>,
    /// How long it stays open.
    pub(in crate::scenario) open_for: Option<Field<Duration>>,
    /// By what that grows with each opening in a row.
    pub(in crate::scenario) open_factor: Option<Field<ScalePermille>>,
    /// The longest that it stays open.
    pub(in crate::scenario) open_max: Option<Field<Duration>>,
    /// Calls that may try while it is half-open.
    pub(in crate::scenario) probes: Option<Field<Whole>>,
    /// Successes that close it.
    pub(in crate::scenario) successes: Option<Field<Whole>>,
    /// After how long half-open it opens again. Default: never.
    pub(in crate::scenario) half_open_max: Option<Field<Duration>>,
}

/// The calls that a breaker looks at: exactly one of the two.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(extend("minProperties" = 1, "maxProperties" = 1)))]
#[cfg_attr(feature = "cli", schemars(rename = "BreakerWindow"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawWindow {
    /// The last so many.
    pub(in crate::scenario) calls: Option<Field<Whole>>,
    /// Those of the last while.
    pub(in crate::scenario) time: Option<Field<Duration>>,
}

#[cfg(feature = "cli")]
impl schemars::JsonSchema for Dialect {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Dialect".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": Dialect::ALL.map(Dialect::as_str) })
    }
}
