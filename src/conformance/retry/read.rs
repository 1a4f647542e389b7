//! Reading settings that have several names, and telling results under several.

use std::time::Duration;

use serde_json::Value;

use super::{Fields, Seen, Unsupported};

/// The first of these names that is given. A second one is left, and so makes the case
/// unsupported.
pub(super) fn first<T>(
    names: &[&str],
    mut read: impl FnMut(&str) -> Result<Option<T>, Unsupported>,
) -> Result<Option<T>, Unsupported> {
    for name in names {
        if let Some(value) = read(name)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

pub(super) fn text(fields: &mut Fields, names: &[&str]) -> Result<Option<String>, Unsupported> {
    first(names, |name| fields.text(name))
}

pub(super) fn whole(fields: &mut Fields, names: &[&str]) -> Result<Option<u64>, Unsupported> {
    first(names, |name| fields.whole(name))
}

pub(super) fn flag(fields: &mut Fields, names: &[&str]) -> Result<Option<bool>, Unsupported> {
    first(names, |name| fields.flag(name))
}

pub(super) fn duration(
    fields: &mut Fields,
    names: &[&str],
) -> Result<Option<Duration>, Unsupported> {
    first(names, |name| fields.duration(name))
}

/// A whole number that fits.
pub(super) fn count(fields: &mut Fields, names: &[&str]) -> Result<Option<u32>, Unsupported> {
    whole(fields, names)?.map(|number| small(number, names)).transpose()
}

fn small(number: u64, names: &[&str]) -> Result<u32, Unsupported> {
    u32::try_from(number).map_err(|_| Unsupported(format!("{names:?} is {number}, too large")))
}

/// A number in millionths or thousandths.
pub(super) fn ratio(
    fields: &mut Fields,
    names: &[&str],
    parts: u32,
) -> Result<Option<u32>, Unsupported> {
    let Some(number) = first(names, |name| fields.number(name))? else { return Ok(None) };
    let scaled = (number * f64::from(parts)).round();
    // A millionth is as fine as numbers are compared.
    let exact = parts == 1_000_000 || (scaled - number * f64::from(parts)).abs() < 1e-3;
    if (0.0..=f64::from(u32::MAX)).contains(&scaled) && exact {
        return Ok(Some(scaled as u32));
    }
    Err(Unsupported(format!("{names:?} is {number}, which is not kept exactly")))
}

/// A list of texts, or one of them.
pub(super) fn texts(
    fields: &mut Fields,
    names: &[&str],
) -> Result<Option<Vec<String>>, Unsupported> {
    let value = first(names, |name| Ok(fields.take(name)))?;
    let item = |value: Value| match value {
        Value::String(text) => Ok(text),
        other => Err(Unsupported(format!("{other} in {names:?} is not a text"))),
    };
    match value {
        None => Ok(None),
        Some(Value::Array(values)) => {
            values.into_iter().map(item).collect::<Result<_, _>>().map(Some)
        }
        Some(value) => Ok(Some(vec![item(value)?])),
    }
}

/// Headers: an object of names and values.
pub(super) fn headers(fields: &mut Fields) -> Result<Vec<(String, String)>, Unsupported> {
    let mut headers = Vec::new();
    let pair = |name: String, value: Value| match value {
        Value::String(text) => Ok((name, text)),
        Value::Number(number) => Ok((name, number.to_string())),
        Value::Bool(flag) => Ok((name, flag.to_string())),
        other => Err(Unsupported(format!("the header {name} is {other}"))),
    };
    match first(&["headers", "response_headers"], |name| Ok(fields.take(name)))? {
        None => {}
        Some(Value::Object(given)) => {
            for (name, value) in given {
                headers.push(pair(name, value)?);
            }
        }
        Some(other) => return Err(Unsupported(format!("headers are {other}, not an object"))),
    }
    let direct = [
        ("retry_after", "retry-after"),
        ("retry-after", "retry-after"),
        ("retry_after_s", "retry-after"),
        ("retry_after_header", "retry-after"),
        ("retry_after_ms", "retry-after-ms"),
        ("retry-after-ms", "retry-after-ms"),
        ("x_should_retry", "x-should-retry"),
        ("x-should-retry", "x-should-retry"),
        ("should_retry", "x-should-retry"),
        ("pushback_ms", "grpc-retry-pushback-ms"),
        ("pushback", "grpc-retry-pushback-ms"),
        ("grpc_retry_pushback_ms", "grpc-retry-pushback-ms"),
        ("x_amz_retry_after", "x-amz-retry-after"),
        ("x_amz_retry_after_ms", "x-amz-retry-after"),
    ];
    for (field, header) in direct {
        if let Some(value) = fields.take(field) {
            headers.push(pair(header.to_owned(), value)?);
        }
    }
    Ok(headers)
}

/// Tells a value under each of these names.
pub(super) fn tell(seen: &mut Seen, names: &[&str], value: impl Into<Value>) {
    let value = value.into();
    for name in names {
        seen.insert((*name).to_owned(), value.clone());
    }
}

/// Tells a pause, or that there is none.
pub(super) fn tell_pause(seen: &mut Seen, pause: Option<Duration>) {
    for name in ["delay", "wait", "sleep", "slept", "pause", "backoff", "interval", "retry_after"] {
        tell_duration(seen, name, pause);
    }
}

/// Tells a duration as `<name>_ms` and `<name>_s`.
pub(super) fn tell_duration(seen: &mut Seen, name: &str, duration: Option<Duration>) {
    let seconds = duration.map(|duration| duration.as_nanos() as f64 / 1e9);
    seen.insert(format!("{name}_s"), seconds.into());
    seen.insert(format!("{name}_ms"), seconds.map(|seconds| seconds * 1e3).into());
}

/// An event nobody knows.
pub(super) fn unknown(event: &str) -> Unsupported {
    Unsupported(format!("nobody understands the event {event:?}"))
}
