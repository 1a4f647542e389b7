//! What the TOML parser itself refuses: syntax, unknown keys, wrong types.
//!
//! Its messages are kept; this adds the nearest key and what to do instead.

use miette::SourceSpan;

use crate::scenario::error::Problem;
use crate::scenario::names::nearest;
use crate::scenario::span::Source;
use crate::scenario::units::clip;

/// The parser's error as a problem at its place.
pub(in crate::scenario) fn problem(source: &Source, error: &toml::de::Error) -> Problem {
    let len = source.text().len();
    let span = error.span().unwrap_or(0..0);
    let span = span.start.min(len)..span.end.min(len);
    let place = SourceSpan::from((span.start, span.len()));
    let message = error.message().trim();
    let written = source.text().get(span).unwrap_or_default();
    for (start, noun) in [("unknown field", "key"), ("unknown variant", "value")] {
        if message.starts_with(start) {
            return unknown(source, place, written, noun, &expected(message));
        }
    }
    let first_line = message.lines().next().unwrap_or("invalid TOML");
    let mut problem = Problem::new(source, place, "here", lower_first(first_line));
    let rest: Vec<&str> = message.lines().skip(1).map(str::trim).collect();
    problem.help = Some(if let Some(key) = message.strip_prefix("missing field ") {
        format!("add {} = … to this table", key.trim_matches('`'))
    } else if let Some(rest) = rest.first().filter(|rest| !rest.is_empty()) {
        format!("the parser says: {}", clip(rest))
    } else if message.starts_with("invalid type") || message.starts_with("invalid value") {
        "write a value of the expected type; `seedbed schema` lists every key".to_owned()
    } else if message.starts_with("duplicate key") {
        "remove one of the two".to_owned()
    } else {
        "correct the TOML here; see https://toml.io for its syntax".to_owned()
    });
    problem
}

fn unknown(
    source: &Source,
    place: SourceSpan,
    written: &str,
    noun: &str,
    expected: &[&str],
) -> Problem {
    let name = written.trim_matches(['"', '\'']);
    let mut problem = Problem::new(
        source,
        place,
        &format!("unknown {noun}"),
        format!("unknown {noun} `{}`", clip(name).escape_debug()),
    );
    let list = format!("expected one of: {}", expected.join(", "));
    problem.help = Some(match nearest(name, expected.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? {list}"),
        None => list,
    });
    problem
}

/// The names that serde lists after "expected", each in backticks.
fn expected(message: &str) -> Vec<&str> {
    let Some((_, list)) = message.rsplit_once(", expected ") else { return Vec::new() };
    list.split('`').skip(1).step_by(2).collect()
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        // "TOML parse error" keeps its capitals.
        Some(first) if !text.starts_with("TOML") => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}
