//! Running sims: one seed of one sim, and whether it came to what it must.

mod reached;
mod run;
mod verify;

pub use reached::{Reached, ReachedByAny};
pub use run::{FaultLine, Options, RunError, SimRun, Verdict, judge, simulate};
pub use verify::{Difference, Witness, difference_from, first_difference};
