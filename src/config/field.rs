//! The settings one by one: their names, their ranges, their values.

use std::{fmt, time::Duration};

use super::strategy::Tuning;

/// One setting. Names are those of the source project's custom configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Attempts including the first.
    RetryAttempts,
    /// Failures in a row that open the breaker.
    CircuitBreakerThreshold,
    /// How long the breaker stays open.
    RecoveryTimeout,
    /// Calls that a half-open breaker lets through.
    HalfOpenMaxCalls,
    /// The longest pause.
    MaxDelaySeconds,
    /// The pause after the first failure, before it is held between the next two.
    ExponentialMultiplier,
    /// The shortest pause without jitter.
    ExponentialMin,
    /// The longest pause without jitter.
    ExponentialMax,
    /// Whether pauses are varied.
    JitterEnabled,
    /// The most that is added to a pause.
    JitterMax,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A whole number.
    Count(u32),
    /// A time.
    Span(Duration),
    /// A factor, in thousandths.
    Permille(u32),
    /// Yes or no.
    Switch(bool),
}

/// Which values a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Whole numbers, both ends included.
    Counts(u32, u32),
    /// Seconds in thousandths, both ends included.
    Millis(u32, u32),
    /// A factor in thousandths, both ends included.
    Permille(u32, u32),
    /// `true` and `false`.
    Switch,
}

impl Field {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Field; 10] = [
        Field::RetryAttempts,
        Field::CircuitBreakerThreshold,
        Field::RecoveryTimeout,
        Field::HalfOpenMaxCalls,
        Field::MaxDelaySeconds,
        Field::ExponentialMultiplier,
        Field::ExponentialMin,
        Field::ExponentialMax,
        Field::JitterEnabled,
        Field::JitterMax,
    ];

    /// Its key.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Field::RetryAttempts => "retry_attempts",
            Field::CircuitBreakerThreshold => "circuit_breaker_threshold",
            Field::RecoveryTimeout => "recovery_timeout",
            Field::HalfOpenMaxCalls => "half_open_max_calls",
            Field::MaxDelaySeconds => "max_delay_seconds",
            Field::ExponentialMultiplier => "exponential_multiplier",
            Field::ExponentialMin => "exponential_min",
            Field::ExponentialMax => "exponential_max",
            Field::JitterEnabled => "jitter_enabled",
            Field::JitterMax => "jitter_max",
        }
    }

    /// The field of this key.
    #[must_use]
    pub fn parse(key: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|field| field.as_str() == key)
    }

    /// What it is, in a few words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Field::RetryAttempts => "attempts, the first included",
            Field::CircuitBreakerThreshold => "failures in a row that open the breaker",
            Field::RecoveryTimeout => "seconds until an open breaker lets calls through again",
            Field::HalfOpenMaxCalls => "calls that it lets through then",
            Field::MaxDelaySeconds => "the longest pause, in seconds",
            Field::ExponentialMultiplier => {
                "seconds to wait after the first failure, doubled each time"
            }
            Field::ExponentialMin => "the shortest pause without jitter, in seconds",
            Field::ExponentialMax => "the longest pause without jitter, in seconds",
            Field::JitterEnabled => "whether pauses are varied",
            Field::JitterMax => "the most that is added to a pause, in seconds",
        }
    }

    /// Which values it takes. Source: the validator of the source project; for `recovery_timeout`
    /// its code says 300 s and its text 600 s, and the code counts. `half_open_max_calls` is not
    /// checked there, as nothing uses it: it has the range of the threshold.
    #[must_use]
    pub const fn range(self) -> Range {
        match self {
            Field::RetryAttempts => Range::Counts(1, 10),
            Field::CircuitBreakerThreshold | Field::HalfOpenMaxCalls => Range::Counts(1, 20),
            Field::RecoveryTimeout => Range::Millis(10_000, 300_000),
            Field::MaxDelaySeconds => Range::Millis(5_000, 600_000),
            Field::ExponentialMultiplier => Range::Permille(100, 5_000),
            Field::ExponentialMin => Range::Millis(500, 10_000),
            Field::ExponentialMax => Range::Millis(5_000, 120_000),
            Field::JitterEnabled => Range::Switch,
            Field::JitterMax => Range::Millis(100, 10_000),
        }
    }

    /// Its value in a tuning. Jitter that is off is a `jitter_max` of nothing.
    #[must_use]
    pub fn of(self, tuning: &Tuning) -> Value {
        match self {
            Field::RetryAttempts => Value::Count(tuning.attempts),
            Field::CircuitBreakerThreshold => Value::Count(tuning.failure_threshold),
            Field::RecoveryTimeout => Value::Span(tuning.recovery),
            Field::HalfOpenMaxCalls => Value::Count(tuning.half_open_calls),
            Field::MaxDelaySeconds => Value::Span(tuning.max_delay),
            Field::ExponentialMultiplier => Value::Permille(tuning.multiplier),
            Field::ExponentialMin => Value::Span(tuning.exp_min),
            Field::ExponentialMax => Value::Span(tuning.exp_max),
            Field::JitterEnabled => Value::Switch(tuning.jitter.is_some()),
            Field::JitterMax => Value::Span(tuning.jitter.unwrap_or_default()),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Value {
    /// As a file writes it: seconds and factors as decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Count(count) => write!(f, "{count}"),
            Value::Span(span) => f.write_str(&thousandths(span.as_millis())),
            Value::Permille(permille) => f.write_str(&thousandths((*permille).into())),
            Value::Switch(on) => write!(f, "{on}"),
        }
    }
}

/// A decimal: `1500` is `1.5`, `2000` is `2`.
fn thousandths(number: u128) -> String {
    let (whole, rest) = (number / 1_000, number % 1_000);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:03}").trim_end_matches('0').to_owned()
}
