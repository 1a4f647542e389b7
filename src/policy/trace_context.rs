//! W3C Trace Context: how a request says which trace it is part of (Recommendation of 2021-11-23, level 1).
//!
//! Headers come from others and are hostile until read: what is not exactly as the recommendation has it counts for
//! nothing, and a new trace begins. Whether a trace is kept is decided by its id alone, so that all nodes agree.

use std::fmt;

use crate::world::Probability;

/// The length of a header of version 00.
const LENGTH: usize = 55;
/// The most members that a `tracestate` may have.
pub const MEMBERS_MAX: usize = 32;
/// The longest key and value of a member.
const MEMBER_BYTES_MAX: usize = 256;
/// The longest parts of a key with an `@`: the tenant, and the system after it.
const TENANT_BYTES_MAX: usize = 241;
const SYSTEM_BYTES_MAX: usize = 14;

/// A trace: 16 bytes, not all zero. It is written in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TraceId(u128);

/// A span: 8 bytes, not all zero. It is written in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpanId(u64);

impl TraceId {
    /// The id of these bytes; 0, which is no id, is taken as 1.
    #[must_use]
    pub const fn new(bytes: u128) -> TraceId {
        TraceId(if bytes == 0 { 1 } else { bytes })
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Whether a trace of this id is kept: the lowest 56 bits, which are random, against the share that is.
    #[must_use]
    pub const fn is_sampled(self, share: Probability) -> bool {
        let random = self.0 & ((1 << 56) - 1);
        (random * 1_000_000) >> 56 < share.as_ppm() as u128
    }
}

impl SpanId {
    /// The id of these bytes; 0, which is no id, is taken as 1.
    #[must_use]
    pub const fn new(bytes: u64) -> SpanId {
        SpanId(if bytes == 0 { 1 } else { bytes })
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// Its bytes as a number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What a `traceparent` says: the trace, the span that asks, and whether the trace is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace: TraceId,
    /// The span that sends the header: the parent of what comes of it.
    pub span: SpanId,
    /// Whether spans of the trace are kept: bit 0 of the flags. The others are not passed on.
    pub sampled: bool,
}

/// The header as it is sent: version 00.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

/// Why a `traceparent` counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// There is more than one.
    #[error("more than one traceparent")]
    Twice,
    /// It is too short, or too long for its version.
    #[error("traceparent of a wrong length")]
    Length,
    /// A part is not lower-case hexadecimal, or not where it must be.
    #[error("traceparent with a wrong character")]
    Character,
    /// The version is ff.
    #[error("traceparent of version ff")]
    Version,
    /// The trace or the span is zero.
    #[error("traceparent with an id of zero")]
    Zero,
}

impl HeaderError {
    /// Its name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            HeaderError::Twice => "twice",
            HeaderError::Length => "length",
            HeaderError::Character => "character",
            HeaderError::Version => "version",
            HeaderError::Zero => "zero",
        }
    }
}

impl TraceContext {
    /// Reads the values of all `traceparent` headers of a request; none is `Ok(None)`.
    ///
    /// # Errors
    ///
    /// A [`HeaderError`] if there are two, or the one is not as it must be.
    pub fn read<'a>(
        mut headers: impl Iterator<Item = &'a str>,
    ) -> Result<Option<TraceContext>, HeaderError> {
        let Some(header) = headers.next() else { return Ok(None) };
        if headers.next().is_some() {
            return Err(HeaderError::Twice);
        }
        TraceContext::parse(header).map(Some)
    }

    /// Reads one header. Blanks around it are no part of it. A version that is not known yet may have more after
    /// its flags.
    ///
    /// # Errors
    ///
    /// A [`HeaderError`].
    pub fn parse(header: &str) -> Result<TraceContext, HeaderError> {
        let bytes = header.trim_matches([' ', '\t']).as_bytes();
        let (Some(known), rest) = (bytes.get(..LENGTH), bytes.get(LENGTH..).unwrap_or_default())
        else {
            return Err(HeaderError::Length);
        };
        let dashes = [2, 35, 52].iter().all(|&at| known.get(at) == Some(&b'-'));
        let part = |from: usize, to: usize| known.get(from..to).and_then(hex);
        let (Some(version), Some(trace), Some(span), Some(flags), true) =
            (part(0, 2), part(3, 35), part(36, 52), part(53, 55), dashes)
        else {
            return Err(HeaderError::Character);
        };
        match (version, rest.first()) {
            (0xff, _) => return Err(HeaderError::Version),
            (0, Some(_)) => return Err(HeaderError::Length),
            (_, None | Some(b'-')) => {}
            _ => return Err(HeaderError::Character),
        }
        let span = u64::try_from(span).unwrap_or_default();
        if trace == 0 || span == 0 {
            return Err(HeaderError::Zero);
        }
        let (trace, span) = (TraceId(trace), SpanId(span));
        Ok(TraceContext { trace, span, sampled: flags & 1 == 1 })
    }
}

/// Up to 32 digits of lower-case hexadecimal.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0_u128, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}

/// Reads the values of all `tracestate` headers as one list, and writes it as it is passed on: members in their
/// order, without blanks and empty members. `None` if there is nothing to pass on: no member, more than
/// [`MEMBERS_MAX`], a key twice, or anything that is no member.
#[must_use]
pub fn read_state<'a>(headers: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut members: Vec<(&str, &str)> = Vec::new();
    for member in headers.flat_map(|header| header.split(',')) {
        let member = member.trim_matches([' ', '\t']);
        if member.is_empty() {
            continue;
        }
        let (key, value) = member.split_once('=')?;
        let is_new = members.iter().all(|(other, _)| *other != key);
        if !is_new || members.len() == MEMBERS_MAX || !is_key(key) || !is_value(value) {
            return None;
        }
        members.push((key, value));
    }
    let members: Vec<String> =
        members.iter().map(|(key, value)| format!("{key}={value}")).collect();
    (!members.is_empty()).then(|| members.join(","))
}

/// `key` of section 3.3.1.3.1: only the tenant of a system may begin with a digit.
fn is_key(key: &str) -> bool {
    let is_part = |part: &str, most: usize, may_be_digit: bool| {
        let is_letter = |byte: u8| byte.is_ascii_lowercase();
        let is_first = |byte: u8| is_letter(byte) || may_be_digit && byte.is_ascii_digit();
        let is_any = |byte: u8| is_letter(byte) || byte.is_ascii_digit() || b"_-*/".contains(&byte);
        part.len() <= most && part.bytes().next().is_some_and(is_first) && part.bytes().all(is_any)
    };
    match key.split_once('@') {
        None => is_part(key, MEMBER_BYTES_MAX, false),
        Some((tenant, system)) => {
            is_part(tenant, TENANT_BYTES_MAX, true) && is_part(system, SYSTEM_BYTES_MAX, false)
        }
    }
}

fn is_value(value: &str) -> bool {
    let is_part = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b',' && byte != b'=';
    !value.is_empty() && value.len() <= MEMBER_BYTES_MAX && value.bytes().all(is_part)
}

#[cfg(test)]
mod tests;
