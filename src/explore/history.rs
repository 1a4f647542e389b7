//! A history that is kept: all events of a run, and what they say of the stack at an instant.
//!
//! It is for looking at one run. Nothing that runs many may keep histories.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, Read as _},
    rc::Rc,
};

use serde::Serialize;
use serde_json::Value;

use super::{Options, RunError, SimRun, simulate};
use crate::{
    observe::LINE_BYTES_MAX,
    scenario::Sim,
    world::{LOG_VERSION, Record, Seed, Sighting},
};

/// The most events that are kept of one run: about 500 MB.
pub const EVENTS_KEPT_MAX: usize = 500_000;

/// The events of a run, from its beginning.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The events, in order.
    pub records: Vec<Record>,
    /// Whether there were more than are kept.
    pub is_cut: bool,
}

impl History {
    /// Keeps one more event.
    pub fn push(&mut self, record: impl FnOnce() -> Record) {
        if self.records.len() < EVENTS_KEPT_MAX {
            self.records.push(record());
        } else {
            self.is_cut = true;
        }
    }

    /// Reads a history that `replay` has written, with its heading or without.
    ///
    /// # Errors
    ///
    /// What is wrong, and in which line.
    pub fn read(mut input: impl BufRead) -> Result<History, String> {
        let (mut history, mut number) = (History::default(), 0_u64);
        loop {
            number += 1;
            let mut line = Vec::new();
            let mut bounded = input.by_ref().take(LINE_BYTES_MAX + 1);
            let length = bounded.read_until(b'\n', &mut line);
            if length.map_err(|error| format!("line {number}: {error}"))? == 0 {
                break;
            }
            if line.len() as u64 > LINE_BYTES_MAX {
                return Err(format!("line {number}: longer than {LINE_BYTES_MAX} bytes"));
            }
            if number == 1 && is_heading(&line)? {
                continue;
            }
            let record: Record =
                serde_json::from_slice(&line).map_err(|error| format!("line {number}: {error}"))?;
            if record.seq != history.records.len() as u64 + 1 && !history.is_cut {
                return Err(format!("line {number}: event {} is out of place", record.seq));
            }
            history.push(|| record);
        }
        if history.records.is_empty() {
            Err("there is no event in it".to_owned())
        } else {
            Ok(history)
        }
    }

    /// The events that led to one, the first of them first, itself last; at most so many.
    pub fn chain(&self, seq: u64, most: usize) -> Vec<Record> {
        let at = |seq: u64| {
            let index = usize::try_from(seq.checked_sub(1)?).ok()?;
            self.records.get(index)
        };
        let mut chain = Vec::new();
        let mut next = at(seq);
        while let Some(record) = next.filter(|_| chain.len() < most) {
            chain.push(record.clone());
            // A log from elsewhere may say anything: a cause comes before.
            next = (record.cause < record.seq).then(|| at(record.cause)).flatten();
        }
        chain.reverse();
        chain
    }
}

/// Whether a line is a heading of a version that can be read.
fn is_heading(line: &[u8]) -> Result<bool, String> {
    let Ok(value) = serde_json::from_slice::<Value>(line) else { return Ok(false) };
    match value.get("version").map(Value::as_u64) {
        None => Ok(false),
        Some(Some(version)) if version == u64::from(LOG_VERSION) => Ok(true),
        Some(_) => Err(format!("line 1: only version {LOG_VERSION} of logs can be read")),
    }
}

/// Runs a seed and keeps its events.
///
/// # Errors
///
/// A [`RunError`] if the sim cannot be run.
pub fn recorded(sim: &Sim, seed: Seed, options: &Options) -> Result<(SimRun, History), RunError> {
    let history = Rc::new(RefCell::new(History::default()));
    let shared = Rc::clone(&history);
    let observer = move |sighting: &Sighting<'_>| shared.borrow_mut().push(|| sighting.to_record());
    let run = simulate(sim, seed, options, vec![Box::new(observer)])?;
    Ok((run, history.take()))
}

/// What events up to an instant say of the stack. What actors keep to themselves is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StackState {
    /// Faults that have fired and not healed, in that order.
    pub faults: Vec<String>,
    /// Nodes that have crashed and not come back.
    pub crashed: BTreeSet<String>,
    /// Nodes that stand still.
    pub paused: BTreeSet<String>,
    /// Breakers that have changed, by node and component, and their state.
    pub breakers: BTreeMap<String, String>,
    /// Requests that have begun and not ended, and when they began, in nanoseconds.
    pub requests: BTreeMap<String, u64>,
    /// Messages that are under way, by number: what, from where, to where.
    pub messages: BTreeMap<u64, String>,
}

impl StackState {
    /// The state after these events, which begin with the first of a run.
    pub fn after(records: &[Record]) -> StackState {
        let mut state = StackState::default();
        records.iter().for_each(|record| state.see(record));
        state
    }

    fn see(&mut self, record: &Record) {
        let text = |name: &str| record.fields.get(name).and_then(Value::as_str);
        let message = record.fields.get("message").and_then(Value::as_u64);
        match record.kind.as_str() {
            "fault_fired" => self.faults.extend(text("fault").map(str::to_owned)),
            "fault_healed" => {
                let place =
                    self.faults.iter().position(|fault| Some(fault.as_str()) == text("fault"));
                place.map(|place| self.faults.remove(place));
            }
            "node_crashed" => {
                self.paused.remove(&record.node);
                self.crashed.insert(record.node.clone());
                let life = format!("{}/", record.node);
                self.breakers.retain(|name, _| !name.starts_with(&life));
                self.requests.retain(|request, _| !request.starts_with(&life));
            }
            "node_restarted" => {
                self.crashed.remove(&record.node);
            }
            "node_paused" => {
                self.paused.insert(record.node.clone());
            }
            "node_resumed" => {
                self.paused.remove(&record.node);
            }
            "breaker_changed" => {
                if let (Some(component), Some(to)) = (text("component"), text("to")) {
                    self.breakers.insert(format!("{}/{component}", record.node), to.to_owned());
                }
            }
            "request_started" => {
                if let Some(request) = text("request") {
                    self.requests.insert(request.to_owned(), record.at_ns);
                }
            }
            "request_ended" => {
                text("request").map(|request| self.requests.remove(request));
            }
            "message_sent" if text("verdict") != Some("drop") => {
                if let (Some(id), Some(label), Some(from), Some(to)) =
                    (message, text("label"), text("from"), text("to"))
                {
                    self.messages.insert(id, format!("{label} {from} → {to}"));
                }
            }
            "message_delivered" | "message_dropped" | "late_answer" | "message_corrupted" => {
                message.map(|id| self.messages.remove(&id));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    fn history(more: &str) -> History {
        let text = format!(
            "purpose = \"p\"\n[router]\nprimary = \"opus\"\nbreaker = {{ window = {{ calls = 2 }}, minimum_calls = 1 }}\n\
             [[backend]]\nname = \"opus\"\n[[agent]]\nname = \"rust\"\nrequests = 4\n{more}"
        );
        let sim = parse("sims/a.toml", &text).unwrap();
        recorded(&sim, Seed(1), &Options::default()).unwrap().1
    }

    #[test]
    fn a_chain_goes_back_to_what_nothing_led_to() {
        let history = history("");
        let last = history.records.iter().rfind(|it| it.kind == "request_ended").unwrap();
        let chain = history.chain(last.seq, 1_000);
        assert_eq!(chain.last().unwrap(), last);
        assert_eq!(chain.first().unwrap().cause, 0);
        assert!(chain.windows(2).all(|pair| pair[1].cause == pair[0].seq));
        assert_eq!(history.chain(last.seq, 3).len(), 3);
        assert_eq!(history.chain(0, 3), []);
        assert_eq!(history.chain(u64::MAX, 3), []);
    }

    #[test]
    fn a_cause_that_lies_ends_a_chain() {
        let mut history = history("");
        for record in &mut history.records {
            record.cause = record.seq + 1;
        }
        assert_eq!(history.chain(3, 1_000).len(), 1);
    }

    #[test]
    fn the_state_is_what_the_events_say() {
        let faults = "[[fault]]\nat = \"1s\"\nfor = \"5s\"\npause = { node = \"router\" }\n\
                      [[fault]]\nat = \"2s\"\nfor = \"1s\"\ncrash = { node = \"opus\" }\n";
        let history = history(faults);
        let until = |seconds: u64| {
            let end = history.records.partition_point(|it| it.at_ns <= seconds * 1_000_000_000);
            StackState::after(history.records.get(..end).unwrap())
        };
        let state = until(2);
        assert_eq!(state.faults, ["pause router", "crash opus"]);
        assert!(state.paused.contains("router") && state.crashed.contains("opus"));
        assert_eq!(state.requests.len(), 1, "{state:?}");
        let state = until(3);
        assert_eq!((state.faults.len(), state.crashed.len()), (1, 0));
        let state = StackState::after(&history.records);
        assert_eq!(
            (state.faults.len(), state.requests.len(), state.messages.len()),
            (0, 0, 0),
            "{state:?}"
        );
    }
}
