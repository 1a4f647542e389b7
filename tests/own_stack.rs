//! `examples/own_stack`, a crate as a user would write it: it builds, its tests pass, and the line
//! that a failing seed prints replays the failure.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::{path::Path, process::Command};

/// Runs `cargo test` in that crate. Returns whether it passed, and all that it printed.
fn cargo_test(variables: &[(&str, &str)], arguments: &[&str]) -> (bool, String) {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/own_stack");
    let output = Command::new(env!("CARGO"))
        .args(["test", "--offline", "--quiet"])
        .args(arguments)
        .current_dir(package)
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("own_stack"))
        .env_remove("SEEDBED_SEED")
        .env_remove("SEEDBED_SEEDS")
        .env_remove("RUSTFLAGS")
        .env_remove("RUST_BACKTRACE")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout) + &text(&output.stderr))
}

/// It compiles the crate once more, as a user's own does: `.ci/run` runs it.
#[test]
#[ignore = "compiles the crate again: cargo test --test own_stack -- --ignored"]
fn the_crate_of_a_user_passes_and_its_planted_bug_replays() {
    let (passed, text) = cargo_test(&[], &[]);
    assert!(passed, "{text}");

    // By its planted bug it fails, as if a developer ran it.
    let name = "every_addition_is_counted_once_by_a_store_that_forgets";
    let (passed, text) = cargo_test(&[], &[name, "--", "--exact", "--ignored"]);
    assert!(!passed, "{text}");
    let command = text.lines().find(|line| line.starts_with("SEEDBED_SEED=")).expect(&text);
    assert!(command.ends_with(&format!(" cargo test {name} -- --exact")), "{command}");
    let what = |text: &str| text.lines().find(|line| line.starts_with("seed ")).map(str::to_owned);

    // The line, with what the harness cannot know: that the test is one of those left out.
    let (seed, _) = command["SEEDBED_SEED=".len()..].split_once(' ').unwrap();
    let exact = [name, "--", "--exact", "--ignored"];
    let (passed, again) = cargo_test(&[("SEEDBED_SEED", seed)], &exact);
    assert!(!passed, "{again}");
    assert_eq!(what(&again), what(&text));
    let log = text.lines().find_map(|line| line.trim().strip_prefix("event log: ")).expect(&text);
    assert!(Path::new(log).exists(), "{log}");
}
