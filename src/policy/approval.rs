//! A queue of what has to be approved: each entry is decided once, or expires.
//!
//! Whoever holds the queue asks it what would become of an entry, and puts it in when it is sure that
//! it will last. Nothing here waits, writes or sends.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::world::Time;

/// How an approval stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody has decided yet.
    Pending,
    /// Yes.
    Approved,
    /// No.
    Rejected,
    /// Nobody decided in time.
    Expired,
}

impl Standing {
    /// The name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Standing::Pending => "pending",
            Standing::Approved => "approved",
            Standing::Rejected => "rejected",
            Standing::Expired => "expired",
        }
    }
}

/// One approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Until when it may be decided, in nanoseconds of the queue's clock.
    pub until_ns: u64,
    /// How it stands.
    pub standing: Standing,
    /// Who decided it; empty as long as nobody did.
    pub by: Rc<str>,
}

/// Why a decision is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such approval.
    Unknown,
    /// Somebody has decided it.
    AlreadyDecided,
    /// It is too late.
    Expired,
}

impl Refusal {
    /// The name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Refusal::Unknown => "unknown",
            Refusal::AlreadyDecided => "already_decided",
            Refusal::Expired => "expired",
        }
    }
}

/// The queue.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    entries: BTreeMap<Rc<str>, Entry>,
}

impl Queue {
    /// How an approval stands; `None` if there is none.
    #[must_use]
    pub fn standing(&self, id: &str) -> Option<Standing> {
        self.entries.get(id).map(|entry| entry.standing)
    }

    /// All of them, in the order of their ids.
    pub fn all(&self) -> impl Iterator<Item = (&Rc<str>, Standing)> {
        self.entries.iter().map(|(id, entry)| (id, entry.standing))
    }

    /// The entry of something new; `None` if it is there already.
    #[must_use]
    pub fn submit(&self, now: Time, expires_after: Duration, id: &str) -> Option<Entry> {
        let until_ns = (now + expires_after).as_nanos();
        let new = || Entry { until_ns, standing: Standing::Pending, by: "".into() };
        (!self.entries.contains_key(id)).then(new)
    }

    /// The entry once it is decided; `None` if this very decision was made before, and is only
    /// repeated.
    ///
    /// # Errors
    ///
    /// A [`Refusal`]: nothing changes.
    pub fn decide(
        &self,
        now: Time,
        id: &str,
        approve: bool,
        by: &str,
    ) -> Result<Option<Entry>, Refusal> {
        let entry = self.entries.get(id).ok_or(Refusal::Unknown)?;
        let standing = if approve { Standing::Approved } else { Standing::Rejected };
        match entry.standing {
            Standing::Pending if now.as_nanos() >= entry.until_ns => Err(Refusal::Expired),
            Standing::Pending => {
                Ok(Some(Entry { standing, by: by.into(), until_ns: entry.until_ns }))
            }
            Standing::Expired => Err(Refusal::Expired),
            same if same == standing && *entry.by == *by => Ok(None),
            Standing::Approved | Standing::Rejected => Err(Refusal::AlreadyDecided),
        }
    }

    /// What has expired by now, with what its entries become.
    #[must_use]
    pub fn expired(&self, now: Time) -> Vec<(Rc<str>, Entry)> {
        let is_due =
            |entry: &Entry| entry.standing == Standing::Pending && entry.until_ns <= now.as_nanos();
        let due = self.entries.iter().filter(|(_, entry)| is_due(entry));
        due.map(|(id, entry)| {
            (Rc::clone(id), Entry { standing: Standing::Expired, ..entry.clone() })
        })
        .collect()
    }

    /// When the next one expires.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Time> {
        let pending = self.entries.values().filter(|entry| entry.standing == Standing::Pending);
        pending.map(|entry| Time::from_nanos(entry.until_ns)).min()
    }

    /// Puts an entry in, in place of the one before.
    pub fn put(&mut self, id: Rc<str>, entry: Entry) {
        self.entries.insert(id, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(secs: u64) -> Time {
        Time::ZERO + Duration::from_secs(secs)
    }

    fn queue() -> Queue {
        let mut queue = Queue::default();
        let entry = queue.submit(at(0), HOUR, "a").expect("it is new");
        queue.put("a".into(), entry);
        queue
    }

    #[test]
    fn one_decides_and_the_second_is_refused() {
        let mut queue = queue();
        assert_eq!(queue.submit(at(1), HOUR, "a"), None, "it is there already");
        let entry = queue.decide(at(1), "a", false, "eve").expect("allowed").expect("new");
        queue.put("a".into(), entry);
        assert_eq!(queue.standing("a"), Some(Standing::Rejected));
        assert_eq!(queue.decide(at(2), "a", true, "bob"), Err(Refusal::AlreadyDecided));
        assert_eq!(queue.decide(at(2), "a", true, "eve"), Err(Refusal::AlreadyDecided));
        assert_eq!(queue.decide(at(2), "a", false, "bob"), Err(Refusal::AlreadyDecided));
        assert_eq!(queue.decide(at(2), "a", false, "eve"), Ok(None), "repeated, not changed");
        assert_eq!(queue.decide(at(2), "b", true, "eve"), Err(Refusal::Unknown));
        assert_eq!(queue.next_expiry(), None, "what is decided does not expire");
    }

    #[test]
    fn what_nobody_decides_expires_to_the_nanosecond() {
        let mut queue = queue();
        let end = Time::ZERO + HOUR;
        assert_eq!(queue.next_expiry(), Some(end));
        let before = Time::from_nanos(end.as_nanos() - 1);
        assert!(queue.expired(before).is_empty());
        assert!(queue.decide(before, "a", true, "eve").is_ok());
        assert_eq!(queue.decide(end, "a", true, "eve"), Err(Refusal::Expired));
        for (id, entry) in queue.expired(end) {
            queue.put(id, entry);
        }
        assert_eq!(queue.standing("a"), Some(Standing::Expired));
        assert_eq!(queue.decide(end, "a", true, "eve"), Err(Refusal::Expired));
        assert!(queue.expired(end).is_empty() && queue.next_expiry().is_none());
    }
}
