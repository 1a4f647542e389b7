//! `seedbed config`: configurations of a stack's resilience. One file for each thing to do with one.

mod check;
mod diff;
mod import;
mod load;
mod migrate;
mod show;

use clap::{Args, Subcommand};

use super::{error::CliError, exit::Exit, screen::Screen};
use crate::config::schema_text;

/// What to do with configurations.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    verb: ConfigVerb,
}

#[derive(Debug, Subcommand)]
enum ConfigVerb {
    /// Say what is wrong with configurations, and what would pass
    Check(check::CheckArgs),
    /// Show what is in force, and where each value came from
    Show(show::ShowArgs),
    /// Show what differs between two; exit code 1 if anything does
    Diff(diff::DiffArgs),
    /// Make a sim of a configuration of LiteLLM or Claude Code Router, and list what is not in it
    Import(import::ImportArgs),
    /// Turn the variables of old into a preset and what differs from it
    Migrate(migrate::MigrateArgs),
    /// Print the JSON Schema of a configuration
    Schema,
}

pub(super) fn config(args: ConfigArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    match args.verb {
        ConfigVerb::Check(args) => check::check(args, screen),
        ConfigVerb::Show(args) => show::show(args, screen),
        ConfigVerb::Diff(args) => diff::diff(args, screen),
        ConfigVerb::Import(args) => import::import(args, screen),
        ConfigVerb::Migrate(args) => migrate::migrate(args, screen),
        ConfigVerb::Schema => {
            screen.data(&schema_text())?;
            Ok(Exit::Ok)
        }
    }
}
