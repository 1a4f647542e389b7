//! An agent: it asks for context, asks the router or works by itself, and hands in its result.
//!
//! In a closed loop it does so again and again, with a pause in between; under an open load it
//! takes requests as they come, several at a time; or it waits for events and does so for each
//! (`wakes`). It goes on alone while the sidecar is away, and hands in what it owes when the sidecar
//! is back (`outbox`).

mod outbox;
#[cfg(test)]
mod tests;
mod wakes;

use std::{cell::Cell, collections::BTreeMap, rc::Rc, time::Duration};

use actix::{Actor, Context, Handler};

use self::{
    outbox::Outbox,
    wakes::{Wakes, Woken},
};
use super::{
    Event, RequestId, RequestOutcome, leak,
    message::{Answer, AnswerPart, Arrive, Baggage, Prompt, RouteError, RouteRequest},
    router::Router,
    session::{Refusal, Session, SidecarParts, Worker},
    settings::{AgentGroup, Tokens, Tracing},
    tracer::{self, Span, SpanKind, SpanName, SpanStarted, Tracer},
};
use crate::policy::{
    profile::{Decision, Failure, Profile},
    retry_after::within,
};
use crate::world::{CallError, Env, Peer, Stream, Time};

/// What an agent is made of.
#[derive(Clone)]
pub struct AgentParts {
    /// Its group.
    pub group: Rc<AgentGroup>,
    /// The router; a group that works by itself needs none.
    pub router: Option<Peer<Router>>,
    /// The sidecar, if there is one.
    pub sidecar: Option<SidecarParts>,
    /// How many requests are left in its closed loop; `None` under an open load. It belongs to the
    /// work, not to the process, so a restarted agent goes on where it stopped.
    pub left: Option<Rc<Cell<u32>>>,
    /// A planted source of nondeterminism.
    pub leak: Option<leak::Leak>,
    /// How its traces are made.
    pub tracing: Tracing,
}

/// The actor.
pub struct Agent {
    env: Env<Agent>,
    parts: AgentParts,
    name: Rc<str>,
    workspace: Rc<str>,
    operation: Option<Rc<str>>,
    thinks: Stream,
    works: Stream,
    tokens: Stream,
    retries: Stream,
    sdk: Option<Profile>,
    tracer: Tracer,
    started: u32,
    /// The requests in hand, by number, as far as their answers have come.
    open: BTreeMap<u32, Open>,
    /// How many requests are in hand.
    in_hand: u32,
    session: Option<Session>,
    outbox: Outbox,
    wakes: Wakes,
    worker: Option<Worker>,
}

/// A request in hand.
struct Job {
    prompt: Prompt,
    started: Time,
    /// The event that it was begun for.
    woken: Option<Woken>,
    /// When its agent gives it up for good.
    deadline: Time,
    /// How often the router was asked.
    attempts: u32,
    span: Span,
    /// The last call of the router.
    call: Option<Span>,
}

/// How far an answer has come.
struct Open {
    began: Time,
    attempt: u32,
    /// Whose tokens have come, and in which of the router's calls.
    source: Option<(Rc<str>, u32)>,
}

impl Agent {
    /// An agent.
    pub fn new(env: Env<Agent>, parts: AgentParts) -> Agent {
        let node = env.node_name();
        // Requests of a later life have names of their own.
        let name = match env.incarnation() {
            0 => node,
            life => format!("{node}+{life}").into(),
        };
        let workspace = parts.group.workspace.as_deref().unwrap_or_default().into();
        let (thinks, tokens) = (env.stream("think"), env.stream("tokens"));
        let (retries, tracer) = (env.stream("retries"), Tracer::new(&env, parts.tracing));
        let sdk = parts.group.sdk.map(Profile::new);
        let sidecar = parts.sidecar.as_ref();
        let session =
            sidecar.map(|sidecar| Session::new(&env, sidecar.clone(), parts.group.badge.clone()));
        Agent {
            workspace,
            operation: parts.group.operation.as_deref().map(Into::into),
            thinks,
            works: env.stream("work"),
            tokens,
            retries,
            sdk,
            tracer,
            started: 0,
            open: BTreeMap::new(),
            in_hand: 0,
            session,
            outbox: Outbox::default(),
            wakes: Wakes::default(),
            worker: sidecar.map(|sidecar| sidecar.ledger.worker()),
            env,
            parts,
            name,
        }
    }

    /// Says whether there is still something to do.
    fn note(&mut self) {
        let is_waker = self.parts.group.wakes_on.is_some();
        let left =
            self.parts.left.as_ref().filter(|_| !is_waker).is_some_and(|left| left.get() > 0);
        let is_busy = left || self.in_hand > 0 || self.outbox.is_busy() || self.wakes.is_listening;
        if let Some(worker) = &mut self.worker {
            worker.set_busy(is_busy);
        }
    }

    fn emit(&self, event: Event) {
        self.env.emit(event.name(), event);
    }

    fn think(&mut self) {
        let pause = self.thinks.delay(&self.parts.group.think);
        let pause = pause + self.parts.leak.map_or(Duration::ZERO, leak::Leak::nanos);
        self.env.after(pause, |agent, _| agent.next());
    }

    /// The next turn of the closed loop.
    fn next(&mut self) {
        if let Some(left) = &self.parts.left
            && let Some(rest) = left.get().checked_sub(1)
        {
            left.set(rest);
            self.start(None, None);
        }
        self.note();
    }

    fn start(&mut self, tokens: Option<(u32, u32)>, woken: Option<Woken>) {
        self.started += 1;
        self.in_hand += 1;
        let group = &self.parts.group;
        let mut draw = |tokens: Tokens| match tokens {
            Tokens::Fixed(count) => count,
            Tokens::Uniform { min, max } => {
                self.tokens.between(u64::from(min), u64::from(max)) as u32
            }
        };
        let (input_tokens, output_tokens) =
            tokens.unwrap_or_else(|| (draw(group.input_tokens), draw(group.output_tokens)));
        let request = RequestId { agent: Rc::clone(&self.name), number: self.started };
        let span = self.tracer.root();
        let prompt = Prompt {
            request: request.clone(),
            task: group.task,
            operation: self.operation.clone(),
            workspace: Rc::clone(&self.workspace),
            baggage: Rc::new(Baggage::of(&request, span.context)),
            input_tokens,
            output_tokens,
        };
        let now = self.env.now();
        let deadline = now + group.deadline;
        let job = Job { prompt, started: now, woken, deadline, attempts: 0, span, call: None };
        self.emit(Event::RequestStarted {
            request: request.clone(),
            agent: Rc::clone(&self.name),
            task: group.task.as_str(),
            workspace: Rc::clone(&self.workspace),
        });
        tracer::started(&self.env, &span, || {
            let group = &self.parts.group;
            let group: Rc<str> = group.name.as_str().into();
            let name = SpanName::Of("invoke_agent ", Rc::clone(&group));
            SpanStarted::new(span, SpanKind::Internal, name).of(&request).with([
                ("gen_ai.operation.name", "invoke_agent".into()),
                ("gen_ai.provider.name", "seedbed".into()),
                ("gen_ai.agent.name", group.into()),
                ("gen_ai.conversation.id", request.clone().into()),
                ("agent.id", Rc::clone(&self.name).into()),
            ])
        });
        self.note();
        self.inform(job);
    }

    /// Asks the sidecar what it must know.
    fn inform(&mut self, job: Job) {
        let Some(session) = &self.session else { return self.work(job) };
        session.within(job.span.context);
        session.context(&self.env, move |agent, context| agent.informed(job, context));
    }

    /// The sidecar answered, or did not.
    fn informed(&mut self, job: Job, context: Result<(), Refusal>) {
        let Some(session) = &self.session else { return };
        let (required, patience) =
            (session.parts.settings.required, session.parts.settings.timeout);
        let request = job.prompt.request.clone();
        if let Err(Refusal { status: 429, retry_after: Some(wait), .. }) = context {
            // Not longer than it would have waited for an answer, if it can do without one.
            let until = if required { job.deadline } else { job.started + patience };
            if self.env.now() + wait <= until {
                self.env.after(wait, move |agent, _| agent.inform(job));
                return;
            }
        }
        match context {
            Ok(()) => {
                self.in_touch();
                self.emit(Event::ContextReceived { request });
            }
            Err(refusal) => {
                self.emit(Event::ContextMissing { request, cause: refusal.cause });
                if !refusal.is_answer() {
                    self.alone(refusal.cause);
                }
                if required {
                    return self.end(job, RequestOutcome::Refused, Some("no_context"), None);
                }
            }
        }
        self.work(job);
    }

    /// By itself, or with the router.
    fn work(&mut self, job: Job) {
        match &self.parts.group.work {
            None => self.route(job),
            Some(work) => {
                let takes = self.works.delay(work);
                self.env.after(takes, move |agent, _| agent.done(job, "worked by itself", None));
            }
        }
    }

    fn route(&mut self, mut job: Job) {
        let Some(router) = self.parts.router else {
            return self.end(job, RequestOutcome::Refused, Some("no_router"), None);
        };
        job.attempts += 1;
        let left = job.deadline - self.env.now();
        let patience = self.parts.group.timeout.map_or(left, |timeout| timeout.min(left));
        let (prompt, reader) = (job.prompt.clone(), Some(self.env.me()));
        let attempt = job.attempts;
        let open = Open { began: job.started, attempt, source: None };
        self.open.insert(prompt.request.number, open);
        let call = self.tracer.child(&job.span.context);
        let before = job.call.replace(call);
        let trace = self.tracer.header(&call);
        tracer::started(&self.env, &call, || SpanStarted {
            link: before.map(|before| before.context.span),
            ..SpanStarted::new(call, SpanKind::Client, SpanName::Of("a2a.", Rc::clone(&self.name)))
                .of(&prompt.request)
                .with([
                    ("agent.id", Rc::clone(&self.name).into()),
                    ("request.type", prompt.task.as_str().into()),
                    ("seedbed.attempt", attempt.into()),
                ])
        });
        self.env
            .call(&router, RouteRequest { prompt, patience, reader, attempt, trace })
            .timeout(patience)
            .then(move |agent, result, _| agent.routed(job, result));
    }

    fn routed(&mut self, job: Job, result: Result<Result<Answer, RouteError>, CallError>) {
        self.open.remove(&job.prompt.request.number);
        if let Some(call) = &job.call {
            let error = match &result {
                Ok(Ok(_)) => None,
                Ok(Err(error)) => Some(error.code),
                Err(error) => Some(error.name()),
            };
            tracer::ended(&self.env, call, error, || {
                vec![("response.success", error.is_none().into())]
            });
        }
        let Some(job) = self.try_again(job, &result) else { return };
        match result {
            Ok(Ok(answer)) => {
                let (tokens, whole) = (answer.output_tokens, job.prompt.output_tokens);
                if tokens < whole {
                    let (request, model) = (answer.request.clone(), Rc::clone(&answer.model));
                    self.emit(Event::AnswerTruncated { request, model, tokens, whole });
                }
                let kept = *answer.baggage == *job.prompt.baggage;
                self.done(job, &answer.model, Some(kept));
            }
            Ok(Err(error)) => {
                let outcome = match error.code {
                    "deadline_exceeded" => RequestOutcome::TimedOut,
                    // Nobody tried.
                    "skipped" | "quota_exceeded" | "overloaded" | "disk_full" => {
                        RequestOutcome::Refused
                    }
                    _ => RequestOutcome::Failed,
                };
                self.end(job, outcome, Some(error.code), None);
            }
            Err(error) => {
                let outcome = match error {
                    CallError::Reset | CallError::Corrupted => RequestOutcome::Failed,
                    CallError::TimedOut => RequestOutcome::TimedOut,
                    CallError::Refused => RequestOutcome::Refused,
                };
                self.end(job, outcome, Some(error.name()), None);
            }
        }
    }

    /// What the agent's SDK does about a failure; the request if it is over.
    fn try_again(
        &mut self,
        job: Job,
        result: &Result<Result<Answer, RouteError>, CallError>,
    ) -> Option<Job> {
        let Some(sdk) = &self.sdk else { return Some(job) };
        let (failure, wait) = match result {
            Ok(Ok(_)) => return Some(job),
            Ok(Err(error)) => (Failure::Status(error.status()), error.retry_after),
            Err(CallError::TimedOut) => (Failure::Timeout, None),
            Err(_) => (Failure::Connection, None),
        };
        // In whole seconds, as routers send it; never less than was meant.
        let seconds = |wait: Duration| wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let header = |wait: Duration| ("retry-after", seconds(wait).to_string());
        let headers: Vec<_> = wait.map(header).into_iter().collect();
        let utc = self.env.utc();
        let decision = sdk.decide(job.attempts, failure, &headers, utc, &mut self.retries);
        let left = job.deadline - self.env.now();
        let Decision::Retry { after } = decision else { return Some(job) };
        // Whatever the router says: the agent's own deadline comes first.
        let Some(pause) = within(after, Some(left)) else { return Some(job) };
        self.env.after(pause, move |agent, _| agent.route(job));
        None
    }

    fn end(
        &mut self,
        job: Job,
        outcome: RequestOutcome,
        error: Option<&'static str>,
        baggage_kept: Option<bool>,
    ) {
        let latency = self.env.now() - job.started;
        tracer::ended(&self.env, &job.span, error, Vec::new);
        self.emit(Event::RequestEnded {
            request: job.prompt.request,
            outcome,
            latency_ms: millis(latency),
            error,
            baggage_kept,
        });
        self.in_hand = self.in_hand.saturating_sub(1);
        if self.parts.left.is_some() && self.parts.group.wakes_on.is_none() {
            self.think();
        }
        self.note();
    }
}

impl Actor for Agent {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.restore();
        if self.parts.group.wakes_on.is_some() {
            self.listen();
        } else if self.parts.left.is_some() {
            self.think();
        }
        self.note();
    }
}

/// Whole milliseconds.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Handler<AnswerPart> for Agent {
    type Result = ();

    fn handle(&mut self, part: AnswerPart, _: &mut Context<Self>) {
        let AnswerPart { request, attempt, model, call, .. } = part;
        // Of an attempt that is over, or of an earlier life.
        let is_open = |open: &&mut Open| open.attempt == attempt && request.agent == self.name;
        let Some(open) = self.open.get_mut(&request.number).filter(is_open) else { return };
        let began = open.began;
        match open.source.replace((Rc::clone(&model), call)) {
            None => {
                let latency_ms = millis(self.env.now() - began);
                self.emit(Event::FirstToken { request, model, latency_ms });
            }
            // Also a second answer of the same model is another one.
            Some((from, before)) if from != model || before != call => {
                self.emit(Event::StreamMixed { request, from, to: model });
            }
            Some(_) => {}
        }
    }
}

impl Handler<Arrive> for Agent {
    type Result = ();

    fn handle(&mut self, Arrive { tokens }: Arrive, _: &mut Context<Self>) {
        self.start(tokens, None);
    }
}
