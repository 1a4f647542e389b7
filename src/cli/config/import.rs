//! `seedbed config import`: makes a sim of a gateway's configuration, and lists what is not in it.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::load;
use crate::{
    cli::{
        error::{CliError, scenario_report},
        exit::Exit,
        list::pretty,
        options::Format,
        output,
        screen::Screen,
        sims::quoted,
    },
    config::import::{self, Finding, Import, Kind},
    report::{document::VERSION, text::counted},
    scenario,
};

/// What to import.
#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArgs {
    /// A config.yaml of LiteLLM's proxy, or a config.json of Claude Code Router
    file: PathBuf,
    /// Write the sim into this file, and not to standard output; a file that is there already and
    /// says something else is left as it is
    #[arg(long, short, value_name = "SIM")]
    output: Option<PathBuf>,
    /// How to write what is not in the sim: as text on standard error, or all as one document
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    gateway: &'static str,
    /// Where the sim is, if it is in a file.
    output: Option<String>,
    /// The sim, if it is in none.
    sim: Option<&'a str>,
    findings: &'a [Finding],
}

pub(in crate::cli) fn import(args: ImportArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let name = args.file.display().to_string();
    let text = load::text_up_to(&args.file, import::TEXT_BYTES_MAX)?;
    let made = import::import(&name, &text)
        .map_err(|error| CliError::usage(error.to_string(), error.help()))?;
    if let Err(error) = scenario::parse("imported.toml", &made.sim) {
        return Err(CliError::Internal {
            message: format!("it has made a sim that it cannot read\n{}", scenario_report(&error)),
            replay: format!("seedbed config import {}", quoted(&name)),
        });
    }
    if let Some(path) = &args.output {
        output::allow([args.file.as_path()], &[(output::IMPORT, Some(path))])?;
        output::write_sim(path, &made.sim)?;
    }
    match args.format {
        Format::Text => {
            if args.output.is_none() {
                screen.data(&made.sim)?;
            }
            screen.talk(&listed(&made));
        }
        Format::Json => screen.data(&pretty(&Document {
            version: VERSION,
            gateway: made.gateway.as_str(),
            output: args.output.as_ref().map(|path| path.display().to_string()),
            sim: args.output.is_none().then_some(made.sim.as_str()),
            findings: &made.findings,
        })?)?,
    }
    Ok(Exit::Ok)
}

/// The list for people, what matters most first.
fn listed(made: &Import) -> String {
    let mut text = String::new();
    for kind in Kind::ALL {
        for it in made.findings.iter().filter(|it| it.kind == kind) {
            text += &format!("{}: {} ({}): {}", kind.as_str(), it.path, it.found, it.why);
            if let Some(assumed) = &it.assumed {
                text += &format!("; instead: {assumed}");
            }
            text.push('\n');
        }
    }
    let all = counted(made.findings.len() as u64, "finding");
    text + &format!("a configuration of {}, {all}\n", made.gateway.as_str())
}
