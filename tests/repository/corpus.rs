//! Every failing seed of `corpus/` is tried again: one that still fails fails here.

use std::path::{Path, PathBuf};

use seedbed::explore::{Found, Known, known, read_corpus};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What is wrong with a corpus.
fn complaints(corpus: &Path) -> Vec<String> {
    let complaint = |found: &Found| match known(found, &root().join("sims")) {
        Known::Fixed { .. } => None,
        other => Some(format!("{} seed {}: {other:?}", found.sim, found.seed)),
    };
    let read = read_corpus(corpus).into_iter();
    read.filter_map(|one| match one {
        Ok((_, found)) => complaint(&found),
        Err(error) => Some(error.to_string()),
    })
    .collect()
}

#[test]
fn nothing_in_the_corpus_fails_any_more() {
    assert_eq!(complaints(&root().join("corpus")), Vec::<String>::new());
}

#[test]
fn a_seed_that_fails_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, sim: &str| {
        let text = format!(
            "sim = \"{sim}\"\nseed = \"1\"\ntext_hash = \"0\"\nsignature = \"s\"\nfound_at = \"0\"\n"
        );
        std::fs::write(folder.path().join(name), text).unwrap();
    };
    file("a.toml", "canary/broken_expectation");
    file("b.toml", "gone");
    file("c.toml", "quickstart");
    let said = complaints(folder.path());
    assert_eq!(said.len(), 2, "{said:?}");
}
