//! The command line, run as a user runs it: what it prints where, and its exit codes.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "cli/config.rs"]
mod config;
#[path = "cli/exports.rs"]
mod exports;
#[path = "cli/finding.rs"]
mod finding;
#[path = "cli/import.rs"]
mod import;
#[path = "cli/metrics.rs"]
mod metrics;
#[path = "cli/outputs.rs"]
mod outputs;
#[path = "cli/sweep.rs"]
mod sweep;
#[path = "cli/transcript.rs"]
mod transcript;

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

const GOOD: &str = r#"purpose = "All is well: every request is answered."
seeds = [1, 2]
[router]
primary = "opus"
[[backend]]
name = "opus"
first_token = "10ms"
[[agent]]
name = "rust"
count = 2
requests = 3
[[expect]]
metric = "requests.success_rate"
equals = "100%"
"#;

/// A folder to run in.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().expect("a folder"))
    }

    /// With `sims/a/good.toml`.
    fn with_good() -> Place {
        Place::new().file("sims/a/good.toml", GOOD)
    }

    fn file(self, path: &str, text: impl AsRef<[u8]>) -> Place {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, text).expect("a file");
        self
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seedbed"));
        command.args(arguments).current_dir(self.path()).env_remove("NO_COLOR");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).stdin(Stdio::null()).output().expect("it starts");
        Ran::of(arguments, output)
    }
}

struct Ran {
    arguments: String,
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn of(arguments: &[&str], output: Output) -> Ran {
        let ran = Ran {
            arguments: arguments.join(" "),
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        };
        assert!(!ran.err.contains("panicked"), "{ran:?}");
        assert!(!ran.out.contains('\x1b') && !ran.err.contains('\x1b'), "no colours: {ran:?}");
        ran
    }

    #[track_caller]
    fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    #[track_caller]
    fn says(self, text: &str) -> Ran {
        assert!(self.err.contains(text), "standard error without {text:?}: {self:?}");
        self
    }

    #[track_caller]
    fn prints(self, text: &str) -> Ran {
        assert!(self.out.contains(text), "standard output without {text:?}: {self:?}");
        self
    }

    #[track_caller]
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl std::fmt::Debug for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Ran { arguments, code, out, err } = self;
        write!(f, "seedbed {arguments}\nexit {code:?}\n--- out\n{out}\n--- err\n{err}")
    }
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn without_sims_the_quickstart_runs_and_nothing_else_passes() {
    let place = Place::new();
    let ran = place.run(&["run"]).exits(0).prints("✓ quickstart seed 1");
    ran.prints("3 runs of 1 sim: 3 passed").says("there is no folder sims here");
    for verb in ["list", "check", "verify", "sweep", "coverage"] {
        let ran = place.run(&[verb]).exits(4).says("there is no folder sims here");
        assert_eq!(ran.says("`seedbed run quickstart`").out, "");
    }
    place.run(&["verify", "quickstart", "--seed", "1"]).exits(0);
    place.run(&["replay", "quickstart", "--seed", "1", "--until", "1ms"]).exits(0);
}

#[test]
fn a_sim_is_found_by_file_folder_and_name() {
    let place = Place::with_good();
    for sim in ["sims/a/good.toml", "sims/a", "a/good", "a", "sims", "./sims/a/good.toml"] {
        place.run(&["run", sim]).exits(0).prints("a/good seed 2");
    }
    let twice = place.run(&["run", "a/good", "a"]).exits(0);
    assert!(twice.out.contains("2 runs of 1 sim"), "{twice:?}");
    let error = place.run(&["run", "a/gool"]).exits(2);
    error
        .says("there is no sim, file or folder called a/gool")
        .says("did you mean sims/a/good.toml?");
}

#[test]
fn runs_are_the_same_on_any_number_of_threads_and_on_both_hosts() {
    let place = Place::with_good();
    let runs = |arguments: &[&str]| {
        let mut document = place.run(arguments).exits(0).json();
        for run in document["runs"].as_array_mut().expect("runs") {
            run["wall_us"].take();
            run["replay"].take();
        }
        document
    };
    let one = runs(&["run", "--format", "json", "--seeds", "20", "--jobs", "1"]);
    assert_eq!(one["version"], 1);
    assert_eq!(one["runs"].as_array().map(Vec::len), Some(20));
    assert_eq!(one["runs"][4]["seed"], 5);
    assert_eq!(one["runs"][4]["verdict"], "pass");
    assert_eq!(one["runs"][4]["requests"]["ok"], 6);
    assert_eq!(one, runs(&["run", "--format", "json", "--seeds", "20", "--jobs", "7"]));
    assert_eq!(one, runs(&["run", "--format", "json", "--seeds", "20", "--host", "tokio"]));
}

#[test]
fn lines_of_json_come_one_for_each_run() {
    let place = Place::with_good();
    let ran = place.run(&["run", "--format", "jsonl", "--seed", "0x10", "--seed", "3"]).exits(0);
    let lines: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["seed"], 16);
    assert_eq!(lines[1]["version"], 1);
    assert_eq!(lines[1]["replay"], "seedbed replay sims/a/good.toml --seed 3");
}

#[test]
fn a_failure_ends_with_the_command_that_replays_it() {
    let place = Place::new().file("x.toml", GOOD.replace("equals = \"100%\"", "at_most = \"1%\""));
    let ran = place.run(&["run", "x.toml", "--host", "tokio"]).exits(1).prints("it is 100%");
    assert_eq!(ran.out.lines().last(), Some("seedbed replay x.toml --seed 1 --host tokio"));
    let ran = place.run(&["run", "x.toml", "--format", "json"]).exits(1);
    assert_eq!(ran.json()["runs"][0]["verdict"], "fail");
    assert_eq!(ran.err.lines().last(), Some("seedbed replay x.toml --seed 1"));
    let ran = place.run(&["replay", "x.toml", "--seed", "2"]).exits(1).says("failed");
    assert_eq!(ran.err.lines().last(), Some("seedbed replay x.toml --seed 2"));
}

/// What makes a sim a canary.
const CANARY: &str = "must = \"fail\"\nfails_by = [\"requests.success_rate at most 1%\"]\n";

#[test]
fn canaries_are_good_when_they_do_what_they_must() {
    let text = GOOD.replace("equals = \"100%\"", "at_most = \"1%\"");
    let place = Place::new()
        .file("fails.toml", format!("{CANARY}{text}"))
        .file("sound.toml", format!("{CANARY}{GOOD}"))
        .file("other.toml", format!("{CANARY}{text}").replace("at most", "at least"));
    place.run(&["run", "fails.toml"]).exits(0).prints("failed, as it must:");
    place.run(&["run", "sound.toml"]).exits(1).prints("it must fail");
    place.run(&["run", "other.toml"]).exits(1).prints("it must not fail by");
}

#[test]
fn verify_passes_what_is_sound_and_names_the_first_different_event_of_what_is_not() {
    let place = Place::with_good();
    place.run(&["verify"]).exits(0).prints("2 runs: 2 with one history");
    let sims = repository();
    let ran = Command::new(env!("CARGO_BIN_EXE_seedbed"))
        .args(["verify", "canary/nondeterministic"])
        .current_dir(&sims)
        .output()
        .expect("it starts");
    let ran = Ran::of(&["verify", "canary/nondeterministic"], ran).exits(0);
    let ran = ran.prints("first different event: number ").prints("this sim is a canary");
    ran.prints("differ, as they must")
        .prints("3 runs: 0 with one history, 3 without, as they must");
    let document = place.run(&["verify", "--format", "json"]).exits(0).json();
    assert_eq!(document["runs"][0]["agree"], true);
    assert_eq!(document["runs"][0]["fingerprints"].as_object().map(|f| f.len()), Some(5));
}

/// What cannot be told from a leak that nobody planted.
#[test]
fn one_seed_with_two_histories_is_not_explained() {
    let place = Place::new()
        .file("sims/leak.toml", format!("must = \"diverge\"\nleak = \"process_counter\"\n{GOOD}"));
    let ran = place.run(&["explain", "leak", "--seed", "1", "--against", "1"]).exits(3);
    ran.says("leak seed 1 has two histories");
    place.run(&["explain", "leak", "--seed", "1"]).exits(2).says("<--against <WHAT>|--faults>");
}

/// Every kind of leak is found, not only the one that the canary in `sims/` plants.
#[test]
fn verify_finds_every_planted_leak() {
    for leak in ["hash_order", "wall_clock", "os_random", "process_counter", "thread"] {
        let planted = format!("must = \"diverge\"\nleak = \"{leak}\"\n{GOOD}");
        let place = Place::new().file("sims/leak.toml", planted);
        place.run(&["verify"]).exits(0).prints("first different event: number ");
        place.run(&["run"]).exits(0).prints("diverged, as it must");
    }
}

#[test]
fn replay_prints_what_is_asked_for() {
    let place = Place::with_good();
    let all = place.run(&["replay", "a/good", "--seed", "1"]).exits(0);
    let all = all.says("the same in a second run").prints("message_sent");
    let arguments =
        ["replay", "a/good", "--seed", "1", "--node", "router", "--kind", "timer_fired"];
    let some = place.run(&arguments).exits(0);
    assert!(some.out.lines().count() < all.out.lines().count());
    assert!(some.out.lines().all(|line| line.contains("router") && line.contains("timer_fired")));
    let arguments = ["replay", "a/good", "--seed", "1", "--until", "0s", "--format", "jsonl"];
    let first = place.run(&arguments).exits(0);
    assert!(first.out.lines().all(|line| line.contains("\"at_ns\":0")));
    place.run(&["replay", "a/good", "--seed", "1", "--node", "gpt"]).exits(2).says("its nodes are");
    place.run(&["replay", "a/good", "--seed", "1", "--kind", "x"]).exits(2).says("the kinds are");
    place.run(&["replay", "a/good", "--seed", "1", "--until", "soon"]).exits(2);
    place.run(&["replay", "a/good"]).exits(2).says("--seed");
}

#[test]
fn a_replay_says_that_a_break_never_came_and_refuses_what_cannot_come() {
    let place = Place::with_good();
    let replay =
        |wanted: &str| place.run(&["replay", "a/good", "--seed", "1", "--break-on", wanted]);
    let ran = replay("attempt_failed,cause=server_error").exits(0);
    ran.says("attempt_failed,cause=server_error never came");
    assert!(!replay("request_started").exits(0).err.contains("never came"));
    replay("request_started,foo=1").exits(2).says("has no field foo; its fields are request");
    replay("request_startet").exits(2).says("did you mean request_started?");
    let arguments = ["replay", "a/good", "--seed", "1", "--state", "--format", "jsonl"];
    let ran = place.run(&arguments).exits(0).says("as the events tell it");
    for line in ran.out.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("each line is JSON");
    }
}

#[test]
fn coverage_fails_if_a_row_has_no_sim() {
    let rows = "[[row]]\nid = \"R-1\"\nbehaviour = \"b\"\nexpected = \"e\"\n";
    let place = Place::with_good().file("sims/requirements.toml", rows);
    place.run(&["coverage"]).exits(1).says("0 of 1 rows are covered");
    // Some of the sims need not cover all.
    place.run(&["coverage", "a"]).exits(0);
    let place = place.file("sims/b.toml", format!("covers = [\"R-1\"]\n{GOOD}"));
    place.run(&["coverage"]).exits(0).says("1 of 1 rows are covered");
}

#[test]
fn replay_compares_with_what_is_recorded() {
    let recorded = |fingerprint: &str| format!("seed: 1\n  fingerprint: {fingerprint}\n");
    let place = Place::with_good().file("snapshots/a/good/summary.snap", recorded("00"));
    let ran = place.run(&["replay", "a/good", "--seed", "1", "--until", "0s"]).exits(1);
    let ran = ran.says("the recorded history was another one");
    let fingerprint = ran.err.split_once("fingerprint ").expect("a fingerprint").1;
    let place = place.file("snapshots/a/good/summary.snap", recorded(&fingerprint[..16]));
    place
        .run(&["replay", "a/good", "--seed", "1", "--until", "0s"])
        .exits(0)
        .says("as recorded in");
}

#[test]
fn event_logs_are_written_plain_and_compressed() {
    let place = Place::with_good();
    place.run(&["run", "a/good", "--seed", "1", "--log", "one.jsonl"]).exits(0);
    place.run(&["replay", "a/good", "--seed", "1", "--log", "two.jsonl.zst"]).exits(0);
    let plain = fs::read_to_string(place.path().join("one.jsonl")).expect("a log");
    let header: serde_json::Value =
        serde_json::from_str(plain.lines().next().expect("a heading")).expect("JSON");
    assert_eq!(header["sim"], "a/good");
    assert_eq!(header["start"], "2026-01-01T00:00:00Z");
    assert!(plain.lines().count() > 50);
    let packed = fs::read(place.path().join("two.jsonl.zst")).expect("a log");
    assert_eq!(packed[..4], [0x28, 0xb5, 0x2f, 0xfd], "the magic number of zstd");
    assert!(packed.len() * 4 < plain.len());
    place.run(&["run", "a/good", "--log", "x"]).exits(2).says("--log needs one run");
}

#[test]
fn junit_has_a_suite_for_each_sim() {
    let bad = GOOD.replace("equals = \"100%\"", "at_most = \"1%\"");
    let place = Place::with_good().file("sims/b.toml", bad);
    place.run(&["run", "--junit", "junit.xml"]).exits(1);
    let xml = fs::read_to_string(place.path().join("junit.xml")).expect("a report");
    assert!(xml.contains(r#"tests="4" skipped="0" failures="2" errors="0""#), "{xml}");
    assert_eq!(xml.matches("<testsuite ").count(), 2);
    assert!(xml.contains("seedbed replay sims/b.toml --seed 1"), "{xml}");
}

#[test]
fn a_page_shows_one_run_and_the_result_is_not_lost_with_it() {
    let place = Place::with_good();
    let ran = place.run(&["run", "a/good", "--seed", "2", "--html", "two.html"]).exits(0);
    assert!(ran.out.contains("1 passed"), "{}", ran.out);
    ran.says("page in ").says("two.html");
    let page = fs::read_to_string(place.path().join("two.html")).expect("a page");
    assert!(page.contains("\"seed\":\"2\"") && page.ends_with("</html>\n"));
    place.run(&["replay", "a/good", "--seed", "2", "--html", "again.html"]).exits(0);
    let again = fs::read_to_string(place.path().join("again.html")).expect("a page");
    assert!(page == again, "run and replay write the same page");
    place.run(&["run", "a/good", "--html", "x"]).exits(2).says("--html needs one run");
    place.run(&["run", "a/good", "--open"]).exits(2).says("--html");
    if Path::new("/dev/full").exists() {
        let ran = place.run(&["run", "a/good", "--seed", "1", "--html", "/dev/full"]).exits(2);
        assert!(ran.out.contains("1 passed"), "{}", ran.out);
        ran.says("cannot write /dev/full");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_page_is_opened_by_what_the_desktop_has_or_its_place_is_said() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::with_good().file("bin/xdg-open", "#!/bin/sh\necho \"$1\" > opened\n");
    let opener = place.path().join("bin/xdg-open");
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).expect("permissions");
    let arguments = ["run", "a/good", "--seed", "1", "--html", "page.html", "--open"];
    let with_path = |path: &str| {
        let output = place.command(&arguments).env("PATH", path).output().expect("it runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = with_path(&place.path().join("bin").to_string_lossy());
    assert!(!said.contains("no browser"), "{said}");
    let opened = fs::read_to_string(place.path().join("opened")).expect("it was called");
    assert!(opened.trim_end().ends_with("/page.html"), "{opened}");
    assert!(with_path("/nowhere").contains("open the page by hand"));
}

#[test]
fn paths_that_cannot_be_written_are_found_before_the_run() {
    let place = Place::with_good().file("read-only.xml", "");
    let read_only = place.path().join("read-only.xml");
    let mut permissions = fs::metadata(&read_only).expect("a file").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&read_only, permissions).expect("permissions");
    let is_superuser = fs::File::options().write(true).open(&read_only).is_ok();
    for arguments in [
        ["run", "a/good", "--junit", "sims"],
        ["run", "a/good", "--junit", "no/such/folder.xml"],
        ["run", "a/good", "--junit", "read-only.xml"],
    ] {
        if is_superuser && arguments.contains(&"read-only.xml") {
            continue;
        }
        let ran = place.run(&arguments).exits(2).says("cannot write");
        assert_eq!(ran.out, "");
    }
    let ran = place.run(&["replay", "a/good", "--seed", "1", "--log", "sims"]).exits(2);
    assert_eq!(ran.says("cannot write sims").out, "");
    let ran = place.run(&["run", "a/good", "--seed", "1", "--html", "sims"]).exits(2);
    assert_eq!(ran.says("cannot write sims").out, "");
}

#[test]
fn bad_sims_are_refused_with_the_place_of_the_mistake() {
    let garbage: Vec<u8> =
        (0..10_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let place = Place::new()
        .file("empty.toml", "")
        .file("types.toml", GOOD.replace("count = 2", "count = \"two\""))
        .file("garbage.toml", garbage)
        .file("text.toml", [0xff, 0xfe, 0])
        .file(
            "backends.toml",
            GOOD.replace("[[backend]]\nname = \"opus\"\nfirst_token = \"10ms\"\n", ""),
        )
        .file("node.toml", format!("{GOOD}[[fault]]\nat = \"1s\"\ncrash = {{ node = \"gpt\" }}\n"))
        .file("none/notes.txt", "x");
    for (sim, words) in [
        ("missing.toml", "there is no sim, file or folder called missing.toml"),
        ("empty.toml", "purpose"),
        ("types.toml", "types.toml:10"),
        ("garbage.toml", "garbage.toml is larger than"),
        ("text.toml", "not UTF-8"),
        ("backends.toml", "backend"),
        ("node.toml", "gpt"),
    ] {
        for verb in ["run", "check", "verify"] {
            place.run(&[verb, sim]).exits(2).says(words);
        }
    }
    for verb in ["run", "check", "verify", "list"] {
        place.run(&[verb, "none"]).exits(4).says("no sims in none");
    }
    place.run(&["replay", "types.toml", "--seed", "1"]).exits(2).says("types.toml:10");
    let many = place.run(&["run", "empty.toml", "types.toml"]).exits(2);
    many.says("purpose").says("types.toml:10");
}

#[test]
fn check_reports_every_file() {
    let place = Place::with_good().file("sims/bad.toml", "purpose = 1\n").file("sims/z.toml", GOOD);
    let ran = place.run(&["check"]).exits(2);
    let ran = ran.prints("✓ sims/a/good.toml").prints("✗ sims/bad.toml").prints("✓ sims/z.toml");
    ran.prints("3 sims, 1 wrong").says("bad.toml:1");
    let document = place.run(&["check", "--format", "json"]).exits(2).json();
    assert_eq!(document["sims"][1]["ok"], false);
    assert_eq!(document["sims"][1]["problems"][0]["line"], 1);
    place.run(&["check", "a"]).exits(0).prints("1 sim, all good");
}

#[test]
fn a_broken_trace_names_the_line_or_is_counted() {
    let trace = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,10,10\n\
                 what is this\n2023-11-16 18:15:50.9951690,10,10\n";
    let place = Place::with_good().file("trace.csv", trace).file("other.csv", "a,b\n1,2\n");
    let ran = place.run(&["run", "a/good", "--seed", "1", "--trace", "trace.csv"]).exits(2);
    let ran = ran.says("trace.csv:3").says("--skip-bad");
    assert_eq!(
        ran.err.lines().last(),
        Some("seedbed replay sims/a/good.toml --seed 1 --trace trace.csv")
    );
    let arguments = ["run", "a/good", "--seed", "1", "--trace", "trace.csv", "--skip-bad"];
    let ran = place.run(&arguments).exits(0).says("1 broken line");
    ran.prints("2/2 ok");
    let missing = place.run(&["run", "a/good", "--trace", "none.csv"]).exits(2);
    assert_eq!(missing.says("none.csv").out, "");
    place.run(&["run", "a/good", "--trace", "other.csv"]).exits(2).says("not a known trace");
    let replay = ["replay", "a/good", "--seed", "1", "--trace", "trace.csv", "--until", "0s"];
    place.run(&replay).exits(2).says("trace.csv:3");
    place.run(&["verify", "--trace", "trace.csv", "--skip-bad"]).exits(0);
    place.run(&["verify", "--trace", "trace.csv"]).exits(2).says("trace.csv:3");
}

#[test]
fn wrong_arguments_are_usage_errors() {
    let place = Place::with_good();
    place.run(&["run", "--seed", "seven"]).exits(2).says("a seed is a number");
    place.run(&["run", "--seed", "-1"]).exits(2).says("a seed is a number");
    place.run(&["sweep", "--budget", "-5s"]).exits(2).says("cannot be negative");
    place.run(&["sweep", "--verify", "-5%"]).exits(2);
    place.run(&["sweep", "--budget", "5"]).exits(2).says("has no unit").says("as in 30s");
    place.run(&["replay", "a/good", "--seed", "1", "--until", "0"]).exits(2).says("as in 30s");
    for verb in ["run", "verify"] {
        let ran = place.run(&[verb, "--seeds", "4294967295"]).exits(2).says("at most 100000");
        assert_eq!(ran.says("seedbed sweep --seeds N").out, "");
    }
    let ran = place.run(&["run", "--show", "latency.p59"]).exits(2);
    ran.says("did you mean latency.p").says("--help");
    place.run(&["run", "--show", ""]).exits(2).says("`seedbed run --help` lists all");
    place.run(&["run", "--help"]).exits(0).prints("requests.success_rate");
    let twice = place.run(&["run", "--show", "requests.total,requests.total"]).exits(0);
    assert_eq!(twice.out.matches("requests.total").count(), 1, "{twice:?}");
    place.run(&["run", "--seeds", "0"]).exits(2);
    place.run(&["run", "--seed", "1", "--seeds", "2"]).exits(2).says("cannot be used with");
    place.run(&["run", "--format", "yaml"]).exits(2).says("possible values: text, json, jsonl");
    place.run(&["run", "--host", "actix"]).exits(2).says("possible values: native, tokio");
    place.run(&["run", "--jobs", "0"]).exits(2);
    place.run(&["walk"]).exits(2);
    place.run(&[]).exits(2).says("Usage");
    place.run(&["replay", "sims", "--seed", "x"]).exits(2);
    place.run(&["--help"]).exits(0).prints("Exit codes");
    place.run(&["--version"]).exits(0).prints("seedbed ");
}

#[test]
fn schema_and_completions_are_printed() {
    let place = Place::new();
    let committed = fs::read_to_string(repository().join("sims/schema.json")).expect("a schema");
    assert_eq!(place.run(&["schema"]).exits(0).out, committed);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = place.run(&["completions", shell]).exits(0).prints("replay");
        assert!(!ran.out.contains("fingerprints"), "hidden verbs are not completed");
    }
}

#[test]
fn quirks_are_a_table_or_a_document() {
    let place = Place::new();
    place.run(&["list", "--quirks"]).exits(0).prints("stale_retry_after").prints("KB-02");
    let document = place.run(&["list", "--quirks", "--format", "json"]).exits(0).json();
    let quirks = document["quirks"].as_array().expect("quirks");
    assert_eq!(quirks.len(), seedbed::stack::Quirk::ALL.len());
    assert_eq!(quirks[0]["source"], "BerriAI/litellm#35303");
    place.run(&["list", "--quirks", "quickstart"]).exits(2).says("cannot be used with");
}

#[test]
fn list_is_a_table_or_a_document() {
    let place = Place::with_good();
    place.run(&["list"]).exits(0).prints("a/good").prints("All is well");
    let document = place.run(&["list", "--format", "json"]).exits(0).json();
    assert_eq!(document["sims"][0]["path"], "sims/a/good.toml");
    assert_eq!(document["sims"][0]["seeds"], serde_json::json!([1, 2]));
}

/// Starts a command, reads a little of what it prints, and goes away, as `head` does.
fn read_a_little(place: &Place, arguments: &[&str]) -> Ran {
    let mut child = place
        .command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut start = [0; 16];
    let read = child.stdout.take().expect("output").read(&mut start);
    std::io::stdout().flush().expect("a flush");
    assert!(read.expect("a start") > 0);
    Ran::of(arguments, child.wait_with_output().expect("it ends"))
}

#[test]
fn a_closed_output_is_nobodys_error() {
    let place = Place::with_good();
    for arguments in [
        &["run", "--seeds", "3000"][..],
        &["replay", "a/good", "--seed", "1"],
        &["run", "--format", "jsonl", "--seeds", "3000"],
        &["replay", "a/good", "--seed", "1", "--format", "jsonl", "--log", "log.jsonl"],
    ] {
        let ran = read_a_little(&place, arguments);
        assert!(ran.code == Some(141) || ran.code == Some(0), "{ran:?}");
        assert!(!ran.err.contains("error"), "{ran:?}");
    }
}

#[test]
fn a_bug_is_reported_as_one() {
    let output = Place::new().run(&["internal", "panic"]).exits(70);
    let output = output.says("seedbed itself is broken: as asked").says("please report this");
    assert_eq!(output.err.lines().last(), Some("seedbed internal panic"));
}
