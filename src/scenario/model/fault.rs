//! What breaks, when, and for how long.

use std::time::Duration;

use super::{ErrorMix, RetryAfter, Selector, ServiceFault};
use crate::world::{Delay, LinkPatch, Probability};

/// A planned fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// When it fires, since the start.
    pub at: Duration,
    /// After how long it heals; `None` is never.
    pub r#for: Option<Duration>,
    /// What breaks.
    pub kind: FaultKind,
}

/// What breaks.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// Messages between nodes are silently lost.
    Partition(Partition),
    /// Nodes lose their memory; they restart when the fault heals.
    Crash {
        /// Which.
        node: Selector,
    },
    /// Nodes stand still, as in a long collection of garbage.
    Pause {
        /// Which.
        node: Selector,
    },
    /// The clocks of nodes go wrong.
    Clock {
        /// Which.
        node: Selector,
        /// By how many nanoseconds they jump ahead, or back when negative.
        skew_ns: i64,
        /// By how many nanoseconds they gain in a millisecond, or lose when negative.
        drift_ppm: i32,
    },
    /// Nothing more can be written to a node's disk.
    DiskFull {
        /// Which.
        node: Selector,
    },
    /// A node's disk is lost with all that is on it.
    DiskLost {
        /// Which.
        node: Selector,
    },
    /// Links get worse.
    Link {
        /// The nodes that send.
        from: Selector,
        /// The nodes that receive.
        to: Selector,
        /// Whether it is the same in the other direction.
        both: bool,
        /// What differs; never empty.
        patch: LinkPatch,
    },
    /// A provider has an outage; at least one of the four is set.
    Backend {
        /// The backend.
        name: String,
        /// Its errors during the outage, in place of its own.
        errors: Option<ErrorMix>,
        /// Its Retry-After during the outage.
        retry_after: Option<RetryAfter>,
        /// Whether its Retry-After says when the outage ends, in place of the one above.
        tells_end: bool,
        /// Its time to the first token during the outage.
        first_token: Option<Delay>,
    },
    /// A service has trouble.
    Service(ServiceFault),
    /// The sidecar has less of something; at least one of the two is set.
    Sidecar {
        /// Bytes of memory, in place of its own limit.
        memory: Option<u64>,
        /// Requests in hand at once, in place of its own limit.
        connections: Option<u32>,
    },
    /// Nodes do not find the sidecar by its name.
    Dns {
        /// Which.
        node: Selector,
    },
    /// A fault point in the code of the stack is armed.
    Point {
        /// Its name, one of `stack::FAULT_POINTS`.
        site: String,
        /// How likely it fires each time it is passed.
        rate: Probability,
    },
}

impl FaultKind {
    /// The key by which a sim writes it.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            FaultKind::Partition(_) => "partition",
            FaultKind::Crash { .. } => "crash",
            FaultKind::Pause { .. } => "pause",
            FaultKind::Clock { .. } => "clock",
            FaultKind::DiskFull { .. } => "disk_full",
            FaultKind::DiskLost { .. } => "disk_lost",
            FaultKind::Link { .. } => "link",
            FaultKind::Backend { .. } => "backend",
            FaultKind::Service(_) => "service",
            FaultKind::Sidecar { .. } => "sidecar",
            FaultKind::Dns { .. } => "dns",
            FaultKind::Point { .. } => "point",
        }
    }
}

/// Which messages a partition loses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Partition {
    /// All between the two, in both directions.
    Between(Selector, Selector),
    /// Those from one to the other only.
    OneWay {
        /// The nodes that are not heard.
        from: Selector,
        /// The nodes that do not hear them.
        to: Selector,
    },
    /// All between these nodes and all others.
    Isolate(Selector),
}
