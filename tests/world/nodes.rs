//! Lives of nodes: crash and restart, pause, disks, actors that stop.

use std::{cell::RefCell, rc::Rc};

use actix::prelude::*;
use seedbed::world::{
    Delay, DiskRule, Env, Fault, FaultKind, Host, LinkPatch, Peer, Promise, Time, World,
};

use super::common::*;

/// Each life emits its number, then beats every 2 ms, sleeps, and arms a timer at 6 ms.
fn beating(world: &mut World) -> Peer<Script> {
    script(world, "node", |node, context| {
        let life = u64::from(node.env.incarnation());
        node.env.emit("life", life);
        node.env.every(ms(2), move |node, _| node.env.emit("beat", life));
        node.env.after(ms(6), move |node, _| node.env.emit("rang", life));
        let sleep = node.env.sleep(ms(7)).into_actor(node);
        context.spawn(sleep.map(move |(), node, _| node.env.emit("woke", life)));
    })
}

fn stop_at(world: &mut World, at: u64) {
    script(world, "end", move |node, _| {
        node.env.after(ms(at), |node, _| node.env.stop_world());
    });
}

#[test]
fn nothing_of_one_life_reaches_the_next() {
    let played = play(|world| {
        beating(world);
        stop_at(world, 14);
        world.fault(Fault::crash("node").at(micros(3_500)).lasting(micros(1_500)));
    });
    assert_eq!(played.values("life"), [(0, 0), (5_000, 1)]);
    let beats = [(2_000, 0), (7_000, 1), (9_000, 1), (11_000, 1), (13_000, 1)];
    assert_eq!(played.values("beat"), beats);
    assert_eq!(played.values("rang"), [(11_000, 1)], "the first life's was for 6 ms");
    assert_eq!(played.values("woke"), [(12_000, 1)]);
    assert_eq!(played.of_kind("node_restarted")[0].fields["incarnation"], 1);
}

#[test]
fn what_a_dead_node_waited_for_does_not_keep_the_world_going() {
    let played = play(|world| {
        script(world, "node", |node, _| {
            node.env.after(ms(50), |_, _| {});
            node.env.every(ms(10), |_, _| {});
            let me = node.env.me();
            node.env.call(&me, Never).timeout(ms(90)).then(|_, _, _| {});
        });
        world.fault(Fault::crash("node").at(ms(5)));
    });
    assert_eq!(played.outcome.ended_at.as_nanos(), 5_000_000);
    assert_eq!((played.outcome.calls_open, played.outcome.failure), (0, None));
}

#[test]
fn a_message_for_one_life_is_not_handled_by_the_next() {
    let restarting_at = |crash: u64| {
        play(move |world| {
            let node = beating(world);
            let slow = LinkPatch { latency: Some(Delay::Fixed(ms(5))), ..LinkPatch::default() };
            world.link(["sender"], ["node"], false, slow);
            script(world, "sender", move |sender, _| {
                sender.env.after(ms(1), move |sender, _| sender.env.send(&node, Note(7)));
            });
            stop_at(world, 10);
            world.fault(Fault::crash("node").at(micros(crash)).lasting(micros(100)));
        })
    };
    // Sent at 1 ms, due at 6 ms.
    assert_eq!(restarting_at(500).values("noted"), [(6_000, 7)]);
    assert!(restarting_at(3_000).values("noted").is_empty());
    assert_eq!(restarting_at(3_000).drops(), ["node_down"]);
}

#[test]
fn an_answer_to_one_life_is_late_for_the_next() {
    let played = play(|world| {
        let server = server(world, "server");
        script(world, "node", move |node, _| {
            if node.env.incarnation() == 0 {
                let call = node.env.call(&server, Slow(10));
                call.then(|node, result, _| node.report(result));
            }
        });
        world.fault(Fault::crash("node").at(ms(5)).lasting(ms(1)));
    });
    assert!(played.texts("answered").is_empty());
    assert_eq!(played.outcome.counts.late_answers, 1);
    assert_eq!(played.outcome.calls_open, 0);
}

#[test]
fn an_answer_of_a_dead_life_is_never_sent() {
    let kept: Rc<RefCell<Option<Promise<u64>>>> = Rc::default();
    struct Keeper(Rc<RefCell<Option<Promise<u64>>>>);
    impl Actor for Keeper {
        type Context = Context<Self>;
    }
    impl Handler<Ask> for Keeper {
        type Result = seedbed::world::Later<u64>;
        fn handle(&mut self, _: Ask, _: &mut Context<Self>) -> Self::Result {
            let (promise, later) = seedbed::world::Later::promise();
            // Outlives the node: a leak of the test's own.
            *self.0.borrow_mut() = Some(promise);
            later
        }
    }
    let played = play(|world| {
        let held = Rc::clone(&kept);
        let keeper = world.spawn("keeper", move |_| Keeper(Rc::clone(&held)));
        script(world, "client", move |client, _| {
            client.env.call(&keeper, Ask(1)).then(|client, result, _| client.report(result));
        });
        let kept = Rc::clone(&kept);
        script(world, "late", move |late, _| {
            let kept = Rc::clone(&kept);
            late.env.after(ms(8), move |_, _| kept.take().unwrap().keep(1));
        });
        world.fault(Fault::crash("keeper").at(ms(3)).lasting(ms(1)));
    });
    assert_eq!(played.texts("answered"), [(4_000, "reset")]);
    assert_eq!(played.outcome.counts.late_answers, 0);
}

#[test]
fn overlapping_crashes_restart_once_after_the_last() {
    let played = play(|world| {
        beating(world);
        stop_at(world, 30);
        world.fault(Fault::crash("node").at(ms(5)).lasting(ms(10)));
        world.fault(Fault::crash("node").at(ms(8)).lasting(ms(12)));
    });
    assert_eq!(played.values("life"), [(0, 0), (20_000, 1)]);
    assert_eq!(played.outcome.counts.crashes, 1);
}

#[test]
fn a_node_that_crashes_at_the_start_never_began() {
    let played = play(|world| {
        beating(world);
        stop_at(world, 10);
        world.fault(Fault::crash("node").lasting(ms(5)));
    });
    assert_eq!(played.values("life"), [(5_000, 0)]);
    assert_eq!(played.values("beat"), [(7_000, 0), (9_000, 0)]);
}

#[test]
fn a_paused_node_handles_afterwards_what_came_in_in_order() {
    let played = play(|world| {
        let node = beating(world);
        script(world, "sender", move |sender, _| {
            for at in 0..10 {
                sender.env.after(ms(at), move |sender, _| sender.env.send(&node, Note(at)));
            }
        });
        stop_at(world, 9);
        world.fault(Fault::pause("node").at(micros(2_500)).lasting(ms(4)));
    });
    let at_resume: Vec<(&str, u64)> = played
        .records
        .iter()
        .filter(|record| record.at_ns == 6_500_000 && record.fields.contains_key("value"))
        .map(|record| (record.kind.as_str(), record.fields["value"].as_u64().unwrap()))
        .collect();
    let expected =
        [("noted", 2), ("beat", 0), ("noted", 3), ("noted", 4), ("rang", 0), ("noted", 5)];
    assert_eq!(at_resume, expected);
    assert!(!played.records.iter().any(|record| {
        (2_500_001..6_500_000).contains(&record.at_ns) && record.fields.contains_key("value")
    }));
}

#[test]
fn a_node_that_restarts_while_paused_starts_when_the_pause_is_over() {
    let played = play(|world| {
        beating(world);
        stop_at(world, 20);
        world.fault(Fault::pause("node").at(ms(3)).lasting(ms(9)));
        world.fault(Fault::crash("node").at(ms(5)).lasting(ms(1)));
    });
    assert_eq!(played.times("node_restarted"), [6_000]);
    assert_eq!(played.values("life"), [(0, 0), (12_000, 1)]);
}

#[test]
fn an_actor_that_stops_is_gone_and_its_node_is_not() {
    let played = play(|world| {
        let node = beating(world);
        script(world, "sender", move |sender, _| {
            sender.env.after(ms(2), move |sender, _| sender.env.send(&node, Stop));
            sender.env.after(ms(5), move |sender, _| sender.env.send(&node, Note(1)));
        });
        stop_at(world, 12);
    });
    assert_eq!(played.times("actor_stopped"), [3_000]);
    assert_eq!(played.values("beat"), [(2_000, 0)], "its timers went with it");
    assert_eq!(played.drops(), ["actor_stopped"]);
    assert_eq!(played.outcome.counts.crashes, 0);
}

#[test]
fn a_restarted_child_is_found_at_its_old_place() {
    let played = play(|world| {
        let node = script(world, "node", |node, _| {
            let child = node.env.spawn("child", Echo);
            let me = node.env.me();
            node.env.after(ms(2), move |node, _| {
                node.env.call(&child, Ask(1)).then(|node, result, _| node.report(result));
                let _ = me;
            });
        });
        let _ = node;
        world.fault(Fault::crash("node").at(ms(5)).lasting(ms(5)));
    });
    assert_eq!(played.texts("answered"), [(2_000, "2"), (12_000, "2")]);
}

struct Echo(#[expect(dead_code, reason = "an actor usually keeps it")] Env<Echo>);

impl Actor for Echo {
    type Context = Context<Self>;
}

impl Handler<Ask> for Echo {
    type Result = u64;
    fn handle(&mut self, Ask(number): Ask, _: &mut Context<Self>) -> u64 {
        number + 1
    }
}

/// Writes `a`, syncs, writes `b`; emits what it finds in each life.
fn writing(world: &mut World) {
    script(world, "node", |node, _| {
        let disk = node.env.disk();
        node.env.emit("found", disk.list("").join(","));
        let _ = disk.write("a", b"1");
        disk.sync(|node, _| {
            node.env.emit("synced", 0_u64);
            let result = node.env.disk().write("b", b"2");
            node.env.emit("wrote", result.map_or_else(|error| error.to_string(), |()| "ok".into()));
        });
    });
}

fn found(played: &Played) -> Vec<&str> {
    played.texts("found").into_iter().map(|(_, text)| text).collect()
}

#[test]
fn a_disk_keeps_what_was_synced_and_nothing_else() {
    let played = play(|world| {
        writing(world);
        // A sync takes 2 ms; the second life's does not complete.
        world.fault(Fault::crash("node").at(ms(5)).lasting(ms(5)));
        world.fault(Fault::crash("node").at(ms(11)).lasting(ms(5)));
    });
    assert_eq!(found(&played), ["", "a", "a"]);
    assert_eq!(played.times("synced"), [2_000, 18_000]);
    let early = play(|world| {
        writing(world);
        world.fault(Fault::crash("node").at(ms(1)).lasting(ms(5)));
    });
    assert_eq!(found(&early), ["", ""], "the sync had not completed");
}

#[test]
fn a_full_disk_refuses_until_it_heals_and_a_lost_one_is_empty() {
    let full = play(|world| {
        writing(world);
        let kind = FaultKind::DiskFull { nodes: vec!["node".into()] };
        world.fault(Fault::new(kind).at(ms(1)).lasting(ms(5)));
    });
    assert_eq!(full.texts("wrote"), [(2_000, "no space left on the disk")]);
    assert_eq!(full.times("disk_failed"), [2_000]);
    let small = play(|world| {
        world.disks(DiskRule { capacity: 1, ..DiskRule::default() });
        writing(world);
    });
    assert_eq!(small.texts("wrote")[0].1, "no space left on the disk");
    assert_eq!(play(writing).texts("wrote"), [(2_000, "ok")]);
    let lost = play(|world| {
        writing(world);
        world.fault(Fault::new(FaultKind::DiskLost { nodes: vec!["node".into()] }).at(ms(6)));
        world.fault(Fault::crash("node").at(ms(7)).lasting(ms(1)));
    });
    assert_eq!(found(&lost), ["", ""]);
}

/// Does everything an actor can do, when it is dropped.
struct Restless {
    env: Env<Restless>,
    other: Peer<Script>,
}

impl Actor for Restless {
    type Context = Context<Self>;
}

impl Handler<Ask> for Restless {
    type Result = u64;
    fn handle(&mut self, Ask(number): Ask, _: &mut Context<Self>) -> u64 {
        number
    }
}

impl Drop for Restless {
    fn drop(&mut self) {
        let env = self.env.clone();
        env.emit("haunted", 0_u64);
        env.send(&self.other, Note(666));
        env.after(ms(1), |_, _| {});
        env.every(ms(1), |_, _| {});
        env.call(&self.other, Ask(1)).then(|_, _, _| {});
        drop(env.call(&self.other, Ask(1)).future());
        drop(env.sleep(ms(1)));
        env.disk().sync(|_, _| {});
        let _ = env.disk().write("ghost", b"!");
        let other = self.other;
        env.spawn("ghost", move |env| Restless2 { env, other });
        env.stop_world();
        let _ = (env.now(), env.utc(), env.stream("any").below(9), env.node_name());
    }
}

struct Restless2 {
    env: Env<Restless2>,
    other: Peer<Script>,
}

impl Actor for Restless2 {
    type Context = Context<Self>;
    fn started(&mut self, _: &mut Context<Self>) {
        self.env.send(&self.other, Note(667));
    }
}

fn haunted(faults: fn(&mut World)) -> Played {
    play(|world| {
        let other = server(world, "other");
        world.spawn("restless", move |env| Restless { env, other });
        script(world, "end", |end, _| {
            end.env.after(ms(30), |_, _| {});
        });
        faults(world);
    })
}

#[test]
fn what_a_dead_actor_still_does_has_no_effect() {
    for faults in [
        (|_| {}) as fn(&mut World),
        |world| {
            world.fault(Fault::crash("restless").at(ms(5)).lasting(ms(5)));
        },
        |world| {
            world.fault(Fault::crash("restless").at(ms(5)));
        },
    ] {
        let played = haunted(faults);
        assert_eq!(played.outcome.failure, None);
        assert!(played.times("haunted").is_empty());
        assert!(played.values("noted").is_empty(), "{:?}", played.values("noted"));
        assert_eq!(played.outcome.ended_at, Time::from_nanos(30_000_000));
    }
}

#[test]
fn an_actor_may_spawn_and_send_while_it_is_dropped_by_stopping() {
    let played = play(|world| {
        let other = server(world, "other");
        let restless = world.spawn("restless", move |env| Restless { env, other });
        script(world, "client", move |client, _| {
            client.env.call(&restless, Ask(5)).then(|client, result, _| client.report(result));
        });
    });
    assert_eq!(played.texts("answered"), [(2_000, "5")]);
    assert_eq!(played.outcome.failure, None);
}

/// A node crashes with tasks of tokio under way that it started.
#[test]
fn tasks_that_outlive_a_crash_neither_stall_time_nor_reach_the_world() {
    let played = play_on(Host::Tokio, 1, |world| {
        script(world, "node", |node, context| {
            let env = node.env.clone();
            let life = u64::from(env.incarnation());
            context.run_interval(ms(2), move |node, _| node.env.emit("beat", life));
            actix::spawn(async move {
                for _ in 0..20 {
                    tokio::time::sleep(ms(3)).await;
                    env.emit("task", life);
                }
            });
        });
        stop_at(world, 20);
        world.fault(Fault::crash("node").at(ms(7)).lasting(ms(5)));
    });
    assert_eq!(played.outcome.failure, None);
    assert_eq!(played.outcome.ended_at.as_nanos(), 20_000_000);
    assert_eq!(played.values("task"), [(3_000, 0), (6_000, 0), (15_000, 1), (18_000, 1)]);
    let beats = [2_000, 4_000, 6_000, 14_000, 16_000, 18_000];
    assert_eq!(played.times("beat")[..6], beats);
}

/// What a closure owns is dropped in a crash too, and its node is dead by then.
#[test]
fn what_dies_with_a_call_has_no_effect() {
    struct Guard(Env<Script>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.emit("haunted", 0_u64);
        }
    }
    let played = play(|world| {
        let server = server(world, "server");
        script(world, "node", move |node, _| {
            let (guard, other) = (Guard(node.env.clone()), Guard(node.env.clone()));
            node.env.call(&server, Never).then(move |_, _, _| drop(guard));
            node.env.after(ms(9), move |_, _| drop(other));
        });
        world.fault(Fault::crash("node").at(ms(5)));
    });
    assert_eq!(played.outcome.failure, None);
    assert!(played.times("haunted").is_empty());
}
