//! One stream that the dashboard follows: what it has of it, and when it is given up.
//!
//! No actor, no clock: what happens comes in, what is to be done comes out.

use std::time::Duration;

use crate::{
    policy::progress::{Took, take},
    stack::runner::{News, Told},
    world::Time,
};

/// The pause before it is followed again when that failed: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// It is followed, by this number.
    Open(u64),
    /// It will be followed again.
    Down,
    /// There is nothing more to come.
    Ended,
}

/// What is to be done about a word on the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing: it was known, or is of a stream that was given up.
    Nothing,
    /// The update is shown.
    Show,
    /// What is shown is what there is.
    Current,
    /// The stream is over: it is followed again.
    Lost(&'static str),
    /// There is nothing more to come.
    Ended,
}

/// What the dashboard has of one runner.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    /// The last update that was shown.
    pub(super) last: u64,
    line: Line,
    heard: Time,
    /// How often in a row nothing came of it.
    pub(super) failures: u32,
}

impl Feed {
    pub(super) fn new(last: u64) -> Feed {
        Feed { last, line: Line::Down, heard: Time::ZERO, failures: 0 }
    }

    pub(super) fn open(&mut self, now: Time, stream: u64) {
        (self.line, self.heard) = (Line::Open(stream), now);
    }

    pub(super) fn is_open(&self, stream: u64) -> bool {
        self.line == Line::Open(stream)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.line == Line::Ended
    }

    /// A word came.
    pub(super) fn hear(&mut self, now: Time, told: &Told) -> Heard {
        if !self.is_open(told.stream) {
            return Heard::Nothing;
        }
        self.heard = now;
        if let News::Update(_) = told.news {
            return match take(self.last, told.number) {
                Took::Old => Heard::Nothing,
                Took::Gap => self.lose("gap"),
                Took::Next => {
                    (self.last, self.failures) = (told.number, 0);
                    Heard::Show
                }
            };
        }
        if told.number > self.last {
            return self.lose("gap");
        }
        self.failures = 0;
        match told.news {
            News::Closed => self.lose("closed"),
            News::Ended => {
                self.line = Line::Ended;
                Heard::Ended
            }
            News::Heartbeat | News::Update(_) => Heard::Current,
        }
    }

    /// It is no longer heard.
    pub(super) fn lose(&mut self, cause: &'static str) -> Heard {
        self.line = Line::Down;
        Heard::Lost(cause)
    }

    /// Whether it is open, and nothing came for so long.
    pub(super) fn is_silent(&self, now: Time, stale_after: Duration) -> bool {
        matches!(self.line, Line::Open(_)) && now - self.heard >= stale_after
    }

    /// Nothing came of it; how long to wait before it is tried again.
    pub(super) fn fail(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.pause()
    }

    /// How long to wait before it is followed again.
    pub(super) fn pause(&self) -> Duration {
        PAUSE.0.saturating_mul(1 << self.failures.saturating_sub(1).min(10)).min(PAUSE.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::progress::{Status, Update};

    fn told(stream: u64, number: u64, news: News) -> Told {
        Told { stream, number, news }
    }

    const UPDATE: News = News::Update(Update { task: 1, percent: 0, status: Status::Active });

    fn feed() -> Feed {
        let mut feed = Feed::new(3);
        feed.open(Time::ZERO, 7);
        feed
    }

    #[test]
    fn updates_are_taken_in_order_and_once() {
        let (mut feed, now) = (feed(), Time::ZERO);
        assert_eq!(feed.hear(now, &told(7, 4, UPDATE)), Heard::Show);
        assert_eq!(feed.hear(now, &told(7, 4, UPDATE)), Heard::Nothing);
        assert_eq!(feed.hear(now, &told(6, 5, UPDATE)), Heard::Nothing, "of an earlier stream");
        assert_eq!(feed.hear(now, &told(7, 4, News::Heartbeat)), Heard::Current);
        assert_eq!(feed.hear(now, &told(7, 6, UPDATE)), Heard::Lost("gap"));
        assert_eq!((feed.last, feed.is_open(7)), (4, false));
    }

    #[test]
    fn what_a_heartbeat_or_the_end_has_more_of_is_missing() {
        let now = Time::ZERO;
        for news in [News::Heartbeat, News::Ended, News::Closed] {
            assert_eq!(feed().hear(now, &told(7, 4, news)), Heard::Lost("gap"), "{news:?}");
        }
        assert_eq!(feed().hear(now, &told(7, 3, News::Closed)), Heard::Lost("closed"));
        let mut feed = feed();
        assert_eq!(feed.hear(now, &told(7, 3, News::Ended)), Heard::Ended);
        assert!(feed.has_ended());
    }

    #[test]
    fn silence_is_noticed_and_pauses_grow() {
        let mut feed = feed();
        let secs = Duration::from_secs;
        assert!(!feed.is_silent(Time::ZERO + secs(9), secs(10)));
        assert!(feed.is_silent(Time::ZERO + secs(10), secs(10)));
        feed.lose("silent");
        assert!(!feed.is_silent(Time::ZERO + secs(20), secs(10)), "it is lost already");
        assert_eq!(feed.pause(), PAUSE.0);
        let pauses: Vec<_> = (0..6).map(|_| feed.fail().as_millis()).collect();
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 8_000]);
    }
}
