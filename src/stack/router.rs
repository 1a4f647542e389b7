//! The model router: the primary, then the fallbacks, each with retries, within the budget.

use std::{rc::Rc, time::Duration};

use actix::{Actor, Context, Handler};

use super::{
    Event,
    backend::Backend,
    message::{
        Alternative, Answer, Baggage, Chunk, Generate, Generated, Prompt, RouteError, RouteRequest,
    },
    settings,
};
use crate::world::{CallError, Env, Later, Peer, Promise, Stream, Time};

/// One model of the chain.
#[derive(Clone)]
pub struct Model {
    /// Its name.
    pub name: Rc<str>,
    /// Its provider.
    pub provider: &'static str,
    /// Where it is.
    pub backend: Peer<Backend>,
}

/// The actor.
pub struct Router {
    env: Env<Router>,
    settings: Rc<settings::Router>,
    /// The primary first.
    chain: Rc<[Model]>,
    overheads: Stream,
    pauses: Stream,
}

/// A request on its way through the chain.
struct Job {
    prompt: Prompt,
    promise: Promise<Result<Answer, RouteError>>,
    started: Time,
    deadline: Time,
    /// Which model of the chain is asked.
    model: usize,
    /// How often that model has failed.
    failures: u32,
    /// Attempts over all models.
    attempts: u32,
    /// The models given up, and why.
    passed_over: Vec<Alternative>,
}

/// What an attempt brought instead of an answer.
struct AttemptError {
    cause: &'static str,
    status: Option<u16>,
    retry_after: Option<Duration>,
}

impl AttemptError {
    fn of_call(error: CallError) -> AttemptError {
        AttemptError { cause: error.name(), status: None, retry_after: None }
    }

    /// Whether the same model may do better: not if the request itself is at fault.
    fn is_transient(&self) -> bool {
        match self.status {
            Some(status @ 400..=499) => matches!(status, 408 | 409 | 429),
            _ => true,
        }
    }
}

impl Router {
    /// A router with these settings over a chain of models, the primary first.
    pub fn new(env: Env<Router>, settings: Rc<settings::Router>, chain: Rc<[Model]>) -> Router {
        let (overheads, pauses) = (env.stream("overhead"), env.stream("pauses"));
        Router { env, settings, chain, overheads, pauses }
    }

    fn attempt(&mut self, mut job: Job) {
        let Some(model) = self.chain.get(job.model).cloned() else {
            return self.give_up(job, "all_models_failed");
        };
        let left = job.deadline - self.env.now();
        if left.is_zero() {
            return self.give_up(job, "deadline_exceeded");
        }
        job.attempts += 1;
        let (request, attempt) = (job.prompt.request.clone(), job.attempts);
        let started =
            Event::AttemptStarted { request, model: model.name.clone(), attempt, hedge: false };
        self.env.emit(started.name(), started);
        self.env
            .call(&model.backend, Generate { prompt: job.prompt.clone(), stream: None })
            .duplicable()
            .bytes(u64::from(job.prompt.input_tokens) * BYTES_PER_TOKEN)
            .timeout(self.settings.timeout.min(left))
            .then(move |router, result, _| router.attempted(job, &model, result));
    }

    fn attempted(&mut self, job: Job, model: &Model, result: Result<Generated, CallError>) {
        let error = match result {
            Ok(Generated::Completion { output_tokens, baggage, .. }) => {
                return self.deliver(job, model, output_tokens, baggage);
            }
            Ok(Generated::Error(error)) => AttemptError {
                cause: match error.status {
                    429 => "rate_limited",
                    503 | 529 => "overloaded",
                    _ => "server_error",
                },
                status: Some(error.status),
                retry_after: error
                    .headers
                    .iter()
                    .find(|(name, _)| *name == "retry-after")
                    .and_then(|(_, value)| value.parse().ok().map(Duration::from_secs)),
            },
            Ok(Generated::Malformed | Generated::Streaming { .. }) => {
                AttemptError { cause: "malformed", status: Some(200), retry_after: None }
            }
            Err(error) => AttemptError::of_call(error),
        };
        let failed = Event::AttemptFailed {
            request: job.prompt.request.clone(),
            model: model.name.clone(),
            attempt: job.attempts,
            cause: error.cause,
            class: error.cause,
            status: error.status,
        };
        self.env.emit(failed.name(), failed);
        self.go_on(job, model, &error);
    }

    /// Tries the same model again, or the next one.
    fn go_on(&mut self, mut job: Job, model: &Model, error: &AttemptError) {
        job.failures += 1;
        if job.failures < self.settings.retry.attempts && error.is_transient() {
            let asked_for = error.retry_after.filter(|_| self.settings.honour_retry_after);
            let pause = self.settings.retry.pause(job.failures, &mut self.pauses);
            let pause = pause.max(asked_for.unwrap_or_default());
            // A pause that outlasts the budget would only waste it: the next model may be quicker.
            if self.env.now() + pause < job.deadline {
                let delay_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                let (request, model) = (job.prompt.request.clone(), model.name.clone());
                let scheduled =
                    Event::RetryScheduled { request, model, delay_ms, cause: error.cause };
                self.env.emit(scheduled.name(), scheduled);
                self.env.after(pause, move |router, _| router.attempt(job));
                return;
            }
        }
        job.passed_over.push(Alternative {
            model: model.name.clone(),
            why: error.cause,
            tried: true,
        });
        job.model += 1;
        job.failures = 0;
        self.attempt(job);
    }

    fn deliver(&mut self, job: Job, model: &Model, output_tokens: u32, baggage: Rc<Baggage>) {
        let fallback_used = job.model > 0;
        let reason = if fallback_used { "fallback" } else { "primary" };
        let answer = Answer {
            request: job.prompt.request.clone(),
            baggage,
            model: model.name.clone(),
            provider: model.provider,
            reason,
            fallback_used,
            attempts: job.attempts,
            latency: self.env.now() - job.started,
            alternatives: job.passed_over,
            output_tokens,
            quota: None,
        };
        let routed = Event::RequestRouted {
            request: job.prompt.request,
            model: model.name.clone(),
            attempts: job.attempts,
            fallback_used,
            reason,
            provider: model.provider,
            latency_ms: 0,
            alternatives: Default::default(),
        };
        self.env.emit(routed.name(), routed);
        job.promise.keep(Ok(answer));
    }

    fn give_up(&mut self, job: Job, code: &'static str) {
        let (request, attempts) = (job.prompt.request, job.attempts);
        let failed = Event::RequestFailed {
            request,
            code,
            attempts,
            fallback_attempts: 0,
            causes: Default::default(),
        };
        self.env.emit(failed.name(), failed);
        job.promise.keep(Err(RouteError {
            code,
            attempts,
            causes: job.passed_over,
            retry_after: None,
        }));
    }
}

/// About four characters to a token, one byte each.
const BYTES_PER_TOKEN: u64 = 4;

impl Actor for Router {
    type Context = Context<Self>;
}

impl Handler<RouteRequest> for Router {
    type Result = Later<Result<Answer, RouteError>>;

    fn handle(&mut self, request: RouteRequest, _: &mut Context<Self>) -> Self::Result {
        let (promise, later) = Later::promise();
        let RouteRequest { prompt, patience } = request;
        let started = self.env.now();
        // Nobody is there for an answer after this, so nothing is tried after it.
        let deadline = started + self.settings.deadline.unwrap_or(patience).min(patience);
        let job = Job {
            prompt,
            promise,
            started,
            deadline,
            model: 0,
            failures: 0,
            attempts: 0,
            passed_over: Vec::new(),
        };
        let overhead = self.overheads.delay(&self.settings.overhead);
        self.env.after(overhead, move |router, _| router.attempt(job));
        later
    }
}

impl Handler<Chunk> for Router {
    type Result = ();

    fn handle(&mut self, _: Chunk, _: &mut Context<Self>) {}
}
