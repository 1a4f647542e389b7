//! Nodes that crash, stand still, lose their disk or their sense of time.

use super::target::Targets;
use crate::scenario::model::{FaultKind, Selector};
use crate::world::Stream;

/// How far a clock may be off, in milliseconds: ten minutes, more than any expiry in a stack forgives.
const SKEW_MAX_MS: u64 = 600_000;
/// How much too fast or too slow a clock may run, in parts per million: ten times what quartz does.
const DRIFT_MAX_PPM: u64 = 1_000;

fn any_node(targets: &Targets<'_>, draws: &mut Stream) -> Option<Selector> {
    Some(draws.pick(&targets.nodes)?.node(draws))
}

pub(super) fn crash(targets: &Targets<'_>, draws: &mut Stream) -> Option<Vec<FaultKind>> {
    Some(vec![FaultKind::Crash { node: any_node(targets, draws)? }])
}

pub(super) fn pause(targets: &Targets<'_>, draws: &mut Stream) -> Option<Vec<FaultKind>> {
    Some(vec![FaultKind::Pause { node: any_node(targets, draws)? }])
}

pub(super) fn disk(targets: &Targets<'_>, draws: &mut Stream) -> Option<Vec<FaultKind>> {
    let node = draws.pick(&targets.disks())?.node(draws);
    Some(match draws.below(2) {
        0 => vec![FaultKind::DiskFull { node }],
        // A disk is missed only by who has to read it again.
        _ => vec![FaultKind::DiskLost { node: node.clone() }, FaultKind::Crash { node }],
    })
}

pub(super) fn clock(targets: &Targets<'_>, draws: &mut Stream) -> Option<Vec<FaultKind>> {
    let node = any_node(targets, draws)?;
    let (kind, back) = (draws.below(2), draws.below(2) == 0);
    let (skew, drift) = (draws.between(100, SKEW_MAX_MS), draws.between(10, DRIFT_MAX_PPM));
    let signed = |size: u64| i64::try_from(size).map_or(0, |size| if back { -size } else { size });
    let skew_ns = if kind == 0 { signed(skew).saturating_mul(1_000_000) } else { 0 };
    let drift_ppm = if kind == 0 { 0 } else { i32::try_from(signed(drift)).unwrap_or(0) };
    Some(vec![FaultKind::Clock { node, skew_ns, drift_ppm }])
}
