//! Every family of metrics that a run can have: names, labels and buckets. Only data.
//!
//! `a2a_*`, `ccr_*`, `rate_limit_hits_total` and `cache_*` have the names, labels and buckets of the
//! project that is simulated; where its requirements name fewer labels than its code, the
//! requirements win. `gen_ai_*` are metrics of OpenTelemetry's semantic conventions 1.41 under the
//! names that Prometheus gives them. The rest is our own.

/// All metrics of one name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Family {
    /// The name, as Prometheus has it.
    pub name: &'static str,
    /// What it counts, and in which unit.
    pub help: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What kind of metric it is.
    pub kind: Kind,
}

/// What kind of metric a family is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Only ever grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations by these upper bounds.
    Histogram(&'static [f64]),
}

/// Of `a2a_request_duration_seconds`.
const A2A_SECONDS: &[f64] = &[0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Of `a2a_response_size_bytes`.
const A2A_BYTES: &[f64] = &[100.0, 500.0, 1e3, 5e3, 1e4, 5e4, 1e5];
/// Of `ccr_request_duration_seconds`, and what has no buckets of its own.
const CCR_SECONDS: &[f64] = &[0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// Of durations of generative AI.
const GEN_AI_SECONDS: &[f64] =
    &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
/// Of tokens of generative AI.
const GEN_AI_TOKENS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

macro_rules! families {
    ($($constant:ident = $kind:expr, $name:literal, [$($label:literal),*], $help:literal;)*) => {
        $(pub(super) const $constant: Family =
            Family { name: $name, help: $help, labels: &[$($label),*], kind: $kind };)*

        /// Every family, by name.
        pub const FAMILIES: &[Family] = &[$($constant),*];
    };
}

use Kind::{Counter, Gauge, Histogram};

families! {
    A2A_ACTIVE = Gauge, "a2a_active_tasks", ["agent"],
        "Requests of the agents of a group that are under way.";
    A2A_DURATION = Histogram(A2A_SECONDS), "a2a_request_duration_seconds", ["agent", "operation"],
        "Virtual time from the start of a request to its end, as its agent sees it.";
    A2A_REQUESTS = Counter, "a2a_requests_total", ["agent", "status"],
        "Requests that are over: ok, failed, timed_out, refused, or abandoned in a crash.";
    A2A_RESPONSE = Histogram(A2A_BYTES), "a2a_response_size_bytes", ["agent"],
        "Size of answers, at four bytes for a token.";
    CACHE_LATENCY = Histogram(CCR_SECONDS), "cache_latency_seconds", [],
        "Virtual time to a context, from the sidecar's cache or not.";
    CACHE_OPERATIONS = Counter, "cache_operations_total", ["operation", "result"],
        "Contexts that were asked for: hit or miss.";
    CCR_ATTEMPT_FAILURES = Counter, "ccr_attempt_failures_total", ["model", "error_class"],
        "Calls of a model that brought no answer, by what the router made of it.";
    CCR_ATTEMPTS = Counter, "ccr_attempts_total", ["model"],
        "Calls of a model by the router.";
    CCR_DURATION = Histogram(CCR_SECONDS), "ccr_request_duration_seconds", ["provider"],
        "Virtual time from the arrival at the router to the answer of a model.";
    CCR_FAILED = Counter, "ccr_requests_failed_total", ["code"],
        "Requests that the router gave up, by the code of its answer.";
    CCR_REQUESTS = Counter, "ccr_requests_total", ["provider", "task_type", "status"],
        "Requests that a model answered: success by the first choice, or fallback.";
    CCR_RETRIES = Counter, "ccr_retries_total", ["model", "cause"],
        "Calls of a model that the router will make again.";
    CCR_SKIPPED = Counter, "ccr_skipped_total", ["model", "reason"],
        "Models that the router passed over without calling them.";
    CCR_TOKENS = Counter, "ccr_tokens_total", ["provider", "direction"],
        "Tokens of requests that a model answered: input or output.";
    BREAKER_STATE = Gauge, "circuit_breaker_state", ["component"],
        "State since the last transition: 0 closed, 1 half-open, 2 open, -1 any other.";
    BREAKER_TRANSITIONS = Counter, "circuit_breaker_transitions_total", ["component", "from", "to"],
        "Transitions of circuit breakers.";
    GEN_AI_DURATION = Histogram(GEN_AI_SECONDS), "gen_ai_client_operation_duration_seconds",
        ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "error_type"],
        "Virtual time of one call of a model that was answered or failed.";
    GEN_AI_FIRST = Histogram(GEN_AI_SECONDS), "gen_ai_client_operation_time_to_first_chunk_seconds",
        ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model"],
        "Virtual time from the start of a request to the first token at its agent.";
    GEN_AI_USAGE = Histogram(GEN_AI_TOKENS), "gen_ai_client_token_usage",
        ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_token_type"],
        "Tokens of one answered request: input or output.";
    HEALS = Counter, "heal_attempts_total", ["component", "result"],
        "Healings that are over: healed, failed or error.";
    HEALTH_CHECKS = Counter, "health_checks_total", ["component", "status"],
        "Health checks that are over, by what they said.";
    HEALTH_STATUS = Gauge, "health_status", ["component"],
        "Status since the last change: 2 healthy, 1 degraded, 0 unhealthy, -1 unknown.";
    QUOTA_EXCEEDED = Counter, "quota_exceeded_total", ["workspace", "exhausted"],
        "Requests that a quota refused, by what was used up: tokens or requests.";
    QUOTA_LIMIT = Gauge, "quota_limit_tokens", ["workspace"],
        "What a workspace may use in a day.";
    QUOTA_SETTLED = Counter, "quota_settled_tokens_total", ["workspace"],
        "Tokens that were charged to a workspace, over all days.";
    QUOTA_USED = Gauge, "quota_used_tokens", ["workspace"],
        "What a workspace has used of its day.";
    RATE_LIMIT = Counter, "rate_limit_hits_total", ["endpoint", "result"],
        "Requests that the sidecar answered: allowed, or denied by a rate limit.";
    FAULTS = Gauge, "seedbed_faults_active", [],
        "Faults of the plan that have fired and not healed.";
    DROPPED = Counter, "seedbed_messages_dropped_total", ["cause"],
        "Messages that did not arrive.";
    RUN = Gauge, "seedbed_run_info", ["sim", "seed"],
        "Always 1: which run this is.";
    CLOCK = Gauge, "seedbed_virtual_time_seconds", [],
        "Virtual time of the last event.";
    SERVICE_DURATION = Histogram(CCR_SECONDS), "service_call_duration_seconds", ["service", "operation"],
        "Virtual time of calls of a service that were not turned away.";
    SERVICE_CALLS = Counter, "service_calls_total", ["service", "operation", "outcome"],
        "Calls of services that are over.";
}
