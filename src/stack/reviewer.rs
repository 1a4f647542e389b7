//! A reviewer: looks into the queue of approvals, thinks about one, and decides.
//!
//! Others may have the same one in hand: who is second is refused. It must never change its mind: a
//! decision whose answer was lost is sent again as it was, as long as there is work that may hang on it.

use std::{rc::Rc, time::Duration};

use actix::{Actor, Context};

use super::{
    approvals::{Approvals, Decide, Look},
    runner::OpenTasks,
    settings::{Tracing, flow::ReviewerGroup},
    tracer::{self, Tracer},
};
use crate::{
    policy::approval::{Refusal, Standing},
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
    tracer: Tracer,
}

impl Reviewer {
    /// A reviewer of this group, who looks into the queue as long as tasks are open.
    pub fn new(
        env: Env<Reviewer>,
        group: Rc<ReviewerGroup>,
        approvals: Peer<Approvals>,
        open: OpenTasks,
        tracing: Tracing,
    ) -> Reviewer {
        let (draws, tracer) = (env.stream("decisions"), Tracer::new(&env, tracing));
        Reviewer { env, group, approvals, open, draws, tracer }
    }

    fn wait(&self) {
        if self.open.any() {
            self.env.after(self.group.every, |reviewer, _| reviewer.look());
        }
    }

    fn look(&mut self) {
        let span = self.tracer.call(&self.env, None, || "look".to_owned());
        let look = Look { trace: span.context.into() };
        self.env.call(&self.approvals, look).timeout(PATIENCE).duplicable().then(
            move |reviewer, found, _| {
                let error = tracer::failure(&found);
                tracer::ended(&reviewer.env, &span, error, Vec::new);
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
        self.env.after(thinks, move |reviewer, _| reviewer.decide(task, approve));
    }

    fn decide(&mut self, task: Rc<str>, approve: bool) {
        let span = self.tracer.call(&self.env, None, || format!("decide {task}"));
        let (by, trace) = (self.env.node_name(), span.context.into());
        let decide = Decide { task: Rc::clone(&task), approve, by, trace };
        self.env.call(&self.approvals, decide).timeout(PATIENCE).duplicable().then(
            move |reviewer, answer, _| {
                let error = match &answer {
                    Ok(answer) => answer.err().map(Refusal::as_str),
                    Err(error) => Some(error.name()),
                };
                tracer::ended(&reviewer.env, &span, error, Vec::new);
                match answer {
                    Ok(_) => reviewer.wait(),
                    Err(_) if reviewer.open.any() => {
                        let again = move |reviewer: &mut Reviewer, _: &mut Context<Reviewer>| {
                            reviewer.decide(task, approve);
                        };
                        reviewer.env.after(PATIENCE, again);
                    }
                    Err(_) => {}
                }
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
