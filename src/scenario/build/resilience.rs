//! The stack's configuration in a sim, and what changes it while the sim runs.
//!
//! The configuration with which a sim starts must be right, so it is checked here. A change may well
//! be wrong: the sim is there to show what comes of it.

use std::{collections::BTreeMap, time::Duration};

use miette::SourceSpan;
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::Builder;
use crate::config::audit::{Change, What};
use crate::config::detect::Signals;
use crate::config::monitor::alert::Thresholds;
use crate::config::{Form, Layers, Problem, Refused, Speaker, read};
use crate::scenario::field::{At, Field};
use crate::scenario::files::read_config;
use crate::scenario::model::{Operator, Sim};
use crate::scenario::names::{NAME_LEN_MAX, is_name};
use crate::scenario::raw::{
    RawAgent, RawChange, RawConfigFile, RawConfigMonitor, RawResilience, RawRouter,
};
use crate::scenario::units::quoted;
use crate::scenario::values::Whole;
use crate::stack::settings::DueChange;

/// Who asks for a change if nobody is named.
const OPERATOR: &str = "operator";

/// The most changes of a sim.
const CHANGES_MAX: usize = 1_000;

/// What a configuration file may say, as one table.
struct Settings {
    preset: Option<At<String>>,
    strategy: Option<At<String>>,
    set: Option<At<Map<String, Value>>>,
    operations: BTreeMap<String, At<Map<String, Value>>>,
}

impl Settings {
    fn is_empty(&self) -> bool {
        self.preset.is_none()
            && self.strategy.is_none()
            && self.set.is_none()
            && self.operations.is_empty()
    }

    fn into_table(self) -> Map<String, Value> {
        let mut table = self.set.map(|set| set.value).unwrap_or_default();
        let names = [("preset", self.preset), ("default_strategy", self.strategy)];
        table.extend(
            names.into_iter().filter_map(|(key, name)| Some((key.into(), name?.value.into()))),
        );
        if !self.operations.is_empty() {
            let operations = self.operations.into_iter();
            let operations: Map<String, Value> =
                operations.map(|(name, it)| (name, Value::Object(it.value))).collect();
            table.insert("operations".into(), Value::Object(operations));
        }
        table
    }
}

/// Where a sim says in `[resilience]` what is wrong: the key if the key is, the value otherwise.
fn place_of(sim: &str, problem: &Problem) -> Option<SourceSpan> {
    let (sim, _) = DeTable::parse_recoverable(sim);
    let mut table = sim.get_ref().get("resilience")?.get_ref().as_table()?;
    let meant = problem.source.text().get(problem.place.clone())?.trim_matches('"');
    let mut key = problem.key.as_str();
    match key.split('.').next()? {
        "preset" | "operations" => {}
        "default_strategy" => key = "strategy",
        _ => table = table.get("set")?.get_ref().as_table()?,
    }
    loop {
        // Names of operations may have dots.
        let (name, value, rest) = table.iter().find_map(|(name, value)| {
            let rest = key.strip_prefix(name.get_ref().as_ref())?;
            (rest.is_empty() || rest.starts_with('.')).then_some((name, value, rest))
        })?;
        match (rest.strip_prefix('.'), value.get_ref()) {
            (Some(rest), DeValue::Table(inner)) => (table, key) = (inner, rest),
            (None, _) if name.get_ref() == meant => return Some(name.span().into()),
            (None, _) => return Some(value.span().into()),
            (Some(_), _) => return None,
        }
    }
}

impl Builder {
    /// The name of an operation.
    pub(super) fn operation(&mut self, raw: At<String>) -> String {
        if !is_name(&raw.value) {
            let message = format!("{} is not the name of an operation", quoted(&raw.value));
            let help = format!("use 1 to {NAME_LEN_MAX} of the characters a-z, 0-9, _, . and -");
            self.error(raw.span, "not a name", &message, &help);
        }
        raw.value
    }

    /// Operations without a configuration would differ in nothing.
    pub(super) fn operations_used(&mut self, agents: &[RawAgent], has_configuration: bool) {
        let named = agents.iter().filter_map(|agent| agent.operation.as_ref());
        for operation in named.filter(|_| !has_configuration) {
            let help = "add [resilience], or remove this; breaker_per_task goes by the task";
            self.error(operation.span, "never used", "no operation is configured", help);
        }
    }

    /// Retries and breakers come from one place.
    pub(super) fn one_configuration(&mut self, router: &RawRouter, resilience: SourceSpan) {
        let of_router = [
            ("retry", router.retry.as_ref().map(|it| it.span)),
            ("breaker", router.breaker.as_ref().map(|it| it.span)),
            ("breaker_per_task", router.breaker_per_task.as_ref().map(|it| it.span)),
        ];
        for (key, span) in of_router {
            let Some(span) = span else { continue };
            let message = format!("[resilience] says what {key} would");
            let help = format!(
                "remove {key}, and say it in [resilience], as in set = {{ retry_attempts = 5 }} or \
                 operations.qa = {{ strategy = \"critical\" }}; or remove [resilience]"
            );
            let mut problem =
                crate::scenario::error::Problem::new(&self.source, span, "said twice", message);
            let first = Some("here too".to_owned());
            problem.labels.push(miette::LabeledSpan::new_with_span(first, resilience));
            problem.help = Some(help);
            self.push(problem);
        }
    }

    /// The configuration with which the router starts.
    pub(super) fn resilience(
        &mut self,
        sim: &Sim,
        At { value: raw, span }: At<RawResilience>,
    ) -> Option<Layers> {
        if !sim.has_router() {
            let help = "add [router] and a [[backend]], or remove [resilience]";
            self.error(span, "never used", "there is no router to configure", help);
            return None;
        }
        let mut layers = Layers::new();
        if let Some((file, span)) = raw.file.and_then(|file| self.config_file(file)) {
            let taken = layers.replace_file(&file.0, &file.1);
            self.taken(span, taken);
        }
        let host = raw.host.as_ref().map(|host| host.value.as_str());
        if raw.env.is_some() || host.is_some() {
            let variables = raw.env.as_ref().map(|env| &env.value);
            let signals = Signals { variables, hostname: host, files: &[] };
            let env_span = raw.env.as_ref().map_or(span, |env| env.span);
            let taken = layers.detect(&signals);
            self.taken(span, taken);
            if let Some(variables) = variables {
                let taken = layers.replace_env(variables);
                self.taken(env_span, taken);
            }
        }
        let settings = Settings {
            preset: raw.preset,
            strategy: raw.strategy,
            set: raw.set,
            operations: raw.operations,
        };
        if !settings.is_empty() {
            let text = Value::Object(settings.into_table()).to_string();
            let taken = layers.replace_sim(read("the sim", &text, Form::Json, &Speaker::Sim));
            if let Err(refused) = taken {
                for problem in refused.errors() {
                    // Its place in the text above, which nobody wrote, would say nothing.
                    let place = place_of(self.source.text(), problem).unwrap_or(span);
                    let message = format!("{}: {}", problem.what, problem.why);
                    self.error(place, "not a configuration", &message, &problem.help);
                }
            }
        }
        Some(layers)
    }

    /// What is too much for whoever watches the configuration.
    pub(super) fn config_monitor(&mut self, raw: RawConfigMonitor) -> Thresholds {
        let response = raw.response.and_then(|response| self.value(response));
        let memory = raw.memory.and_then(|memory| self.value(memory));
        let micros = |limit: Duration| u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        Thresholds {
            response_us: response.map(micros),
            memory_bytes: memory.map(|bytes| bytes.0),
            ..Thresholds::default()
        }
    }

    /// The name of a configuration file and what is in it, and where that is said.
    fn config_file(
        &mut self,
        At { value: RawConfigFile { name, text }, .. }: At<RawConfigFile>,
    ) -> Option<((String, String), SourceSpan)> {
        if let Some(text) = text {
            return Some(((name.value, text.value), text.span));
        }
        let read = match &self.beside {
            Some(folder) => read_config(&folder.join(&name.value)),
            None => {
                Err(format!("{} lies beside a sim that was given as a text", quoted(&name.value)))
            }
        };
        match read {
            Ok(text) => {
                self.found_beside.insert(name.value.clone(), text.clone());
                Some(((name.value, text), name.span))
            }
            Err(message) => {
                let help = match self.beside {
                    Some(_) => {
                        "add text = \"\"\"…\"\"\", or name a file relative to the sim's folder"
                    }
                    None => "add text = \"\"\"…\"\"\", or load the sim from its file",
                };
                self.error(name.span, "no text", &message, help);
                None
            }
        }
    }

    /// Every error of a layer that was refused.
    fn taken(&mut self, span: SourceSpan, taken: Result<Vec<Problem>, Refused>) {
        let Err(refused) = taken else { return };
        for problem in refused.errors() {
            self.error(span, "not a configuration", &problem.one_line(), &problem.help);
        }
    }

    /// How often a change is asked for, if there are so many already.
    fn times(&mut self, times: Option<Field<Whole>>, so_far: usize) -> u32 {
        let Some(At { value, span }) = times else { return 1 };
        let Whole(times) = self.value(At { value, span }).unwrap_or(Whole(1));
        let left = CHANGES_MAX.saturating_sub(so_far);
        match u32::try_from(times) {
            Ok(times) if times as usize <= left => times,
            _ => {
                let message = format!("a sim has at most {CHANGES_MAX} changes");
                self.error(span, "too many", &message, &format!("write {left} or fewer"));
                1
            }
        }
    }

    /// Those who change the configuration.
    pub(super) fn operators(
        &mut self,
        sim: &mut Sim,
        raw: Vec<At<RawChange>>,
        resilience: Option<&At<RawResilience>>,
        seen: &mut BTreeMap<String, SourceSpan>,
    ) {
        let mut operators: Vec<Operator> = Vec::new();
        for At { value: raw, span } in raw {
            if resilience.is_none() {
                let help = "add [resilience] preset = \"simple\", or remove the change";
                self.error(span, "never used", "there is no configuration to change", help);
                continue;
            }
            let by = raw.by.unwrap_or(At { value: OPERATOR.into(), span });
            let known = operators.iter().position(|operator| operator.name == by.value);
            let place = known.unwrap_or_else(|| {
                self.node_name(&by, "operator", seen);
                operators.push(Operator { name: by.value.clone(), changes: Vec::new() });
                operators.len() - 1
            });
            let settings = Settings {
                preset: raw.preset,
                strategy: raw.strategy,
                set: raw.set,
                operations: raw.operations,
            };
            let what = match (raw.file, settings.is_empty()) {
                (Some(file), true) => {
                    let Some(((name, text), _)) = self.config_file(file) else { continue };
                    What::File { name: name.into(), text: text.into() }
                }
                (None, false) => {
                    What::Settings(Value::Object(settings.into_table()).to_string().into())
                }
                (Some(file), false) => {
                    let message = "a change is a file or settings, not both";
                    self.error(file.span, "", message, "make two changes of it");
                    continue;
                }
                (None, true) => {
                    let help =
                        "add set = { retry_attempts = 5 }, operations.qa = { … }, preset or file";
                    self.error(span, "", "nothing changes", help);
                    continue;
                }
            };
            let at = self.value(raw.at).unwrap_or_default();
            let so_far = operators.iter().map(|operator| operator.changes.len()).sum();
            let times = self.times(raw.times, so_far);
            let every = self.read(raw.every, Duration::from_secs(1));
            let Some(operator) = operators.get_mut(place) else { continue };
            for time in 0..times {
                let id = format!("{}/{}", by.value, operator.changes.len() + 1).into();
                let change = Change { id, by: by.value.as_str().into(), what: what.clone() };
                let at = at.saturating_add(every.saturating_mul(time));
                operator.changes.push(DueChange { at, change });
            }
        }
        for operator in &mut operators {
            // Stable: of changes at one instant, the first in the file goes first.
            operator.changes.sort_by_key(|due| due.at);
        }
        sim.operators = operators;
    }
}
