//! `seedbed check`: reads sims without running them.

use clap::Args;
use serde::Serialize;

use super::{
    coverage,
    error::{CliError, scenario_report},
    exit::Exit,
    list::pretty,
    options::{Format, SimArgs},
    screen::Screen,
    sims,
};
use crate::{
    report::{
        document::VERSION,
        text::{counted, mark},
    },
    scenario::{ScenarioError, Sim, unknown_rows},
};

/// What to check.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    sims: SimArgs,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Serialize)]
struct Document {
    version: u32,
    sims: Vec<SimDocument>,
}

#[derive(Serialize)]
struct SimDocument {
    path: String,
    ok: bool,
    problems: Vec<ProblemDocument>,
}

#[derive(Serialize)]
struct ProblemDocument {
    message: String,
    help: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
}

pub(super) fn check(args: CheckArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let places = sims::find(&args.sims.sims)?;
    let rows = coverage::known_rows()?;
    let (mut wrong, mut documents) = (0, Vec::new());
    for place in &places {
        let known = |sim: &Sim| rows.as_ref().map_or(Ok(()), |rows| unknown_rows(sim, rows));
        let error = place.load().and_then(|sim| known(&sim)).err();
        wrong += u64::from(error.is_some());
        let path = place.argument();
        match args.format {
            Format::Text => screen.data(&format!("{} {path}\n", mark(error.is_none())))?,
            Format::Json => documents.push(document(path, error.as_ref())),
        }
        if let Some(error) = &error {
            screen.talk(&scenario_report(error));
        }
    }
    let all = places.len() as u64;
    match args.format {
        Format::Text if wrong == 0 => {
            screen.data(&format!("{}, all good\n", counted(all, "sim")))?
        }
        Format::Text => screen.data(&format!("{}, {wrong} wrong\n", counted(all, "sim")))?,
        Format::Json => {
            screen.data(&pretty(&Document { version: VERSION, sims: documents })?)?;
        }
    }
    Ok(if wrong == 0 { Exit::Ok } else { Exit::Usage })
}

fn document(path: String, error: Option<&ScenarioError>) -> SimDocument {
    let mut problems = Vec::new();
    if let Some(error) = error {
        match error.problem() {
            Some(first) => {
                for problem in std::iter::once(first).chain(&first.related) {
                    let (line, column) = problem.position();
                    problems.push(ProblemDocument {
                        message: problem.message.clone(),
                        help: problem.help.clone(),
                        line: Some(line),
                        column: Some(column),
                    });
                }
            }
            None => problems.push(ProblemDocument {
                message: error.to_string(),
                help: miette::Diagnostic::help(error).map(|help| help.to_string()),
                line: None,
                column: None,
            }),
        }
    }
    SimDocument { path, ok: error.is_none(), problems }
}
