//! How often a client may have a configuration validated: 60 times in any minute, 1000 times in
//! any hour, and not at all for a second after it was refused.
//!
//! In the source project the second counts from every validation, so that nobody can ever have
//! more than 60 in a minute and that limit never fires. Here it counts from a refusal: a burst is
//! let through up to the limits, and whoever goes on beyond them is held off. What is refused
//! during that second does not make it longer, so that a client in a loop gets through again.

use std::{collections::BTreeMap, collections::VecDeque, time::Duration};

use crate::world::Time;

/// Validations in any minute.
pub const PER_MINUTE: usize = 60;
/// Validations in any hour.
pub const PER_HOUR: usize = 1_000;
/// How long a client that was refused is not heard.
pub const COOLDOWN: Duration = Duration::from_secs(1);
/// The most clients that are known at a time; our own bound.
pub const CLIENTS_MAX: usize = 1_000;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
/// The longest part of a client's name that tells it from others, in characters.
const CLIENT_MAX: usize = 200;

/// Why a validation is refused, and when it may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooOften {
    /// Too many in a minute.
    #[error("{PER_MINUTE} validations in a minute are allowed; try again in {0:?}")]
    Minute(Duration),
    /// Too many in an hour.
    #[error("{PER_HOUR} validations in an hour are allowed; try again in {0:?}")]
    Hour(Duration),
    /// It was refused a moment ago.
    #[error("refused a moment ago; try again in {0:?}")]
    Cooldown(Duration),
    /// Too many clients at a time.
    #[error("{CLIENTS_MAX} clients are known already; try again in {0:?}")]
    Clients(Duration),
}

impl TooOften {
    /// How long to wait.
    #[must_use]
    pub const fn retry_after(self) -> Duration {
        let (TooOften::Minute(wait)
        | TooOften::Hour(wait)
        | TooOften::Cooldown(wait)
        | TooOften::Clients(wait)) = self;
        wait
    }
}

/// Who had how many validations. Time is an argument and must not go back.
#[derive(Clone, Debug, Default)]
pub struct Limiter {
    clients: BTreeMap<String, Client>,
}

#[derive(Clone, Debug, Default)]
struct Client {
    /// When validations of the last hour were, the earliest first; [`PER_HOUR`] at most.
    taken: VecDeque<Time>,
    /// When it is heard again.
    held_until: Option<Time>,
}

impl Limiter {
    /// Nobody had any.
    #[must_use]
    pub fn new() -> Limiter {
        Limiter::default()
    }

    /// Counts a validation that was admitted earlier, as an audit trail tells of it. Those of a client
    /// must come in their order, and before any that is admitted.
    pub fn remember(&mut self, client: &str, at: Time) {
        let name: String = client.chars().take(CLIENT_MAX).collect();
        if self.clients.len() < CLIENTS_MAX || self.clients.contains_key(&name) {
            let taken = &mut self.clients.entry(name).or_default().taken;
            let at = taken.back().map_or(at, |last| at.max(*last));
            taken.push_back(at);
            if taken.len() > PER_HOUR {
                taken.pop_front();
            }
        }
    }

    /// Counts a validation, or refuses it.
    ///
    /// # Errors
    ///
    /// If the client has had too many.
    pub fn admit(&mut self, client: &str, now: Time) -> Result<(), TooOften> {
        let name: String = client.chars().take(CLIENT_MAX).collect();
        if !self.clients.contains_key(&name) && self.clients.len() >= CLIENTS_MAX {
            self.clients.retain(|_, client| !client.is_past(now));
            if self.clients.len() >= CLIENTS_MAX {
                return Err(TooOften::Clients(MINUTE));
            }
        }
        self.clients.entry(name).or_default().admit(now)
    }
}

impl Client {
    fn admit(&mut self, now: Time) -> Result<(), TooOften> {
        if let Some(until) = self.held_until.filter(|until| now < *until) {
            return Err(TooOften::Cooldown(until - now));
        }
        self.held_until = None;
        while self.taken.front().is_some_and(|then| now >= *then + HOUR) {
            self.taken.pop_front();
        }
        let refused = if let Some(wait) = self.wait(PER_MINUTE, MINUTE, now) {
            TooOften::Minute(wait.max(COOLDOWN))
        } else if let Some(wait) = self.wait(PER_HOUR, HOUR, now) {
            TooOften::Hour(wait.max(COOLDOWN))
        } else {
            self.taken.push_back(now);
            return Ok(());
        };
        self.held_until = Some(now + COOLDOWN);
        Err(refused)
    }

    /// How long until one more is allowed; `None` if it is now.
    fn wait(&self, most: usize, window: Duration, now: Time) -> Option<Duration> {
        let earliest = self.taken.len().checked_sub(most)?;
        let free = *self.taken.get(earliest)? + window;
        (now < free).then(|| free - now)
    }

    /// Whether nothing of it counts any more.
    fn is_past(&self, now: Time) -> bool {
        self.taken.back().is_none_or(|last| now >= *last + HOUR)
            && self.held_until.is_none_or(|until| now >= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn sixty_in_a_minute_and_then_no_more_until_the_first_is_a_minute_ago() {
        let mut limiter = Limiter::new();
        for n in 0..60 {
            assert_eq!(limiter.admit("a", at(n * 10)), Ok(()), "{n}");
        }
        let wait = Duration::from_millis(60_000 - 600);
        assert_eq!(limiter.admit("a", at(600)), Err(TooOften::Minute(wait)));
        let held = Err(TooOften::Cooldown(Duration::from_millis(1)));
        assert_eq!(limiter.admit("a", at(1_599)), held, "the second after a refusal");
        assert!(matches!(limiter.admit("a", at(1_600)), Err(TooOften::Minute(_))));
        assert_eq!(limiter.admit("b", at(1_600)), Ok(()), "another client");
        assert!(matches!(limiter.admit("a", at(59_999)), Err(TooOften::Minute(_))));
        assert_eq!(limiter.admit("a", at(61_000)), Ok(()));
    }

    #[test]
    fn what_is_remembered_counts_as_what_was_admitted() {
        let (mut limiter, mut other) = (Limiter::new(), Limiter::new());
        for n in 0..60 {
            limiter.remember("a", at(n * 10));
            assert_eq!(other.admit("a", at(n * 10)), Ok(()));
        }
        // A clock that was set back does not unsort them.
        limiter.remember("b", at(500));
        limiter.remember("b", at(400));
        for millis in [600, 1_599, 1_600, 60_000, 60_020] {
            assert_eq!(limiter.admit("a", at(millis)), other.admit("a", at(millis)), "{millis}");
        }
        assert_eq!(limiter.clients["b"].taken, [at(500), at(500)]);
        (0..2 * PER_HOUR).for_each(|_| limiter.remember("c", at(0)));
        assert_eq!(limiter.clients["c"].taken.len(), PER_HOUR);
    }

    #[test]
    fn a_thousand_in_an_hour() {
        let mut limiter = Limiter::new();
        for n in 0..1_000 {
            assert_eq!(limiter.admit("a", at(n * 1_000)), Ok(()), "{n}");
        }
        let refused = limiter.admit("a", at(1_000_000));
        assert_eq!(refused, Err(TooOften::Hour(Duration::from_secs(2_600))));
        assert_eq!(limiter.admit("a", at(3_600_000)), Ok(()));
        assert!(matches!(limiter.admit("a", at(3_600_500)), Err(TooOften::Hour(_))));
    }

    #[test]
    fn clients_are_forgotten_when_they_are_past_and_no_earlier() {
        let mut limiter = Limiter::new();
        for n in 0..CLIENTS_MAX {
            assert_eq!(limiter.admit(&n.to_string(), at(0)), Ok(()));
        }
        assert_eq!(limiter.admit("x", at(1)), Err(TooOften::Clients(MINUTE)));
        assert_eq!(limiter.admit("7", at(1)), Ok(()), "known already");
        assert_eq!(limiter.admit("x", at(3_600_000)), Ok(()));
        assert!(limiter.clients.len() < 3);
    }
}
