//! The names a sim may use for what a run measures and what happens in it.
//!
//! Adding a metric or an event to the stack means adding it here: a sim that names anything else is
//! refused before it runs, because an expectation that can never match proves nothing.

/// The unit of a metric, and so of the bounds on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricUnit {
    /// How many.
    Count,
    /// Parts of a whole.
    Ratio,
    /// How long.
    Duration,
    /// How many of one thing for each of another, also more than one.
    Factor,
}

/// A metric of a whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its unit.
    pub unit: MetricUnit,
}

const fn count(name: &'static str) -> Metric {
    Metric { name, unit: MetricUnit::Count }
}

const fn ratio(name: &'static str) -> Metric {
    Metric { name, unit: MetricUnit::Ratio }
}

const fn factor(name: &'static str) -> Metric {
    Metric { name, unit: MetricUnit::Factor }
}

const fn duration(name: &'static str) -> Metric {
    Metric { name, unit: MetricUnit::Duration }
}

/// Every metric an `[[expect]]` may bound.
pub const METRICS: &[Metric] = &[
    count("requests.total"),
    count("requests.ok"),
    count("requests.failed"),
    count("requests.timed_out"),
    count("requests.refused"),
    ratio("requests.success_rate"),
    count("requests.fallback_used"),
    count("requests.attempts"),
    count("requests.retries"),
    factor("requests.amplification"),
    count("requests.baggage_changed"),
    count("attempts.failed"),
    count("attempts.skipped"),
    count("attempts.hedged"),
    count("retries.refused"),
    count("breakers.opened"),
    count("breakers.half_opened"),
    count("breakers.closed"),
    count("quota.exceeded"),
    count("quota.warnings"),
    count("quota.criticals"),
    count("quota.resets"),
    count("quota.tokens"),
    count("health.checks"),
    count("health.changes"),
    count("heal.attempts"),
    count("heal.successes"),
    count("services.calls"),
    count("services.ok"),
    count("services.rejected"),
    count("services.per_second"),
    duration("services.p50"),
    duration("services.p95"),
    duration("services.p99"),
    duration("latency.p50"),
    duration("latency.p95"),
    duration("latency.p99"),
    duration("latency.max"),
    count("calls.timed_out"),
    count("calls.late_answers"),
    count("messages.sent"),
    count("messages.delivered"),
    count("messages.dropped"),
    count("messages.duplicated"),
    count("messages.corrupted"),
    count("sidecar.requests"),
    count("sidecar.limited"),
    count("sidecar.refused"),
    count("sidecar.failed"),
    count("sidecar.unanswered"),
    factor("goodput.after_healing"),
    count("herd.peak"),
    count("sidecar.contexts"),
    count("sidecar.cache_hits"),
    count("sidecar.truncated"),
    count("sidecar.results"),
    count("results.posted"),
    count("results.acknowledged"),
    count("events.published"),
    count("events.received"),
    count("events.dropped"),
    count("agents.alone"),
    duration("contexts.p50"),
    duration("contexts.p95"),
    duration("contexts.p99"),
    duration("publishes.p50"),
    duration("publishes.p95"),
    duration("publishes.p99"),
    duration("deliveries.p50"),
    duration("deliveries.p95"),
    duration("deliveries.p99"),
    count("traces.kept"),
    count("traces.restarted"),
    count("spans.kept"),
];

/// An event in a run's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventName {
    /// Its name.
    pub name: &'static str,
    /// The fields a `where` may name; `None` leaves them unchecked.
    pub fields: Option<&'static [&'static str]>,
}

const fn event(name: &'static str, fields: &'static [&'static str]) -> EventName {
    EventName { name, fields: Some(fields) }
}

const fn open(name: &'static str) -> EventName {
    EventName { name, fields: None }
}

/// Every event an `[[expect]]` may name.
pub const EVENTS: &[EventName] = &[
    event("request_started", &["request", "agent", "task", "workspace"]),
    event("context_received", &["request"]),
    event("context_missing", &["request", "cause"]),
    event("attempt_started", &["request", "model", "attempt", "hedge"]),
    event("attempt_skipped", &["request", "model", "reason"]),
    event(
        "attempt_failed",
        &["request", "model", "attempt", "cause", "class", "status", "budget_ms", "retry_after_ms"],
    ),
    event("retry_scheduled", &["request", "model", "delay_ms", "cause"]),
    event("retry_refused", &["request", "model", "reason"]),
    event(
        "request_routed",
        &[
            "request",
            "model",
            "provider",
            "attempts",
            "fallback_used",
            "reason",
            "latency_ms",
            "alternatives",
        ],
    ),
    event(
        "request_failed",
        &["request", "code", "attempts", "fallback_attempts", "causes", "retry_after_ms"],
    ),
    event("answer_truncated", &["request", "model", "tokens", "whole"]),
    event("first_token", &["request", "model", "latency_ms"]),
    event("stream_mixed", &["request", "from", "to"]),
    event("request_ended", &["request", "outcome", "latency_ms", "error", "baggage_kept"]),
    event(
        "sidecar_answered",
        &[
            "who",
            "agent_type",
            "project",
            "token",
            "route",
            "status",
            "error",
            "field",
            "asked_ns",
            "latency_ms",
            "shows",
            "count",
        ],
    ),
    event(
        "context_shown",
        &[
            "who",
            "agent_type",
            "project",
            "parts",
            "files",
            "outputs",
            "bytes",
            "truncated",
            "cut",
            "cache_hit",
        ],
    ),
    event("result_posted", &["who", "project", "key", "digest"]),
    event("result_acknowledged", &["who", "project", "key", "result", "digest", "asked_ns"]),
    event("result_abandoned", &["who", "project", "key", "error"]),
    event("result_read", &["who", "project", "result", "found", "digest", "asked_ns"]),
    event("delete_asked", &["who", "project", "result"]),
    event("result_deleted", &["who", "project", "result", "found", "asked_ns"]),
    event("results_listed", &["who", "project", "results", "counted"]),
    event(
        "results_shown",
        &["who", "project", "results", "first_age_ms", "last_age_ms", "newest_first"],
    ),
    event("told_to_wait", &["who", "project", "status", "retry_after_ms"]),
    event("result_stored", &["project", "key", "result", "path"]),
    event("result_damaged", &["path", "cause"]),
    event("publish_asked", &["who", "project", "event_type", "sequence"]),
    event(
        "event_published",
        &[
            "who",
            "project",
            "event",
            "event_type",
            "topic",
            "sequence",
            "correlation",
            "digest",
            "latency_ms",
        ],
    ),
    event(
        "event_received",
        &[
            "who",
            "project",
            "of",
            "event",
            "event_type",
            "publisher",
            "sequence",
            "correlation",
            "digest",
            "latency_ms",
            "wanted",
        ],
    ),
    event(
        "subscription_started",
        &["who", "project", "event_type", "filter", "delivery", "resumed"],
    ),
    event("subscription_ended", &["who", "project", "event_type"]),
    event("event_dropped", &["project", "event"]),
    event("agent_spawned", &["agent", "agent_type", "project"]),
    event("agent_alone", &["agent", "cause"]),
    event("agent_synced", &["agent", "results"]),
    event("breaker_changed", &["component", "from", "to"]),
    event(
        "quota_exceeded",
        &["request", "workspace", "what", "limit", "used", "remaining", "reset_at"],
    ),
    event(
        "quota_settled",
        &[
            "request",
            "workspace",
            "model",
            "provider",
            "tokens",
            "limit",
            "used",
            "remaining",
            "reset_at",
        ],
    ),
    event("quota_level", &["workspace", "level", "used", "limit"]),
    event("quota_reset", &["workspace", "used"]),
    event("state_restored", &["component", "entries"]),
    event("health_checked", &["component", "status", "duration_ms"]),
    event("health_changed", &["component", "from", "to"]),
    event("health_reported", &["component", "status", "latency_ms", "parts"]),
    event("heal_started", &["component"]),
    event("heal_ended", &["component", "result"]),
    event("service_called", &["service", "operation", "outcome", "latency_ms"]),
    event("connections_lost", &["service", "count"]),
    event("connections_restored", &["service", "count"]),
    event("trace_restarted", &["cause"]),
    event("config_loaded", &["version", "entries", "damaged"]),
    event("legacy_found", &["variables", "preset", "score_permille", "confidence", "differs"]),
    event(
        "operation_configured",
        &[
            "operation",
            "version",
            "retry_attempts",
            "max_delay_ms",
            "exponential_min_ms",
            "exponential_max_ms",
            "jitter_ms",
            "failure_threshold",
            "recovery_ms",
            "half_open_calls",
            "origin",
        ],
    ),
    event("config_changed", &["change", "by", "source", "version", "differences"]),
    event("config_refused", &["change", "by", "source", "outcome", "version", "why"]),
    event("request_admitted", &["request", "operation", "version"]),
    event("change_asked", &["change", "by", "source"]),
    event("change_answered", &["change", "by", "outcome", "version"]),
    event("change_abandoned", &["change", "by", "cause"]),
    event("config_alert_raised", &["what", "operation", "level", "value", "threshold"]),
    event("config_alert_cleared", &["what", "operation", "lasted_ms"]),
    event(
        "config_usage",
        &[
            "loads",
            "load_p95_us",
            "errors",
            "errors_permille",
            "changes",
            "changes_last_hour",
            "trend",
            "validations",
            "validation_failures",
            "preset",
            "alerts",
        ],
    ),
    event("operation_usage", &["operation", "responses", "median_us", "p95_us"]),
    event("trail_read", &["reader", "entries"]),
    event(
        "trail_entry",
        &[
            "reader",
            "entry",
            "change",
            "by",
            "asked_at",
            "source",
            "outcome",
            "before",
            "after",
            "differences",
        ],
    ),
    event("progress_reported", &["task", "percent", "status"]),
    event("progress_shown", &["task", "percent", "status"]),
    event("stream_opened", &["runner", "after"]),
    event("stream_lost", &["runner", "cause"]),
    event("task_resumed", &["task"]),
    event("task_stopped", &["task", "cause"]),
    event("approval_submitted", &["task"]),
    event("approval_decided", &["task", "decision", "by"]),
    event("approval_expired", &["task"]),
    event("approval_refused", &["task", "by", "reason"]),
    event("widget_changed", &["widget", "of", "from", "to", "shows"]),
    event("save_asked", &["version", "bytes"]),
    event("store_saved", &["version", "bytes", "used", "quota", "compact"]),
    event("store_cleaned", &["removed", "freed"]),
    event("store_warning", &["cause", "used", "quota"]),
    event("store_loaded", &["version", "entries"]),
    event("fault_point_fired", &["site"]),
    event("fault_fired", &["fault"]),
    event("fault_healed", &["fault"]),
    open("fault_planned"),
    open("node_started"),
    open("node_crashed"),
    open("node_restarted"),
    open("node_paused"),
    open("node_resumed"),
    open("message_sent"),
    open("message_delivered"),
    open("message_dropped"),
    open("message_duplicated"),
    open("message_corrupted"),
    open("call_timed_out"),
    open("late_answer"),
    open("disk_failed"),
    open("disk_synced"),
    open("timer_fired"),
    open("actor_stopped"),
];

/// The metric of that name.
#[must_use]
pub fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}
