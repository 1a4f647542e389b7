//! Whether two configurations decide alike: both drive the policies over the same errors of the same
//! seeds, and the first decision that differs is told.
//!
//! A loop on virtual time, without actors: requests come, calls fail in spells that are drawn from
//! the seed, and what is compared is what `policy::Retry` and `policy::breaker` answer. Each side has
//! a stream of its own under the same name, so that both draw the same as long as they decide alike.
//!
//! Start at [`verify`].

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt, rc::Rc, time::Duration};

use super::{Config, Tuning};
use crate::{
    policy::{
        Retry,
        breaker::{Breaker, Outcome, State},
    },
    world::{Probability, Seed, Stream, Time},
};

/// Requests of one operation under one seed.
const REQUESTS: u32 = 120;

/// Steps of one operation under one seed at most: attempts are bounded, and so is this.
const STEPS_MAX: usize = 20_000;

/// A name that no operation has: what holds for all that nothing is said of.
const ANY_OTHER: &str = "(any other)";

/// What was decided about one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The breaker let it through, and it succeeded.
    Done,
    /// It failed and is tried again after this pause.
    Retry {
        /// How long.
        after: Duration,
    },
    /// It failed and is not tried again.
    GiveUp,
    /// The breaker refused it.
    Rejected,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Decision::Done => f.write_str("done"),
            Decision::Retry { after } => write!(f, "retry after {after:?}"),
            Decision::GiveUp => f.write_str("give up"),
            Decision::Rejected => f.write_str("refused by the breaker"),
        }
    }
}

/// A decision, and when it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, since the start.
    pub at: Duration,
    /// What.
    pub decision: Decision,
    /// The state of the breaker after it.
    pub breaker: State,
}

/// The first decision that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The seed.
    pub seed: u64,
    /// The operation.
    pub operation: String,
    /// Which decision of the operation under the seed, counted from 0.
    pub index: usize,
    /// What the first configuration decided; `None` if it was done already.
    pub first: Option<Step>,
    /// What the second one decided.
    pub second: Option<Step>,
}

/// What comes of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Seeds that were tried.
    pub seeds: u64,
    /// Operations of each.
    pub operations: usize,
    /// Decisions that were the same.
    pub decisions: u64,
    /// Retries among them.
    pub retries: u64,
    /// Calls among them that a breaker refused.
    pub rejected: u64,
    /// The first that was not.
    pub difference: Option<Difference>,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(it) = &self.difference else {
            return write!(
                f,
                "equal over {} seeds: {} decisions, {} of them retries and {} refusals",
                self.seeds, self.decisions, self.retries, self.rejected
            );
        };
        let told = |step: &Option<Step>| match step {
            Some(step) => format!("{} at {:?}", step.decision, step.at),
            None => "nothing more".to_owned(),
        };
        write!(
            f,
            "different at seed {}, operation {}, decision {}: {}, but {}",
            it.seed,
            it.operation,
            it.index,
            told(&it.first),
            told(&it.second)
        )
    }
}

/// Compares what two configurations decide, under the seeds from 1 to `seeds`.
#[must_use]
pub fn verify(first: &Config, second: &Config, seeds: u64) -> Verified {
    let mut operations: BTreeSet<&str> =
        first.operations().chain(second.operations()).map(|(name, _)| name).collect();
    operations.insert(ANY_OTHER);
    let mut verified = Verified { operations: operations.len(), ..Verified::default() };
    for seed in 1..=seeds {
        verified.seeds = seed;
        for operation in &operations {
            let (a, b) = (first.operation(operation), second.operation(operation));
            if let Some((index, first, second)) =
                compare(a, b, Seed(seed), operation, &mut verified)
            {
                let operation = (*operation).to_owned();
                let it = Difference { seed, operation, index, first, second };
                verified.difference = Some(it);
                return verified;
            }
        }
    }
    verified
}

type Differs = (usize, Option<Step>, Option<Step>);

fn compare(
    a: &Tuning,
    b: &Tuning,
    seed: Seed,
    operation: &str,
    verified: &mut Verified,
) -> Option<Differs> {
    let (mut a, mut b) = (Run::new(a, seed, operation), Run::new(b, seed, operation));
    for index in 0..STEPS_MAX {
        let (first, second) = (a.next(), b.next());
        if first != second {
            return Some((index, first, second));
        }
        let step = first?;
        verified.decisions += 1;
        verified.retries += u64::from(matches!(step.decision, Decision::Retry { .. }));
        verified.rejected += u64::from(step.decision == Decision::Rejected);
    }
    None
}

/// How calls go for a while.
#[derive(Clone, Copy, Debug)]
struct Spell {
    /// When it is over.
    until: Duration,
    /// How likely a call fails.
    fails: Probability,
}

/// One operation under one configuration.
struct Run {
    retry: Retry,
    breaker: Breaker,
    /// How long after its first attempt a request is tried again.
    within: Duration,
    now: Duration,
    /// When the request in hand began.
    since: Duration,
    /// Requests that have begun.
    begun: u32,
    /// Failures of the request in hand; none is in hand if `None`.
    failures: Option<u32>,
    spell: Spell,
    arrivals: Stream,
    errors: Stream,
    pauses: Stream,
}

impl Run {
    fn new(tuning: &Tuning, seed: Seed, operation: &str) -> Run {
        let stream = |what: &str| seed.stream(&format!("verify/{operation}/{what}"));
        Run {
            retry: tuning.retry(),
            breaker: Breaker::new(Rc::new(tuning.breaker())),
            within: tuning.max_delay,
            now: Duration::ZERO,
            since: Duration::ZERO,
            begun: 0,
            failures: None,
            spell: Spell { until: Duration::ZERO, fails: Probability::NEVER },
            arrivals: stream("arrivals"),
            errors: stream("errors"),
            pauses: stream("pauses"),
        }
    }

    /// How likely a call fails now. Good spells, bad ones and outages of seconds to minutes.
    fn fails(&mut self) -> Probability {
        while self.spell.until <= self.now {
            let percent = [2, 30, 70, 100];
            let percent = self.errors.pick(&percent).copied().unwrap_or_default();
            let lasts = Duration::from_secs(self.errors.between(5, 240));
            let until = self.spell.until.saturating_add(lasts);
            self.spell = Spell { until, fails: Probability::percent(percent) };
        }
        self.spell.fails
    }
}

impl Iterator for Run {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let failed = match self.failures {
            Some(failed) => failed,
            None => {
                if self.begun == REQUESTS {
                    return None;
                }
                self.begun += 1;
                self.now =
                    self.now.saturating_add(self.arrivals.exponential(Duration::from_secs(5)));
                self.since = self.now;
                0
            }
        };
        let at = self.now;
        let decision = match self.breaker.admit(Time::ZERO + at) {
            Err(_) => {
                self.failures = None;
                Decision::Rejected
            }
            Ok(permit) => {
                let likely = self.fails();
                // Drawn in any case, so that a call always draws as much.
                let (fails, is_final) =
                    (self.errors.chance(likely), self.errors.chance(Probability::percent(10)));
                let took = Duration::from_millis(self.errors.between(20, 2_000));
                self.now = self.now.saturating_add(took);
                // What the caller did wrong says nothing about the model.
                let outcome = match (fails, is_final) {
                    (false, _) => Outcome::Success,
                    (true, false) => Outcome::Failure,
                    (true, true) => Outcome::Ignored,
                };
                self.breaker.record(Time::ZERO + self.now, permit, outcome, took);
                let failed = failed + 1;
                if !fails {
                    self.failures = None;
                    Decision::Done
                } else if is_final
                    || failed >= self.retry.attempts
                    || self.now - self.since >= self.within
                {
                    self.failures = None;
                    Decision::GiveUp
                } else {
                    let after = self.retry.pause(failed, &mut self.pauses);
                    self.now = self.now.saturating_add(after);
                    self.failures = Some(failed);
                    Decision::Retry { after }
                }
            }
        };
        Some(Step { at, decision, breaker: self.breaker.state() })
    }
}
