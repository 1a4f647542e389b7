//! The sidecar of a sim, those who use it, and the faults of both.

use std::{cell::Cell, rc::Rc, time::Duration};

use crate::{
    scenario::Sim,
    stack::{
        Auditor, Client, Gateway, Keys, Ledger, Resolver, SidecarParts, Subscriber,
        sidecar::{Pressure, Shortage},
    },
    world::{self, World},
};

/// The sidecar of a world.
#[derive(Clone)]
pub(super) struct Hosted {
    /// What its users need.
    pub(super) parts: SidecarParts,
    pressure: Pressure,
}

/// The sidecar, if the sim has one.
pub(super) fn sidecar(world: &mut World, sim: &Sim) -> Option<Hosted> {
    let settings = Rc::new(sim.sidecar.clone()?);
    // 32 bytes: as many as a signature with HS256 has (RFC 7518, 3.2).
    let mut draws = world.stream("sidecar/secret");
    let secret: Vec<u8> = (0..4).flat_map(|_| draws.below(u64::MAX).to_be_bytes()).collect();
    let keys = Rc::new(Keys::new(&secret, settings.leeway)?);
    let pressure = Pressure::default();
    let (own, key, projects) = (Rc::clone(&settings), Rc::clone(&keys), sim.projects.clone());
    let limits = pressure.clone();
    let gateway = world.spawn("sidecar", move |env| {
        Gateway::new(env, Rc::clone(&own), Rc::clone(&key), &projects, limits.clone())
    });
    let (resolver, ledger) = (Resolver::default(), Ledger::default());
    let parts = SidecarParts { gateway, settings, keys, resolver, ledger };
    Some(Hosted { parts, pressure })
}

/// The subscribers, the clients, and the auditor, who reads everything back at the end.
pub(super) fn users(world: &mut World, sim: &Sim, parts: &SidecarParts) {
    for group in &sim.subscribers {
        let shared = Rc::new(group.clone());
        for node in group.node_names() {
            let (group, parts) = (Rc::clone(&shared), parts.clone());
            world.spawn(node, move |env| Subscriber::new(env, Rc::clone(&group), parts.clone()));
        }
    }
    for group in &sim.clients {
        let shared = Rc::new(group.clone());
        for node in group.node_names() {
            let (group, parts) = (Rc::clone(&shared), parts.clone());
            let left = Rc::new(Cell::new(group.rounds));
            world.spawn(node, move |env| {
                Client::new(env, Rc::clone(&group), parts.clone(), Rc::clone(&left))
            });
        }
    }
    let (parts, settle_at) = (parts.clone(), settle_at(sim));
    world.spawn("auditor", move |env| Auditor::new(env, parts.clone(), settle_at));
}

/// When nothing breaks or heals any more: the end of the last fault, or its beginning if it has
/// none.
pub(super) fn settle_at(sim: &Sim) -> Duration {
    let ends = sim.faults.iter().map(|fault| fault.at + fault.r#for.unwrap_or_default());
    ends.max().unwrap_or_default()
}

/// A fault that leaves the sidecar less of something.
pub(super) fn shortage(
    shortage: Shortage,
    number: usize,
    sidecar: Option<&Hosted>,
) -> world::FaultKind {
    let memory = shortage.memory.map(|bytes| format!(" memory {bytes} B"));
    let connections = shortage.connections.map(|count| format!(" connections {count}"));
    let (memory, connections) = (memory.unwrap_or_default(), connections.unwrap_or_default());
    let pressure = sidecar.map(|hosted| hosted.pressure.clone()).unwrap_or_default();
    world::FaultKind::Custom {
        label: format!("shortage of sidecar{memory}{connections}"),
        apply: Rc::new(move |_, fires| {
            if fires {
                pressure.begin(number, shortage);
            } else {
                pressure.end(number);
            }
        }),
    }
}

/// A fault in which these nodes do not find the sidecar by its name.
pub(super) fn unresolved(
    selector: &str,
    nodes: Vec<String>,
    number: usize,
    sidecar: Option<&Hosted>,
) -> world::FaultKind {
    let resolver = sidecar.map(|hosted| hosted.parts.resolver.clone()).unwrap_or_default();
    world::FaultKind::Custom {
        label: format!("no dns for {selector}"),
        apply: Rc::new(move |_, fires| {
            if fires {
                resolver.fail(number, nodes.iter().cloned());
            } else {
                resolver.heal(number);
            }
        }),
    }
}
