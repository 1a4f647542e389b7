//! Each thing that can be wrong with spans is seen.

use std::rc::Rc;

use super::*;
use crate::{
    stack::{Span, TraceHeader},
    world::{Env, Observer, Seed, Sighting, World},
};

fn context(trace: u128, span: u64) -> TraceContext {
    TraceContext { trace: TraceId::new(trace), span: SpanId::new(span), sampled: true }
}

/// A span: its trace, its id, its parent (0 for none).
fn start(trace: u128, span: u64, parent: u64, name: &'static str) -> SpanNote {
    let parent = (parent > 0).then(|| SpanId::new(parent));
    SpanNote::Started(Rc::new(SpanStarted {
        span: Span { context: context(trace, span), parent },
        kind: SpanKind::Client,
        name: name.into(),
        request: Some(RequestId { agent: "rust".into(), number: 1 }),
        link: None,
        restarted: false,
        state: None,
        attributes: Vec::new(),
    }))
}

fn end(trace: u128, span: u64) -> SpanNote {
    SpanNote::Ended(Rc::new(SpanEnded {
        context: context(trace, span),
        error: None,
        attributes: Vec::new(),
    }))
}

/// What the checks say of these notes, each on a node: the first failure of each.
fn said(notes: &[(&str, SpanNote)]) -> [Option<String>; 2] {
    let mut tracing = Tracing::default();
    for (at, (node, note)) in notes.iter().enumerate() {
        let at = Time::from_nanos(at as u64);
        tracing.note(&Note { at, node, what: note });
    }
    tracing.finish().map(|(_, built)| built.failure().map(str::to_owned))
}

#[test]
fn spans_within_each_other_are_well() {
    let notes = [
        ("rust", start(1, 1, 0, "invoke_agent")),
        ("rust", start(1, 2, 1, "a2a.rust")),
        ("router", start(1, 3, 2, "ccr.record_request")),
        ("rust", end(1, 2)),
        ("rust", end(1, 1)),
        // The answer comes late: the router may end after its caller.
        ("router", end(1, 3)),
    ];
    assert_eq!(said(&notes), [None, None]);
}

#[test]
fn each_fault_is_found() {
    let root = ("rust", start(1, 1, 0, "root"));
    type Told<'a> = &'a [(&'a str, SpanNote)];
    let cases: [(Told<'_>, usize, &str); 7] = [
        (&[root.clone(), ("rust", start(1, 2, 9, "x"))], 0, "has no parent"),
        (
            &[root.clone(), ("rust", end(1, 1)), ("rust", start(1, 2, 1, "x"))],
            0,
            "after its parent",
        ),
        (
            &[root.clone(), ("rust", start(1, 2, 1, "x")), ("rust", end(1, 1))],
            0,
            "before 1 within it",
        ),
        (&[root.clone(), ("rust", end(1, 1)), ("rust", end(1, 1))], 0, "was not open"),
        (&[root.clone(), ("rust", start(1, 1, 0, "root"))], 0, "began twice"),
        (&[root.clone(), ("router", start(1, 2, 0, "x"))], 1, "second root"),
        (&[root.clone(), ("router", start(2, 2, 0, "x"))], 1, "another trace"),
    ];
    for (notes, check, wanted) in cases {
        let said = said(notes)[check].clone().unwrap_or_default();
        assert!(said.contains(wanted), "{said:?} is not about {wanted:?}");
    }
}

#[test]
fn an_attempt_without_a_span_is_found() {
    let request = RequestId { agent: "rust".into(), number: 1 };
    let mut tracing = Tracing::default();
    let root = start(1, 1, 0, "root");
    tracing.note(&Note { at: Time::ZERO, node: "rust", what: &root });
    tracing.see(&Event::AttemptStarted { request, model: "opus".into(), attempt: 1, hedge: false });
    let [_, (_, one_trace)] = tracing.finish();
    assert!(one_trace.failure().is_some_and(|it| it.contains("0 spans of attempts")));
}

#[test]
fn a_request_without_a_trace_is_found_where_all_are_kept() {
    let attempts = |keeps_all| {
        let request = RequestId { agent: "rust".into(), number: 1 };
        let mut tracing = Tracing { keeps_all, ..Tracing::default() };
        let model = "opus".into();
        tracing.see(&Event::AttemptStarted { request, model, attempt: 1, hedge: false });
        let [_, (_, one_trace)] = tracing.finish();
        one_trace.failure().map(str::to_owned)
    };
    assert_eq!(attempts(false), None, "it may be one of those that are not kept");
    assert_eq!(attempts(true).as_deref(), Some("rust/1 has 0 spans of attempts, and there were 1"));
}

/// A header that cannot be read is the excuse of the request that it came with, and of no other.
#[test]
fn a_trace_that_began_anew_excuses_no_other_request() {
    let history = |broken: u32| {
        let mut tracing = Tracing { keeps_all: true, ..Tracing::default() };
        let body = crate::stack::RouteRequest {
            prompt: crate::stack::Prompt {
                request: RequestId { agent: "rust".into(), number: broken },
                task: crate::stack::settings::Task::General,
                operation: None,
                workspace: "".into(),
                baggage: std::rc::Rc::default(),
                input_tokens: 1,
                output_tokens: 1,
            },
            patience: std::time::Duration::ZERO,
            reader: None,
            attempt: 1,
            trace: TraceHeader::Missing,
        };
        let kind = crate::world::MessageKind::Call;
        let message = crate::world::MessageInfo::new(1, kind, "RouteRequest", "rust", "router");
        let message = crate::world::MessageInfo { body: Some(&body), ..message };
        let what = Happening::MessageDelivered { message };
        tracing.hear(&Sighting { seq: 1, at: Time::ZERO, node: "router", cause: 0, what });
        tracing.see(&Event::TraceRestarted { cause: "length" });
        let request = RequestId { agent: "rust".into(), number: 1 };
        let model = "opus".into();
        tracing.see(&Event::AttemptStarted { request, model, attempt: 1, hedge: false });
        let [_, (_, one_trace)] = tracing.finish();
        one_trace.failure().is_some()
    };
    assert!(!history(1));
    assert!(history(2));
}

/// Notes are told to whoever wants them, and change no history.
#[test]
fn notes_are_no_events() {
    struct Ears(std::rc::Rc<std::cell::Cell<u32>>);
    impl Observer for Ears {
        fn see(&mut self, _: &Sighting<'_>) {}
        fn wants_notes(&self) -> bool {
            true
        }
        fn note(&mut self, _: &Note<'_>) {
            self.0.set(self.0.get() + 1);
        }
    }
    struct Noter(Env<Noter>);
    impl actix::Actor for Noter {
        type Context = actix::Context<Self>;
        fn started(&mut self, _: &mut Self::Context) {
            self.0.note(|| TraceHeader::Missing);
            self.0.emit("done", 1_u8);
        }
    }
    let heard = std::rc::Rc::new(std::cell::Cell::new(0));
    let run = |listens: bool| {
        let mut world = World::new(Seed(1));
        world.spawn("noter", Noter);
        if listens {
            world.observe(Ears(std::rc::Rc::clone(&heard)));
        }
        world.run().unwrap().fingerprint
    };
    assert_eq!(run(true), run(false));
    assert_eq!(heard.get(), 1);
}
