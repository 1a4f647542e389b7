//! What is kept of a run for later: the log of its events, its spans for tools that show them, and its
//! metrics as Prometheus text.
//!
//! Nothing here takes part in a run. An observer sees events and cannot change any, and what goes
//! wrong while writing is told at the end, never to the world.

mod log;
#[cfg(feature = "cli")]
pub mod metrics;
#[cfg(feature = "cli")]
mod otlp;
mod perfetto;
mod spans;

pub use log::{LINE_BYTES_MAX, LogError, LogHeader, LogReader, LogWriter};
#[cfg(feature = "cli")]
pub use otlp::otlp;
pub use perfetto::PerfettoWriter;
pub use spans::{SpanRecord, Spans};
