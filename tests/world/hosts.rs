//! The two hosts: one history where both can run a world, and what each says about the rest.

use actix::prelude::*;
use seedbed::world::{
    Delay, Disk, Env, Failure, Fault, FaultKind, Host, LinkPatch, LinkRule, Peer, Probability,
    World,
};

use super::common::*;

/// A server that keeps what it is asked on disk, and clients that use every kind of call, timer
/// and message.
pub(crate) fn mixed(world: &mut World, clients: usize) {
    world.network(LinkRule {
        loss: Probability::percent(2),
        duplicate: Probability::percent(3),
        reorder: Probability::percent(5),
        corrupt: Probability::percent(2),
        ..LinkRule::with_latency(Delay::Uniform { min: micros(300), max: ms(4) })
    });
    let server = script(world, "server", |server, _| {
        let disk: Disk<'_, Script> = server.env.disk();
        let before = disk.read("lives").map_or(0, |bytes| bytes[0]);
        server.env.emit("lives", before);
        let _ = disk.write("lives", &[before + 1]);
        disk.sync(|server, _| server.env.emit("synced", 0_u64));
        server.env.every(ms(7), |server, _| {
            let _ = server.env.disk().write("ticks", b"tick");
            server.env.disk().sync(|_, _| {});
        });
        let me = server.env.me();
        server.env.spawn("child", move |env| Child { env, parent: me });
    });
    for number in 0..clients {
        script(world, &format!("client-{number}"), move |client, context| {
            let mut draws = client.env.stream("thinking");
            client.env.every(ms(2 + number as u64), move |client, _| match draws.below(5) {
                0 => client.env.send(&server, Note(draws.below(100))),
                1 => client.env.send_duplicable(&server, Copyable(draws.below(100))),
                2 => {
                    let call = client.env.call(&server, Slow(draws.below(9)));
                    call.timeout(ms(10)).then(|client, result, _| client.report(result));
                }
                3 => {
                    let call = client.env.call(&server, Never).timeout(ms(30));
                    let call = call.then(|client, result, _| client.report(result));
                    client.env.after(ms(12), move |client, _| client.env.give_up(call));
                }
                _ => {
                    let call = client.env.call(&server, Ask(1)).duplicable().bytes(5_000);
                    call.then(|client, result, _| client.report(result));
                }
            });
            let call = client.env.call(&server, Ask(number as u64)).timeout(ms(20)).future();
            let sleep = client.env.sleep(ms(3));
            let both = futures_util::future::join(call, sleep).into_actor(client);
            context.spawn(both.map(|(result, ()), client, _| client.report(result)));
        });
    }
    script(world, "clock", |clock, _| {
        clock.env.after(ms(100), |clock, _| clock.env.stop_world());
    });
}

struct Child {
    env: Env<Child>,
    parent: Peer<Script>,
}

impl Actor for Child {
    type Context = Context<Self>;
    fn started(&mut self, _: &mut Context<Self>) {
        self.env.every(ms(11), |child, context| {
            child.env.send(&child.parent, Note(1_000));
            if child.env.now().since_start() > ms(60) {
                context.stop();
            }
        });
    }
}

pub(crate) fn all_faults(world: &mut World) {
    let clock = FaultKind::Clock { nodes: vec!["client-0".into()], skew_ns: 5, drift_ppm: 20_000 };
    let slow = LinkPatch { bandwidth: Some(100_000), ..LinkPatch::default() };
    let (from, to) = (vec!["client-1".into()], vec!["server".into()]);
    let slow = FaultKind::Link { from, to, both_ways: true, patch: slow };
    world
        .fault(Fault::crash("server").at(ms(31)).lasting(ms(6)))
        .fault(Fault::pause("server").at(ms(12)).lasting(ms(5)))
        .fault(Fault::partition(["client-1"], ["server"]).at(ms(50)).lasting(ms(20)))
        .fault(Fault::new(clock).at(ms(15)).lasting(ms(50)))
        .fault(Fault::new(slow).at(ms(20)).lasting(ms(50)))
        .fault(Fault::new(FaultKind::DiskFull { nodes: vec!["server".into()] }).at(ms(70)))
        .fault(Fault::crash("client-2").at(ms(40)).lasting(ms(10)));
}

#[test]
fn a_mixed_world_has_one_history_on_both_hosts() {
    for seed in 0..20 {
        let played = play_seed(seed, |world| {
            mixed(world, 4);
            all_faults(world);
        });
        assert_eq!(played.outcome.failure, None);
        let kinds = [
            "message_dropped",
            "message_duplicated",
            "node_restarted",
            "node_paused",
            "disk_synced",
            "disk_failed",
            "actor_stopped",
            "answered",
            "lives",
        ];
        for kind in kinds {
            assert!(!played.of_kind(kind).is_empty(), "seed {seed} has no {kind}");
        }
    }
}

/// An ordinary actix actor: nothing in it is the world's, except what takes notes.
struct Ordinary(Env<Ordinary>);

struct Helper;

impl Actor for Helper {
    type Context = Context<Self>;
}

impl Handler<Ask> for Helper {
    type Result = ResponseFuture<u64>;
    fn handle(&mut self, Ask(number): Ask, _: &mut Context<Self>) -> Self::Result {
        Box::pin(async move {
            tokio::time::sleep(ms(2)).await;
            number + 1
        })
    }
}

impl Actor for Ordinary {
    type Context = Context<Self>;
    fn started(&mut self, context: &mut Context<Self>) {
        context.run_later(ms(7), |ordinary, _| ordinary.0.emit("run_later", 0_u64));
        let interval =
            context.run_interval(ms(3), |ordinary, _| ordinary.0.emit("interval", 0_u64));
        context.run_later(ms(10), move |_, context| {
            context.cancel_future(interval);
        });
        let helper = Helper.start();
        let answer = async move { helper.send(Ask(4)).await.unwrap() }.into_actor(self);
        context.spawn(answer.map(|value, ordinary, _| ordinary.0.emit("helped", value)));
        for at in [micros(6_900), micros(7_000), micros(7_100)] {
            self.0.after(at, |ordinary, _| ordinary.0.emit("after", 0_u64));
        }
    }
}

#[test]
fn an_unmodified_actor_is_on_the_worlds_time_line() {
    let run = || {
        play_on(Host::Tokio, 1, |world| {
            world.spawn("ordinary", Ordinary);
        })
    };
    let played = run();
    assert_eq!(played.outcome.failure, None);
    assert_eq!(played.times("run_later"), [7_000]);
    assert_eq!(played.times("interval"), [3_000, 6_000, 9_000]);
    assert_eq!(played.values("helped"), [(2_000, 5)]);
    assert_eq!(played.times("after"), [6_900, 7_000, 7_100]);
    let order: Vec<&str> = played
        .records
        .iter()
        .filter(|record| (6_500_000..7_500_000).contains(&record.at_ns))
        .map(|record| record.kind.as_str())
        .filter(|kind| *kind != "timer_fired")
        .collect();
    assert_eq!(order, ["after", "run_later", "after", "after"], "at one instant tokio's are first");
    for _ in 0..5 {
        assert_eq!(run(), played);
    }
}

#[test]
fn a_timer_of_actix_that_never_ends_is_cut_at_the_time_limit() {
    let played = play_on(Host::Tokio, 1, |world| {
        world.limits(seedbed::world::Limits { time: ms(100), ..Default::default() });
        struct Ticker(Env<Ticker>);
        impl Actor for Ticker {
            type Context = Context<Self>;
            fn started(&mut self, context: &mut Context<Self>) {
                context.run_interval(ms(30), |ticker, _| ticker.0.emit("tick", 0_u64));
            }
        }
        world.spawn("ticker", Ticker);
    });
    assert_eq!(played.times("tick"), [30_000, 60_000, 90_000]);
    assert_eq!(played.outcome.ending, seedbed::world::Ending::TimeLimit);
}

#[test]
fn a_timer_of_actix_far_off_is_waited_for() {
    let played = play_on(Host::Tokio, 1, |world| {
        struct Late(Env<Late>);
        impl Actor for Late {
            type Context = Context<Self>;
            fn started(&mut self, context: &mut Context<Self>) {
                context.run_later(ms(1_000_000), |late, _| late.0.emit("rang", 0_u64));
            }
        }
        world.spawn("late", Late);
    });
    assert_eq!(played.times("rang"), [1_000_000_000]);
    assert_eq!(played.outcome.ending, seedbed::world::Ending::Idle);
}

#[test]
fn an_actor_started_by_actix_knows_the_time() {
    struct Outside(Env<Script>);
    impl Actor for Outside {
        type Context = Context<Self>;
        fn started(&mut self, context: &mut Context<Self>) {
            context.run_later(ms(4), |outside, _| {
                outside.0.emit("rang", outside.0.now().as_nanos() / 1_000);
            });
        }
    }
    let played = play_on(Host::Tokio, 1, |world| {
        script(world, "inside", |inside, _| {
            Outside(inside.env.clone()).start();
        });
    });
    assert_eq!(played.values("rang"), [(4_000, 4_000)]);
}

fn on_native(start: fn(&mut Script, &mut Context<Script>)) -> Failure {
    let played = play_on(Host::Native, 1, |world| {
        script(world, "node", start);
    });
    played.outcome.failure.expect("the native host cannot do this")
}

#[test]
fn the_native_host_names_what_it_lacks_and_the_remedy() {
    let timers: [fn(&mut Script, &mut Context<Script>); 3] = [
        |_, context| {
            context.run_later(MS, |_, _| {});
        },
        |_, context| {
            context.run_interval(MS, |_, _| {});
        },
        |script, context| {
            context.spawn(async { tokio::time::sleep(MS).await }.into_actor(script));
        },
    ];
    for start in timers {
        let failure = on_native(start);
        let Failure::WrongHost { actor, needs, remedy, .. } = &failure else {
            panic!("{failure}");
        };
        assert_eq!(actor, "node");
        assert!(needs.contains("timer"), "{failure}");
        assert!(remedy.contains("Env::after") && remedy.contains("Host::Tokio"), "{failure}");
    }
    let tasks: [fn(&mut Script, &mut Context<Script>); 2] = [
        |_, _| {
            Helper.start();
        },
        |script, _| {
            let me = script.env.spawn("helper", |_| Helper);
            script.env.call(&me, Ask(1)).then(|_, _, _| {});
        },
    ];
    for start in tasks {
        let failure = on_native(start);
        let Failure::WrongHost { actor, needs, remedy, .. } = &failure else {
            panic!("{failure}");
        };
        assert!(actor.starts_with("node"), "{failure}");
        assert!(needs.contains("task"), "{failure}");
        assert!(remedy.contains("Env::spawn") && remedy.contains("Host::Tokio"), "{failure}");
    }
}

#[test]
fn any_other_panic_is_not_blamed_on_the_host() {
    let failure = on_native(|_, _| panic!("planted"));
    assert!(matches!(failure, Failure::ActorPanicked { .. }), "{failure}");
}

#[test]
fn a_world_runs_on_a_thread_beside_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let inside = runtime.block_on(async { World::new(seedbed::world::Seed(1)).run() });
    assert_eq!(inside, Err(seedbed::world::StartError::InsideRuntime));
    assert!(World::new(seedbed::world::Seed(1)).run().is_ok(), "and outside it runs");
}

#[test]
fn a_pause_also_holds_back_timers_of_actix_and_messages_past_the_links() {
    let played = play_on(Host::Tokio, 1, |world| {
        struct Ticker(Env<Ticker>);
        impl Actor for Ticker {
            type Context = Context<Self>;
            fn started(&mut self, context: &mut Context<Self>) {
                context.run_interval(ms(3), |ticker, _| ticker.0.emit("tick", 0_u64));
                self.0.after(ms(13), |ticker, _| ticker.0.stop_world());
            }
        }
        world.spawn("ticker", Ticker);
        world.fault(Fault::pause("ticker").at(ms(4)).lasting(ms(6)));
    });
    assert_eq!(played.times("tick"), [3_000, 10_000, 10_000, 12_000]);
}
