//! How near a preset is to a legacy configuration, as the source project counts it.
//!
//! In whole numbers: a score that is nine tenths is nine tenths on every machine.

use std::fmt;

use serde::Serialize;

use super::super::{
    field::{Field, Value},
    preset::Preset,
    strategy::Tuning,
};
use super::Legacy;

/// What each part of a score weighs, in hundredths: attempts, threshold, recovery, strategy,
/// overrides.
const WEIGHTS: [u64; 5] = [30, 25, 20, 15, 10];

/// One whole, in the unit of scores.
const ONE: u64 = 1_000_000_000;

/// What is left of a part while it is counted, so that rounding cannot be seen in a score.
const FINE: u64 = 1_000;

/// How near a preset is: from 0 to a thousand million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Score(u64);

/// How sure a migration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Confidence {
    /// No preset is near.
    Low,
    /// A preset is near, or something could not be said as it was.
    Medium,
    /// A preset is nearly the same, and nothing changes.
    High,
}

impl Confidence {
    /// Its name, as the source project writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Confidence::Low => "LOW",
            Confidence::Medium => "MEDIUM",
            Confidence::High => "HIGH",
        }
    }
}

impl Score {
    /// The mean likeness of all that was said. If nothing was, the simple preset is the one.
    #[must_use]
    pub fn of(legacy: &Legacy, preset: Preset) -> Score {
        let tuning = preset.tuning();
        let overrides: Vec<bool> = legacy
            .overrides()
            .map(|(operation, strategy)| {
                let own = preset.overrides().iter().find(|(name, _)| *name == operation);
                own.map_or(preset.strategy(), |(_, strategy)| *strategy) == strategy
            })
            .collect();
        let matching = overrides.iter().filter(|it| **it).count() as u64;
        let parts = [
            likeness(legacy, Field::RetryAttempts, &tuning),
            likeness(legacy, Field::CircuitBreakerThreshold, &tuning),
            likeness(legacy, Field::RecoveryTimeout, &tuning),
            legacy.strategy().map(|it| if it == preset.strategy() { ONE * FINE } else { 0 }),
            (!overrides.is_empty()).then(|| ONE * FINE * matching / overrides.len() as u64),
        ];
        let there = || WEIGHTS.iter().zip(parts).filter_map(|(weight, part)| Some((weight, part?)));
        let weights: u64 = there().map(|(weight, _)| weight).sum();
        if weights == 0 {
            return Score(if preset == Preset::Simple { ONE } else { 0 });
        }
        let sum: u64 = there().map(|(weight, part)| weight * part).sum();
        Score((sum / weights + FINE / 2) / FINE)
    }

    /// Nine tenths are high, seven tenths are medium.
    #[must_use]
    pub const fn confidence(self) -> Confidence {
        if self.0 >= ONE / 10 * 9 {
            Confidence::High
        } else if self.0 >= ONE / 10 * 7 {
            Confidence::Medium
        } else {
            Confidence::Low
        }
    }

    /// In thousandths, rounded down.
    #[must_use]
    pub const fn permille(self) -> u64 {
        self.0 / (ONE / 1_000)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.permille() / 1_000, self.permille() % 1_000)
    }
}

/// One minus the difference as a share of the larger, or of one if both are less.
fn likeness(legacy: &Legacy, field: Field, tuning: &Tuning) -> Option<u64> {
    let (a, b) = (units(legacy.field(field)?), units(field.of(tuning)));
    // As wide as a product of a number and a whole may be.
    let share = u128::from(a.abs_diff(b)) * u128::from(ONE * FINE) / u128::from(a.max(b).max(1));
    Some((ONE * FINE).saturating_sub(u64::try_from(share).unwrap_or(u64::MAX)))
}

/// The number that was written: times in seconds.
fn units(value: Value) -> u64 {
    match value {
        Value::Count(count) => count.into(),
        Value::Span(span) => span.as_secs(),
        Value::Permille(permille) => permille.into(),
        Value::Switch(on) => on.into(),
    }
}
