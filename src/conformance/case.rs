//! Cases as they are written: a JSON array of objects.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::world::Time;

/// One case.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    /// Its name in the file.
    pub id: String,
    /// Which policy it is about.
    pub kind: String,
    /// How that policy is set up, in the words of the library that the case describes.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// What happens.
    pub steps: Vec<Step>,
    /// What must be seen.
    pub expect: Vec<Expected>,
    /// Everything else that is written: remarks, and perhaps something that nobody here knows.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// One thing that happens.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Step {
    /// When.
    pub at: Time,
    /// What.
    pub event: String,
    /// More about it.
    pub fields: Map<String, Value>,
}

/// What must be seen after a step.
#[derive(Clone, Debug, Deserialize)]
pub struct Expected {
    /// The step, counted from 0.
    pub after_step: usize,
    /// By name.
    #[serde(flatten)]
    pub values: Map<String, Value>,
}

/// The longest name of a broken case that is told, in bytes.
const ID_SHOWN_MAX: usize = 100;

/// Why a file of cases cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CasesError {
    /// It is not JSON, or not an array of cases.
    #[error("not a JSON array of cases: {0}")]
    Malformed(String),
    /// It holds no case.
    #[error("there is no case in it")]
    Empty,
    /// A case contradicts itself.
    #[error("case {id:?}: {problem}")]
    Broken {
        /// The case.
        id: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl TryFrom<Map<String, Value>> for Step {
    type Error = String;

    fn try_from(mut fields: Map<String, Value>) -> Result<Step, String> {
        let at = match fields.remove("at_ms") {
            None => 0.0,
            Some(at) => at.as_f64().ok_or_else(|| format!("at_ms is {at}, not a number"))?,
        };
        // Cases are a few hours long; exact to the nanosecond up to 104 days.
        if !(0.0..=9e9).contains(&at) {
            return Err(format!("at_ms is {at}, not between 0 and 9000000000"));
        }
        let event = match fields.remove("event") {
            Some(Value::String(event)) => event,
            _ => return Err("a step has no event".to_owned()),
        };
        Ok(Step { at: Time::from_nanos((at * 1e6).round() as u64), event, fields })
    }
}

/// Reads a file of cases.
///
/// # Errors
///
/// A [`CasesError`] that says which case is wrong and why.
pub fn parse(text: &str) -> Result<Vec<Case>, CasesError> {
    let cases: Vec<Case> = serde_json::from_str(text)
        .map_err(|error| CasesError::Malformed(format!("{}{error}", first_broken(text))))?;
    if cases.is_empty() {
        return Err(CasesError::Empty);
    }
    let mut ids = BTreeSet::new();
    for case in &cases {
        let broken = |problem: String| CasesError::Broken { id: case.id.clone(), problem };
        if !ids.insert(&case.id) {
            return Err(broken("another case has the same id".to_owned()));
        }
        if case.expect.is_empty() || case.expect.iter().any(|it| it.values.is_empty()) {
            return Err(broken("it expects nothing".to_owned()));
        }
        if let Some(late) = case.expect.iter().find(|it| it.after_step >= case.steps.len()) {
            let (after, steps) = (late.after_step, case.steps.len());
            return Err(broken(format!("it expects something after step {after} of {steps}")));
        }
        if case.steps.windows(2).any(|pair| pair[1].at < pair[0].at) {
            return Err(broken("its steps go back in time".to_owned()));
        }
    }
    Ok(cases)
}

/// Which case of a text is the first that is none; empty if that cannot be said.
fn first_broken(text: &str) -> String {
    let values: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    let is_broken = |value: &Value| Case::deserialize(value).is_err();
    let Some(index) = values.iter().position(is_broken) else { return String::new() };
    let id = values.get(index).and_then(|value| value.get("id")?.as_str());
    let id = id.filter(|id| id.len() <= ID_SHOWN_MAX).map(|id| format!(" ({id:?})"));
    format!("case {}{}: ", index + 1, id.unwrap_or_default())
}
