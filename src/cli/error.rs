//! What can end a verb early, in words and as an exit code.

mod bounded;

use std::{fmt::Write as _, io, path::PathBuf};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use self::bounded::Bounded;
use super::exit::Exit;
use crate::{
    config::Problem,
    explore::RunError,
    report::text::{COLUMNS, RED, styled},
    scenario::ScenarioError,
    world::StartError,
};

/// Why a verb could not do what it was asked to.
#[derive(Debug)]
pub(super) enum CliError {
    /// Sims that cannot be read; never empty.
    Scenarios(Vec<ScenarioError>),
    /// A sim that cannot be run, and the command that shows it.
    Run { error: RunError, replay: String },
    /// A trace that cannot be read.
    Trace(crate::scenario::TraceError),
    /// A configuration that is refused.
    Config(crate::config::Refused),
    /// Something that was asked for cannot be.
    Usage { message: String, help: String },
    /// There is nothing to do.
    Nothing { message: String, help: String },
    /// A file that cannot be written.
    Output { path: PathBuf, source: io::Error },
    /// Standard output is gone. That is nobody's error.
    Closed,
    /// A bug in seedbed, and the command that shows it.
    Internal { message: String, replay: String },
}

/// What cannot be written as JSON is a bug.
impl From<serde_json::Error> for CliError {
    fn from(error: serde_json::Error) -> CliError {
        CliError::Internal { message: error.to_string(), replay: super::command_line() }
    }
}

impl CliError {
    pub(super) fn usage(message: impl Into<String>, help: impl Into<String>) -> CliError {
        CliError::Usage { message: message.into(), help: help.into() }
    }

    pub(super) fn exit(&self) -> Exit {
        match self {
            CliError::Scenarios(errors) => {
                let is_empty =
                    |error: &ScenarioError| matches!(error, ScenarioError::NoSims { .. });
                if errors.iter().all(is_empty) { Exit::NothingRan } else { Exit::Usage }
            }
            CliError::Run { error: RunError::Start(error), .. } => match error {
                StartError::InsideRuntime | StartError::Runtime(_) => Exit::Internal,
                _ => Exit::Usage,
            },
            CliError::Run { .. }
            | CliError::Trace(_)
            | CliError::Config(_)
            | CliError::Usage { .. }
            | CliError::Output { .. } => Exit::Usage,
            CliError::Nothing { .. } => Exit::NothingRan,
            CliError::Closed => Exit::Closed,
            CliError::Internal { .. } => Exit::Internal,
        }
    }

    /// What is said on standard error, with a newline at its end; empty if nothing is to be said.
    pub(super) fn report(&self) -> String {
        match self {
            CliError::Scenarios(errors) => errors.iter().map(scenario_report).collect(),
            CliError::Run { error: RunError::Scenario(error), replay } => {
                format!("{}{replay}\n", scenario_report(error))
            }
            CliError::Run { error, replay } => {
                let help = match error {
                    RunError::Trace(_) => "--skip-bad leaves broken lines out and counts them",
                    _ => "",
                };
                format!("{}{replay}\n", plain(&error.to_string(), help))
            }
            CliError::Trace(error) => plain(&error.to_string(), "check the path and the format"),
            CliError::Config(refused) => refused.problems.iter().map(problem_report).collect(),
            CliError::Usage { message, help } | CliError::Nothing { message, help } => {
                plain(message, help)
            }
            CliError::Output { path, source } => plain(
                &format!("cannot write {}: {source}", path.display()),
                "name a file in a folder that exists and may be written to",
            ),
            CliError::Closed => String::new(),
            CliError::Internal { message, replay } => {
                plain(
                    &format!("seedbed itself is broken: {message}"),
                    "please report this, with the sim and the command below",
                ) + replay
                    + "\n"
            }
        }
    }
}

fn plain(message: &str, help: &str) -> String {
    let mut text = format!("{} {message}\n", styled(RED, "error:"));
    if !help.is_empty() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  help: {help}");
    }
    text
}

/// An error in a sim, with the place where it is written.
pub(super) fn scenario_report(error: &ScenarioError) -> String {
    drawn(error).unwrap_or_else(|| plain(&error.to_string(), ""))
}

/// What is wrong with a configuration, with the place where it is written.
pub(super) fn problem_report(problem: &Problem) -> String {
    let is_drawn = !problem.source.text().is_empty();
    let picture = is_drawn.then(|| drawn(problem)).flatten();
    picture.unwrap_or_else(|| {
        let message = format!("{}: {}: {}", problem.source.name(), problem.what, problem.why);
        plain(&message, &problem.help)
    })
}

fn drawn(diagnostic: &dyn Diagnostic) -> Option<String> {
    // Colours are taken out again where they are not wanted.
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode())
        .with_width(COLUMNS)
        .with_links(false);
    let mut all: Vec<String> = Vec::new();
    for one in std::iter::once(diagnostic).chain(diagnostic.related().into_iter().flatten()) {
        let mut text = String::new();
        let bounded = Bounded::new(one, diagnostic.source_code());
        handler.render_report(&mut text, &bounded).ok()?;
        // What two layers of a configuration refuse is said once.
        if !all.contains(&text) {
            all.push(text);
        }
    }
    Some(all.concat())
}
