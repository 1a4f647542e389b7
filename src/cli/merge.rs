//! `seedbed merge`: puts the results of sweeps together, and says what is missing.
//!
//! Merged results have one order and nothing of the machine in them: a sweep that was killed and
//! resumed, its shards and an undisturbed one have the same, byte for byte.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Serialize;

use super::{
    error::CliError,
    exit::Exit,
    github::GithubArgs,
    list::pretty,
    output,
    screen::Screen,
    sweep::{
        SweepFormat,
        after::AllMade,
        told::{Told, clean},
    },
};
use crate::{
    explore::sweep::{Line, Lines, Merge, MergeError, Ranges, Tally, What},
    report::{
        html::Survey,
        text::{counted, wrap},
    },
};

/// How many of many are named in a text.
const NAMED_MAX: usize = 10;
/// How many ranges of missing seeds a document has of each sim, and how many missing shards.
const RANGES_MAX: usize = 10_000;

/// What to merge.
#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// Files of results, of `seedbed sweep --results` or merged before; in any order, as often as you like
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Write the merged results to this file; they cannot be resumed, only merged again
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How to write what came of it; jsonl is the merged results themselves
    #[arg(long, value_enum, default_value_t = SweepFormat::Text)]
    format: SweepFormat,
    /// Write a page that shows the results, for a browser: one file, no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    github: GithubArgs,
}

/// What the document has besides the results.
#[derive(Serialize)]
struct More<'a> {
    /// How many results are missing; 2^64 - 1 is so many or more.
    missing: u64,
    /// Of each sim the first and last seed of each range that is missing.
    missing_seeds: BTreeMap<&'a str, Vec<(u64, u64)>>,
    missing_shard_count: u64,
    /// The first of them.
    missing_shards: Vec<String>,
    unfinished: Vec<String>,
    conflicts: Vec<String>,
    unplanned: u64,
}

pub(super) fn merge(args: MergeArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let html = ("--html", args.html.as_deref());
    output::allow([], &[("-o", args.output.as_deref()), html])?;
    output::allow(args.files.iter().map(PathBuf::as_path), &[html])?;
    if let Some(path) = args.output.as_deref().filter(|path| is_unmerged(path)) {
        return Err(CliError::usage(
            format!("{} is of a sweep, which could not go on with merged results", path.display()),
            "name another file; only merged results are replaced",
        ));
    }
    let mut merge = Merge::new();
    for path in &args.files {
        let name = path.display().to_string();
        let file = File::open(path)
            .map_err(|source| MergeError::Read { file: name.clone(), source })
            .map_err(refused)?;
        for complaint in merge.read(&name, BufReader::new(file)).map_err(refused)? {
            screen.talk(&format!("{}\n", clean(&complaint)));
        }
    }
    let plan = merge.merged_plan().map_err(refused)?;
    // Before anything is written, and after all is read: it may be one of the files by mistake.
    let page = output::create(args.html.as_deref())?;
    let mut tally = Tally::default();
    merge.results().for_each(|line| tally.add(&line));
    if let Some(path) = &args.output {
        save(&merge, path).map_err(|error| {
            CliError::usage(
                format!("cannot write {}: {error}", path.display()),
                "nothing that was there is lost: make room, or name another file",
            )
        })?;
    }
    let told = Told { tally: &tally, plan: &plan, made: &AllMade::new() };
    let missing = merge.missing();
    let count = missing.values().fold(0_u64, |sum, seeds| sum.saturating_add(seeds.count()));
    let conflicts: Vec<String> =
        merge.conflicts().iter().map(|conflict| clean(&conflict.to_string())).collect();
    let mut exit = told.exit();
    if !conflicts.is_empty() {
        exit = exit.max(Exit::Nondeterminism);
    }
    if count > 0 {
        exit = exit.max(Exit::NothingRan);
    }
    let (missing_shard_count, missing_shards) = merge.missing_shards(RANGES_MAX);
    let more = More {
        missing: count,
        missing_seeds: missing
            .iter()
            .map(|(sim, seeds)| (*sim, seeds.iter().take(RANGES_MAX).collect()))
            .collect(),
        missing_shard_count,
        missing_shards: missing_shards
            .into_iter()
            .map(|(index, of)| format!("{index}/{of}"))
            .collect(),
        unfinished: merge
            .unfinished()
            .into_iter()
            .map(|(sim, seed)| clean(&format!("{sim} seed {seed}")))
            .collect(),
        conflicts,
        unplanned: merge.unplanned(),
    };
    // What came of it is said even if the page cannot be written.
    let mut written = page.map_or(Ok(()), |page| {
        let mut survey = Survey::default();
        merge.results().for_each(|line| survey.add(&line));
        told.page(&survey, &more, page)
    });
    let story = told.summary() + &more.text(&missing);
    let github = ("merge", exit == Exit::Ok, story.as_str());
    written = written.and(told.github(&args.github, github, (&[], Vec::new()), screen));
    let replay = told.first_replay().map(|replay| replay + "\n").unwrap_or_default();
    match args.format {
        SweepFormat::Text => {
            screen.data(&(told.failures() + &story + &replay))?;
        }
        SweepFormat::Json => {
            screen.data(&pretty(&told.document(more))?)?;
            screen.talk(&replay);
        }
        SweepFormat::Jsonl => {
            screen.stream(&Line::Plan(plan.clone()).to_text()?)?;
            for line in merge.results() {
                screen.stream(&Line::Finished(Box::new(line)).to_text()?)?;
            }
            screen.flush()?;
            screen.talk(&(story + &replay));
        }
    }
    written.map(|()| exit)
}

impl More<'_> {
    /// What is missing and what is odd, a line each.
    fn text(&self, missing: &BTreeMap<&str, Ranges>) -> String {
        let mut lines: Vec<String> = Vec::new();
        let shards = named("shard", &self.missing_shards, self.missing_shard_count);
        if !shards.is_empty() {
            lines.push(format!("no results of {shards}"));
        }
        for (sim, seeds) in missing.iter().take(NAMED_MAX) {
            let ranges = seeds.iter().map(|(first, last)| match first == last {
                true => first.to_string(),
                false => format!("{first}-{last}"),
            });
            let ranges: Vec<String> = ranges.take(NAMED_MAX + 1).collect();
            let (ranges, count) = (first_of(&ranges, None), seeds.count());
            // One more than can be counted.
            let least = if count == u64::MAX { "at least " } else { "" };
            let count = format!("{least}{}", counted(count, "seed"));
            lines.push(wrap("", &format!("missing: {count} of {}: {ranges}", clean(sim)), 4));
        }
        if missing.len() > NAMED_MAX {
            lines.push(format!("missing: seeds of {} more sims", missing.len() - NAMED_MAX));
        }
        if !self.unfinished.is_empty() {
            let runs = first_of(&self.unfinished, Some(self.unfinished.len()));
            lines.push(wrap("started and never finished: ", &runs, 4));
        }
        if self.unplanned > 0 {
            lines.push(format!("{} of no plan left out", counted(self.unplanned, "result")));
        }
        lines.extend(self.conflicts.iter().take(NAMED_MAX).map(|line| wrap("", line, 4)));
        if self.conflicts.len() > NAMED_MAX {
            let more = self.conflicts.len() - NAMED_MAX;
            lines.push(format!("{more} more seeds have two results"));
        }
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// `shard 2/4` or `3 shards: 1/4, 2/4, 4/4`, of so many; empty if there are none.
fn named(noun: &str, names: &[String], count: u64) -> String {
    match names {
        [] => String::new(),
        [one] if count == 1 => format!("{noun} {one}"),
        many => {
            let total = usize::try_from(count).unwrap_or(usize::MAX);
            format!("{}: {}", counted(count, noun), first_of(many, Some(total)))
        }
    }
}

/// The first few of many, and how many there are beside them if that is known.
fn first_of(names: &[String], total: Option<usize>) -> String {
    let mut text = names.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match total {
        Some(total) if total > NAMED_MAX => {
            text += &format!(", and {} more", total - NAMED_MAX);
        }
        None if names.len() > NAMED_MAX => text += " …",
        _ => {}
    }
    text
}

/// Whether a file has the results of a sweep, or of a shard, that may still go on.
fn is_unmerged(path: &Path) -> bool {
    let Some(file) = output::identity(path).and_then(|file| File::open(file).ok()) else {
        return false;
    };
    let first = Lines::new(BufReader::new(file)).next();
    match first {
        Some(Ok(entry)) => match entry.what {
            What::Line(Line::Plan(plan)) | What::LineWithoutEnd(Line::Plan(plan)) => {
                plan.shard.is_some()
            }
            _ => false,
        },
        _ => false,
    }
}

/// Writes merged results. A file that is there is replaced when all is written, not before: it may
/// be one of those that were merged, and the disk may be full.
fn save(merge: &Merge, path: &Path) -> io::Result<()> {
    let is_special = fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
    if is_special {
        return write(merge, File::create(path)?);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let written = write(merge, File::create(&beside)?).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // Half a file is of no use; that it could not be written is the news.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write(merge: &Merge, file: File) -> io::Result<()> {
    let mut writer = BufWriter::new(file);
    merge.write(&mut writer)?;
    writer.flush()?;
    // A pipe has nothing to be synced to.
    let _ = writer.get_ref().sync_all();
    Ok(())
}

pub(super) fn refused(error: MergeError) -> CliError {
    let help = match &error {
        MergeError::Read { .. } => "name files of `seedbed sweep --results`",
        MergeError::Version { .. } | MergeError::Seedbed { .. } => {
            "merge them with the seedbed that wrote them, each version by itself"
        }
        MergeError::Scenario { .. } => "merge the results of each text by themselves",
        MergeError::NoPlan => "name files of `seedbed sweep --results`",
    };
    CliError::usage(clean(&error.to_string()), help)
}
