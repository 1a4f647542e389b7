//! What faults leave the sidecar of its memory and of its connections.
//!
//! It says what the limits are, and must never refuse anything itself.

use std::{cell::RefCell, rc::Rc};

use crate::stack::settings::Sidecar;

/// A shortage: what is left while it lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shortage {
    /// Bytes of memory, in place of the limit.
    pub memory: Option<u64>,
    /// Requests in hand at once, in place of the limit.
    pub connections: Option<u32>,
}

/// The shortages that there are, each with the number of its fault, the latest last. They belong
/// to the machine, not to the process, so a restart does not end them.
#[derive(Clone, Debug, Default)]
pub struct Pressure(Rc<RefCell<Vec<(usize, Shortage)>>>);

impl Pressure {
    /// The shortage of this fault begins; one of the same fault before it is over.
    pub fn begin(&self, fault: usize, shortage: Shortage) {
        self.end(fault);
        self.0.borrow_mut().push((fault, shortage));
    }

    /// The shortage of this fault is over.
    pub fn end(&self, fault: usize) {
        self.0.borrow_mut().retain(|(other, _)| *other != fault);
    }

    /// Bytes of memory that there are now.
    pub fn memory(&self, settings: &Sidecar) -> u64 {
        let shortages = self.0.borrow();
        let latest = shortages.iter().rev().find_map(|(_, shortage)| shortage.memory);
        latest.unwrap_or(settings.memory)
    }

    /// Requests that may be in hand now.
    pub fn connections(&self, settings: &Sidecar) -> u32 {
        let shortages = self.0.borrow();
        let latest = shortages.iter().rev().find_map(|(_, shortage)| shortage.connections);
        latest.unwrap_or(settings.connections)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_shortage_counts_until_it_is_over() {
        let (settings, pressure) = (Sidecar::default(), Pressure::default());
        let now = || (pressure.memory(&settings), pressure.connections(&settings));
        assert_eq!(now(), (settings.memory, settings.connections));
        pressure.begin(0, Shortage { memory: Some(7), connections: None });
        pressure.begin(1, Shortage { memory: Some(5), connections: Some(2) });
        assert_eq!(now(), (5, 2));
        pressure.end(1);
        assert_eq!(now(), (7, settings.connections));
        pressure.begin(0, Shortage { memory: Some(9), connections: None });
        assert_eq!(now().0, 9);
        pressure.end(0);
        assert_eq!(now(), (settings.memory, settings.connections));
    }
}
