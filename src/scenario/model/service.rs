//! What goes wrong with a service by plan.

use super::CallErrors;
use crate::world::Delay;

/// The trouble that a service has; at least one of the last five is set.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceFault {
    /// The service.
    pub name: String,
    /// The one operation that it is about; `None` for all.
    pub operation: Option<String>,
    /// It answers that it is not available, until it is healed.
    pub down: bool,
    /// It answers nothing.
    pub hang: bool,
    /// Connections that break when the fault fires.
    pub lose_connections: Option<Connections>,
    /// Its errors, in place of its own.
    pub errors: Option<CallErrors>,
    /// Its latency, in place of its own.
    pub latency: Option<Delay>,
}

/// Connections that break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// All of the pool.
    All,
    /// So many, at least 1.
    Some(u32),
}
