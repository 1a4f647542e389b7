//! What runs come to, as texts for people and documents for machines.
//!
//! Everything here turns values into text; nothing here runs a sim, judges one, or decides what
//! must hold. Text that goes into a snapshot is the same on every machine and in every build.
//!
//! Start at [`Finished`] for what is reported, at [`snapshot`] for what is committed.

#[cfg(feature = "cli")]
pub mod compare;
pub mod document;
pub mod event;
#[cfg(feature = "cli")]
pub mod github;
#[cfg(feature = "cli")]
pub mod html;
#[cfg(feature = "cli")]
pub mod junit;
#[cfg(feature = "cli")]
pub mod log;
#[cfg(feature = "cli")]
pub mod metrics;
pub mod snapshot;
#[cfg(feature = "cli")]
pub mod table;
#[cfg(feature = "cli")]
pub mod text;

use std::time::Duration;

use crate::explore::{SimRun, Verdict};

/// One run, and what is said of it besides.
#[derive(Clone, Debug)]
pub struct Finished {
    /// What the run came to.
    pub run: SimRun,
    /// Whether that is what its sim must come to.
    pub verdict: Verdict,
    /// How long it took on this machine. Never part of anything that is compared.
    pub wall: Duration,
    /// The command that runs it again.
    pub replay: String,
}

impl Finished {
    /// Why the run is not as it must be or, of a canary, how it failed as it must; one line each.
    pub fn reasons(&self) -> Vec<String> {
        match &self.verdict {
            Verdict::Passed | Verdict::DivergedAsItMust => Vec::new(),
            Verdict::FailedAsItMust => self.run.failures(),
            Verdict::Failed { reasons } => reasons.clone(),
        }
    }
}
