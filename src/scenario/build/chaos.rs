//! Chaos and healing: what may be drawn, and when everything must work again.

use std::time::Duration;

use miette::SourceSpan;

use super::Builder;
use crate::scenario::chaos::{FAULTS_MAX, Targets};
use crate::scenario::field::{At, Field};
use crate::scenario::model::{Chaos, ChaosKind, FaultKind, Healing, Load, Points, Selector, Sim};
use crate::scenario::raw::{RawChaos, RawFaultPoint, RawHealing, RawPoints};
use crate::scenario::units::{duration_text, quoted};
use crate::scenario::values::PerMinute;
use crate::stack::FAULT_POINTS;
use crate::world::{Delay, Probability};

/// Metrics that only a sim with a time of healing has.
const AFTER_HEALING: [&str; 2] = ["goodput.after_healing", "herd.peak"];

/// Metrics that only a sim with `[tracing]` has.
const OF_TRACES: [&str; 3] = ["traces.kept", "traces.restarted", "spans.kept"];

/// Two of each kind in a minute.
const DEFAULT_GAP: Duration = Duration::from_secs(30);

impl Builder {
    /// Both tables, once the faults are read: `faults` says where each is written.
    pub(super) fn chaos_and_healing(
        &mut self,
        sim: &mut Sim,
        chaos: Option<At<RawChaos>>,
        healing: Option<At<RawHealing>>,
        faults: &[SourceSpan],
    ) {
        let mut bound = None;
        match (chaos, healing) {
            (Some(_), Some(At { span, .. })) => {
                let help = "write until and heal_within in [chaos], and remove [healing]";
                self.error(span, "", "[chaos] says itself when everything must work again", help);
            }
            (Some(At { value: raw, span }), None) => {
                let (until_span, within) =
                    (raw.until.span, raw.heal_within.as_ref().map(|it| it.span));
                let (chaos, heals) = self.chaos(sim, raw, span);
                sim.chaos = chaos;
                bound = heals.map(|healing| (healing, within.unwrap_or(until_span)));
            }
            (None, Some(At { value: raw, span })) => {
                let (after, within) = (self.value(raw.after), self.value(raw.within));
                bound = after.zip(within).map(|(after, within)| (Healing { after, within }, span));
            }
            (None, None) => {}
        }
        if let Some((healing, span)) = bound {
            self.there_is_time(sim, healing, span);
            self.all_heal(sim, healing, faults);
            sim.healing = Some(healing);
        }
    }

    fn chaos(
        &mut self,
        sim: &Sim,
        raw: RawChaos,
        span: SourceSpan,
    ) -> (Option<Chaos>, Option<Healing>) {
        let (from_span, until_span) = (raw.from.as_ref().map(|it| it.span), raw.until.span);
        let from = self.read(raw.from, Duration::ZERO);
        let Some(until) = self.value(raw.until) else { return (None, None) };
        if until <= from {
            let help = "make until later than from";
            self.error(from_span.unwrap_or(until_span), "", "chaos has no time at all", help);
        } else if until >= sim.limits.time {
            let message = "the run ends before the faults have healed";
            self.error(until_span, "too late", message, "make it earlier, or raise limits.time");
        }
        let noted = self.problems.len();
        let targets = raw.targets.map(|raw| self.targets(sim, raw));
        // What a wrong target could be hit by is nobody's business.
        let targets = targets.filter(|_| self.problems.len() == noted);
        let kinds = self.kinds(sim, raw.kinds, targets.as_deref(), span);
        let (gap, gap_span) = match raw.faults {
            Some(rate) => {
                let span = rate.per_minute.span;
                (self.read(Some(rate.per_minute), PerMinute(DEFAULT_GAP)).0, span)
            }
            None => (DEFAULT_GAP, span),
        };
        self.not_too_many(sim, until.saturating_sub(from), gap, kinds.len(), gap_span);
        let lasts = Delay::Uniform { min: Duration::from_secs(1), max: Duration::from_secs(15) };
        let chaos = Chaos {
            kinds,
            gap,
            lasts: self.delay(raw.lasts, lasts),
            at_once: self.whole_up_to(raw.at_once, 3, FAULTS_MAX as u32, "at_once"),
            swarm: raw.swarm.unwrap_or(false),
            from,
            until,
            targets,
            points: raw.points.map(|raw| self.points(raw)),
        };
        let within = self.optional(raw.heal_within);
        (Some(chaos), within.map(|within| Healing { after: until, within }))
    }

    fn targets(&mut self, sim: &Sim, raw: At<Vec<At<String>>>) -> Vec<Selector> {
        if raw.value.is_empty() {
            let help = "name what may be hit, or remove the key to hit everything";
            self.error(raw.span, "empty", "chaos has nothing to hit", help);
        }
        raw.value.into_iter().map(|target| self.selector(sim, target)).collect()
    }

    /// The kinds, in their own order: that of the text means nothing.
    fn kinds(
        &mut self,
        sim: &Sim,
        raw: Option<At<Vec<At<ChaosKind>>>>,
        targets: Option<&[Selector]>,
        span: SourceSpan,
    ) -> Vec<ChaosKind> {
        let there = Targets::new(sim, targets);
        let Some(raw) = raw else {
            let mut all = ChaosKind::ALL.to_vec();
            all.retain(|kind| there.any_for(*kind));
            if all.is_empty() {
                let help = "name other targets";
                self.error(span, "", "there is nothing that chaos could break", help);
            }
            return all;
        };
        if raw.value.is_empty() {
            let help = "name at least one kind, or remove the key to have all of them";
            self.error(raw.span, "empty", "no kind of fault is drawn", help);
        }
        let mut seen = std::collections::BTreeMap::new();
        for At { value: kind, span } in &raw.value {
            if let Some(first) = seen.insert(*kind, *span) {
                self.twice(*span, first, format!("{} is listed twice", kind.as_str()));
            } else if !there.any_for(*kind) {
                let message = format!("there is nothing that {} could break", kind.as_str());
                self.error(*span, "no target", &message, needs(*kind));
            }
        }
        seen.into_keys().collect()
    }

    fn points(&mut self, raw: RawPoints) -> Points {
        Points {
            arm: self.read(raw.arm, Probability::percent(25)),
            rate: self.read(raw.rate, Probability::percent(10)),
        }
    }

    /// A plan has to fit into a sim, as it can be written as one.
    fn not_too_many(
        &mut self,
        sim: &Sim,
        time: Duration,
        gap: Duration,
        kinds: usize,
        span: SourceSpan,
    ) {
        let each = time.as_nanos() / gap.as_nanos().max(1);
        let expected = each.saturating_mul(kinds as u128).saturating_add(sim.faults.len() as u128);
        // Half of what there is room for: a run may draw more than on average.
        if expected > FAULTS_MAX as u128 / 2 {
            let message = format!("this makes about {expected} faults in a run");
            let help = format!("ask for fewer, or for a shorter time: {} at most", FAULTS_MAX / 2);
            self.error(span, "too many", &message, &help);
        }
    }

    /// The run, and a load that is known, must go on for long enough to see anything.
    fn there_is_time(&mut self, sim: &Sim, healing: Healing, span: SourceSpan) {
        let bound = healing.bound();
        let at = duration_text(bound);
        if bound >= sim.limits.time {
            let message = format!("the run ends before {at}, when everything must work again");
            self.error(span, "too late", &message, "make it earlier, or raise limits.time");
            return;
        }
        let ends = match &sim.load {
            Some(Load::Poisson { r#for, .. }) => Some(*r#for),
            Some(Load::Stages(stages)) => {
                Some(stages.iter().fold(Duration::ZERO, |sum, it| sum.saturating_add(it.r#for)))
            }
            Some(Load::Trace { .. }) | None => None,
        };
        if ends.is_some_and(|ends| ends <= bound) {
            let message = format!("the load ends before {at}, when everything must work again");
            let help = "let the load go on for longer: what is not asked cannot be seen to work";
            self.error(span, "too late", &message, help);
        }
    }

    /// What a sim breaks by plan must be whole by then too.
    fn all_heal(&mut self, sim: &Sim, healing: Healing, spans: &[SourceSpan]) {
        for (fault, span) in sim.faults.iter().zip(spans) {
            let is_healed = matches!(fault.kind, FaultKind::DiskLost { .. })
                || fault.r#for.is_some_and(|lasts| fault.at.saturating_add(lasts) <= healing.after);
            if !is_healed && spans.len() == sim.faults.len() {
                let at = duration_text(healing.after);
                let message = format!("this fault has not healed at {at}, when all must have");
                self.error(*span, "lasts too long", &message, "set for, or make it shorter");
            }
        }
    }

    /// Two metrics are about the time after the faults.
    pub(super) fn needs_table(&mut self, sim: &Sim, metric: &At<String>) {
        if AFTER_HEALING.contains(&metric.value.as_str()) && sim.healing.is_none() {
            let message = "nothing says when everything must work again";
            let help = "add heal_within to [chaos], or a [healing] table";
            self.error(metric.span, "about healing", message, help);
        }
        if OF_TRACES.contains(&metric.value.as_str()) && sim.tracing.is_none() {
            let message = "nobody listens to spans here";
            self.error(metric.span, "about traces", message, "add a [tracing] table");
        }
    }

    pub(super) fn fault_point(&mut self, raw: RawFaultPoint) -> FaultKind {
        if !FAULT_POINTS.contains(&raw.site.value.as_str()) {
            let message = format!("no fault point is called {}", quoted(&raw.site.value));
            let names = FAULT_POINTS.iter().copied();
            self.unknown(raw.site.span, "unknown point", &message, &raw.site.value, names);
        }
        let rate: Field<Probability> = raw.rate;
        FaultKind::Point { site: raw.site.value, rate: self.read(Some(rate), Probability::NEVER) }
    }
}

/// What a kind of fault needs to break.
fn needs(kind: ChaosKind) -> &'static str {
    match kind {
        ChaosKind::Network => "it needs two nodes that talk to each other among the targets",
        ChaosKind::Crash | ChaosKind::Pause | ChaosKind::Clock => "it needs a node",
        ChaosKind::Disk => "it needs a router or a sidecar among the targets",
        ChaosKind::Provider => "it needs a [[backend]] among the targets",
        ChaosKind::Service => "it needs a [[service]] among the targets",
        ChaosKind::Sidecar => "it needs the sidecar among the targets",
        ChaosKind::Dns => "it needs somebody who uses the sidecar among the targets",
    }
}
