//! What the tests of the router share: sims from strings, and their events as one would grep them.

use std::{cell::RefCell, fmt::Write as _, rc::Rc};

use seedbed::{
    explore::{Options, SimRun, simulate},
    scenario,
    world::{Record, Seed, Sighting},
};

/// A run, and what happened in it.
pub(crate) struct Run {
    pub(crate) run: SimRun,
    records: Vec<Record>,
}

/// A sim whose primary is `opus`: more keys of its router, and its other tables. Messages take a
/// millisecond.
pub(crate) fn sim(router: &str, tables: &str) -> String {
    format!(
        "purpose = \"p\"\n[network]\nlatency = \"1ms\"\n[router]\nprimary = \"opus\"\n{router}\n\
         {tables}"
    )
}

/// A backend that takes 100 ms to its first token and 1 ms to each further one.
pub(crate) fn backend(name: &str, keys: &str) -> String {
    let first_token = match keys.contains("first_token") {
        true => "",
        false => "first_token = \"100ms\"\n",
    };
    let speed = match keys.contains("tokens_per_second") {
        true => "",
        false => "tokens_per_second = 1000\n",
    };
    format!(
        "[[backend]]\nname = \"{name}\"\nprovider = \"anthropic\"\nchunk_tokens = 10\n\
         {first_token}{speed}{keys}\n"
    )
}

/// Agents that ask for 100 tokens, one after the other, a second apart.
pub(crate) fn agent(name: &str, count: u32, requests: u32, keys: &str) -> String {
    format!(
        "[[agent]]\nname = \"{name}\"\ncount = {count}\nrequests = {requests}\nthink = \"1s\"\n\
         input_tokens = 100\noutput_tokens = 100\n{keys}\n"
    )
}

/// Runs one seed of it. The checks that always run must hold.
#[track_caller]
pub(crate) fn play(seed: u64, text: &str) -> Run {
    let run = try_play(seed, text);
    assert_eq!(run.run.failures(), Vec::<String>::new(), "seed {seed} of\n{text}");
    run
}

/// The same, whatever its checks say.
#[track_caller]
pub(crate) fn try_play(seed: u64, text: &str) -> Run {
    let sim = scenario::parse("sims/test.toml", text).unwrap_or_else(|error| {
        panic!("{error}: {:?}\n{text}", error.problem().map(ToString::to_string))
    });
    let records = Rc::new(RefCell::new(Vec::new()));
    let all = Rc::clone(&records);
    let see = move |sighting: &Sighting<'_>| all.borrow_mut().push(sighting.to_record());
    let run = simulate(&sim, Seed(seed), &Options::default(), vec![Box::new(see)]).unwrap();
    Run { run, records: records.take() }
}

impl Run {
    /// The events of a kind whose fields are as said: `model=opus attempt=2`.
    pub(crate) fn of<'a>(
        &'a self,
        kind: &'a str,
        wanted: &'a str,
    ) -> impl Iterator<Item = &'a Record> {
        self.records.iter().filter(move |record| {
            let is = |pair: &str| {
                let (key, value) = pair.split_once('=').unwrap();
                text(record, key) == value
            };
            record.kind == kind && wanted.split_whitespace().all(is)
        })
    }

    pub(crate) fn count(&self, kind: &str, wanted: &str) -> usize {
        self.of(kind, wanted).count()
    }

    /// When, in milliseconds.
    pub(crate) fn times(&self, kind: &str, wanted: &str) -> Vec<u64> {
        self.of(kind, wanted).map(|record| record.at_ns / 1_000_000).collect()
    }

    /// One field of each.
    pub(crate) fn texts(&self, kind: &str, wanted: &str, key: &str) -> Vec<String> {
        self.of(kind, wanted).map(|record| text(record, key)).collect()
    }

    /// What became of requests at their agents: `ok*3 failed*1`.
    pub(crate) fn ends(&self) -> String {
        let mut counts = std::collections::BTreeMap::<String, u32>::new();
        for end in self.texts("request_ended", "", "outcome") {
            *counts.entry(end).or_default() += 1;
        }
        let mut text = String::new();
        for (outcome, count) in counts {
            write!(text, "{outcome}*{count} ").unwrap();
        }
        text.trim_end().to_owned()
    }
}

/// A field as one would write it; nothing if it is not there.
pub(crate) fn text(record: &Record, key: &str) -> String {
    match record.fields.get(key) {
        None => String::new(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}
