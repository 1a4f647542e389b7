//! Circuit breakers, sliding windows, outlier detection.

mod circuit;
mod condition;
mod config;
mod outlier;
mod seen;
#[cfg(test)]
mod tests;
mod window;

use serde_json::Value;

use super::{Fields, Seen, Subject, Unsupported};

/// Makes the subject of a case, if it is of a kind that is known here.
pub(super) fn subject(
    kind: &str,
    config: &mut Fields,
) -> Option<Result<Box<dyn Subject>, Unsupported>> {
    Some(match kind {
        "circuit_breaker" => circuit::Circuit::new(config).map(boxed),
        "sliding_window" => window::Sliding::new(config).map(boxed),
        "outlier_detection" => outlier::Cluster::new(config).map(boxed),
        _ => return None,
    })
}

fn boxed(subject: impl Subject + 'static) -> Box<dyn Subject> {
    Box::new(subject)
}

/// The first of these names that there is.
fn first<T>(
    fields: &mut Fields,
    names: &[&str],
    mut take: impl FnMut(&mut Fields, &str) -> Result<Option<T>, Unsupported>,
) -> Result<Option<T>, Unsupported> {
    for name in names {
        if let Some(value) = take(fields, name)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// A whole number under one of these names.
fn whole(fields: &mut Fields, names: &[&str]) -> Result<Option<u32>, Unsupported> {
    let found = first(fields, names, Fields::whole)?;
    found.map(|number| narrow(number, names)).transpose()
}

fn narrow(number: u64, names: &[&str]) -> Result<u32, Unsupported> {
    let names = names.join(" or ");
    u32::try_from(number)
        .map_err(|_| Unsupported(format!("{names} is {number}, which is too much")))
}

/// How often a step is to be done.
fn times(step: &mut Fields) -> Result<u32, Unsupported> {
    Ok(whole(step, &["times", "count", "n", "repeat"])?.unwrap_or(1))
}

/// Texts under a name: a list, or one.
fn texts(fields: &mut Fields, name: &str) -> Result<Option<Vec<String>>, Unsupported> {
    let wrong = |value: &Value| Unsupported(format!("{name:?} is {value}, not a list of texts"));
    match fields.take(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(vec![text])),
        Some(Value::Array(values)) => values
            .iter()
            .map(|value| value.as_str().map(str::to_owned).ok_or_else(|| wrong(value)))
            .collect::<Result<_, _>>()
            .map(Some),
        Some(value) => Err(wrong(&value)),
    }
}

/// Tells the same under several names.
fn tell(seen: &mut Seen, names: &[&str], value: impl Into<Value>) {
    let value = value.into();
    for name in names {
        seen.insert((*name).to_owned(), value.clone());
    }
}

/// Other ways to say what is told under these names.
fn also(seen: &mut Seen, names: &[&str], ways: &[Value]) {
    for (name, way) in names.iter().flat_map(|name| ways.iter().map(move |way| (name, way))) {
        super::also(seen, name, way.clone());
    }
}

/// A percentage; `none` of nothing.
fn percent(part: u32, all: u32, none: f64) -> f64 {
    if all == 0 { none } else { f64::from(part) * 100.0 / f64::from(all) }
}
