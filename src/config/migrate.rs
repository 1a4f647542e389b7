//! From the fifteen variables of old to a preset and what differs from it.
//!
//! The nearest preset is found by the source project's score. What differs is then said in full, so
//! that the new configuration decides as the old one did; where that cannot be said, because a value
//! is outside the range that it may have now, the confidence is never high. Whether both really
//! decide alike is shown by [`verify`](super::verify), not believed.
//!
//! Variables come in as arguments: nothing here reads the process's environment. Start at
//! [`Migration::new`].

mod legacy;
mod score;
#[cfg(test)]
mod tests;
mod text;
mod write;

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Config, Layers, Refused, Says, Statement,
    env::{CUSTOM_CONFIG, PRESET},
    field::{Field, Range, Value},
    origin::Origin,
    preset::Preset,
    strategy::{Strategy, Tuning},
};

pub use legacy::{Legacy, Skipped};
pub use score::{Confidence, Score};
pub use text::{TEXT_BYTES_MAX, TextError, variables};
pub use write::Form;

/// Fields that are said even if the preset has the same: nothing of a preset's name tells them.
const ALWAYS: [Field; 6] = [
    Field::MaxDelaySeconds,
    Field::ExponentialMultiplier,
    Field::ExponentialMin,
    Field::ExponentialMax,
    Field::JitterEnabled,
    Field::JitterMax,
];

/// What an operation has other than the preset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// A whole row.
    pub strategy: Option<Strategy>,
    /// Single values, which come after the row.
    pub fields: BTreeMap<Field, Value>,
}

impl Overrides {
    fn is_empty(&self) -> bool {
        self.strategy.is_none() && self.fields.is_empty()
    }
}

/// A value that cannot be said now as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clamped {
    /// The operation; all that nothing else is said of if `None`.
    pub operation: Option<Arc<str>>,
    /// Which value.
    pub field: Field,
    /// What it was.
    pub was: Value,
    /// What it is now: the nearest that is allowed.
    pub is: Value,
}

/// A legacy configuration, and what it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// What the variables said.
    pub legacy: Legacy,
    /// The nearest preset.
    pub preset: Preset,
    /// How near it is.
    pub score: Score,
    /// How near each preset is, in [`Preset::ALL`]'s order.
    pub scores: Vec<(Preset, Score)>,
    /// How sure it is that the preset is what was meant, and that nothing changes.
    pub confidence: Confidence,
    /// What differs from the preset for all operations.
    pub overrides: Overrides,
    /// What differs for single operations.
    pub operations: BTreeMap<Arc<str>, Overrides>,
    /// What could not be said as it was.
    pub clamped: Vec<Clamped>,
    /// Why the new configuration would not be taken, if it would not.
    pub refused: Option<Refused>,
    /// What is worth a second look.
    pub warnings: Vec<Warning>,
}

/// What is worth a second look in a legacy configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// More than seven attempts.
    ManyAttempts,
    /// A breaker that opens at less than three failures.
    NervousBreaker,
    /// More attempts than failures that open the breaker: one request may open it.
    AttemptsAboveThreshold,
    /// The aggressive strategy for everything.
    AggressiveDefault,
}

impl Warning {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Warning::ManyAttempts => {
                "more than 7 attempts: each failure is multiplied by as many requests"
            }
            Warning::NervousBreaker => {
                "the breaker opens at fewer than 3 failures: single errors will open it"
            }
            Warning::AttemptsAboveThreshold => {
                "more attempts than failures that open the breaker: one request may open it alone"
            }
            Warning::AggressiveDefault => {
                "the aggressive strategy is the default: operations that matter give up early"
            }
        }
    }
}

impl Migration {
    /// What these variables come to. Variables that are not legacy ones are not looked at.
    #[must_use]
    pub fn new(variables: &BTreeMap<String, String>) -> Migration {
        Migration::of(Legacy::read(variables))
    }

    /// What these settings come to.
    #[must_use]
    pub fn of(legacy: Legacy) -> Migration {
        let scores: Vec<(Preset, Score)> =
            Preset::ALL.into_iter().map(|preset| (preset, Score::of(&legacy, preset))).collect();
        let mut preset = Preset::Simple;
        let mut best = Score::of(&legacy, preset);
        for (other, score) in &scores {
            if *score > best {
                (preset, best) = (*other, *score);
            }
        }
        let mut migration = Migration {
            warnings: warnings(&legacy),
            legacy,
            preset,
            score: best,
            scores,
            confidence: best.confidence(),
            overrides: Overrides::default(),
            operations: BTreeMap::new(),
            clamped: Vec::new(),
            refused: None,
        };
        migration.override_all();
        migration.override_operations();
        // As anybody's file: what old variables say may contradict itself.
        let text = migration.write(Form::Toml);
        migration.refused = Layers::new().replace_file("migrated.toml", &text).err();
        if !migration.clamped.is_empty() || migration.refused.is_some() {
            migration.confidence = migration.confidence.min(Confidence::Medium);
        }
        migration
    }

    /// The new configuration, as the environment would say it.
    #[must_use]
    pub fn config(&self) -> Config {
        Config::new(self.statements())
    }

    fn statements(&self) -> Vec<Statement> {
        let say = |operation: Option<Arc<str>>, says, variable: &str| Statement {
            operation,
            says,
            origin: Origin::Env { variable: variable.into(), key: None },
        };
        let mut statements = vec![say(None, Says::Preset(self.preset), PRESET)];
        let scopes = std::iter::once((None, &self.overrides))
            .chain(self.operations.iter().map(|(name, it)| (Some(Arc::clone(name)), it)));
        for (operation, overrides) in scopes {
            if let Some(strategy) = overrides.strategy {
                let says = Says::Strategy(strategy);
                statements.push(say(operation.clone(), says, CUSTOM_CONFIG));
            }
            for (field, value) in &overrides.fields {
                let says = Says::Field(*field, *value);
                statements.push(say(operation.clone(), says, CUSTOM_CONFIG));
            }
        }
        statements
    }

    fn override_all(&mut self) {
        let old = self.legacy.config();
        let wanted = *old.default_scope().tuning();
        let has = *Config::preset(self.preset).default_scope().tuning();
        let said = |field: &Field| ALWAYS.contains(field) && self.legacy.field(*field).is_some();
        let fields: Vec<Field> = Field::ALL
            .into_iter()
            .filter(|field| field.of(&wanted) != field.of(&has) || said(field))
            .collect();
        self.overrides.fields = self.say(None, &wanted, &fields);
    }

    fn override_operations(&mut self) {
        let old = self.legacy.config();
        let mut names: Vec<Arc<str>> = old.operations().map(|(name, _)| name.into()).collect();
        names.extend(self.preset.overrides().iter().map(|(name, _)| Arc::from(*name)));
        names.sort_unstable();
        names.dedup();
        for name in names {
            let wanted = *old.operation(&name);
            let has = *self.config().operation(&name);
            if wanted == has {
                continue;
            }
            let strategy = self.legacy.operation(&name);
            let base = strategy.map_or(has, Strategy::tuning);
            let differs = |field: &Field| field.of(&wanted) != field.of(&base);
            let fields: Vec<Field> = Field::ALL.into_iter().filter(differs).collect();
            let fields = self.say(Some(&name), &wanted, &fields);
            let overrides = Overrides { strategy, fields };
            if !overrides.is_empty() {
                self.operations.insert(name, overrides);
            }
        }
    }

    /// The values of these fields, each the nearest that may be said.
    fn say(
        &mut self,
        operation: Option<&Arc<str>>,
        wanted: &Tuning,
        fields: &[Field],
    ) -> BTreeMap<Field, Value> {
        let mut values = BTreeMap::new();
        for field in fields {
            let was = field.of(wanted);
            // Without jitter there is no longest one to speak of.
            if *field == Field::JitterMax && wanted.jitter.is_none() {
                continue;
            }
            let is = nearest(field.range(), was);
            if is != was {
                let operation = operation.cloned();
                self.clamped.push(Clamped { operation, field: *field, was, is });
            }
            values.insert(*field, is);
        }
        values
    }
}

/// The value of a range that is nearest to another.
fn nearest(range: Range, value: Value) -> Value {
    match (range, value) {
        (Range::Counts(least, most), Value::Count(count)) => Value::Count(count.clamp(least, most)),
        (Range::Permille(least, most), Value::Permille(it)) => {
            Value::Permille(it.clamp(least, most))
        }
        (Range::Millis(least, most), Value::Span(span)) => {
            let (least, most) = (u64::from(least), u64::from(most));
            let millis = std::time::Duration::from_millis;
            Value::Span(span.clamp(millis(least), millis(most)))
        }
        (_, value) => value,
    }
}

fn warnings(legacy: &Legacy) -> Vec<Warning> {
    let count = |field| match legacy.field(field) {
        Some(Value::Count(count)) => Some(count),
        _ => None,
    };
    let attempts = count(Field::RetryAttempts);
    let threshold = count(Field::CircuitBreakerThreshold);
    let mut warnings = Vec::new();
    let mut warn = |is, warning| {
        if is {
            warnings.push(warning);
        }
    };
    warn(attempts.is_some_and(|it| it > 7), Warning::ManyAttempts);
    warn(threshold.is_some_and(|it| it < 3), Warning::NervousBreaker);
    let above = attempts.zip(threshold).is_some_and(|(attempts, threshold)| attempts > threshold);
    warn(above, Warning::AttemptsAboveThreshold);
    let aggressive = legacy.strategy() == Some(Strategy::Aggressive);
    warn(aggressive, Warning::AggressiveDefault);
    warnings
}
