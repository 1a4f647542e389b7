//! Clients that retry, attempt by attempt or a whole call at once.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Fields, Seen, Subject, Unsupported, backoff, other,
    read::{
        count, duration, first, headers, tell, tell_duration, tell_pause, text, texts, unknown,
    },
};
use crate::{
    policy::{
        Jitter,
        profile::{Client, Decision, Failure, Profile},
        retry_after::{Said, within},
    },
    world::Time,
};

/// A client and what it has done so far.
struct Calls {
    profile: Profile,
    /// Where in its range every pause lies, in millionths.
    place: u32,
    /// The errors that are retried, if only some are, and those that never are.
    retried: Option<Vec<String>>,
    ignored: Vec<String>,
    /// How long a whole call may take.
    limit: Option<Duration>,
    began: Time,
    /// What the clock shows at the start, for dates in headers.
    start: Timestamp,
    attempt: u32,
    sleeps: Vec<Duration>,
    /// Calls that succeeded and failed, each without and with a retry.
    ended: [[u64; 2]; 2],
    total_sleep: Duration,
    total_attempts: u64,
}

pub(super) fn subject(config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    let names = ["sdk", "client", "library", "dialect", "gateway", "profile", "provider"];
    let name = text(config, &names)?;
    let version = text(config, &["version", "sdk_version"])?.unwrap_or_default();
    let known = name.as_deref().and_then(|name| client(name, &version));
    let mut profile = match (&name, known) {
        (_, Some(client)) => Profile::new(client),
        (None, None) => Profile::plain(backoff::base(config)?),
        (Some(name), None) if name.to_ascii_lowercase().starts_with("grpc") => {
            let plain = backoff::base(config)?;
            Profile::plain(crate::policy::Retry::grpc(5, plain.base, 2_000, plain.max))
        }
        (Some(name), None) => {
            let unknown = || Unsupported(format!("nobody knows how {name:?} retries"));
            Profile::plain(crate::policy::Retry::preset(backoff::preset(name).ok_or_else(unknown)?))
        }
    };
    let place = backoff::shape(config, &mut profile.retry)?;
    // The libraries' own tests fix the draw, mostly at nothing.
    let place = match (profile.retry.jitter, place) {
        (Jitter::Scaled { more: 0, .. }, place) => 1_000_000 - place.unwrap_or(0).min(1_000_000),
        (Jitter::Scaled { less, .. }, None) if less > 0 => 500_000,
        (_, place) => place.unwrap_or(0),
    };
    let names = ["retry_errors", "retry_exceptions", "retry_on", "handle_errors"];
    let retried = texts(config, &names)?;
    let names =
        ["ignore_errors", "ignored_errors", "ignore_exceptions", "abort_on", "abort_errors"];
    let ignored = texts(config, &names)?.unwrap_or_default();
    let limit = duration(config, &["deadline", "max_duration", "total_timeout", "budget"])?;
    let start = other::start(config)?.unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(Box::new(Calls {
        profile,
        place,
        retried,
        ignored,
        limit,
        began: Time::ZERO,
        start,
        attempt: 0,
        sleeps: Vec::new(),
        ended: [[0; 2]; 2],
        total_sleep: Duration::ZERO,
        total_attempts: 0,
    }))
}

/// The client of a name and a version, which may be part of the name.
fn client(name: &str, version: &str) -> Option<Client> {
    let name = name.to_ascii_lowercase().replace(['-', '@', ' ', '/'], "_");
    if let Some(client) = Client::parse(&name) {
        return Some(client);
    }
    let digits = |text: &str| {
        let number = text.trim_start_matches('v').split('.').next().unwrap_or_default();
        number.parse::<u32>().ok()
    };
    let major = digits(version).or_else(|| name.split('_').skip(1).find_map(digits));
    match name.split('_').next()? {
        "openai" if major.is_some_and(|major| major >= 3) => Some(Client::Openai3),
        "openai" => Some(Client::Openai2),
        "anthropic" if major.is_some_and(|major| major >= 1) => Some(Client::Anthropic2),
        "anthropic" => Some(Client::Anthropic0),
        "ccr" if major == Some(2) => Some(Client::CcrOff),
        "ccr" if name.contains("chain") => Some(Client::CcrChain),
        "ccr" => Some(Client::CcrRetry),
        "portkey" => Some(Client::Portkey),
        "litellm" => Some(Client::Litellm),
        "bifrost" => Some(Client::Bifrost),
        "tensorzero" => Some(Client::Tensorzero),
        "langchain" => Some(Client::Langchain),
        _ => None,
    }
}

/// What an attempt came to: nothing if it succeeded.
type Outcome = Option<Failed>;

struct Failed {
    failure: Failure,
    /// What the library calls the error, if that matters.
    error: Option<String>,
}

fn outcome(value: &Value) -> Result<Outcome, Unsupported> {
    let failed = |failure| Ok(Some(Failed { failure, error: None }));
    if let Some(status) = value.as_u64() {
        let status = u16::try_from(status).unwrap_or(u16::MAX);
        return if status < 400 { Ok(None) } else { failed(Failure::Status(status)) };
    }
    let Some(text) = value.as_str() else {
        return Err(Unsupported(format!("nobody understands the outcome {value}")));
    };
    match text.to_ascii_lowercase().as_str() {
        "success" | "ok" | "result" => Ok(None),
        "timeout" | "read_timeout" | "timeout_error" => failed(Failure::Timeout),
        "connection_error" | "connect_error" | "connection" | "network" | "network_error"
        | "connection_refused" => failed(Failure::Connection),
        "failure" | "fail" | "error" | "server_error" | "transient" => failed(Failure::Status(500)),
        _ if text.parse::<u16>().is_ok() => outcome(&Value::from(text.parse::<u16>().ok())),
        _ => Ok(Some(Failed { failure: Failure::Status(500), error: Some(text.to_owned()) })),
    }
}

impl Calls {
    fn decide(&self, failed: &Failed, said: &Said, elapsed: Duration) -> Option<Duration> {
        if let Some(error) = &failed.error {
            let listed = |list: &Vec<String>| list.contains(error);
            let retried = self.retried.as_ref().is_none_or(listed);
            if !retried || listed(&self.ignored) {
                return None;
            }
        }
        match self.profile.decide_at(self.attempt, failed.failure, said, self.place) {
            Decision::GiveUp => None,
            Decision::Retry { after } => {
                within(after, self.limit.map(|limit| limit.saturating_sub(elapsed)))
            }
        }
    }

    /// An attempt ended; the pause before the next one.
    fn end(&mut self, now: Time, outcome: &Outcome, said: &Said) -> Option<Duration> {
        self.attempt += 1;
        self.total_attempts += 1;
        if self.attempt == 1 {
            (self.began, self.sleeps) = (now, Vec::new());
        }
        let elapsed = now - self.began;
        let pause = outcome.as_ref().and_then(|failed| self.decide(failed, said, elapsed));
        match pause {
            Some(pause) => {
                self.sleeps.push(pause);
                self.total_sleep += pause;
            }
            None => {
                let (failed, again) = (outcome.is_some(), self.attempt > 1);
                self.ended[usize::from(failed)][usize::from(again)] += 1;
            }
        }
        pause
    }

    fn tell(&mut self, outcome: &Outcome, pause: Option<Duration>) -> Seen {
        let mut seen = Seen::new();
        let retry = pause.is_some();
        tell(&mut seen, &["retry", "retried", "should_retry", "will_retry", "allowed"], retry);
        let given_up = outcome.is_some() && !retry;
        tell(&mut seen, &["give_up", "gave_up", "gives_up", "failed", "exhausted"], given_up);
        tell(&mut seen, &["success", "succeeded"], outcome.is_none());
        let result = match (outcome.is_none(), retry) {
            (true, _) => "success",
            (_, true) => "retry",
            _ => "failure",
        };
        tell(&mut seen, &["outcome", "decision", "result"], result);
        tell_pause(&mut seen, pause);
        let names = ["attempt", "attempts", "attempt_count", "number_of_attempts"];
        tell(&mut seen, &names, self.attempt);
        tell(&mut seen, &["retries", "retry_count"], self.sleeps.len());
        tell(&mut seen, &["total_attempts", "calls", "invocations"], self.total_attempts);
        let millis = |pause: &Duration| pause.as_nanos() as f64 / 1e6;
        let list: Vec<f64> = self.sleeps.iter().map(millis).collect();
        tell(&mut seen, &["sleeps_ms", "delays_ms", "pauses_ms", "waits_ms"], list.clone());
        let seconds: Vec<f64> = list.iter().map(|millis| millis / 1e3).collect();
        tell(&mut seen, &["sleeps_s", "delays_s", "pauses_s", "waits_s", "sleeps"], seconds);
        for name in ["total_sleep", "total_delay", "total_wait", "slept_total"] {
            tell_duration(&mut seen, name, Some(self.total_sleep));
        }
        let [[plain, late], [lost, lost_late]] = self.ended;
        tell(&mut seen, &["successful_without_retry"], plain);
        tell(&mut seen, &["successful_with_retry"], late);
        tell(&mut seen, &["failed_without_retry"], lost);
        tell(&mut seen, &["failed_with_retry"], lost_late);
        if !retry {
            self.attempt = 0;
        }
        seen
    }
}

impl Calls {
    /// How long the SDKs' `_calculate_retry_timeout` says to wait with so many retries left; there
    /// may be fewer than none.
    fn pause_with(
        &mut self,
        remaining: &Value,
        event: &str,
        said: &Said,
    ) -> Result<Seen, Unsupported> {
        let events =
            ["delay", "calculate_retry_timeout", "retry_timeout", "retry_delay", "timeout"];
        let left = remaining.as_i64().filter(|_| events.contains(&event));
        let left = left.ok_or_else(|| unknown(event))?;
        let retries = i64::from(self.profile.retry.attempts) - 1;
        let taken = u32::try_from(retries.saturating_sub(left)).unwrap_or(0);
        let attempts = std::mem::replace(&mut self.profile.retry.attempts, u32::MAX);
        let busy = Failure::Status(429);
        let decision = self.profile.decide_at(taken.saturating_add(1), busy, said, self.place);
        self.profile.retry.attempts = attempts;
        let mut seen = Seen::new();
        let pause = match decision {
            Decision::Retry { after } => Some(after),
            Decision::GiveUp => None,
        };
        tell_pause(&mut seen, pause);
        tell_duration(&mut seen, "timeout", pause);
        tell_duration(&mut seen, "calculated", pause);
        Ok(seen)
    }
}

/// What all attempts of a call come to, if a step says so.
fn outcomes(step: &mut Fields) -> Result<Option<Vec<Value>>, Unsupported> {
    let names = ["responses", "statuses", "outcomes", "results", "attempt_results"];
    match first(&names, |name| Ok(step.take(name)))? {
        None => Ok(None),
        Some(Value::Array(list)) if !list.is_empty() => Ok(Some(list)),
        Some(other) => Err(Unsupported(format!("{other} is no list of outcomes"))),
    }
}

impl Subject for Calls {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        let sent = headers(step)?;
        let said = Said::read(&sent, self.start + now.since_start());
        if let Some(remaining) = step.take("remaining_retries") {
            return self.pause_with(&remaining, event, &said);
        }
        if let Some(list) = outcomes(step)? {
            // The last one goes on for ever.
            let mut list = list.iter();
            let mut last = None;
            let mut at = now;
            self.attempt = 0;
            loop {
                last = list.next().or(last);
                let Some(value) = last else { return Err(unknown(event)) };
                let outcome = outcome(value)?;
                match self.end(at, &outcome, &said) {
                    Some(pause) => at = at + pause,
                    None => return Ok(self.tell(&outcome, None)),
                }
                if self.attempt > 10_000 {
                    return Err(Unsupported("a call that never ends".to_owned()));
                }
            }
        }
        if let Some(attempt) = count(step, &["attempt"])? {
            self.attempt = attempt.saturating_sub(1);
        }
        let names = ["status", "outcome", "result", "code", "error", "response", "exception"];
        let given = first(&names, |name| Ok(step.take(name)))?;
        let known = [
            "attempt_result",
            "attempt",
            "response",
            "result",
            "failure",
            "error",
            "success",
            "status",
            "timeout",
            "connection_error",
            "call",
            "request",
            "fail",
            "ok",
        ];
        // A question about one answer, not about what was before it.
        let asked = matches!(event, "should_retry" | "classify" | "decide");
        if !asked && !known.contains(&event) {
            return Err(unknown(event));
        }
        if asked {
            self.attempt = 0;
        }
        let outcome = outcome(&given.unwrap_or_else(|| Value::from(event)))?;
        let pause = self.end(now, &outcome, &said);
        Ok(self.tell(&outcome, pause))
    }
}
