//! How a world fails: panics, limits, deadlocks. Each failure says who, what and when.

use actix::prelude::*;
use seedbed::world::{
    CallError, Ending, Env, Failure, Fault, Host, Later, Limits, Peer, Promise, StartError, Time,
    World,
};

use super::common::*;

fn failure_of(build: impl Fn(&mut World)) -> Failure {
    let played = play(build);
    assert_eq!(played.outcome.ending, Ending::Failed);
    played.outcome.failure.expect("the world fails")
}

fn panicked(actor: &str, message: &str, at_ms: u64) -> Failure {
    // The enum is not exhaustive, its variants are.
    Failure::ActorPanicked {
        actor: actor.to_owned(),
        message: message.to_owned(),
        at: Time::from_nanos(at_ms * 1_000_000),
    }
}

#[test]
fn a_panic_in_a_handler_names_actor_message_and_time() {
    struct Fragile;
    impl Actor for Fragile {
        type Context = Context<Self>;
    }
    impl Handler<Note> for Fragile {
        type Result = ();
        fn handle(&mut self, Note(number): Note, _: &mut Context<Self>) {
            assert!(number != 13, "unlucky {number}");
        }
    }
    let sending = |number| {
        move |world: &mut World| {
            let fragile = world.spawn("fragile", |_| Fragile);
            script(world, "sender", move |sender, _| {
                let send = move |sender: &mut Script, _: &mut _| {
                    sender.env.send(&fragile, Note(number));
                };
                sender.env.after(ms(4), send);
            });
        }
    };
    assert_eq!(failure_of(sending(13)), panicked("fragile", "unlucky 13", 5));
    assert_eq!(play(sending(12)).outcome.failure, None);
}

#[test]
fn a_panic_is_caught_wherever_it_happens() {
    let in_timer = failure_of(|world| {
        script(world, "node", |node, _| {
            node.env.after(ms(3), |_, _| panic!("timer"));
        });
    });
    assert_eq!(in_timer, panicked("node", "timer", 3));
    let in_factory = failure_of(|world| {
        world.spawn("node", |_: Env<Script>| -> Script { panic!("factory") });
    });
    assert_eq!(in_factory, panicked("node", "factory", 0));
    let in_child = failure_of(|world| {
        script(world, "node", |node, _| {
            node.env.spawn("child", |_| Bomb { in_drop: false });
        });
    });
    assert_eq!(in_child, panicked("node/child", "started", 0));
    let in_observer_of_a_future = failure_of(|world| {
        script(world, "node", |node, context| {
            let future = node.env.sleep(ms(2)).into_actor(node);
            context.spawn(future.map(|(), _, _| panic!("future")));
        });
    });
    assert_eq!(in_observer_of_a_future, panicked("node", "future", 2));
}

struct Bomb {
    in_drop: bool,
}

impl Actor for Bomb {
    type Context = Context<Self>;
    fn started(&mut self, _: &mut Context<Self>) {
        assert!(self.in_drop, "started");
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.in_drop, "drop");
    }
}

#[test]
fn a_panic_in_drop_is_caught_in_a_crash() {
    let failure = failure_of(|world| {
        world.spawn("bomb", |_| Bomb { in_drop: true });
        world.fault(Fault::crash("bomb").at(ms(7)));
    });
    assert_eq!(failure, panicked("bomb", "drop", 7));
}

#[test]
fn a_panic_in_drop_at_the_end_of_the_world_harms_nobody() {
    let played = play(|world| {
        world.spawn("bomb", |_| Bomb { in_drop: true });
    });
    assert_eq!(played.outcome.failure, None, "the outcome was made before");
}

#[test]
fn a_panic_ends_the_run_at_once() {
    let played = play(|world| {
        script(world, "node", |node, _| {
            node.env.every(ms(2), |node, _| node.env.emit("beat", 0_u64));
            node.env.after(ms(5), |_, _| panic!("over"));
        });
    });
    assert_eq!(played.times("beat"), [2_000, 4_000]);
}

fn limited(limits: Limits) -> Played {
    play(move |world| {
        world.limits(limits);
        let sink = server(world, "sink");
        script(world, "source", move |source, _| {
            source.env.every(ms(1), move |source, _| source.env.send(&sink, Note(1)));
        });
    })
}

#[test]
fn limits_end_a_runaway_world() {
    let few = limited(Limits { events: 50, ..Limits::default() });
    let Some(Failure::TooManyEvents { events, at }) = few.outcome.failure else {
        panic!("{:?}", few.outcome)
    };
    assert!((51..60).contains(&events), "{events}");
    assert_eq!(at, few.outcome.ended_at);
    let short = limited(Limits { time: ms(10), ..Limits::default() });
    assert_eq!((short.outcome.failure, short.outcome.ending), (None, Ending::TimeLimit));
    assert_eq!(short.outcome.ended_at.as_nanos(), 10_000_000, "what is due then still happens");
}

#[test]
fn an_instant_that_never_ends_is_a_failure() {
    let spinning = |delay| {
        move |world: &mut World| {
            world.limits(Limits { same_instant: 5_000, time: ms(5), ..Limits::default() });
            script(world, "spinner", move |spinner, _| {
                fn again(spinner: &mut Script, delay: std::time::Duration) {
                    spinner.env.after(delay, move |spinner, _| again(spinner, delay));
                }
                let start = move |spinner: &mut Script, _: &mut _| again(spinner, delay);
                spinner.env.after(ms(3), start);
            });
        }
    };
    let failure = failure_of(spinning(ms(0)));
    let Failure::TooManyAtOnce { events, at, node } = &failure else { panic!("{failure}") };
    assert!(*events > 5_000);
    assert_eq!((at.as_nanos(), node.as_str()), (3_000_000, "spinner"));
    assert!(failure.to_string().contains("limits.same_instant"), "{failure}");
    assert_eq!(play(spinning(micros(1))).outcome.failure, None);
}

#[test]
fn a_deadlock_names_who_waits_for_whom() {
    let failure = failure_of(|world| {
        let server = server(world, "server");
        script(world, "client", move |client, _| {
            client.env.after(ms(2), move |client, _| {
                client.env.call(&server, Never).then(|_, _, _| {});
            });
        });
    });
    let Failure::Deadlock { waits, at } = &failure else { panic!("{failure}") };
    assert_eq!(at.as_nanos(), 3_000_000);
    assert_eq!(waits.len(), 1);
    let text = "deadlock at 0.003s: `client` waits for `server` to answer Never since 0.002s";
    assert_eq!(failure.to_string(), text);
}

struct Ring {
    env: Env<Ring>,
    next: Peer<Ring>,
    promises: Vec<Promise<Result<u64, CallError>>>,
}

#[derive(Message)]
#[rtype(result = "Result<u64, CallError>")]
struct Pass;

impl Actor for Ring {
    type Context = Context<Self>;
    fn started(&mut self, _: &mut Context<Self>) {
        self.env.call(&self.next, Pass).then(|ring, result, _| {
            for promise in ring.promises.drain(..) {
                promise.keep(result.and_then(|result| result));
            }
        });
    }
}

impl Handler<Pass> for Ring {
    type Result = Later<Result<u64, CallError>>;
    fn handle(&mut self, _: Pass, _: &mut Context<Self>) -> Self::Result {
        let (promise, later) = Later::promise();
        self.promises.push(promise);
        later
    }
}

#[test]
fn a_cycle_of_calls_is_a_deadlock_with_all_of_its_nodes() {
    let failure = failure_of(|world| {
        // Peers of one world are numbered in the order of their nodes: a probe world tells them.
        let mut probe = World::new(seedbed::world::Seed(0));
        let peers: Vec<Peer<Ring>> = (0..3)
            .map(|number| {
                probe.spawn(format!("{number}"), |_| -> Ring { unreachable!("never runs") })
            })
            .collect();
        for number in 0..3 {
            let next = peers[(number + 1) % 3];
            world.spawn(format!("ring-{number}"), move |env| Ring { env, next, promises: vec![] });
        }
    });
    let Failure::Deadlock { waits, .. } = &failure else { panic!("{failure}") };
    let pairs: Vec<(&str, &str)> =
        waits.iter().map(|wait| (wait.waiting.as_str(), wait.waits_for.as_str())).collect();
    assert_eq!(pairs, [("ring-0", "ring-1"), ("ring-1", "ring-2"), ("ring-2", "ring-0")]);
}

#[test]
fn waiting_is_no_deadlock_while_something_is_to_come() {
    let stopped = play(|world| {
        let server = server(world, "server");
        script(world, "client", move |client, _| {
            client.env.call(&server, Never).then(|_, _, _| {});
            client.env.after(ms(5), |client, _| client.env.stop_world());
        });
    });
    assert_eq!((stopped.outcome.failure, stopped.outcome.ending), (None, Ending::Stopped));
    assert_eq!(stopped.outcome.calls_open, 1);
    // A timer of actix is something to come, too.
    let ticking = play_on(Host::Tokio, 1, |world| {
        world.limits(Limits { time: ms(50), ..Limits::default() });
        let server = server(world, "server");
        script(world, "client", move |client, context| {
            client.env.call(&server, Never).then(|_, _, _| {});
            context.run_interval(ms(7), |_, _| {});
        });
    });
    assert_eq!((ticking.outcome.failure, ticking.outcome.ending), (None, Ending::TimeLimit));
}

#[test]
fn a_world_that_makes_no_sense_does_not_start() {
    let start = |build: fn(&mut World)| {
        let mut world = World::new(seedbed::world::Seed(1));
        build(&mut world);
        world.run().unwrap_err()
    };
    let twice = start(|world| {
        server(world, "a");
        server(world, "a");
    });
    assert_eq!(twice, StartError::DuplicateNode("a".to_owned()));
    let unknown = start(|world| {
        server(world, "a");
        world.fault(Fault::crash("b"));
    });
    let text = "the fault `crash b` names the node `b`, which this world does not have: it has a";
    assert_eq!(unknown.to_string(), text);
    let link = start(|world| {
        server(world, "a");
        world.link(["a"], ["c"], true, Default::default());
    });
    assert!(link.to_string().starts_with("a link names the node `c`"), "{link}");
}
