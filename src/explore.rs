//! Running sims: one seed of one sim, and whether it came to what it must.

mod run;

pub use run::{FaultLine, Options, RunError, SimRun, Verdict, judge, simulate};
