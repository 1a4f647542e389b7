//! One attempt: past the breaker, to the model, and perhaps a second one beside it.

use std::rc::Rc;

use super::{
    Router,
    job::{Flight, JobKey},
};
use crate::{
    policy::{
        deadline::{Deadline, Timeouts},
        hedge::{self, Hedge},
    },
    stack::{
        Event,
        message::{Generate, StreamId, StreamTo},
        settings::{HedgeDelay, KNOWN_AT_LEAST, Streaming},
    },
};

/// About four characters to a token, one byte each.
const BYTES_PER_TOKEN: u64 = 4;

impl Router {
    /// Asks the next model that may be asked; without one, the request has failed.
    pub(super) fn go_on(&mut self, key: JobKey) {
        loop {
            let Some(job) = self.jobs.get_mut(key) else { return };
            let Some(&lane) = job.order.get(job.next) else {
                // Another attempt may still bring the answer.
                return if job.flights.is_empty() {
                    self.give_up(key, "all_models_failed")
                };
            };
            job.next += 1;
            job.failures = 0;
            job.pause = std::time::Duration::ZERO;
            if self.launch(key, lane, false) {
                return;
            }
        }
    }

    /// Asks one model, unless its breaker says no or the time is over; false if it was passed over.
    pub(super) fn launch(&mut self, key: JobKey, lane: usize, is_hedge: bool) -> bool {
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
        let (admitted, change) = its.admit(now, job.prompt.task);
        let permit = match admitted {
            Ok(permit) => permit,
            Err(_) => {
                let model = Rc::clone(&its.model.name);
                job.pass_over(&model, "circuit_open", false);
                let request = job.prompt.request.clone();
                self.emit_change(change);
                self.emit(Event::AttemptSkipped { request, model, reason: "circuit_open" });
                return false;
            }
        };
        its.in_flight += 1;
        job.attempts += 1;
        self.flights += 1;
        let id = StreamId(self.flights);
        let attempt = job.attempts;
        let (request, model) = (job.prompt.request.clone(), Rc::clone(&its.model.name));
        let backend = its.model.backend;
        let prompt = job.prompt.clone();
        // What is left of the request's time is all that an attempt can have.
        let left = job.deadline - now;
        let timeouts = self.settings.timeouts;
        let is_stream = self.settings.streaming != Streaming::Off;
        let deadline = Deadline::new(
            Timeouts {
                total: Some(timeouts.total.map_or(left, |total| total.min(left))),
                first_token: timeouts.first_token.filter(|_| is_stream),
                ..timeouts
            },
            now,
        );
        let limit = deadline.next().map_or(left, |(at, _)| at - now);
        job.flights.push(Flight {
            id,
            lane,
            attempt,
            is_hedge,
            started: now,
            deadline,
            permit,
            call: None,
            reading: None,
            early: Vec::new(),
        });
        self.emit_change(change);
        self.emit(Event::AttemptStarted { request, model, attempt, hedge: is_hedge });
        let stream = is_stream.then(|| StreamTo { reader: self.env.me(), id });
        let bytes = u64::from(prompt.input_tokens) * BYTES_PER_TOKEN;
        let call = self
            .env
            .call(&backend, Generate { prompt, stream })
            .bytes(bytes)
            .timeout(limit)
            .then(move |router, result, _| router.attempted(key, id, result));
        if let Some(flight) = self.flight(key, id) {
            flight.call = Some(call);
        }
        if is_stream {
            self.streams.insert(id, key);
        }
        if !is_hedge {
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
            if self.launch(key, lane, true) {
                return self.wait_for_hedge(key);
            }
        }
    }

    /// Gives an attempt up that nobody needs any more.
    pub(super) fn abandon(&mut self, key: JobKey, flight: Flight) {
        if let Some(call) = flight.call {
            self.env.give_up(call);
        }
        self.close_stream(&flight, true);
        let Some(job) = self.jobs.get(key) else { return };
        let task = job.prompt.task;
        if let Some(lane) = self.lanes.get_mut(flight.lane) {
            lane.in_flight = lane.in_flight.saturating_sub(1);
            lane.release(task, flight.permit);
        }
    }
}
