//! Errors as the contract has them: a status, a code, and what is at fault.
//!
//! The contract names the codes. Of each pair the first says that the request is at fault, the
//! second that the sidecar cannot do it now.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::RequestId;

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $number:literal $slug:literal,)*) => {
        /// HTTP's word for how it went.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Status {$(
            $(#[$doc])*
            $name,
        )*}

        impl Status {
            /// HTTP's number.
            pub const fn as_u16(self) -> u16 {
                match self {
                    $(Status::$name => $number,)*
                }
            }

            /// What an error of this status is called in `error`.
            pub const fn slug(self) -> &'static str {
                match self {
                    $(Status::$name => $slug,)*
                }
            }
        }
    };
}

statuses! {
    /// Done.
    Ok = 200 "ok",
    /// Something was made.
    Created = 201 "created",
    /// It will be done.
    Accepted = 202 "accepted",
    /// The request makes no sense.
    BadRequest = 400 "bad_request",
    /// Who is there?
    Unauthorized = 401 "unauthorized",
    /// Known, but not allowed to.
    Forbidden = 403 "forbidden",
    /// There is none.
    NotFound = 404 "not_found",
    /// The path is known, what to do with it is not.
    MethodNotAllowed = 405 "method_not_allowed",
    /// It contradicts what is there.
    Conflict = 409 "conflict",
    /// More than is read.
    TooLarge = 413 "payload_too_large",
    /// A path longer than is read.
    UriTooLong = 414 "uri_too_long",
    /// Over the rate limit.
    TooManyRequests = 429 "rate_limited",
    /// The sidecar's own fault.
    Internal = 500 "internal_error",
    /// Not now.
    Unavailable = 503 "service_unavailable",
    /// The disk is full.
    StorageFull = 507 "insufficient_storage",
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_u16())
    }
}

/// Codes of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Code {
    /// No token, or none that can be believed.
    #[serde(rename = "AUTH_001")]
    Token,
    /// A token that is not valid at this time.
    #[serde(rename = "AUTH_002")]
    TokenTime,
    /// Not allowed to.
    #[serde(rename = "AUTH_003")]
    NotAllowed,
    /// A context that nobody can ask for.
    #[serde(rename = "CTX_001")]
    Context,
    /// A context that is too large.
    #[serde(rename = "CTX_002")]
    ContextTooLarge,
    /// An event, or a wait for one, that is not valid.
    #[serde(rename = "EVT_001")]
    Event,
    /// The event bus cannot take it.
    #[serde(rename = "EVT_002")]
    EventBus,
    /// A result that is not valid, or is not there.
    #[serde(rename = "STR_001")]
    Result,
    /// The storage cannot do it.
    #[serde(rename = "STR_002")]
    Storage,
    /// An agent that is not valid, or is not there.
    #[serde(rename = "AGT_001")]
    Agent,
    /// An agent cannot be started.
    #[serde(rename = "AGT_002")]
    Spawn,
    /// Over the rate limit.
    #[serde(rename = "RATE_001")]
    Rate,
    /// No such path or method, or a request that belongs to no route. The contract has no code
    /// for these.
    #[serde(rename = "HTTP_001")]
    Http,
}

impl Code {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::Token => "AUTH_001",
            Code::TokenTime => "AUTH_002",
            Code::NotAllowed => "AUTH_003",
            Code::Context => "CTX_001",
            Code::ContextTooLarge => "CTX_002",
            Code::Event => "EVT_001",
            Code::EventBus => "EVT_002",
            Code::Result => "STR_001",
            Code::Storage => "STR_002",
            Code::Agent => "AGT_001",
            Code::Spawn => "AGT_002",
            Code::Rate => "RATE_001",
            Code::Http => "HTTP_001",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a request is refused. It never repeats what the caller sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} {code}: {message}")]
pub struct Fault {
    /// HTTP's word for it.
    pub status: Status,
    /// The contract's.
    pub code: Code,
    /// For people.
    pub message: String,
    /// Which field is at fault, if one is: `body.result.status`, `path.issue_id`, `query.since`.
    pub field: Option<String>,
    /// In how many whole seconds to try again, if that helps.
    pub retry_after_seconds: Option<u64>,
    /// The limit that was exceeded.
    pub limit: Option<u64>,
}

impl Fault {
    /// A fault without details.
    pub fn new(status: Status, code: Code, message: impl Into<String>) -> Fault {
        let message = message.into();
        Fault { status, code, message, field: None, retry_after_seconds: None, limit: None }
    }

    /// A field is at fault: `400`.
    pub fn field(code: Code, field: impl Into<String>, reason: impl fmt::Display) -> Fault {
        let field = field.into();
        let message = format!("`{field}` {reason}");
        Fault { field: Some(field), ..Fault::new(Status::BadRequest, code, message) }
    }

    /// More bytes than are read.
    pub fn too_large(code: Code, limit: usize) -> Fault {
        let message = format!("the body has more than {limit} bytes");
        Fault {
            field: Some("body".to_owned()),
            limit: u64::try_from(limit).ok(),
            ..Fault::new(Status::TooLarge, code, message)
        }
    }

    /// Over a limit of so many a minute; permits are free in `wait`, which is rounded up to whole
    /// seconds, at least one.
    pub fn rate(limit: u64, wait: Duration) -> Fault {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let seconds = seconds.max(1);
        let message = format!("over {limit} requests a minute; try again in {seconds} s");
        Fault {
            retry_after_seconds: Some(seconds),
            limit: Some(limit),
            ..Fault::new(Status::TooManyRequests, Code::Rate, message)
        }
    }

    /// What the response says.
    pub fn body(&self, at: Timestamp, request: &RequestId) -> ErrorBody {
        let mut details = Map::new();
        if let Some(field) = &self.field {
            details.insert("field".to_owned(), Value::from(field.as_str()));
        }
        if let Some(seconds) = self.retry_after_seconds {
            details.insert("retry_after_seconds".to_owned(), Value::from(seconds));
        }
        if let Some(limit) = self.limit {
            details.insert("limit".to_owned(), Value::from(limit));
        }
        ErrorBody {
            error: self.status.slug().to_owned(),
            message: self.message.clone(),
            code: self.code,
            details,
            timestamp: at,
            request_id: request.clone(),
        }
    }
}

/// The body of an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What kind of error, by its status.
    pub error: String,
    /// For people.
    pub message: String,
    /// The contract's code.
    pub code: Code,
    /// `field`; for a rate limit `retry_after_seconds` and `limit`.
    #[serde(default)]
    pub details: Map<String, Value>,
    /// When, by the sidecar's clock.
    pub timestamp: Timestamp,
    /// Which request.
    pub request_id: RequestId,
}
