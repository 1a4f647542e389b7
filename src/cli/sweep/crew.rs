//! The threads of a sweep: each takes the next run, makes it, and writes down what it came to.
//!
//! A run is written down as started before it begins, so that one that ends the whole process is
//! known by name afterwards. Every result is on file before anybody is told of it.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use super::file::ResultsFile;
use crate::{
    cli::error::CliError,
    explore::sweep::{FinishedLine, Line, Plan, RESULTS_VERSION, Ranges, StartedLine, Task},
};

/// How often `look` is called without a result.
const LOOK_UP: Duration = Duration::from_millis(100);

/// What is left to do, and where results go.
pub(super) struct Ledger<'a> {
    pub(super) plan: &'a Plan,
    pub(super) file: Option<ResultsFile>,
    /// The numbers of the runs that need not be made.
    pub(super) done: Ranges,
    /// Runs that were started before and never finished. They go first, one at a time.
    pub(super) suspects: VecDeque<Task>,
    /// How many runs may still fail before no more is begun; `None` if any number may. It is counted
    /// here, as whoever looks at results may be far behind.
    pub(super) failures_left: Option<u64>,
    next: u64,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(plan: &'a Plan) -> Ledger<'a> {
        let (done, suspects) = (Ranges::default(), VecDeque::new());
        Ledger { plan, file: None, done, suspects, failures_left: None, next: 0 }
    }

    fn next(&mut self, alone: bool) -> Option<Task> {
        if alone {
            return self.suspects.pop_front();
        }
        let number = self.done.first_gap(self.next)?;
        self.next = number.checked_add(1)?;
        self.plan.task(number)
    }

    /// Writes down results, and hands out the next run: one write for both. `lines` has the text of
    /// `result`, which was made without the lock.
    fn turn(
        &mut self,
        result: Option<&Line>,
        lines: &mut Vec<u8>,
        alone: bool,
        is_over: bool,
    ) -> Result<Option<Task>, CliError> {
        let has_failed = matches!(result, Some(Line::Finished(line)) if !line.verdict.is_good());
        self.failures_left =
            self.failures_left.map(|left| left.saturating_sub(u64::from(has_failed)));
        let is_over = is_over || self.failures_left == Some(0);
        let task = if is_over { None } else { self.next(alone) };
        let Some(file) = &mut self.file else { return Ok(task) };
        if let Some(task) = task
            && let Some(sim) = self.plan.sims().get(task.sim)
        {
            let (sim, seed) = (sim.sim.clone(), task.seed);
            Line::Started(StartedLine { version: RESULTS_VERSION, sim, seed }).write(lines)?;
        }
        if !lines.is_empty() {
            file.append(lines)?;
        }
        Ok(task)
    }
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Go,
    Stop,
}

/// What all threads of a sweep know of it.
struct Crew<'a, L> {
    look: &'a Mutex<L>,
    is_over: AtomicBool,
    /// The first that went wrong.
    broken: Mutex<Option<CliError>>,
}

impl<L: FnMut(Option<&FinishedLine>) -> Result<Next, CliError>> Crew<'_, L> {
    /// Has somebody look at a result, and stops if that is what comes of it. Others wait until that
    /// is known: a thread that loses the processor here does not let them go on.
    fn look(&self, line: Option<&FinishedLine>) {
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        match look(line) {
            Ok(Next::Go) => {}
            Ok(Next::Stop) => self.is_over.store(true, Ordering::Relaxed),
            Err(error) => self.fail(error),
        }
    }

    fn fail(&self, error: CliError) {
        self.is_over.store(true, Ordering::Relaxed);
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// Makes runs on so many threads until there are none left or `look` says stop; with `alone` only
/// the suspects. `look` is called with each result that is on file, by the thread that made it, and
/// without one now and then, first of all before anything is begun.
pub(super) fn work(
    threads: usize,
    alone: bool,
    ledger: &Mutex<Ledger<'_>>,
    run: impl Fn(Task) -> Result<FinishedLine, CliError> + Sync,
    look: &Mutex<impl FnMut(Option<&FinishedLine>) -> Result<Next, CliError> + Send>,
) -> Result<(), CliError> {
    let crew = Crew { look, is_over: AtomicBool::new(false), broken: Mutex::new(None) };
    crew.look(None);
    let make = || -> Result<(), CliError> {
        let (mut result, mut lines): (Option<Line>, _) = (None, Vec::new());
        loop {
            lines.clear();
            if let Some(line) = &result {
                line.write(&mut lines)?;
            }
            let is_over = crew.is_over.load(Ordering::Relaxed);
            let task = ledger.lock().unwrap_or_else(PoisonError::into_inner).turn(
                result.as_ref(),
                &mut lines,
                alone,
                is_over,
            )?;
            if let Some(Line::Finished(line)) = &result {
                crew.look(Some(line));
            }
            match task {
                Some(task) => result = Some(Line::Finished(Box::new(run(task)?))),
                None => return Ok(()),
            }
        }
    };
    // Nothing is ever sent: that all senders are gone says that all threads are done.
    let (working, all_done) = mpsc::channel::<Infallible>();
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let (working, crew, make) = (working.clone(), &crew, &make);
            scope.spawn(move || {
                if let Err(error) = make() {
                    crew.fail(error);
                }
                drop(working);
            });
        }
        drop(working);
        while let Err(mpsc::RecvTimeoutError::Timeout) = all_done.recv_timeout(LOOK_UP) {
            crew.look(None);
        }
    });
    crew.broken.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::sweep::{Hex, PlannedSim, RunVerdict, Shard};

    fn plan(seeds: Option<u64>) -> Plan {
        let sim = PlannedSim {
            sim: "a".to_owned(),
            path: "a".to_owned(),
            scenario_hash: Hex(1),
            seeds: Vec::new(),
        };
        Plan::new(1, seeds, Shard::WHOLE, vec![sim]).unwrap()
    }

    fn finished(task: Task) -> FinishedLine {
        FinishedLine {
            version: RESULTS_VERSION,
            sim: "a".to_owned(),
            scenario_hash: Hex(1),
            seed: task.seed,
            fingerprint: None,
            verdict: RunVerdict::Pass,
            signature: None,
            failure: None,
            events: 0,
            virtual_ms: 0,
            wall_us: None,
            measured: None,
            reached: Vec::new(),
            unreached: Vec::new(),
        }
    }

    #[test]
    fn every_run_is_made_once_on_any_number_of_threads() {
        let plan = plan(Some(500));
        for threads in [1, 2, 9] {
            let ledger = Mutex::new(Ledger::new(&plan));
            ledger.lock().unwrap().done.insert_range(10, 19);
            let mut seeds = Vec::new();
            let look = |line: Option<&FinishedLine>| {
                seeds.extend(line.map(|line| line.seed));
                Ok(Next::Go)
            };
            work(threads, false, &ledger, |task| Ok(finished(task)), &Mutex::new(look)).unwrap();
            seeds.sort_unstable();
            let expected: Vec<u64> = (1..=500).filter(|seed| !(11..=20).contains(seed)).collect();
            assert_eq!(seeds, expected, "{threads} threads");
        }
    }

    #[test]
    fn an_endless_sweep_ends_when_it_is_told_to() {
        let plan = plan(None);
        let ledger = Mutex::new(Ledger::new(&plan));
        let mut count = 0;
        let look = |line: Option<&FinishedLine>| {
            count += usize::from(line.is_some());
            Ok(if count < 5_000 { Next::Go } else { Next::Stop })
        };
        work(3, false, &ledger, |task| Ok(finished(task)), &Mutex::new(look)).unwrap();
        // Whoever is told to stop has its next run already. Each of the other two may have just
        // asked for one, and has another to hand in before.
        assert!((5_000..=5_000 + 1 + 2 * 2).contains(&count), "{count}");
    }

    #[test]
    fn no_run_is_begun_once_so_many_have_failed() {
        let plan = plan(Some(1_000));
        let fails = |task: Task| Ok(FinishedLine { verdict: RunVerdict::Fail, ..finished(task) });
        for (threads, most) in [(1, 1), (1, 7), (3, 7)] {
            let ledger = Mutex::new(Ledger { failures_left: Some(most), ..Ledger::new(&plan) });
            let mut count = 0;
            let look = |line: Option<&FinishedLine>| {
                count += u64::from(line.is_some());
                Ok(Next::Go)
            };
            work(threads, false, &ledger, fails, &Mutex::new(look)).unwrap();
            // What others had begun by then.
            let others = threads as u64 - 1;
            assert!((most..=most + others).contains(&count), "{count} of {most}");
        }
    }

    #[test]
    fn what_is_over_before_it_begins_makes_no_run() {
        let plan = plan(Some(9));
        let run = |_| panic!("a run");
        work(
            2,
            false,
            &Mutex::new(Ledger::new(&plan)),
            run,
            &Mutex::new(|_: Option<&_>| Ok(Next::Stop)),
        )
        .unwrap();
    }

    #[test]
    fn alone_means_the_suspects_and_nobody_else() {
        let plan = plan(Some(9));
        let ledger = Mutex::new(Ledger::new(&plan));
        ledger.lock().unwrap().suspects.extend([plan.task(7), plan.task(2)].into_iter().flatten());
        let mut seeds = Vec::new();
        let look = |line: Option<&FinishedLine>| {
            seeds.extend(line.map(|line| line.seed));
            Ok(Next::Go)
        };
        work(1, true, &ledger, |task| Ok(finished(task)), &Mutex::new(look)).unwrap();
        assert_eq!(seeds, [8, 3]);
    }

    #[test]
    fn an_error_ends_it_and_no_result_is_lost() {
        let plan = plan(Some(100_000));
        let ledger = Mutex::new(Ledger::new(&plan));
        let run = |task: Task| match task.seed {
            50 => Err(CliError::usage("broken", "")),
            _ => Ok(finished(task)),
        };
        let mut seeds = Vec::new();
        let look = |line: Option<&FinishedLine>| {
            seeds.extend(line.map(|line| line.seed));
            Ok(Next::Go)
        };
        assert!(work(2, false, &ledger, run, &Mutex::new(look)).is_err());
        assert!(seeds.len() < 100_000 && (1..50).all(|seed| seeds.contains(&seed)));
    }
}
