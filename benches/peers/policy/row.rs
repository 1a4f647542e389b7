//! A row of the table: what a policy does, what it may cost, and who does the same.

use std::hint::black_box;

use seedbed::world::Time;

/// Does the same thing so many times.
pub(crate) type Run = Box<dyn FnMut(u64)>;

/// A crate that does the same.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) run: Run,
}

pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) ours: Run,
    pub(crate) peer: Option<Peer>,
    /// In nanoseconds a call.
    pub(crate) limit: Option<u32>,
}

impl Row {
    pub(crate) fn new(name: impl Into<String>, ours: Run) -> Row {
        Row { name: name.into(), ours, peer: None, limit: None }
    }

    pub(crate) fn within(self, limit: u32) -> Row {
        Row { limit: Some(limit), ..self }
    }

    pub(crate) fn beside(self, name: &'static str, run: Run) -> Row {
        Row { peer: Some(Peer { name, run }), ..self }
    }
}

/// Calls this with 1, 2, 3 and so on, and keeps what it returns from being optimised away.
pub(crate) fn times<T>(mut once: impl FnMut(u64) -> T + 'static) -> Run {
    let mut number = 0;
    Box::new(move |calls| {
        for _ in 0..calls {
            number += 1;
            black_box(once(black_box(number)));
        }
    })
}

/// So many milliseconds after the beginning.
pub(crate) fn at(millis: u64) -> Time {
    Time::from_nanos(millis * 1_000_000)
}
