//! The file of results: one writer at a time, only ever longer, and whole lines only.
//!
//! It must never lose a finished result, whatever ends the sweep: a kill leaves a torn last line at
//! most, which is cut off when the sweep goes on; a full disk leaves what was there before.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufReader, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use crate::{
    cli::error::CliError,
    explore::sweep::{BadLine, Line, Lines, PlanLine, What},
};

/// How many bad lines are named; further ones are only counted.
const NAMED_MAX: u64 = 10;

/// A file of results that this process alone writes to.
pub(super) struct ResultsFile {
    path: PathBuf,
    file: File,
    /// Something else, such as a pipe, is only written to.
    is_regular: bool,
    /// What is there for good, in bytes.
    length: u64,
}

/// What was found in a file when it was opened.
#[derive(Default)]
pub(super) struct Found {
    /// What is to be said of it, a line each.
    pub(super) notes: Vec<String>,
    /// Lines that are no results.
    bad: u64,
}

impl ResultsFile {
    /// Opens a file and puts the plan at its head. If results are there already they are handed to
    /// `take`, and are only allowed with `resume`.
    pub(super) fn open(
        path: &Path,
        plan: &PlanLine,
        resume: bool,
        take: &mut dyn FnMut(Line),
    ) -> Result<(ResultsFile, Found), CliError> {
        let failed = |source| CliError::Output { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let mut found = Found::default();
        if metadata.is_file() {
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(CliError::usage(
                        format!("another sweep writes to {} at this moment", path.display()),
                        "wait until it has ended, or name a file of its own for each",
                    ));
                }
                // Some network file systems have no locks.
                Err(TryLockError::Error(error)) => found.notes.push(format!(
                    "{} cannot be locked ({error}): see to it that no other sweep writes to it",
                    path.display()
                )),
            }
        }
        let mut results =
            ResultsFile { path: path.to_owned(), file, is_regular: metadata.is_file(), length: 0 };
        if results.is_regular && metadata.len() > 0 {
            if !resume {
                return Err(CliError::usage(
                    format!("{} has something in it already", path.display()),
                    "go on with it by --resume, or name another file",
                ));
            }
            results.read(plan, take, &mut found).map_err(|error| error.into_cli(path))?;
        }
        if results.length == 0 {
            let line = Line::Plan(plan.clone()).to_text().map_err(|error| failed(error.into()))?;
            results.append(line.as_bytes())?;
        }
        Ok((results, found))
    }

    /// Reads what is there, and cuts off what is no whole line at its end.
    fn read(
        &mut self,
        plan: &PlanLine,
        take: &mut dyn FnMut(Line),
        found: &mut Found,
    ) -> Result<(), Refused> {
        let mut has_plan = false;
        let mut lacks_newline = false;
        let name = self.path.display().to_string();
        let mut lines = Lines::new(BufReader::new(&self.file));
        let mut length = 0;
        while let Some(entry) = lines.next() {
            let entry = entry?;
            length = lines.offset();
            lacks_newline = matches!(entry.what, What::LineWithoutEnd(_));
            let why = match entry.what {
                What::Torn => {
                    length = entry.offset;
                    "the line that was being written when the sweep was stopped: cut off".to_owned()
                }
                What::Line(Line::Plan(other)) | What::LineWithoutEnd(Line::Plan(other)) => {
                    same_plan(plan, &other).map_err(Refused::Other)?;
                    has_plan = true;
                    continue;
                }
                What::Bad(why) if !has_plan => {
                    return Err(Refused::Other(format!("it does not begin with a plan: {why}")));
                }
                What::Line(_) | What::LineWithoutEnd(_) if !has_plan => {
                    return Err(Refused::Other("it does not begin with a plan".to_owned()));
                }
                What::Line(line) | What::LineWithoutEnd(line) => {
                    take(line);
                    continue;
                }
                What::Bad(why @ BadLine::Version(_)) => {
                    return Err(Refused::Other(why.to_string()));
                }
                What::Bad(why) => format!("{why}; its run is made again"),
            };
            found.bad += 1;
            if found.bad <= NAMED_MAX {
                found.notes.push(format!("{name}:{}: {why}", entry.number));
            }
        }
        if found.bad > NAMED_MAX {
            found
                .notes
                .push(format!("{name}: {} more lines are no results", found.bad - NAMED_MAX));
        }
        drop(lines);
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(length))?;
        self.length = length;
        if lacks_newline {
            self.file.write_all(b"\n")?;
            self.length += 1;
        }
        Ok(())
    }

    /// Writes whole lines. If that fails they are not there, and all that was there before is.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), CliError> {
        match self.file.write_all(lines) {
            Ok(()) => {
                self.length += lines.len() as u64;
                Ok(())
            }
            Err(source) => {
                if self.is_regular {
                    // A torn line is cut off later if this fails too.
                    let _ = self.file.set_len(self.length);
                    let _ = self.file.seek(SeekFrom::Start(self.length));
                }
                Err(CliError::usage(
                    format!("cannot write {}: {source}", self.path.display()),
                    "every result that was written is whole: make room, and go on with --resume",
                ))
            }
        }
    }
}

/// Why a sweep cannot go on with a file.
enum Refused {
    Read(io::Error),
    Other(String),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Refused {
        Refused::Read(error)
    }
}

impl Refused {
    fn into_cli(self, path: &Path) -> CliError {
        let path = path.display();
        match self {
            Refused::Read(error) => {
                let help = "see that it is there and may be read and written";
                CliError::usage(format!("cannot go on with {path}: {error}"), help)
            }
            Refused::Other(why) => CliError::usage(
                format!("cannot go on with {path}: {why}"),
                "give what its sweep was given, or name another file; this one is left as it is",
            ),
        }
    }
}

/// Whether results of one plan can go on under another; why not, if they cannot.
fn same_plan(ours: &PlanLine, theirs: &PlanLine) -> Result<(), String> {
    if ours.seedbed != theirs.seedbed {
        return Err(format!(
            "it is of seedbed {}, and this is seedbed {}",
            theirs.seedbed, ours.seedbed
        ));
    }
    let names =
        |plan: &PlanLine| -> Vec<String> { plan.sims.iter().map(|sim| sim.sim.clone()).collect() };
    if names(ours) != names(theirs) {
        return Err(format!("it is of other sims: {}", names(theirs).join(", ")));
    }
    for (our, their) in ours.sims.iter().zip(&theirs.sims) {
        if our.scenario_hash != their.scenario_hash {
            return Err(format!("the sim {}, or its trace, has changed since", our.sim));
        }
        if our.seeds != their.seeds {
            return Err(format!("it is of other seeds: {}", seeds(theirs)));
        }
    }
    if ours.endless_from != theirs.endless_from {
        return Err(format!("it is of other seeds: {}", seeds(theirs)));
    }
    match (ours.shard, theirs.shard) {
        (ours, theirs) if ours == theirs => Ok(()),
        (_, Some(theirs)) => Err(format!("it is of shard {}/{}", theirs.index, theirs.of)),
        (_, None) => Err("it is merged results".to_owned()),
    }
}

/// The seeds of a plan, in words.
fn seeds(plan: &PlanLine) -> String {
    if let Some(first) = plan.endless_from {
        return format!("from {first} on");
    }
    let ranges = plan.sims.iter().flat_map(|sim| &sim.seeds);
    let ranges: Vec<String> = ranges.take(4).map(|[a, b]| format!("{a} to {b}")).collect();
    ranges.join(", ")
}
