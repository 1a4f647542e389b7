//! What the known bugs need beside their branches: the figures of their reports, and what a request
//! has to remember for them. A router without quirks never looks at it.

use std::{rc::Rc, time::Duration};

use super::job::Job;
use crate::stack::message::Baggage;

/// How long a silent model holds a request: bifrost#7034 names 120 s.
pub(super) const PIN: Duration = Duration::from_secs(120);
/// How long a request is tried that nobody waits for: bifrost#7035 names about 20 minutes.
pub(super) const STUBBORN: Duration = Duration::from_secs(20 * 60);
/// The longest wait before another model is asked: claude-code-router cuts it at 60 s.
pub(super) const WAITS_AT_MOST: Duration = Duration::from_secs(60);

/// What only quirks remember of a request.
#[derive(Default)]
pub(super) struct Quirky {
    /// Rounds through the chain that are over.
    rounds: u32,
    /// Attempts when the last round began.
    attempts: u32,
    /// What the first error asked for.
    pub(super) first_wait: Option<Option<Duration>>,
    failed: bool,
    paused: bool,
    /// The first model that was asked, and what was made for it.
    made_for: Option<(Rc<str>, Rc<Baggage>)>,
}

impl Quirky {
    /// Whether an attempt has failed before; from now on one has.
    pub(super) fn has_failed(&mut self) -> bool {
        std::mem::replace(&mut self.failed, true)
    }

    /// What a model is sent: the first one what the agent sent, others what was made of that for
    /// the first, here by its name in the agent's data.
    pub(super) fn payload(&mut self, model: &Rc<str>, baggage: &Rc<Baggage>) -> Rc<Baggage> {
        let (first, made) = self.made_for.get_or_insert_with(|| {
            let custom = format!("{model}: {}", baggage.custom);
            (Rc::clone(model), Rc::new(Baggage { custom, ..Baggage::clone(baggage) }))
        });
        Rc::clone(if first == model { baggage } else { made })
    }
}

impl Job {
    /// At the end of the chain, goes back to its beginning if there may be another round. One in
    /// which nobody could be asked is the last.
    pub(super) fn begin_round(&mut self, most: u32) -> bool {
        let again = self.next >= self.order.len()
            && self.quirky.rounds + 1 < most
            && self.attempts > self.quirky.attempts;
        if again {
            self.quirky.rounds += 1;
            self.quirky.attempts = self.attempts;
            self.next = 0;
        }
        again
    }

    /// Whether it has not paused yet; from now on it has. One that asked nobody does not pause.
    pub(super) fn pauses_once(&mut self) -> bool {
        self.attempts > 0 && !std::mem::replace(&mut self.quirky.paused, true)
    }

    /// Whether a model was called.
    pub(super) fn has_tried(&self, model: &Rc<str>) -> bool {
        self.alternatives.iter().any(|other| other.model == *model && other.tried)
    }
}
