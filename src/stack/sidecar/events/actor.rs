//! The broker: takes events, and lets those wait who have none.
//!
//! It has timers only while somebody waits, so that a world in which nobody does can end. A wait
//! that says no place to go on from is one of a subscription, known by agent, type of event and
//! filter; it begins with the first of them. One that says `since` has everything up to there, and
//! goes on behind it at once, whatever was under way.

use std::{collections::BTreeMap, rc::Rc};

use actix::{Actor, Context, Handler, Message, MessageResult};

use super::{Ask, Batch, Bus, Reader, Start, Subscribe, Wait, Woken};
use crate::{
    stack::{
        SidecarEvent, settings,
        sidecar::{
            gauges::Gauges,
            wire::{
                self, AgentId, Code, EventsPage, EventsStatus, Fault, ProjectId, PublishEvent,
                WaitForEvents,
            },
        },
    },
    world::{Env, Later, Promise, Stream, Time, Timer},
};

/// Tell everyone in this project.
#[derive(Message)]
#[rtype(result = "wire::Published")]
pub(in crate::stack::sidecar) struct Publish {
    pub project: ProjectId,
    pub event: PublishEvent,
    /// Without the time that it takes to read a request.
    pub at_once: bool,
}

/// An agent waits for events of its project.
#[derive(Message)]
#[rtype(result = "Result<EventsPage, Fault>")]
pub(in crate::stack::sidecar) struct WaitFor {
    pub project: ProjectId,
    pub agent: AgentId,
    pub wait: WaitForEvents,
}

/// How many events does this project have?
#[derive(Message)]
#[rtype(result = "EventsStatus")]
pub(in crate::stack::sidecar) struct CountEvents(pub ProjectId);

/// What is too old is not to take up memory any more.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::stack::sidecar) struct TrimEvents;

/// Somebody who waits.
struct Waiting {
    promise: Promise<Result<EventsPage, Fault>>,
    timer: Timer,
}

/// The actor.
pub(in crate::stack::sidecar) struct Broker {
    env: Env<Broker>,
    settings: Rc<settings::Sidecar>,
    gauges: Rc<Gauges>,
    bus: Bus,
    delays: Stream,
    waiting: BTreeMap<u64, Waiting>,
    tickets: u64,
    /// When something is delivered again to somebody who waits.
    due: Option<(Time, Timer)>,
}

impl Broker {
    /// A broker with an empty bus. Its epoch is the node's life, so that ids do not repeat.
    pub(in crate::stack::sidecar) fn new(
        env: Env<Broker>,
        settings: Rc<settings::Sidecar>,
        gauges: Rc<Gauges>,
    ) -> Broker {
        let bus = Bus::new(settings.bus, u64::from(env.incarnation()) + 1);
        let (delays, waiting) = (env.stream("events"), BTreeMap::new());
        Broker { env, settings, gauges, bus, delays, waiting, tickets: 0, due: None }
    }

    fn publish(&mut self, project: &ProjectId, event: PublishEvent) -> wire::Published {
        let published = self.bus.publish(self.env.now(), self.env.utc(), project, event);
        for dropped in &published.dropped {
            let of = dropped.project_id.as_ref().map_or("", ProjectId::as_str);
            let event = dropped.id.as_str().into();
            let event = SidecarEvent::EventDropped { project: of.into(), event };
            self.env.emit(event.name(), event);
        }
        let notified = published.notified.iter();
        let notified = notified.map(|name| name.split('/').next().unwrap_or_default().to_owned());
        let subscribers_notified: Vec<String> = notified.collect();
        self.wake(published.woken);
        let event = &published.event;
        wire::Published {
            event_id: event.id.clone(),
            published: true,
            subscriber_count: subscribers_notified.len() as u64,
            subscribers_notified,
            topic: event.topic,
            ttl_seconds: event.ttl_seconds,
            timestamp: Some(event.timestamp),
        }
    }

    fn wait(&mut self, WaitFor { project, agent, wait }: WaitFor) -> Waited {
        let WaitForEvents { event_type, timeout, filter, since, limit } = wait;
        let now = self.env.now();
        let name = format!("{agent}/{event_type}/{filter}");
        let is_known = self.bus.tally(&project, &name).is_some();
        let start = match &since {
            Some(since) => match since.as_str().parse() {
                Ok(cursor) => Some(Start::Behind(cursor)),
                Err(bad) => return Waited::Over(Err(bad_cursor(bad))),
            },
            None => (!is_known).then_some(Start::Now),
        };
        let mut restarted = false;
        if let Some(start) = start {
            let come = Subscribe {
                project: project.clone(),
                name: name.clone(),
                filter: filter.clone().of_type(&event_type),
                delivery: self.settings.delivery,
                start,
            };
            let subscribed = match self.bus.subscribe(now, come) {
                Ok(subscribed) => subscribed,
                Err(bad) => return Waited::Over(Err(bad_cursor(bad))),
            };
            restarted = subscribed.restarted;
            subscribed.displaced.into_iter().for_each(|ticket| self.displace(ticket));
            if !subscribed.resumed {
                let event = SidecarEvent::SubscriptionStarted {
                    who: agent.as_str().into(),
                    project: project.as_str().into(),
                    event_type: event_type.as_str().into(),
                    filter: filter.to_string().into(),
                    delivery: self.settings.delivery.as_str(),
                    resumed: is_known,
                };
                self.env.emit(event.name(), event);
            }
        }
        self.tickets += 1;
        let ticket = self.tickets;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let ask = Ask { project, reader: Reader::Subscription(name), limit };
        match self.bus.wait(now, ticket, ask) {
            Ok(Wait::Ready(batch)) => Waited::Over(Ok(page(Batch { restarted, ..batch }, false))),
            Ok(Wait::Parked { instead_of }) => {
                instead_of.into_iter().for_each(|ticket| self.displace(ticket));
                if restarted || timeout.is_zero() {
                    // Who lost everything has to know at once.
                    return Waited::Over(Ok(self.nothing(ticket, restarted)));
                }
                Waited::Parked(ticket, timeout)
            }
            Err(bad) => Waited::Over(Err(bad_cursor(bad))),
        }
    }

    /// What somebody is told for whom there was nothing.
    fn nothing(&mut self, ticket: u64, restarted: bool) -> EventsPage {
        let batch = self.bus.unpark(ticket);
        let page = batch.map(|batch| page(Batch { restarted, ..batch }, !restarted));
        page.unwrap_or(EventsPage { timeout: true, ..EventsPage::default() })
    }

    /// Somebody who waited has given up that connection, and waits on another one.
    fn displace(&mut self, ticket: u64) {
        self.answer(ticket, EventsPage { timeout: true, ..EventsPage::default() });
    }

    fn wake(&mut self, woken: Vec<Woken>) {
        for Woken { ticket, batch } in woken {
            self.answer(ticket, page(batch, false));
        }
    }

    fn answer(&mut self, ticket: u64, page: EventsPage) {
        if let Some(Waiting { promise, timer }) = self.waiting.remove(&ticket) {
            self.env.cancel(&timer);
            promise.keep(Ok(page));
        }
    }

    /// What has changed is counted, and the one timer is set anew.
    fn settle(&mut self) {
        self.gauges.events.set(self.bus.bytes());
        self.gauges.queued.set(self.bus.len() as u64);
        let next = self.bus.next_due();
        if next == self.due.as_ref().map(|(due, _)| *due) {
            return;
        }
        if let Some((_, timer)) = self.due.take() {
            self.env.cancel(&timer);
        }
        self.due = next.map(|due| {
            let timer = self.env.after(due - self.env.now(), |broker, _| {
                broker.due = None;
                broker.tick();
            });
            (due, timer)
        });
    }

    fn tick(&mut self) {
        let woken = self.bus.tick(self.env.now());
        self.wake(woken);
        self.settle();
    }
}

/// What became of somebody who wants to wait.
enum Waited {
    Over(Result<EventsPage, Fault>),
    Parked(u64, std::time::Duration),
}

fn bad_cursor(bad: impl std::fmt::Display) -> Fault {
    Fault::field(Code::Event, "query.since", bad)
}

fn page(batch: Batch, timeout: bool) -> EventsPage {
    EventsPage {
        events: batch.events.into_iter().map(|delivered| delivered.event).collect(),
        more_available: batch.more,
        next_cursor: Some(batch.next.into()),
        timeout,
        lost: batch.lost,
        restarted: batch.restarted,
    }
}

impl Actor for Broker {
    type Context = Context<Self>;
}

impl Handler<Publish> for Broker {
    type Result = Later<wire::Published>;

    fn handle(&mut self, publish: Publish, _: &mut Context<Self>) -> Self::Result {
        let (promise, later) = Later::promise();
        let Publish { project, event, at_once } = publish;
        let act = move |broker: &mut Broker| {
            let published = broker.publish(&project, event);
            broker.settle();
            promise.keep(published);
        };
        if at_once {
            act(self);
        } else {
            let delay = self.delays.delay(&self.settings.publish);
            self.env.after(delay, move |broker, _| act(broker));
        }
        later
    }
}

impl Handler<WaitFor> for Broker {
    type Result = Later<Result<EventsPage, Fault>>;

    fn handle(&mut self, wait: WaitFor, _: &mut Context<Self>) -> Self::Result {
        let (promise, later) = Later::promise();
        match self.wait(wait) {
            Waited::Over(answer) => promise.keep(answer),
            Waited::Parked(ticket, timeout) => {
                let timer = self.env.after(timeout, move |broker, _| {
                    let page = broker.nothing(ticket, false);
                    broker.answer(ticket, page);
                    broker.settle();
                });
                self.waiting.insert(ticket, Waiting { promise, timer });
            }
        }
        self.settle();
        later
    }
}

impl Handler<CountEvents> for Broker {
    type Result = MessageResult<CountEvents>;

    fn handle(&mut self, CountEvents(project): CountEvents, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.bus.counts(&project))
    }
}

impl Handler<TrimEvents> for Broker {
    type Result = ();

    fn handle(&mut self, _: TrimEvents, _: &mut Context<Self>) {
        self.tick();
    }
}
