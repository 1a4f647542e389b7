//! Timeouts of one attempt: in total, to the first token, between tokens.
//!
//! It says which timeout comes next and when; whoever asks sets the timer. A timeout fires *at* its
//! instant: a token that arrives in that very instant is too late. It never reads a clock.

use std::time::Duration;

use crate::world::Time;

/// How long the parts of an attempt may take; what is not given takes as long as it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// From the start to the end of the answer.
    pub total: Option<Duration>,
    /// From the start to the first token.
    pub first_token: Option<Duration>,
    /// From one token to the next. The libraries of the large providers have none: a stream that
    /// stalls is cut by `total` alone.
    pub between_tokens: Option<Duration>,
}

/// Which part of an attempt took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// All of it.
    Total,
    /// The wait for the first token.
    FirstToken,
    /// The wait for a further token.
    BetweenTokens,
}

impl Timeout {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Timeout::Total => "total",
            Timeout::FirstToken => "first_token",
            Timeout::BetweenTokens => "between_tokens",
        }
    }
}

/// The timeouts of one attempt that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    timeouts: Timeouts,
    start: Time,
    last_token: Option<Time>,
}

impl Deadline {
    /// An attempt starts.
    #[must_use]
    pub const fn new(timeouts: Timeouts, start: Time) -> Deadline {
        Deadline { timeouts, start, last_token: None }
    }

    /// The timeouts.
    #[must_use]
    pub const fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// A token arrived; those that carry no text (a ping) count as much as any.
    pub const fn on_token(&mut self, now: Time) {
        self.last_token = Some(now);
    }

    /// The timeout that fires next if nothing arrives until then, and when. Of two at the same
    /// instant it is the total one.
    #[must_use]
    pub fn next(&self) -> Option<(Time, Timeout)> {
        let at = |start: Time, after: Option<Duration>, timeout| {
            after.map(|after| (start + after, timeout))
        };
        let total = at(self.start, self.timeouts.total, Timeout::Total);
        let token = match self.last_token {
            None => at(self.start, self.timeouts.first_token, Timeout::FirstToken),
            Some(last) => at(last, self.timeouts.between_tokens, Timeout::BetweenTokens),
        };
        // The first of two equals.
        total.into_iter().chain(token).min_by_key(|(at, _)| *at)
    }

    /// The timeout that has fired by `now`, that instant included.
    #[must_use]
    pub fn fired(&self, now: Time) -> Option<Timeout> {
        self.next().filter(|(at, _)| *at <= now).map(|(_, timeout)| timeout)
    }

    /// How much of the total is left.
    #[must_use]
    pub fn remaining(&self, now: Time) -> Option<Duration> {
        self.timeouts.total.map(|total| self.start + total - now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn at(millis: u64) -> Time {
        Time::ZERO + ms(millis)
    }

    fn deadline(total: Option<u64>, first: Option<u64>, between: Option<u64>) -> Deadline {
        let timeouts = Timeouts {
            total: total.map(ms),
            first_token: first.map(ms),
            between_tokens: between.map(ms),
        };
        Deadline::new(timeouts, at(1_000))
    }

    #[test]
    fn the_earliest_comes_next() {
        let mut it = deadline(Some(10_000), Some(500), Some(200));
        assert_eq!(it.timeouts().first_token, Some(ms(500)));
        assert_eq!(it.next(), Some((at(1_500), Timeout::FirstToken)));
        it.on_token(at(1_400));
        assert_eq!(it.next(), Some((at(1_600), Timeout::BetweenTokens)));
        it.on_token(at(10_900));
        assert_eq!(it.next(), Some((at(11_000), Timeout::Total)));
    }

    #[test]
    fn the_total_wins_ties_and_only_ties() {
        let next = |total, first| deadline(Some(total), Some(first), None).next();
        assert_eq!(next(500, 500), Some((at(1_500), Timeout::Total)));
        assert_eq!(next(500, 499), Some((at(1_499), Timeout::FirstToken)));
        assert_eq!(next(499, 500), Some((at(1_499), Timeout::Total)));
    }

    #[test]
    fn a_timeout_fires_at_its_instant() {
        let it = deadline(None, Some(500), None);
        assert_eq!(it.fired(at(1_499)), None);
        assert_eq!(it.fired(at(1_500)), Some(Timeout::FirstToken));
        assert_eq!(it.fired(at(1_501)), Some(Timeout::FirstToken));
    }

    #[test]
    fn what_is_not_given_never_fires() {
        let mut it = deadline(None, Some(500), None);
        it.on_token(at(1_100));
        assert_eq!((it.next(), it.fired(Time::MAX)), (None, None));
        assert_eq!(deadline(None, None, Some(200)).next(), None, "there is no token yet");
        assert_eq!(deadline(Some(500), None, None).next(), Some((at(1_500), Timeout::Total)));
        assert_eq!(Deadline::new(Timeouts::default(), at(0)).next(), None);
    }

    #[test]
    fn what_is_left_of_the_total() {
        let it = deadline(Some(500), None, None);
        assert_eq!(
            [1_000, 1_499, 1_500, 9_000].map(|now| it.remaining(at(now))),
            [Some(ms(500)), Some(ms(1)), Some(ms(0)), Some(ms(0))]
        );
        assert_eq!(deadline(None, None, None).remaining(at(1_000)), None);
    }

    #[test]
    fn timeouts_have_names() {
        let names = [Timeout::Total, Timeout::FirstToken, Timeout::BetweenTokens];
        assert_eq!(names.map(Timeout::as_str), ["total", "first_token", "between_tokens"]);
    }
}
