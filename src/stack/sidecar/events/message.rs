//! What is asked of the bus, and what it answers.

use std::rc::Rc;

use super::{
    super::wire::{EventView, Filter, ProjectId},
    BadCursor, Batch, Cursor,
};

/// Who reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Somebody who remembers how far it came.
    Cursor {
        /// Behind this place, or from the oldest event on that is kept.
        since: Option<Cursor>,
        /// What it wants.
        filter: Filter,
    },
    /// The subscriber of this name.
    Subscription(String),
}

/// A reader asks for events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Of which project.
    pub project: ProjectId,
    /// Who.
    pub reader: Reader,
    /// How many at most; 0 is taken as 1, and more than a batch as that.
    pub limit: usize,
}

/// What becomes of a reader.
#[derive(Clone, Debug, PartialEq)]
pub enum Wait {
    /// It is answered.
    Ready(Batch),
    /// It has to wait, under its ticket.
    Parked {
        /// The ticket of one who waited for the same subscription until now. Nobody will call it:
        /// a subscriber that asks anew has given up its earlier connection.
        instead_of: Option<u64>,
    },
}

/// Why nobody can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// The cursor is of a place where the log never was.
    #[error(transparent)]
    Cursor(#[from] BadCursor),
    /// Nobody of that name subscribed, in this life of the bus.
    #[error("there is no such subscription")]
    Unknown,
}

/// A ticket is up.
#[derive(Clone, Debug, PartialEq)]
pub struct Woken {
    /// Which.
    pub ticket: u64,
    /// Its answer.
    pub batch: Batch,
}

/// An event was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// As it is kept.
    pub event: Rc<EventView>,
    /// Its place.
    pub cursor: Cursor,
    /// The same request brought it before; nobody was told again.
    pub repeated: bool,
    /// The subscriptions that will get it.
    pub notified: Vec<String>,
    /// Who waited for it.
    pub woken: Vec<Woken>,
    /// The older events that had to go.
    pub dropped: Vec<Rc<EventView>>,
}

/// A subscriber is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// Where it goes on.
    pub at: Cursor,
    /// It was known before.
    pub resumed: bool,
    /// Its cursor was of an earlier life of the bus.
    pub restarted: bool,
    /// The tickets of who waited for it until now. Nobody will call them.
    pub displaced: Vec<u64>,
}
