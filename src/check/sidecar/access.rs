//! Who may see what, and whose ids are whose.
//!
//! Judged by what users were answered, never by what the sidecar thinks of a token.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::at;
use crate::{check::watch::Built, stack::SidecarEvent};

/// What anyone may ask.
const OPEN: &str = "health";

pub(super) struct Access {
    clocks_are_right: bool,
    /// Of each result its project and what is in it.
    results: BTreeMap<Rc<str>, (Rc<str>, u64)>,
    agents: BTreeSet<Rc<str>>,
    scope: Built,
    tokens: Built,
    ids: Built,
}

impl Access {
    pub(super) fn new(clocks_are_right: bool) -> Access {
        Access {
            clocks_are_right,
            results: BTreeMap::new(),
            agents: BTreeSet::new(),
            scope: Built::default(),
            tokens: Built::default(),
            ids: Built::default(),
        }
    }

    pub(super) fn see(&mut self, now: u64, event: &SidecarEvent) {
        match event {
            SidecarEvent::Answered { who, project, token, route, status, shows, .. } => {
                if !shows.is_empty() {
                    let other = shows.split(',').find(|shown| **shown != **project);
                    self.scope.evaluate(other.map(|other| {
                        format!("{who} of {project} was shown data of {other} at {}", at(now))
                    }));
                }
                // Whether a token is over is a matter of clocks.
                let timed = matches!(*token, "expired" | "not_yet_valid");
                let judged = *token != "valid" && *status != 0 && *route != OPEN;
                if judged && (self.clocks_are_right || !timed) {
                    let served = (200..400).contains(status) || !shows.is_empty();
                    self.tokens.evaluate(served.then(|| {
                        let at = at(now);
                        format!("{who} was answered {status} to {route} at {at}, token {token}")
                    }));
                }
            }
            SidecarEvent::EventReceived { who, project, of, event, .. } => {
                self.scope.evaluate((of != project).then(|| {
                    format!("{who} of {project} received event {event} of {of} at {}", at(now))
                }));
            }
            SidecarEvent::ResultAcknowledged { who, project, result, digest, .. } => {
                let (of, first) = self
                    .results
                    .entry(Rc::clone(result))
                    .or_insert_with(|| (Rc::clone(project), *digest));
                let other = of != project || first != digest;
                self.ids.evaluate(other.then(|| {
                    format!(
                        "result {result} of {who} in {project} at {} is also another, in {of}",
                        at(now)
                    )
                }));
            }
            SidecarEvent::AgentSpawned { agent, project, .. } => {
                let again = !self.agents.insert(Rc::clone(agent));
                self.ids.evaluate(again.then(|| {
                    format!("agent {agent} was started twice, again in {project} at {}", at(now))
                }));
            }
            _ => {}
        }
    }

    /// The checks on projects, on tokens and on ids, as they stand.
    pub(super) fn built(&self) -> [&Built; 3] {
        [&self.scope, &self.tokens, &self.ids]
    }

    /// The checks on projects, on tokens and on ids.
    pub(super) fn finish(self) -> [Built; 3] {
        [self.scope, self.tokens, self.ids]
    }
}
