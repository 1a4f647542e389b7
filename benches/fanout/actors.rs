//! "fanout" as actors in a world.

use actix::prelude::*;
use seedbed::world::{
    CallError, Env, Host, Later, LinkRule, Outcome, Peer, Promise, Seed, Stream, World,
};

use super::{ATTEMPTS, BACKENDS, HOP, SERVICE, SILENT, Size, TIMEOUT};

#[derive(Message, Clone)]
#[rtype(result = "Result<u32, CallError>")]
struct Ask(u32);

#[derive(Message, Clone)]
#[rtype(result = "u32")]
struct Generate(u32);

struct Agent {
    env: Env<Agent>,
    router: Peer<Router>,
    left: u32,
}

impl Actor for Agent {
    type Context = Context<Self>;
    fn started(&mut self, _: &mut Context<Self>) {
        self.next();
    }
}

impl Agent {
    fn next(&mut self) {
        if self.left > 0 {
            self.left -= 1;
            self.env.call(&self.router, Ask(self.left)).then(|agent, _, _| agent.next());
        }
    }
}

struct Router {
    env: Env<Router>,
    backends: Vec<Peer<Backend>>,
    turn: usize,
}

impl Actor for Router {
    type Context = Context<Self>;
}

impl Handler<Ask> for Router {
    type Result = Later<Result<u32, CallError>>;
    fn handle(&mut self, Ask(prompt): Ask, _: &mut Context<Self>) -> Self::Result {
        let (promise, later) = Later::promise();
        self.attempt(prompt, ATTEMPTS, promise);
        later
    }
}

impl Router {
    fn attempt(&mut self, prompt: u32, left: u32, promise: Promise<Result<u32, CallError>>) {
        self.turn = (self.turn + 1) % self.backends.len();
        let backend = self.backends[self.turn];
        self.env.call(&backend, Generate(prompt)).timeout(TIMEOUT).then(
            move |router, result, _| match result {
                Err(_) if left > 1 => router.attempt(prompt, left - 1, promise),
                result => promise.keep(result),
            },
        );
    }
}

struct Backend {
    env: Env<Backend>,
    draws: Stream,
    silent: Vec<Promise<u32>>,
}

impl Actor for Backend {
    type Context = Context<Self>;
}

impl Handler<Generate> for Backend {
    type Result = Later<u32>;
    fn handle(&mut self, Generate(prompt): Generate, _: &mut Context<Self>) -> Later<u32> {
        let (promise, later) = Later::promise();
        if self.draws.chance(SILENT) {
            self.silent.push(promise);
        } else {
            let service = self.draws.delay(&SERVICE);
            self.env.after(service, move |_, _| promise.keep(prompt + 1));
        }
        later
    }
}

pub(crate) fn run(size: Size, seed: u64, host: Host) -> Outcome {
    build(size, seed, host).run().expect("the world starts")
}

pub(crate) fn build(size: Size, seed: u64, host: Host) -> World {
    let mut world = World::new(Seed(seed));
    world.host(host).network(LinkRule::with_latency(HOP));
    let backends: Vec<Peer<Backend>> = (0..BACKENDS)
        .map(|number| {
            world.spawn(format!("backend-{number}"), |env| Backend {
                draws: env.stream("service"),
                env,
                silent: Vec::new(),
            })
        })
        .collect();
    let router =
        world.spawn("router", move |env| Router { env, backends: backends.clone(), turn: 0 });
    for number in 0..size.agents {
        let left = size.requests;
        world.spawn(format!("agent-{number}"), move |env| Agent { env, router, left });
    }
    world
}
