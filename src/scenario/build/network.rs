//! Delays, links and the selectors that name nodes.

use std::time::Duration;

use miette::SourceSpan;

use super::Builder;
use crate::scenario::field::{At, Field, ScalarOr};
use crate::scenario::model::{Link, Selector, Sim};
use crate::scenario::names::nearest;
use crate::scenario::raw::{RawDelay, RawDistribution, RawLink, RawLinkProperties};
use crate::scenario::units::quoted;
use crate::world::{Delay, LinkPatch};

const EMPIRICAL_MAX: usize = 10_000;

impl Builder {
    pub(super) fn delay(&mut self, raw: Option<At<RawDelay>>, default: Delay) -> Delay {
        self.optional_delay(raw).unwrap_or(default)
    }

    pub(super) fn optional_delay(&mut self, raw: Option<At<RawDelay>>) -> Option<Delay> {
        let At { value, span } = raw?;
        match value {
            ScalarOr::Scalar(value) => self.value(At { value, span }).map(Delay::Fixed),
            ScalarOr::Table(table) => self.distribution(table, span),
        }
    }

    fn distribution(&mut self, raw: RawDistribution, span: SourceSpan) -> Option<Delay> {
        let help = "write one of { uniform = [\"1ms\", \"5ms\"] }, \
                    { lognormal = { p50 = \"400ms\", p99 = \"3s\" } }, { empirical = [\"1ms\", …] }";
        match (raw.uniform, raw.lognormal, raw.empirical) {
            (Some(uniform), None, None) => {
                let (min, max) = self.range(uniform, help)?;
                Some(Delay::Uniform { min, max })
            }
            (None, Some(raw), None) => {
                let (p50_span, p99_span) = (raw.p50.span, raw.p99.span);
                let (p50, p99) = (self.value(raw.p50), self.value(raw.p99));
                let (p50, p99) = (p50?, p99?);
                if p50.is_zero() {
                    self.error(p50_span, "zero", "the median cannot be zero", "write a longer one");
                    return None;
                }
                if p50 > p99 {
                    let message = "the 99th percentile is below the median";
                    self.error(p99_span, "too short", message, "make p99 at least p50");
                    return None;
                }
                Some(Delay::LogNormal { p50, p99 })
            }
            (None, None, Some(values)) => {
                let count = values.value.len();
                if count == 0 || count > EMPIRICAL_MAX {
                    let message =
                        format!("a delay has 1 to {EMPIRICAL_MAX} measured values, found {count}");
                    self.error(values.span, "", &message, help);
                    return None;
                }
                let read: Vec<Duration> =
                    values.value.into_iter().filter_map(|value| self.value(value)).collect();
                (read.len() == count).then_some(Delay::Empirical(read))
            }
            _ => {
                self.error(span, "", "a distribution is of exactly one kind", help);
                None
            }
        }
    }

    /// A `[min, max]` in order.
    pub(super) fn range<T: PartialOrd + Copy>(
        &mut self,
        raw: At<Vec<Field<T>>>,
        help: &str,
    ) -> Option<(T, T)> {
        let span = raw.span;
        let Ok([min, max]) = <[Field<T>; 2]>::try_from(raw.value) else {
            self.error(span, "", "a range is a list of two: the least and the most", help);
            return None;
        };
        let (min, max) = (self.value(min), self.value(max));
        let (min, max) = (min?, max?);
        if min > max {
            self.error(span, "", "the range is empty: its first is above its second", help);
            return None;
        }
        Some((min, max))
    }

    pub(super) fn overrides(&mut self, raw: RawLinkProperties) -> LinkPatch {
        LinkPatch {
            latency: self.optional_delay(raw.latency),
            loss: self.optional(raw.loss),
            duplicate: self.optional(raw.duplicate),
            reorder: self.optional(raw.reorder),
            corrupt: self.optional(raw.corrupt),
            bandwidth: self.optional(raw.bandwidth).map(|bandwidth| bandwidth.0),
        }
    }

    /// A link, as written at `span`.
    pub(super) fn link(&mut self, sim: &Sim, raw: RawLink, span: SourceSpan) -> Link {
        let (from, to) = self.sides(sim, raw.from, raw.to);
        let noted = self.problems.len();
        let patch = self.overrides(RawLinkProperties {
            latency: raw.latency,
            loss: raw.loss,
            duplicate: raw.duplicate,
            reorder: raw.reorder,
            corrupt: raw.corrupt,
            bandwidth: raw.bandwidth,
        });
        if patch.is_empty() && self.problems.len() == noted {
            self.no_overrides(span);
        }
        Link { from, to, both: raw.both.unwrap_or(true), patch }
    }

    pub(super) fn no_overrides(&mut self, span: SourceSpan) {
        self.error(
            span,
            "this link",
            "the link is as any other",
            "set latency, loss, duplicate, reorder, corrupt or bandwidth, or remove it",
        );
    }

    /// Two selectors that must not be the same.
    pub(super) fn sides(
        &mut self,
        sim: &Sim,
        from: At<String>,
        to: At<String>,
    ) -> (Selector, Selector) {
        // A group has links among its own members; a single node has none to itself.
        if from.value == to.value && sim.select(&Selector::new(&*from.value)).len() == 1 {
            let message = format!("{} is on both sides", quoted(&from.value));
            self.error(to.span, "the same node", &message, "name two different nodes");
        }
        (self.selector(sim, from), self.selector(sim, to))
    }

    pub(super) fn selector(&mut self, sim: &Sim, raw: At<String>) -> Selector {
        if !sim.selects_any(&raw.value) && !self.is_full() {
            let near = nearest(raw.value.trim_end_matches('*'), sim.selectable());
            let help = match near {
                _ if raw.value == "sidecar" => "add a [sidecar] table, or name another node".into(),
                Some(near) => format!("did you mean \"{near}\"? {}", listed(sim)),
                None => listed(sim),
            };
            let message = format!("no node is called {}", quoted(&raw.value));
            self.error(raw.span, "unknown node", &message, &help);
        }
        Selector::new(raw.value)
    }
}

/// The first of the names a selector may use.
fn listed(sim: &Sim) -> String {
    let mut names: Vec<&str> = sim.selectable().take(13).collect();
    if names.len() > 12 {
        names[12] = "…";
    }
    format!("nodes are: {}", names.join(", "))
}
