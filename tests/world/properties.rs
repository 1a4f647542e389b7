//! Random small worlds: one seed, one history, whatever the faults and the order.

use std::time::Duration;

use proptest::prelude::*;
use seedbed::world::{
    Delay, Fault, FaultKind, Host, LinkPatch, LinkRule, Probability, Schedule, Seed, World,
};

use super::{common::*, hosts::mixed};

const NODES: [&str; 4] = ["server", "client-0", "client-1", "client-2"];

fn node() -> impl Strategy<Value = String> {
    prop::sample::select(&NODES[..]).prop_map(str::to_owned)
}

fn nodes() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(node(), 1..3)
}

fn patch() -> impl Strategy<Value = LinkPatch> {
    let rate = || prop::option::of((0_u32..60).prop_map(Probability::percent));
    let latency = prop::option::of(prop_oneof![
        (0_u64..20).prop_map(|count| Delay::Fixed(ms(count))),
        (1_u64..9).prop_map(|count| Delay::Uniform { min: micros(10), max: ms(count) }),
        (1_u64..9).prop_map(|count| Delay::LogNormal { p50: ms(count), p99: ms(count * 9) }),
    ]);
    let bandwidth = prop::option::of(1_000_u64..10_000_000);
    (latency, rate(), rate(), rate(), rate(), bandwidth).prop_map(
        |(latency, loss, duplicate, reorder, corrupt, bandwidth)| LinkPatch {
            latency,
            loss,
            duplicate,
            reorder,
            corrupt,
            bandwidth,
        },
    )
}

fn kind() -> impl Strategy<Value = FaultKind> {
    prop_oneof![
        (nodes(), nodes()).prop_map(|(a, b)| FaultKind::Partition { a, b }),
        (nodes(), nodes()).prop_map(|(from, to)| FaultKind::PartitionOneWay { from, to }),
        nodes().prop_map(|nodes| FaultKind::Isolate { nodes }),
        (nodes(), nodes(), any::<bool>(), patch()).prop_map(|(from, to, both_ways, patch)| {
            FaultKind::Link { from, to, both_ways, patch }
        }),
        nodes().prop_map(|nodes| FaultKind::Crash { nodes }),
        nodes().prop_map(|nodes| FaultKind::Pause { nodes }),
        (nodes(), any::<i32>(), -900_000..2_000_000_i32).prop_map(|(nodes, skew, drift_ppm)| {
            FaultKind::Clock { nodes, skew_ns: i64::from(skew) * 1_000, drift_ppm }
        }),
        nodes().prop_map(|nodes| FaultKind::DiskFull { nodes }),
        nodes().prop_map(|nodes| FaultKind::DiskLost { nodes }),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    // Whole milliseconds as well as odd times: simultaneous events are the hard ones.
    let at = || prop_oneof![(0_u64..100).prop_map(ms), (0_u64..100_000).prop_map(micros)];
    (kind(), at(), prop::option::of(at()))
        .prop_map(|(kind, at, lasts): (_, Duration, _)| Fault { lasts, ..Fault::new(kind).at(at) })
}

fn schedule() -> impl Strategy<Value = Schedule> {
    prop_oneof![
        Just(Schedule::Fifo),
        Just(Schedule::Random),
        (1_u32..6).prop_map(|depth| Schedule::Pct { depth }),
    ]
}

proptest! {
    // CI tries more.
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_seed_has_one_history_on_repeat_and_on_both_hosts(
        seed in any::<u64>(),
        plan in prop::collection::vec(fault(), 0..8),
        schedule in schedule(),
        base in patch(),
    ) {
        let build = |world: &mut World| {
            mixed(world, 3);
            world.schedule(schedule);
            world.link(NODES, NODES, true, base.clone());
            for fault in &plan {
                world.fault(fault.clone());
            }
        };
        let played = play_seed(seed, build);
        prop_assert_eq!(&played.outcome.failure, &None);
        prop_assert!(played.outcome.events > 20);
        prop_assert_eq!(play_on(Host::Native, seed, build), played.clone());
        // Not looked at, it is the same.
        let mut world = World::new(Seed(seed));
        world.network(LinkRule::with_latency(Delay::Fixed(MS)));
        build(&mut world);
        prop_assert_eq!(world.run().unwrap(), played.outcome);
    }
}
