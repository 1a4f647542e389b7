//! The runners of a sim, the queue of approvals with its reviewers, and the dashboard.

use std::rc::Rc;

use crate::{
    scenario::Sim,
    stack::{self, DashboardParts, OpenTasks},
    world::{Peer, World},
};

pub(super) fn flows(world: &mut World, sim: &Sim) {
    let tasks = sim.runners.iter().map(|group| u64::from(group.count) * u64::from(group.tasks));
    let open = OpenTasks::new(tasks.sum());
    let tracing = sim.tracing.unwrap_or_default();
    let approvals = sim.approvals.clone().map(|settings| {
        let settings = Rc::new(settings);
        world.spawn("approvals", move |env| stack::Approvals::new(env, Rc::clone(&settings)))
    });
    let runners = runners(world, sim, approvals, &open);
    for group in &sim.reviewers {
        let Some(approvals) = approvals else { continue };
        let shared = Rc::new(group.clone());
        for node in group.node_names() {
            let (group, open) = (Rc::clone(&shared), open.clone());
            world.spawn(node, move |env| {
                stack::Reviewer::new(env, Rc::clone(&group), approvals, open.clone(), tracing)
            });
        }
    }
    if let Some(settings) = sim.dashboard.clone() {
        let settings = Rc::new(settings);
        let parts = DashboardParts { settings, runners: runners.into(), approvals, open, tracing };
        world.spawn("dashboard", move |env| stack::Dashboard::new(env, parts.clone()));
    }
}

fn runners(
    world: &mut World,
    sim: &Sim,
    approvals: Option<Peer<stack::Approvals>>,
    open: &OpenTasks,
) -> Vec<(Rc<str>, Peer<stack::Runner>)> {
    let mut runners = Vec::new();
    let tracing = sim.tracing.unwrap_or_default();
    for group in &sim.runners {
        let shared = Rc::new(group.clone());
        for node in group.node_names() {
            let (group, open, name) = (Rc::clone(&shared), open.clone(), node.as_str().into());
            let peer = world.spawn(node, move |env| {
                stack::Runner::new(env, Rc::clone(&group), approvals, open.clone(), tracing)
            });
            runners.push((name, peer));
        }
    }
    runners
}
