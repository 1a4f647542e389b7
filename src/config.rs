//! The stack's own configuration: how often an operation is retried, how long it waits, when its
//! breaker opens, and where each of these numbers came from.
//!
//! Pure: texts and variables come in as arguments. Nothing here opens a file, reads the process's
//! environment or looks at a clock, and nothing here knows of actors.
//!
//! Start at [`Config`], what is in force, and at [`Layers`], which makes it of texts and keeps it
//! when a text is refused. [`strategy`] and [`preset`] have the numbers, [`apply`] says what they
//! mean to the policies, [`read()`] what a text may be.

pub mod apply;
pub mod audit;
mod check;
pub mod detect;
pub mod env;
pub mod field;
#[cfg(feature = "cli")]
pub mod import;
mod layers;
pub mod migrate;
pub mod monitor;
pub(crate) mod names;
mod number;
pub mod origin;
pub mod preset;
pub mod problem;
pub mod rate;
pub mod read;
mod schema;
pub mod security;
pub mod source;
pub mod statement;
pub mod strategy;
mod tree;
pub mod verify;

use std::{collections::BTreeMap, sync::Arc};

pub use field::{Field, Value};
pub use layers::Layers;
pub use origin::{Layer, Origin};
pub use preset::{Preset, Template};
pub use problem::{Kind, Problem, Refused};
pub use read::{Form, Reading, Speaker, read};
pub use schema::{schema, schema_text};
pub use statement::{Says, Statement};
pub use strategy::{Strategy, Tuning};

/// The most operations that a configuration may know: the source project's limit for the members
/// of an object.
pub const OPERATIONS_MAX: usize = 50;

/// The longest name of an operation, in bytes: the source project's limit for the name of a preset.
pub const NAME_LEN_MAX: usize = 50;

/// What is in force: for each operation a [`Tuning`], and for each of its values where it came from.
///
/// What is said of an operation beats what is said of all, whatever says it; of two that say
/// something of the same thing, the later layer counts. A strategy is a whole row of values, and
/// what the same layer says of single values comes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    preset: Option<(Preset, Origin)>,
    default: Scope,
    operations: BTreeMap<Arc<str>, Scope>,
}

impl Default for Config {
    fn default() -> Self {
        Config::new([])
    }
}

/// What holds for one operation, or for all that nothing is said of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    tuning: Tuning,
    strategy: Option<(Strategy, Origin)>,
    /// In the order in which it was said; of each field the last counts.
    said: Vec<Said>,
}

/// One value of one field, and who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The field.
    pub field: Field,
    /// Its value.
    pub value: Value,
    /// Who said so.
    pub origin: Origin,
}

/// Why an operation cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The name is none.
    #[error(
        "the name of an operation is 1 to {NAME_LEN_MAX} of a-z, 0-9, `_`, `.` and `-`, as in `qa`"
    )]
    Name,
    /// There are as many as there may be.
    #[error("{OPERATIONS_MAX} operations are known already, and there may be no more")]
    Full,
}

/// Whether a name can be that of an operation.
#[must_use]
pub fn is_operation_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b);
    (1..=NAME_LEN_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

impl Config {
    /// What comes of these statements, in whatever order they are given. Names that cannot be those
    /// of operations, and operations that would be too many, are left out; whoever makes statements
    /// has checked them.
    #[must_use]
    pub fn new(statements: impl IntoIterator<Item = Statement>) -> Config {
        let mut statements: Vec<Statement> = statements.into_iter().collect();
        // Stable: within a layer what is said later counts, but strategies come first.
        statements.sort_by_key(|it| (it.origin.order(), it.says.rank()));
        let chosen = statements.iter().rev().find_map(|it| match it.says {
            Says::Preset(preset) => Some((preset, it.origin.clone())),
            _ => None,
        });
        let mut config =
            Config { preset: chosen.clone(), default: Scope::base(), operations: BTreeMap::new() };
        if let Some((preset, _)) = chosen {
            let origin = Origin::Preset(preset);
            let strategy = (preset.strategy(), origin.clone());
            config.default.row(&preset.tuning(), strategy);
        }
        for statement in statements.iter().filter(|it| it.operation.is_none()) {
            config.default.hear(statement);
        }
        if let Some((preset, _)) = chosen {
            for (operation, strategy) in preset.overrides() {
                if let Ok(scope) = config.scope_of(operation) {
                    scope.row(&strategy.tuning(), (*strategy, Origin::Preset(preset)));
                }
            }
        }
        for statement in &statements {
            if let Some(operation) = &statement.operation
                && let Ok(scope) = config.scope_of(operation)
            {
                scope.hear(statement);
            }
        }
        config
    }

    /// A preset as it is.
    #[must_use]
    pub fn preset(preset: Preset) -> Config {
        let origin = Origin::Preset(preset);
        Config::new([Statement { operation: None, says: Says::Preset(preset), origin }])
    }

    /// The preset that it is built on, and who chose it.
    #[must_use]
    pub fn chosen_preset(&self) -> Option<(Preset, &Origin)> {
        self.preset.as_ref().map(|(preset, origin)| (*preset, origin))
    }

    /// What holds for an operation. One that nobody has heard of has what holds for all.
    #[must_use]
    pub fn operation(&self, name: &str) -> &Tuning {
        self.scope(name).tuning()
    }

    /// The same, with where each value came from.
    #[must_use]
    pub fn scope(&self, name: &str) -> &Scope {
        self.operations.get(name).unwrap_or(&self.default)
    }

    /// What holds for operations that nothing is said of.
    #[must_use]
    pub fn default_scope(&self) -> &Scope {
        &self.default
    }

    /// The operations that something is said of or that were registered, by name.
    pub fn operations(&self) -> impl Iterator<Item = (&str, &Scope)> {
        self.operations.iter().map(|(name, scope)| (&**name, scope))
    }

    /// Makes an operation known, with its own strategy if there is one and what holds for all if
    /// not. What a known operation has is kept, but for the strategy that is given now.
    ///
    /// # Errors
    ///
    /// If the name is none, or if there are too many operations.
    pub fn register(
        &mut self,
        name: &str,
        strategy: Option<Strategy>,
        origin: Origin,
    ) -> Result<(), RegisterError> {
        let scope = self.scope_of(name)?;
        if let Some(strategy) = strategy {
            scope.row(&strategy.tuning(), (strategy, origin));
        }
        Ok(())
    }

    /// The scope of an operation, which is made of what holds for all if there is none yet.
    fn scope_of(&mut self, name: &str) -> Result<&mut Scope, RegisterError> {
        if !is_operation_name(name) {
            return Err(RegisterError::Name);
        }
        if !self.operations.contains_key(name) && self.operations.len() >= OPERATIONS_MAX {
            return Err(RegisterError::Full);
        }
        let default = &self.default;
        Ok(self.operations.entry(name.into()).or_insert_with(|| default.clone()))
    }
}

impl Scope {
    /// What holds if nobody says anything.
    fn base() -> Scope {
        let mut scope = Scope { tuning: Tuning::default(), strategy: None, said: Vec::new() };
        for field in Field::ALL {
            scope.say(field, field.of(&Tuning::default()), Origin::Default);
        }
        scope
    }

    /// What holds.
    #[must_use]
    pub fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    /// The last strategy that was named, and by whom. Single values may differ from it.
    #[must_use]
    pub fn strategy(&self) -> Option<(Strategy, &Origin)> {
        self.strategy.as_ref().map(|(strategy, origin)| (*strategy, origin))
    }

    /// Everything that was said of a field: what holds is last, what it overrode before it.
    pub fn why(&self, field: Field) -> impl DoubleEndedIterator<Item = &Said> {
        self.said.iter().filter(move |said| said.field == field)
    }

    fn hear(&mut self, statement: &Statement) {
        match statement.says {
            // Chosen before anything is applied.
            Says::Preset(_) | Says::Known => {}
            Says::Strategy(strategy) => {
                self.row(&strategy.tuning(), (strategy, statement.origin.clone()));
            }
            Says::Field(field, value) => self.say(field, value, statement.origin.clone()),
        }
    }

    /// Takes a whole row of values.
    fn row(&mut self, tuning: &Tuning, strategy: (Strategy, Origin)) {
        for field in Field::ALL {
            self.say(field, field.of(tuning), strategy.1.clone());
        }
        self.strategy = Some(strategy);
    }

    fn say(&mut self, field: Field, value: Value, origin: Origin) {
        self.said.push(Said { field, value, origin });
        let tuning = &mut self.tuning;
        match (field, value) {
            (Field::RetryAttempts, Value::Count(count)) => tuning.attempts = count,
            (Field::CircuitBreakerThreshold, Value::Count(count)) => {
                tuning.failure_threshold = count;
            }
            (Field::HalfOpenMaxCalls, Value::Count(count)) => tuning.half_open_calls = count,
            (Field::RecoveryTimeout, Value::Span(span)) => tuning.recovery = span,
            (Field::MaxDelaySeconds, Value::Span(span)) => tuning.max_delay = span,
            (Field::ExponentialMin, Value::Span(span)) => tuning.exp_min = span,
            (Field::ExponentialMax, Value::Span(span)) => tuning.exp_max = span,
            (Field::ExponentialMultiplier, Value::Permille(permille)) => {
                tuning.multiplier = permille;
            }
            (Field::JitterEnabled | Field::JitterMax, _) => {
                let last = |field| self.why(field).next_back().map(|said| said.value);
                let jitter = match (last(Field::JitterEnabled), last(Field::JitterMax)) {
                    (Some(Value::Switch(false)), _) => None,
                    (_, Some(Value::Span(longest))) => Some(longest),
                    _ => self.tuning.jitter,
                };
                self.tuning.jitter = jitter;
            }
            // No reader makes a value of another kind than its field has.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
