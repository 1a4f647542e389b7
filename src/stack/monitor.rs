//! The health monitor: it checks every component again and again, and heals those that say that
//! they are unhealthy.
//!
//! A component is never checked twice at once: one whose check still runs is left out of the next
//! round. What a check comes to, and whether to heal, is decided in `policy::health`.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use actix::{Actor, Context};

use super::{
    Event,
    caller::{BreakerQuery, Caller},
    message::{BreakerHealth, HealthQuery, HealthReport, Probe},
    router::Router,
    service::{Heal, Service},
    settings::{Tracing, service as settings},
    tracer::{self, Span, SpanKind, SpanStarted, Tracer},
};
use crate::{
    policy::health::{
        Availability, Decision, Finding, HealResult, Health, Note, Settings, Status, overall,
    },
    world::{CallError, Env, Peer, Time},
};

/// Something to check.
#[derive(Clone)]
pub enum Component {
    /// A service; the only kind that is healed.
    Service(Peer<Service>),
    /// The router, by its own report.
    Router(Peer<Router>),
    /// A breaker of a caller, by its place among the caller's.
    Breaker(Peer<Caller>, usize),
}

/// The actor, alone on the node `monitor`.
pub struct Monitor {
    env: Env<Monitor>,
    settings: Rc<settings::Monitor>,
    tracer: Tracer,
    components: Vec<Watched>,
    /// Rounds that are not over: when they began, and how many checks of them still run.
    rounds: BTreeMap<u64, (Time, usize)>,
    next_round: u64,
}

/// A component and what is known of it.
struct Watched {
    name: Rc<str>,
    component: Component,
    health: Health,
    /// The round that its running check belongs to, and the span of all that comes of it.
    checking: Option<(u64, Span)>,
    note: Option<Note>,
    breaker: Option<BreakerHealth>,
}

impl Monitor {
    /// A monitor of these components.
    pub fn new(
        env: Env<Monitor>,
        settings: Rc<settings::Monitor>,
        components: &[(Rc<str>, Component)],
        tracing: Tracing,
    ) -> Monitor {
        let watched = |(name, component): &(Rc<str>, Component)| Watched {
            name: Rc::clone(name),
            health: Health::new(Settings {
                unhealthy_after: settings.unhealthy_after,
                auto_heal: settings.auto_heal && matches!(component, Component::Service(_)),
                interval: settings.interval,
                timeout: settings.timeout,
                ..Settings::default()
            }),
            component: component.clone(),
            checking: None,
            note: None,
            breaker: None,
        };
        let mut components: Vec<Watched> = components.iter().map(watched).collect();
        components.sort_by(|a, b| a.name.cmp(&b.name));
        let tracer = Tracer::new(&env, tracing);
        Monitor { components, env, settings, tracer, rounds: BTreeMap::new(), next_round: 0 }
    }

    fn round(&mut self) {
        let round = self.next_round;
        self.next_round += 1;
        let idle: Vec<usize> = (0..self.components.len())
            .filter(|it| self.components[*it].checking.is_none())
            .collect();
        if idle.is_empty() {
            return;
        }
        self.rounds.insert(round, (self.env.now(), idle.len()));
        for place in idle {
            let span = self.tracer.root();
            tracer::started(&self.env, &span, || {
                let name = format!("health {}", self.components[place].name);
                SpanStarted::new(span, SpanKind::Internal, name)
            });
            self.components[place].checking = Some((round, span));
            self.check(place);
        }
    }

    /// The span of a call that is part of looking after a component.
    fn begin_call(&mut self, place: usize, verb: &str) -> Span {
        let Watched { name, checking, .. } = &self.components[place];
        let within = checking.as_ref().map(|(_, span)| span);
        self.tracer.call(&self.env, within, || format!("{verb} {name}"))
    }

    fn check(&mut self, place: usize) {
        let began = self.env.now();
        let timeout = self.settings.timeout;
        let span = self.begin_call(place, "check");
        let trace = span.context.into();
        match &self.components[place].component {
            Component::Service(service) => {
                self.env.call(service, Probe { trace }).timeout(timeout).then(
                    move |monitor, answer, _| {
                        monitor.checked(place, began, span, finding(answer));
                    },
                );
            }
            Component::Router(router) => {
                self.env.call(router, HealthQuery { trace }).timeout(timeout).then(
                    move |monitor, answer, _| {
                        monitor.checked(place, began, span, finding(answer.map(of_report)));
                    },
                );
            }
            Component::Breaker(caller, breaker) => {
                let query = BreakerQuery { place: *breaker, trace };
                self.env.call(caller, query).timeout(timeout).then(move |monitor, answer, _| {
                    let known = answer.as_ref().ok().copied().flatten();
                    monitor.components[place].breaker = known;
                    monitor.checked(place, began, span, finding(answer.map(of_breaker)));
                });
            }
        }
    }

    /// A check is over.
    fn checked(&mut self, place: usize, began: Time, span: Span, finding: Finding) {
        let now = self.env.now();
        let error = match finding {
            Finding::Returned(_) => None,
            Finding::Errored => Some("error"),
            Finding::TimedOut => Some("timed_out"),
        };
        tracer::ended(&self.env, &span, error, Vec::new);
        let watched = &mut self.components[place];
        let decision = watched.health.observe(now, finding);
        let (name, component) = (Rc::clone(&watched.name), watched.component.clone());
        self.emit(Event::HealthChecked {
            component: Rc::clone(&name),
            status: match finding {
                Finding::Returned(status) => status.as_str(),
                Finding::Errored => "error",
                Finding::TimedOut => "timed_out",
            },
            duration_ms: millis(now - began),
        });
        self.decided(place, decision);
        match component {
            Component::Service(service) if decision.heal => {
                self.emit(Event::HealStarted { component: name });
                let span = self.begin_call(place, "heal");
                let heal = Heal { trace: span.context.into() };
                self.env.call(&service, heal).timeout(self.settings.timeout).then(
                    move |monitor, answer, _| {
                        let error = tracer::failure(&answer);
                        tracer::ended(&monitor.env, &span, error, Vec::new);
                        monitor.healed(place, answer.unwrap_or(HealResult::Errored));
                    },
                );
            }
            _ => self.done(place),
        }
    }

    /// Healing is over; what worked is checked again at once.
    fn healed(&mut self, place: usize, result: HealResult) {
        let watched = &mut self.components[place];
        let decision = watched.health.healed(result);
        let component = Rc::clone(&watched.name);
        let result = match result {
            HealResult::Healed => "healed",
            HealResult::Refused => "failed",
            HealResult::Errored => "error",
        };
        self.emit(Event::HealEnded { component, result });
        self.decided(place, decision);
        if decision.check_again { self.check(place) } else { self.done(place) }
    }

    fn decided(&mut self, place: usize, decision: Decision) {
        let watched = &mut self.components[place];
        watched.note = decision.note;
        if let Some((from, to)) = decision.changed {
            let component = Rc::clone(&watched.name);
            let (from, to) = (from.as_str(), to.as_str());
            self.emit(Event::HealthChanged { component, from, to });
        }
    }

    /// Nothing more comes of the check that runs; the last of a round ends the round.
    fn done(&mut self, place: usize) {
        let Some((round, span)) = self.components[place].checking.take() else { return };
        tracer::ended(&self.env, &span, None, Vec::new);
        let Some((_, running)) = self.rounds.get_mut(&round) else { return };
        *running -= 1;
        if *running > 0 {
            return;
        }
        let Some((began, _)) = self.rounds.remove(&round) else { return };
        let status = overall(self.components.iter().map(|watched| watched.health.status()));
        let parts: Vec<String> = self.components.iter().map(Watched::describe).collect();
        self.emit(Event::HealthReported {
            component: "system".into(),
            status: status.as_str(),
            latency_ms: millis(self.env.now() - began),
            parts: parts.join(", "),
        });
    }

    fn emit(&self, event: Event) {
        self.env.emit(event.name(), event);
    }
}

impl Watched {
    /// `db=unhealthy [healing failed]`, `caller/db=open calls=7 failures=3 rejected=2`.
    fn describe(&self) -> String {
        let name = &self.name;
        if let Some(BreakerHealth { state, calls, failures, rejected }) = self.breaker {
            let state = state.as_str();
            return format!("{name}={state} calls={calls} failures={failures} rejected={rejected}");
        }
        let note = match self.note {
            None => "",
            Some(Note::AutoHealed) => " [auto-healed]",
            Some(Note::HealingFailed) => " [healing failed]",
            Some(Note::HealingError) => " [healing error]",
        };
        format!("{name}={}{note}", self.health.status().as_str())
    }
}

fn finding(answer: Result<Status, CallError>) -> Finding {
    match answer {
        Ok(status) => Finding::Returned(status),
        Err(CallError::TimedOut) => Finding::TimedOut,
        Err(_) => Finding::Errored,
    }
}

fn of_report(report: HealthReport) -> Status {
    match report.status {
        Availability::Available => Status::Healthy,
        Availability::Degraded => Status::Degraded,
        Availability::Unavailable => Status::Unhealthy,
    }
}

/// A caller without a breaker says nothing of itself.
fn of_breaker(breaker: Option<BreakerHealth>) -> Status {
    breaker.map_or(Status::Unknown, |breaker| Status::of_circuit(breaker.state))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Actor for Monitor {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.env.every(self.settings.interval, |monitor, _| monitor.round());
    }
}
