//! From events to metrics. Only what events say is counted; nothing is judged.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use prometheus::{Gauge, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec};

use super::families::Families;
use crate::{
    scenario::Sim,
    stack::{Event, RequestId, RequestOutcome, SidecarEvent, settings::Backend},
    world::{Happening, Observer, Seed, Sighting, Time, is_of_an_instant},
};

/// Bytes of a token of text, as the network counts prompts.
const BYTES_PER_TOKEN: f64 = 4.0;
/// Who reads everything back for the checks, and is no user of the sidecar.
const AUDITOR: &str = "auditor";
/// Where the router runs.
const ROUTER: &str = "router";
/// What every request asks of a model, in the words of the conventions.
const OPERATION: &str = "chat";

/// Makes metrics of the events of one run.
pub(super) struct Feed {
    families: Families,
    clock: Option<Gauge>,
    faults: Option<IntGauge>,
    /// By the node of an agent: its group, and the operation of its requests, if that is not its task.
    agents: BTreeMap<String, (Rc<str>, Option<Rc<str>>)>,
    /// By model.
    providers: BTreeMap<String, &'static str>,
    open: BTreeMap<RequestId, Open>,
    /// Calls of models that are under way, by request.
    calls: BTreeMap<RequestId, Vec<Call>>,
}

/// A request that is under way.
struct Open {
    began: Time,
    agent: Rc<str>,
    operation: Rc<str>,
    task: &'static str,
    answer_tokens: Option<u32>,
}

/// A call of a model that is under way.
struct Call {
    model: Rc<str>,
    attempt: u32,
    began: Time,
}

impl Feed {
    pub(super) fn new(families: Families, sim: &Sim, seed: Seed) -> Feed {
        let mut agents = BTreeMap::new();
        for group in &sim.agents {
            let name: Rc<str> = group.name.as_str().into();
            let operation: Option<Rc<str>> = group.operation.as_deref().map(Rc::from);
            for node in group.node_names() {
                agents.insert(node, (Rc::clone(&name), operation.clone()));
            }
        }
        let provider = |backend: &Backend| (backend.name.clone(), backend.provider.as_str());
        set(&families.run, &[&sim.name, &seed.to_string()], 1);
        Feed {
            clock: families.clock.get_metric_with_label_values::<&str>(&[]).ok(),
            faults: families.faults.get_metric_with_label_values::<&str>(&[]).ok(),
            families,
            agents,
            providers: sim.backends.iter().map(provider).collect(),
            open: BTreeMap::new(),
            calls: BTreeMap::new(),
        }
    }

    fn provider(&self, model: &str) -> &'static str {
        self.providers.get(model).copied().unwrap_or("generic")
    }

    fn start(&mut self, at: Time, request: &RequestId, agent: &str, task: &'static str) {
        let node = agent.split('+').next().unwrap_or(agent);
        let (agent, operation) = match self.agents.get(node) {
            Some((group, operation)) => (Rc::clone(group), operation.clone()),
            None => (Rc::from(node), None),
        };
        let operation = operation.unwrap_or_else(|| task.into());
        if let Ok(active) = self.families.a2a_active.get_metric_with_label_values(&[&*agent]) {
            active.inc();
        }
        let open = Open { began: at, agent, operation, task, answer_tokens: None };
        self.open.insert(request.clone(), open);
    }

    fn end(&mut self, at: Time, open: &Open, status: &str) {
        let families = &self.families;
        if let Ok(active) = families.a2a_active.get_metric_with_label_values(&[&*open.agent]) {
            active.dec();
        }
        add(&families.a2a_requests, &[&open.agent, status], 1);
        if status == "abandoned" {
            return;
        }
        observe(&families.a2a_duration, &[&open.agent, &open.operation], seconds(at - open.began));
        if let Some(tokens) = open.answer_tokens.filter(|_| status == "ok") {
            let bytes = f64::from(tokens) * BYTES_PER_TOKEN;
            observe(&families.a2a_response, &[&open.agent], bytes);
        }
    }

    /// A call of a model is over. One that was given up has no duration.
    fn called(
        &mut self,
        at: Time,
        request: &RequestId,
        landed: impl Fn(&Call) -> bool,
        error: &str,
    ) {
        let Some(calls) = self.calls.get_mut(request) else { return };
        let Some(place) = calls.iter().rposition(landed) else { return };
        let call = calls.swap_remove(place);
        let provider = self.provider(&call.model);
        let labels = [OPERATION, provider, &*call.model, error];
        observe(&self.families.gen_ai_duration, &labels, seconds(at - call.began));
    }

    fn see_event(&mut self, at: Time, event: &Event) {
        let families = &self.families;
        match event {
            Event::RequestStarted { request, agent, task, .. } => {
                self.start(at, request, agent, task);
            }
            Event::RequestEnded { request, outcome, .. } => {
                let status = match outcome {
                    RequestOutcome::Ok => "ok",
                    RequestOutcome::Failed => "failed",
                    RequestOutcome::TimedOut => "timed_out",
                    RequestOutcome::Refused => "refused",
                };
                if let Some(open) = self.open.remove(request) {
                    self.end(at, &open, status);
                }
            }
            Event::AttemptStarted { request, model, attempt, .. } => {
                add(&families.ccr_attempts, &[model], 1);
                let call = Call { model: Rc::clone(model), attempt: *attempt, began: at };
                self.calls.entry(request.clone()).or_default().push(call);
            }
            Event::AttemptFailed { request, model, attempt, class, .. } => {
                add(&families.ccr_attempt_failures, &[model, class], 1);
                let this = |call: &Call| call.model == *model && call.attempt == *attempt;
                self.called(at, request, this, class);
            }
            Event::AttemptSkipped { model, reason, .. } => {
                add(&families.ccr_skipped, &[model, reason], 1);
            }
            Event::RetryScheduled { model, cause, .. } => {
                add(&families.ccr_retries, &[model, cause], 1);
            }
            Event::RequestRouted {
                request,
                model,
                provider,
                fallback_used,
                latency_ms,
                input_tokens,
                output_tokens,
                ..
            } => {
                let open = self.open.get_mut(request);
                let task = open.as_ref().map_or("unknown", |open| open.task);
                let status = if *fallback_used { "fallback" } else { "success" };
                add(&families.ccr_requests, &[provider, task, status], 1);
                let took = seconds(Duration::from_millis(*latency_ms));
                observe(&families.ccr_duration, &[provider], took);
                for (direction, tokens) in [("input", *input_tokens), ("output", *output_tokens)] {
                    add(&families.ccr_tokens, &[provider, direction], tokens.into());
                    let labels = [OPERATION, provider, &**model, direction];
                    observe(&families.gen_ai_usage, &labels, tokens.into());
                }
                if let Some(open) = open {
                    open.answer_tokens = Some(*output_tokens);
                }
                self.called(at, request, |call| call.model == *model, "");
                self.calls.remove(request);
            }
            Event::RequestFailed { request, code, .. } => {
                add(&families.ccr_failed, &[code], 1);
                self.calls.remove(request);
            }
            Event::FirstToken { request, model, .. } => {
                if let Some(open) = self.open.get(request) {
                    let labels = [OPERATION, self.provider(model), &**model];
                    observe(&families.gen_ai_first, &labels, seconds(at - open.began));
                }
            }
            _ => self.see_guards(event),
        }
    }

    /// What breakers, quotas, health checks and services did.
    fn see_guards(&mut self, event: &Event) {
        let families = &self.families;
        match event {
            Event::BreakerChanged { component, from, to } => {
                add(&families.breaker_transitions, &[component, from, to], 1);
                let state = match *to {
                    "closed" => 0,
                    "half_open" => 1,
                    "open" => 2,
                    _ => -1,
                };
                set(&families.breaker_state, &[component], state);
            }
            Event::QuotaExceeded { workspace, what, .. } => {
                add(&families.quota_exceeded, &[workspace, what], 1);
            }
            Event::QuotaSettled { workspace, tokens, limit, used, .. } => {
                add(&families.quota_settled, &[workspace], *tokens);
                set(&families.quota_used, &[workspace], to_i64(*used));
                set(&families.quota_limit, &[workspace], to_i64(*limit));
            }
            Event::QuotaReset { workspace, .. } => set(&families.quota_used, &[workspace], 0),
            Event::HealthChecked { component, status, .. } => {
                add(&families.health_checks, &[component, status], 1);
            }
            Event::HealthChanged { component, to, .. } => {
                let status = match *to {
                    "healthy" | "available" => 2,
                    "degraded" => 1,
                    "unhealthy" | "unavailable" => 0,
                    _ => -1,
                };
                set(&families.health_status, &[component], status);
            }
            Event::HealEnded { component, result } => add(&families.heals, &[component, result], 1),
            Event::ServiceCalled { service, operation, outcome, latency_ms } => {
                add(&families.service_calls, &[service, operation, outcome], 1);
                // What was turned away says nothing about how long the service takes.
                if *outcome != "circuit_open" {
                    let took = seconds(Duration::from_millis(*latency_ms));
                    observe(&families.service_duration, &[service, operation], took);
                }
            }
            _ => {}
        }
    }

    fn see_sidecar(&mut self, event: &SidecarEvent) {
        let families = &self.families;
        match event {
            SidecarEvent::Answered { who, .. } if **who == *AUDITOR => {}
            SidecarEvent::Answered { status: 0, .. } => {}
            SidecarEvent::Answered { route, status, latency_ms, .. } => {
                let result = if *status == 429 { "denied" } else { "allowed" };
                add(&families.rate_limit, &[route, result], 1);
                if (*route, *status) == ("context", 200) {
                    let took = seconds(Duration::from_millis(*latency_ms));
                    observe(&families.cache_latency, &[], took);
                }
            }
            SidecarEvent::ContextShown { cache_hit, .. } => {
                let result = if *cache_hit { "hit" } else { "miss" };
                add(&families.cache_operations, &["get", result], 1);
            }
            _ => {}
        }
    }

    /// A node is gone, and with it what only it knew.
    fn crashed(&mut self, at: Time, node: &str) {
        let is_of = |request: &RequestId| request.agent.split('+').next() == Some(node);
        let lost: Vec<Open> =
            self.open.extract_if(.., |request, _| is_of(request)).map(|(_, open)| open).collect();
        lost.iter().for_each(|open| self.end(at, open, "abandoned"));
        if node == ROUTER {
            self.calls.clear();
        }
    }
}

impl Observer for Feed {
    fn see(&mut self, sighting: &Sighting<'_>) {
        if let Some(clock) = &self.clock {
            clock.set(seconds(sighting.at.since_start()));
        }
        match sighting.what {
            Happening::Emitted { payload, .. } => {
                let payload = payload.as_any();
                if let Some(event) = payload.downcast_ref::<Event>() {
                    self.see_event(sighting.at, event);
                } else if let Some(event) = payload.downcast_ref::<SidecarEvent>() {
                    self.see_sidecar(event);
                }
            }
            Happening::MessageDropped { cause, .. } => {
                add(&self.families.dropped, &[cause.name()], 1);
            }
            Happening::NodeCrashed { .. } => self.crashed(sighting.at, sighting.node),
            Happening::FaultFired { fault } if !is_of_an_instant(fault) => {
                if let Some(faults) = &self.faults {
                    faults.inc();
                }
            }
            Happening::FaultHealed { .. } => {
                if let Some(faults) = &self.faults {
                    faults.dec();
                }
            }
            _ => {}
        }
    }
}

// Each family is given as many values as it has labels, which a test makes sure of.

fn add(family: &IntCounterVec, labels: &[&str], count: u64) {
    if let Ok(counter) = family.get_metric_with_label_values(labels) {
        counter.inc_by(count);
    }
}

fn set(family: &IntGaugeVec, labels: &[&str], value: i64) {
    if let Ok(gauge) = family.get_metric_with_label_values(labels) {
        gauge.set(value);
    }
}

fn observe(family: &HistogramVec, labels: &[&str], value: f64) {
    if let Ok(histogram) = family.get_metric_with_label_values(labels) {
        histogram.observe(value);
    }
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

fn to_i64(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
