//! A sweep while it runs: what its runs came to so far, and whether it is to go on.

use std::{
    num::NonZeroU64,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{
    Ended,
    args::{SweepArgs, SweepFormat},
    crew::{self, Ledger, Next},
    once::{Way, once},
};
use crate::{
    cli::{
        clock::Stopwatch, command_line, error::CliError, interrupt::Interrupt, screen::Screen,
        sims::Entry,
    },
    explore::sweep::{FinishedLine, Line, Plan, Tally, Task},
    report::html::Survey,
    world::Seed,
};

/// What the runs came to: all together and, if there is to be a page, each.
pub(super) struct Seen {
    pub(super) tally: Tally,
    pub(super) survey: Option<Survey>,
}

impl Seen {
    pub(super) fn add(&mut self, line: &FinishedLine) {
        self.tally.add(line);
        if let Some(survey) = &mut self.survey {
            survey.add(line);
        }
    }
}

/// A sweep while it runs.
pub(super) struct Course<'a> {
    pub(super) args: &'a SweepArgs,
    pub(super) screen: &'a mut Screen,
    pub(super) seen: Seen,
    pub(super) interrupt: Interrupt,
    pub(super) watch: Stopwatch,
    pub(super) ended: Ended,
}

impl Course<'_> {
    /// Makes all runs that are left, those first that never finished.
    pub(super) fn run(
        &mut self,
        plan: &Plan,
        entries: &[Entry],
        way: &Way,
        ledger: &Mutex<Ledger<'_>>,
    ) -> Result<(), CliError> {
        let run = |task: Task| match (entries.get(task.sim), plan.sims().get(task.sim)) {
            (Some(entry), Some(sim)) => once(entry, Seed(task.seed), sim.scenario_hash, way),
            _ => Err(CliError::Internal {
                message: format!("the plan has no sim {}", task.sim),
                replay: command_line(),
            }),
        };
        self.screen.begin_sweep(plan.count(), self.seen.tally.runs);
        let alone = {
            let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
            let suspects = ledger.suspects.iter().map(|task| task.number).collect::<Vec<_>>();
            for number in &suspects {
                // They have their turn: nobody else is to make them.
                ledger.done.insert(*number);
            }
            !suspects.is_empty()
        };
        let mut outcome = Ok(());
        if alone {
            let look = Mutex::new(|line: Option<&FinishedLine>| self.look(line));
            outcome = crew::work(1, true, ledger, run, &look);
        }
        if outcome.is_ok() && self.ended == Ended::Complete {
            let threads = self.args.jobs.threads();
            let look = Mutex::new(|line: Option<&FinishedLine>| self.look(line));
            outcome = crew::work(threads, false, ledger, run, &look);
        }
        self.screen.end();
        outcome
    }

    /// Looks at a result, and says whether to go on.
    fn look(&mut self, line: Option<&FinishedLine>) -> Result<Next, CliError> {
        if let Some(line) = line {
            let failed = self.seen.tally.failed;
            self.seen.add(line);
            self.screen.advance_sweep(self.seen.tally.failed, failed != self.seen.tally.failed);
            if self.args.format == SweepFormat::Jsonl {
                let text = Line::Finished(Box::new(line.clone())).to_text()?;
                self.screen.data(&text)?;
            }
        }
        let is_enough = |most: NonZeroU64| self.seen.tally.failed >= most.get();
        let is_late = |budget: Duration| self.watch.elapsed() >= budget;
        if self.interrupt.was_asked() {
            self.ended = Ended::Interrupted;
        } else if self.args.max_failures.is_some_and(is_enough) {
            self.ended = Ended::MaxFailures;
        } else if self.args.budget.is_some_and(is_late) {
            self.ended = Ended::Budget;
        }
        Ok(if self.ended == Ended::Complete { Next::Go } else { Next::Stop })
    }
}
