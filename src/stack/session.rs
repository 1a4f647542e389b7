//! Who one is at the sidecar, and how one asks it: the client side of its contract.
//!
//! Every request of every user goes through [`Session::ask`], which says how it ended. It must never
//! know more of the sidecar than what its answers say.
//!
//! `calls` are the requests of the contract, `answer` what is made of an answer, `report` what is
//! handed in and published, `ledger` what users tell the auditor.

mod answer;
mod calls;
mod ledger;
mod raw;
mod report;
#[cfg(test)]
mod tests;
mod token;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use actix::{Actor, Context};

pub use self::ledger::{Ledger, Resolver, Worker};
pub(super) use self::{
    answer::Refusal,
    calls::{Listening, Telling, encoded},
    report::{Report, key},
    token::{with_claim, with_header},
};
use super::{
    SidecarEvent,
    settings::{self, Badge, TokenKind},
    sidecar::{
        Gateway,
        auth::{Claims, Keys},
        message::{Ask, Reply},
        wire::{AgentId, Method, Request},
    },
    tracer::{self, Span, SpanKind, SpanName, SpanStarted, Tracer},
};
use crate::{
    policy::trace_context::TraceContext,
    world::{Env, Peer},
};

/// All that is needed to use the sidecar.
#[derive(Clone)]
pub struct SidecarParts {
    /// The sidecar.
    pub gateway: Peer<Gateway>,
    /// How it is set up.
    pub settings: Rc<settings::Sidecar>,
    /// What tokens are signed with: whoever starts an agent gives it one.
    pub keys: Rc<Keys>,
    /// Whether its name can be resolved.
    pub resolver: Resolver,
    /// What users tell the auditor.
    pub ledger: Ledger,
}

/// One user of the sidecar, in one life.
pub(super) struct Session {
    pub(super) parts: SidecarParts,
    pub(super) badge: Badge,
    /// The node. A restart keeps it.
    pub(super) who: Rc<str>,
    pub(super) agent: AgentId,
    pub(super) project: Rc<str>,
    token: RefCell<Option<(Claims, String)>>,
    tracer: RefCell<Tracer>,
    /// What the next request is a part of.
    within: Cell<Option<TraceContext>>,
    /// How many events it has published in this life.
    published: Cell<u64>,
    life: u32,
}

impl Session {
    /// Who acts on this node.
    pub(super) fn new<A>(env: &Env<A>, parts: SidecarParts, badge: Badge) -> Session
    where
        A: Actor<Context = Context<A>>,
    {
        let who = env.node_name();
        parts.ledger.acts_in(&badge.project);
        Session {
            // One actor may have a session in each of several projects.
            tracer: RefCell::new(Tracer::of(env, badge.project.as_str(), parts.settings.tracing)),
            within: Cell::new(None),
            agent: agent_id(&who),
            project: badge.project.as_str().into(),
            badge,
            who,
            parts,
            token: RefCell::default(),
            published: Cell::new(0),
            life: env.incarnation(),
        }
    }

    pub(super) fn emit<A>(env: &Env<A>, event: SidecarEvent)
    where
        A: Actor<Context = Context<A>>,
    {
        env.emit(event.name(), event);
    }

    /// The next request is a part of this span. Others begin traces of their own.
    pub(super) fn within(&self, span: TraceContext) {
        self.within.set(Some(span));
    }

    /// The span of a request, which goes with it as its `traceparent`.
    fn begin_span<A>(&self, env: &Env<A>, request: &mut Request, route: &'static str) -> Span
    where
        A: Actor<Context = Context<A>>,
    {
        let mut tracer = self.tracer.borrow_mut();
        let span = match self.within.take() {
            Some(within) => tracer.child(&within),
            None => tracer.root(),
        };
        request.headers.add("traceparent", span.context.to_string());
        tracer::started(env, &span, || {
            let method = request.method.as_str();
            SpanStarted::new(span, SpanKind::Client, SpanName::Http(method, route)).with([
                ("http.request.method", method.into()),
                ("seedbed.route", route.into()),
                ("agent.id", Rc::clone(&self.who).into()),
                ("seedbed.project", Rc::clone(&self.project).into()),
            ])
        });
        span
    }

    /// Sends a request that has its token, and says how it ended. `token` is what is wrong with it,
    /// and `patience` how long the answer may take.
    pub(super) fn ask<A>(
        &self,
        env: &Env<A>,
        mut request: Request,
        token: TokenKind,
        patience: Duration,
        then: impl FnOnce(&mut A, Result<Reply, Refusal>, &mut Context<A>) + 'static,
    ) where
        A: Actor<Context = Context<A>>,
    {
        let asked = env.now();
        let route = answer::route(&request, &self.parts.settings.limits);
        let (who, project) = (Rc::clone(&self.who), Rc::clone(&self.project));
        let agent_type = self.badge.agent_type.as_str();
        let own = env.clone();
        let bytes = u64::try_from(request.path.len() + request.body.len()).unwrap_or(u64::MAX);
        let span = self.begin_span(env, &mut request, route);
        let end = move |actor: &mut A, heard: answer::Heard, ctx: &mut Context<A>| {
            let latency_ms = (own.now() - asked).as_millis();
            let error = (!heard.error.is_empty()).then_some(heard.error);
            tracer::ended(&own, &span, error, || match heard.status {
                0 => Vec::new(),
                status => vec![("http.response.status_code", status.into())],
            });
            let answered = SidecarEvent::Answered {
                who: Rc::clone(&who),
                agent_type,
                project: Rc::clone(&project),
                token: token.as_str(),
                route,
                status: heard.status,
                error: heard.error,
                field: heard.field,
                asked_ns: asked.as_nanos(),
                latency_ms: u64::try_from(latency_ms).unwrap_or(u64::MAX),
                shows: heard.shows,
                count: heard.count,
            };
            Session::emit(&own, answered);
            if let Ok(Reply::Context(context)) = &heard.result {
                Session::emit(&own, answer::shown(who, project, context));
            }
            then(actor, heard.result, ctx);
        };
        if !self.parts.resolver.resolves(&self.who) {
            let heard = answer::Heard::none("unresolved");
            env.after(LOOKUP, move |actor, ctx| end(actor, heard, ctx));
            return;
        }
        // Handled twice, it does nothing more. Who waits may be handed its events once only.
        let is_repeatable = request.headers.get("Idempotency-Key").is_some()
            || (request.method == Method::Get && route != "wait");
        let call = env.call(&self.parts.gateway, Ask(Rc::new(request)));
        let call = call.bytes(bytes.saturating_add(HEADERS)).timeout(patience);
        let call = if is_repeatable { call.duplicable() } else { call };
        call.then(move |actor, answer, ctx| {
            let heard = match answer {
                Ok(answer) => answer::Heard::of(answer),
                Err(error) => answer::Heard::none(error.name()),
            };
            end(actor, heard, ctx);
        });
    }
}

/// How long it takes to learn that a name is not known.
const LOOKUP: Duration = Duration::from_millis(1);
/// Bytes of a request line and usual headers with a token.
const HEADERS: u64 = 768;

/// The id of an agent on this node. Names of nodes are ids, unless somebody built a world in code
/// and wanted something else.
#[expect(clippy::expect_used, reason = "letters, digits and `-` behind a letter are an id")]
fn agent_id(node: &str) -> AgentId {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    AgentId::new(node).unwrap_or_else(|_| {
        let name: String = node.chars().take(64).map(plain).collect();
        AgentId::new(&format!("agent-{name}")).expect("an id")
    })
}
