//! Recorded traces of real requests: when each came, and how many tokens it had.
//!
//! A trace is streamed: one line is in memory at a time, and its length is bounded. Nothing here
//! guesses: a line that does not read as its format says is an error with its number, unless the
//! caller asked for such lines to be counted and passed over.

mod format;
mod lines;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use format::Format;
use lines::{Line, Lines};

/// One request of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRow {
    /// When it came, since the first request of the trace, the scale applied.
    pub at: Duration,
    /// Tokens sent with it.
    pub input_tokens: u32,
    /// Tokens answered.
    pub output_tokens: u32,
    /// Whether the trace says that it failed.
    pub failed: bool,
}

/// Why a trace could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file system said no.
    #[error("cannot read the trace {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The first line belongs to no format that is known.
    #[error(
        "{}:1: not a known trace: expected the header of an Azure trace \
         (TIMESTAMP,ContextTokens,GeneratedTokens), of a BurstGPT trace (Timestamp,Model,Request \
         tokens,Response tokens,Total tokens,Log Type), or Mooncake JSON Lines",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// A line does not read as its format says.
    #[error("{}:{line}: {reason}", path.display())]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line's number, counted from 1.
        line: u64,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// There is no request in it.
    #[error("{}: no requests", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// A trace, read request by request. After an error it ends.
#[derive(Debug)]
pub struct TraceReader<R = BufReader<File>> {
    path: PathBuf,
    lines: Lines<R>,
    format: Format,
    /// The first line of a format without a header.
    pending: Option<Vec<u8>>,
    scale_permille: u64,
    limit: u64,
    skip_bad: bool,
    skipped: u64,
    rows: u64,
    first_ns: Option<i128>,
    latest_ns: i128,
    ended: bool,
}

/// Nothing in a trace may be later than this after its first request: a hundred years.
const SPAN_NS_MAX: i128 = 100 * 366 * 86_400 * 1_000_000_000;

impl TraceReader {
    /// Opens a trace and tells its format from its first line.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, that is empty, or whose first line belongs to no known format.
    pub fn open(path: &Path) -> Result<TraceReader, TraceError> {
        let read_error = |source| TraceError::Read { path: path.to_owned(), source };
        TraceReader::read(path, BufReader::new(File::open(path).map_err(read_error)?))
    }
}

impl<R: BufRead> TraceReader<R> {
    /// The same for what is no file; `path` is for messages.
    ///
    /// # Errors
    ///
    /// As [`TraceReader::open`].
    pub fn read(path: &Path, input: R) -> Result<TraceReader<R>, TraceError> {
        let read_error = |source| TraceError::Read { path: path.to_owned(), source };
        let mut lines = Lines::new(input);
        let first = match lines.next_line().map_err(read_error)? {
            None => return Err(TraceError::Empty { path: path.to_owned() }),
            Some(Line::TooLong) => return Err(TraceError::UnknownFormat { path: path.to_owned() }),
            Some(Line::Text(first)) => first.to_vec(),
        };
        let Some(format) = Format::of(&first) else {
            return Err(TraceError::UnknownFormat { path: path.to_owned() });
        };
        Ok(TraceReader {
            path: path.to_owned(),
            lines,
            pending: (format == Format::Mooncake).then_some(first),
            format,
            scale_permille: 1000,
            limit: u64::MAX,
            skip_bad: false,
            skipped: 0,
            rows: 0,
            first_ns: None,
            latest_ns: i128::MIN,
            ended: false,
        })
    }

    /// Multiplies the times by so many thousandths: 100 makes ten minutes one.
    #[must_use]
    pub fn scale(mut self, permille: u64) -> Self {
        self.scale_permille = permille;
        self
    }

    /// Reads at most so many requests.
    #[must_use]
    pub fn limit(mut self, requests: u64) -> Self {
        self.limit = requests;
        self
    }

    /// Whether lines that cannot be read, or go back in time, are counted and passed over.
    #[must_use]
    pub fn skip_bad(mut self, skip: bool) -> Self {
        self.skip_bad = skip;
        self
    }

    /// How many lines were passed over so far.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    fn next_row(&mut self) -> Result<Option<TraceRow>, TraceError> {
        if self.rows >= self.limit {
            return Ok(None);
        }
        loop {
            let parsed = if let Some(first) = self.pending.take() {
                self.format.row(&first)
            } else {
                match self.lines.next_line() {
                    Err(source) => {
                        return Err(TraceError::Read { path: self.path.clone(), source });
                    }
                    Ok(None) if self.rows == 0 => {
                        return Err(TraceError::Empty { path: self.path.clone() });
                    }
                    Ok(None) => return Ok(None),
                    Ok(Some(Line::TooLong)) => {
                        Err(format!("the line is longer than {} KiB", lines::LINE_BYTES_MAX / 1024))
                    }
                    Ok(Some(Line::Text(text))) if text.trim_ascii().is_empty() => continue,
                    Ok(Some(Line::Text(text))) => self.format.row(text),
                }
            };
            match parsed.and_then(|row| self.place(row)) {
                Ok(row) => {
                    self.rows += 1;
                    return Ok(Some(row));
                }
                Err(_) if self.skip_bad => self.skipped += 1,
                Err(reason) => {
                    let line = self.lines.number();
                    return Err(TraceError::BadLine { path: self.path.clone(), line, reason });
                }
            }
        }
    }

    /// Puts a row on the trace's own time line.
    fn place(&mut self, row: format::Row) -> Result<TraceRow, String> {
        if row.at_ns < self.latest_ns {
            return Err("earlier than a request before it: expected rows in order of time".into());
        }
        let first_ns = self.first_ns.unwrap_or(row.at_ns);
        let since_ns = row.at_ns - first_ns;
        if since_ns > SPAN_NS_MAX {
            return Err("more than a hundred years after the first request".to_owned());
        }
        let scaled_ns = since_ns * i128::from(self.scale_permille) / 1000;
        let at = u64::try_from(scaled_ns)
            .map_err(|_| "too late once scaled: expected at most 584 years".to_owned())?;
        self.first_ns = Some(first_ns);
        self.latest_ns = row.at_ns;
        Ok(TraceRow {
            at: Duration::from_nanos(at),
            input_tokens: row.input_tokens,
            output_tokens: row.output_tokens,
            failed: row.failed,
        })
    }
}

impl<R: BufRead> Iterator for TraceReader<R> {
    type Item = Result<TraceRow, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_row().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}
