//! `seedbed compare`: two settings, or the results of two versions, seed by seed.
//!
//! Two sims are run over the same seeds; two files of results are read. What can be said of their
//! differences is the business of `explore::compare`.

use std::{
    fs::File,
    io::BufReader,
    num::NonZeroU32,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use clap::{Args, builder::PossibleValuesParser};
use serde::Serialize;

use super::{
    error::CliError,
    exit::Exit,
    interrupt::{self, Interrupt},
    list::pretty,
    merge::refused,
    options::{Format, JobArgs, LoadArgs, seed},
    output, pool,
    screen::Screen,
    sims::{self, Entry},
    sweep::{
        once::{Way, once},
        told::clean,
    },
};
use crate::{
    explore::{
        compare::{Comparison, Finding, Matched, QUANTITIES, matched, only_compared},
        sweep::{FinishedLine, Hex, Merge, MergeError},
    },
    report::{compare, document::VERSION, html},
    world::{Host, Probability, Seed},
};

/// What to compare.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// A sim, or results of `seedbed sweep --results` or `merge -o`
    a: PathBuf,
    /// What it is compared with: another sim, or other results
    b: PathBuf,
    /// Run so many seeds of both sims; 100 unless said
    #[arg(long, value_name = "N")]
    seeds: Option<NonZeroU32>,
    /// Begin with this seed; 1 unless said
    #[arg(long, value_name = "SEED", value_parser = seed, allow_hyphen_values = true)]
    from: Option<Seed>,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    jobs: JobArgs,
    /// Exit with 1 if B is worse in this metric; may be repeated
    #[arg(long, value_name = "METRIC",
          value_parser = PossibleValuesParser::new(QUANTITIES.iter().map(|what| what.name)))]
    fail_if_worse: Vec<String>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write a page that shows the comparison, for a browser: one file, no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// A side of the comparison, as it was named.
#[derive(Serialize)]
struct Side {
    name: String,
    /// The version that wrote the results; `None` of a sim that was run here.
    seedbed: Option<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    a: &'a Side,
    b: &'a Side,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

/// The seeds that are run if their number is not said.
const SEEDS: u32 = 100;

pub(super) fn run(args: CompareArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    output::allow([args.a.as_path(), &args.b], &[("--html", args.html.as_deref())])?;
    let page = |html: &Option<PathBuf>| output::create(html.as_deref());
    let mut exit = Exit::Ok;
    let (sides, sims, page) = match (is_results(&args.a), is_results(&args.b)) {
        (true, true) => {
            let (sides, sims) = results(&args, screen)?;
            (sides, sims, page(&args.html)?)
        }
        (false, false) => {
            let [a, b] = [sims::load_one(&args.a)?, sims::load_one(&args.b)?];
            let page = page(&args.html)?;
            let side = |entry: &Entry| Side { name: entry.place.argument(), seedbed: None };
            let sides = [side(&a), side(&b)];
            let matched = runs(&args, [a, b], screen)?;
            if matched.pairs.len() < args.count() as usize {
                exit = Exit::NothingRan;
            }
            (sides, vec![matched], page)
        }
        (is_first, _) => {
            let (results, sim) = if is_first { (&args.a, &args.b) } else { (&args.b, &args.a) };
            let message = format!("{} is no sim, and {} is one", results.display(), sim.display());
            return Err(CliError::usage(
                clean(&message),
                "compare two sims, or two files of results of `seedbed sweep --results`",
            ));
        }
    };
    if sims.iter().all(|sim| sim.pairs.is_empty()) {
        let [a, b] = &sides;
        screen.talk(&clean(&format!("{} and {} have no seed of a sim in common", a.name, b.name)));
        screen.talk("\n");
        return Ok(Exit::NothingRan);
    }
    let comparison = Comparison::of(&sims);
    let [a, b] = &sides;
    let document = Document { version: VERSION, a, b, comparison: &comparison };
    match args.format {
        Format::Text => {
            let heading = format!("A is {}\nB is {}\n\n", a.text(), b.text());
            screen.data(&(heading + &compare::text(&comparison)))?;
        }
        Format::Json => screen.data(&pretty(&document)?)?,
    }
    // Said even if the page cannot be written.
    exit = exit.max(judged(&args.fail_if_worse, &comparison, screen));
    if let Some(output::OutputFile { path, file }) = page {
        let written = html::write_comparison(&document, file);
        written.map_err(|source| CliError::Output { path, source })?;
    }
    Ok(exit)
}

impl CompareArgs {
    /// How many seeds of both sims are run.
    fn count(&self) -> u32 {
        self.seeds.map_or(SEEDS, NonZeroU32::get)
    }
}

/// Whether a metric that must not be worse is.
fn judged(metrics: &[String], comparison: &Comparison, screen: &mut Screen) -> Exit {
    let mut exit = Exit::Ok;
    for metric in metrics {
        for (sim, row) in comparison.found(metric, Finding::Worse) {
            screen.talk(&format!("worse: {} of {sim}, over {} seeds\n", row.metric, row.seeds));
            exit = exit.max(Exit::Failed);
        }
        let unmeasured = comparison.found(metric, Finding::Unmeasured).count();
        if unmeasured > 0 {
            let sims = crate::report::text::counted(unmeasured as u64, "sim");
            screen.talk(&format!("{metric} cannot be judged: {sims} without a value of it\n"));
            exit = exit.max(Exit::NothingRan);
        }
    }
    exit
}

impl Side {
    fn text(&self) -> String {
        let version = self.seedbed.iter().map(|version| format!(", of seedbed {version}"));
        clean(&(self.name.clone() + &version.collect::<String>()))
    }
}

/// Whether an argument is a file, and no sim.
fn is_results(path: &Path) -> bool {
    path.is_file() && path.extension().is_none_or(|extension| extension != "toml")
}

/// Reads the results of both.
fn results(args: &CompareArgs, screen: &mut Screen) -> Result<([Side; 2], Vec<Matched>), CliError> {
    if args.seeds.is_some()
        || args.from.is_some()
        || args.load.trace.is_some()
        || args.load.skip_bad
    {
        return Err(CliError::usage(
            "--seeds, --from, --trace and --skip-bad are for sims, and these are results",
            "of results all seeds that both have are compared",
        ));
    }
    let mut read = |path: &Path| -> Result<(Side, Merge), CliError> {
        let name = path.display().to_string();
        let file = File::open(path)
            .map_err(|source| MergeError::Read { file: name.clone(), source })
            .map_err(refused)?;
        let mut merge = Merge::new();
        for complaint in merge.read(&name, BufReader::new(file)).map_err(refused)? {
            screen.talk(&format!("{}\n", clean(&complaint)));
        }
        let seedbed = Some(merge.merged_plan().map_err(refused)?.seedbed);
        let conflicts = merge.conflicts().len() as u64;
        if conflicts > 0 {
            let seeds = crate::report::text::counted(conflicts, "seed");
            screen.talk(&clean(&format!("{name}: {seeds} with two results left out")));
            screen.talk("\n");
        }
        Ok((Side { name, seedbed }, merge))
    };
    let (a, ours) = read(&args.a)?;
    let (b, theirs) = read(&args.b)?;
    let mut sims = matched(&ours, &theirs).map_err(|error| {
        CliError::usage(
            clean(&error.to_string()),
            "more than the version differs: compare the two texts as sims",
        )
    })?;
    sims.iter_mut().for_each(|matched| matched.sim = clean(&matched.sim));
    Ok(([a, b], sims))
}

/// Runs the seeds of both.
fn runs(args: &CompareArgs, entries: [Entry; 2], screen: &mut Screen) -> Result<Matched, CliError> {
    let way = Way { options: args.load.options(Host::Native)?, verify: Probability::NEVER };
    let interrupt = Interrupt::listen().map_err(interrupt::deaf)?;
    let count = args.count();
    let first = args.from.unwrap_or(Seed(1)).0;
    if first.checked_add(u64::from(count) - 1).is_none() {
        return Err(CliError::usage("there are not so many seeds", "begin with a smaller one"));
    }
    let run = |index: usize| -> Result<FinishedLine, CliError> {
        let entry = &entries[index % 2];
        let hash = Hex(entry.sim.text_hash());
        let mut line = once(entry, Seed(first + index as u64 / 2), hash, &way)?;
        only_compared(&mut line);
        Ok(line)
    };
    let (mut pairs, mut one, mut failed) = (Vec::new(), None, None);
    let total = count as usize * 2;
    screen.begin(total as u64);
    pool::in_order(args.jobs.threads(), total, run, |_, result| {
        screen.advance("");
        match (result, one.take()) {
            (Ok(line), None) => one = Some(line),
            (Ok(line), Some(first)) => {
                pairs.push((first, line));
                if interrupt.was_asked() && pairs.len() < count as usize {
                    return ControlFlow::Break(());
                }
            }
            (Err(error), _) => {
                failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    });
    screen.end();
    if let Some(error) = failed {
        return Err(error);
    }
    if pairs.len() < count as usize {
        screen.talk(&format!("interrupted after {} of {count} seeds\n", pairs.len()));
    }
    let [a, b] = entries.map(|entry| entry.sim.name);
    let sim = if a == b { a } else { format!("{a} and {b}") };
    Ok(Matched { sim, pairs, alone: 0 })
}
