//! What is wrong with a configuration: what, where, why, and what would pass.

use std::{fmt, ops::Range};

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};

use super::source::{Source, span};

/// The most problems that are told of one text; a text of nothing but mistakes says no more with a
/// thousand of them.
pub const PROBLEMS_MAX: usize = 50;

/// Which kind of mistake it is. The names are part of the machine output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The text is neither TOML nor JSON.
    Syntax,
    /// Too long, too deep, or too many.
    TooLarge,
    /// A character that cannot be seen, or that has no place in a configuration.
    Invisible,
    /// A text that could be meant to be run somewhere.
    Forbidden,
    /// The same character over and over.
    Repeated,
    /// A key or a name that nobody knows.
    Unknown,
    /// Nothing is said.
    Empty,
    /// The value is of another type.
    Type,
    /// The value is outside its range.
    Range,
    /// Retries without a bound.
    Unbounded,
    /// Limits that limit nothing.
    Permissive,
    /// Two values that do not go together.
    Contradiction,
    /// It is allowed, and seldom what is meant.
    Unusual,
    /// A variable of old.
    Legacy,
}

impl Kind {
    /// Its name in machine output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Syntax => "syntax",
            Kind::TooLarge => "too_large",
            Kind::Invisible => "invisible",
            Kind::Forbidden => "forbidden",
            Kind::Repeated => "repeated",
            Kind::Unknown => "unknown",
            Kind::Empty => "empty",
            Kind::Type => "type",
            Kind::Range => "range",
            Kind::Unbounded => "unbounded",
            Kind::Permissive => "permissive",
            Kind::Contradiction => "contradiction",
            Kind::Unusual => "unusual",
            Kind::Legacy => "legacy",
        }
    }
}

/// One thing that is wrong, or that is worth a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which kind of mistake.
    pub kind: Kind,
    /// Whether the configuration is good in spite of it.
    pub is_warning: bool,
    /// The key, with the tables around it; empty if it is about the whole text.
    pub key: String,
    /// What is wrong, in a lower-case phrase.
    pub what: String,
    /// Why that is bad.
    pub why: String,
    /// What would pass.
    pub help: String,
    /// The text.
    pub source: Source,
    /// The bytes of it that are meant.
    pub place: Range<usize>,
}

impl Problem {
    /// The line and the column, counted from 1.
    #[must_use]
    pub fn position(&self) -> (u32, u32) {
        self.source.position(self.place.start)
    }

    /// All of it on one line: `x.toml:3:18: …`.
    #[must_use]
    pub fn one_line(&self) -> String {
        let (line, column) = self.position();
        let Problem { what, why, help, .. } = self;
        format!("{}:{line}:{column}: {what}: {why}; {help}", self.source.name())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn severity(&self) -> Option<Severity> {
        Some(if self.is_warning { Severity::Warning } else { Severity::Error })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.source.text().is_empty()).then(|| self.source.code())
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = span(&self.place);
        let label = LabeledSpan::new_primary_with_span(Some(self.why.clone()), place);
        Some(Box::new(std::iter::once(label)))
    }
}

/// Why a configuration is not taken: at least one error, and what else was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Errors and warnings, in the order of the text.
    pub problems: Vec<Problem>,
}

impl Refused {
    /// The problems, if one of them is an error.
    pub(super) fn check(problems: &[Problem]) -> Result<(), Refused> {
        if problems.iter().all(|problem| problem.is_warning) {
            return Ok(());
        }
        Err(Refused { problems: problems.to_vec() })
    }

    /// The errors alone.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| !problem.is_warning)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors().next() {
            Some(first) => f.write_str(&first.one_line())?,
            None => f.write_str("refused")?,
        }
        match self.errors().count().saturating_sub(1) {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}

impl std::error::Error for Refused {}
