//! What a server says about when to come back: the Retry-After header and its relatives.
//!
//! Whatever a header holds, reading it never fails: what cannot be understood is as good as not
//! said, a negative wait is none, and one too long to count is the longest there is. How much of it
//! to believe is for a [`Rule`]. Start at [`Said::read`].

mod text;

use std::time::Duration;

use jiff::Timestamp;

pub use text::{duration, http_date, millis, seconds, until};

/// What the headers of an answer say about a retry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// `retry-after-ms`, read by the SDKs of OpenAI and Anthropic before `retry-after`.
    pub retry_after_ms: Option<Duration>,
    /// `x-ms-retry-after-ms` (Azure).
    pub x_ms_retry_after_ms: Option<Duration>,
    /// `retry-after`: seconds, which need not be whole, or an HTTP date.
    pub retry_after: Option<Duration>,
    /// `x-amz-retry-after`, whole milliseconds.
    pub x_amz_retry_after: Option<Duration>,
    /// `x-should-retry`: exactly `true` or `false`.
    pub should_retry: Option<bool>,
    /// `grpc-retry-pushback-ms`.
    pub pushback: Option<Pushback>,
}

/// What `grpc-retry-pushback-ms` says (gRPC proposal A6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushback {
    /// Retry after this long, without a backoff of one's own.
    After(Duration),
    /// Do not retry: the value is negative, is no number, or was sent more than once.
    Stop,
}

impl Said {
    /// Reads headers, whose names may be in any case. `now` is the wall clock of the reader, by
    /// which a date becomes a wait. Of a header that is repeated the first one counts.
    pub fn read<K: AsRef<str>, V: AsRef<str>>(headers: &[(K, V)], now: Timestamp) -> Said {
        let mut said = Said::default();
        for (name, value) in headers {
            let (name, value) = (name.as_ref(), value.as_ref().trim());
            let is = |header: &str| name.eq_ignore_ascii_case(header);
            let first = |known: &mut Option<Duration>, new: Option<Duration>| {
                *known = known.or(new);
            };
            if is("retry-after") {
                let wait = seconds(value).or_else(|| http_date(value, now).map(until(now)));
                first(&mut said.retry_after, wait);
            } else if is("retry-after-ms") {
                first(&mut said.retry_after_ms, millis(value));
            } else if is("x-ms-retry-after-ms") {
                first(&mut said.x_ms_retry_after_ms, millis(value));
            } else if is("x-amz-retry-after") {
                let whole = value.parse().map(Duration::from_millis).ok();
                first(&mut said.x_amz_retry_after, whole);
            } else if is("x-should-retry") {
                said.should_retry = said.should_retry.or(match value {
                    "true" => Some(true),
                    "false" => Some(false),
                    _ => None,
                });
            } else if is("grpc-retry-pushback-ms") {
                said.pushback = Some(match (said.pushback, value.parse::<u32>()) {
                    (None, Ok(millis)) => Pushback::After(Duration::from_millis(millis.into())),
                    _ => Pushback::Stop,
                });
            }
        }
        said
    }

    /// The wait it asks for: the finest unit counts.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        self.retry_after_ms.or(self.x_ms_retry_after_ms).or(self.retry_after)
    }

    /// The same as the SDKs of OpenAI and Anthropic read it.
    #[must_use]
    pub fn sdk_wait(&self) -> Option<Duration> {
        self.retry_after_ms.or(self.retry_after)
    }
}

/// How much a client believes of the wait that a server asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Nothing.
    Ignore,
    /// A wait that is more than nothing and at most this long; otherwise its own backoff.
    UpTo(Duration),
    /// A wait of at most this long; a longer one ends the retries, none at all is its own backoff.
    UpToOrGiveUp(Duration),
    /// Any wait, made at least and at most this long; none at all is its own backoff.
    Clamp {
        /// At least.
        least: Duration,
        /// At most.
        most: Duration,
    },
    /// A wait from its own backoff to so much more.
    AtLeastOwn {
        /// How much more.
        slack: Duration,
    },
}

/// What comes of a wait that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Wait this long.
    For(Duration),
    /// Do not retry.
    GiveUp,
}

impl Rule {
    /// The SDKs of openai until 2.x and anthropic until 0.x: over a minute is not believed.
    pub const SDK_2: Rule = Rule::UpTo(Duration::from_secs(60));
    /// openai 3.x: over two minutes it does not retry at all.
    pub const OPENAI_3: Rule = Rule::UpToOrGiveUp(Duration::from_secs(120));
    /// anthropic 2.11: whatever a timer can hold, 49.7 days.
    pub const ANTHROPIC_2: Rule = Rule::UpTo(Duration::from_secs(4_294_967));
    /// LiteLLM: over a minute is not believed.
    pub const LITELLM: Rule = Rule::UpTo(Duration::from_secs(60));
    /// Claude Code Router 3: from a millisecond to a minute.
    pub const CCR: Rule =
        Rule::Clamp { least: Duration::from_millis(1), most: Duration::from_secs(60) };
    /// Portkey: a minute or more ends the retries; it counts in milliseconds.
    pub const PORTKEY: Rule = Rule::UpToOrGiveUp(Duration::from_millis(59_999));
    /// AWS standard mode since 2026.
    pub const AWS_2026: Rule = Rule::AtLeastOwn { slack: Duration::from_secs(5) };
    /// AWS standard mode until 2026 in smithy-rs: at most the longest backoff.
    pub const AWS_2020: Rule = Rule::Clamp { least: Duration::ZERO, most: Duration::from_secs(20) };

    /// How long to wait, given what was asked for and the client's own backoff.
    #[must_use]
    pub fn apply(self, asked: Option<Duration>, own: Duration) -> Wait {
        // No wait is no answer, except to those that bound it from below.
        let positive = asked.filter(|asked| !asked.is_zero());
        let wait = match self {
            Rule::Ignore => None,
            Rule::UpTo(limit) => positive.filter(|asked| *asked <= limit),
            Rule::UpToOrGiveUp(limit) if positive.is_some_and(|asked| asked > limit) => {
                return Wait::GiveUp;
            }
            Rule::UpToOrGiveUp(_) => positive,
            Rule::Clamp { least, most } => positive.map(|asked| asked.max(least).min(most)),
            Rule::AtLeastOwn { slack } => {
                asked.map(|asked| asked.min(own.saturating_add(slack)).max(own))
            }
        };
        Wait::For(wait.unwrap_or(own))
    }
}

/// The wait, if it ends before the caller's deadline: one that would leave no time for the attempt
/// is refused, and never slept.
#[must_use]
pub fn within(wait: Duration, remaining: Option<Duration>) -> Option<Duration> {
    Some(wait).filter(|wait| remaining.is_none_or(|remaining| *wait < remaining))
}

#[cfg(test)]
mod tests;
