//! An open load: requests that become due whether or not earlier ones are done.
//!
//! It is a driver, not part of what is simulated: it hands requests to agents past all links, and
//! deals them out in turn.

use std::time::Duration;

use actix::{Actor, Context};

use super::{agent::Agent, message::Arrive, session::Worker};
use crate::world::{Env, Peer, Time};

/// One request of an open load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When it is due, after the load began. Never earlier than the one before.
    pub at: Duration,
    /// Tokens in the prompt and in the answer; `None` to leave that to the agent.
    pub tokens: Option<(u32, u32)>,
}

/// Where the arrivals of a load come from, one at a time. An error ends the run.
pub trait Arrivals {
    /// The next one; `None` when there are no more.
    ///
    /// # Errors
    ///
    /// Nothing but that it failed: what and why is for whoever made it to remember.
    fn next_arrival(&mut self) -> Result<Option<Arrival>, BrokenLoad>;
}

/// The load could not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenLoad;

/// The actor, alone on the node `load`.
pub struct Load {
    env: Env<Load>,
    arrivals: Box<dyn Arrivals>,
    agents: Vec<Peer<Agent>>,
    turn: usize,
    worker: Option<Worker>,
}

impl Load {
    /// A load on these agents. `worker` is at work as long as there are arrivals, so that nobody
    /// believes that all is over.
    pub fn new(
        env: Env<Load>,
        arrivals: Box<dyn Arrivals>,
        agents: Vec<Peer<Agent>>,
        mut worker: Option<Worker>,
    ) -> Load {
        if let Some(worker) = &mut worker {
            worker.set_busy(true);
        }
        Load { env, arrivals, agents, turn: 0, worker }
    }

    /// Waits for the next arrival.
    fn go_on(&mut self) {
        match self.arrivals.next_arrival() {
            Ok(Some(Arrival { at, tokens })) => {
                let wait = (Time::ZERO + at) - self.env.now();
                self.env.after(wait, move |load, _| {
                    load.turn = (load.turn + 1) % load.agents.len().max(1);
                    if let Some(agent) = load.agents.get(load.turn) {
                        load.env.inject(agent, Arrive { tokens });
                    }
                    load.go_on();
                });
            }
            Ok(None) => self.worker = None,
            Err(BrokenLoad) => self.env.stop_world(),
        }
    }
}

impl Actor for Load {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.go_on();
    }
}
