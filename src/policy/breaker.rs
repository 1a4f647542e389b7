//! A circuit breaker: one state machine, whose settings make it behave as well-known ones do.
