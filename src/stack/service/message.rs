//! What is said to a service: calls, healing, and what happens to its connections.

use std::rc::Rc;

use actix::Message;

use crate::{policy::health::HealResult, stack::tracer::TraceHeader};

/// Caller to service: do this.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), ServiceError>")]
pub struct Call {
    /// What.
    pub operation: Rc<str>,
    /// The `traceparent` of the call.
    pub trace: TraceHeader,
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

impl ServiceError {
    /// Its name in spans.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ServiceError::Unavailable => "unavailable",
            ServiceError::Failed => "failed",
            ServiceError::PoolExhausted => "pool_exhausted",
            ServiceError::ConnectionLost => "connection_lost",
        }
    }
}

/// Monitor to service: become well.
#[derive(Clone, Debug, Default, Message, PartialEq, Eq)]
#[rtype(result = "HealResult")]
pub struct Heal {
    /// The `traceparent` of the call.
    pub trace: TraceHeader,
}

/// So many connections break. Comes from the plan of faults, past all links.
#[derive(Clone, Copy, Debug, Message, PartialEq, Eq)]
#[rtype(result = "()")]
pub struct LoseConnections(pub u32);

/// What broke the connections is over. Comes from the plan of faults, past all links.
#[derive(Clone, Copy, Debug, Message, PartialEq, Eq)]
#[rtype(result = "()")]
pub struct Reconnect;
