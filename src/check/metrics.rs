//! What a run measures: integers in the unit of each metric.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    scenario::PPM,
    stack::{Event, RequestOutcome},
    world::{Outcome, Time},
};

/// What became of the requests. The fields other than `total` add up to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// How many were started.
    pub total: u64,
    /// Answered by a model.
    pub ok: u64,
    /// Answered with an error.
    pub failed: u64,
    /// Not answered in time.
    pub timed_out: u64,
    /// Taken by nobody.
    pub refused: u64,
    /// Lost with their agent, which crashed.
    pub abandoned: u64,
    /// Still open when the run ended.
    pub unfinished: u64,
}

/// What a run measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Metrics {
    /// What became of the requests.
    #[serde(skip)]
    pub requests: Outcomes,
    /// Every metric by name: counts as they are, ratios in parts per million, durations in
    /// nanoseconds. A metric that has no value (the latency of no request) is not there.
    pub values: BTreeMap<&'static str, u64>,
}

/// Adds up while a run goes on.
#[derive(Default)]
pub(super) struct Tally {
    requests: Outcomes,
    latencies_ns: Vec<u64>,
    fallback_used: u64,
    attempts: u64,
    retries: u64,
    contexts: u64,
    results: u64,
}

impl Tally {
    pub(super) fn see(&mut self, event: &Event) {
        match event {
            Event::RequestStarted { .. } => self.requests.total += 1,
            Event::ContextReceived { .. } => self.contexts += 1,
            Event::AttemptStarted { .. } => self.attempts += 1,
            Event::RetryScheduled { .. } => self.retries += 1,
            Event::RequestRouted { fallback_used, .. } => {
                self.fallback_used += u64::from(*fallback_used);
            }
            Event::RequestEnded { outcome, .. } => {
                *match outcome {
                    RequestOutcome::Ok => &mut self.requests.ok,
                    RequestOutcome::Failed => &mut self.requests.failed,
                    RequestOutcome::TimedOut => &mut self.requests.timed_out,
                    RequestOutcome::Refused => &mut self.requests.refused,
                } += 1;
            }
            Event::ResultStored { .. } => self.results += 1,
            _ => {}
        }
    }

    /// A request is lost with its agent.
    pub(super) fn abandon(&mut self) {
        self.requests.abandoned += 1;
    }

    /// A request took from `start` to `end`.
    pub(super) fn took(&mut self, start: Time, end: Time) {
        self.latencies_ns.push(end.as_nanos() - start.as_nanos());
    }

    pub(super) fn finish(&mut self, outcome: &Outcome, unfinished: u64) -> Metrics {
        self.latencies_ns.sort_unstable();
        let requests = Outcomes { unfinished, ..self.requests.clone() };
        let counts = &outcome.counts;
        let mut values = BTreeMap::from([
            ("requests.total", requests.total),
            ("requests.ok", requests.ok),
            ("requests.failed", requests.failed),
            ("requests.timed_out", requests.timed_out),
            ("requests.refused", requests.refused),
            ("requests.fallback_used", self.fallback_used),
            ("requests.attempts", self.attempts),
            ("requests.retries", self.retries),
            ("calls.timed_out", counts.calls_timed_out),
            ("calls.late_answers", counts.late_answers),
            ("messages.sent", counts.messages_sent),
            ("messages.delivered", counts.messages_delivered),
            ("messages.dropped", counts.messages_dropped),
            ("messages.duplicated", counts.messages_duplicated),
            ("messages.corrupted", counts.messages_corrupted),
            ("sidecar.contexts", self.contexts),
            ("sidecar.results", self.results),
        ]);
        if let Some(rate) = (requests.ok * u64::from(PPM)).checked_div(requests.total) {
            values.insert("requests.success_rate", rate);
        }
        for (name, per_cent) in
            [("latency.p50", 50), ("latency.p95", 95), ("latency.p99", 99), ("latency.max", 100)]
        {
            if let Some(latency) = percentile(&self.latencies_ns, per_cent) {
                values.insert(name, latency);
            }
        }
        Metrics { requests, values }
    }
}

/// The nearest-rank percentile of sorted values: the least that so many per cent do not exceed.
fn percentile(sorted: &[u64], per_cent: usize) -> Option<u64> {
    let rank = (sorted.len() * per_cent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::METRICS;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 50), Some(50));
        assert_eq!(percentile(&hundred, 99), Some(99));
        assert_eq!(percentile(&hundred, 100), Some(100));
        assert_eq!(percentile(&[7], 50), Some(7));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn every_metric_a_sim_may_bound_is_measured() {
        let mut tally =
            Tally { requests: Outcomes { total: 1, ..Outcomes::default() }, ..Tally::default() };
        tally.took(Time::ZERO, Time::from_nanos(5));
        let outcome = crate::world::World::new(crate::world::Seed(1)).run().unwrap();
        let metrics = tally.finish(&outcome, 1);
        let named: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
        for name in &named {
            assert!(metrics.values.contains_key(name), "{name} is not measured");
        }
        assert_eq!(metrics.values.len(), named.len(), "a metric is missing in scenario::METRICS");
    }
}
