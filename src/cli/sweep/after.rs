//! What is made of the distinct failures once the runs of a sweep are over: each is kept in a corpus,
//! and made small.
//!
//! Only the first seed of each is looked at. What cannot be kept or made small is told, and holds up
//! no other.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Serialize;

use super::told::SHOWN_MAX;
use crate::{
    cli::{
        clock::Stopwatch,
        error::CliError,
        interrupt::Interrupt,
        regress::keep,
        screen::Screen,
        shrink::{Way, shrunk},
        sims::Entry,
    },
    explore::{
        shrink::{RERUNS_MAX, Size},
        sweep::{GroupKey, RunVerdict, Tally},
    },
    world::Seed,
};

/// What there is of each failure besides its results.
pub(in crate::cli) type AllMade = BTreeMap<GroupKey, Made>;

/// What there is of a failure besides its results.
#[derive(Debug, Default, Serialize)]
pub(in crate::cli) struct Made {
    /// The file of the corpus that keeps its seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) kept: Option<PathBuf>,
    /// The smallest sim that fails so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) smallest: Option<Smallest>,
}

/// A sim that was made small.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Smallest {
    pub(in crate::cli) sim: PathBuf,
    pub(in crate::cli) size: Size,
    /// Whether nothing more can go; otherwise there was no more time.
    pub(in crate::cli) is_minimal: bool,
}

/// What to make of failures.
pub(super) struct Wanted<'a> {
    /// Keep them in this corpus.
    pub(super) keep: Option<&'a PathBuf>,
    /// Make them small, in at most so long each.
    pub(super) shrink: Option<Duration>,
    pub(super) threads: usize,
}

/// Makes of each failure what is wanted.
pub(super) fn make(
    wanted: &Wanted<'_>,
    tally: &Tally,
    entries: &[Entry],
    interrupt: &Interrupt,
    screen: &mut Screen,
) -> AllMade {
    let mut all = AllMade::new();
    if wanted.keep.is_none() && wanted.shrink.is_none() {
        return all;
    }
    let ranked = tally.ranked();
    if ranked.len() > SHOWN_MAX {
        screen.talk(&format!("of the first {SHOWN_MAX} failures only:\n"));
    }
    for (key, group) in ranked.into_iter().take(SHOWN_MAX) {
        if interrupt.was_asked() {
            break;
        }
        let Some(entry) = entries.iter().find(|entry| entry.sim.name == key.0) else { continue };
        let seed = Seed(group.first_seed);
        let mut made = Made::default();
        if group.verdict == RunVerdict::Nondeterminism {
            let why = "two histories, so none to keep; `seedbed verify` says where they part";
            screen.talk(&format!("{} seed {seed}: {why}\n", key.0));
            continue;
        }
        if let Some(folder) = wanted.keep {
            made.kept = or_told(keep(entry, seed, folder), screen);
        }
        if let Some(budget) = wanted.shrink {
            screen.talk(&format!("making {} seed {seed} small\n", key.0));
            let watch = Stopwatch::start();
            let way = Way {
                seed,
                runs: RERUNS_MAX,
                threads: wanted.threads,
                is_over: &|| watch.elapsed() >= budget || interrupt.was_asked(),
                is_brief: true,
            };
            let came = shrunk(entry, None, &way, screen);
            made.smallest = or_told(came, screen).map(|(came, sim)| Smallest {
                sim,
                size: came.after,
                is_minimal: came.is_minimal,
            });
        }
        all.insert(key.clone(), made);
    }
    all
}

fn or_told<T>(result: Result<T, CliError>, screen: &mut Screen) -> Option<T> {
    result.map_err(|error| screen.talk(&error.report())).ok()
}
