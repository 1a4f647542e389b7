//! One attempt: past the breaker, to the model, and perhaps a second one beside it.

use std::rc::Rc;

use super::{
    Router,
    job::{AttemptError, Flight, JobKey},
};
use crate::stack::{
    Event,
    message::{Generate, StreamId, StreamTo},
    settings::Streaming,
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
        let first = timeouts.first_token.filter(|_| is_stream);
        let limit = [timeouts.total, first].into_iter().flatten().fold(left, |a, b| a.min(b));
        let started = now;
        job.flights.push(Flight {
            id,
            lane,
            attempt,
            is_hedge,
            started,
            permit,
            call: None,
            reading: None,
        });
        self.emit_change(change);
        self.emit(Event::AttemptStarted { request, model, attempt, hedge: is_hedge });
        let stream = is_stream.then(|| StreamTo { reader: self.env.me(), id });
        let bytes = u64::from(prompt.input_tokens) * BYTES_PER_TOKEN;
        let call = self
            .env
            .call(&backend, Generate { prompt, stream })
            .duplicable()
            .bytes(bytes)
            .timeout(limit)
            .then(move |router, result, _| router.attempted(key, id, result));
        if let Some(flight) = self.flight(key, id) {
            flight.call = Some(call);
        }
        if !is_hedge {
            self.plan_hedge(key, id);
        }
        true
    }

    /// The attempt, if it is still under way.
    pub(super) fn flight(&mut self, key: JobKey, id: StreamId) -> Option<&mut Flight> {
        self.jobs.get_mut(key)?.flights.iter_mut().find(|flight| flight.id == id)
    }

    /// Asks the next model as well if this attempt takes its time.
    fn plan_hedge(&mut self, key: JobKey, id: StreamId) {
        let Some(delay) = self.hedge.as_ref().and_then(|hedge| hedge.delay(0)) else { return };
        self.env.after(delay, move |router, _| router.hedge(key, id, 1));
    }

    fn hedge(&mut self, key: JobKey, id: StreamId, extra: u32) {
        let Some(job) = self.jobs.get_mut(key) else { return };
        let waits = job.flights.iter().any(|flight| flight.id == id && flight.reading.is_none());
        if !waits || job.committed {
            return;
        }
        let Some(&lane) = job.order.get(job.next) else { return };
        job.next += 1;
        self.launch(key, lane, true);
        if let Some(delay) = self.hedge.as_ref().and_then(|hedge| hedge.delay(extra)) {
            self.env.after(delay, move |router, _| router.hedge(key, id, extra + 1));
        }
    }

    /// Gives an attempt up that nobody needs any more.
    pub(super) fn abandon(&mut self, key: JobKey, flight: Flight) {
        if let Some(call) = flight.call {
            self.env.give_up(call);
        }
        self.close_stream(&flight);
        let Some(job) = self.jobs.get(key) else { return };
        let task = job.prompt.task;
        if let Some(lane) = self.lanes.get_mut(flight.lane) {
            lane.in_flight = lane.in_flight.saturating_sub(1);
            lane.release(task, flight.permit);
        }
    }

    /// Which budget an attempt went over that got no answer in time.
    pub(super) fn late(&self, is_first: bool) -> AttemptError {
        let timeouts = &self.settings.timeouts;
        match timeouts.first_token.filter(|_| is_first && self.settings.streaming != Streaming::Off)
        {
            Some(first) if timeouts.total.is_none_or(|total| first < total) => {
                AttemptError::late("first_token_timed_out", Some(first))
            }
            _ => AttemptError::late("timed_out", timeouts.total),
        }
    }
}
