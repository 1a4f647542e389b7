//! Lines of a file, one at a time, none longer than a bound.
//!
//! Never holds more than one line, and of an over-long one nothing at all.

use std::io::{self, BufRead};

/// The longest line, in bytes.
pub(super) const LINE_BYTES_MAX: usize = 1024 * 1024;

/// One line without its end.
pub(super) enum Line<'a> {
    Text(&'a [u8]),
    TooLong,
}

/// Reads lines that end in LF or CRLF; the last may end with the file.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Lines { reader, buffer: Vec::new(), number: 0 }
    }

    /// The number of the line that was read last, counted from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line, or `None` at the end of the file. A byte order mark before the first line is
    /// not part of it.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let mut too_long = false;
        let mut any = false;
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            any = true;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let line = &chunk[..end.unwrap_or(chunk.len())];
            too_long |= self.buffer.len() + line.len() > LINE_BYTES_MAX;
            if !too_long {
                self.buffer.extend_from_slice(line);
            }
            let used = end.map_or(chunk.len(), |end| end + 1);
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        if too_long {
            return Ok(Some(Line::TooLong));
        }
        let text = self.buffer.strip_suffix(b"\r").unwrap_or(&self.buffer);
        let text = match self.number {
            1 => text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text),
            _ => text,
        };
        Ok(Some(Line::Text(text)))
    }
}
