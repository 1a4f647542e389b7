//! Conformance: cases that say how well-known libraries behave, step by step, run against the
//! policies.
//!
//! A case names a kind (`circuit_breaker`), a configuration in the words of the library, steps with
//! their instants, and what must be seen after some of them. Nothing in a case is passed over in
//! silence: a setting, an event or an expectation that nobody here understands makes the case
//! *unsupported*, with the reason. A case can be unsupported, but never half run and called passed.
//!
//! Start at [`run`]; a kind is a [`Subject`], and `subject` finds it.

mod breaker;
mod case;
mod fields;
mod health;
mod limit;
mod retry;

use std::fmt;

use serde_json::{Map, Value};

pub use case::{Case, CasesError, parse};
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

fn differences(case: &Case) -> Result<Vec<String>, Unsupported> {
    let mut config = Fields::new("config", case.config.clone());
    let mut subject = subject(&case.kind, &mut config)?;
    config.finish()?;
    let mut differences = Vec::new();
    let mut unsupported = None;
    for (number, step) in case.steps.iter().enumerate() {
        let mut fields = Fields::new(format!("step {number}"), step.fields.clone());
        let seen = subject.step(step.at, &step.event, &mut fields)?;
        fields.finish()?;
        for expected in case.expect.iter().filter(|expected| expected.after_step == number) {
            for (name, wanted) in &expected.values {
                match compare(&seen, name, wanted) {
                    Ok(None) => {}
                    Ok(Some(difference)) => {
                        differences.push(format!("after step {number}, {difference}"));
                    }
                    Err(reason) => unsupported = Some(reason),
                }
            }
        }
    }
    // A difference says more than that something else could not be compared.
    match unsupported {
        Some(reason) if differences.is_empty() => Err(reason),
        _ => Ok(differences),
    }
}

/// What differs between what was seen and what was wanted under a name.
fn compare(seen: &Seen, name: &str, wanted: &Value) -> Result<Option<String>, Unsupported> {
    let see = |name: &str| {
        let unknown = || Unsupported(format!("nothing tells {name:?}"));
        seen.get(name).ok_or_else(unknown)
    };
    if let Some(name) = name.strip_suffix("_between") {
        let seen = see(name)?;
        let range = wanted.as_array().map(Vec::as_slice);
        let Some([Value::Number(low), Value::Number(high)]) = range else {
            return Err(Unsupported(format!("{name}_between is not a pair of numbers")));
        };
        let holds = match (seen.as_f64(), low.as_f64(), high.as_f64()) {
            (Some(seen), Some(low), Some(high)) => low <= seen && seen <= high,
            _ => false,
        };
        return Ok((!holds).then(|| format!("{name} is {seen}, not between {low} and {high}")));
    }
    let seen = see(name)?;
    Ok((!same(seen, wanted)).then(|| format!("{name} is {seen}, not {wanted}")))
}

/// Whether two values are the same; numbers may differ by what a 32-bit float cannot tell.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0),
            _ => false,
        },
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        _ => a == b,
    }
}
