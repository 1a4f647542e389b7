//! Which day it is for a workspace: by its time zone, and not by what a router says.
//!
//! A router whose clock is bent has days of its own; then those that it tells of are all there are.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use jiff::{Timestamp, civil::Date};

use crate::{
    policy::quota::Zone,
    scenario::{FaultKind, Sim},
    world::Time,
};

/// Whether the clock of the router runs as the world's does.
pub(super) fn clock_is_right(sim: &Sim) -> bool {
    let bent = |kind: &FaultKind| match kind {
        FaultKind::Clock { node, .. } => sim.select(node).iter().any(|node| node == "router"),
        _ => false,
    };
    !sim.faults.iter().any(|fault| bent(&fault.kind))
}

/// One day of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Day {
    /// By the zone.
    Of(Date),
    /// After so many that the router told of.
    After(u64),
}

/// The days of all workspaces that have a quota.
pub(super) struct Days {
    start: Timestamp,
    clock_is_right: bool,
    zones: BTreeMap<String, Zone>,
    told: BTreeMap<Rc<str>, u64>,
}

impl Days {
    pub(super) fn new(sim: &Sim) -> Days {
        let zone = |it: &crate::scenario::Workspace| {
            Some((it.name.clone(), it.quota.as_ref()?.zone.clone()))
        };
        Days {
            start: sim.start,
            clock_is_right: clock_is_right(sim),
            zones: sim.workspaces.iter().filter_map(zone).collect(),
            told: BTreeMap::new(),
        }
    }

    /// Whether no workspace has a quota.
    pub(super) fn is_empty(&self) -> bool {
        self.zones.is_empty()
    }

    /// The zone of a workspace that has a quota.
    pub(super) fn zone(&self, workspace: &str) -> Option<&Zone> {
        self.zones.get(workspace)
    }

    /// The router says that a day of a workspace is over.
    pub(super) fn reset(&mut self, workspace: &Rc<str>) {
        *self.told.entry(Rc::clone(workspace)).or_default() += 1;
    }

    /// The day of a workspace at an instant.
    pub(super) fn day(&self, workspace: &str, at: Time) -> Day {
        let date = self.zones.get(workspace).filter(|_| self.clock_is_right);
        match date.and_then(|zone| Some(zone.date(self.utc(at)?))) {
            Some(date) => Day::Of(date),
            None => Day::After(self.told.get(workspace).copied().unwrap_or(0)),
        }
    }

    fn utc(&self, at: Time) -> Option<Timestamp> {
        self.start.checked_add(Duration::from_nanos(at.as_nanos())).ok()
    }
}
