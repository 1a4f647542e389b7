//! Spans as OTLP JSON: the `ExportTraceServiceRequest` of opentelemetry-proto 1.x, as OTLP/HTTP takes
//! it. Ids are lower-case hexadecimal, 64-bit numbers are strings, times are those of the sim. Equal
//! spans are equal bytes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{
        ResourceSpans, ScopeSpans, Span, Status,
        span::{Link, SpanKind as Kind},
        status::StatusCode,
    },
};

use super::SpanRecord;
use crate::{
    stack::{SpanKind, SpanValue},
    world::Time,
};

/// The spans of a run of this sim, whose virtual time starts at `start`: a resource for each node.
#[must_use]
pub fn otlp(sim: &str, start: Timestamp, spans: &[SpanRecord]) -> ExportTraceServiceRequest {
    let mut nodes: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    for span in spans {
        nodes.entry(&span.node).or_default().push(convert(start, span));
    }
    let resource_spans = nodes.into_iter().map(|(node, spans)| ResourceSpans {
        resource: Some(Resource {
            attributes: vec![
                text("service.name", node),
                text("service.namespace", "seedbed"),
                text("seedbed.sim", sim),
            ],
            ..Resource::default()
        }),
        scope_spans: vec![ScopeSpans {
            scope: Some(InstrumentationScope {
                name: "seedbed".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                ..InstrumentationScope::default()
            }),
            spans,
            schema_url: String::new(),
        }],
        schema_url: String::new(),
    });
    ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
}

fn convert(start: Timestamp, record: &SpanRecord) -> Span {
    let SpanRecord { started, begin, end, error, .. } = record;
    let context = started.span.context;
    let trace_id = context.trace.bytes().to_vec();
    let all = record.attributes();
    let mut attributes: Vec<KeyValue> =
        all.map(|(name, value)| pair(name, Some(any(value)))).collect();
    if let Some(request) = &started.request {
        attributes.push(text("seedbed.request", &request.to_string()));
    }
    if started.restarted {
        attributes.push(pair("seedbed.trace.restarted", Some(Value::BoolValue(true))));
    }
    if let Some(error) = error {
        attributes.push(text("error.type", error));
    }
    let link = |span: &crate::policy::trace_context::SpanId| Link {
        trace_id: trace_id.clone(),
        span_id: span.bytes().to_vec(),
        ..Link::default()
    };
    Span {
        links: started.link.iter().map(link).collect(),
        span_id: context.span.bytes().to_vec(),
        parent_span_id: started.span.parent.map_or_else(Vec::new, |id| id.bytes().to_vec()),
        trace_state: started.state.as_deref().unwrap_or_default().to_owned(),
        flags: u32::from(context.sampled),
        name: started.name.to_string(),
        kind: match started.kind {
            SpanKind::Internal => Kind::Internal,
            SpanKind::Server => Kind::Server,
            SpanKind::Client => Kind::Client,
        } as i32,
        start_time_unix_nano: unix(start, *begin),
        end_time_unix_nano: unix(start, *end),
        attributes,
        status: Some(Status {
            message: String::new(),
            code: if error.is_some() { StatusCode::Error } else { StatusCode::Unset } as i32,
        }),
        trace_id,
        ..Span::default()
    }
}

/// An instant in nanoseconds since 1970; 0 for what was before.
fn unix(start: Timestamp, at: Time) -> u64 {
    u64::try_from(start.as_nanosecond() + i128::from(at.as_nanos())).unwrap_or_default()
}

fn text(name: &str, value: &str) -> KeyValue {
    pair(name, Some(Value::StringValue(value.to_owned())))
}

fn pair(name: &str, value: Option<Value>) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value }), ..KeyValue::default() }
}

fn any(value: &SpanValue) -> Value {
    let text = |text: &str| Value::StringValue(text.to_owned());
    match value {
        SpanValue::Fixed(value) => text(value),
        SpanValue::Text(value) => text(value),
        SpanValue::Request(request) => Value::StringValue(request.to_string()),
        SpanValue::Number(number) => Value::IntValue(i64::try_from(*number).unwrap_or(i64::MAX)),
        SpanValue::Flag(flag) => Value::BoolValue(*flag),
        SpanValue::Hundredths(number) => Value::DoubleValue(*number as f64 / 100.0),
        SpanValue::List(texts) => {
            let values = texts.iter().map(|value| AnyValue { value: Some(text(value)) });
            Value::ArrayValue(ArrayValue { values: values.collect() })
        }
    }
}
