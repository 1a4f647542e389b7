//! Pure decisions. Time and randomness come in as arguments: no actor, no I/O, no state of its own
//! that its caller cannot see.

pub mod approval;
pub mod breaker;
pub mod budget;
pub mod bulkhead;
pub mod classify;
pub mod deadline;
pub mod health;
pub mod hedge;
pub mod limit;
pub mod meter;
pub mod outlier;
pub mod profile;
pub mod progress;
pub mod quota;
mod retry;
pub mod retry_after;
pub mod select;
pub mod store;
pub mod trace_context;
pub mod widget;
pub mod window;

pub use retry::{Growth, Jitter, Preset, Retry};
