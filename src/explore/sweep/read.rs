//! Reads results line by line. Whatever a file holds, it takes no more room than its longest line,
//! and a bad line costs nothing but itself.

use std::io::{self, BufRead, Read as _};

use super::{BadLine, Line};

/// The longest line that is read, in bytes.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;

/// Where something was read, and what it is.
#[derive(Debug)]
pub struct Entry {
    /// The number of the line, from 1.
    pub number: u64,
    /// The bytes before it.
    pub offset: u64,
    /// What it is.
    pub what: What,
}

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub enum What {
    /// A line of results.
    Line(Line),
    /// A line of results at the end of the file that only lacks its newline.
    LineWithoutEnd(Line),
    /// The beginning of a line: whoever wrote it was stopped there.
    Torn,
    /// Something else.
    Bad(BadLine),
}

/// The lines of a file of results.
pub struct Lines<R> {
    reader: R,
    number: u64,
    offset: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// Reads from its beginning on.
    pub fn new(reader: R) -> Lines<R> {
        Lines { reader, number: 0, offset: 0, buffer: Vec::new() }
    }

    /// Where the line after the last one begins, in bytes.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn entry(&mut self) -> io::Result<Option<Entry>> {
        self.buffer.clear();
        let most = LINE_BYTES_MAX as u64 + 1;
        let read = self.reader.by_ref().take(most).read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(None);
        }
        let offset = self.offset;
        self.number += 1;
        self.offset += read as u64;
        let has_end = self.buffer.last() == Some(&b'\n');
        let what = if !has_end && read > LINE_BYTES_MAX {
            self.offset += skip_line(&mut self.reader)?;
            What::Bad(BadLine::TooLong)
        } else {
            match (Line::parse(&self.buffer), has_end) {
                (Ok(line), true) => What::Line(line),
                (Ok(line), false) => What::LineWithoutEnd(line),
                (Err(BadLine::Malformed(_)), false) => What::Torn,
                (Err(bad), _) => What::Bad(bad),
            }
        };
        Ok(Some(Entry { number: self.number, offset, what }))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<io::Result<Entry>> {
        self.entry().transpose()
    }
}

/// Passes over the rest of a line, and says how long it was.
fn skip_line(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let bytes = reader.fill_buf()?;
        let (here, is_over) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (bytes.len(), bytes.is_empty()),
        };
        reader.consume(here);
        skipped += here as u64;
        if is_over {
            return Ok(skipped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTED: &str = r#"{"kind":"started","version":1,"sim":"a","seed":1}"#;

    fn read(text: &[u8]) -> Vec<(u64, u64, What)> {
        let entries = Lines::new(text).map(Result::unwrap);
        entries.map(|entry| (entry.number, entry.offset, entry.what)).collect()
    }

    #[test]
    fn a_bad_line_costs_itself_only() {
        let long = "x".repeat(3 * LINE_BYTES_MAX);
        let text = format!("{STARTED}\n{long}\n\0\0\n\n{STARTED}\n{{\"kind\":\"fin");
        let entries = read(text.as_bytes());
        let what: Vec<&What> = entries.iter().map(|(_, _, what)| what).collect();
        assert!(matches!(what[0], What::Line(_)) && matches!(what[4], What::Line(_)));
        assert_eq!(what[1], &What::Bad(BadLine::TooLong));
        assert!(matches!(what[2], What::Bad(BadLine::Malformed(_))));
        assert!(matches!(what[3], What::Bad(BadLine::Malformed(_))));
        assert_eq!(what[5], &What::Torn);
        let (number, offset, _) = entries[5];
        assert_eq!((number, &text[usize::try_from(offset).unwrap()..]), (6, "{\"kind\":\"fin"));
    }

    #[test]
    fn a_last_line_that_lacks_only_its_newline_is_whole() {
        assert!(matches!(read(STARTED.as_bytes())[0].2, What::LineWithoutEnd(_)));
        assert_eq!(read(&STARTED.as_bytes()[..STARTED.len() - 1])[0].2, What::Torn);
        assert_eq!(read(b""), []);
    }

    #[test]
    fn the_longest_line_that_is_read_is_read() {
        let padding = " ".repeat(LINE_BYTES_MAX - STARTED.len());
        let whole = format!("{STARTED}{padding}\n{STARTED}\n");
        assert!(read(whole.as_bytes()).iter().all(|(_, _, what)| matches!(what, What::Line(_))));
        let longer = format!("{STARTED}{padding} \n{STARTED}\n");
        assert_eq!(read(longer.as_bytes())[0].2, What::Bad(BadLine::TooLong));
        assert!(matches!(read(longer.as_bytes())[1].2, What::Line(_)));
    }
}
