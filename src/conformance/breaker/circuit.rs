//! `circuit_breaker`: a breaker of any dialect, told of calls one by one.

use std::{rc::Rc, time::Duration};

use serde_json::Value;

use super::{
    Fields, Seen, Subject, Unsupported, also,
    config::{self, Errors},
    first, seen, tell, times,
};
use crate::{
    policy::breaker::{Breaker, Dialect, Outcome, Permit, Rejected, Settings, State},
    world::Time,
};

/// A breaker and those who use it.
pub(super) struct Circuit {
    /// What it is called.
    owner: String,
    dialect: Dialect,
    settings: Rc<Settings>,
    errors: Errors,
    breaker: Breaker,
    /// Permits that are out, with the names of their calls and when these began.
    held: Vec<(String, Permit, Time)>,
    /// How long it stays open, by how often it opened in a row, if somebody works that out.
    waits: Vec<Duration>,
    /// Whether it lives in a store that others share: it is saved and restored at every step.
    shared: bool,
    /// All transitions so far.
    transitions: Vec<(State, State)>,
}

/// What a step came to, besides what it made of the breaker.
#[derive(Default)]
struct Did {
    asked: Option<Result<(), Rejected>>,
    illegal: bool,
}

impl Circuit {
    pub(super) fn new(config: &mut Fields) -> Result<Circuit, Unsupported> {
        let name = first(config, &["dialect", "library"], Fields::text)?;
        let name = name.unwrap_or_else(|| "resilience4j".to_owned());
        let plain = match name.to_lowercase().as_str() {
            "failsafe-go" => "failsafe".to_owned(),
            "envoy" => "envoy-outlier".to_owned(),
            other => other.to_owned(),
        };
        let dialect = Dialect::from_name(&plain)
            .ok_or_else(|| Unsupported(format!("there is no dialect {name:?}")))?;
        let waits = config::waits(config)?;
        let (settings, errors, initial) = config::settings(dialect, config)?;
        // That a call has two steps changes nothing here.
        let owner = config.text("name")?.unwrap_or_default();
        config.flag("two_step")?;
        let stores = ["shared", "shared_state", "shared_store", "distributed"];
        let shared = first(config, &stores, Fields::flag)?.unwrap_or(false);
        let settings = Rc::new(settings);
        let mut breaker = Breaker::new(settings.clone());
        breaker.force(Time::ZERO, initial);
        while breaker.take_change().is_some() {}
        let (held, transitions) = (Vec::new(), Vec::new());
        Ok(Circuit { owner, dialect, settings, errors, breaker, held, waits, shared, transitions })
    }

    /// What an outcome of this name means, in view of which errors count.
    fn outcome(
        &self,
        name: &str,
        error: Option<&str>,
        step: &mut Fields,
    ) -> Result<Outcome, Unsupported> {
        let names = ["error", "error_type", "type", "exception"];
        let error = first(step, &names, Fields::text)?.or(error.map(str::to_owned));
        let outcome = match name {
            "success" | "ok" | "slow_success" | "record_success" | "on_success" => Outcome::Success,
            "error" | "failure" | "failed" | "timeout" | "slow_error" | "panic"
            | "record_failure" | "record_error" | "on_error" | "on_failure" => Outcome::Failure,
            "ignored" | "ignored_error" | "excluded" | "exclude" => Outcome::Ignored,
            other => return Err(Unsupported(format!("a call has no outcome {other:?}"))),
        };
        let result = step.text("result")?;
        if outcome == Outcome::Success && result.is_some_and(|it| self.errors.results.contains(&it))
        {
            return Ok(Outcome::Failure);
        }
        if outcome == Outcome::Failure && self.errors.none {
            return Ok(Outcome::Success);
        }
        let Some(error) = error.filter(|_| outcome == Outcome::Failure) else { return Ok(outcome) };
        let unrecorded = self.errors.recorded.as_ref().is_some_and(|it| !it.contains(&error));
        Ok(if self.errors.ignored.contains(&error) {
            Outcome::Ignored
        } else if self.errors.successful.contains(&error) {
            Outcome::Success
        } else if unrecorded && self.dialect == Dialect::Engined {
            Outcome::Ignored
        } else if unrecorded {
            Outcome::Success
        } else {
            Outcome::Failure
        })
    }

    /// How long a call took, if that is told.
    fn took(&self, event: &str, step: &mut Fields) -> Result<Option<Duration>, Unsupported> {
        let took = first(step, &["duration", "took", "elapsed"], Fields::duration)?;
        let slow = event.starts_with("slow_");
        let slow = self.settings.slow_after.filter(|_| slow).map(|it| it + Duration::from_nanos(1));
        Ok(took.or(slow))
    }

    fn acquire(&mut self, now: Time, call: &str) -> Result<(), Rejected> {
        let permit = self.breaker.admit(now)?;
        self.held.push((call.to_owned(), permit, now));
        Ok(())
    }

    /// A call that is over: of a permit that was taken before, or from start to end.
    fn call(&mut self, now: Time, outcome: Outcome, took: Duration) -> Result<(), Rejected> {
        self.breaker.poll(now);
        let breaker = &self.breaker;
        let fits =
            |(call, it, _): &(String, Permit, Time)| call.is_empty() && !breaker.is_late(*it);
        if let Some(held) = self.held.iter().position(fits) {
            let (_, permit, _) = self.held.remove(held);
            self.breaker.record(now, permit, outcome, took);
            return Ok(());
        }
        // These let anybody tell of an outcome; the others refuse the call.
        let tells = !matches!(self.dialect, Dialect::Gobreaker | Dialect::Engined);
        match self.breaker.clone().admit(now) {
            Err(rejected) if tells => {
                self.breaker.note(now, outcome, took);
                Err(rejected)
            }
            _ => {
                let permit = self.breaker.admit(now)?;
                self.breaker.record(now, permit, outcome, took);
                Ok(())
            }
        }
    }

    /// A call from start to end, which is not made if it is refused.
    fn execute(&mut self, now: Time, outcome: Outcome, took: Duration) -> Result<(), Rejected> {
        let permit = self.breaker.admit(now)?;
        self.breaker.record(now, permit, outcome, took);
        Ok(())
    }

    /// The permit of a call of this name, and when it was given.
    fn held(&mut self, call: &str) -> Result<(Permit, Time), Unsupported> {
        let found = self.held.iter().position(|(it, ..)| it == call);
        let missing = || Unsupported(format!("no call {call:?} is under way"));
        let (_, permit, since) = found.map(|at| self.held.remove(at)).ok_or_else(missing)?;
        Ok((permit, since))
    }

    /// Saves the breaker and goes on with what was saved.
    fn restart(&mut self) -> Result<(), Unsupported> {
        let lost = |error: serde_json::Error| Unsupported(error.to_string());
        let saved = serde_json::to_string(&self.breaker.save()).map_err(lost)?;
        let saved = serde_json::from_str(&saved).map_err(lost)?;
        self.breaker = Breaker::restore(self.settings.clone(), saved);
        Ok(())
    }

    /// Takes note of what has changed. A breaker that opened stays so for as long as is worked out:
    /// what the step says, or the next of the list.
    fn note_changes(&mut self, now: Time, wait: Option<Duration>) -> usize {
        let before = self.transitions.len();
        self.transitions.extend(std::iter::from_fn(|| self.breaker.take_change()));
        let opened = self.transitions[before..].iter().any(|(_, to)| *to == State::Open);
        if opened && self.breaker.state() == State::Open {
            let opens = self.breaker.counts().opens.max(1) as usize;
            let listed = self.waits.get(opens - 1).or(self.waits.last()).copied();
            if let Some(wait) = wait.or(listed) {
                self.breaker.wait_for(now, wait);
            }
        }
        before
    }

    fn force(&mut self, now: Time, to: &str, step: &mut Fields) -> Result<Did, Unsupported> {
        let to = config::state(to)?;
        let wait = first(step, &["wait", "for", "wait_open"], Fields::duration)?;
        let done = match wait {
            Some(wait) if to == State::Open => self.breaker.open_for(now, wait),
            _ => self.breaker.try_force(now, to),
        };
        Ok(Did { illegal: done.is_err(), ..Did::default() })
    }

    fn act(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Did, Unsupported> {
        let id = |step: &mut Fields| first(step, &["id", "call"], Fields::text);
        let mut asked = None;
        match event {
            "try_acquire" | "acquire" | "try_acquire_permit" | "acquire_permission" | "allow"
            | "begin" => {
                let call = id(step)?.unwrap_or_default();
                for _ in 0..times(step)? {
                    asked = Some(self.acquire(now, &call));
                }
            }
            "release" | "release_permission" | "release_permit" | "cancel" => {
                let call = id(step)?.unwrap_or_default();
                let (permit, _) = self.held(&call)?;
                self.breaker.release(permit);
            }
            "end" | "done" | "complete" => {
                let call = id(step)?.unwrap_or_default();
                let failed = step.flag("success")?.is_some_and(|success| !success);
                let outcome = step.text("outcome")?;
                let unsaid = if failed { "failure" } else { "success" };
                let outcome = outcome.unwrap_or_else(|| unsaid.to_owned());
                let took = self.took(&outcome, step)?;
                let outcome = self.outcome(&outcome, None, step)?;
                let (permit, since) = self.held(&call)?;
                self.breaker.record(now, permit, outcome, took.unwrap_or_else(|| now - since));
            }
            "observe" | "advance" | "tick" | "state" | "sweep" | "wait" | "health" => {
                self.breaker.poll(now);
            }
            "reset" => self.breaker.reset(now),
            "isolate" => return self.force(now, "forced_open", step),
            "force_open" => return self.force(now, "forced_open", step),
            "open" | "close" | "half_open" | "closed" | "disable" | "disabled" => {
                let to = match event {
                    "close" => "closed",
                    "disable" => "disabled",
                    other => other,
                };
                return self.force(now, to, step);
            }
            "transition" | "force" => {
                let to = first(step, &["to", "state"], Fields::text)?;
                let to = to.ok_or_else(|| Unsupported("a transition to nowhere".to_owned()))?;
                return self.force(now, &to, step);
            }
            "restart" | "save_restore" => self.restart()?,
            other => {
                if let Some(to) = other.strip_prefix("transition:") {
                    return self.force(now, to, step);
                }
                let whole = matches!(other, "execute" | "run");
                let (name, error) = match other.split_once(':') {
                    _ if whole || matches!(other, "call" | "record") => {
                        (step.text("outcome")?, None)
                    }
                    Some((name @ ("error" | "failure"), error)) => {
                        (Some(name.to_owned()), Some(error))
                    }
                    _ => (Some(other.to_owned()), None),
                };
                let name = name.unwrap_or_else(|| "success".to_owned());
                let took = self.took(&name, step)?.unwrap_or_default();
                let outcome = self.outcome(&name, error, step)?;
                for _ in 0..times(step)? {
                    asked = Some(if whole {
                        self.execute(now, outcome, took)
                    } else {
                        self.call(now, outcome, took)
                    });
                }
            }
        }
        Ok(Did { asked, ..Did::default() })
    }
}

impl Subject for Circuit {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        if self.shared {
            // They share everything, so it does not matter which of them it is.
            first(step, &["node", "instance", "replica"], Fields::text)?;
            self.restart()?;
        }
        let wait = first(step, &["delay", "break", "break_duration"], Fields::duration)?;
        let did = self.act(now, event, step)?;
        self.breaker.poll(now);
        let before = self.note_changes(now, wait);
        let mut seen = seen::all(self.dialect, &self.breaker, now);
        seen::changes(self.dialect, &self.owner, &mut seen, &self.transitions, before);
        let granted = did.asked.map(|asked| asked.is_ok());
        tell(&mut seen, &["acquired", "permitted", "allowed", "admitted", "permit"], granted);
        let refused = did.asked.and_then(Result::err);
        let why = refused.map(|rejected| seen::refusal(self.dialect, rejected.state));
        tell(&mut seen, &["rejected", "rejection"], why);
        let illegal = did.illegal.then_some("illegal_transition");
        tell(&mut seen, &["error", "throws"], illegal.or(why));
        let names: Vec<Value> = match refused {
            _ if did.illegal => {
                let names = ["IllegalStateTransition", "IllegalStateTransitionException"];
                names.map(Value::from).to_vec()
            }
            Some(it) => {
                let names = seen::refusal_names(self.dialect, it.state);
                names.iter().map(|name| Value::from(*name)).collect()
            }
            None => Vec::new(),
        };
        also(&mut seen, &["error", "throws"], &names);
        let whether = did.asked.map(|asked| Value::from(asked.is_err()));
        let ways: Vec<Value> = names.into_iter().chain(whether).collect();
        also(&mut seen, &["rejected", "rejection"], &ways);
        tell(&mut seen, &["illegal", "illegal_transition"], did.illegal);
        Ok(seen)
    }
}
