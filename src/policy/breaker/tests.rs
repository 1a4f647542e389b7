//! Breakers of every dialect, and what they have in common.

mod dialects;
mod manual;
mod numbers;
mod properties;
mod reconfigure;
mod settings;
mod wait;

use super::*;
use crate::policy::window::{Align, Shape};

fn at(millis: u64) -> Time {
    Time::from_nanos(millis * 1_000_000)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn breaker(settings: Settings) -> Breaker {
    Breaker::new(Rc::new(settings))
}

impl Breaker {
    /// A call from start to end, or its refusal.
    fn call(&mut self, now: u64, outcome: Outcome) -> Result<(), Rejected> {
        let permit = self.admit(at(now))?;
        self.record(at(now), permit, outcome, Duration::ZERO);
        Ok(())
    }

    /// As many calls of this outcome; the state after the last.
    #[track_caller]
    fn calls(&mut self, now: u64, outcome: Outcome, times: usize) -> State {
        for _ in 0..times {
            self.call(now, outcome).unwrap();
        }
        self.state()
    }

    fn changes(&mut self) -> Vec<(State, State)> {
        std::iter::from_fn(|| self.take_change()).collect()
    }
}

const OK: Outcome = Outcome::Success;
const FAILED: Outcome = Outcome::Failure;
const IGNORED: Outcome = Outcome::Ignored;
