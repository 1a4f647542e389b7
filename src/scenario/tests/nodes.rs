//! Which nodes there are, and which of them a selector names.

use super::{valid, with};
use crate::scenario::Selector;

#[test]
fn in_a_stable_order() {
    let sim = with("[[agent]]\nname = \"go\"\n[sidecar]\n");
    let nodes = ["sidecar", "router", "opus", "auditor", "rust-1", "rust-2", "rust-3", "go"];
    assert_eq!(sim.node_names(), nodes);
    assert_eq!(with("[sidecar]\nenabled = false").node_names()[0], "router");
}

#[test]
fn selectors() {
    let sim = with("[[agent]]\nname = \"go\"\n[[agent]]\nname = \"rust-x\"\ncount = 12");
    let select = |text: &str| {
        let nodes = sim.select(&Selector::new(text));
        assert_eq!(sim.selects_any(text), !nodes.is_empty(), "{text}");
        nodes.join(" ")
    };
    assert_eq!(select("router"), "router");
    assert_eq!(select("rust"), "rust-1 rust-2 rust-3");
    assert_eq!(select("rust-2"), "rust-2");
    assert_eq!(select("rust-2*"), "rust-2");
    assert_eq!(select("rust-x-1*"), "rust-x-1 rust-x-10 rust-x-11 rust-x-12");
    assert_eq!(select("rust-x-*").split(' ').count(), 12);
    assert_eq!(select("go"), "go");
    assert_eq!(select("*").split(' ').count(), 2 + 3 + 1 + 12);
    for nothing in ["go-1", "rust-4", "rust-0", "rust-x-13*", "rust-01*", "sidecar", "", "r*r"] {
        assert_eq!(select(nothing), "", "{nothing}");
    }
}

#[test]
fn a_million_agents_are_not_listed_to_check_a_selector() {
    let faults = "[[fault]]\nat = \"1s\"\ncrash = { node = \"rust-99*\" }\n".repeat(1000);
    let text = format!("{}{faults}", super::MINIMAL.replace("count = 3", "count = 1000000"));
    assert_eq!(valid(&text).faults.len(), 1000);
}
