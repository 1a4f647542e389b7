//! A sweep as a page: the distinct failures, and of each run its seed, what it came to, and how much
//! happened in it. Which results there are and how they are told is the business of others.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use serde::Serialize;

use super::page;
use crate::explore::sweep::{FinishedLine, RunVerdict};

/// The most runs of which a page shows each; of others it has what all came to.
const RUNS_MAX: usize = 300_000;

/// The runs of a sweep, in whatever order they come.
#[derive(Default)]
pub struct Survey {
    sims: BTreeMap<String, BTreeMap<u64, Run>>,
    /// The signatures of failures.
    signatures: BTreeSet<String>,
    runs: usize,
    left_out: u64,
}

struct Run {
    verdict: RunVerdict,
    signature: Option<String>,
    events: u64,
    virtual_ms: u64,
}

impl Survey {
    /// Adds what a run came to; a second result of one run replaces the first.
    pub fn add(&mut self, line: &FinishedLine) {
        let is_known = self.sims.get(&line.sim).is_some_and(|runs| runs.contains_key(&line.seed));
        if !is_known && self.runs >= RUNS_MAX {
            self.left_out += 1;
            return;
        }
        self.runs += usize::from(!is_known);
        if let Some(signature) = &line.signature {
            self.signatures.insert(signature.clone());
        }
        let run = Run {
            verdict: line.verdict,
            signature: line.signature.clone(),
            events: line.events,
            virtual_ms: line.virtual_ms,
        };
        self.sims.entry(line.sim.clone()).or_default().insert(line.seed, run);
    }

    /// Writes the page. `told` is what the sweep came to, as its JSON document has it; `commands` are,
    /// for each sim, what stands before and after the seed in the command that replays a run.
    ///
    /// # Errors
    ///
    /// What the output says.
    pub fn write(
        &self,
        told: &impl Serialize,
        commands: &BTreeMap<String, (String, String)>,
        output: impl Write,
    ) -> io::Result<()> {
        let runs = self.columns(commands);
        page::write("Sweep · seedbed", &page::sweep_script(), (told, &runs), output)
    }

    /// The runs in columns, sim by sim, seed by seed.
    fn columns<'a>(&'a self, commands: &'a BTreeMap<String, (String, String)>) -> Columns<'a> {
        let signatures: Vec<&str> = self.signatures.iter().map(String::as_str).collect();
        let place = |run: &Run| {
            let signature = run.signature.as_deref()?;
            signatures.binary_search(&signature).ok()
        };
        let sims = self.sims.iter().map(|(sim, runs)| SimColumns {
            sim,
            command: commands.get(sim),
            seeds: runs.keys().map(u64::to_string).collect(),
            verdicts: runs.values().map(|run| run.verdict).collect(),
            signatures: runs.values().map(place).collect(),
            events: runs.values().map(|run| run.events).collect(),
            virtual_ms: runs.values().map(|run| run.virtual_ms).collect(),
        });
        let sims = sims.collect();
        Columns { sims, signatures, left_out: self.left_out }
    }
}

#[derive(Serialize)]
struct Columns<'a> {
    signatures: Vec<&'a str>,
    sims: Vec<SimColumns<'a>>,
    left_out: u64,
}

#[derive(Serialize)]
struct SimColumns<'a> {
    sim: &'a str,
    command: Option<&'a (String, String)>,
    /// As texts: a seed may be more than JavaScript can count to.
    seeds: Vec<String>,
    verdicts: Vec<RunVerdict>,
    signatures: Vec<Option<usize>>,
    events: Vec<u64>,
    virtual_ms: Vec<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::sweep::{Hex, RESULTS_VERSION};

    fn line(seed: u64, signature: Option<&str>) -> FinishedLine {
        FinishedLine {
            version: RESULTS_VERSION,
            sim: "</script>".to_owned(),
            scenario_hash: Hex(1),
            seed,
            fingerprint: None,
            verdict: signature.map_or(RunVerdict::Pass, |_| RunVerdict::Fail),
            signature: signature.map(str::to_owned),
            failure: signature.map(str::to_owned),
            events: seed,
            virtual_ms: 7,
            wall_us: Some(seed),
            measured: None,
            reached: Vec::new(),
            unreached: Vec::new(),
        }
    }

    fn page(lines: &[FinishedLine]) -> String {
        let mut survey = Survey::default();
        lines.iter().for_each(|line| survey.add(line));
        let mut bytes = Vec::new();
        let told = serde_json::json!({"runs": lines.len()});
        survey.write(&told, &BTreeMap::new(), &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_order_of_the_results_and_the_machine_change_nothing() {
        let (a, b, c) = (line(1, None), line(2, Some("y")), line(u64::MAX, Some("x")));
        let one = page(&[a.clone(), b.clone(), c.clone()]);
        let slow = FinishedLine { wall_us: None, ..b };
        assert!(one == page(&[c, slow, a]));
        assert!(one.contains("\"seeds\":[\"1\",\"2\",\"18446744073709551615\"]"));
        assert!(one.contains("\"signatures\":[null,1,0]"));
        assert_eq!(one.matches("</script>").count(), 3, "the name of the sim is data");
    }

    #[test]
    fn a_run_that_is_told_twice_is_one() {
        let mut survey = Survey::default();
        survey.add(&line(1, None));
        survey.add(&line(1, None));
        assert_eq!((survey.runs, survey.left_out), (1, 0));
        survey.runs = RUNS_MAX;
        survey.add(&line(1, None));
        assert_eq!(survey.left_out, 0);
        survey.add(&line(2, None));
        assert_eq!(survey.left_out, 1);
    }
}
