//! A caller of a service: it calls again and again, through a circuit breaker if it has one.
//!
//! Its breakers are its own, shared by all calls that it makes at once. What they know is on its disk
//! after each transition, so that a restart closes no circuit.

#[cfg(test)]
mod tests;

use std::{cell::Cell, rc::Rc, time::Duration};

use actix::{Actor, Context, Handler, Message};

use super::{
    Event,
    message::BreakerHealth,
    service::{Call, Service, ServiceError},
    settings::{
        Tracing,
        service::{BreakerPer, CallerGroup, Pace},
    },
    tracer::{self, Span, TraceHeader, Tracer},
};
use crate::{
    policy::breaker::{Breaker, Outcome, Permit, Settings},
    world::{CallError, Env, Later, Peer, Stream, Time},
};

/// Monitor to caller: how is one of your breakers?
#[derive(Clone, Debug, Message, PartialEq, Eq)]
#[rtype(result = "Option<BreakerHealth>")]
pub struct BreakerQuery {
    /// Its place in [`breaker_names`].
    pub place: usize,
    /// The `traceparent` of the call.
    pub trace: TraceHeader,
}

/// What a caller is made of.
#[derive(Clone)]
pub struct CallerParts {
    /// Its group.
    pub group: Rc<CallerGroup>,
    /// The service.
    pub service: Peer<Service>,
    /// How many calls are left. It belongs to the work, not to the process, so a restarted caller
    /// goes on where it stopped.
    pub left: Rc<Cell<u32>>,
    /// How traces are made.
    pub tracing: Tracing,
}

/// The names of the breakers of the caller at `node`: `<node>/<service>` or
/// `<node>/<service>/<operation>`.
#[must_use]
pub fn breaker_names(node: &str, group: &CallerGroup) -> Vec<Rc<str>> {
    let mut names = Vec::new();
    if group.breaker.is_some() {
        for operation in &group.operations {
            let name = breaker_name(node, group, operation);
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// The name of the breaker in front of an operation.
fn breaker_name(node: &str, group: &CallerGroup, operation: &str) -> Rc<str> {
    let service = &group.service;
    match group.breaker_per {
        BreakerPer::Service => format!("{node}/{service}").into(),
        BreakerPer::Operation => format!("{node}/{service}/{operation}").into(),
    }
}

/// The actor.
pub struct Caller {
    env: Env<Caller>,
    parts: CallerParts,
    service: Rc<str>,
    /// What it asks for, in turn, each with the place of its breaker.
    operations: Vec<(Rc<str>, Option<usize>)>,
    breakers: Vec<(Rc<str>, Breaker)>,
    thinks: Stream,
    tracer: Tracer,
    /// Calls that were begun in this life.
    begun: usize,
}

/// A call in hand.
struct Job {
    operation: Rc<str>,
    /// The breaker that let it through.
    permit: Option<(usize, Permit)>,
    started: Time,
}

impl Caller {
    /// A caller; its breakers are as an earlier life left them.
    pub fn new(env: Env<Caller>, parts: CallerParts) -> Caller {
        let (group, node) = (&parts.group, env.node_name());
        let mut breakers: Vec<(Rc<str>, Breaker)> = Vec::new();
        if let Some(settings) = &group.breaker {
            let settings = Rc::new(settings.clone());
            for name in breaker_names(&node, group) {
                let breaker = restore(&env, &name, &settings);
                let breaker = breaker.unwrap_or_else(|| Breaker::new(Rc::clone(&settings)));
                breakers.push((name, breaker));
            }
        }
        let operation = |operation: &String| {
            let name = breaker_name(&node, group, operation);
            let breaker = breakers.iter().position(|(other, _)| *other == name);
            (Rc::from(operation.as_str()), breaker)
        };
        Caller {
            operations: group.operations.iter().map(operation).collect(),
            service: group.service.as_str().into(),
            thinks: env.stream("think"),
            tracer: Tracer::new(&env, parts.tracing),
            begun: 0,
            env,
            parts,
            breakers,
        }
    }

    /// The next turn of one closed loop.
    fn think(&mut self) {
        if let Pace::Think(think) = &self.parts.group.pace {
            let pause = self.thinks.delay(think);
            self.env.after(pause, |caller, _| caller.start());
        }
    }

    fn tick(&mut self, period: Duration) {
        for _ in 0..self.parts.group.concurrency {
            self.start();
        }
        if self.parts.left.get() > 0 {
            self.env.after(period, move |caller, _| caller.tick(period));
        }
    }

    fn start(&mut self) {
        let Some(left) = self.parts.left.get().checked_sub(1) else { return };
        self.parts.left.set(left);
        let turn = self.begun % self.operations.len().max(1);
        self.begun += 1;
        let Some((operation, breaker)) = self.operations.get(turn).cloned() else { return };
        let now = self.env.now();
        let mut job = Job { operation, permit: None, started: now };
        if let Some(breaker) = breaker
            && let Some((_, guard)) = self.breakers.get_mut(breaker)
        {
            let admitted = guard.admit(now);
            self.note(breaker);
            match admitted {
                Ok(permit) => job.permit = Some((breaker, permit)),
                Err(_) => return self.end(job, "circuit_open"),
            }
        }
        let name = || format!("{}/{}", self.service, job.operation);
        let span = self.tracer.call(&self.env, None, name);
        let call = Call { operation: Rc::clone(&job.operation), trace: span.context.into() };
        self.env
            .call(&self.parts.service, call)
            .timeout(self.parts.group.timeout)
            .then(move |caller, answer, _| caller.answered(job, span, answer));
    }

    fn answered(
        &mut self,
        job: Job,
        span: Span,
        answer: Result<Result<(), ServiceError>, CallError>,
    ) {
        let error = match &answer {
            Ok(answer) => answer.err().map(ServiceError::as_str),
            Err(error) => Some(error.name()),
        };
        tracer::ended(&self.env, &span, error, Vec::new);
        let outcome = match answer {
            Ok(Ok(())) => "ok",
            Ok(Err(ServiceError::PoolExhausted)) => "pool_exhausted",
            Ok(Err(_)) | Err(CallError::Reset | CallError::Corrupted) => "failed",
            Err(CallError::TimedOut) => "timed_out",
            Err(CallError::Refused) => "refused",
        };
        if let Some((breaker, permit)) = job.permit
            && let Some((_, guard)) = self.breakers.get_mut(breaker)
        {
            let now = self.env.now();
            let told = if outcome == "ok" { Outcome::Success } else { Outcome::Failure };
            guard.record(now, permit, told, now - job.started);
            self.note(breaker);
        }
        self.end(job, outcome);
    }

    fn end(&mut self, job: Job, outcome: &'static str) {
        let latency = self.env.now() - job.started;
        self.emit(Event::ServiceCalled {
            service: Rc::clone(&self.service),
            operation: job.operation,
            outcome,
            latency_ms: u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
        });
        self.think();
    }

    /// Tells of the transitions of a breaker, and puts what it knows on the disk.
    fn note(&mut self, breaker: usize) {
        let mut changed = false;
        while let Some((name, guard)) = self.breakers.get_mut(breaker)
            && let Some((from, to)) = guard.take_change()
        {
            changed = true;
            let (from, to, component) = (from.as_str(), to.as_str(), Rc::clone(name));
            self.emit(Event::BreakerChanged { component, from, to });
        }
        if let Some((name, guard)) = self.breakers.get(breaker).filter(|_| changed) {
            let disk = self.env.disk();
            let saved = serde_json::to_vec(&guard.save()).unwrap_or_default();
            // On a full disk an older state stays; a restart then knows only that one.
            if disk.write(&path(name), &saved).is_ok() {
                disk.sync(|_, _| {});
            }
        }
    }

    fn emit(&self, event: Event) {
        self.env.emit(event.name(), event);
    }
}

fn path(breaker: &str) -> String {
    format!("breakers/{breaker}.json")
}

/// The breaker as an earlier life has left it on the disk.
fn restore(env: &Env<Caller>, name: &Rc<str>, settings: &Rc<Settings>) -> Option<Breaker> {
    let saved = env.disk().read(&path(name))?;
    let saved = serde_json::from_slice(&saved).ok()?;
    let mut breaker = Breaker::restore(Rc::clone(settings), saved);
    // Whoever held permits is gone.
    breaker.abandon();
    let restored = Event::StateRestored { component: Rc::clone(name), entries: 1 };
    env.emit(restored.name(), restored);
    Some(breaker)
}

impl Actor for Caller {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        match self.parts.group.pace {
            Pace::Every(period) => {
                self.env.after(period, move |caller, _| caller.tick(period));
            }
            Pace::Think(_) => (0..self.parts.group.concurrency).for_each(|_| self.think()),
        }
    }
}

impl Handler<BreakerQuery> for Caller {
    type Result = Later<Option<BreakerHealth>>;

    fn handle(&mut self, query: BreakerQuery, _: &mut Context<Self>) -> Self::Result {
        let BreakerQuery { place, trace } = query;
        let name = || match self.breakers.get(place) {
            Some((name, _)) => format!("check {name}"),
            None => "check".to_owned(),
        };
        let (owed, later) = self.tracer.take(&self.env, &trace, name);
        let health = self.breaker_health(place);
        owed.keep(&self.env, None, health);
        later
    }
}

impl Caller {
    fn breaker_health(&mut self, place: usize) -> Option<BreakerHealth> {
        let now = self.env.now();
        let (_, guard) = self.breakers.get_mut(place)?;
        guard.poll(now);
        let life = guard.counts().life;
        let health = BreakerHealth {
            state: guard.state(),
            calls: life.successes + life.failures,
            failures: life.failures,
            rejected: life.rejected,
        };
        self.note(place);
        Some(health)
    }
}
