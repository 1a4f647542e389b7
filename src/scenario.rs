//! Sims: what a stack consists of, what loads it, what breaks, and what must come of it.
//!
//! A sim is a TOML file. `parse` and `load` turn one into a [`Sim`], or into a [`ScenarioError`] that
//! points at every problem and says what to do instead. Traces of real requests are read by
//! [`TraceReader`].
//!
//! This module never runs anything, draws nothing from a seed and reads no clock: the same text gives
//! the same [`Sim`] everywhere. It may use `world`'s plain types and knows nothing of the layers
//! above it.
//!
//! Start at [`model`](Sim) for the types, at `raw` for the syntax, at `build` for what is checked.

mod build;
mod chaos;
mod error;
mod expand;
mod field;
mod files;
mod model;
mod names;
#[cfg(feature = "cli")]
mod plan;
mod raw;
mod requirements;
#[cfg(feature = "cli")]
mod schema;
mod span;
#[cfg(test)]
mod tests;
mod trace;
mod units;
mod values;
mod vocabulary;

pub use error::{Problem, ScenarioError};
pub use expand::{TraceState, expand};
pub use files::{find, load};
pub use model::{
    Acts, AgentGroup, Approvals, Asked, AskerGroup, Backend, Badge, Baseline, Bound, Bounds,
    BreakerPer, CallErrors, CallerGroup, Chaos, ChaosKind, CheckMode, CheckOff, Checks,
    ClientGroup, Connections, Dashboard, ErrorMix, EventMatch, Expectation, Fault, FaultKind,
    FieldValue, Heal, HealWorks, Healing, Jitter, Leak, Link, Load, Monitor, Must, Operator, Pace,
    Partition, Points, Pool, Project, Provider, Retry, RetryAfter, ReviewerGroup, Router,
    RunnerGroup, Selector, Service, ServiceFault, ServiceKind, Sidecar, Sim, Stage, Step, Store,
    Streaming, SubscriberGroup, Task, TokenKind, Tokens, Told, Tracing, Wanted, Window, Workspace,
};
pub(crate) use names::{FNV, fnv};
#[cfg(feature = "cli")]
pub(crate) use names::{NODE_LISTS, NODE_TABLES};
#[cfg(feature = "cli")]
pub use plan::{PlanError, plan_text};
pub use requirements::{Requirement, load_requirements, parse_requirements, unknown_rows};
#[cfg(feature = "cli")]
pub use schema::{schema, schema_text};
pub use span::{Source, Spanned};
pub use trace::{TraceError, TraceReader, TraceRow};
pub use units::{
    DURATION_MAX, PPM, UnitError, duration_text, parse_duration, parse_probability, parse_ratio,
    parse_signed_duration,
};
pub use vocabulary::{EVENTS, EventName, METRICS, Metric, MetricUnit, metric};

/// The longest text that is read as a sim, in bytes.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// Reads a sim from its text.
///
/// `name` is the file's path: messages show it, the sim's name is made from it, and a trace's path
/// is relative to it. No file is touched, so a configuration must be in the text ([`load`] reads one
/// beside it).
///
/// # Errors
///
/// [`ScenarioError::TooLarge`] above [`TEXT_BYTES_MAX`]; [`ScenarioError::Invalid`] with every problem
/// of the text otherwise.
pub fn parse(name: &str, text: &str) -> Result<Sim, ScenarioError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(ScenarioError::TooLarge { name: name.to_owned() });
    }
    build::sim(name, text, None)
}
