//! Every parser of what comes from outside, by name: for fuzzers, and for the tests that give each
//! of them the kept corpus.
//!
//! A target takes any bytes. It must end soon, must not panic, and must keep what the parser promises
//! of what it takes. Nothing here opens a file; nothing else of the library uses it.

use std::{
    collections::BTreeMap,
    fmt::{Debug, Display},
    path::Path,
    str::FromStr,
    time::Duration,
};

use jiff::Timestamp;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use crate::{
    cli,
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
        Found, History, StackState, explain, reprinted,
        sweep::{Line, Lines, Merge, Shard, What},
    },
    observe::LogReader,
    policy::{
        quota::Zone,
        retry_after::Said,
        trace_context::{TraceContext, read_state},
    },
    report::event,
    scenario::{self, Load, TraceReader},
    stack::{
        read_error_body,
        settings::Provider,
        sidecar::{
            auth::Keys,
            events, results,
            wire::{Call, Filter, Limits, Method, Request},
        },
    },
    world::{Seed, World},
};

/// A parser, and what is tried with it.
pub struct Target {
    /// Its name: that of its folder in the corpus.
    pub name: &'static str,
    /// Gives it any bytes. An error is a promise that was broken.
    pub try_bytes: fn(&[u8]) -> Result<(), String>,
}

/// All of them.
pub const TARGETS: [Target; 22] = [
    Target { name: "sim", try_bytes: sim },
    Target { name: "expand", try_bytes: expand_sim },
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
    Target { name: "history", try_bytes: history },
    Target { name: "found", try_bytes: found },
    Target { name: "cases", try_bytes: cases },
    Target { name: "token", try_bytes: token },
    Target { name: "request", try_bytes: request },
    Target { name: "answer", try_bytes: answer },
    Target { name: "traceparent", try_bytes: traceparent },
    Target { name: "words", try_bytes: words },
    Target { name: "stored", try_bytes: stored },
    Target { name: "scrape", try_bytes: scrape },
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

fn same<T: PartialEq + Debug>(was: &T, is: &T, of: &str) -> Result<(), String> {
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
        Ok(sim) => {
            // `shrink` and `explain --faults` write sims anew: it must stay one.
            let again = reprinted(sim.source_text()).ok_or("no document is made of a sim")?;
            let again = scenario::parse("sims/again.toml", &again);
            again.map_err(|error| format!("written anew it is no sim: {error:?}"))?;
            same(&text, &sim.source_text(), "the text of a sim")
        }
        Err(error) => shown(&error),
    }
}

/// A sim that is taken can be made into a world, whatever its numbers are; nothing of it runs.
fn expand_sim(bytes: &[u8]) -> Result<(), String> {
    let Ok(sim) = scenario::parse("sims/fuzz.toml", text(bytes)) else { return Ok(()) };
    let seed = Seed(1);
    let sim = sim.under(seed);
    // A million nodes are allowed, and take their time; a trace is a file.
    if sim.node_names().len() > 1_000 || matches!(sim.load, Some(Load::Trace { .. })) {
        return Ok(());
    }
    let mut world = World::new(seed);
    scenario::expand(&mut world, &sim, None, false).map(drop).map_err(|error| error.to_string())
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

/// A history as `replay` writes it, and what `explain` and the stepping through it say of it.
fn history(bytes: &[u8]) -> Result<(), String> {
    let history = match History::read(bytes) {
        Ok((history, _)) => history,
        Err(error) => return brief(&error),
    };
    for record in &history.records {
        let _ = event::line(record, 8);
        let _ = history.chain(record.seq, 100);
    }
    let _ = StackState::after(&history.records);
    let found = explain(&history, &history);
    match found.difference {
        None => Ok(()),
        Some(difference) => Err(format!("a history differs from itself: {difference:?}")),
    }
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

/// Headers, one a line: every `traceparent: …` and `tracestate: …` of a request.
fn traceparent(bytes: &[u8]) -> Result<(), String> {
    let lines = text(bytes).lines().filter_map(|line| line.split_once(':'));
    let (mut parents, mut states) = (Vec::new(), Vec::new());
    for (name, value) in lines {
        if name.trim().eq_ignore_ascii_case("tracestate") {
            states.push(value);
        } else {
            parents.push(value);
        }
    }
    for parent in &parents {
        if let Ok(context) = TraceContext::parse(parent) {
            same(&Ok(context), &TraceContext::parse(&context.to_string()), "a context")?;
        }
    }
    let read = TraceContext::read(parents.iter().copied());
    if parents.len() > 1 && read.is_ok() {
        return Err("two headers are taken for one".to_owned());
    }
    let Some(state) = read_state(states.into_iter()) else { return Ok(()) };
    let again = read_state(std::iter::once(state.as_str()));
    same(&Some(&state), &again.as_ref(), "a state")
}

/// One word a line, so many at most: everything that arguments, variables and fields say in one word.
/// The first may be a time zone, which takes long if it is none: all names are compared with it.
fn words(bytes: &[u8]) -> Result<(), String> {
    again::<Zone>(text(bytes).lines().next().unwrap_or_default())?;
    for word in text(bytes).lines().take(20) {
        match scenario::parse_duration(word) {
            Ok(it) => {
                let written = scenario::duration_text(it);
                same(&Ok(it), &scenario::parse_duration(&written), "a duration")?;
            }
            Err(error) => brief(&format!("{error}: {}", error.help))?,
        }
        if let Err(error) = scenario::parse_signed_duration(word) {
            brief(&error.to_string())?;
        }
        if let Err(error) = scenario::parse_probability(word) {
            brief(&error.to_string())?;
        }
        if let Err(error) = scenario::parse_ratio(word) {
            brief(&error.to_string())?;
        }
        if let Err(error) = cli::break_at(word) {
            brief(&error)?;
        }
        again::<Seed>(word)?;
        again::<Shard>(word)?;
        again::<events::Cursor>(word)?;
        again::<results::Cursor>(word)?;
        again::<results::ContentId>(word)?;
    }
    Ok(())
}

/// What is taken is read back from how it is written.
fn again<T>(word: &str) -> Result<(), String>
where
    T: FromStr<Err: Debug + Display + PartialEq> + Display + Debug + PartialEq,
{
    match word.parse::<T>() {
        Ok(it) => same(&Ok(&it), &it.to_string().parse::<T>().as_ref(), "a word"),
        Err(error) => brief(&error.to_string()),
    }
}

/// What the sidecar finds on its disk: a path in the first line, then the file.
fn stored(bytes: &[u8]) -> Result<(), String> {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (path, file) = bytes.split_at(end);
    let file = file.get(1..).unwrap_or_default();
    let files = [(text(path).to_owned(), file), ("other".to_owned(), file)];
    let (_, damaged) = results::Store::restore(results::Settings::default(), files);
    if damaged.is_empty() {
        return Err("one result is taken from two places".to_owned());
    }
    damaged.iter().try_for_each(|damaged| brief(&damaged.to_string()))
}

/// What is sent to `--serve-metrics`.
fn scrape(bytes: &[u8]) -> Result<(), String> {
    let answer = cli::scraped(bytes);
    if answer.starts_with(b"HTTP/1.1 ") && answer.len() < 1_024 {
        Ok(())
    } else {
        Err(format!("an answer of {} bytes", answer.len()))
    }
}
