//! Health checks of the models, and what anybody is told who asks.
//!
//! There is at most one round of checks at a time: whoever asks during one waits for its end.

use std::rc::Rc;

use actix::{Context, Handler};

use super::{Router, millis};
use crate::{
    policy::health::{Availability, Finding},
    stack::{
        Event,
        message::{HealthQuery, HealthReport, Probe},
        tracer::{self, Owed, Span},
    },
    world::{CallError, Later, Time},
};

/// The round of checks that is under way, if one is.
#[derive(Default)]
pub(super) struct Prober {
    /// Checks without an answer yet.
    open: usize,
    waiting: Vec<Owed<HealthReport>>,
}

impl Router {
    /// Starts a round of checks, unless one is under way.
    pub(super) fn probe_all(&mut self) {
        if self.prober.open > 0 {
            return;
        }
        let now = self.env.now();
        let timeout = self.settings.health.settings.timeout;
        for (index, lane) in self.lanes.iter().enumerate() {
            if !lane.health.may_check(now) {
                continue;
            }
            self.prober.open += 1;
            let name = || format!("check {}", lane.model.name);
            let span = self.tracer.call(&self.env, None, name);
            self.env
                .call(&lane.model.backend, Probe { trace: span.context.into() })
                .timeout(timeout)
                .then(move |router, result, _| router.probed(index, now, span, result));
        }
        if self.prober.open == 0 {
            self.report_to_all();
        }
    }

    fn probed(
        &mut self,
        index: usize,
        started: Time,
        span: Span,
        result: Result<crate::policy::health::Status, CallError>,
    ) {
        let now = self.env.now();
        let error = tracer::failure(&result);
        tracer::ended(&self.env, &span, error, Vec::new);
        let finding = match result {
            Ok(status) => Finding::Returned(status),
            Err(CallError::TimedOut) => Finding::TimedOut,
            Err(_) => Finding::Errored,
        };
        if let Some(lane) = self.lanes.get_mut(index) {
            lane.checked_in = now - started;
            let decision = lane.health.observe(now, finding);
            let component = Rc::clone(&lane.model.name);
            self.emit(Event::HealthChecked {
                component: Rc::clone(&component),
                status: decision.status.as_str(),
                duration_ms: millis(now - started),
            });
            if let Some((from, to)) = decision.changed {
                let (from, to) = (from.as_str(), to.as_str());
                self.emit(Event::HealthChanged { component, from, to });
            }
        }
        self.prober.open = self.prober.open.saturating_sub(1);
        if self.prober.open == 0 {
            self.report_to_all();
        }
    }

    fn report_to_all(&mut self) {
        if self.prober.waiting.is_empty() {
            return;
        }
        let report = self.report();
        for owed in std::mem::take(&mut self.prober.waiting) {
            owed.keep(&self.env, None, report.clone());
        }
    }

    fn report(&mut self) -> HealthReport {
        let now = self.env.now();
        // What time has changed shows, though no request has come by since.
        self.lanes.iter_mut().for_each(|lane| lane.poll(now));
        (0..self.lanes.len()).for_each(|lane| self.emit_changes(lane));
        let models: Vec<_> = self.lanes.iter().map(|lane| lane.report()).collect();
        let mut providers: Vec<&'static str> = models.iter().map(|model| model.provider).collect();
        providers.sort_unstable();
        providers.dedup();
        let of = |provider: &str| {
            let its = models.iter().filter(|model| model.provider == provider);
            Availability::of_all(its.map(|model| model.availability))
        };
        HealthReport {
            status: Availability::of_all(models.iter().map(|model| model.availability)),
            providers: providers.into_iter().map(|provider| (provider, of(provider))).collect(),
            models,
        }
    }
}

impl Handler<HealthQuery> for Router {
    type Result = Later<HealthReport>;

    fn handle(&mut self, query: HealthQuery, _: &mut Context<Self>) -> Self::Result {
        let name = || "check router".to_owned();
        let (owed, later) = self.tracer.take(&self.env, &query.trace, name);
        self.prober.waiting.push(owed);
        self.probe_all();
        later
    }
}
