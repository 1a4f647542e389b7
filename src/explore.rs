//! Running sims: one seed of one sim, whether it came to what it must, and sweeps over many seeds;
//! failures made smaller, told apart and kept.

pub mod compare;
mod corpus;
#[cfg(feature = "cli")]
mod counterfactual;
#[cfg(feature = "cli")]
mod document;
mod explain;
mod history;
mod reached;
mod run;
#[cfg(feature = "cli")]
pub mod shrink;
mod signature;
pub mod sweep;
mod verify;

pub use corpus::{CANARY, CORPUS_FILE_BYTES_MAX, Found, FoundError, Known, known, read_corpus};
#[cfg(feature = "cli")]
pub use counterfactual::{Glance, Without, without_each_fault};
#[cfg(feature = "cli")]
pub(crate) use document::reprinted;
pub use explain::{Explanation, Origin, Side, explain};
pub use history::{EVENTS_KEPT_MAX, History, StackState, recorded};
pub use reached::{Reached, ReachedByAny};
pub use run::{FaultLine, Options, RunError, SimRun, Verdict, judge, simulate};
pub use signature::{Blame, Signature};
pub use verify::{Difference, Witness, difference_from, first_difference};
