//! What must hold at the end of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::scenario::span::Spanned;

/// An `[[expect]]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// A metric of the whole run is within bounds.
    Metric {
        /// One of `METRICS`.
        metric: Spanned<String>,
        /// At least one is set, each in the metric's unit.
        bounds: Bounds<Bound>,
    },
    /// So many events match.
    Event {
        /// Which events.
        event: EventMatch,
        /// At least one is set.
        bounds: Bounds<u64>,
    },
    /// Both happen, and the first match of one is before the first later match of the other.
    Order {
        /// What happens first.
        first: EventMatch,
        /// What happens after it.
        then: EventMatch,
    },
}

/// Which events count.
#[derive(Clone, Debug, PartialEq)]
pub struct EventMatch {
    /// One of `EVENTS`.
    pub event: Spanned<String>,
    /// Fields that must have these values.
    pub r#where: BTreeMap<String, FieldValue>,
    /// The nodes at which it must happen; `None` is any.
    pub node: Option<super::Selector>,
}

/// The value of an event's field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldValue {
    /// A text.
    Text(String),
    /// An integer.
    Integer(i64),
    /// True or false.
    Bool(bool),
}

/// Limits of a value; an `equals` stands alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds<T> {
    /// The least it may be.
    pub at_least: Option<T>,
    /// The most it may be.
    pub at_most: Option<T>,
    /// What it must be exactly.
    pub equals: Option<T>,
}

impl<T> Default for Bounds<T> {
    fn default() -> Self {
        Bounds { at_least: None, at_most: None, equals: None }
    }
}

impl<T: PartialOrd> Bounds<T> {
    /// Whether a value is within all bounds.
    pub fn hold(&self, value: &T) -> bool {
        self.at_least.as_ref().is_none_or(|bound| value >= bound)
            && self.at_most.as_ref().is_none_or(|bound| value <= bound)
            && self.equals.as_ref().is_none_or(|bound| value == bound)
    }

    /// Whether there is no bound.
    pub fn is_empty(&self) -> bool {
        self.at_least.is_none() && self.at_most.is_none() && self.equals.is_none()
    }
}

/// The bound of a metric, in the metric's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// Parts per million.
    Ratio(u64),
    /// Parts per million of one for each, also more than a million.
    Factor(u64),
    /// How many.
    Count(u64),
    /// How long.
    Duration(Duration),
}

/// The `[checks]` table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checks {
    /// Built-in checks that are switched off.
    pub off: Vec<CheckOff>,
}

/// A built-in check that is switched off.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckOff {
    /// The check's name.
    pub check: Spanned<String>,
    /// Why it does not apply; never empty.
    pub why: String,
}
