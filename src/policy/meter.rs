//! The meters of a model: how many requests and tokens a minute its provider lets through.
//!
//! A request reserves what it may use before it is sent, on all meters or on none, and settles for
//! what it did use when it is over. Each meter is a token bucket that holds one minute's worth.

use std::{fmt, time::Duration};

use super::limit::{Limiter as _, Rate, TokenBucket};
use crate::world::Time;

#[cfg(test)]
mod tests;

/// The limits of a model; without one, a meter is not kept.
///
/// Anthropic limits requests, input tokens and output tokens, and reserves the output from
/// `max_tokens`; OpenAI limits requests, and input and output together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Requests a minute.
    pub requests_per_minute: Option<u64>,
    /// Tokens of prompts a minute. Which of them count (cached ones often do not) is for the
    /// caller to say.
    pub input_tokens_per_minute: Option<u64>,
    /// Tokens of answers a minute.
    pub output_tokens_per_minute: Option<u64>,
    /// Tokens of prompts and answers together a minute.
    pub tokens_per_minute: Option<u64>,
}

/// What is metered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meter {
    /// Requests.
    Requests,
    /// Tokens of prompts.
    InputTokens,
    /// Tokens of answers.
    OutputTokens,
    /// Tokens of both.
    Tokens,
}

impl Meter {
    /// All of them.
    pub const ALL: [Meter; 4] =
        [Meter::Requests, Meter::InputTokens, Meter::OutputTokens, Meter::Tokens];

    /// The name in the headers of a response (`anthropic-ratelimit-input-tokens-remaining`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Meter::Requests => "requests",
            Meter::InputTokens => "input-tokens",
            Meter::OutputTokens => "output-tokens",
            Meter::Tokens => "tokens",
        }
    }
}

impl fmt::Display for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request is refused, and has taken from no meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the limit of {meter} per minute is reached")]
pub struct Exceeded {
    /// The meter that stays in the way longest.
    pub meter: Meter,
    /// When the same request would get through, if nobody else sends any; none if it asks for more
    /// than a minute's worth.
    pub retry_after: Option<Duration>,
}

/// What a request has taken from the meters. It is to be settled or released, once.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "what is reserved is gone until it is settled or released"]
pub struct Reservation {
    input: u64,
    output: u64,
}

impl Reservation {
    /// The input reserved, in tokens.
    pub const fn input(&self) -> u64 {
        self.input
    }

    /// The most output reserved, in tokens.
    pub const fn output(&self) -> u64 {
        self.output
    }
}

/// What a meter says, as the headers of a response tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The limit, per minute.
    pub limit: u64,
    /// What is left of it now.
    pub remaining: u64,
    /// In how long nothing of it will be in use (OpenAI's and Anthropic's `reset`).
    pub full_in: Duration,
    /// In how long there will be at least one; none if the limit is 0.
    pub next_in: Option<Duration>,
}

/// The meters of one model.
#[derive(Clone, Copy, Debug)]
pub struct Meters {
    /// In the order of [`Meter::ALL`].
    buckets: [Option<TokenBucket>; 4],
}

impl Meters {
    /// Meters of which nothing is in use.
    pub fn new(settings: Settings) -> Meters {
        let bucket = |limit: Option<u64>| {
            limit.map(|limit| TokenBucket::new(limit, Rate::per_minute(limit)))
        };
        Meters {
            buckets: [
                bucket(settings.requests_per_minute),
                bucket(settings.input_tokens_per_minute),
                bucket(settings.output_tokens_per_minute),
                bucket(settings.tokens_per_minute),
            ],
        }
    }

    /// Reserves one request, its input, and the most that it may put out.
    ///
    /// # Errors
    ///
    /// [`Exceeded`] if any meter has not so much left.
    pub fn reserve(
        &mut self,
        now: Time,
        input: u64,
        max_output: u64,
    ) -> Result<Reservation, Exceeded> {
        let amounts = amounts(input, max_output);
        let mut worst: Option<Exceeded> = None;
        for ((meter, bucket), amount) in Meter::ALL.into_iter().zip(&self.buckets).zip(amounts) {
            let Some(bucket) = bucket else { continue };
            let retry_after = bucket.ready_in(now, amount);
            let key = |wait: Option<Duration>| wait.unwrap_or(Duration::MAX);
            if key(retry_after) > worst.map_or(Duration::ZERO, |worst| key(worst.retry_after)) {
                worst = Some(Exceeded { meter, retry_after });
            }
        }
        match worst {
            Some(exceeded) => Err(exceeded),
            None => {
                self.replace(now, [0; 4], amounts);
                Ok(Reservation { input, output: max_output })
            }
        }
    }

    /// A request is over: what it has reserved too much comes back, what it has used beyond that is
    /// taken, even below zero.
    pub fn settle(&mut self, now: Time, reservation: Reservation, input: u64, output: u64) {
        let reserved = amounts(reservation.input, reservation.output);
        self.replace(now, reserved, amounts(input, output));
    }

    /// A request was not sent after all: everything comes back.
    pub fn release(&mut self, now: Time, reservation: Reservation) {
        self.replace(now, amounts(reservation.input, reservation.output), [0; 4]);
    }

    /// What a meter says; none if it is not kept.
    pub fn reading(&self, now: Time, meter: Meter) -> Option<Reading> {
        let bucket = self.buckets[meter as usize]?;
        let limit = bucket.capacity();
        Some(Reading {
            limit,
            remaining: bucket.available(now).max(0).unsigned_abs(),
            full_in: bucket.ready_in(now, limit).unwrap_or_default(),
            next_in: bucket.ready_in(now, 1),
        })
    }

    /// Replaces what was taken from each meter by what is.
    fn replace(&mut self, now: Time, reserved: [u64; 4], used: [u64; 4]) {
        for ((bucket, reserved), used) in self.buckets.iter_mut().zip(reserved).zip(used) {
            let Some(bucket) = bucket else { continue };
            match used.checked_sub(reserved) {
                Some(more) => bucket.charge(now, more),
                None => bucket.give_back(now, reserved - used),
            }
        }
    }
}

/// What a request takes from each meter.
fn amounts(input: u64, output: u64) -> [u64; 4] {
    [1, input, output, input.saturating_add(output)]
}
