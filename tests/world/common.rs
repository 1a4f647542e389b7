//! What the tests of the kernel share: an actor that does what a test says, and worlds that are
//! always run on both hosts.

use std::{cell::RefCell, rc::Rc, time::Duration};

use actix::prelude::*;
use seedbed::world::{
    CallError, Delay, Env, Host, Later, LinkRule, Outcome, Peer, Promise, Record, Seed, Sighting,
    World,
};

pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub(crate) const fn micros(count: u64) -> Duration {
    Duration::from_micros(count)
}

type Start = Rc<dyn Fn(&mut Script, &mut Context<Script>)>;

/// Does in `started` what the test says, and answers the messages below.
pub(crate) struct Script {
    pub(crate) env: Env<Script>,
    start: Start,
    /// Promises that are never kept.
    pub(crate) unkept: Vec<Promise<u64>>,
}

impl Actor for Script {
    type Context = Context<Self>;
    fn started(&mut self, context: &mut Context<Self>) {
        let start = Rc::clone(&self.start);
        start(self, context);
    }
}

/// Adds a node that runs this closure in each of its lives.
pub(crate) fn script(
    world: &mut World,
    name: &str,
    start: impl Fn(&mut Script, &mut Context<Script>) + 'static,
) -> Peer<Script> {
    let start: Start = Rc::new(start);
    world.spawn(name, move |env| Script { env, start: Rc::clone(&start), unkept: Vec::new() })
}

/// Adds a node that only answers.
pub(crate) fn server(world: &mut World, name: &str) -> Peer<Script> {
    script(world, name, |_, _| {})
}

/// A one-way message; its arrival is emitted as `noted`. It cannot be copied.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Note(pub(crate) u64);

/// As [`Note`], but can be copied.
#[derive(Message, Clone)]
#[rtype(result = "()")]
pub(crate) struct Copyable(pub(crate) u64);

/// Answered at once with the number plus one; emitted as `asked`.
#[derive(Message, Clone)]
#[rtype(result = "u64")]
pub(crate) struct Ask(pub(crate) u64);

/// Answered after so many milliseconds; emitted as `asked`.
#[derive(Message)]
#[rtype(result = "u64")]
pub(crate) struct Slow(pub(crate) u64);

/// Never answered; emitted as `asked`.
#[derive(Message)]
#[rtype(result = "u64")]
pub(crate) struct Never;

/// The promise is dropped; emitted as `asked`.
#[derive(Message)]
#[rtype(result = "u64")]
pub(crate) struct Forget;

/// The actor stops.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Stop;

impl Handler<Note> for Script {
    type Result = ();
    fn handle(&mut self, Note(number): Note, _: &mut Context<Self>) {
        self.env.emit("noted", number);
    }
}

impl Handler<Copyable> for Script {
    type Result = ();
    fn handle(&mut self, Copyable(number): Copyable, _: &mut Context<Self>) {
        self.env.emit("noted", number);
    }
}

impl Handler<Ask> for Script {
    type Result = u64;
    fn handle(&mut self, Ask(number): Ask, _: &mut Context<Self>) -> u64 {
        self.env.emit("asked", number);
        number + 1
    }
}

impl Handler<Slow> for Script {
    type Result = Later<u64>;
    fn handle(&mut self, Slow(count): Slow, _: &mut Context<Self>) -> Later<u64> {
        self.env.emit("asked", count);
        let (promise, later) = Later::promise();
        self.env.after(ms(count), move |_, _| promise.keep(count));
        later
    }
}

impl Handler<Never> for Script {
    type Result = Later<u64>;
    fn handle(&mut self, _: Never, _: &mut Context<Self>) -> Later<u64> {
        self.env.emit("asked", 0_u64);
        let (promise, later) = Later::promise();
        self.unkept.push(promise);
        later
    }
}

impl Handler<Forget> for Script {
    type Result = Later<u64>;
    fn handle(&mut self, _: Forget, _: &mut Context<Self>) -> Later<u64> {
        self.env.emit("asked", 0_u64);
        Later::promise().1
    }
}

impl Handler<Stop> for Script {
    type Result = ();
    fn handle(&mut self, _: Stop, context: &mut Context<Self>) {
        context.stop();
    }
}

impl Script {
    /// Takes down what came of a call.
    pub(crate) fn report(&self, result: Result<u64, CallError>) {
        self.env.emit("answered", text(result));
    }
}

pub(crate) fn text(result: Result<u64, CallError>) -> String {
    result.map_or_else(|error| error.to_string(), |value| value.to_string())
}

/// A history, and what it came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Played {
    pub(crate) outcome: Outcome,
    pub(crate) records: Vec<Record>,
}

/// Runs a world on one host. All links take one millisecond unless the test says otherwise.
pub(crate) fn play_on(host: Host, seed: u64, build: impl Fn(&mut World)) -> Played {
    let records = Rc::new(RefCell::new(Vec::new()));
    let mut world = World::new(Seed(seed));
    world.host(host).network(LinkRule::with_latency(Delay::Fixed(MS)));
    let all = Rc::clone(&records);
    world.observe(move |sighting: &Sighting<'_>| all.borrow_mut().push(sighting.to_record()));
    build(&mut world);
    let outcome = world.run().unwrap();
    Played { outcome, records: records.take() }
}

/// Runs a world on both hosts, where it must have one history.
pub(crate) fn play_seed(seed: u64, build: impl Fn(&mut World)) -> Played {
    let native = play_on(Host::Native, seed, &build);
    let mut tokio = play_on(Host::Tokio, seed, &build);
    for (one, other) in native.records.iter().zip(&tokio.records) {
        assert_eq!(one, other, "the first event that the hosts do differently (native, tokio)");
    }
    tokio.outcome.host = Host::Native;
    assert_eq!(tokio.outcome, native.outcome);
    assert_eq!(tokio.records.len(), native.records.len());
    native
}

pub(crate) fn play(build: impl Fn(&mut World)) -> Played {
    play_seed(1, build)
}

impl Played {
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<&Record> {
        self.records.iter().filter(|record| record.kind == kind).collect()
    }

    /// When events of this kind happened, in microseconds, and the value each emitted.
    pub(crate) fn values(&self, kind: &str) -> Vec<(u64, u64)> {
        let value = |record: &Record| record.fields.get("value").and_then(|value| value.as_u64());
        let events = self.of_kind(kind).into_iter();
        events.map(|record| (record.at_ns / 1_000, value(record).unwrap_or_default())).collect()
    }

    /// When texts were emitted under this name, in microseconds, and the texts.
    pub(crate) fn texts(&self, kind: &str) -> Vec<(u64, &str)> {
        let events = self.of_kind(kind).into_iter();
        events
            .map(|record| (record.at_ns / 1_000, record.fields["value"].as_str().unwrap()))
            .collect()
    }

    /// When events of this kind happened, in microseconds.
    pub(crate) fn times(&self, kind: &str) -> Vec<u64> {
        self.of_kind(kind).into_iter().map(|record| record.at_ns / 1_000).collect()
    }

    /// Why messages were dropped.
    pub(crate) fn drops(&self) -> Vec<&str> {
        let events = self.of_kind("message_dropped").into_iter();
        events.map(|record| record.fields["cause"].as_str().unwrap()).collect()
    }
}
