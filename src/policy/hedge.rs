//! When to ask a second time without waiting for the first answer.
//!
//! A [`Hedge`] belongs to one request and says when the next copy of it is due; [`Latencies`]
//! belongs to a backend and says how long an answer usually takes. Whoever asks sends the copies,
//! takes the first answer and cancels the rest. Start at [`Hedge::next`].

mod latencies;

use std::time::Duration;

pub use latencies::Latencies;

use crate::world::Time;

/// When to send copies of a request, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// From one copy to the next. None sends the next only when the last has failed (Polly's
    /// negative delay); nothing sends all of them at once.
    pub delay: Option<Duration>,
    /// Copies besides the first, at most [`EXTRA_MAX`].
    pub extra: u32,
}

/// The most extra copies that Polly allows.
pub const EXTRA_MAX: u32 = 10;

impl Settings {
    /// Polly: one extra copy after 2 s.
    pub const POLLY: Settings = Settings { delay: Some(Duration::from_secs(2)), extra: 1 };

    /// gRPC (proposal A6): `max_attempts` copies with the first; more than 5 are taken as 5, and
    /// without a delay all are sent at once.
    #[must_use]
    pub fn grpc(max_attempts: u32, delay: Option<Duration>) -> Settings {
        let extra = max_attempts.clamp(1, GRPC_ATTEMPTS_MAX) - 1;
        Settings { delay: Some(delay.unwrap_or_default()), extra }
    }

    /// tower: one extra copy once the first has taken longer than a share of all did, in
    /// millionths; none while fewer than `least` answers are known.
    #[must_use]
    pub fn tower(latencies: &mut Latencies, now: Time, ppm: u32, least: u64) -> Settings {
        match latencies.quantile(now, ppm, least) {
            None => Settings { delay: None, extra: 0 },
            delay => Settings { delay, extra: 1 },
        }
    }
}

/// The most attempts that gRPC allows (A6, `maxAttempts`).
const GRPC_ATTEMPTS_MAX: u32 = 5;

/// The copies of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hedge {
    delay: Option<Duration>,
    left: u32,
    next: Option<Time>,
}

impl Hedge {
    /// The first copy is sent.
    #[must_use]
    pub fn new(settings: Settings, now: Time) -> Hedge {
        let left = settings.extra.min(EXTRA_MAX);
        let next = settings.delay.filter(|_| left > 0).map(|delay| now + delay);
        Hedge { delay: settings.delay, left, next }
    }

    /// When the next copy is to be sent.
    #[must_use]
    pub const fn next(&self) -> Option<Time> {
        self.next
    }

    /// Whether a copy is to be sent now; it then counts as sent.
    pub fn send(&mut self, now: Time) -> bool {
        let due = self.next.is_some_and(|next| next <= now);
        if due {
            self.left = self.left.saturating_sub(1);
            self.next = self.delay.filter(|_| self.left > 0).map(|delay| now + delay);
        }
        due
    }

    /// A copy failed in a way that another may mend: the next one is due at once.
    pub const fn on_failure(&mut self, now: Time) {
        if self.left > 0 {
            self.next = Some(now);
        }
    }

    /// The server asks to wait before the next copy (gRPC's pushback).
    pub fn on_pushback(&mut self, now: Time, after: Duration) {
        if self.left > 0 {
            self.next = Some(now + after);
        }
    }

    /// The request has its answer, or an error that no copy can mend: no more copies.
    pub const fn stop(&mut self) {
        self.left = 0;
        self.next = None;
    }

    /// Copies that may still be sent.
    #[must_use]
    pub const fn left(&self) -> u32 {
        self.left
    }
}

#[cfg(test)]
mod tests;
