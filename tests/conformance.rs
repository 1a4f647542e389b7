//! The policies behave as the libraries that they are modelled on, case by case, and every
//! expectation of every case can fail.

#![cfg(feature = "cli")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

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
fn any_wrong_expectation_fails_its_case() {
    let mut perturbed = 0;
    for case in own().iter().chain(&shared()).flat_map(|path| cases(path)) {
        if run(&case) != Verdict::Passed {
            continue;
        }
        for (index, expected) in case.expect.iter().enumerate() {
            for (name, value) in &expected.values {
                let mut wrong = case.clone();
                wrong.expect[index].values.insert(name.clone(), other(name, value));
                let verdict = run(&wrong);
                let place = format!("{}: {name} after step {}", case.id, expected.after_step);
                assert!(matches!(verdict, Verdict::Failed(_)), "{place}: {verdict:?}");
                perturbed += 1;
            }
        }
    }
    assert!(perturbed > 100, "{perturbed}");
}
