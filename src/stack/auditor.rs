//! Reads everything back when all is over: what was acknowledged, the lists of all projects, and
//! their counts. It judges nothing; its events are for the checks.
//!
//! It is a driver, not part of what is simulated, but asks as everybody does. It must never keep a
//! world alive in which nobody is at work.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use actix::{Actor, Context};

use super::{
    SidecarEvent,
    session::{Refusal, Session, SidecarParts},
    settings::{Badge, TokenKind},
    sidecar::wire::{AgentType, Cursor, ProjectId, ResultsPage},
};
use crate::world::{Env, Time};

/// How often it looks whether all is over, and the pause before it asks again.
const PAUSE: Duration = Duration::from_secs(1);
/// So many results are read at once.
const AT_ONCE: u32 = 64;
/// When the sidecar is away for so long, it stops.
const PATIENCE: Duration = Duration::from_secs(60);
/// When those who are at work did nothing for so long, they never will: somebody paused them.
const STUCK: Duration = Duration::from_secs(3_600);

/// The actor, alone on the node `auditor`.
pub struct Auditor {
    env: Env<Auditor>,
    parts: SidecarParts,
    settle_at: Time,
    sessions: BTreeMap<ProjectId, Rc<Session>>,
    /// How often it has seen in a row that nobody is at work.
    seen_idle: u32,
    /// What those at work had done when it looked, and since when it is no more.
    progress: (u64, Time),
    to_read: Vec<(ProjectId, Rc<str>)>,
    reading: u32,
    to_list: Vec<ProjectId>,
    listed: Vec<Rc<str>>,
    /// Since when the sidecar does not do its work.
    away: Option<Time>,
    is_over: bool,
}

impl Auditor {
    /// An auditor that begins when nobody is at work, and not before `settle_at`, when every fault
    /// that ends is over.
    pub fn new(env: Env<Auditor>, parts: SidecarParts, settle_at: Duration) -> Auditor {
        Auditor {
            env,
            parts,
            settle_at: Time::ZERO + settle_at,
            sessions: BTreeMap::new(),
            seen_idle: 0,
            progress: (0, Time::ZERO),
            to_read: Vec::new(),
            reading: 0,
            to_list: Vec::new(),
            listed: Vec::new(),
            away: None,
            is_over: false,
        }
    }

    fn wait(&self) {
        self.env.after(PAUSE, |auditor, _| auditor.look());
    }

    /// Is all over? It looks twice, as something may be on its way between two who work.
    fn look(&mut self) {
        let (now, done) = (self.env.now(), self.parts.ledger.progress());
        if done != self.progress.0 {
            self.progress = (done, now);
        }
        let is_stuck = now - self.progress.1 >= STUCK;
        self.seen_idle = if self.parts.ledger.is_idle() { self.seen_idle + 1 } else { 0 };
        if now < self.settle_at || (self.seen_idle < 2 && !is_stuck) {
            return self.wait();
        }
        self.to_read = self.parts.ledger.results();
        self.to_read.reverse();
        self.to_list = self.parts.ledger.projects();
        self.to_list.reverse();
        for _ in 0..AT_ONCE {
            self.reading += 1;
            self.read();
        }
    }

    /// A token of a project's architect has no rate limit.
    fn session(&mut self, project: &ProjectId) -> Rc<Session> {
        let (env, parts) = (&self.env, &self.parts);
        let of_project = || {
            let badge = Badge {
                agent_type: AgentType::ChiefArchitect,
                project: project.clone(),
                ..Badge::default()
            };
            Rc::new(Session::new(env, parts.clone(), badge))
        };
        Rc::clone(self.sessions.entry(project.clone()).or_insert_with(of_project))
    }

    /// One of the readers takes the next result.
    fn read(&mut self) {
        if self.is_over {
            return;
        }
        let Some((project, result)) = self.to_read.pop() else {
            self.reading -= 1;
            if self.reading == 0 {
                self.list(None);
            }
            return;
        };
        let session = self.session(&project);
        let again = (project, Rc::clone(&result));
        session.read(&self.env, result, TokenKind::Valid, |auditor, read, _| match read {
            Err(refusal) if !refusal.is_final() => {
                auditor.to_read.push(again);
                auditor.later(refusal, |auditor| auditor.read());
            }
            _ => {
                auditor.away = None;
                auditor.read();
            }
        });
    }

    /// Does something again after a pause, unless the sidecar was away for too long.
    fn later(&mut self, refusal: Refusal, act: impl FnOnce(&mut Auditor) + 'static) {
        let now = self.env.now();
        if refusal.is_answer() {
            self.away = None;
        } else {
            let since = *self.away.get_or_insert(now);
            self.is_over |= now - since >= PATIENCE;
        }
        if !self.is_over {
            let pause = PAUSE.max(refusal.retry_after.unwrap_or_default());
            self.env.after(pause, |auditor, _| act(auditor));
        }
    }

    /// Lists the results of the next project, from this place on.
    fn list(&mut self, after: Option<Cursor>) {
        let Some(project) = self.to_list.last().cloned() else { return };
        let session = self.session(&project);
        let again = after.clone();
        session.page(&self.env, after.as_ref(), |auditor, page| match page {
            Ok(ResultsPage { results, more_available, next_cursor }) => {
                auditor.away = None;
                auditor.listed.extend(results.iter().map(|result| result.id.as_str().into()));
                match next_cursor {
                    // A page without results has no end.
                    Some(next) if more_available && !results.is_empty() => auditor.list(Some(next)),
                    _ => auditor.count(),
                }
            }
            Err(refusal) if refusal.is_final() => auditor.next_project(),
            Err(refusal) => auditor.later(refusal, |auditor| auditor.list(again)),
        });
    }

    fn count(&mut self) {
        let Some(project) = self.to_list.last().cloned() else { return };
        let session = self.session(&project);
        session.counted(&self.env, move |auditor, counted| match counted {
            Ok(counted) => {
                auditor.away = None;
                let results = std::mem::take(&mut auditor.listed);
                let listed = SidecarEvent::ResultsListed {
                    who: auditor.env.node_name(),
                    project: project.as_str().into(),
                    results: results.into(),
                    counted,
                };
                Session::emit(&auditor.env, listed);
                auditor.next_project();
            }
            Err(refusal) if refusal.is_final() => auditor.next_project(),
            Err(refusal) => auditor.later(refusal, |auditor| auditor.count()),
        });
    }

    fn next_project(&mut self) {
        self.to_list.pop();
        self.listed.clear();
        self.list(None);
    }
}

impl Actor for Auditor {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.wait();
    }
}
