//! The command line: one file for each verb, and what they share.
//!
//! Data goes to standard output, talk to standard error, and both only through `screen`. Nothing
//! here decides what a run means: `explore` runs and judges, `report` words it.
//!
//! Start at [`main`], then at a verb.

mod attempt;
mod check;
mod clock;
mod collector;
mod compare;
mod completions;
mod config;
mod conformance;
mod coverage;
mod error;
mod exit;
mod explain;
mod exports;
mod github;
mod html;
mod internal;
mod interrupt;
mod list;
mod merge;
mod metrics;
mod options;
mod output;
mod pool;
mod record;
mod regress;
mod replay;
mod run;
mod schema;
mod screen;
mod serve;
mod shrink;
mod sims;
mod sweep;
mod trace;
mod verify;

use std::{
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use clap::{Parser, Subcommand};

use error::CliError;
use exit::Exit;
use screen::Screen;

/// A deterministic test bed for LLM-agent stacks: one seed is one exact history.
///
/// Exit codes: 0 all is well, 1 a check failed, 2 the command or a sim is wrong,
/// 3 one seed had two histories, 4 nothing ran or not all of it, 70 seedbed itself is broken.
#[derive(Debug, Parser)]
#[command(name = "seedbed", version, disable_help_subcommand = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run sims, and say whether each came to what it must
    Run(run::RunArgs),
    /// Run one seed of one sim again, and print what happens
    Replay(replay::ReplayArgs),
    /// Say where two histories part and what made the difference, or what each fault does
    Explain(explain::ExplainArgs),
    /// Try the failing seeds of a corpus again, and say what has become of each
    Regress(regress::RegressArgs),
    /// Make a failing sim as small as it gets, and write what is left as a sim
    Shrink(shrink::ShrinkArgs),
    /// Run many seeds, and show the distinct failures among them
    Sweep(sweep::SweepArgs),
    /// Put the results of sweeps together
    Merge(merge::MergeArgs),
    /// Compare two sims, or the results of two versions, over the seeds that they have in common
    Compare(compare::CompareArgs),
    /// Show that each seed has one history, however and wherever it runs
    Verify(verify::VerifyArgs),
    /// List the sims
    List(list::ListArgs),
    /// Read sims without running them
    Check(check::CheckArgs),
    /// Check, show and compare configurations of a stack's resilience
    Config(config::ConfigArgs),
    /// Run cases about how libraries behave against the policies
    Conformance(conformance::ConformanceArgs),
    /// Show which sims prove which requirement
    Coverage(coverage::CoverageArgs),
    /// Print the JSON Schema of a sim
    Schema,
    /// Print the completions for a shell
    Completions(completions::CompletionsArgs),
}

/// What the command is to do.
enum Asked {
    Verb(Box<Verb>),
    Internal(internal::Question),
}

/// Reads an event to stop at, for whoever tries parsers.
pub(crate) fn break_at(text: &str) -> Result<(), String> {
    text.parse::<replay::Break>().map(drop)
}

/// What `--serve-metrics` answers to these bytes, for whoever tries parsers.
pub(crate) fn scraped(head: &[u8]) -> Vec<u8> {
    serve::answer_to(head)
}

/// The `seedbed` command, from its arguments to its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let last_panic = remember_panics();
    trace::listen();
    let asked = match internal::asked() {
        Some(question) => question.map(Asked::Internal),
        None => Cli::try_parse().map(|cli| Asked::Verb(Box::new(cli.verb))),
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(help_or_usage) => {
            // Nothing can be said when the terminal is gone.
            let _ = help_or_usage.print();
            return if help_or_usage.use_stderr() { Exit::Usage } else { Exit::Ok }.into();
        }
    };
    let mut screen = Screen::new();
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        let exit = match asked {
            Asked::Verb(verb) => dispatch(*verb, &mut screen)?,
            Asked::Internal(question) => internal::internal(question, &mut screen)?,
        };
        screen.flush()?;
        Ok(exit)
    }));
    let error = match outcome {
        Ok(Ok(exit)) => return exit.into(),
        Ok(Err(error)) => error,
        Err(_) => {
            let message = last_panic.lock().unwrap_or_else(PoisonError::into_inner).take();
            CliError::Internal { message: message.unwrap_or_default(), replay: command_line() }
        }
    };
    // What was printed before comes before.
    let _ = screen.flush();
    screen.talk(&error.report());
    error.exit().into()
}

fn dispatch(verb: Verb, screen: &mut Screen) -> Result<Exit, CliError> {
    match verb {
        Verb::Run(args) => run::run(args, screen),
        Verb::Replay(args) => replay::replay(args, screen),
        Verb::Explain(args) => explain::run(args, screen),
        Verb::Regress(args) => regress::run(args, screen),
        Verb::Shrink(args) => shrink::run(args, screen),
        Verb::Sweep(args) => sweep::sweep(args, screen),
        Verb::Merge(args) => merge::merge(args, screen),
        Verb::Compare(args) => compare::run(args, screen),
        Verb::Verify(args) => verify::verify(args, screen),
        Verb::List(args) => list::list(args, screen),
        Verb::Check(args) => check::check(args, screen),
        Verb::Config(args) => config::config(args, screen),
        Verb::Conformance(args) => conformance::conformance(args, screen),
        Verb::Coverage(args) => coverage::coverage(args, screen),
        Verb::Schema => schema::schema(screen),
        Verb::Completions(args) => completions::completions(args, screen),
    }
}

/// Panics are said once, in our words: those of actors in the report of their run, others as an
/// internal error.
fn remember_panics() -> Arc<Mutex<Option<String>>> {
    let last = Arc::new(Mutex::new(None));
    let shared = Arc::clone(&last);
    panic::set_hook(Box::new(move |info| {
        let message = info.payload_as_str().unwrap_or("no message");
        let place = info.location().map(|place| format!(" at {place}")).unwrap_or_default();
        let mut last = shared.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(format!("{message}{place}"));
    }));
    last
}

/// The command that was given, as it would be typed.
fn command_line() -> String {
    let arguments = std::env::args().skip(1).map(|argument| sims::quoted(&argument));
    std::iter::once("seedbed".to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}
