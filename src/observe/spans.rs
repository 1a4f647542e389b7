//! The spans of a run, put together from what actors tell observers. It knows no exporter, and
//! changes nothing.
//!
//! Names and attributes of calls of models are those of OpenTelemetry's semantic conventions for
//! generative AI as they were in semantic-conventions v1.41 (status: Development); they have moved to
//! a repository of their own since. `a2a.<agent>`, `ccr.record_request`, `ccr.get_quota_status` and
//! their attributes are the source project's; `seedbed.*` are our own.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use crate::{
    policy::trace_context::{SpanId, TraceContext, TraceId},
    stack::{Attribute, SpanNote, SpanStarted},
    world::{Happening, Note, Observer, Sighting, Time},
};

/// A span, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanRecord {
    /// The node of its actor.
    pub node: Rc<str>,
    /// What was known at its beginning.
    pub started: SpanStarted,
    /// When it began.
    pub begin: Time,
    /// When it ended: with its node's crash or the run, if it did not end itself.
    pub end: Time,
    /// `error.type`, if something went wrong.
    pub error: Option<Rc<str>>,
    /// What was known at its end.
    pub attributes: Vec<Attribute>,
}

#[derive(Default)]
struct Collected {
    spans: Vec<SpanRecord>,
    /// The open ones, as places in `spans`.
    open: BTreeMap<(TraceId, SpanId), usize>,
    nodes: BTreeMap<String, Rc<str>>,
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

    fn hear(&mut self, note: &Note<'_>) {
        self.now = note.at;
        match note.what.downcast_ref::<SpanNote>() {
            Some(SpanNote::Started(started)) => {
                let node = self.nodes.entry(note.node.to_owned());
                let node = Rc::clone(node.or_insert_with(|| note.node.into()));
                let TraceContext { trace, span, .. } = started.span.context;
                self.open.insert((trace, span), self.spans.len());
                self.spans.push(SpanRecord {
                    node,
                    started: started.clone(),
                    begin: note.at,
                    end: note.at,
                    error: None,
                    attributes: Vec::new(),
                });
            }
            Some(SpanNote::Ended(ended)) => {
                let TraceContext { trace, span, .. } = ended.context;
                let place = self.open.remove(&(trace, span));
                if let Some(span) = place.and_then(|place| self.spans.get_mut(place)) {
                    (span.end, span.error) = (note.at, ended.error.clone());
                    span.attributes.clone_from(&ended.attributes);
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
