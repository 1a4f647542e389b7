//! One attempt: past the breaker, to the model, and perhaps a second one beside it.

use std::{rc::Rc, time::Duration};

use super::{
    Router,
    job::{Flight, JobKey, Kind},
    quirky,
};
use crate::{
    policy::{
        deadline::Deadline,
        hedge::{self, Hedge},
        select::PassedOver,
    },
    stack::{
        Event, Quirk,
        message::{Generate, StreamId, StreamTo},
        point,
        settings::{HedgeDelay, KNOWN_AT_LEAST, Streaming},
        tracer,
    },
    world::CallError,
};

/// About four characters to a token, one byte each.
const BYTES_PER_TOKEN: u64 = 4;

impl Router {
    /// Asks the next model that may be asked; without one, the request has failed.
    pub(super) fn go_on(&mut self, key: JobKey) {
        loop {
            let Some(job) = self.jobs.get_mut(key) else { return };
            if (self.settings.quirks.has(Quirk::CyclicFallback) && job.begin_round(3))
                || (self.settings.quirks.has(Quirk::EndlessFallback) && job.begin_round(u32::MAX))
            {
                continue;
            }
            let Some(&lane) = job.order.get(job.next) else {
                if self.settings.quirks.has(Quirk::PauseAfterTheLast) && job.pauses_once() {
                    let pause = job.rules.retry.base;
                    self.env.after(pause, move |router, _| router.go_on(key));
                    return;
                }
                let in_time = self.env.now() < job.deadline;
                let code = if in_time { "all_models_failed" } else { "deadline_exceeded" };
                return self.give_up(key, code);
            };
            job.next += 1;
            job.failures = 0;
            job.since = self.env.now();
            job.pause = job.rules.retry.base;
            if self.launch(key, lane, Kind::First) {
                return;
            }
        }
    }

    /// Asks one model, unless its breaker says no or the time is over; false if it was passed over.
    pub(super) fn launch(&mut self, key: JobKey, lane: usize, kind: Kind) -> bool {
        let now = self.env.now();
        let (Some(job), Some(its)) = (self.jobs.get_mut(key), self.lanes.get_mut(lane)) else {
            return true;
        };
        if now >= job.deadline {
            if job.flights.is_empty() {
                self.give_up(key, "deadline_exceeded");
            }
            return true;
        }
        let admitted = its.admit(now, &self.rulebook, &job.rules);
        let (request, model) = (job.prompt.request.clone(), Rc::clone(&its.model.name));
        let Ok(permit) = admitted else {
            job.pass_over(&model, "circuit_open", false);
            self.emit_changes(lane);
            self.emit(Event::AttemptSkipped { request, model, reason: "circuit_open" });
            return false;
        };
        if let Some(budget) = self.retry_budget.as_mut().filter(|_| kind == Kind::First) {
            // Each model that is asked is a request of its own: what its retries took must not come
            // back because another model answers.
            if job.attempts > 0 {
                budget.on_end(false, job.ticket.take());
            }
            budget.on_request(now);
        }
        its.in_flight += 1;
        job.attempts += 1;
        self.flights += 1;
        let id = StreamId(self.flights);
        let attempt = job.attempts;
        let backend = its.model.backend;
        let mut prompt = job.prompt.clone();
        if self.settings.quirks.has(Quirk::ReusesPayload) {
            prompt.baggage = job.quirky.payload(&model, &prompt.baggage);
        }
        let is_stream = self.settings.streaming != Streaming::Off;
        let mut timeouts = self.settings.timeouts;
        let left = job.deadline - now;
        timeouts.total = Some(timeouts.total.map_or(left, |total| total.min(left)));
        timeouts.first_token = timeouts.first_token.filter(|_| is_stream);
        let deadline = Deadline::new(timeouts, now);
        let mut limit = deadline.next().map_or(left, |(at, _)| at - now);
        if self.settings.quirks.has(Quirk::NoTimerBeforeHeaders) {
            limit = quirky::PIN;
        }
        let span = self.tracer.child(&job.span.context);
        let before = job.last.replace(span.context.span);
        job.flights.push(Flight {
            id,
            lane,
            attempt,
            kind,
            started: now,
            deadline,
            permit,
            call: None,
            reading: None,
            early: Vec::new(),
            span,
        });
        self.emit_changes(lane);
        self.begin_attempt(&prompt, (lane, attempt, kind), span, before);
        self.emit(Event::AttemptStarted { request, model, attempt, hedge: kind == Kind::Hedge });
        let stream = is_stream.then(|| StreamTo { reader: self.env.me(), id });
        let bytes = u64::from(prompt.input_tokens) * BYTES_PER_TOKEN;
        if self.env.fault_point(point::NOT_SENT) {
            let reset = Err(CallError::Reset);
            self.env.after(Duration::ZERO, move |router, _| router.attempted(key, id, reset));
        } else {
            let call = self
                .env
                .call(&backend, Generate { prompt, stream, trace: span.context.into() })
                .bytes(bytes)
                .timeout(limit)
                .then(move |router, result, _| router.attempted(key, id, result));
            if let Some(flight) = self.flight(key, id) {
                flight.call = Some(call);
            }
        }
        if is_stream {
            self.streams.insert(id, key);
        }
        if kind != Kind::Hedge {
            self.plan_hedge(key);
        }
        true
    }

    /// The attempt, if it is still under way.
    pub(super) fn flight(&mut self, key: JobKey, id: StreamId) -> Option<&mut Flight> {
        self.jobs.get_mut(key)?.flights.iter_mut().find(|flight| flight.id == id)
    }

    /// Asks the next model as well if this attempt takes its time.
    fn plan_hedge(&mut self, key: JobKey) {
        let Some(hedging) = self.settings.hedge else { return };
        let now = self.env.now();
        let delay = match hedging.delay {
            HedgeDelay::Fixed(delay) => Some(delay),
            HedgeDelay::Quantile(ppm) => {
                let latencies = self.latencies.as_mut();
                latencies.and_then(|latencies| latencies.quantile(now, ppm, KNOWN_AT_LEAST))
            }
        };
        let Some(job) = self.jobs.get_mut(key).filter(|_| delay.is_some()) else { return };
        job.hedge = Some(Hedge::new(hedge::Settings { delay, extra: hedging.extra }, now));
        self.wait_for_hedge(key);
    }

    fn wait_for_hedge(&mut self, key: JobKey) {
        let next = self.jobs.get(key).and_then(|job| job.hedge?.next());
        let Some(next) = next else { return };
        let attempts = self.jobs.get(key).map_or(0, |job| job.attempts);
        self.env.after(next - self.env.now(), move |router, _| router.hedge(key, attempts));
    }

    /// The attempt has taken so long that another model is asked as well, unless it has begun to
    /// answer or another attempt has been made since.
    fn hedge(&mut self, key: JobKey, attempts: u32) {
        let now = self.env.now();
        let Some(job) = self.jobs.get_mut(key) else { return };
        let waits = job.attempts == attempts
            && !job.flights.is_empty()
            && job.flights.iter().all(|flight| flight.reading.is_none());
        if !waits || !job.hedge.as_mut().is_some_and(|hedge| hedge.send(now)) {
            return;
        }
        while let Some(lane) = self.jobs.get(key).and_then(|job| job.order.get(job.next).copied()) {
            if let Some(job) = self.jobs.get_mut(key) {
                job.next += 1;
            }
            if self.launch(key, lane, Kind::Hedge) {
                return self.wait_for_hedge(key);
            }
        }
    }

    /// One attempt brings the answer: every other is in vain from now on.
    pub(super) fn outrun(&mut self, key: JobKey, by: StreamId) {
        while let Some(job) = self.jobs.get_mut(key) {
            let Some(other) = job.flights.iter().position(|it| it.id != by) else { return };
            let flight = job.flights.swap_remove(other);
            if let Some(lane) = self.lanes.get(flight.lane) {
                job.pass_over(&lane.model.name, PassedOver::Slower.as_str(), true);
            }
            self.abandon(key, flight);
        }
    }

    /// Gives an attempt up that nobody needs any more.
    pub(super) fn abandon(&mut self, key: JobKey, flight: Flight) {
        if let Some(call) = flight.call {
            self.env.give_up(call);
        }
        self.close_stream(&flight, true);
        tracer::ended(&self.env, &flight.span, Some("given_up"), Vec::new);
        let Some(job) = self.jobs.get(key) else { return };
        if let Some(lane) = self.lanes.get_mut(flight.lane) {
            lane.in_flight = lane.in_flight.saturating_sub(1);
            lane.release(&job.rules, flight.permit);
        }
    }
}
