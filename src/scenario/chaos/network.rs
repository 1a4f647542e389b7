//! Links that break or get worse. One end of every broken link carries requests to the other.

use std::time::Duration;

use super::target::Targets;
use super::{percent, slow};
use crate::scenario::model::{FaultKind, Partition};
use crate::world::{LinkPatch, Stream};

pub(super) fn draw(targets: &Targets<'_>, draws: &mut Stream) -> Option<Vec<FaultKind>> {
    let (near, far) = draws.pick(&targets.links)?;
    let (one, other) = (near.some(draws), far.some(draws));
    let (from, to) = if draws.below(2) == 0 { (one, other) } else { (other, one) };
    let both = draws.below(2) == 0;
    let link = |patch| FaultKind::Link { from: from.clone(), to: to.clone(), both, patch };
    let none = LinkPatch::default();
    Some(vec![match draws.below(7) {
        0 => FaultKind::Partition(Partition::Between(from, to)),
        1 => FaultKind::Partition(Partition::OneWay { from, to }),
        2 => link(LinkPatch { loss: Some(percent(draws, 5, 50)), ..none }),
        3 => link(LinkPatch { latency: Some(slow(draws, 50, 2_000)), ..none }),
        4 => link(LinkPatch { duplicate: Some(percent(draws, 5, 50)), ..none }),
        5 => {
            // Without a spread of delays nothing could overtake anything.
            let spread = crate::world::Delay::Uniform {
                min: Duration::from_millis(1),
                max: super::millis(draws, 50, 500),
            };
            let reorder = Some(percent(draws, 10, 80));
            link(LinkPatch { latency: Some(spread), reorder, ..none })
        }
        _ => link(LinkPatch { corrupt: Some(percent(draws, 1, 30)), ..none }),
    }])
}
