//! Sweeps: many seeds of some sims, what each came to, and the distinct failures among them.
//!
//! A sweep is a [`Plan`]. What becomes of it is lines of results: the plan, then for each run that it
//! was started, and what it came to. Lines come in any order, from any number of shards, and may come
//! twice; [`Merge`] puts them into the one order that they have. Failures that are alike have one
//! signature and are counted together by [`Tally`].
//!
//! Nothing here opens a file, starts a thread or reads a clock: `cli` does. What is read back is
//! hostile until it is parsed.
//!
//! Start at [`Plan`], then at [`Line`].

mod line;
mod measured;
mod merge;
mod plan;
mod ranges;
mod read;
mod shard;
mod tally;

pub use line::{
    BadLine, FinishedLine, Hex, Line, PlanLine, PlannedSim, RESULTS_VERSION, RunVerdict,
};
pub use line::{ShardLine, StartedLine};
pub use measured::Measured;
pub use merge::{Conflict, Merge, MergeError};
pub use plan::{Plan, PlanError, Task};
pub use ranges::Ranges;
pub use read::{Entry, LINE_BYTES_MAX, Lines, What};
pub use shard::{Shard, ShardError, from_environment};
pub use tally::{GROUPS_MAX, Group, GroupKey, Tally};
