//! Partitions: of both directions, of one, of a node from all; at sending and at delivery.

use seedbed::world::{Fault, FaultKind, World};

use super::common::*;

/// Three nodes; each sends its number to each other one every ten milliseconds, five times.
fn gossip(faults: impl Fn(&mut World)) -> Played {
    play(|world| {
        let peers: Vec<_> = (0..3).map(|number| server(world, &format!("sink-{number}"))).collect();
        for number in 0..3_u64 {
            let others: Vec<_> = peers.clone();
            script(world, &format!("source-{number}"), move |node, _| {
                for turn in 0..5 {
                    let others = others.clone();
                    node.env.after(ms(10 * turn), move |node, _| {
                        for peer in &others {
                            node.env.send(peer, Note(number));
                        }
                    });
                }
            });
        }
        faults(world);
    })
}

/// How often the sink heard the source.
fn heard(played: &Played, sink: &str, source: u64) -> usize {
    let notes = played.of_kind("noted").into_iter();
    notes.filter(|note| note.node == sink && note.fields["value"] == source).count()
}

#[test]
fn a_partition_holds_between_its_sides_until_it_heals() {
    let all = gossip(|_| {});
    assert_eq!(heard(&all, "sink-0", 0), 5);
    let played = gossip(|world| {
        let fault = Fault::partition(["source-0", "source-1"], ["sink-0"]);
        world.fault(fault.at(ms(15)).lasting(ms(20)));
    });
    assert_eq!(heard(&played, "sink-0", 0), 3, "not those of 20 and 30 ms");
    assert_eq!(heard(&played, "sink-0", 1), 3);
    assert_eq!(heard(&played, "sink-0", 2), 5, "not in it");
    assert_eq!(heard(&played, "sink-1", 0), 5, "not in it");
    assert_eq!(played.drops(), ["partitioned"; 4]);
}

/// A call, which needs both directions.
fn calls(fault: Fault) -> Played {
    play(|world| {
        let server = server(world, "server");
        script(world, "client", move |client, _| {
            client.env.after(ms(5), move |client, _| {
                let call = client.env.call(&server, Ask(1)).timeout(ms(10));
                call.then(|client, result, _| client.report(result));
            });
        });
        world.fault(fault.clone());
    })
}

fn one_way(from: &str, to: &str) -> Fault {
    let kind = FaultKind::PartitionOneWay { from: vec![from.to_owned()], to: vec![to.to_owned()] };
    Fault::new(kind)
}

#[test]
fn a_one_way_partition_stops_one_direction() {
    let there = calls(one_way("client", "server"));
    assert_eq!(
        (there.values("asked").len(), there.texts("answered")),
        (0, vec![(15_000, "timed out")])
    );
    let back = calls(one_way("server", "client"));
    assert_eq!(
        (back.values("asked").len(), back.texts("answered")),
        (1, vec![(15_000, "timed out")])
    );
    assert_eq!(back.drops(), ["partitioned"]);
}

#[test]
fn an_isolated_node_reaches_nobody() {
    for node in ["client", "server"] {
        let kind = FaultKind::Isolate { nodes: vec![node.to_owned()] };
        assert_eq!(calls(Fault::new(kind)).texts("answered"), [(15_000, "timed out")]);
    }
    let both = FaultKind::Isolate { nodes: vec!["client".to_owned(), "server".to_owned()] };
    assert_eq!(calls(Fault::new(both)).texts("answered"), [(7_000, "2")], "they reach each other");
}

#[test]
fn a_message_under_way_does_not_pass_a_partition_that_begins() {
    let played = calls(one_way("client", "server").at(micros(5_500)));
    assert!(played.values("asked").is_empty());
    assert_eq!(played.drops(), ["partitioned"]);
    // One that has healed by the time of delivery stops nothing that was sent before it.
    let healed = calls(one_way("client", "server").at(micros(5_300)).lasting(micros(300)));
    assert_eq!(healed.texts("answered"), [(7_000, "2")]);
}

#[test]
fn overlapping_partitions_heal_one_by_one() {
    let both = play(|world| {
        let sink = server(world, "sink");
        script(world, "source", move |node, _| {
            for at in [5, 15, 25, 35] {
                node.env.after(ms(at), move |node, _| node.env.send(&sink, Note(at)));
            }
        });
        world.fault(Fault::partition(["source"], ["sink"]).at(ms(10)).lasting(ms(10)));
        world.fault(Fault::partition(["sink"], ["source"]).at(ms(12)).lasting(ms(18)));
    });
    assert_eq!(both.values("noted"), [(6_000, 5), (36_000, 35)]);
}

#[test]
fn a_node_reaches_itself_whatever_is_cut_off() {
    let played = play(|world| {
        script(world, "node", |node, _| {
            let me = node.env.me();
            node.env.after(ms(5), move |node, _| node.env.send(&me, Note(1)));
        });
        world.fault(Fault::new(FaultKind::Isolate { nodes: vec!["node".into()] }));
    });
    assert_eq!(played.values("noted"), [(5_000, 1)]);
}
