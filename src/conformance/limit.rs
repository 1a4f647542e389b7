//! Rate limits, meters, bulkheads and quotas.

mod agents;
mod bulkhead;
mod meter;
mod quota;
mod rate;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::{Value, json};

use super::{Fields, Seen, Subject, Unsupported, also};

/// Makes the subject of a case, if it is of a kind that is known here.
pub(super) fn subject(
    kind: &str,
    config: &mut Fields,
) -> Option<Result<Box<dyn Subject>, Unsupported>> {
    Some(match kind {
        "rate_limiter" | "rate_limit" | "limiter" => rate::subject(config),
        "agent_type_rate_limit" => agents::subject(config),
        "bulkhead" | "concurrency_limit" | "concurrency_limiter" => bulkhead::subject(config),
        "quota" | "daily_quota" => quota::subject(config),
        "meter" | "meters" | "token_meter" | "token_meters" | "model_meters" => {
            meter::subject(config)
        }
        _ => return None,
    })
}

/// Puts a value under each of these names.
fn tell(seen: &mut Seen, names: &[&str], value: impl Into<Value>) {
    let value = value.into();
    for name in names {
        seen.insert((*name).to_owned(), value.clone());
    }
}

/// Tells a duration under `<name>_ms`, `<name>_s`, `<name>_ns`; -1 if there is none.
fn tell_duration(seen: &mut Seen, names: &[&str], duration: Option<Duration>) {
    let nanos = duration.map_or(-1.0, |duration| duration.as_nanos() as f64);
    for name in names {
        for (unit, size) in [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9)] {
            let value = if duration.is_some() { nanos / size } else { -1.0 };
            seen.insert(format!("{name}_{unit}"), json!(value));
        }
    }
}

/// The first whole number there is under one of these names.
fn first_whole(fields: &mut Fields, names: &[&str]) -> Result<Option<u64>, Unsupported> {
    names.iter().find_map(|name| fields.whole(name).transpose()).transpose()
}

/// The first number there is under one of these names.
fn first_number(fields: &mut Fields, names: &[&str]) -> Result<Option<f64>, Unsupported> {
    names.iter().find_map(|name| fields.number(name).transpose()).transpose()
}

/// The first duration there is under one of these names and a unit.
fn first_duration(fields: &mut Fields, names: &[&str]) -> Result<Option<Duration>, Unsupported> {
    names.iter().find_map(|name| fields.duration(name).transpose()).transpose()
}

/// The first text there is under one of these names.
fn first_text(fields: &mut Fields, names: &[&str]) -> Result<Option<String>, Unsupported> {
    names.iter().find_map(|name| fields.text(name).transpose()).transpose()
}

/// An id, which may be a text or a number.
fn id(fields: &mut Fields) -> Option<String> {
    ["id", "caller", "request", "request_id", "reservation", "name"].iter().find_map(|name| {
        fields.take(name).map(|value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        })
    })
}

fn unknown_event(event: &str) -> Unsupported {
    Unsupported(format!("there is no event {event:?}"))
}
