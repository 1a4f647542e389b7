//! What was published, by whom and in which order, and whether that is what arrives.
//!
//! Who publishes numbers its events from 1, and goes on higher after a crash. What has no number is not judged by it: the sidecar's own
//! events, and those of who made a request by hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{Place, at};
use crate::{check::watch::Built, stack::SidecarEvent};

/// The route by which events are published.
const PUBLISH: &str = "publish";
/// The route by which results are handed in: the sidecar publishes each.
const STORE: &str = "store_result";

pub(super) struct Events {
    /// For how many events the sidecar has room.
    room: u64,
    /// How many were published so far, at most: what was tried may have been.
    count: u64,
    /// By project and publisher.
    publishers: BTreeMap<Place, Publisher>,
    /// By project and type, in the order in which they were acknowledged.
    published: BTreeMap<Place, Vec<Published>>,
    /// Events that a full buffer dropped, says the sidecar, by project and id; and how many had been
    /// published then.
    dropped: BTreeMap<Place, u64>,
    facts: BTreeMap<Rc<str>, Fact>,
    /// By project and subscriber, then by publisher and type: what came so far.
    came: BTreeMap<Place, BTreeMap<Place, Came>>,
    /// Events that came and that nobody had said to publish, by their publisher.
    unsaid: Vec<(Place, String)>,
    pub(super) order: Built,
    pub(super) told: Built,
    pub(super) ids: Built,
}

/// An event that its publisher knows to be published.
pub(super) struct Published {
    pub at: u64,
    pub asked: u64,
    pub event: Rc<str>,
    pub publisher: Rc<str>,
    pub correlation: Rc<str>,
    pub topic: &'static str,
    /// How many had been published when it was asked for.
    before: u64,
}

#[derive(Default)]
struct Publisher {
    sent: BTreeMap<u64, Sent>,
    /// It also publishes by hand.
    by_hand: bool,
    /// How much was not acknowledged yet.
    open: u64,
}

struct Sent {
    event_type: Rc<str>,
    asked: u64,
    /// How many had been published then.
    before: u64,
    acknowledged: Option<u64>,
}

/// What is known of one event: whose it is, and what is in it.
struct Fact {
    project: Rc<str>,
    publisher: Rc<str>,
    sequence: u64,
    correlation: Rc<str>,
    digest: u64,
}

#[derive(Default)]
struct Came {
    highest: u64,
    all: BTreeSet<u64>,
}

/// How many unsaid events are kept to be told of: one is enough, but the first may be explained.
const UNSAID: usize = 1_000;

impl Events {
    /// `room` is for how many events the sidecar has room.
    pub(super) fn new(room: u64) -> Events {
        Events {
            room,
            count: 0,
            publishers: BTreeMap::new(),
            published: BTreeMap::new(),
            dropped: BTreeMap::new(),
            facts: BTreeMap::new(),
            came: BTreeMap::new(),
            unsaid: Vec::new(),
            order: Built::default(),
            told: Built::default(),
            ids: Built::default(),
        }
    }

    /// The events of a type that were acknowledged after this instant, in that order.
    pub(super) fn since(&self, project: &Rc<str>, event_type: &Rc<str>, at: u64) -> &[Published] {
        let all = self.published.get(&(Rc::clone(project), Rc::clone(event_type)));
        let all = all.map(Vec::as_slice).unwrap_or_default();
        all.get(all.partition_point(|it| it.at <= at)..).unwrap_or_default()
    }

    /// Whether an event had to go because the buffer was full. That the sidecar says so is not enough:
    /// as many as there is room for must have come after it.
    pub(super) fn is_dropped(&self, project: &Rc<str>, event: &Published) -> bool {
        let then = self.dropped.get(&(Rc::clone(project), Rc::clone(&event.event)));
        then.is_some_and(|then| then.saturating_sub(event.before) >= self.room)
    }

    /// When a publisher began to publish an event.
    pub(super) fn asked(&self, project: &Rc<str>, publisher: &Rc<str>, number: u64) -> Option<u64> {
        let publisher = self.publishers.get(&(Rc::clone(project), Rc::clone(publisher)))?;
        publisher.sent.get(&number).map(|sent| sent.asked)
    }

    fn publisher(&mut self, project: &Rc<str>, who: &Rc<str>) -> &mut Publisher {
        self.publishers.entry((Rc::clone(project), Rc::clone(who))).or_default()
    }

    pub(super) fn see(&mut self, now: u64, event: &SidecarEvent) {
        match event {
            SidecarEvent::PublishAsked { who, project, event_type, sequence } => {
                self.count += 1;
                let before = self.count;
                let publisher = self.publisher(project, who);
                publisher.open += 1;
                if *sequence == 0 {
                    return;
                }
                let event_type = Rc::clone(event_type);
                let sent = Sent { event_type, asked: now, before, acknowledged: None };
                publisher.sent.entry(*sequence).or_insert(sent);
            }
            SidecarEvent::EventPublished {
                who,
                project,
                event,
                event_type,
                topic,
                sequence,
                correlation,
                digest,
                latency_ms,
            } => {
                let publisher = self.publisher(project, who);
                publisher.open = publisher.open.saturating_sub(1);
                let sent = publisher.sent.get_mut(sequence);
                // What has no number is not tried again; whole milliseconds are cut.
                let latency = latency_ms.saturating_add(1).saturating_mul(1_000_000);
                let (asked, before) = sent.map_or((now.saturating_sub(latency), 0), |sent| {
                    sent.acknowledged.get_or_insert(now);
                    (sent.asked, sent.before)
                });
                let all =
                    self.published.entry((Rc::clone(project), Rc::clone(event_type))).or_default();
                all.push(Published {
                    at: now,
                    asked,
                    event: Rc::clone(event),
                    publisher: Rc::clone(who),
                    correlation: Rc::clone(correlation),
                    topic,
                    before,
                });
                self.fact(now, event, (project, who), *sequence, (correlation, *digest));
            }
            SidecarEvent::Answered {
                who, project, token: "valid", route: PUBLISH, status, ..
            } => {
                let publisher = self.publisher(project, who);
                publisher.by_hand |= publisher.open == 0;
                // What nobody heard of may have been published, and is tried again.
                let may_be_more = publisher.by_hand || *status == 0;
                self.count += u64::from(may_be_more);
            }
            SidecarEvent::Answered { token: "valid", route: STORE, .. }
            | SidecarEvent::ResultStored { .. } => self.count += 1,
            SidecarEvent::EventDropped { project, event } => {
                self.dropped.insert((Rc::clone(project), Rc::clone(event)), self.count);
            }
            SidecarEvent::EventReceived {
                who,
                of,
                event,
                event_type,
                publisher,
                sequence,
                correlation,
                digest,
                ..
            } => {
                self.fact(now, event, (of, publisher), *sequence, (correlation, *digest));
                if *sequence > 0 {
                    self.is_said(now, who, event, (of, publisher), (*sequence, event_type));
                    self.in_order(now, who, (of, publisher), (*sequence, event_type));
                }
            }
            _ => {}
        }
    }

    /// What is said of an event is the same whoever says it.
    fn fact(
        &mut self,
        now: u64,
        event: &Rc<str>,
        (project, publisher): (&Rc<str>, &Rc<str>),
        sequence: u64,
        (correlation, digest): (&Rc<str>, u64),
    ) {
        let first = self.facts.entry(Rc::clone(event)).or_insert_with(|| Fact {
            project: Rc::clone(project),
            publisher: Rc::clone(publisher),
            sequence,
            correlation: Rc::clone(correlation),
            digest,
        });
        let is_same = first.project == *project
            && first.publisher == *publisher
            && first.sequence == sequence;
        self.ids.evaluate((!is_same).then(|| {
            let Fact { project: other, publisher: by, sequence: number, .. } = &*first;
            let at = at(now);
            format!(
                "event {event} is {sequence} of {publisher} in {project} at {at}, and {number} of {by} in {other}"
            )
        }));
        let is_whole = first.correlation == *correlation && first.digest == digest;
        self.told.evaluate((is_same && !is_whole).then(|| {
            format!(
                "event {event} of {publisher} was changed: at {} it is {correlation} {digest:016x}, before {} {:016x}",
                at(now),
                first.correlation,
                first.digest
            )
        }));
    }

    /// What comes was published, or at least was to be.
    fn is_said(
        &mut self,
        now: u64,
        who: &Rc<str>,
        event: &Rc<str>,
        (project, publisher): (&Rc<str>, &Rc<str>),
        (sequence, event_type): (u64, &Rc<str>),
    ) {
        let place = (Rc::clone(project), Rc::clone(publisher));
        let sent = self.publishers.get(&place).and_then(|it| it.sent.get(&sequence));
        if sent.is_some_and(|sent| sent.event_type == *event_type) {
            self.told.evaluate(None);
        } else if self.unsaid.len() < UNSAID {
            let failure = format!(
                "{who} got event {event} at {}, {event_type} {sequence} of {publisher} in {project}, which nobody published",
                at(now)
            );
            self.unsaid.push((place, failure));
        }
    }

    /// The first copies of a publisher's events come in its order. If it did not wait for an answer
    /// before it published the next, there is no order.
    fn in_order(
        &mut self,
        now: u64,
        who: &Rc<str>,
        (project, publisher): (&Rc<str>, &Rc<str>),
        (sequence, event_type): (u64, &Rc<str>),
    ) {
        let came = self.came.entry((Rc::clone(project), Rc::clone(who))).or_default();
        let came = came.entry((Rc::clone(publisher), Rc::clone(event_type))).or_default();
        if !came.all.insert(sequence) {
            return;
        }
        let highest = came.highest;
        came.highest = highest.max(sequence);
        let publisher_of = self.publishers.get(&(Rc::clone(project), Rc::clone(publisher)));
        let Some(known) = publisher_of else { return };
        let before = known.sent.get(&sequence).and_then(|sent| sent.acknowledged);
        let after = known.sent.get(&highest).map(|sent| sent.asked);
        let late = sequence < highest && before.zip(after).is_some_and(|(a, b)| a <= b);
        self.order.evaluate(late.then(|| {
            let at = at(now);
            format!("{who} got {event_type} {sequence} of {publisher} at {at}, after {highest}")
        }));
    }

    /// What was never said, once everything was.
    pub(super) fn close(&mut self) {
        for (place, failure) in std::mem::take(&mut self.unsaid) {
            let excused = self.publishers.get(&place).is_some_and(|it| it.by_hand);
            self.told.evaluate((!excused).then_some(failure));
        }
    }
}
