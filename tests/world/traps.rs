//! What other simulators fell for, one test each.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use actix::prelude::*;
use seedbed::world::{Env, Fault, Host, LinkRule, Probability, Record, Seed, Sighting, World};

use super::common::*;

/// Trap: randomness is drawn before the seed is known. Here a stream needs a seed to exist, and
/// the first draw of a world already depends on it.
#[test]
fn nothing_is_drawn_before_the_seed_is_known() {
    let first = |seed| World::new(Seed(seed)).stream("plan").below(1 << 60);
    assert_ne!(first(1), first(2));
    assert_eq!(first(1), first(1));
}

/// Trap: state that outlives a world, so that a seed differs alone and in a sweep.
#[test]
fn a_seed_is_the_same_alone_and_among_others() {
    let build = |world: &mut World| {
        super::hosts::mixed(world, 3);
        super::hosts::all_faults(world);
    };
    let alone =
        std::thread::scope(|scope| scope.spawn(|| play_on(Host::Native, 9, build)).join().unwrap());
    for host in [Host::Native, Host::Tokio] {
        (0..9).for_each(|seed| drop(play_on(host, seed, build)));
    }
    assert_eq!(play_on(Host::Native, 9, build), alone);
    // A world that failed in the middle of everything leaves nothing either.
    let failed = play_on(Host::Tokio, 1, |world| {
        build(world);
        script(world, "bomb", |bomb, _| {
            bomb.env.after(ms(33), |_, _| panic!("planted"));
        });
    });
    assert!(failed.outcome.failure.is_some());
    assert_eq!(play_on(Host::Native, 9, build), alone);
}

/// Trap: a partition that begins while a packet is in flight lets it through. See also
/// `partitions`.
#[test]
fn a_partition_is_checked_at_delivery_too() {
    let with = |at| {
        play(move |world| {
            let sink = server(world, "sink");
            script(world, "source", move |source, _| source.env.send(&sink, Note(1)));
            world.fault(Fault::partition(["source"], ["sink"]).at(micros(at)));
        })
    };
    assert!(with(999).values("noted").is_empty());
    assert_eq!(with(1_001).values("noted"), [(1_000, 1)]);
}

/// Trap: checks that are set up after everything has happened never run. Observers belong to the
/// world that is built, and see it from its first event on.
#[test]
fn an_observer_sees_every_event_from_the_first_on() {
    let seen = Rc::new(RefCell::new(Vec::<Record>::new()));
    let mut world = World::new(Seed(1));
    super::hosts::mixed(&mut world, 2);
    world.fault(Fault::crash("server").at(ms(31)).lasting(ms(6)));
    let all = Rc::clone(&seen);
    world.observe(move |sighting: &Sighting<'_>| all.borrow_mut().push(sighting.to_record()));
    let outcome = world.run().unwrap();
    let numbers: Vec<u64> = seen.borrow().iter().map(|record| record.seq).collect();
    assert_eq!(numbers, (1..=outcome.events).collect::<Vec<_>>());
    assert!(seen.borrow().is_sorted_by_key(|record| record.at_ns), "time goes on");
    assert!(seen.borrow().iter().all(|record| record.cause < record.seq), "causes come first");
}

/// Trap: a crash that leaves sub-tasks stalls virtual time. See also `nodes`.
#[test]
fn a_crash_with_a_call_a_sleep_and_a_timer_under_way_stalls_nothing() {
    for host in [Host::Native, Host::Tokio] {
        let began = real_time();
        let played = play_on(host, 1, |world| {
            let server = server(world, "server");
            script(world, "node", move |node, context| {
                let call = node.env.call(&server, Never).future();
                let both = futures_util::future::join(call, node.env.sleep(ms(900_000)));
                context.spawn(both.into_actor(node).map(|_, _, _| {}));
                node.env.every(ms(1_000), |_, _| {});
            });
            script(world, "end", |end, _| {
                end.env.after(ms(600_000), |end, _| end.env.stop_world());
            });
            world.fault(Fault::crash("node").at(ms(1_500)));
        });
        assert_eq!(played.outcome.ended_at.since_start(), ms(600_000));
        assert!(played.outcome.events < 20, "nothing of the dead node ticks on");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[expect(clippy::disallowed_methods, reason = "that virtual time is not real time is the point")]
fn real_time() -> Instant {
    Instant::now()
}

/// Trap: a destructor that spawns or sends while its node dies panics. See also `nodes`.
#[test]
fn a_destructor_may_start_and_send_things() {
    struct Spawner(Env<Spawner>);
    impl Actor for Spawner {
        type Context = Context<Self>;
    }
    impl Drop for Spawner {
        fn drop(&mut self) {
            let me = self.0.me();
            self.0.send(&me, Stop);
            self.0.spawn("child", Spawner2);
        }
    }
    struct Spawner2(#[expect(dead_code, reason = "as actors have it")] Env<Spawner2>);
    impl Actor for Spawner2 {
        type Context = Context<Self>;
        fn started(&mut self, _: &mut Context<Self>) {
            unreachable!("its parent is dead");
        }
    }
    impl Handler<Stop> for Spawner {
        type Result = ();
        fn handle(&mut self, _: Stop, _: &mut Context<Self>) {}
    }
    for restarts in [true, false] {
        let played = play(|world| {
            world.spawn("spawner", Spawner);
            let crash = Fault::crash("spawner").at(ms(5));
            world.fault(if restarts { crash.lasting(ms(5)) } else { crash });
        });
        assert_eq!(played.outcome.failure, None);
    }
}

/// Trap: a blocking task stops the paused clock. Here there is nothing to block on: threads are
/// noticed (see `leaks`), and work that takes real time takes no virtual time.
#[test]
fn work_that_blocks_takes_no_virtual_time() {
    let played = play(|world| {
        script(world, "worker", |worker, _| {
            worker.env.after(ms(1), |worker, _| {
                let began = real_time();
                while began.elapsed() < Duration::from_millis(20) {
                    std::hint::spin_loop();
                }
                worker.env.emit("worked", worker.env.now().as_nanos());
            });
            worker.env.after(ms(2), |worker, _| worker.env.emit("rang", 0_u64));
        });
    });
    assert_eq!(played.values("worked"), [(1_000, 1_000_000)]);
    assert_eq!(played.times("rang"), [2_000]);
}

/// Trap: tables of all pairs of hosts. With a thousand nodes, sixteen times as many messages and
/// ten thousand nodes more must not cost as if every pair had a link.
#[test]
fn links_that_nobody_uses_cost_nothing() {
    let time_for = |idle: u64| {
        let began = real_time();
        let mut world = World::new(Seed(1));
        world.network(LinkRule::PERFECT);
        for number in 0..idle {
            server(&mut world, &format!("idle-{number}"));
        }
        let sink = server(&mut world, "sink");
        script(&mut world, "source", move |source, _| {
            source.env.every(ms(1), move |source, _| source.env.send(&sink, Note(1)));
            source.env.after(ms(100), |source, _| source.env.stop_world());
        });
        // A partition of all nodes at once is one measure, not one for each pair.
        world.fault(Fault::new(seedbed::world::FaultKind::Isolate { nodes: vec!["sink".into()] }));
        assert!(world.run().unwrap().counts.messages_dropped > 90);
        began.elapsed()
    };
    time_for(10);
    let elapsed = time_for(20_000);
    assert!(elapsed < Duration::from_secs(10), "400 million pairs would take longer: {elapsed:?}");
}

/// Trap: a log that is written at each tick. Nothing happens between events, so nothing is told.
#[test]
fn an_hour_of_silence_is_no_event() {
    let played = play(|world| {
        script(world, "node", |node, _| {
            node.env.after(ms(3_599_000), |node, _| node.env.emit("rang", 0_u64));
        });
    });
    let kinds: Vec<&str> = played.records.iter().map(|record| record.kind.as_str()).collect();
    assert_eq!(kinds, ["node_started", "timer_fired", "rang"]);
}

/// Trap: the seed or the epoch comes from the machine and is not printed.
#[test]
fn the_seed_and_the_time_are_what_the_test_says() {
    let utc = Rc::new(Cell::new(0));
    let told = Rc::clone(&utc);
    let mut world = World::new(Seed(7));
    script(&mut world, "node", move |node, _| told.set(node.env.utc().as_second()));
    let outcome = world.run().unwrap();
    assert_eq!(utc.get(), 1_767_225_600, "2026-01-01T00:00:00Z");
    assert_eq!(outcome.seed, Seed(7));
    assert!(serde_json::to_string(&outcome).unwrap().starts_with(r#"{"seed":7,"#));
}

/// Trap: a message is delivered in another order than it was sent in, by chance. One-way messages
/// on one link keep their order, also through duplicates and losses.
#[test]
fn one_link_keeps_its_order_through_loss_and_duplication() {
    let played = play(|world| {
        world.network(LinkRule {
            loss: Probability::percent(20),
            duplicate: Probability::percent(20),
            ..LinkRule::default()
        });
        let sink = server(world, "sink");
        script(world, "source", move |source, _| {
            (0..200).for_each(|number| source.env.send(&sink, Note(number)));
        });
    });
    let seen: Vec<u64> = played.values("noted").into_iter().map(|(_, number)| number).collect();
    assert!(seen.is_sorted() && seen.len() > 100, "{seen:?}");
}
