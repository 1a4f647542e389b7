//! Starting agents: a token, a context and a place in the registry, all of them or none.

use rand::Rng as _;

use super::{Gateway, InHand, registry::Started, unavailable};
use crate::stack::{
    SidecarEvent,
    sidecar::{
        auth::Claims,
        context::{GetContext, Key},
        message::Reply,
        wire::{AgentId, Code, Fault, Made as _, ProjectId, SpawnAgent, Spawned, Status},
    },
};

impl Gateway {
    /// Starts an agent, if there are not too many of them. It has its context before it is known.
    pub(super) fn start_agent(&mut self, spawn: SpawnAgent, project: ProjectId, it: InHand) {
        if self.is_full() {
            return self.answer(it, Err(full()));
        }
        let SpawnAgent { agent_type, issue_id, .. } = spawn;
        // No counter: it would tell one project how many agents others start.
        let agent_id = AgentId::made(&format!("{agent_type}-{:016x}", self.names.next_u64()));
        let key = Key { project: project.clone(), issue: issue_id.clone(), agent: agent_type };
        let spawned_at = self.env.utc();
        let started = Started { project_id: project, agent_id, agent_type, issue_id, spawned_at };
        self.env.call(&self.contexts, GetContext(key)).then(
            move |gateway, context, _| match context {
                Ok(_) => gateway.register(started, it),
                Err(error) => gateway.answer(it, Err(super::serve::internal(Code::Spawn, error))),
            },
        );
    }

    fn is_full(&self) -> bool {
        self.registry.active() >= u64::from(self.settings.agents_max)
    }

    fn register(&mut self, started: Started, it: InHand) {
        // Others may have been started meanwhile.
        if self.is_full() {
            return self.answer(it, Err(full()));
        }
        let disk = self.env.disk();
        let written = serde_json::to_vec(&started)
            .is_ok_and(|bytes| disk.write(&started.path(), &bytes).is_ok());
        self.gauges.is_disk_full.set(!written);
        if !written {
            let fault = Fault::new(Status::StorageFull, Code::Spawn, "no space left on the disk");
            return self.answer(it, Err(fault));
        }
        self.registry.add(started.clone());
        disk.sync(move |gateway, _| gateway.started(started, it));
    }

    fn started(&mut self, started: Started, it: InHand) {
        let Started { project_id, agent_id, agent_type, .. } = started;
        let event = SidecarEvent::AgentSpawned {
            agent: agent_id.as_str().into(),
            agent_type: agent_type.as_str(),
            project: project_id.as_str().into(),
        };
        self.env.emit(event.name(), event);
        let claims = Claims::new(agent_id.clone(), agent_type, project_id, self.env.utc());
        let body = Spawned {
            spawned: true,
            process_id: None,
            context_injected: true,
            jwt_token: Some(self.gate.keys().issue(&claims)),
            webhook_url: format!("/api/agents/{agent_id}/status"),
            agent_id,
        };
        self.answer(it, Ok((Status::Created, Reply::Spawned(body))));
    }
}

fn full() -> Fault {
    unavailable(Code::Spawn, "as many agents are at work as may be")
}
