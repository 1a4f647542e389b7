//! What must hold at the end of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::scenario::MetricUnit;
use crate::scenario::span::Spanned;
use crate::world::Time;

/// An `[[expect]]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// A metric of the whole run is within bounds.
    Metric {
        /// One of `METRICS`.
        metric: Spanned<String>,
        /// At least one is set, each in the metric's unit.
        bounds: Bounds<Bound>,
        /// What was recorded, if that is where the bound comes from.
        baseline: Option<Baseline>,
    },
    /// So many events match.
    Event {
        /// Which events.
        event: EventMatch,
        /// When they must happen to count.
        window: Window,
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

/// A value that was recorded, and how much worse one may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The value, in the metric's unit.
    pub value: Bound,
    /// By how many parts per million of it a run may be worse.
    pub margin_ppm: u32,
}

impl Baseline {
    /// What is not worse by more than the margin: durations up to that much more, ratios down to that
    /// much less. `None` where nobody can say which way is worse.
    #[must_use]
    pub fn bounds(&self) -> Option<Bounds<Bound>> {
        let margin = u64::from(self.margin_ppm);
        match self.value {
            Bound::Duration(value) => {
                let worse = u128::from(margin) * value.as_nanos() / 1_000_000;
                let worse = Duration::from_nanos(u64::try_from(worse).unwrap_or(u64::MAX));
                let at_most = Some(Bound::Duration(value.saturating_add(worse)));
                Some(Bounds { at_most, ..Bounds::default() })
            }
            Bound::Ratio(value) => {
                let at_least =
                    Some(Bound::Ratio(value - value * margin.min(1_000_000) / 1_000_000));
                Some(Bounds { at_least, ..Bounds::default() })
            }
            Bound::Count(_) | Bound::Factor(_) => None,
        }
    }
}

/// A part of a run, from one instant on and before another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The first instant that belongs to it, since the start.
    pub from: Duration,
    /// The first instant after it; `None` if it has no end.
    pub until: Option<Duration>,
}

impl Window {
    /// Whether an instant belongs to it.
    #[must_use]
    pub fn holds(&self, at: Time) -> bool {
        let at = at.since_start();
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// Which events count.
#[derive(Clone, Debug, PartialEq)]
pub struct EventMatch {
    /// One of `EVENTS`.
    pub event: Spanned<String>,
    /// Fields and what they must be.
    pub r#where: BTreeMap<String, FieldValue>,
    /// The nodes at which it must happen; `None` is any.
    pub node: Option<super::Selector>,
}

/// What an event's field must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldValue {
    /// A text.
    Text(String),
    /// An integer.
    Integer(i64),
    /// True or false.
    Bool(bool),
    /// Any integer within these limits, both included; at least one is set.
    Within {
        /// The least it may be.
        at_least: Option<i64>,
        /// The most it may be.
        at_most: Option<i64>,
    },
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

impl Bound {
    /// A value as metrics have it, whose durations are nanoseconds.
    #[must_use]
    pub const fn of(unit: MetricUnit, value: u64) -> Bound {
        match unit {
            MetricUnit::Count => Bound::Count(value),
            MetricUnit::Ratio => Bound::Ratio(value),
            MetricUnit::Factor => Bound::Factor(value),
            MetricUnit::Duration => Bound::Duration(Duration::from_nanos(value)),
        }
    }
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
