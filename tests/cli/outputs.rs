//! Files that a command writes: none takes the place of what somebody may still need, none hides the
//! verdict, and a command that is ended early tells what there is.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use super::{GOOD, Place, Ran};

fn read(place: &Place, path: &str) -> String {
    fs::read_to_string(place.path().join(path)).expect("a file")
}

#[test]
fn no_output_takes_the_place_of_what_is_read_or_of_another() {
    let place = Place::with_good().file("sims/other.toml", GOOD);
    let one = ["run", "a/good", "--seed", "1"];
    let refused = |arguments: &[&str], words: &str| {
        let ran = place.run(arguments).exits(2).says(words);
        assert_eq!(ran.out, "");
        for sim in ["sims/a/good.toml", "sims/other.toml"] {
            assert_eq!(read(&place, sim), GOOD, "{ran:?}");
        }
    };
    for flag in ["--log", "--junit", "--html", "--otlp", "--perfetto", "--metrics"] {
        refused(&[&one[..], &[flag, "sims/a/good.toml"]].concat(), "which is read");
        refused(&[&one[..], &[flag, "./sims/../sims/a/good.toml"]].concat(), "which is read");
        refused(&[&one[..], &[flag, "sims/other.toml"]].concat(), "a TOML file");
    }
    refused(&[&one[..], &["--write-plan", "sims/a/good.toml"]].concat(), "which is read");
    refused(
        &[&one[..], &["--write-plan", "sims/a/../../sims/a/good.toml"]].concat(),
        "which is read",
    );
    refused(
        &[&one[..], &["--html", "same", "--junit", "./same"]].concat(),
        "--junit and --html are one file: same",
    );
    refused(&["replay", "a/good", "--seed", "1", "--log", "sims/a/good.toml"], "which is read");
    refused(&["sweep", "--seeds", "2", "--html", "sims/a/good.toml"], "which is read");
    refused(&["sweep", "a", "--seeds", "2", "--html", "sims/other.toml"], "a TOML file");
    refused(&["compare", "a/good", "other", "--html", "sims/other.toml"], "a TOML file");
    // Reports are made anew, and what is no file keeps nothing.
    for _ in 0..2 {
        place.run(&[&one[..], &["--junit", "j", "--log", "l"]].concat()).exits(0);
    }
    if cfg!(unix) {
        place.run(&[&one[..], &["--junit", "/dev/null", "--log", "/dev/null"]].concat()).exits(0);
    }
}

#[test]
fn a_plan_takes_the_place_of_no_other_text() {
    let place = Place::with_good();
    let plan = |path: &str| {
        place.run(&["replay", "a/good", "--seed", "1", "--write-plan", path, "--until", "0s"])
    };
    plan("plan.toml").exits(0);
    let written = read(&place, "plan.toml");
    plan("plan.toml").exits(0);
    let edited = format!("# Mine.\n{written}");
    fs::write(place.path().join("plan.toml"), &edited).expect("a file");
    plan("plan.toml").exits(2).says("plan.toml is there already, and says something else");
    assert_eq!(read(&place, "plan.toml"), edited);
}

#[test]
fn merged_results_take_the_place_of_merged_results_only() {
    let place = Place::with_good();
    place.run(&["sweep", "--seeds", "4", "--results", "s.jsonl"]).exits(0);
    let before = read(&place, "s.jsonl");
    let merge = |from: &str, to: &str| place.run(&["merge", from, "-o", to]);
    merge("s.jsonl", "s.jsonl").exits(2).says("s.jsonl is of a sweep, which could not go on");
    assert_eq!(read(&place, "s.jsonl"), before);
    place.run(&["merge", "s.jsonl", "--html", "s.jsonl"]).exits(2).says("which is read");
    merge("s.jsonl", "m.jsonl").exits(0);
    merge("m.jsonl", "m.jsonl").exits(0);
    place.run(&["sweep", "--seeds", "4", "--results", "s.jsonl", "--resume"]).exits(0);
}

#[test]
#[cfg(target_os = "linux")]
fn the_verdict_is_told_whatever_cannot_be_written() {
    let bad = GOOD.replace("equals = \"100%\"", "at_most = \"1%\"");
    let place = Place::with_good().file("bad.toml", bad);
    let last = Some("seedbed replay bad.toml --seed 1");
    for flag in ["--log", "--junit", "--html", "--otlp", "--perfetto", "--metrics"] {
        let ran = place.run(&["run", "bad.toml", "--seed", "1", flag, "/dev/full"]).exits(2);
        let ran = ran.prints("1 run of 1 sim: 0 passed, 1 failed").says("cannot write /dev/full");
        assert_eq!(ran.out.lines().last(), last);
        if flag != "--junit" {
            let arguments = ["replay", "bad.toml", "--seed", "1", flag, "/dev/full"];
            let ran = place.run(&arguments).exits(2).says("✗ failed");
            assert_eq!(ran.says("cannot write /dev/full").err.lines().last(), last);
        }
    }
    for verb in ["run", "sweep"] {
        let arguments = [verb, "bad.toml", "--seeds", "2", "--github"];
        let output = place.command(&arguments).env("GITHUB_STEP_SUMMARY", "sims").output();
        let ran = Ran::of(&arguments, output.expect("it starts")).exits(2);
        ran.prints("2 runs of 1 sim: 0 passed, 2 failed").says("cannot write sims");
    }
    let ran = place.run(&["sweep", "bad.toml", "--seeds", "2", "--keep=/dev/null/x"]).exits(2);
    assert_eq!(ran.says("cannot write /dev/null/x").out, "");
}

#[test]
fn the_command_that_replays_a_failure_comes_last() {
    let bad = GOOD.replace("equals = \"100%\"", "at_most = \"1%\"");
    let place = Place::new().file("bad.toml", bad);
    let arguments = ["run", "bad.toml", "--seed", "1", "--format", "json", "--html", "page.html"];
    let ran = place.run(&arguments).exits(1).says("page in ");
    assert_eq!(ran.err.lines().last(), Some("seedbed replay bad.toml --seed 1"));
}

/// Whether a process has a handler for SIGINT, the second signal of the mask.
#[cfg(target_os = "linux")]
fn listens(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|it| it & 2 != 0)
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_that_is_ended_early_tells_what_there_is() {
    let place = Place::with_good();
    for verb in ["run", "verify"] {
        let mut command = place.command(&[verb, "--seeds", "100000", "--jobs", "1"]);
        if verb == "run" {
            command.args(["--junit", "junit.xml"]);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut first = String::new();
        if verb == "run" {
            out.read_line(&mut first).expect("a line");
        }
        while !listens(child.id()) {
            assert!(child.try_wait().expect("a process").is_none(), "it ends by itself");
        }
        let id = child.id().to_string();
        let killed = std::process::Command::new("kill").args(["-INT", &id]).status();
        assert!(killed.expect("kill").success());
        let rest = std::io::read_to_string(out).expect("UTF-8");
        let ran = Ran::of(&[verb], child.wait_with_output().expect("it ends")).exits(4);
        let ran = ran.says("interrupted");
        let told = first + &rest;
        if verb == "run" {
            assert!(told.contains(" of 1 sim: ") && told.contains("0 failed"), "{ran:?}");
            assert!(read(&place, "junit.xml").trim_end().ends_with("</testsuites>"));
        } else {
            assert!(told.contains(" with one history\n"), "{told}");
        }
    }
}

#[test]
#[cfg(unix)]
fn a_name_stays_on_its_line() {
    let place = Place::new().file("sims/a\n\u{1b}[31mb.toml", GOOD);
    let ran = place.run(&["run", "--seed", "1"]).exits(0);
    assert!(ran.prints("✓ a").out.lines().next().is_some_and(|line| line.contains("6/6 ok")));
}
