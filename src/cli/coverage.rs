//! `seedbed coverage`: which sims prove which requirement.

use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::{
    error::CliError,
    exit::Exit,
    list::pretty,
    options::{Format, SimArgs},
    screen::Screen,
    sims::{self, Entry},
};
use crate::{
    report::{document::VERSION, table},
    scenario::{self, Requirement},
};

/// The rows that are part of the binary, for use where there is no file.
const BUILT_IN: &str = include_str!("../../sims/requirements.toml");

/// What to look at.
#[derive(Debug, Args)]
pub(super) struct CoverageArgs {
    #[command(flatten)]
    sims: SimArgs,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    rows: Vec<RowDocument<'a>>,
}

#[derive(Serialize)]
struct RowDocument<'a> {
    id: &'a str,
    behaviour: &'a str,
    sims: Vec<&'a str>,
    /// What proves it on the wall clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<&'a str>,
}

impl RowDocument<'_> {
    fn is_covered(&self) -> bool {
        !self.sims.is_empty() || self.test.is_some()
    }
}

pub(super) fn coverage(args: CoverageArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let rows = match known_rows()? {
        Some(rows) => rows,
        None => scenario::parse_requirements("requirements.toml", BUILT_IN).map_err(wrong)?,
    };
    let entries = sims::load(&args.sims.sims)?;
    let covered: Vec<RowDocument<'_>> = rows.iter().map(|row| of_row(row, &entries)).collect();
    let count = covered.iter().filter(|row| row.is_covered()).count();
    // Some sims need not cover all rows; all of them must.
    let has_gap = args.sims.sims.is_empty() && count < rows.len();
    let text = match args.format {
        Format::Text => table(&covered, Screen::width()),
        Format::Json => pretty(&Document { version: VERSION, rows: covered })?,
    };
    screen.data(&text)?;
    for Entry { sim, place } in &entries {
        let known = |id: &&String| rows.iter().any(|row| row.id == **id);
        for id in sim.covers.iter().filter(|id| !known(id)) {
            screen.talk(&format!("{} covers {id}, which is no row\n", place.argument()));
        }
    }
    screen.talk(&format!("{count} of {} rows are covered\n", rows.len()));
    Ok(if has_gap { Exit::Failed } else { Exit::Ok })
}

/// The rows that the sims here are to prove; `None` if nobody has said.
pub(super) fn known_rows() -> Result<Option<Vec<Requirement>>, CliError> {
    scenario::load_requirements(Path::new(sims::FOLDER)).map_err(wrong)
}

fn wrong(error: scenario::ScenarioError) -> CliError {
    CliError::Scenarios(vec![error])
}

fn of_row<'a>(row: &'a Requirement, entries: &'a [Entry]) -> RowDocument<'a> {
    let proves = entries.iter().filter(|entry| row.is_proved_by(&entry.sim));
    let sims = proves.map(|entry| entry.sim.name.as_str()).collect();
    RowDocument { id: &row.id, behaviour: &row.behaviour, sims, test: row.test.as_deref() }
}

fn table(rows: &[RowDocument<'_>], width: Option<u16>) -> String {
    let mut table = table::table(["ROW", "SIMS", "BEHAVIOUR"], width);
    for RowDocument { id, behaviour, sims, test } in rows {
        let sims = match (sims.is_empty(), test) {
            (true, None) => "none".to_owned(),
            _ => sims.iter().chain(test).copied().collect::<Vec<_>>().join(" "),
        };
        table.add_row([*id, &sims, *behaviour]);
    }
    table::lines(&table)
}
