//! Every row that a sim covers can be seen to fail there: for each there is a case that breaks the
//! behaviour, and the expectation that the case names no longer holds.
//!
//! The cases are in `tests/broken/<folder>.toml`. A text that is not in the sim exactly once proves
//! nothing, and is an error; so is a sim that can no longer be read, another failure than the one that
//! is named, and a change of how much is asked of the stack: another load needs other numbers, whatever
//! the stack does.

use std::{collections::BTreeSet, fs, path::PathBuf};

use seedbed::{
    check::{self, CheckResult},
    explore::{Options, simulate},
    scenario,
    world::Seed,
};
use serde::Deserialize;
use toml::{Table, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

/// A line of a sim, what to write in its place, the row that is then no longer proven, and the
/// expectation that then fails: how its name in reports begins, and that of no other.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    sim: String,
    row: String,
    find: String,
    replace: String,
    fails: String,
}

/// Tables that ask something of the stack, and what in them says how much.
const ASKERS: [&str; 8] =
    ["agent", "asker", "caller", "client", "dashboard", "load", "runner", "subscriber"];
const LOADS: [&str; 7] =
    ["count", "requests", "rounds", "tasks", "filled", "input_tokens", "output_tokens"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The cases of each folder of sims that has any.
fn folders() -> Vec<(String, Vec<Case>)> {
    let files = fs::read_dir(root().join("tests/broken")).expect("a folder of cases");
    let mut folders: Vec<(String, Vec<Case>)> = files
        .map(|file| {
            let path = file.expect("a readable folder").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a readable file");
            let cases: Cases = toml::from_str(&text).expect("a file of cases");
            (name, cases.case)
        })
        .collect();
    folders.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert!(!folders.is_empty(), "there is nothing to break");
    folders
}

/// What is wrong with a case, if anything is.
fn complaint(case: &Case) -> Option<String> {
    let path = root().join("sims").join(format!("{}.toml", case.sim));
    let Ok(text) = fs::read_to_string(&path) else { return Some("there is no such sim".into()) };
    let found = text.matches(&case.find).count();
    if found != 1 {
        return Some(format!("{:?} is in the sim {found} times, not once", case.find));
    }
    let broken = text.replacen(&case.find, &case.replace, 1);
    if load(&text) != load(&broken) {
        return Some("it changes how much is asked, and not what is done".into());
    }
    let sim = match scenario::parse(&path.to_string_lossy(), &broken) {
        Ok(sim) => sim,
        Err(error) => return Some(format!("the broken sim cannot be read: {error}")),
    };
    if !sim.covers.contains(&case.row) {
        return Some(format!("the sim does not cover {}", case.row));
    }
    let run = match simulate(&sim, Seed(1), &Options::default(), Vec::new()) {
        Ok(run) => run,
        Err(error) => return Some(format!("the broken sim cannot be run: {error}")),
    };
    // What is not an expectation is no proof: the checks hold in every sim.
    let expectations = run.checks.iter().filter(|it| !check::ALWAYS.contains(&it.check.as_str()));
    let (failed, held): (Vec<_>, Vec<_>) = expectations.partition(|it| !it.holds());
    let is_named = |it: &&CheckResult| it.check.starts_with(&case.fails);
    match (
        failed.iter().copied().filter(is_named).count(),
        held.into_iter().filter(is_named).count(),
    ) {
        (1, 0) => None,
        (0, 0 | 1) => {
            let failed: Vec<&str> = failed.iter().map(|it| it.check.as_str()).collect();
            Some(format!("{:?} does not fail; what fails is {failed:?}", case.fails))
        }
        (failed, held) => Some(format!("{:?} begins {} expectations", case.fails, failed + held)),
    }
}

/// How much a sim asks of its stack, in the order of the text.
fn load(text: &str) -> Vec<(String, Value)> {
    fn collect(table: &Table, found: &mut Vec<(String, Value)>) {
        for (key, value) in table {
            match value {
                _ if LOADS.contains(&key.as_str()) => found.push((key.clone(), value.clone())),
                Value::Table(table) => collect(table, found),
                Value::Array(list) => {
                    list.iter().filter_map(Value::as_table).for_each(|it| collect(it, found));
                }
                _ => {}
            }
        }
    }
    let mut sim: Table = text.parse().unwrap_or_default();
    sim.retain(|key, _| ASKERS.contains(&key));
    let mut found = Vec::new();
    collect(&sim, &mut found);
    found
}

fn complaints(cases: &[Case]) -> Vec<String> {
    let one = |case: &Case| Some(format!("{} ({}): {}", case.sim, case.row, complaint(case)?));
    cases.iter().filter_map(one).collect()
}

/// The folders of sims, each with a test of its own below, so that they run beside each other.
const FOLDERS: [&str; 7] =
    ["ccr", "config", "healing", "observability", "quickstart", "resilience", "sidecar"];

fn all_are_noticed(folder: &str) {
    let cases = folders().into_iter().find(|(name, _)| name == folder).expect("cases").1;
    assert_eq!(complaints(&cases), [""; 0]);
}

#[test]
fn every_broken_sim_of_the_router_is_noticed() {
    all_are_noticed("ccr");
}

#[test]
fn every_broken_sim_of_the_configuration_is_noticed() {
    all_are_noticed("config");
}

#[test]
fn every_broken_sim_of_healing_is_noticed() {
    all_are_noticed("healing");
}

#[test]
fn every_broken_sim_of_what_is_seen_is_noticed() {
    all_are_noticed("observability");
}

#[test]
fn every_broken_sim_of_resilience_is_noticed() {
    all_are_noticed("resilience");
}

#[test]
fn every_broken_sim_of_the_sidecar_is_noticed() {
    all_are_noticed("sidecar");
}

#[test]
fn every_broken_sim_of_the_first_steps_is_noticed() {
    all_are_noticed("quickstart");
}

/// The rows of sims that no case breaks there.
fn unbroken(covered: &[(String, String)], cases: &[Case]) -> Vec<String> {
    let broken: BTreeSet<(&str, &str)> =
        cases.iter().map(|case| (case.sim.as_str(), case.row.as_str())).collect();
    covered
        .iter()
        .filter(|(sim, row)| !broken.contains(&(sim.as_str(), row.as_str())))
        .map(|(sim, row)| format!("{sim} covers {row}, and no case breaks that"))
        .collect()
}

#[test]
fn every_row_of_every_sim_is_broken_once() {
    let cases: Vec<Case> = folders().into_iter().flat_map(|(_, cases)| cases).collect();
    let files = scenario::find(&[root().join("sims")]).expect("sims");
    let mut covered = Vec::new();
    for file in files {
        let sim = scenario::load(&file).expect("a valid sim");
        covered.extend(sim.covers.iter().map(|row| (sim.name.clone(), row.clone())));
    }
    assert!(covered.len() > 100, "the sims cover next to nothing");
    assert_eq!(unbroken(&covered, &cases), [""; 0]);
}

#[test]
fn cases_are_in_the_file_of_their_folder() {
    assert_eq!(folders().into_iter().map(|(name, _)| name).collect::<Vec<_>>(), FOLDERS);
    for (folder, cases) in folders() {
        for case in cases {
            assert_eq!(case.sim.split('/').next(), Some(folder.as_str()), "{}", case.sim);
        }
    }
}

/// The runner itself: each way in which a case can be useless.
#[test]
fn a_useless_case_is_complained_of() {
    let good = Case {
        sim: "healing/timeouts_open".into(),
        row: "HEAL-1".into(),
        find: "consecutive_failures = 3".into(),
        replace: "consecutive_failures = 300".into(),
        fails: "breaker_changed component=client/grpc".into(),
    };
    assert_eq!(complaint(&good), None);
    let complains = |case: Case, of: &str| {
        let complaint = complaint(&case).expect("a complaint");
        assert!(complaint.contains(of), "{complaint}");
    };
    complains(Case { sim: "healing/gone".into(), ..good.clone() }, "no such sim");
    complains(Case { find: "consecutive_fears".into(), ..good.clone() }, "0 times");
    complains(Case { find: "e".into(), ..good.clone() }, "times, not once");
    complains(Case { row: "HEAL-2".into(), ..good.clone() }, "does not cover HEAL-2");
    complains(Case { replace: "consecutive_failures = 0".into(), ..good.clone() }, "be read");
    complains(Case { replace: good.find.clone(), ..good.clone() }, "does not fail");
    complains(Case { fails: "requests.total equals 1".into(), ..good.clone() }, "does not fail");
    let always = check::ALWAYS[0].to_owned();
    complains(Case { fails: always, ..good.clone() }, "does not fail");
    complains(Case { fails: "service_called".into(), ..good.clone() }, "begins 2 expectations");
    complains(
        Case { find: "requests = 20".into(), replace: "requests = 21".into(), ..good.clone() },
        "how much is asked",
    );

    let pair = |sim: &str, row: &str| (sim.to_owned(), row.to_owned());
    let covered = [pair("healing/timeouts_open", "HEAL-1"), pair("b", "HEAL-1")];
    assert_eq!(unbroken(&covered, &[good]), ["b covers HEAL-1, and no case breaks that"]);
}
