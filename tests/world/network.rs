//! Links: latency, loss, duplication, order, bandwidth.

use std::time::Duration;

use seedbed::world::{Delay, Fault, FaultKind, LinkPatch, LinkRule, Probability, World};

use super::common::*;

const COUNT: u64 = 400;

/// `COUNT` one-way messages, one each millisecond, over a link like this.
fn notes(rule: LinkRule) -> Played {
    play(|world| {
        world.network(rule.clone());
        let server = server(world, "server");
        script(world, "client", move |client, _| {
            for number in 0..COUNT {
                client
                    .env
                    .after(ms(number), move |client, _| client.env.send(&server, Note(number)));
            }
        });
    })
}

/// The delays of calls, which do not wait for each other.
fn delays(latency: Delay) -> Vec<Duration> {
    let played = play(|world| {
        world.network(LinkRule::with_latency(latency.clone()));
        let server = server(world, "server");
        script(world, "client", move |client, _| {
            for _ in 0..COUNT {
                client.env.call(&server, Ask(1)).then(|_, _, _| {});
            }
        });
    });
    let sent = played.of_kind("message_sent").into_iter();
    sent.filter(|record| record.fields["carries"] == "call")
        .map(|record| Duration::from_nanos(record.fields["delay_ns"].as_u64().unwrap()))
        .collect()
}

fn numbers(played: &Played) -> Vec<u64> {
    played.values("noted").into_iter().map(|(_, number)| number).collect()
}

#[test]
fn a_fixed_latency_is_fixed() {
    assert!(delays(Delay::Fixed(ms(3))).iter().all(|delay| *delay == ms(3)));
    assert!(delays(Delay::ZERO).iter().all(Duration::is_zero));
}

#[test]
fn a_uniform_latency_fills_its_range() {
    let delays = delays(Delay::Uniform { min: ms(2), max: ms(4) });
    assert!(delays.iter().all(|delay| (ms(2)..=ms(4)).contains(delay)));
    assert!(delays.iter().any(|delay| *delay < micros(2_100)));
    assert!(delays.iter().any(|delay| *delay > micros(3_900)));
}

#[test]
fn a_log_normal_latency_has_its_percentiles() {
    let mut delays = delays(Delay::LogNormal { p50: ms(10), p99: ms(80) });
    delays.sort_unstable();
    assert!((ms(8)..ms(12)).contains(&delays[COUNT as usize / 2]));
    assert!((ms(40)..ms(160)).contains(&delays[COUNT as usize * 99 / 100]));
}

#[test]
fn an_empirical_latency_takes_every_measured_value_and_no_other() {
    let mut delays = delays(Delay::Empirical(vec![ms(1), ms(5), ms(9)]));
    delays.sort_unstable();
    delays.dedup();
    assert_eq!(delays, [ms(1), ms(5), ms(9)]);
}

#[test]
fn losses_come_at_their_rate() {
    let played =
        notes(LinkRule { loss: Probability::percent(20), ..LinkRule::with_latency(Delay::ZERO) });
    let lost = played.outcome.counts.messages_dropped;
    assert!((COUNT / 10..COUNT * 3 / 10).contains(&lost), "{lost}");
    assert_eq!(numbers(&played).len() as u64, COUNT - lost);
    assert!(played.drops().iter().all(|cause| *cause == "lost"));
    assert_eq!(notes(LinkRule::PERFECT).outcome.counts.messages_dropped, 0);
}

#[test]
fn one_way_messages_keep_their_order_though_latency_varies() {
    let uniform = LinkRule::with_latency(Delay::Uniform { min: ms(1), max: ms(20) });
    let seen = numbers(&notes(uniform.clone()));
    assert_eq!(seen, (0..COUNT).collect::<Vec<_>>());
    let reordering = LinkRule { reorder: Probability::percent(20), ..uniform };
    let mut seen = numbers(&notes(reordering));
    assert!(!seen.is_sorted(), "some were overtaken");
    seen.sort_unstable();
    assert_eq!(seen, (0..COUNT).collect::<Vec<_>>(), "and none was lost");
}

#[test]
fn an_order_holds_on_one_link_only() {
    let played = play(|world| {
        let server = server(world, "server");
        let slow = LinkPatch { latency: Some(Delay::Fixed(ms(9))), ..LinkPatch::default() };
        world.link(["far"], ["server"], false, slow);
        script(world, "far", move |node, _| node.env.send(&server, Note(1)));
        script(world, "near", move |node, _| node.env.send(&server, Note(2)));
    });
    assert_eq!(played.values("noted"), [(1_000, 2), (9_000, 1)]);
}

#[test]
fn messages_queue_for_bandwidth() {
    let with = |bandwidth| {
        play(move |world| {
            world.network(LinkRule { bandwidth, ..LinkRule::with_latency(Delay::Fixed(MS)) });
            let server = server(world, "server");
            script(world, "client", move |client, _| {
                for number in 0..3 {
                    client.env.call(&server, Ask(number)).bytes(2_000).then(|_, _, _| {});
                }
            });
        })
    };
    assert_eq!(with(Some(1_000_000)).times("asked"), [3_000, 5_000, 7_000]);
    assert_eq!(with(None).times("asked"), [1_000, 1_000, 1_000]);
}

fn patched(patch: LinkPatch) -> impl Fn(&mut World) {
    move |world| {
        let server = server(world, "server");
        script(world, "client", move |client, _| {
            for number in 0..4 {
                let at = ms(10 * number);
                client.env.after(at, move |client, _| client.env.send(&server, Note(number)));
            }
        });
        let (from, to) = (vec!["server".into()], vec!["client".into()]);
        let kind = FaultKind::Link { from, to, both_ways: true, patch: patch.clone() };
        world.fault(Fault::new(kind).at(ms(5)).lasting(ms(10)));
    }
}

#[test]
fn a_link_has_other_properties_while_a_fault_lasts() {
    let slow = LinkPatch { latency: Some(Delay::Fixed(ms(4))), ..LinkPatch::default() };
    let arrivals: Vec<u64> = play(patched(slow)).times("noted");
    assert_eq!(arrivals, [1_000, 14_000, 21_000, 31_000]);
    let lossy = LinkPatch { loss: Some(Probability::ALWAYS), ..LinkPatch::default() };
    assert_eq!(numbers(&play(patched(lossy))), [0, 2, 3]);
    assert_eq!(numbers(&play(patched(LinkPatch::default()))), [0, 1, 2, 3]);
}

#[test]
fn later_changes_to_a_link_win() {
    let played = play(|world| {
        let server = server(world, "server");
        script(world, "client", move |client, _| client.env.send(&server, Note(1)));
        for latency in [ms(5), ms(7)] {
            let patch = LinkPatch { latency: Some(Delay::Fixed(latency)), ..LinkPatch::default() };
            world.link(["client"], ["server"], true, patch);
        }
    });
    assert_eq!(played.values("noted"), [(7_000, 1)]);
}
