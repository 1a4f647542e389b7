//! Retry-After and the rate limits, as headers have them.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    policy::meter::{Meter, Reading},
    stack::{
        message::Headers,
        settings::{Provider, RetryAfter},
    },
};

/// When to come back, said as a setting wants it; `utc` is the clock of who says it.
pub(in crate::stack) fn retry_after(
    setting: &RetryAfter,
    utc: Timestamp,
) -> (&'static str, String) {
    match setting {
        RetryAfter::Seconds(wait) => ("retry-after", seconds(*wait).to_string()),
        RetryAfter::Millis(wait) => ("retry-after-ms", millis(*wait).to_string()),
        RetryAfter::Date(wait) => ("retry-after", http_date(utc, *wait)),
        RetryAfter::Raw(text) => ("retry-after", text.clone()),
    }
}

/// When the next permit is there, in whole seconds and, at OpenAI, also in milliseconds.
pub(in crate::stack) fn true_retry_after(
    provider: Provider,
    wait: Duration,
    headers: &mut Headers,
) {
    headers.push(("retry-after", seconds(wait).to_string()));
    if provider == Provider::Openai {
        headers.push(("retry-after-ms", millis(wait).to_string()));
    }
}

/// Whole seconds, rounded up: who comes back then is not too early.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

/// Whole milliseconds, rounded up.
fn millis(wait: Duration) -> u128 {
    wait.as_nanos().div_ceil(1_000_000)
}

/// The preferred form of RFC 9110, 5.6.7.
fn http_date(utc: Timestamp, wait: Duration) -> String {
    after(utc, wait).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The whole second in which a wait is over, rounded up.
fn after(utc: Timestamp, wait: Duration) -> Timestamp {
    let at = utc.checked_add(wait).unwrap_or(Timestamp::MAX);
    let up = i64::from(at.subsec_nanosecond() > 0);
    Timestamp::from_second(at.as_second().saturating_add(up)).unwrap_or(Timestamp::MAX)
}

/// The headers that a provider has for a meter: limit, remaining, reset; `None` if it has none.
fn names(provider: Provider, meter: Meter) -> Option<[&'static str; 3]> {
    Some(match (provider, meter) {
        (Provider::Anthropic, Meter::Requests) => [
            "anthropic-ratelimit-requests-limit",
            "anthropic-ratelimit-requests-remaining",
            "anthropic-ratelimit-requests-reset",
        ],
        (Provider::Anthropic, Meter::InputTokens) => [
            "anthropic-ratelimit-input-tokens-limit",
            "anthropic-ratelimit-input-tokens-remaining",
            "anthropic-ratelimit-input-tokens-reset",
        ],
        (Provider::Anthropic, Meter::OutputTokens) => [
            "anthropic-ratelimit-output-tokens-limit",
            "anthropic-ratelimit-output-tokens-remaining",
            "anthropic-ratelimit-output-tokens-reset",
        ],
        (Provider::Anthropic, Meter::Tokens) => [
            "anthropic-ratelimit-tokens-limit",
            "anthropic-ratelimit-tokens-remaining",
            "anthropic-ratelimit-tokens-reset",
        ],
        (Provider::Openai, Meter::Requests) => [
            "x-ratelimit-limit-requests",
            "x-ratelimit-remaining-requests",
            "x-ratelimit-reset-requests",
        ],
        (Provider::Openai, Meter::Tokens) => {
            ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"]
        }
        (Provider::Openai, Meter::InputTokens | Meter::OutputTokens) | (Provider::Generic, _) => {
            return None;
        }
    })
}

/// What a provider tells of one meter.
pub(in crate::stack) fn limits(
    provider: Provider,
    meter: Meter,
    reading: Reading,
    utc: Timestamp,
    headers: &mut Headers,
) {
    let Some([limit, remaining, reset]) = names(provider, meter) else { return };
    let full = match provider {
        // An RFC 3339 instant at which the bucket is full.
        Provider::Anthropic => after(utc, reading.full_in).to_string(),
        // A duration until it is.
        Provider::Openai | Provider::Generic => duration(reading.full_in),
    };
    headers.push((limit, reading.limit.to_string()));
    headers.push((remaining, reading.remaining.to_string()));
    headers.push((reset, full));
}

/// A duration as OpenAI writes it, to the millisecond, rounded up: `6m0s`, `1.5s`, `12ms`.
fn duration(wait: Duration) -> String {
    let millis = millis(wait);
    if millis > 0 && millis < 1_000 {
        return format!("{millis}ms");
    }
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let mut text = String::new();
    if hours > 0 {
        text.push_str(&format!("{hours}h"));
    }
    if hours > 0 || minutes > 0 {
        text.push_str(&format!("{minutes}m"));
    }
    let fraction = format!(".{millis:03}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    text.push_str(&format!("{seconds}{fraction}s"));
    text
}
