//! Client-side throttling that adapts to what the server accepts.
//!
//! The more requests of the last while the server refused, the more are refused here before they
//! are sent, first attempts included. From "Site Reliability Engineering", chapter 21: refuse with
//! probability `max(0, (requests - K * accepts) / (requests + 1))`.

use std::time::Duration;

use crate::world::{Probability, Stream, Time};

/// How eagerly to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottleSettings {
    /// K: the requests that each accepted one lets through, in millionths.
    pub k_ppm: u32,
    /// How far back requests and accepts are counted.
    pub window: Duration,
    /// The highest probability of a refusal.
    pub most: Probability,
    /// Whether a request counts as soon as it is let through or refused (as in the book), or only
    /// once it has an outcome (failsafe-go). Counting late lets a burst pass unseen.
    pub count_at_start: bool,
}

impl ThrottleSettings {
    /// The book: K = 2 over two minutes.
    pub const SRE: ThrottleSettings = ThrottleSettings {
        k_ppm: 2_000_000,
        window: Duration::from_secs(120),
        most: Probability::ALWAYS,
        count_at_start: true,
    };

    /// failsafe-go: from so many failed requests on it refuses, so K is 1 / (1 - `threshold`). Its
    /// default is 10 % over one minute, and at most 90 % are refused.
    #[must_use]
    pub fn failsafe(threshold: Probability, window: Duration, most: Probability) -> Self {
        let good = 1_000_000 - u64::from(threshold.as_ppm());
        let k = 1_000_000_000_000_u64.checked_div(good).unwrap_or(u64::MAX);
        let k_ppm = u32::try_from(k).unwrap_or(u32::MAX);
        ThrottleSettings { k_ppm, window, most, count_at_start: false }
    }
}

/// Into how many slots the window is divided (failsafe-go has 20).
const SLOTS: usize = 20;

/// An adaptive throttle.
#[derive(Clone, Debug)]
pub struct Throttle {
    settings: ThrottleSettings,
    /// How long a slot takes, in nanoseconds.
    slot: u64,
    /// Requests and accepts of each slot.
    slots: [(u64, u64); SLOTS],
    /// The number of the newest slot since the world began.
    newest: u64,
}

impl Throttle {
    /// A throttle that has seen nothing yet.
    #[must_use]
    pub fn new(settings: ThrottleSettings) -> Throttle {
        let window = u64::try_from(settings.window.as_nanos()).unwrap_or(u64::MAX);
        let slot = (window / SLOTS as u64).max(1);
        Throttle { settings, slot, slots: [(0, 0); SLOTS], newest: 0 }
    }

    /// Whether a request may be sent.
    pub fn admit(&mut self, now: Time, draws: &mut Stream) -> bool {
        let refused = draws.chance(self.refusal(now));
        if self.settings.count_at_start {
            *self.current(now).0 += 1;
        }
        !refused
    }

    /// A request that was let through has its outcome.
    pub fn record(&mut self, now: Time, accepted: bool) {
        let late = u64::from(!self.settings.count_at_start);
        let (requests, accepts) = self.current(now);
        *requests += late;
        *accepts += u64::from(accepted);
    }

    /// How likely the next request is refused, to a millionth.
    pub fn refusal(&mut self, now: Time) -> Probability {
        let (requests, accepts) = self.counts(now);
        let allowed = u128::from(accepts) * u128::from(self.settings.k_ppm);
        let excess = (u128::from(requests) * 1_000_000).saturating_sub(allowed);
        let ppm = excess / (u128::from(requests) + 1);
        Probability::ppm(u32::try_from(ppm).unwrap_or(u32::MAX)).min(self.settings.most)
    }

    /// Requests and accepts in the window.
    pub fn counts(&mut self, now: Time) -> (u64, u64) {
        self.current(now);
        let sum = |(requests, accepts): (u64, u64), slot: &(u64, u64)| {
            (requests + slot.0, accepts + slot.1)
        };
        self.slots.iter().fold((0, 0), sum)
    }

    fn current(&mut self, now: Time) -> (&mut u64, &mut u64) {
        let number = (now.as_nanos() / self.slot).max(self.newest);
        for skipped in 0..(number - self.newest).min(SLOTS as u64) {
            self.slots[((number - skipped) % SLOTS as u64) as usize] = (0, 0);
        }
        self.newest = number;
        let slot = &mut self.slots[(number % SLOTS as u64) as usize];
        (&mut slot.0, &mut slot.1)
    }
}
