//! The texts that are committed for each sim, so that a change of behaviour is a small diff.
//!
//! One value on a line, under an explicit name. No floats, no wall time, nothing of the build or
//! the machine: a text changes only when the sim or its history does.

mod faults;
mod story;
mod summary;

pub use faults::faults;
pub use story::{LINES_MAX, Story};
pub use summary::{recorded, summary};

use crate::{
    explore::{Options, RunError, SimRun, simulate},
    scenario::Sim,
    world::{Observer, Seed},
};

/// The three texts of a sim, and the runs they were made from.
#[derive(Debug)]
pub struct Snapshot {
    /// Per seed: the fingerprint, the ending, counts, latencies, checks.
    pub summary: String,
    /// Per seed: each fault, planned, fired and healed.
    pub faults: String,
    /// What happened under the first seed, in outline.
    pub story: String,
    /// One run for each seed of the sim.
    pub runs: Vec<SimRun>,
}

/// Runs every seed of a sim and takes its snapshot. `watching` sees the run of the first seed.
///
/// # Errors
///
/// A [`RunError`] if the sim cannot be run.
pub fn take(sim: &Sim, watching: Vec<Box<dyn Observer>>) -> Result<Snapshot, RunError> {
    let story = Story::new();
    let mut observers = watching;
    observers.push(story.observer());
    let mut runs = Vec::new();
    for seed in &sim.seeds {
        let observers = std::mem::take(&mut observers);
        runs.push(simulate(sim, Seed(*seed), &Options::default(), observers)?);
    }
    let seed = sim.seeds.first().copied().unwrap_or_default();
    Ok(Snapshot {
        summary: summary(sim, &runs),
        faults: faults(sim, &runs),
        story: story.text(&sim.name, Seed(seed)),
        runs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    const TEXT: &str = "purpose = \"p\"\n[router]\nprimary = \"opus\"\n[[backend]]\n\
                        name = \"opus\"\n[[agent]]\nname = \"rust\"\n";

    #[test]
    fn line_ends_do_not_count() {
        let unix = parse("a.toml", TEXT).unwrap();
        let other = parse("a.toml", &TEXT.replace('\n', "\r\n")).unwrap();
        assert_eq!(unix.text_hash(), other.text_hash());
        let edited = parse("a.toml", &TEXT.replace("\"p\"", "\"q\"")).unwrap();
        assert_ne!(unix.text_hash(), edited.text_hash());
    }

    #[test]
    fn a_snapshot_taken_twice_is_the_same_and_finds_its_fingerprints_again() {
        let sim = parse("sims/a/b.toml", &format!("seeds = [5, 7]\n{TEXT}")).unwrap();
        let (one, two) = (take(&sim, Vec::new()).unwrap(), take(&sim, Vec::new()).unwrap());
        assert_eq!(one.summary, two.summary);
        assert_eq!(one.faults, two.faults);
        assert_eq!(one.story, two.story);
        assert!(one.story.lines().count() <= LINES_MAX);
        let fingerprint = one.runs[1].outcome.fingerprint.to_string();
        assert_eq!(recorded(&one.summary, Seed(7)).unwrap(), fingerprint);
        assert_eq!(recorded(&one.summary, Seed(6)), None);
    }
}
