//! Randomness and order: what a change somewhere leaves as it was elsewhere.

use actix::prelude::*;
use seedbed::world::{Delay, Fault, LinkRule, Probability, Record, Schedule, World};

use super::common::*;

/// Two clients and a server on links where everything is drawn.
fn base(world: &mut World) {
    world.network(LinkRule {
        loss: Probability::percent(5),
        duplicate: Probability::percent(5),
        reorder: Probability::percent(5),
        ..LinkRule::with_latency(Delay::Uniform { min: micros(100), max: ms(3) })
    });
    let server = server(world, "server");
    for name in ["client-a", "client-b"] {
        script(world, name, move |client, _| chatter(client, server, "thinking"));
    }
}

fn chatter(client: &mut Script, server: seedbed::world::Peer<Script>, stream: &str) {
    let mut draws = client.env.stream(stream);
    client.env.every(ms(2), move |client, _| {
        client.env.send_duplicable(&server, Copyable(draws.below(1_000)));
        let call = client.env.call(&server, Slow(draws.below(4))).timeout(ms(9));
        call.then(|client, result, _| client.report(result));
    });
}

fn stop(world: &mut World) {
    script(world, "end", |end, _| {
        end.env.after(ms(60), |end, _| end.env.stop_world());
    });
}

/// The events of some nodes, without the numbers that count all events and messages of a world.
fn story(played: &Played, nodes: &[&str]) -> Vec<Record> {
    let events = played.records.iter().filter(|record| nodes.contains(&record.node.as_str()));
    events
        .map(|record| {
            let mut record = Record { seq: 0, cause: 0, ..record.clone() };
            record.fields.remove("message");
            record
        })
        .collect()
}

const ALL: [&str; 3] = ["server", "client-a", "client-b"];

#[test]
fn an_added_node_changes_nothing_elsewhere() {
    let before = play(|world| {
        base(world);
        stop(world);
    });
    assert!(
        before.outcome.counts.messages_dropped > 0 && before.outcome.counts.messages_duplicated > 0
    );
    let idle = play(|world| {
        server(world, "idle");
        base(world);
        stop(world);
    });
    assert_eq!(story(&idle, &ALL), story(&before, &ALL));
    // Even one that talks, as long as it talks to others.
    let busy = play(|world| {
        base(world);
        let other = server(world, "other");
        script(world, "busy", move |busy, _| chatter(busy, other, "thinking"));
        stop(world);
    });
    assert_eq!(story(&busy, &ALL), story(&before, &ALL));
    assert!(busy.outcome.events > before.outcome.events + 50);
}

#[test]
fn each_link_draws_for_itself() {
    let sent = |build: fn(&mut World)| -> Vec<Record> {
        let played = play(|world| {
            build(world);
            stop(world);
        });
        let events = story(&played, &["client-a"]).into_iter();
        events.filter(|record| record.kind == "message_sent").collect()
    };
    let alone = sent(base);
    assert!(alone.len() > 50);
    // Another client of the same server leaves this one's messages as they were.
    let beside_another = sent(|world| {
        base(world);
        // The server is the first node there is.
        let server = server(&mut World::new(seedbed::world::Seed(0)), "server");
        script(world, "busy", move |busy, _| chatter(busy, server, "thinking"));
    });
    assert_eq!(beside_another, alone);
}

#[test]
fn no_two_links_draw_the_same() {
    let played = play(|world| {
        base(world);
        stop(world);
    });
    let delays = |from: &str, to: &str| -> Vec<u64> {
        let sent = played.of_kind("message_sent").into_iter();
        let on_link =
            sent.filter(|record| record.fields["from"] == from && record.fields["to"] == to);
        on_link.take(10).map(|record| record.fields["delay_ns"].as_u64().unwrap()).collect()
    };
    let links = [("client-a", "server"), ("client-b", "server"), ("server", "client-a")];
    let [a, b, back] = links.map(|(from, to)| delays(from, to));
    assert!(a.len() == 10 && a != b && a != back, "{a:?} {b:?} {back:?}");
}

#[test]
fn an_extra_stream_or_draw_changes_no_other_stream() {
    let before = play(|world| {
        base(world);
        stop(world);
    });
    let after = play(|world| {
        base(world);
        script(world, "end", |end, _| {
            let mut extra = end.env.stream("extra");
            let draws: u64 = (0..100).map(|_| extra.below(10)).sum();
            assert!(draws > 0);
            end.env.after(ms(60), |end, _| end.env.stop_world());
        });
        assert!(world.stream("plan").below(10) < 10);
    });
    assert_eq!(after.records, before.records);
}

#[test]
fn a_fault_on_one_link_leaves_the_draws_of_the_others() {
    let before = play(|world| {
        base(world);
        stop(world);
    });
    let cut = play(|world| {
        base(world);
        world.fault(Fault::partition(["client-b"], ["server"]).at(ms(10)).lasting(ms(20)));
        stop(world);
    });
    assert_eq!(story(&cut, &["client-a"]), story(&before, &["client-a"]));
    assert_ne!(story(&cut, &["client-b"]), story(&before, &["client-b"]));
}

#[test]
fn names_decide_what_is_drawn() {
    let with = |stream: &'static str| {
        play(move |world| {
            let sink = server(world, "sink");
            script(world, "client", move |client, _| chatter(client, sink, stream));
            stop(world);
        })
    };
    assert_eq!(with("thinking").records, with("thinking").records);
    assert_ne!(with("thinking").values("noted"), with("dreaming").values("noted"));
    let draws = |node: &'static str| {
        play(move |world| {
            script(world, node, |node, _| {
                node.env.emit("drew", node.env.stream("x").below(1 << 40));
            });
        })
        .values("drew")
    };
    assert_ne!(draws("a"), draws("b"), "nodes have streams of their own");
}

#[test]
fn another_life_and_another_actor_of_a_node_draw_otherwise() {
    let played = play(|world| {
        script(world, "node", |node, _| {
            node.env.emit("drew", node.env.stream("x").below(1 << 40));
            node.env.emit("drew", node.env.stream("x").below(1 << 40));
            node.env.spawn("child", Child);
        });
        world.fault(Fault::crash("node").at(ms(5)).lasting(ms(5)));
    });
    struct Child(seedbed::world::Env<Child>);
    impl Actor for Child {
        type Context = Context<Self>;
        fn started(&mut self, _: &mut Context<Self>) {
            self.0.emit("drew", self.0.stream("x").below(1 << 40));
        }
    }
    let drawn: Vec<u64> = played.values("drew").into_iter().map(|(_, value)| value).collect();
    assert_eq!(drawn.len(), 6);
    assert_eq!(drawn[0], drawn[1], "asking again starts the stream anew");
    let mut different = vec![drawn[0], drawn[2], drawn[3], drawn[5]];
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), 4);
}

/// Ten nodes whose timers are all due at one instant, three times.
fn simultaneous(seed: u64, schedule: Schedule) -> Vec<u64> {
    let played = play_seed(seed, |world| {
        world.schedule(schedule);
        for number in 0..10_u64 {
            script(world, &format!("node-{number}"), move |node, _| {
                for at in 1..4 {
                    node.env.after(ms(at), move |node, _| node.env.emit("turn", number));
                }
            });
        }
    });
    played.values("turn").into_iter().map(|(_, number)| number).collect()
}

#[test]
fn simultaneous_events_come_in_the_order_of_the_schedule() {
    let in_order: Vec<u64> = (0..30).map(|turn| turn % 10).collect();
    assert_eq!(simultaneous(1, Schedule::Fifo), in_order);
    assert_eq!(simultaneous(2, Schedule::Fifo), in_order, "whatever the seed");
    for schedule in [Schedule::Random, Schedule::Pct { depth: 3 }] {
        let once = simultaneous(1, schedule);
        assert_ne!(once, in_order, "{schedule:?}");
        assert_eq!(once, simultaneous(1, schedule), "{schedule:?}");
        assert_ne!(once, simultaneous(2, schedule), "{schedule:?}");
        let mut all = once;
        all.sort_unstable();
        assert_eq!(all.len(), 30, "{schedule:?}");
        assert!(all.chunks(3).enumerate().all(|(number, chunk)| chunk == [number as u64; 3]));
    }
}

#[test]
fn a_random_order_is_another_at_each_instant_and_a_priority_is_the_same() {
    let random = simultaneous(1, Schedule::Random);
    assert_ne!(random[..10], random[10..20]);
    let priority = simultaneous(1, Schedule::Pct { depth: 1 });
    assert_eq!(priority[..10], priority[10..20]);
}
