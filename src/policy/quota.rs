//! The daily quota of a workspace: how many tokens and requests from one local midnight to the
//! next.
//!
//! A request reserves before it is sent and settles when it is over, so that any number of them at
//! once never pass the limit. Days are those of a time zone and only go forward: each ends once,
//! whatever its clock does, and what was admitted on a day is charged to that day.
//!
//! Start at [`Quota`].

use std::fmt;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

mod day;
#[cfg(test)]
mod tests;

pub use day::{UnknownZone, Zone};

/// How a quota is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Tokens a day; 0 is no limit.
    pub tokens_per_day: u64,
    /// Requests a day; none is no limit.
    pub requests_per_day: Option<u64>,
    /// From what part of the tokens used on it is a warning, in millionths.
    pub warn_ppm: u32,
    /// From what part of the tokens used on it is critical, in millionths.
    pub critical_ppm: u32,
    /// Whose midnight ends a day.
    pub zone: Zone,
}

impl Default for Settings {
    /// No limit; a warning from 80 % and critical from 95 %, as the CCR's usage tracker has it; days
    /// of UTC.
    fn default() -> Self {
        Settings {
            tokens_per_day: 0,
            requests_per_day: None,
            warn_ppm: 800_000,
            critical_ppm: 950_000,
            zone: Zone::UTC,
        }
    }
}

/// How much of a quota is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing to worry about.
    #[default]
    Info,
    /// Much.
    Warning,
    /// Nearly all, all or more.
    Critical,
}

impl Level {
    /// Its name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Critical => "critical",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What of a quota is exhausted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// The tokens.
    Tokens,
    /// The requests.
    Requests,
}

impl Exhausted {
    /// As in events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Exhausted::Tokens => "tokens",
            Exhausted::Requests => "requests",
        }
    }
}

/// A request is refused, and has reserved nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the daily quota is exhausted: {remaining} of {limit} left, {requested} asked for")]
pub struct Exceeded {
    /// What there is not enough of.
    pub what: Exhausted,
    /// The limit of the day.
    pub limit: u64,
    /// How much was asked for.
    pub requested: u64,
    /// How much could have been.
    pub remaining: u64,
    /// When the day ends.
    pub reset_at: Timestamp,
}

/// Tokens set aside for a request, on the day it was admitted. It is to be settled or released,
/// once.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "what is reserved is gone for the day until it is settled or released"]
pub struct Reservation {
    day: Date,
    tokens: u64,
}

impl Reservation {
    /// The day it is charged to.
    pub const fn day(&self) -> Date {
        self.day
    }

    /// How many tokens are set aside.
    pub const fn tokens(&self) -> u64 {
        self.tokens
    }
}

/// What came of settling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The level, if it rose.
    pub risen: Option<Level>,
    /// How many more tokens were used than had been reserved.
    pub excess: u64,
}

/// What was used on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The day.
    pub day: Date,
    /// Tokens used.
    pub used: u64,
    /// Tokens set aside for requests that are not over.
    pub reserved: u64,
    /// Requests admitted.
    pub requests: u64,
}

impl Usage {
    const fn new(day: Date) -> Usage {
        Usage { day, used: 0, reserved: 0, requests: 0 }
    }

    const fn taken(&self) -> u64 {
        self.used.saturating_add(self.reserved)
    }
}

/// How a quota stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Tokens a day; 0 is no limit.
    pub limit: u64,
    /// Tokens used today.
    pub used: u64,
    /// Tokens set aside today for requests that are not over.
    pub reserved: u64,
    /// Tokens that could be reserved now; 0 if there is no limit.
    pub remaining: u64,
    /// Used of the limit, in hundredths of a per cent, rounded; 0 if there is no limit.
    pub percentage_bp: u64,
    /// Whether that is much.
    pub level: Level,
    /// Requests admitted today.
    pub requests: u64,
    /// When the day ends.
    pub reset_at: Timestamp,
}

impl Status {
    /// What to tell people: `CCR quota warning: 80.0% used`; nothing while the level is info.
    pub fn message(&self) -> Option<String> {
        let level = match self.level {
            Level::Info => return None,
            level => level.as_str(),
        };
        let tenths = ratio(self.used, self.limit, 1_000);
        Some(format!("CCR quota {level}: {}.{}% used", tenths / 10, tenths % 10))
    }
}

/// `used` of `limit`, in so many parts, rounded half to even.
fn ratio(used: u64, limit: u64, parts: u128) -> u64 {
    let limit = u128::from(limit);
    let (whole, rest) = match (u128::from(used) * parts).checked_div(limit) {
        Some(whole) => (whole, u128::from(used) * parts % limit * 2),
        None => return 0,
    };
    let up = rest > limit || (rest == limit && whole % 2 == 1);
    u64::try_from(whole + u128::from(up)).unwrap_or(u64::MAX)
}

/// What a quota keeps over a restart. Requests in flight when it was saved count as having used
/// what they reserved, so that a crash never lets anything pass the limit; a reservation from
/// before a restart must not be settled after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The day, as `2026-03-29`.
    pub day: String,
    /// Tokens used or set aside.
    pub used: u64,
    /// Requests admitted.
    pub requests: u64,
}

/// What was saved is not of a day that exists.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quota was saved for {0:?}, which is no day")]
pub struct NoSuchDay(
    /// What it says instead of a day.
    pub String,
);

/// A daily quota.
#[derive(Clone, Debug)]
pub struct Quota {
    settings: Settings,
    today: Usage,
    /// When today ends.
    end: Timestamp,
    /// The days that have ended and were not told of, or of which requests are in flight.
    past: Vec<Past>,
}

#[derive(Clone, Copy, Debug)]
struct Past {
    usage: Usage,
    told: bool,
}

impl Quota {
    /// A quota of which nothing is used.
    pub fn new(settings: Settings, utc: Timestamp) -> Quota {
        let (day, end) = settings.zone.day_of(utc);
        Quota { settings, today: Usage::new(day), end, past: Vec::new() }
    }

    /// What is to be kept over a restart.
    pub fn save(&self) -> Saved {
        let Usage { day, requests, .. } = self.today;
        Saved { day: day.to_string(), used: self.today.taken(), requests }
    }

    /// The quota as it was saved. If its day is over by now it is told of as any other, and today
    /// begins with nothing used.
    ///
    /// # Errors
    ///
    /// [`NoSuchDay`].
    pub fn restore(settings: Settings, saved: &Saved, utc: Timestamp) -> Result<Quota, NoSuchDay> {
        let day: Date = saved.day.parse().map_err(|_| NoSuchDay(saved.day.clone()))?;
        let today = Usage { day, used: saved.used, reserved: 0, requests: saved.requests };
        let end = settings.zone.end_of(day);
        let mut quota = Quota { settings, today, end, past: Vec::new() };
        quota.roll(utc);
        Ok(quota)
    }

    /// How it is set up.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sets tokens aside for a request.
    ///
    /// # Errors
    ///
    /// [`Exceeded`] if what is used and set aside would pass the limit.
    pub fn reserve(&mut self, utc: Timestamp, tokens: u64) -> Result<Reservation, Exceeded> {
        self.roll(utc);
        let exceeded = |what, limit, requested, remaining| {
            Err(Exceeded { what, limit, requested, remaining, reset_at: self.end })
        };
        let limit = self.settings.tokens_per_day;
        let remaining = limit.saturating_sub(self.today.taken());
        // Of a quota of which nothing is left not even nothing can be had.
        if limit != 0 && (tokens > remaining || remaining == 0) {
            return exceeded(Exhausted::Tokens, limit, tokens, remaining);
        }
        if let Some(limit) = self.settings.requests_per_day
            && self.today.requests >= limit
        {
            return exceeded(Exhausted::Requests, limit, 1, 0);
        }
        self.today.requests += 1;
        self.today.reserved = self.today.reserved.saturating_add(tokens);
        Ok(Reservation { day: self.today.day, tokens })
    }

    /// A request is over and has used so many tokens, more than reserved or less: they are charged
    /// to the day on which it was admitted.
    pub fn settle(&mut self, utc: Timestamp, reservation: Reservation, used: u64) -> Settled {
        self.roll(utc);
        let before = self.level();
        if let Some(usage) = self.usage_mut(reservation.day) {
            usage.reserved = usage.reserved.saturating_sub(reservation.tokens);
            usage.used = usage.used.saturating_add(used);
        }
        self.forget();
        let after = self.level();
        let excess = used.saturating_sub(reservation.tokens);
        Settled { risen: (after > before).then_some(after), excess }
    }

    /// A request was not sent, or used nothing: what it reserved comes back, and it does not count.
    pub fn release(&mut self, reservation: Reservation) {
        if let Some(usage) = self.usage_mut(reservation.day) {
            usage.reserved = usage.reserved.saturating_sub(reservation.tokens);
            usage.requests = usage.requests.saturating_sub(1);
        }
        self.forget();
    }

    /// Counts a request that was not reserved and has used so many tokens, limit or not (as the
    /// CCR's usage tracker does, which only watches). Says the level, if it rose.
    pub fn charge(&mut self, utc: Timestamp, tokens: u64) -> Option<Level> {
        self.roll(utc);
        let before = self.level();
        self.today.requests += 1;
        self.today.used = self.today.used.saturating_add(tokens);
        let after = self.level();
        (after > before).then_some(after)
    }

    /// Says that so many tokens were used today, whatever was known before. What is set aside
    /// stays.
    pub fn set_used(&mut self, utc: Timestamp, used: u64) {
        self.roll(utc);
        self.today.used = used;
    }

    /// How it stands.
    pub fn status(&mut self, utc: Timestamp) -> Status {
        self.roll(utc);
        let Usage { used, reserved, requests, .. } = self.today;
        let limit = self.settings.tokens_per_day;
        Status {
            limit,
            used,
            reserved,
            remaining: limit.saturating_sub(self.today.taken()),
            percentage_bp: ratio(used, limit, 10_000),
            level: self.level(),
            requests,
            reset_at: self.end,
        }
    }

    /// The next day that has ended and that nobody was told of: each is told once. What is in
    /// flight of it shows as reserved. Days on which the quota was not asked at all are not told.
    pub fn take_reset(&mut self, utc: Timestamp) -> Option<Usage> {
        self.roll(utc);
        let past = self.past.iter_mut().find(|past| !past.told)?;
        past.told = true;
        let usage = past.usage;
        self.forget();
        Some(usage)
    }

    /// What was used on a day: today, or an ended one that was not told of or of which requests are
    /// in flight.
    pub fn usage(&self, day: Date) -> Option<Usage> {
        let past = self.past.iter().map(|past| past.usage);
        std::iter::once(self.today).chain(past).find(|usage| usage.day == day)
    }

    #[inline]
    fn usage_mut(&mut self, day: Date) -> Option<&mut Usage> {
        if day == self.today.day {
            return Some(&mut self.today);
        }
        self.past.iter_mut().map(|past| &mut past.usage).find(|usage| usage.day == day)
    }

    fn level(&self) -> Level {
        let Settings { tokens_per_day: limit, warn_ppm, critical_ppm, .. } = self.settings;
        let reached = |ppm: u32| {
            u128::from(self.today.used) * 1_000_000 >= u128::from(limit) * u128::from(ppm)
        };
        if limit == 0 {
            Level::Info
        } else if reached(critical_ppm) {
            Level::Critical
        } else if reached(warn_ppm) {
            Level::Warning
        } else {
            Level::Info
        }
    }

    /// Ends the day if it is over. A clock that goes back changes nothing.
    #[inline]
    fn roll(&mut self, utc: Timestamp) {
        if utc >= self.end {
            self.past.push(Past { usage: self.today, told: false });
            let (day, end) = self.settings.zone.day_of(utc);
            (self.today, self.end) = (Usage::new(day), end);
        }
    }

    /// Days that nobody will ask for any more.
    fn forget(&mut self) {
        self.past.retain(|past| !past.told || past.usage.reserved > 0);
    }
}
