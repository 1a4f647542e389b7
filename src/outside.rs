//! Every parser of what comes from outside, by name: for fuzzers, and for the tests that give each
//! of them the kept corpus.
//!
//! A target takes any bytes. It must end soon, must not panic, and must keep what the parser promises
//! of what it takes. Nothing here opens a file; nothing else of the library uses it.

use std::{collections::BTreeMap, path::Path, time::Duration};

use jiff::Timestamp;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use crate::{
    config::{
        Form, Layers, Speaker,
        audit::{Entry, Trail},
        import::import,
        migrate::{self, Legacy, Migration},
        problem::PROBLEMS_MAX,
        read,
    },
    conformance,
    explore::{
        Found,
        sweep::{Line, Lines, Merge, What},
    },
    observe::LogReader,
    policy::retry_after::Said,
    scenario::{self, TraceReader},
    stack::{
        read_error_body,
        settings::Provider,
        sidecar::{
            auth::Keys,
            wire::{Call, Filter, Limits, Method, Request},
        },
    },
};

/// A parser, and what is tried with it.
pub struct Target {
    /// Its name: that of its folder in the corpus.
    pub name: &'static str,
    /// Gives it any bytes. An error is a promise that was broken.
    pub try_bytes: fn(&[u8]) -> Result<(), String>,
}

/// All of them.
pub const TARGETS: [Target; 16] = [
    Target { name: "sim", try_bytes: sim },
    Target { name: "requirements", try_bytes: requirements },
    Target { name: "trace", try_bytes: trace },
    Target { name: "config_toml", try_bytes: config_toml },
    Target { name: "config_json", try_bytes: config_json },
    Target { name: "config_env", try_bytes: config_env },
    Target { name: "migrate", try_bytes: migrate_text },
    Target { name: "import", try_bytes: import_text },
    Target { name: "trail", try_bytes: trail },
    Target { name: "results", try_bytes: results },
    Target { name: "log", try_bytes: log },
    Target { name: "found", try_bytes: found },
    Target { name: "cases", try_bytes: cases },
    Target { name: "token", try_bytes: token },
    Target { name: "request", try_bytes: request },
    Target { name: "answer", try_bytes: answer },
];

/// The longest line that a single mistake may be told in, in bytes: a text of a megabyte must not be
/// told back whole.
const MESSAGE_BYTES_MAX: usize = 4 * 1024;

/// What is not UTF-8 is refused where files are read, before any parser.
fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => bytes
            .get(..error.valid_up_to())
            .and_then(|valid| std::str::from_utf8(valid).ok())
            .unwrap_or_default(),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(was: &T, is: &T, of: &str) -> Result<(), String> {
    if was == is { Ok(()) } else { Err(format!("{of}: {was:?} is read back as {is:?}")) }
}

fn brief(message: &str) -> Result<(), String> {
    match message.len() {
        length if length > MESSAGE_BYTES_MAX => Err(format!("a message of {length} bytes")),
        _ => Ok(()),
    }
}

/// Shows a mistake as the command line does.
fn shown(problem: &dyn Diagnostic) -> Result<(), String> {
    let mut out = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::none()).with_width(80);
    handler.render_report(&mut out, problem).map_err(|_| "a problem cannot be shown".to_owned())
}

fn sim(bytes: &[u8]) -> Result<(), String> {
    let text = text(bytes);
    match scenario::parse("sims/fuzz.toml", text) {
        Ok(sim) => same(&text, &sim.source_text(), "the text of a sim"),
        Err(error) => shown(&error),
    }
}

fn requirements(bytes: &[u8]) -> Result<(), String> {
    match scenario::parse_requirements("requirements.toml", text(bytes)) {
        Ok(rows) if rows.is_empty() => Err("no rows are taken for some".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => shown(&error),
    }
}

fn trace(bytes: &[u8]) -> Result<(), String> {
    for skip in [false, true] {
        let Ok(reader) = TraceReader::read(Path::new("fuzz.csv"), bytes) else { return Ok(()) };
        let (mut latest, mut rows) = (None, 0_usize);
        for row in reader.skip_bad(skip).scale(1_500) {
            match row {
                Ok(row) if latest.is_some_and(|latest| row.at < latest) => {
                    return Err(format!("a request at {:?} comes after {latest:?}", row.at));
                }
                Ok(row) => latest = Some(row.at),
                Err(error) => brief(&error.to_string())?,
            }
            rows += 1;
            if rows > bytes.len() {
                return Err("more requests than bytes".to_owned());
            }
        }
    }
    Ok(())
}

fn config_toml(bytes: &[u8]) -> Result<(), String> {
    config(text(bytes), Form::Toml, "fuzz.toml")
}

fn config_json(bytes: &[u8]) -> Result<(), String> {
    config(text(bytes), Form::Json, "fuzz.json")
}

fn config(text: &str, form: Form, name: &str) -> Result<(), String> {
    let reading = read(name, text, form, &Speaker::File);
    if reading.problems.len() > PROBLEMS_MAX {
        return Err(format!("{} problems of one text", reading.problems.len()));
    }
    for problem in &reading.problems {
        brief(&problem.one_line())?;
        shown(problem)?;
    }
    let mut layers = Layers::new();
    let taken = layers.replace_file(name, text).is_ok();
    in_force(&layers, taken)
}

/// What was refused changed nothing; what was taken can drive the policies.
fn in_force(layers: &Layers, taken: bool) -> Result<(), String> {
    if !taken && *layers != Layers::new() {
        return Err("what was refused is in force".to_owned());
    }
    let config = layers.config();
    for operation in config.known() {
        let tuning = config.operation(operation);
        let (attempts, threshold) = (tuning.attempts, tuning.failure_threshold);
        let _ = (tuning.retry(), tuning.breaker());
        if !(1..=10).contains(&attempts) || threshold == 0 {
            return Err(format!("{operation}: {attempts} attempts, opens after {threshold}"));
        }
    }
    Ok(())
}

/// `NAME=value`, a line each.
fn variables(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn config_env(bytes: &[u8]) -> Result<(), String> {
    let mut layers = Layers::new();
    let taken = layers.replace_env(&variables(text(bytes)));
    if let Err(refused) = &taken {
        refused.problems.iter().try_for_each(|problem| brief(&problem.one_line()))?;
    }
    in_force(&layers, taken.is_ok())
}

fn migrate_text(bytes: &[u8]) -> Result<(), String> {
    let Ok(variables) = migrate::variables(text(bytes)) else { return Ok(()) };
    let permille = Migration::of(Legacy::read(&variables)).score.permille();
    if permille > 1_000 { Err(format!("a score of {permille} permille")) } else { Ok(()) }
}

fn import_text(bytes: &[u8]) -> Result<(), String> {
    match import("fuzz.yaml", text(bytes)) {
        Ok(import) => scenario::parse("sims/imported.toml", &import.sim)
            .map(|_| ())
            .map_err(|error| format!("the sim is none: {error:?}\n{}", import.sim)),
        Err(error) => brief(&error.to_string()),
    }
}

fn trail(bytes: &[u8]) -> Result<(), String> {
    if let Some(entry) = Entry::read(bytes) {
        same(&Some(&entry), &Entry::read(&entry.bytes()).as_ref(), "an entry")?;
    }
    // As files: one entry a line.
    let files: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let (trail, damaged) = Trail::restore(Layers::new(), files.iter().copied());
    if trail.entries().len() + usize::try_from(damaged).unwrap_or(usize::MAX) > files.len() {
        return Err("more entries than files".to_owned());
    }
    Ok(())
}

fn results(bytes: &[u8]) -> Result<(), String> {
    for entry in Lines::new(bytes) {
        let Ok(entry) = entry else { return Err("memory cannot be read".to_owned()) };
        if let What::Line(line) = entry.what {
            let written = line.to_text().map_err(|error| error.to_string())?;
            same(&Ok(line), &Line::parse(written.as_bytes()), "a line of results")?;
        }
    }
    let mut merge = Merge::new();
    if let Ok(complaints) = merge.read("fuzz.jsonl", bytes) {
        complaints.iter().try_for_each(|complaint| brief(complaint))?;
    }
    Ok(())
}

fn log(bytes: &[u8]) -> Result<(), String> {
    let Ok(reader) = LogReader::new(bytes) else { return Ok(()) };
    for record in reader {
        if let Err(error) = record {
            brief(&error.to_string())?;
        }
    }
    Ok(())
}

fn found(bytes: &[u8]) -> Result<(), String> {
    match Found::parse(text(bytes)) {
        Ok(found) => same(&Ok(&found), &Found::parse(&found.text()).as_ref(), "a failure"),
        Err(_) => Ok(()),
    }
}

fn cases(bytes: &[u8]) -> Result<(), String> {
    conformance::parse(text(bytes)).map_or_else(|error| brief(&error.to_string()), |_| Ok(()))
}

/// The header of a token, and in the next line its claims: as they are, and then encoded and with a
/// good signature, as nothing of the claims is read before that.
fn token(bytes: &[u8]) -> Result<(), String> {
    let secret = b"a secret of more than thirty-two bytes";
    let Some(keys) = Keys::new(secret, Duration::ZERO) else { return Err("no keys".to_owned()) };
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (header, claims) = bytes.split_at(end);
    let signed = keys.sign(header, claims.get(1..).unwrap_or_default());
    for token in [text(bytes), &signed] {
        if let Ok(claims) = keys.verify(token, Timestamp::UNIX_EPOCH) {
            let again = keys.verify(&keys.issue(&claims), Timestamp::UNIX_EPOCH);
            same(&Ok(claims), &again, "claims")?;
        }
    }
    Ok(())
}

/// `METHOD path`, headers, an empty line, and a body.
fn request(bytes: &[u8]) -> Result<(), String> {
    let mut rest = bytes;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let line = text(rest.get(..end).unwrap_or_default());
        rest = rest.get(end + 1..).unwrap_or_default();
        line
    };
    let (method, path) = line().split_once(' ').unwrap_or_default();
    let method = match method {
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        _ => Method::Get,
    };
    let mut request = Request::new(method, path);
    while let Some((name, value)) = line().split_once(':') {
        request.headers.add(name, value.trim());
    }
    request.body = rest.to_vec();
    if let Some((_, query)) = path.split_once('?') {
        let _ = Filter::read(query);
    }
    let limits = Limits { body: 4 * 1024, path: 1024 };
    match Call::read(&request, &limits) {
        Ok(_) if request.body.len() > limits.body => Err("a body that is too long".to_owned()),
        Ok(_) => Ok(()),
        Err(fault) => brief(&format!("{fault:?}")),
    }
}

/// Headers, an empty line and the body of an error, as a provider sends them.
fn answer(bytes: &[u8]) -> Result<(), String> {
    let text = text(bytes);
    let (head, body) = text.split_once("\n\n").unwrap_or((text, text));
    let headers: Vec<(&str, &str)> = head.lines().filter_map(|it| it.split_once(':')).collect();
    let _ = Said::read(&headers, Timestamp::UNIX_EPOCH);
    for provider in [Provider::Anthropic, Provider::Openai, Provider::Generic] {
        let parts = read_error_body(provider, body);
        brief(&parts.code)?;
        brief(&parts.message)?;
    }
    Ok(())
}
