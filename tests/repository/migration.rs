//! A configuration of old and the one that a migration makes of it, each in a sim: under each seed
//! every request comes to the same at the same time.

use std::{cell::RefCell, collections::BTreeMap, fs, path::Path, rc::Rc};

use seedbed::{
    config::migrate::{Form, Migration, variables},
    explore::{Options, simulate},
    scenario::{self, Sim},
    world::{Seed, Sighting},
};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Environment {
    resilience: Resilience,
}

#[derive(Deserialize)]
struct Resilience {
    env: BTreeMap<String, String>,
}

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sims/config").join(name);
    fs::read_to_string(path).expect("a sim")
}

fn environment(text: &str) -> BTreeMap<String, String> {
    toml::from_str::<Environment>(text).expect("an environment").resilience.env
}

fn sim(text: &str) -> Sim {
    scenario::parse("sims/a.toml", text).expect("a sim")
}

/// What is told of requests and breakers.
const DECISIONS: [&str; 9] = [
    "breaker_changed",
    "request_started",
    "attempt_started",
    "attempt_skipped",
    "attempt_failed",
    "retry_scheduled",
    "request_routed",
    "request_failed",
    "request_ended",
];

/// What happened to the requests of a run and to the breakers, and when: all but what a run says of its
/// configuration.
fn decisions(sim: &Sim, seed: u64) -> Vec<(u64, String, Map<String, Value>)> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&seen);
    let keep = move |sighting: &Sighting<'_>| {
        let record = sighting.to_record();
        if DECISIONS.contains(&&*record.kind) {
            kept.borrow_mut().push((record.at_ns, record.kind, record.fields));
        }
    };
    simulate(sim, Seed(seed), &Options::default(), vec![Box::new(keep)]).expect("a run");
    seen.take()
}

#[test]
fn the_migrated_sim_has_what_the_migration_writes() {
    let (before, after) = (text("before_migration.toml"), text("migrated.toml"));
    let migration = Migration::new(&environment(&before));
    let written = variables(&migration.write(Form::Env)).expect("variables");
    assert_eq!(environment(&after), written);
    // All else is the same.
    let stack = |text: &str| -> Vec<String> {
        let (_, rest) = text.split_once("[router]").expect("a router");
        let (stack, _) = rest.split_once("[[expect]]").expect("an expectation");
        let is_said = |line: &&str| !line.is_empty() && !line.starts_with('#');
        stack.lines().filter(is_said).map(str::to_owned).collect()
    };
    assert_eq!(stack(&before), stack(&after));
}

#[test]
fn both_decide_alike_under_each_seed() {
    let (before, after) = (text("before_migration.toml"), text("migrated.toml"));
    for seed in 1..=10 {
        let (before, after) = (decisions(&sim(&before), seed), decisions(&sim(&after), seed));
        for kind in ["request_ended", "attempt_started", "attempt_failed", "retry_scheduled"] {
            assert!(before.iter().filter(|it| it.1 == kind).count() >= 10, "seed {seed}: {kind}");
        }
        let differs = before.iter().zip(&after).find(|(before, after)| before != after);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(before.len(), after.len(), "seed {seed}");
    }
    // A migration that forgets something is seen.
    for (said, instead) in [
        ("\"recovery_timeout\":100", "\"recovery_timeout\":110"),
        ("\"jitter_max\":2", "\"jitter_max\":1"),
    ] {
        assert!(after.contains(said));
        let careless = sim(&after.replace(said, instead));
        assert!((1..=10).any(|seed| decisions(&careless, seed) != decisions(&sim(&before), seed)));
    }
}
