//! Days of a time zone, and where they end.

use std::{fmt, str::FromStr};

use jiff::{
    Timestamp,
    civil::{Date, Time as CivilTime},
    tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase},
};

/// A time zone, from the database that is built in: that of the machine is never asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// A time zone that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UnknownZone {
    /// What was asked for, or how it begins.
    pub name: String,
    /// What may have been meant.
    pub suggestion: Option<String>,
}

impl fmt::Display for UnknownZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no time zone {:?}", self.name)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, ": did you mean {suggestion:?}?"),
            None => Ok(()),
        }
    }
}

impl Default for Zone {
    fn default() -> Self {
        Zone::UTC
    }
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Zone = Zone(TimeZone::UTC);

    /// The local date at this instant.
    #[must_use]
    pub fn date(&self, utc: Timestamp) -> Date {
        self.0.to_datetime(utc).date()
    }

    /// The day at this instant and when it ends: with the first instant of the next one.
    ///
    /// Where a clock set back makes a midnight come twice, the day ends at the first of them.
    pub(super) fn day_of(&self, utc: Timestamp) -> (Date, Timestamp) {
        let mut day = self.0.to_datetime(utc).date();
        loop {
            let end = self.end_of(day);
            // After the first of two midnights the local date is that of yesterday once more.
            match day.tomorrow() {
                Ok(next) if end <= utc => day = next,
                _ => return (day, end),
            }
        }
    }

    /// When a day ends; the end of time for the last day there is.
    pub(super) fn end_of(&self, day: Date) -> Timestamp {
        let midnight = day.tomorrow().map(|next| next.to_datetime(CivilTime::midnight()));
        let end = midnight.and_then(|midnight| {
            let midnight = self.0.to_ambiguous_timestamp(midnight);
            let gap = matches!(midnight.offset(), AmbiguousOffset::Gap { .. });
            let end = midnight.compatible()?;
            // A clock set forward over midnight: the next day begins when it was set.
            let set =
                gap.then(|| self.0.preceding(end + jiff::SignedDuration::from_nanos(1)).next());
            Ok(set.flatten().map_or(end, |transition| transition.timestamp()))
        });
        end.unwrap_or(Timestamp::MAX)
    }
}

/// The longest misspelt name that is told back whole and compared with those there are, in bytes: a
/// comparison costs as much as both names are long, and there are six hundred.
const COMPARED_MAX: usize = 64;

impl FromStr for Zone {
    type Err = UnknownZone;

    /// Reads `UTC`, a fixed offset (`+09:00`), or a name of the IANA database (`Asia/Tokyo`).
    fn from_str(name: &str) -> Result<Zone, UnknownZone> {
        if let Some(offset) = offset(name) {
            return Ok(Zone(TimeZone::fixed(offset)));
        }
        let zones = TimeZoneDatabase::bundled();
        zones.get(name).map(Zone).map_err(|_| {
            let wanted = name.to_lowercase();
            let distance =
                |known: &String| strsim::damerau_levenshtein(&known.to_lowercase(), &wanted);
            let names = zones.available().map(|known| known.as_str().to_owned());
            // The nearest name, the first of equals, if at most a third of it is wrong.
            let names = names.filter(|_| name.len() <= COMPARED_MAX);
            let nearest = names.min_by_key(|known| (distance(known), known.clone()));
            let suggestion = nearest.filter(|known| distance(known) * 3 <= wanted.len());
            UnknownZone { name: name.chars().take(COMPARED_MAX).collect(), suggestion }
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.iana_name(), self.0.to_fixed_offset()) {
            (Some(name), _) => f.write_str(name),
            (None, Ok(offset)) => write!(f, "{offset}"),
            (None, Err(_)) => f.write_str("UTC"),
        }
    }
}

/// `+09:00`, `-0330` or `+9`, as an offset from UTC.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let number = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        if plain { text.parse::<i32>().ok() } else { None }
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if hours > 25 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()
}
