//! What can be wrong with a sim, shown at the place where it is written.
//!
//! Every problem says what to do instead. Nothing here decides whether a sim is good; that is
//! `build`'s part.

use std::fmt;
use std::io;
use std::path::PathBuf;

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode, SourceSpan};

use super::span::Source;

/// Why a sim could not be found, read or understood.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file system said no.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder stands where a file is needed.
    #[error("{} is a folder, not a sim", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// The file, or a text given in its place, is too long to be a sim.
    #[error("{name} is larger than {} KiB", super::TEXT_BYTES_MAX / 1024)]
    TooLarge {
        /// The file.
        name: String,
    },
    /// The file is not text.
    #[error("{name} is not UTF-8 text: byte {offset} is invalid")]
    NotUtf8 {
        /// The file.
        name: String,
        /// Where the first invalid byte is, counted from 0.
        offset: usize,
    },
    /// A folder has no sim in it.
    #[error("no sims in {}", path.display())]
    NoSims {
        /// The folder.
        path: PathBuf,
    },
    /// A folder has more in it than a search is willing to read.
    #[error("{} holds more than {} files or folders nested too deeply", path.display(), super::files::ENTRIES_MAX)]
    TooManyFiles {
        /// The folder.
        path: PathBuf,
    },
    /// The text is not a valid sim.
    #[error("{0}")]
    Invalid(Box<Problem>),
}

/// One thing that is wrong in a sim's text, and what else is wrong with the same text.
#[derive(Debug)]
pub struct Problem {
    /// What is wrong, in a lower-case phrase.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
    /// Where; the first is the place to change.
    pub labels: Vec<LabeledSpan>,
    /// The text.
    pub source: Source,
    /// The other problems of the text, in its order.
    pub related: Vec<Problem>,
}

impl Problem {
    pub(super) fn new(source: &Source, span: SourceSpan, label: &str, message: String) -> Self {
        let label = (!label.is_empty()).then(|| label.to_owned());
        Problem {
            message,
            help: None,
            labels: vec![LabeledSpan::new_primary_with_span(label, span)],
            source: source.clone(),
            related: Vec::new(),
        }
    }

    /// The line and column, counted from 1, of the place to change.
    #[must_use]
    pub fn position(&self) -> (usize, usize) {
        let offset = self.labels.first().map_or(0, LabeledSpan::offset);
        let before = self.source.text().get(..offset).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        (line, column)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source.code())
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.related.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}

impl Diagnostic for ScenarioError {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = match self {
            ScenarioError::Invalid(problem) => return problem.help(),
            ScenarioError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "check the path; `seedbed list` shows the sims there are"
            }
            ScenarioError::Read { .. } => "check the path and its permissions",
            ScenarioError::Folder { .. } => "name one of the .toml files in it",
            ScenarioError::TooLarge { .. } => "a sim is a short TOML file; put requests in a trace",
            ScenarioError::NotUtf8 { .. } => "a sim is a TOML file in UTF-8; is this another file?",
            ScenarioError::NoSims { .. } => "a sim is a file that ends in .toml",
            ScenarioError::TooManyFiles { .. } => "name a folder that holds only sims",
        };
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.problem().and_then(Diagnostic::source_code)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.problem().and_then(Diagnostic::labels)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        self.problem().and_then(Diagnostic::related)
    }
}

impl ScenarioError {
    /// The problem in the text, when the text could be read.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            ScenarioError::Invalid(problem) => Some(problem),
            _ => None,
        }
    }
}
