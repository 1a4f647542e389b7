//! Spans: what each actor says of its part in a request, and the context that goes with every message.
//!
//! Contexts are made and carried in every run, from streams of their own, so that a history is the
//! same whether anybody looks or not. What a span says is a note to observers: it is made only if one
//! of them wants notes and the trace is sampled. Nothing here may change what an actor does.

mod text;

use std::rc::Rc;

use actix::{Actor, Context};

pub use text::{Attribute, SpanName, SpanValue};

use super::{
    Event, RequestId,
    settings::{BROKEN_HEADERS, Tracing},
};
use crate::{
    policy::trace_context::{SpanId, TraceContext, TraceId},
    world::{CallError, Env, Later, Promise, Stream},
};

/// The header of a message, as it is on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TraceHeader {
    /// There is none.
    #[default]
    Missing,
    /// Well-formed: the text of [`TraceContext`]'s `Display`, not yet written.
    Of(TraceContext),
    /// Anything else.
    Text(Rc<str>),
}

impl From<TraceContext> for TraceHeader {
    fn from(context: TraceContext) -> TraceHeader {
        TraceHeader::Of(context)
    }
}

/// A span, as its actor knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its trace and its own id.
    pub context: TraceContext,
    /// The span that it is a part of; none at the root.
    pub parent: Option<SpanId>,
}

/// Which end of a call a span is at (OTLP's kinds, without those of queues).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// Neither.
    Internal,
    /// It takes a call.
    Server,
    /// It makes one.
    Client,
}

/// A span begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanStarted {
    /// Which.
    pub span: Span,
    /// At which end.
    pub kind: SpanKind,
    /// Its name.
    pub name: SpanName,
    /// The request that it is part of, by the word of the actor and not of the header.
    pub request: Option<RequestId>,
    /// The try before this one.
    pub link: Option<SpanId>,
    /// Whether it is a root because its header could not be read.
    pub restarted: bool,
    /// What came as `tracestate`.
    pub state: Option<Rc<str>>,
    /// What is known at its beginning.
    pub attributes: Vec<Attribute>,
}

/// A span ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanEnded {
    /// Which.
    pub context: TraceContext,
    /// What went wrong, if anything did: `error.type`.
    pub error: Option<Rc<str>>,
    /// What is known at its end.
    pub attributes: Vec<Attribute>,
}

/// What the notes of an actor say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpanNote {
    /// A span begins.
    Started(Rc<SpanStarted>),
    /// A span ends.
    Ended(Rc<SpanEnded>),
}

impl SpanStarted {
    pub(super) fn new(span: Span, kind: SpanKind, name: impl Into<SpanName>) -> SpanStarted {
        SpanStarted {
            span,
            kind,
            name: name.into(),
            request: None,
            link: None,
            restarted: false,
            state: None,
            attributes: Vec::new(),
        }
    }

    pub(super) fn of(mut self, request: &RequestId) -> SpanStarted {
        self.request = Some(request.clone());
        self
    }

    pub(super) fn with(mut self, attributes: impl IntoIterator<Item = Attribute>) -> SpanStarted {
        self.attributes.extend(attributes);
        self
    }
}

/// A span of a call that came in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepted {
    pub(super) span: Span,
    /// Whether its header could not be read, so that the span begins a trace.
    pub(super) restarted: bool,
}

/// An answer that is owed, and the span that ends with it.
pub(super) struct Owed<T: 'static> {
    promise: Promise<T>,
    span: Span,
}

impl<T> Owed<T> {
    /// Gives the answer; `error` says what is wrong with it, if something is.
    pub(super) fn keep<A: Actor<Context = Context<A>>>(
        self,
        env: &Env<A>,
        error: Option<&str>,
        answer: T,
    ) {
        ended(env, &self.span, error, Vec::new);
        self.promise.keep(answer);
    }

    /// Breaks the connection.
    pub(super) fn reset<A: Actor<Context = Context<A>>>(self, env: &Env<A>) {
        ended(env, &self.span, Some("reset"), Vec::new);
    }
}

/// The ids of one actor's spans.
pub(super) struct Tracer {
    settings: Tracing,
    ids: Stream,
    breaks: Stream,
}

impl Tracer {
    pub(super) fn new<A: Actor<Context = Context<A>>>(env: &Env<A>, settings: Tracing) -> Tracer {
        Tracer { settings, ids: env.stream("spans"), breaks: env.stream("spans/broken") }
    }

    /// That of a part of an actor: it has ids of its own.
    pub(super) fn of<A: Actor<Context = Context<A>>>(
        env: &Env<A>,
        part: &str,
        settings: Tracing,
    ) -> Tracer {
        let ids = env.stream(&format!("spans/of/{part}"));
        Tracer { ids, ..Tracer::new(env, settings) }
    }

    fn id(&mut self) -> u64 {
        self.ids.between(0, u64::MAX)
    }

    /// The first span of a new trace.
    pub(super) fn root(&mut self) -> Span {
        let trace = TraceId::new(u128::from(self.id()) << 64 | u128::from(self.id()));
        let sampled = trace.is_sampled(self.settings.sample);
        let span = SpanId::new(self.id());
        Span { context: TraceContext { trace, span, sampled }, parent: None }
    }

    /// A span of the same trace, within another one.
    pub(super) fn child(&mut self, of: &TraceContext) -> Span {
        let context = TraceContext { span: SpanId::new(self.id()), ..*of };
        Span { context, parent: Some(of.span) }
    }

    /// The span of a call with this header. One that cannot be read begins a trace, and is counted.
    pub(super) fn accept<A: Actor<Context = Context<A>>>(
        &mut self,
        env: &Env<A>,
        header: &TraceHeader,
    ) -> Accepted {
        match header {
            TraceHeader::Of(context) => Accepted { span: self.child(context), restarted: false },
            TraceHeader::Missing => self.accept_headers(env, std::iter::empty()),
            TraceHeader::Text(text) => self.accept_headers(env, std::iter::once(&**text)),
        }
    }

    /// The same, of all headers of this name.
    pub(super) fn accept_headers<'a, A: Actor<Context = Context<A>>>(
        &mut self,
        env: &Env<A>,
        headers: impl Iterator<Item = &'a str>,
    ) -> Accepted {
        match TraceContext::read(headers) {
            Ok(Some(context)) => Accepted { span: self.child(&context), restarted: false },
            Ok(None) => Accepted { span: self.root(), restarted: false },
            Err(error) => {
                let event = Event::TraceRestarted { cause: error.as_str() };
                env.emit(event.name(), event);
                Accepted { span: self.root(), restarted: true }
            }
        }
    }

    /// A call is made, as a part of a span or of nothing: the span of it, whose context goes with it.
    pub(super) fn call<A: Actor<Context = Context<A>>>(
        &mut self,
        env: &Env<A>,
        within: Option<&Span>,
        name: impl FnOnce() -> String,
    ) -> Span {
        let span = match within {
            Some(within) => self.child(&within.context),
            None => self.root(),
        };
        started(env, &span, || SpanStarted::new(span, SpanKind::Client, name()));
        span
    }

    /// A call with this header came in, and is answered later.
    pub(super) fn take<A: Actor<Context = Context<A>>, T>(
        &mut self,
        env: &Env<A>,
        header: &TraceHeader,
        name: impl FnOnce() -> String,
    ) -> (Owed<T>, Later<T>) {
        let Accepted { span, restarted } = self.accept(env, header);
        started(env, &span, || SpanStarted {
            restarted,
            ..SpanStarted::new(span, SpanKind::Server, name())
        });
        let (promise, later) = Later::promise();
        (Owed { promise, span }, later)
    }

    /// The header of a call, as the caller sends it: now and then a broken one, if the sim says so.
    pub(super) fn header(&mut self, span: &Span) -> TraceHeader {
        if self.settings.broken.as_ppm() == 0 || !self.breaks.chance(self.settings.broken) {
            return span.context.into();
        }
        let text = span.context.to_string();
        let broken = match self.breaks.pick(&BROKEN_HEADERS).copied().unwrap_or_default() {
            "upper_case" => text.to_uppercase().replace("00-", "0A-"),
            "short" => text.chars().take(54).collect(),
            "long" => format!("{text}-more"),
            "version" => text.replacen("00", "ff", 1),
            "no_trace" => text.replace(&span.context.trace.to_string(), &"0".repeat(32)),
            _ => String::new(),
        };
        TraceHeader::Text(broken.into())
    }
}

/// Tells observers that a span begins.
pub(super) fn started<A: Actor<Context = Context<A>>>(
    env: &Env<A>,
    span: &Span,
    what: impl FnOnce() -> SpanStarted,
) {
    if span.context.sampled {
        env.note(|| SpanNote::Started(Rc::new(what())));
    }
}

/// Tells observers that a span ends.
pub(super) fn ended<A: Actor<Context = Context<A>>>(
    env: &Env<A>,
    span: &Span,
    error: Option<&str>,
    attributes: impl FnOnce() -> Vec<Attribute>,
) {
    if span.context.sampled {
        let context = span.context;
        env.note(|| {
            let error = error.map(Into::into);
            SpanNote::Ended(Rc::new(SpanEnded { context, error, attributes: attributes() }))
        });
    }
}

/// What went wrong with a call that was not answered: its `error.type`.
pub(super) fn failure<T>(answer: &Result<T, CallError>) -> Option<&'static str> {
    answer.as_ref().err().copied().map(CallError::name)
}
