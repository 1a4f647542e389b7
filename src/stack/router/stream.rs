//! Answers that come in parts: whole, cut, stalled, or broken on the way.
//!
//! A stream is complete only if its end says so. Until the agent has a token of it, another model
//! may take over; after that, none may.

use std::rc::Rc;

use actix::{Context, Handler};

use super::{
    Router,
    job::{AttemptError, Flight, JobKey, Reading},
};
use crate::stack::{
    Quirk,
    message::{AnswerPart, Baggage, Chunk, CloseStream, HttpError, Part, StreamId},
    settings::Streaming,
};

impl Router {
    /// A model has begun to answer.
    pub(super) fn read(&mut self, key: JobKey, id: StreamId, baggage: Rc<Baggage>) {
        let Some(flight) = self.flight(key, id) else { return };
        flight.reading = Some(Reading { baggage, next: 0, tokens: 0 });
        let early = std::mem::take(&mut flight.early);
        self.watch(key, id);
        for Chunk { number, part, .. } in early {
            self.take(key, id, number, part);
        }
    }

    /// Looks at the stream again when its next timeout is due.
    fn watch(&mut self, key: JobKey, id: StreamId) {
        let now = self.env.now();
        let between_tokens = self.settings.timeouts.between_tokens;
        let Some(flight) = self.flight(key, id) else { return };
        let Some((at, _)) = flight.deadline.next() else { return };
        if now < at {
            // Tokens only move the timeout back, so one timer at a time is enough.
            self.env.after(at - now, move |router, _| router.watch(key, id));
            return;
        }
        let error = flight.late(between_tokens);
        self.fail(key, id, error);
    }

    /// Stops reading, and tells a model so that may still be writing.
    pub(super) fn close_stream(&mut self, flight: &Flight, may_write: bool) {
        if self.streams.remove(&flight.id).is_none() || !may_write {
            return;
        }
        if let Some(lane) = self.lanes.get(flight.lane) {
            let close = CloseStream { stream: flight.id, reader: self.env.me() };
            self.env.send(&lane.model.backend, close);
        }
    }

    /// Takes in a part of an answer.
    fn take(&mut self, key: JobKey, id: StreamId, number: u32, part: Part) {
        let now = self.env.now();
        let relays = self.settings.streaming == Streaming::Relayed;
        let Some(job) = self.jobs.get_mut(key) else { return };
        let Some(flight) = job.flights.iter_mut().find(|flight| flight.id == id) else { return };
        let (lane, call) = (flight.lane, flight.attempt);
        let Some(reading) = &mut flight.reading else {
            // The answer itself is still under way.
            flight.early.push(Chunk { stream: id, number, part });
            return;
        };
        if number < reading.next {
            // A copy of one that was here before.
            return;
        }
        if number > reading.next {
            // One is missing: what follows it cannot be trusted.
            return self.fail(key, id, AttemptError::transient("cut"));
        }
        reading.next += 1;
        let error = match part {
            Part::Tokens(tokens) => {
                reading.tokens += tokens;
                flight.deadline.on_token(now);
                if relays {
                    job.committed = true;
                    self.relay(key, id, (lane, call), tokens);
                }
                return;
            }
            Part::End { output_tokens } if output_tokens == reading.tokens => {
                let baggage = Rc::clone(&reading.baggage);
                return self.succeed(key, id, output_tokens, baggage);
            }
            Part::Closed if self.settings.quirks.has(Quirk::CutIsComplete) => {
                let (tokens, baggage) = (reading.tokens, Rc::clone(&reading.baggage));
                return self.succeed(key, id, tokens, baggage);
            }
            Part::End { .. } | Part::Closed => AttemptError::transient("cut"),
            Part::Malformed => AttemptError::transient("malformed"),
            Part::Error(body) => match self.lanes.get(lane) {
                // The status line said 200 long ago: only the body is left to go by.
                Some(lane) => {
                    let error = HttpError { status: 200, headers: Vec::new(), body };
                    self.understand(lane.model.settings.provider, &error)
                }
                None => return,
            },
        };
        self.fail(key, id, error);
    }

    /// Passes tokens on to the agent.
    fn relay(&mut self, key: JobKey, id: StreamId, (lane, call): (usize, u32), tokens: u32) {
        self.outrun(key, id);
        let (Some(job), Some(lane)) = (self.jobs.get(key), self.lanes.get(lane)) else { return };
        let Some((reader, attempt)) = job.reader else { return };
        let request = job.prompt.request.clone();
        self.env.send(
            &reader,
            AnswerPart { request, attempt, model: Rc::clone(&lane.model.name), call, tokens },
        );
    }
}

impl Handler<Chunk> for Router {
    type Result = ();

    fn handle(&mut self, Chunk { stream, number, part }: Chunk, _: &mut Context<Self>) {
        if let Some(&key) = self.streams.get(&stream) {
            self.take(key, stream, number, part);
        }
    }
}
