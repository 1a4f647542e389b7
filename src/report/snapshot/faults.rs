//! `faults.snap`: the plan of faults of each seed, and what became of it.

use std::fmt::Write as _;

use crate::{explore::SimRun, scenario::Sim, world::Time};

/// The faults of a sim's runs, one run for each seed.
pub fn faults(sim: &Sim, runs: &[SimRun]) -> String {
    let mut text = format!("sim: {}\n", sim.name);
    let when = |at: Option<u64>| match at {
        Some(nanos) => Time::from_nanos(nanos).to_string(),
        None => "never".to_owned(),
    };
    for run in runs {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\nseed: {}\n  faults: {}", run.outcome.seed, run.faults.len());
        for line in &run.faults {
            let _ = writeln!(text, "  fault: {}", line.fault);
            let _ = writeln!(text, "    planned: {}", when(Some(line.planned_ns)));
            let _ = writeln!(text, "    fired: {}", when(line.fired_ns));
            let _ = writeln!(text, "    healed: {}", when(line.healed_ns));
        }
    }
    text
}
