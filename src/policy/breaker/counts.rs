//! What a breaker tells about itself.

use serde::{Deserialize, Serialize};

use crate::policy::window::Tally;

use super::{Breaker, State, trip::MILLION};

/// What a breaker knows, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// What is in the window of the state that the breaker is in; of the state before, while it is
    /// open and does not forget.
    pub window: Tally,
    /// Failures among the calls in the window, in parts per million; `None` below the minimum.
    pub failure_rate: Option<u32>,
    /// Slow calls among them, likewise.
    pub slow_rate: Option<u32>,
    /// Calls refused since the numbers were last reset: that is on closing and half-opening.
    pub rejected: u64,
    /// Permits that are taken, while half-open.
    pub probes: u32,
    /// Openings that the length of the wait remembers.
    pub opens: u32,
    /// Everything since the breaker was made.
    pub life: Life,
}

/// What happened since a breaker was made. Nothing is counted while it is disabled or forced open,
/// but for refusals and transitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// Calls that were let through.
    pub admitted: u64,
    /// Calls that were refused.
    pub rejected: u64,
    /// Outcomes: successes.
    pub successes: u64,
    /// Outcomes: failures.
    pub failures: u64,
    /// Outcomes that did not count.
    pub ignored: u64,
    /// Outcomes that came too late and were dropped.
    pub dropped: u64,
    /// Resets by hand.
    pub resets: u64,
    /// How often the limit of failures was found exceeded: on opening, and once each time that the
    /// breaker only measures.
    pub failure_rate_exceeded: u64,
    /// The same for slow calls.
    pub slow_rate_exceeded: u64,
    /// Transitions, by state left and state entered.
    transitions: [[u64; 6]; 6],
}

impl Life {
    /// How often the breaker went from one state to another.
    pub fn transitions(&self, from: State, to: State) -> u64 {
        self.transitions[from as usize][to as usize]
    }

    pub(super) fn went(&mut self, from: State, to: State) {
        self.transitions[from as usize][to as usize] += 1;
    }
}

impl Breaker {
    /// What the breaker knows, as it stands: [`poll`](Breaker::poll) first for what time has
    /// changed.
    pub fn counts(&self) -> Counts {
        let window = *self.live().totals();
        let calls = u64::from(window.calls());
        let rate = |part: u32| {
            (calls >= u64::from(self.minimum()))
                .then(|| (u64::from(part) * MILLION).checked_div(calls))
                .flatten()
                .map(|rate| rate as u32)
        };
        Counts {
            window,
            failure_rate: rate(window.failures),
            slow_rate: rate(window.slow()),
            rejected: self.it.rejected,
            probes: if self.it.state == State::HalfOpen { self.it.probes_out } else { 0 },
            opens: self.it.opens,
            life: self.it.life,
        }
    }
}
