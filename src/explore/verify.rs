//! Whether one seed is one history: runs of the same seed, and the first event in which they differ.
//!
//! Nothing here keeps a history in memory: one side runs on a thread of its own and hands its events
//! over as the other side comes to them.

use std::{cell::RefCell, rc::Rc, sync::mpsc, thread};

use serde::Serialize;

use super::{Options, RunError, SimRun, simulate};
use crate::{
    scenario::Sim,
    world::{Failure, Fingerprint, Observer, Record, Seed, Sighting},
};

/// How many events one side may be ahead of the other.
const AHEAD_MAX: usize = 512;

/// What one run says of its seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// What its history came to.
    pub fingerprint: Fingerprint,
    /// Why it cannot be relied on at all, if something outside the world had a hand in it.
    pub woken_from_outside: Option<String>,
}

impl Witness {
    /// What a run says.
    pub fn of(run: &SimRun) -> Witness {
        let woken_from_outside = match &run.outcome.failure {
            Some(failure @ Failure::WokenFromOutside { .. }) => Some(failure.to_string()),
            _ => None,
        };
        Witness { fingerprint: run.outcome.fingerprint, woken_from_outside }
    }
}

/// The first event in which two histories differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Its number in the histories, from 1.
    pub seq: u64,
    /// What happened in the one; `None` if that was at its end.
    pub left: Option<Record>,
    /// What happened in the other; `None` if that was at its end.
    pub right: Option<Record>,
    /// What differs: `time`, `node`, `kind`, or the names of fields.
    pub differs: Vec<String>,
}

impl Difference {
    /// The difference between two events in the same place, if there is one. What led to them is
    /// not compared: it is not part of a fingerprint.
    pub fn between(seq: u64, left: Option<Record>, right: Option<Record>) -> Option<Difference> {
        let mut differs = Vec::new();
        match (&left, &right) {
            (None, None) => {}
            (Some(a), Some(b)) => {
                let parts = [
                    ("time", a.at_ns != b.at_ns),
                    ("node", a.node != b.node),
                    ("kind", a.kind != b.kind),
                ];
                differs.extend(
                    parts
                        .iter()
                        .filter(|(_, differs)| *differs)
                        .map(|(name, _)| (*name).to_owned()),
                );
                let mut names: Vec<&String> = a.fields.keys().chain(b.fields.keys()).collect();
                names.sort();
                names.dedup();
                names.retain(|name| a.fields.get(*name) != b.fields.get(*name));
                differs.extend(names.into_iter().cloned());
            }
            _ => differs.push("length".to_owned()),
        }
        (!differs.is_empty()).then_some(Difference { seq, left, right, differs })
    }
}

/// Runs a seed twice, and finds the first event in which the two runs differ.
///
/// # Errors
///
/// A [`RunError`] if the sim cannot be run.
pub fn first_difference(
    sim: &Sim,
    seed: Seed,
    left: &Options,
    right: &Options,
) -> Result<Option<Difference>, RunError> {
    let (sender, receiver) = mpsc::sync_channel(AHEAD_MAX);
    thread::scope(|scope| {
        let run = move || {
            let mut sender = Some(sender);
            let hand_over = move |sighting: &Sighting<'_>| {
                if sender.as_ref().is_some_and(|open| open.send(sighting.to_record()).is_err()) {
                    sender = None;
                }
            };
            simulate(sim, seed, left, vec![Box::new(hand_over)]).map(|_| ())
        };
        let other = scope.spawn(run);
        let difference = difference_from(sim, seed, receiver.into_iter(), right);
        match other.join() {
            Ok(ran) => ran.and(difference),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Runs a seed, and finds the first event in which it differs from a history on the left that comes
/// from elsewhere.
///
/// # Errors
///
/// A [`RunError`] if the sim cannot be run.
pub fn difference_from(
    sim: &Sim,
    seed: Seed,
    left: impl Iterator<Item = Record> + 'static,
    right: &Options,
) -> Result<Option<Difference>, RunError> {
    let comparison =
        Rc::new(RefCell::new(Comparison { left: Some(Box::new(left)), seq: 0, found: None }));
    let shared = Rc::clone(&comparison);
    let observer: Box<dyn Observer> = Box::new(move |sighting: &Sighting<'_>| {
        let mut comparison = shared.borrow_mut();
        if comparison.left.is_some() {
            let record = sighting.to_record();
            comparison.step(Some(record));
        }
    });
    let ran = simulate(sim, seed, right, vec![observer]);
    let mut comparison = comparison.borrow_mut();
    comparison.step(None);
    comparison.left = None;
    ran?;
    Ok(comparison.found.take())
}

struct Comparison {
    /// The other history, until a difference is found.
    left: Option<Box<dyn Iterator<Item = Record>>>,
    seq: u64,
    found: Option<Difference>,
}

impl Comparison {
    fn step(&mut self, right: Option<Record>) {
        if let Some(left) = &mut self.left {
            self.seq += 1;
            self.found = Difference::between(self.seq, left.next(), right);
            if self.found.is_some() {
                self.left = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    fn record(at_ns: u64, node: &str, fields: serde_json::Value) -> Record {
        let serde_json::Value::Object(fields) = fields else { panic!("fields are a map") };
        Record { seq: 1, at_ns, node: node.into(), cause: 0, kind: "k".into(), fields }
    }

    #[test]
    fn a_difference_says_what_differs() {
        let one = record(1, "a", serde_json::json!({"x": 1, "y": 2}));
        let two = record(1, "b", serde_json::json!({"x": 1, "z": 2}));
        let found = Difference::between(3, Some(one.clone()), Some(two)).unwrap();
        assert_eq!(found.differs, ["node", "y", "z"]);
        assert_eq!(Difference::between(3, Some(one.clone()), Some(one.clone())), None);
        assert_eq!(Difference::between(3, Some(one), None).unwrap().differs, ["length"]);
        assert_eq!(Difference::between(3, None, None), None);
    }

    #[test]
    fn what_led_to_an_event_is_not_compared() {
        let one = record(1, "a", serde_json::json!({}));
        let two = Record { cause: 9, ..one.clone() };
        assert_eq!(Difference::between(1, Some(one), Some(two)), None);
    }

    #[test]
    fn two_runs_of_a_seed_are_the_same_and_a_made_up_history_is_not() {
        let text = "purpose = \"p\"\n[router]\nprimary = \"opus\"\n[[backend]]\n\
                    name = \"opus\"\n[[agent]]\nname = \"rust\"\n";
        let sim = parse("sims/a.toml", text).unwrap();
        let options = Options::default();
        let same = first_difference(&sim, Seed(1), &options, &options).unwrap();
        assert_eq!(same, None);
        let made_up = std::iter::repeat_with(|| record(77, "a", serde_json::json!({})));
        let found = difference_from(&sim, Seed(1), made_up, &options).unwrap().unwrap();
        assert_eq!(found.seq, 1);
    }
}
