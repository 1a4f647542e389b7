//! What subscribers are promised: at least once, every event that was published while they listened;
//! at most once, no event twice.
//!
//! An event is owed if its publisher began to publish it after the subscription had begun, was told
//! that it is published, and then the subscriber went on listening for long enough; or if a later
//! one came. Who had no connection, or was busy with what came before, has more time. Nothing is
//! owed that a full buffer dropped. Who has a filter is owed what passes it, if it asks for nothing
//! but what is known of every event. The bus is in memory: a crash of the sidecar ends what it
//! promised. One of the subscriber ends what was promised to it so far; what is published after it is
//! owed when it comes back. Only those are judged who say when they stop.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    NODE, Place, at,
    events::{Events, Published},
};
use crate::{check::watch::Built, stack::SidecarEvent};

/// How long an event may take to a subscriber that is idle, in nanoseconds: 5 s, a hundred times the
/// contract's target.
const PATIENCE: u64 = 5_000_000_000;
/// How long it may take from the last trouble on the way on: 60 s, twice the contract's longest
/// wait, after which all that is not acknowledged comes again.
const RECOVERY: u64 = 60_000_000_000;

#[derive(Default)]
pub(super) struct Delivery {
    /// By who, then by project and type.
    subscribers: BTreeMap<Rc<str>, Subscriber>,
    promised: Built,
}

#[derive(Default)]
struct Subscriber {
    /// When something last went wrong between it and the sidecar.
    trouble: Option<u64>,
    subscriptions: BTreeMap<Place, Subscription>,
}

#[derive(Default)]
struct Subscription {
    at_most_once: bool,
    /// Which events of its type it wants: `field:value`, with commas between; empty for all.
    filter: Rc<str>,
    since: Option<u64>,
    received: BTreeSet<Rc<str>>,
    /// When it last received one.
    last: Option<u64>,
    /// The longest that an event took to it, from when it was published or, if that was later, from
    /// when the one before came.
    pace: u64,
    /// When the publishing of anything that it received was last asked for.
    newest: u64,
    /// What it missed first.
    missed: Option<String>,
    owed: u64,
    says_when_it_stops: bool,
}

impl Delivery {
    pub(super) fn see(&mut self, now: u64, event: &SidecarEvent, events: &Events) {
        match event {
            SidecarEvent::SubscriptionStarted {
                who,
                project,
                event_type,
                filter,
                delivery,
                resumed,
            } => {
                let it = self.subscription(who, project, event_type);
                it.at_most_once = *delivery == "at_most_once";
                it.filter = Rc::clone(filter);
                if !resumed || it.since.is_none() {
                    (it.since, it.newest) = (Some(now), 0);
                }
            }
            SidecarEvent::EventReceived {
                who,
                project,
                of,
                event,
                event_type,
                publisher,
                sequence,
                wanted,
                ..
            } => {
                let unwanted =
                    || format!("{who} got {event} at {}, which it did not want", at(now));
                self.promised.evaluate((!wanted).then(unwanted));
                let it = self.subscription(who, project, event_type);
                let is_new = it.received.insert(Rc::clone(event));
                let twice = it.at_most_once && !is_new;
                let asked = events.asked(of, publisher, *sequence);
                if let Some(asked) = asked.filter(|_| is_new) {
                    let free = it.last.map_or(asked, |last| last.max(asked));
                    it.pace = it.pace.max(now.saturating_sub(free));
                }
                it.last = Some(now);
                it.newest = it.newest.max(asked.unwrap_or(0));
                let failure =
                    || format!("{who} got {event} again at {}, and may get it once only", at(now));
                self.promised.evaluate(twice.then(failure));
            }
            SidecarEvent::SubscriptionEnded { who, project, event_type } => {
                let Some(subscriber) = self.subscribers.get_mut(who) else { return };
                let key = (Rc::clone(project), Rc::clone(event_type));
                let Some(it) = subscriber.subscriptions.get_mut(&key) else { return };
                it.says_when_it_stops = true;
                it.close(now, who, &key, subscriber.trouble, events);
            }
            SidecarEvent::Answered { who, status: 0 | 429 | 500.., .. } => {
                self.trouble(now, who);
            }
            _ => {}
        }
    }

    fn subscription(
        &mut self,
        who: &Rc<str>,
        project: &Rc<str>,
        event_type: &Rc<str>,
    ) -> &mut Subscription {
        let subscriber = self.subscribers.entry(Rc::clone(who)).or_default();
        subscriber.subscriptions.entry((Rc::clone(project), Rc::clone(event_type))).or_default()
    }

    /// Something went wrong between the sidecar and this node; for the sidecar itself, all of them.
    pub(super) fn trouble(&mut self, now: u64, node: &str) {
        if node == NODE {
            self.subscribers.values_mut().for_each(|it| it.trouble = Some(now));
        } else if let Some(subscriber) = self.subscribers.get_mut(node) {
            subscriber.trouble = Some(now);
        }
    }

    /// A node crashed, and with it what the sidecar promised, or what was promised to it so far.
    pub(super) fn crashed(&mut self, now: u64, node: &str, events: &Events) {
        let all = node == NODE;
        for (who, subscriber) in &mut self.subscribers {
            if !all && **who != *node {
                continue;
            }
            for (key, it) in &mut subscriber.subscriptions {
                let was_open = it.since.is_some();
                it.close(now, who, key, subscriber.trouble, events);
                if all {
                    it.received.clear();
                } else if was_open {
                    // The sidecar knows it still, and goes on when it comes back.
                    (it.since, it.newest) = (Some(now), 0);
                }
            }
            subscriber.trouble = Some(now);
        }
    }

    /// The check as it stands.
    pub(super) fn built(&self) -> &Built {
        &self.promised
    }

    /// Judges what was owed to those who said that they stop; of others nobody knows whether they
    /// still listened.
    pub(super) fn finish(mut self) -> Built {
        let subscribers = self.subscribers.into_values();
        for it in subscribers.flat_map(|it| it.subscriptions.into_values()) {
            if it.says_when_it_stops && it.owed > 0 {
                self.promised.evaluate(it.missed);
            }
        }
        self.promised
    }
}

impl Subscription {
    /// It ends: whatever was owed until now has come, or never will.
    fn close(
        &mut self,
        now: u64,
        who: &str,
        (project, event_type): &Place,
        trouble: Option<u64>,
        events: &Events,
    ) {
        let Some(since) = self.since.take() else { return };
        if self.at_most_once {
            return;
        }
        let mut behind = 0_u64;
        for it in events.since(project, event_type, since) {
            let is_wanted = wants(&self.filter, event_type, it) == Some(true);
            if it.asked <= since || !is_wanted || events.is_dropped(project, it) {
                continue;
            }
            if self.received.contains(&it.event) {
                self.owed += 1;
                continue;
            }
            behind += 1;
            let mut due = it.at.saturating_add(PATIENCE);
            due = due.saturating_add(self.pace.saturating_mul(behind));
            // Who subscribed again after it has left it behind.
            if let Some(trouble) = trouble.filter(|trouble| *trouble >= since) {
                due = due.max(trouble.saturating_add(RECOVERY));
            }
            // At least once is in order: a later one does not overtake it.
            let overtaken = it.at < self.newest;
            if due <= now || overtaken {
                self.owed += 1;
                self.missed.get_or_insert_with(|| {
                    format!(
                        "{who} never got event {} ({event_type} of {project}), published at {}, though it listened from {} to {}",
                        it.event,
                        at(it.at),
                        at(since),
                        at(now)
                    )
                });
            }
        }
    }
}

/// Whether a filter lets an event pass; `None` if it asks for what is not known of it.
fn wants(filter: &str, event_type: &str, event: &Published) -> Option<bool> {
    for condition in filter.split(',').filter(|it| !it.is_empty()) {
        let (field, value) = condition.split_once(':')?;
        let known = match field {
            "event_type" => event_type,
            "publisher" => &event.publisher,
            "topic" => event.topic,
            "correlation_id" => &event.correlation,
            _ => return None,
        };
        if known != value {
            return Some(false);
        }
    }
    Some(true)
}
