//! The sims and the schema that are committed here.

use std::path::{Path, PathBuf};

use super::report;
use crate::{
    scenario::{find, load},
    stack::Quirks,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sims")
}

#[test]
fn every_sim_is_valid() {
    let sims = find(&[root()]).expect("there are sims");
    for path in &sims {
        let sim = load(path).unwrap_or_else(|error| panic!("{path:?}: {}", report(&error)));
        // What is wrong with a known bug, the checks must see that always run.
        let least = if sim.router.quirks == Quirks::default() { 2 } else { 0 };
        assert!(sim.expectations.len() >= least, "{} expects too little", sim.name);
        assert_eq!(sim.seeds, [1, 2, 3], "{}", sim.name);
        assert_eq!(root().join(format!("{}.toml", sim.name)), *path);
        let depth = sim.name.matches('/').count();
        let schema = format!("#:schema {}schema.json\n", if depth == 0 { "./" } else { "../" });
        assert!(sim.source_text().starts_with(&schema), "{} names no schema", sim.name);
    }
}

#[cfg(feature = "cli")]
#[test]
#[expect(clippy::disallowed_methods, reason = "asks whether to write the file, not what to write")]
fn the_schema_is_current() {
    let path = root().join("schema.json");
    let current = crate::scenario::schema_text();
    if std::env::var("UPDATE_SCHEMA").is_ok_and(|value| value == "1") {
        std::fs::write(&path, &current).expect("the schema can be written");
    }
    let committed = std::fs::read_to_string(&path).expect("sims/schema.json is there");
    assert!(
        committed == current,
        "sims/schema.json is stale: run UPDATE_SCHEMA=1 cargo test --lib the_schema_is_current"
    );
}

#[cfg(feature = "cli")]
#[test]
fn the_schema_says_what_a_sim_may_write() {
    let schema = crate::scenario::schema();
    let top = &schema["properties"];
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], serde_json::json!(["purpose"]));
    let stacks = serde_json::json!([
        { "required": ["agent"] }, { "required": ["service"] },
        { "required": ["sidecar", "client"] }, { "required": ["sidecar", "subscriber"] },
        { "required": ["runner"] }
    ]);
    assert_eq!(schema["anyOf"], stacks);
    assert_eq!(schema["$defs"]["Dialect"]["enum"][4], "envoy-outlier");
    assert_eq!(top["start"]["$ref"], "#/$defs/Instant");
    assert_eq!(schema["$defs"]["Duration"]["type"], "string");
    assert!(schema["$defs"]["DurationOrDistribution"]["oneOf"].is_array());
    assert!(schema["$defs"]["Fault"]["properties"]["for"].is_object());
    assert!(schema["$defs"]["Fault"]["oneOf"].is_array());
    assert!(!schema.to_string().contains("null"), "TOML has no null");
}

/// A kind of event that is missing in the list could be neither expected nor filtered for.
#[test]
fn every_kind_of_event_of_the_world_is_listed() {
    use crate::scenario::{EVENTS, tests::valid};
    let mut world = crate::world::World::new(crate::world::Seed(1));
    let seen = std::rc::Rc::new(std::cell::RefCell::new(std::collections::BTreeSet::new()));
    let sink = std::rc::Rc::clone(&seen);
    let sim = valid(super::MINIMAL);
    crate::scenario::expand(&mut world, &sim, None, false).unwrap();
    world.observe(move |sighting: &crate::world::Sighting<'_>| {
        sink.borrow_mut().insert(sighting.what.kind());
    });
    world.run().unwrap();
    for kind in seen.borrow().iter() {
        assert!(EVENTS.iter().any(|event| event.name == *kind), "{kind}");
    }
    assert!(seen.borrow().contains("timer_fired") && seen.borrow().contains("request_ended"));
}
