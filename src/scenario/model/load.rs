//! Where requests come from when agents do not simply loop.

use std::path::PathBuf;
use std::time::Duration;

use crate::scenario::span::Spanned;

/// A load from outside the agents' own loops.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// Arrivals at random, independent of each other.
    Poisson {
        /// Mean arrivals in 1 000 seconds, at least 1.
        per_kilosecond: u64,
        /// How long they go on.
        r#for: Duration,
    },
    /// Arrivals whose rate goes linearly from stage to stage, starting at 0.
    Stages(Vec<Stage>),
    /// The requests of a recorded trace, read with `TraceReader`.
    Trace {
        /// The file, its path resolved against the sim's own.
        file: PathBuf,
        /// The path as written in the sim.
        trace: Spanned<String>,
        /// By how many thousandths the trace's times are multiplied, at least 1.
        scale_permille: u64,
        /// How many requests are read at most.
        limit: Option<u64>,
    },
}

/// One stage of a ramp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// How long it takes.
    pub r#for: Duration,
    /// The rate at its end, in arrivals per 1 000 seconds; 0 is silence.
    pub to_per_kilosecond: u64,
}
