//! A service that others call: an RPC service, or a database with a pool of connections.
//!
//! It goes wrong on its own by its settings, and by plan: down, silent, slow, its connections lost.
//! What it says of its health is about itself only. It never heals itself, lost connections that
//! come back after a while excepted.

mod message;
#[cfg(test)]
mod tests;

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    time::Duration,
};

use actix::{Actor, Context, Handler};

pub use message::{Call, Heal, LoseConnections, Reconnect, ServiceError};

use super::{
    Event,
    message::Probe,
    point,
    settings::{
        Tracing,
        service::{self as settings, CallError, CallErrors, CheckMode, HealWorks, Pool},
    },
    tracer::{Owed, Tracer},
};
use crate::{
    policy::health::{HealResult, Status},
    world::{Delay, Env, Later, Stream, Timer},
};

/// What is wrong with a service while a fault lasts.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// The one operation that it is about; `None` for the whole service.
    pub operation: Option<Rc<str>>,
    /// Every call is answered with [`ServiceError::Unavailable`]. Healing ends it.
    pub down: bool,
    /// Nothing is answered.
    pub hang: bool,
    /// Replaces the errors.
    pub errors: Option<CallErrors>,
    /// Replaces the latency.
    pub latency: Option<Delay>,
}

/// The troubles that a service is in, the latest last, each with the number of its fault. A restart
/// does not end them.
pub type Troubles = Rc<RefCell<Vec<(usize, Trouble)>>>;

type Answer = Result<(), ServiceError>;

/// The actor.
pub struct Service {
    env: Env<Service>,
    settings: Rc<settings::Service>,
    troubles: Troubles,
    latencies: Stream,
    errors: Stream,
    tracer: Tracer,
    /// Calls that are worked on, each on a connection if the service has a pool. One that will never
    /// be answered keeps its connection.
    calls: BTreeMap<u64, Owed<Answer>>,
    /// Calls that wait for a connection.
    waiting: VecDeque<Waiting>,
    next: u64,
    /// Connections that are lost.
    lost: u32,
    reconnect: Option<Timer>,
    /// What came in while the service hung.
    hung: Vec<Hung>,
}

struct Waiting {
    number: u64,
    work: Work,
    owed: Owed<Answer>,
    timer: Timer,
}

/// What a call comes to.
struct Work {
    takes: Duration,
    error: Option<CallError>,
}

/// An answer that is owed for ever.
#[expect(dead_code, reason = "held so that whoever waits for it goes on waiting")]
enum Hung {
    Call(Owed<Answer>),
    Check(Owed<Status>),
    Heal(Owed<HealResult>),
}

impl Service {
    /// A service with these settings.
    pub fn new(env: Env<Service>, settings: Rc<settings::Service>, troubles: Troubles) -> Service {
        Service {
            settings,
            troubles,
            latencies: env.stream("latency"),
            errors: env.stream("errors"),
            // Whether a trace is kept is decided where it begins.
            tracer: Tracer::new(&env, Tracing::default()),
            env,
            calls: BTreeMap::new(),
            waiting: VecDeque::new(),
            next: 0,
            lost: 0,
            reconnect: None,
            hung: Vec::new(),
        }
    }

    /// What the latest trouble that says something says, for one operation or for the service.
    fn in_trouble<T>(
        &self,
        operation: Option<&str>,
        part: impl Fn(&Trouble) -> Option<T>,
    ) -> Option<T> {
        let troubles = self.troubles.borrow();
        let concerns = |trouble: &&Trouble| {
            trouble.operation.is_none() || trouble.operation.as_deref() == operation
        };
        troubles.iter().rev().map(|(_, trouble)| trouble).filter(concerns).find_map(part)
    }

    fn is_down(&self, operation: Option<&str>) -> bool {
        self.in_trouble(operation, |trouble| trouble.down.then_some(())).is_some()
    }

    fn hangs(&self, operation: Option<&str>) -> bool {
        self.in_trouble(operation, |trouble| trouble.hang.then_some(())).is_some()
    }

    fn pool(&self) -> Option<Pool> {
        match self.settings.kind {
            settings::ServiceKind::Rpc => None,
            settings::ServiceKind::Database(pool) => Some(pool),
        }
    }

    /// How many connections there are; without a pool, as many as one likes.
    fn connections(&self) -> usize {
        self.pool().map_or(usize::MAX, |pool| pool.connections.saturating_sub(self.lost) as usize)
    }

    /// Drawn for every call alike, so that what happens to one changes nothing for the next.
    fn draw(&mut self, operation: &str) -> Work {
        let latency = self.in_trouble(Some(operation), |trouble| trouble.latency.clone());
        let takes = self.latencies.delay(latency.as_ref().unwrap_or(&self.settings.latency));
        let errors = self.in_trouble(Some(operation), |trouble| trouble.errors);
        let mut drawn = self.errors.below(1_000_000) as u32;
        for (error, probability) in errors.unwrap_or(self.settings.errors).parts() {
            match drawn.checked_sub(probability.as_ppm()) {
                Some(rest) => drawn = rest,
                None => return Work { takes, error: Some(error) },
            }
        }
        Work { takes, error: None }
    }

    /// Takes a connection, or waits for one.
    fn admit(&mut self, work: Work, owed: Owed<Answer>) {
        self.next += 1;
        let number = self.next;
        let connections = self.connections();
        if connections == 0 {
            self.answer(owed, Err(ServiceError::ConnectionLost));
        } else if self.calls.len() < connections {
            self.work(number, work, owed);
        } else {
            let wait = self.pool().map_or(Duration::ZERO, |pool| pool.wait);
            let timer = self.env.after(wait, move |service, _| {
                let place = service.waiting.iter().position(|waiting| waiting.number == number);
                if let Some(waiting) = place.and_then(|place| service.waiting.remove(place)) {
                    service.answer(waiting.owed, Err(ServiceError::PoolExhausted));
                }
            });
            self.waiting.push_back(Waiting { number, work, owed, timer });
        }
    }

    fn answer(&self, owed: Owed<Answer>, answer: Answer) {
        owed.keep(&self.env, answer.err().map(ServiceError::as_str), answer);
    }

    fn work(&mut self, number: u64, Work { takes, error }: Work, owed: Owed<Answer>) {
        self.calls.insert(number, owed);
        if error == Some(CallError::Silence) {
            return;
        }
        self.env.after(takes, move |service, _| {
            // Not there if its connection was lost.
            let Some(owed) = service.calls.remove(&number) else { return };
            match error {
                None | Some(CallError::Silence) => service.answer(owed, Ok(())),
                Some(CallError::Failure) => service.answer(owed, Err(ServiceError::Failed)),
                Some(CallError::Reset) => owed.reset(&service.env),
            }
            service.go_on();
        });
    }

    /// Gives free connections to those who wait.
    fn go_on(&mut self) {
        while self.calls.len() < self.connections()
            && let Some(Waiting { number, work, owed, timer }) = self.waiting.pop_front()
        {
            self.env.cancel(&timer);
            self.work(number, work, owed);
        }
    }

    /// Busy connections break first, the calls on them fail.
    fn lose(&mut self, count: u32) {
        let Some(pool) = self.pool() else { return };
        let count = count.min(pool.connections.saturating_sub(self.lost));
        self.lost += count;
        let on_them = (0..count).map_while(|_| self.calls.pop_first());
        let mut broken: Vec<Owed<Answer>> = on_them.map(|(_, owed)| owed).collect();
        if self.connections() == 0 {
            for Waiting { owed, timer, .. } in self.waiting.drain(..) {
                self.env.cancel(&timer);
                broken.push(owed);
            }
        }
        let service = Rc::from(self.settings.name.as_str());
        self.emit(Event::ConnectionsLost { service, count: count as usize });
        broken.into_iter().for_each(|owed| self.answer(owed, Err(ServiceError::ConnectionLost)));
        if let Some(after) = pool.reconnect_after {
            let timer = self.env.after(after, |service, _| service.reconnect());
            if let Some(earlier) = self.reconnect.replace(timer) {
                self.env.cancel(&earlier);
            }
        }
    }

    fn reconnect(&mut self) {
        let count = std::mem::take(&mut self.lost) as usize;
        if let Some(timer) = self.reconnect.take() {
            self.env.cancel(&timer);
        }
        if count > 0 {
            let service = Rc::from(self.settings.name.as_str());
            self.emit(Event::ConnectionsRestored { service, count });
            self.go_on();
        }
    }

    fn status(&self) -> Status {
        if self.is_down(None) || self.connections() == 0 {
            Status::Unhealthy
        } else if self.lost > 0 {
            Status::Degraded
        } else {
            Status::Healthy
        }
    }

    fn emit(&self, event: Event) {
        self.env.emit(event.name(), event);
    }
}

impl Actor for Service {
    type Context = Context<Self>;
}

impl Handler<Call> for Service {
    type Result = Later<Answer>;

    fn handle(&mut self, Call { operation, trace }: Call, _: &mut Context<Self>) -> Self::Result {
        let name = || format!("{}/{operation}", self.settings.name);
        let (owed, later) = self.tracer.take(&self.env, &trace, name);
        let work = self.draw(&operation);
        if self.env.fault_point(point::CALL_RESET) {
            owed.reset(&self.env);
            return later;
        }
        if self.hangs(Some(&operation)) {
            self.hung.push(Hung::Call(owed));
        } else if self.is_down(Some(&operation)) {
            self.answer(owed, Err(ServiceError::Unavailable));
        } else {
            self.admit(work, owed);
        }
        later
    }
}

impl Handler<Probe> for Service {
    type Result = Later<Status>;

    fn handle(&mut self, Probe { trace }: Probe, _: &mut Context<Self>) -> Self::Result {
        let name = || format!("check {}", self.settings.name);
        let (owed, later) = self.tracer.take(&self.env, &trace, name);
        if self.hangs(None) {
            self.hung.push(Hung::Check(owed));
        } else {
            match self.settings.check {
                CheckMode::Works => owed.keep(&self.env, None, self.status()),
                CheckMode::Errors => owed.reset(&self.env),
            }
        }
        later
    }
}

impl Handler<Heal> for Service {
    type Result = Later<HealResult>;

    fn handle(&mut self, Heal { trace }: Heal, _: &mut Context<Self>) -> Self::Result {
        let name = || format!("heal {}", self.settings.name);
        let (owed, later) = self.tracer.take(&self.env, &trace, name);
        if self.hangs(None) {
            self.hung.push(Hung::Heal(owed));
            return later;
        }
        self.env.after(self.settings.heal.takes, move |service, _| {
            let (error, result) = match service.settings.heal.works {
                HealWorks::No => (Some("refused"), HealResult::Refused),
                HealWorks::Error => (Some("failed"), HealResult::Errored),
                HealWorks::Yes => {
                    for (_, trouble) in service.troubles.borrow_mut().iter_mut() {
                        trouble.down = false;
                    }
                    service.reconnect();
                    (None, HealResult::Healed)
                }
            };
            owed.keep(&service.env, error, result);
        });
        later
    }
}

impl Handler<LoseConnections> for Service {
    type Result = ();

    fn handle(&mut self, LoseConnections(count): LoseConnections, _: &mut Context<Self>) {
        self.lose(count);
    }
}

impl Handler<Reconnect> for Service {
    type Result = ();

    fn handle(&mut self, _: Reconnect, _: &mut Context<Self>) {
        self.reconnect();
    }
}
