//! `story.snap`: what happened under one seed, in outline.
//!
//! Events are told thread by thread: a thread is what became of one request, or of one fault, with
//! what followed from it. Threads of the same shape are told once and counted. An outline never is
//! longer than [`LINES_MAX`]; what it leaves out, it counts.

mod outline;

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use serde_json::{Map, Value};

use crate::{
    report::event,
    world::{Happening, Observer, Record, Seed, Sighting, Time},
};

/// The longest story, in lines.
pub const LINES_MAX: usize = 60;

/// How many threads are kept word for word; of later ones only the shape is.
const TOLD_MAX: usize = 20_000;

/// What is too common to tell: it is in the log.
const UNTOLD: [&str; 6] = [
    "message_sent",
    "message_delivered",
    "timer_fired",
    "disk_synced",
    "fault_planned",
    "node_started",
];

/// Fields that differ from one request to the next without saying that anything else happened.
const INDIVIDUAL: [&str; 6] = ["request", "agent", "task", "workspace", "message", "latency_ms"];

/// Collects a story while a run goes on.
#[derive(Default)]
pub struct Story(Rc<RefCell<Plot>>);

impl Story {
    /// A story in which nothing has happened yet.
    pub fn new() -> Story {
        Story::default()
    }

    /// The observer that tells this story what happens.
    pub fn observer(&self) -> Box<dyn Observer> {
        let plot = Rc::clone(&self.0);
        Box::new(move |sighting: &Sighting<'_>| plot.borrow_mut().see(sighting))
    }

    /// The outline, with a heading.
    pub fn text(&self, sim: &str, seed: Seed) -> String {
        outline::text(&self.0.borrow(), sim, seed)
    }
}

/// One thing that happened.
struct Step {
    at: Time,
    node: String,
    kind: String,
    details: String,
}

/// What became of one request, or of one fault.
struct Thread {
    /// The node whose request it is; `None` if it is about the world.
    agent: Option<String>,
    started: Time,
    /// What happened, as numbers of [`Plot::words`]; what happened several times in a row is there
    /// once. Threads of the same shape went the same way.
    shape: Vec<u32>,
    /// How often each of it happened in a row.
    times: Vec<u64>,
    /// What happened, word for word; empty past [`TOLD_MAX`].
    steps: Vec<Step>,
}

#[derive(Default)]
struct Plot {
    threads: Vec<Thread>,
    by_request: BTreeMap<String, u32>,
    /// For each event, the thread it belongs to, counted from 1; 0 for none.
    thread_of: Vec<u32>,
    /// The same for each message.
    thread_of_message: BTreeMap<u64, u32>,
    /// Each distinct thing that can happen, as a number.
    words: BTreeMap<String, u32>,
    /// The kind of each of [`Plot::words`].
    kinds: Vec<String>,
}

impl Plot {
    fn see(&mut self, sighting: &Sighting<'_>) {
        let cause = usize::try_from(sighting.cause).unwrap_or(0);
        let message = message(&sighting.what);
        let of_message = || self.thread_of_message.get(&message?).copied();
        let of_cause = self.thread_of.get(cause).copied().filter(|thread| *thread > 0);
        let inherited = of_cause.or_else(of_message).unwrap_or(0);
        let kind = sighting.what.kind();
        let mut thread = inherited;
        if !UNTOLD.contains(&kind) {
            let record = sighting.to_record();
            thread = match request(sighting, &record.fields) {
                Some(request) => {
                    let thread = self.thread_of_request(request, sighting.at);
                    // What else is done in handling this event is about this request too.
                    if let Some(of_cause) = self.thread_of.get_mut(cause).filter(|_| cause > 0) {
                        *of_cause = thread;
                    }
                    thread
                }
                None if inherited > 0 => inherited,
                None => self.begin(sighting.at, None),
            };
            self.tell(thread, &record);
        }
        if let (Some(message), true) = (message, thread > 0) {
            self.thread_of_message.insert(message, thread);
        }
        if self.thread_of.is_empty() {
            self.thread_of.push(0);
        }
        self.thread_of.push(thread);
    }

    fn thread_of_request(&mut self, request: &str, at: Time) -> u32 {
        if let Some(thread) = self.by_request.get(request) {
            return *thread;
        }
        let agent = request.split('/').next().unwrap_or(request);
        let thread = self.begin(at, Some(agent.to_owned()));
        self.by_request.insert(request.to_owned(), thread);
        thread
    }

    fn begin(&mut self, started: Time, agent: Option<String>) -> u32 {
        let (shape, times, steps) = (Vec::new(), Vec::new(), Vec::new());
        self.threads.push(Thread { agent, started, shape, times, steps });
        self.threads.len() as u32
    }

    fn tell(&mut self, number: u32, record: &Record) {
        let Some(thread) = self.threads.get_mut(number as usize - 1) else { return };
        let next = self.words.len() as u32;
        let word = word(record, thread.agent.as_deref());
        let word = *self.words.entry(word).or_insert_with(|| {
            self.kinds.push(record.kind.clone());
            next
        });
        if let (Some(times), true) = (thread.times.last_mut(), thread.shape.last() == Some(&word)) {
            *times += 1;
            return;
        }
        thread.shape.push(word);
        thread.times.push(1);
        if (number as usize) <= TOLD_MAX && thread.steps.len() < outline::STEPS_MAX {
            thread.steps.push(Step {
                at: Time::from_nanos(record.at_ns),
                node: record.node.clone(),
                kind: record.kind.clone(),
                details: event::details(record),
            });
        }
    }
}

/// The message that an event is about.
fn message(what: &Happening<'_>) -> Option<u64> {
    match what {
        Happening::MessageSent { message, .. }
        | Happening::MessageDelivered { message }
        | Happening::MessageDropped { message, .. }
        | Happening::CallTimedOut { message }
        | Happening::LateAnswer { message } => Some(message.id),
        _ => None,
    }
}

fn request<'a>(sighting: &Sighting<'_>, fields: &'a Map<String, Value>) -> Option<&'a str> {
    match sighting.what {
        Happening::Emitted { .. } => fields.get("request").and_then(Value::as_str),
        _ => None,
    }
}

/// What happened, without what tells one request from the next.
fn word(record: &Record, agent: Option<&str>) -> String {
    let role = |node: &str| match agent {
        Some(agent) if agent == node => "agent".to_owned(),
        _ => group(node).to_owned(),
    };
    let mut word = format!("{} {}", role(&record.node), record.kind);
    for (name, value) in &record.fields {
        let is_duration = name.ends_with("_ns") || name.ends_with("_ms");
        if is_duration || INDIVIDUAL.contains(&name.as_str()) {
            continue;
        }
        match value.as_str() {
            Some(text) if name != "fault" => word.push_str(&format!(" {name}={}", role(text))),
            _ => word.push_str(&format!(" {name}={value}")),
        }
    }
    word
}

/// The name of a group for one of its members: `rust` for `rust-3`.
fn group(node: &str) -> &str {
    match node.rsplit_once('-') {
        Some((group, digits))
            if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            group
        }
        _ => node,
    }
}

#[cfg(test)]
mod tests;
