//! A configuration of old and the one that a migration makes of it, each in a sim: under each seed
//! every request comes to the same at the same time.

use std::{collections::BTreeMap, fs, path::Path};

use seedbed::{
    check::{Metrics, Outcomes},
    config::migrate::{Form, Migration, variables},
    scenario::{self, Sim},
};
use serde::Deserialize;

use super::chaos::run;

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

/// What a run came to, but for what it says of its configuration: requests, and all that is measured.
fn decisions(sim: &Sim, seed: u64) -> (Outcomes, Metrics) {
    let run = run(sim, seed);
    (run.requests, run.metrics)
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
        assert_eq!(decisions(&sim(&before), seed), decisions(&sim(&after), seed), "seed {seed}");
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
