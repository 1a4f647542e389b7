//! The same runs in another process, and what it says of them.

use std::{
    io::{BufRead as _, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

use super::VerifyArgs;
use crate::{
    cli::{error::CliError, internal::Answer, sims::Entry},
    explore::{Options, Witness},
    world::{Fingerprint, Record, Seed},
};

/// The lines that a process prints. It is ended when they are no longer wanted.
pub(super) struct Output {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Drop for Output {
    fn drop(&mut self) {
        // It may have ended already; either way it is to be gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(command: &mut Command) -> Result<Output, CliError> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(broken)?;
    match child.stdout.take() {
        Some(stdout) => Ok(Output { child, lines: BufReader::new(stdout).lines() }),
        None => Err(broken("it has no standard output")),
    }
}

fn broken(why: impl std::fmt::Display) -> CliError {
    CliError::Internal {
        message: format!("another process could not be asked: {why}"),
        replay: crate::cli::command_line(),
    }
}

/// This very program, asked one of the questions of `internal`.
fn ask(question: &str) -> Result<Command, CliError> {
    let mut command = Command::new(std::env::current_exe().map_err(broken)?);
    command.args(["internal", question]);
    Ok(command)
}

/// The fingerprints of everything that is verified, in order.
pub(super) struct Answers(Output);

pub(super) fn fingerprints(args: &VerifyArgs) -> Result<Answers, CliError> {
    let mut command = ask("fingerprints")?;
    command.args(args.seeds.to_arguments());
    if let Some(trace) = &args.load.trace {
        command.arg("--trace").arg(trace);
    }
    if args.load.skip_bad {
        command.arg("--skip-bad");
    }
    command.arg("--").args(&args.sims.sims);
    start(&mut command).map(Answers)
}

impl Answers {
    pub(super) fn next(&mut self) -> Result<Witness, CliError> {
        let line = match self.0.lines.next() {
            Some(line) => line.map_err(broken)?,
            None => return Err(broken("it ended early")),
        };
        let answer: Answer = serde_json::from_str(&line).map_err(broken)?;
        let fingerprint = u64::from_str_radix(&answer.fingerprint, 16).map_err(broken)?;
        Ok(Witness {
            fingerprint: Fingerprint(fingerprint),
            woken_from_outside: answer.woken_from_outside,
        })
    }
}

/// Every event of one seed, as another process sees it.
pub(super) fn events(
    entry: &Entry,
    seed: Seed,
    options: &Options,
) -> Result<impl Iterator<Item = Record> + 'static, CliError> {
    let mut command = ask("events")?;
    command.arg(format!("--seed={seed}"));
    if let Some(trace) = &options.trace {
        command.arg("--trace").arg(trace);
    }
    if options.skip_bad {
        command.arg("--skip-bad");
    }
    command.arg("--").arg(entry.place.argument());
    Ok(Events(start(&mut command)?))
}

struct Events(Output);

impl Iterator for Events {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let line = self.0.lines.next()?.ok()?;
        serde_json::from_str(&line).ok()
    }
}
