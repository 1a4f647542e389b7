//! One run, as verbs make it: timed, judged, and with panics of seedbed itself caught.

use std::{
    any::Any,
    panic::{self, AssertUnwindSafe},
    time::Duration,
};

use super::{clock::Stopwatch, error::CliError, sims::Entry};
use crate::{
    explore::{Options, SimRun, judge, simulate},
    report::Finished,
    scenario::Must,
    world::{Observer, Seed},
};

/// Runs a seed of a sim once.
pub(super) fn once(
    entry: &Entry,
    seed: Seed,
    options: &Options,
    observers: Vec<Box<dyn Observer>>,
) -> Result<SimRun, CliError> {
    let run = AssertUnwindSafe(|| simulate(&entry.sim, seed, options, observers));
    match panic::catch_unwind(run) {
        Ok(run) => {
            run.map_err(|error| CliError::Run { error, replay: entry.replay(seed, options) })
        }
        Err(payload) => Err(CliError::Internal {
            message: message(&*payload),
            replay: entry.replay(seed, options),
        }),
    }
}

/// What a panic says.
pub(super) fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".to_owned())
}

/// Runs a seed of a sim and judges it; one that must diverge is run twice.
pub(super) fn judged(
    entry: &Entry,
    seed: Seed,
    options: &Options,
    observers: Vec<Box<dyn Observer>>,
) -> Result<Finished, CliError> {
    let watch = Stopwatch::start();
    let run = once(entry, seed, options, observers)?;
    let wall = watch.elapsed();
    let again = match entry.sim.must {
        Must::Diverge => Some(once(entry, seed, options, Vec::new())?),
        Must::Pass | Must::Fail => None,
    };
    Ok(finish(entry, run, again.as_ref(), wall, options))
}

/// Judges a run.
pub(super) fn finish(
    entry: &Entry,
    run: SimRun,
    again: Option<&SimRun>,
    wall: Duration,
    options: &Options,
) -> Finished {
    let verdict = judge(&entry.sim, &run, again);
    let replay = entry.replay(run.outcome.seed, options);
    Finished { run, verdict, wall, replay }
}
