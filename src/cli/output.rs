//! Files that a verb writes. They are created before anything runs, so that a path that cannot be
//! written is found at once and not after an hour.
//!
//! Nothing may overwrite what the command reads, what else it writes, or a sim that somebody may have
//! edited: see [`allow`] and [`write_sim`].

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{
    error::CliError,
    sims::{Entry, Place},
};
use crate::{
    explore::Options,
    report::log::Log,
    scenario::{Load, plan_text},
    world::Seed,
};

/// The flag of an output, and its file if it is asked for.
pub(super) type Asked<'a> = (&'static str, Option<&'a Path>);

/// What a command reads: its sims and their traces.
pub(super) fn inputs<'a>(
    entries: &'a [Entry],
    options: &'a Options,
) -> impl Iterator<Item = &'a Path> {
    let of_one = |entry: &'a Entry| {
        let sim = match &entry.place {
            Place::File(file) => Some(file.as_path()),
            Place::BuiltIn => None,
        };
        let trace = match &entry.sim.load {
            Some(Load::Trace { file, .. }) => Some(file.as_path()),
            _ => None,
        };
        sim.into_iter().chain(trace)
    };
    entries.iter().flat_map(of_one).chain(options.trace.as_deref())
}

/// Refuses outputs that would overwrite what the command reads, one another, or a sim.
pub(super) fn allow<'a>(
    inputs: impl IntoIterator<Item = &'a Path>,
    outputs: &[Asked<'_>],
) -> Result<(), CliError> {
    let mut taken: Vec<(&str, PathBuf)> = Vec::new();
    let asked = outputs.iter().filter_map(|(flag, path)| Some((*flag, (*path)?)));
    let asked: Vec<(&str, &Path)> = asked.collect();
    if asked.is_empty() {
        return Ok(());
    }
    let inputs: Vec<PathBuf> = inputs.into_iter().filter_map(identity).collect();
    for (flag, path) in asked {
        let Some(file) = identity(path) else { continue };
        let refuse = |why: String| Err(CliError::usage(why, "name another file"));
        if inputs.contains(&file) {
            return refuse(format!("{flag} would overwrite {}, which is read", path.display()));
        }
        if let Some((other, _)) = taken.iter().find(|(_, other)| *other == file) {
            return refuse(format!("{other} and {flag} are one file: {}", path.display()));
        }
        let is_sim = file.extension().is_some_and(|extension| extension == "toml");
        if is_sim && file.exists() && flag != WRITE_PLAN && flag != IMPORT {
            return refuse(format!("{flag} would overwrite {}, a TOML file", path.display()));
        }
        taken.push((flag, file));
    }
    Ok(())
}

/// The flags that write sims, by [`write_sim`].
pub(super) const WRITE_PLAN: &str = "--write-plan";
pub(super) const IMPORT: &str = "--output";

/// One path for one file, however it is named. Nothing of what is no regular file, such as a pipe,
/// can be lost.
pub(super) fn identity(path: &Path) -> Option<PathBuf> {
    match fs::metadata(path) {
        Ok(known) if !known.is_file() => None,
        Ok(_) => fs::canonicalize(path).ok(),
        Err(_) => {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let folder = fs::canonicalize(parent.unwrap_or(Path::new("."))).ok()?;
            Some(folder.join(path.file_name()?))
        }
    }
}

/// Writes a sim. One that is there already and says something else may be somebody's work: it stays.
pub(super) fn write_sim(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |source: io::Error| CliError::Output { path: path.to_owned(), source };
    if fs::metadata(path).is_ok_and(|known| known.is_file()) {
        if fs::read(path).map_err(failed)? == text.as_bytes() {
            return Ok(());
        }
        return Err(CliError::usage(
            format!("{} is there already, and says something else", path.display()),
            "name another file, or remove that one",
        ));
    }
    fs::write(path, text).map_err(failed)
}

/// A file that is there and will be written to.
pub(super) struct OutputFile {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

/// Creates a file, if one is asked for.
pub(super) fn create(path: Option<&Path>) -> Result<Option<OutputFile>, CliError> {
    path.map(file).transpose()
}

/// Creates a file.
pub(super) fn file(path: &Path) -> Result<OutputFile, CliError> {
    match File::create(path) {
        Ok(file) => Ok(OutputFile { path: path.to_owned(), file }),
        Err(source) => Err(CliError::Output { path: path.to_owned(), source }),
    }
}

/// Writes a sim as it is under a seed, as a plain sim.
pub(super) fn write_plan(path: &Path, entry: &Entry, seed: Seed) -> Result<(), CliError> {
    let folder = |path: &Path| std::path::absolute(path).ok()?.parent().map(Path::to_owned);
    if let (Some(Load::Trace { trace, .. }), Place::File(sim)) = (&entry.sim.load, &entry.place)
        && folder(sim) != folder(path)
    {
        return Err(CliError::usage(
            format!("the plan would look for {} beside itself", trace.value),
            format!("write it into the folder of {}", sim.display()),
        ));
    }
    let text = plan_text(&entry.sim, seed).map_err(|error| {
        CliError::usage(error.to_string(), "`seedbed check` says what is wrong with it")
    })?;
    write_sim(path, &text)
}

/// Creates an event log, if one is asked for.
pub(super) fn create_log(path: Option<&Path>) -> Result<Option<Log>, CliError> {
    let create = |path: &Path| {
        Log::create(path).map_err(|source| CliError::Output { path: path.to_owned(), source })
    };
    path.map(create).transpose()
}
