//! A circuit breaker: one state machine, whose settings make it behave as well-known ones do.
//!
//! It must never read a clock or draw a number, and a call must never allocate. Start at
//! [`Breaker`]; [`Dialect`] has the defaults of each library, [`Settings`] all that can differ.
//!
//! # How soon a healthy backend is in use again
//!
//! From any state but those that only a hand leaves (forced open), a breaker whose backend is
//! healthy is closed at the latest after the current wait plus the probes it asks for, if calls
//! keep coming and each permit is given back by [`record`](Breaker::record) or
//! [`release`](Breaker::release). The wait is at most `wait.max` (or `wait.base`, if it does not
//! grow) plus one sweep. Half-open already, with failures from before the backend was healthy among
//! its probes, it may open once more: then the wait counts twice. With [`HalfOpen::max_wait`] set, probes that never report hold it up for
//! that long; without, for ever, as in the libraries: see [`abandon`](Breaker::abandon).

mod check;
mod counts;
mod dialect;
mod machine;
mod reconfigure;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod trip;

use std::{rc::Rc, time::Duration};

use serde::{Deserialize, Serialize};

pub use self::{
    check::Contradiction,
    counts::{Counts, Life},
    dialect::Dialect,
    settings::{
        Boundary, Ends, Forgets, Growth, HalfOpen, Late, Manual, Settings, Then, TripsOn, Verdict,
        Wait,
    },
    state::{Illegal, Outcome, Permit, Rejected, State},
    trip::{Comparison, Condition, Number, Parts, Trip},
};
use crate::{
    policy::window::{Call, Window},
    world::Time,
};

/// The format of [`Saved`]: a breaker saved in another starts anew.
const FORMAT: u8 = 1;

/// How many transitions are kept for [`Breaker::take_change`].
const CHANGES_MAX: usize = 16;

/// A circuit breaker.
#[derive(Clone, Debug)]
pub struct Breaker {
    settings: Rc<Settings>,
    it: Saved,
    /// Transitions that nobody has asked about yet, the oldest first.
    changes: Vec<(State, State)>,
}

/// Everything that a breaker must remember over a crash. Instants are of the world's clock, so what
/// was due while it was down is due when it is back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    format: u8,
    state: State,
    /// Counts the stretches between which outcomes are late.
    generation: u64,
    /// When the state was entered.
    since: Time,
    /// Until when an open breaker waits; for ever if `None`.
    until: Option<Time>,
    /// Openings that the wait remembers.
    opens: u32,
    /// Permits taken while half-open.
    probes_out: u32,
    rejected: u64,
    /// The window while closed, and that while half-open.
    window: Window,
    probes: Window,
    /// Whether the probes' window is the one that counts.
    probing: bool,
    /// While it only measures: which limits were found exceeded already.
    told_failures: bool,
    told_slow: bool,
    life: Life,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(settings: Rc<Settings>) -> Breaker {
        let it = Saved {
            format: FORMAT,
            state: State::Closed,
            generation: 0,
            since: Time::ZERO,
            until: None,
            opens: 0,
            probes_out: 0,
            rejected: 0,
            window: Window::new(settings.window),
            probes: Window::new(settings.probes_window()),
            probing: false,
            told_failures: false,
            told_slow: false,
            life: Life::default(),
        };
        Breaker { settings, it, changes: Vec::with_capacity(CHANGES_MAX) }
    }

    /// A breaker that goes on where the saved one was; the permits that it gave out stay good. One
    /// that was saved in another format, or whose windows the settings no longer fit, starts anew.
    pub fn restore(settings: Rc<Settings>, saved: Saved) -> Breaker {
        let mut breaker = Breaker::new(settings);
        let fits = saved.format == FORMAT
            && saved.window.fits(breaker.settings.window)
            && saved.probes.fits(breaker.settings.probes_window());
        if fits {
            breaker.it = saved;
        }
        breaker
    }

    /// Everything that the breaker must remember over a crash.
    pub fn save(&self) -> Saved {
        self.it.clone()
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The state as it stands: [`poll`](Breaker::poll) first for what time has changed.
    #[inline]
    pub fn state(&self) -> State {
        self.it.state
    }

    /// When an open breaker may be tried again, or a half-open one gives up; if that is known.
    pub fn until(&self) -> Option<Time> {
        match self.it.state {
            State::Open => self.it.until,
            State::HalfOpen => self.patience(),
            _ => None,
        }
    }

    /// How long the breaker would stay open if it opened next, unless closing makes it forget.
    pub fn next_wait(&self) -> Duration {
        self.settings.wait.after(self.it.opens.saturating_add(1))
    }

    /// The oldest transition that was not taken yet.
    #[inline]
    pub fn take_change(&mut self) -> Option<(State, State)> {
        if self.changes.is_empty() { None } else { Some(self.changes.remove(0)) }
    }

    /// Asks for a permit to make a call.
    ///
    /// # Errors
    ///
    /// [`Rejected`] if the call must not be made.
    #[inline]
    pub fn admit(&mut self, now: Time) -> Result<Permit, Rejected> {
        self.poll(now);
        match self.it.state {
            State::Open if self.waited(now) => self.leave_open(now),
            State::Open | State::ForcedOpen => return Err(self.reject()),
            _ => {}
        }
        if self.it.state == State::HalfOpen {
            let limit = self.settings.half_open.and_then(|it| it.permits);
            if limit.is_some_and(|limit| self.it.probes_out >= limit) {
                return Err(self.reject());
            }
            self.it.probes_out += 1;
        }
        let bucket = match self.it.state {
            State::Disabled => 0,
            _ => {
                self.it.life.admitted += 1;
                self.live_mut().begin(now)
            }
        };
        Ok(Permit { generation: self.it.generation, bucket })
    }

    fn reject(&mut self) -> Rejected {
        self.it.rejected += 1;
        self.it.life.rejected += 1;
        let strict = self.it.state == State::Open && !self.settings.wait.inclusive();
        let nanos = u64::from(strict);
        let until = self.until().map(|until| until + Duration::from_nanos(nanos));
        Rejected { state: self.it.state, until }
    }

    /// Tells what came of a call, and how long it took.
    #[inline]
    pub fn record(&mut self, now: Time, permit: Permit, outcome: Outcome, took: Duration) {
        self.poll(now);
        let late = permit.generation != self.it.generation;
        let returned = self.settings.half_open.is_some_and(|it| it.returned);
        if !late && (returned || outcome == Outcome::Ignored) {
            self.give_back();
        }
        if late && self.settings.late == Late::Dropped {
            self.it.life.dropped += 1;
            return;
        }
        if matches!(self.it.state, State::Disabled | State::ForcedOpen) {
            return;
        }
        let failed = match outcome {
            Outcome::Ignored => {
                self.it.life.ignored += 1;
                if !late {
                    self.live_mut().exclude(permit.bucket);
                }
                return;
            }
            Outcome::Failure => {
                self.it.life.failures += 1;
                true
            }
            Outcome::Success => {
                self.it.life.successes += 1;
                false
            }
        };
        let slow = self.settings.slow_after.is_some_and(|limit| took > limit);
        let call = Call { failed, slow, took };
        if self.settings.dated_at_start && !late {
            self.live_mut().record_in(now, permit.bucket, call);
        } else {
            self.live_mut().record(now, call);
        }
        self.judge(now, failed);
    }

    /// Tells of a call for which nobody took a permit. It counts as a late one.
    pub fn note(&mut self, now: Time, outcome: Outcome, took: Duration) {
        let permit = Permit { generation: u64::MAX, bucket: 0 };
        self.record(now, permit, outcome, took);
    }

    /// Whether the breaker has changed its state since it gave out this permit.
    pub fn is_late(&self, permit: Permit) -> bool {
        permit.generation != self.it.generation
    }

    /// The call of this permit was never made, or was given up: the permit is free again, and
    /// nothing is counted.
    pub fn release(&mut self, permit: Permit) {
        if permit.generation == self.it.generation {
            self.give_back();
            if self.it.state != State::Disabled {
                self.live_mut().exclude(permit.bucket);
            }
        }
    }

    /// Gives back all permits that are out. For after a crash of their holders, who will not do it.
    /// What they tell after all is late.
    pub fn abandon(&mut self) {
        self.it.generation += 1;
        self.it.probes_out = 0;
    }

    fn give_back(&mut self) {
        self.it.probes_out = self.it.probes_out.saturating_sub(1);
    }

    /// Puts the breaker into a state by hand; does nothing if the settings do not allow that.
    pub fn force(&mut self, now: Time, state: State) {
        // What the caller of this one asked for is to have it ignored.
        let _ = self.try_force(now, state);
    }

    /// Puts the breaker into a state by hand.
    ///
    /// # Errors
    ///
    /// [`Illegal`] if the settings do not allow it; nothing has changed then.
    pub fn try_force(&mut self, now: Time, to: State) -> Result<(), Illegal> {
        self.poll(now);
        let from = self.it.state;
        let unknown = to == State::HalfOpen && self.settings.half_open.is_none();
        if unknown || self.settings.manual.checked && !from.may_become(to) {
            return Err(Illegal { from, to });
        }
        if from != to || self.settings.manual.restarts {
            self.enter(to, now);
        }
        Ok(())
    }

    /// Opens the breaker by hand, for this long instead of what the settings say; what a backend
    /// asked for by `Retry-After`, say.
    ///
    /// # Errors
    ///
    /// [`Illegal`] if the settings do not allow to open it now; nothing has changed then.
    pub fn open_for(&mut self, now: Time, wait: Duration) -> Result<(), Illegal> {
        self.try_force(now, State::Open)?;
        self.wait_for(now, wait);
        Ok(())
    }

    /// Has an open breaker wait for this long from now, instead of what the settings say. For waits
    /// that somebody works out at each opening (failsafe-go's delay function, Polly's generator).
    /// Does nothing in any other state.
    pub fn wait_for(&mut self, now: Time, wait: Duration) {
        if self.it.state == State::Open {
            self.it.until = Some(now + wait);
        }
    }

    /// Closes the breaker by hand, whatever its state, and forgets all that was in the window.
    pub fn reset(&mut self, now: Time) {
        self.it.life.resets += 1;
        self.enter(State::Closed, now);
        self.it.opens = 0;
    }
}
