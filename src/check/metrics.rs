//! What a run measures: integers in the unit of each metric.

mod sidecar;

use std::{collections::BTreeMap, rc::Rc};

use serde::Serialize;

use crate::{
    scenario::{PPM, Sim},
    stack::{Event, RequestOutcome, SidecarEvent},
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

/// What the answers of a run took of the models. What was generated and then given up is not in it:
/// nobody tells the router how much that was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Tokens of the prompts that were answered, and of their answers.
    pub tokens: u64,
    /// What the output tokens cost at the prices of their models, in billionths of a dollar; `None`
    /// if no model of the sim has a price.
    pub nanodollars: Option<u64>,
}

/// What a run measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Metrics {
    /// What became of the requests.
    #[serde(skip)]
    pub requests: Outcomes,
    /// What the answers took.
    #[serde(skip)]
    pub usage: Usage,
    /// Every metric by name: counts as they are, ratios in parts per million, durations in
    /// nanoseconds. A metric that has no value (the latency of no request) is not there.
    pub values: BTreeMap<&'static str, u64>,
}

/// Adds up while a run goes on.
#[derive(Default)]
pub(super) struct Tally {
    requests: Outcomes,
    latencies_ns: Vec<u64>,
    bill: Bill,
    sidecar: sidecar::Sidecar,
    routing: Routing,
    guards: Guards,
    services: Services,
}

/// What answers took so far.
#[derive(Default)]
struct Bill {
    /// Millionths of a dollar for a million output tokens, by model; only prices that are stated.
    prices: BTreeMap<Rc<str>, u64>,
    tokens: u64,
    /// Millionths of a millionth of a dollar.
    cost: u128,
}

impl Bill {
    fn new(sim: &Sim) -> Bill {
        let priced = sim.backends.iter().filter(|model| model.price_micros > 0);
        let prices = priced.map(|model| (model.name.as_str().into(), model.price_micros));
        Bill { prices: prices.collect(), ..Bill::default() }
    }

    fn add(&mut self, model: &str, input_tokens: u32, output_tokens: u32) {
        self.tokens += u64::from(input_tokens) + u64::from(output_tokens);
        let price = self.prices.get(model).copied().unwrap_or(0);
        self.cost += u128::from(output_tokens) * u128::from(price);
    }

    fn usage(&self) -> Usage {
        let cost = u64::try_from(self.cost / 1_000).unwrap_or(u64::MAX);
        Usage { tokens: self.tokens, nanodollars: (!self.prices.is_empty()).then_some(cost) }
    }
}

/// What the router did for requests.
#[derive(Default)]
struct Routing {
    attempts: u64,
    failed: u64,
    skipped: u64,
    hedged: u64,
    retries: u64,
    refused: u64,
    fallback_used: u64,
    baggage_changed: u64,
}

/// What breakers, quotas and health checks did.
#[derive(Default)]
struct Guards {
    opened: u64,
    half_opened: u64,
    closed: u64,
    exceeded: u64,
    warnings: u64,
    criticals: u64,
    resets: u64,
    tokens: u64,
    checks: u64,
    changes: u64,
    heals: u64,
    healed: u64,
}

/// What came of calls of services.
#[derive(Default)]
struct Services {
    calls: u64,
    ok: u64,
    rejected: u64,
    latencies_ms: Vec<u64>,
    span: Option<(Time, Time)>,
}

impl Tally {
    pub(super) fn new(sim: &Sim) -> Tally {
        Tally { bill: Bill::new(sim), ..Tally::default() }
    }

    pub(super) fn see(&mut self, at: Time, event: &Event) {
        let (routing, guards) = (&mut self.routing, &mut self.guards);
        match event {
            Event::RequestStarted { .. } => self.requests.total += 1,
            Event::AttemptStarted { hedge, .. } => {
                routing.attempts += 1;
                routing.hedged += u64::from(*hedge);
            }
            Event::AttemptFailed { .. } => routing.failed += 1,
            Event::AttemptSkipped { .. } => routing.skipped += 1,
            Event::RetryScheduled { .. } => routing.retries += 1,
            Event::RetryRefused { .. } => routing.refused += 1,
            Event::RequestRouted { model, fallback_used, input_tokens, output_tokens, .. } => {
                routing.fallback_used += u64::from(*fallback_used);
                self.bill.add(model, *input_tokens, *output_tokens);
            }
            Event::RequestEnded { outcome, baggage_kept, .. } => {
                *match outcome {
                    RequestOutcome::Ok => &mut self.requests.ok,
                    RequestOutcome::Failed => &mut self.requests.failed,
                    RequestOutcome::TimedOut => &mut self.requests.timed_out,
                    RequestOutcome::Refused => &mut self.requests.refused,
                } += 1;
                routing.baggage_changed += u64::from(*baggage_kept == Some(false));
            }
            Event::BreakerChanged { to, .. } => match *to {
                "open" => guards.opened += 1,
                "half_open" => guards.half_opened += 1,
                "closed" => guards.closed += 1,
                _ => {}
            },
            Event::QuotaExceeded { .. } => guards.exceeded += 1,
            Event::QuotaLevel { level, .. } => match *level {
                "critical" => guards.criticals += 1,
                _ => guards.warnings += 1,
            },
            Event::QuotaReset { .. } => guards.resets += 1,
            Event::QuotaSettled { tokens, .. } => guards.tokens += tokens,
            Event::HealthChecked { .. } => guards.checks += 1,
            Event::HealthChanged { .. } => guards.changes += 1,
            Event::HealStarted { .. } => guards.heals += 1,
            Event::HealEnded { result, .. } => guards.healed += u64::from(*result == "healed"),
            Event::ServiceCalled { outcome, latency_ms, .. } => {
                self.services.see(at, outcome, *latency_ms);
            }
            _ => {}
        }
    }

    /// Something happened between the sidecar and those who use it.
    pub(super) fn see_sidecar(&mut self, event: &SidecarEvent) {
        self.sidecar.see(event);
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
        let (counts, routing, guards) = (&outcome.counts, &self.routing, &self.guards);
        let mut values = BTreeMap::from([
            ("requests.total", requests.total),
            ("requests.ok", requests.ok),
            ("requests.failed", requests.failed),
            ("requests.timed_out", requests.timed_out),
            ("requests.refused", requests.refused),
            ("requests.fallback_used", routing.fallback_used),
            ("requests.attempts", routing.attempts),
            ("requests.retries", routing.retries),
            ("requests.baggage_changed", routing.baggage_changed),
            ("attempts.failed", routing.failed),
            ("attempts.skipped", routing.skipped),
            ("attempts.hedged", routing.hedged),
            ("retries.refused", routing.refused),
            ("breakers.opened", guards.opened),
            ("breakers.half_opened", guards.half_opened),
            ("breakers.closed", guards.closed),
            ("quota.exceeded", guards.exceeded),
            ("quota.warnings", guards.warnings),
            ("quota.criticals", guards.criticals),
            ("quota.resets", guards.resets),
            ("quota.tokens", guards.tokens),
            ("health.checks", guards.checks),
            ("health.changes", guards.changes),
            ("heal.attempts", guards.heals),
            ("heal.successes", guards.healed),
            ("services.calls", self.services.calls),
            ("services.ok", self.services.ok),
            ("services.rejected", self.services.rejected),
            ("calls.timed_out", counts.calls_timed_out),
            ("calls.late_answers", counts.late_answers),
            ("messages.sent", counts.messages_sent),
            ("messages.delivered", counts.messages_delivered),
            ("messages.dropped", counts.messages_dropped),
            ("messages.duplicated", counts.messages_duplicated),
            ("messages.corrupted", counts.messages_corrupted),
        ]);
        self.sidecar.measure(&mut values);
        let per_request = |count: u64| (count * u64::from(PPM)).checked_div(requests.total);
        values.extend(per_request(requests.ok).map(|rate| ("requests.success_rate", rate)));
        values.extend(per_request(routing.attempts).map(|rate| ("requests.amplification", rate)));
        values.extend(self.services.per_second().map(|rate| ("services.per_second", rate)));
        for (name, per_cent) in
            [("latency.p50", 50), ("latency.p95", 95), ("latency.p99", 99), ("latency.max", 100)]
        {
            values.extend(percentile(&self.latencies_ns, per_cent).map(|took| (name, took)));
        }
        let names = ["services.p50", "services.p95", "services.p99"];
        percentiles_ms(names, &mut self.services.latencies_ms, &mut values);
        Metrics { requests, usage: self.bill.usage(), values }
    }
}

impl Services {
    fn see(&mut self, at: Time, outcome: &str, latency_ms: u64) {
        self.calls += 1;
        match outcome {
            "ok" => self.ok += 1,
            "circuit_open" => self.rejected += 1,
            _ => {}
        }
        // What was turned away says nothing about how long the service takes.
        if outcome != "circuit_open" {
            self.latencies_ms.push(latency_ms);
        }
        let began = self.span.map_or(at, |(began, _)| began);
        self.span = Some((began, at));
    }

    /// Calls per second of virtual time, from the first end of one to the last.
    fn per_second(&self) -> Option<u64> {
        let (began, ended) = self.span?;
        let ms = u64::try_from((ended - began).as_millis()).unwrap_or(u64::MAX);
        (self.calls * 1_000).checked_div(ms)
    }
}

/// The 50th, 95th and 99th percentile of milliseconds, by these names; none without any.
fn percentiles_ms(
    names: [&'static str; 3],
    took_ms: &mut [u64],
    values: &mut BTreeMap<&'static str, u64>,
) {
    took_ms.sort_unstable();
    for (name, per_cent) in names.into_iter().zip([50, 95, 99]) {
        let took = percentile(took_ms, per_cent);
        values.extend(took.map(|ms| (name, ms.saturating_mul(1_000_000))));
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
    fn what_was_turned_away_has_no_latency_and_the_rate_is_per_second() {
        let mut services = Services::default();
        services.see(Time::ZERO, "ok", 7);
        assert_eq!(services.per_second(), None);
        services.see(Time::from_nanos(500_000_000), "circuit_open", 0);
        assert_eq!(services.latencies_ms, [7]);
        assert_eq!((services.calls, services.ok, services.rejected), (2, 1, 1));
        assert_eq!(services.per_second(), Some(4));
    }

    #[test]
    fn answers_cost_what_their_models_do() {
        let prices = BTreeMap::from([("opus".into(), 75_000_000), ("haiku".into(), 250_000)]);
        let mut bill = Bill { prices, ..Bill::default() };
        bill.add("opus", 1_000, 200);
        bill.add("haiku", 10, 3);
        bill.add("free", 5, 5);
        // 200 tokens at 75 dollars a million are 1.5 cents; three at a quarter, 750 billionths.
        assert_eq!(bill.usage(), Usage { tokens: 1_223, nanodollars: Some(15_000_750) });
        assert_eq!(Bill::default().usage().nanodollars, None, "nobody has a price");
    }

    #[test]
    fn every_metric_a_sim_may_bound_is_measured() {
        let mut tally =
            Tally { requests: Outcomes { total: 1, ..Outcomes::default() }, ..Tally::default() };
        tally.took(Time::ZERO, Time::from_nanos(5));
        tally.services.see(Time::ZERO, "ok", 5);
        tally.services.see(Time::from_nanos(1_000_000_000), "ok", 5);
        sidecar::tests::one_of_each(&mut tally);
        let outcome = crate::world::World::new(crate::world::Seed(1)).run().unwrap();
        let metrics = tally.finish(&outcome, 1);
        let named: Vec<&str> = METRICS
            .iter()
            .map(|metric| metric.name)
            .filter(|name| !super::super::healing::METRICS.contains(name))
            .filter(|name| !super::super::tracing::METRICS.contains(name))
            .collect();
        for name in &named {
            assert!(metrics.values.contains_key(name), "{name} is not measured");
        }
        assert_eq!(metrics.values.len(), named.len(), "a metric is missing in scenario::METRICS");
    }
}
