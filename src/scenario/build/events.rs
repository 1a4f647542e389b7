//! Faults, expectations and checks: everything that names nodes, metrics or events.

use std::time::Duration;

use miette::SourceSpan;

use super::Builder;
use crate::scenario::field::{At, Field, Read, Scalar, ScalarOr};
use crate::scenario::model::{
    Baseline, Bound, Bounds, CheckOff, Checks, EventMatch, Expectation, Fault, FaultKind,
    FieldValue, Link, Partition, Sim, Window,
};
use crate::scenario::raw::{
    RawChecks, RawClock, RawEventMatch, RawExpect, RawFault, RawFieldMatch, RawPartition, RawWithin,
};
use crate::scenario::span::Spanned;
use crate::scenario::units::{PPM, UnitError, parse_duration, parse_ratio, quoted};
use crate::scenario::values::{BoundValue, SignedNanos};
use crate::scenario::vocabulary::{EVENTS, METRICS, MetricUnit, metric};
use crate::world::Probability;

pub(in crate::scenario) const KINDS: &str = "partition, crash, pause, clock, disk_full, disk_lost, link, backend, service, \
                     sidecar, dns, point";

impl Builder {
    pub(super) fn fault(
        &mut self,
        sim: &Sim,
        At { value: raw, span }: At<RawFault>,
    ) -> Option<Fault> {
        let at_span = raw.at.span;
        let at = self.value(raw.at);
        let r#for = raw.r#for.map(|raw| self.positive(Some(raw), sim.limits.time));
        if at.is_some_and(|at| at >= sim.limits.time) {
            let message = "the fault can never fire: the run ends before";
            self.error(at_span, "too late", message, "fire it earlier, or raise limits.time");
        }
        let mut kinds = Vec::new();
        if let Some(raw) = raw.partition {
            kinds.push(self.partition(sim, raw).map(FaultKind::Partition));
        }
        if let Some(raw) = raw.crash {
            kinds.push(Some(FaultKind::Crash { node: self.selector(sim, raw.node) }));
        }
        if let Some(raw) = raw.pause {
            kinds.push(Some(FaultKind::Pause { node: self.selector(sim, raw.node) }));
        }
        if let Some(raw) = raw.clock {
            kinds.push(self.clock(sim, raw));
        }
        if let Some(raw) = raw.disk_full {
            kinds.push(Some(FaultKind::DiskFull { node: self.selector(sim, raw.node) }));
        }
        if let Some(raw) = raw.disk_lost {
            kinds.push(Some(FaultKind::DiskLost { node: self.selector(sim, raw.node) }));
        }
        if let Some(raw) = raw.link {
            // Written as a [[link]] is, and read as one.
            let Link { from, to, both, patch } = self.link(sim, raw.value, raw.span);
            kinds.push(Some(FaultKind::Link { from, to, both, patch }));
        }
        if let Some(raw) = raw.backend {
            kinds.push(Some(self.backend_fault(sim, raw, r#for.is_some())));
        }
        if let Some(raw) = raw.service {
            kinds.push(Some(self.service_fault(sim, raw)));
        }
        if let Some(raw) = raw.sidecar {
            kinds.push(Some(self.sidecar_fault(sim, raw)));
        }
        if let Some(raw) = raw.dns {
            self.needs_sidecar(sim, Some(raw.node.span), "this fault");
            kinds.push(Some(FaultKind::Dns { node: self.selector(sim, raw.node) }));
        }
        if let Some(raw) = raw.point {
            kinds.push(Some(self.fault_point(raw)));
        }
        if kinds.len() != 1 {
            let message = format!("a fault is of exactly one kind, found {}", kinds.len());
            self.error(span, "this fault", &message, &format!("set one of {KINDS}"));
        }
        Some(Fault { at: at?, r#for, kind: kinds.pop()?? })
    }

    fn partition(
        &mut self,
        sim: &Sim,
        At { value: raw, span }: At<RawPartition>,
    ) -> Option<Partition> {
        let help = "write { between = [\"a\", \"b\"] }, { from = \"a\", to = \"b\" } or \
                    { isolate = \"a\" }";
        match (raw.between, raw.from, raw.to, raw.isolate) {
            (Some(between), None, None, None) => {
                let span = between.span;
                let Ok([one, other]) = <[At<String>; 2]>::try_from(between.value) else {
                    self.error(span, "", "a partition is between two", help);
                    return None;
                };
                let (one, other) = self.sides(sim, one, other);
                Some(Partition::Between(one, other))
            }
            (None, Some(from), Some(to), None) => {
                let (from, to) = self.sides(sim, from, to);
                Some(Partition::OneWay { from, to })
            }
            (None, None, None, Some(node)) => Some(Partition::Isolate(self.selector(sim, node))),
            _ => {
                self.error(span, "", "a partition has one shape", help);
                None
            }
        }
    }

    fn clock(&mut self, sim: &Sim, At { value: raw, span }: At<RawClock>) -> Option<FaultKind> {
        let node = self.selector(sim, raw.node);
        if raw.skew.is_none() && raw.drift_ppm.is_none() {
            let message = "the clock stays right";
            self.error(span, "", message, "set skew = \"-30s\" or drift_ppm = 100");
        }
        let drift_ppm = raw.drift_ppm.map_or(0, |drift| {
            if drift.value.unsigned_abs() >= 1_000_000 {
                let message =
                    format!("a clock drifts by less than 1000000 ppm, found {}", drift.value);
                self.error(drift.span, "", &message, "write a smaller drift");
            }
            drift.value
        });
        let SignedNanos(skew_ns) = self.read(raw.skew, SignedNanos(0));
        Some(FaultKind::Clock { node, skew_ns, drift_ppm })
    }

    pub(super) fn expectation(
        &mut self,
        sim: &Sim,
        At { value: raw, span }: At<RawExpect>,
    ) -> Option<Expectation> {
        let windowed = raw.from.is_some() || raw.until.is_some();
        let filters = raw.r#where.is_some() || raw.node.is_some() || windowed;
        let baseline = (raw.baseline, raw.margin);
        let of_baseline = baseline.0.as_ref().map(|field| field.span);
        let of_baseline = of_baseline.or(baseline.1.as_ref().map(|field| field.span));
        if let Some(span) = of_baseline.filter(|_| raw.metric.is_none()) {
            let message = "baseline and margin belong to a metric";
            self.error(span, "not of a metric", message, "remove them, or name a metric");
        }
        let bounds = (raw.at_least, raw.at_most, raw.equals);
        match (raw.metric, raw.event, raw.order) {
            (Some(metric), None, None) => {
                if filters {
                    let message = "where, node, from and until belong to an event";
                    self.error(span, "this expectation", message, "remove them, or name an event");
                }
                self.needs_table(sim, &metric);
                self.metric_expectation(metric, bounds, baseline)
            }
            (None, Some(event), None) => {
                let (from, until) = (raw.from, raw.until);
                let raw = RawEventMatch { event, r#where: raw.r#where, node: raw.node };
                let event = self.event_match(sim, raw);
                let window = self.window(sim, from, until);
                let mut bounds = self.bounds(bounds, (0, None), count_bound)?;
                if bounds.is_empty() {
                    bounds.at_least = Some(1);
                }
                Some(Expectation::Event { event, window, bounds })
            }
            (None, None, Some(order)) => {
                if filters || bounds.0.is_some() || bounds.1.is_some() || bounds.2.is_some() {
                    let message = "an order has no bounds, where, node, from or until of its own";
                    let help = "put where and node into first and then";
                    self.error(span, "this expectation", message, help);
                }
                let first = self.event_match(sim, order.first);
                let then = self.event_match(sim, order.then);
                Some(Expectation::Order { first, then })
            }
            _ => {
                let help = "set exactly one of metric, event and order";
                self.error(span, "this expectation", "an expectation is about one thing", help);
                None
            }
        }
    }

    fn window(
        &mut self,
        sim: &Sim,
        from: Option<Field<Duration>>,
        until: Option<Field<Duration>>,
    ) -> Window {
        let (from_span, until_span) =
            (from.as_ref().map(|it| it.span), until.as_ref().map(|it| it.span));
        let window = Window { from: self.read(from, Duration::ZERO), until: self.optional(until) };
        if let Some(span) = from_span.filter(|_| window.from >= sim.limits.time) {
            let message = "no event can be in this window: the run ends before";
            self.error(span, "too late", message, "begin it earlier, or raise limits.time");
        }
        if let Some(span) = until_span.filter(|_| window.until.is_some_and(|it| it <= window.from))
        {
            let message = "no event can be in this window: it ends before it begins";
            let help = "make until later than from; until itself is no longer part of the window";
            self.error(span, "not after from", message, help);
        }
        window
    }

    /// What a field must be; `None` if that is wrong.
    fn field_match(&mut self, At { value, span }: RawFieldMatch) -> Option<FieldValue> {
        match value {
            ScalarOr::Scalar(value) => self.value(At { value, span }),
            ScalarOr::Table(RawWithin { at_least: None, at_most: None }) => {
                let message = "the field may be anything";
                self.error(span, "no limit", message, "set at_least or at_most, or write a value");
                None
            }
            ScalarOr::Table(RawWithin { at_least, at_most }) => {
                if matches!((at_least, at_most), (Some(least), Some(most)) if least > most) {
                    let help = "make at_most at least at_least";
                    self.error(span, "", "no value is within these limits", help);
                }
                Some(FieldValue::Within { at_least, at_most })
            }
        }
    }

    fn metric_expectation(
        &mut self,
        name: At<String>,
        raw: RawBounds,
        (baseline, margin): (Option<Field<BoundValue>>, Option<Field<Probability>>),
    ) -> Option<Expectation> {
        let Some(metric) = metric(&name.value) else {
            let names = METRICS.iter().map(|metric| metric.name);
            let message = format!("no metric is called {}", quoted(&name.value));
            self.unknown(name.span, "unknown metric", &message, &name.value, names);
            return None;
        };
        let read = |scalar: &Scalar| match metric.unit {
            MetricUnit::Count => count_bound(scalar).map(Bound::Count),
            MetricUnit::Ratio => ratio_bound(scalar),
            MetricUnit::Duration => duration_bound(scalar),
            MetricUnit::Factor => factor_bound(scalar),
        };
        let range = match metric.unit {
            MetricUnit::Count => (Bound::Count(0), None),
            MetricUnit::Ratio => (Bound::Ratio(0), Some(Bound::Ratio(PPM.into()))),
            MetricUnit::Duration => (Bound::Duration(Duration::ZERO), None),
            MetricUnit::Factor => (Bound::Factor(0), None),
        };
        let mut bounds = self.bounds(raw, range, read)?;
        let margin_span = margin.as_ref().map(|field| field.span);
        if let Some(span) = margin_span.filter(|_| baseline.is_none()) {
            let help = "add baseline = what was recorded, or remove the margin";
            self.error(span, "of nothing", "there is no baseline", help);
        }
        let mut recorded = None;
        if let Some(At { value, span }) = baseline {
            if !bounds.is_empty() {
                let help = "write another [[expect]] for the other bounds";
                self.error(span, "a second bound", "a baseline is a bound by itself", help);
            }
            let value = Read(value.0.and_then(|BoundValue(scalar)| read(&scalar)));
            let value = self.value(At { value, span })?;
            let margin = self.read(margin, Probability::percent(10));
            let baseline = Baseline { value, margin_ppm: margin.as_ppm() };
            match baseline.bounds() {
                Some(worst) => (bounds, recorded) = (worst, Some(baseline)),
                None => {
                    let message = format!("nobody can say when {} is worse", name.value);
                    let help = "name a duration or a ratio, or write at_least or at_most";
                    self.error(span, "of no use", &message, help);
                    return None;
                }
            }
        }
        if bounds.is_empty() {
            let help = "set at_least, at_most, equals or baseline";
            self.error(name.span, "no bound", "the metric may be anything", help);
        }
        let metric = Spanned { value: name.value, span: name.span };
        Some(Expectation::Metric { metric, bounds, baseline: recorded })
    }

    /// Reads bounds; `least` and `most` are what no run can be below, or above.
    fn bounds<T: PartialOrd>(
        &mut self,
        (at_least, at_most, equals): RawBounds,
        (least, most): (T, Option<T>),
        read: impl Fn(&Scalar) -> Result<T, UnitError>,
    ) -> Option<Bounds<T>> {
        let at_least_span = at_least.as_ref().map(|field| field.span);
        let at_most_span = at_most.as_ref().map(|field| field.span);
        let equals_span = equals.as_ref().map(|field| field.span);
        let mut all_read = true;
        let mut one = |builder: &mut Self, field: Option<Field<BoundValue>>| {
            let At { value: Read(value), span } = field?;
            match value.and_then(|BoundValue(scalar)| read(&scalar)) {
                Ok(bound) => Some(bound),
                Err(error) => {
                    builder.unit_error(span, &error);
                    all_read = false;
                    None
                }
            }
        };
        let bounds = Bounds {
            at_least: one(self, at_least),
            at_most: one(self, at_most),
            equals: one(self, equals),
        };
        if let Some(span) =
            equals_span.filter(|_| bounds.at_least.is_some() || at_most_span.is_some())
        {
            let help = "keep equals alone, or at_least and at_most";
            self.error(span, "", "equals leaves nothing for other bounds", help);
        }
        if let (Some(least), Some(most), Some(span)) =
            (&bounds.at_least, &bounds.at_most, at_most_span)
            && least > most
        {
            let help = "make at_most at least at_least";
            self.error(span, "", "no value is within these bounds", help);
        }
        let below = bounds.at_least.as_ref().is_none_or(|bound| *bound <= least);
        let above = bounds.at_most.as_ref().is_none_or(|bound| most.is_some_and(|it| *bound >= it));
        if let Some(span) = at_least_span.or(at_most_span)
            && (all_read && below && above && bounds.equals.is_none())
        {
            let help = "write a bound that some run could miss, or remove the expectation";
            self.error(span, "always so", "no run can break this bound", help);
        }
        all_read.then_some(bounds)
    }

    fn event_match(&mut self, sim: &Sim, raw: RawEventMatch) -> EventMatch {
        let known = EVENTS.iter().find(|event| event.name == raw.event.value);
        if known.is_none() {
            let names = EVENTS.iter().map(|event| event.name);
            let message = format!("no event is called {}", quoted(&raw.event.value));
            self.unknown(raw.event.span, "unknown event", &message, &raw.event.value, names);
        }
        let mut filter = std::collections::BTreeMap::new();
        for (field, value) in raw.r#where.unwrap_or_default() {
            if let Some(fields) = known.and_then(|event| event.fields)
                && !fields.contains(&field.as_str())
            {
                let message =
                    format!("the event {} has no field {}", raw.event.value, quoted(&field));
                let names = fields.iter().copied();
                self.unknown(value.span, "of an unknown field", &message, &field, names);
            }
            if let Some(value) = self.field_match(value) {
                filter.insert(field, value);
            }
        }
        EventMatch {
            event: Spanned { value: raw.event.value, span: raw.event.span },
            r#where: filter,
            node: raw.node.map(|node| self.selector(sim, node)),
        }
    }

    pub(super) fn checks(&mut self, raw: Option<RawChecks>) -> Checks {
        let mut seen = std::collections::BTreeMap::<String, SourceSpan>::new();
        let mut off = Vec::new();
        for raw in raw.map(|raw| raw.off).unwrap_or_default() {
            if raw.why.value.trim().is_empty() {
                let help = "say why the check does not apply to this sim";
                self.error(raw.why.span, "empty", "a check is switched off without a reason", help);
            }
            if let Some(first) = seen.insert(raw.check.value.clone(), raw.check.span) {
                let message = format!("{} is switched off twice", quoted(&raw.check.value));
                self.twice(raw.check.span, first, message);
            }
            let check = Spanned { value: raw.check.value, span: raw.check.span };
            off.push(CheckOff { check, why: raw.why.value });
        }
        Checks { off }
    }
}

type RawBounds = (Option<Field<BoundValue>>, Option<Field<BoundValue>>, Option<Field<BoundValue>>);

fn count_bound(scalar: &Scalar) -> Result<u64, UnitError> {
    match scalar {
        Scalar::Integer(number) => u64::try_from(*number).ok(),
        _ => None,
    }
    .ok_or_else(|| {
        UnitError::new(
            format!("expected a count, found {}", scalar.found()),
            "write a whole number, 0 or more",
        )
    })
}

fn ratio_bound(scalar: &Scalar) -> Result<Bound, UnitError> {
    let error = || {
        UnitError::new(
            format!("expected a ratio, found {}", scalar.found()),
            "write \"99%\" or a number from 0 to 1",
        )
    };
    let ppm = parse_ratio(&scalar.digits().ok_or_else(error)?)?;
    if ppm > u64::from(PPM) {
        return Err(error());
    }
    Ok(Bound::Ratio(ppm))
}

fn factor_bound(scalar: &Scalar) -> Result<Bound, UnitError> {
    let error = || {
        UnitError::new(
            format!("expected a factor, found {}", scalar.found()),
            "write a number, as in 1.5: how many for each",
        )
    };
    let digits = scalar.digits().filter(|digits| !digits.ends_with('%')).ok_or_else(error)?;
    parse_ratio(&digits).map(Bound::Factor)
}

fn duration_bound(scalar: &Scalar) -> Result<Bound, UnitError> {
    match scalar {
        Scalar::Text(text) => parse_duration(text).map(Bound::Duration),
        _ => Err(UnitError::new(
            format!("expected a duration, found {}", scalar.found()),
            "write it with its unit, as in \"250ms\"",
        )),
    }
}
