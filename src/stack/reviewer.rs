//! A reviewer: looks into the queue of approvals, thinks about one, and decides.
//!
//! Others may have the same one in hand: who is second is refused. It must never change its mind: a
//! decision whose answer was lost is sent again as it was, as long as there is work that may hang on it.

use std::{rc::Rc, time::Duration};

use actix::{Actor, Context};

use super::{
    approvals::{Approvals, Decide, Look},
    runner::OpenTasks,
    settings::flow::ReviewerGroup,
};
use crate::{
    policy::approval::Standing,
    world::{Env, Peer, Stream},
};

/// How long it waits for an answer, and after how long it sends its decision again.
const PATIENCE: Duration = Duration::from_secs(2);

/// The actor.
pub struct Reviewer {
    env: Env<Reviewer>,
    group: Rc<ReviewerGroup>,
    approvals: Peer<Approvals>,
    open: OpenTasks,
    draws: Stream,
}

impl Reviewer {
    /// A reviewer of this group, who looks into the queue as long as tasks are open.
    pub fn new(
        env: Env<Reviewer>,
        group: Rc<ReviewerGroup>,
        approvals: Peer<Approvals>,
        open: OpenTasks,
    ) -> Reviewer {
        let draws = env.stream("decisions");
        Reviewer { env, group, approvals, open, draws }
    }

    fn wait(&self) {
        if self.open.any() {
            self.env.after(self.group.every, |reviewer, _| reviewer.look());
        }
    }

    fn look(&self) {
        self.env.call(&self.approvals, Look).timeout(PATIENCE).duplicable().then(
            |reviewer, found, _| {
                let found = found.unwrap_or_default();
                let first = found.iter().find(|(_, standing)| *standing == Standing::Pending);
                match first {
                    Some((task, _)) => reviewer.think(Rc::clone(task)),
                    None => reviewer.wait(),
                }
            },
        );
    }

    fn think(&mut self, task: Rc<str>) {
        let approve = self.draws.chance(self.group.approves);
        let thinks = self.draws.delay(&self.group.think);
        let decide = Decide { task, approve, by: self.env.node_name() };
        self.env.after(thinks, |reviewer, _| reviewer.decide(decide));
    }

    fn decide(&self, decide: Decide) {
        let again = decide.clone();
        self.env.call(&self.approvals, decide).timeout(PATIENCE).duplicable().then(
            |reviewer, answer, _| match answer {
                Ok(_) => reviewer.wait(),
                Err(_) if reviewer.open.any() => {
                    reviewer.env.after(PATIENCE, |reviewer, _| reviewer.decide(again));
                }
                Err(_) => {}
            },
        );
    }
}

impl Actor for Reviewer {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.wait();
    }
}
