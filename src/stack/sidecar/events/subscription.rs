//! How far a subscriber came, and what it was promised.

use std::rc::Rc;

use super::{
    super::wire::{EventView, Filter, ProjectId},
    Cursor, Settings,
    log::Log,
};
use crate::world::Time;

/// What a subscriber is promised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Every event, again and again until it is acknowledged. One batch at a time is under way, so
    /// that an acknowledgement cannot be taken for that of a batch that was lost.
    #[default]
    AtLeastOnce,
    /// No event twice. One that is lost on the way is lost.
    AtMostOnce,
}

impl Delivery {
    /// The name in logs and filters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Delivery::AtLeastOnce => "at_least_once",
            Delivery::AtMostOnce => "at_most_once",
        }
    }
}

/// Where a subscription begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// With what is published from now on.
    #[default]
    Now,
    /// With the oldest event that is kept.
    Oldest,
    /// Behind this place; for a cursor of an earlier life of the bus, with the oldest.
    Behind(Cursor),
}

/// A subscriber comes, or comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe {
    /// In which project.
    pub project: ProjectId,
    /// Its name, unique in the project.
    pub name: String,
    /// What it wants.
    pub filter: Filter,
    /// What it is promised.
    pub delivery: Delivery,
    /// Where it begins, if it is new or wants something else than before. One that comes back goes
    /// on behind what it acknowledged, or behind its cursor if that is further.
    pub start: Start,
}

/// What became of the events that a subscriber asked for. Those that it acknowledged, lost, and let
/// expire, and those still to come, are all there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Handed out, those that were handed out again included.
    pub delivered: u64,
    /// Handed out again.
    pub redelivered: u64,
    /// Acknowledged; at most once, handed out.
    pub acknowledged: u64,
    /// Dropped from a full buffer before.
    pub lost: u64,
    /// Too old before.
    pub expired: u64,
}

/// Why an acknowledgement is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AckError {
    /// Nobody of that name subscribed.
    #[error("there is no such subscription")]
    Unknown,
    /// Of another life of the bus, or of what was not delivered.
    #[error("what was not delivered cannot be acknowledged")]
    NotDelivered,
}

pub(super) struct Subscription {
    pub filter: Filter,
    pub delivery: Delivery,
    /// Up to where all is done.
    acked: u64,
    /// Up to where it was handed out: equal to `acked` if nothing is under way.
    sent: u64,
    /// The furthest it ever was handed out.
    furthest: u64,
    sent_at: Time,
    /// When the subscriber was last heard of.
    pub used: Time,
    pub tally: Tally,
}

/// What is handed out.
pub(super) struct Parcel {
    pub events: Vec<(u64, Rc<EventView>)>,
    pub next: u64,
    pub more: bool,
}

impl Subscription {
    pub(super) fn new(filter: Filter, delivery: Delivery, from: u64, now: Time) -> Subscription {
        Subscription {
            filter,
            delivery,
            acked: from,
            sent: from,
            furthest: from,
            sent_at: now,
            used: now,
            tally: Tally::default(),
        }
    }

    pub(super) fn acked(&self) -> u64 {
        self.acked
    }

    /// When what is under way is delivered again; none if nothing is.
    pub(super) fn due(&self, settings: &Settings) -> Option<Time> {
        (self.sent > self.acked).then(|| self.sent_at + settings.redeliver_after)
    }

    /// What is under way did not arrive.
    pub(super) fn rewind(&mut self) {
        self.sent = self.acked;
    }

    /// Hands out what comes next, if there is anything.
    pub(super) fn take(
        &mut self,
        log: &Log,
        limit: usize,
        settings: &Settings,
        now: Time,
    ) -> Option<Parcel> {
        if self.due(settings).is_some_and(|due| now < due) {
            return None;
        }
        let scan = log.scan(self.acked, &self.filter, limit);
        self.sent_at = now;
        let Some(&(last, _)) = scan.found.last() else {
            (self.acked, self.sent) = (scan.to, scan.to);
            return None;
        };
        // Not further: whoever acknowledges the last one is done with all that is under way.
        self.sent = last;
        let again = scan.found.iter().filter(|(offset, _)| *offset <= self.furthest).count() as u64;
        self.furthest = self.furthest.max(last);
        self.tally.delivered += scan.found.len() as u64;
        self.tally.redelivered += again;
        if self.delivery == Delivery::AtMostOnce {
            self.acknowledge(log, last);
        }
        Some(Parcel { events: scan.found, next: last, more: scan.more })
    }

    /// All up to this place is done. False if that was not handed out.
    pub(super) fn ack(&mut self, log: &Log, offset: u64) -> bool {
        if offset > self.furthest.max(self.acked) {
            return false;
        }
        self.acknowledge(log, offset);
        true
    }

    /// All up to this place is done, as the subscriber says.
    pub(super) fn acknowledge(&mut self, log: &Log, offset: u64) {
        if offset <= self.acked {
            return;
        }
        let done = log.entries.range(self.acked + 1..=offset);
        let done = done.filter(|(_, entry)| self.filter.matches(&entry.event)).count();
        self.tally.acknowledged += done as u64;
        self.acked = offset;
        self.sent = self.sent.max(offset);
        self.furthest = self.furthest.max(offset);
    }

    /// Has it still to come, or may it have to come again?
    pub(super) fn waits_for(&self, offset: u64, event: &EventView) -> bool {
        offset > self.acked && self.filter.matches(event)
    }
}
