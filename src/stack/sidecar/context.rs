//! Contexts: what an agent of a type is told about an issue before it starts.
//!
//! [`Prepared`] puts one together from a project and what agents have found out before
//! ([`Knowledge`]), within [`Limits`]; [`Contexts`] keeps what was assembled for a while.
//! What does not fit is cut by [`Priority`], and the answer says so: nothing is kept while
//! something of a higher priority was left out for want of room.
//!
//! Nothing of one project may ever be in the context of another: every key has the project in it.
//!
//! Start at [`Contexts::answer`].

mod actor;
mod budget;
mod cache;
mod file;
mod knowledge;
mod message;
mod prepared;
#[cfg(test)]
mod tests;
mod view;

use std::time::Duration;

use jiff::Timestamp;

pub(super) use self::actor::{Assembler, Change, CountCached, Forget, GetContext, Trim};
pub use self::{
    budget::Counted,
    cache::{Cache, Key, Stats},
    file::{Body, FileInfo},
    knowledge::{Bounds, Knowledge},
    message::{
        AgentOutput, CommitInfo, Context, ContextResponse, Cut, GitContext, Priority,
        ProjectMetadata, ProjectStructure,
    },
    prepared::Prepared,
    view::View,
};
use super::wire::{IssueId, ProjectId};
use crate::world::Time;

/// How long an answer may be given again.
pub const ANSWER_TTL: Duration = Duration::from_secs(60);
/// How long what was gathered for an answer may be used again, where that is kept apart.
pub const GATHERED_TTL: Duration = Duration::from_secs(3_600);
/// How many bytes of contexts are kept: 1 GiB.
pub const CACHE_BYTES: u64 = 1 << 30;

/// How much a context may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a file. Of code that has more, the first half is kept, but not more than this; other
    /// files that have more are left out.
    pub file_bytes: u64,
    /// Files.
    pub files: usize,
    /// Bytes of the whole context as JSON.
    pub context_bytes: u64,
    /// Commits, newest first.
    pub commits: usize,
    /// Outputs of other agents.
    pub outputs: usize,
    /// How long a file counts as changed.
    pub changed_for: Duration,
}

impl Default for Limits {
    /// 1 MiB a file, 50 files, 10 MiB in all, and 24 hours, as the contract has it; 5 commits and
    /// 20 outputs, as the real sidecar asks for.
    fn default() -> Limits {
        Limits {
            file_bytes: 1 << 20,
            files: 50,
            context_bytes: 10 << 20,
            commits: 5,
            outputs: 20,
            changed_for: Duration::from_secs(24 * 3_600),
        }
    }
}

/// Answers for contexts, and keeps them.
#[derive(Debug)]
pub struct Contexts {
    cache: Cache<ContextResponse>,
}

impl Contexts {
    /// Contexts that are kept for so long and as long as they have no more than so many bytes
    /// together.
    pub fn new(ttl: Duration, capacity: u64) -> Contexts {
        Contexts { cache: Cache::new(ttl, capacity) }
    }

    /// The context of an issue for agents of a type: from the cache if it is there, and then as it
    /// was, with the time of then. `now` is what the cache's times go by, `wall` what the answer
    /// says.
    pub fn answer(
        &mut self,
        project: &mut Prepared,
        key: &Key,
        knowledge: &Knowledge,
        now: Time,
        wall: Timestamp,
    ) -> ContextResponse {
        if let Some(kept) = self.cache.get(now, key) {
            return ContextResponse { cache_hit: true, ..kept.clone() };
        }
        let earlier = knowledge.relevant(&key.project, &key.issue, project.limits().outputs);
        let fresh = project.assemble(&key.issue, key.agent, earlier, wall);
        self.cache.insert(now, key.clone(), fresh.clone(), fresh.total_size_bytes);
        fresh
    }

    /// Forgets what is kept of an issue, for all types of agents, and says how many answers it was.
    pub fn forget(&mut self, project: &ProjectId, issue: &IssueId) -> usize {
        self.cache.forget(project, issue)
    }

    /// Whether it is kept and still good.
    pub fn keeps(&self, now: Time, key: &Key) -> bool {
        self.cache.has(now, key)
    }

    /// How many are kept of a project.
    pub fn count(&self, project: &ProjectId) -> u64 {
        self.cache.count(project)
    }

    /// Throws away what is too old.
    pub fn trim(&mut self, now: Time) {
        self.cache.trim(now);
    }

    /// What is kept.
    pub fn stats(&self) -> Stats {
        self.cache.stats()
    }
}
