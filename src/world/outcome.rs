//! What a run comes to: a plain value, to compare, to print and to snapshot.

use serde::Serialize;

use super::{Counts, Ending, Failure, Fingerprint, Host, Seed, Time, core::Core};

/// The outcome of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// The seed that decided everything.
    pub seed: Seed,
    /// What the history comes to.
    pub fingerprint: Fingerprint,
    /// How many events there were.
    pub events: u64,
    /// When the last of them happened.
    pub ended_at: Time,
    /// How it ended.
    pub ending: Ending,
    /// How often each kind of event happened.
    pub counts: Counts,
    /// How many calls were still waiting for an answer.
    pub calls_open: u64,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// The host it ran on. Not part of the history.
    #[serde(skip)]
    pub host: Host,
}

impl Outcome {
    /// The outcome, if nothing failed.
    ///
    /// # Errors
    ///
    /// The [`Failure`].
    pub fn ok(self) -> Result<Outcome, Failure> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self),
        }
    }
}

impl Core {
    /// What the run has come to.
    pub(crate) fn outcome(&self) -> Outcome {
        let ending = self.ending.get().unwrap_or(Ending::Failed);
        if ending == Ending::Idle {
            let waits = self.waits();
            if !waits.is_empty() {
                self.fail(Failure::Deadlock { waits, at: self.now.get() });
            }
        }
        let failure = self.failure.borrow().clone();
        Outcome {
            seed: self.seed,
            fingerprint: self.history.fingerprint(),
            events: self.history.events(),
            ended_at: self.now.get(),
            ending: if failure.is_some() { Ending::Failed } else { ending },
            counts: self.history.counts(),
            calls_open: self.calls.borrow().len() as u64,
            failure,
            host: self.hosts.host(),
        }
    }
}
