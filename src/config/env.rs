//! What the environment says: a preset, a configuration in JSON, and the fifteen variables of old.
//!
//! The variables come in as a map. Nothing here reads those of the process.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    names::nearest,
    origin::Origin,
    preset::Preset,
    problem::{Kind, PROBLEMS_MAX, Problem},
    read::{Form, Reading, Speaker, read, read_field_of},
    security,
    source::Source,
    statement::{Says, Statement},
    strategy::Strategy,
};
use crate::config::field::{Field, Value};

/// Names a preset.
pub const PRESET: &str = "RESILIENCE_PRESET";
/// Holds a configuration in JSON, with the keys of a file.
pub const CUSTOM_CONFIG: &str = "RESILIENCE_CUSTOM_CONFIG";

/// What a variable of old is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// One field, for all operations.
    Field(Field),
    /// The strategy of all operations.
    DefaultStrategy,
    /// The strategy of one.
    Strategy(&'static str),
}

/// The variables of old and what they are about.
pub const LEGACY: [(&str, Old); 15] = [
    ("RETRY_MAX_ATTEMPTS", Old::Field(Field::RetryAttempts)),
    ("CIRCUIT_BREAKER_FAILURE_THRESHOLD", Old::Field(Field::CircuitBreakerThreshold)),
    ("CIRCUIT_BREAKER_RECOVERY_TIMEOUT", Old::Field(Field::RecoveryTimeout)),
    ("DEFAULT_RESILIENCE_STRATEGY", Old::DefaultStrategy),
    ("RETRY_MAX_DELAY", Old::Field(Field::MaxDelaySeconds)),
    ("RETRY_EXPONENTIAL_MULTIPLIER", Old::Field(Field::ExponentialMultiplier)),
    ("RETRY_EXPONENTIAL_MIN", Old::Field(Field::ExponentialMin)),
    ("RETRY_EXPONENTIAL_MAX", Old::Field(Field::ExponentialMax)),
    ("RETRY_JITTER_ENABLED", Old::Field(Field::JitterEnabled)),
    ("RETRY_JITTER_MAX", Old::Field(Field::JitterMax)),
    ("SUMMARIZE_RESILIENCE_STRATEGY", Old::Strategy("summarize")),
    ("SENTIMENT_RESILIENCE_STRATEGY", Old::Strategy("sentiment")),
    ("KEY_POINTS_RESILIENCE_STRATEGY", Old::Strategy("key_points")),
    ("QUESTIONS_RESILIENCE_STRATEGY", Old::Strategy("questions")),
    ("QA_RESILIENCE_STRATEGY", Old::Strategy("qa")),
];

/// Reads the variables that are ours; all others are none of our business.
///
/// A variable of old that makes no sense is warned of and skipped, as it always was; one that is a
/// number outside its range is refused, as nobody can have meant it. The two new ones are refused
/// if they are wrong.
#[must_use]
pub fn read_env(variables: &BTreeMap<String, String>) -> Reading {
    let mut reading = Reading::default();
    for (variable, old) in LEGACY {
        if let Some(text) = variables.get(variable) {
            legacy(&mut reading, variable, old, text);
        }
    }
    if let Some(text) = variables.get(PRESET) {
        preset(&mut reading, text);
    }
    if let Some(text) = variables.get(CUSTOM_CONFIG) {
        let custom = read(CUSTOM_CONFIG, text, Form::Json, &Speaker::Env);
        reading.statements.extend(custom.statements);
        reading.problems.extend(custom.problems);
        reading.sources.extend(custom.sources);
    }
    for (variable, text) in variables {
        misspelt(&mut reading, variable, text);
    }
    reading.problems.truncate(PROBLEMS_MAX);
    reading
}

/// Reads `true`, `1`, `yes`, `on` and their opposites, in any case.
#[must_use]
pub fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn legacy(reading: &mut Reading, variable: &str, old: Old, text: &str) {
    if let Some(problem) = security::too_long(variable, text.len()) {
        reading.problems.push(problem);
        return;
    }
    let source = Source::new(variable, text);
    let unseen = security::characters(&source);
    if !unseen.is_empty() {
        reading.problems.extend(unseen);
        return;
    }
    let text = text.trim();
    let says = match old {
        Old::DefaultStrategy | Old::Strategy(_) => {
            match Strategy::parse(&text.to_ascii_lowercase()) {
                Some(strategy) => Ok(Says::Strategy(strategy)),
                None => {
                    let known = Strategy::ALL.map(Strategy::as_str);
                    let meant = nearest(&text.to_ascii_lowercase(), known).unwrap_or("balanced");
                    Err((Kind::Unknown, true, format!("{variable}={meant} would do")))
                }
            }
        }
        Old::Field(Field::JitterEnabled) => match switch(text) {
            Some(on) => Ok(Says::Field(Field::JitterEnabled, Value::Switch(on))),
            None => Err((Kind::Type, true, format!("{variable}=true would do"))),
        },
        Old::Field(field) => match read_field_of(field, text) {
            Ok(value) => Ok(Says::Field(field, value)),
            Err(bad) => Err((bad.kind, bad.kind == Kind::Type, bad.help)),
        },
    };
    match says {
        Ok(says) => {
            let operation = match old {
                Old::Strategy(operation) => Some(Arc::from(operation)),
                _ => None,
            };
            let origin = Origin::Legacy { variable: variable.into() };
            reading.statements.push(Statement { operation, says, origin });
            reading.problems.push(problem(
                &source,
                Kind::Legacy,
                true,
                format!("{variable} is a variable of old"),
                "it holds, but anything newer overrides it",
                &format!("write it into a file, or into {CUSTOM_CONFIG}"),
            ));
        }
        Err((kind, is_skipped, help)) => {
            let what = format!("{variable} is {}", super::tree::clipped(text));
            let why = if is_skipped {
                "it makes no sense there, so it is skipped and what holds otherwise stays"
            } else {
                "it is outside the range of what can be set"
            };
            reading.problems.push(problem(&source, kind, is_skipped, what, why, &help));
        }
    }
    reading.sources.push(source);
}

fn preset(reading: &mut Reading, text: &str) {
    if let Some(problem) = security::too_long(PRESET, text.len()) {
        reading.problems.push(problem);
        return;
    }
    let source = Source::new(PRESET, text);
    match Preset::parse(text.trim()) {
        Some(preset) => {
            let origin = Origin::Env { variable: PRESET.into(), key: None };
            let says = Says::Preset(preset);
            reading.statements.push(Statement { operation: None, says, origin });
        }
        None => {
            let known = Preset::ALL.map(Preset::as_str);
            let help = match nearest(&text.trim().to_lowercase(), known) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("one of `{}` would do", known.join("`, `")),
            };
            let what = format!("{PRESET} is {}", super::tree::clipped(text));
            let why = "there is no such preset";
            reading.problems.push(problem(&source, Kind::Unknown, false, what, why, &help));
        }
    }
    reading.sources.push(source);
}

/// A variable that is nearly one of the two new ones.
fn misspelt(reading: &mut Reading, variable: &str, text: &str) {
    let known = [PRESET, CUSTOM_CONFIG];
    if variable.len() > 64 || known.contains(&variable) {
        return;
    }
    let near = |known: &&str| strsim::damerau_levenshtein(known, variable) <= 2;
    if let Some(meant) = known.into_iter().find(near) {
        let source = Source::new(variable, if text.len() > 256 { "" } else { text });
        reading.problems.push(problem(
            &source,
            Kind::Unknown,
            true,
            format!("nobody reads {}", super::tree::clip(variable)),
            "a setting that nobody reads does not hold",
            &format!("did you mean {meant}?"),
        ));
    }
}

fn problem(
    source: &Source,
    kind: Kind,
    is_warning: bool,
    what: String,
    why: &str,
    help: &str,
) -> Problem {
    Problem {
        kind,
        is_warning,
        key: source.name().to_owned(),
        what,
        why: why.to_owned(),
        help: help.to_owned(),
        source: source.clone(),
        place: 0..source.text().len(),
    }
}
