//! From what is written to what is meant: fills in defaults, checks, and collects every problem.
//!
//! A wrong value is noted and replaced by its default, so that the rest can be checked too; a sim
//! with a note is never returned.

mod backend;
mod breaker;
mod chaos;
mod client;
pub(super) mod events;
mod flow;
mod load;
mod network;
mod resilience;
mod router;
mod service;
mod sidecar;
mod stack;
pub(super) mod syntax;
mod workspace;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use miette::{LabeledSpan, SourceSpan};

use super::error::{Problem, ScenarioError};
use super::field::{At, Field, Read};
use std::time::Duration;

use super::model::{Must, Router, Sim, Tracing};
use super::raw::{RawLimits, RawSchedule, RawSim, RawTracing};
use super::span::Source;
use super::units::UnitError;
use super::values::{Seed, Whole};
use crate::world::{Limits, LinkRule, Schedule};

/// How many problems are reported at once.
const PROBLEMS_MAX: usize = 20;

/// When a run is ended unless a sim says otherwise.
const DEFAULT_LIMITS: Limits =
    Limits { time: Duration::from_secs(600), events: 5_000_000, same_instant: 100_000 };

/// How many tables of one kind a sim may have.
const TABLES_MAX: usize = 1_000;

/// How many seeds a sim may list.
const SEEDS_MAX: usize = 1_000;

/// Reads and checks a text of bounded length. `beside` is the folder in which other files may be read;
/// none is if it is not given.
pub(super) fn sim(name: &str, text: &str, beside: Option<&Path>) -> Result<Sim, ScenarioError> {
    let source = Source::new(name, text);
    let raw: RawSim = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(error) => return Err(invalid(vec![syntax::problem(&source, &error)])),
    };
    let beside = beside.map(Path::to_owned);
    let mut builder =
        Builder { source, beside, found_beside: BTreeMap::new(), problems: Vec::new() };
    let mut sim = builder.sim(Path::new(name), raw);
    sim.beside = builder.found_beside;
    if builder.problems.is_empty() { Ok(sim) } else { Err(invalid(builder.problems)) }
}

/// The first problem in the order of the text, with the others attached to it.
pub(super) fn invalid(mut problems: Vec<Problem>) -> ScenarioError {
    problems.sort_by_key(|problem| problem.labels.first().map(LabeledSpan::offset));
    let mut first = problems.remove(0);
    first.related = problems;
    ScenarioError::Invalid(Box::new(first))
}

/// Collects problems while a sim is put together.
struct Builder {
    source: Source,
    beside: Option<PathBuf>,
    /// What was read there, by the names that the sim has for it.
    found_beside: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Builder {
    fn sim(&mut self, path: &Path, raw: RawSim) -> Sim {
        self.tables("link", raw.link.len());
        self.tables("workspace", raw.workspace.len());
        let backends = raw.backend.unwrap_or_default();
        self.tables("backend", backends.len());
        let agents = raw.agent.unwrap_or_default();
        self.tables("agent", agents.len());
        self.tables("service", raw.service.len());
        self.tables("caller", raw.caller.len());
        self.tables("asker", raw.asker.len());
        self.tables("project", raw.project.len());
        self.tables("subscriber", raw.subscriber.len());
        self.tables("client", raw.client.len());
        self.tables("change", raw.change.len());
        self.tables("runner", raw.runner.len());
        self.tables("reviewer", raw.reviewer.len());
        self.tables("fault", raw.fault.len());
        self.tables("expect", raw.expect.len());
        self.tables("sometimes", raw.sometimes.len());
        let must = raw.must.unwrap_or_default();
        if let Some(leak) = raw.leak.as_ref().filter(|_| must != Must::Diverge) {
            self.error(
                leak.span,
                "not allowed here",
                "a leak makes runs of one seed differ",
                "add must = \"diverge\" to plant a leak, or remove the leak",
            );
        }
        let mut sim = Sim {
            name: super::files::sim_name(path),
            purpose: self.purpose(raw.purpose),
            covers: self.covers(raw.covers),
            seeds: self.seeds(raw.seeds),
            start: self.read(raw.start, Timestamp::constant(1_767_225_600, 0)),
            schedule: self.schedule(raw.schedule),
            must,
            fails_by: self.fails_by(must, raw.fails_by),
            leak: raw.leak.map(|leak| leak.value),
            limits: self.limits(raw.limits),
            network: LinkRule::default(),
            links: Vec::new(),
            sidecar: raw.sidecar.and_then(|raw| self.sidecar(raw)),
            projects: Vec::new(),
            subscribers: Vec::new(),
            clients: Vec::new(),
            router: Router::unset(),
            workspaces: Vec::new(),
            backends: Vec::new(),
            agents: Vec::new(),
            services: Vec::new(),
            callers: Vec::new(),
            askers: Vec::new(),
            monitor: None,
            operators: Vec::new(),
            runners: Vec::new(),
            approvals: None,
            reviewers: Vec::new(),
            dashboard: None,
            load: raw.load.and_then(|raw| self.load(path, raw)),
            faults: Vec::new(),
            chaos: None,
            healing: None,
            expectations: Vec::new(),
            sometimes: Vec::new(),
            checks: self.checks(raw.checks),
            tracing: raw.tracing.map(|raw| self.tracing(raw)),
            beside: BTreeMap::new(),
            source: self.source.clone(),
        };
        if let Some(raw) = raw.network {
            self.overrides(raw).apply(&mut sim.network);
        }
        let acts = !raw.caller.is_empty()
            || !raw.asker.is_empty()
            || !raw.subscriber.is_empty()
            || !raw.client.is_empty()
            || !raw.runner.is_empty()
            || (raw.monitor.is_some() && !raw.service.is_empty());
        self.projects(&mut sim, raw.project);
        self.operations_used(&agents, raw.resilience.is_some());
        let mut seen = BTreeMap::new();
        let spans = self.nodes(&mut sim, raw.workspace, backends, agents, &mut seen);
        self.services(&mut sim, raw.service, raw.caller, raw.asker, &mut seen);
        self.users(&mut sim, raw.subscriber, raw.client, &mut seen);
        self.operators(&mut sim, raw.change, raw.resilience.as_ref(), &mut seen);
        let flows = flow::RawFlows {
            runners: raw.runner,
            approvals: raw.approvals,
            reviewers: raw.reviewer,
            dashboard: raw.dashboard,
        };
        self.flows(&mut sim, flows, &mut seen);
        self.member_names(&sim, &seen);
        self.parts(&sim, raw.router.is_some(), acts);
        if let Some(router) = raw.router {
            if let Some(resilience) = &raw.resilience {
                self.one_configuration(&router, resilience.span);
            }
            sim.router = self.router(&sim, router);
        }
        if let Some(mut raw) = raw.resilience {
            let monitor = raw.value.monitor.take();
            sim.router.watched = monitor.map(|monitor| self.config_monitor(monitor));
            sim.router.resilience = self.resilience(&sim, raw);
        }
        let tracing = sim.tracing.unwrap_or_default();
        sim.router.tracing = tracing;
        sim.sidecar.iter_mut().for_each(|sidecar| sidecar.tracing = tracing);
        sim.monitor = raw.monitor.map(|raw| self.monitor(&sim, raw));
        self.workspace_references(&sim, &spans);
        let links = raw.link.into_iter().map(|raw| {
            let span = raw.from.span;
            self.link(&sim, raw, span)
        });
        sim.links = links.collect();
        let fault_spans: Vec<SourceSpan> = raw.fault.iter().map(|fault| fault.span).collect();
        sim.faults = raw.fault.into_iter().filter_map(|raw| self.fault(&sim, raw)).collect();
        self.chaos_and_healing(&mut sim, raw.chaos, raw.healing, &fault_spans);
        sim.expectations =
            raw.expect.into_iter().filter_map(|raw| self.expectation(&sim, raw)).collect();
        sim.sometimes =
            raw.sometimes.into_iter().filter_map(|raw| self.expectation(&sim, raw)).collect();
        sim
    }

    fn tracing(&mut self, raw: RawTracing) -> Tracing {
        let unset = Tracing::default();
        let sample = self.read(raw.sample, unset.sample);
        Tracing { sample, broken: self.read(raw.broken, unset.broken) }
    }

    /// Agents, the router and backends need each other, unless all agents work by themselves.
    /// Something has to act: agents, callers or a monitor of services, or users of the sidecar.
    fn parts(&mut self, sim: &Sim, has_router: bool, acts: bool) {
        let (has_backends, has_agents) = (sim.has_router(), !sim.agents.is_empty());
        let asks = sim.agents.iter().any(|group| group.work.is_none());
        let is_whole = if sim.load.is_some() { has_agents } else { has_agents || acts };
        if is_whole && !asks && !has_router && !has_backends {
            return;
        }
        if !has_backends {
            self.missing("[[backend]]", "add at least one [[backend]] with a name");
        }
        if !has_agents && (!acts || sim.load.is_some()) {
            self.missing("[[agent]]", "add at least one [[agent]] with a name");
        }
        if !has_router {
            self.missing("[router]", "add [router] with primary = \"<a backend>\"");
        }
    }

    fn purpose(&mut self, raw: Option<At<String>>) -> String {
        let help = "say in a sentence why the sim exists and what should happen";
        match raw {
            None => {
                self.missing("purpose", &format!("{help}: purpose = \"…\""));
                String::new()
            }
            Some(purpose) => {
                if purpose.value.trim().is_empty() {
                    self.error(purpose.span, "empty", "the purpose is empty", help);
                }
                purpose.value
            }
        }
    }

    fn covers(&mut self, raw: Vec<At<String>>) -> Vec<String> {
        let mut seen = BTreeMap::new();
        for row in &raw {
            let help = "write the ID of a requirement row, as in \"CCR-F1\"";
            if !super::requirements::is_id(&row.value) {
                self.error(row.span, "not an ID", "not the ID of a requirement row", help);
            }
            if let Some(first) = seen.insert(row.value.as_str(), row.span) {
                self.twice(row.span, first, format!("{} is listed twice", row.value));
            }
        }
        raw.into_iter().map(|row| row.value).collect()
    }

    /// Without a name anything that goes wrong would do, and a canary would prove nothing.
    fn fails_by(&mut self, must: Must, raw: Vec<At<String>>) -> Vec<String> {
        let help = "name what must fail, as in fails_by = [\"quota_never_overshot\"]";
        match (must, raw.first()) {
            (Must::Fail, None) => self.missing("fails_by, and must fail", help),
            (Must::Pass | Must::Diverge, Some(name)) => {
                let help = "add must = \"fail\", or remove fails_by";
                self.error(name.span, "not allowed here", "nothing here must fail", help);
            }
            _ => {}
        }
        let mut seen = BTreeMap::new();
        for name in &raw {
            if let Some(first) = seen.insert(name.value.as_str(), name.span) {
                self.twice(name.span, first, format!("{} is listed twice", name.value));
            }
        }
        raw.into_iter().map(|name| name.value).collect()
    }

    fn seeds(&mut self, raw: Option<At<Vec<Field<Seed>>>>) -> Vec<u64> {
        let Some(raw) = raw else { return vec![1] };
        if raw.value.is_empty() || raw.value.len() > SEEDS_MAX {
            let message = format!("a sim has 1 to {SEEDS_MAX} seeds, found {}", raw.value.len());
            self.error(raw.span, "", &message, "write a list, as in seeds = [1, 2, 3]");
        }
        let mut seen = BTreeMap::new();
        let mut seeds = Vec::new();
        for seed in raw.value {
            let span = seed.span;
            let Some(Seed(seed)) = self.value(seed) else { continue };
            match seen.insert(seed, span) {
                Some(first) => self.twice(span, first, format!("seed {seed} is listed twice")),
                None => seeds.push(seed),
            }
        }
        seeds
    }

    fn schedule(&mut self, raw: Option<At<RawSchedule>>) -> Schedule {
        match raw.map(|raw| (raw.value, raw.span)) {
            None | Some((RawSchedule::Fifo, _)) => Schedule::Fifo,
            Some((RawSchedule::Random, _)) => Schedule::Random,
            Some((RawSchedule::Pct { depth }, span)) => {
                if !(1..=100).contains(&depth) {
                    let message = format!("the depth is from 1 to 100, found {depth}");
                    self.error(span, "", &message, "write { pct = { depth = 3 } }");
                }
                Schedule::Pct { depth }
            }
        }
    }

    fn limits(&mut self, raw: Option<RawLimits>) -> Limits {
        let default = DEFAULT_LIMITS;
        let Some(raw) = raw else { return default };
        Limits {
            time: self.positive(raw.time, default.time),
            events: self.read(raw.events, Whole(default.events)).0,
            same_instant: self.read(raw.same_instant, Whole(default.same_instant)).0,
        }
    }

    fn tables(&mut self, key: &str, count: usize) {
        if count > TABLES_MAX {
            self.missing(
                "",
                &format!("a sim has at most {TABLES_MAX} [[{key}]] tables, found {count}"),
            );
        }
    }

    // What every part above and in the submodules is written with.

    /// A value, or its default when it is absent or wrong; a wrong one is noted.
    fn read<T>(&mut self, field: Option<Field<T>>, default: T) -> T {
        self.optional(field).unwrap_or(default)
    }

    fn optional<T>(&mut self, field: Option<Field<T>>) -> Option<T> {
        field.and_then(|field| self.value(field))
    }

    fn value<T>(&mut self, At { value: Read(value), span }: Field<T>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(error) => {
                self.unit_error(span, &error);
                None
            }
        }
    }

    /// A duration that must not be zero.
    fn positive(
        &mut self,
        field: Option<Field<std::time::Duration>>,
        default: std::time::Duration,
    ) -> std::time::Duration {
        if let Some(At { value: Read(Ok(std::time::Duration::ZERO)), span }) = &field {
            self.error(*span, "zero", "this cannot be zero", "write a longer duration");
        }
        self.read(field, default)
    }

    fn unit_error(&mut self, span: SourceSpan, error: &UnitError) {
        self.error(span, "this value", &error.message, &error.help);
    }

    fn error(&mut self, span: SourceSpan, label: &str, message: &str, help: &str) {
        let mut problem = Problem::new(&self.source, span, label, message.to_owned());
        problem.help = Some(help.to_owned());
        self.push(problem);
    }

    /// Something that is listed or named twice: points at the second, with a label on the first.
    fn twice(&mut self, second: SourceSpan, first: SourceSpan, message: String) {
        let mut problem = Problem::new(&self.source, second, "again here", message);
        problem.labels.push(LabeledSpan::new_with_span(Some("first here".to_owned()), first));
        problem.help = Some("remove or rename one of the two".to_owned());
        self.push(problem);
    }

    /// Something that the whole file lacks.
    fn missing(&mut self, what: &str, help: &str) {
        let message = if what.is_empty() {
            "too many tables".to_owned()
        } else {
            format!("the sim has no {what}")
        };
        self.error((0, 0).into(), "", &message, help);
    }

    fn is_full(&self) -> bool {
        self.problems.len() >= PROBLEMS_MAX
    }

    fn push(&mut self, problem: Problem) {
        if !self.is_full() {
            self.problems.push(problem);
        }
    }
}
