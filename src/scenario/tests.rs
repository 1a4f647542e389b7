//! What a sim may say, what it may not, and how a refusal reads.

mod backend;
mod breaker;
mod chaos;
mod defaults;
mod files;
mod flows;
mod hostile;
mod nodes;
mod refused;
mod refused_router;
mod refused_stack;
mod repository;
mod resilience;
mod services;
mod sidecar;
mod traces;
mod units;

use std::fmt::Write as _;

use miette::{Diagnostic, LabeledSpan};

use super::{ScenarioError, Sim, parse};

/// The least a sim can say.
const MINIMAL: &str = r#"purpose = "p"
[router]
primary = "opus"
[[backend]]
name = "opus"
[[agent]]
name = "rust"
count = 3
"#;

/// A sim that is valid, or the report on why it is not.
#[track_caller]
fn valid(text: &str) -> Sim {
    parse("sims/test.toml", text).unwrap_or_else(|error| panic!("{}", report(&error)))
}

/// [`MINIMAL`] with more tables after it.
#[track_caller]
fn with(tables: &str) -> Sim {
    valid(&format!("{MINIMAL}{tables}"))
}

/// Each problem in a line: `line:column "text at the place" message | help`.
fn report(error: &ScenarioError) -> String {
    let Some(first) = error.problem() else {
        return format!("{error} | {}", error.help().map(|h| h.to_string()).unwrap_or_default());
    };
    let mut text = String::new();
    for problem in std::iter::once(first).chain(&first.related) {
        let (line, column) = problem.position();
        let source = problem.source.text();
        let written = |label: &LabeledSpan| {
            let end = label.offset() + label.len();
            source.get(label.offset()..end).expect("a span within the text").replace('\n', "\\n")
        };
        let labels: Vec<String> = problem.labels.iter().map(written).collect();
        let help = problem.help.as_deref().expect("every problem says what to do");
        writeln!(text, "{line}:{column} [{}] {problem} | {help}", labels.join("] ["))
            .expect("writing to a string");
    }
    text
}

/// Checks that a text is refused, with exactly these beginnings of lines of [`report`].
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let report = match parse("sims/test.toml", text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(error) => report(&error),
    };
    let lines: Vec<&str> = report.lines().collect();
    let same = lines.len() == expected.len()
        && lines.iter().zip(expected).all(|(line, expected)| line.starts_with(expected));
    assert!(same, "expected:\n{}\n\nfound:\n{report}", expected.join("\n"));
}

/// [`check`] for tables that follow [`MINIMAL`], which has eight lines.
#[track_caller]
fn check_tables(tables: &str, expected: &[&str]) {
    check(&format!("{MINIMAL}{tables}"), expected);
}
