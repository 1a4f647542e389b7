//! `seedbed list`: the sims there are, or the quirks.

use clap::Args;
use serde::Serialize;

use super::{
    error::CliError,
    exit::Exit,
    options::{Format, SimArgs},
    screen::Screen,
    sims::{self, Entry},
};
use crate::{
    report::{document::VERSION, table},
    stack::Quirk,
};

/// What to list.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    sims: SimArgs,
    /// List the known bugs that a router may be given, instead of sims
    #[arg(long, conflicts_with = "sims")]
    quirks: bool,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    sims: Vec<SimDocument<'a>>,
}

#[derive(Serialize)]
struct SimDocument<'a> {
    sim: &'a str,
    path: String,
    seeds: &'a [u64],
    covers: &'a [String],
    purpose: &'a str,
}

#[derive(Serialize)]
struct QuirkList {
    version: u32,
    quirks: Vec<QuirkDocument>,
}

#[derive(Serialize)]
struct QuirkDocument {
    quirk: &'static str,
    bug: &'static str,
    source: &'static str,
    does: &'static str,
}

pub(super) fn list(args: ListArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    if args.quirks {
        screen.data(&match args.format {
            Format::Text => quirk_table(Screen::width()),
            Format::Json => pretty(&QuirkList { version: VERSION, quirks: quirks().collect() })?,
        })?;
        return Ok(Exit::Ok);
    }
    let entries = sims::load(&args.sims.sims)?;
    let text = match args.format {
        Format::Text => table(&entries, Screen::width()),
        Format::Json => json(&entries)?,
    };
    screen.data(&text)?;
    Ok(Exit::Ok)
}

fn quirks() -> impl Iterator<Item = QuirkDocument> {
    Quirk::ALL.iter().map(|quirk| QuirkDocument {
        quirk: quirk.as_str(),
        bug: quirk.bug(),
        source: quirk.source(),
        does: quirk.does(),
    })
}

fn quirk_table(width: Option<u16>) -> String {
    let mut table = table::table(["QUIRK", "BUG", "WHAT THE ROUTER DOES", "SOURCE"], width);
    for QuirkDocument { quirk, bug, source, does } in quirks() {
        table.add_row([quirk, bug, does, source]);
    }
    table::lines(&table)
}

fn table(entries: &[Entry], width: Option<u16>) -> String {
    let mut table = table::table(["SIM", "SEEDS", "COVERS", "PURPOSE"], width);
    for Entry { sim, .. } in entries {
        let seeds: Vec<String> = sim.seeds.iter().map(u64::to_string).collect();
        table.add_row([&sim.name, &seeds.join(" "), &sim.covers.join(" "), &sim.purpose]);
    }
    table::lines(&table)
}

fn json(entries: &[Entry]) -> Result<String, CliError> {
    let sims = entries.iter().map(|Entry { sim, place }| SimDocument {
        sim: &sim.name,
        path: place.argument(),
        seeds: &sim.seeds,
        covers: &sim.covers,
        purpose: &sim.purpose,
    });
    let document = Document { version: VERSION, sims: sims.collect() };
    pretty(&document)
}

/// A document with a newline at its end.
pub(super) fn pretty(document: &impl Serialize) -> Result<String, CliError> {
    match serde_json::to_string_pretty(document) {
        Ok(text) => Ok(text + "\n"),
        Err(error) => {
            Err(CliError::Internal { message: error.to_string(), replay: super::command_line() })
        }
    }
}
