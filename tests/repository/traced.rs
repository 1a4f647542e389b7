//! Every call between nodes carries its context: the caller has a span of it, and whoever takes it has
//! one within that.

use std::{cell::RefCell, collections::BTreeMap, path::Path, rc::Rc};

use seedbed::{
    explore::{Options, simulate},
    observe::{SpanRecord, Spans},
    scenario,
    stack::SpanKind,
    world::{Seed, Sighting},
};

/// Sims that have each kind of actor that calls another.
const SIMS: [&str; 6] = [
    "observability/tracing_around",
    "observability/progress",
    "observability/approval",
    "healing/degrade_and_recover",
    "config/change_under_load",
    "ccr/primary_fails",
];

/// The calls that left a node for another one, by the node.
type Calls = BTreeMap<String, usize>;

fn run(sim: &str) -> (Calls, Vec<SpanRecord>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("sims/{sim}.toml"));
    let sim = scenario::load(&path).expect("a sim");
    let (spans, calls) = (Spans::new(), Rc::new(RefCell::new(Calls::new())));
    let seen = Rc::clone(&calls);
    let count = move |sighting: &Sighting<'_>| {
        let record = sighting.to_record();
        let text = |name: &str| record.fields.get(name).and_then(|value| value.as_str());
        if record.kind == "message_sent"
            && text("carries") == Some("call")
            && text("from") != text("to")
        {
            *seen.borrow_mut().entry(record.node).or_default() += 1;
        }
    };
    simulate(&sim, Seed(1), &Options::default(), vec![Box::new(spans.clone()), Box::new(count)])
        .expect("it runs");
    (calls.take(), spans.finish())
}

#[test]
fn every_call_between_nodes_has_a_span_at_both_ends() {
    for sim in SIMS {
        let (calls, spans) = run(sim);
        let mut made = Calls::new();
        for span in spans.iter().filter(|span| span.started.kind == SpanKind::Client) {
            *made.entry(span.node.to_string()).or_default() += 1;
        }
        assert_eq!(made, calls, "{sim}: spans of calls, and calls");
        let of: BTreeMap<_, _> =
            spans.iter().map(|span| (span.started.span.context.span, span)).collect();
        let taken: Vec<&SpanRecord> =
            spans.iter().filter(|span| span.started.kind == SpanKind::Server).collect();
        assert!(!taken.is_empty(), "{sim}");
        for span in taken {
            let parent = span.started.span.parent.and_then(|parent| of.get(&parent));
            let parent = parent.unwrap_or_else(|| panic!("{sim}: {} is a root", span.started.name));
            assert_eq!(parent.started.kind, SpanKind::Client, "{sim}: {}", span.started.name);
            assert_eq!(parent.started.span.context.trace, span.started.span.context.trace);
            assert_ne!(parent.node, span.node, "{sim}: {}", span.started.name);
        }
    }
}
