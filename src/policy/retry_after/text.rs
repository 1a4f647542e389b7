//! Waits as servers write them: numbers, durations, dates.

use std::time::Duration;

use jiff::{Timestamp, civil, tz::TimeZone};

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// A wait in seconds: `60`, `1.5`. A negative one is none; `nan` is none either, `inf` and whatever
/// cannot be counted are the longest wait there is.
#[must_use]
pub fn seconds(text: &str) -> Option<Duration> {
    number(text, SECOND)
}

/// A wait in milliseconds, otherwise as [`seconds`].
#[must_use]
pub fn millis(text: &str) -> Option<Duration> {
    number(text, SECOND / 1_000)
}

fn number(text: &str, unit: u64) -> Option<Duration> {
    let text = text.trim();
    let (negative, size) = match text.strip_prefix('-') {
        Some(size) => (true, size),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let is = |word: &str| size.eq_ignore_ascii_case(word);
    let nanos = if is("nan") {
        0
    } else if is("inf") || is("infinity") {
        u64::MAX
    } else {
        decimal(size, unit)?
    };
    Some(Duration::from_nanos(if negative { 0 } else { nanos }))
}

/// A decimal number of units as nanoseconds, cut to whole ones.
fn decimal(text: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let mut nanos = 0_u64;
    for digit in whole.bytes() {
        let digit = u64::from(digit - b'0').saturating_mul(unit);
        nanos = nanos.saturating_mul(10).saturating_add(digit);
    }
    let mut place = unit;
    for digit in fraction.bytes() {
        place /= 10;
        nanos = nanos.saturating_add(u64::from(digit - b'0') * place);
    }
    Some(nanos)
}

/// A duration as OpenAI's `x-ratelimit-reset-*` headers have it: `6m0s`, `12ms`, `1.5s`.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let units = [
        ("ms", SECOND / 1_000),
        ("us", 1_000),
        ("µs", 1_000),
        ("ns", 1),
        ("d", 86_400 * SECOND),
        ("h", 3_600 * SECOND),
        ("m", 60 * SECOND),
        ("s", SECOND),
    ];
    let mut rest = text.trim();
    let mut nanos = 0_u64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, size) = units.into_iter().find(|(unit, _)| after.starts_with(unit))?;
        nanos = nanos.saturating_add(decimal(number, size)?);
        rest = after.get(unit.len()..)?;
    }
    Some(Duration::from_nanos(nanos))
}

/// How long it is until an instant; none if it is past.
pub fn until(now: Timestamp) -> impl Fn(Timestamp) -> Duration {
    move |then| Duration::try_from(then.duration_since(now)).unwrap_or_default()
}

/// An HTTP date in any of the three forms of RFC 9110, 5.6.7. The day of the week is not checked.
/// `now` decides the century of the two-digit year of RFC 850: a date more than 50 years ahead is
/// in the past.
#[must_use]
pub fn http_date(text: &str, now: Timestamp) -> Option<Timestamp> {
    let mut words = text.split([' ', ',', '-']).filter(|word| !word.is_empty());
    let day_name = words.next()?;
    if !is_day(day_name) {
        return None;
    }
    let second = words.next()?;
    let (day, month, year, clock) = if second.bytes().all(|byte| byte.is_ascii_digit()) {
        // Sun, 06 Nov 1994 08:49:37 GMT; Sunday, 06-Nov-94 08:49:37 GMT
        let (month, year, clock) = (words.next()?, words.next()?, words.next()?);
        if words.next() != Some("GMT") {
            return None;
        }
        (second, month, year, clock)
    } else {
        // Sun Nov  6 08:49:37 1994
        let (day, clock) = (words.next()?, words.next()?);
        (day, second, words.next()?, clock)
    };
    if words.next().is_some() {
        return None;
    }
    let mut clock = clock.split(':').map(whole::<i8>);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let at = |year| {
        // A leap second is the second before it.
        let day = whole(day)?;
        civil::DateTime::new(year, number_of(month)?, day, hour, minute, second.min(59), 0).ok()
    };
    let date = match (year.len(), whole::<i16>(year)?) {
        (4, year) => at(year)?,
        (2, year) => {
            let today = TimeZone::UTC.to_datetime(now);
            let century = today.year() / 100 * 100;
            let date = at(century + year)?;
            if date > at_most_50_years_on(today) { at(century - 100 + year)? } else { date }
        }
        _ => return None,
    };
    if clock.next().is_some() || second > 60 {
        return None;
    }
    TimeZone::UTC.to_timestamp(date).ok()
}

fn at_most_50_years_on(today: civil::DateTime) -> civil::DateTime {
    today.checked_add(jiff::Span::new().years(50)).unwrap_or(civil::DateTime::MAX)
}

/// A number of digits alone.
fn whole<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn is_day(name: &str) -> bool {
    const DAYS: [&str; 7] =
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    DAYS.iter().any(|day| name == *day || Some(name) == day.get(..3))
}

fn number_of(month: &str) -> Option<i8> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let index = MONTHS.iter().position(|name| *name == month)?;
    i8::try_from(index + 1).ok()
}
