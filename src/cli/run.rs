//! `seedbed run`: runs sims, and says whether each came to what it must.

use std::{
    ops::ControlFlow,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use clap::{Args, ValueEnum};

use super::{
    attempt,
    clock::Stopwatch,
    error::CliError,
    exit::Exit,
    exports::Exports,
    github::GithubArgs,
    html::{self, Page},
    interrupt::{self, Interrupt},
    metrics::{Measuring, ServeArgs},
    options::{HostName, JobArgs, LoadArgs, SeedArgs, SimArgs},
    output::{self, Asked, OutputFile},
    pool,
    record::RecordArgs,
    screen::Screen,
    sims::{self, Entry},
    sweep::{self, after::AllMade, once, told::Told},
};
use crate::{
    config::names::nearest,
    explore::{
        Blame, Options, ReachedByAny, RunError, Signature, Witness,
        sweep::{Hex, PlanLine, PlannedSim, RESULTS_VERSION, Tally},
    },
    report::{
        Finished, document,
        github::Problem,
        junit::Junit,
        log::Log,
        metrics::MetricTable,
        text::{self, Summary, Widths, counted},
    },
    scenario::{METRICS, Must},
    world::{Observer, Seed},
};

/// What to run, and how.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    sims: SimArgs,
    #[command(flatten)]
    seeds: SeedArgs,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    jobs: JobArgs,
    /// Poll the actors with this host; the history is the same
    #[arg(long, value_enum, default_value_t = HostName::Native)]
    host: HostName,
    /// How to write the results
    #[arg(long, value_enum, default_value_t = RunFormat::Text)]
    format: RunFormat,
    /// Also show these metrics of each run, side by side (with --format text)
    #[arg(long, value_name = "METRIC", value_delimiter = ',', long_help = show_help())]
    show: Vec<String>,
    /// Also write the results as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    record: RecordArgs,
    #[command(flatten)]
    github: GithubArgs,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RunFormat {
    /// For people: a line for each run, and a summary
    Text,
    /// One JSON document, when all is done
    Json,
    /// One line of JSON for each run, as they come
    Jsonl,
}

pub(super) fn run(args: RunArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let entries = sims::load_or_built_in(&args.sims.sims, screen)?;
    let options = args.load.options(args.host.into())?;
    let plan: Vec<(&Entry, Seed)> = plan(&entries, &args.seeds)?;
    if let Some(flag) = args.record.for_one().filter(|_| plan.len() != 1) {
        return Err(CliError::usage(
            format!("{flag} needs one run, and these are {}", plan.len()),
            "name one sim and give one --seed",
        ));
    }
    let junit = [("--junit", args.junit.as_deref())];
    let outputs: Vec<Asked<'_>> = junit.into_iter().chain(args.record.outputs()).collect();
    output::allow(output::inputs(&entries, &options), &outputs)?;
    if let [(entry, seed)] = plan[..] {
        args.record.write_plan(entry, seed)?;
    }
    let shown = shown(&args)?;
    let junit = output::create(args.junit.as_deref())?;
    let mut measuring =
        Measuring::begin(&args.record.metrics, Some(&args.serve), plan.len(), screen)?;
    // All are for the one run that there is then.
    let files = Mutex::new(Files {
        log: output::create_log(args.record.log.as_deref())?,
        exports: args.record.exports.create()?,
        page: args.record.html.create()?,
    });
    let mut results = Results {
        screen,
        format: args.format,
        widths: widths(&plan),
        summary: Summary::default(),
        junit: junit.is_some().then(Junit::new),
        shown,
        kept: Vec::new(),
        worst: Exit::Ok,
        first_replay: None,
        reached: ReachedByAny::default(),
        skipped_lines: 0,
        page: None,
        unwritten: Vec::new(),
        interrupted_after: None,
        tally: args.github.is_asked_for().then(Tally::default),
    };
    let interrupt = Interrupt::listen().map_err(interrupt::deaf)?;
    let watch = Stopwatch::start();
    results.screen.begin(plan.len() as u64);
    let work = |index: usize| {
        let (entry, seed) = plan[index];
        let files = std::mem::take(&mut *files.lock().unwrap_or_else(PoisonError::into_inner));
        one(entry, seed, &options, measuring.observer(index, entry, seed)?, files)
    };
    let mut closed = None;
    pool::in_order(args.jobs.threads(), plan.len(), work, |index, result| {
        let (entry, seed) = plan[index];
        match results.take(entry, seed, &options, result) {
            Ok(()) if interrupt.was_asked() && index + 1 < plan.len() => {
                results.interrupted_after = Some(index + 1);
                ControlFlow::Break(())
            }
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                closed = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    results.screen.end();
    if let Some(error) = closed {
        return Err(error);
    }
    results.unwritten.extend(measuring.write().err());
    let exit = results.finish((&entries, &options, plan.len()), &args, watch, junit)?;
    measuring.serve(&interrupt, screen)?;
    Ok(exit)
}

/// The table of the metrics that are to be shown.
fn shown(args: &RunArgs) -> Result<Option<MetricTable>, CliError> {
    if args.show.is_empty() {
        return Ok(None);
    }
    if args.format != RunFormat::Text {
        let help = "leave --show out: every metric is in the document";
        return Err(CliError::usage("--show is for --format text".to_owned(), help));
    }
    MetricTable::new(&args.show).map(Some).map_err(|unknown| {
        let meant = nearest(&unknown, METRICS.iter().map(|metric| metric.name));
        let help = match meant {
            Some(name) => format!("did you mean {name}? `seedbed run --help` lists all"),
            None => "`seedbed run --help` lists all".to_owned(),
        };
        CliError::usage(format!("no metric is called {unknown:?}"), help)
    })
}

/// What `--help` says of `--show`.
fn show_help() -> String {
    let names: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
    format!(
        "Also show these metrics of each run, side by side (with --format text):\n{}",
        names.join(", ")
    )
}

/// The most runs of one command: something of each is kept until the end.
const RUNS_MAX: u64 = 100_000;

/// Every seed of every sim, in order.
pub(super) fn plan<'a>(
    entries: &'a [Entry],
    seeds: &SeedArgs,
) -> Result<Vec<(&'a Entry, Seed)>, CliError> {
    let runs = entries.iter().map(|entry| seeds.count(entry)).fold(0, u64::saturating_add);
    if runs > RUNS_MAX {
        return Err(CliError::usage(
            format!("these are {runs} runs, and this makes at most {RUNS_MAX}"),
            "name fewer sims or seeds; `seedbed sweep --seeds N` makes as many as you like",
        ));
    }
    let of = |entry: &'a Entry| seeds.of(entry).into_iter().map(move |seed| (entry, seed));
    Ok(entries.iter().flat_map(of).collect())
}

/// The widths of the columns of sims and seeds.
pub(super) fn widths(plan: &[(&Entry, Seed)]) -> Widths {
    Widths {
        sim: plan.iter().map(|(entry, _)| entry.sim.name.chars().count()).max().unwrap_or(0),
        seed: plan.iter().map(|(_, seed)| seed.to_string().len()).max().unwrap_or(0),
        screen: Screen::columns(),
    }
}

/// The files that show one run.
#[derive(Default)]
struct Files {
    log: Option<Log>,
    exports: Exports,
    page: Option<Page>,
}

/// One run, and what became of its files: the run is not lost if one cannot be written.
struct One {
    finished: Finished,
    page: Option<Page>,
    unwritten: Vec<CliError>,
}

fn one(
    entry: &Entry,
    seed: Seed,
    options: &Options,
    meter: Option<Box<dyn Observer>>,
    files: Files,
) -> Result<One, CliError> {
    let Files { log, exports, page } = files;
    let (exporting, mut observers) = exports.begin();
    observers.extend(meter);
    let recording = page.as_ref().map(|_| html::record(entry, seed)).transpose()?;
    observers.extend(recording.iter().map(html::Recording::observer));
    let log = log.map(|log| {
        let path = log.path().to_owned();
        let (log, observer) = log.begin(&entry.sim, seed);
        observers.push(observer);
        (log, path)
    });
    let finished = attempt::judged(entry, seed, options, observers)?;
    let mut unwritten = Vec::new();
    if let Some((log, path)) = log {
        let written = log.finish();
        unwritten.extend(written.map_err(|source| CliError::Output { path, source }).err());
    }
    unwritten.extend(exporting.finish(&entry.sim));
    let mut shown = None;
    if let Some((page, recording)) = page.zip(recording) {
        match page.write(recording, entry, &finished) {
            Ok(page) => shown = Some(page),
            Err(error) => unwritten.push(error),
        }
    }
    Ok(One { finished, page: shown, unwritten })
}

/// What is done with results as they come.
struct Results<'a> {
    screen: &'a mut Screen,
    format: RunFormat,
    widths: Widths,
    summary: Summary,
    junit: Option<Junit>,
    /// The metrics that are shown.
    shown: Option<MetricTable>,
    /// The results for a document that is written at the end.
    kept: Vec<Finished>,
    worst: Exit,
    first_replay: Option<String>,
    reached: ReachedByAny,
    skipped_lines: u64,
    page: Option<Page>,
    /// Files that could not be written. The verdict is told all the same.
    unwritten: Vec<CliError>,
    /// How many runs there were when somebody ended the command.
    interrupted_after: Option<usize>,
    /// The failures by what they have in common, if GitHub is to be told of them.
    tally: Option<Tally>,
}

impl Results<'_> {
    /// Takes one result. An error here ends everything.
    fn take(
        &mut self,
        entry: &Entry,
        seed: Seed,
        options: &Options,
        result: Result<One, CliError>,
    ) -> Result<(), CliError> {
        self.screen.advance(&entry.sim.name);
        let finished = match result {
            Ok(One { finished, page, unwritten }) => {
                self.page = self.page.take().or(page);
                self.unwritten.extend(unwritten);
                finished
            }
            Err(error @ CliError::Run { .. }) => {
                self.worst = self.worst.max(error.exit());
                if let (Some(junit), CliError::Run { error, replay }) = (&mut self.junit, &error) {
                    junit.add_error(&entry.sim.name, seed.0, &error.to_string(), replay);
                }
                if let (Some(tally), CliError::Run { error, .. }) = (&mut self.tally, &error) {
                    tally.add(&once::broken(&entry.sim.name, seed, Hex(0), unmade(error)));
                }
                self.screen.talk(&error.report());
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if !finished.verdict.is_good() {
            let is_leak = Witness::of(&finished.run).woken_from_outside.is_some()
                && entry.sim.must != Must::Diverge;
            let exit = if is_leak { Exit::Nondeterminism } else { Exit::Failed };
            self.worst = self.worst.max(exit);
            self.first_replay.get_or_insert_with(|| entry.replay(seed, options));
        }
        if let Some(tally) = &mut self.tally {
            tally.add(&once::line(entry, seed, Hex(0), finished.clone(), None));
        }
        self.skipped_lines += finished.run.skipped_lines;
        self.reached.add(&finished.run);
        self.summary.add(&finished);
        if let Some(junit) = &mut self.junit {
            junit.add(&finished);
        }
        if let Some(shown) = &mut self.shown {
            shown.add(&finished);
        }
        match self.format {
            RunFormat::Text => self.screen.data(&text::run(&finished, self.widths)),
            RunFormat::Jsonl => self.screen.data(&document::line(&finished)?),
            RunFormat::Json => {
                self.kept.push(finished);
                Ok(())
            }
        }
    }

    /// Tells what came of it all; the last line is the command that replays a failure.
    fn finish(
        mut self,
        (entries, options, planned): (&[Entry], &Options, usize),
        args: &RunArgs,
        watch: Stopwatch,
        junit: Option<OutputFile>,
    ) -> Result<Exit, CliError> {
        match self.format {
            RunFormat::Text => {
                self.screen.data(&self.summary.text(entries.len(), watch.elapsed()))?;
                if let Some(shown) = &self.shown {
                    self.screen.data(&shown.text(Screen::width()))?;
                }
            }
            RunFormat::Json => {
                self.screen.data(&document::document(&self.kept)?)?;
            }
            RunFormat::Jsonl => {}
        }
        if let (Some(report), Some(output)) = (self.junit, junit) {
            let OutputFile { path, file } = output;
            let written = report.write(file).map_err(|source| CliError::Output { path, source });
            self.unwritten.extend(written.err());
        }
        if self.skipped_lines > 0 {
            let lines = counted(self.skipped_lines, "broken line");
            self.screen.talk(&format!("{lines} of traces left out\n"));
        }
        let mut never_reached = Vec::new();
        if let Some(done) = self.interrupted_after {
            self.worst = self.worst.max(Exit::NothingRan);
            self.screen.talk(&format!("interrupted after {done} of {planned} runs\n"));
            // A run that was not made might have reached them.
            self.reached = ReachedByAny::default();
        }
        for (sim, runs, what) in self.reached.never() {
            self.worst = self.worst.max(Exit::Failed);
            let never = format!("{what} was not reached in any of {runs} runs");
            self.screen.talk(&format!("{}\n", text::wrap(&format!("{sim}: "), &never, 4)));
            let entry = entries.iter().find(|entry| entry.sim.name == sim);
            never_reached.push(Problem {
                sim: sim.to_owned(),
                file: entry.map(|entry| entry.place.argument()).unwrap_or_default(),
                line: 1,
                failure: never,
                runs: counted(runs, "run"),
                replay: String::new(),
            });
        }
        if let Some(tally) = &self.tally {
            let told = Told { tally, plan: &plan_line(entries, options), made: &AllMade::new() };
            let summary = told.summary();
            let story = ("run", self.worst == Exit::Ok, summary.as_str());
            let written = told.github(&args.github, story, (entries, never_reached), self.screen);
            self.unwritten.extend(written.err());
        }
        for error in &self.unwritten {
            self.screen.talk(&error.report());
            self.worst = self.worst.max(error.exit());
        }
        args.record.html.tell(self.page, self.screen);
        if let Some(replay) = self.first_replay {
            match self.format {
                RunFormat::Text => self.screen.data(&format!("{replay}\n"))?,
                RunFormat::Json | RunFormat::Jsonl => self.screen.talk(&format!("{replay}\n")),
            }
        }
        Ok(self.worst)
    }
}

/// What a run that could not be made has in common with others.
fn unmade(error: &RunError) -> Blame {
    let cause = "it could not be run".to_owned();
    let signature = Signature { check: "run".to_owned(), actors: Vec::new(), cause };
    Blame { signature, failure: error.to_string() }
}

/// The sims as results have them, for the commands that replay them.
fn plan_line(entries: &[Entry], options: &Options) -> PlanLine {
    let sim = |entry: &Entry| PlannedSim {
        sim: entry.sim.name.clone(),
        path: entry.place.argument(),
        scenario_hash: Hex(0),
        seeds: Vec::new(),
    };
    PlanLine {
        version: RESULTS_VERSION,
        seedbed: String::new(),
        endless_from: None,
        shard: None,
        arguments: sweep::arguments(options),
        sims: entries.iter().map(sim).collect(),
    }
}
