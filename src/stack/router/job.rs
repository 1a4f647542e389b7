//! A request on its way through the router.

use std::{rc::Rc, time::Duration};

use super::{quirky::Quirky, rules::Rules};
use crate::{
    policy::{
        breaker::Permit,
        budget::Ticket,
        classify::Class,
        deadline::{Deadline, Timeout},
        hedge::Hedge,
        quota,
        trace_context::SpanId,
    },
    stack::{
        agent::Agent,
        message::{Alternative, Answer, Baggage, Chunk, Prompt, RouteError, StreamId},
        tracer::Span,
    },
    world::{CallHandle, Peer, Promise, Time},
};

slotmap::new_key_type! {
    /// A request in hand.
    pub(super) struct JobKey;
}

/// A request in hand.
pub(super) struct Job {
    pub(super) prompt: Prompt,
    /// What it may do: as it was when the request came in.
    pub(super) rules: Rc<Rules>,
    pub(super) promise: Promise<Result<Answer, RouteError>>,
    /// Who reads the tokens as they come.
    pub(super) reader: Option<(Peer<Agent>, u32)>,
    pub(super) started: Time,
    pub(super) deadline: Time,
    /// What the workspace's quota holds back for it.
    pub(super) reservation: Option<quota::Reservation>,
    /// Whether it has a place in the bulkhead.
    pub(super) has_place: bool,
    /// The models to ask, best first.
    pub(super) order: Vec<usize>,
    /// The next of them that was not asked yet.
    pub(super) next: usize,
    /// Why the first of them is the first.
    pub(super) chosen: &'static str,
    /// Failures in a row of the model that is asked.
    pub(super) failures: u32,
    /// When the model that is asked was asked for the first time.
    pub(super) since: Time,
    /// The last pause.
    pub(super) pause: Duration,
    /// Attempts over all models.
    pub(super) attempts: u32,
    /// What the last retry took from the retry budget.
    pub(super) ticket: Option<Ticket>,
    /// Every other model that was considered, and why it did not answer.
    pub(super) alternatives: Vec<Alternative>,
    /// Attempts under way; more than one with hedging.
    pub(super) flights: Vec<Flight>,
    /// When the next model is asked as well.
    pub(super) hedge: Option<Hedge>,
    /// The agent has tokens of this flight: no other may answer.
    pub(super) committed: bool,
    /// Output tokens of attempts that broke off after their first token.
    pub(super) wasted_tokens: u32,
    /// What only quirks remember.
    pub(super) quirky: Quirky,
    pub(super) span: Span,
    /// The span of the last attempt.
    pub(super) last: Option<SpanId>,
}

/// Why a model is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is the next one.
    First,
    /// It failed before.
    Retry,
    /// The one before takes its time.
    Hedge,
}

/// An attempt under way.
pub(super) struct Flight {
    pub(super) id: StreamId,
    /// Which of the router's models.
    pub(super) lane: usize,
    /// Which attempt of the request.
    pub(super) attempt: u32,
    pub(super) kind: Kind,
    pub(super) started: Time,
    /// What it may take: no more than what is left of the request's time.
    pub(super) deadline: Deadline,
    pub(super) permit: Option<Permit>,
    pub(super) call: Option<CallHandle>,
    /// What has come of its answer, once it has begun.
    pub(super) reading: Option<Reading>,
    /// Chunks that have overtaken the beginning of their answer.
    pub(super) early: Vec<Chunk>,
    pub(super) span: Span,
}

/// A stream that is being read.
pub(super) struct Reading {
    pub(super) baggage: Rc<Baggage>,
    /// The number of the next chunk.
    pub(super) next: u32,
    pub(super) tokens: u32,
}

/// What an attempt brought instead of an answer.
#[derive(Clone, Debug)]
pub(super) struct AttemptError {
    pub(super) cause: &'static str,
    pub(super) class: Class,
    pub(super) status: Option<u16>,
    /// When the provider wants to be asked again.
    pub(super) wait: Option<Duration>,
    /// What the provider says about asking again.
    pub(super) should_retry: Option<bool>,
    /// The budget that it went over.
    pub(super) budget: Option<Duration>,
}

impl Flight {
    /// Which budget it went over, and how much that was.
    pub(super) fn late(&self, between_tokens: Option<Duration>) -> AttemptError {
        let next = self.deadline.next();
        let budget = next.map(|(at, _)| at - self.started);
        match next.map(|(_, timeout)| timeout) {
            Some(Timeout::FirstToken) => AttemptError::late("first_token_timed_out", budget),
            Some(Timeout::BetweenTokens) => AttemptError::late("stalled", between_tokens),
            Some(Timeout::Total) | None => AttemptError::late("timed_out", budget),
        }
    }
}

impl AttemptError {
    /// An error that no provider has put into words.
    pub(super) fn transient(cause: &'static str) -> AttemptError {
        AttemptError {
            cause,
            class: Class::Transient,
            status: None,
            wait: None,
            should_retry: None,
            budget: None,
        }
    }

    /// The attempt took longer than it may.
    pub(super) fn late(cause: &'static str, budget: Option<Duration>) -> AttemptError {
        AttemptError { budget, ..AttemptError::transient(cause) }
    }

    /// Whether the same model may do better.
    pub(super) fn is_retryable(&self) -> bool {
        self.should_retry.unwrap_or_else(|| self.class.is_retryable())
    }
}

impl Job {
    /// A request that has just come in.
    pub(super) fn new(
        prompt: Prompt,
        rules: Rc<Rules>,
        promise: Promise<Result<Answer, RouteError>>,
        reader: Option<(Peer<Agent>, u32)>,
        started: Time,
        deadline: Time,
        span: Span,
    ) -> Job {
        Job {
            prompt,
            rules,
            promise,
            reader,
            started,
            deadline,
            reservation: None,
            has_place: false,
            order: Vec::new(),
            next: 0,
            chosen: "none",
            failures: 0,
            since: started,
            pause: Duration::ZERO,
            attempts: 0,
            ticket: None,
            alternatives: Vec::new(),
            flights: Vec::new(),
            hedge: None,
            committed: false,
            wasted_tokens: 0,
            quirky: Quirky::default(),
            span,
            last: None,
        }
    }

    /// Why a model did not answer; a later reason replaces an earlier one, and comes last.
    pub(super) fn pass_over(&mut self, model: &Rc<str>, why: &'static str, tried: bool) {
        let known = self.alternatives.iter().position(|other| other.model == *model);
        let known = known.map(|place| self.alternatives.remove(place));
        let tried = tried || known.is_some_and(|known| known.tried);
        self.alternatives.push(Alternative { model: Rc::clone(model), why, tried });
    }
}
