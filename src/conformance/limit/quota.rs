//! Daily quotas, by workspace.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Fields, Seen, Subject, Unsupported, first_number, first_text, first_whole, id, tell,
    tell_duration, unknown_event,
};
use crate::{
    policy::quota::{Exceeded, Quota, Reservation, Settings, Status},
    world::Time,
};

struct Quotas {
    settings: Settings,
    start: Timestamp,
    workspaces: BTreeMap<String, Workspace>,
}

struct Workspace {
    quota: Quota,
    reservations: BTreeMap<String, Reservation>,
    resets: u64,
    tally: Tally,
}

/// What the CCR's tracker counts beside the tokens.
#[derive(Default)]
struct Tally {
    requests: u64,
    fallbacks: u64,
    by_provider: BTreeMap<String, u64>,
    by_task: BTreeMap<String, u64>,
}

pub(super) fn subject(config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    let mut settings = Settings::default();
    let limits = [
        "daily_token_limit",
        "tokens_per_day",
        "daily_limit",
        "token_limit",
        "limit",
        "daily_tokens",
    ];
    settings.tokens_per_day = first_whole(config, &limits)?.unwrap_or(0);
    settings.requests_per_day = first_whole(config, &["requests_per_day", "daily_request_limit"])?;
    let warn =
        ["warning", "warn", "warning_threshold", "quota_warning_threshold", "warn_threshold"];
    let critical = ["critical", "critical_threshold", "quota_critical_threshold"];
    let percent = |config: &mut Fields, names: &[&str]| -> Result<Option<f64>, Unsupported> {
        Ok(first_number(config, names)?.map(|percent| percent / 100.0))
    };
    if let Some(warn) = first_number(config, &warn)?
        .or(percent(config, &["warning_pct", "warn_pct", "warning_percent"])?)
    {
        settings.warn_ppm = ppm(warn);
    }
    if let Some(critical) =
        first_number(config, &critical)?.or(percent(config, &["critical_pct", "critical_percent"])?)
    {
        settings.critical_ppm = ppm(critical);
    }
    if let Some(zone) =
        first_text(config, &["zone", "timezone", "time_zone", "tz", "reset_timezone"])?
    {
        settings.zone = zone.parse().map_err(|error| Unsupported(format!("{error}")))?;
    }
    let start = first_text(config, &["start", "start_utc", "start_at", "now", "epoch", "t0"])?;
    let start = match start {
        Some(start) => instant(&start)?,
        None => Timestamp::UNIX_EPOCH,
    };
    Ok(Box::new(Quotas { settings, start, workspaces: BTreeMap::new() }))
}

fn ppm(part: f64) -> u32 {
    (part * 1e6).round() as u32
}

fn instant(text: &str) -> Result<Timestamp, Unsupported> {
    text.parse().map_err(|error| Unsupported(format!("{text:?} is no instant: {error}")))
}

fn tokens(step: &mut Fields) -> Result<Option<u64>, Unsupported> {
    let parts = ["input_tokens", "output_tokens", "input", "output"];
    let mut sum = 0;
    for part in parts {
        sum += step.whole(part)?.unwrap_or(0);
    }
    let names = [
        "tokens",
        "used",
        "n",
        "amount",
        "actual",
        "estimated_tokens",
        "total_tokens",
        "actual_tokens",
    ];
    let whole = first_whole(step, &names)?;
    // What was counted beats what was estimated.
    Ok(if sum > 0 { Some(sum) } else { whole })
}

impl Subject for Quotas {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        let utc = match first_text(step, &["utc", "at", "time", "timestamp"])? {
            Some(text) => instant(&text)?,
            None => {
                let nanos = self.start.as_nanosecond() + i128::from(now.as_nanos());
                Timestamp::from_nanosecond(nanos).unwrap_or(Timestamp::MAX)
            }
        };
        let name = first_text(step, &["workspace", "workspace_id", "tenant"])?.unwrap_or_default();
        let workspace = self.workspaces.entry(name).or_insert_with(|| Workspace {
            quota: Quota::new(self.settings.clone(), utc),
            reservations: BTreeMap::new(),
            resets: 0,
            tally: Tally::default(),
        });
        let mut seen = Seen::new();
        workspace.act(utc, event, step, &self.settings, &mut seen)?;
        workspace.tell(utc, self.start, &mut seen);
        Ok(seen)
    }
}

impl Workspace {
    fn act(
        &mut self,
        utc: Timestamp,
        event: &str,
        step: &mut Fields,
        settings: &Settings,
        seen: &mut Seen,
    ) -> Result<(), Unsupported> {
        let missing = || Unsupported(format!("{event:?} says no tokens"));
        match event {
            "observe" | "advance" | "tick" | "status" | "get_quota_status" | "take_reset" => {}
            "set_used" => self.quota.set_used(utc, tokens(step)?.ok_or_else(missing)?),
            "reserve" | "try_reserve" | "admit" => {
                let tokens = tokens(step)?.ok_or_else(missing)?;
                let id = id(step).unwrap_or_default();
                let outcome = self.quota.reserve(utc, tokens);
                tell_outcome(outcome.as_ref().err(), utc, seen);
                if let Ok(reservation) = outcome {
                    tell(seen, &["charged_day"], reservation.day().to_string());
                    self.reservations.insert(id, reservation);
                }
            }
            "settle" | "commit" => {
                let used = tokens(step)?;
                let reservation = self.reservation(id(step))?;
                tell(seen, &["charged_day"], reservation.day().to_string());
                let used = used.unwrap_or(reservation.tokens());
                let settled = self.quota.settle(utc, reservation, used);
                tell(seen, &["excess", "over"], settled.excess);
                tell(
                    seen,
                    &["risen", "alert", "new_level"],
                    settled.risen.map(|level| level.as_str()),
                );
            }
            "release" | "cancel" => {
                let reservation = self.reservation(id(step))?;
                self.quota.release(reservation);
            }
            "record" | "record_request" | "use" | "charge" | "consume" => {
                let tokens = tokens(step)?.unwrap_or(0);
                let times = first_whole(step, &["times", "count"])?.unwrap_or(1);
                let risen = self.quota.charge(utc, tokens.saturating_mul(times));
                tell(seen, &["risen", "alert", "new_level"], risen.map(|level| level.as_str()));
                self.tally.record(step, times)?;
            }
            "request" => {
                let tokens = tokens(step)?.ok_or_else(missing)?;
                let times = first_whole(step, &["times"])?.unwrap_or(1);
                let mut admitted = 0;
                for _ in 0..times {
                    let outcome = self.quota.reserve(utc, tokens);
                    tell_outcome(outcome.as_ref().err(), utc, seen);
                    if let Ok(reservation) = outcome {
                        self.quota.settle(utc, reservation, tokens);
                        admitted += 1;
                    }
                }
                self.tally.record(step, admitted)?;
            }
            "reset" | "reset_daily" | "daily_reset" => {
                self.quota.set_used(utc, 0);
                self.tally = Tally::default();
            }
            "restart" | "crash" => {
                let saved = self.quota.save();
                self.quota = Quota::restore(settings.clone(), &saved, utc)
                    .map_err(|error| Unsupported(error.to_string()))?;
                self.reservations.clear();
            }
            _ => return Err(unknown_event(event)),
        }
        Ok(())
    }

    fn reservation(&mut self, id: Option<String>) -> Result<Reservation, Unsupported> {
        let id = id.unwrap_or_default();
        let unknown = || Unsupported(format!("nothing is reserved as {id:?}"));
        self.reservations.remove(&id).ok_or_else(unknown)
    }

    fn tell(&mut self, utc: Timestamp, start: Timestamp, seen: &mut Seen) {
        let mut ended = Vec::new();
        while let Some(usage) = self.quota.take_reset(utc) {
            ended.push(json!({ "day": usage.day.to_string(), "used": usage.used }));
        }
        self.resets += ended.len() as u64;
        tell(seen, &["reset", "did_reset", "was_reset"], !ended.is_empty());
        let used = ended.last().map_or(Value::Null, |ended| ended["used"].clone());
        tell(seen, &["previous_used", "ended_used"], used);
        tell(seen, &["resets", "reset_count"], self.resets);
        let status = self.quota.status(utc);
        let percentage = status.percentage_bp as f64 / 100.0;
        tell(seen, &["limit", "daily_token_limit"], status.limit);
        tell(seen, &["used", "estimated_tokens", "tokens_used", "total_tokens"], status.used);
        tell(seen, &["reserved", "in_flight_tokens"], status.reserved);
        tell(seen, &["remaining", "tokens_remaining"], status.remaining);
        tell(seen, &["percentage", "percent", "percentage_used", "used_pct"], percentage);
        tell(seen, &["alert_level", "level"], status.level.as_str());
        tell(seen, &["alert_message", "message"], status.message());
        tell(seen, &["exhausted", "quota_exceeded"], exhausted(&status));
        tell(seen, &["unlimited"], status.limit == 0);
        tell(seen, &["requests", "requests_admitted"], status.requests);
        tell(seen, &["reset_at", "resets_at"], status.reset_at.to_string());
        let since = |instant: Timestamp| instant.duration_since(start).as_nanos() as f64 / 1e6;
        tell(seen, &["reset_at_ms"], since(status.reset_at));
        let until = Duration::try_from(status.reset_at.duration_since(utc)).ok();
        tell_duration(seen, &["reset_in", "resets_in"], until);
        tell(seen, &["total_requests"], self.tally.requests);
        tell(seen, &["fallback_count"], self.tally.fallbacks);
        tell(seen, &["requests_by_provider"], json!(self.tally.by_provider));
        tell(seen, &["requests_by_task_type"], json!(self.tally.by_task));
    }
}

fn exhausted(status: &Status) -> bool {
    status.limit != 0 && status.remaining == 0
}

fn tell_outcome(refused: Option<&Exceeded>, utc: Timestamp, seen: &mut Seen) {
    let ok = refused.is_none();
    tell(seen, &["ok", "allowed", "accepted", "granted", "permitted", "admitted", "acquired"], ok);
    tell(seen, &["rejected", "refused", "denied"], !ok);
    tell(seen, &["error", "code"], refused.map(|_| "quota_exceeded"));
    let wait = refused.map(|refused| refused.reset_at.duration_since(utc));
    let wait = wait.and_then(|wait| Duration::try_from(wait).ok());
    tell_duration(seen, &["retry_after"], wait.or(ok.then_some(Duration::ZERO)));
}

impl Tally {
    fn record(&mut self, step: &mut Fields, times: u64) -> Result<(), Unsupported> {
        self.requests += times;
        if let Some(provider) = step.text("provider")? {
            *self.by_provider.entry(provider).or_default() += times;
        }
        if let Some(task) = first_text(step, &["task_type", "task"])? {
            *self.by_task.entry(task).or_default() += times;
        }
        let fallback = step.flag("is_fallback")?.or(step.flag("fallback")?);
        self.fallbacks += if fallback == Some(true) { times } else { 0 };
        Ok(())
    }
}
