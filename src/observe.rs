//! What is kept of a run for later: the log of its events, and its metrics as Prometheus text.
//!
//! Nothing here takes part in a run. An observer sees events and cannot change any, and what goes
//! wrong while writing is told at the end, never to the world.

mod log;
#[cfg(feature = "cli")]
pub mod metrics;

pub use log::{LINE_BYTES_MAX, LogError, LogHeader, LogReader, LogWriter};
