//! A sidecar on a node of a world, and a client that sends it requests and keeps the answers.

mod agents;
mod events;
mod faults;
mod requests;

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use actix::{Actor, Context};
use serde_json::{Value, json};

use super::{
    Gateway,
    auth::{Claims, Keys, LEEWAY},
    message::{Answer, Ask, Reply},
    project::Size,
    wire::{AgentId, AgentType, Made as _, Method, ProjectId, Request},
};
use crate::{
    stack::settings,
    world::{
        CallError, Env, Fault, FaultKind, Happening, Limits, LinkRule, Outcome, Peer, Seed,
        Sighting, World,
    },
};

/// What was answered, by the number of the request, and in which millisecond.
type Seen = BTreeMap<usize, (u64, Result<Answer, CallError>)>;

/// What is sent when, in milliseconds; it may depend on what was answered before.
type Step = (u64, Box<dyn Fn(&Seen) -> Request>);

fn step(at: u64, request: Request) -> Step {
    (at, Box::new(move |_| request.clone()))
}

fn then(at: u64, make: impl Fn(&Seen) -> Request + 'static) -> Step {
    (at, Box::new(make))
}

struct Client;

impl Client {
    fn new(
        env: Env<Client>,
        sidecar: Peer<Gateway>,
        steps: &Rc<Vec<Step>>,
        seen: &Rc<RefCell<Seen>>,
    ) -> Client {
        for (number, (at, _)) in steps.iter().enumerate() {
            let (me, steps, seen) = (env.clone(), Rc::clone(steps), Rc::clone(seen));
            env.after(Duration::from_millis(*at), move |_, _| {
                let request = (steps[number].1)(&seen.borrow());
                let call = me.call(&sidecar, Ask(Rc::new(request)));
                let own = me.clone();
                call.timeout(Duration::from_secs(400)).then(move |_, answer, _| {
                    let at = own.now().as_nanos() / 1_000_000;
                    seen.borrow_mut().insert(number, (at, answer));
                });
            });
        }
        Client
    }
}

impl Actor for Client {
    type Context = Context<Self>;
}

/// What came of a script.
struct Played {
    seen: Seen,
    /// The events of the stack, as JSON, with their names.
    events: Vec<(&'static str, Value)>,
    outcome: Outcome,
}

fn keys() -> Keys {
    Keys::new(b"a secret of thirty-two bytes, or so", LEEWAY).unwrap()
}

/// Nothing limits the rate; every delay is as usual.
fn settings() -> settings::Sidecar {
    settings::Sidecar { rates: BTreeMap::new(), ..settings::Sidecar::default() }
}

fn play(settings: settings::Sidecar, faults: Vec<Fault>, steps: Vec<Step>) -> Played {
    play_with(settings, &[("shop", Size::Tiny), ("bank", Size::Tiny)], faults, steps)
}

fn play_with(
    settings: settings::Sidecar,
    projects: &[(&str, Size)],
    faults: Vec<Fault>,
    steps: Vec<Step>,
) -> Played {
    let mut world = World::new(Seed(7));
    let time = Duration::from_secs(2 * 3_600);
    world.network(LinkRule::PERFECT).limits(Limits { time, ..Limits::default() });
    let (settings, keys) = (Rc::new(settings), Rc::new(keys()));
    let projects: Vec<settings::Project> = projects
        .iter()
        .map(|(id, size)| settings::Project { id: ProjectId::made(id), size: *size })
        .collect();
    let sidecar = world.spawn("sidecar", move |env| {
        Gateway::new(env, Rc::clone(&settings), Rc::clone(&keys), &projects)
    });
    let (steps, seen) = (Rc::new(steps), Rc::new(RefCell::new(Seen::new())));
    let sink = Rc::clone(&seen);
    world.spawn("client", move |env| Client::new(env, sidecar, &steps, &sink));
    for fault in faults {
        world.fault(fault);
    }
    let events = Rc::new(RefCell::new(Vec::new()));
    let sink = Rc::clone(&events);
    world.observe(move |sighting: &Sighting<'_>| {
        if let Happening::Emitted { name, payload, .. } = sighting.what {
            sink.borrow_mut().push((name, Value::Object(payload.fields())));
        }
    });
    let outcome = world.run().unwrap();
    assert_eq!(outcome.failure, None);
    Played { seen: seen.take(), events: events.take(), outcome }
}

impl Played {
    /// The answer to this request.
    fn answer(&self, number: usize) -> &Answer {
        answer(&self.seen, number)
    }

    fn status(&self, number: usize) -> u16 {
        self.answer(number).status.as_u16()
    }

    /// Status and code of a refusal.
    fn refusal(&self, number: usize) -> (u16, &'static str) {
        match &self.answer(number).body {
            Reply::Fault(body) => (self.status(number), body.code.as_str()),
            other => panic!("{other:?}"),
        }
    }

    /// The answer as JSON.
    fn json(&self, number: usize) -> Value {
        json_of(self.answer(number))
    }

    /// In which millisecond it was answered.
    fn at(&self, number: usize) -> u64 {
        self.seen[&number].0
    }

    /// All events of this name.
    fn named(&self, name: &str) -> Vec<&Value> {
        self.events.iter().filter(|(it, _)| *it == name).map(|(_, event)| event).collect()
    }
}

fn answer(seen: &Seen, number: usize) -> &Answer {
    match &seen[&number].1 {
        Ok(answer) => answer,
        Err(error) => panic!("{number}: {error}"),
    }
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.to_response().body).unwrap()
}

/// A text of an answer.
fn text(seen: &Seen, number: usize, field: &str) -> String {
    json_of(answer(seen, number))[field].as_str().unwrap().to_owned()
}

/// A token of the beginning of the world, valid for an hour.
fn token(agent: &str, agent_type: AgentType, project: &str) -> String {
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    let project = ProjectId::made(project);
    keys().issue(&Claims::new(AgentId::made(agent), agent_type, project, start))
}

fn rust() -> String {
    token("rust-1", AgentType::RustSpecialist, "shop")
}

fn chief() -> String {
    token("chief", AgentType::ChiefArchitect, "shop")
}

fn stranger() -> String {
    token("rust-1", AgentType::RustSpecialist, "bank")
}

fn get(path: &str, token: &str) -> Request {
    Request::new(Method::Get, path).bearer(token)
}

fn delete(path: &str, token: &str) -> Request {
    Request::new(Method::Delete, path).bearer(token)
}

fn post(path: &str, token: &str, body: &Value) -> Request {
    Request::new(Method::Post, path).bearer(token).json(body)
}

/// A result of `rust-1` in `shop`, under this key.
fn result(key: &str, decision: &str) -> Request {
    let body = json!({
        "agent_id": "rust-1", "agent_type": "rust-specialist", "issue_id": "i-1",
        "project_id": "shop", "result": { "status": "success", "decision": decision },
        "timestamp": "2026-01-01T00:00:01Z",
    });
    post("/api/results", &rust(), &body).header("Idempotency-Key", key)
}

fn event(n: u64) -> Request {
    let body = json!({ "publisher": "rust-1", "topic": "testing", "data": { "n": n } });
    post("/api/events/done", &rust(), &body)
}

fn numbers(page: &Value) -> Vec<u64> {
    let events = page["events"].as_array().unwrap();
    events.iter().filter_map(|event| event["data"]["n"].as_u64()).collect()
}
