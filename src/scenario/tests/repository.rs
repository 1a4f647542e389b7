//! The sims and the schema that are committed here.

use std::path::{Path, PathBuf};

use crate::scenario::{find, load};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sims")
}

/// What a user of the terminal would see, without colours.
pub(super) fn render(error: &dyn miette::Diagnostic) -> String {
    let handler = miette::NarratableReportHandler::new();
    let mut text = String::new();
    handler.render_report(&mut text, error).expect("a report is rendered to a string");
    text
}

#[test]
fn every_sim_is_valid() {
    let sims = find(&[root()]).expect("there are sims");
    for path in &sims {
        let sim = load(path).unwrap_or_else(|error| panic!("{}", render(&error)));
        assert!(sim.expectations.len() >= 2, "{} expects too little", sim.name);
        assert_eq!(sim.seeds, [1, 2, 3], "{}", sim.name);
        assert_eq!(root().join(format!("{}.toml", sim.name)), *path);
    }
}
