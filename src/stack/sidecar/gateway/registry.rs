//! Agents that the sidecar has started, and how they ended. Each has a file, so that a crash forgets
//! none: `agents/{project}/{agent}.json`.
//!
//! It must never tell one project of the agents of another.

use std::collections::BTreeMap;

use actix::{Actor, Context};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    stack::sidecar::wire::{
        AgentId, AgentState, AgentType, AgentsStatus, IssueId, ProjectId, ResultStatus,
    },
    world::Disk,
};

/// An agent that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Started {
    pub project_id: ProjectId,
    pub agent_id: AgentId,
    pub agent_type: AgentType,
    pub issue_id: IssueId,
    pub spawned_at: Timestamp,
}

impl Started {
    /// Where it is kept.
    pub(super) fn path(&self) -> String {
        format!("agents/{}/{}.json", self.project_id, self.agent_id)
    }
}

struct Known {
    started: Started,
    /// How its work ended, and when; its results tell that after a restart.
    ended: Option<(ResultStatus, Timestamp)>,
}

/// The agents of all projects.
#[derive(Default)]
pub(super) struct Registry {
    agents: BTreeMap<(ProjectId, AgentId), Known>,
    active: u64,
}

impl Registry {
    /// What an earlier life has left. Files that cannot be read are of no agent.
    pub(super) fn restore<A: Actor<Context = Context<A>>>(disk: &Disk<'_, A>) -> Registry {
        let mut registry = Registry::default();
        for path in disk.list("agents/") {
            let bytes = disk.read(&path).unwrap_or_default();
            if let Ok(started) = serde_json::from_slice::<Started>(&bytes)
                && started.path() == path
            {
                registry.add(started);
            }
        }
        registry
    }

    /// An agent was started.
    pub(super) fn add(&mut self, started: Started) {
        let key = (started.project_id.clone(), started.agent_id.clone());
        if self.agents.insert(key, Known { started, ended: None }).is_none() {
            self.active += 1;
        }
    }

    /// An agent has handed in a result; the last one counts. One that was not started here is not
    /// looked at.
    pub(super) fn ended(
        &mut self,
        project: &ProjectId,
        agent: &AgentId,
        status: ResultStatus,
        at: Timestamp,
    ) {
        let Some(known) = self.agents.get_mut(&(project.clone(), agent.clone())) else { return };
        match known.ended {
            None => self.active -= 1,
            Some((_, before)) if before > at => return,
            Some(_) => {}
        }
        known.ended = Some((status, at));
    }

    /// How many are at work, in all projects.
    pub(super) fn active(&self) -> u64 {
        self.active
    }

    /// How many of a project are at work, by type.
    pub(super) fn status(&self, project: &ProjectId) -> AgentsStatus {
        let mut status = AgentsStatus::default();
        for known in self.agents.values() {
            if known.started.project_id == *project && known.ended.is_none() {
                status.active += 1;
                let agent_type = known.started.agent_type.to_string();
                *status.by_type.entry(agent_type).or_default() += 1;
            }
        }
        status
    }

    /// How an agent of this project is.
    pub(super) fn state(&self, project: &ProjectId, agent: &AgentId) -> Option<AgentState> {
        let Known { started, ended } = self.agents.get(&(project.clone(), agent.clone()))?;
        let status = ended.map_or("ready", |(status, _)| status.as_str());
        Some(AgentState {
            agent_id: started.agent_id.clone(),
            agent_type: started.agent_type,
            issue_id: started.issue_id.clone(),
            status: status.to_owned(),
            spawned_at: started.spawned_at,
            context_available: true,
            result: ended.map(|(status, _)| status),
            last_activity: Some(ended.map_or(started.spawned_at, |(_, at)| at)),
        })
    }
}
