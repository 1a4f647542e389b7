//! Who changes the configuration of the router, and when.

use std::time::Duration;

use crate::config::audit::Change;

/// An operator, on a node of its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    /// Its name.
    pub name: String,
    /// What it asks for, in this order.
    pub changes: Vec<DueChange>,
}

/// A change, and when it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct DueChange {
    /// When; later if the one before is not settled by then.
    pub at: Duration,
    /// What.
    pub change: Change,
}
