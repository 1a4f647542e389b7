//! The event log as JSON Lines: a header, then one record per line.
//!
//! The writer appends whole lines, so that a process that dies leaves a log that can be read up to
//! where it died. The reader trusts nothing: lines are bounded, and every refusal names its line.

use std::{
    cell::RefCell,
    io::{self, BufRead, Read as _, Write},
    rc::Rc,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::world::{LOG_VERSION, Observer, Record, Seed, Sighting};

/// The longest line that a [`LogReader`] takes, in bytes.
pub const LINE_BYTES_MAX: u64 = 4 << 20;

/// The first line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogHeader {
    /// The version of the format: [`LOG_VERSION`].
    pub version: u32,
    /// The name of the sim; `None` of a world that was built in code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sim: Option<String>,
    /// The seed of the world.
    pub seed: Seed,
    /// The UTC instant at which virtual time starts, as in RFC 3339, if there is a sim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
}

impl LogHeader {
    /// That of the log of a world of this seed, of no sim.
    #[must_use]
    pub fn new(seed: Seed) -> LogHeader {
        LogHeader { version: LOG_VERSION, sim: None, seed, start: None }
    }
}

/// Writes the events of a world as JSON Lines.
///
/// It is an [`Observer`] and a handle: give a clone to the world, and ask the other one at the end
/// with [`LogWriter::finish`] whether everything could be written.
pub struct LogWriter<W: Write>(Rc<RefCell<Writing<W>>>);

struct Writing<W> {
    output: W,
    line: Vec<u8>,
    events: u64,
    /// The first error. Nothing is written after it.
    error: Option<io::Error>,
}

impl<W: Write> LogWriter<W> {
    /// A log of the world of this seed. The header is written at once.
    pub fn new(output: W, seed: Seed) -> LogWriter<W> {
        LogWriter::with(output, &LogHeader::new(seed))
    }

    /// A log with this header.
    pub fn with(output: W, header: &LogHeader) -> LogWriter<W> {
        let mut writing = Writing { output, line: Vec::new(), events: 0, error: None };
        writing.append(header);
        LogWriter(Rc::new(RefCell::new(writing)))
    }

    /// Flushes, and returns how many events were written.
    ///
    /// # Errors
    ///
    /// The first error that writing met. Events from there on are not in the log.
    pub fn finish(&self) -> io::Result<u64> {
        self.end(W::flush)
    }

    /// The same of an output that takes more than to be flushed.
    pub(crate) fn end(&self, close: impl FnOnce(&mut W) -> io::Result<()>) -> io::Result<u64> {
        let mut writing = self.0.borrow_mut();
        match writing.error.take() {
            Some(error) => Err(error),
            None => close(&mut writing.output).map(|()| writing.events),
        }
    }
}

impl<W: Write> Writing<W> {
    fn append<T: Serialize>(&mut self, value: &T) {
        if self.error.is_some() {
            return;
        }
        self.line.clear();
        let written = serde_json::to_writer(&mut self.line, value).map_err(io::Error::from);
        self.line.push(b'\n');
        self.error = written.and_then(|()| self.output.write_all(&self.line)).err();
    }
}

impl<W: Write> Clone for LogWriter<W> {
    fn clone(&self) -> LogWriter<W> {
        LogWriter(Rc::clone(&self.0))
    }
}

impl<W: Write> Observer for LogWriter<W> {
    fn see(&mut self, sighting: &Sighting<'_>) {
        let mut writing = self.0.borrow_mut();
        writing.append(&sighting.to_record());
        writing.events += u64::from(writing.error.is_none());
    }
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file cannot be read.
    #[error("line {line}: {source}")]
    Io {
        /// The line.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// There is not even a header.
    #[error("the log is empty: it should begin with a header like {{\"version\":1,\"seed\":42}}")]
    Empty,
    /// The log has another version.
    #[error("line 1: the log has version {found}, this build reads version {LOG_VERSION}")]
    Version {
        /// The version it has.
        found: u64,
    },
    /// A line is too long.
    #[error("line {line}: longer than {LINE_BYTES_MAX} bytes")]
    TooLong {
        /// The line.
        line: u64,
    },
    /// A line is not what it should be.
    #[error("line {line}: {message}")]
    Malformed {
        /// The line.
        line: u64,
        /// What is wrong with it.
        message: String,
    },
    /// The last line has no end: whoever wrote the log was cut off.
    #[error("line {line}: the log breaks off in the middle of a line")]
    Cut {
        /// The line.
        line: u64,
    },
}

/// Reads a log back: an iterator of records that ends after the first error.
pub struct LogReader<R> {
    input: R,
    header: Option<LogHeader>,
    line: u64,
    buffer: Vec<u8>,
    /// Whether what was read last is a record that nobody has had.
    is_due: bool,
    has_ended: bool,
}

impl<R: BufRead> LogReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// A [`LogError`] if there is none, or if it is of another version.
    pub fn new(input: R) -> Result<LogReader<R>, LogError> {
        let mut reader = LogReader::begin(input)?;
        reader.read_header()?;
        Ok(reader)
    }

    /// Reads the header if there is one: events that were printed have none.
    ///
    /// # Errors
    ///
    /// A [`LogError`] if there is nothing at all, or if it is of another version.
    pub fn headless(input: R) -> Result<LogReader<R>, LogError> {
        #[derive(Deserialize)]
        struct Headless {
            seq: u64,
        }
        let mut reader = LogReader::begin(input)?;
        reader.is_due = reader.parse().is_ok_and(|Headless { seq }| seq > 0);
        if !reader.is_due {
            reader.read_header()?;
        }
        Ok(reader)
    }

    /// Reads the first line.
    fn begin(input: R) -> Result<LogReader<R>, LogError> {
        let (header, buffer) = (None, Vec::new());
        let mut reader =
            LogReader { input, header, line: 0, buffer, is_due: false, has_ended: false };
        if reader.read_line()? { Ok(reader) } else { Err(LogError::Empty) }
    }

    fn read_header(&mut self) -> Result<(), LogError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        // The version first: a header of another version may have other fields.
        let Versioned { version: found } = self.parse()?;
        if found != u64::from(LOG_VERSION) {
            return Err(LogError::Version { found });
        }
        self.header = Some(self.parse()?);
        Ok(())
    }

    /// The header, if there is one.
    pub fn header(&self) -> Option<&LogHeader> {
        self.header.as_ref()
    }

    /// Reads one line into the buffer; false at the end.
    fn read_line(&mut self) -> Result<bool, LogError> {
        self.line += 1;
        let line = self.line;
        self.buffer.clear();
        let mut bounded = self.input.by_ref().take(LINE_BYTES_MAX + 1);
        let read = bounded.read_until(b'\n', &mut self.buffer);
        match read.map_err(|source| LogError::Io { line, source })? {
            0 => Ok(false),
            _ if self.buffer.last() == Some(&b'\n') => Ok(true),
            length if length as u64 > LINE_BYTES_MAX => Err(LogError::TooLong { line }),
            _ => Err(LogError::Cut { line }),
        }
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, LogError> {
        serde_json::from_slice(&self.buffer)
            .map_err(|error| LogError::Malformed { line: self.line, message: error.to_string() })
    }

    fn read_record(&mut self) -> Result<Option<Record>, LogError> {
        let is_due = std::mem::take(&mut self.is_due) || self.read_line()?;
        if is_due { self.parse().map(Some) } else { Ok(None) }
    }
}

impl<R: BufRead> Iterator for LogReader<R> {
    type Item = Result<Record, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let record = self.read_record().transpose();
        self.has_ended = !matches!(record, Some(Ok(_)));
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    const HEADER: &str = "{\"version\":1,\"seed\":42}\n";
    const RECORD: &str = "{\"seq\":1,\"at_ns\":5,\"node\":\"a\",\"cause\":0,\"kind\":\"timer_fired\",\"fields\":{}}\n";

    fn refusal(text: &str) -> String {
        match LogReader::new(text.as_bytes()) {
            Err(error) => error.to_string(),
            Ok(reader) => reader.filter_map(Result::err).map(|error| error.to_string()).collect(),
        }
    }

    #[test]
    fn a_log_reads_back_as_it_was_written() {
        struct Kept(Rc<RefCell<Vec<u8>>>);
        impl Write for Kept {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.borrow_mut().write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (kept, seen) = (Rc::default(), Rc::new(RefCell::new(Vec::new())));
        let log = LogWriter::new(Kept(Rc::clone(&kept)), Seed(7));
        let mut world = World::new(Seed(7));
        let all = Rc::clone(&seen);
        world.observe(log.clone());
        world.observe(move |sighting: &Sighting<'_>| all.borrow_mut().push(sighting.to_record()));
        world.fault(crate::world::Fault::partition(["a"; 0], ["b"; 0]));
        world.run().unwrap();
        assert_eq!(log.finish().unwrap(), 2);
        let bytes = kept.borrow();
        let reader = LogReader::new(bytes.as_slice()).unwrap();
        assert_eq!(reader.header(), Some(&LogHeader::new(Seed(7))));
        let read: Vec<Record> = reader.map(Result::unwrap).collect();
        assert_eq!(read, *seen.borrow());
        assert_eq!(read.len(), 2);
    }

    #[test]
    fn the_first_error_is_told_at_the_end() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let log = LogWriter::new(Full(2), Seed(7));
        let mut world = World::new(Seed(7));
        world.observe(log.clone());
        world.fault(crate::world::Fault::partition(["a"; 0], ["b"; 0]));
        world.run().unwrap();
        assert_eq!(log.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn what_is_refused_names_its_line() {
        assert_eq!(refusal(&format!("{HEADER}{RECORD}")), "");
        assert!(refusal("").contains("empty"));
        assert!(refusal("{\"version\":2,\"world\":1}\n").contains("version 2"));
        assert!(refusal("{\"seed\":2}\n").starts_with("line 1: missing field `version`"));
        assert!(refusal("{\"version\":1,\"seed\":1,\"x\":1}\n").contains("unknown field `x`"));
        let unknown = RECORD.replace("{\"seq\"", "{\"new\":1,\"seq\"");
        assert!(
            refusal(&format!("{HEADER}{RECORD}{unknown}")).starts_with("line 3: unknown field")
        );
        let cut = &RECORD[..20];
        assert!(refusal(&format!("{HEADER}{RECORD}{cut}")).starts_with("line 3: the log breaks"));
        let long = " ".repeat(LINE_BYTES_MAX as usize + 1);
        assert!(refusal(&format!("{HEADER}{long}")).starts_with("line 2: longer than"));
    }

    #[test]
    fn two_gigabytes_in_one_line_are_refused_after_four_megabytes() {
        let endless = io::repeat(b' ').take(2 << 30);
        let log = io::BufReader::new(HEADER.as_bytes().chain(endless));
        let mut reader = LogReader::new(log).unwrap();
        assert!(matches!(reader.next(), Some(Err(LogError::TooLong { line: 2 }))));
        assert!(reader.next().is_none());
        let left = reader.input.into_inner().into_inner().1.limit();
        let read = (2 << 30) - left;
        assert!(read < LINE_BYTES_MAX + 100_000, "{read} bytes were read");
    }

    /// A log that is made as it is read, of so many lines of a megabyte.
    struct Made {
        lines: u64,
        line: Vec<u8>,
        at: usize,
    }

    impl io::Read for Made {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.at == self.line.len() {
                (self.at, self.lines) = (0, self.lines.saturating_sub(1));
            }
            if self.lines == 0 {
                return Ok(0);
            }
            let count = buffer.len().min(self.line.len() - self.at);
            buffer[..count].copy_from_slice(&self.line[self.at..self.at + count]);
            self.at += count;
            Ok(count)
        }
    }

    #[test]
    fn a_log_of_any_size_is_read_line_by_line() {
        let text = format!("{{\"note\":\"{}\"}}", "x".repeat(1 << 20));
        let line = RECORD.replace("{}", &text).into_bytes();
        let length = line.len();
        let made = Made { lines: 64, line, at: 0 };
        let log = io::BufReader::new(HEADER.as_bytes().chain(made));
        let mut reader = LogReader::new(log).unwrap();
        assert_eq!(reader.by_ref().map(Result::unwrap).count(), 64);
        let kept = reader.buffer.capacity();
        assert!(kept < 4 * length, "{kept} bytes are kept after 64 lines of {length}");
    }

    #[test]
    fn a_header_says_of_which_sim_it_is_or_is_not_there() {
        let sim =
            "{\"version\":1,\"sim\":\"a/b\",\"seed\":42,\"start\":\"2026-01-01T00:00:00Z\"}\n";
        let text = format!("{sim}{RECORD}");
        let reader = LogReader::new(text.as_bytes()).unwrap();
        assert_eq!(serde_json::to_string(reader.header().unwrap()).unwrap() + "\n", sim);
        assert_eq!(reader.map(Result::unwrap).count(), 1);
        let headless = |text: &str| {
            let reader = LogReader::headless(text.as_bytes())?;
            let has_header = reader.header().is_some();
            let records: Result<Vec<Record>, LogError> = reader.collect();
            Ok::<_, LogError>((has_header, records?.len()))
        };
        assert_eq!(headless(&text).unwrap(), (true, 1));
        assert_eq!(headless(&format!("{RECORD}{RECORD}")).unwrap(), (false, 2));
        assert!(headless("{\"version\":9}\n").unwrap_err().to_string().contains("version 9"));
        assert!(headless("nonsense\n").unwrap_err().to_string().starts_with("line 1"));
        assert!(matches!(headless(""), Err(LogError::Empty)));
    }

    #[test]
    fn nothing_is_read_after_an_error() {
        let text = format!("{HEADER}nonsense\n{RECORD}");
        let mut reader = LogReader::new(text.as_bytes()).unwrap();
        assert!(reader.next().unwrap().is_err());
        assert!(reader.next().is_none());
    }
}
