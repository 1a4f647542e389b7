//! What a model backend is told: how fast it is, what it lets through, what goes wrong with it.

use std::time::Duration;

use serde::Deserialize;

use crate::{
    policy::{classify, meter},
    world::{Delay, Probability, Stream},
};

/// A model backend, a node of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Backend {
    /// Its name, and its node's.
    pub name: String,
    /// Whose API and error shapes it has.
    pub provider: Provider,
    /// How capable the model is; more is more.
    pub tier: u8,
    /// Its share of the requests under a weighted choice, at least 1.
    pub weight: u32,
    /// Millionths of a dollar for a million output tokens.
    pub price_micros: u64,
    /// The time to the first token.
    pub first_token: Delay,
    /// Tokens per second after the first, at least 1.
    pub tokens_per_second: u32,
    /// Tokens in a chunk of a stream, at least 1.
    pub chunk_tokens: u32,
    /// What goes wrong on its own.
    pub errors: ErrorMix,
    /// What it sends as Retry-After with a 429 or an overload, in place of the truth.
    pub retry_after: Option<RetryAfter>,
    /// What it lets through; it answers 429 to the rest.
    pub limits: meter::Settings,
}

/// Whose API and error shapes a backend has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Anthropic's.
    Anthropic,
    /// OpenAI's.
    Openai,
    /// Nobody's in particular.
    #[default]
    Generic,
}

impl Provider {
    /// Whose errors it is to be understood by.
    #[must_use]
    pub fn api(self) -> classify::Provider {
        match self {
            Provider::Anthropic => classify::Provider::Anthropic,
            Provider::Openai => classify::Provider::Openai,
            Provider::Generic => classify::Provider::Generic,
        }
    }

    /// As written in a sim.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::Anthropic => "anthropic",
            Provider::Openai => "openai",
            Provider::Generic => "generic",
        }
    }
}

/// When a backend says to come back, and how it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// `retry-after` in whole seconds, rounded up.
    Seconds(Duration),
    /// `retry-after-ms` in whole milliseconds, rounded up.
    Millis(Duration),
    /// `retry-after` as an HTTP date, so long after the backend's wall clock.
    Date(Duration),
    /// `retry-after` with this text, whatever it is.
    Raw(String),
}

/// What can go wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// 429.
    RateLimited,
    /// 529 of Anthropic, 503 of others.
    Overloaded,
    /// 500.
    ServerError,
    /// No answer at all.
    Silence,
    /// The connection breaks before an answer.
    Reset,
    /// An answer that cannot be parsed.
    Malformed,
    /// 400.
    BadRequest,
    /// 401.
    Credential,
    /// 403.
    Forbidden,
    /// 404: the model is gone.
    NotFound,
    /// 408.
    Timeout,
    /// 409.
    Conflict,
    /// The account is empty: Anthropic's 400, OpenAI's 429, 402 of others.
    Quota,
    /// The request is accepted, and [`ErrorKind::Overloaded`] 14 to 18 seconds later: observed at
    /// Anthropic with long prompts.
    AcceptedThenOverloaded,
    /// The connection closes after a part of the tokens.
    Cut,
    /// Silence after a part of the tokens. Four in five go on after 50 to 70 seconds, the others
    /// never: the times are those that users of Anthropic's streams report, the ratio is assumed.
    Stall,
    /// An error event after HTTP 200 and a part of the tokens.
    ErrorInStream,
    /// One chunk cannot be parsed; the stream goes on.
    MalformedChunk,
}

impl ErrorKind {
    /// As written in a sim.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::RateLimited => "rate_limited",
            ErrorKind::Overloaded => "overloaded",
            ErrorKind::ServerError => "server_error",
            ErrorKind::Silence => "silence",
            ErrorKind::Reset => "reset",
            ErrorKind::Malformed => "malformed",
            ErrorKind::BadRequest => "bad_request",
            ErrorKind::Credential => "credential",
            ErrorKind::Forbidden => "forbidden",
            ErrorKind::NotFound => "not_found",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Conflict => "conflict",
            ErrorKind::Quota => "quota",
            ErrorKind::AcceptedThenOverloaded => "accepted_then_overloaded",
            ErrorKind::Cut => "cut",
            ErrorKind::Stall => "stall",
            ErrorKind::ErrorInStream => "error_in_stream",
            ErrorKind::MalformedChunk => "malformed_chunk",
        }
    }
}

/// How likely each error is for one request; together at most 100 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the probability of the `ErrorKind` of its name")]
pub struct ErrorMix {
    pub rate_limited: Probability,
    pub overloaded: Probability,
    pub server_error: Probability,
    pub silence: Probability,
    pub reset: Probability,
    pub malformed: Probability,
    pub bad_request: Probability,
    pub credential: Probability,
    pub forbidden: Probability,
    pub not_found: Probability,
    pub timeout: Probability,
    pub conflict: Probability,
    pub quota: Probability,
    pub accepted_then_overloaded: Probability,
    pub cut: Probability,
    pub stall: Probability,
    pub error_in_stream: Probability,
    pub malformed_chunk: Probability,
}

impl ErrorMix {
    /// Each error in the order in which a draw is compared with them. A new one goes to the end, so
    /// that a draw that meant something keeps its meaning.
    #[must_use]
    pub fn parts(&self) -> [(ErrorKind, Probability); 18] {
        [
            (ErrorKind::RateLimited, self.rate_limited),
            (ErrorKind::Overloaded, self.overloaded),
            (ErrorKind::ServerError, self.server_error),
            (ErrorKind::Silence, self.silence),
            (ErrorKind::Reset, self.reset),
            (ErrorKind::Malformed, self.malformed),
            (ErrorKind::BadRequest, self.bad_request),
            (ErrorKind::Credential, self.credential),
            (ErrorKind::Forbidden, self.forbidden),
            (ErrorKind::NotFound, self.not_found),
            (ErrorKind::Timeout, self.timeout),
            (ErrorKind::Conflict, self.conflict),
            (ErrorKind::Quota, self.quota),
            (ErrorKind::AcceptedThenOverloaded, self.accepted_then_overloaded),
            (ErrorKind::Cut, self.cut),
            (ErrorKind::Stall, self.stall),
            (ErrorKind::ErrorInStream, self.error_in_stream),
            (ErrorKind::MalformedChunk, self.malformed_chunk),
        ]
    }

    /// What goes wrong with one request, if anything. Always one draw.
    pub fn draw(&self, draws: &mut Stream) -> Option<ErrorKind> {
        let mut drawn = draws.below(1_000_000) as u32;
        for (error, probability) in self.parts() {
            match drawn.checked_sub(probability.as_ppm()) {
                Some(rest) => drawn = rest,
                None => return Some(error),
            }
        }
        None
    }
}
