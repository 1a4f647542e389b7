//! Links that break or get worse. One end of every broken link carries requests to the other.

use std::time::Duration;

use super::target::Targets;
use super::{percent, slow};
use crate::scenario::model::{FaultKind, Partition};
use crate::world::{LinkPatch, Stream};

/// The least and most bytes per second that are left of a link: from less than any request takes
/// to what an answer takes seconds for.
const BANDWIDTH: (u64, u64) = (500, 50_000);

/// `forms` decides between two forms of one trouble, and moves nothing in the other stream.
pub(super) fn draw(
    targets: &Targets<'_>,
    draws: &mut Stream,
    forms: &mut Stream,
) -> Option<Vec<FaultKind>> {
    let (near, far) = draws.pick(&targets.links)?;
    let (one, other) = (near.some(draws), far.some(draws));
    // Who is cut off from all others is a target itself; the other end of its links need not be.
    let mut ends = [(near, &one), (far, &other)];
    if forms.below(2) == 0 {
        ends.reverse();
    }
    let alone = ends.into_iter().find(|(end, _)| targets.hits(end)).map_or(&one, |(_, it)| it);
    let alone = alone.clone();
    let (from, to) = if draws.below(2) == 0 { (one, other) } else { (other, one) };
    let both = draws.below(2) == 0;
    let link = |patch| FaultKind::Link { from: from.clone(), to: to.clone(), both, patch };
    let none = LinkPatch::default();
    let (is_other, bandwidth) = (forms.below(2) == 0, forms.between(BANDWIDTH.0, BANDWIDTH.1));
    Some(vec![match draws.below(7) {
        0 if is_other => FaultKind::Partition(Partition::Isolate(alone)),
        0 => FaultKind::Partition(Partition::Between(from, to)),
        1 => FaultKind::Partition(Partition::OneWay { from, to }),
        2 => link(LinkPatch { loss: Some(percent(draws, 5, 50)), ..none }),
        3 if is_other => link(LinkPatch { bandwidth: Some(bandwidth), ..none }),
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
