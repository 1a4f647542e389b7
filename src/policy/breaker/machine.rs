//! The transitions of a breaker, and when they are due.

use std::time::Duration;

use crate::{
    policy::window::{Shape, Window},
    world::Time,
};

use super::{
    Boundary, Breaker, CHANGES_MAX, Ends, Forgets, Growth, Settings, State, Then, TripsOn, Verdict,
    Wait, trip::MILLION,
};

impl Settings {
    /// The window over the probes: as many as may be needed, or all.
    pub(super) fn probes_window(&self) -> Shape {
        let Some(half_open) = self.half_open else { return Shape::Unbounded };
        match half_open.verdict {
            Verdict::Successes(_) => Shape::Unbounded,
            Verdict::Ratio { of, .. } => Shape::Calls(half_open.permits.unwrap_or(of).max(of)),
            Verdict::Trip => Shape::Calls(half_open.permits.unwrap_or(self.minimum_calls)),
        }
    }
}

impl Wait {
    /// Whether the wait is over at its last instant.
    #[inline]
    pub(super) fn inclusive(&self) -> bool {
        self.boundary == Boundary::Inclusive || self.ends == Ends::OnTime
    }

    /// How long the breaker stays open for the n-th time in a row, counted from 1.
    pub fn after(&self, opens: u32) -> Duration {
        let max = self.max.unwrap_or(Duration::from_nanos(u64::MAX));
        let wait = match self.growth {
            Growth::Constant => self.base,
            Growth::Linear => self.base.saturating_mul(opens),
            Growth::Times(parts) => grown(self.base, parts, opens.saturating_sub(1), max),
        };
        wait.min(max)
    }

    /// The end of a wait that begins now.
    fn end(&self, now: Time, opens: u32) -> Time {
        let end = now + self.after(opens);
        match self.sweep.map(|sweep| Time::ZERO + sweep) {
            Some(sweep) if sweep > Time::ZERO => {
                let sweeps = end.as_nanos().div_ceil(sweep.as_nanos());
                Time::from_nanos(sweeps.saturating_mul(sweep.as_nanos()))
            }
            _ => end,
        }
    }

    /// How many openings are remembered after one more. A linear wait stops remembering one step
    /// past its longest (Envoy).
    fn one_more(&self, opens: u32) -> u32 {
        let room = match (self.growth, self.max) {
            (Growth::Linear, Some(max)) => self.base.saturating_mul(opens) < max + self.base,
            _ => true,
        };
        opens.saturating_add(u32::from(room))
    }
}

/// A wait that grew so many times, cut at the longest.
fn grown(base: Duration, parts: u32, times: u32, max: Duration) -> Duration {
    let max = max.as_nanos();
    let mut wait = base.as_nanos();
    for _ in 0..times {
        let grown = wait * u128::from(parts) / u128::from(MILLION);
        // At the top, or too short to grow by a whole nanosecond; none shrinks.
        if wait >= max || grown <= wait {
            break;
        }
        wait = grown;
    }
    Duration::from_nanos(u64::try_from(wait.min(max)).unwrap_or(u64::MAX))
}

impl Breaker {
    /// Does what is due by now: timers that have run out, parts of the window that are forgotten.
    /// A call or a record does this first.
    #[inline]
    pub fn poll(&mut self, now: Time) {
        while self.step(now) {}
        let open = self.it.state == State::Open;
        if !(open && self.settings.clears_on_open) && self.live_mut().roll(now) {
            self.it.generation += 1;
        }
    }

    /// Makes the next transition that is due by now, if there is one.
    #[inline]
    fn step(&mut self, now: Time) -> bool {
        match self.it.state {
            State::Open => match self.settings.wait.ends {
                Ends::OnCall => false,
                Ends::OnLook => self.leaves(now, now),
                Ends::OnTime => self.leaves(now, self.it.until.unwrap_or(now)),
            },
            State::HalfOpen => match self.patience() {
                Some(until) if until <= now => {
                    let then = self.settings.half_open.map(|it| it.then);
                    let to = if then == Some(Then::Close) { State::Closed } else { State::Open };
                    self.enter(to, until);
                    true
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Leaves the open state as of this instant, if the wait is over by now.
    fn leaves(&mut self, now: Time, at: Time) -> bool {
        let over = self.waited(now);
        if over {
            self.leave_open(at);
        }
        over
    }

    /// Whether an open breaker has waited long enough.
    #[inline]
    pub(super) fn waited(&self, now: Time) -> bool {
        match self.it.until {
            None => false,
            Some(until) if self.settings.wait.inclusive() => now >= until,
            Some(until) => now > until,
        }
    }

    /// When a half-open breaker gives up, if ever.
    #[inline]
    pub(super) fn patience(&self) -> Option<Time> {
        Some(self.it.since + self.settings.half_open?.max_wait?)
    }

    /// What follows the open state.
    pub(super) fn leave_open(&mut self, at: Time) {
        let probes = self.settings.half_open.is_some();
        self.enter(if probes { State::HalfOpen } else { State::Closed }, at);
    }

    /// Enters a state, be it the one that the breaker is in.
    pub(super) fn enter(&mut self, to: State, at: Time) {
        let from = self.it.state;
        self.forget_openings(from, to, at);
        let it = &mut self.it;
        it.state = to;
        it.generation += 1;
        it.since = at;
        it.until = None;
        it.probes_out = 0;
        if to == State::Open {
            it.until = Some(self.settings.wait.end(at, it.opens));
            if self.settings.clears_on_open {
                self.start_window(false, at);
            }
        } else {
            it.rejected = 0;
            (it.told_failures, it.told_slow) = (false, false);
            self.start_window(to == State::HalfOpen, at);
        }
        if from != to {
            self.it.life.went(from, to);
            if self.changes.len() == CHANGES_MAX {
                self.changes.remove(0);
            }
            self.changes.push((from, to));
        }
    }

    /// How many openings the wait remembers on entering a state.
    fn forget_openings(&mut self, from: State, to: State, at: Time) {
        let wait = &self.settings.wait;
        if let (State::Closed, Forgets::OnePer(period)) = (from, wait.forgets) {
            let quiet = (at - self.it.since).as_nanos().checked_div(period.as_nanos());
            let forgotten = u32::try_from(quiet.unwrap_or(0)).unwrap_or(u32::MAX);
            self.it.opens = self.it.opens.saturating_sub(forgotten);
        }
        self.it.opens = match to {
            State::Open | State::ForcedOpen => wait.one_more(self.it.opens),
            State::HalfOpen => self.it.opens,
            State::Closed if wait.forgets != Forgets::OnClose => self.it.opens,
            State::Closed | State::Disabled | State::MetricsOnly => 0,
        };
    }

    fn start_window(&mut self, probing: bool, at: Time) {
        self.it.probing = probing;
        self.live_mut().clear(at);
    }

    /// The window that counts.
    #[inline]
    pub(super) fn live(&self) -> &Window {
        if self.it.probing { &self.it.probes } else { &self.it.window }
    }

    #[inline]
    pub(super) fn live_mut(&mut self) -> &mut Window {
        if self.it.probing { &mut self.it.probes } else { &mut self.it.window }
    }

    /// How many calls must be in the window before its rates mean something.
    #[inline]
    pub(super) fn minimum(&self) -> u32 {
        let shape =
            if self.it.probing { self.settings.probes_window() } else { self.settings.window };
        match shape {
            Shape::Calls(calls) => self.settings.minimum_calls.min(calls),
            _ => self.settings.minimum_calls,
        }
    }

    /// What follows from an outcome that was just counted.
    #[inline]
    pub(super) fn judge(&mut self, now: Time, failed: bool) {
        match self.it.state {
            State::Closed | State::MetricsOnly => {
                if failed || self.settings.trips_on == TripsOn::AnyOutcome {
                    self.judge_traffic(now);
                }
            }
            State::HalfOpen => {
                if let Some(to) = self.verdict(failed) {
                    self.enter(to, now);
                }
            }
            State::Open | State::Disabled | State::ForcedOpen => {}
        }
    }

    #[inline]
    fn judge_traffic(&mut self, now: Time) {
        let tally = self.live().totals();
        if tally.calls() < self.minimum() {
            return;
        }
        let exceeded = self.settings.trip.exceeded(tally, self.settings.whole_percents);
        let it = &mut self.it;
        it.life.failure_rate_exceeded += u64::from(exceeded.failures && !it.told_failures);
        it.life.slow_rate_exceeded += u64::from(exceeded.slow && !it.told_slow);
        if it.state == State::MetricsOnly {
            it.told_failures |= exceeded.failures;
            it.told_slow |= exceeded.slow;
        } else if exceeded.any() {
            self.enter(State::Open, now);
        }
    }

    /// What the probes so far say.
    fn verdict(&self, failed: bool) -> Option<State> {
        let tally = self.live().totals();
        match self.settings.half_open?.verdict {
            Verdict::Trip => {
                let enough = tally.calls() >= self.minimum();
                let trip = &self.settings.trip;
                let exceeded = trip.exceeded(tally, self.settings.whole_percents).any();
                enough.then_some(if exceeded { State::Open } else { State::Closed })
            }
            Verdict::Successes(_) if failed => Some(State::Open),
            Verdict::Successes(needed) => {
                (tally.consecutive_successes >= needed).then_some(State::Closed)
            }
            Verdict::Ratio { successes, .. } if tally.successes >= successes => Some(State::Closed),
            Verdict::Ratio { successes, of } => {
                (tally.failures > of.saturating_sub(successes)).then_some(State::Open)
            }
        }
    }
}
