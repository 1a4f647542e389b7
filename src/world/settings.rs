//! The settings of a world: limits, and the order of simultaneous events.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use super::{NodeId, Seed, hash};

/// What ends a runaway world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Virtual time. Reaching it is an ordinary end.
    pub time: Duration,
    /// Events in the history. Passing it fails the run.
    pub events: u64,
    /// Events at one instant, and one more for each node. Passing it fails the run.
    pub same_instant: u64,
}

impl Default for Limits {
    /// One hour, ten million events, a hundred thousand at one instant.
    fn default() -> Limits {
        Limits { time: Duration::from_secs(3600), events: 10_000_000, same_instant: 100_000 }
    }
}

/// Which of several simultaneous events happens first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// The one that was scheduled first.
    #[default]
    Fifo,
    /// Any, by the seed.
    Random,
    /// Probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010): nodes have random
    /// priorities, and at `depth - 1` random points of the history the node whose turn it is falls
    /// behind all others. It finds a bug that needs `depth` ordering constraints with a
    /// probability that has a lower bound.
    Pct {
        /// The number of ordering constraints to look for; at least 1.
        depth: u32,
    },
}

/// Change points of [`Schedule::Pct`] fall within this many events.
const PCT_EVENTS: u64 = 10_000;

/// Breaks ties among simultaneous events.
pub(crate) struct TieBreaker {
    schedule: Schedule,
    key: u64,
    /// When the next changes of priority are due, in events, the nearest last.
    change_points: RefCell<Vec<u64>>,
    /// The nodes that fell behind, and how far.
    demoted: RefCell<BTreeMap<NodeId, u64>>,
}

impl TieBreaker {
    pub(crate) fn new(schedule: Schedule, seed: Seed) -> TieBreaker {
        let mut change_points = Vec::new();
        if let Schedule::Pct { depth } = schedule {
            let mut stream = seed.stream("schedule/pct");
            change_points = (1..depth.min(1_000)).map(|_| stream.below(PCT_EVENTS)).collect();
            change_points.sort_unstable_by(|a, b| b.cmp(a));
        }
        TieBreaker {
            schedule,
            key: hash::mix(hash::name_hash("schedule"), seed.0),
            change_points: RefCell::new(change_points),
            demoted: RefCell::default(),
        }
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.schedule == Schedule::Fifo
    }

    /// The tie-break of the `count`-th event for a node, `events` into the history.
    pub(crate) fn tie(&self, node: NodeId, name_hash: u64, count: u64, events: u64) -> u64 {
        match self.schedule {
            Schedule::Fifo => 0,
            Schedule::Random => hash::mix(hash::mix(self.key, name_hash), count),
            Schedule::Pct { .. } => {
                let mut points = self.change_points.borrow_mut();
                let mut demoted = self.demoted.borrow_mut();
                if points.last().is_some_and(|&point| point <= events) {
                    points.pop();
                    // Ties count in their 24 high bits.
                    let behind = u64::MAX - ((points.len() as u64) << 40);
                    demoted.insert(node, behind);
                }
                demoted.get(&node).copied().unwrap_or_else(|| hash::mix(self.key, name_hash) >> 1)
            }
        }
    }
}
