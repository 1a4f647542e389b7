//! What the router says of its part in a request: a span for the request, one for each attempt, one
//! for each look at a quota. The names are those of the source project and of OpenTelemetry's
//! conventions for generative AI, which `observe::spans` pins.

use std::rc::Rc;

use super::{
    Router,
    job::{Flight, Job, Kind},
};
use crate::{
    policy::{quota::Status, trace_context::SpanId},
    stack::{
        message::Prompt,
        settings::Provider,
        tracer::{self, Accepted, Span, SpanKind, SpanName, SpanStarted, SpanValue, TraceHeader},
    },
};

impl Router {
    /// A request has come in.
    pub(super) fn begin_span(&mut self, prompt: &Prompt, header: &TraceHeader) -> Span {
        let Accepted { span, restarted } = self.tracer.accept(&self.env, header);
        tracer::started(&self.env, &span, || {
            SpanStarted {
                restarted,
                ..SpanStarted::new(span, SpanKind::Server, "ccr.record_request")
            }
            .of(&prompt.request)
            .with([
                ("ccr.task_type", prompt.task.as_str().into()),
                ("ccr.workspace", Rc::clone(&prompt.workspace).into()),
            ])
        });
        span
    }

    /// It is over; `error` says why it has no answer, if it has none.
    pub(super) fn end_span(
        &self,
        job: &Job,
        error: Option<&'static str>,
        fallback_used: bool,
        model: Option<&Rc<str>>,
    ) {
        tracer::ended(&self.env, &job.span, error, || {
            let mut list = vec![
                ("ccr.attempts", job.attempts.into()),
                ("ccr.fallback_used", fallback_used.into()),
            ];
            list.extend(model.map(|model| ("ccr.model", Rc::clone(model).into())));
            list
        });
    }

    /// A model is asked. `before` is the attempt before this one.
    pub(super) fn begin_attempt(
        &self,
        prompt: &Prompt,
        (lane, attempt, kind): (usize, u32, Kind),
        span: Span,
        before: Option<SpanId>,
    ) {
        tracer::started(&self.env, &span, || {
            let model = self.lanes.get(lane).map(|lane| &lane.model);
            let name = model.map_or_else(|| "none".into(), |model| Rc::clone(&model.name));
            let provider = model.map_or("none", |model| provider(model.settings.provider));
            let kind = match kind {
                Kind::Retry => "retry",
                Kind::Hedge => "hedge",
                Kind::First if before.is_none() => "first",
                Kind::First => "fallback",
            };
            let started =
                SpanStarted::new(span, SpanKind::Client, SpanName::Of("chat ", Rc::clone(&name)));
            SpanStarted { link: before, ..started }.of(&prompt.request).with([
                ("gen_ai.operation.name", "chat".into()),
                ("gen_ai.provider.name", provider.into()),
                ("gen_ai.request.model", name.into()),
                ("gen_ai.request.max_tokens", prompt.output_tokens.into()),
                ("seedbed.attempt", attempt.into()),
                ("seedbed.attempt.kind", kind.into()),
            ])
        });
    }

    /// A model has answered.
    pub(super) fn end_attempt(
        &self,
        flight: &Flight,
        model: &Rc<str>,
        prompt: &Prompt,
        tokens: u32,
    ) {
        tracer::ended(&self.env, &flight.span, None, || {
            vec![
                ("gen_ai.response.model", Rc::clone(model).into()),
                ("gen_ai.response.finish_reasons", SpanValue::List(&["stop"])),
                ("gen_ai.usage.input_tokens", prompt.input_tokens.into()),
                ("gen_ai.usage.output_tokens", tokens.into()),
            ]
        });
    }

    /// The quota of a workspace was looked at.
    pub(super) fn tell_quota(&mut self, job: &Job, status: &Status) {
        let span = self.tracer.child(&job.span.context);
        tracer::started(&self.env, &span, || {
            SpanStarted::new(span, SpanKind::Internal, "ccr.get_quota_status")
                .of(&job.prompt.request)
                .with([("ccr.workspace", Rc::clone(&job.prompt.workspace).into())])
        });
        tracer::ended(&self.env, &span, None, || {
            let Status { used, limit, remaining, percentage_bp, level, .. } = *status;
            vec![
                ("ccr.quota.used", used.into()),
                ("ccr.quota.limit", limit.into()),
                ("ccr.quota.remaining", remaining.into()),
                ("ccr.quota.percentage", SpanValue::Hundredths(percentage_bp)),
                ("ccr.quota.alert_level", level.as_str().into()),
            ]
        });
    }
}

/// `gen_ai.provider.name`.
pub(in crate::stack) fn provider(provider: Provider) -> &'static str {
    match provider {
        Provider::Anthropic => "anthropic",
        Provider::Openai => "openai",
        Provider::Generic => "seedbed",
    }
}
