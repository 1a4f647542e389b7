//! Sims in the file system: finding them, naming them, reading one without trusting its size.
//!
//! Nothing here looks into a sim's text.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use super::error::ScenarioError;
use super::model::{Load, Sim};
use super::{TEXT_BYTES_MAX, build};
use crate::config::security::TEXT_BYTES_MAX as CONFIG_BYTES_MAX;

/// How many entries of folders a search reads.
pub(super) const ENTRIES_MAX: usize = 10_000;

/// How deep below a folder sims are looked for.
const DEPTH_MAX: usize = 16;

/// Reads a sim from its file.
///
/// # Errors
///
/// What [`parse`](super::parse) refuses; a file that is missing, a folder, not UTF-8 or longer than
/// [`TEXT_BYTES_MAX`]; a sim whose trace is not there.
pub fn load(path: &Path) -> Result<Sim, ScenarioError> {
    let text = read_text(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let sim = build::sim(&path.to_string_lossy(), &text, Some(folder))?;
    if let Some(Load::Trace { file, trace, .. }) = &sim.load
        && !file.is_file()
    {
        let message = format!("there is no trace at {}", file.display());
        let help = "the path is relative to the folder of the sim";
        return Err(sim.error(trace.span, &message, help));
    }
    Ok(sim)
}

/// Reads a configuration beside a sim; of one that is too long only so much that this is seen.
pub(super) fn read_config(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let most = CONFIG_BYTES_MAX as u64 + 1;
    fs::File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    if bytes.len() <= CONFIG_BYTES_MAX && text.contains(char::REPLACEMENT_CHARACTER) {
        return Err(format!("{} is not UTF-8 text", path.display()));
    }
    Ok(text.into_owned())
}

pub(super) fn read_text(path: &Path) -> Result<String, ScenarioError> {
    let read_error = |source| ScenarioError::Read { path: path.to_owned(), source };
    if fs::metadata(path).map_err(read_error)?.is_dir() {
        return Err(ScenarioError::Folder { path: path.to_owned() });
    }
    let file = fs::File::open(path).map_err(read_error)?;
    let mut bytes = Vec::new();
    // One byte more than allowed shows that there is more; the length in the metadata may lie.
    file.take(TEXT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(read_error)?;
    let name = || path.display().to_string();
    if bytes.len() > TEXT_BYTES_MAX {
        return Err(ScenarioError::TooLarge { name: name() });
    }
    String::from_utf8(bytes).map_err(|error| ScenarioError::NotUtf8 {
        name: name(),
        offset: error.utf8_error().valid_up_to(),
    })
}

/// The sims that paths name: a file is itself, a folder all `.toml` files under it, sorted by path.
/// Each is listed once, where it is first named.
///
/// Hidden files, symbolic links and `requirements.toml` inside folders are passed over.
///
/// # Errors
///
/// A path that is not there, a folder without sims, or one that is too large to search.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ScenarioError> {
    let mut seen = BTreeSet::new();
    let mut sims = Vec::new();
    for path in paths {
        let metadata = fs::metadata(path)
            .map_err(|source| ScenarioError::Read { path: path.clone(), source })?;
        let mut found = Vec::new();
        if metadata.is_dir() {
            let mut search = Search { root: path, entries: 0, found: &mut found };
            search.folder(path, 0)?;
            found.sort();
            if found.is_empty() {
                return Err(ScenarioError::NoSims { path: path.clone() });
            }
        } else {
            found.push(path.clone());
        }
        sims.extend(found.into_iter().filter(|sim| seen.insert(sim.clone())));
    }
    Ok(sims)
}

struct Search<'a> {
    root: &'a Path,
    entries: usize,
    found: &'a mut Vec<PathBuf>,
}

impl Search<'_> {
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), ScenarioError> {
        let read_error =
            |source: io::Error| ScenarioError::Read { path: folder.to_owned(), source };
        for entry in fs::read_dir(folder).map_err(read_error)? {
            let entry = entry.map_err(read_error)?;
            self.entries += 1;
            if self.entries > ENTRIES_MAX || depth > DEPTH_MAX {
                return Err(ScenarioError::TooManyFiles { path: self.root.to_owned() });
            }
            let path = entry.path();
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let kind = entry.file_type().map_err(read_error)?;
            if kind.is_dir() {
                self.folder(&path, depth + 1)?;
            } else if kind.is_file()
                && path.extension().is_some_and(|ext| ext == "toml")
                && entry.file_name() != super::requirements::FILE_NAME
            {
                self.found.push(path);
            }
        }
        Ok(())
    }
}

/// The path below the last `sims` folder without extension, as in `ccr/primary_fails`; the file's
/// own name where there is no such folder.
pub(super) fn sim_name(path: &Path) -> String {
    let parts: Vec<String> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect();
    let folders = parts.len().saturating_sub(1);
    let start = match parts[..folders].iter().rposition(|part| part == "sims") {
        Some(position) => position + 1,
        None => folders,
    };
    let name = parts[start..].join("/");
    name.strip_suffix(".toml").map(str::to_owned).unwrap_or(name)
}
