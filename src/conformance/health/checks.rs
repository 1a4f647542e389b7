//! One check, with the healing that may follow and the check after that.

use serde_json::Value;

use super::{Checks, Component, component, providers};
use crate::{
    conformance::{Fields, Seen, Unsupported},
    policy::health::{Finding, HealResult, Health, Note, Status},
    world::Time,
};

/// What one check came to, as a step says it.
struct Check {
    finding: Finding,
    error: Option<String>,
}

/// What a step has done, beyond what the component itself knows.
#[derive(Default)]
struct Done {
    heal_called: bool,
    rechecked: bool,
    timed_out: bool,
    note: Option<Note>,
    error: Option<String>,
    message: String,
    changed: Option<(Status, Status)>,
}

impl Checks {
    pub(super) fn check(&mut self, now: Time, step: &mut Fields) -> Result<Seen, Unsupported> {
        let name = component(step)?;
        spell_out(step)?;
        let times = step.whole("times")?.unwrap_or(1);
        for _ in 1..times {
            self.check_once(now, &name, &mut step.clone())?;
        }
        self.check_once(now, &name, step)
    }

    fn check_once(
        &mut self,
        now: Time,
        name: &str,
        step: &mut Fields,
    ) -> Result<Seen, Unsupported> {
        let may = self.enabled && self.component(name).health.may_check(now);
        if !may {
            // Nobody looks at what the check would have said.
            self.reads(step)?;
            let mut seen = self.told(name, now)?;
            seen.insert("skipped".to_owned(), true.into());
            return Ok(seen);
        }
        let text = step.any(&["message", "check_message"], Fields::text)?.unwrap_or_default();
        let check = self.came_to(step, "check", None)?;
        let providers = providers(step)?;
        let uptime = step.whole("uptime_seconds")?.unwrap_or(0);
        let decision = self.component(name).health.observe(now, check.finding);
        let mut done = Done {
            timed_out: check.finding == Finding::TimedOut,
            error: check.error.clone(),
            message: self.message(text, &check),
            changed: decision.changed,
            ..Done::default()
        };
        if decision.heal {
            done.heal_called = true;
            self.heal(now, step, name, &check, &mut done)?;
        } else {
            self.reads(step)?;
        }
        let answered = matches!(check.finding, Finding::Returned(_));
        let component = self.component(name);
        component.last_error.clone_from(&done.error);
        component.providers = if answered { providers } else { Seen::new() };
        if answered {
            component.uptime_seconds = uptime;
        }
        let mut seen = self.told(name, now)?;
        tell(&mut seen, done);
        Ok(seen)
    }

    fn component(&mut self, name: &str) -> &mut Component {
        let health = || Component {
            health: Health::new(self.settings.clone()),
            last_error: None,
            providers: Seen::new(),
            uptime_seconds: 0,
        };
        self.components.entry(name.to_owned()).or_insert_with(health)
    }

    fn heal(
        &mut self,
        now: Time,
        step: &mut Fields,
        name: &str,
        check: &Check,
        done: &mut Done,
    ) -> Result<(), Unsupported> {
        let (result, error) = self.healing(step)?;
        let decision = self.component(name).health.healed(result);
        done.note = decision.note;
        let again = self.came_to(step, "recheck", Some(check.finding))?;
        let mut cause = error;
        if decision.check_again {
            done.rechecked = true;
            let decision = self.component(name).health.observe(now, again.finding);
            done.note = decision.note;
            done.changed = decision.changed.or(done.changed);
            cause = match again.finding {
                // The error of a timeout has no text.
                Finding::TimedOut => Some(String::new()),
                _ => again.error,
            };
        }
        match done.note {
            Some(Note::HealingError) => {
                let cause = cause.unwrap_or_default();
                done.error = Some(format!("{}: {cause}", Note::HealingError.as_str()));
            }
            Some(note) => done.message.push_str(note.as_str()),
            None => {}
        }
        Ok(())
    }

    /// What healing comes to, as a step says it. Something that says nothing has not healed.
    fn healing(&self, step: &mut Fields) -> Result<(HealResult, Option<String>), Unsupported> {
        let raised = raised(step, "heal_raises")?;
        let timed_out = self.takes_too_long(step, "heal")?;
        let returned = step.flag("heal_returns")?;
        Ok(match raised {
            Some(error) => (HealResult::Errored, Some(error)),
            None if timed_out => (HealResult::Errored, Some(String::new())),
            None if returned == Some(true) => (HealResult::Healed, None),
            None => (HealResult::Refused, None),
        })
    }

    /// What `check_…` or `recheck_…` of a step say.
    fn came_to(
        &self,
        step: &mut Fields,
        which: &str,
        default: Option<Finding>,
    ) -> Result<Check, Unsupported> {
        let raised = raised(step, &format!("{which}_raises"))?;
        let timed_out = self.takes_too_long(step, which)?;
        let returned = step.text(&format!("{which}_returns"))?;
        let http = if which == "check" { step.whole("http_status")? } else { None };
        let failed = http.filter(|status| *status >= 400);
        let raised = raised.or_else(|| failed.map(|status| format!("HTTP error {status}")));
        let times_out = timed_out || raised.as_deref() == Some("TimeoutError");
        Ok(match (raised, returned, default) {
            _ if times_out => {
                Check { finding: Finding::TimedOut, error: Some("timeout".to_owned()) }
            }
            (Some(error), _, _) => Check { finding: Finding::Errored, error: Some(error) },
            (None, Some(status), _) => {
                Check { finding: Finding::Returned(self.status(&status)?), error: None }
            }
            (None, None, Some(finding)) => Check { finding, error: None },
            (None, None, None) if http.is_some() => {
                Check { finding: Finding::Returned(Status::Healthy), error: None }
            }
            (None, None, None) => {
                return Err(Unsupported("the step does not say what the check returns".to_owned()));
            }
        })
    }

    fn takes_too_long(&self, step: &mut Fields, which: &str) -> Result<bool, Unsupported> {
        let says_so = step.flag(&format!("{which}_times_out"))?.unwrap_or(false);
        let takes = step.duration(&format!("{which}_takes"))?;
        Ok(says_so || takes.is_some_and(|takes| takes > self.settings.timeout))
    }

    /// Reads what a step says about things that did not happen.
    fn reads(&self, step: &mut Fields) -> Result<(), Unsupported> {
        for which in ["check", "heal", "recheck"] {
            raised(step, &format!("{which}_raises"))?;
            self.takes_too_long(step, which)?;
            step.take(&format!("{which}_returns"));
        }
        step.whole("http_status")?;
        step.take("providers");
        step.take("uptime_seconds");
        Ok(())
    }

    fn message(&self, said: String, check: &Check) -> String {
        match (check.finding, &check.error) {
            (Finding::TimedOut, _) => {
                format!("Check timed out after {:?}s", self.settings.timeout.as_secs_f64())
            }
            (_, Some(error)) => format!("Check failed: {error}"),
            _ => said,
        }
    }

    /// What there is to be seen of a component.
    pub(super) fn told(&mut self, name: &str, now: Time) -> Result<Seen, Unsupported> {
        let component = self.component(name);
        let health = &component.health;
        let counts = health.counts();
        let mut seen = Seen::new();
        let mut tell = |name: &str, value: Value| seen.insert(name.to_owned(), value);
        let (missed, resting) = (health.missed_in_a_row(), health.resting_until().is_some());
        let circuit = if resting { "open" } else { "closed" };
        tell("status", health.status().as_str().into());
        tell("is_healthy", (health.status() == Status::Healthy).into());
        tell("consecutive_failures", missed.into());
        tell("circuit_state", circuit.into());
        tell("circuit_is_open", resting.into());
        tell("may_check", health.may_check(now).into());
        tell("next_check_ms", (health.next_check().as_nanos() as f64 / 1e6).into());
        for name in ["checks", "check_count", "check_calls"] {
            tell(name, counts.checks.into());
        }
        tell("failures", counts.failures.into());
        for name in ["heal_count", "heal_calls", "heal_attempts"] {
            tell(name, counts.heals.into());
        }
        tell("healed_count", counts.healed.into());
        tell("changes", counts.changes.into());
        tell("last_error", component.last_error.clone().into());
        tell("providers", component.providers.clone().into());
        tell("uptime_seconds", component.uptime_seconds.into());
        tell("skipped", false.into());
        tell("is_running", self.is_running.into());
        seen.extend(self.summary());
        Ok(seen)
    }
}

fn tell(seen: &mut Seen, done: Done) {
    let suffix = match done.note {
        Some(note @ (Note::AutoHealed | Note::HealingFailed)) => note.as_str(),
        _ => "",
    };
    let mut tell = |name: &str, value: Value| seen.insert(name.to_owned(), value);
    for name in ["heal_called", "heal_attempted"] {
        tell(name, done.heal_called.into());
    }
    tell("healed", (done.note == Some(Note::AutoHealed)).into());
    tell("rechecked", done.rechecked.into());
    tell("timed_out", done.timed_out.into());
    tell("message", done.message.into());
    tell("message_suffix", suffix.into());
    tell("error_set", done.error.is_some().into());
    tell("error", done.error.into());
    tell("changed", done.changed.is_some().into());
    tell("previous_status", done.changed.map(|(from, _)| from.as_str()).into());
}

/// An answer that a step writes out, or an error by another name, in the words used here.
fn spell_out(step: &mut Fields) -> Result<(), Unsupported> {
    for name in ["raises", "error", "exception"] {
        step.rename(name, "check_raises");
    }
    for name in ["status_code", "http"] {
        step.rename(name, "http_status");
    }
    step.rename("times_out", "check_times_out");
    if let Some(outcome) = step.any(&["outcome", "result"], Fields::text)? {
        match outcome.as_str() {
            "success" | "ok" => step.put("check_returns", "HEALTHY".into()),
            "timeout" => step.put("check_times_out", true.into()),
            "failure" | "error" | "connect_error" | "connection_error" | "connection_refused" => {
                step.put("check_raises", outcome.into());
            }
            _ => step.put("check_returns", outcome.into()),
        }
    }
    for name in ["returns", "returns_status"] {
        step.rename(name, "check_returns");
    }
    let names = ["response", "body", "health_response"];
    match step.any(&names, |step, name| Ok(step.take(name)))? {
        None => Ok(()),
        Some(Value::Object(mut answer)) => {
            // How long the router has been up is nothing that anybody decides by.
            for (there, here) in [
                ("status", "check_returns"),
                ("providers", "providers"),
                ("uptime_seconds", "uptime_seconds"),
            ] {
                if let Some(value) = answer.remove(there) {
                    step.put(here, value);
                }
            }
            match answer.keys().next() {
                None => Ok(()),
                Some(name) => Err(Unsupported(format!("nobody understands {name:?} of an answer"))),
            }
        }
        Some(other) => Err(Unsupported(format!("{other} is no answer"))),
    }
}

/// What something raises: its text, or just that it does.
pub(super) fn raised(step: &mut Fields, name: &str) -> Result<Option<String>, Unsupported> {
    match step.take(name) {
        None | Some(Value::Bool(false)) => Ok(None),
        Some(Value::Bool(true)) => Ok(Some("error".to_owned())),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(Unsupported(format!("{name} is {other}, not an error"))),
    }
}
