//! Faults that are drawn from the seed, and what must hold once they are over.

use std::time::Duration;

use serde::Deserialize;

use super::Selector;
use crate::world::{Delay, Probability};

/// The `[chaos]` table: from it and a seed comes a plan of ordinary faults.
#[derive(Clone, Debug, PartialEq)]
pub struct Chaos {
    /// What may break, each kind once; every one has a target.
    pub kinds: Vec<ChaosKind>,
    /// The mean time between two faults of one kind; above zero.
    pub gap: Duration,
    /// How long a fault lasts.
    pub lasts: Delay,
    /// How many faults may be in force at once; at least 1.
    pub at_once: u32,
    /// Whether each run leaves about half of the kinds out.
    pub swarm: bool,
    /// The first instant at which a fault may fire, since the start.
    pub from: Duration,
    /// The instant at which the last fault has healed, since the start.
    pub until: Duration,
    /// What may be hit; `None` is every node but those that only watch.
    pub targets: Option<Vec<Selector>>,
    /// The fault points in the code; `None` leaves them alone.
    pub points: Option<Points>,
}

/// A kind of fault. Each has random streams of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChaosKind {
    /// Links: partitions, one-way ones, nodes cut off from all others, loss, latency, too little
    /// bandwidth, duplicates, reordering, damage.
    Network,
    /// A node loses its memory, and starts again.
    Crash,
    /// A node stands still.
    Pause,
    /// A disk is full, or lost together with the memory.
    Disk,
    /// A clock is off, or runs fast or slow.
    Clock,
    /// A provider of models has trouble, with one model or with all of them.
    Provider,
    /// A service has trouble.
    Service,
    /// The sidecar runs short of memory or of connections.
    Sidecar,
    /// Users of the sidecar do not find it by its name.
    Dns,
}

impl ChaosKind {
    /// Every kind. The order decides only between faults of the same instant.
    pub const ALL: [ChaosKind; 9] = [
        ChaosKind::Network,
        ChaosKind::Crash,
        ChaosKind::Pause,
        ChaosKind::Disk,
        ChaosKind::Clock,
        ChaosKind::Provider,
        ChaosKind::Service,
        ChaosKind::Sidecar,
        ChaosKind::Dns,
    ];

    /// As written in a sim.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ChaosKind::Network => "network",
            ChaosKind::Crash => "crash",
            ChaosKind::Pause => "pause",
            ChaosKind::Disk => "disk",
            ChaosKind::Clock => "clock",
            ChaosKind::Provider => "provider",
            ChaosKind::Service => "service",
            ChaosKind::Sidecar => "sidecar",
            ChaosKind::Dns => "dns",
        }
    }
}

/// How chaos uses the fault points in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Points {
    /// How likely a point is armed in a run.
    pub arm: Probability,
    /// How likely an armed point fires each time it is passed.
    pub rate: Probability,
}

/// When everything must work again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Healing {
    /// The instant at which every fault has healed, since the start.
    pub after: Duration,
    /// How long the stack may take from then on.
    pub within: Duration,
}

impl Healing {
    /// The instant from which on everything that is started must end well, since the start.
    #[must_use]
    pub fn bound(self) -> Duration {
        self.after.saturating_add(self.within)
    }
}
