//! An operator: asks the router for changes of its configuration, one after the other, and reads the
//! trail when all are settled.
//!
//! A change has one name however often it is asked for, so an answer that is lost on the way costs
//! nothing but time. An operator never looks into the router: it tells what it was told.

use std::{cell::Cell, rc::Rc, time::Duration};

use actix::{Actor, Context};

use super::{
    ConfigEvent,
    event::Utc,
    message::{ChangeConfig, ChangeError, ReadTrail, Settled},
    router::Router,
    settings::{Operator as Settings, Tracing},
    tracer::{self, Tracer},
};
use crate::{
    config::audit::Entry,
    world::{CallError, Env, Peer},
};

/// How long the router has for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The pause before the next attempt.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a change is asked for, and the trail for reading. With the two above more than a minute
/// without an answer.
const ATTEMPTS: u32 = 60;

/// The actor.
pub struct Operator {
    env: Env<Operator>,
    settings: Rc<Settings>,
    router: Peer<Router>,
    /// How many changes are settled. It belongs to the work, not to the process, so an operator that
    /// was restarted goes on where it stopped.
    settled: Rc<Cell<usize>>,
    tracer: Tracer,
}

impl Operator {
    /// An operator of this router.
    pub fn new(
        env: Env<Operator>,
        settings: Rc<Settings>,
        router: Peer<Router>,
        settled: Rc<Cell<usize>>,
        tracing: Tracing,
    ) -> Operator {
        let tracer = Tracer::new(&env, tracing);
        Operator { env, settings, router, settled, tracer }
    }

    fn emit(&self, event: ConfigEvent) {
        self.env.emit(event.name(), event);
    }

    /// Waits until the next change is due.
    fn next(&mut self) {
        let Some(due) = self.settings.changes.get(self.settled.get()) else {
            return self.read(ATTEMPTS);
        };
        let wait = due.at.saturating_sub(Duration::from_nanos(self.env.now().as_nanos()));
        self.env.after(wait, |operator, _| operator.begin());
    }

    fn begin(&mut self) {
        let Some(due) = self.settings.changes.get(self.settled.get()) else { return };
        let (change, by) = (Rc::from(&*due.change.id), self.env.node_name());
        self.emit(ConfigEvent::ChangeAsked { change, by, source: due.change.source().into() });
        self.ask(ATTEMPTS);
    }

    fn ask(&mut self, left: u32) {
        let Some(due) = self.settings.changes.get(self.settled.get()) else { return };
        let span = self.tracer.call(&self.env, None, || "change_config".to_owned());
        let change = ChangeConfig { change: due.change.clone(), trace: span.context.into() };
        self.env.call(&self.router, change).duplicable().timeout(TIMEOUT).then(
            move |operator, answer, _| {
                let error = match &answer {
                    Ok(answer) => answer.err().map(ChangeError::as_str),
                    Err(error) => Some(error.name()),
                };
                tracer::ended(&operator.env, &span, error, Vec::new);
                operator.answered(left, answer);
            },
        );
    }

    fn answered(&mut self, left: u32, answer: Result<Result<Settled, ChangeError>, CallError>) {
        let cause = match answer {
            Ok(Ok(settled)) => {
                return self.settle(|change, by| ConfigEvent::ChangeAnswered {
                    change,
                    by,
                    outcome: settled.outcome.as_str(),
                    version: settled.version,
                });
            }
            Ok(Err(error)) => error.as_str(),
            Err(error) => error.name(),
        };
        match left.checked_sub(1).filter(|left| *left > 0) {
            Some(left) => {
                self.env.after(PAUSE, move |operator, _| operator.ask(left));
            }
            None => self.settle(|change, by| ConfigEvent::ChangeAbandoned { change, by, cause }),
        }
    }

    /// The change is over, one way or the other.
    fn settle(&mut self, event: impl FnOnce(Rc<str>, Rc<str>) -> ConfigEvent) {
        let Some(due) = self.settings.changes.get(self.settled.get()) else { return };
        self.settled.set(self.settled.get() + 1);
        self.emit(event(Rc::from(&*due.change.id), self.env.node_name()));
        self.next();
    }

    fn read(&mut self, left: u32) {
        let span = self.tracer.call(&self.env, None, || "read_trail".to_owned());
        let read = ReadTrail { trace: span.context.into() };
        self.env.call(&self.router, read).timeout(TIMEOUT).then(move |operator, answer, _| {
            let error = tracer::failure(&answer);
            tracer::ended(&operator.env, &span, error, Vec::new);
            match answer {
                Ok(entries) => operator.tell(&entries),
                Err(_) if left > 1 => {
                    operator.env.after(PAUSE, move |operator, _| operator.read(left - 1));
                }
                Err(_) => {}
            }
        });
    }

    /// Tells what the trail says.
    fn tell(&self, entries: &[Entry]) {
        let reader = self.env.node_name();
        let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        self.emit(ConfigEvent::TrailRead { reader: Rc::clone(&reader), entries: count });
        for entry in entries {
            self.emit(ConfigEvent::EntryRead {
                reader: Rc::clone(&reader),
                entry: entry.number,
                change: Rc::from(&*entry.change.id),
                by: Rc::from(&*entry.change.by),
                asked_at: Utc(entry.at),
                source: entry.change.source().into(),
                outcome: entry.outcome.as_str(),
                before: entry.before,
                after: entry.after,
                differences: entry.differences_text().into(),
            });
        }
    }
}

impl Actor for Operator {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.next();
    }
}
