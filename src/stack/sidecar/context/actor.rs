//! The assembler: answers for contexts, from projects and from what agents have found out.
//!
//! A project must never change between two lives: what it follows from is on the disk.

use std::{collections::BTreeMap, rc::Rc};

use actix::{Actor, Context as ActorContext, Handler, Message};
use jiff::Timestamp;
use rand::Rng as _;
use serde::{Deserialize, Serialize};

use super::{AgentOutput, Bounds, ContextResponse, Contexts, Key, Knowledge, Prepared};
use crate::{
    stack::{
        settings,
        sidecar::{
            gauges::Gauges,
            project::{Project, Size},
            results::Stored,
            wire::{IssueId, ProjectId, ResultId},
        },
    },
    world::{Env, Later, Seed, Stream},
};

/// What must agents of this type know?
#[derive(Message)]
#[rtype(result = "Rc<ContextResponse>")]
pub(in crate::stack::sidecar) struct GetContext(pub Key);

/// Forget what is kept of this issue; answered with how many contexts it was.
#[derive(Message)]
#[rtype(result = "u64")]
pub(in crate::stack::sidecar) struct Forget(pub ProjectId, pub IssueId);

/// How many contexts of this project are kept?
#[derive(Message)]
#[rtype(result = "u64")]
pub(in crate::stack::sidecar) struct CountCached(pub ProjectId);

/// What is too old is not to take up memory any more.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::stack::sidecar) struct Trim;

/// What agents have found out has changed.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::stack::sidecar) enum Change {
    /// By this result.
    Stored(Rc<Stored>),
    /// This result is no more.
    Gone(Rc<Stored>),
}

/// What a project follows from.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Origin {
    seed: u64,
    at: Timestamp,
}

/// The actor.
pub(in crate::stack::sidecar) struct Assembler {
    env: Env<Assembler>,
    settings: Rc<settings::Sidecar>,
    gauges: Rc<Gauges>,
    sizes: BTreeMap<ProjectId, Size>,
    projects: BTreeMap<ProjectId, Prepared>,
    contexts: Contexts,
    knowledge: Knowledge,
    delays: Stream,
}

impl Assembler {
    /// An assembler that knows these projects. Others are tiny.
    pub(in crate::stack::sidecar) fn new(
        env: Env<Assembler>,
        settings: Rc<settings::Sidecar>,
        gauges: Rc<Gauges>,
        projects: &[settings::Project],
    ) -> Assembler {
        let sizes = projects.iter().map(|project| (project.id.clone(), project.size)).collect();
        let contexts = Contexts::new(settings.cache_ttl, settings.cache_bytes);
        let assembler = Assembler {
            delays: env.stream("context"),
            env,
            settings,
            gauges,
            sizes,
            projects: BTreeMap::new(),
            contexts,
            knowledge: Knowledge::new(Bounds::default()),
        };
        // On the disk before anybody can ask.
        for project in assembler.sizes.keys() {
            assembler.origin(project);
        }
        assembler
    }

    /// What a project follows from: what the disk says, or a draw from the stream of its name, so
    /// that no other project changes it.
    fn origin(&self, project: &ProjectId) -> Origin {
        let (disk, path) = (self.env.disk(), format!("projects/{project}.json"));
        let known = disk.read(&path).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if let Some(known) = known {
            return known;
        }
        let seed = self.env.stream(&format!("project/{project}")).next_u64();
        let origin = Origin { seed, at: self.env.utc() };
        // On a full disk it is another project after a crash.
        let written = serde_json::to_vec(&origin).is_ok_and(|it| disk.write(&path, &it).is_ok());
        if written {
            disk.sync(|_, _| {});
        }
        origin
    }

    fn answer(&mut self, key: &Key) -> Option<Rc<ContextResponse>> {
        let origin = (!self.projects.contains_key(&key.project)).then(|| self.origin(&key.project));
        if let Some(Origin { seed, at }) = origin {
            let size = self.sizes.get(&key.project).copied().unwrap_or(Size::Tiny);
            let mut stream = Seed(seed).stream("project");
            let made = Project::generate(&mut stream, key.project.as_str(), size, at);
            let prepared = Prepared::new(made, self.settings.context_limits);
            self.projects.insert(key.project.clone(), prepared);
        }
        let project = self.projects.get_mut(&key.project)?;
        let (now, wall) = (self.env.now(), self.env.utc());
        let answer = self.contexts.answer(project, key, &self.knowledge, now, wall);
        self.measure();
        Some(Rc::new(answer))
    }

    fn measure(&self) {
        self.gauges.contexts.set(self.contexts.stats().bytes);
    }
}

/// What a result tells other agents. Without a decision its status has to do.
fn output_of(Stored { result, .. }: &Stored) -> AgentOutput {
    let text = |name: &str| result.result.get(name).and_then(|value| value.as_str());
    let files = result.result.get("files_affected").and_then(|value| value.as_array());
    let files = files.into_iter().flatten().filter_map(|file| file.as_str());
    AgentOutput {
        agent: result.agent_id.to_string(),
        agent_type: result.agent_type.to_string(),
        timestamp: result.timestamp,
        decision: text("decision").unwrap_or(result.status.as_str()).to_owned(),
        rationale: text("rationale").unwrap_or_default().to_owned(),
        files_affected: files.map(str::to_owned).collect(),
    }
}

impl Actor for Assembler {
    type Context = ActorContext<Self>;
}

impl Handler<GetContext> for Assembler {
    type Result = Later<Rc<ContextResponse>>;

    fn handle(&mut self, GetContext(key): GetContext, _: &mut Self::Context) -> Self::Result {
        let (promise, later) = Later::promise();
        let is_kept = self.contexts.keeps(self.env.now(), &key);
        let delay = if is_kept { &self.settings.cached } else { &self.settings.context };
        let delay = self.delays.delay(delay);
        self.env.after(delay, move |assembler, _| {
            // Dropped, the promise is a reset; but there is a project for every key.
            if let Some(answer) = assembler.answer(&key) {
                promise.keep(answer);
            }
        });
        later
    }
}

impl Handler<Forget> for Assembler {
    type Result = u64;

    fn handle(&mut self, Forget(project, issue): Forget, _: &mut Self::Context) -> u64 {
        let count = self.contexts.forget(&project, &issue);
        self.measure();
        count as u64
    }
}

impl Handler<CountCached> for Assembler {
    type Result = u64;

    fn handle(&mut self, CountCached(project): CountCached, _: &mut Self::Context) -> u64 {
        self.contexts.count(&project)
    }
}

impl Handler<Trim> for Assembler {
    type Result = ();

    fn handle(&mut self, _: Trim, _: &mut Self::Context) {
        self.contexts.trim(self.env.now());
        self.measure();
    }
}

/// What is kept of the issue is forgotten, so that the next agent is told of it.
impl Handler<Change> for Assembler {
    type Result = ();

    fn handle(&mut self, change: Change, _: &mut Self::Context) {
        let (Change::Stored(stored) | Change::Gone(stored)) = &change;
        let (project, issue) = (&stored.result.project_id, &stored.result.issue_id);
        let id = ResultId::from(stored.id);
        match change {
            Change::Stored(_) => {
                self.knowledge.record(project, issue, &id, output_of(stored));
            }
            Change::Gone(_) => {
                self.knowledge.forget(project, &id);
            }
        }
        self.contexts.forget(project, issue);
        self.measure();
    }
}
