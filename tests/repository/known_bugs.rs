//! Known bugs of real routers: with its quirk a sim fails by a built-in check, without it the same
//! sim passes.
//!
//! Each quirk has one sim in `sims/known_bugs/`, called after it. The sim without the bug is the same
//! text without its quirk, so the two cannot drift apart.

use std::{collections::BTreeSet, fs, path::PathBuf};

use seedbed::{
    check::ALWAYS,
    explore::{Options, SimRun, Verdict, judge, simulate},
    scenario::{Must, Sim, find, parse},
    stack::{Quirk, Quirks},
    world::Seed,
};

/// The sims of known bugs: their names and texts.
fn sims() -> Vec<(String, String)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let files = find(&[root.join("sims/known_bugs")]).expect("sims");
    let read = |path: PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("a text"))
    };
    files.into_iter().map(read).collect()
}

/// The same sim without its bug.
fn fixed(text: &str) -> String {
    let is_bug = |line: &str| {
        let key = line.split('=').next().unwrap_or_default().trim();
        matches!(key, "quirks" | "must" | "fails_by")
    };
    text.lines().filter(|line| !is_bug(line)).map(|line| format!("{line}\n")).collect()
}

fn read(name: &str, text: &str) -> Sim {
    parse(&format!("sims/known_bugs/{name}.toml"), text).expect("a valid sim")
}

fn runs(sim: &Sim) -> impl Iterator<Item = SimRun> {
    let run = |seed: &u64| simulate(sim, Seed(*seed), &Options::default(), Vec::new());
    sim.seeds.iter().map(run).map(|run| run.expect("a run"))
}

/// What is wrong with a sim of a known bug.
fn complaints(name: &str, text: &str) -> Vec<String> {
    let (buggy, fixed) = (read(name, text), read(name, &fixed(text)));
    let mut complaints = Vec::new();
    for run in runs(&buggy) {
        if let Verdict::Failed { reasons } = judge(&buggy, &run, None) {
            let reasons = reasons.join("; ");
            complaints.push(format!("{name} seed {}: {reasons}", run.outcome.seed));
        }
    }
    for run in runs(&fixed) {
        let failures = run.failures().join("; ");
        if !failures.is_empty() {
            complaints
                .push(format!("{name} seed {} without the bug: {failures}", run.outcome.seed));
        }
    }
    let is_built_in = |name: &String| ALWAYS.contains(&name.as_str());
    let by_itself = buggy.must == Must::Fail && buggy.fails_by.iter().all(is_built_in);
    if !by_itself || !buggy.expectations.is_empty() || !buggy.checks.off.is_empty() {
        complaints.push(format!("{name} must fail by the checks that always run, and by all"));
    }
    complaints
}

#[test]
fn every_bug_is_noticed_and_nothing_else() {
    let complaints: Vec<String> =
        sims().iter().flat_map(|(name, text)| complaints(name, text)).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// The name of the sim of a quirk.
fn sim_of(quirk: Quirk) -> String {
    format!("{}_{quirk}", quirk.bug().to_lowercase().replace('-', ""))
}

#[test]
fn every_quirk_has_its_sim_and_every_sim_its_quirk() {
    let wanted: BTreeSet<String> = Quirk::ALL.iter().copied().map(sim_of).collect();
    let names: BTreeSet<String> = sims().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, wanted);
    for (name, text) in sims() {
        let quirks = read(&name, &text).router.quirks;
        let only = |quirk: &Quirk| quirks == Quirks::from_iter([*quirk]) && sim_of(*quirk) == name;
        assert!(Quirk::ALL.iter().any(only), "{name} has another quirk than its own");
        let bug = name.split('_').next().expect("a bug").replace("kb", "KB-");
        assert!(read(&name, &text).purpose.starts_with(&bug), "{name} does not begin with its bug");
    }
}

#[test]
fn sims_that_prove_nothing_are_complained_of() {
    let (name, text) = sims().swap_remove(0);
    assert_eq!(complaints(&name, &text), Vec::<String>::new());
    let found = complaints(&name, &text.replace("cyclic_fallback", "days_of_utc"));
    assert!(found[0].contains("it must fail, and every check held"), "{found:?}");
    let found = complaints(&name, &text.replace("each_model_in_one_round", "quota_adds_up"));
    assert!(found[0].contains("must fail by quota_adds_up, and did not"), "{found:?}");
    assert!(found[0].contains("must not fail by each_model_in_one_round"), "{found:?}");
    let expects = format!("{text}\n[[expect]]\nmetric = \"requests.total\"\nequals = 1\n");
    let found = complaints(&name, &expects);
    let has = |said: &str| found.iter().any(|it| it.contains(said));
    assert!(has("must not fail by requests.total"), "{found:?}");
    assert!(has("without the bug: requests.total"), "{found:?}");
    assert!(has("must fail by the checks"), "{found:?}");
}
