//! Files that a verb writes. They are created before anything runs, so that a path that cannot be
//! written is found at once and not after an hour.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use super::{
    error::CliError,
    sims::{Entry, Place},
};
use crate::{
    report::log::Log,
    scenario::{Load, plan_text},
    world::Seed,
};

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
    std::fs::write(path, text).map_err(|source| CliError::Output { path: path.to_owned(), source })
}

/// Creates an event log, if one is asked for.
pub(super) fn create_log(path: Option<&Path>) -> Result<Option<Log>, CliError> {
    let create = |path: &Path| {
        Log::create(path).map_err(|source| CliError::Output { path: path.to_owned(), source })
    };
    path.map(create).transpose()
}
