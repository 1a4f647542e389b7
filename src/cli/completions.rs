//! `seedbed completions`: what a shell needs to complete this command line.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, error::CliError, exit::Exit, screen::Screen};

/// What to complete for.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(super) fn completions(args: CompletionsArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "seedbed", &mut script);
    screen.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
