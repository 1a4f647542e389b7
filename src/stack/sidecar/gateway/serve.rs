//! What each request comes to: who on the node does it, and what its answer says.

use super::{Gateway, InHand, megabytes, meter::Meter};
use crate::{
    stack::sidecar::{
        auth::Claims,
        context::{CountCached, Forget, GetContext, Key},
        events::{CountEvents, Publish, WaitFor},
        message::Reply,
        results::{Count, Counts, Delete, Find, Get, Put},
        wire::{
            CacheCleared, Call, Code, Fault, Health, HealthChecks, NewResult, ProjectId,
            ResultStatus, Status, StatusReply, StorageStatus,
        },
    },
    world::CallError,
};

/// Asks an actor on the node, and answers with what it says.
macro_rules! pass_on {
    ($gateway:ident, $to:ident, $message:expr, $code:expr, $it:ident, $said:expr) => {
        $gateway.env.call(&$gateway.$to, $message).then(move |gateway, answer, _| {
            let said = match answer {
                Ok(answer) => $said(answer),
                Err(error) => Err(internal($code, error)),
            };
            gateway.answer($it, said);
        })
    };
}

impl Gateway {
    /// Does what was asked. Only the health comes without claims.
    pub(super) fn serve(&mut self, call: Call, claims: Option<Claims>, it: InHand) {
        let Some(Claims { sub, project_id: project, .. }) = claims else {
            let health = self.health();
            return self.answer(it, Ok((Status::Ok, Reply::Health(health))));
        };
        match call {
            Call::Health => {
                let health = self.health();
                self.answer(it, Ok((Status::Ok, Reply::Health(health))));
            }
            Call::Status => self.status(project, it),
            Call::Context { issue, agent_type } => {
                let key = GetContext(Key { project, issue, agent: agent_type });
                pass_on!(self, contexts, key, Code::Context, it, |context| {
                    Ok((Status::Ok, Reply::Context(context)))
                });
            }
            Call::ClearCache { issue } => {
                let forget = Forget(project, issue);
                pass_on!(self, contexts, forget, Code::Context, it, |entries_removed| {
                    let cleared = CacheCleared { cleared: true, entries_removed };
                    Ok((Status::Ok, Reply::CacheCleared(cleared)))
                });
            }
            Call::StoreResult(result) => {
                // The name of a request is as good a key, as long as it is the caller's own.
                let key = result.key.clone().or_else(|| it.own_name());
                let put = Put(NewResult { key, ..result });
                pass_on!(self, results, put, Code::Storage, it, |stored: Result<_, Fault>| {
                    stored.map(|stored| (Status::Created, Reply::Stored(stored)))
                });
            }
            Call::QueryResults(query) => {
                let find = Find(project, query);
                pass_on!(self, results, find, Code::Storage, it, |page: Result<_, Fault>| {
                    page.map(|page| (Status::Ok, Reply::Results(page)))
                });
            }
            Call::GetResult { id } => {
                let get = Get(project, id);
                pass_on!(self, results, get, Code::Storage, it, |view: Result<_, Fault>| {
                    view.map(|view| (Status::Ok, Reply::Result(view)))
                });
            }
            Call::DeleteResult { id } => {
                let delete = Delete(project, id);
                pass_on!(self, results, delete, Code::Storage, it, |gone: Result<_, Fault>| {
                    gone.map(|gone| (Status::Ok, Reply::Deleted(gone)))
                });
            }
            Call::Publish(event) => {
                let publish = Publish { project, event, at_once: false };
                pass_on!(self, events, publish, Code::EventBus, it, |published| {
                    Ok((Status::Accepted, Reply::Published(published)))
                });
            }
            Call::Wait(wait) => {
                let wait = WaitFor { project, agent: sub, wait };
                pass_on!(self, events, wait, Code::EventBus, it, |page: Result<_, Fault>| {
                    page.map(|page| (Status::Ok, Reply::Events(page)))
                });
            }
            Call::Spawn(spawn) => self.start_agent(spawn, project, it),
            Call::AgentStatus { agent } => {
                let unknown =
                    || Fault::new(Status::NotFound, Code::Agent, "there is no such agent");
                let state = self.registry.state(&project, &agent).ok_or_else(unknown);
                self.answer(it, state.map(|state| (Status::Ok, Reply::Agent(state))));
            }
        }
    }

    /// How the sidecar is: degraded while its disk takes no writes, its event buffer is full or its
    /// memory is.
    fn health(&self) -> Health {
        let gauges = &self.gauges;
        let storage = if gauges.is_disk_full.get() { "full" } else { "healthy" };
        let most = self.settings.bus.capacity as u64;
        let event_bus = if gauges.queued.get() >= most { "full" } else { "healthy" };
        let bytes = gauges.bytes();
        let is_well = storage == "healthy"
            && event_bus == "healthy"
            && bytes <= self.pressure.memory(&self.settings);
        Health {
            status: if is_well { "healthy" } else { "degraded" }.to_owned(),
            service: "orchestration-sidecar".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: (self.env.now() - self.started).as_secs(),
            checks: HealthChecks {
                storage: storage.to_owned(),
                event_bus: event_bus.to_owned(),
                memory_usage_mb: megabytes(bytes),
                cpu_usage_percent: None,
                active_agents: self.registry.active(),
                event_queue_size: gauges.queued.get(),
                disk_space_available_mb: None,
            },
        }
    }

    /// What there is of a project, asked of each in turn.
    fn status(&mut self, project: ProjectId, it: InHand) {
        let count = Count(project.clone());
        self.env.call(&self.results, count).then(move |gateway, counts, _| {
            let count = CountEvents(project.clone());
            gateway.env.call(&gateway.events, count).then(move |gateway, events, _| {
                let count = CountCached(project.clone());
                gateway.env.call(&gateway.contexts, count).then(move |gateway, cached, _| {
                    let said = counts
                        .and_then(|counts| Ok((counts, events?, cached?)))
                        .map(|(counts, events, cached)| {
                            let status = gateway.status_of(&project, counts, cached);
                            (Status::Ok, Reply::Status(StatusReply { events, ..status }))
                        })
                        .map_err(|error| internal(Code::Http, error));
                    gateway.answer(it, said);
                });
            });
        });
    }

    fn status_of(&self, project: &ProjectId, counts: Counts, cached: u64) -> StatusReply {
        let mut agents = self.registry.status(project);
        for (status, count) in &counts.by_status {
            match status {
                ResultStatus::Success | ResultStatus::Partial => agents.completed += count,
                ResultStatus::Failed => agents.failed += count,
            }
        }
        for (agent_type, count) in &counts.by_agent_type {
            *agents.by_type.entry(agent_type.to_string()).or_default() += count;
        }
        StatusReply {
            agents,
            storage: StorageStatus {
                context_cache_entries: cached,
                results_stored: counts.total,
                total_size_mb: counts.bytes as f64 / f64::from(1 << 20),
            },
            events: Default::default(),
            performance: self
                .meters
                .get(project)
                .map_or_else(Default::default, |meter: &Meter| meter.status(self.env.now())),
        }
    }
}

/// An actor of this node did not answer.
pub(super) fn internal(code: Code, error: CallError) -> Fault {
    Fault::new(Status::Internal, code, format!("an inner call was {error}"))
}
