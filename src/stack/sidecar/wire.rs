//! The sidecar's HTTP contract as types: what comes in, what goes out, and what is refused.
//!
//! A [`Request`] becomes a [`Call`] or a [`Fault`]; a reply becomes a [`Response`]. The JSON of the
//! types in `reply` and of the bodies in `call` is the wire format. Nothing here decides anything
//! about stored data, and nothing that comes in is trusted: sizes are looked at before contents,
//! ids before they are part of a path.
//!
//! Start at [`Call::read`], then `route` (paths), `query` (what stands behind the `?`), `body`
//! (fields of JSON), `fault` (errors and their codes), `id` and `agent` (the words of the contract).

mod agent;
mod body;
mod call;
mod fault;
mod id;
mod query;
mod reply;
mod route;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::Serialize;

pub(in crate::stack::sidecar) use self::id::Made;
pub use self::{
    agent::{AgentType, Permission, Role, Topic},
    body::Body,
    call::{Call, NewResult, PublishEvent, ResultQuery, ResultStatus, SpawnAgent, WaitForEvents},
    fault::{Code, ErrorBody, Fault, Status},
    id::{AgentId, BadId, Cursor, EventId, EventType, IssueId, ProjectId, RequestId, ResultId},
    query::Filter,
    reply::{
        AgentState, AgentsStatus, CacheCleared, EventView, EventsPage, EventsStatus, Health,
        HealthChecks, NextAgent, PerformanceStatus, Published, ResultDeleted, ResultView,
        ResultsPage, Spawned, StatusReply, StorageStatus, Stored,
    },
    route::Route,
};

/// How much a request may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body. 2 MiB, as axum's `DefaultBodyLimit` has it.
    pub body: usize,
    /// Bytes of a path with its query. 8 KiB, the usual limit of servers for a request line.
    pub path: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { body: 2 * 1024 * 1024, path: 8 * 1024 }
    }
}

/// What a request wants to do with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Make something.
    Post,
    /// Remove.
    Delete,
}

impl Method {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        }
    }
}

/// Names and values, in the order of the wire. Names are compared without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// None.
    pub const fn new() -> Headers {
        Headers(Vec::new())
    }

    /// Adds one; those of the same name stay.
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// All values of this name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let same = move |header: &&(String, String)| header.0.eq_ignore_ascii_case(name);
        self.0.iter().filter(same).map(|(_, value)| value.as_str())
    }

    /// The value of this name; none if there is none or more than one.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.all(name);
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A request as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// With what: percent-encoded, with its query.
    pub path: String,
    /// What else the caller says.
    pub headers: Headers,
    /// The body, as far as it was read.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, path: impl Into<String>) -> Request {
        Request { method, path: path.into(), headers: Headers::new(), body: Vec::new() }
    }

    /// The same with this header added.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.add(name, value);
        self
    }

    /// The same with this bearer token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Request {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// The same with this as its JSON body. What cannot be JSON becomes an empty body.
    #[must_use]
    pub fn json(mut self, body: &impl Serialize) -> Request {
        self.body = serde_json::to_vec(body).unwrap_or_default();
        self.header("Content-Type", "application/json")
    }

    /// By what name the caller knows the request, if it gave a usable one in `X-Request-Id`.
    pub fn id(&self) -> Option<RequestId> {
        self.headers.get("X-Request-Id").and_then(|id| RequestId::new(id).ok())
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// How it went.
    pub status: Status,
    /// What else there is to say.
    pub headers: Headers,
    /// JSON.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer with this JSON. What cannot be JSON becomes an internal error without details.
    pub fn json(status: Status, body: &impl Serialize) -> Response {
        let mut headers = Headers::new();
        headers.add("Content-Type", "application/json");
        match serde_json::to_vec(body) {
            Ok(body) => Response { status, headers, body },
            Err(_) => Response { status: Status::Internal, headers, body: Vec::new() },
        }
    }

    /// The answer that says this fault.
    pub fn fault(fault: &Fault, at: Timestamp, request: &RequestId) -> Response {
        let mut response = Response::json(fault.status, &fault.body(at, request));
        response.headers.add("X-Request-Id", request.as_str());
        if let Some(seconds) = fault.retry_after_seconds {
            response.headers.add("Retry-After", seconds.to_string());
        }
        response
    }
}
