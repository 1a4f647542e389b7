//! What one answer says part by part, and when: a plain iterator, without a clock or an actor.

use std::time::Duration;

use crate::stack::{message::Part, settings::ErrorKind};

/// What goes wrong in the middle of an answer.
#[derive(Clone, Debug)]
pub(super) enum Mishap {
    /// The connection closes.
    Cut,
    /// Nothing for so long; `None` is for ever.
    Stall(Option<Duration>),
    /// An error, with this body.
    Error(String),
    /// One chunk cannot be parsed.
    Malformed,
}

/// What will come of a request.
pub(super) enum Course {
    /// It is refused at the door.
    Refused(ErrorKind),
    /// It ends all at once.
    Ends(Ending),
    /// It is answered part by part, unless the answer is wanted whole.
    Flows(Flow),
}

/// When and how a request ends, and what was generated until then.
#[derive(Debug, PartialEq)]
pub(super) struct Ending {
    pub(super) after: Duration,
    pub(super) generated: u32,
    pub(super) result: Outcome,
}

/// How a request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// With its answer.
    Completion,
    /// With what cannot be parsed.
    Malformed,
    /// With an error.
    Failed(ErrorKind),
    /// The connection breaks.
    Reset,
    /// Not at all.
    Never,
}

/// An answer as it comes: each part, and the time since the one before.
#[derive(Debug)]
pub(super) struct Flow {
    /// Tokens in the whole answer.
    tokens: u32,
    chunk: u32,
    per_second: u32,
    /// After how many tokens what goes wrong.
    mishap: Option<(u32, Mishap)>,
    sent: u32,
    is_over: bool,
}

impl Flow {
    /// An answer of so many tokens. `chunk` and `per_second` of 0 count as 1.
    pub(super) fn new(
        tokens: u32,
        chunk: u32,
        per_second: u32,
        mishap: Option<(u32, Mishap)>,
    ) -> Flow {
        let (chunk, per_second) = (chunk.max(1), per_second.max(1));
        Flow { tokens, chunk, per_second, mishap, sent: 0, is_over: false }
    }

    /// Tokens that were generated so far.
    pub(super) fn sent(&self) -> u32 {
        self.sent
    }

    /// What comes of it if it is wanted whole: a client that reads to the end sees the same.
    pub(super) fn whole(mut self, first_token: Duration) -> Ending {
        let (mut after, mut is_malformed) = (first_token, false);
        let result = loop {
            let Some((takes, part)) = self.next() else { break Outcome::Never };
            after += takes;
            match part {
                Part::Tokens(_) => {}
                Part::Malformed => is_malformed = true,
                Part::Closed => break Outcome::Reset,
                Part::Error(_) => break Outcome::Failed(ErrorKind::ErrorInStream),
                Part::End { .. } if is_malformed => break Outcome::Malformed,
                Part::End { .. } => break Outcome::Completion,
            }
        };
        Ending { after, generated: self.sent, result }
    }

    /// Generates a chunk, but no more than until `stop`; how long that takes, and its tokens.
    fn generate(&mut self, stop: u32) -> (Duration, u32) {
        let begin = self.sent;
        self.sent = begin.saturating_add(self.chunk).min(stop);
        // From the beginning each time, so that rounding does not add up.
        let takes = generation(self.sent, self.per_second) - generation(begin, self.per_second);
        (takes, self.sent - begin)
    }
}

/// How long it takes to generate so many tokens, the first of which is there at once.
pub(super) fn generation(tokens: u32, per_second: u32) -> Duration {
    Duration::from_secs(u64::from(tokens)) / per_second.max(1)
}

impl Iterator for Flow {
    type Item = (Duration, Part);

    /// `None` after the last part, and once it stalls for ever.
    fn next(&mut self) -> Option<(Duration, Part)> {
        if self.is_over {
            return None;
        }
        let stop = self.mishap.as_ref().map_or(self.tokens, |(at, _)| self.tokens.min(*at));
        if self.sent < stop {
            let (takes, tokens) = self.generate(stop);
            return Some((takes, Part::Tokens(tokens)));
        }
        let mishap = self.mishap.take().map(|(_, mishap)| mishap);
        match mishap {
            Some(Mishap::Stall(Some(pause))) => {
                let (takes, part) = self.next()?;
                return Some((pause + takes, part));
            }
            Some(Mishap::Malformed) => {
                return Some((self.generate(self.tokens).0, Part::Malformed));
            }
            _ => self.is_over = true,
        }
        let last = match mishap {
            Some(Mishap::Stall(_) | Mishap::Malformed) => return None,
            Some(Mishap::Cut) => Part::Closed,
            Some(Mishap::Error(body)) => Part::Error(body),
            None => Part::End { output_tokens: self.tokens },
        };
        Some((Duration::ZERO, last))
    }
}

#[cfg(test)]
mod tests;
