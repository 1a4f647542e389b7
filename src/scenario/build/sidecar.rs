//! The sidecar, its projects, who agents are at it, and its faults.

use std::collections::BTreeMap;
use std::time::Duration;

use miette::SourceSpan;

use super::Builder;
use super::stack::AGENTS_MAX;
use crate::scenario::field::{At, Field, Read, ScalarOr};
use crate::scenario::model::{Badge, FaultKind, Project, Sidecar, Sim, Told, Wanted};
use crate::scenario::raw::{
    RawAllowance, RawDelivery, RawNaming, RawProject, RawRates, RawSidecar, RawSidecarFault,
    RawSize, RawTold, RawWanted,
};
use crate::scenario::units::quoted;
use crate::scenario::values::{ByteSize, Switch, Whole};
use crate::stack::sidecar::{
    auth::Allowance,
    context, events,
    project::Size,
    results::Naming,
    wire::{AgentId, AgentType, IssueId, Limits, ProjectId, Role, Topic},
};

/// The most events that are kept, and requests in hand at once.
const MANY: u32 = 10_000_000;

/// The largest body of a request, in bytes. Bodies are held in memory by whoever runs the sim.
pub(super) const BODY_MAX: u64 = 1 << 30;

/// The project of whoever names none.
const PROJECT: &str = "default";

/// The issue of whoever names none.
const ISSUE: &str = "issue-1";

/// Who somebody is at the sidecar, as written.
#[derive(Default)]
pub(super) struct RawBadge {
    pub(super) agent_type: Option<Field<AgentType>>,
    pub(super) project: Option<Field<ProjectId>>,
    pub(super) issue: Option<Field<IssueId>>,
}

impl Builder {
    pub(super) fn sidecar(&mut self, raw: RawSidecar) -> Option<Sidecar> {
        let unset = Sidecar::default();
        let (limits, bus) = (unset.context_limits, unset.bus);
        let sidecar = Sidecar {
            context: self.delay(raw.context, unset.context.clone()),
            tracing: unset.tracing,
            cached: self.delay(raw.cached, unset.cached.clone()),
            store: self.delay(raw.store, unset.store.clone()),
            publish: self.delay(raw.publish, unset.publish.clone()),
            timeout: self.positive(raw.timeout, unset.timeout),
            required: raw.required.unwrap_or(unset.required),
            naming: raw.naming.map_or(unset.naming, |naming| match naming {
                RawNaming::ById => Naming::ById,
                RawNaming::PerAgentType => Naming::PerAgentType,
            }),
            cache_ttl: self.read(raw.cache_ttl, unset.cache_ttl),
            cache_bytes: self.bytes(raw.cache_bytes, unset.cache_bytes),
            context_limits: context::Limits {
                context_bytes: self.bytes(raw.context_bytes, limits.context_bytes),
                files: self.amount(raw.files, limits.files, "files"),
                ..limits
            },
            bus: events::Settings {
                capacity: self.amount(raw.buffer, bus.capacity, "a buffer"),
                retention: self.positive(raw.retention, bus.retention),
                redeliver_after: self.positive(raw.redeliver_after, bus.redeliver_after),
                batch: self.amount(raw.batch, bus.batch, "a batch"),
            },
            delivery: raw.delivery.map_or(unset.delivery, |delivery| match delivery {
                RawDelivery::AtLeastOnce => events::Delivery::AtLeastOnce,
                RawDelivery::AtMostOnce => events::Delivery::AtMostOnce,
            }),
            rates: self.rates(raw.rate_limits, &unset.rates),
            leeway: self.read(raw.leeway, unset.leeway),
            limits: Limits { body: self.body(raw.body, unset.limits.body), ..unset.limits },
            connections: self.whole_up_to(raw.connections, unset.connections, MANY, "connections"),
            memory: self.bytes(raw.memory, unset.memory),
            agents_max: self.whole_up_to(
                raw.agents_max,
                unset.agents_max,
                AGENTS_MAX as u32,
                "agents_max",
            ),
        };
        raw.enabled.unwrap_or(true).then_some(sidecar)
    }

    fn bytes(&mut self, raw: Option<Field<ByteSize>>, default: u64) -> u64 {
        self.read(raw, ByteSize(default)).0
    }

    /// The length of something that is held in memory.
    pub(super) fn body(&mut self, raw: Option<Field<ByteSize>>, default: usize) -> usize {
        let span = raw.as_ref().map(|raw| raw.span);
        let bytes = self.optional(raw).map(|ByteSize(bytes)| bytes);
        if let Some(span) = span.filter(|_| bytes.is_some_and(|bytes| bytes > BODY_MAX)) {
            let message = "the body of a request has at most 1 GiB";
            self.error(span, "too large", message, "write a smaller size");
        }
        bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(default)
    }

    fn amount(&mut self, raw: Option<Field<Whole>>, default: usize, what: &str) -> usize {
        let default = u32::try_from(default).unwrap_or(MANY);
        usize::try_from(self.whole_up_to(raw, default, MANY, what)).unwrap_or(usize::MAX)
    }

    fn rates(
        &mut self,
        raw: Option<At<ScalarOr<Switch, RawRates>>>,
        contract: &BTreeMap<Role, Allowance>,
    ) -> BTreeMap<Role, Allowance> {
        let mut rates = contract.clone();
        let Some(At { value: raw, span }) = raw else { return rates };
        match raw {
            ScalarOr::Scalar(value) => match self.value(At { value, span }) {
                Some(Switch(false)) => BTreeMap::new(),
                _ => rates,
            },
            ScalarOr::Table(raw) => {
                let own = [
                    (Role::Architect, raw.architect),
                    (Role::Coding, raw.coding),
                    (Role::Quality, raw.qa),
                    (Role::Security, raw.security),
                    (Role::Documentation, raw.documentation),
                    (Role::Support, raw.support),
                ];
                for (role, raw) in own {
                    let Some(RawAllowance { per_minute, burst }) = raw else { continue };
                    let per_minute = self.whole_up_to(Some(per_minute), 1, MANY, "per_minute");
                    let burst = self.whole_up_to(Some(burst), 1, MANY, "burst");
                    let (per_minute, burst) = (u64::from(per_minute), u64::from(burst));
                    rates.insert(role, Allowance { per_minute, burst });
                }
                rates
            }
        }
    }

    pub(super) fn projects(&mut self, sim: &mut Sim, raw: Vec<RawProject>) {
        let mut seen = BTreeMap::new();
        for RawProject { name, size } in raw {
            let span = name.span;
            self.needs_sidecar(sim, Some(span), "a project");
            let Some(id) = self.value(name) else { continue };
            if let Some(first) = seen.insert(id.clone(), span) {
                let message = format!("the project {} is there already", quoted(id.as_str()));
                self.twice(span, first, message);
            }
            let size = match size.unwrap_or(RawSize::Tiny) {
                RawSize::Tiny => Size::Tiny,
                RawSize::Small => Size::Small,
                RawSize::Large => Size::Large,
                RawSize::Huge => Size::Huge,
            };
            sim.projects.push(Project { id, size });
        }
    }

    /// Notes what makes sense with a sidecar only, where there is none.
    pub(super) fn needs_sidecar(&mut self, sim: &Sim, span: Option<SourceSpan>, what: &str) {
        if let Some(span) = span.filter(|_| sim.sidecar.is_none()) {
            let message = format!("there is no sidecar for {what}");
            self.error(span, "needs a sidecar", &message, "add a [sidecar] table, or remove this");
        }
    }

    /// Who somebody of this name is. The name of a node is the id of its agent.
    pub(super) fn badge(
        &mut self,
        sim: &Sim,
        name: &At<String>,
        workspace: Option<&str>,
        raw: RawBadge,
    ) -> Option<Badge> {
        let keys = [
            (raw.agent_type.as_ref().map(|raw| raw.span), "a type"),
            (raw.project.as_ref().map(|raw| raw.span), "a project"),
            (raw.issue.as_ref().map(|raw| raw.span), "an issue"),
        ];
        for (span, what) in keys {
            self.needs_sidecar(sim, span, what);
        }
        if sim.sidecar.is_some()
            && crate::scenario::names::is_name(&name.value)
            && let Err(bad) = AgentId::new(&name.value)
        {
            let message = format!(
                "the sidecar knows {} by this name, and the id of an agent {bad}",
                quoted(&name.value)
            );
            let help = "begin the name with a letter or digit, and do without ..";
            self.error(name.span, "not an id", &message, help);
        }
        let of_workspace = workspace.and_then(|name| ProjectId::new(name).ok());
        let default = of_workspace.or_else(|| ProjectId::new(PROJECT).ok())?;
        Some(Badge {
            agent_type: self.read(raw.agent_type, AgentType::RustSpecialist),
            project: self.project_reference(sim, raw.project).unwrap_or(default),
            issue: self.optional(raw.issue).or_else(|| IssueId::new(ISSUE).ok())?,
        })
    }

    /// A project; if the sim lists projects, one of them.
    fn project_reference(&mut self, sim: &Sim, raw: Option<Field<ProjectId>>) -> Option<ProjectId> {
        let raw = raw?;
        let span = raw.span;
        let id = self.value(raw)?;
        let names = || sim.projects.iter().map(|project| project.id.as_str());
        if !sim.projects.is_empty() && !names().any(|name| name == id.as_str()) {
            let message = format!("no project is called {}", quoted(id.as_str()));
            self.unknown(span, "unknown project", &message, id.as_str(), names());
        }
        Some(id)
    }

    pub(super) fn wanted(&mut self, raw: RawWanted) -> Option<Wanted> {
        let filter = self.optional(raw.filter).unwrap_or_default();
        self.value(raw.event).map(|event_type| Wanted { event_type, filter })
    }

    pub(super) fn told(&mut self, raw: RawTold) -> Option<Told> {
        let topic = self.read(raw.topic, Topic::Coordination);
        self.value(raw.event).map(|event_type| Told { event_type, topic })
    }

    pub(super) fn sidecar_fault(
        &mut self,
        sim: &Sim,
        At { value: raw, span }: At<RawSidecarFault>,
    ) -> FaultKind {
        self.needs_sidecar(sim, Some(span), "this fault");
        if raw.memory.is_none() && raw.connections.is_none() {
            let help = "set memory = \"1MB\" or connections = 2";
            self.error(span, "", "the sidecar stays as it is", help);
        }
        let memory = self.optional(raw.memory).map(|ByteSize(bytes)| bytes);
        let connections =
            raw.connections.map(|raw| self.whole_up_to(Some(raw), 1, MANY, "connections"));
        FaultKind::Sidecar { memory, connections }
    }

    /// A duration of at most `most`.
    pub(super) fn duration_up_to(
        &mut self,
        raw: Option<Field<Duration>>,
        default: Duration,
        most: Duration,
    ) -> Duration {
        if let Some(At { value: Read(Ok(long)), span }) = &raw
            && *long > most
        {
            let most = crate::scenario::units::duration_text(most);
            let message = format!("this can be at most {most}");
            self.error(*span, "too long", &message, "write a shorter duration");
        }
        self.read(raw, default)
    }
}
