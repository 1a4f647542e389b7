//! Contexts: what an agent of a type is told about an issue before it starts.
//!
//! [`assemble`] puts one together from a [`Project`] and what agents have found out before
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
mod knowledge;
mod message;
#[cfg(test)]
mod tests;
mod view;

use std::{cmp::Reverse, collections::BTreeMap, rc::Rc, time::Duration};

use jiff::{SignedDuration, Timestamp};

pub(super) use self::actor::{Assembler, Change, CountCached, Forget, GetContext, Trim};
use self::budget::Basket;
pub use self::{
    cache::{Cache, Key, Stats},
    knowledge::{Bounds, Knowledge},
    message::{
        AgentOutput, CommitInfo, Context, ContextResponse, Cut, FileInfo, GitContext, Priority,
        ProjectMetadata, ProjectStructure,
    },
    view::View,
};
use super::{
    project::{File, FileId, Kind, Project},
    wire::{AgentType, IssueId, ProjectId},
};
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

/// Puts together what an agent of this type is told about an issue. `earlier` is what agents of the
/// project have found out, in the order in which it matters.
pub fn assemble<'a>(
    project: &Project,
    issue: &IssueId,
    agent: AgentType,
    earlier: impl IntoIterator<Item = &'a AgentOutput>,
    limits: &Limits,
    now: Timestamp,
) -> ContextResponse {
    let mut basket = Basket::new(skeleton(project), limits.context_bytes);
    let (files, too_many) = choose(project, View::of(agent), limits, now);
    too_many.iter().for_each(|(what, count)| basket.left_out(*what, *count));

    for requirement in project.requirements(issue.as_str()) {
        basket.put(Priority::Requirements, requirement, |c| &mut c.metadata.task_requirements);
    }
    for output in earlier.into_iter().take(limits.outputs) {
        basket.put(Priority::Decisions, output.clone(), |c| &mut c.previous_agent_outputs);
    }
    for change in project.uncommitted() {
        basket
            .put(Priority::Changed, change.to_string(), |c| &mut c.git_context.uncommitted_changes);
    }
    let (named, rest): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|(order, _)| order.0 < Priority::History);
    for (order, file) in named {
        put_file(&mut basket, order.0, project, &file, limits);
    }
    for commit in project.commits().iter().take(limits.commits) {
        let path = |id: &FileId| project.file(*id).map(|file| project.path(&file));
        let commit = CommitInfo {
            hash: commit.hash.to_string(),
            message: commit.message.to_string(),
            author: commit.author.to_owned(),
            timestamp: commit.time,
            files: commit.files.iter().filter_map(path).collect(),
        };
        basket.put(Priority::History, commit, |c| &mut c.git_context.recent_commits);
    }
    for (order, file) in rest {
        put_file(&mut basket, order.0, project, &file, limits);
    }
    list(&mut basket, project);

    let (context, total_size_bytes, cut) = basket.take();
    ContextResponse {
        issue_id: issue.clone(),
        agent_type: agent,
        truncated: !cut.is_empty(),
        truncation_strategy: if cut.is_empty() { "none" } else { "priority" }.into(),
        cut,
        total_size_bytes,
        file_count: context.relevant_files.len() as u64,
        context: Rc::new(context),
        timestamp: now,
        cache_hit: false,
    }
}

/// What every context has, however little room there is.
fn skeleton(project: &Project) -> Context {
    Context {
        project_structure: ProjectStructure {
            root: format!("/projects/{}", project.id()),
            total_files: project.size().files(),
            total_size_bytes: project.total_size(),
            ..ProjectStructure::default()
        },
        git_context: GitContext {
            branch: project.branch().to_owned(),
            remote: Some("origin".to_owned()),
            remote_url: Some(format!("https://git.example/{}.git", project.id())),
            ..GitContext::default()
        },
        metadata: ProjectMetadata {
            project_type: project.language().to_string(),
            dependencies: project.dependencies().iter().map(|&name| name.to_owned()).collect(),
            test_coverage: project.coverage().map(|tenths| f64::from(tenths) / 10.0),
            last_build_status: project.build().as_str().map(str::to_owned),
            task_requirements: Vec::new(),
        },
        ..Context::default()
    }
}

/// By priority, then the newest first, then by place.
type Order = (Priority, Reverse<Timestamp>, FileId);

/// The files that the agent is to read, and how many it is not to for there are too many.
fn choose(
    project: &Project,
    view: View,
    limits: &Limits,
    now: Timestamp,
) -> (BTreeMap<Order, File>, BTreeMap<Priority, u64>) {
    let (mut chosen, mut too_many) = (BTreeMap::new(), BTreeMap::new());
    for file in project.files().filter(|file| view.sees(file)) {
        let what = priority(&file, limits, now);
        if file.size > limits.file_bytes && !file.kind.is_code() {
            *too_many.entry(what).or_default() += 1;
            continue;
        }
        chosen.insert((what, Reverse(file.last_modified), file.id), file);
        if chosen.len() > limits.files
            && let Some((order, _)) = chosen.pop_last()
        {
            *too_many.entry(order.0).or_default() += 1;
        }
    }
    (chosen, too_many)
}

/// What a file is kept as. One from the future has just been changed.
fn priority(file: &File, limits: &Limits, now: Timestamp) -> Priority {
    let recent = SignedDuration::try_from(limits.changed_for).unwrap_or(SignedDuration::MAX);
    if now.duration_since(file.last_modified) <= recent {
        return Priority::Changed;
    }
    match file.kind {
        Kind::Test => Priority::Tests,
        Kind::Config => Priority::Config,
        Kind::Docs => Priority::Docs,
        Kind::Source => Priority::Source,
    }
}

fn put_file(basket: &mut Basket, what: Priority, project: &Project, file: &File, limits: &Limits) {
    if basket.is_closed_to(what) {
        return basket.left_out(what, 1);
    }
    let is_short = file.size > limits.file_bytes;
    let most = if is_short { (file.size / 2).min(limits.file_bytes) } else { file.size };
    let contents = project.read(file, most);
    let info = FileInfo {
        path: project.path(file),
        content: contents.text,
        last_modified: file.last_modified,
        size: file.size,
        language: file.language.to_string(),
        checksum: contents.checksum,
    };
    if basket.put(what, info, |c| &mut c.relevant_files) && is_short {
        basket.shortened(what);
    }
}

/// Lists the tree, as far as there is room.
fn list(basket: &mut Basket, project: &Project) {
    let what = Priority::Listing;
    let mut left = project.size().files();
    for directory in project.directories() {
        basket.put(what, directory, |c| &mut c.project_structure.directories);
    }
    for file in project.files() {
        if basket.is_closed_to(what) {
            break;
        }
        left -= 1;
        basket.put(what, project.path(&file), |c| &mut c.project_structure.files);
    }
    basket.left_out(what, left);
}

/// Answers for contexts, and keeps them.
#[derive(Debug)]
pub struct Contexts {
    limits: Limits,
    cache: Cache<ContextResponse>,
}

impl Contexts {
    /// Contexts within these limits, kept for so long and as long as they have no more than so many
    /// bytes together.
    pub fn new(limits: Limits, ttl: Duration, capacity: u64) -> Contexts {
        Contexts { limits, cache: Cache::new(ttl, capacity) }
    }

    /// The context of an issue for agents of a type: from the cache if it is there, and then as it
    /// was, with the time of then. `now` is what the cache's times go by, `wall` what the answer
    /// says.
    pub fn answer(
        &mut self,
        project: &Project,
        key: &Key,
        knowledge: &Knowledge,
        now: Time,
        wall: Timestamp,
    ) -> ContextResponse {
        if let Some(kept) = self.cache.get(now, key) {
            return ContextResponse { cache_hit: true, ..kept.clone() };
        }
        let earlier = knowledge.relevant(&key.project, &key.issue, self.limits.outputs);
        let fresh = assemble(project, &key.issue, key.agent, earlier, &self.limits, wall);
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
