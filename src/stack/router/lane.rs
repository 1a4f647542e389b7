//! What the router knows of one model: its breakers, its health, how busy and how quick it is.

use std::{rc::Rc, time::Duration};

use crate::{
    policy::{
        breaker::{self, Breaker, Outcome, Permit, Rejected, Saved, State},
        health::{Availability, Health, Status},
        select::{Candidate, Ewma},
    },
    stack::{
        Event, Quirk, Quirks,
        message::{BreakerHealth, ModelHealth},
        router::Model,
        settings::{self, Task},
    },
    world::Time,
};

/// One model.
pub(super) struct Lane {
    pub(super) model: Model,
    breakers: Vec<(Option<Task>, Rc<str>, Breaker)>,
    settings: Option<Rc<breaker::Settings>>,
    per_task: bool,
    quirks: Quirks,
    pub(super) in_flight: u32,
    pub(super) latency: Ewma,
    pub(super) health: Health,
    /// How long the last check took.
    pub(super) checked_in: Duration,
}

impl Lane {
    pub(super) fn new(model: Model, settings: &settings::Router) -> Lane {
        let mut breaker = settings.breaker.as_ref().map(|breakers| breakers.settings.clone());
        if let Some(breaker) = breaker.as_mut().filter(|_| settings.quirks.has(Quirk::OpensAtOnce))
        {
            breaker.minimum_calls = 1;
        }
        Lane {
            model,
            breakers: Vec::new(),
            settings: breaker.map(Rc::new),
            quirks: settings.quirks,
            per_task: settings.breaker.as_ref().is_some_and(|breakers| breakers.per_task),
            in_flight: 0,
            latency: Ewma::default(),
            health: Health::new(settings.health.settings.clone()),
            checked_in: Duration::ZERO,
        }
    }

    /// The breaker for a task, with the name of what it guards; `None` if there are none.
    fn breaker(&mut self, task: Task) -> Option<&mut (Option<Task>, Rc<str>, Breaker)> {
        let settings = Rc::clone(self.settings.as_ref()?);
        let key = self.per_task.then_some(task);
        let found = self.breakers.iter().position(|(other, ..)| *other == key);
        let index = found.unwrap_or_else(|| {
            let name = self.guarded(key);
            self.breakers.push((key, name, Breaker::new(settings)));
            self.breakers.len() - 1
        });
        self.breakers.get_mut(index)
    }

    /// What a breaker guards: `opus`, or `opus/code_review`.
    fn guarded(&self, task: Option<Task>) -> Rc<str> {
        match task {
            None => Rc::clone(&self.model.name),
            Some(task) => format!("{}/{}", self.model.name, task.as_str()).into(),
        }
    }

    /// Asks the breaker whether a call may be made.
    pub(super) fn admit(&mut self, now: Time, task: Task) -> Result<Option<Permit>, Rejected> {
        let quirks = self.quirks;
        match self.breaker(task) {
            Some((_, _, breaker)) => match breaker.admit(now) {
                Err(_)
                    if quirks.has(Quirk::HalfOpenLetsAllIn)
                        && matches!(breaker.state(), State::HalfOpen) =>
                {
                    Ok(None)
                }
                admitted => admitted.map(Some),
            },
            None => Ok(None),
        }
    }

    /// Tells the breaker how a call ended.
    pub(super) fn record(
        &mut self,
        now: Time,
        task: Task,
        permit: Option<Permit>,
        outcome: Outcome,
        took: Duration,
    ) {
        if let (Some((_, _, breaker)), Some(permit)) = (self.breaker(task), permit) {
            breaker.record(now, permit, outcome, took);
        }
    }

    /// Lets the breakers do what is due by now, asked or not.
    pub(super) fn poll(&mut self, now: Time) {
        self.breakers.iter_mut().for_each(|(_, _, breaker)| breaker.poll(now));
    }

    /// The next transition of a breaker that was not told of yet.
    pub(super) fn take_change(&mut self) -> Option<Event> {
        self.breakers.iter_mut().find_map(|(_, name, breaker)| {
            let (from, to) = breaker.take_change()?;
            let component = Rc::clone(name);
            Some(Event::BreakerChanged { component, from: from.as_str(), to: to.as_str() })
        })
    }

    /// Tells the breaker that a call was given up.
    pub(super) fn release(&mut self, task: Task, permit: Option<Permit>) {
        if let (Some((_, _, breaker)), Some(permit)) = (self.breaker(task), permit) {
            breaker.release(permit);
        }
    }

    /// What selection needs to know. An open breaker is not part of it: whether it admits a call is
    /// only known when it is asked.
    pub(super) fn candidate(&self, eject: bool, within_budget: bool) -> Candidate<'_> {
        let availability = match eject {
            true => Availability::from(self.health.status()),
            false => Availability::Available,
        };
        let settings = &self.model.settings;
        Candidate {
            provider: settings.provider.as_str(),
            tier: settings.tier,
            weight: settings.weight,
            in_flight: self.in_flight,
            latency: self.latency.estimate(),
            price: settings.price_micros,
            availability,
            circuit_open: false,
            within_budget,
        }
    }

    /// What a report says of it: the worst of what its checks and its breakers say.
    pub(super) fn report(&self) -> ModelHealth {
        let of = |state: &State| Availability::from(Status::of_circuit(*state));
        let breaker = self.breakers.iter().map(|(_, _, breaker)| breaker.state()).max_by_key(of);
        let by_breaker = breaker.as_ref().map_or(Availability::Available, of);
        let counts = self.breakers.iter().map(|(_, _, breaker)| breaker.counts());
        let breaker = breaker.map(|state| {
            counts.fold(
                BreakerHealth { state, calls: 0, failures: 0, rejected: 0 },
                |sum, counts| BreakerHealth {
                    calls: sum.calls + counts.life.admitted,
                    failures: sum.failures + counts.life.failures,
                    rejected: sum.rejected + counts.life.rejected,
                    ..sum
                },
            )
        });
        ModelHealth {
            model: Rc::clone(&self.model.name),
            provider: self.model.settings.provider.as_str(),
            availability: by_breaker.max(Availability::from(self.health.status())),
            latency: self.checked_in,
            breaker,
        }
    }

    /// The breakers, to be saved.
    pub(super) fn saved(&self) -> impl Iterator<Item = (Rc<str>, Saved)> {
        self.breakers.iter().map(|(_, name, breaker)| (Rc::clone(name), breaker.save()))
    }

    /// Goes on where a breaker stopped; false if there is none of that name.
    pub(super) fn restore(&mut self, name: &str, saved: Saved) -> bool {
        let Some(settings) = &self.settings else { return false };
        let keys = if self.per_task { Task::ALL.map(Some).to_vec() } else { vec![None] };
        let Some(key) = keys.into_iter().find(|key| *self.guarded(*key) == *name) else {
            return false;
        };
        let mut breaker = Breaker::restore(Rc::clone(settings), saved);
        // Whoever held its permits died with the earlier life.
        breaker.abandon();
        self.breakers.retain(|(other, ..)| *other != key);
        self.breakers.push((key, name.into(), breaker));
        true
    }
}
