//! Bring your own actor: the same little service on both hosts.
//!
//! `cargo run --example own_actor`
//!
//! - On the tokio host, an ordinary actix actor runs as it is: `run_later`, `run_interval`,
//!   `tokio::time::sleep`, `ResponseFuture` and `Addr::send` are all on virtual time.
//! - On the native host, which is faster, the actor uses the world's timers instead.
//!
//! Both print when things happened. No real time passes.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use actix::prelude::*;
use seedbed::world::{Env, Host, Later, Seed, StartError, World};

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A question that takes a while to answer.
#[derive(Message)]
#[rtype(result = "u32")]
struct Think(u32);

/// An ordinary actix actor. It has never heard of seedbed.
struct Thinker;

impl Actor for Thinker {
    type Context = Context<Self>;
}

impl Handler<Think> for Thinker {
    type Result = ResponseFuture<u32>;
    fn handle(&mut self, Think(number): Think, _: &mut Context<Self>) -> Self::Result {
        Box::pin(async move {
            tokio::time::sleep(ms(20)).await;
            number * 2
        })
    }
}

/// Its user: ordinary too, but for `Env`, which tells the virtual time.
struct Ordinary(Env<Ordinary>);

impl Actor for Ordinary {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        context.run_later(ms(7), |actor, _| println!("  {} run_later", actor.0.now()));
        let beat = context.run_interval(ms(10), |actor, _| println!("  {} beat", actor.0.now()));
        context.run_later(ms(35), move |_, context| {
            context.cancel_future(beat);
        });
        let thinker = Thinker.start();
        let answer = async move { thinker.send(Think(21)).await }.into_actor(self);
        context.spawn(answer.map(|answer, actor, _| {
            println!("  {} answer: {answer:?}", actor.0.now());
        }));
    }
}

/// The same service with the world's timers: it runs on either host.
struct NativeThinker(Env<NativeThinker>);

impl Actor for NativeThinker {
    type Context = Context<Self>;
}

impl Handler<Think> for NativeThinker {
    type Result = Later<u32>;
    fn handle(&mut self, Think(number): Think, _: &mut Context<Self>) -> Later<u32> {
        let (promise, later) = Later::promise();
        self.0.after(ms(20), move |_, _| promise.keep(number * 2));
        later
    }
}

struct Native(Env<Native>);

impl Actor for Native {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        let env = &self.0;
        env.after(ms(7), |actor, _| println!("  {} after", actor.0.now()));
        let beat = env.every(ms(10), |actor, _| println!("  {} beat", actor.0.now()));
        env.after(ms(35), move |actor, _| actor.0.cancel(&beat));
        // On the same node, so the message takes no time. Between nodes it would cross a link.
        let thinker = env.spawn("thinker", NativeThinker);
        env.call(&thinker, Think(21)).then(|actor, answer, _| {
            println!("  {} answer: {answer:?}", actor.0.now());
        });
    }
}

fn main() -> Result<(), StartError> {
    println!("an ordinary actix actor on the tokio host:");
    let mut world = World::new(Seed(1));
    world.host(Host::Tokio);
    world.spawn("ordinary", Ordinary);
    println!("  {:?}", world.run()?.ending);

    for host in [Host::Native, Host::Tokio] {
        println!("the world's own timers on the {} host:", host.name());
        let mut world = World::new(Seed(1));
        world.host(host);
        world.spawn("native", Native);
        let outcome = world.run()?;
        println!("  {:?}, fingerprint {}", outcome.ending, outcome.fingerprint);
    }
    Ok(())
}
