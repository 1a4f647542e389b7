//! A subscriber: it waits for events, takes its time over each, and does nothing else.
//!
//! What it has taken it acknowledges with its next wait. It must never ask faster than answers come.

use std::{rc::Rc, time::Duration};

use actix::{Actor, Context};

use super::{
    session::{Listening, Refusal, Session, SidecarParts},
    settings::SubscriberGroup,
    sidecar::wire::{Cursor, EventsPage},
};
use crate::world::{Env, Stream, Time};

/// The pause before it asks again when something went wrong: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// What the contract counts in.
const MILLISECOND: Duration = Duration::from_millis(1);

/// The actor.
pub struct Subscriber {
    env: Env<Subscriber>,
    group: Rc<SubscriberGroup>,
    session: Session,
    lags: Stream,
    /// Up to where it has taken events, in this life.
    cursor: Option<Cursor>,
    failures: u32,
}

impl Subscriber {
    /// A subscriber of this group.
    pub fn new(
        env: Env<Subscriber>,
        group: Rc<SubscriberGroup>,
        parts: SidecarParts,
    ) -> Subscriber {
        let session = Session::new(&env, parts, group.badge.clone());
        let lags = env.stream("lag");
        Subscriber { env, group, session, lags, cursor: None, failures: 0 }
    }

    fn listen(&mut self) {
        let group = &self.group;
        let left = Time::ZERO + group.start + group.lasts - self.env.now();
        if left < MILLISECOND {
            return self.session.ended(&self.env, &group.wanted);
        }
        let (wanted, since, wait) = (&group.wanted, self.cursor.as_ref(), group.wait.min(left));
        let listening = Listening { wanted, since, wait, limit: group.batch.max(1) };
        self.session.listen(&self.env, &listening, |subscriber, page, _| subscriber.heard(page));
    }

    fn heard(&mut self, page: Result<EventsPage, Refusal>) {
        let pause = match page {
            Ok(page) => {
                self.failures = 0;
                let took = page.events.iter().map(|_| self.lags.delay(&self.group.lag)).sum();
                if page.next_cursor.is_some() {
                    self.cursor = page.next_cursor;
                }
                // An answer without events and without a wait must not make it ask at once.
                let at_least = if page.events.is_empty() && self.group.wait < PAUSE.0 {
                    PAUSE.0
                } else {
                    Duration::ZERO
                };
                at_least.max(took)
            }
            // The place is of an earlier life of the sidecar, or the request makes no sense.
            Err(refusal) if refusal.is_final() && self.cursor.take().is_none() => {
                return self.session.ended(&self.env, &self.group.wanted);
            }
            Err(refusal) => {
                let pause = PAUSE.0.saturating_mul(1 << self.failures.min(10)).min(PAUSE.1);
                self.failures += 1;
                pause.max(refusal.retry_after.unwrap_or_default())
            }
        };
        if pause.is_zero() {
            return self.listen();
        }
        let end = Time::ZERO + self.group.start + self.group.lasts;
        let pause = pause.min((end - self.env.now()).max(MILLISECOND));
        self.env.after(pause, |subscriber, _| subscriber.listen());
    }
}

impl Actor for Subscriber {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        let wait = Time::ZERO + self.group.start - self.env.now();
        self.env.after(wait, |subscriber, _| subscriber.listen());
    }
}
