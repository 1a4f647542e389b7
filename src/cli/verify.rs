//! `seedbed verify`: shows that each seed has one history, however and wherever it runs.
//!
//! Every seed of every sim runs on both hosts, twice on the native one, alone and beside others on
//! several threads, and in another process. Where histories differ, the first different event is
//! named. A sim that must diverge is good if it does.

mod child;
mod result;

use std::ops::ControlFlow;

use clap::Args;

use self::result::{Told, Way};
use super::{
    attempt,
    error::CliError,
    exit::Exit,
    interrupt::{self, Interrupt},
    list::pretty,
    options::{Format, JobArgs, LoadArgs, SeedArgs, SimArgs},
    pool,
    run::{plan, widths},
    screen::Screen,
    sims::{self, Entry},
};
use crate::{
    explore::{Difference, Options, RunError, Witness, difference_from, first_difference},
    report::text,
    scenario::Must,
    world::{Host, Seed},
};

/// How often two runs that have differed before are run again to find where.
const TRIES: usize = 3;

/// In how many ways each seed is run.
const WAYS: usize = 5;

/// What to verify.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    sims: SimArgs,
    #[command(flatten)]
    seeds: SeedArgs,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    jobs: JobArgs,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What each way of running one seed has come to.
type Witnesses = Vec<(Way, Witness)>;

pub(super) fn verify(args: VerifyArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let entries = sims::load(&args.sims.sims)?;
    let native = args.load.options(Host::Native)?;
    let plan = plan(&entries, &args.seeds)?;
    let interrupt = Interrupt::listen().map_err(interrupt::deaf)?;
    let witnesses = run_all(&plan, &args, &native, &interrupt, screen)?;
    screen.end();
    // One that was ended early has not run every seed, or not in every way.
    let is_short = witnesses.len() < plan.len() || witnesses.iter().any(|all| all.len() < WAYS);
    let widths = widths(&plan);
    let (mut told, mut named) = (Vec::new(), None);
    for ((entry, seed), witnesses) in plan.iter().zip(witnesses) {
        let mut one = Told::new(entry, *seed, &witnesses, entry.replay(*seed, &native));
        // One example for each sim: they are costly to find, and mostly have one cause.
        if let (Some((left, right)), true) = (one.odd(), named != Some(&entry.sim.name)) {
            named = Some(&entry.sim.name);
            one.difference = find_difference(entry, *seed, left, right, &native)?;
            one.is_searched = true;
        }
        if args.format == Format::Text {
            screen.data(&one.text(widths))?;
        }
        told.push(one);
    }
    let mut exit = told.iter().map(Told::exit).max().unwrap_or(Exit::NothingRan);
    let threads = (!is_short).then(|| args.jobs.threads().max(2));
    match args.format {
        Format::Text => screen.data(&result::summary(&told, threads))?,
        Format::Json => screen.data(&pretty(&result::document(&told))?)?,
    }
    if let Some(bad) = told.iter().find(|told| told.exit() == exit && exit != Exit::Ok) {
        match args.format {
            Format::Text => screen.data(&format!("{}\n", bad.replay))?,
            Format::Json => screen.talk(&format!("{}\n", bad.replay)),
        }
    }
    if is_short {
        let (done, all) = (told.len(), plan.len());
        screen.talk(&format!("interrupted: {done} of {all} runs, and not in every way\n"));
        exit = exit.max(Exit::NothingRan);
    }
    Ok(exit)
}

/// Runs everything in every way, or what there was time for until somebody ended it.
fn run_all(
    plan: &[(&Entry, Seed)],
    args: &VerifyArgs,
    native: &Options,
    interrupt: &Interrupt,
    screen: &mut Screen,
) -> Result<Vec<Witnesses>, CliError> {
    let tokio = Options { host: Host::Tokio, ..native.clone() };
    let one = |index: usize, options: &Options| {
        let (entry, seed) = plan[index];
        attempt::once(entry, seed, options, Vec::new()).map(|run| Witness::of(&run))
    };
    screen.begin(plan.len() as u64 * WAYS as u64);
    let mut all: Vec<Witnesses> = Vec::with_capacity(plan.len());
    for (index, (entry, _)) in plan.iter().enumerate() {
        if interrupt.was_asked() {
            return Ok(all);
        }
        let mut witnesses = Vec::new();
        for (way, options) in [(Way::Native, native), (Way::Again, native), (Way::Tokio, &tokio)] {
            screen.advance(&entry.sim.name);
            witnesses.push((way, one(index, options)?));
        }
        all.push(witnesses);
    }
    let mut failed = None;
    // Side by side with others, even on a machine with one processor.
    let threads = args.jobs.threads().max(2);
    pool::in_order(
        threads,
        plan.len(),
        |index| one(index, native),
        |index, witness| {
            screen.advance("side by side");
            match witness {
                Ok(witness) => {
                    all[index].push((Way::Threads, witness));
                    match interrupt.was_asked() {
                        true => ControlFlow::Break(()),
                        false => ControlFlow::Continue(()),
                    }
                }
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        },
    );
    failed.map_or(Ok(()), Err)?;
    if interrupt.was_asked() {
        return Ok(all);
    }
    let mut answers = child::fingerprints(args)?;
    for witnesses in &mut all {
        screen.advance("in another process");
        match answers.next() {
            Ok(witness) => witnesses.push((Way::Process, witness)),
            // Ctrl-C ends the other process as well.
            Err(_) if interrupt.was_asked() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// The first different event of two ways of running a seed.
fn find_difference(
    entry: &Entry,
    seed: Seed,
    left: Way,
    right: Way,
    native: &Options,
) -> Result<Option<Difference>, CliError> {
    let options = |way: Way| match way {
        Way::Tokio => Options { host: Host::Tokio, ..native.clone() },
        _ => native.clone(),
    };
    let search = || -> Result<Option<Difference>, CliError> {
        let found = if right == Way::Process {
            let events = child::events(entry, seed, native)?;
            difference_from(&entry.sim, seed, events, native).map(|found| found.map(swapped))
        } else {
            first_difference(&entry.sim, seed, &options(left), &options(right))
        };
        found.map_err(|error: RunError| CliError::Run { error, replay: entry.replay(seed, native) })
    };
    for _ in 0..TRIES {
        if let Some(found) = search()? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn swapped(difference: Difference) -> Difference {
    Difference { left: difference.right, right: difference.left, ..difference }
}

/// Finds the first different event of two runs of a seed, and says it on standard error.
pub(super) fn tell_difference(
    entry: &Entry,
    seed: Seed,
    options: &Options,
    names: (&str, &str),
    screen: &mut Screen,
) -> Result<(), CliError> {
    let mut found = None;
    for _ in 0..TRIES {
        found = first_difference(&entry.sim, seed, options, options)
            .map_err(|error| CliError::Run { error, replay: entry.replay(seed, options) })?;
        if found.is_some() {
            break;
        }
    }
    screen.talk(&result::difference_text(found.as_ref(), names));
    if entry.sim.must == Must::Diverge {
        screen.talk(&format!("{}\n", text::wrap("", result::CANARY, 0)));
    }
    Ok(())
}
