//! What errors look like over the wire, provider by provider, and how they are read.
//!
//! Statuses, types and codes are those of the providers' documentation: Anthropic's pages on errors
//! and OpenAI's on error codes. Where these say nothing (408, 409) the name is what the field calls
//! it. Messages are our own, but for the words that clients look for. An id is made of the request's
//! own, never drawn.
//!
//! Start at [`Problem::http`] and [`read_error`]; `headers` has Retry-After and the rate limits.

mod headers;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::Value;

use super::{
    message::HttpError,
    settings::{ErrorKind, Provider},
};
use crate::{policy::meter::Meter, stack::RequestId};

pub(super) use headers::{limits, retry_after, true_retry_after};

/// An error that is to go over the wire.
#[derive(Clone, Copy)]
pub(super) struct Problem<'a> {
    pub(super) provider: Provider,
    pub(super) kind: ErrorKind,
    /// The meter that stands in the way, if one does.
    pub(super) meter: Option<Meter>,
    pub(super) model: &'a str,
    pub(super) request: &'a RequestId,
}

/// What distinguishes one error of a provider from the others.
struct Shape {
    status: u16,
    /// Empty where the provider has none.
    error_type: &'static str,
    /// Empty where the provider sends null, or has none.
    code: &'static str,
}

const fn shape(status: u16, error_type: &'static str, code: &'static str) -> Shape {
    Shape { status, error_type, code }
}

impl Problem<'_> {
    /// The status, the body, and the header that names the request.
    pub(super) fn http(&self) -> HttpError {
        let headers = match self.provider {
            Provider::Anthropic => vec![("request-id", self.id())],
            Provider::Openai => vec![("x-request-id", self.id())],
            Provider::Generic => Vec::new(),
        };
        HttpError { status: self.shape().status, headers, body: self.body() }
    }

    /// The body alone, as it comes in a stream after HTTP 200.
    pub(super) fn body(&self) -> String {
        let Shape { error_type, code, .. } = self.shape();
        let message = &*self.message();
        let body = match self.provider {
            Provider::Anthropic => serde_json::to_string(&AnthropicBody {
                r#type: "error",
                error: AnthropicError { r#type: error_type, message },
                request_id: self.id(),
            }),
            Provider::Openai => {
                let code = Some(code).filter(|code| !code.is_empty());
                let error = OpenaiError { message, r#type: error_type, param: None, code };
                serde_json::to_string(&Body { error })
            }
            Provider::Generic => {
                serde_json::to_string(&Body { error: GenericError { code, message } })
            }
        };
        body.unwrap_or_default()
    }

    fn id(&self) -> String {
        let RequestId { agent, number } = self.request;
        format!("req_{agent}-{number}")
    }

    fn shape(&self) -> Shape {
        match self.provider {
            Provider::Anthropic => anthropic(self.kind),
            Provider::Openai => openai(self.kind, self.meter),
            Provider::Generic => generic(self.kind),
        }
    }

    fn message(&self) -> String {
        let text = match self.kind {
            ErrorKind::RateLimited => {
                let meter = self.meter.map_or("requests", Meter::as_str);
                return format!("rate limit of {meter} per minute reached for {}", self.model);
            }
            ErrorKind::NotFound => return format!("model not found: {}", self.model),
            ErrorKind::Overloaded
            | ErrorKind::AcceptedThenOverloaded
            | ErrorKind::ErrorInStream => "overloaded, try again later",
            ErrorKind::BadRequest => "the request is not valid",
            ErrorKind::Credential => "the API key is not valid",
            ErrorKind::Forbidden => "not allowed for this account",
            ErrorKind::Timeout => "the request took too long",
            ErrorKind::Conflict => "the request conflicts with another one",
            // Nothing but these words tells Anthropic's apart from any bad request.
            ErrorKind::Quota => "the credit balance of this account is too low",
            _ => "internal error",
        };
        text.to_owned()
    }
}

fn anthropic(kind: ErrorKind) -> Shape {
    match kind {
        ErrorKind::RateLimited => shape(429, "rate_limit_error", ""),
        ErrorKind::Overloaded | ErrorKind::AcceptedThenOverloaded | ErrorKind::ErrorInStream => {
            shape(529, "overloaded_error", "")
        }
        ErrorKind::BadRequest | ErrorKind::Quota => shape(400, "invalid_request_error", ""),
        ErrorKind::Credential => shape(401, "authentication_error", ""),
        ErrorKind::Forbidden => shape(403, "permission_error", ""),
        ErrorKind::NotFound => shape(404, "not_found_error", ""),
        ErrorKind::Timeout => shape(408, "timeout_error", ""),
        ErrorKind::Conflict => shape(409, "conflict_error", ""),
        _ => shape(500, "api_error", ""),
    }
}

fn openai(kind: ErrorKind, meter: Option<Meter>) -> Shape {
    match kind {
        ErrorKind::RateLimited => {
            let error_type = if meter.is_none_or(|meter| meter == Meter::Requests) {
                "requests"
            } else {
                "tokens"
            };
            shape(429, error_type, "rate_limit_exceeded")
        }
        ErrorKind::Overloaded | ErrorKind::AcceptedThenOverloaded | ErrorKind::ErrorInStream => {
            shape(503, "server_error", "server_is_overloaded")
        }
        ErrorKind::BadRequest => shape(400, "invalid_request_error", ""),
        ErrorKind::Credential => shape(401, "invalid_request_error", "invalid_api_key"),
        ErrorKind::Forbidden => {
            shape(403, "request_forbidden", "unsupported_country_region_territory")
        }
        ErrorKind::NotFound => shape(404, "invalid_request_error", "model_not_found"),
        ErrorKind::Timeout => shape(408, "timeout", "request_timeout"),
        ErrorKind::Conflict => shape(409, "conflict", "conflict"),
        ErrorKind::Quota => shape(429, "insufficient_quota", "insufficient_quota"),
        _ => shape(500, "server_error", ""),
    }
}

fn generic(kind: ErrorKind) -> Shape {
    match kind {
        ErrorKind::RateLimited => shape(429, "", "too_many_requests"),
        ErrorKind::Overloaded | ErrorKind::AcceptedThenOverloaded | ErrorKind::ErrorInStream => {
            shape(503, "", "overloaded")
        }
        ErrorKind::BadRequest => shape(400, "", "bad_request"),
        ErrorKind::Credential => shape(401, "", "unauthorized"),
        ErrorKind::Quota => shape(402, "", "payment_required"),
        ErrorKind::Forbidden => shape(403, "", "forbidden"),
        ErrorKind::NotFound => shape(404, "", "not_found"),
        ErrorKind::Timeout => shape(408, "", "request_timeout"),
        ErrorKind::Conflict => shape(409, "", "conflict"),
        _ => shape(500, "", "internal_error"),
    }
}

#[derive(Serialize)]
struct AnthropicBody<'a> {
    r#type: &'a str,
    error: AnthropicError<'a>,
    request_id: String,
}

#[derive(Serialize)]
struct AnthropicError<'a> {
    r#type: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct Body<E> {
    error: E,
}

#[derive(Serialize)]
struct OpenaiError<'a> {
    message: &'a str,
    r#type: &'a str,
    param: Option<&'a str>,
    code: Option<&'a str>,
}

#[derive(Serialize)]
struct GenericError<'a> {
    code: &'a str,
    message: &'a str,
}

/// What a body says; empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorParts {
    /// The kind, by its type.
    pub error_type: String,
    /// The kind, by its code.
    pub code: String,
    /// What it says to people.
    pub message: String,
}

/// The longest body that is read, in bytes: an error of a model's provider is far shorter.
const BODY_MAX: usize = 64 * 1024;
/// The longest part that is kept, in characters.
const PART_MAX: usize = 1024;

/// Reads an error. A body that is too long or not what it should be has empty parts.
#[must_use]
pub fn read_error(provider: Provider, error: &HttpError) -> ErrorParts {
    read_error_body(provider, &error.body)
}

/// As [`read_error`], for the body of an error event in a stream.
#[must_use]
pub fn read_error_body(provider: Provider, body: &str) -> ErrorParts {
    if body.len() > BODY_MAX {
        return ErrorParts::default();
    }
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |key: &str| match &body["error"][key] {
        Value::String(text) => text.chars().take(PART_MAX).collect(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    // Anthropic's errors have no codes: one that is there was put in by somebody on the way.
    let code = if provider == Provider::Anthropic { String::new() } else { text("code") };
    ErrorParts { error_type: text("type"), code, message: text("message") }
}
