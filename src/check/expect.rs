//! The expectations of a sim.

use std::{cell::OnceCell, collections::BTreeSet};

use serde_json::{Map, Value};

use super::{CheckResult, Metrics};
use crate::{
    scenario::{
        Baseline, Bound, Bounds, EventMatch, Expectation, FieldValue, MetricUnit, PPM, Sim, Window,
        duration_text, metric,
    },
    world::{Sighting, Time},
};

/// An event, and its fields once somebody asks for them: all expectations share them, as it takes
/// longer to make them than to look at them.
pub(super) struct Seen<'a> {
    sighting: &'a Sighting<'a>,
    fields: OnceCell<Map<String, Value>>,
}

impl<'a> Seen<'a> {
    pub(super) fn new(sighting: &'a Sighting<'a>) -> Seen<'a> {
        Seen { sighting, fields: OnceCell::new() }
    }

    fn fields(&self) -> &Map<String, Value> {
        self.fields.get_or_init(|| self.sighting.what.fields())
    }
}

/// Recognises an event.
pub(super) struct Matcher {
    kind: String,
    fields: Vec<(String, FieldValue)>,
    /// The nodes it may happen on; `None` for any.
    nodes: Option<BTreeSet<String>>,
    text: String,
}

impl Matcher {
    fn new(sim: &Sim, wanted: &EventMatch) -> Matcher {
        let mut text = wanted.event.value.clone();
        for (name, value) in &wanted.r#where {
            match value {
                FieldValue::Text(value) => text.push_str(&format!(" {name}={value}")),
                FieldValue::Integer(value) => text.push_str(&format!(" {name}={value}")),
                FieldValue::Bool(value) => text.push_str(&format!(" {name}={value}")),
                FieldValue::Within { at_least, at_most } => {
                    for (sign, limit) in [(">=", at_least), ("<=", at_most)] {
                        if let Some(limit) = limit {
                            text.push_str(&format!(" {name}{sign}{limit}"));
                        }
                    }
                }
            }
        }
        if let Some(node) = &wanted.node {
            text.push_str(&format!(" on {node}"));
        }
        Matcher {
            kind: wanted.event.value.clone(),
            fields: wanted.r#where.clone().into_iter().collect(),
            nodes: wanted.node.as_ref().map(|node| sim.select(node).into_iter().collect()),
            text,
        }
    }

    fn matches(&self, seen: &Seen<'_>) -> bool {
        if seen.sighting.what.kind() != self.kind
            || self.nodes.as_ref().is_some_and(|nodes| !nodes.contains(seen.sighting.node))
        {
            return false;
        }
        self.fields.is_empty() || has(seen.fields(), &self.fields)
    }
}

fn has(fields: &Map<String, Value>, wanted: &[(String, FieldValue)]) -> bool {
    wanted.iter().all(|(name, wanted)| match (fields.get(name), wanted) {
        (Some(Value::String(text)), FieldValue::Text(wanted)) => text == wanted,
        (Some(Value::Bool(value)), FieldValue::Bool(wanted)) => value == wanted,
        (Some(Value::Number(number)), FieldValue::Integer(wanted)) => {
            number.as_i64() == Some(*wanted)
        }
        (Some(Value::Number(number)), FieldValue::Within { at_least, at_most }) => {
            let whole = number.as_i64().map(i128::from);
            whole.or_else(|| number.as_u64().map(i128::from)).is_some_and(|number| {
                at_least.is_none_or(|least| i128::from(least) <= number)
                    && at_most.is_none_or(|most| number <= i128::from(most))
            })
        }
        _ => false,
    })
}

/// One expectation, while the run goes on.
pub(super) enum Watched {
    Metric { name: String, bounds: Bounds<Bound>, baseline: Option<Baseline> },
    Event { wanted: Matcher, window: Window, bounds: Bounds<u64>, seen: u64 },
    Order { first: Matcher, then: Matcher, first_seen: bool, then_seen: bool },
}

impl Watched {
    pub(super) fn new(sim: &Sim, expectation: &Expectation) -> Watched {
        let matcher = |wanted| Matcher::new(sim, wanted);
        match expectation {
            Expectation::Metric { metric, bounds, baseline } => {
                Watched::Metric { name: metric.value.clone(), bounds: *bounds, baseline: *baseline }
            }
            Expectation::Event { event, window, bounds } => {
                let mut wanted = matcher(event);
                wanted.text.push_str(&window_text(window));
                Watched::Event { wanted, window: *window, bounds: *bounds, seen: 0 }
            }
            Expectation::Order { first, then } => Watched::Order {
                first: matcher(first),
                then: matcher(then),
                first_seen: false,
                then_seen: false,
            },
        }
    }

    pub(super) fn see(&mut self, event: &Seen<'_>) {
        match self {
            Watched::Metric { .. } => {}
            Watched::Event { wanted, window, seen, .. } => {
                *seen += u64::from(window.holds(event.sighting.at) && wanted.matches(event));
            }
            Watched::Order { first, then, first_seen, then_seen } => {
                if *first_seen {
                    *then_seen = *then_seen || then.matches(event);
                } else {
                    *first_seen = first.matches(event);
                }
            }
        }
    }

    /// Whether it holds as things stand; `None` of a metric, which is measured at the end.
    pub(super) fn holds(&self) -> Option<bool> {
        match self {
            Watched::Metric { .. } => None,
            Watched::Event { bounds, seen, .. } => Some(bounds.hold(seen)),
            Watched::Order { then_seen, .. } => Some(*then_seen),
        }
    }

    /// What it is called.
    pub(super) fn check(&self) -> String {
        match self {
            Watched::Metric { name, baseline: Some(Baseline { value, margin_ppm }), .. } => {
                let margin = bound_text(&Bound::Ratio(u64::from(*margin_ppm)));
                format!("{name} within {margin} of its baseline {}", bound_text(value))
            }
            Watched::Metric { name, bounds, .. } => {
                format!("{name} {}", bounds_text(bounds, bound_text))
            }
            Watched::Event { wanted, bounds, .. } => {
                format!("{}: {}", wanted.text, bounds_text(bounds, u64::to_string))
            }
            Watched::Order { first, then, .. } => format!("{} and later {}", first.text, then.text),
        }
    }

    pub(super) fn finish(&self, metrics: &Metrics) -> CheckResult {
        let failure = match self {
            Watched::Metric { name, bounds, baseline } => {
                let unit = metric(name).map_or(MetricUnit::Count, |metric| metric.unit);
                match metrics.values.get(name.as_str()) {
                    None => Some("it has no value, as there was no request".to_owned()),
                    Some(&value) => {
                        let value = Bound::of(unit, value);
                        let what = if baseline.is_some() { "a regression: it" } else { "it" };
                        let text = || format!("{what} is {}", bound_text(&value));
                        (!bounds.hold(&value)).then(text)
                    }
                }
            }
            Watched::Event { bounds, seen, .. } => {
                (!bounds.hold(seen)).then(|| format!("it happened {seen} times"))
            }
            Watched::Order { first_seen, then_seen, .. } => match (first_seen, then_seen) {
                (true, true) => None,
                (false, _) => Some("the first never happened".to_owned()),
                (true, false) => Some("the second never happened after the first".to_owned()),
            },
        };
        CheckResult { check: self.check(), failure, evaluated: 1 }
    }
}

/// What the check of an expectation is called.
#[cfg(feature = "cli")]
pub(crate) fn check_name(sim: &Sim, expectation: &Expectation) -> String {
    Watched::new(sim, expectation).check()
}

fn window_text(window: &Window) -> String {
    let from = (!window.from.is_zero()).then(|| format!(" from {}", duration_text(window.from)));
    let until = window.until.map(|until| format!(" until {}", duration_text(until)));
    from.unwrap_or_default() + &until.unwrap_or_default()
}

/// A value of a metric at a glance, cut to two decimals and to milliseconds: `98.57%`, `1.25`,
/// `12.304s`, `42`.
pub fn metric_text(name: &str, value: u64) -> String {
    let cut = |to: u64| value / to * to;
    match metric(name).map_or(MetricUnit::Count, |metric| metric.unit) {
        MetricUnit::Count => value.to_string(),
        MetricUnit::Ratio => bound_text(&Bound::Ratio(cut(100))),
        MetricUnit::Factor => bound_text(&Bound::Factor(cut(10_000))),
        MetricUnit::Duration => Time::from_nanos(cut(1_000_000)).to_string(),
    }
}

fn bound_text(bound: &Bound) -> String {
    match bound {
        Bound::Count(count) => count.to_string(),
        Bound::Duration(duration) => duration_text(*duration),
        Bound::Ratio(ppm) => format!("{}%", decimal(*ppm, u64::from(PPM) / 100, 4)),
        Bound::Factor(ppm) => decimal(*ppm, u64::from(PPM), 6),
    }
}

/// A number of so many parts of a unit, without needless decimals.
fn decimal(parts: u64, unit: u64, places: usize) -> String {
    let decimals = format!("{:0places$}", parts % unit);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{}{point}{decimals}", parts / unit)
}

fn bounds_text<T>(bounds: &Bounds<T>, text: impl Fn(&T) -> String) -> String {
    [("at least", &bounds.at_least), ("at most", &bounds.at_most), ("equals", &bounds.equals)]
        .iter()
        .filter_map(|(name, bound)| bound.as_ref().map(|bound| format!("{name} {}", text(bound))))
        .collect::<Vec<_>>()
        .join(", ")
}
