//! The fault points of the stack: places in its code where a fault of a plan makes something go
//! wrong that no fault from outside can. Each is passed with `Env::fault_point`.

/// The router has an answer, and the connection to the agent breaks before it is passed on.
pub(super) const ANSWER_LOST: &str = "router/answer_lost";
/// The router cannot send a request to a model: the attempt breaks off at once.
pub(super) const NOT_SENT: &str = "router/not_sent";
/// A backend takes a request and never answers it.
pub(super) const SWALLOWED: &str = "backend/swallowed";
/// A service takes a call, and the connection breaks.
pub(super) const CALL_RESET: &str = "service/call_reset";

/// Every fault point of the stack, by name.
pub const FAULT_POINTS: [&str; 4] = [ANSWER_LOST, NOT_SENT, SWALLOWED, CALL_RESET];
