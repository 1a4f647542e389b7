//! The one place that reads files and the process's environment for `seedbed config`. No more of a
//! file is read than a configuration may have.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use serde::Serialize;

use crate::{
    cli::error::CliError,
    config::{Config, Layers, Preset, Problem, Value, security::TEXT_BYTES_MAX},
};

/// Reads a file. Of one that is too long only so much that this is seen.
pub(super) fn text(path: &Path) -> Result<String, CliError> {
    text_up_to(path, TEXT_BYTES_MAX)
}

/// The same for texts of another length.
pub(super) fn text_up_to(path: &Path, longest: usize) -> Result<String, CliError> {
    let mut bytes = Vec::new();
    let most = u64::try_from(longest.saturating_add(1)).unwrap_or(u64::MAX);
    let read = |bytes: &mut Vec<u8>| -> io::Result<()> {
        File::open(path)?.take(most).read_to_end(bytes)?;
        Ok(())
    };
    read(&mut bytes).map_err(|error| {
        let help = "check the path and its permissions";
        CliError::usage(format!("cannot read {}: {error}", path.display()), help)
    })?;
    if bytes.len() > longest {
        // A character may have been cut, and the text is refused anyway.
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message = format!("{} is not UTF-8 text: byte {at} is invalid", path.display());
        CliError::usage(message, "a configuration is a text; is this another file?")
    })
}

/// A file or the name of a preset, with the warnings.
pub(super) fn config(name: &str) -> Result<(Config, Vec<Problem>), CliError> {
    let path = Path::new(name);
    if !path.exists()
        && let Some(preset) = Preset::parse(name)
    {
        return Ok((Config::preset(preset), Vec::new()));
    }
    if !path.exists() && !name.contains(['.', '/', '\\']) {
        return Err(CliError::usage(
            format!("there is no preset and no file called {name}"),
            presets(name),
        ));
    }
    let mut layers = Layers::new();
    let warnings = layers.replace_file(name, &text(path)?).map_err(CliError::Config)?;
    Ok((layers.config().clone(), warnings))
}

/// The preset that was meant, or all there are.
pub(super) fn presets(name: &str) -> String {
    let known = Preset::ALL.map(Preset::as_str);
    match crate::config::names::nearest(name, known) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("the presets are {}", known.join(", ")),
    }
}

/// The variables of this process that are text.
pub(super) fn environment() -> BTreeMap<String, String> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// A value as JSON writes it.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Plain {
    Count(u32),
    Decimal(f64),
    Switch(bool),
}

impl From<Value> for Plain {
    fn from(value: Value) -> Plain {
        match value {
            Value::Count(count) => Plain::Count(count),
            Value::Span(span) => Plain::Decimal(span.as_secs_f64()),
            Value::Permille(permille) => Plain::Decimal(f64::from(permille) / 1_000.0),
            Value::Switch(on) => Plain::Switch(on),
        }
    }
}

/// A problem as JSON writes it.
#[derive(Serialize)]
pub(super) struct ProblemDocument {
    kind: &'static str,
    severity: &'static str,
    text: String,
    line: u32,
    column: u32,
    key: String,
    message: String,
    why: String,
    help: String,
}

impl From<&Problem> for ProblemDocument {
    fn from(problem: &Problem) -> ProblemDocument {
        let (line, column) = problem.position();
        ProblemDocument {
            kind: problem.kind.as_str(),
            severity: if problem.is_warning { "warning" } else { "error" },
            text: problem.source.name().to_owned(),
            line,
            column,
            key: problem.key.clone(),
            message: problem.what.clone(),
            why: problem.why.clone(),
            help: problem.help.clone(),
        }
    }
}
