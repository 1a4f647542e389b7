//! The deterministic kernel: actix actors on one seeded virtual clock.
//!
//! A [`World`] is built from a seed: nodes with actors on them, links between them, a plan of
//! faults. Then it runs to its end, on one of two [`Host`]s, and leaves an [`Outcome`]. One seed is
//! one exact history: the same events at the same instants in the same order, wherever it runs.
//!
//! Here is what happens, in order. [`World::run`] checks the plan and starts the nodes. From then
//! on `core` takes one event at a time off the `queue`, and the `host` polls the actors it woke
//! until none has anything to do. Actors act through their [`Env`]; what they send goes through
//! `network`, comes back as `mail`, and enters the actor by its `port`. Each event passes through
//! `history`, which keeps the fingerprint and tells the observers.
//!
//! This module knows nothing of language models, and must never read a clock, a thread or a random
//! number that is not its own.

mod call;
mod core;
mod delay;
mod disk;
mod env;
mod event;
mod failure;
mod fault;
mod hash;
mod history;
mod host;
mod life;
mod mail;
mod message;
mod network;
mod node;
mod outcome;
mod point;
mod port;
mod queue;
mod random;
mod settings;
mod time;
mod timer;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use actix::{Actor, Context};
use jiff::Timestamp;

pub use self::{
    call::{Call, CallFuture, CallHandle},
    core::Ending,
    delay::Delay,
    disk::{DiskError, DiskRule},
    env::{Disk, Env},
    event::{Happening, LOG_VERSION, Note, Observer, Payload, Record, Sighting},
    failure::{Failure, StartError, Wait},
    fault::{Apply, Fault, FaultKind, Injector},
    hash::Fingerprint,
    history::Counts,
    host::Host,
    mail::CallError,
    message::{DropCause, MessageInfo, MessageKind, SendVerdict},
    network::{LinkPatch, LinkRule},
    node::{NodeId, Peer},
    outcome::Outcome,
    port::{Later, Promise},
    random::{Probability, Seed, Stream},
    settings::{Limits, Schedule},
    time::Time,
    timer::{Sleep, Timer},
};
use self::{
    core::{Core, Due},
    history::History,
    host::Hosts,
    message::Labels,
    network::{Measure, Network, Span},
    node::NodeState,
    point::Points,
    queue::Queue,
    settings::TieBreaker,
};
pub(crate) use self::{fault::is_of_an_instant, hash::digest};

/// A world that is being built.
pub struct World {
    seed: Seed,
    host: Host,
    start: Timestamp,
    schedule: Schedule,
    limits: Limits,
    disk_rule: DiskRule,
    network: LinkRule,
    links: Vec<(Vec<String>, Vec<String>, bool, LinkPatch)>,
    nodes: Vec<NodeState>,
    faults: Vec<Fault>,
    history: History,
    /// Where the outcome is left too, for whoever handed the world out.
    report: Report,
}

/// A place for the outcome of a world.
pub(crate) type Report = Rc<RefCell<Option<Outcome>>>;

/// 2026-01-01T00:00:00Z, in seconds since the Unix epoch.
const DEFAULT_START: i64 = 1_767_225_600;

impl World {
    /// An empty world. Its time begins on 2026-01-01 at midnight UTC unless [`World::start_at`]
    /// says otherwise.
    pub fn new(seed: Seed) -> World {
        World {
            seed,
            host: Host::Native,
            start: Timestamp::from_second(DEFAULT_START).unwrap_or_default(),
            schedule: Schedule::Fifo,
            limits: Limits::default(),
            disk_rule: DiskRule::default(),
            network: LinkRule::default(),
            links: Vec::new(),
            nodes: Vec::new(),
            faults: Vec::new(),
            history: History::new(),
            report: Report::default(),
        }
    }

    /// The seed.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// The random stream of this name: for drawing what the world is made of.
    pub fn stream(&self, name: &str) -> Stream {
        self.seed.stream(name)
    }

    /// Which host polls the actors; [`Host::Native`] unless said.
    pub fn host(&mut self, host: Host) -> &mut World {
        self.host = host;
        self
    }

    /// When the world's time begins.
    pub fn start_at(&mut self, start: Timestamp) -> &mut World {
        self.start = start;
        self
    }

    /// The order of simultaneous events.
    pub fn schedule(&mut self, schedule: Schedule) -> &mut World {
        self.schedule = schedule;
        self
    }

    /// What ends a runaway world.
    pub fn limits(&mut self, limits: Limits) -> &mut World {
        self.limits = limits;
        self
    }

    /// The properties of every node's disk.
    pub fn disks(&mut self, rule: DiskRule) -> &mut World {
        self.disk_rule = rule;
        self
    }

    /// How links are that nothing else is said about.
    pub fn network(&mut self, rule: LinkRule) -> &mut World {
        self.network = rule;
        self
    }

    /// Changes the links from any of `from` to any of `to`; with `both_ways`, also back. Later
    /// changes win over earlier ones.
    pub fn link<S: ToString>(
        &mut self,
        from: impl IntoIterator<Item = S>,
        to: impl IntoIterator<Item = S>,
        both_ways: bool,
        patch: LinkPatch,
    ) -> &mut World {
        let names = |list: Vec<S>| list.iter().map(S::to_string).collect();
        let (from, to) = (from.into_iter().collect(), to.into_iter().collect());
        self.links.push((names(from), names(to), both_ways, patch));
        self
    }

    /// Adds a node. Its main actor is made by `factory` when the world begins, and again at each
    /// restart after a crash.
    pub fn spawn<A: Actor<Context = Context<A>>>(
        &mut self,
        name: impl Into<String>,
        factory: impl Fn(Env<A>) -> A + 'static,
    ) -> Peer<A> {
        let name = name.into();
        let id = NodeId(self.nodes.len() as u32);
        let factory = Rc::new(factory);
        self.nodes.push(NodeState {
            name_hash: hash::name_hash(&name),
            name: name.into(),
            incarnation: 0,
            is_up: false,
            held_down: 0,
            paused: 0,
            places: Vec::new(),
            boot: Rc::new(move |core, id| {
                core.host_actor(id, "", |env| factory(env));
            }),
            clock: Default::default(),
            disk: None,
            backlog: Vec::new(),
            scheduled: 0,
        });
        Peer::new(id, 0)
    }

    /// Adds a fault to the plan.
    pub fn fault(&mut self, fault: Fault) -> &mut World {
        self.faults.push(fault);
        self
    }

    /// Shows every event to an observer, from the first on.
    pub fn observe(&mut self, observer: impl Observer + 'static) -> &mut World {
        self.history.observe(Box::new(observer));
        self
    }

    /// Leaves the outcome there too when the world has run.
    pub(crate) fn report_to(&mut self, report: Report) {
        self.report = report;
    }

    /// Runs the world to its end.
    ///
    /// # Errors
    ///
    /// A [`StartError`] if it cannot be started as it is; then nothing has run. What goes wrong
    /// while it runs is in [`Outcome::failure`].
    pub fn run(self) -> Result<Outcome, StartError> {
        let names = self.check_names()?;
        let seed = self.seed;
        let core = Rc::new(Core {
            seed,
            start: self.start,
            tie_breaker: TieBreaker::new(self.schedule, seed),
            limits: self.limits,
            disk_rule: self.disk_rule,
            now: Cell::new(Time::ZERO),
            queue: RefCell::new(Queue::new()),
            held: RefCell::default(),
            nodes: RefCell::new(self.nodes),
            network: RefCell::new(Network::new(seed, self.network)),
            calls: RefCell::default(),
            history: self.history,
            faults: RefCell::new(self.faults),
            imposed: RefCell::default(),
            points: Points::default(),
            names: RefCell::new(names),
            hosts: Hosts::new(self.host),
            failure: RefCell::new(None),
            ending: Cell::new(None),
            next_message: Cell::new(0),
            labels: Labels::default(),
        });
        for (from, to, both_ways, patch) in self.links {
            let span = Span { from: core.resolve(&from), to: core.resolve(&to), both_ways };
            core.network.borrow_mut().impose(span, Measure::Patch(patch));
        }
        core.plan_faults();
        let count = core.nodes.borrow().len() as u32;
        for id in (0..count).map(NodeId) {
            core.schedule_at(Time::ZERO, Due::Boot(id));
        }
        let outcome = core.run()?;
        self.report.replace(Some(outcome.clone()));
        Ok(outcome)
    }

    /// The nodes by name, if every name is there once and all names elsewhere are known.
    fn check_names(&self) -> Result<BTreeMap<Rc<str>, NodeId>, StartError> {
        let mut names = BTreeMap::new();
        for (index, node) in self.nodes.iter().enumerate() {
            if names.insert(Rc::clone(&node.name), NodeId(index as u32)).is_some() {
                return Err(StartError::DuplicateNode(node.name.to_string()));
            }
        }
        let in_faults = self.faults.iter().flat_map(|fault| {
            fault.kind.node_names().map(move |name| (format!("the fault `{}`", fault.kind), name))
        });
        let in_links = self.links.iter().flat_map(|(from, to, ..)| {
            from.iter().chain(to).map(|name| ("a link".to_owned(), name))
        });
        for (place, name) in in_faults.chain(in_links) {
            if !names.contains_key(name.as_str()) {
                let mut known: Vec<&str> = names.keys().map(|name| &**name).take(12).collect();
                if names.len() > known.len() {
                    known.push("…");
                }
                let (name, known) = (name.clone(), known.join(", "));
                return Err(StartError::UnknownNode { place, name, known });
            }
        }
        Ok(names)
    }
}
