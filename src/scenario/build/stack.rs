//! The stack under test: names first, because everything else refers to them.

use std::collections::BTreeMap;
use std::time::Duration;

use miette::SourceSpan;

use super::Builder;
use crate::scenario::field::{At, ScalarOr};
use crate::scenario::model::{
    AgentGroup, Backend, ErrorMix, Retry, Router, Sidecar, Sim, Tokens, Workspace,
};
use crate::scenario::names::{Group, NAME_LEN_MAX, RESERVED, is_name, nearest};
use crate::scenario::raw::{
    RawAgent, RawBackend, RawErrors, RawRetry, RawRouter, RawSidecar, RawTokens, RawWorkspace,
};
use crate::scenario::units::{PPM, quoted};
use crate::scenario::values::Whole;
use crate::world::{Delay, Probability};

/// How many agents a sim may have in all.
pub(super) const AGENTS_MAX: u64 = 1_000_000;

pub(super) fn uniform_ms(min: u64, max: u64) -> Delay {
    Delay::Uniform { min: Duration::from_millis(min), max: Duration::from_millis(max) }
}

impl Router {
    /// A router whose chain is not yet known.
    pub(super) fn unset() -> Self {
        Router {
            primary: String::new(),
            fallback: Vec::new(),
            timeout: Duration::from_secs(30),
            retry: Retry::default(),
            overhead: Delay::Fixed(Duration::from_millis(1)),
            honour_retry_after: true,
            deadline: None,
        }
    }
}

impl Builder {
    pub(super) fn sidecar(&mut self, raw: RawSidecar) -> Option<Sidecar> {
        let sidecar = Sidecar {
            context: self.delay(raw.context, uniform_ms(5, 20)),
            store: self.delay(raw.store, uniform_ms(1, 5)),
            timeout: self.positive(raw.timeout, Duration::from_secs(2)),
            required: raw.required.unwrap_or(false),
        };
        raw.enabled.unwrap_or(true).then_some(sidecar)
    }

    pub(super) fn router(&mut self, sim: &Sim, raw: RawRouter) -> Router {
        let default = Router::unset();
        let mut seen = BTreeMap::from([(raw.primary.value.clone(), raw.primary.span)]);
        for name in &raw.fallback {
            if let Some(first) = seen.insert(name.value.clone(), name.span) {
                let message = format!("{} is in the chain twice", quoted(&name.value));
                self.twice(name.span, first, message);
            }
        }
        Router {
            primary: self.backend_reference(sim, raw.primary),
            fallback: raw
                .fallback
                .into_iter()
                .map(|name| self.backend_reference(sim, name))
                .collect(),
            timeout: self.positive(raw.timeout, default.timeout),
            retry: raw.retry.map_or(default.retry, |raw| self.retry(raw)),
            overhead: self.delay(raw.overhead, default.overhead),
            honour_retry_after: raw.honour_retry_after.unwrap_or(true),
            deadline: raw.deadline.map(|raw| self.positive(Some(raw), default.timeout)),
        }
    }

    fn retry(&mut self, raw: RawRetry) -> Retry {
        let default = Retry::default();
        let max_span = raw.max.as_ref().or(raw.base.as_ref()).map(|field| field.span);
        let retry = Retry {
            attempts: self.whole_up_to(raw.attempts, default.attempts, 100, "attempts"),
            base: self.read(raw.base, default.base),
            factor: self.whole_up_to(raw.factor, default.factor, 1_000, "the factor"),
            max: self.read(raw.max, default.max),
            jitter: raw.jitter.unwrap_or_default(),
        };
        if let Some(span) = max_span.filter(|_| retry.base > retry.max) {
            let message = "the first pause is longer than the longest";
            self.error(span, "", message, "make max at least base");
        }
        retry
    }

    /// An integer from 1 to `max`.
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
            sim.workspaces.push(Workspace { name: raw.name.value });
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
            let group = self.agent(raw);
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

    fn backend(&mut self, raw: RawBackend) -> Backend {
        let first_token =
            Delay::LogNormal { p50: Duration::from_millis(400), p99: Duration::from_secs(3) };
        Backend {
            name: raw.name.value,
            provider: raw.provider.unwrap_or_default(),
            tier: raw.tier.unwrap_or(1),
            first_token: self.delay(raw.first_token, first_token),
            tokens_per_second: self.whole_up_to(
                raw.tokens_per_second,
                60,
                1_000_000_000,
                "tokens per second",
            ),
            errors: raw.errors.map(|raw| self.errors(raw)).unwrap_or_default(),
            retry_after: self.optional(raw.retry_after),
            tokens_per_minute: self.optional(raw.tokens_per_minute).map(|whole| whole.0),
            requests_per_minute: self.optional(raw.requests_per_minute).map(|whole| whole.0),
        }
    }

    pub(super) fn errors(&mut self, At { value: raw, span }: At<RawErrors>) -> ErrorMix {
        let mix = ErrorMix {
            rate_limited: self.read(raw.rate_limited, Probability::NEVER),
            overloaded: self.read(raw.overloaded, Probability::NEVER),
            server_error: self.read(raw.server_error, Probability::NEVER),
            silence: self.read(raw.silence, Probability::NEVER),
            reset: self.read(raw.reset, Probability::NEVER),
            malformed: self.read(raw.malformed, Probability::NEVER),
        };
        let sum: u32 = mix.parts().iter().map(|(_, probability)| probability.as_ppm()).sum();
        if sum > PPM {
            let message = format!("the errors add up to more than 100%: {}%", sum / (PPM / 100));
            self.error(span, "", &message, "lower them; the rest to 100% is success");
        }
        mix
    }

    fn agent(&mut self, raw: RawAgent) -> AgentGroup {
        AgentGroup {
            name: raw.name.value,
            count: self.whole_up_to(raw.count, 1, AGENTS_MAX as u32, "the count"),
            workspace: raw.workspace.map(|workspace| workspace.value),
            task: raw.task.unwrap_or_default(),
            requests: self.whole_up_to(raw.requests, 1, 1_000_000_000, "requests"),
            think: self.delay(raw.think, uniform_ms(0, 100)),
            input_tokens: self.tokens(raw.input_tokens, 500),
            output_tokens: self.tokens(raw.output_tokens, 200),
            deadline: self.positive(raw.deadline, Duration::from_secs(120)),
        }
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
