//! A circuit breaker: one state machine, whose settings make it behave as well-known ones do.

/// The state of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Calls go through.
    Closed,
}
