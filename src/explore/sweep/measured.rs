//! The few numbers of a run that its result keeps, so that sweeps can be compared without being run
//! again. Whole numbers only: results are compared byte by byte.

use serde::{Deserialize, Serialize};

use crate::{check::Metrics, explore::SimRun};

/// What a run measured, in short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Requests that were started. The six after it add up to it.
    pub requests: u64,
    /// Answered by a model.
    pub ok: u64,
    /// Answered with an error.
    pub failed: u64,
    /// Not answered in time.
    pub timed_out: u64,
    /// Taken by nobody.
    pub refused: u64,
    /// Lost with their agent.
    pub abandoned: u64,
    /// Still open when the run ended.
    pub unfinished: u64,
    /// The median latency of requests, in microseconds; `None` if none was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_us: Option<u64>,
    /// The 95th percentile, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_us: Option<u64>,
    /// The 99th percentile, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_us: Option<u64>,
    /// Calls of models.
    pub attempts: u64,
    /// Retries of the router.
    pub retries: u64,
    /// Requests that another model than the first answered.
    pub fallbacks: u64,
    /// Tokens that were charged to quotas; requests without a quota are not in it.
    pub tokens: u64,
    /// Tokens of the requests that were answered and of their answers; `None` in results of earlier
    /// days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_tokens: Option<u64>,
    /// What the answers cost, in billionths of a dollar; `None` if no model has a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_nanodollars: Option<u64>,
}

impl Measured {
    /// What a run measured.
    pub fn of(run: &SimRun) -> Measured {
        let Metrics { requests, usage, values } = &run.metrics;
        let count = |name: &str| values.get(name).copied().unwrap_or(0);
        let micros = |name: &str| values.get(name).map(|nanos| nanos / 1_000);
        Measured {
            requests: requests.total,
            ok: requests.ok,
            failed: requests.failed,
            timed_out: requests.timed_out,
            refused: requests.refused,
            abandoned: requests.abandoned,
            unfinished: requests.unfinished,
            p50_us: micros("latency.p50"),
            p95_us: micros("latency.p95"),
            p99_us: micros("latency.p99"),
            attempts: count("requests.attempts"),
            retries: count("requests.retries"),
            fallbacks: count("requests.fallback_used"),
            tokens: count("quota.tokens"),
            answer_tokens: Some(usage.tokens),
            cost_nanodollars: usage.nanodollars,
        }
    }
}
