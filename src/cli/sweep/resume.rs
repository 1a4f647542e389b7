//! Opens the file of results: what is in it already counts, and what was started and never finished
//! is to go first.

use std::{collections::BTreeMap, path::Path};

use super::{args::SweepArgs, course::Seen, crew::Ledger, file::ResultsFile, told};
use crate::{
    cli::{error::CliError, screen::Screen},
    explore::sweep::{Line, PlanLine, Task},
};

/// Opens the file of results, and takes what is in it into account.
pub(super) fn open(
    path: &Path,
    args: &SweepArgs,
    line: &PlanLine,
    ledger: &mut Ledger<'_>,
    seen: &mut Seen,
    screen: &mut Screen,
) -> Result<(), CliError> {
    let plan = ledger.plan;
    let mut started: BTreeMap<u64, Task> = BTreeMap::new();
    let mut foreign = 0_u64;
    let mut take = |line: Line| match line {
        Line::Plan(_) => {}
        Line::Started(line) => match plan.find(&line.sim, line.seed) {
            Some(task) => {
                started.insert(task.number, task);
            }
            None => foreign += 1,
        },
        Line::Finished(line) => {
            let hash = |task: &Task| plan.sims().get(task.sim).map(|sim| sim.scenario_hash);
            let task = plan.find(&line.sim, line.seed);
            match task.filter(|task| hash(task) == Some(line.scenario_hash)) {
                Some(task) => {
                    started.remove(&task.number);
                    if ledger.done.insert(task.number) {
                        seen.add(&line);
                    }
                }
                None => foreign += 1,
            }
        }
    };
    let (file, found) = ResultsFile::open(path, line, args.resume, &mut take)?;
    let path = path.display();
    for note in found.notes {
        screen.talk(&format!("{}\n", told::clean(&note)));
    }
    if foreign > 0 {
        screen.talk(&format!("{path}: {foreign} lines are of no run of this sweep: left out\n"));
    }
    if seen.tally.runs > 0 {
        screen.talk(&format!("{path}: going on after {} runs\n", seen.tally.runs));
    }
    started.retain(|number, _| !ledger.done.contains(*number));
    for task in started.values() {
        let sim = plan.sims().get(task.sim).map_or("", |sim| sim.sim.as_str());
        let seed = task.seed;
        screen.talk(&format!("{path}: {sim} seed {seed} never finished: it goes first, alone\n"));
    }
    ledger.file = Some(file);
    ledger.suspects.extend(started.into_values());
    Ok(())
}
