//! What a sweep finds, how it tells it, and when it ends.

use std::process::{Command, Stdio};

use super::common::{Place, Ran};

#[test]
fn failures_that_are_alike_are_one_failure() {
    let place = Place::new();
    let ran = place.run(&["sweep", "flaky", "--seeds", "200", "--format", "json"]).exits(1);
    let document = ran.json();
    assert_eq!((&document["runs"], &document["planned"]), (&200.into(), &200.into()));
    let failures = document["failures"].as_array().expect("failures");
    assert_eq!(failures.len(), 2, "{document}");
    let counts: Vec<u64> = failures.iter().filter_map(|one| one["count"].as_u64()).collect();
    assert!(counts[0] >= counts[1] && counts[1] > 0, "{counts:?}");
    assert_eq!(Some(counts.iter().sum()), document["failed"].as_u64());
    for failure in failures {
        let signature = failure["signature"].as_str().expect("a signature");
        assert!(
            signature.ends_with(": too low") || signature.ends_with(": too high"),
            "{signature}"
        );
        let replay = failure["replay"].as_str().expect("a command");
        let arguments: Vec<&str> = replay.split(' ').skip(1).collect();
        let sentence = failure["failure"].as_str().expect("a sentence");
        let cause = sentence.rsplit(": ").next().expect("a cause");
        place.run(&arguments).exits(1).says(cause);
    }
}

#[test]
fn what_is_found_is_the_same_on_any_number_of_threads() {
    let place = Place::new();
    let document = |jobs: &str| {
        let arguments = ["sweep", "--seeds", "60", "--jobs", jobs, "--format", "json"];
        let mut document = place.run(&arguments).exits(1).json();
        document["wall_ms"].take();
        document
    };
    let one = document("1");
    assert_eq!(one["sims"], serde_json::json!(["flaky", "good"]));
    assert_eq!(one["runs"], 120);
    assert_eq!(one, document("4"));
    assert_eq!(one, document("2"));
}

#[test]
fn the_text_is_short_and_ends_with_a_command() {
    let place = Place::new();
    let ran = place.run(&["sweep", "--seeds", "100"]).exits(1);
    let ran = ran.prints("200 runs of 2 sims: ").prints("in 2 ways").prints("✗ flaky ");
    let ran = ran.prints("checks that no run reached: ").prints("no_message_across_a_partition");
    assert!(ran.out.lines().count() < 20, "{ran:?}");
    let last = ran.out.lines().last().expect("a line");
    assert!(last.starts_with("seedbed replay sims/flaky.toml --seed "), "{last}");
    let ran = place.run(&["sweep", "good", "--seeds", "50"]).exits(0);
    ran.prints("50 runs of 1 sim: 50 passed, 0 failed");
}

#[test]
fn each_failure_is_kept_and_made_small() {
    let place = Place::new();
    let sweep = ["sweep", "--seeds", "60", "--keep", "--shrink=30s", "--format"];
    let document = place.run(&[&sweep[..], &["json"]].concat()).exits(1).json();
    let failures = document["failures"].as_array().expect("failures");
    assert!(failures.len() >= 2, "{document}");
    for failure in failures {
        let path = |key: &serde_json::Value| key.as_str().expect("a path").to_owned();
        let kept = place.read(&path(&failure["kept"]));
        let seed = failure["first_seed"].as_u64().expect("a seed");
        assert!(kept.contains(&format!("seed = \"{seed}\"")), "{kept}");
        assert!(kept.contains(failure["signature"].as_str().expect("a signature")), "{kept}");
        // The smallest sim fails by itself, and in the same way.
        let smallest = path(&failure["smallest"]["sim"]);
        let check = failure["failure"].as_str().and_then(|it| it.split(':').next());
        place.run(&["run", &smallest]).exits(1).prints(check.expect("a check"));
    }
    place.run(&["regress"]).exits(1).prints("2 still failing");
    // Again: what is there is gone on from, and told as text.
    let ran = place.run(&[&sweep[..], &["text"]].concat()).exits(1);
    let ran = ran.prints("    smallest: ").prints("seedbed replay sims/regressions/");
    ran.prints("    kept: corpus/flaky-").says("going on from sims/regressions/");
}

#[test]
fn what_cannot_be_kept_holds_up_nothing() {
    let place = Place::new();
    place.write("corpus", "no folder");
    let arguments = ["sweep", "flaky", "--seeds", "60", "--keep"];
    // Found before anything runs.
    assert_eq!(place.run(&arguments).exits(2).says("cannot write corpus").out, "");
    // A sound canary fails by having nothing that fails.
    let good = place.read("sims/good.toml");
    place.write("sims/canary.toml", format!("must = \"fail\"\nfails_by = [\"a\"]\n{good}"));
    let ran = place.run(&["sweep", "canary", "--seeds", "2", "--keep=c", "--shrink"]).exits(1);
    let ran = ran.says("canary: the sim is a canary").says("it does not fail with this seed");
    ran.prints("it must fail, and every check held");
    place.run(&["sweep", "flaky", "--keep", "--trace", "t.csv"]).exits(2);
}

#[test]
fn lines_of_json_come_one_for_each_run() {
    let place = Place::new();
    let arguments = ["sweep", "good", "--seeds", "20", "--from", "7", "--format", "jsonl"];
    let ran = place.run(&arguments).exits(0).says("20 runs of 1 sim");
    let mut seeds: Vec<u64> = ran
        .out
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert_eq!((&line["version"], &line["kind"]), (&1.into(), &"finished".into()));
            line["seed"].as_u64().expect("a seed")
        })
        .collect();
    seeds.sort_unstable();
    assert_eq!(seeds, (7..27).collect::<Vec<_>>());
}

#[test]
fn a_share_of_the_runs_is_made_twice() {
    let place = Place::new();
    place.run(&["sweep", "good", "--seeds", "30", "--verify", "50%"]).exits(0);
    place.run(&["sweep", "good", "--verify", "150%"]).exits(2).says("at most 100%");
}

#[test]
fn a_budget_ends_a_sweep_well_or_short() {
    let place = Place::new();
    // Without an end of its own, the budget is its end.
    let endless = ["sweep", "good", "--budget", "300ms", "--format", "json", "--results", "r"];
    let document = place.run(&endless).exits(0).json();
    assert_eq!((&document["ended"], &document["planned"]), (&"budget".into(), &().into()));
    let runs = document["runs"].as_u64().expect("runs");
    assert!(runs > 0);
    place.run(&["merge", "r"]).exits(0).prints(&format!("{runs} runs of 1 sim"));
    let short = ["sweep", "good", "--budget", "300ms", "--seeds", "10000000"];
    place.run(&short).exits(4).prints("ended early: the budget is used up");
    // An endless sweep goes on, too.
    let more = place.run(&[&endless[..], &["--resume"]].concat()).exits(0).json();
    assert!(more["runs"].as_u64() > Some(runs), "{more}");
}

#[test]
fn enough_failures_end_a_sweep() {
    let place = Place::new();
    let arguments = ["sweep", "flaky", "--seeds", "100000", "--max-failures", "2", "--jobs", "1"];
    let ran = place.run(&arguments).exits(1);
    ran.prints("ended early: as many runs have failed as were to");
}

/// Starts a sweep, and sends it a signal once it is at work.
#[cfg(unix)]
fn interrupted(place: &Place, arguments: &[&str], signal: &str) -> Ran {
    let mut command = place.command(arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let file = place.file("r.jsonl");
    while std::fs::metadata(&file).map_or(0, |metadata| metadata.len()) < 20_000 {
        std::thread::yield_now();
    }
    let pid = child.id().to_string();
    let status = Command::new("kill").args([signal, &pid]).status().expect("kill starts");
    assert!(status.success());
    Ran::of(arguments, child.wait_with_output().expect("it ends"))
}

#[cfg(unix)]
#[test]
fn an_interrupted_sweep_tells_what_it_has_and_goes_on_later() {
    let place = Place::new();
    let arguments = ["sweep", "good", "--seeds", "3000", "--results", "r.jsonl", "--resume"];
    for signal in ["-INT", "-TERM"] {
        let ran = interrupted(&place, &arguments, signal).exits(4);
        ran.prints(" of 3000 runs; --resume goes on").prints("ended early: interrupted");
        let lines = place.read("r.jsonl");
        let count = |kind: &str| lines.matches(&format!("\"kind\":\"{kind}\"")).count();
        assert_eq!(count("started"), count("finished"), "what was begun was brought to its end");
        std::fs::remove_file(place.file("r.jsonl")).expect("a file");
    }
}

#[test]
fn shards_are_said_by_flag_and_by_engine() {
    let place = Place::new();
    let seeds = |variables: &[(&str, &str)], more: &[&str]| {
        let mut arguments = vec!["sweep", "good", "--seeds", "6", "--format", "jsonl"];
        arguments.extend(more);
        let ran = place.run_with(variables, &arguments).exits(0);
        let seed = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            line["seed"].as_u64().expect("a seed")
        };
        let mut seeds: Vec<u64> = ran.out.lines().map(seed).collect();
        seeds.sort_unstable();
        seeds
    };
    let count = ("SEEDBED_SHARD_COUNT", "3");
    assert_eq!(seeds(&[], &["--shard", "2/3"]), [2, 5]);
    assert_eq!(seeds(&[("SEEDBED_SHARD_INDEX", "2"), count], &[]), [2, 5]);
    assert_eq!(seeds(&[("JOB_COMPLETION_INDEX", "1"), count], &[]), [2, 5]);
    assert_eq!(seeds(&[("JOB_COMPLETION_INDEX", "1"), count], &["--shard", "1/3"]), [1, 4]);
    let both = [("JOB_COMPLETION_INDEX", "1"), ("AWS_BATCH_JOB_ARRAY_INDEX", "0"), count];
    let ran = place.run_with(&both, &["sweep", "good"]).exits(2);
    ran.says("JOB_COMPLETION_INDEX says shard 2/3").says("--shard 1/1 runs all of it");
    place.run(&["sweep", "good", "--shard", "4/3"]).exits(2).says("numbered from 1 to 3");
    place.run(&["sweep", "good", "--seeds", "2", "--shard", "3/3"]).exits(4);
}

#[test]
fn wrong_arguments_are_usage_errors() {
    let place = Place::new();
    let last = u64::MAX.to_string();
    place
        .run(&["sweep", "good", "--from", &last, "--seeds", "2"])
        .exits(2)
        .says("the last seed is");
    place.run(&["sweep", "good", "--seeds", "0"]).exits(2);
    place.run(&["sweep", "good", "--budget", "soon"]).exits(2);
    place.run(&["sweep", "good", "--resume"]).exits(2).says("--results");
    place.run(&["sweep", "goof"]).exits(2).says("did you mean sims/good.toml?");
    place.run(&["sweep", "good", "--results", "no/such/folder"]).exits(2).says("cannot write");
    place.run(&["merge"]).exits(2);
    place.run(&["merge", "none.jsonl"]).exits(2).says("none.jsonl cannot be read");
}
