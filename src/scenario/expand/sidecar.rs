//! The sidecar of a sim, those who use it, and the faults of both.

use std::{cell::Cell, rc::Rc, time::Duration};

use crate::{
    scenario::Sim,
    stack::{
        Auditor, Client, Gateway, Keys, Ledger, Resolver, SidecarParts, Subscriber,
        sidecar::pressure::{Pressure, Shortage},
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
        let gateway = Gateway::new(env, Rc::clone(&own), Rc::clone(&key), &projects);
        gateway.under(limits.clone())
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::{
        scenario::{expand, parse},
        stack::SidecarEvent,
        world::{Happening, Seed, Sighting},
    };

    const SIM: &str = "purpose = \"p\"\n[sidecar]\n[[client]]\nname = \"c\"\ncount = 2\n\
                       every = \"1s\"\nrounds = 5\nsteps = [{ get = \"/health\" }]\n";

    fn sim(faults: &str) -> Sim {
        parse("sims/test.toml", &format!("{SIM}{faults}")).unwrap()
    }

    /// What every request of the clients ended with: when it was asked, in ms, by whom, and the
    /// status or, without an answer, why there is none.
    fn ends(sim: &Sim) -> Vec<(u64, String, String)> {
        let mut world = World::new(Seed(1));
        let ends = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&ends);
        world.observe(move |sighting: &Sighting<'_>| {
            if let Happening::Emitted { payload, .. } = sighting.what
                && let Some(event) = payload.as_any().downcast_ref::<SidecarEvent>()
                && let SidecarEvent::Answered { who, asked_ns, status, error, .. } = event
                && who.starts_with("c-")
            {
                let end = if *status == 0 { (*error).to_owned() } else { status.to_string() };
                seen.borrow_mut().push((asked_ns / 1_000_000, who.to_string(), end));
            }
        });
        expand(&mut world, sim, None, false).unwrap();
        world.run().unwrap();
        ends.take()
    }

    #[test]
    fn a_name_is_not_resolved_by_these_nodes_while_the_fault_lasts() {
        let unresolved = |faults: &str| {
            let mut ends = ends(&sim(faults));
            assert_eq!(ends.len(), 10);
            ends.retain(|(_, _, error)| *error == "unresolved");
            ends.into_iter().map(|(at, who, _)| (at, who)).collect::<Vec<_>>()
        };
        assert_eq!(unresolved(""), []);
        let fault = "[[fault]]\nat = \"1500ms\"\nfor = \"2s\"\ndns = { node = \"c-2\" }";
        let both = [(2_000, "c-2".to_owned()), (3_000, "c-2".to_owned())];
        assert_eq!(unresolved(fault), both);
        let never = "[[fault]]\nat = \"3500ms\"\ndns = { node = \"*\" }";
        let last = [(4_000, "c-1".to_owned()), (4_000, "c-2".to_owned())];
        assert_eq!(unresolved(never), last);
    }

    #[test]
    fn without_memory_it_is_busy_until_there_is_some_again() {
        let fault = "[[fault]]\nat = \"1500ms\"\nfor = \"2s\"\nsidecar = { memory = \"0B\" }";
        let mut ends = ends(&sim(fault));
        ends.retain(|(_, who, _)| who == "c-1");
        let ends: Vec<_> = ends.iter().map(|(at, _, end)| (*at, end.as_str())).collect();
        assert_eq!(
            ends,
            [(0, "200"), (1_000, "200"), (2_000, "503"), (3_000, "503"), (4_000, "200")]
        );
    }

    #[test]
    fn all_is_settled_when_the_last_fault_is_over() {
        assert_eq!(settle_at(&sim("")), Duration::ZERO);
        let ends = "[[fault]]\nat = \"1s\"\nfor = \"5s\"\ndns = { node = \"c\" }\n";
        let stays = "[[fault]]\nat = \"4s\"\ndns = { node = \"c\" }\n";
        let later = "[[fault]]\nat = \"7s\"\ncrash = { node = \"c-1\" }\n";
        assert_eq!(settle_at(&sim(&format!("{ends}{stays}"))), Duration::from_secs(6));
        assert_eq!(settle_at(&sim(&format!("{ends}{later}"))), Duration::from_secs(7));
    }

    #[test]
    fn a_shortage_is_there_until_it_heals() {
        for (lasts, left) in [(None, (5, 2)), (Some(Duration::from_secs(1)), (2 << 30, 1_024))] {
            let (mut world, sim) = (World::new(Seed(1)), sim(""));
            let hosted = sidecar(&mut world, &sim).expect("there is a sidecar");
            let less = Shortage { memory: Some(5), connections: Some(2) };
            let kind = shortage(less, 0, Some(&hosted));
            world.fault(world::Fault { at: Duration::from_secs(1), lasts, kind });
            world.run().unwrap();
            let settings = &hosted.parts.settings;
            let found = (hosted.pressure.memory(settings), hosted.pressure.connections(settings));
            assert_eq!(found, left, "{lasts:?}");
        }
    }
}
