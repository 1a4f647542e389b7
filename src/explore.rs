//! Running sims: one seed of one sim, and whether it came to what it must.

mod run;
#[cfg(feature = "cli")]
pub mod shrink;
mod signature;
mod verify;

pub use run::{FaultLine, Options, RunError, SimRun, Verdict, judge, simulate};
pub use signature::Signature;
pub use verify::{Difference, Witness, difference_from, first_difference};
