//! What the text of the metrics of a run says, and whether the report says the same.

use std::collections::BTreeMap;

use seedbed::explore::SimRun;

/// The samples of a text: each name with its labels, and the values.
pub(super) struct Samples(pub(super) Vec<(String, BTreeMap<String, String>, f64)>);

impl Samples {
    pub(super) fn read(text: &str) -> Samples {
        let one = |line: &str| {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let labels = labels.trim_end_matches('}').split("\",").filter(|pair| !pair.is_empty());
            let pair = |pair: &str| {
                let (name, value) = pair.split_once("=\"").expect("a label");
                (name.to_owned(), value.trim_end_matches('"').to_owned())
            };
            (name.to_owned(), labels.map(pair).collect(), value.parse().expect("a number"))
        };
        Samples(text.lines().filter(|line| !line.starts_with('#')).map(one).collect())
    }

    /// The sum of all metrics of a name with these labels.
    pub(super) fn sum(&self, name: &str, wanted: &[(&str, &str)]) -> u64 {
        let matches = |labels: &BTreeMap<String, String>| {
            wanted.iter().all(|(name, value)| labels.get(*name).is_some_and(|it| it == value))
        };
        let found = self.0.iter().filter(|(found, labels, _)| found == name && matches(labels));
        found.map(|(.., value)| value).sum::<f64>() as u64
    }
}

/// Where the text does not say what the report says.
pub(super) fn differences(run: &SimRun, text: &str) -> Vec<String> {
    let samples = Samples::read(text);
    let sum = |name, labels: &[_]| samples.sum(name, labels);
    let requests = |status| sum("a2a_requests_total", &[("status", status)]);
    let to = |state| sum("circuit_breaker_transitions_total", &[("to", state)]);
    let outcome = |outcome| sum("service_calls_total", &[("outcome", outcome)]);
    let measured = [
        ("requests.ok", requests("ok")),
        ("requests.failed", requests("failed")),
        ("requests.timed_out", requests("timed_out")),
        ("requests.refused", requests("refused")),
        ("requests.total", sum("a2a_requests_total", &[]) + sum("a2a_active_tasks", &[])),
        ("requests.fallback_used", sum("ccr_requests_total", &[("status", "fallback")])),
        ("requests.attempts", sum("ccr_attempts_total", &[])),
        ("requests.retries", sum("ccr_retries_total", &[])),
        ("attempts.failed", sum("ccr_attempt_failures_total", &[])),
        ("attempts.skipped", sum("ccr_skipped_total", &[])),
        ("breakers.opened", to("open")),
        ("breakers.half_opened", to("half_open")),
        ("breakers.closed", to("closed")),
        ("quota.exceeded", sum("quota_exceeded_total", &[])),
        ("quota.tokens", sum("quota_settled_tokens_total", &[])),
        ("health.checks", sum("health_checks_total", &[])),
        ("heal.successes", sum("heal_attempts_total", &[("result", "healed")])),
        ("services.calls", sum("service_calls_total", &[])),
        ("services.ok", outcome("ok")),
        ("services.rejected", outcome("circuit_open")),
        ("sidecar.limited", sum("rate_limit_hits_total", &[("result", "denied")])),
        ("sidecar.cache_hits", sum("cache_operations_total", &[("result", "hit")])),
        ("messages.dropped", sum("seedbed_messages_dropped_total", &[])),
    ];
    let mut differences: Vec<String> = measured
        .into_iter()
        .filter(|(name, value)| run.metrics.values.get(name) != Some(value))
        .map(|(name, value)| format!("{name}: {value}, not {:?}", run.metrics.values.get(name)))
        .collect();
    let ended =
        run.requests.ok + run.requests.failed + run.requests.timed_out + run.requests.refused;
    let counted = sum("a2a_request_duration_seconds_count", &[]);
    if counted != ended {
        differences.push(format!("{counted} durations of {ended} requests"));
    }
    // The report's percentile, by nearest rank, must lie in the bucket in which the rank is.
    let p95 = run.metrics.values.get("latency.p95").map(|ns| *ns as f64 / 1e9);
    for (le, p95) in
        ["0.05", "0.25", "0.5", "1", "2.5", "5", "10"].iter().zip(p95.into_iter().cycle())
    {
        let below = sum("a2a_request_duration_seconds_bucket", &[("le", le)]);
        let reaches = below * 100 >= ended * 95;
        if reaches != (p95 <= le.parse().expect("a bound")) {
            differences
                .push(format!("{below} of {ended} took up to {le} s, and latency.p95 is {p95}"));
        }
    }
    differences
}
