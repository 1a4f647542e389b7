//! The tables of model backends and of their outages, as written.
//!
//! Nothing here judges a value.

use std::time::Duration;

use serde::Deserialize;

use super::RawDelay;
use crate::scenario::field::{At, Field, ScalarOr};
use crate::scenario::model::Provider;
use crate::scenario::values::{MicroDollars, Weight, Whole};
use crate::world::Probability;

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Backend"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawBackend {
    /// Its name, and its node's.
    pub(in crate::scenario) name: At<String>,
    /// Whose API and error shapes it has. Default: generic.
    pub(in crate::scenario) provider: Option<Provider>,
    /// How capable the model is; more is more. Default: 1.
    pub(in crate::scenario) tier: Option<u8>,
    /// Its share of the requests under a weighted choice; 0 is asked only after others. Default: 1.
    pub(in crate::scenario) weight: Option<Field<Weight>>,
    /// Dollars for a million output tokens. Default: 0.
    pub(in crate::scenario) price: Option<Field<MicroDollars>>,
    /// The time to the first token. Default: log-normal, p50 400ms, p99 3s.
    pub(in crate::scenario) first_token: Option<At<RawDelay>>,
    /// Tokens per second after the first. Default: 60.
    pub(in crate::scenario) tokens_per_second: Option<Field<Whole>>,
    /// Tokens in a chunk of a stream. Default: 20.
    pub(in crate::scenario) chunk_tokens: Option<Field<Whole>>,
    /// What goes wrong on its own. Default: nothing.
    pub(in crate::scenario) errors: Option<At<RawErrors>>,
    /// What it sends as Retry-After with a 429 or an overload. Default: after its own limits when
    /// the next permit is there, otherwise nothing.
    pub(in crate::scenario) retry_after: Option<At<RawRetryAfter>>,
    /// Requests per minute above which it answers 429. Default: no limit.
    pub(in crate::scenario) requests_per_minute: Option<Field<Whole>>,
    /// Input and output tokens per minute above which it answers 429. Default: no limit.
    pub(in crate::scenario) tokens_per_minute: Option<Field<Whole>>,
    /// Input tokens per minute above which it answers 429. Default: no limit.
    pub(in crate::scenario) input_tokens_per_minute: Option<Field<Whole>>,
    /// Output tokens per minute above which it answers 429; what is asked for is reserved until it
    /// is known what was used. Default: no limit.
    pub(in crate::scenario) output_tokens_per_minute: Option<Field<Whole>>,
}

/// How likely each error is for one request; together at most 100%. Without a stream, an error of
/// streams has its nearest likeness.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "Errors"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawErrors {
    /// 429.
    pub(in crate::scenario) rate_limited: Option<Field<Probability>>,
    /// Anthropic's 529, 503 of others.
    pub(in crate::scenario) overloaded: Option<Field<Probability>>,
    /// 500.
    pub(in crate::scenario) server_error: Option<Field<Probability>>,
    /// No answer at all.
    pub(in crate::scenario) silence: Option<Field<Probability>>,
    /// The connection breaks.
    pub(in crate::scenario) reset: Option<Field<Probability>>,
    /// An answer that cannot be parsed.
    pub(in crate::scenario) malformed: Option<Field<Probability>>,
    /// 400.
    pub(in crate::scenario) bad_request: Option<Field<Probability>>,
    /// 401.
    pub(in crate::scenario) credential: Option<Field<Probability>>,
    /// 403.
    pub(in crate::scenario) forbidden: Option<Field<Probability>>,
    /// 404: the model is gone.
    pub(in crate::scenario) not_found: Option<Field<Probability>>,
    /// 408.
    pub(in crate::scenario) timeout: Option<Field<Probability>>,
    /// 409.
    pub(in crate::scenario) conflict: Option<Field<Probability>>,
    /// The account is empty: Anthropic's 400, OpenAI's 429, 402 of others.
    pub(in crate::scenario) quota: Option<Field<Probability>>,
    /// Accepted, and overloaded 14 to 18 seconds later.
    pub(in crate::scenario) accepted_then_overloaded: Option<Field<Probability>>,
    /// A stream is closed after a part of its tokens, without an end. Otherwise: reset.
    pub(in crate::scenario) cut: Option<Field<Probability>>,
    /// A stream is silent after a part of its tokens; four in five go on after 50 to 70 seconds,
    /// the others never. Otherwise: the same with the whole answer.
    pub(in crate::scenario) stall: Option<Field<Probability>>,
    /// An overload after HTTP 200 and a part of the tokens. Otherwise: overloaded, as late.
    pub(in crate::scenario) error_in_stream: Option<Field<Probability>>,
    /// One chunk of a stream cannot be parsed. Otherwise: malformed.
    pub(in crate::scenario) malformed_chunk: Option<Field<Probability>>,
}

/// When a backend says to come back: a duration, which is sent in seconds, or how to say it.
pub(in crate::scenario) type RawRetryAfter = ScalarOr<Duration, RawRetryAfterForm>;

/// How a backend says when to come back: exactly one of the three.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(extend("minProperties" = 1, "maxProperties" = 1)))]
#[cfg_attr(feature = "cli", schemars(rename = "RetryAfterForm"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawRetryAfterForm {
    /// As retry-after-ms, in milliseconds.
    pub(in crate::scenario) ms: Option<Field<Duration>>,
    /// As an HTTP date, so long after the backend's wall clock.
    pub(in crate::scenario) date: Option<Field<Duration>>,
    /// As this text, whatever it is: printable ASCII, at most 256 characters.
    #[cfg_attr(feature = "cli", schemars(regex(pattern = "^[ -~]{0,256}$")))]
    pub(in crate::scenario) raw: Option<At<String>>,
}

/// An outage of a provider: at least one of errors, retry_after, tells_end and first_token.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(rename = "BackendFault"))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::scenario) struct RawBackendFault {
    /// The backend.
    pub(in crate::scenario) name: At<String>,
    /// Its errors during the outage.
    pub(in crate::scenario) errors: Option<At<RawErrors>>,
    /// Its Retry-After during the outage.
    pub(in crate::scenario) retry_after: Option<At<RawRetryAfter>>,
    /// Whether its Retry-After says truly when the outage ends. Default: false.
    pub(in crate::scenario) tells_end: Option<bool>,
    /// Its time to the first token during the outage.
    pub(in crate::scenario) first_token: Option<At<RawDelay>>,
}
