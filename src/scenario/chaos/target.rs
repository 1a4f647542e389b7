//! What chaos may hit: nodes, the links that carry requests, models, services, the sidecar.
//!
//! A group of agents counts as one thing among others, however many they are; otherwise nothing but
//! agents would ever be hit.

use crate::scenario::model::{Backend, ChaosKind, Selector, Service, Sim};
use crate::scenario::names::Group;
use crate::world::Stream;

/// Nodes that only watch, or stand for the world outside: never hit unless named.
const WATCHERS: [&str; 3] = ["monitor", "auditor", "load"];

/// Nodes that keep something on their disk.
const WITH_DISK: [&str; 4] = ["router", "sidecar", "approvals", "dashboard"];

/// What may be hit.
pub(in crate::scenario) struct Targets<'a> {
    pub(super) nodes: Vec<Place<'a>>,
    /// Two ends that talk to each other.
    pub(super) links: Vec<(Place<'a>, Place<'a>)>,
    pub(super) backends: Vec<&'a Backend>,
    pub(super) services: Vec<&'a Service>,
    pub(super) has_sidecar: bool,
    /// Who looks up the sidecar by its name.
    pub(super) askers: Vec<Place<'a>>,
}

/// A node, or a group of nodes that are alike.
#[derive(Clone)]
pub(super) struct Place<'a> {
    group: Group<'a>,
    /// The members that may be hit; `None` for all.
    only: Option<Vec<String>>,
}

impl Place<'_> {
    fn is(&self, name: &str) -> bool {
        self.group.name == name
    }

    /// One of its nodes.
    pub(super) fn node(&self, draws: &mut Stream) -> Selector {
        let number = draws.between(1, u64::from(self.group.count));
        Selector::new(match &self.only {
            Some(only) => draws.pick(only).cloned().unwrap_or_default(),
            None if self.group.count == 1 => self.group.name.to_owned(),
            None => format!("{}-{number}", self.group.name),
        })
    }

    /// All of its nodes or, as likely, one of them.
    pub(super) fn some(&self, draws: &mut Stream) -> Selector {
        let whole = draws.below(2) == 0 && self.only.is_none();
        let one = self.node(draws);
        if whole { Selector::new(self.group.name) } else { one }
    }
}

impl<'a> Targets<'a> {
    /// What the selectors name, or all there is.
    pub(in crate::scenario) fn new(sim: &'a Sim, selectors: Option<&[Selector]>) -> Targets<'a> {
        let named: Option<std::collections::BTreeSet<String>> = selectors
            .map(|selectors| selectors.iter().flat_map(|selector| sim.select(selector)).collect());
        let all = sim.fixed_nodes().map(|name| Group { name, count: 1 }).chain(sim.groups());
        let hit = |group: Group<'a>| -> Option<Place<'a>> {
            let Some(named) = &named else {
                let only = None;
                return (!WATCHERS.contains(&group.name)).then_some(Place { group, only });
            };
            let only: Vec<String> =
                group.node_names().filter(|name| named.contains(name)).collect();
            let is_whole = only.len() as u64 == u64::from(group.count);
            (!only.is_empty()).then_some(Place { group, only: (!is_whole).then_some(only) })
        };
        let nodes: Vec<Place<'a>> = all.filter_map(hit).collect();
        let is_hit = |name: &str| nodes.iter().any(|place| place.is(name));
        let end = |group: Group<'a>| {
            let place = nodes.iter().find(|place| place.is(group.name)).cloned();
            place.unwrap_or(Place { group, only: None })
        };
        let links = links(sim)
            .filter(|(one, other)| is_hit(one.name) || is_hit(other.name))
            .map(|(one, other)| (end(one), end(other)))
            .collect();
        let backends = sim.backends.iter().filter(|backend| is_hit(&backend.name)).collect();
        let services = sim.services.iter().filter(|service| is_hit(&service.name)).collect();
        let has_sidecar = sim.sidecar.is_some() && is_hit("sidecar");
        let asks = |place: &&Place<'a>| of_sidecar(sim).any(|group| place.is(group.name));
        let askers = nodes.iter().filter(asks).cloned().collect();
        Targets { links, backends, services, has_sidecar, askers, nodes }
    }

    /// Whether a place is one that may be hit.
    pub(super) fn hits(&self, place: &Place<'_>) -> bool {
        self.nodes.iter().any(|node| node.is(place.group.name))
    }

    /// The nodes that keep something on their disk.
    pub(super) fn disks(&self) -> Vec<&Place<'a>> {
        self.nodes.iter().filter(|place| WITH_DISK.iter().any(|name| place.is(name))).collect()
    }

    /// Whether there is something for a kind to break.
    pub(in crate::scenario) fn any_for(&self, kind: ChaosKind) -> bool {
        match kind {
            ChaosKind::Network => !self.links.is_empty(),
            ChaosKind::Crash | ChaosKind::Pause | ChaosKind::Clock => !self.nodes.is_empty(),
            ChaosKind::Disk => !self.disks().is_empty(),
            ChaosKind::Provider => !self.backends.is_empty(),
            ChaosKind::Service => !self.services.is_empty(),
            ChaosKind::Sidecar => self.has_sidecar,
            ChaosKind::Dns => !self.askers.is_empty(),
        }
    }
}

/// Who talks to whom.
fn links(sim: &Sim) -> impl Iterator<Item = (Group<'_>, Group<'_>)> {
    let one = |name| Group { name, count: 1 };
    let router = sim.has_router().then(|| one("router"));
    let agents = sim.agents.iter().map(|it| Group { name: &it.name, count: it.count });
    let askers = sim.askers.iter().map(|it| Group { name: &it.name, count: it.count });
    let to_router = agents.chain(askers);
    let to_router = to_router.filter_map(move |group| Some((group, router?)));
    let to_sidecar = of_sidecar(sim).map(move |group| (group, one("sidecar")));
    let to_backends = sim.backends.iter().map(move |it| (one("router"), one(it.name.as_str())));
    let callers = sim.callers.iter();
    let to_services = callers
        .map(move |it| (Group { name: &it.name, count: it.count }, one(it.service.as_str())));
    to_router.chain(to_sidecar).chain(to_backends).chain(to_services).chain(flows(sim))
}

/// Those who talk to the sidecar; nobody if there is none.
fn of_sidecar(sim: &Sim) -> impl Iterator<Item = Group<'_>> {
    let agents = sim.agents.iter().map(|it| Group { name: &it.name, count: it.count });
    let subscribers = sim.subscribers.iter().map(|it| Group { name: &it.name, count: it.count });
    let clients = sim.clients.iter().map(|it| Group { name: &it.name, count: it.count });
    agents.chain(subscribers).chain(clients).filter(|_| sim.sidecar.is_some())
}

/// The dashboard follows runners and looks into the queue, in which runners and reviewers meet.
fn flows(sim: &Sim) -> impl Iterator<Item = (Group<'_>, Group<'_>)> {
    let one = |name| Group { name, count: 1 };
    let approvals = sim.approvals.as_ref().map(|_| one("approvals"));
    let dashboard = sim.dashboard.as_ref().map(|_| one("dashboard"));
    let runners = sim.runners.iter().map(Group::from);
    let followed = runners.clone().filter_map(move |group| Some((dashboard?, group)));
    let waiting = sim.runners.iter().filter(|group| group.approval).map(Group::from);
    let at_queue = waiting.chain(sim.reviewers.iter().map(Group::from)).chain(dashboard);
    followed.chain(at_queue.filter_map(move |group| Some((group, approvals?))))
}
