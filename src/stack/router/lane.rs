//! What the router knows of one model: its breakers, its health, how busy and how quick it is.

use std::{rc::Rc, time::Duration};

use super::{
    Model,
    rules::{Rulebook, Rules},
};
use crate::{
    policy::{
        breaker::{Breaker, Outcome, Permit, Rejected, Saved, State},
        health::{Availability, Health, Status},
        select::{Candidate, Ewma},
    },
    stack::{
        Event, Quirk, Quirks,
        message::{BreakerHealth, ModelHealth},
        settings,
    },
    world::Time,
};

/// One model.
pub(super) struct Lane {
    pub(super) model: Model,
    breakers: Vec<(Option<Rc<str>>, Rc<str>, Breaker)>,
    quirks: Quirks,
    pub(super) in_flight: u32,
    pub(super) latency: Ewma,
    pub(super) health: Health,
    /// How long the last check took.
    pub(super) checked_in: Duration,
}

impl Lane {
    pub(super) fn new(model: Model, settings: &settings::Router) -> Lane {
        Lane {
            model,
            breakers: Vec::new(),
            quirks: settings.quirks,
            in_flight: 0,
            latency: Ewma::default(),
            health: Health::new(settings.health.settings.clone()),
            checked_in: Duration::ZERO,
        }
    }

    /// The breaker that these rules lead to; `None` if there is none (yet).
    fn breaker(&mut self, rules: &Rules) -> Option<&mut Breaker> {
        let mut breakers = self.breakers.iter_mut();
        let found = breakers.find(|(operation, ..)| *operation == rules.operation);
        found.map(|(_, _, breaker)| breaker)
    }

    /// The same; a new one if there should be one. That has the settings that hold now, whoever
    /// calls first.
    fn breaker_for(&mut self, rulebook: &Rulebook, rules: &Rules) -> Option<&mut Breaker> {
        if self.breaker(rules).is_none() {
            let now = rulebook.of_breakers(rules.operation.as_ref());
            let settings = now.map_or(rules, |now| now).breaker.as_ref()?;
            let name = self.guarded(rules);
            self.breakers.push((rules.operation.clone(), name, Breaker::new(Rc::clone(settings))));
        }
        self.breaker(rules)
    }

    /// What a breaker guards: `opus`, or `opus/code_review`.
    fn guarded(&self, rules: &Rules) -> Rc<str> {
        match &rules.operation {
            None => Rc::clone(&self.model.name),
            Some(operation) => format!("{}/{operation}", self.model.name).into(),
        }
    }

    /// Asks the breaker whether a call may be made.
    pub(super) fn admit(
        &mut self,
        now: Time,
        rulebook: &Rulebook,
        rules: &Rules,
    ) -> Result<Option<Permit>, Rejected> {
        let quirks = self.quirks;
        match self.breaker_for(rulebook, rules) {
            Some(breaker) => match breaker.admit(now) {
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
        rules: &Rules,
        permit: Option<Permit>,
        outcome: Outcome,
        took: Duration,
    ) {
        if let (Some(breaker), Some(permit)) = (self.breaker(rules), permit) {
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
    pub(super) fn release(&mut self, rules: &Rules, permit: Option<Permit>) {
        if let (Some(breaker), Some(permit)) = (self.breaker(rules), permit) {
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

    /// Goes on under other rules. Breakers of operations that there are no more stay as they are.
    pub(super) fn reconfigure(&mut self, rulebook: &Rulebook, now: Time) {
        for (operation, _, breaker) in &mut self.breakers {
            let rules = rulebook.of_breakers(operation.as_ref());
            if let Some(settings) = rules.and_then(|rules| rules.breaker.as_ref()) {
                breaker.reconfigure(now, Rc::clone(settings));
            }
        }
    }

    /// Forgets the breakers of operations that there are no more and that nobody is in hand for.
    pub(super) fn forget(&mut self, rulebook: &Rulebook, is_held: impl Fn(&str) -> bool) {
        self.breakers.retain(|(operation, ..)| {
            rulebook.of_breakers(operation.as_ref()).is_some()
                || operation.as_ref().is_some_and(|operation| is_held(operation))
        });
    }

    /// Goes on where a breaker stopped; false if there is none of that name.
    pub(super) fn restore(&mut self, rulebook: &Rulebook, name: &str, saved: Saved) -> bool {
        let found = rulebook.all().find(|rules| *self.guarded(rules) == *name);
        let Some((rules, settings)) = found.and_then(|it| Some((it, it.breaker.as_ref()?))) else {
            return false;
        };
        let mut breaker = Breaker::restore(Rc::clone(settings), saved);
        // Whoever held its permits died with the earlier life.
        breaker.abandon();
        self.breakers.retain(|(operation, ..)| *operation != rules.operation);
        self.breakers.push((rules.operation.clone(), name.into(), breaker));
        true
    }
}
