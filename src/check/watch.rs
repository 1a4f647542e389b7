//! Watches a run: feeds the tally and the expectations, and holds the checks that always run.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    CheckResult, Metrics,
    config::{self, Config},
    expect::{Seen, Watched},
    flows::{self, Flows},
    gateway::{self, Gateway},
    guards::{self, Guards},
    healing::{self, Healing},
    metrics::Tally,
    routing::{self, Routing},
    sidecar::{self, Sidecar},
    tracing::{self, Tracing},
};
use crate::{
    scenario::{FaultKind, Partition, ScenarioError, Selector, Sim},
    stack::{ConfigEvent, Event, FlowEvent, RequestId, SidecarEvent},
    world::{Ending, Happening, Note, Outcome, Sighting, Time},
};

/// The checks that run in every sim, unless it switches one off and says why. Those on the sidecar run
/// from the first moment that somebody uses it; where nobody does, nothing is said of them. Those on
/// the flows around the stack run in a sim that has any.
pub const ALWAYS: [&str; 45] = [
    ENDS_ONCE,
    NO_LEAK,
    NOTHING_LEFT,
    routing::ATTEMPTS,
    routing::PROBES,
    routing::GIVEN_UP,
    routing::PAUSES,
    routing::STREAM,
    routing::QUOTA,
    sidecar::RESULTS,
    sidecar::ONCE,
    sidecar::LINEAR,
    sidecar::COUNTS,
    sidecar::SCOPE,
    sidecar::TOKENS,
    sidecar::ORDER,
    sidecar::PROMISED,
    sidecar::IDS,
    healing::WORKS_AGAIN,
    gateway::ROUNDS,
    gateway::IDLE,
    gateway::FINAL,
    gateway::LEFT_OUT,
    gateway::LAST_ERROR,
    gateway::LET_GO,
    gateway::WHOLE,
    gateway::BAGGAGE,
    guards::BREAKERS,
    guards::COME_BACK,
    guards::ROOM,
    guards::ADDS_UP,
    guards::MIDNIGHT,
    guards::SPREAD,
    config::TRAIL,
    config::HOLDS,
    config::IN_HAND,
    config::ADMITTED,
    config::OPENS,
    flows::PROGRESS,
    flows::DECIDED,
    flows::WAITS,
    flows::WIDGETS,
    flows::NEWEST,
    tracing::WITHIN,
    tracing::ONE_TRACE,
];

/// Every request that was started ends, and ends once.
const ENDS_ONCE: &str = "every_request_ends_once";
/// No message is delivered across a partition.
const NO_LEAK: &str = "no_message_across_a_partition";
/// When the run ends, no request is open and no call waits.
const NOTHING_LEFT: &str = "nothing_outstanding_at_the_end";

/// One side or direction of a partition, from its own reading of the plan: a check must not share
/// its idea of the truth with what it checks.
struct Wall {
    from: BTreeSet<String>,
    to: BTreeSet<String>,
    both_ways: bool,
}

impl Wall {
    fn stops(&self, from: &str, to: &str) -> bool {
        (self.from.contains(from) && self.to.contains(to))
            || (self.both_ways && self.from.contains(to) && self.to.contains(from))
    }

    fn of(sim: &Sim, partition: &Partition) -> Wall {
        let nodes = |selector: &Selector| -> BTreeSet<String> {
            sim.select(selector).into_iter().collect()
        };
        match partition {
            Partition::Between(a, b) => Wall { from: nodes(a), to: nodes(b), both_ways: true },
            Partition::OneWay { from, to } => {
                Wall { from: nodes(from), to: nodes(to), both_ways: false }
            }
            Partition::Isolate(inside) => {
                let inside = nodes(inside);
                let outside = sim.node_names().into_iter().filter(|node| !inside.contains(node));
                Wall { to: outside.collect(), from: inside, both_ways: true }
            }
        }
    }
}

/// A check that always runs, while the run goes on.
#[derive(Default)]
pub(super) struct Built {
    pub(super) evaluated: u64,
    pub(super) failure: Option<String>,
}

impl Built {
    pub(super) fn evaluate(&mut self, failure: Option<String>) {
        self.evaluated += 1;
        if self.failure.is_none() {
            self.failure = failure;
        }
    }

    /// What another part of the same check found.
    pub(super) fn also(&mut self, other: Built) {
        self.evaluated += other.evaluated;
        self.failure = self.failure.take().or(other.failure);
    }

    #[cfg(test)]
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    #[cfg(test)]
    pub(super) fn evaluated(&self) -> u64 {
        self.evaluated
    }
}

/// Everything that watches one run.
pub struct Watch {
    tally: Tally,
    expectations: Vec<Watched>,
    sometimes: Vec<Watched>,
    /// In a sim that says when everything must work again.
    healing: Option<Healing>,
    off: BTreeSet<String>,
    open: BTreeMap<RequestId, Time>,
    /// Requests whose agents have crashed.
    lost: BTreeSet<RequestId>,
    routing: Routing,
    /// None as long as nobody used a sidecar.
    sidecar: Option<Box<Sidecar>>,
    /// In a sim that has any.
    flows: Option<Box<Flows>>,
    clocks_are_right: bool,
    disk_is_kept: bool,
    /// For how many events the sidecar has room.
    room: u64,
    gateway: Gateway,
    guards: Guards,
    /// If the router has a configuration.
    config: Option<Box<Config>>,
    /// In a sim that says how its traces are made.
    tracing: Option<Box<Tracing>>,
    ends_once: Built,
    no_leak: Built,
    /// When each partition of the plan fires and heals, in nanoseconds, and what it separates.
    walls: Vec<(u64, Option<u64>, Wall)>,
}

impl Watch {
    /// A watch over one run of this sim.
    ///
    /// # Errors
    ///
    /// A [`ScenarioError`] if the sim switches off a check that there is not.
    pub fn new(sim: &Sim) -> Result<Watch, ScenarioError> {
        let mut off = BTreeSet::new();
        for entry in &sim.checks.off {
            if !ALWAYS.contains(&entry.check.value.as_str()) {
                let message = format!("there is no check called \"{}\"", entry.check.value);
                let help = format!("the checks are {}", ALWAYS.join(", "));
                return Err(sim.error(entry.check.span, &message, &help));
            }
            off.insert(entry.check.value.clone());
        }
        let nanos =
            |duration: std::time::Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let any = |is: &dyn Fn(&FaultKind) -> bool| sim.faults.iter().any(|fault| is(&fault.kind));
        let walls = sim.faults.iter().filter_map(|fault| match &fault.kind {
            FaultKind::Partition(partition) => {
                let at = nanos(fault.at);
                let until = fault.r#for.map(|lasts| at.saturating_add(nanos(lasts)));
                Some((at, until, Wall::of(sim, partition)))
            }
            _ => None,
        });
        Ok(Watch {
            tally: Tally::default(),
            expectations: sim.expectations.iter().map(|wanted| Watched::new(sim, wanted)).collect(),
            sometimes: sim.sometimes.iter().map(|wanted| Watched::new(sim, wanted)).collect(),
            healing: Healing::new(sim),
            off,
            open: BTreeMap::new(),
            lost: BTreeSet::new(),
            routing: Routing::new(sim),
            sidecar: None,
            flows: Flows::new(sim),
            clocks_are_right: !any(&|kind| matches!(kind, FaultKind::Clock { .. })),
            disk_is_kept: !any(&|kind| {
                let FaultKind::DiskLost { node } = kind else { return false };
                sim.select(node).iter().any(|name| name == sidecar::NODE)
            }),
            room: sim.sidecar.as_ref().map_or(0, |it| it.bus.capacity as u64),
            gateway: Gateway::new(sim),
            guards: Guards::new(sim),
            config: Config::new(sim).map(Box::new),
            tracing: Tracing::new(sim).map(Box::new),
            ends_once: Built::default(),
            no_leak: Built::default(),
            walls: walls.collect(),
        })
    }

    /// Whether it listens to notes.
    pub fn wants_notes(&self) -> bool {
        self.tracing.is_some()
    }

    /// Hears one note.
    pub fn note(&mut self, note: &Note<'_>) {
        if let Some(tracing) = &mut self.tracing {
            tracing.note(note);
        }
    }

    /// Sees one event.
    pub fn see(&mut self, sighting: &Sighting<'_>) {
        let seen = Seen::new(sighting);
        for expectation in self.expectations.iter_mut().chain(&mut self.sometimes) {
            expectation.see(&seen);
        }
        if let Some(sidecar) = &mut self.sidecar {
            sidecar.hear(sighting);
        }
        if let Some(flows) = &mut self.flows {
            flows.hear(sighting);
        }
        self.gateway.hear(sighting);
        if let Some(tracing) = &mut self.tracing {
            tracing.hear(sighting);
        }
        match sighting.what {
            Happening::Emitted { payload, .. } => {
                if let Some(event) = payload.as_any().downcast_ref::<Event>() {
                    self.tally.see(sighting.at, event);
                    self.follow(sighting.at, event);
                    if let Some(healing) = &mut self.healing {
                        healing.see(sighting.at, event);
                    }
                    let lost = &self.lost;
                    let (is_lost, calls) =
                        (|it: &RequestId| lost.contains(it), self.gateway.calls());
                    self.routing.see(sighting.at, event, is_lost, calls);
                    self.gateway.see(sighting.at, event);
                    self.guards.see(sighting.at, event, self.gateway.calls());
                    if let Some(config) = &mut self.config {
                        config.see(sighting.at, event);
                    }
                    if let Some(tracing) = &mut self.tracing {
                        tracing.see(event);
                    }
                } else if let Some(event) = payload.as_any().downcast_ref::<SidecarEvent>() {
                    let (right, kept, room) = (self.clocks_are_right, self.disk_is_kept, self.room);
                    let new = || Box::new(Sidecar::new(right, kept, room));
                    let sidecar = self.sidecar.get_or_insert_with(new);
                    sidecar.see(sighting.at, event);
                    self.tally.see_sidecar(event);
                } else if let Some(event) = payload.as_any().downcast_ref::<ConfigEvent>()
                    && let Some(config) = &mut self.config
                {
                    config.see_config(sighting.at, event);
                } else if let Some(flows) = &mut self.flows
                    && let Some(event) = payload.as_any().downcast_ref::<FlowEvent>()
                {
                    flows.see(sighting.at, event);
                }
            }
            Happening::MessageDelivered { message } => {
                if self.walls.is_empty() {
                    return;
                }
                let at = sighting.at.as_nanos();
                let stands = |(fires, heals, wall): &&(u64, Option<u64>, Wall)| {
                    // At the very instant of its beginning or end, either order is right.
                    *fires < at
                        && heals.is_none_or(|heals| at < heals)
                        && wall.stops(message.from, message.to)
                };
                let leak = self.walls.iter().find(stands).map(|_| {
                    let (id, from, to) = (message.id, message.from, message.to);
                    format!("message {id} from {from} reached {to} at {}", sighting.at)
                });
                self.no_leak.evaluate(leak);
            }
            // An agent that is gone ends nothing any more: its requests go with it.
            Happening::NodeCrashed { .. } => {
                if sighting.node == "router" {
                    self.routing.router_crashed();
                    self.gateway.router_crashed();
                    self.guards.router_crashed();
                    if let Some(config) = &mut self.config {
                        config.router_crashed();
                    }
                }
                let is_lost = |request: &RequestId, _: &mut Time| {
                    request.agent.split('+').next() == Some(sighting.node)
                };
                for (request, _) in self.open.extract_if(.., is_lost) {
                    self.lost.insert(request);
                    self.tally.abandon();
                    self.ends_once.evaluate(None);
                }
            }
            _ => {}
        }
    }

    fn follow(&mut self, at: Time, event: &Event) {
        match event {
            Event::RequestStarted { request, .. } => {
                let earlier = self.open.insert(request.clone(), at);
                let again = earlier.map(|_| format!("{request} was started twice, again at {at}"));
                self.ends_once.evaluate(again);
            }
            Event::RequestEnded { request, .. } => match self.open.remove(request) {
                Some(start) => {
                    self.tally.took(start, at);
                    self.ends_once.evaluate(None);
                }
                None => {
                    self.ends_once
                        .evaluate(Some(format!("{request} ended at {at}, though it was not open")));
                }
            },
            _ => {}
        }
    }

    /// The checks that always run, as they stand. The order never changes; those that begin while a
    /// run goes on come last.
    pub(super) fn built(&self) -> impl Iterator<Item = (&'static str, &Built)> {
        let own = [(ENDS_ONCE, &self.ends_once), (NO_LEAK, &self.no_leak)].into_iter();
        let built = own.chain(self.routing.built()).chain(self.gateway.built());
        let works = self.healing.iter().map(|healing| (healing::WORKS_AGAIN, healing.built()));
        let config = self.config.iter().flat_map(|config| config.built());
        let tracing = self.tracing.iter().flat_map(|tracing| tracing.built());
        let flows = self.flows.iter().flat_map(|flows| flows.built());
        let sidecar = self.sidecar.iter().flat_map(|sidecar| sidecar.built());
        let built = built.chain(self.guards.built()).chain(works).chain(config);
        built.chain(tracing).chain(flows).chain(sidecar)
    }

    /// Whether each expectation holds as things stand.
    pub(super) fn expected(&self) -> impl Iterator<Item = Option<bool>> {
        self.expectations.iter().map(Watched::holds)
    }

    /// The results, once the run has ended.
    pub fn finish(&mut self, outcome: &Outcome) -> (Vec<CheckResult>, Metrics) {
        let mut metrics = self.tally.finish(outcome, self.open.len() as u64);
        metrics.values.extend(self.healing.iter().flat_map(Healing::metrics));
        metrics.values.extend(self.tracing.iter().flat_map(|it| it.metrics()));
        // With no request at all there was nothing to leave open: that proves nothing.
        let mut nothing_left = Built::default();
        let by_limit = if outcome.ending == Ending::TimeLimit { " at the time limit" } else { "" };
        if metrics.requests.total > 0 {
            nothing_left.evaluate(self.open.first_key_value().map(|(request, start)| {
                let count = self.open.len();
                format!("{count} requests were open{by_limit}, the first {request} since {start}")
            }));
            nothing_left.evaluate(
                (outcome.calls_open > 0)
                    .then(|| format!("{} calls were waiting{by_limit}", outcome.calls_open)),
            );
        }
        if let Some((request, _)) = self.open.first_key_value() {
            self.ends_once.evaluate(Some(format!("{request} never ended")));
        }
        let built = [
            (ENDS_ONCE, std::mem::take(&mut self.ends_once)),
            (NO_LEAK, std::mem::take(&mut self.no_leak)),
            (NOTHING_LEFT, nothing_left),
        ];
        let works_again = self.healing.as_mut().map(|it| (healing::WORKS_AGAIN, it.take()));
        let built = built.into_iter().chain(self.routing.finish());
        let built = built.chain(self.gateway.finish(outcome)).chain(self.guards.finish());
        let sidecar = self.sidecar.take().map(|sidecar| sidecar.finish());
        let config = self.config.as_mut().map(|config| config.finish(outcome));
        let tracing = self.tracing.as_mut().map(|tracing| tracing.finish());
        let built = built.chain(config.into_iter().flatten()).chain(tracing.into_iter().flatten());
        let flows = self.flows.take().map(|flows| flows.finish(outcome));
        let built = built.chain(works_again).chain(sidecar.into_iter().flatten());
        let built = built.chain(flows.into_iter().flatten());
        let mut results: Vec<CheckResult> = built
            .filter(|(name, _)| !self.off.contains(*name))
            .map(|(name, Built { evaluated, failure })| CheckResult {
                check: name.to_owned(),
                failure,
                evaluated,
            })
            .collect();
        results.extend(self.expectations.iter().map(|wanted| wanted.finish(&metrics)));
        (results, metrics)
    }

    /// Each `[[sometimes]]` in short, and whether this run reached it; `metrics` are those of
    /// [`Watch::finish`].
    pub fn reached(&self, metrics: &Metrics) -> impl Iterator<Item = (String, bool)> {
        self.sometimes.iter().map(|wanted| {
            let result = wanted.finish(metrics);
            let reached = result.holds();
            (result.check, reached)
        })
    }

    /// What a user should know of checks that had nothing to see.
    pub fn notes(&self) -> Vec<String> {
        let healing = self.healing.as_ref().filter(|_| !self.off.contains(healing::WORKS_AGAIN));
        healing.and_then(Healing::note).into_iter().collect()
    }
}
