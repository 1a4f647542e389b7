//! The requirement rows: what the sims are there to prove.
//!
//! They are in `sims/requirements.toml`, which is not a sim, and in the binary for use without it.
//! Nothing here runs a sim; a row is proved when the sims behind it come to what they must.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::build::{invalid, syntax};
use super::error::{Problem, ScenarioError};
use super::field::At;
use super::files::read_text;
use super::model::{Must, Sim};
use super::names::nearest;
use super::span::Source;
use super::{TEXT_BYTES_MAX, units::quoted};

/// The name of the file, in a folder of sims. A file of this name is never searched for sims.
pub(super) const FILE_NAME: &str = "requirements.toml";

/// The longest ID of a row, in bytes.
const ID_BYTES_MAX: usize = 64;

/// One row: what something must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Its name in a sim's `covers`, as in `CCR-F1`.
    pub id: String,
    /// What happens, or is asked for.
    pub behaviour: String,
    /// What must come of it.
    pub expected: String,
    /// The file of the test that proves it, if no sim can: what is measured on the wall clock.
    pub test: Option<String>,
}

impl Requirement {
    /// Whether a sim is there to prove it: it says so, it expects something, and it is no canary.
    #[must_use]
    pub fn is_proved_by(&self, sim: &Sim) -> bool {
        sim.must == Must::Pass && !sim.expectations.is_empty() && sim.covers.contains(&self.id)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct RawRequirements {
    #[serde(default)]
    row: Vec<RawRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct RawRow {
    id: At<String>,
    behaviour: At<String>,
    expected: At<String>,
    test: Option<At<String>>,
}

/// Whether a text can be the ID of a row: letters, digits, `-` and `.`.
pub(super) fn is_id(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
    (1..=ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed)
}

/// Reads rows from their text; `name` is the file's path, for messages.
///
/// # Errors
///
/// [`ScenarioError::TooLarge`], or [`ScenarioError::Invalid`] with every problem of the text: a key
/// that is unknown, an ID that is none or is there twice, a text that is empty, no row at all.
pub fn parse_requirements(name: &str, text: &str) -> Result<Vec<Requirement>, ScenarioError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(ScenarioError::TooLarge { name: name.to_owned() });
    }
    let source = Source::new(name, text);
    let raw: RawRequirements = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(error) => return Err(invalid(vec![syntax::problem(&source, &error)])),
    };
    let mut problems = Vec::new();
    let mut problem = |span, label: &str, message: String, help: &str| {
        let mut problem = Problem::new(&source, span, label, message);
        problem.help = Some(help.to_owned());
        problems.push(problem);
    };
    if raw.row.is_empty() {
        let help = "add [[row]] with id, behaviour and expected";
        problem((0, 0).into(), "", "there is no row".to_owned(), help);
    }
    let mut lines = BTreeMap::new();
    for (number, RawRow { id, behaviour, expected, test }) in raw.row.iter().enumerate() {
        if !is_id(&id.value) {
            let message = format!("{} cannot be the ID of a row", quoted(&id.value));
            problem(id.span, "not an ID", message, "write letters, digits, - and ., as in CCR-F1");
        }
        if let Some(first) = lines.insert(id.value.as_str(), number) {
            let message = format!("{} is the ID of row {} already", id.value, first + 1);
            problem(id.span, "again here", message, "give it an ID of its own");
        }
        for text in [Some(behaviour), Some(expected), test.as_ref()].into_iter().flatten() {
            if text.value.trim().is_empty() {
                let help = "say in a sentence what must happen";
                problem(text.span, "empty", format!("{} says nothing", id.value), help);
            }
        }
    }
    if !problems.is_empty() {
        return Err(invalid(problems));
    }
    let row = |RawRow { id, behaviour, expected, test }| Requirement {
        id: id.value,
        behaviour: behaviour.value,
        expected: expected.value,
        test: test.map(|test| test.value),
    };
    Ok(raw.row.into_iter().map(row).collect())
}

/// The rows of the `requirements.toml` in a folder of sims; `None` if there is no such file.
///
/// # Errors
///
/// A file that cannot be read, and whatever [`parse_requirements`] refuses.
pub fn load_requirements(folder: &Path) -> Result<Option<Vec<Requirement>>, ScenarioError> {
    let path = folder.join(FILE_NAME);
    if !path.is_file() {
        return Ok(None);
    }
    parse_requirements(&path.to_string_lossy(), &read_text(&path)?).map(Some)
}

/// What is wrong with the rows that a sim says it covers: those that there are not.
///
/// # Errors
///
/// [`ScenarioError::Invalid`] that points at each of them, with the nearest row there is.
pub fn unknown_rows(sim: &Sim, rows: &[Requirement]) -> Result<(), ScenarioError> {
    let mut problems = Vec::new();
    for id in sim.covers.iter().filter(|id| rows.iter().all(|row| row.id != **id)) {
        // A sim keeps the words of its rows, not their places.
        let written = format!("\"{id}\"");
        let start = sim.source.text().find(&written).unwrap_or(0);
        let message = format!("there is no requirement row {}", quoted(id));
        let span = (start, written.len()).into();
        let mut problem = Problem::new(&sim.source, span, "unknown row", message);
        problem.help = Some(match nearest(id, rows.iter().map(|row| row.id.as_str())) {
            Some(near) => format!("did you mean \"{near}\"? `seedbed coverage` shows all"),
            None => "`seedbed coverage` shows the rows there are".to_owned(),
        });
        problems.push(problem);
    }
    if problems.is_empty() { Ok(()) } else { Err(invalid(problems)) }
}
