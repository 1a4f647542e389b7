//! What the sidecar is asked from outside, and what it answers: requests as they are on the wire,
//! answers as values that can be put on it.
//!
//! An answer is not made into JSON for every reader: a context may have megabytes, and in a run
//! nobody would look at the text. [`Answer::to_response`] makes it when somebody does.

use std::rc::Rc;

use actix::Message;

use super::{
    context::ContextResponse,
    wire::{
        AgentState, CacheCleared, ErrorBody, EventsPage, Headers, Health, Published, Request,
        Response, ResultDeleted, ResultView, ResultsPage, Spawned, Status, StatusReply, Stored,
    },
};

/// Anyone to the sidecar: an HTTP request.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Answer")]
pub struct Ask(pub Rc<Request>);

/// The sidecar's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// How it went.
    pub status: Status,
    /// What else there is to say.
    pub headers: Headers,
    /// What it says.
    pub body: Reply,
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is named as the type that it holds, which has the docs")]
pub enum Reply {
    Health(Health),
    Status(StatusReply),
    Context(Rc<ContextResponse>),
    CacheCleared(CacheCleared),
    Stored(Stored),
    Result(Rc<ResultView>),
    Results(ResultsPage),
    Deleted(ResultDeleted),
    Published(Published),
    Events(EventsPage),
    Spawned(Spawned),
    Agent(AgentState),
    Fault(ErrorBody),
}

impl Answer {
    /// The answer as it is on the wire.
    pub fn to_response(&self) -> Response {
        let Answer { status, headers, body } = self;
        let mut response = match body {
            Reply::Health(body) => Response::json(*status, body),
            Reply::Status(body) => Response::json(*status, body),
            Reply::Context(body) => Response::json(*status, body),
            Reply::CacheCleared(body) => Response::json(*status, body),
            Reply::Stored(body) => Response::json(*status, body),
            Reply::Result(body) => Response::json(*status, body),
            Reply::Results(body) => Response::json(*status, body),
            Reply::Deleted(body) => Response::json(*status, body),
            Reply::Published(body) => Response::json(*status, body),
            Reply::Events(body) => Response::json(*status, body),
            Reply::Spawned(body) => Response::json(*status, body),
            Reply::Agent(body) => Response::json(*status, body),
            Reply::Fault(body) => Response::json(*status, body),
        };
        for (name, value) in headers.iter() {
            response.headers.add(name, value);
        }
        response
    }
}
