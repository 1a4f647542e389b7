//! Every behaviour that a sim proves can be seen to fail: with one line of it broken, an expectation
//! no longer holds.
//!
//! The cases are in `tests/broken/<folder>.toml`, one or more for each row that the sims of
//! `sims/<folder>/` cover. A text that is not in the sim exactly once proves nothing, and is an
//! error; so is a sim that can no longer be read, or a failure of anything but an expectation.

use std::{collections::BTreeSet, fs, path::PathBuf};

use seedbed::{
    check,
    explore::{Options, simulate},
    scenario,
    world::Seed,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

/// A line of a sim, what to write in its place, and the row that is then no longer proven.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    sim: String,
    row: String,
    find: String,
    replace: String,
}

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
    let is_expectation = |name: &str| !check::ALWAYS.contains(&name);
    let noticed =
        run.checks.iter().any(|result| result.failure.is_some() && is_expectation(&result.check));
    (!noticed).then(|| "every expectation still holds: the sim does not prove the row".into())
}

fn complaints(cases: &[Case]) -> Vec<String> {
    let one = |case: &Case| Some(format!("{} ({}): {}", case.sim, case.row, complaint(case)?));
    cases.iter().filter_map(one).collect()
}

#[test]
fn every_broken_sim_is_noticed() {
    let complaints: Vec<String> =
        folders().iter().flat_map(|(_, cases)| complaints(cases)).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// The rows that these sims cover and no case breaks.
fn unbroken(covered: &[(String, String)], cases: &[Case]) -> Vec<String> {
    let broken: BTreeSet<&str> = cases.iter().map(|case| case.row.as_str()).collect();
    covered
        .iter()
        .filter(|(_, row)| !broken.contains(row.as_str()))
        .map(|(sim, row)| format!("{sim} covers {row}, and no case breaks that"))
        .collect()
}

#[test]
fn every_row_is_broken_once() {
    let mut gaps = Vec::new();
    for (folder, cases) in folders() {
        let files = scenario::find(&[root().join("sims").join(&folder)]).expect("a folder of sims");
        let mut covered = Vec::new();
        for file in files {
            let sim = scenario::load(&file).expect("a valid sim");
            covered.extend(sim.covers.iter().map(|row| (sim.name.clone(), row.clone())));
        }
        assert!(!covered.is_empty(), "the sims of {folder} cover nothing");
        gaps.extend(unbroken(&covered, &cases));
    }
    assert!(gaps.is_empty(), "\n{}", gaps.join("\n"));
}

/// The runner itself: each way in which a case can be useless.
#[test]
fn a_useless_case_is_complained_of() {
    let good = Case {
        sim: "healing/timeouts_open".into(),
        row: "HEAL-1".into(),
        find: "consecutive_failures = 3".into(),
        replace: "consecutive_failures = 300".into(),
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
    complains(Case { replace: good.find.clone(), ..good.clone() }, "still holds");

    let covered = [("a".to_owned(), "HEAL-1".to_owned()), ("b".to_owned(), "HEAL-2".to_owned())];
    assert_eq!(unbroken(&covered, &[good]), ["b covers HEAL-2, and no case breaks that"]);
}
