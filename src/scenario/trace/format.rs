//! The public formats of request traces, told apart by their first line.
//!
//! Each reads one line into one row or says what it expected; none knows of files or of other lines.

use jiff::civil::DateTime;
use serde::Deserialize;

use crate::scenario::units::{DecimalError, clip, decimal};

/// A row before it is placed on the trace's time line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// On a clock of the trace's own.
    pub(super) at_ns: i128,
    pub(super) input_tokens: u32,
    pub(super) output_tokens: u32,
    pub(super) failed: bool,
}

/// How a trace's lines read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Azure's public LLM inference traces: CSV, civil times to 100 ns.
    Azure,
    /// BurstGPT: CSV, seconds; some versions have more columns.
    BurstGpt(Columns),
    /// Mooncake: JSON Lines, milliseconds, no header.
    Mooncake,
}

/// Where BurstGPT's columns are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    count: usize,
    timestamp: usize,
    request_tokens: usize,
    response_tokens: usize,
}

const AZURE_HEADER: [&str; 3] = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"];

impl Format {
    /// The format whose first line this is.
    pub(super) fn of(first: &[u8]) -> Option<Format> {
        let first = std::str::from_utf8(first).ok()?;
        if first.trim_start().starts_with('{') {
            return Some(Format::Mooncake);
        }
        let names = fields(first);
        if names == AZURE_HEADER {
            return Some(Format::Azure);
        }
        let column = |name: &str| names.iter().position(|column| *column == name);
        Some(Format::BurstGpt(Columns {
            count: names.len(),
            timestamp: column("Timestamp")?,
            request_tokens: column("Request tokens")?,
            response_tokens: column("Response tokens")?,
        }))
    }

    /// One line as a row, or what was expected of it.
    pub(super) fn row(self, line: &[u8]) -> Result<Row, String> {
        let line = std::str::from_utf8(line).map_err(|_| "expected UTF-8 text".to_owned())?;
        match self {
            Format::Azure => azure(line),
            Format::BurstGpt(columns) => burst_gpt(line, columns),
            Format::Mooncake => mooncake(line),
        }
    }
}

/// The fields of a CSV line. None of the formats has a comma or a line break within quotes.
fn fields(line: &str) -> Vec<&str> {
    line.split(',').map(|field| field.trim().trim_matches('"')).collect()
}

fn azure(line: &str) -> Result<Row, String> {
    let fields = fields(line);
    let [timestamp, context, generated] = fields.as_slice() else {
        return Err(columns_error(3, fields.len()));
    };
    Ok(Row {
        at_ns: civil_ns(timestamp)?,
        input_tokens: tokens(context, "ContextTokens")?,
        output_tokens: tokens(generated, "GeneratedTokens")?,
        failed: false,
    })
}

/// Nanoseconds of a UTC time such as `2023-11-16 18:17:03.9799600` since 1970.
fn civil_ns(text: &str) -> Result<i128, String> {
    let expected = || {
        format!(
            "expected a time such as 2023-11-16 18:17:03.9799600 in TIMESTAMP, found \"{}\"",
            clip(text).escape_debug()
        )
    };
    let civil = text.strip_suffix("+00:00").or(text.strip_suffix('Z')).unwrap_or(text);
    // Only digits and these: a zone or an offset would be silently ignored.
    let plain = |byte: u8| byte.is_ascii_digit() || b"-:. T".contains(&byte);
    if !civil.bytes().all(plain) || civil.len() < 19 || civil.bytes().skip(10).any(|b| b == b'-') {
        return Err(expected());
    }
    let time: DateTime = civil.parse().map_err(|_| expected())?;
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| expected())?;
    Ok(time.timestamp().as_nanosecond())
}

fn burst_gpt(line: &str, columns: Columns) -> Result<Row, String> {
    let fields = fields(line);
    if fields.len() != columns.count {
        return Err(columns_error(columns.count, fields.len()));
    }
    let output_tokens = tokens(fields[columns.response_tokens], "Response tokens")?;
    Ok(Row {
        at_ns: seconds_ns(fields[columns.timestamp])?,
        input_tokens: tokens(fields[columns.request_tokens], "Request tokens")?,
        output_tokens,
        failed: output_tokens == 0,
    })
}

fn seconds_ns(text: &str) -> Result<i128, String> {
    let nanos = match decimal(text, 9) {
        Ok(nanos) => i128::try_from(nanos).ok(),
        Err(DecimalError::NotANumber | DecimalError::TooFine | DecimalError::TooLarge) => None,
    };
    nanos.filter(|nanos| *nanos < i128::MAX / 1_000_000).ok_or_else(|| {
        format!(
            "expected seconds, 0 or more with at most 9 decimals, in Timestamp, found \"{}\"",
            clip(text).escape_debug()
        )
    })
}

/// One line of a Mooncake trace; `hash_ids` and anything else is passed over.
#[derive(Deserialize)]
struct MooncakeRow {
    timestamp: u64,
    input_length: u32,
    output_length: u32,
}

fn mooncake(line: &str) -> Result<Row, String> {
    let row: MooncakeRow = serde_json::from_str(line).map_err(|error| {
        format!(
            "expected a JSON object with timestamp (ms), input_length and output_length: {}",
            clip_long(&error.to_string())
        )
    })?;
    Ok(Row {
        at_ns: i128::from(row.timestamp) * 1_000_000,
        input_tokens: row.input_length,
        output_tokens: row.output_length,
        failed: false,
    })
}

fn tokens(text: &str, column: &str) -> Result<u32, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().ok_or_else(|| {
        format!("expected a number of tokens in {column}, found \"{}\"", clip(text).escape_debug())
    })
}

fn columns_error(expected: usize, found: usize) -> String {
    format!("expected {expected} columns, found {found}")
}

/// serde_json quotes the value it did not expect, however long it is.
fn clip_long(message: &str) -> String {
    match message.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}
