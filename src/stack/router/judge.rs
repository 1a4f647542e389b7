//! What an attempt brought: an answer, or an error and what to do about it.

use std::rc::Rc;

use super::{
    Router,
    job::{AttemptError, Flight, JobKey, Kind},
    millis, quirky,
};
use crate::{
    policy::{
        Jitter,
        breaker::Outcome,
        budget::Cause,
        classify::{Class, Failure, classify},
        retry_after::{self, Said},
    },
    stack::{
        Event, Quirk,
        message::{Generated, HttpError, StreamId},
        settings::Provider,
        tracer, wire,
    },
    world::CallError,
};

impl Router {
    /// The call of an attempt is over.
    pub(super) fn attempted(
        &mut self,
        key: JobKey,
        id: StreamId,
        result: Result<Generated, CallError>,
    ) {
        let between_tokens = self.settings.timeouts.between_tokens;
        let Some(flight) = self.flight(key, id) else { return };
        flight.call = None;
        let lane = flight.lane;
        let error = match result {
            Ok(Generated::Completion { output_tokens, baggage, .. }) => {
                return self.succeed(key, id, output_tokens, baggage);
            }
            Ok(Generated::Streaming { baggage, .. }) => return self.read(key, id, baggage),
            Ok(Generated::Error(error)) => match self.lanes.get(lane) {
                Some(lane) => self.understand(lane.model.settings.provider, &error),
                None => return,
            },
            Ok(Generated::Malformed) => {
                AttemptError { status: Some(200), ..AttemptError::transient("malformed") }
            }
            Err(CallError::TimedOut) => match self.flight(key, id) {
                Some(flight) => flight.late(between_tokens),
                None => return,
            },
            Err(error) => AttemptError::transient(error.name()),
        };
        self.fail(key, id, error);
    }

    /// Reads an error as its provider means it.
    pub(super) fn understand(&self, provider: Provider, error: &HttpError) -> AttemptError {
        let parts = wire::read_error(provider, error);
        let class = classify(&Failure {
            provider: provider.api(),
            status: Some(error.status),
            error_type: &parts.error_type,
            code: &parts.code,
            message: &parts.message,
        });
        let said = Said::read(&error.headers, self.env.utc());
        AttemptError {
            cause: cause(class, error.status, &parts.error_type),
            class,
            status: Some(error.status),
            wait: said.wait(),
            should_retry: said.should_retry,
            budget: None,
        }
    }

    /// Takes an attempt out of its job, and tells its breaker how it ended.
    pub(super) fn land(&mut self, key: JobKey, id: StreamId, outcome: Outcome) -> Option<Flight> {
        let job = self.jobs.get_mut(key)?;
        let place = job.flights.iter().position(|flight| flight.id == id)?;
        let flight = job.flights.swap_remove(place);
        let now = self.env.now();
        let took = now - flight.started;
        let lane = self.lanes.get_mut(flight.lane)?;
        lane.in_flight = lane.in_flight.saturating_sub(1);
        if outcome == Outcome::Success {
            lane.latency.observe(took);
        }
        if self.settings.quirks.has(Quirk::ForgetsLaterFailures)
            && outcome == Outcome::Failure
            && job.quirky.has_failed()
        {
            lane.release(&job.rules, flight.permit);
        } else {
            lane.record(now, &job.rules, flight.permit, outcome, took);
        }
        if let Some(latencies) = self.latencies.as_mut().filter(|_| outcome == Outcome::Success) {
            latencies.record(now, took);
        }
        self.emit_changes(flight.lane);
        Some(flight)
    }

    /// An attempt brought an error.
    pub(super) fn fail(&mut self, key: JobKey, id: StreamId, mut error: AttemptError) {
        if (self.settings.quirks.has(Quirk::RetriesBadRequests)
            && error.class == Class::CallerFault)
            || (self.settings.quirks.has(Quirk::RetriesFinalErrors) && !error.is_retryable())
        {
            error.should_retry = Some(true);
        }
        let against = error.class.counts_against_model();
        let outcome = if against { Outcome::Failure } else { Outcome::Ignored };
        let Some(flight) = self.land(key, id, outcome) else { return };
        let AttemptError { cause, status, .. } = error;
        tracer::ended(&self.env, &flight.span, Some(cause), || {
            status.map(|status| ("http.response.status_code", status.into())).into_iter().collect()
        });
        // One that answered with an error has nothing more to say.
        self.close_stream(&flight, flight.reading.is_some() || error.status.is_none());
        if let Some(budget) = &mut self.retry_budget
            && (error.is_retryable() || error.should_retry == Some(false))
        {
            budget.on_attempt_failed();
        }
        let (Some(job), Some(lane)) = (self.jobs.get_mut(key), self.lanes.get(flight.lane)) else {
            return;
        };
        let model = Rc::clone(&lane.model.name);
        let knows = self.settings.quirks.has(Quirk::TellsFirstError) && job.has_tried(&model);
        if !knows {
            job.pass_over(&model, error.cause, true);
        }
        if let Some(reading) = &flight.reading {
            job.wasted_tokens = job.wasted_tokens.saturating_add(reading.tokens);
        }
        let (request, attempt) = (job.prompt.request.clone(), flight.attempt);
        let is_alone = job.flights.is_empty();
        let (committed, base) = (job.committed, job.rules.retry.base);
        self.emit(Event::AttemptFailed {
            request,
            model: Rc::clone(&model),
            attempt,
            cause: error.cause,
            class: error.class.as_str(),
            status: error.status,
            budget_ms: error.budget.map(millis),
            retry_after_ms: error.wait.map(millis),
        });
        if committed {
            // The agent has part of an answer: a second one must not be mixed into it.
            return self.give_up(key, "stream_broken");
        }
        if !is_alone {
            return;
        }
        if error.class == Class::CallerFault && !error.is_retryable() {
            // No other model would like the request better.
            return self.give_up(key, "bad_request");
        }
        if self.try_again(key, &flight, &error) {
            return;
        }
        if self.settings.quirks.has(Quirk::StopsAtRateLimits) && error.class == Class::RateLimit {
            return self.give_up(key, "all_models_failed");
        }
        if self.settings.quirks.has(Quirk::WaitsToFallBack) {
            let pause = error.wait.unwrap_or(base).min(quirky::WAITS_AT_MOST);
            self.env.after(pause, move |router, _| router.go_on(key));
            return;
        }
        self.go_on(key);
    }

    /// Asks the same model again, later; false if it must not be asked again.
    fn try_again(&mut self, key: JobKey, flight: &Flight, error: &AttemptError) -> bool {
        let now = self.env.now();
        let Some(job) = self.jobs.get_mut(key) else { return true };
        job.failures += 1;
        if flight.kind == Kind::Hedge
            || job.failures >= job.rules.retry.attempts
            || !error.is_retryable()
        {
            return false;
        }
        let mut retry = job.rules.retry.clone();
        if self.settings.quirks.has(Quirk::NoJitter) {
            retry.jitter = Jitter::None;
        }
        let pause = retry.pause_after(job.failures, job.pause, &mut self.pauses);
        job.pause = pause;
        let mut asked_for = error.wait.filter(|_| self.settings.honour_retry_after);
        if self.settings.quirks.has(Quirk::StaleRetryAfter) {
            asked_for = *job.quirky.first_wait.get_or_insert(asked_for);
        }
        let pause = pause.max(asked_for.unwrap_or_default());
        let refused = if job.rules.within.is_some_and(|within| now - job.since >= within) {
            Some("max_delay")
        } else if retry_after::within(pause, Some(job.deadline - now)).is_none() {
            // A pause that outlasts the request would only waste its time: the next model may be
            // quicker.
            Some("deadline")
        } else if asked_for.zip(self.settings.retry_after_max).is_some_and(|(it, max)| it > max) {
            Some("retry_after")
        } else if let Some(budget) = &mut self.retry_budget {
            let cause = match error.class {
                Class::RateLimit => Cause::Throttling,
                _ if error.budget.is_some() => Cause::Timeout,
                _ => Cause::Transient,
            };
            match budget.withdraw(now, cause, job.ticket) {
                Some(ticket) => {
                    job.ticket = Some(ticket);
                    None
                }
                None => Some("budget"),
            }
        } else {
            None
        };
        let request = job.prompt.request.clone();
        let lane = flight.lane;
        let Some(model) = self.lanes.get(lane).map(|lane| Rc::clone(&lane.model.name)) else {
            return false;
        };
        if let Some(reason) = refused {
            self.emit(Event::RetryRefused { request, model, reason });
            return false;
        }
        let delay_ms = millis(pause);
        self.emit(Event::RetryScheduled { request, model, delay_ms, cause: error.cause });
        self.env.after(pause, move |router, _| {
            if !router.launch(key, lane, Kind::Retry) {
                router.go_on(key);
            }
        });
        true
    }
}

/// The cause of a failure, in a word.
fn cause(class: Class, status: u16, error_type: &str) -> &'static str {
    match (class, status) {
        (Class::RateLimit, _) => "rate_limited",
        (Class::Transient, 408 | 504) => "provider_timed_out",
        (Class::Transient, 409) => "conflict",
        (Class::Transient, 503 | 529) => "overloaded",
        // After HTTP 200 only the body says so.
        (Class::Transient, _) if error_type.contains("overloaded") => "overloaded",
        (Class::Transient, _) => "server_error",
        (class, _) => class.as_str(),
    }
}
