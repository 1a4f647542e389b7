//! The events of one project.

use std::{collections::BTreeMap, ops::Bound, rc::Rc};

use super::super::wire::{AgentId, EventView, Filter, RequestId};

/// An event that is kept.
pub(super) struct Entry {
    pub event: Rc<EventView>,
    /// What it counts as, in bytes of memory.
    pub bytes: u64,
    /// The request that brought it.
    pub request: Option<RequestId>,
}

/// The events, by their offset: the first was 1.
#[derive(Default)]
pub(super) struct Log {
    pub entries: BTreeMap<u64, Entry>,
    /// The offset of the latest there ever was.
    pub end: u64,
    /// Which event a request of a publisher brought.
    pub requests: BTreeMap<(AgentId, RequestId), u64>,
}

/// What was found in a part of a log.
pub(super) struct Scan {
    pub found: Vec<(u64, Rc<EventView>)>,
    /// Up to where it was read.
    pub to: u64,
    /// There is another one behind that.
    pub more: bool,
    /// How many events up to there are not there any more.
    pub missing: u64,
}

impl Log {
    /// Looks behind `after` for so many events that match.
    pub(super) fn scan(&self, after: u64, filter: &Filter, limit: usize) -> Scan {
        let mut scan = Scan { found: Vec::new(), to: self.end, more: false, missing: 0 };
        let mut seen = 0;
        for (&offset, entry) in self.entries.range((Bound::Excluded(after), Bound::Unbounded)) {
            if filter.matches(&entry.event) {
                if scan.found.len() == limit {
                    scan.more = true;
                    scan.to = scan.found.last().map_or(after, |(offset, _)| *offset);
                    break;
                }
                scan.found.push((offset, entry.event.clone()));
            }
            seen += 1;
        }
        if scan.more {
            let read = (Bound::Excluded(after), Bound::Included(scan.to));
            seen = self.entries.range(read).count() as u64;
        }
        scan.missing = (scan.to - after) - seen;
        scan
    }

    pub(super) fn remove(&mut self, offset: u64) -> Option<Entry> {
        let entry = self.entries.remove(&offset)?;
        if let Some(request) = &entry.request {
            self.requests.remove(&(entry.event.publisher.clone(), request.clone()));
        }
        Some(entry)
    }
}
