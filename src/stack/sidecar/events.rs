//! The event bus: events of agents, kept for a while, for whoever asks and for who subscribed.
//!
//! Events of one project are in one log, in the order in which they came; so those of one publisher
//! are in the order in which it sent them. Nobody sees the log of another project, nor how many
//! events are in it.
//!
//! There are two ways to read. With a *cursor* the reader remembers how far it came; whoever asks
//! again with the same cursor gets the same again. For a *subscription* the bus remembers: at least
//! once, everything from the last acknowledgement on is delivered again when that is late; or at
//! most once, and what is delivered is not delivered again.
//!
//! The buffer holds so many events of all projects together. When it is full the oldest is dropped,
//! and those who had not read it are told how many they lost. The bus is in memory: after a restart
//! it is empty, and a cursor of an earlier life is told so.
//!
//! Start at [`Bus`]. Nobody waits in here: who has to is parked under a ticket, and `publish` and
//! `tick` say whose tickets are up, with the answer.

mod actor;
mod bus;
mod log;
mod message;
#[cfg(test)]
mod properties;
mod subscription;
#[cfg(test)]
mod tests;

use std::{fmt, rc::Rc, str::FromStr, time::Duration};

pub(super) use self::actor::{Broker, CountEvents, Publish, TrimEvents, WaitFor};
pub use self::{
    bus::Bus,
    message::{Ask, Published, Reader, Subscribed, Wait, WaitError, Woken},
    subscription::{AckError, Delivery, Start, Subscribe, Tally},
};
use super::wire::{self, EventView, Made as _};

/// How far a log was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// In which life of the bus.
    epoch: u64,
    /// Up to which event of the project, the first of which is 1.
    offset: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.offset)
    }
}

impl From<Cursor> for wire::Cursor {
    fn from(cursor: Cursor) -> wire::Cursor {
        wire::Cursor::made(&cursor.to_string())
    }
}

/// Not a cursor, or one of a place where this log never was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this event log")]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Cursor, BadCursor> {
        let number = |digits: &str| -> Result<u64, BadCursor> {
            // `parse` would take a plus.
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(BadCursor);
            }
            digits.parse().map_err(|_| BadCursor)
        };
        let (epoch, offset) = text.split_once('.').ok_or(BadCursor)?;
        Ok(Cursor { epoch: number(epoch)?, offset: number(offset)? })
    }
}

/// One event that is delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivered {
    /// Who has read so far has read it.
    pub cursor: Cursor,
    /// The event.
    pub event: Rc<EventView>,
}

/// What a reader gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The events, in their order.
    pub events: Vec<Delivered>,
    /// Where to go on, or what to acknowledge.
    pub next: Cursor,
    /// There are more already.
    pub more: bool,
    /// How many events are not there any more that this reader had not read. For a cursor: those
    /// between it and `next`, of any kind, be they dropped or too old. For a subscription: those
    /// that it asked for and did not acknowledge before they were dropped from a full buffer, since
    /// it began.
    pub lost: u64,
    /// The cursor was of an earlier life of the bus, of which nothing is left.
    pub restarted: bool,
}

/// How the bus is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many events there is room for, of all projects together; 0 is taken as 1.
    pub capacity: usize,
    /// For how long an event is kept at most. A subscription that nobody used for so long is
    /// forgotten.
    pub retention: Duration,
    /// For how long an acknowledgement may be outstanding, before all that is not acknowledged is
    /// delivered again.
    pub redeliver_after: Duration,
    /// How many events are delivered at once at most; 0 is taken as 1.
    pub batch: usize,
}

impl Default for Settings {
    /// 10 000 events for 24 hours and batches of 100, as the sidecar has it (its channels hold so
    /// many). It knows no acknowledgements; 30 s is what it lets a reader wait.
    fn default() -> Settings {
        Settings {
            capacity: 10_000,
            retention: Duration::from_secs(24 * 60 * 60),
            redeliver_after: Duration::from_secs(30),
            batch: 100,
        }
    }
}
