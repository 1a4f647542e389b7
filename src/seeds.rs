//! Many seeds in an ordinary `#[test]`.
//!
//! ```
//! # use actix::prelude::*;
//! # struct Nothing;
//! # impl Actor for Nothing { type Context = Context<Self>; }
//! seedbed::seeds(100).run(|mut world| {
//!     world.spawn("node", |_env| Nothing);
//!     world.run()
//! });
//! ```
//!
//! Each seed gets a fresh [`World`]; the test puts nodes and faults into it, runs it and says what
//! must hold. The first seed that fails is run once more with its event log kept, and the panic
//! that follows ends with the command that replays it.
//!
//! `SEEDBED_SEEDS=1000` runs another number of seeds, `SEEDBED_SEED=0x2a` runs that one only.
//!
//! This module must never decide what happens in a world beyond its seed and its host.

mod attempt;
mod failure;
mod place;

use std::fmt::Display;

use serde::Serialize;

pub use self::failure::{Mismatch, SeedFailure};
use self::{
    attempt::{Attempt, Pair},
    failure::Replay,
    place::Place,
};
use crate::world::{Fingerprint, Host, Outcome, Seed, StartError, Time, World};

/// So many seeds, from 1 on, for a test to run; see [`Seeds::run`].
pub fn seeds(count: u64) -> Seeds {
    Seeds { first: 1, count, hosts: Hosts::One(Host::Native), runs_twice: false, only: None }
}

/// The seeds that a test runs, and how.
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `run`"]
pub struct Seeds {
    first: u64,
    count: u64,
    hosts: Hosts,
    runs_twice: bool,
    only: Option<Seed>,
}

#[derive(Clone, Copy, Debug)]
enum Hosts {
    One(Host),
    Both,
}

/// What a test may return: nothing, an [`Outcome`] (which fails the test if it has a failure), or
/// a `Result` of either with any error that can be shown.
pub trait Conclusion {
    /// What went wrong, if anything did.
    fn conclude(self) -> Result<(), String>;
}

impl Conclusion for () {
    fn conclude(self) -> Result<(), String> {
        Ok(())
    }
}

impl Conclusion for Outcome {
    fn conclude(self) -> Result<(), String> {
        self.ok().map(drop).map_err(|failure| failure.to_string())
    }
}

impl<T: Conclusion, E: Display> Conclusion for Result<T, E> {
    fn conclude(self) -> Result<(), String> {
        self.map_err(|error| error.to_string())?.conclude()
    }
}

/// What all seeds of a test came to: a plain value, to compare and to snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Survey {
    /// How many seeds ran.
    pub seeds: u64,
    /// The first of them.
    pub first_seed: Seed,
    /// What all histories come to, in the order of their seeds.
    pub fingerprint: Fingerprint,
    /// How many events there were.
    pub events: u64,
    /// How many messages left their node.
    pub messages_sent: u64,
    /// How many messages were lost, cut off, refused or damaged.
    pub messages_dropped: u64,
    /// How many calls got no answer in time.
    pub calls_timed_out: u64,
    /// How many nodes crashed.
    pub crashes: u64,
    /// How many faults fired.
    pub faults_fired: u64,
    /// The latest instant at which a world ended.
    pub ended_at_latest: Time,
}

impl Survey {
    fn new(first_seed: Seed) -> Survey {
        Survey {
            seeds: 0,
            first_seed,
            fingerprint: Fingerprint::EMPTY,
            events: 0,
            messages_sent: 0,
            messages_dropped: 0,
            calls_timed_out: 0,
            crashes: 0,
            faults_fired: 0,
            ended_at_latest: Time::ZERO,
        }
    }

    fn add(&mut self, outcome: &Outcome) {
        let counts = &outcome.counts;
        self.seeds += 1;
        self.fingerprint = self.fingerprint.and(outcome.fingerprint);
        self.events += outcome.events;
        self.messages_sent += counts.messages_sent;
        self.messages_dropped += counts.messages_dropped;
        self.calls_timed_out += counts.calls_timed_out;
        self.crashes += counts.crashes;
        self.faults_fired += counts.faults_fired;
        self.ended_at_latest = self.ended_at_latest.max(outcome.ended_at);
    }
}

impl Seeds {
    /// Begins with this seed instead of 1.
    pub fn starting_at(self, first: u64) -> Seeds {
        Seeds { first, ..self }
    }

    /// Runs this seed only, as `SEEDBED_SEED` does. It wins over the environment.
    pub fn only(self, seed: Seed) -> Seeds {
        Seeds { only: Some(seed), ..self }
    }

    /// Runs on this host instead of [`Host::Native`].
    pub fn host(self, host: Host) -> Seeds {
        Seeds { hosts: Hosts::One(host), ..self }
    }

    /// Runs each seed on both hosts, and fails if the histories differ.
    pub fn both_hosts(self) -> Seeds {
        Seeds { hosts: Hosts::Both, ..self }
    }

    /// Runs each seed twice, and fails if the histories differ: something in it is then decided by
    /// the machine and not by the seed.
    pub fn verify(self) -> Seeds {
        Seeds { runs_twice: true, ..self }
    }

    /// Runs `test` once for each seed, on this thread.
    ///
    /// # Panics
    ///
    /// At the first seed that fails, with a [`SeedFailure`]; and if a variable of the environment
    /// cannot be understood.
    #[track_caller]
    pub fn run<T: Conclusion>(self, test: impl Fn(World) -> T) -> Survey {
        match self.try_run(test) {
            Ok(survey) => survey,
            #[expect(clippy::panic, reason = "this is how a test fails")]
            Err(failure) => panic!("{failure}"),
        }
    }

    /// As [`Seeds::run`], but returns the failure.
    ///
    /// # Errors
    ///
    /// The [`SeedFailure`] of the first seed that fails.
    #[track_caller]
    pub fn try_run<T: Conclusion>(
        self,
        test: impl Fn(World) -> T,
    ) -> Result<Survey, Box<SeedFailure>> {
        let place = Place::here();
        let test = |world| test(world).conclude();
        let chosen = match self.choose(place::environment) {
            Ok(chosen) => chosen,
            Err(message) => return Err(Box::new(SeedFailure::before_any_seed(message))),
        };
        if tokio::runtime::Handle::try_current().is_ok() {
            let message = StartError::InsideRuntime.to_string();
            return Err(Box::new(SeedFailure::before_any_seed(message)));
        }
        let mut survey = Survey::new(chosen.first);
        for number in 0..chosen.count {
            let seed = Seed(chosen.first.0.wrapping_add(number));
            match self.run_seed(seed, &test, &place) {
                Ok(outcome) => survey.add(&outcome),
                Err(failure) => return Err(failure),
            }
        }
        Ok(survey)
    }

    /// Which seeds to run, as the environment may say otherwise.
    fn choose(&self, lookup: impl Fn(&str) -> Option<String>) -> Result<Chosen, String> {
        if let Some(first) = self.only {
            return Ok(Chosen { first, count: 1 });
        }
        if let Some(text) = lookup("SEEDBED_SEED") {
            let first = text.parse().map_err(|_| {
                format!("SEEDBED_SEED=`{text}`: should be a seed such as 42 or 0x2a")
            })?;
            return Ok(Chosen { first, count: 1 });
        }
        let count = match lookup("SEEDBED_SEEDS") {
            Some(text) => text.parse().ok().filter(|count| *count > 0).ok_or_else(|| {
                format!("SEEDBED_SEEDS=`{text}`: should be a number of seeds such as 1000")
            })?,
            None => self.count,
        };
        if count == 0 {
            return Err("no seed to run: `seeds(0)` checks nothing".to_owned());
        }
        Ok(Chosen { first: Seed(self.first), count })
    }

    /// Runs one seed in all the ways that were asked for.
    fn run_seed(
        &self,
        seed: Seed,
        test: &dyn Fn(World) -> Result<(), String>,
        place: &Place,
    ) -> Result<Outcome, Box<SeedFailure>> {
        let host = match self.hosts {
            Hosts::One(host) => host,
            Hosts::Both => Host::Native,
        };
        let mut pairs = Vec::new();
        if self.runs_twice {
            pairs.push(Pair::again(host));
        }
        if let Hosts::Both = self.hosts {
            pairs.push(Pair { hosts: [Host::Native, Host::Tokio], files: ["native", "tokio"] });
            if self.runs_twice {
                pairs.push(Pair::again(Host::Tokio));
            }
        }
        let replay = Replay { seed, test, place };
        let first = Attempt::make(seed, host, None, test);
        let outcome = match first.passed() {
            Ok(outcome) => outcome.clone(),
            Err(message) => return Err(Box::new(replay.of_failure(host, &first, message))),
        };
        for pair in pairs {
            let second = Attempt::make(seed, pair.hosts[1], None, test);
            match second.passed() {
                Ok(other) if other.fingerprint == outcome.fingerprint => {}
                Ok(_) => return Err(Box::new(replay.of_difference(&pair))),
                Err(_) if pair.is_again() => return Err(Box::new(replay.of_difference(&pair))),
                Err(message) => {
                    return Err(Box::new(replay.of_failure(pair.hosts[1], &second, message)));
                }
            }
        }
        Ok(outcome)
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Chosen {
    first: Seed,
    count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(name: &'static str, text: &str) -> Result<Chosen, String> {
        seeds(100).choose(|asked| (asked == name).then(|| text.to_owned()))
    }

    #[test]
    fn the_environment_wins_over_the_test() {
        let of = |first, count| Ok(Chosen { first: Seed(first), count });
        assert_eq!(seeds(100).choose(|_| None), of(1, 100));
        assert_eq!(seeds(3).starting_at(7).choose(|_| None), of(7, 3));
        assert_eq!(chosen("SEEDBED_SEEDS", "1000"), of(1, 1000));
        assert_eq!(chosen("SEEDBED_SEED", "0x2a"), of(42, 1));
        assert_eq!(chosen("SEEDBED_SEED", "42"), of(42, 1));
        assert_eq!(seeds(9).only(Seed(5)).choose(|_| Some("8".to_owned())), of(5, 1));
    }

    #[test]
    fn what_cannot_be_understood_is_named_with_its_value() {
        for (name, text) in [
            ("SEEDBED_SEEDS", "many"),
            ("SEEDBED_SEEDS", "0"),
            ("SEEDBED_SEEDS", "-1"),
            ("SEEDBED_SEED", "0xg"),
            ("SEEDBED_SEED", ""),
        ] {
            let message = chosen(name, text).unwrap_err();
            assert!(message.starts_with(&format!("{name}=`{text}`: should be")), "{message}");
        }
        assert!(seeds(0).choose(|_| None).unwrap_err().contains("seeds(0)"));
    }
}
