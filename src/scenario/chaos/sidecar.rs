//! A sidecar that runs short, and users who do not find it.

use super::target::Targets;
use crate::scenario::model::FaultKind;
use crate::world::Stream;

/// The memory that is left, in bytes: from too little for any answer to enough for a small one.
const MEMORY: (u64, u64) = (1_000, 1_000_000);
/// How many requests it has in hand at once, at most: less than its users ask for together.
const CONNECTIONS: (u64, u64) = (1, 4);

pub(super) fn shortage(targets: &Targets<'_>, draws: &mut Stream) -> Option<Vec<FaultKind>> {
    if !targets.has_sidecar {
        return None;
    }
    let (kind, memory) = (draws.below(2), draws.between(MEMORY.0, MEMORY.1));
    let connections = u32::try_from(draws.between(CONNECTIONS.0, CONNECTIONS.1)).unwrap_or(1);
    Some(vec![match kind {
        0 => FaultKind::Sidecar { memory: Some(memory), connections: None },
        _ => FaultKind::Sidecar { memory: None, connections: Some(connections) },
    }])
}

pub(super) fn unresolved(targets: &Targets<'_>, draws: &mut Stream) -> Option<Vec<FaultKind>> {
    Some(vec![FaultKind::Dns { node: draws.pick(&targets.askers)?.some(draws) }])
}
