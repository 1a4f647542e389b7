//! Health checks and aggregation: kind `health`.
//!
//! Two libraries are spoken here: the checks of the `engined` suite, where one failed check is
//! enough, and the checker of the router, which rests after three. The words of the configuration
//! tell which of them is meant.

mod checks;

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::{Fields, Seen, Subject, Unsupported};
use crate::{
    policy::{
        breaker::State,
        health::{self, Availability, Health, Settings, Status},
    },
    world::Time,
};

/// Makes the subject of a case, if it is of a kind that is known here.
pub(super) fn subject(
    kind: &str,
    config: &mut Fields,
) -> Option<Result<Box<dyn Subject>, Unsupported>> {
    let kinds = [
        "health",
        "health_check",
        "health_checker",
        "ccr_health",
        "health_aggregate",
        "health_score",
        "system_health",
    ];
    let checks = || Ok(Box::new(Checks::new(config)?) as Box<dyn Subject>);
    kinds.contains(&kind).then(checks)
}

/// The words that only the router's checker has.
const OF_THE_ROUTER: [&str; 9] = [
    "ccr_url",
    "enabled",
    "max_retries",
    "unhealthy_after",
    "unhealthy_threshold",
    "failure_threshold",
    "circuit_breaker_timeout_ms",
    "circuit_breaker_timeout_s",
    "circuit_breaker_timeout_seconds",
];

/// Whether a case names the router's checker, or another library.
fn names_router(config: &mut Fields) -> Result<bool, Unsupported> {
    let name = config.any(&["dialect", "library", "checker"], Fields::text)?;
    match name.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("engined" | "sigmavault") => Ok(false),
        Some("ccr" | "ccr_health" | "ccrhealthchecker" | "router") => Ok(true),
        Some(other) => Err(Unsupported(format!("nobody knows how {other:?} checks"))),
    }
}

/// One component under check.
struct Component {
    health: Health,
    last_error: Option<String>,
    /// What the last check said of each provider; nothing after one that failed.
    providers: Seen,
    /// How long it has been up, as it said last.
    uptime_seconds: u64,
}

/// All components of a case, in the order in which they are first checked.
struct Checks {
    settings: Settings,
    /// The router's checker, rather than the `engined` suite's.
    is_router: bool,
    enabled: bool,
    is_running: bool,
    components: IndexMap<String, Component>,
}

impl Checks {
    fn new(config: &mut Fields) -> Result<Checks, Unsupported> {
        let named = names_router(config)?;
        let is_router = named || OF_THE_ROUTER.iter().any(|name| config.has(name));
        let has_heal_fn = heal_fn(config)?;
        let default = Settings::default();
        let unhealthy_after = [
            "unhealthy_after",
            "unhealthy_threshold",
            "failure_threshold",
            "max_failures",
            "max_retries",
        ];
        let healthy_after = ["healthy_after", "healthy_threshold", "success_threshold"];
        let rest = [
            "circuit_breaker_timeout",
            "circuit_timeout",
            "circuit_open",
            "circuit",
            "recovery_timeout",
            "rest",
        ];
        let settings = Settings {
            unhealthy_after: count(config, &unhealthy_after)?.unwrap_or(match is_router {
                true => default.unhealthy_after,
                false => 1,
            }),
            healthy_after: count(config, &healthy_after)?.unwrap_or(default.healthy_after),
            auto_heal: config.flag("auto_heal")?.unwrap_or(false) && has_heal_fn,
            interval: time(config, &["check_interval", "interval"])?.unwrap_or(default.interval),
            timeout: time(config, &["check_timeout", "timeout"])?.unwrap_or(default.timeout),
            rest: time(config, &rest)?.unwrap_or(match is_router {
                true => Duration::from_secs(60),
                false => Duration::ZERO,
            }),
        };
        let enabled = config.flag("enabled")?.unwrap_or(true);
        for remark in ["name", "component", "component_type", "ccr_url"] {
            config.text(remark)?;
        }
        let components = IndexMap::new();
        Ok(Checks { settings, is_router, enabled, is_running: false, components })
    }

    fn status(&self, word: &str) -> Result<Status, Unsupported> {
        match word.to_ascii_lowercase().as_str() {
            "healthy" => Ok(Status::Healthy),
            "degraded" => Ok(Status::Degraded),
            "unhealthy" => Ok(Status::Unhealthy),
            "unknown" => Ok(Status::Unknown),
            // It takes any other word for that.
            _ if self.is_router => Ok(Status::Unknown),
            _ => Err(Unsupported(format!("there is no status {word:?}"))),
        }
    }

    /// What is told after every step: all components together.
    fn summary(&self) -> Seen {
        let statuses =
            self.components.iter().map(|(name, it)| (name.as_str(), it.health.status())).collect();
        aggregate(statuses)
    }

    /// The statuses that a step lists, with or without names.
    fn listed(&self, step: &mut Fields) -> Result<Option<Vec<(String, Status)>>, Unsupported> {
        let Some(listed) =
            step.any(&["statuses", "components", "results"], |step, name| Ok(step.take(name)))?
        else {
            return Ok(None);
        };
        let not_a_list = || Unsupported(format!("{listed} is no list of statuses"));
        let named = |(name, status): (String, &Value)| {
            Ok((name, self.status(status.as_str().ok_or_else(not_a_list)?)?))
        };
        match &listed {
            Value::Array(list) => {
                let numbers = (0..list.len()).map(|number| number.to_string());
                numbers.zip(list).map(named).collect::<Result<_, _>>().map(Some)
            }
            Value::Object(map) => map
                .iter()
                .map(|(name, it)| named((name.clone(), it)))
                .collect::<Result<_, _>>()
                .map(Some),
            _ => Err(not_a_list()),
        }
    }
}

fn aggregate(statuses: Vec<(&str, Status)>) -> Seen {
    let all = || statuses.iter().map(|(_, status)| *status);
    let names = |wanted: Status| -> Value {
        let those = statuses.iter().filter(|(_, status)| *status == wanted);
        those.map(|(name, _)| *name).collect::<Vec<_>>().into()
    };
    let (overall, score) = (health::overall(all()).as_str(), health::score(all()));
    let score = score.points as f64 / score.components as f64;
    let mut seen = Seen::new();
    seen.insert("overall".to_owned(), overall.into());
    seen.insert("overall_status".to_owned(), overall.into());
    seen.insert("score".to_owned(), score.into());
    seen.insert("health_score".to_owned(), score.into());
    seen.insert("degraded_components".to_owned(), names(Status::Degraded));
    seen.insert("unhealthy_components".to_owned(), names(Status::Unhealthy));
    seen.insert("components".to_owned(), statuses.len().into());
    seen
}

impl Subject for Checks {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        match event {
            "check" | "run_check" | "check_health" | "health_check" => self.check(now, step),
            "check_ok" | "check_success" | "success" | "check_succeeds" => {
                step.put("check_returns", "HEALTHY".into());
                self.check(now, step)
            }
            "check_fail" | "check_failed" | "check_failure" | "failure" | "check_fails" => {
                step.put("check_raises", true.into());
                self.check(now, step)
            }
            "aggregate" | "overall" | "score" | "system_health" | "get_system_health" => {
                match self.listed(step)? {
                    None => Ok(self.summary()),
                    Some(listed) => {
                        let listed = listed.iter().map(|(name, it)| (name.as_str(), *it));
                        Ok(aggregate(listed.collect()))
                    }
                }
            }
            // A checker that is not enabled does not start.
            "start" | "stop" => {
                self.is_running = event == "start" && self.enabled;
                let name = component(step)?;
                self.told(&name, now)
            }
            "provider_status" | "get_provider_status" => {
                let provider = step.text("provider")?;
                let provider = provider.ok_or_else(|| Unsupported("of no provider".to_owned()))?;
                let name = component(step)?;
                let mut seen = self.told(&name, now)?;
                let known = seen.get("providers").and_then(|all| all.get(&provider)).cloned();
                let status = known.unwrap_or_else(|| "unknown".into());
                seen.insert("provider_status".to_owned(), status.clone());
                seen.insert("status".to_owned(), status);
                Ok(seen)
            }
            "availability" | "aggregate_availability" => availability(step),
            "breaker_state"
            | "breaker"
            | "circuit"
            | "check_circuit_breaker"
            | "circuit_breaker" => breaker(step),
            "system"
            | "system_load"
            | "load"
            | "check_system"
            | "check_system_resources"
            | "system_resources" => system(step),
            "unregister" | "unregister_check" => {
                let name = component(step)?;
                let was_there = self.components.shift_remove(&name).is_some();
                let mut seen = self.summary();
                seen.insert("removed".to_owned(), was_there.into());
                Ok(seen)
            }
            "reset" | "reset_instance" => {
                self.components.values_mut().for_each(|component| {
                    component.health.reset();
                    component.last_error = None;
                    component.providers.clear();
                });
                let name = component(step)?;
                self.told(&name, now)
            }
            "observe" | "query" | "state" | "get_state" | "advance" | "wait" | "noop" => {
                let name = component(step)?;
                self.told(&name, now)
            }
            _ => Err(Unsupported(format!("there is no event {event:?}"))),
        }
    }
}

/// The component that a step is about.
fn component(step: &mut Fields) -> Result<String, Unsupported> {
    let name = step.any(&["component", "name"], Fields::text)?;
    Ok(name.unwrap_or_else(|| "component".to_owned()))
}

fn breaker(step: &mut Fields) -> Result<Seen, Unsupported> {
    let said = step.any(&["breaker_state", "circuit_state", "state"], Fields::text)?;
    let word = said.as_deref().and_then(super::word);
    let (state, message) = match word.as_deref() {
        Some("closed") => (State::Closed, "Circuit closed, operating normally"),
        Some("halfopen") => (State::HalfOpen, "Circuit half-open, testing recovery"),
        Some("open") => (State::Open, "Circuit open, blocking requests"),
        _ => return Err(Unsupported(format!("there is no state {said:?} of a breaker"))),
    };
    Ok(of_status(Status::of_circuit(state), message))
}

fn system(step: &mut Fields) -> Result<Seen, Unsupported> {
    if checks::raised(step, "check_raises")?.is_some() {
        return Ok(of_status(Status::Unhealthy, "Failed to check resources"));
    }
    let mut used = |names: &[&str]| {
        let percent = step.any(names, Fields::number)?.unwrap_or(0.0);
        if !(0.0..=1e9).contains(&percent) {
            return Err(Unsupported(format!("{percent} is no percentage")));
        }
        // To a millionth of a percent.
        Ok(Status::of_load((percent * 1e6).round() as u64, 100_000_000))
    };
    let cpu = used(&["cpu_percent", "cpu", "cpu_usage_percent"])?;
    let memory = used(&["memory_percent", "memory", "memory_usage_percent"])?;
    let status = health::overall([cpu, memory]);
    let message = match status {
        Status::Unhealthy => "Critical resource usage",
        Status::Degraded => "High resource usage",
        _ => "Resources normal",
    };
    Ok(of_status(status, message))
}

fn of_status(status: Status, message: &str) -> Seen {
    let mut seen = Seen::new();
    seen.insert("status".to_owned(), status.as_str().into());
    seen.insert("is_healthy".to_owned(), (status == Status::Healthy).into());
    seen.insert("message".to_owned(), message.into());
    seen
}

fn availability(step: &mut Fields) -> Result<Seen, Unsupported> {
    let models =
        step.any(&["models", "providers", "statuses"], |step, name| Ok(step.take(name)))?;
    let models: Vec<&Value> = match &models {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(Value::Object(map)) => map.values().collect(),
        _ => return Err(Unsupported("there are no models".to_owned())),
    };
    let read = |model: &Value| match model.as_str() {
        Some("available" | "healthy" | "unknown") => Ok(Availability::Available),
        Some("degraded" | "rate_limited") => Ok(Availability::Degraded),
        Some("unavailable" | "unhealthy") => Ok(Availability::Unavailable),
        _ => Err(Unsupported(format!("there is no availability {model}"))),
    };
    let models = models.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let all = Availability::of_all(models.iter().copied()).as_str();
    let mut seen = Seen::new();
    for name in ["availability", "status", "overall"] {
        seen.insert(name.to_owned(), json!(all));
    }
    let available = models.iter().filter(|model| **model != Availability::Unavailable).count();
    seen.insert("available".to_owned(), available.into());
    Ok(seen)
}

fn count(config: &mut Fields, names: &[&str]) -> Result<Option<u32>, Unsupported> {
    let count = config.any(names, Fields::whole)?;
    Ok(count.map(|count| u32::try_from(count).unwrap_or(u32::MAX)))
}

/// A duration under any of these names, with a unit behind it or, in seconds, without.
fn time(config: &mut Fields, names: &[&str]) -> Result<Option<Duration>, Unsupported> {
    if let Some(duration) = config.any(names, Fields::duration)? {
        return Ok(Some(duration));
    }
    for name in names {
        for name in [format!("{name}_seconds"), (*name).to_owned()] {
            if let Some(seconds) = config.number(&name)? {
                let no = |_| Unsupported(format!("{name} is {seconds}, not a duration"));
                return Duration::try_from_secs_f64(seconds).map(Some).map_err(no);
            }
        }
    }
    Ok(None)
}

/// What a check says of each provider. The router's checker takes any other word for unknown.
fn providers(step: &mut Fields) -> Result<Seen, Unsupported> {
    let words = ["available", "unavailable", "rate_limited", "unknown"];
    match step.take("providers") {
        None => Ok(Seen::new()),
        Some(Value::Object(mut providers)) => {
            for status in providers.values_mut() {
                if !status.as_str().is_some_and(|status| words.contains(&status)) {
                    *status = "unknown".into();
                }
            }
            Ok(providers)
        }
        Some(other) => Err(Unsupported(format!("providers is {other}, not a table"))),
    }
}

/// Whether there is something that heals. There is, unless the case says that there is not.
fn heal_fn(config: &mut Fields) -> Result<bool, Unsupported> {
    for name in ["heal_fn", "has_heal_fn"] {
        if config.has(name) {
            return Ok(!matches!(config.take(name), None | Some(Value::Bool(false))));
        }
    }
    Ok(true)
}
