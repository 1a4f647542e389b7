//! The services of a sim, their callers, the monitor, and the faults of services.

use std::{cell::Cell, rc::Rc};

use crate::{
    scenario::{Connections, ServiceFault, ServiceKind, Sim},
    stack::{
        self, Caller, CallerParts, Component, LoseConnections, Reconnect, Service, Trouble,
        Troubles, breaker_names,
    },
    world::{self, Peer, World},
};

/// A service of the world.
pub(super) struct Hosted {
    name: String,
    peer: Peer<Service>,
    troubles: Troubles,
    /// How many connections it has.
    pool: u32,
}

pub(super) fn services(world: &mut World, sim: &Sim) -> Vec<Hosted> {
    let host = |settings: &stack::settings::service::Service| {
        let (name, troubles) = (settings.name.clone(), Troubles::default());
        let pool = match settings.kind {
            ServiceKind::Rpc => 0,
            ServiceKind::Database(pool) => pool.connections,
        };
        let (own, shared) = (Rc::new(settings.clone()), Rc::clone(&troubles));
        let peer = world
            .spawn(name.clone(), move |env| Service::new(env, Rc::clone(&own), Rc::clone(&shared)));
        Hosted { name, peer, troubles, pool }
    };
    sim.services.iter().map(host).collect()
}

/// The callers, and the monitor of everything.
pub(super) fn callers(
    world: &mut World,
    sim: &Sim,
    services: &[Hosted],
    router: Option<Peer<stack::Router>>,
) {
    let is_watched = |name: &str| {
        let watch = sim.monitor.as_ref().and_then(|monitor| monitor.watch.as_ref());
        watch.is_none_or(|watch| watch.iter().any(|other| other == name))
    };
    let mut components: Vec<(Rc<str>, Component)> = Vec::new();
    for service in services.iter().filter(|service| is_watched(&service.name)) {
        components.push((service.name.as_str().into(), Component::Service(service.peer)));
    }
    if let Some(router) = router.filter(|_| is_watched("router")) {
        components.push(("router".into(), Component::Router(router)));
    }
    for group in &sim.callers {
        let Some(service) = services.iter().find(|service| service.name == group.service) else {
            continue;
        };
        let shared = Rc::new(group.clone());
        for node in group.node_names() {
            let parts = CallerParts {
                group: Rc::clone(&shared),
                service: service.peer,
                left: Rc::new(Cell::new(group.requests)),
                tracing: sim.tracing.unwrap_or_default(),
            };
            let names = breaker_names(&node, group);
            let caller = world.spawn(node, move |env| Caller::new(env, parts.clone()));
            let breakers = names.into_iter().enumerate().filter(|_| is_watched(&group.name));
            components
                .extend(breakers.map(|(place, name)| (name, Component::Breaker(caller, place))));
        }
    }
    if let Some(settings) = sim.monitor.clone().map(Rc::new) {
        let tracing = sim.tracing.unwrap_or_default();
        world.spawn("monitor", move |env| {
            stack::Monitor::new(env, Rc::clone(&settings), &components, tracing)
        });
    }
}

/// The askers of the router.
pub(super) fn askers(world: &mut World, sim: &Sim, router: Peer<stack::Router>) {
    for group in &sim.askers {
        let shared = Rc::new(group.clone());
        for node in group.node_names() {
            let (group, left) = (Rc::clone(&shared), Rc::new(Cell::new(shared.requests)));
            let tracing = sim.tracing.unwrap_or_default();
            world.spawn(node, move |env| {
                stack::Asker::new(env, Rc::clone(&group), router, Rc::clone(&left), tracing)
            });
        }
    }
}

/// A fault of a service as one of the world.
pub(super) fn fault(fault: &ServiceFault, number: usize, services: &[Hosted]) -> world::FaultKind {
    let trouble = Trouble {
        operation: fault.operation.as_deref().map(Rc::from),
        down: fault.down,
        hang: fault.hang,
        errors: fault.errors,
        latency: fault.latency.clone(),
    };
    let service = services.iter().find(|service| service.name == fault.name);
    let (peer, troubles, pool) = match service {
        Some(service) => (Some(service.peer), Rc::clone(&service.troubles), service.pool),
        None => (None, Troubles::default(), 0),
    };
    let lost = fault.lose_connections.map(|lost| match lost {
        Connections::All => pool,
        Connections::Some(count) => count,
    });
    world::FaultKind::Custom {
        label: format!("trouble of {}", fault.name),
        apply: Rc::new(move |injector, fires| {
            troubles.borrow_mut().retain(|(other, _)| *other != number);
            if fires {
                troubles.borrow_mut().push((number, trouble.clone()));
            }
            if let (Some(peer), Some(lost)) = (peer, lost) {
                if fires {
                    injector.inject(&peer, LoseConnections(lost));
                } else {
                    injector.inject(&peer, Reconnect);
                }
            }
        }),
    }
}
