//! What is said to a service: calls, healing, and what happens to its connections.

use std::rc::Rc;

use actix::Message;

use crate::policy::health::HealResult;

/// Caller to service: do this.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), ServiceError>")]
pub struct Call {
    /// What.
    pub operation: Rc<str>,
}

/// Why a service did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// The service is down.
    #[error("the service is not available")]
    Unavailable,
    /// It went wrong.
    #[error("the call failed")]
    Failed,
    /// No connection became free in time.
    #[error("no connection is free")]
    PoolExhausted,
    /// There is no connection, or it broke.
    #[error("the connection is lost")]
    ConnectionLost,
}

/// Monitor to service: become well.
#[derive(Clone, Copy, Debug, Message, PartialEq, Eq)]
#[rtype(result = "HealResult")]
pub struct Heal;

/// So many connections break. Comes from the plan of faults, past all links.
#[derive(Clone, Copy, Debug, Message, PartialEq, Eq)]
#[rtype(result = "()")]
pub struct LoseConnections(pub u32);

/// What broke the connections is over. Comes from the plan of faults, past all links.
#[derive(Clone, Copy, Debug, Message, PartialEq, Eq)]
#[rtype(result = "()")]
pub struct Reconnect;
