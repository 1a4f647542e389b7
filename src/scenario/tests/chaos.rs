//! Chaos and healing: what may be said, and what is refused.

use std::time::Duration;

use super::{check_tables, with};
use crate::scenario::{ChaosKind, Expectation, FaultKind, Healing, Points};
use crate::world::{Delay, Probability};

const SERVICE: &str = "[[service]]\nname = \"db\"\n[[caller]]\nname = \"c\"\nservice = \"db\"\n";

#[test]
fn defaults() {
    let sim = with("[chaos]\nuntil = \"1m\"\n");
    let chaos = sim.chaos.unwrap();
    // Without a service there is nothing of one to break.
    let all = ["network", "crash", "pause", "disk", "clock", "provider"];
    assert_eq!(chaos.kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(), all);
    assert_eq!((chaos.gap, chaos.at_once, chaos.swarm), (Duration::from_secs(30), 3, false));
    let (min, max) = (Duration::from_secs(1), Duration::from_secs(15));
    assert_eq!(chaos.lasts, Delay::Uniform { min, max });
    assert_eq!((chaos.from, chaos.until), (Duration::ZERO, Duration::from_secs(60)));
    assert_eq!((chaos.targets, chaos.points, sim.healing), (None, None, None));
}

#[test]
fn everything_can_be_said() {
    let chaos = r#"
[chaos]
kinds = ["service", "crash"]
faults = { per_minute = 0.5 }
lasts = "3s"
at_once = 1
swarm = true
from = "10s"
until = "1m"
heal_within = "20s"
targets = ["rust-1", "db"]
points = { arm = "50%" }
"#;
    let sim = with(&format!("{SERVICE}{chaos}"));
    let chaos = sim.chaos.unwrap();
    assert_eq!(chaos.kinds, [ChaosKind::Crash, ChaosKind::Service]);
    assert_eq!((chaos.gap, chaos.at_once, chaos.swarm), (Duration::from_secs(120), 1, true));
    assert_eq!((chaos.from, chaos.targets.unwrap().len()), (Duration::from_secs(10), 2));
    let points = Points { arm: Probability::percent(50), rate: Probability::percent(10) };
    assert_eq!(chaos.points, Some(points));
    let (after, within) = (Duration::from_secs(60), Duration::from_secs(20));
    assert_eq!(sim.healing, Some(Healing { after, within }));
}

#[test]
fn a_sim_with_faults_of_its_own_can_say_when_all_must_work_again() {
    let sim = with(
        "[healing]\nafter = \"20s\"\nwithin = \"10s\"\n[[fault]]\nat = \"10s\"\nfor = \"10s\"\n\
                    point = { site = \"router/not_sent\", rate = \"1%\" }\n",
    );
    assert_eq!(sim.healing.map(Healing::bound), Some(Duration::from_secs(30)));
    let site = "router/not_sent".to_owned();
    assert_eq!(sim.faults[0].kind, FaultKind::Point { site, rate: Probability::percent(1) });
}

#[test]
fn what_is_reached_sometimes_is_said_as_what_is_expected() {
    let sim = with("[[sometimes]]\nevent = \"node_crashed\"\n");
    assert!(matches!(sim.sometimes[..], [Expectation::Event { .. }]));
    assert!(sim.expectations.is_empty());
    check_tables(
        "[[sometimes]]\nevent = \"node_crash\"\n",
        &[
            "10:9 [\"node_crash\"] no event is called \"node_crash\" | did you mean \"node_crashed\"?",
        ],
    );
}

#[test]
fn chaos_is_refused() {
    let refused =
        |chaos: &str, expected: &str| check_tables(&format!("[chaos]\n{chaos}"), &[expected]);
    refused(
        "until = \"1m\"\nkinds = [\"netwrk\"]",
        "11:10 [\"netwrk\"] unknown value `netwrk` | did you mean `network`?",
    );
    refused(
        "until = \"1m\"\nkinds = [\"crash\", \"service\"]",
        "11:19 [\"service\"] there is nothing that service could break | it needs a [[service]]",
    );
    refused("until = \"1m\"\nkinds = []", "11:9 [[]] no kind of fault is drawn |");
    refused(
        "until = \"1m\"\nkinds = [\"crash\", \"crash\"]",
        "11:19 [\"crash\"] [\"crash\"] crash is listed twice |",
    );
    refused(
        "until = \"1m\"\ntargets = [\"ruts\"]",
        "11:12 [\"ruts\"] no node is called \"ruts\" | did you mean \"rust\"?",
    );
    refused("until = \"10m\"", "10:9 [\"10m\"] the run ends before the faults have healed |");
    refused("until = \"1m\"\nfrom = \"1m\"", "11:8 [\"1m\"] chaos has no time at all |");
    refused(
        "until = \"9m\"\nheal_within = \"1m\"",
        "11:15 [\"1m\"] the run ends before 10m, when everything must work again |",
    );
    refused(
        "until = \"9m\"\nfaults = { per_minute = 100 }",
        "11:25 [100] this makes about 5400 faults in a run | ask for fewer",
    );
    refused("until = \"9m\"\nfaults = { per_minute = 0 }", "11:25 [0] ");
    refused("until = \"9m\"\npoints = { rate = \"101%\" }", "11:19 [\"101%\"] ");
    refused("heal_within = \"1m\"", "9:1 [[chaos]] missing field `until` |");
    refused(
        "until = \"1m\"\nheal_within = \"10s\"\n[load]\npoisson = { per_second = 1, for = \"70s\" }",
        "11:15 [\"10s\"] the load ends before 1m10s, when everything must work again |",
    );
    refused(
        "until = \"1m\"\n[healing]\nafter = \"1m\"\nwithin = \"1m\"",
        "11:1 [[healing]] [chaos] says itself when",
    );
}

#[test]
fn what_does_not_heal_in_time_is_refused() {
    let healing = "[healing]\nafter = \"20s\"\nwithin = \"10s\"\n[[fault]]\nat = \"10s\"\n";
    check_tables(
        &format!("{healing}for = \"10001ms\"\npause = {{ node = \"opus\" }}"),
        &["12:1 [[[fault]]] this fault has not healed at 20s"],
    );
    check_tables(
        &format!("{healing}pause = {{ node = \"opus\" }}"),
        &["12:1 [[[fault]]] this fault has not healed at 20s"],
    );
    with(&format!("{healing}disk_lost = {{ node = \"opus\" }}"));
}

#[test]
fn fault_points_and_the_end_of_an_outage() {
    check_tables(
        "[[fault]]\nat = \"1s\"\npoint = { site = \"router/not_send\", rate = \"1%\" }",
        &[
            "11:18 [\"router/not_send\"] no fault point is called \"router/not_send\" | did you mean \"router/not_sent\"?",
        ],
    );
    let outage = |more: &str| format!("[[fault]]\nat = \"1s\"\n{more}");
    check_tables(
        &outage("backend = { name = \"opus\", tells_end = true }"),
        &[
            "11:11 [{ name = \"opus\", tells_end = true }] an outage without an end cannot tell it |",
        ],
    );
    check_tables(
        &outage(
            "for = \"1s\"\nbackend = { name = \"opus\", tells_end = true, retry_after = \"1s\" }",
        ),
        &[
            "12:11 [{ name = \"opus\", tells_end = true, retry_after = \"1s\" }] a Retry-After is said in exactly one way |",
        ],
    );
}

#[test]
fn a_metric_about_healing_needs_one() {
    check_tables(
        "[[expect]]\nmetric = \"herd.peak\"\nat_most = 10",
        &["10:10 [\"herd.peak\"] nothing says when everything must work again |"],
    );
    with(
        "[healing]\nafter = \"1s\"\nwithin = \"1s\"\n[[expect]]\nmetric = \"herd.peak\"\nat_most = 10",
    );
}
