//! An agent: it asks for context, asks the router, and hands in its result.
//!
//! In a closed loop it does so again and again, with a pause in between; under an open load it
//! takes requests as they come, several at a time. It goes on alone while the sidecar is away, and
//! hands in what it owes when the sidecar is back.

use std::{cell::Cell, rc::Rc, time::Duration};

use actix::{Actor, Context, Handler};

use super::{
    Event, RequestId, RequestOutcome, leak,
    message::{Answer, Arrive, GetContext, PostResult, Prompt, RouteError, RouteRequest},
    router::Router,
    settings::{self, AgentGroup, Tokens},
    sidecar::Sidecar,
};
use crate::world::{CallError, Env, Peer, Stream, Time};

/// What an agent is made of.
#[derive(Clone)]
pub struct AgentParts {
    /// Its group.
    pub group: Rc<AgentGroup>,
    /// The router.
    pub router: Peer<Router>,
    /// The sidecar, if there is one, and how it is used.
    pub sidecar: Option<(Peer<Sidecar>, Rc<settings::Sidecar>)>,
    /// How many requests are left in its closed loop; `None` under an open load. It belongs to the
    /// work, not to the process, so a restarted agent goes on where it stopped.
    pub left: Option<Rc<Cell<u32>>>,
    /// A planted source of nondeterminism.
    pub leak: Option<leak::Leak>,
}

/// The actor.
pub struct Agent {
    env: Env<Agent>,
    parts: AgentParts,
    name: Rc<str>,
    workspace: Rc<str>,
    thinks: Stream,
    tokens: Stream,
    started: u32,
}

/// A request in hand.
#[derive(Clone)]
struct Job {
    prompt: Prompt,
    started: Time,
}

/// How long an agent waits before it tries to hand a result in again: at first, and at most.
const RESULT_RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// After this many tries it keeps the result to itself.
const RESULT_TRIES: u32 = 50;

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
        Agent { env, parts, name, workspace, thinks, tokens, started: 0 }
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
            self.start(None);
        }
    }

    fn start(&mut self, tokens: Option<(u32, u32)>) {
        self.started += 1;
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
        let prompt = Prompt {
            request: request.clone(),
            task: group.task,
            workspace: Rc::clone(&self.workspace),
            baggage: Rc::default(),
            input_tokens,
            output_tokens,
        };
        let job = Job { prompt, started: self.env.now() };
        self.emit(Event::RequestStarted {
            request: request.clone(),
            agent: Rc::clone(&self.name),
            task: group.task.as_str(),
            workspace: Rc::clone(&self.workspace),
        });
        match &self.parts.sidecar {
            None => self.route(job),
            Some((sidecar, settings)) => {
                let is_required = settings.required;
                self.env
                    .call(sidecar, GetContext { request })
                    .duplicable()
                    .timeout(settings.timeout)
                    .then(move |agent, context, _| agent.informed(job, context.err(), is_required));
            }
        }
    }

    /// The sidecar answered, or did not.
    fn informed(&mut self, job: Job, missing: Option<CallError>, is_required: bool) {
        let request = job.prompt.request.clone();
        match missing {
            None => self.emit(Event::ContextReceived { request }),
            Some(error) => {
                self.emit(Event::ContextMissing { request, cause: error.name() });
                if is_required {
                    return self.end(job, RequestOutcome::Refused);
                }
            }
        }
        self.route(job);
    }

    fn route(&mut self, job: Job) {
        let (prompt, patience) = (job.prompt.clone(), self.parts.group.deadline);
        self.env
            .call(&self.parts.router, RouteRequest { prompt, patience })
            .duplicable()
            .timeout(patience)
            .then(move |agent, result, _| agent.routed(job, result));
    }

    fn routed(&mut self, job: Job, result: Result<Result<Answer, RouteError>, CallError>) {
        let outcome = match result {
            Ok(Ok(answer)) => {
                self.hand_in(PostResult { request: answer.request, model: answer.model }, 1);
                RequestOutcome::Ok
            }
            Ok(Err(error)) if error.code == "deadline_exceeded" => RequestOutcome::TimedOut,
            Ok(Err(_)) | Err(CallError::Reset | CallError::Corrupted) => RequestOutcome::Failed,
            Err(CallError::TimedOut) => RequestOutcome::TimedOut,
            Err(CallError::Refused) => RequestOutcome::Refused,
        };
        self.end(job, outcome);
    }

    fn end(&mut self, job: Job, outcome: RequestOutcome) {
        let latency = self.env.now() - job.started;
        self.emit(Event::RequestEnded {
            request: job.prompt.request,
            outcome,
            latency_ms: u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
            error: None,
            baggage_kept: None,
        });
        if self.parts.left.is_some() {
            self.think();
        }
    }

    /// Hands a result in until the sidecar has it.
    fn hand_in(&mut self, result: PostResult, tries: u32) {
        let Some((sidecar, settings)) = &self.parts.sidecar else { return };
        self.env.call(sidecar, result.clone()).duplicable().timeout(settings.timeout).then(
            move |agent, stored, _| {
                if !matches!(stored, Ok(Ok(()))) && tries < RESULT_TRIES {
                    let (first, most) = RESULT_RETRY;
                    let pause = first.saturating_mul(1 << tries.min(10)).min(most);
                    agent.env.after(pause, move |agent, _| agent.hand_in(result, tries + 1));
                }
            },
        );
    }
}

impl Actor for Agent {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        if self.parts.left.is_some() {
            self.think();
        }
    }
}

impl Handler<Arrive> for Agent {
    type Result = ();

    fn handle(&mut self, Arrive { tokens }: Arrive, _: &mut Context<Self>) {
        self.start(tokens);
    }
}
