//! The spans of a run, put together from what actors tell observers. It knows no exporter, and
//! changes nothing.
//!
//! Names and attributes of calls of models are those of OpenTelemetry's semantic conventions for
//! generative AI as they were in semantic-conventions v1.41 (status: Development); they have moved to
//! a repository of their own since. `a2a.<agent>`, `ccr.record_request`, `ccr.get_quota_status` and
//! their attributes are the source project's; `seedbed.*` are our own.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::{
    policy::trace_context::{SpanId, TraceContext, TraceId},
    stack::{Attribute, SpanEnded, SpanNote, SpanStarted},
    world::{Happening, Note, Observer, Sighting, Time},
};

/// A span, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanRecord {
    /// The node of its actor.
    pub node: Rc<str>,
    /// What was known at its beginning.
    pub started: Rc<SpanStarted>,
    /// When it began.
    pub begin: Time,
    /// When it ended: with its node's crash or the run, if it did not end itself.
    pub end: Time,
    /// `error.type`, if something went wrong.
    pub error: Option<Rc<str>>,
    /// What was known at its end, if it ended itself.
    pub ended: Option<Rc<SpanEnded>>,
}

impl SpanRecord {
    /// All that is known.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        let at_the_end = self.ended.iter().flat_map(|ended| &ended.attributes);
        self.started.attributes.iter().chain(at_the_end)
    }
}

#[derive(Default)]
struct Collected {
    spans: Vec<SpanRecord>,
    /// The open ones, as places in `spans`.
    open: BTreeMap<(TraceId, SpanId), usize>,
    nodes: BTreeSet<Rc<str>>,
    now: Time,
}

/// Collects the spans of a world: an observer, and a handle to ask at the end.
#[derive(Clone, Default)]
pub struct Spans(Rc<RefCell<Collected>>);

impl Spans {
    /// None yet.
    #[must_use]
    pub fn new() -> Spans {
        Spans::default()
    }

    /// All of them, in the order in which they began. What is still open ends now, as `unfinished`.
    #[must_use]
    pub fn finish(&self) -> Vec<SpanRecord> {
        let mut all = self.0.borrow_mut();
        let now = all.now;
        all.close("unfinished", now, |_| true);
        std::mem::take(&mut all.spans)
    }
}

impl Collected {
    /// Ends the open spans that are meant, without their doing.
    fn close(&mut self, error: &str, at: Time, is_meant: impl Fn(&SpanRecord) -> bool) {
        let spans = &mut self.spans;
        self.open.retain(|_, place| match spans.get_mut(*place) {
            Some(span) if is_meant(span) => {
                (span.end, span.error) = (at, Some(error.into()));
                false
            }
            _ => true,
        });
    }

    /// One text for all spans of a node.
    fn node(&mut self, name: &str) -> Rc<str> {
        if let Some(node) = self.nodes.get(name) {
            return Rc::clone(node);
        }
        let node: Rc<str> = name.into();
        self.nodes.insert(Rc::clone(&node));
        node
    }

    fn hear(&mut self, note: &Note<'_>) {
        self.now = note.at;
        match note.what.downcast_ref::<SpanNote>() {
            Some(SpanNote::Started(started)) => {
                let node = self.node(note.node);
                let TraceContext { trace, span, .. } = started.span.context;
                self.open.insert((trace, span), self.spans.len());
                self.spans.push(SpanRecord {
                    node,
                    started: Rc::clone(started),
                    begin: note.at,
                    end: note.at,
                    error: None,
                    ended: None,
                });
            }
            Some(SpanNote::Ended(ended)) => {
                let TraceContext { trace, span, .. } = ended.context;
                let place = self.open.remove(&(trace, span));
                if let Some(span) = place.and_then(|place| self.spans.get_mut(place)) {
                    (span.end, span.error) = (note.at, ended.error.clone());
                    span.ended = Some(Rc::clone(ended));
                }
            }
            None => {}
        }
    }
}

impl Observer for Spans {
    fn see(&mut self, sighting: &Sighting<'_>) {
        let mut all = self.0.borrow_mut();
        all.now = sighting.at;
        if let Happening::NodeCrashed { .. } = sighting.what {
            all.close("crashed", sighting.at, |span| *span.node == *sighting.node);
        }
    }

    fn wants_notes(&self) -> bool {
        true
    }

    fn note(&mut self, note: &Note<'_>) {
        self.0.borrow_mut().hear(note);
    }
}
