//! Where two histories part, and what made the difference; and what each fault of a plan does.
//!
//! Plans are compared by themselves: a fault that only one of the two has would otherwise be the
//! first difference, at the very beginning, of any two.

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::{Difference, History};
use crate::{scenario::duration_text, world::Record};

/// How many events of a causal chain are told.
const CHAIN_MAX: usize = 12;
/// How many events after the difference are searched for the same one.
const LATER_MAX: usize = 5_000;

/// The side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The first history.
    Left,
    /// The second.
    Right,
}

/// What made the difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// A fault that fires or heals on one side, or at another time.
    Fault {
        /// What it does.
        fault: String,
    },
    /// The link drew, or was told, something else for a message.
    Link {
        /// The node that sends.
        from: String,
        /// The node that receives.
        to: String,
        /// What differs: `delay_ns`, `verdict`.
        differs: Vec<String>,
    },
    /// A node did the same thing at another time: a pause that it drew, or was told, differs.
    Pause {
        /// The node.
        node: String,
        /// The kind of the event that came at another time.
        event: String,
        /// On which side it came first.
        first_on: Side,
        /// By how much later it came on the other, in nanoseconds.
        by_ns: u64,
    },
    /// A node did something else.
    Decision {
        /// The node.
        node: String,
        /// What it did: the kind of event.
        event: String,
        /// The fields that differ.
        differs: Vec<String>,
    },
    /// Something happens on one side only.
    OneSided {
        /// The side.
        side: Side,
        /// The node.
        node: String,
        /// The kind of event.
        event: String,
    },
}

/// Where two histories part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Faults that only the left one plans, in words.
    pub only_left_plans: Vec<String>,
    /// Faults that only the right one plans.
    pub only_right_plans: Vec<String>,
    /// How many events are the same before, plans aside.
    pub same: u64,
    /// When the last of them happened, in nanoseconds.
    pub same_until_ns: u64,
    /// The first event that differs; `None` if none does.
    pub difference: Option<Difference>,
    /// What made the difference.
    pub origin: Option<Origin>,
    /// What led to it on the left, the first first, itself last.
    pub led_left: Vec<Record>,
    /// What led to it on the right.
    pub led_right: Vec<Record>,
    /// The first event of the stack's own that is another one, whenever it happened: not how long
    /// things took, but what was done.
    pub first_other_deed: Option<Difference>,
    /// Whether a history was too long to be kept whole, so that there may be more.
    pub is_cut: bool,
}

/// Finds where two histories part.
pub fn explain(left: &History, right: &History) -> Explanation {
    let (plan_left, rest_left) = apart(left);
    let (plan_right, rest_right) = apart(right);
    let same = rest_left
        .iter()
        .zip(&rest_right)
        .take_while(|(a, b)| between(1, Some(a), Some(b)).is_none())
        .count();
    let (a, b) = (rest_left.get(same).copied(), rest_right.get(same).copied());
    let seq = a.or(b).map_or(0, |record| record.seq);
    let difference = between(seq, a, b);
    let chain = |history: &History, record: Option<&Record>| {
        record.map(|record| history.chain(record.seq, CHAIN_MAX)).unwrap_or_default()
    };
    let after = |records: &[&Record]| -> Vec<Record> {
        records.iter().skip(same).take(LATER_MAX).map(|record| (*record).clone()).collect()
    };
    let last_same = same.checked_sub(1).and_then(|last| rest_left.get(last));
    Explanation {
        only_left_plans: only(&plan_left, &plan_right),
        only_right_plans: only(&plan_right, &plan_left),
        same: same as u64,
        same_until_ns: last_same.map_or(0, |record| record.at_ns),
        origin: difference
            .as_ref()
            .and_then(|found| origin(found, &after(&rest_left), &after(&rest_right))),
        led_left: chain(left, a),
        led_right: chain(right, b),
        first_other_deed: other_deed(&rest_left, &rest_right),
        difference,
        is_cut: left.is_cut || right.is_cut,
    }
}

fn between(seq: u64, a: Option<&Record>, b: Option<&Record>) -> Option<Difference> {
    Difference::between(seq, a.cloned(), b.cloned())
}

/// The plan of a history, and everything else.
fn apart(history: &History) -> (Vec<&Record>, Vec<&Record>) {
    history.records.iter().partition(|record| record.kind == "fault_planned")
}

/// What the one plan has and the other has not.
fn only(one: &[&Record], other: &[&Record]) -> Vec<String> {
    let mut left: Vec<&Record> = other.to_vec();
    let mut found = Vec::new();
    for planned in one {
        match left.iter().position(|it| it.fields == planned.fields) {
            Some(place) => {
                left.remove(place);
            }
            None => found.push(planned_text(planned)),
        }
    }
    found
}

fn planned_text(planned: &Record) -> String {
    let time = |field: &str| {
        let nanos = planned.fields.get(field).and_then(Value::as_u64)?;
        Some(duration_text(Duration::from_nanos(nanos)))
    };
    let at = time("fires_at_ns").unwrap_or_default();
    let lasts = time("lasts_ns").map_or_else(String::new, |lasts| format!(" for {lasts}"));
    format!("{} at {at}{lasts}", text(planned, "fault"))
}

/// What made the difference, from the events on both sides from there on.
fn origin(found: &Difference, left: &[Record], right: &[Record]) -> Option<Origin> {
    let differs = |names: &[&str]| found.differs.iter().all(|name| names.contains(&name.as_str()));
    match (&found.left, &found.right) {
        (Some(a), Some(b)) => {
            let same_place = a.node == b.node && a.kind == b.kind;
            if a.kind == "message_sent"
                && same_place
                && a.at_ns == b.at_ns
                && differs(&["delay_ns", "verdict"])
            {
                return Some(Origin::Link {
                    from: text(a, "from"),
                    to: text(a, "to"),
                    differs: found.differs.clone(),
                });
            }
            if same_place && a.at_ns == b.at_ns {
                return Some(if a.kind.starts_with("fault_") {
                    Origin::Fault { fault: text(a, "fault") }
                } else {
                    Origin::Decision {
                        node: a.node.clone(),
                        event: a.kind.clone(),
                        differs: found.differs.clone(),
                    }
                });
            }
            // Whatever comes first has no counterpart on the other side yet.
            let (first, side, others) =
                if a.at_ns <= b.at_ns { (a, Side::Left, right) } else { (b, Side::Right, left) };
            Some(one_sided(first, side, others))
        }
        (Some(a), None) => Some(one_sided(a, Side::Left, right)),
        (None, Some(b)) => Some(one_sided(b, Side::Right, left)),
        (None, None) => None,
    }
}

/// Of an event that comes first on one side: whether it comes later on the other.
fn one_sided(first: &Record, side: Side, others: &[Record]) -> Origin {
    if first.kind.starts_with("fault_") {
        return Origin::Fault { fault: text(first, "fault") };
    }
    let later = others
        .iter()
        .find(|it| it.node == first.node && it.kind == first.kind && deed(it) == deed(first));
    let (node, event) = (first.node.clone(), first.kind.clone());
    match later {
        Some(later) if later.at_ns > first.at_ns => {
            Origin::Pause { node, event, first_on: side, by_ns: later.at_ns - first.at_ns }
        }
        _ => Origin::OneSided { side, node, event },
    }
}

fn text(record: &Record, field: &str) -> String {
    record.fields.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The fields of an event without how long things took.
fn deed(record: &Record) -> Vec<(&String, &Value)> {
    let is_time = |name: &str| name.ends_with("_ns") || name.ends_with("_ms");
    record.fields.iter().filter(|(name, _)| !is_time(name)).collect()
}

/// The first event of the stack's own, or of a fault, that is another one on the other side, times
/// aside.
fn other_deed(left: &[&Record], right: &[&Record]) -> Option<Difference> {
    let is_deed = |record: &&&Record| {
        let kind = record.kind.as_str();
        !kind.starts_with("message_")
            && !["timer_fired", "late_answer", "call_timed_out", "disk_synced"].contains(&kind)
    };
    let mut a = left.iter().filter(is_deed);
    let mut b = right.iter().filter(is_deed);
    loop {
        match (a.next(), b.next()) {
            (None, None) => return None,
            (Some(a), Some(b)) if a.node == b.node && a.kind == b.kind && deed(a) == deed(b) => {}
            (a, b) => {
                let (a, b) = (a.copied(), b.copied());
                return between(a.or(b)?.seq, a, b);
            }
        }
    }
}
