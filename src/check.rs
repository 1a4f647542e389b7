//! What must hold: the expectations of a sim, and the checks that run in every sim.
//!
//! Checks watch a world's events as they happen and never change anything. A run in which no
//! check was evaluated is a failure: it would have passed whatever happened.

mod config;
mod days;
mod expect;
mod flows;
mod gateway;
mod guards;
mod healing;
mod linear;
mod metrics;
mod moments;
mod routing;
mod sidecar;
#[cfg(test)]
mod tests;
mod tracing;
mod watch;

use serde::Serialize;

#[cfg(feature = "cli")]
pub(crate) use expect::check_name;
pub use expect::metric_text;
pub use metrics::{Metrics, Outcomes, Usage};
pub use moments::{Moment, Moments};
pub use watch::{ALWAYS, Watch};

/// What became of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// Its name: one of [`ALWAYS`], or the expectation in short.
    pub check: String,
    /// Why it does not hold; `None` if it does.
    pub failure: Option<String>,
    /// How often it was evaluated.
    pub evaluated: u64,
}

impl CheckResult {
    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.failure.is_none()
    }
}
