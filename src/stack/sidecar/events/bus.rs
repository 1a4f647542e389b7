//! The buffer, its readers, and who of them waits.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use jiff::Timestamp;

use sha2::{Digest as _, Sha256};

use super::{
    super::{
        json_len,
        wire::{EventId, EventView, EventsStatus, Made as _, ProjectId, PublishEvent},
    },
    AckError, Ask, BadCursor, Batch, Cursor, Delivered, Published, Reader, Settings, Start,
    Subscribe, Subscribed, Tally, Wait, WaitError, Woken,
    log::{Entry, Log},
    subscription::Subscription,
};
use crate::world::Time;

#[derive(Default)]
struct Project {
    log: Log,
    subscriptions: BTreeMap<String, Subscription>,
    /// The tickets of who waits.
    parked: BTreeSet<u64>,
}

struct Parked {
    ask: Ask,
    /// How far it came, if it has a cursor.
    at: u64,
    lost: u64,
}

/// The bus.
pub struct Bus {
    settings: Settings,
    epoch: u64,
    projects: BTreeMap<ProjectId, Project>,
    /// All events that are kept, the oldest first: of which project and where in its log.
    turns: BTreeMap<u64, (ProjectId, u64, Time)>,
    /// The same, the first that will be too old in front.
    expiry: BTreeSet<(Time, u64)>,
    last_turn: u64,
    parked: BTreeMap<u64, Parked>,
    bytes: u64,
}

/// Why an event has to go.
enum Cause {
    Full,
    Old,
}

impl Bus {
    /// An empty bus. Its epoch must be another in each of its lives, or ids repeat.
    pub fn new(settings: Settings, epoch: u64) -> Bus {
        Bus {
            settings,
            epoch,
            projects: BTreeMap::new(),
            turns: BTreeMap::new(),
            expiry: BTreeSet::new(),
            last_turn: 0,
            parked: BTreeMap::new(),
            bytes: 0,
        }
    }

    fn cursor(&self, offset: u64) -> Cursor {
        Cursor { epoch: self.epoch, offset }
    }

    /// How many events are kept, of all projects.
    pub fn len(&self) -> usize {
        self.turns.len()
    }

    /// Is none kept?
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Bytes of memory that the events count as.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What there is of a project.
    pub fn counts(&self, project: &ProjectId) -> EventsStatus {
        let Some(known) = self.projects.get(project) else { return EventsStatus::default() };
        EventsStatus {
            total_published: known.log.end,
            active_subscriptions: known.subscriptions.len() as u64,
            queue_depth: known.log.entries.len() as u64,
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.parked.len()
    }

    /// What became of the events for a subscriber.
    pub fn tally(&self, project: &ProjectId, name: &str) -> Option<Tally> {
        Some(self.projects.get(project)?.subscriptions.get(name)?.tally)
    }

    /// An event of this project comes in; `wall` is what its node's wall clock says. The project
    /// that it names itself is not looked at: it is the caller who knows whose it is. The same key
    /// from the same publisher again is the same event, as long as that is kept.
    pub fn publish(
        &mut self,
        now: Time,
        wall: Timestamp,
        project: &ProjectId,
        new: PublishEvent,
    ) -> Published {
        self.sweep(now);
        let known = self.projects.entry(project.clone()).or_default();
        let request = new.key.as_ref().map(|key| (new.publisher.clone(), key.clone()));
        let repeated = request.as_ref().and_then(|request| known.log.requests.get(request));
        if let Some((&offset, entry)) =
            repeated.and_then(|offset| known.log.entries.get_key_value(offset))
        {
            let event = entry.event.clone();
            return Published {
                event,
                cursor: self.cursor(offset),
                repeated: true,
                notified: Vec::new(),
                woken: Vec::new(),
                dropped: Vec::new(),
            };
        }
        let mut dropped = Vec::new();
        while self.turns.len() >= self.settings.capacity.max(1) {
            let Some((&oldest, _)) = self.turns.first_key_value() else { break };
            dropped.extend(self.drop_event(oldest, Cause::Full));
        }
        let ttl = Duration::from_secs(new.ttl_seconds.into()).min(self.settings.retention);
        self.last_turn += 1;
        let (turn, expires) = (self.last_turn, now + ttl);
        let known = self.projects.entry(project.clone()).or_default();
        known.log.end += 1;
        let offset = known.log.end;
        let cursor = Cursor { epoch: self.epoch, offset };
        let event = Rc::new(EventView {
            id: id_of(cursor, project),
            event_type: new.event_type,
            publisher: new.publisher,
            topic: Some(new.topic),
            data: new.data,
            correlation_id: new.correlation_id,
            project_id: Some(project.clone()),
            timestamp: wall,
            ttl_seconds: Some(new.ttl_seconds),
        });
        let bytes = EVENT_BYTES + json_len(&event.data);
        self.bytes += bytes;
        if let Some(request) = request {
            known.log.requests.insert(request, offset);
        }
        let entry = Entry { event: event.clone(), bytes, request: new.key };
        known.log.entries.insert(offset, entry);
        self.turns.insert(turn, (project.clone(), offset, expires));
        self.expiry.insert((expires, turn));
        let wants =
            |(name, it): (&String, &Subscription)| it.filter.matches(&event).then(|| name.clone());
        let notified = known.subscriptions.iter().filter_map(wants).collect();
        let woken = self.wake(now, project, Some(&event));
        Published { event, cursor, repeated: false, notified, woken, dropped }
    }

    /// A reader asks. If there is nothing for it, it waits under this ticket, which must be free.
    ///
    /// # Errors
    ///
    /// [`WaitError`] if its cursor or its subscription is none of this bus.
    pub fn wait(&mut self, now: Time, ticket: u64, mut ask: Ask) -> Result<Wait, WaitError> {
        self.sweep(now);
        ask.limit = ask.limit.clamp(1, self.settings.batch.max(1));
        let (mut at, mut restarted) = (0, false);
        if let Reader::Cursor { since: Some(since), .. } = &ask.reader {
            (at, restarted) = self.place(&ask.project, *since)?;
        }
        if let Reader::Subscription(name) = &ask.reader {
            let project = self.projects.get_mut(&ask.project);
            let subscription = project.and_then(|project| project.subscriptions.get_mut(name));
            subscription.ok_or(WaitError::Unknown)?.used = now;
        }
        let mut parked = Parked { ask, at, lost: 0 };
        let batch = self.read(now, &mut parked);
        if let Some(batch) = batch {
            return Ok(Wait::Ready(Batch { restarted, ..batch }));
        }
        if restarted {
            // It has to know at once, even if there is nothing else to tell.
            return Ok(Wait::Ready(Batch { restarted, ..self.nothing(&parked) }));
        }
        let instead_of = self.displaced(&parked.ask);
        let project = self.projects.entry(parked.ask.project.clone()).or_default();
        project.parked.insert(ticket);
        self.parked.insert(ticket, parked);
        Ok(Wait::Parked { instead_of })
    }

    /// Takes away who waits for the same subscription.
    fn displaced(&mut self, ask: &Ask) -> Option<u64> {
        let Reader::Subscription(name) = &ask.reader else { return None };
        self.evict_waiters(&ask.project, name).pop()
    }

    fn evict_waiters(&mut self, project: &ProjectId, name: &str) -> Vec<u64> {
        let Some(known) = self.projects.get_mut(project) else { return Vec::new() };
        let parked = &mut self.parked;
        let is_its = |ticket: &u64| {
            parked.get(ticket).is_some_and(
                |it| matches!(&it.ask.reader, Reader::Subscription(its) if its == name),
            )
        };
        let tickets: Vec<u64> = known.parked.iter().copied().filter(is_its).collect();
        for ticket in &tickets {
            known.parked.remove(ticket);
            parked.remove(ticket);
        }
        tickets
    }

    /// Where in a project's log a cursor is, and whether it is of an earlier life.
    fn place(&self, project: &ProjectId, cursor: Cursor) -> Result<(u64, bool), BadCursor> {
        let end = self.projects.get(project).map_or(0, |project| project.log.end);
        match cursor.epoch.cmp(&self.epoch) {
            std::cmp::Ordering::Less => Ok((0, true)),
            std::cmp::Ordering::Equal if cursor.offset <= end => Ok((cursor.offset, false)),
            _ => Err(BadCursor),
        }
    }

    /// What there is for a reader, if anything.
    fn read(&mut self, now: Time, parked: &mut Parked) -> Option<Batch> {
        let Parked { ask, at, lost } = parked;
        let project = self.projects.get_mut(&ask.project)?;
        let (events, next, more, lost) = match &ask.reader {
            Reader::Cursor { filter, .. } => {
                let scan = project.log.scan(*at, filter, ask.limit);
                *at = scan.to;
                *lost += scan.missing;
                (scan.found, scan.to, scan.more, *lost)
            }
            Reader::Subscription(name) => {
                let subscription = project.subscriptions.get_mut(name)?;
                let parcel = subscription.take(&project.log, ask.limit, &self.settings, now)?;
                (parcel.events, parcel.next, parcel.more, subscription.tally.lost)
            }
        };
        if events.is_empty() {
            return None;
        }
        let cursor = |(offset, event)| Delivered { cursor: self.cursor(offset), event };
        let events = events.into_iter().map(cursor).collect();
        Some(Batch { events, next: self.cursor(next), more, lost, restarted: false })
    }

    /// What is said to a reader for whom there was nothing.
    fn nothing(&self, parked: &Parked) -> Batch {
        let (mut next, mut lost) = (parked.at, parked.lost);
        if let Reader::Subscription(name) = &parked.ask.reader
            && let Some(project) = self.projects.get(&parked.ask.project)
            && let Some(subscription) = project.subscriptions.get(name)
        {
            (next, lost) = (subscription.acked(), subscription.tally.lost);
        }
        let next = self.cursor(next);
        Batch { events: Vec::new(), next, more: false, lost, restarted: false }
    }

    /// Those of a project for whom there is something now, in the order of their tickets. Who
    /// reads with a cursor is only concerned by a new event.
    fn wake(&mut self, now: Time, project: &ProjectId, new: Option<&EventView>) -> Vec<Woken> {
        let Some(known) = self.projects.get(project) else { return Vec::new() };
        let (tickets, end) = (known.parked.clone(), known.log.end);
        let mut woken = Vec::new();
        for ticket in tickets {
            let Some(mut parked) = self.parked.remove(&ticket) else { continue };
            let batch = match (&parked.ask.reader, new) {
                (Reader::Cursor { .. }, None) => None,
                (Reader::Cursor { filter, .. }, Some(event)) if !filter.matches(event) => {
                    parked.at = end;
                    None
                }
                _ => self.read(now, &mut parked),
            };
            match batch {
                Some(batch) => {
                    woken.push(Woken { ticket, batch });
                    if let Some(known) = self.projects.get_mut(project) {
                        known.parked.remove(&ticket);
                    }
                }
                None => {
                    self.parked.insert(ticket, parked);
                }
            }
        }
        woken
    }

    /// Whoever waits under this ticket has waited long enough, or is gone. What it may be told: no
    /// events, and where to go on.
    pub fn unpark(&mut self, ticket: u64) -> Option<Batch> {
        let parked = self.parked.remove(&ticket)?;
        if let Some(project) = self.projects.get_mut(&parked.ask.project) {
            project.parked.remove(&ticket);
        }
        Some(self.nothing(&parked))
    }

    /// A subscriber comes, or comes back after its connection broke: what was under way then is
    /// delivered again at once, and nobody waits for it any more.
    ///
    /// # Errors
    ///
    /// [`WaitError::Cursor`] for a cursor of a place where the log never was.
    pub fn subscribe(&mut self, now: Time, it: Subscribe) -> Result<Subscribed, WaitError> {
        self.sweep(now);
        let (from, restarted) = match it.start {
            Start::Behind(cursor) => self.place(&it.project, cursor)?,
            Start::Oldest => (0, false),
            Start::Now => (self.projects.get(&it.project).map_or(0, |known| known.log.end), false),
        };
        let displaced = self.evict_waiters(&it.project, &it.name);
        let Project { log, subscriptions, .. } = self.projects.entry(it.project).or_default();
        let known = subscriptions.get_mut(&it.name);
        let same =
            |known: &&mut Subscription| known.filter == it.filter && known.delivery == it.delivery;
        let (offset, resumed) = if let Some(known) = known.filter(same) {
            if matches!(it.start, Start::Behind(_)) {
                known.acknowledge(log, from);
            }
            known.rewind();
            known.used = now;
            (known.acked(), true)
        } else {
            let new = Subscription::new(it.filter, it.delivery, from, now);
            subscriptions.insert(it.name, new);
            (from, false)
        };
        Ok(Subscribed { at: self.cursor(offset), resumed, restarted, displaced })
    }

    /// A subscriber goes for good. Returns the tickets of who waited for it.
    pub fn unsubscribe(&mut self, project: &ProjectId, name: &str) -> Vec<u64> {
        let tickets = self.evict_waiters(project, name);
        if let Some(known) = self.projects.get_mut(project) {
            known.subscriptions.remove(name);
        }
        tickets
    }

    /// A subscriber has done all up to this cursor. An acknowledgement of what was acknowledged
    /// before changes nothing. Returns who waited for it, if there is more.
    ///
    /// # Errors
    ///
    /// [`AckError`] if there is no such subscription, or it was not given so much.
    pub fn ack(
        &mut self,
        now: Time,
        project: &ProjectId,
        name: &str,
        cursor: Cursor,
    ) -> Result<Vec<Woken>, AckError> {
        self.sweep(now);
        let known = self.projects.get_mut(project).ok_or(AckError::Unknown)?;
        let subscription = known.subscriptions.get_mut(name).ok_or(AckError::Unknown)?;
        if cursor.epoch != self.epoch || !subscription.ack(&known.log, cursor.offset) {
            return Err(AckError::NotDelivered);
        }
        subscription.used = now;
        Ok(self.wake(now, project, None))
    }

    /// When [`tick`](Self::tick) has something to do for who waits: a batch is to be delivered
    /// again.
    pub fn next_due(&self) -> Option<Time> {
        let due = |parked: &Parked| {
            let Reader::Subscription(name) = &parked.ask.reader else { return None };
            let project = self.projects.get(&parked.ask.project)?;
            project.subscriptions.get(name)?.due(&self.settings)
        };
        self.parked.values().filter_map(due).min()
    }

    /// Drops what is too old, forgets subscriptions that nobody used for so long, and returns who
    /// gets something again.
    pub fn tick(&mut self, now: Time) -> Vec<Woken> {
        self.sweep(now);
        let projects: Vec<ProjectId> = self.projects.keys().cloned().collect();
        let mut woken = Vec::new();
        for project in projects {
            woken.extend(self.wake(now, &project, None));
            let retention = self.settings.retention;
            if let Some(known) = self.projects.get_mut(&project) {
                known.subscriptions.retain(|_, it| now < it.used + retention);
            }
        }
        woken
    }

    /// Drops what is too old: an event is, from the instant on at which its time is over.
    fn sweep(&mut self, now: Time) {
        while let Some(&(expires, turn)) = self.expiry.first()
            && expires <= now
        {
            self.drop_event(turn, Cause::Old);
        }
    }

    fn drop_event(&mut self, turn: u64, cause: Cause) -> Option<Rc<EventView>> {
        let (project, offset, expires) = self.turns.remove(&turn)?;
        self.expiry.remove(&(expires, turn));
        let Project { log, subscriptions, .. } = self.projects.get_mut(&project)?;
        let Entry { event, bytes, .. } = log.remove(offset)?;
        self.bytes -= bytes;
        for it in subscriptions.values_mut().filter(|it| it.waits_for(offset, &event)) {
            match cause {
                Cause::Full => it.tally.lost += 1,
                Cause::Old => it.tally.expired += 1,
            }
        }
        Some(event)
    }
}

/// What an event counts as beside its data, in bytes: its ids and its places in the indexes.
const EVENT_BYTES: u64 = 512;

/// The id of the event at this place. A long name of a project does not fit into an id, and is
/// hashed; those ids have a dot where the others have a dash, so that they are never the same.
fn id_of(cursor: Cursor, project: &ProjectId) -> EventId {
    let name = project.as_str();
    if name.len() <= 64 {
        return EventId::made(&format!("evt-{cursor}-{name}"));
    }
    let hash = Sha256::digest(name.as_bytes());
    let hash = hash.iter().take(16).fold(0, |hash: u128, &byte| hash << 8 | u128::from(byte));
    EventId::made(&format!("evt-{cursor}.{hash:032x}"))
}
