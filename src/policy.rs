//! Pure decisions. Time and randomness come in as arguments: no actor, no I/O, no state of its own
//! that its caller cannot see.

mod retry;

pub use retry::{Jitter, Retry};
