//! `seedbed list`: the sims there are.

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::{
    error::CliError,
    exit::Exit,
    options::{Format, SimArgs},
    screen::Screen,
    sims::{self, Entry},
};
use crate::report::document::VERSION;

/// What to list.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    sims: SimArgs,
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

pub(super) fn list(args: ListArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let entries = sims::load(&args.sims.sims)?;
    let text = match args.format {
        Format::Text => table(&entries, Screen::width()),
        Format::Json => json(&entries)?,
    };
    screen.data(&text)?;
    Ok(Exit::Ok)
}

fn table(entries: &[Entry], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["SIM", "SEEDS", "COVERS", "PURPOSE"]);
    match width {
        Some(width) => {
            table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    for Entry { sim, .. } in entries {
        let seeds: Vec<String> = sim.seeds.iter().map(u64::to_string).collect();
        table.add_row([&sim.name, &seeds.join(" "), &sim.covers.join(" "), &sim.purpose]);
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
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
