//! What a report says of the run as a whole: all but the events.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{VERSION, columns::shortened};
use crate::{
    check::{Moment, Outcomes},
    explore::{FaultLine, Reached},
    report::{Finished, document},
    scenario::{METRICS, MetricUnit, Sim, plan_text},
    world::Ending,
};

/// The longest text of a sim or a plan that is shown, in bytes.
const SOURCE_MAX: usize = 200_000;

/// The run.
#[derive(Serialize)]
pub(super) struct Head<'a> {
    version: u32,
    sim: String,
    purpose: String,
    /// As a text: a seed may be more than JavaScript can count to.
    seed: String,
    verdict: &'static str,
    reasons: Vec<String>,
    fingerprint: String,
    replay: String,
    start: String,
    ended_ns: u64,
    ending: Ending,
    events: u64,
    requests: &'a Outcomes,
    metrics: Vec<MetricLine>,
    checks: Vec<CheckLine<'a>>,
    reached: &'a [Reached],
    notes: &'a [String],
    faults: &'a [FaultLine],
    skipped_lines: u64,
    source: String,
    /// The plan as a plain sim, if chaos drew any of it.
    plan: Option<String>,
}

#[derive(Serialize)]
struct MetricLine {
    name: &'static str,
    unit: &'static str,
    value: u64,
}

#[derive(Serialize)]
struct CheckLine<'a> {
    check: &'a str,
    failure: Option<&'a str>,
    evaluated: u64,
    reached: Option<u64>,
    broken: Option<u64>,
}

impl Head<'_> {
    /// The title of the page.
    pub(super) fn title(&self) -> String {
        format!("{} seed {} · seedbed", self.sim, self.seed)
    }
}

/// The run in words and numbers.
pub(super) fn head<'a>(sim: &Sim, finished: &'a Finished, moments: &'a [Moment]) -> Head<'a> {
    let run = &finished.run;
    let document = document::run(finished);
    let checks = moments.iter().map(|moment| CheckLine {
        check: &moment.result.check,
        failure: moment.result.failure.as_deref(),
        evaluated: moment.result.evaluated,
        reached: moment.reached,
        broken: moment.broken,
    });
    let plan = sim.chaos.is_some().then(|| plan_text(sim, run.outcome.seed).ok()).flatten();
    Head {
        version: VERSION,
        sim: shortened(&run.sim),
        purpose: shortened(&sim.purpose),
        seed: run.outcome.seed.to_string(),
        verdict: document.verdict,
        reasons: document.failures.iter().map(|reason| shortened(reason)).collect(),
        fingerprint: run.outcome.fingerprint.to_string(),
        replay: finished.replay.clone(),
        start: sim.start.to_string(),
        ended_ns: run.outcome.ended_at.as_nanos(),
        ending: run.outcome.ending,
        events: run.outcome.events,
        requests: &run.requests,
        metrics: metrics(&run.metrics.values),
        checks: checks.collect(),
        reached: &run.reached,
        notes: &run.notes,
        faults: &run.faults,
        skipped_lines: run.skipped_lines,
        source: source(sim.source.text()),
        plan: plan.map(|plan| source(&plan)),
    }
}

fn metrics(values: &BTreeMap<&'static str, u64>) -> Vec<MetricLine> {
    let line = |(name, value): (&&'static str, &u64)| {
        let unit = METRICS.iter().find(|metric| metric.name == *name).map(|metric| metric.unit);
        let unit = match unit {
            Some(MetricUnit::Ratio) => "ratio",
            Some(MetricUnit::Duration) => "duration",
            Some(MetricUnit::Factor) => "factor",
            Some(MetricUnit::Count) | None => "count",
        };
        MetricLine { name, unit, value: *value }
    };
    values.iter().map(line).collect()
}

fn source(text: &str) -> String {
    match text.get(..text.floor_char_boundary(SOURCE_MAX)) {
        Some(begin) if begin.len() < text.len() => format!("{begin}\n… (cut)\n"),
        _ => text.to_owned(),
    }
}
