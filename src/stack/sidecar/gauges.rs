//! What the actors of one sidecar count together, so that each knows how much the others hold.
//!
//! It must never be shared by two nodes, nor outlive a crash.

use std::cell::Cell;

/// Counts of one life of one sidecar.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    /// Bytes of requests in hand.
    pub requests: Cell<u64>,
    /// Bytes of cached contexts.
    pub contexts: Cell<u64>,
    /// Bytes of kept events.
    pub events: Cell<u64>,
    /// How many events are kept.
    pub queued: Cell<u64>,
    /// The last write failed.
    pub is_disk_full: Cell<bool>,
}

impl Gauges {
    /// All bytes together.
    pub(super) fn bytes(&self) -> u64 {
        let held = self.contexts.get().saturating_add(self.events.get());
        self.requests.get().saturating_add(held)
    }
}
