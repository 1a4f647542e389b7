//! Running sims: one seed of one sim, whether it came to what it must, and sweeps over many seeds.

mod run;
pub mod sweep;
mod verify;

pub use run::{FaultLine, Options, RunError, SimRun, Verdict, judge, simulate};
pub use verify::{Difference, Witness, difference_from, first_difference};
