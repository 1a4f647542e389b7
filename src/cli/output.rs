//! Files that a verb writes. They are created before anything runs, so that a path that cannot be
//! written is found at once and not after an hour.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use super::error::CliError;
use crate::report::log::Log;

/// A file that is there and will be written to.
pub(super) struct OutputFile {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

/// Creates a file, if one is asked for.
pub(super) fn create(path: Option<&Path>) -> Result<Option<OutputFile>, CliError> {
    let create = |path: &Path| match File::create(path) {
        Ok(file) => Ok(OutputFile { path: path.to_owned(), file }),
        Err(source) => Err(CliError::Output { path: path.to_owned(), source }),
    };
    path.map(create).transpose()
}

/// Creates an event log, if one is asked for.
pub(super) fn create_log(path: Option<&Path>) -> Result<Option<Log>, CliError> {
    let create = |path: &Path| {
        Log::create(path).map_err(|source| CliError::Output { path: path.to_owned(), source })
    };
    path.map(create).transpose()
}
