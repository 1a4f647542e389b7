//! What some run of many must reach: the `[[sometimes]]` of sims, gathered over their runs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::SimRun;

/// A `[[sometimes]]` of a sim, after one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// What must be reached, in short.
    pub what: String,
    /// Whether this run reached it.
    pub reached: bool,
}

/// What became of each `[[sometimes]]` in many runs, in whatever order they come.
#[derive(Clone, Debug, Default)]
pub struct ReachedByAny(BTreeMap<String, (u64, BTreeMap<String, bool>)>);

impl ReachedByAny {
    /// Adds a run.
    pub fn add(&mut self, run: &SimRun) {
        let (runs, all) = self.0.entry(run.sim.clone()).or_default();
        *runs += 1;
        for Reached { what, reached } in &run.reached {
            *all.entry(what.clone()).or_default() |= *reached;
        }
    }

    /// What no run of its sim has reached, of sims with several runs: the sim, how many runs it had,
    /// and what.
    pub fn never(&self) -> impl Iterator<Item = (&str, u64, &str)> {
        self.0.iter().filter(|(_, (runs, _))| *runs > 1).flat_map(|(sim, (runs, all))| {
            let never = all.iter().filter(|(_, reached)| !**reached);
            never.map(move |(what, _)| (sim.as_str(), *runs, what.as_str()))
        })
    }
}
