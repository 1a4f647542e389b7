//! Kills, torn lines, full disks, two writers, other plans: no finished result is lost.

use std::{
    fs::{File, OpenOptions},
    process::{Command, Stdio},
    time::Duration,
};

use super::common::{FLAKY, Place, Ran};

const SEEDS: [&str; 3] = ["sweep", "--seeds", "200"];

fn sweep(place: &Place, file: &str, more: &[&str]) -> Ran {
    let mut arguments = SEEDS.to_vec();
    arguments.extend(["--results", file]);
    arguments.extend(more);
    place.run(&arguments)
}

/// Lines of a kind.
fn count(text: &str, kind: &str) -> usize {
    text.matches(&format!("\"kind\":\"{kind}\"")).count()
}

#[test]
fn a_sweep_that_is_killed_at_any_instant_and_resumed_has_the_same_results() {
    let place = Place::new();
    sweep(&place, "whole.jsonl", &[]).exits(1);
    let whole = place.merged(&["whole.jsonl"]);
    assert_eq!(count(&whole, "finished"), 400);
    let mut arguments = SEEDS.to_vec();
    arguments.extend(["--results", "killed.jsonl", "--resume", "--jobs", "3"]);
    let mut kills = 0;
    // Where a kill falls is up to the machine; the waits only spread it, ever wider, so that a machine
    // that has much else to do comes to the end, too.
    for wait in (0..).map(|n: u64| 10 + n * 37 % (150 + 10 * n)) {
        let mut command = place.command(&arguments);
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        // Nobody sends: it is a wait.
        let _ = receiver.recv_timeout(Duration::from_millis(wait));
        drop(sender);
        if let Some(status) = child.try_wait().expect("a child") {
            assert_eq!(status.code(), Some(1));
            break;
        }
        child.kill().expect("a kill");
        child.wait().expect("its end");
        kills += 1;
        assert!(kills < 500, "it never ends");
    }
    assert_eq!(place.merged(&["killed.jsonl"]), whole, "after {kills} kills");
    assert_eq!(place.merged(&["killed.jsonl", "whole.jsonl"]), whole);
}

#[test]
fn a_file_that_is_cut_anywhere_goes_on() {
    let place = Place::new();
    let sweep = |file: &str, more: &[&str]| {
        place.run(&[&["sweep", "--seeds", "40", "--results", file], more].concat())
    };
    sweep("whole.jsonl", &[]).exits(1);
    let (whole, merged) = (place.read("whole.jsonl"), place.merged(&["whole.jsonl"]));
    let line = whole.lines().next().expect("a plan").len();
    for cut in [0, 1, line - 1, line, line + 1, line + 2, whole.len() / 2, whole.len() - 1] {
        place.write("cut.jsonl", &whole.as_bytes()[..cut]);
        let before = &whole[..whole[..cut].rfind('\n').map_or(0, |end| end + 1)];
        sweep("cut.jsonl", &["--resume"]).exits(1);
        let after = place.read("cut.jsonl");
        assert!(after.starts_with(before), "cut at {cut}");
        assert_eq!(place.merged(&["cut.jsonl"]), merged, "cut at {cut}");
    }
}

#[test]
fn what_never_finished_goes_first_and_alone() {
    let place = Place::new();
    let plan = place.run(&["sweep", "good", "--seeds", "40", "--results", "r"]).exits(0);
    assert_eq!(plan.code, Some(0));
    let text = place.read("r");
    let plan = text.lines().next().expect("a plan");
    let started = |seed: u64| {
        format!("{{\"kind\":\"started\",\"version\":1,\"sim\":\"good\",\"seed\":{seed}}}")
    };
    place.write("r", format!("{plan}\n{}\n{}\n", started(31), started(17)));
    let arguments = ["sweep", "good", "--seeds", "40", "--results", "r", "--resume", "--jobs", "4"];
    let ran = place.run(&arguments).exits(0);
    ran.says("good seed 17 never finished: it goes first, alone").says("good seed 31");
    let text = place.read("r");
    let lines: Vec<&str> = text.lines().skip(3).take(4).collect();
    assert_eq!((lines[0], lines[2]), (&*started(17), &*started(31)));
    for (line, seed) in [(lines[1], 17), (lines[3], 31)] {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!((&line["kind"], &line["seed"]), (&"finished".into(), &seed.into()));
    }
    assert_eq!(count(&text, "finished"), 40);
}

#[test]
fn results_are_never_written_over() {
    let place = Place::new();
    sweep(&place, "r", &[]).exits(1);
    let before = place.read("r");
    sweep(&place, "r", &[]).exits(2).says("r has something in it already").says("--resume");
    assert_eq!(place.read("r"), before);
    let ran = sweep(&place, "r", &["--resume"]).exits(1).says("going on after 400 runs");
    ran.prints("0 of them here");
    assert_eq!(place.read("r"), before);
}

#[test]
fn a_file_of_something_else_is_refused_and_left_alone() {
    let place = Place::new();
    sweep(&place, "r", &[]).exits(1);
    let before = place.read("r");
    let refused = |arguments: &[&str], words: &str| {
        let mut all = vec!["sweep", "--results", "r", "--resume"];
        all.extend(arguments);
        place.run(&all).exits(2).says(words);
        assert_eq!(place.read("r"), before);
    };
    refused(&["--seeds", "201"], "it is of other seeds: 1 to 200");
    refused(&["--seeds", "200", "--from", "2"], "it is of other seeds");
    refused(&["--seeds", "200", "--shard", "1/2"], "it is of shard 1/1");
    refused(&["--seeds", "200", "good"], "it is of other sims");
    place.write("sims/flaky.toml", FLAKY.replace("10%", "11%"));
    refused(&["--seeds", "200"], "the sim flaky, or its trace, has changed since");
    place.write("sims/flaky.toml", FLAKY);
    for (text, words) in [
        ("what is this\n", "does not begin with a plan"),
        ("{\"kind\":\"plan\",\"version\":2}\n", "these are results of version 2"),
        (&before.replacen("\"seedbed\":\"", "\"seedbed\":\"9.", 1), "it is of seedbed 9."),
    ] {
        place.write("other", text);
        sweep(&place, "other", &["--resume"]).exits(2).says(words);
        assert_eq!(place.read("other"), text);
    }
}

#[test]
fn a_damaged_line_is_named_and_its_run_is_made_again() {
    let place = Place::new();
    sweep(&place, "r", &[]).exits(1);
    let (text, merged) = (place.read("r"), place.merged(&["r"]));
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = lines.iter().position(|line| line.contains("\"finished\"")).expect("a result");
    lines[at] = "\0\0\0\0".to_owned();
    place.write("r", lines.join("\n") + "\n");
    let ran = sweep(&place, "r", &["--resume"]).exits(1);
    ran.says(&format!("r:{}: this is no line of results", at + 1)).prints("1 of them here");
    assert_eq!(place.merged(&["r"]), merged);
}

#[test]
fn two_sweeps_do_not_write_one_file() {
    let place = Place::new();
    sweep(&place, "r", &[]).exits(1);
    let file = File::open(place.file("r")).expect("a file");
    file.lock().expect("a lock");
    let before = place.read("r");
    sweep(&place, "r", &["--resume"]).exits(2).says("another sweep writes to r at this moment");
    assert_eq!(place.read("r"), before);
    // It can be read meanwhile.
    place.run(&["merge", "r"]).exits(1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named() {
    let place = Place::new();
    sweep(&place, "/dev/full", &[]).exits(2).says("cannot write /dev/full: No space left");
    sweep(&place, "r", &[]).exits(1);
    place.run(&["merge", "r", "-o", "/dev/full"]).exits(2).says("cannot write /dev/full");
}

/// A limit on the size of files stands in for a disk that fills up on the way.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_on_the_way_loses_nothing() {
    let place = Place::new();
    sweep(&place, "whole", &[]).exits(1);
    let merged = place.merged(&["whole"]);
    let line = format!(
        "trap '' XFSZ; ulimit -f 40; exec {} sweep --seeds 200 --results r",
        env!("CARGO_BIN_EXE_seedbed")
    );
    let output = Command::new("bash").args(["-c", &line]).current_dir(place.path()).output();
    let ran = Ran::of(&["sweep"], output.expect("it starts")).exits(2);
    let ran = ran.says("cannot write r: File too large").says("go on with --resume");
    let ran = ran.prints("ended early: broken off");
    let text = place.read("r");
    assert!(text.ends_with('\n') && text.len() > 10_000, "whole lines only");
    let finished = count(&text, "finished");
    assert!(ran.out.contains(&format!("{finished} runs of 2 sims")), "{ran:?}");
    sweep(&place, "r", &["--resume"]).exits(1).says(&format!("going on after {finished} runs"));
    assert_eq!(place.merged(&["r"]), merged);
    // Merged results that do not fit leave what was there.
    place.write("out.jsonl", "precious");
    let line = format!(
        "trap '' XFSZ; ulimit -f 40; exec {} merge r -o out.jsonl",
        env!("CARGO_BIN_EXE_seedbed")
    );
    let output = Command::new("bash").args(["-c", &line]).current_dir(place.path()).output();
    Ran::of(&["merge"], output.expect("it starts")).exits(2).says("cannot write out.jsonl");
    assert_eq!(place.read("out.jsonl"), "precious");
    assert!(!place.file("out.jsonl.new").exists());
}

#[test]
fn a_line_that_only_lacks_its_newline_is_kept() {
    let place = Place::new();
    sweep(&place, "r", &[]).exits(1);
    let merged = place.merged(&["r"]);
    let file = OpenOptions::new().write(true).open(place.file("r")).expect("a file");
    file.set_len(place.read("r").len() as u64 - 1).expect("a cut");
    assert_eq!(place.merged(&["r"]), merged);
    sweep(&place, "r", &["--resume"]).exits(1).prints("0 of them here");
    assert_eq!(place.merged(&["r"]), merged);
}
