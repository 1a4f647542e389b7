//! `seedbed sweep`: runs many seeds on all cores, and shows the distinct failures among them.
//!
//! Results are appended to a file as they come, so that nothing ends a sweep with a loss: not
//! Ctrl-C, not a kill, not a full disk. What a run comes to depends on its seed alone; the clock, the
//! threads and the file are known here only.

pub(super) mod after;
mod crew;
mod file;
pub(super) mod once;
pub(super) mod told;

use std::{
    collections::BTreeMap,
    env::VarError,
    fs::File,
    io::{BufRead as _, BufReader},
    num::NonZeroU64,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use clap::{Args, ValueEnum};
use serde::Serialize;

use self::{
    after::{AllMade, Wanted},
    crew::{Ledger, Next},
    file::ResultsFile,
    once::{Way, once},
    told::Told,
};
use super::{
    clock::Stopwatch,
    error::CliError,
    exit::Exit,
    github::GithubArgs,
    interrupt::Interrupt,
    list::pretty,
    options::{JobArgs, LoadArgs, SimArgs, duration, seed},
    output,
    regress::CORPUS,
    screen::Screen,
    sims::{self, Entry},
};
use crate::{
    explore::{
        Options,
        sweep::{
            FinishedLine, Hex, Line, Plan, PlanLine, PlannedSim, Shard, Tally, Task,
            from_environment,
        },
    },
    report::{html::Survey, text::wall_text},
    scenario::{Load, fnv, parse_probability},
    world::{Host, Probability, Seed},
};

/// How many seeds are run if neither their number nor a budget is given.
const SEEDS: u64 = 1_000;

/// What to sweep, and how.
#[derive(Debug, Args)]
pub(super) struct SweepArgs {
    #[command(flatten)]
    sims: SimArgs,
    /// Run so many seeds of each sim; without end if there is a budget, 1000 if there is none
    #[arg(long, value_name = "N")]
    seeds: Option<NonZeroU64>,
    /// Begin with this seed
    #[arg(long, value_name = "SEED", value_parser = seed, default_value = "1")]
    from: Seed,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    jobs: JobArgs,
    /// Begin no run after so long, as in 10m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    budget: Option<Duration>,
    /// Begin no run once so many have failed
    #[arg(long, value_name = "N")]
    max_failures: Option<NonZeroU64>,
    /// Run this share of the seeds twice, as in 5%, to see that each has one history
    #[arg(long, value_name = "SHARE", value_parser = share, default_value = "0%")]
    verify: Probability,
    /// Append every result to this file as it comes, as JSON Lines
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Go on with the results that the file has; what was started and never finished goes first
    #[arg(long, requires = "results")]
    resume: bool,
    /// Run only the K-th of N shares of the seeds, K from 1; an array job says it by its variables
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// Keep the first seed of each distinct failure in a corpus, as `seedbed regress --add` does
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, require_equals = true,
          default_missing_value = CORPUS, conflicts_with_all = ["trace", "skip_bad"])]
    keep: Option<PathBuf>,
    /// Make each distinct failure small afterwards, as `seedbed shrink` does, in so long each at most
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, value_parser = duration,
          default_missing_value = "1m", conflicts_with_all = ["trace", "skip_bad"])]
    shrink: Option<Duration>,
    /// How to write what came of it
    #[arg(long, value_enum, default_value_t = SweepFormat::Text)]
    format: SweepFormat,
    /// Write a page that shows the sweep, for a browser: one file, no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    github: GithubArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SweepFormat {
    /// For people: the distinct failures, and a summary
    Text,
    /// One JSON document, when all is done
    Json,
    /// One line of JSON for each run
    Jsonl,
}

fn share(text: &str) -> Result<Probability, String> {
    parse_probability(text).map_err(|error| error.to_string())
}

/// Why a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    /// Every run was made.
    Complete,
    Budget,
    Interrupted,
    MaxFailures,
    /// Something went wrong outside of the runs.
    Error,
}

/// What the document of a sweep has besides its results.
#[derive(Serialize)]
struct More {
    /// How many runs there are in all; `None` if there is no end to them.
    planned: Option<u64>,
    ended: Ended,
    shard: String,
    wall_ms: u64,
}

/// The same for a page, which nothing of the machine is part of.
#[derive(Serialize)]
struct PageMore {
    planned: Option<u64>,
    ended: Ended,
    shard: String,
}

/// What the runs came to: all together and, if there is to be a page, each.
struct Seen {
    tally: Tally,
    survey: Option<Survey>,
}

impl Seen {
    fn add(&mut self, line: &FinishedLine) {
        self.tally.add(line);
        if let Some(survey) = &mut self.survey {
            survey.add(line);
        }
    }
}

pub(super) fn sweep(args: SweepArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let watch = Stopwatch::start();
    let mut entries = sims::load(&args.sims.sims)?;
    // As the plan has them.
    entries.sort_by(|a, b| a.sim.name.cmp(&b.sim.name));
    let way = Way { options: args.load.options(Host::Native)?, verify: args.verify };
    let plan = plan(&args, &entries, &way.options, screen)?;
    let line = plan.line(arguments(&way.options));
    let mut ledger = Ledger::new(&plan);
    let page = output::create(args.html.as_deref())?;
    let mut seen =
        Seen { tally: Tally::default(), survey: page.as_ref().map(|_| Survey::default()) };
    if let Some(path) = &args.results {
        open(path, &args, &line, &mut ledger, &mut seen, screen)?;
    }
    let failed = seen.tally.failed;
    ledger.failures_left = args.max_failures.map(|most| most.get().saturating_sub(failed));
    let interrupt = Interrupt::listen()
        .map_err(|error| CliError::usage(format!("cannot listen to signals: {error}"), ""))?;
    let before = seen.tally.runs;
    let mut course = Course { args: &args, screen, seen, interrupt, watch, ended: Ended::Complete };
    let outcome = course.run(&plan, &entries, &way, &Mutex::new(ledger));
    let Course { seen: Seen { tally, survey }, mut ended, interrupt, screen, .. } = course;
    let wall = watch.elapsed();
    if plan.count().is_some_and(|planned| tally.runs >= planned) {
        ended = Ended::Complete;
    } else if outcome.is_err() {
        ended = Ended::Error;
    }
    let wanted =
        Wanted { keep: args.keep.as_ref(), shrink: args.shrink, threads: args.jobs.threads() };
    let made = match outcome {
        Ok(()) => after::make(&wanted, &tally, &entries, &interrupt, screen),
        Err(_) => AllMade::new(),
    };
    let told = Told { tally: &tally, plan: &line, made: &made };
    let more = More {
        planned: plan.count(),
        ended,
        shard: plan.shard().to_string(),
        wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
    };
    let exit = if matches!(outcome, Err(CliError::Closed)) { Exit::Closed } else { told.exit() };
    if exit != Exit::Closed {
        tell(&told, &args, more, (before, wall), (&entries, &mut *screen))?;
    }
    if let (Some(page), Some(survey)) = (page, survey) {
        let more = PageMore { planned: plan.count(), ended, shard: plan.shard().to_string() };
        told.page(&survey, more, page)?;
    }
    outcome?;
    // An endless sweep that its budget ends has done what it was asked to.
    let is_short = match ended {
        Ended::Complete => false,
        Ended::Budget => plan.count().is_some(),
        Ended::Interrupted | Ended::MaxFailures | Ended::Error => true,
    };
    Ok(if is_short { exit.max(Exit::NothingRan) } else { exit })
}

/// What is to be run.
fn plan(
    args: &SweepArgs,
    entries: &[Entry],
    options: &Options,
    screen: &mut Screen,
) -> Result<Plan, CliError> {
    let shard = match args.shard {
        Some(shard) => shard,
        None => match from_environment(environment) {
            Ok(Some((shard, variable))) => {
                screen.talk(&format!("shard {shard}, as {variable} says\n"));
                shard
            }
            Ok(None) => Shard::WHOLE,
            Err(error) => {
                return Err(CliError::usage(error.to_string(), "--shard 1/1 runs all of it"));
            }
        },
    };
    let seeds = match (args.seeds, args.budget) {
        (Some(seeds), _) => Some(seeds.get()),
        (None, Some(_)) => None,
        (None, None) => Some(SEEDS),
    };
    let sims = entries.iter().map(|entry| {
        Ok(PlannedSim {
            sim: entry.sim.name.clone(),
            path: entry.place.argument(),
            scenario_hash: scenario_hash(entry, options)?,
            seeds: Vec::new(),
        })
    });
    Plan::new(args.from.0, seeds, shard, sims.collect::<Result<_, CliError>>()?)
        .map_err(|error| CliError::usage(error.to_string(), "name other sims, or other seeds"))
}

#[expect(clippy::disallowed_methods, reason = "an array job, or CI, says what it wants")]
pub(super) fn environment(name: &str) -> Option<String> {
    match std::env::var(name) {
        Ok(value) => Some(value),
        Err(VarError::NotUnicode(value)) => Some(value.to_string_lossy().into_owned()),
        Err(VarError::NotPresent) => None,
    }
}

/// The hash of all that a sim's runs depend on besides their seeds: its text, and its trace.
fn scenario_hash(entry: &Entry, options: &Options) -> Result<Hex, CliError> {
    let own = match &entry.sim.load {
        Some(Load::Trace { file, .. }) => Some(file),
        _ => None,
    };
    let mut hash = entry.sim.text_hash();
    let Some(path) = options.trace.as_ref().or(own) else { return Ok(Hex(hash)) };
    let failed = |error: std::io::Error| {
        let message = format!("cannot read the trace {}: {error}", path.display());
        CliError::usage(message, "check the path")
    };
    let mut reader = BufReader::new(File::open(path).map_err(failed)?);
    hash = fnv(hash, &[u8::from(options.skip_bad)]);
    loop {
        let bytes = reader.fill_buf().map_err(failed)?;
        if bytes.is_empty() {
            return Ok(Hex(hash));
        }
        hash = fnv(hash, bytes);
        let length = bytes.len();
        reader.consume(length);
    }
}

/// What a replay needs besides sim and seed.
pub(super) fn arguments(options: &Options) -> Vec<String> {
    let trace = options.trace.iter();
    let mut arguments: Vec<String> = trace
        .flat_map(|trace| ["--trace".to_owned(), trace.to_string_lossy().into_owned()])
        .collect();
    arguments.extend(options.skip_bad.then(|| "--skip-bad".to_owned()));
    arguments
}

/// Opens the file of results, and takes what is in it into account.
fn open(
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

/// A sweep while it runs.
struct Course<'a> {
    args: &'a SweepArgs,
    screen: &'a mut Screen,
    seen: Seen,
    interrupt: Interrupt,
    watch: Stopwatch,
    ended: Ended,
}

impl Course<'_> {
    fn run(
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
                replay: super::command_line(),
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
            outcome = crew::work(1, true, ledger, run, |line| self.look(line));
        }
        if outcome.is_ok() && self.ended == Ended::Complete {
            let threads = self.args.jobs.threads();
            outcome = crew::work(threads, false, ledger, run, |line| self.look(line));
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

/// Says what came of it.
fn tell(
    told: &Told<'_>,
    args: &SweepArgs,
    more: More,
    (before, wall): (u64, Duration),
    (entries, screen): (&[Entry], &mut Screen),
) -> Result<(), CliError> {
    let story = told.summary() + &shortfall(told, args, &more);
    let github = ("sweep", told.exit() == Exit::Ok, story.as_str());
    told.github(&args.github, github, (entries, Vec::new()), screen)?;
    let replay = told.first_replay().map(|replay| replay + "\n").unwrap_or_default();
    match args.format {
        SweepFormat::Text => {
            let mut text = told.failures() + &told.summary();
            let here = told.tally.runs - before;
            let millis = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX).max(1);
            let rate = here.saturating_mul(1_000) / millis;
            text += &format!("{here} of them here in {}, {rate} a second\n", wall_text(wall));
            text += &shortfall(told, args, &more);
            screen.data(&(text + &replay))
        }
        SweepFormat::Json => {
            screen.data(&pretty(&told.document(more))?)?;
            screen.talk(&replay);
            Ok(())
        }
        SweepFormat::Jsonl => {
            screen.talk(&(story + &replay));
            Ok(())
        }
    }
}

/// Why there are fewer runs than there were to be, and how to go on.
fn shortfall(told: &Told<'_>, args: &SweepArgs, more: &More) -> String {
    let why = match more.ended {
        Ended::Complete => return String::new(),
        Ended::Budget => "the budget is used up",
        Ended::Interrupted => "interrupted",
        Ended::MaxFailures => "as many runs have failed as were to",
        Ended::Error => "broken off",
    };
    let of = more.planned.map(|planned| format!(" after {} of {planned} runs", told.tally.runs));
    let how = match (&args.results, more.planned) {
        (Some(_), _) => "; --resume goes on",
        (None, Some(_)) => "; with --results FILE it could go on",
        (None, None) => "",
    };
    format!("ended early: {why}{}{how}\n", of.unwrap_or_default())
}
