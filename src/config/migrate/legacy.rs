//! The fifteen variables of old, and what they said.
//!
//! Unlike the reader of today's environment this one takes values outside today's ranges: they are
//! what the old configuration did. A value that cannot be read is skipped and listed, as the source
//! project did with a warning. A listed value is never shown.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::super::{
    Config, Says, Statement,
    env::{LEGACY, Old, switch},
    field::{Field, Value},
    number::{Number, number},
    origin::Origin,
    strategy::Strategy,
};

/// The longest value that is looked at, in bytes.
const VALUE_BYTES_MAX: usize = 200;

/// The longest name of a variable that is compared with those that are read, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A variable whose value could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Which.
    pub variable: &'static str,
    /// What is wrong with its value, and what would have been right.
    pub why: &'static str,
}

/// What the variables said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Legacy {
    statements: Vec<Statement>,
    /// Values that could not be read.
    pub skipped: Vec<Skipped>,
    /// Variables that nobody reads, each with the one that it nearly is and that is not there.
    pub misspelt: Vec<(String, &'static str)>,
}

impl Legacy {
    /// Reads the variables that are there. Of others only the name is looked at.
    #[must_use]
    pub fn read(variables: &BTreeMap<String, String>) -> Legacy {
        let mut legacy = Legacy::default();
        for (variable, old) in LEGACY {
            let Some(text) = variables.get(variable) else { continue };
            match says(old, text.trim()) {
                Ok(says) => {
                    let operation = match old {
                        Old::Strategy(name) => Some(Arc::from(name)),
                        Old::Field(_) | Old::DefaultStrategy => None,
                    };
                    let origin = Origin::Legacy { variable: variable.into() };
                    legacy.statements.push(Statement { operation, says, origin });
                }
                Err(why) => legacy.skipped.push(Skipped { variable, why }),
            }
        }
        let near = variables.keys().filter_map(|name| Some((name.clone(), misspelt(name)?)));
        let near = near.filter(|(_, meant)| !variables.contains_key(*meant));
        legacy.misspelt = near.take(LEGACY.len()).collect();
        legacy
    }

    /// What variables of old say among other things.
    pub(in crate::config) fn of(statements: &[Statement]) -> Legacy {
        let is_old = |it: &&Statement| matches!(it.origin, Origin::Legacy { .. });
        let statements = statements.iter().filter(is_old).cloned().collect();
        Legacy { statements, ..Legacy::default() }
    }

    /// What it comes to.
    #[must_use]
    pub fn config(&self) -> Config {
        Config::new(self.statements.iter().cloned())
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// The variables that were read.
    pub fn detected(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter()
    }

    /// What was said of a field for all operations.
    #[must_use]
    pub fn field(&self, wanted: Field) -> Option<Value> {
        self.statements.iter().find_map(|it| match it.says {
            Says::Field(field, value) if field == wanted => Some(value),
            _ => None,
        })
    }

    /// The strategy of all operations.
    #[must_use]
    pub fn strategy(&self) -> Option<Strategy> {
        self.strategies().find(|(operation, _)| operation.is_none()).map(|(_, strategy)| strategy)
    }

    /// The strategy of one operation.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<Strategy> {
        self.overrides().find(|(operation, _)| *operation == name).map(|(_, strategy)| strategy)
    }

    /// The operations that have a strategy of their own.
    pub fn overrides(&self) -> impl Iterator<Item = (&str, Strategy)> {
        self.strategies().filter_map(|(operation, strategy)| Some((operation?, strategy)))
    }

    fn strategies(&self) -> impl Iterator<Item = (Option<&str>, Strategy)> {
        self.statements.iter().filter_map(|it| match it.says {
            Says::Strategy(strategy) => Some((it.operation.as_deref(), strategy)),
            _ => None,
        })
    }
}

/// The variable of old that a name nearly is.
fn misspelt(name: &str) -> Option<&'static str> {
    let known = LEGACY.iter().map(|(known, _)| *known);
    if name.len() > NAME_BYTES_MAX || known.clone().any(|known| known == name) {
        return None;
    }
    let near = known.map(|known| (strsim::damerau_levenshtein(known, name), known)).min()?;
    (near.0 <= 2).then_some(near.1)
}

fn says(old: Old, text: &str) -> Result<Says, &'static str> {
    if text.len() > VALUE_BYTES_MAX {
        return Err("it is too long to be anything that could be meant");
    }
    match old {
        Old::Field(field) => Ok(Says::Field(field, value(field, text)?)),
        Old::DefaultStrategy | Old::Strategy(_) => {
            let strategy = Strategy::parse(&text.to_ascii_lowercase());
            let strategy =
                strategy.ok_or("write aggressive, balanced, conservative or critical")?;
            Ok(Says::Strategy(strategy))
        }
    }
}

fn value(field: Field, text: &str) -> Result<Value, &'static str> {
    match field {
        Field::JitterEnabled => switch(text).map(Value::Switch).ok_or("write true or false"),
        // Whole numbers of old could not be written with a point.
        Field::RetryAttempts | Field::CircuitBreakerThreshold | Field::HalfOpenMaxCalls => {
            Ok(Value::Count(whole(text)?))
        }
        Field::RecoveryTimeout | Field::MaxDelaySeconds => {
            Ok(Value::Span(Duration::from_secs(whole(text)?.into())))
        }
        Field::ExponentialMultiplier => {
            let permille = u32::try_from(thousandths(text)?).map_err(|_| HUGE)?;
            Ok(Value::Permille(permille))
        }
        Field::ExponentialMin | Field::ExponentialMax | Field::JitterMax => {
            let millis = thousandths(text)?;
            Ok(Value::Span(Duration::from_millis(u32::try_from(millis).map_err(|_| HUGE)?.into())))
        }
    }
}

const NOT_WHOLE: &str = "it is not a whole number from 1, such as 5";
const HUGE: &str = "it is larger than anything that could be meant";

fn whole(text: &str) -> Result<u32, &'static str> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NOT_WHOLE);
    }
    match digits.parse() {
        Ok(0) => Err(NOT_WHOLE),
        Ok(whole) => Ok(whole),
        Err(_) => Err(HUGE),
    }
}

fn thousandths(text: &str) -> Result<u64, &'static str> {
    match number(text) {
        Number::Thousandths(0) | Number::Negative | Number::Other => {
            Err("it is not a number above 0, such as 2 or 0.5")
        }
        Number::Thousandths(thousandths) => Ok(thousandths),
        Number::TooFine => Err("it is finer than a thousandth"),
        Number::Huge | Number::NotFinite => Err(HUGE),
    }
}
