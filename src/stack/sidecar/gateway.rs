//! The gateway: every request comes in here, and every answer goes out.
//!
//! It counts connections and memory, lets requests in or not (`auth`), passes what they ask for to
//! the other actors on its node, and says how the sidecar is. It must never answer with anything of
//! another project than the token's, and never leave a request without an answer.
//!
//! Start at [`Gateway::new`]; `serve` passes requests on, `agents` starts agents, `registry` knows
//! them, `meter` says how fast it all is.

mod agents;
mod meter;
mod registry;
mod serve;

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use actix::{Actor, Context, Handler, Message};

use self::{meter::Meter, registry::Registry};
use super::{
    auth::{Gate, Keys, Quota, RateLimits, Refusal},
    context::{Assembler, Trim},
    events::{Broker, TrimEvents},
    gauges::Gauges,
    message::{Answer, Ask, Reply},
    pressure::Pressure,
    results::{Archive, Stored, Told},
    wire::{
        AgentId, Code, Fault, Headers, Made as _, ProjectId, Request, RequestId, ResultStatus,
        Route, Status,
    },
};
use crate::{
    policy::trace_context::read_state,
    stack::{
        settings,
        tracer::{self, Accepted, Span, SpanKind, SpanName, SpanStarted, Tracer},
    },
    world::{Env, Later, Peer, Promise, Stream, Time},
};

/// What an answer is: how it went, and what it says.
type Said = Result<(Status, Reply), Fault>;

/// An agent has handed in a result.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Ended {
    project: ProjectId,
    agent: AgentId,
    status: ResultStatus,
    at: jiff::Timestamp,
}

impl Ended {
    /// By this result.
    pub(super) fn of(stored: &Stored) -> Ended {
        Ended {
            project: stored.result.project_id.clone(),
            agent: stored.result.agent_id.clone(),
            status: stored.result.status,
            at: stored.stored_at,
        }
    }
}

/// A request in hand.
struct InHand {
    promise: Promise<Answer>,
    id: RequestId,
    /// The caller has named it itself.
    is_named: bool,
    since: Time,
    bytes: u64,
    /// Whose it is, once that is known.
    project: Option<ProjectId>,
    quota: Option<Quota>,
    span: Span,
}

impl InHand {
    /// The name that its caller gave it.
    fn own_name(&self) -> Option<RequestId> {
        self.is_named.then(|| self.id.clone())
    }
}

/// The actor.
pub struct Gateway {
    env: Env<Gateway>,
    settings: Rc<settings::Sidecar>,
    gate: Gate,
    gauges: Rc<Gauges>,
    pressure: Pressure,
    contexts: Peer<Assembler>,
    results: Peer<Archive>,
    events: Peer<Broker>,
    registry: Registry,
    names: Stream,
    tracer: Tracer,
    /// Requests in hand.
    connections: u32,
    requests: u64,
    started: Time,
    meters: BTreeMap<ProjectId, Meter>,
}

impl Gateway {
    /// A sidecar: the gateway, and the other actors on its node. It believes these keys, and knows
    /// these projects; others are tiny.
    pub fn new(
        env: Env<Gateway>,
        settings: Rc<settings::Sidecar>,
        keys: Rc<Keys>,
        projects: &[settings::Project],
    ) -> Gateway {
        let gauges = Rc::new(Gauges::default());
        let (own, shared) = (Rc::clone(&settings), Rc::clone(&gauges));
        let contexts = env.spawn("contexts", move |env| Assembler::new(env, own, shared, projects));
        let (own, shared) = (Rc::clone(&settings), Rc::clone(&gauges));
        let events = env.spawn("events", move |env| Broker::new(env, own, shared));
        let (own, shared) = (Rc::clone(&settings), Rc::clone(&gauges));
        let told = Told { gateway: env.me(), contexts, events };
        let results = env.spawn("results", move |env| Archive::new(env, own, shared, told));
        let rates = settings.rates.iter().fold(RateLimits::none(), |rates, (role, allowance)| {
            rates.with(*role, Some(*allowance))
        });
        let gate = Gate::new((*keys).clone(), settings.limits, rates);
        let registry = Registry::restore(&env.disk());
        Gateway {
            names: env.stream("agents"),
            tracer: Tracer::new(&env, settings.tracing),
            started: env.now(),
            env,
            settings,
            gate,
            gauges,
            pressure: Pressure::default(),
            contexts,
            results,
            events,
            registry,
            connections: 0,
            requests: 0,
            meters: BTreeMap::new(),
        }
    }

    /// With only so much memory and so many connections as this leaves it.
    #[must_use]
    pub fn under(self, pressure: Pressure) -> Gateway {
        Gateway { pressure, ..self }
    }

    /// By what name a request is known: its own, or one that is made up.
    fn name(&mut self, request: &Request) -> RequestId {
        self.requests += 1;
        let made = || format!("req-{}-{}", self.env.incarnation(), self.requests);
        request.id().unwrap_or_else(|| RequestId::made(&made()))
    }

    /// That there is no room for a request; what is too old makes room for the next one.
    fn crowded(&self, request: &Request, bytes: u64) -> Option<Fault> {
        let (settings, pressure) = (&self.settings, &self.pressure);
        let message = if self.connections >= pressure.connections(settings) {
            "all connections are in use"
        } else if self.gauges.bytes().saturating_add(bytes) > pressure.memory(settings) {
            self.env.send(&self.contexts, Trim);
            self.env.send(&self.events, TrimEvents);
            "out of memory"
        } else {
            return None;
        };
        let code = Route::of(request, &self.settings.limits).map_or(Code::Http, Route::busy_code);
        Some(unavailable(code, message))
    }

    fn admit(&mut self, request: &Request, mut it: InHand) {
        match self.gate.admit(request, self.env.utc(), self.env.now()) {
            Ok(admitted) => {
                it.quota = admitted.quota;
                it.project = admitted.claims.as_ref().map(|claims| claims.project_id.clone());
                self.serve(admitted.call, admitted.claims, it);
            }
            Err(Refusal { fault, quota }) => {
                it.quota = quota;
                self.answer(it, Err(fault));
            }
        }
    }

    /// The end of every request that was taken in hand.
    fn answer(&mut self, it: InHand, said: Said) {
        self.connections -= 1;
        let requests = &self.gauges.requests;
        requests.set(requests.get() - it.bytes);
        if let Some(project) = &it.project {
            let (now, started) = (self.env.now(), self.started);
            let meter = self.meters.entry(project.clone()).or_insert_with(|| Meter::new(started));
            meter.record(now - it.since);
        }
        let answer = self.to_answer(&it.id, it.quota, said);
        self.end_span(&it.span, &answer);
        it.promise.keep(answer);
    }

    fn begin_span(&mut self, request: &Request) -> Span {
        let headers = request.headers.all("traceparent");
        let Accepted { span, restarted } = self.tracer.accept_headers(&self.env, headers);
        tracer::started(&self.env, &span, || {
            let (method, route) =
                (request.method.as_str(), Route::of(request, &self.settings.limits));
            let route = route.map_or("none", Route::as_str);
            // What belongs to a header that cannot be read is not passed on either.
            let state = request.headers.all("tracestate");
            let state = read_state(state).filter(|_| !restarted).map(Into::into);
            SpanStarted {
                restarted,
                state,
                ..SpanStarted::new(span, SpanKind::Server, SpanName::Http(method, route))
            }
            .with([("http.request.method", method.into()), ("seedbed.route", route.into())])
        });
        span
    }

    fn end_span(&self, span: &Span, answer: &Answer) {
        let status = answer.status.as_u16();
        // Only its own mistakes are a server's errors (OpenTelemetry's conventions for HTTP).
        let error = (status >= 500).then(|| status.to_string());
        tracer::ended(&self.env, span, error.as_deref(), || {
            vec![("http.response.status_code", status.into())]
        });
    }

    fn to_answer(&self, id: &RequestId, quota: Option<Quota>, said: Said) -> Answer {
        let mut headers = Headers::new();
        headers.add("X-Request-Id", id.as_str());
        if let Some(quota) = quota {
            quota.add_to(&mut headers);
        }
        match said {
            Ok((status, body)) => Answer { status, headers, body },
            Err(fault) => {
                if let Some(seconds) = fault.retry_after_seconds {
                    headers.add("Retry-After", seconds.to_string());
                }
                let body = Reply::Fault(fault.body(self.env.utc(), id));
                Answer { status: fault.status, headers, body }
            }
        }
    }
}

/// Not now, but soon.
fn unavailable(code: Code, message: &str) -> Fault {
    Fault { retry_after_seconds: Some(1), ..Fault::new(Status::Unavailable, code, message) }
}

/// Bytes that a request takes up.
fn size(request: &Request) -> u64 {
    // What is there for tracing counts for nothing, so that it changes nothing.
    let counts = |(name, _): &(&str, &str)| !name.eq_ignore_ascii_case("traceparent");
    let headers = request.headers.iter().filter(counts);
    let headers = headers.map(|(name, value)| name.len() + value.len());
    (request.body.len() + request.path.len() + headers.sum::<usize>()) as u64
}

impl Actor for Gateway {
    type Context = Context<Self>;
}

impl Handler<Ask> for Gateway {
    type Result = Later<Answer>;

    fn handle(&mut self, Ask(request): Ask, _: &mut Context<Self>) -> Self::Result {
        let (promise, later) = Later::promise();
        let (id, bytes) = (self.name(&request), size(&request));
        let span = self.begin_span(&request);
        if let Some(fault) = self.crowded(&request, bytes) {
            let answer = self.to_answer(&id, None, Err(fault));
            self.end_span(&span, &answer);
            promise.keep(answer);
            return later;
        }
        self.connections += 1;
        self.gauges.requests.set(self.gauges.requests.get() + bytes);
        let since = self.env.now();
        let is_named = request.id().is_some();
        let it = InHand { promise, id, is_named, since, bytes, project: None, quota: None, span };
        self.admit(&request, it);
        later
    }
}

impl Handler<Ended> for Gateway {
    type Result = ();

    fn handle(&mut self, ended: Ended, _: &mut Context<Self>) {
        let Ended { project, agent, status, at } = ended;
        self.registry.ended(&project, &agent, status, at);
    }
}

/// Whole megabytes, rounded up.
fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// Milliseconds, for people.
fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
