//! `seedbed sweep`: runs many seeds on all cores, and shows the distinct failures among them.
//!
//! Results are appended to a file as they come, so that nothing ends a sweep with a loss: not
//! Ctrl-C, not a kill, not a full disk. What a run comes to depends on its seed alone; the clock, the
//! threads and the file are known here only.

pub(super) mod after;
mod args;
mod course;
mod crew;
mod file;
pub(super) mod once;
mod resume;
pub(super) mod told;

use std::{
    env::VarError,
    fs::File,
    io::{BufRead as _, BufReader},
    sync::Mutex,
    time::Duration,
};

use serde::Serialize;

pub(super) use self::args::{SweepArgs, SweepFormat};
use self::{
    after::{AllMade, Wanted},
    course::{Course, Seen},
    crew::Ledger,
    once::Way,
    told::Told,
};
use super::{
    clock::Stopwatch,
    error::CliError,
    exit::Exit,
    interrupt::Interrupt,
    list::pretty,
    output,
    regress::prepare,
    screen::Screen,
    sims::{self, Entry},
};
use crate::{
    explore::{
        Options,
        sweep::{Hex, Plan, PlannedSim, Shard, Tally, from_environment},
    },
    report::{html::Survey, text::wall_text},
    scenario::{Load, fnv},
    world::Host,
};

/// How many seeds are run if neither their number nor a budget is given.
const SEEDS: u64 = 1_000;

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

pub(super) fn sweep(args: SweepArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let watch = Stopwatch::start();
    let mut entries = sims::load(&args.sims.sims)?;
    // As the plan has them.
    entries.sort_by(|a, b| a.sim.name.cmp(&b.sim.name));
    let way = Way { options: args.load.options(Host::Native)?, verify: args.verify };
    let plan = plan(&args, &entries, &way.options, screen)?;
    let line = plan.line(arguments(&way.options));
    let outputs = [("--results", args.results.as_deref()), ("--html", args.html.as_deref())];
    output::allow(output::inputs(&entries, &way.options), &outputs)?;
    args.keep.as_deref().map_or(Ok(()), prepare)?;
    let mut ledger = Ledger::new(&plan);
    let page = output::create(args.html.as_deref())?;
    let mut seen =
        Seen { tally: Tally::default(), survey: page.as_ref().map(|_| Survey::default()) };
    if let Some(path) = &args.results {
        resume::open(path, &args, &line, &mut ledger, &mut seen, screen)?;
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
    // What came of it is said even if GitHub cannot be told.
    let written = told.github(&args.github, github, (entries, Vec::new()), screen);
    let replay = told.first_replay().map(|replay| replay + "\n").unwrap_or_default();
    match args.format {
        SweepFormat::Text => {
            let mut text = told.failures() + &told.summary();
            let here = told.tally.runs - before;
            let millis = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX).max(1);
            let rate = here.saturating_mul(1_000) / millis;
            text += &format!("{here} of them here in {}, {rate} a second\n", wall_text(wall));
            text += &shortfall(told, args, &more);
            screen.data(&(text + &replay))?;
        }
        SweepFormat::Json => {
            screen.data(&pretty(&told.document(more))?)?;
            screen.talk(&replay);
        }
        SweepFormat::Jsonl => screen.talk(&(story + &replay)),
    }
    written
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
