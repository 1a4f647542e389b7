//! What GitHub Actions is told: annotations that it can read, and a summary that fits.

use super::common::{FLAKY, Place, Ran};

const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

fn annotations(ran: &Ran) -> Vec<&str> {
    ran.err.lines().filter(|line| line.starts_with("::")).collect()
}

#[test]
fn each_distinct_failure_is_annotated_where_the_sim_demands_otherwise() {
    let place = Place::new();
    let sweep = ["sweep", "--seeds", "60", "--github", "--results", "r"];
    let ran = place.run_with(&[(SUMMARY, "step.md")], &sweep).exits(1);
    let lines = annotations(&ran);
    assert_eq!(lines.len(), 2, "two ways to fail, however often: {ran:?}");
    let rate = FLAKY.lines().position(|line| line.contains("success_rate")).expect("a line") + 1;
    let wanted =
        format!("::error file=sims/flaky.toml,line={rate},title=flaky::requests.success_rate at");
    assert!(lines.iter().any(|line| line.starts_with(&wanted)), "{wanted}: {lines:?}");
    assert!(lines.iter().all(|line| line.contains("%0Aseedbed replay sims/flaky.toml --seed ")));
    let summary = place.read("step.md");
    assert!(summary.starts_with("### ❌ seedbed sweep\n\n120 runs of 2 sims\\: "), "{summary}");
    assert_eq!(summary.matches("| flaky |").count(), 2);
    // What is there stays, and merge tells the same.
    let ran = place.run_with(&[(SUMMARY, "step.md")], &["merge", "r", "--github"]).exits(1);
    assert_eq!(annotations(&ran).len(), 2);
    let both = place.read("step.md");
    assert!(both.starts_with(&summary) && both.contains("### ❌ seedbed merge"));
    // Nobody is told who did not ask.
    let ran = place.run_with(&[(SUMMARY, "other.md")], &["merge", "r"]).exits(1);
    assert!(annotations(&ran).is_empty() && !place.file("other.md").exists());
}

#[test]
fn runs_are_told_too_and_what_is_written_elsewhere_stays_as_it_is() {
    let place = Place::new();
    let good = ["run", "good", "--github", "--format", "json"];
    let ran = place.run_with(&[(SUMMARY, "step.md")], &good).exits(0);
    assert!(annotations(&ran).is_empty());
    assert_eq!(ran.json()["runs"].as_array().map(Vec::len), Some(1));
    assert!(place.read("step.md").starts_with("### ✅ seedbed run"));
    place.write("sims/a,b%.toml", FLAKY.replace("at_least = \"70%\"", "at_least = \"100%\""));
    let ran =
        place.run_with(&[(SUMMARY, "")], &["run", "sims/a,b%.toml", "--seeds", "20", "--github"]);
    let ran = ran.exits(1).says("GITHUB_STEP_SUMMARY names no file");
    assert!(annotations(&ran)[0].starts_with("::error file=sims/a%2Cb%25.toml,line="), "{ran:?}");
}

#[test]
fn a_full_summary_and_one_that_cannot_be_written_are_named() {
    let place = Place::new();
    place.write("step.md", vec![b'x'; 1024 * 1024 - 10]);
    let run = ["run", "good", "--github"];
    place.run_with(&[(SUMMARY, "step.md")], &run).exits(0).says("summary of the step is full");
    assert_eq!(place.read("step.md").len(), 1024 * 1024 - 10);
    place.run_with(&[(SUMMARY, "sims")], &run).exits(2).says("cannot write sims");
}
