//! `seedbed conformance`: cases about how libraries behave, run against the policies.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Serialize;

use super::{error::CliError, exit::Exit, list::pretty, options::Format, screen::Screen};
use crate::{
    conformance::{self, Case, CasesError, Verdict},
    report::document::VERSION,
};

/// The longest file of cases that is read, in bytes.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Which cases.
#[derive(Debug, Args)]
pub(super) struct ConformanceArgs {
    /// A JSON array of cases, each with id, kind, config, steps and expect
    file: PathBuf,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    cases: &'a [CaseDocument<'a>],
    passed: usize,
    failed: usize,
    unsupported: usize,
}

#[derive(Serialize)]
struct CaseDocument<'a> {
    id: &'a str,
    kind: &'a str,
    verdict: &'static str,
    /// What differs, if it failed.
    differences: Vec<String>,
    /// What is not understood, if it is unsupported.
    reason: Option<String>,
}

pub(super) fn conformance(args: ConformanceArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let path = &args.file;
    let cases = match conformance::parse(&read(path)?) {
        Ok(cases) => cases,
        Err(error @ CasesError::Empty) => {
            screen.talk(&format!("{}: {error}\n", path.display()));
            return Ok(Exit::NothingRan);
        }
        Err(error) => {
            let help = "write an array of objects with id, kind, config, steps and expect; \
                        tests/conformance/ has examples";
            return Err(CliError::usage(format!("{}: {error}", path.display()), help));
        }
    };
    let documents: Vec<CaseDocument<'_>> = cases.iter().map(document).collect();
    let count = |verdict| documents.iter().filter(|case| case.verdict == verdict).count();
    let (passed, failed, unsupported) = (count("passed"), count("failed"), count("unsupported"));
    match args.format {
        Format::Text => {
            for case in &documents {
                screen.stream(&line(case))?;
            }
            let summary = format!("{passed} passed, {failed} failed, {unsupported} unsupported\n");
            screen.data(&summary)?;
        }
        Format::Json => {
            let cases = &documents;
            let document = Document { version: VERSION, cases, passed, failed, unsupported };
            screen.data(&pretty(&document)?)?;
        }
    }
    Ok(if failed == 0 { Exit::Ok } else { Exit::Failed })
}

fn document(case: &Case) -> CaseDocument<'_> {
    let (verdict, differences, reason) = match conformance::run(case) {
        Verdict::Passed => ("passed", Vec::new(), None),
        Verdict::Failed(differences) => ("failed", differences, None),
        Verdict::Unsupported(reason) => ("unsupported", Vec::new(), Some(reason)),
    };
    CaseDocument { id: &case.id, kind: &case.kind, verdict, differences, reason }
}

fn line(case: &CaseDocument<'_>) -> String {
    let CaseDocument { id, verdict, .. } = case;
    // One line each, whatever an id or a message holds.
    let text = match &case.reason {
        Some(reason) => format!("{verdict} {id}: {reason}"),
        None if case.differences.is_empty() => format!("{verdict} {id}"),
        None => format!("{verdict} {id}: {}", case.differences.join("; ")),
    };
    text.replace(char::is_control, " ") + "\n"
}

/// Reads a file of bounded length; what the file system says of its length is not trusted.
fn read(path: &Path) -> Result<String, CliError> {
    let refused = |why: String, help: &str| CliError::usage(why, help);
    let failed = |error: std::io::Error| {
        let help = "name a readable JSON file of cases";
        refused(format!("cannot read {}: {error}", path.display()), help)
    };
    if fs::metadata(path).map_err(failed)?.is_dir() {
        let help = "name one of the .json files in it";
        return Err(refused(format!("{} is a folder, not a file of cases", path.display()), help));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > BYTES_MAX {
        let why = format!("{} is larger than {} MiB", path.display(), BYTES_MAX / 1024 / 1024);
        return Err(refused(why, "split it into several files"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let why = format!("{} is not UTF-8 text: byte {at} is invalid", path.display());
        refused(why, "cases are JSON in UTF-8; is this another file?")
    })
}
