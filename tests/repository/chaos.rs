//! The sims of chaos, as a user has them: what they draw can be written down, has the same history
//! without chaos, and is reached.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use seedbed::{
    explore::{Options, ReachedByAny, SimRun, simulate},
    scenario::{self, Sim, plan_text},
    world::Seed,
};
use tempfile::TempDir;

fn sims() -> Vec<Sim> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sims/chaos");
    let files = scenario::find(&[folder]).expect("sims");
    files.iter().map(|file| scenario::load(file).expect("a sim")).collect()
}

pub(super) fn run(sim: &Sim, seed: u64) -> SimRun {
    simulate(sim, Seed(seed), &Options::default(), Vec::new()).expect("a run")
}

#[test]
fn a_written_plan_has_the_same_history() {
    for (sim, seed) in sims().iter().zip(99..) {
        let text = plan_text(sim, Seed(seed)).expect("a plan");
        let plain = scenario::parse("sims/plain.toml", &text).expect("a plain sim");
        assert_eq!(plain.chaos, None);
        let (drawn, written) = (run(sim, seed), run(&plain, seed));
        assert_eq!(drawn.outcome.fingerprint, written.outcome.fingerprint, "{}", sim.name);
        assert_eq!(drawn.checks, written.checks, "{}", sim.name);
        assert!(!drawn.faults.is_empty() && drawn.faults == written.faults);
    }
}

#[test]
fn another_fault_makes_another_history() {
    let sim = sims().pop().expect("a sim");
    let mut text = plan_text(&sim, Seed(1)).expect("a plan");
    text.push_str("\n[[fault]]\nat = \"30s\"\nfor = \"1s\"\npause = { node = \"router\" }\n");
    let other = scenario::parse("sims/plain.toml", &text).expect("a plain sim");
    assert_ne!(run(&sim, 1).outcome.fingerprint, run(&other, 1).outcome.fingerprint);
}

const STACK: &str = r#"purpose = "p"
seeds = [1, 2]
[router]
primary = "opus"
[[backend]]
name = "opus"
first_token = "10ms"
[[agent]]
name = "rust"
[load]
poisson = { per_second = 1, for = "60s" }
"#;

#[test]
fn what_no_run_reaches_is_named_and_a_run_alone_may_miss_it() {
    let never =
        "[[sometimes]]\nevent = \"node_crashed\"\n[[sometimes]]\nevent = \"request_started\"\n";
    let sim = scenario::parse("sims/a.toml", &format!("{STACK}{never}")).expect("a sim");
    let mut reached = ReachedByAny::default();
    reached.add(&run(&sim, 1));
    assert_eq!(reached.never().count(), 0, "one run says nothing");
    reached.add(&run(&sim, 2));
    let never: Vec<_> = reached.never().collect();
    assert_eq!(never, [("a", 2, "node_crashed: at least 1")]);
}

#[test]
fn what_stays_broken_after_healing_fails_the_run() {
    let healing = "[healing]\nafter = \"20s\"\nwithin = \"5s\"\n";
    let fault = |at: &str| {
        format!(
            "[[fault]]\nat = \"{at}\"\nfor = \"10s\"\nbackend = {{ name = \"opus\", errors = {{ credential = \"100%\" }} }}\n"
        )
    };
    let failures = |text: &str| {
        let sim = scenario::parse("sims/a.toml", text).expect("a sim");
        run(&sim, 1).failures()
    };
    assert!(failures(&format!("{STACK}{healing}{}", fault("10s"))).is_empty());
    // A breaker that stays open for a minute keeps a healed model out.
    let shy = STACK.replace(
        "primary = \"opus\"\n",
        "primary = \"opus\"\nbreaker = { window = { calls = 5 }, minimum_calls = 2, \
         failure_rate = \"50%\", open_for = \"60s\" }\n",
    );
    let fault = fault("10s").replace("credential", "server_error");
    let failures = failures(&format!("{shy}{healing}{fault}"));
    assert!(
        matches!(&failures[..], [failure] if failure.starts_with("works_again_after_healing: rust/")),
        "{failures:?}"
    );
}

/// A folder with `sims/a.toml`.
fn place(text: &str) -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("sims/a.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    (place, file)
}

fn seedbed(place: &TempDir, arguments: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_seedbed"))
        .args(arguments)
        .current_dir(place.path())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    (output, String::from_utf8_lossy(&all).into_owned())
}

#[test]
fn the_command_line_writes_the_plan_and_shows_what_is_missed() {
    let chaos = "[chaos]\nuntil = \"40s\"\nheal_within = \"10s\"\nkinds = [\"pause\"]\n";
    let never = "[[sometimes]]\nevent = \"node_crashed\"\n";
    let (place, _) = place(&format!("{STACK}{chaos}{never}"));
    let (output, said) = seedbed(&place, &["run", "a"]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("a: node_crashed: at least 1 was not reached in any of 2 runs"),
        "{said}"
    );
    let (output, said) = seedbed(&place, &["run", "a", "--write-plan", "plan.toml"]);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("--write-plan needs one run, and these are 2"), "{said}");
    let (output, said) = seedbed(&place, &["run", "a", "--seed", "7", "--write-plan", "plan.toml"]);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let (output, said) =
        seedbed(&place, &["replay", "a", "--seed", "7", "--write-plan", "again.toml"]);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let read = |name: &str| std::fs::read_to_string(place.path().join(name)).unwrap();
    assert_eq!(read("plan.toml"), read("again.toml"));
    assert!(!read("plan.toml").contains("[chaos]") && read("plan.toml").contains("pause = {"));
    let (output, said) = seedbed(&place, &["run", "plan.toml"]);
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn a_load_that_ends_too_early_is_said_and_not_taken_for_success() {
    let healing = "[healing]\nafter = \"20s\"\nwithin = \"5s\"\n";
    let closed_loop = STACK.replace("[load]\npoisson = { per_second = 1, for = \"60s\" }\n", "");
    let (place, _) = place(&format!("{closed_loop}{healing}"));
    let (_, said) = seedbed(&place, &["run", "a", "--seed", "1"]);
    assert!(
        said.contains("note: works_again_after_healing was not evaluated: nothing was"),
        "{said}"
    );
}
