//! A model backend: it takes its time, and goes wrong the way its provider does.
//!
//! What an error looks like is in `wire`, what an answer says part by part in `flow`. What happens
//! to a request is drawn when it arrives, always with the same draws, so that what happens to one
//! changes nothing for the next.
//!
//! A request that is refused at the door takes from no meter; one that is let in reserves what it
//! asks for, and is charged at its end for what was generated. What is in flight when the process
//! crashes is gone, and nobody tells the reader of a stream.

mod flow;
mod luck;
mod stream;
#[cfg(test)]
mod tests;

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use actix::{Actor, Context, Handler};

use self::{
    flow::{Course, Ending, Flow, Mishap, Outcome, generation},
    luck::Luck,
    stream::{OpenStream, StreamKey},
};
use super::{
    RequestId,
    message::{Generate, Generated, Headers, HttpError, Probe, Prompt},
    point,
    router::provider,
    settings::{self, ErrorKind, ErrorMix, RetryAfter},
    tracer::{self, Accepted, Owed, Span, SpanKind, SpanName, SpanStarted, TraceHeader, Tracer},
    wire::{self, Problem},
};
use crate::{
    policy::{
        health,
        meter::{Exceeded, Meter, Meters, Reservation},
    },
    world::{Delay, Env, Later, Promise, Stream, Time},
};

/// An outage: what a backend does differently while it lasts.
#[derive(Clone, Debug, Default)]
pub struct Outage {
    /// Replaces the error mix.
    pub errors: Option<ErrorMix>,
    /// Replaces the Retry-After.
    pub retry_after: Option<RetryAfter>,
    /// When it ends, if its Retry-After says so truly, in place of the one above.
    pub tells_end: Option<Time>,
    /// Replaces the time to the first token.
    pub first_token: Option<Delay>,
}

/// The outages that a backend is in, the latest last. They belong to the provider, not to the
/// process, so a restart does not end them.
pub type Outages = Rc<RefCell<Vec<(usize, Outage)>>>;

/// The actor.
pub struct Backend {
    env: Env<Backend>,
    settings: Rc<settings::Backend>,
    outages: Outages,
    first_tokens: Stream,
    errors: Stream,
    mishaps: Stream,
    probes: Stream,
    tracer: Tracer,
    /// `None` without limits.
    meters: Option<Meters>,
    streams: BTreeMap<StreamKey, OpenStream>,
    /// Calls that will never be answered.
    silent: Vec<Promise<Generated>>,
    silent_probes: Vec<Owed<health::Status>>,
}

/// What happens to one request.
struct Fate {
    first_token: Duration,
    error: Option<ErrorKind>,
    luck: Luck,
}

/// What a request has taken from the meters.
#[derive(Debug)]
struct Charge {
    reservation: Reservation,
    input_tokens: u32,
}

impl Backend {
    /// A backend with these settings.
    pub fn new(env: Env<Backend>, settings: Rc<settings::Backend>, outages: Outages) -> Backend {
        let has_limits = settings.limits != Default::default();
        Backend {
            first_tokens: env.stream("first_token"),
            errors: env.stream("errors"),
            mishaps: env.stream("mishaps"),
            probes: env.stream("probes"),
            // Whether a trace is kept is decided where it begins.
            tracer: Tracer::new(&env, settings::Tracing::default()),
            meters: has_limits.then(|| Meters::new(settings.limits)),
            env,
            settings,
            outages,
            streams: BTreeMap::new(),
            silent: Vec::new(),
            silent_probes: Vec::new(),
        }
    }

    /// The last outage that says something about `part`.
    fn in_outage<T>(&self, part: impl Fn(&Outage) -> Option<T>) -> Option<T> {
        self.outages.borrow().iter().rev().find_map(|(_, outage)| part(outage))
    }

    fn error_mix(&self) -> ErrorMix {
        self.in_outage(|outage| outage.errors).unwrap_or(self.settings.errors)
    }

    fn draw_fate(&mut self) -> Fate {
        let first_token = self.in_outage(|outage| outage.first_token.clone());
        let first_token = first_token.as_ref().unwrap_or(&self.settings.first_token);
        Fate {
            first_token: self.first_tokens.delay(first_token),
            error: self.error_mix().draw(&mut self.errors),
            luck: Luck::draw(&mut self.mishaps),
        }
    }

    /// Reserves what a request asks for.
    fn reserve(&mut self, prompt: &Prompt) -> Result<Option<Charge>, Exceeded> {
        let Some(meters) = &mut self.meters else { return Ok(None) };
        let (input, output) = (u64::from(prompt.input_tokens), u64::from(prompt.output_tokens));
        let reservation = meters.reserve(self.env.now(), input, output)?;
        Ok(Some(Charge { reservation, input_tokens: prompt.input_tokens }))
    }

    /// A request is over, after so many tokens.
    fn settle(&mut self, charge: Option<Charge>, output_tokens: u32) {
        if let (Some(meters), Some(Charge { reservation, input_tokens })) =
            (&mut self.meters, charge)
        {
            let (input, output) = (u64::from(input_tokens), u64::from(output_tokens));
            meters.settle(self.env.now(), reservation, input, output);
        }
    }

    fn limit_headers(&self, headers: &mut Headers) {
        let Some(meters) = &self.meters else { return };
        let (now, utc) = (self.env.now(), self.env.utc());
        for meter in Meter::ALL {
            if let Some(reading) = meters.reading(now, meter) {
                wire::limits(self.settings.provider, meter, reading, utc, headers);
            }
        }
    }

    /// An error that the mix has drawn, or that a meter has raised.
    fn error(&self, kind: ErrorKind, exceeded: Option<Exceeded>, request: &RequestId) -> HttpError {
        let meter = exceeded.map(|exceeded| exceeded.meter);
        let mut error = self.problem(kind, meter, request).http();
        if matches!(
            kind,
            ErrorKind::RateLimited
                | ErrorKind::Overloaded
                | ErrorKind::AcceptedThenOverloaded
                | ErrorKind::ErrorInStream
        ) {
            let now = self.env.now();
            let of_outage = self.in_outage(|outage| {
                let left = outage.tells_end.map(|end| RetryAfter::Seconds(end - now));
                left.or_else(|| outage.retry_after.clone())
            });
            let setting = of_outage.as_ref().or(self.settings.retry_after.as_ref());
            match (setting, exceeded.and_then(|exceeded| exceeded.retry_after)) {
                (Some(setting), _) => {
                    error.headers.push(wire::retry_after(setting, self.env.utc()));
                }
                (None, Some(wait)) => {
                    wire::true_retry_after(self.settings.provider, wait, &mut error.headers);
                }
                (None, None) => {}
            }
        }
        self.limit_headers(&mut error.headers);
        error
    }

    fn problem<'a>(
        &'a self,
        kind: ErrorKind,
        meter: Option<Meter>,
        request: &'a RequestId,
    ) -> Problem<'a> {
        let settings::Backend { provider, ref name, .. } = *self.settings;
        Problem { provider, kind, meter, model: name, request }
    }

    /// What will come of a request if it is let in.
    fn course(&self, fate: &Fate, prompt: &Prompt, is_stream: bool) -> Course {
        let Fate { first_token, error, luck } = *fate;
        let settings::Backend { tokens_per_second, chunk_tokens, .. } = *self.settings;
        let tokens = prompt.output_tokens;
        let whole = first_token + generation(tokens, tokens_per_second);
        let ends = |after, generated, result| Course::Ends(Ending { after, generated, result });
        let mishap = match error {
            None if !is_stream => return ends(whole, tokens, Outcome::Completion),
            None => None,
            Some(kind) => match kind {
                ErrorKind::RateLimited
                | ErrorKind::Overloaded
                | ErrorKind::BadRequest
                | ErrorKind::Credential
                | ErrorKind::Forbidden
                | ErrorKind::NotFound
                | ErrorKind::Conflict
                | ErrorKind::Quota => return Course::Refused(kind),
                ErrorKind::ServerError | ErrorKind::Timeout => {
                    return ends(first_token, 0, Outcome::Failed(kind));
                }
                ErrorKind::AcceptedThenOverloaded => {
                    return ends(luck.overload(), 0, Outcome::Failed(kind));
                }
                ErrorKind::Silence => return ends(Duration::ZERO, 0, Outcome::Never),
                ErrorKind::Reset => return ends(first_token, 0, Outcome::Reset),
                // What should be a stream shows what it is at its first token.
                ErrorKind::Malformed if is_stream => {
                    return ends(first_token, tokens, Outcome::Malformed);
                }
                ErrorKind::Malformed => return ends(whole, tokens, Outcome::Malformed),
                ErrorKind::Cut => Some(Mishap::Cut),
                ErrorKind::Stall => Some(Mishap::Stall(luck.stall())),
                ErrorKind::ErrorInStream => {
                    Some(Mishap::Error(self.problem(kind, None, &prompt.request).body()))
                }
                ErrorKind::MalformedChunk => Some(Mishap::Malformed),
            },
        };
        let mishap = mishap.map(|mishap| (luck.tokens_before(tokens), mishap));
        Course::Flows(Flow::new(tokens, chunk_tokens, tokens_per_second, mishap))
    }

    fn begin_span(&mut self, prompt: &Prompt, header: &TraceHeader) -> Span {
        let Accepted { span, restarted } = self.tracer.accept(&self.env, header);
        tracer::started(&self.env, &span, || {
            let name: Rc<str> = self.settings.name.as_str().into();
            let started =
                SpanStarted::new(span, SpanKind::Server, SpanName::Of("chat ", Rc::clone(&name)));
            SpanStarted { restarted, ..started }.of(&prompt.request).with([
                ("gen_ai.operation.name", "chat".into()),
                ("gen_ai.provider.name", provider(self.settings.provider).into()),
                ("gen_ai.request.model", name.into()),
            ])
        });
        span
    }

    fn end_span(&self, span: &Span, error: Option<&str>, output_tokens: u32) {
        tracer::ended(&self.env, span, error, || {
            vec![("gen_ai.usage.output_tokens", output_tokens.into())]
        });
    }

    fn begin(&mut self, generate: Generate, promise: Promise<Generated>) {
        let fate = self.draw_fate();
        if self.env.fault_point(point::SWALLOWED) {
            self.silent.push(promise);
            return;
        }
        let Generate { prompt, stream, trace } = generate;
        if stream.as_ref().is_some_and(|to| self.streams.contains_key(&stream::key(to))) {
            // A second copy of a request: the first one is answered.
            self.silent.push(promise);
            return;
        }
        let span = self.begin_span(&prompt, &trace);
        let course = self.course(&fate, &prompt, stream.is_some());
        if let Course::Refused(kind) = course {
            let error = self.error(kind, None, &prompt.request);
            self.end_span(&span, Some("refused"), 0);
            return promise.keep(Generated::Error(error));
        }
        let charge = match self.reserve(&prompt) {
            Ok(charge) => charge,
            Err(exceeded) => {
                let kind = ErrorKind::RateLimited;
                let error = self.error(kind, Some(exceeded), &prompt.request);
                self.end_span(&span, Some("rate_limited"), 0);
                return promise.keep(Generated::Error(error));
            }
        };
        match (course, stream) {
            (Course::Refused(_), _) => {}
            (Course::Ends(ending), _) => self.end_later(ending, prompt, charge, span, promise),
            (Course::Flows(flow), None) => {
                self.end_later(flow.whole(fate.first_token), prompt, charge, span, promise);
            }
            (Course::Flows(flow), Some(to)) => {
                let head = (promise, prompt.baggage);
                let stream = OpenStream::new(to.reader, flow, head, charge, span);
                self.open(&to, fate.first_token, stream);
            }
        }
    }

    fn end_later(
        &mut self,
        ending: Ending,
        prompt: Prompt,
        charge: Option<Charge>,
        span: Span,
        promise: Promise<Generated>,
    ) {
        let Ending { after, generated, result } = ending;
        if result == Outcome::Never {
            self.settle(charge, generated);
            self.silent.push(promise);
            return;
        }
        self.env.after(after, move |backend, _| {
            backend.settle(charge, generated);
            let error = match result {
                Outcome::Completion => None,
                Outcome::Malformed => Some("malformed"),
                Outcome::Failed(_) => Some("failed"),
                Outcome::Reset | Outcome::Never => Some("reset"),
            };
            backend.end_span(&span, error, generated);
            promise.keep(match result {
                Outcome::Completion => {
                    let mut headers = Vec::new();
                    backend.limit_headers(&mut headers);
                    let baggage = prompt.baggage;
                    Generated::Completion { output_tokens: generated, baggage, headers }
                }
                Outcome::Malformed => Generated::Malformed,
                Outcome::Failed(kind) => {
                    Generated::Error(backend.error(kind, None, &prompt.request))
                }
                // To drop a promise is to break the connection.
                Outcome::Reset | Outcome::Never => return,
            });
        });
    }

    /// What comes of asking it how it is, by the same mix as requests.
    fn probe(&mut self) -> Probed {
        let Some(kind) = self.error_mix().draw(&mut self.probes) else {
            return Probed::Says(health::Status::Healthy);
        };
        match kind {
            ErrorKind::RateLimited | ErrorKind::Overloaded | ErrorKind::AcceptedThenOverloaded => {
                Probed::Says(health::Status::Degraded)
            }
            ErrorKind::ServerError
            | ErrorKind::BadRequest
            | ErrorKind::Credential
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Timeout
            | ErrorKind::Conflict
            | ErrorKind::Quota => Probed::Says(health::Status::Unhealthy),
            ErrorKind::Silence | ErrorKind::Stall => Probed::Silence,
            ErrorKind::Reset => Probed::Reset,
            // Only a longer answer shows these.
            ErrorKind::Malformed
            | ErrorKind::Cut
            | ErrorKind::ErrorInStream
            | ErrorKind::MalformedChunk => Probed::Says(health::Status::Healthy),
        }
    }
}

/// What comes of asking a backend how it is.
enum Probed {
    Says(health::Status),
    Silence,
    Reset,
}

impl Actor for Backend {
    type Context = Context<Self>;
}

impl Handler<Generate> for Backend {
    type Result = Later<Generated>;

    fn handle(&mut self, generate: Generate, _: &mut Context<Self>) -> Self::Result {
        let (promise, later) = Later::promise();
        self.begin(generate, promise);
        later
    }
}

impl Handler<Probe> for Backend {
    type Result = Later<health::Status>;

    fn handle(&mut self, Probe { trace }: Probe, _: &mut Context<Self>) -> Self::Result {
        let name = || format!("check {}", self.settings.name);
        let (owed, later) = self.tracer.take(&self.env, &trace, name);
        match self.probe() {
            Probed::Says(status) => owed.keep(&self.env, None, status),
            Probed::Silence => self.silent_probes.push(owed),
            Probed::Reset => owed.reset(&self.env),
        }
        later
    }
}
