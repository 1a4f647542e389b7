//! Classification, what servers say, hedging, timeouts.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Fields, Seen, Subject, Unsupported,
    read::{
        count, duration, first, flag, headers, ratio, tell, tell_duration, tell_pause, text,
        unknown, whole,
    },
};
use crate::{
    policy::{
        classify::{self, Provider},
        deadline::{Deadline, Timeouts},
        hedge::{Hedge, Latencies, Settings},
        retry_after::{self, Pushback, Rule, Said, Wait, within},
    },
    world::Time,
};

/// Errors and their classes.
struct Classification {
    provider: Option<Provider>,
}

pub(super) fn classification(config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    Ok(Box::new(Classification { provider: provider(config)? }))
}

fn provider(fields: &mut Fields) -> Result<Option<Provider>, Unsupported> {
    let Some(name) = text(fields, &["provider", "dialect"])? else { return Ok(None) };
    // A gateway has all of them behind it.
    if name.eq_ignore_ascii_case("bifrost") {
        return Ok(None);
    }
    let all = [
        Provider::Anthropic,
        Provider::Openai,
        Provider::Generic,
        Provider::Gemini,
        Provider::Bedrock,
    ];
    let found = all.into_iter().find(|provider| provider.as_str() == name.to_ascii_lowercase());
    let found = found.or(match name.to_ascii_lowercase().as_str() {
        "google" | "vertex" => Some(Provider::Gemini),
        "aws" | "aws_bedrock" => Some(Provider::Bedrock),
        "azure" | "azure_openai" => Some(Provider::Openai),
        _ => None,
    });
    found.map(Some).ok_or_else(|| Unsupported(format!("there is no provider {name:?}")))
}

impl Subject for Classification {
    fn step(&mut self, _: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        let network = match event {
            "classify" | "error" | "response" | "failure" => {
                flag(step, &["network_error", "network", "connection_error"])?.unwrap_or(false)
            }
            "connection_error" | "timeout" | "network_error" => true,
            _ => return Err(unknown(event)),
        };
        let said = provider(step)?.or(self.provider);
        let status = whole(step, &["status", "http_status", "status_code"])?;
        let status = status.and_then(|status| u16::try_from(status).ok()).filter(|_| !network);
        let error_type = text(step, &["type", "error_type", "exception"])?.unwrap_or_default();
        // Bedrock names exceptions, Gemini shouts.
        let provider = said.unwrap_or(match error_type.as_str() {
            name if name.ends_with("Exception") => Provider::Bedrock,
            name if !name.is_empty()
                && name.bytes().all(|byte| b"_ABCDEFGHIJKLMNOPQRSTUVWXYZ".contains(&byte)) =>
            {
                Provider::Gemini
            }
            _ => Provider::Generic,
        });
        let code = text(step, &["code", "error_code"])?.unwrap_or_default();
        let message = text(step, &["message", "error_message", "body"])?.unwrap_or_default();
        let class = classify::classify(&classify::Failure {
            provider,
            status,
            error_type: &error_type,
            code: &code,
            message: &message,
        });
        let mut seen = Seen::new();
        tell(&mut seen, &["class", "classification", "category", "kind"], class.as_str());
        tell(&mut seen, &["retry", "retryable", "is_retryable"], class.is_retryable());
        tell(&mut seen, &["fall_back", "fallback", "may_fall_back"], class.may_fall_back());
        let names = ["counts_against_model", "records_failure", "breaker_counts"];
        tell(&mut seen, &names, class.counts_against_model());
        Ok(seen)
    }
}

/// Headers and what a client makes of them.
struct RetryAfter {
    rule: Option<Rule>,
    now: Timestamp,
    own: Duration,
    remaining: Option<Duration>,
}

pub(super) fn retry_after(config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    let rule = match text(config, &["client", "dialect", "library", "rule", "sdk", "gateway"])? {
        None => None,
        Some(name) => Some(match name.to_ascii_lowercase().replace(['-', ' '], "_").as_str() {
            "openai" | "openai_2" | "openai_2.8.0" | "openai_python" | "anthropic"
            | "anthropic_0" | "anthropic_0.75.0" | "anthropic_python" | "sdk" => Rule::SDK_2,
            "openai_3" | "openai_3.x" | "openai_3.52.0" => Rule::OPENAI_3,
            "anthropic_2" | "anthropic_2.11.0" => Rule::ANTHROPIC_2,
            "litellm" => Rule::LITELLM,
            "ccr" => Rule::CCR,
            "portkey" => Rule::PORTKEY,
            "aws" | "aws_2026" | "v2_1" => Rule::AWS_2026,
            "aws_2020" | "v2_0" => Rule::AWS_2020,
            _ => return Err(Unsupported(format!("nobody knows what {name:?} believes"))),
        }),
    };
    let now = start(config)?.unwrap_or(Timestamp::UNIX_EPOCH);
    let own = duration(config, &["own", "backoff", "computed_backoff", "own_backoff"])?;
    let remaining = duration(config, &["remaining", "deadline"])?;
    Ok(Box::new(RetryAfter { rule, now, own: own.unwrap_or_default(), remaining }))
}

/// What the clock shows when a case starts, as a date or in seconds since 1970.
pub(super) fn start(config: &mut Fields) -> Result<Option<Timestamp>, Unsupported> {
    let names = ["now_unix", "now_unix_s", "now_epoch_s", "now_s", "time"];
    if let Some(seconds) = whole(config, &names)? {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        let no = |_| Unsupported(format!("{seconds} is no instant"));
        return Timestamp::from_second(seconds).map(Some).map_err(no);
    }
    instant(config, &["now", "date", "start"])
}

fn instant(fields: &mut Fields, names: &[&str]) -> Result<Option<Timestamp>, Unsupported> {
    let Some(text) = text(fields, names)? else { return Ok(None) };
    let parsed = text.parse().ok().or_else(|| retry_after::http_date(&text, Timestamp::UNIX_EPOCH));
    parsed.map(Some).ok_or_else(|| Unsupported(format!("{text:?} is no instant")))
}

impl Subject for RetryAfter {
    fn step(&mut self, at: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        let now = instant(step, &["now", "date"])?.unwrap_or(self.now + at.since_start());
        let mut sent = headers(step)?;
        if let Some(value) = first(&["header", "value", "text"], |name| step.text(name))? {
            sent.push(("retry-after".to_owned(), value));
        }
        let own = duration(step, &["own", "backoff", "computed_backoff"])?.unwrap_or(self.own);
        let remaining = duration(step, &["remaining", "deadline"])?.or(self.remaining);
        if !matches!(event, "parse" | "header" | "headers" | "response" | "read" | "retry_after") {
            return Err(unknown(event));
        }
        let said = Said::read(&sent, now);
        let asked = said.wait().or(said.x_amz_retry_after);
        let pushback = match said.pushback {
            Some(Pushback::After(wait)) => Some(wait),
            _ => None,
        };
        let stop = said.pushback == Some(Pushback::Stop);
        let decided = match self.rule {
            None => asked.or(pushback).map(Wait::For),
            Some(rule) => Some(rule.apply(asked, own)),
        };
        let wait = match decided {
            Some(Wait::For(wait)) => within(wait, remaining),
            Some(Wait::GiveUp) | None => None,
        };
        let gives_up = stop || decided == Some(Wait::GiveUp) || decided.is_some() && wait.is_none();
        let mut seen = Seen::new();
        tell_pause(&mut seen, wait);
        tell_duration(&mut seen, "asked", asked);
        tell(&mut seen, &["valid", "parsed", "honoured"], asked.or(pushback).is_some());
        tell(&mut seen, &["give_up", "stop"], gives_up);
        tell(&mut seen, &["retry", "allowed"], !gives_up && said.should_retry != Some(false));
        tell(&mut seen, &["should_retry"], said.should_retry.map_or(Value::Null, Value::from));
        Ok(seen)
    }
}

/// Copies of one request.
struct Hedging {
    settings: Settings,
    /// A share of known latencies instead of a fixed delay, in millionths, and how many it needs.
    share: Option<(u32, u64)>,
    latencies: Latencies,
    fatal: Option<Vec<Value>>,
    hedge: Option<Hedge>,
    sent: u32,
}

pub(super) fn hedge(config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    let dialect = text(config, &["dialect", "library"])?.unwrap_or_default();
    let delay = duration(config, &["delay", "hedging_delay", "hedge_delay"])?;
    let names = ["max_hedges", "extra", "max_hedged_attempts", "max_extra"];
    let extra = count(config, &names)?;
    let attempts = count(config, &["max_attempts"])?;
    let percentile = ratio(config, &["percentile", "latency_percentile", "quantile"], 1_000_000)?;
    let least = whole(config, &["min_data_points", "min_samples"])?.unwrap_or(0);
    let period = duration(config, &["period"])?.unwrap_or(Duration::from_secs(60));
    let fatal = match first(&["non_fatal", "non_fatal_status_codes"], |name| Ok(config.take(name)))?
    {
        None => None,
        Some(Value::Array(codes)) => Some(codes),
        Some(other) => return Err(Unsupported(format!("{other} is no list of codes"))),
    };
    let settings = match (attempts, dialect.starts_with("grpc")) {
        (Some(attempts), _) => Settings::grpc(attempts, delay),
        (None, true) => Settings::grpc(extra.unwrap_or(1).saturating_add(1), delay),
        (None, false) => Settings {
            delay: delay.or(Settings::POLLY.delay),
            extra: extra.unwrap_or(Settings::POLLY.extra),
        },
    };
    let share = percentile.map(|ppm| (ppm, least));
    let latencies = Latencies::new(period, Time::ZERO);
    Ok(Box::new(Hedging { settings, share, latencies, fatal, hedge: None, sent: 0 }))
}

impl Subject for Hedging {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        let code = first(&["code", "status"], |name| Ok(step.take(name)))?;
        let pushback = headers(step)?;
        let latency = duration(step, &["latency", "duration"])?;
        // An answer that is an error is one, whatever the step calls it.
        let good = |code: &Value| match code {
            Value::Number(status) => status.as_u64().is_some_and(|status| status < 400),
            Value::String(word) => word.eq_ignore_ascii_case("ok"),
            _ => false,
        };
        let event = match event {
            "answer" | "response" | "result" if code.as_ref().is_some_and(|it| !good(it)) => {
                "failure"
            }
            "result" => "answer",
            _ => event,
        };
        match (event, &mut self.hedge) {
            ("start" | "request" | "call" | "send", hedge) => {
                let settings = match self.share {
                    Some((ppm, least)) => Settings::tower(&mut self.latencies, now, ppm, least),
                    None => self.settings,
                };
                *hedge = Some(Hedge::new(settings, now));
                self.sent = 1;
            }
            ("record" | "latency", _) => self.latencies.record(now, latency.unwrap_or_default()),
            ("observe" | "advance" | "poll" | "tick", _) => {}
            ("failure" | "fail" | "error", Some(hedge)) => {
                let non_fatal = match (&self.fatal, &code) {
                    (Some(codes), Some(code)) => codes.contains(code),
                    _ => true,
                };
                match Said::read(&pushback, Timestamp::UNIX_EPOCH).pushback {
                    Some(Pushback::Stop) => hedge.stop(),
                    _ if !non_fatal => hedge.stop(),
                    Some(Pushback::After(wait)) => hedge.on_pushback(now, wait),
                    None => hedge.on_failure(now),
                }
            }
            ("success" | "answer" | "response" | "done", Some(hedge)) => hedge.stop(),
            _ => return Err(unknown(event)),
        }
        let mut seen = Seen::new();
        let mut now_sent = 0;
        if let Some(hedge) = &mut self.hedge {
            while hedge.send(now) {
                now_sent += 1;
            }
            self.sent += now_sent;
            let next = hedge.next().map(Time::since_start);
            tell_duration(&mut seen, "next", next);
            tell_duration(&mut seen, "next_hedge", next);
            tell(&mut seen, &["left", "hedges_left"], hedge.left());
        }
        tell(&mut seen, &["sent", "attempts", "calls"], self.sent);
        tell(&mut seen, &["hedges", "hedges_sent"], self.sent.saturating_sub(1));
        tell(&mut seen, &["hedged", "hedge", "sends_hedge"], now_sent > 0);
        Ok(seen)
    }
}

/// Timeouts of one attempt.
struct Attempt {
    timeouts: Timeouts,
    deadline: Option<Deadline>,
}

pub(super) fn timeout(config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    let names = ["total", "timeout", "timeout_duration", "request_timeout", "deadline"];
    let total = duration(config, &names)?;
    let first_token = duration(config, &["first_token", "ttft", "first_token_timeout"])?;
    let names = ["between_tokens", "inter_token", "idle", "stream_idle", "idle_timeout", "stall"];
    let between_tokens = duration(config, &names)?;
    let timeouts = Timeouts { total, first_token, between_tokens };
    Ok(Box::new(Attempt { timeouts, deadline: None }))
}

impl Subject for Attempt {
    fn step(&mut self, now: Time, event: &str, _: &mut Fields) -> Result<Seen, Unsupported> {
        if matches!(event, "start" | "request" | "begin" | "call") {
            self.deadline = Some(Deadline::new(self.timeouts, now));
        }
        let mut seen = Seen::new();
        let fired = self.deadline.and_then(|deadline| deadline.fired(now));
        match event {
            "start" | "request" | "begin" | "call" | "observe" | "check" | "advance" => {}
            "token" | "first_token" | "chunk" | "data" | "ping" => {
                if let Some(deadline) = self.deadline.as_mut().filter(|_| fired.is_none()) {
                    deadline.on_token(now);
                }
            }
            "end" | "done" | "success" | "complete" if fired.is_none() => self.deadline = None,
            "end" | "done" | "success" | "complete" => {}
            _ => return Err(unknown(event)),
        }
        tell(&mut seen, &["timed_out", "fired", "expired"], fired.is_some());
        let name = fired.map_or(Value::Null, |fired| Value::from(fired.as_str()));
        tell(&mut seen, &["timeout", "which", "kind"], name);
        let next = self.deadline.and_then(|deadline| deadline.next());
        tell_duration(&mut seen, "next", next.map(|(at, _)| at.since_start()));
        let name = next.map_or(Value::Null, |(_, next)| Value::from(next.as_str()));
        tell(&mut seen, &["next", "next_timeout"], name);
        Ok(seen)
    }
}
