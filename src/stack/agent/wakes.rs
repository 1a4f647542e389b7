//! Waiting for events: an agent that begins a request for each. It must never begin two for one,
//! however often it comes, in one life.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use super::Agent;
use crate::{
    stack::{
        session::{Listening, Refusal},
        sidecar::wire::{self, Cursor, EventId, EventView, EventsPage},
    },
    world::Time,
};

/// How long the sidecar may let it wait at once: the contract's 30 s.
const WAIT: Duration = Duration::from_secs(30);
/// How many events it takes at once.
const BATCH: u32 = 100;
/// The pause before it asks again when something went wrong: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// What woke an agent.
#[derive(Clone)]
pub(super) struct Woken {
    /// What it belongs to, if the event says so.
    pub(super) correlation: Option<wire::RequestId>,
    /// What it says, without what its publisher added.
    pub(super) data: Value,
}

/// How far it has listened.
#[derive(Default)]
pub(super) struct Wakes {
    pub(super) is_listening: bool,
    cursor: Option<Cursor>,
    seen: BTreeSet<EventId>,
    failures: u32,
}

impl Agent {
    /// Waits for the next events, unless it has done all, or its time is over.
    pub(super) fn listen(&mut self) {
        let (Some(wanted), Some(session)) = (&self.parts.group.wakes_on, &self.session) else {
            return;
        };
        let end = Time::ZERO + self.parts.group.listens;
        let wait = (end - self.env.now()).min(WAIT);
        let left = self.parts.left.as_ref().map_or(BATCH, |left| left.get());
        // The contract counts whole milliseconds.
        if wait < Duration::from_millis(1) || left == 0 {
            return self.stop_listening();
        }
        self.wakes.is_listening = true;
        let since = self.wakes.cursor.as_ref();
        let listening = Listening { wanted, since, wait, limit: left.min(BATCH) };
        session.listen(&self.env, &listening, |agent, page, _| agent.heard(page));
    }

    fn stop_listening(&mut self) {
        if let (Some(wanted), Some(session)) = (&self.parts.group.wakes_on, &self.session)
            && self.wakes.is_listening
        {
            session.ended(&self.env, wanted);
        }
        self.wakes.is_listening = false;
        self.note();
    }

    fn heard(&mut self, page: Result<EventsPage, Refusal>) {
        let page = match page {
            Ok(page) => page,
            Err(refusal) => return self.not_heard(refusal),
        };
        self.wakes.failures = 0;
        let is_idle = page.events.is_empty() && !page.timeout;
        if page.next_cursor.is_some() {
            self.wakes.cursor = page.next_cursor;
        }
        for event in page.events {
            self.wake(&event);
        }
        if is_idle {
            self.env.after(PAUSE.0, |agent, _| agent.listen());
        } else {
            self.listen();
        }
    }

    fn wake(&mut self, event: &EventView) {
        if !self.wakes.seen.insert(event.id.clone()) {
            return;
        }
        if let Some(left) = &self.parts.left {
            let Some(rest) = left.get().checked_sub(1) else { return };
            left.set(rest);
        }
        let woken = Woken { correlation: event.correlation_id.clone(), data: event.data.clone() };
        self.start(None, Some(woken));
    }

    /// Asks again later. A place that the sidecar does not know is forgotten.
    fn not_heard(&mut self, refusal: Refusal) {
        if refusal.is_final() && self.wakes.cursor.take().is_none() {
            return self.stop_listening();
        }
        let (first, most) = PAUSE;
        let pause = first.saturating_mul(1 << self.wakes.failures.min(10)).min(most);
        self.wakes.failures += 1;
        let pause = pause.max(refusal.retry_after.unwrap_or_default());
        self.env.after(pause, |agent, _| agent.listen());
    }
}
