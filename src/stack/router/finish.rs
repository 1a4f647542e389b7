//! How a request ends: once, with an answer or with the reason why there is none.

use std::rc::Rc;

use slotmap::{Key, KeyData};

use super::{
    Router,
    job::{Job, JobKey},
    millis,
};
use crate::{
    policy::breaker::Outcome,
    stack::{
        Event, Quirk,
        event::Alternatives,
        message::{Answer, Baggage, RouteError, StreamId},
        point,
    },
};

impl Router {
    /// An attempt brought the answer.
    pub(super) fn succeed(
        &mut self,
        key: JobKey,
        id: StreamId,
        output_tokens: u32,
        baggage: Rc<Baggage>,
    ) {
        self.outrun(key, id);
        self.streams.remove(&id);
        let Some(flight) = self.land(key, id, Outcome::Success) else { return };
        let Some(mut job) = self.end(key) else { return };
        let Some(lane) = self.lanes.get(flight.lane) else { return };
        let model = Rc::clone(&lane.model.name);
        let provider = lane.model.settings.provider.as_str();
        self.end_attempt(&flight, &model, &job.prompt, output_tokens);
        // The model that answered was not passed over, whatever it did before.
        job.alternatives.retain(|other| other.model != model);
        let is_first = job.order.first() == Some(&flight.lane);
        let reason = if is_first { job.chosen } else { "fallback" };
        let used = job.prompt.tokens_with(output_tokens);
        let quota = self.settle(&mut job, (&model, provider), used);
        if let Some(budget) = &mut self.retry_budget {
            budget.on_end(true, job.ticket);
        }
        self.end_span(&job, None, !is_first, Some(&model));
        self.emit(Event::RequestRouted {
            request: job.prompt.request.clone(),
            model: Rc::clone(&model),
            provider,
            attempts: job.attempts,
            fallback_used: !is_first,
            reason,
            latency_ms: self.age_ms(&job),
            alternatives: Alternatives(job.alternatives.as_slice().into()),
            input_tokens: job.prompt.input_tokens,
            output_tokens,
        });
        if self.env.fault_point(point::ANSWER_LOST) {
            return;
        }
        job.promise.keep(Ok(Answer {
            request: job.prompt.request,
            baggage,
            model,
            provider,
            reason,
            fallback_used: !is_first,
            attempts: job.attempts,
            latency: self.env.now() - job.started,
            alternatives: job.alternatives,
            output_tokens,
            quota,
        }));
    }

    /// No answer will come.
    pub(super) fn give_up(&mut self, key: JobKey, code: &'static str) {
        let Some(mut job) = self.end(key) else { return };
        let used = match job.wasted_tokens {
            0 => 0,
            // Never more than was reserved, however many attempts broke off.
            wasted => job.prompt.tokens_with(wasted.min(job.prompt.output_tokens)),
        };
        self.settle(&mut job, (&Rc::from("none"), "none"), used);
        if let Some(budget) = self.retry_budget.as_mut().filter(|_| job.attempts > 0) {
            budget.on_end(false, job.ticket);
        }
        self.end_span(&job, Some(code), false, None);
        let error = RouteError {
            code,
            attempts: job.attempts,
            retry_after: self
                .come_back_in(&job, code)
                .filter(|_| !self.settings.quirks.has(Quirk::NoRetryAfter)),
            causes: job.alternatives,
        };
        self.emit(Event::RequestFailed {
            request: job.prompt.request,
            code,
            attempts: error.attempts,
            fallback_attempts: error.fallback_attempts(),
            causes: Alternatives(error.causes.as_slice().into()),
            retry_after_ms: error.retry_after.map(millis),
        });
        job.promise.keep(Err(error));
    }

    /// Takes a request out of the router's hands: nothing of it goes on, and the next one may.
    fn end(&mut self, key: JobKey) -> Option<Job> {
        while let Some(flight) = self.jobs.get_mut(key)?.flights.pop() {
            self.abandon(key, flight);
        }
        let job = self.jobs.remove(key)?;
        self.watch_end(&job);
        if self.rulebook.of_breakers(job.rules.operation.as_ref()).is_none() {
            self.forget_breakers();
        }
        let id = key.data().as_ffi();
        let is_late = self.env.now() >= job.deadline;
        if self.settings.quirks.has(Quirk::SlotsLeak) && is_late && job.has_place {
            return Some(job);
        }
        if let Some(bulkhead) = &mut self.bulkhead {
            match bulkhead.leave(self.env.now(), id) {
                Ok(Some(next)) => self.take_place(JobKey::from(KeyData::from_ffi(next))),
                Ok(None) => {}
                Err(_) => {
                    bulkhead.cancel(id);
                }
            }
        }
        Some(job)
    }
}
