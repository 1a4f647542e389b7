//! What spans must be: parts of one whole for each request, each within its parent.
//!
//! It believes no header: which request a span is part of is what its actor says, which trace what
//! came with the message. It listens to notes, so it runs only in sims that ask for it.

use std::collections::{BTreeMap, BTreeSet};

use super::watch::Built;
use crate::{
    policy::trace_context::{SpanId, TraceContext, TraceId},
    scenario::Sim,
    stack::{Event, Generate, RequestId, RouteRequest, SpanEnded, SpanKind, SpanNote, SpanStarted},
    world::{Happening, Note, Probability, Sighting, Time},
};

/// A span has a parent that began before it and, on its own node, ends after it.
pub(super) const WITHIN: &str = "spans_are_within_their_parents";
/// All spans of a request are of one trace with one root, and no attempt is without its span.
pub(super) const ONE_TRACE: &str = "one_trace_for_each_request";

/// Metrics that only a sim with `[tracing]` has.
pub(super) const METRICS: [&str; 3] = ["traces.kept", "traces.restarted", "spans.kept"];

type Key = (TraceId, SpanId);

struct Known {
    node: String,
    parent: Option<SpanId>,
    is_open: bool,
    /// Open spans within it, on its node.
    inside: u32,
}

#[derive(Default)]
struct Request {
    /// The trace of its root.
    trace: Option<TraceId>,
    /// A header of it could not be read.
    restarted: bool,
    attempts: u64,
    attempt_spans: u64,
}

/// Everything that is known of the spans of a run.
#[derive(Default)]
pub(super) struct Tracing {
    spans: BTreeMap<Key, Known>,
    traces: BTreeSet<TraceId>,
    /// Traces that began with a header that could not be read.
    restarted: BTreeSet<TraceId>,
    requests: BTreeMap<RequestId, Request>,
    /// Every trace is kept.
    keeps_all: bool,
    /// The request that came in last, at the node that has it in hand now.
    came: Option<RequestId>,
    restarts: u64,
    within: Built,
    one_trace: Built,
}

impl Tracing {
    /// None in a sim that says nothing of traces.
    pub(super) fn new(sim: &Sim) -> Option<Tracing> {
        let all = |sample| sample == Probability::ALWAYS;
        sim.tracing.map(|it| Tracing { keeps_all: all(it.sample), ..Tracing::default() })
    }

    /// Sees any event: whose header was read is known from the message that it came with.
    pub(super) fn hear(&mut self, sighting: &Sighting<'_>) {
        match sighting.what {
            Happening::MessageDelivered { message } => {
                let body = message.body;
                let asked = body.and_then(|it| it.downcast_ref::<RouteRequest>());
                let generate = || Some(&body?.downcast_ref::<Generate>()?.prompt);
                let prompt = asked.map(|it| &it.prompt).or_else(generate);
                self.came = prompt.map(|prompt| prompt.request.clone());
            }
            Happening::NodeCrashed { .. } => self.crashed(sighting.node),
            _ => {}
        }
    }

    pub(super) fn see(&mut self, event: &Event) {
        match event {
            Event::TraceRestarted { .. } => {
                self.restarts += 1;
                if let Some(request) = &self.came {
                    self.requests.entry(request.clone()).or_default().restarted = true;
                }
            }
            Event::AttemptStarted { request, .. } => {
                self.requests.entry(request.clone()).or_default().attempts += 1;
            }
            _ => {}
        }
    }

    pub(super) fn note(&mut self, note: &Note<'_>) {
        match note.what.downcast_ref::<SpanNote>() {
            Some(SpanNote::Started(started)) => self.started(note.at, note.node, started),
            Some(SpanNote::Ended(ended)) => self.ended(note.at, ended),
            None => {}
        }
    }

    fn started(&mut self, at: Time, node: &str, started: &SpanStarted) {
        let SpanStarted { span, kind, name, request, restarted, .. } = started;
        let TraceContext { trace, span: id, .. } = span.context;
        self.traces.insert(trace);
        if *restarted {
            self.restarted.insert(trace);
        }
        let failure = match span.parent.map(|parent| self.spans.get_mut(&(trace, parent))) {
            None => None,
            Some(None) => Some(format!("span {id} ({name}) began at {at} and has no parent")),
            Some(Some(parent)) if parent.node == node => {
                parent.inside += 1;
                (!parent.is_open)
                    .then(|| format!("span {id} ({name}) began at {at}, after its parent"))
            }
            Some(Some(_)) => None,
        };
        self.within.evaluate(failure);
        let known = Known { node: node.to_owned(), parent: span.parent, is_open: true, inside: 0 };
        let again = self.spans.insert((trace, id), known).is_some();
        self.within
            .evaluate(again.then(|| format!("span {id} ({name}) began twice, again at {at}")));
        let Some(request) = request else { return };
        let of_request = self.requests.entry(request.clone()).or_default();
        of_request.restarted |= restarted;
        if *kind == SpanKind::Client && name.to_string().starts_with("chat ") {
            of_request.attempt_spans += 1;
        }
        let failure = match of_request.trace {
            None => {
                of_request.trace = Some(trace);
                None
            }
            Some(first) if first == trace && span.parent.is_none() => {
                Some(format!("{request} has a second root, span {id} ({name}) at {at}"))
            }
            Some(first) if first != trace && !self.restarted.contains(&trace) => {
                Some(format!("span {id} ({name}) of {request} is of another trace, at {at}"))
            }
            Some(_) => None,
        };
        self.one_trace.evaluate(failure);
    }

    fn ended(&mut self, at: Time, ended: &SpanEnded) {
        let TraceContext { trace, span, .. } = ended.context;
        let Some(known) = self.spans.get_mut(&(trace, span)).filter(|known| known.is_open) else {
            let failure = format!("span {span} ended at {at}, though it was not open");
            return self.within.evaluate(Some(failure));
        };
        known.is_open = false;
        let (inside, node, parent) = (known.inside, known.node.clone(), known.parent);
        let left =
            (inside > 0).then(|| format!("span {span} ended at {at} before {inside} within it"));
        self.within.evaluate(left);
        let parent = parent.and_then(|parent| self.spans.get_mut(&(trace, parent)));
        if let Some(parent) = parent.filter(|parent| parent.node == node) {
            parent.inside = parent.inside.saturating_sub(1);
        }
    }

    /// Spans that were open end with their node.
    fn crashed(&mut self, node: &str) {
        for known in self.spans.values_mut().filter(|known| known.node == node) {
            (known.is_open, known.inside) = (false, 0);
        }
    }

    pub(super) fn metrics(&self) -> [(&'static str, u64); 3] {
        let [kept, restarted, spans] = METRICS;
        let (traces, all) = (self.traces.len() as u64, self.spans.len() as u64);
        [(kept, traces), (restarted, self.restarts), (spans, all)]
    }

    /// The checks as they stand, always in the same order.
    pub(super) fn built(&self) -> [(&'static str, &Built); 2] {
        [(WITHIN, &self.within), (ONE_TRACE, &self.one_trace)]
    }

    pub(super) fn finish(&mut self) -> [(&'static str, Built); 2] {
        for (id, request) in &self.requests {
            let Request { trace, restarted, attempts, attempt_spans } = request;
            // What became of a trace that began anew was decided anew.
            if *restarted {
                continue;
            }
            let is_kept = trace.is_some() || self.keeps_all;
            let wanted = if is_kept { *attempts } else { 0 };
            self.one_trace.evaluate((wanted != *attempt_spans).then(|| {
                format!("{id} has {attempt_spans} spans of attempts, and there were {attempts}")
            }));
        }
        [
            (WITHIN, std::mem::take(&mut self.within)),
            (ONE_TRACE, std::mem::take(&mut self.one_trace)),
        ]
    }
}

#[cfg(test)]
mod tests;
