//! What chaos draws: within its bounds, the same for the same seed, and each kind for itself.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::scenario::build::events::KINDS;
use crate::scenario::model::{ChaosKind, Fault, FaultKind, Partition, Sim};
use crate::scenario::parse;
use crate::world::{LinkPatch, Seed};

const STACK: &str = r#"purpose = "p"
[sidecar]
[router]
primary = "opus"
fallback = ["sonnet", "gpt"]
[[backend]]
name = "opus"
provider = "anthropic"
[[backend]]
name = "sonnet"
provider = "anthropic"
[[backend]]
name = "gpt"
provider = "openai"
[[agent]]
name = "rust"
count = 30
[[service]]
name = "db"
kind = "database"
[[caller]]
name = "reader"
service = "db"
"#;

fn sim(chaos: &str) -> Sim {
    parse("sims/chaos.toml", &format!("{STACK}[chaos]\n{chaos}"))
        .unwrap_or_else(|error| panic!("{error:?}"))
}

fn drawn(sim: &Sim, seed: u64) -> Vec<Fault> {
    sim.under(Seed(seed)).faults.clone()
}

fn kinds(faults: &[Fault]) -> BTreeSet<&'static str> {
    faults.iter().map(|fault| fault.kind.key()).collect()
}

#[test]
fn every_fault_fires_after_the_beginning_and_heals_before_the_end() {
    let sim = sim("from = \"20s\"\nuntil = \"90s\"\nfaults = { per_minute = 10 }");
    let (from, until) = (Duration::from_secs(20), Duration::from_secs(90));
    for seed in 0..200 {
        let faults = drawn(&sim, seed);
        assert!(!faults.is_empty(), "seed {seed}");
        assert!(faults.is_sorted_by_key(|fault| fault.at), "seed {seed}");
        for fault in faults {
            let end = fault.at + fault.r#for.unwrap_or_default();
            assert!(from <= fault.at && end <= until, "seed {seed}: {fault:?}");
            let stays = matches!(fault.kind, FaultKind::DiskLost { .. });
            assert_eq!(fault.r#for.is_none(), stays, "seed {seed}: {fault:?}");
        }
    }
}

fn is_left(kind: &str, seen: &BTreeSet<&str>) -> bool {
    !["", "or"].contains(&kind) && !seen.contains(kind)
}

#[test]
fn all_kinds_are_drawn_and_every_target_is_there() {
    let sim = sim("until = \"90s\"\nfaults = { per_minute = 10 }\nat_once = 100");
    let mut seen = BTreeSet::new();
    for seed in 0..300 {
        let faults = drawn(&sim, seed);
        seen.extend(kinds(&faults));
        let mut world = crate::world::World::new(Seed(seed));
        let under = sim.under(Seed(seed));
        crate::scenario::expand(&mut world, &under, None, false).unwrap();
    }
    let all = [
        "backend",
        "clock",
        "crash",
        "disk_full",
        "disk_lost",
        "dns",
        "link",
        "partition",
        "pause",
        "service",
        "sidecar",
    ];
    assert_eq!(seen, BTreeSet::from(all));
    // All that a sim can plan but this, which is armed: `points_are_armed_one_by_one`.
    let left: Vec<&str> = KINDS.split([',', ' ']).filter(|kind| is_left(kind, &seen)).collect();
    assert_eq!(left, ["point"]);
}

#[test]
fn every_form_of_trouble_with_links_and_the_sidecar_is_drawn() {
    let sim = sim("until = \"90s\"\nfaults = { per_minute = 10 }\nat_once = 100\n\
                   kinds = [\"network\", \"sidecar\", \"dns\"]");
    let mut seen = BTreeSet::new();
    for seed in 0..100 {
        for fault in drawn(&sim, seed) {
            seen.insert(match fault.kind {
                FaultKind::Partition(Partition::Between(..)) => "between",
                FaultKind::Partition(Partition::OneWay { .. }) => "one way",
                FaultKind::Partition(Partition::Isolate(_)) => "isolate",
                FaultKind::Link { patch, .. } => match patch {
                    LinkPatch { loss: Some(_), .. } => "loss",
                    LinkPatch { bandwidth: Some(_), .. } => "bandwidth",
                    LinkPatch { duplicate: Some(_), .. } => "duplicate",
                    LinkPatch { reorder: Some(_), .. } => "reorder",
                    LinkPatch { corrupt: Some(_), .. } => "corrupt",
                    _ => "latency",
                },
                FaultKind::Sidecar { memory: Some(_), connections: None } => "memory",
                FaultKind::Sidecar { memory: None, connections: Some(_) } => "connections",
                FaultKind::Dns { node } => {
                    assert!(node.as_str().starts_with("rust"), "{node:?}");
                    "dns"
                }
                other => panic!("{other:?}"),
            });
        }
    }
    assert_eq!(seen.len(), 12, "{seen:?}");
}

#[test]
fn a_seed_draws_the_same_and_another_seed_another_plan() {
    let sim = sim("until = \"90s\"");
    assert_eq!(drawn(&sim, 7), drawn(&sim, 7));
    assert_ne!(drawn(&sim, 7), drawn(&sim, 8));
}

#[test]
fn no_kind_changes_what_another_draws() {
    let settings = "until = \"90s\"\nfaults = { per_minute = 6 }\nat_once = 500";
    let all = sim(settings);
    let crash = sim(&format!("{settings}\nkinds = [\"crash\"]"));
    let two = sim(&format!("{settings}\nkinds = [\"clock\", \"crash\"]"));
    let crashes = |sim: &Sim, seed| -> Vec<Fault> {
        // Without what a lost disk brings with it.
        let faults = drawn(sim, seed);
        let lost: BTreeSet<Duration> = faults
            .iter()
            .filter(|fault| matches!(fault.kind, FaultKind::DiskLost { .. }))
            .map(|fault| fault.at)
            .collect();
        let is_own = |fault: &Fault| fault.kind.key() == "crash" && !lost.contains(&fault.at);
        faults.into_iter().filter(is_own).collect()
    };
    for seed in 0..50 {
        let alone = drawn(&crash, seed);
        assert_eq!(alone, crashes(&two, seed), "seed {seed}");
        assert_eq!(alone, crashes(&all, seed), "seed {seed}");
    }
}

#[test]
fn no_more_are_in_force_at_once_than_allowed() {
    let crowd = "until = \"90s\"\nfaults = { per_minute = 30 }\nlasts = \"20s\"\n\
                 kinds = [\"crash\", \"pause\"]";
    let most = |at_once: u32| {
        let faults = drawn(&sim(&format!("{crowd}\nat_once = {at_once}")), 1);
        let in_force = |at: Duration| {
            let lasts = |fault: &&Fault| fault.at <= at && at < fault.at + fault.r#for.unwrap();
            faults.iter().filter(lasts).count()
        };
        faults.iter().map(|fault| in_force(fault.at)).max().unwrap()
    };
    assert_eq!(most(1), 1);
    assert_eq!(most(2), 2);
    assert!(most(500) > 5, "the bound is what bounds");
}

#[test]
fn a_swarm_leaves_kinds_out_but_never_all() {
    let settings = "until = \"5m\"\nfaults = { per_minute = 5 }\nat_once = 500\n\
                    kinds = [\"crash\", \"pause\", \"clock\"]";
    let (whole, swarm) = (sim(settings), sim(&format!("{settings}\nswarm = true")));
    let (mut sizes, mut ever) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..100 {
        assert_eq!(kinds(&drawn(&whole, seed)).len(), 3, "seed {seed}");
        let faults = drawn(&swarm, seed);
        sizes.insert(kinds(&faults).len());
        ever.extend(kinds(&faults));
    }
    assert_eq!(sizes, BTreeSet::from([1, 2, 3]));
    assert_eq!(ever.len(), 3);
}

#[test]
fn only_what_is_a_target_is_hit() {
    let sim =
        sim("until = \"90s\"\nfaults = { per_minute = 10 }\ntargets = [\"rust-7\", \"gpt\"]\n\
                   kinds = [\"crash\", \"pause\", \"clock\", \"provider\", \"network\"]");
    for seed in 0..100 {
        for fault in drawn(&sim, seed) {
            match &fault.kind {
                FaultKind::Crash { node }
                | FaultKind::Pause { node }
                | FaultKind::Clock { node, .. } => {
                    assert!(["rust-7", "gpt"].contains(&node.as_str()), "{fault:?}");
                }
                FaultKind::Backend { name, .. } => assert_eq!(name, "gpt"),
                FaultKind::Link { .. } | FaultKind::Partition(_) => {
                    let text = format!("{fault:?}");
                    assert!(text.contains("rust-7") || text.contains("gpt"), "{fault:?}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
    let all = [ChaosKind::Disk, ChaosKind::Service, ChaosKind::Sidecar];
    assert!(sim.chaos.is_some_and(|chaos| all.iter().all(|kind| !chaos.kinds.contains(kind))));
}

#[test]
fn a_regional_outage_hits_every_model_of_one_provider() {
    let sim = sim("until = \"90s\"\nfaults = { per_minute = 10 }\nkinds = [\"provider\"]");
    let outages: BTreeSet<Vec<String>> = (0..100)
        .flat_map(|seed| {
            let faults = drawn(&sim, seed);
            let at: BTreeSet<Duration> = faults.iter().map(|fault| fault.at).collect();
            let name = |fault: &Fault| match &fault.kind {
                FaultKind::Backend { name, .. } => name.clone(),
                other => panic!("{other:?}"),
            };
            let of = |at: Duration| {
                faults.iter().filter(move |fault| fault.at == at).map(name).collect()
            };
            at.into_iter().map(of).collect::<Vec<_>>()
        })
        .collect();
    assert!(outages.contains(&vec!["opus".to_owned(), "sonnet".to_owned()]), "{outages:?}");
    assert!(!outages.iter().any(|names| names.len() > 2), "{outages:?}");
}

#[test]
fn points_are_armed_one_by_one() {
    let sim =
        sim("until = \"90s\"\nkinds = [\"pause\"]\npoints = { arm = \"50%\", rate = \"3%\" }");
    let armed: BTreeSet<usize> = (0..100)
        .map(|seed| {
            let points = |fault: &&Fault| fault.kind.key() == "point";
            drawn(&sim, seed).iter().filter(points).count()
        })
        .collect();
    assert!(armed.contains(&0) && armed.contains(&2) && armed.contains(&4), "{armed:?}");
}
