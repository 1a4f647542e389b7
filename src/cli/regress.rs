//! `seedbed regress`: tries the seeds of a corpus again, and says what has become of each failure.

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    attempt,
    error::CliError,
    exit::Exit,
    list::pretty,
    options::{Format, JobArgs, seed},
    pool,
    screen::Screen,
    sims::{self, Entry, FOLDER},
};
use crate::{
    explore::{CANARY, Found, Known, Options, Signature, known, read_corpus},
    report::text::{counted, mark, wrap},
    scenario::Must,
    world::Seed,
};

/// The folder of a corpus.
pub(super) const CORPUS: &str = "corpus";

/// Which corpus.
#[derive(Debug, Args)]
pub(super) struct RegressArgs {
    /// The folder of the corpus
    #[arg(value_name = "FOLDER", default_value = CORPUS)]
    folder: PathBuf,
    /// Add a failing seed of this sim to the corpus instead; needs --seed
    #[arg(long, value_name = "SIM", requires = "seed")]
    add: Option<PathBuf>,
    /// The seed to add (decimal, or hexadecimal after 0x)
    #[arg(long, value_name = "SEED", value_parser = seed, requires = "add",
          allow_hyphen_values = true)]
    seed: Option<Seed>,
    #[command(flatten)]
    jobs: JobArgs,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: RegressArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    if let (Some(sim), Some(seed)) = (&args.add, args.seed) {
        return add(sim, seed, &args.folder, screen);
    }
    let (mut entries, mut exit) = (Vec::new(), Exit::Ok);
    for one in read_corpus(&args.folder) {
        match one {
            Ok(entry) => entries.push(entry),
            Err(error) => {
                exit = Exit::Usage;
                screen.talk(
                    &CliError::usage(error.to_string(), "correct or remove the file").report(),
                );
            }
        }
    }
    let mut told = Vec::new();
    screen.begin(entries.len() as u64);
    let sims = Path::new(FOLDER);
    let work = |index: usize| entries.get(index).map(|(_, found)| known(found, sims));
    pool::in_order(args.jobs.threads(), entries.len(), work, |index, known| {
        if let (Some((path, found)), Some(known)) = (entries.get(index), known) {
            screen.advance(&found.sim);
            told.push((path, found, known));
        }
        ControlFlow::Continue(())
    });
    screen.end();
    if told.iter().any(|(_, _, known)| known.fails()) {
        exit = exit.max(Exit::Failed);
    }
    let is_meaningless = |known: &Known| matches!(known, Known::Meaningless { .. });
    if told.iter().any(|(_, _, known)| is_meaningless(known)) {
        // Not all that the corpus holds was tried.
        exit = exit.max(Exit::NothingRan);
    }
    if told.is_empty() {
        let (folder, is_there) = (args.folder.display(), args.folder.exists());
        let why = if is_there { "holds no failing seed" } else { "does not exist" };
        screen.talk(&format!("{folder} {why}\n"));
        exit = exit.max(Exit::NothingRan);
    }
    match args.format {
        Format::Json => {
            let document: Vec<_> = told
                .iter()
                .map(|(path, found, known)| {
                    serde_json::json!({"file": path, "found": found, "became": known})
                })
                .collect();
            screen.data(&pretty(&document)?)?;
        }
        Format::Text => {
            for (_, found, known) in &told {
                screen.data(&line(found, known))?;
            }
            let count =
                |is: fn(&Known) -> bool| told.iter().filter(|(.., known)| is(known)).count();
            screen.data(&format!(
                "{}: {} still failing, {} fixed, {} no longer meaningful\n",
                counted(told.len() as u64, "seed"),
                count(Known::fails),
                count(|known| matches!(known, Known::Fixed { .. })),
                count(is_meaningless),
            ))?;
        }
    }
    Ok(exit)
}

fn line(found: &Found, known: &Known) -> String {
    let edited = |is_edited: &bool| if *is_edited { ", the sim has been edited since" } else { "" };
    let became = match known {
        Known::StillFails { is_edited } => format!("still fails{}", edited(is_edited)),
        Known::FailsOtherwise { signature } => format!("fails otherwise: {signature}"),
        Known::Fixed { is_edited } => format!("fixed{}", edited(is_edited)),
        Known::Meaningless { why } => format!("says nothing any more: {why}"),
    };
    let mark = match known {
        Known::Meaningless { .. } => "?".to_owned(),
        _ => mark(!known.fails()),
    };
    let mut text = format!("{mark} {} seed {}: {became}\n", found.sim, found.seed);
    text += &format!("{}\n", wrap("    ", &found.signature, 6));
    if known.fails() {
        let sim = sims::quoted(&format!("{FOLDER}/{}.toml", found.sim));
        text += &format!("    seedbed replay {sim} --seed {}\n", found.seed);
    }
    text
}

fn add(sim: &Path, seed: Seed, folder: &Path, screen: &mut Screen) -> Result<Exit, CliError> {
    let path = keep(&sims::load_one(sim)?, seed, folder)?;
    screen.data(&format!("{}\n", path.display()))?;
    Ok(Exit::Ok)
}

/// Makes the folder of a corpus, so that one that cannot be there is found before anything runs.
pub(super) fn prepare(folder: &Path) -> Result<(), CliError> {
    fs::create_dir_all(folder).map_err(|source| CliError::Output { path: folder.into(), source })
}

/// Keeps a failing seed in a corpus, and says in which file.
pub(super) fn keep(entry: &Entry, seed: Seed, folder: &Path) -> Result<PathBuf, CliError> {
    if entry.sim.must != Must::Pass {
        let message = format!("{}: {CANARY}", entry.sim.name);
        return Err(CliError::usage(message, "a corpus keeps seeds that fail and must not"));
    }
    let run = attempt::once(entry, seed, &Options::default(), Vec::new())?;
    let Some(signature) = Signature::of(&entry.sim, &run) else {
        return Err(CliError::usage(
            format!("{} does not fail with seed {seed}", entry.sim.name),
            "a corpus keeps seeds that fail",
        ));
    };
    let found = Found::new(&entry.sim, seed, &signature);
    let path = folder.join(found.file_name());
    let error = |source| CliError::Output { path: path.clone(), source };
    prepare(folder)?;
    fs::write(&path, found.text()).map_err(error)?;
    Ok(path)
}
