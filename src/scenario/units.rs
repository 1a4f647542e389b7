//! Values with units as people write them, read into exact integers: `"250ms"`, `"3%"`, `"0.5"`.
//!
//! Nothing here goes through floating-point arithmetic: a decimal is shifted, never multiplied, so
//! what is written is what a run uses, on every machine. A value finer than its integer can hold is
//! refused, never rounded.

use std::time::Duration;

use crate::world::Probability;

/// The longest duration a sim may state: 365 days.
pub const DURATION_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// One whole, in parts per million.
pub const PPM: u32 = 1_000_000;

/// Units of time, longest first, in nanoseconds.
const UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

const DURATION_HELP: &str =
    "write a number and a unit, as in \"250ms\", \"1.5s\" or \"1h30m\" (ns, us, ms, s, m, h, d)";

/// Why a value with a unit could not be read, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UnitError {
    /// What is wrong, in a lower-case phrase.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl UnitError {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        UnitError { message: message.into(), help: help.into() }
    }
}

/// Why a plain decimal could not be shifted into an integer.
pub(super) enum DecimalError {
    NotANumber,
    TooFine,
    TooLarge,
}

/// `text × 10^places`, exactly. No sign, no exponent, at least one digit before the point.
pub(super) fn decimal(text: &str, places: usize) -> Result<u128, DecimalError> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(DecimalError::NotANumber),
        None => (text, ""),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(DecimalError::NotANumber);
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > places {
        return Err(DecimalError::TooFine);
    }
    let padding = std::iter::repeat_n(b'0', places - fraction.len());
    let mut value = 0_u128;
    for digit in whole.bytes().chain(fraction.bytes()).chain(padding) {
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(u128::from(digit - b'0')))
            .ok_or(DecimalError::TooLarge)?;
    }
    Ok(value)
}

/// Reads a duration such as `"250ms"`, `"1.5s"` or `"1h30m"`.
///
/// # Errors
///
/// When there is no unit, an unknown unit, units out of order, a sign, a part finer than a
/// nanosecond, or more than [`DURATION_MAX`].
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    if text.starts_with('-') {
        return Err(UnitError::new(
            format!("a duration cannot be negative: {}", quoted(text)),
            "write how long it lasts, as in \"30s\"",
        ));
    }
    duration_nanos(text).map(Duration::from_nanos)
}

/// Reads a duration that may be negative, such as the `"-30s"` of a clock that is behind, in
/// nanoseconds.
///
/// # Errors
///
/// As [`parse_duration`], the sign excepted.
pub fn parse_signed_duration(text: &str) -> Result<i64, UnitError> {
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    // 365 days of nanoseconds are far below `i64::MAX`.
    let nanos = i64::try_from(duration_nanos(magnitude)?).unwrap_or(i64::MAX);
    Ok(if negative { -nanos } else { nanos })
}

fn duration_nanos(text: &str) -> Result<u64, UnitError> {
    let bad = || UnitError::new(format!("{} is not a duration", quoted(text)), DURATION_HELP);
    let mut rest = text;
    let mut nanos = 0_u128;
    let mut units_left = UNITS.as_slice();
    while !rest.is_empty() || units_left.len() == UNITS.len() {
        let number_len = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let (number, tail) = rest.split_at(number_len);
        let unit_len = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(unit_len);
        if unit.is_empty() && tail.is_empty() && !number.is_empty() {
            return Err(UnitError::new(
                format!("{} has no unit", quoted(text)),
                format!("write \"{}ms\", or another unit (ns, us, ms, s, m, h, d)", clip(number)),
            ));
        }
        let Some(position) = units_left.iter().position(|(name, _)| *name == unit) else {
            return Err(bad());
        };
        let unit_nanos = units_left[position].1;
        units_left = &units_left[position + 1..];
        if number.contains('.') && !tail.is_empty() {
            return Err(bad());
        }
        nanos = match decimal(number, 9) {
            Ok(scaled) => {
                let product = scaled.checked_mul(u128::from(unit_nanos)).ok_or_else(too_long)?;
                if !product.is_multiple_of(1_000_000_000) {
                    return Err(too_fine(text));
                }
                nanos.saturating_add(product / 1_000_000_000)
            }
            Err(DecimalError::NotANumber) => return Err(bad()),
            Err(DecimalError::TooFine) => return Err(too_fine(text)),
            Err(DecimalError::TooLarge) => return Err(too_long()),
        };
        rest = tail;
    }
    match u64::try_from(nanos) {
        Ok(nanos) if nanos <= DURATION_MAX.as_nanos() as u64 => Ok(nanos),
        _ => Err(too_long()),
    }
}

fn too_long() -> UnitError {
    UnitError::new("a duration can be at most 365 days", "write a shorter one, as in \"24h\"")
}

fn too_fine(text: &str) -> UnitError {
    UnitError::new(
        format!("{} is finer than a nanosecond", quoted(text)),
        "write a whole number of nanoseconds, as in \"5ns\"",
    )
}

/// The largest size a sim may state: 2^50 bytes.
const BYTES_MAX: u64 = 1 << 50;

/// Units of size, in bytes.
const SIZES: [(&str, u64); 7] = [
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Reads a size such as `"10MB"`, in bytes. It may be zero.
///
/// # Errors
///
/// When there is no unit, an unknown unit, a sign, a part of a byte, or more than 2^50 bytes.
pub(super) fn parse_bytes(text: &str) -> Result<u64, UnitError> {
    let help = "write a number and a unit, as in \"10MB\" (B, KB, MB, GB, KiB, MiB, GiB)";
    let error = |what: &str| UnitError::new(format!("{} {what}", quoted(text)), help);
    let number_len = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let (number, unit) = text.split_at(number_len);
    if unit.is_empty() && !number.is_empty() {
        return Err(error("has no unit"));
    }
    let unit = SIZES.iter().find(|(name, _)| *name == unit);
    let Some((_, unit)) = unit else { return Err(error("is not a size")) };
    let billionths = decimal(number, 9).map_err(|bad| {
        error(match bad {
            DecimalError::NotANumber => "is not a size",
            DecimalError::TooFine => "is finer than a byte",
            DecimalError::TooLarge => "is too large",
        })
    })?;
    let product = billionths.checked_mul(u128::from(*unit)).ok_or_else(|| error("is too large"))?;
    if !product.is_multiple_of(1_000_000_000) {
        return Err(error("is finer than a byte"));
    }
    match u64::try_from(product / 1_000_000_000) {
        Ok(bytes) if bytes <= BYTES_MAX => Ok(bytes),
        _ => Err(error("is too large")),
    }
}

/// The shortest exact way to write a duration in the syntax of [`parse_duration`].
#[must_use]
pub fn duration_text(duration: Duration) -> String {
    let mut nanos = duration.as_nanos();
    let mut text = String::new();
    for (unit, unit_nanos) in UNITS {
        let count = nanos / u128::from(unit_nanos);
        nanos %= u128::from(unit_nanos);
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

const PROBABILITY_HELP: &str = "write a percentage, as in \"3%\", or a number from 0 to 1";

/// Reads a probability: `"3%"`, or a number from 0 to 1 written without an exponent.
///
/// # Errors
///
/// When it is not a number, outside 0 to 100 %, or finer than one part per million.
pub fn parse_probability(text: &str) -> Result<Probability, UnitError> {
    let ppm = parse_ratio(text)?;
    match u32::try_from(ppm) {
        Ok(ppm) if ppm <= PPM => Ok(Probability::ppm(ppm)),
        _ => Err(UnitError::new(
            format!("a probability is at most 100%, found {}", clip(text)),
            PROBABILITY_HELP,
        )),
    }
}

/// Reads a ratio, `"99.5%"` or `"0.995"`, in parts per million. It may be above one.
///
/// # Errors
///
/// When it is not a number, negative, or finer than one part per million.
pub fn parse_ratio(text: &str) -> Result<u64, UnitError> {
    let scaled = match text.strip_suffix('%') {
        Some(percent) => decimal(percent, 4),
        None => decimal(text, 6),
    };
    match scaled.map(u64::try_from) {
        Ok(Ok(ppm)) => Ok(ppm),
        Ok(Err(_)) | Err(DecimalError::TooLarge) => {
            Err(UnitError::new(format!("{} is out of range", quoted(text)), PROBABILITY_HELP))
        }
        Err(DecimalError::TooFine) => Err(UnitError::new(
            format!("{} is finer than one part per million", quoted(text)),
            "use at most 4 decimals in a percentage, 6 in a plain number",
        )),
        Err(DecimalError::NotANumber) if text.starts_with('-') => {
            Err(UnitError::new(format!("{} is negative", quoted(text)), PROBABILITY_HELP))
        }
        Err(DecimalError::NotANumber) => Err(UnitError::new(
            format!("{} is not a probability or a ratio", quoted(text)),
            PROBABILITY_HELP,
        )),
    }
}

/// Reads a number with up to three decimals, `"0.5"`, as thousandths: of a second's arrivals, or of
/// a scale. Never zero.
///
/// # Errors
///
/// When it is not a number, zero, negative, finer than a thousandth, or above `max` thousandths.
pub(super) fn parse_permille(text: &str, max: u64) -> Result<u64, UnitError> {
    let help = format!("write a number from 0.001 to {}, as in \"0.5\"", max / 1000);
    let scaled = match text.strip_suffix('%') {
        Some(percent) => decimal(percent, 1),
        None => decimal(text, 3),
    };
    match scaled.map(u64::try_from) {
        Ok(Ok(permille)) if (1..=max).contains(&permille) => Ok(permille),
        Ok(_) | Err(DecimalError::TooLarge) => {
            Err(UnitError::new(format!("{} is out of range", quoted(text)), help))
        }
        Err(DecimalError::TooFine) => {
            Err(UnitError::new(format!("{} is finer than a thousandth", quoted(text)), help))
        }
        Err(DecimalError::NotANumber) => {
            Err(UnitError::new(format!("{} is not a positive number", quoted(text)), help))
        }
    }
}

/// A user's text as a message may show it: in quotes, and cut when long.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", clip(text).escape_debug())
}

/// At most 40 characters of a user's text.
pub(super) fn clip(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
