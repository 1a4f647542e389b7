//! The policies behave as the libraries that they are modelled on, case by case, and every
//! expectation of every case can fail.

use std::{
    fs,
    path::{Path, PathBuf},
};

use seedbed::conformance::{Case, Verdict, parse, run};
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cases(path: &Path) -> Vec<Case> {
    let text = fs::read_to_string(path).expect("a file of cases");
    parse(&text).expect("cases")
}

/// The cases that are kept here.
fn own() -> Vec<PathBuf> {
    let folder = fs::read_dir(root().join("tests/conformance")).expect("a folder");
    let paths = folder.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "there are no cases");
    paths
}

/// Cases that are kept elsewhere, where there are any.
fn shared() -> Option<PathBuf> {
    let path = root().join("../shared/vectors/resilience.json");
    path.is_file().then_some(path)
}

#[test]
fn every_case_kept_here_passes() {
    for case in own().iter().flat_map(|path| cases(path)) {
        assert_eq!(run(&case), Verdict::Passed, "{}", case.id);
    }
}

#[test]
fn no_shared_case_fails() {
    for case in shared().iter().flat_map(|path| cases(path)) {
        assert!(!matches!(run(&case), Verdict::Failed(_)), "{}: {:?}", case.id, run(&case));
    }
}

/// Something else, of the same type where that is possible.
fn other(name: &str, value: &Value) -> Value {
    match value {
        Value::Null => json!("something"),
        Value::Bool(value) => json!(!value),
        Value::Number(number) => {
            let number = number.as_f64().expect("a number");
            let by = (number.abs() * 0.01).max(1.0);
            json!(if name.ends_with("_at_most") { number.min(0.0) - 1e15 } else { number + by })
        }
        Value::String(text) => json!(format!("{text}x")),
        Value::Array(pair) if name.ends_with("_between") => {
            let high = pair[1].as_f64().expect("a number");
            json!([high + 1.0 + high.abs(), high + 2.0 + 2.0 * high.abs()])
        }
        Value::Array(items) => json!([items.as_slice(), &[json!("one more")]].concat()),
        Value::Object(fields) => {
            let mut fields = fields.clone();
            fields.insert("one more".to_owned(), json!(1));
            Value::Object(fields)
        }
    }
}

#[test]
fn every_wrong_expectation_of_a_case_is_a_difference() {
    let mut perturbed = 0;
    for mut case in own().iter().chain(&shared()).flat_map(|path| cases(path)) {
        if run(&case) != Verdict::Passed {
            continue;
        }
        let mut wanted = Vec::new();
        for expected in &mut case.expect {
            for (name, value) in &mut expected.values {
                *value = other(name, value);
                wanted.push((expected.after_step, name.clone()));
            }
        }
        // What is compared changes nothing, so all can be wrong at once: each must be told.
        let differences = match run(&case) {
            Verdict::Failed(differences) => differences,
            verdict => panic!("{}: {verdict:?} with {wanted:?} wrong", case.id),
        };
        assert_eq!(differences.len(), wanted.len(), "{}: {wanted:?}: {differences:?}", case.id);
        perturbed += wanted.len();
    }
    assert!(perturbed > 100, "{perturbed}");
}

mod verb {
    //! What the verb prints, and its exit codes.

    use std::{fs, process::Command};

    use serde_json::{Value, json};

    struct Ran {
        code: Option<i32>,
        out: String,
        err: String,
    }

    fn run(text: &[u8], more: &[&str]) -> Ran {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("cases.json"), text).expect("a file");
        of(Command::new(env!("CARGO_BIN_EXE_seedbed"))
            .args(["conformance", "cases.json"])
            .args(more)
            .current_dir(folder.path()))
    }

    fn of(command: &mut Command) -> Ran {
        let output = command.output().expect("it starts");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// A case of a check that returns healthy, and what it expects.
    fn case(id: &str, name: &str, wanted: Value) -> Value {
        let mut expect = json!({ "after_step": 0 });
        expect[name] = wanted;
        json!({
            "id": id,
            "kind": "health",
            "steps": [{ "at_ms": 0, "event": "check", "check_returns": "HEALTHY" }],
            "expect": [expect],
        })
    }

    #[test]
    fn there_is_a_line_for_each_case_and_one_for_all() {
        let good = case("a", "status", json!("HEALTHY"));
        let bad = case("b", "status", json!("UNKNOWN"));
        let odd = case("c", "colour", json!("red"));
        let ran = run(json!([good, odd]).to_string().as_bytes(), &[]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let expected = "passed a\nunsupported c: nothing tells \"colour\"\n\
                        1 passed, 0 failed, 1 unsupported\n";
        assert_eq!(ran.out, expected);
        let ran = run(json!([good, bad, odd]).to_string().as_bytes(), &[]);
        assert_eq!(ran.code, Some(1));
        let line = "failed b: after step 0, status is \"healthy\", not \"UNKNOWN\"\n";
        assert!(ran.out.contains(line), "{}", ran.out);
        assert!(ran.out.ends_with("1 passed, 1 failed, 1 unsupported\n"), "{}", ran.out);
        let ran = run(json!([good, bad, odd]).to_string().as_bytes(), &["--format", "json"]);
        assert_eq!(ran.code, Some(1));
        let document: Value = serde_json::from_str(&ran.out).expect("JSON");
        assert_eq!(document["cases"][0]["verdict"], "passed");
        assert_eq!(document["cases"][1]["differences"].as_array().map(Vec::len), Some(1));
        assert_eq!(document["cases"][2]["reason"], "nothing tells \"colour\"");
        assert_eq!(document["failed"], 1);
    }

    #[test]
    fn files_that_cannot_be_run_say_why() {
        let refused = |text: &[u8], words: &[&str]| {
            let ran = run(text, &[]);
            assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{}", ran.err);
            for word in words.iter().chain(&["cases.json", "help:"]) {
                assert!(ran.err.contains(word), "{word}: {}", ran.err);
            }
        };
        refused(b"", &["line 1 column 0"]);
        refused(b"{}", &["not a JSON array of cases"]);
        refused(b"[{\"id\": 7}]", &["case 1: invalid type", "line 1 column 9"]);
        refused(b"[{\"id\": \"a\", \"kind\": {}}]", &["case 1 (\"a\"): invalid type"]);
        refused(b"[\"\xff\"]", &["not UTF-8", "byte 2"]);
        let good = case("a", "status", json!("HEALTHY"));
        refused(json!([good, good]).to_string().as_bytes(), &["case \"a\"", "the same id"]);
        let deep = format!("[{{\"x\": {}", "[".repeat(1_000_000));
        refused(deep.as_bytes(), &["recursion limit"]);
        let ran = run(b"[]", &[]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(4), ""));
        assert!(ran.err.contains("there is no case in it"), "{}", ran.err);
    }

    #[test]
    fn only_a_readable_file_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        for (argument, words) in [("gone.json", "cannot read gone.json"), (".", "is a folder")] {
            let ran = of(Command::new(env!("CARGO_BIN_EXE_seedbed"))
                .args(["conformance", argument])
                .current_dir(folder.path()));
            assert_eq!(ran.code, Some(2));
            assert!(ran.err.contains(words), "{}", ran.err);
        }
    }
}
