//! Conformance: cases that say how well-known libraries behave, step by step, run against the
//! policies.
//!
//! A case names a kind (`circuit_breaker`), a configuration in the words of the library, steps with
//! their instants, and what must be seen after some of them. Nothing in a case is passed over in
//! silence: a setting, an event or an expectation that nobody here understands makes the case
//! *unsupported*, with the reason. A case can be unsupported, but never half run and called passed.
//!
//! Start at [`run`]; a kind is a `Subject`, and `subject` finds it.

mod breaker;
mod case;
mod fields;
mod health;
mod limit;
mod retry;

use std::{collections::BTreeMap, fmt};

use serde_json::{Map, Number, Value};

pub use case::{Case, CasesError, Expected, Step, parse};
use fields::Fields;

use crate::world::Time;

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything expected was seen.
    Passed,
    /// Something else was seen: each difference in words.
    Failed(Vec<String>),
    /// The case asks for something that the policies do not have.
    Unsupported(String),
}

/// Why a case cannot be run: what in it is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unsupported(String);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What can be seen of a subject after a step, by name.
type Seen = Map<String, Value>;

/// Tells once more what is told under a name, in another way that is as true.
fn also(seen: &mut Seen, name: &str, value: impl Into<Value>) {
    let ways = seen.entry(format!("{name}{ALSO}")).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(ways) = ways {
        ways.push(value.into());
    }
}

/// A policy under test.
trait Subject {
    /// Does what the step says, and tells everything that an expectation may ask about.
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported>;
}

/// Makes the subject of a case.
fn subject(kind: &str, config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    let families = [breaker::subject, retry::subject, limit::subject, health::subject];
    families
        .iter()
        .find_map(|subject| subject(kind, config))
        .unwrap_or_else(|| Err(Unsupported(format!("there is no policy of the kind {kind:?}"))))
}

/// Runs one case.
#[must_use]
pub fn run(case: &Case) -> Verdict {
    match differences(case) {
        Ok(differences) if differences.is_empty() => Verdict::Passed,
        Ok(differences) => Verdict::Failed(differences),
        Err(Unsupported(reason)) => Verdict::Unsupported(reason),
    }
}

/// What a case may say besides what is run: remarks.
const REMARKS: [&str; 10] = [
    "source",
    "notes",
    "note",
    "basis",
    "name",
    "description",
    "title",
    "comment",
    "tags",
    "license",
];

fn differences(case: &Case) -> Result<Vec<String>, Unsupported> {
    if let Some(name) = case.others.keys().find(|name| !REMARKS.contains(&name.as_str())) {
        return Err(Unsupported(format!("nobody understands {name:?} of the case")));
    }
    let mut config = Fields::new("config", case.config.clone());
    let mut subject = subject(&case.kind, &mut config)?;
    config.finish()?;
    let mut expected: BTreeMap<usize, Vec<&Expected>> = BTreeMap::new();
    for it in &case.expect {
        expected.entry(it.after_step).or_default().push(it);
    }
    let mut differences = Vec::new();
    let mut unsupported = None;
    for (number, step) in case.steps.iter().enumerate() {
        let seen = match take(&mut *subject, number, step) {
            Ok(seen) => seen,
            Err(reason) => {
                unsupported = Some(reason);
                break;
            }
        };
        let here = expected.get(&number).into_iter().flatten();
        for (name, wanted) in here.flat_map(|expected| &expected.values) {
            match compare(&seen, name, wanted) {
                Ok(None) => {}
                Ok(Some(difference)) => {
                    differences.push(format!("after step {number}, {difference}"));
                }
                Err(reason) => unsupported = Some(reason),
            }
        }
    }
    // A difference says more than that something else could not be compared.
    match unsupported {
        Some(reason) if differences.is_empty() => Err(reason),
        _ => Ok(differences),
    }
}

fn take(subject: &mut dyn Subject, number: usize, step: &Step) -> Result<Seen, Unsupported> {
    let mut fields = Fields::new(format!("step {number}"), step.fields.clone());
    let seen = subject.step(step.at, &step.event, &mut fields)?;
    fields.finish()?;
    Ok(seen)
}

/// Under a name with this ending a subject lists other ways to say what it tells under that name:
/// cases write a refusal as a word, as the library's error, or as `true`. Each must be as true as
/// what it tells.
const ALSO: &str = " also";

/// How a value must relate to what is wanted under a name with such an ending.
const RELATIONS: [&str; 3] = ["_between", "_at_least", "_at_most"];

/// What differs between what was seen and what was wanted under a name.
fn compare(seen: &Seen, name: &str, wanted: &Value) -> Result<Option<String>, Unsupported> {
    let unknown = || Unsupported(format!("nothing tells {name:?}"));
    if let Some(told) = seen.get(name) {
        let also = seen.get(&format!("{name}{ALSO}")).and_then(Value::as_array);
        let mut ways = also.into_iter().flatten().chain([told]);
        let told = || format!("{name} is {told}, not {wanted}");
        return Ok((!ways.any(|way| same(way, wanted))).then(told));
    }
    let related =
        RELATIONS.iter().find_map(|relation| Some((*relation, name.strip_suffix(relation)?)));
    let (relation, of) = related.ok_or_else(unknown)?;
    let seen = seen.get(of).ok_or_else(unknown)?;
    let (low, high) = match (relation, wanted) {
        ("_between", Value::Array(pair)) => match pair.as_slice() {
            [low, high] => (low.as_f64(), high.as_f64()),
            _ => (None, None),
        },
        ("_at_least", low) => (low.as_f64(), Some(f64::INFINITY)),
        ("_at_most", high) => (Some(f64::NEG_INFINITY), high.as_f64()),
        _ => (None, None),
    };
    let (Some(low), Some(high)) = (low, high) else {
        return Err(Unsupported(format!("{name} cannot be {wanted}")));
    };
    let holds = seen.as_f64().is_some_and(|seen| low <= seen && seen <= high);
    let relation = relation.replace('_', " ");
    Ok((!holds).then(|| format!("{of} is {seen}, not{relation} {wanted}")))
}

/// Whether two values are the same. Numbers with a fraction may differ by what a 32-bit float cannot
/// tell. How a library spells a word (`HALF_OPEN`, `half-open`, `HalfOpen`) is its own.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (whole(a), whole(b)) {
            (Some(a), Some(b)) => a == b,
            _ => match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0),
                _ => false,
            },
        },
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let found = |(name, a): (&String, &Value)| b.get(name).is_some_and(|b| same(a, b));
            a.len() == b.len() && a.iter().all(found)
        }
        (Value::String(a), Value::String(b)) => {
            a == b || matches!((word(a), word(b)), (Some(a), Some(b)) if a == b)
        }
        _ => a == b,
    }
}

fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// A word without what spellings differ in; `None` for any other text.
fn word(text: &str) -> Option<String> {
    let is_word = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphabetic() || b"_-".contains(&byte));
    is_word.then(|| text.replace(['_', '-'], "").to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
