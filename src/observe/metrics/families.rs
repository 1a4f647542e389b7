//! The families of one run, in a registry of their own.

use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, Result,
    core::Collector,
};

use super::catalogue::{self as all, Family, Kind};

/// Handles of everything that is measured.
pub(super) struct Families {
    pub(super) a2a_active: IntGaugeVec,
    pub(super) a2a_duration: HistogramVec,
    pub(super) a2a_requests: IntCounterVec,
    pub(super) a2a_response: HistogramVec,
    pub(super) cache_latency: HistogramVec,
    pub(super) cache_operations: IntCounterVec,
    pub(super) ccr_attempt_failures: IntCounterVec,
    pub(super) ccr_attempts: IntCounterVec,
    pub(super) ccr_failed: IntCounterVec,
    pub(super) ccr_duration: HistogramVec,
    pub(super) ccr_requests: IntCounterVec,
    pub(super) ccr_retries: IntCounterVec,
    pub(super) ccr_skipped: IntCounterVec,
    pub(super) ccr_tokens: IntCounterVec,
    pub(super) breaker_state: IntGaugeVec,
    pub(super) breaker_transitions: IntCounterVec,
    pub(super) gen_ai_duration: HistogramVec,
    pub(super) gen_ai_first: HistogramVec,
    pub(super) gen_ai_usage: HistogramVec,
    pub(super) heals: IntCounterVec,
    pub(super) health_checks: IntCounterVec,
    pub(super) health_status: IntGaugeVec,
    pub(super) quota_exceeded: IntCounterVec,
    pub(super) quota_limit: IntGaugeVec,
    pub(super) quota_settled: IntCounterVec,
    pub(super) quota_used: IntGaugeVec,
    pub(super) rate_limit: IntCounterVec,
    pub(super) faults: IntGaugeVec,
    pub(super) dropped: IntCounterVec,
    pub(super) run: IntGaugeVec,
    pub(super) clock: GaugeVec,
    pub(super) service_duration: HistogramVec,
    pub(super) service_calls: IntCounterVec,
}

impl Families {
    /// Registers every family of the catalogue. The error is a mistake in the catalogue.
    pub(super) fn new(registry: &Registry) -> Result<Families> {
        let counter = |family| make(registry, family, IntCounterVec::new);
        let gauge = |family| make(registry, family, IntGaugeVec::new);
        let histogram = |family: Family| {
            let Kind::Histogram(buckets) = family.kind else { return Err(wrong(family)) };
            make(registry, family, |opts: Opts, labels| {
                let opts = HistogramOpts { common_opts: opts, buckets: buckets.to_vec() };
                HistogramVec::new(opts, labels)
            })
        };
        Ok(Families {
            a2a_active: gauge(all::A2A_ACTIVE)?,
            a2a_duration: histogram(all::A2A_DURATION)?,
            a2a_requests: counter(all::A2A_REQUESTS)?,
            a2a_response: histogram(all::A2A_RESPONSE)?,
            cache_latency: histogram(all::CACHE_LATENCY)?,
            cache_operations: counter(all::CACHE_OPERATIONS)?,
            ccr_attempt_failures: counter(all::CCR_ATTEMPT_FAILURES)?,
            ccr_attempts: counter(all::CCR_ATTEMPTS)?,
            ccr_failed: counter(all::CCR_FAILED)?,
            ccr_duration: histogram(all::CCR_DURATION)?,
            ccr_requests: counter(all::CCR_REQUESTS)?,
            ccr_retries: counter(all::CCR_RETRIES)?,
            ccr_skipped: counter(all::CCR_SKIPPED)?,
            ccr_tokens: counter(all::CCR_TOKENS)?,
            breaker_state: gauge(all::BREAKER_STATE)?,
            breaker_transitions: counter(all::BREAKER_TRANSITIONS)?,
            gen_ai_duration: histogram(all::GEN_AI_DURATION)?,
            gen_ai_first: histogram(all::GEN_AI_FIRST)?,
            gen_ai_usage: histogram(all::GEN_AI_USAGE)?,
            heals: counter(all::HEALS)?,
            health_checks: counter(all::HEALTH_CHECKS)?,
            health_status: gauge(all::HEALTH_STATUS)?,
            quota_exceeded: counter(all::QUOTA_EXCEEDED)?,
            quota_limit: gauge(all::QUOTA_LIMIT)?,
            quota_settled: counter(all::QUOTA_SETTLED)?,
            quota_used: gauge(all::QUOTA_USED)?,
            rate_limit: counter(all::RATE_LIMIT)?,
            faults: gauge(all::FAULTS)?,
            dropped: counter(all::DROPPED)?,
            run: gauge(all::RUN)?,
            clock: make(registry, all::CLOCK, GaugeVec::new)?,
            service_duration: histogram(all::SERVICE_DURATION)?,
            service_calls: counter(all::SERVICE_CALLS)?,
        })
    }
}

fn make<C: Collector + Clone + 'static>(
    registry: &Registry,
    family: Family,
    new: impl Fn(Opts, &[&str]) -> Result<C>,
) -> Result<C> {
    let made = new(Opts::new(family.name, family.help), family.labels)?;
    registry.register(Box::new(made.clone()))?;
    Ok(made)
}

fn wrong(family: Family) -> prometheus::Error {
    prometheus::Error::Msg(format!("{} is no histogram", family.name))
}
