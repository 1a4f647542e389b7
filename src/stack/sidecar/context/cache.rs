//! What was made once, for a while: the least recently used goes when there is no room.

use std::{collections::BTreeMap, time::Duration};

use super::super::wire::{AgentType, IssueId, ProjectId};
use crate::world::Time;

/// Whose context it is. The project is a part of it: without, one would be told of another's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The project of the token.
    pub project: ProjectId,
    /// The issue.
    pub issue: IssueId,
    /// The type of agent.
    pub agent: AgentType,
}

/// How much is kept, and how often that helped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// How many values.
    pub entries: usize,
    /// How many bytes they count as.
    pub bytes: u64,
    /// How often a value was there.
    pub hits: u64,
    /// How often none was, or one that was too old.
    pub misses: u64,
    /// How many had to go for want of room.
    pub evicted: u64,
}

/// The cache.
#[derive(Debug)]
pub struct Cache<V> {
    ttl: Duration,
    capacity: u64,
    entries: BTreeMap<Key, Entry<V>>,
    /// By the number of their last use.
    uses: BTreeMap<u64, Key>,
    next_use: u64,
    stats: Stats,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    bytes: u64,
    since: Time,
    last_use: u64,
}

impl<V> Cache<V> {
    /// An empty cache. What has been in it for `ttl` is not in it any more; all together have at most
    /// `capacity` bytes.
    pub fn new(ttl: Duration, capacity: u64) -> Cache<V> {
        Cache {
            ttl,
            capacity,
            entries: BTreeMap::new(),
            uses: BTreeMap::new(),
            next_use: 0,
            stats: Stats::default(),
        }
    }

    /// The value of this key, if it is still good. Using it does not make it any younger.
    pub fn get(&mut self, now: Time, key: &Key) -> Option<&V> {
        if self.entries.get(key).is_some_and(|entry| now - entry.since >= self.ttl) {
            self.remove(key);
        }
        let Some(entry) = self.entries.get_mut(key) else {
            self.stats.misses += 1;
            return None;
        };
        self.stats.hits += 1;
        self.uses.remove(&entry.last_use);
        entry.last_use = self.next_use;
        self.uses.insert(self.next_use, key.clone());
        self.next_use += 1;
        Some(&entry.value)
    }

    /// Whether there is a value of this key that is still good. That is no use of it.
    pub fn has(&self, now: Time, key: &Key) -> bool {
        self.entries.get(key).is_some_and(|entry| now - entry.since < self.ttl)
    }

    /// How many values of a project there are.
    pub fn count(&self, project: &ProjectId) -> u64 {
        self.entries.keys().filter(|key| key.project == *project).count() as u64
    }

    /// Throws away what is too old.
    pub fn trim(&mut self, now: Time) {
        let is_old = |(_, entry): &(&Key, &Entry<V>)| now - entry.since >= self.ttl;
        let old: Vec<Key> =
            self.entries.iter().filter(is_old).map(|(key, _)| key.clone()).collect();
        old.iter().for_each(|key| {
            self.remove(key);
        });
    }

    /// Keeps a value that counts as so many bytes, in place of the one before. One that has more than
    /// the capacity is not kept, and makes nothing else go.
    pub fn insert(&mut self, now: Time, key: Key, value: V, bytes: u64) {
        self.remove(&key);
        if bytes > self.capacity {
            return;
        }
        while self.stats.bytes > self.capacity - bytes
            && let Some((_, oldest)) = self.uses.pop_first()
        {
            self.remove(&oldest);
            self.stats.evicted += 1;
        }
        let last_use = self.next_use;
        self.next_use += 1;
        self.stats.bytes += bytes;
        self.uses.insert(last_use, key.clone());
        self.entries.insert(key, Entry { value, bytes, since: now, last_use });
    }

    /// Forgets what is kept of an issue, for all types of agents, and says how many values it was.
    pub fn forget(&mut self, project: &ProjectId, issue: &IssueId) -> usize {
        let key = |agent| Key { project: project.clone(), issue: issue.clone(), agent };
        AgentType::ALL.iter().filter(|agent| self.remove(&key(**agent))).count()
    }

    fn remove(&mut self, key: &Key) -> bool {
        let Some(entry) = self.entries.remove(key) else {
            return false;
        };
        self.uses.remove(&entry.last_use);
        self.stats.bytes -= entry.bytes;
        true
    }

    /// What is kept, with what is too old and was not asked for since.
    pub fn stats(&self) -> Stats {
        Stats { entries: self.entries.len(), ..self.stats }
    }
}
