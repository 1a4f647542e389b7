//! The stack under test: names first, because everything else refers to them.

use std::collections::BTreeMap;
use std::time::Duration;

use miette::SourceSpan;

use super::Builder;
use super::sidecar::RawBadge;
use crate::policy::profile::Client;
use crate::scenario::field::{At, ScalarOr};
use crate::scenario::model::{AgentGroup, Sim, Tokens};
use crate::scenario::names::{Group, NAME_LEN_MAX, RESERVED, is_name, nearest};
use crate::scenario::raw::{RawAgent, RawBackend, RawTokens, RawWorkspace};
use crate::scenario::units::quoted;
use crate::scenario::values::Whole;
use crate::world::Delay;

/// How many agents a sim may have in all.
pub(super) const AGENTS_MAX: u64 = 1_000_000;

pub(super) fn uniform_ms(min: u64, max: u64) -> Delay {
    Delay::Uniform { min: Duration::from_millis(min), max: Duration::from_millis(max) }
}

impl Builder {
    /// An integer up to `max`.
    pub(super) fn whole_up_to(
        &mut self,
        raw: Option<crate::scenario::field::Field<Whole>>,
        default: u32,
        max: u32,
        what: &str,
    ) -> u32 {
        let Some(raw) = raw else { return default };
        let span = raw.span;
        let Some(Whole(number)) = self.value(raw) else { return default };
        match u32::try_from(number) {
            Ok(number) if number <= max => number,
            _ => {
                let message = format!("{what} can be at most {max}, found {number}");
                self.error(span, "too large", &message, "write a smaller number");
                default
            }
        }
    }

    pub(super) fn backend_reference(&mut self, sim: &Sim, raw: At<String>) -> String {
        let names = || sim.backends.iter().map(|backend| backend.name.as_str());
        if !names().any(|name| name == raw.value) {
            let message = format!("no backend is called {}", quoted(&raw.value));
            self.unknown(raw.span, "unknown backend", &message, &raw.value, names());
        }
        raw.value
    }

    /// A reference to something that is not there, with the nearest name that is.
    pub(super) fn unknown<'a>(
        &mut self,
        span: SourceSpan,
        label: &str,
        message: &str,
        name: &str,
        candidates: impl Iterator<Item = &'a str> + Clone,
    ) {
        if self.is_full() {
            return;
        }
        let mut listed: Vec<&str> = candidates.clone().take(41).collect();
        if listed.len() > 40 {
            listed[40] = "…";
        }
        let list = match listed.len() {
            0 => "there are none".to_owned(),
            _ => format!("expected one of: {}", listed.join(", ")),
        };
        let help = match nearest(name, candidates) {
            Some(near) => format!("did you mean \"{near}\"? {list}"),
            None => list,
        };
        self.error(span, label, message, &help);
    }

    /// Fills in workspaces, backends and agents; returns where each agent's workspace is written.
    /// `seen` are the names that nodes have.
    pub(super) fn nodes(
        &mut self,
        sim: &mut Sim,
        workspaces: Vec<RawWorkspace>,
        backends: Vec<RawBackend>,
        agents: Vec<RawAgent>,
        seen: &mut BTreeMap<String, SourceSpan>,
    ) -> Vec<Option<SourceSpan>> {
        let mut workspace_names = BTreeMap::new();
        for raw in workspaces {
            self.name(&raw.name, "workspace", &mut workspace_names);
            let workspace = self.workspace(raw);
            sim.workspaces.push(workspace);
        }
        for raw in backends {
            self.node_name(&raw.name, "backend", seen);
            let backend = self.backend(raw);
            sim.backends.push(backend);
        }
        let mut spans = Vec::new();
        let mut total = 0_u64;
        for raw in agents {
            self.node_name(&raw.name, "agent", seen);
            spans.push(raw.workspace.as_ref().map(|workspace| workspace.span));
            let name_span = raw.name.span;
            let Some(group) = self.agent(sim, raw) else { continue };
            let before = total;
            total += u64::from(group.count);
            if total > AGENTS_MAX && before <= AGENTS_MAX {
                let message = format!("a sim has at most {AGENTS_MAX} agents in all");
                self.error(name_span, "one group too many", &message, "make the counts smaller");
            }
            sim.agents.push(group);
        }
        spans
    }

    /// No group may be called like a member of another, and no other node either.
    pub(super) fn member_names(&mut self, sim: &Sim, seen: &BTreeMap<String, SourceSpan>) {
        let groups: BTreeMap<&str, Group<'_>> =
            sim.groups().map(|group| (group.name, group)).collect();
        for (name, span) in seen {
            let group = name.rsplit_once('-').and_then(|(group, _)| groups.get(group));
            if let Some(group) = group.filter(|group| group.member(name).is_some()) {
                let message =
                    format!("{} is already a member of the group {}", quoted(name), group.name);
                let help = format!(
                    "rename it; the members of {0} are {0}-1 to {0}-{1}",
                    group.name, group.count
                );
                self.error(*span, "taken", &message, &help);
            }
        }
    }

    pub(super) fn node_name(
        &mut self,
        name: &At<String>,
        what: &str,
        seen: &mut BTreeMap<String, SourceSpan>,
    ) {
        if RESERVED.contains(&name.value.as_str()) {
            let message = format!("the name {} is reserved", quoted(&name.value));
            let help = format!("rename the {what}; reserved are {}", RESERVED.join(", "));
            self.error(name.span, "reserved", &message, &help);
        }
        self.name(name, what, seen);
    }

    fn name(&mut self, name: &At<String>, what: &str, seen: &mut BTreeMap<String, SourceSpan>) {
        if !is_name(&name.value) {
            let message = format!("{} is not a name for this {what}", quoted(&name.value));
            let help = format!("use 1 to {NAME_LEN_MAX} of the characters a-z, 0-9, _, . and -");
            self.error(name.span, "not a name", &message, &help);
        }
        if let Some(first) = seen.get(&name.value) {
            self.twice(name.span, *first, format!("the name {} is taken", quoted(&name.value)));
        } else {
            seen.insert(name.value.clone(), name.span);
        }
    }

    fn agent(&mut self, sim: &Sim, raw: RawAgent) -> Option<AgentGroup> {
        self.unused_keys(sim, &raw);
        let workspace = raw.workspace.map(|workspace| workspace.value);
        let badge = RawBadge { agent_type: raw.r#type, project: raw.project, issue: raw.issue };
        let badge = self.badge(sim, &raw.name, workspace.as_deref(), badge);
        Some(AgentGroup {
            badge: badge?,
            name: raw.name.value,
            count: self.whole_up_to(raw.count, 1, AGENTS_MAX as u32, "the count"),
            workspace,
            task: raw.task.unwrap_or_default(),
            operation: raw.operation.map(|raw| self.operation(raw)),
            requests: self.whole_up_to(raw.requests, 1, 1_000_000_000, "requests"),
            think: self.delay(raw.think, uniform_ms(0, 100)),
            input_tokens: self.tokens(raw.input_tokens, 500),
            output_tokens: self.tokens(raw.output_tokens, 200),
            deadline: self.positive(raw.deadline, Duration::from_secs(120)),
            timeout: raw.timeout.map(|raw| self.positive(Some(raw), Duration::from_secs(120))),
            sdk: raw.sdk.and_then(|raw| self.sdk(&raw)),
            work: self.optional_delay(raw.work),
            wakes_on: raw.wakes_on.and_then(|raw| self.wanted(raw.value)),
            listens: self.positive(raw.listens, Duration::from_secs(60)),
            publishes: raw.publishes.and_then(|raw| self.told(raw.value)),
        })
    }

    /// Keys that say nothing together with others, or without a sidecar.
    fn unused_keys(&mut self, sim: &Sim, raw: &RawAgent) {
        let wakes_on = raw.wakes_on.as_ref().map(|raw| raw.span);
        self.needs_sidecar(sim, wakes_on, "events to wake on");
        let publishes = raw.publishes.as_ref().map(|raw| raw.span);
        self.needs_sidecar(sim, publishes, "events to publish");
        if let Some(span) = wakes_on.filter(|_| sim.load.is_some()) {
            let message = "with [load], requests come from there and not from events";
            self.error(span, "never used", message, "remove wakes_on or [load]");
        }
        if let Some(listens) = raw.listens.as_ref().filter(|_| wakes_on.is_none()) {
            let message = "there are no events to listen for";
            self.error(listens.span, "never used", message, "add wakes_on, or remove this");
        }
        let of_router = [
            raw.timeout.as_ref().map(|raw| raw.span),
            raw.sdk.as_ref().map(|raw| raw.span),
            raw.input_tokens.as_ref().map(|raw| raw.span),
            raw.output_tokens.as_ref().map(|raw| raw.span),
        ];
        for span in of_router.into_iter().flatten().filter(|_| raw.work.is_some()) {
            let message = "with work, an agent does not ask the router";
            self.error(span, "never used", message, "remove this, or work");
        }
    }

    fn sdk(&mut self, raw: &At<String>) -> Option<Client> {
        let found = Client::parse(&raw.value);
        if found.is_none() {
            let message = format!("no SDK is called {}", quoted(&raw.value));
            let names = Client::ALL.map(Client::as_str);
            let names = names.iter().copied();
            self.unknown(raw.span, "unknown SDK", &message, &raw.value, names);
        }
        found
    }

    fn tokens(&mut self, raw: Option<At<RawTokens>>, default: u32) -> Tokens {
        let fixed = Tokens::Fixed(default);
        let Some(At { value, span }) = raw else { return fixed };
        match value {
            ScalarOr::Scalar(value) => {
                self.value(At { value, span }).map_or(fixed, |count| Tokens::Fixed(count.0))
            }
            ScalarOr::Table(table) => {
                let help = "write { uniform = [100, 2000] }";
                self.range(table.uniform, help)
                    .map_or(fixed, |(min, max)| Tokens::Uniform { min: min.0, max: max.0 })
            }
        }
    }

    pub(super) fn workspace_references(&mut self, sim: &Sim, spans: &[Option<SourceSpan>]) {
        let names = || sim.workspaces.iter().map(|workspace| workspace.name.as_str());
        for (group, span) in sim.agents.iter().zip(spans) {
            let (Some(name), Some(span)) = (&group.workspace, span) else { continue };
            if !names().any(|workspace| workspace == name) {
                let message = format!("no workspace is called {}", quoted(name));
                self.unknown(*span, "unknown workspace", &message, name, names());
            }
        }
    }
}
