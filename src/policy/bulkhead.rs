//! The bulkhead: how many are inside at once, and who waits at the door for how long.
//!
//! Whoever enters leaves exactly once: each is known by its id, inside as well as waiting. A
//! bulkhead sets no timer; its owner is told of each until when it waits ([`Entry::Queued`]), and calls
//! [`Bulkhead::expire`] then.

use std::{collections::BTreeSet, time::Duration};

use crate::world::Time;

#[cfg(test)]
mod tests;

/// How a bulkhead is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many may be inside at once.
    pub max_concurrent: u32,
    /// How many may wait.
    pub max_queued: u32,
    /// How long each may wait. Nobody waits if it is zero.
    pub max_wait: Duration,
    /// Who of those that wait is next.
    pub order: Order,
}

impl Default for Settings {
    /// resilience4j's: 25 at once, and nobody waits.
    fn default() -> Self {
        let (max_concurrent, max_queued, max_wait) = (25, u32::MAX, Duration::ZERO);
        Settings { max_concurrent, max_queued, max_wait, order: Order::Fifo }
    }
}

/// Why settings make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Nobody may be inside.
    #[error("a bulkhead for 0 at once lets nobody in")]
    NobodyInside,
    /// There is time to wait, and no place.
    #[error("a wait of {0:?} with a queue for 0 lets nobody wait")]
    NobodyWaits(Duration),
}

impl Settings {
    /// Finds contradictions.
    ///
    /// # Errors
    ///
    /// The first [`Contradiction`].
    pub fn check(&self) -> Result<(), Contradiction> {
        if self.max_concurrent == 0 {
            return Err(Contradiction::NobodyInside);
        }
        if self.max_queued == 0 && !self.max_wait.is_zero() {
            return Err(Contradiction::NobodyWaits(self.max_wait));
        }
        Ok(())
    }
}

/// Who is next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Who came first.
    #[default]
    Fifo,
    /// Who has the highest priority; of those, who came first.
    Priority,
    /// Each key in turn; of one key, who came first.
    FairByKey,
}

/// Who wants to enter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// By which it is known. It must not be inside or waiting already.
    pub id: u64,
    /// On whose behalf, for [`Order::FairByKey`]: a workspace.
    pub key: u64,
    /// For [`Order::Priority`]; higher goes first.
    pub priority: u32,
}

/// What came of the wish to enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Inside.
    Admitted,
    /// Waiting, until then at most.
    Queued(
        /// When it gives up.
        Time,
    ),
    /// Neither.
    Rejected(Full),
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// All places inside are taken, and nobody may wait.
    #[error("the bulkhead is full")]
    Inside,
    /// All places inside and in the queue are taken.
    #[error("the bulkhead and its queue are full")]
    Queue,
    /// Somebody of this id is inside or waits.
    #[error("it is inside or waiting already")]
    Twice,
}

/// Somebody leaves who is not inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not inside the bulkhead")]
pub struct NotInside(
    /// Its id.
    pub u64,
);

/// How many ever came and went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Got inside, at once or after a wait.
    pub admitted: u64,
    /// Were turned away at the door.
    pub rejected: u64,
    /// Waited in vain.
    pub expired: u64,
    /// Stopped waiting by themselves.
    pub cancelled: u64,
    /// Left.
    pub left: u64,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    caller: Caller,
    until: Time,
}

/// A bulkhead.
#[derive(Clone, Debug)]
pub struct Bulkhead {
    settings: Settings,
    inside: BTreeSet<u64>,
    /// In the order they came.
    waiting: Vec<Waiting>,
    /// Whose turn it was last.
    last_key: Option<u64>,
    counts: Counts,
}

impl Bulkhead {
    /// An empty one.
    pub fn new(settings: Settings) -> Bulkhead {
        let (inside, waiting, counts) = (BTreeSet::new(), Vec::new(), Counts::default());
        Bulkhead { settings, inside, waiting, last_key: None, counts }
    }

    /// Somebody wants to enter.
    pub fn enter(&mut self, now: Time, caller: Caller) -> Entry {
        let entry = self.decide(now, caller.id);
        match entry {
            Entry::Admitted => self.let_in(caller),
            Entry::Queued(until) => self.waiting.push(Waiting { caller, until }),
            Entry::Rejected(_) => self.counts.rejected += 1,
        }
        entry
    }

    fn decide(&self, now: Time, id: u64) -> Entry {
        let queued = self.waiting.iter().any(|waiting| waiting.caller.id == id);
        if queued || self.inside.contains(&id) {
            Entry::Rejected(Full::Twice)
        } else if self.available() > 0 && !self.waiting.iter().any(|it| it.until >= now) {
            Entry::Admitted
        } else if self.settings.max_wait.is_zero() {
            Entry::Rejected(Full::Inside)
        } else if self.queued() >= self.settings.max_queued {
            Entry::Rejected(Full::Queue)
        } else {
            Entry::Queued(now + self.settings.max_wait)
        }
    }

    /// Somebody leaves, by success, failure or flight. Says who enters in its place, of those that
    /// wait; who should have given up before now is passed over.
    ///
    /// # Errors
    ///
    /// [`NotInside`], and nothing happens.
    pub fn leave(&mut self, now: Time, id: u64) -> Result<Option<u64>, NotInside> {
        if !self.inside.remove(&id) {
            return Err(NotInside(id));
        }
        self.counts.left += 1;
        Ok(self.admit(now))
    }

    /// Lets the next one in who waits, if there is a place: to be asked until nobody is left after
    /// [`resize`](Self::resize).
    pub fn admit(&mut self, now: Time) -> Option<u64> {
        if self.available() == 0 {
            return None;
        }
        let queue = self.waiting.iter().enumerate().filter(|(_, waiting)| waiting.until >= now);
        // The earliest of equals, as `min_by_key` takes the first.
        let (place, _) = match self.settings.order {
            Order::Fifo => queue.min_by_key(|(place, _)| *place),
            Order::Priority => queue.min_by_key(|(_, it)| std::cmp::Reverse(it.caller.priority)),
            Order::FairByKey => {
                queue.min_by_key(|(_, it)| (Some(it.caller.key) <= self.last_key, it.caller.key))
            }
        }?;
        let caller = self.waiting.remove(place).caller;
        self.let_in(caller);
        Some(caller.id)
    }

    fn let_in(&mut self, caller: Caller) {
        self.inside.insert(caller.id);
        self.last_key = Some(caller.key);
        self.counts.admitted += 1;
    }

    /// One who has waited as long as it may gives up: to be asked until nobody is left.
    pub fn expire(&mut self, now: Time) -> Option<u64> {
        let place = self.waiting.iter().position(|waiting| waiting.until <= now)?;
        self.counts.expired += 1;
        Some(self.waiting.remove(place).caller.id)
    }

    /// Somebody stops waiting. Says whether it did wait; who is inside has to leave.
    pub fn cancel(&mut self, id: u64) -> bool {
        let place = self.waiting.iter().position(|waiting| waiting.caller.id == id);
        if let Some(place) = place {
            self.waiting.remove(place);
            self.counts.cancelled += 1;
        }
        place.is_some()
    }

    /// Lets another number in from now on; whoever is inside stays.
    pub const fn resize(&mut self, max_concurrent: u32) {
        self.settings.max_concurrent = max_concurrent;
    }

    /// Lets newcomers wait for another time from now on; whoever waits already waits as it was told.
    pub const fn set_max_wait(&mut self, max_wait: Duration) {
        self.settings.max_wait = max_wait;
    }

    /// How it is set up now.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many are inside.
    pub fn inside(&self) -> u32 {
        u32::try_from(self.inside.len()).unwrap_or(u32::MAX)
    }

    /// How many more may be inside.
    pub fn available(&self) -> u32 {
        self.settings.max_concurrent.saturating_sub(self.inside())
    }

    /// How many wait.
    pub fn queued(&self) -> u32 {
        u32::try_from(self.waiting.len()).unwrap_or(u32::MAX)
    }

    /// How many ever came and went. At any time, those admitted are those that left and those
    /// inside.
    pub const fn counts(&self) -> Counts {
        self.counts
    }
}
