//! Style that no lint knows: kept by tests, each tested against a planted violation.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The longest source file, in lines.
const SOURCE_LINES_MAX: usize = 500;
/// The longest test file, in lines.
const TEST_LINES_MAX: usize = 600;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The files under a folder that end in `ext`, as paths relative to the root, with their texts.
fn texts(folder: &str, ext: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|other| other == ext) {
                let name = path.strip_prefix(root()).expect("a path under the root");
                let text = fs::read_to_string(&path).expect("a readable file");
                found.push((name.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(String, String)> {
    ["src", "tests", "benches", "examples"].iter().flat_map(|dir| texts(dir, "rs")).collect()
}

/// All sims: `requirements.toml` is none.
fn sims() -> Vec<(String, String)> {
    let files = texts("sims", "toml").into_iter();
    files.filter(|(path, _)| path != "sims/requirements.toml").collect()
}

fn sim_names() -> BTreeSet<String> {
    let name = |(path, _): &(String, String)| {
        path.trim_start_matches("sims/").trim_end_matches(".toml").to_owned()
    };
    sims().iter().map(name).collect()
}

/// Every word that a reader may see: sources, sims, documents, settings.
fn everything() -> Vec<(String, String)> {
    let mut all = sources();
    for (folder, ext) in [("sims", "toml"), ("snapshots", "snap"), ("docs", "md")] {
        all.extend(texts(folder, ext));
    }
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "Cargo.toml", "clippy.toml"] {
        if let Ok(text) = fs::read_to_string(root().join(name)) {
            all.push((name.to_owned(), text));
        }
    }
    all
}

/// Fails with all complaints about all files.
#[track_caller]
fn assert_none(files: &[(String, String)], rule: impl Fn(&str, &str) -> Vec<String>) {
    assert!(!files.is_empty(), "there is nothing to look at");
    let complaints: Vec<String> = files.iter().flat_map(|(name, text)| rule(name, text)).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

fn too_long(name: &str, text: &str) -> Vec<String> {
    // Tests of a module lie beside it, in `tests.rs` and `tests/`.
    let is_test = !name.starts_with("src/") || name.contains("/tests");
    let most = if is_test { TEST_LINES_MAX } else { SOURCE_LINES_MAX };
    let lines = text.lines().count();
    let complaint = format!("{name} has {lines} lines: what is the second thing in it?");
    (lines > most).then_some(complaint).into_iter().collect()
}

#[test]
fn no_file_is_too_long() {
    assert_none(&sources(), too_long);
    assert_eq!(too_long("src/a.rs", &"x\n".repeat(501)).len(), 1);
    assert_eq!(too_long("src/a/tests.rs", &"x\n".repeat(501)).len(), 0);
    assert_eq!(too_long("src/a/tests.rs", &"x\n".repeat(601)).len(), 1);
    assert_eq!(too_long("tests/a.rs", &"x\n".repeat(501)).len(), 0);
    assert_eq!(too_long("tests/a.rs", &"x\n".repeat(601)).len(), 1);
}

fn without_purpose(name: &str, text: &str) -> Vec<String> {
    let says = text.lines().next().is_some_and(|line| line.starts_with("//! "));
    let complaint = format!("{name} does not begin with a //! that says what it is for");
    (!says).then_some(complaint).into_iter().collect()
}

#[test]
fn every_file_says_what_it_is_for() {
    assert_none(&sources(), without_purpose);
    assert_eq!(without_purpose("a.rs", "use std::fs;\n//! Late.\n").len(), 1);
    assert_eq!(without_purpose("a.rs", "").len(), 1);
    assert_eq!(without_purpose("a.rs", "//! What it is for.\n").len(), 0);
}

/// Words that are put together here, so that this file does not complain of itself.
fn leftovers() -> Vec<String> {
    let words = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["dbg", "!("], ["#[all", "ow("]];
    words.iter().map(|parts| parts.concat()).chain([["#![all", "ow("].concat()]).collect()
}

fn left_over(name: &str, text: &str) -> Vec<String> {
    let words = leftovers();
    let mut complaints = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in words.iter().filter(|word| line.contains(*word)) {
            complaints.push(format!("{name}:{}: {word}", index + 1));
        }
    }
    complaints
}

#[test]
fn nothing_is_left_to_be_done() {
    assert_none(&everything(), left_over);
    for word in leftovers() {
        assert_eq!(left_over("a.rs", &format!("fine\n// {word}")), [format!("a.rs:2: {word}")]);
    }
    assert!(left_over("a.rs", "#[expect(dead_code, reason = \"…\")]").is_empty());
}

fn machine_paths(name: &str, text: &str) -> Vec<String> {
    let folders = ["work", "tmp", "home", "Users", "root"].map(|folder| format!("/{folder}/"));
    let mut complaints = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for folder in &folders {
            // Only where a path begins: `a/tmp/b` is a relative one.
            let is_path = line.match_indices(folder.as_str()).any(|(at, _)| {
                !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_-.*".contains(c))
            });
            if is_path {
                complaints.push(format!("{name}:{}: {folder}", index + 1));
            }
        }
    }
    complaints
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    assert_none(&everything(), machine_paths);
    let planted = format!("let path = \"/{}/seedbed\";", "work");
    assert_eq!(machine_paths("a.rs", &planted).len(), 1);
    assert_eq!(machine_paths("a.rs", &format!("see /{}/x", "tmp")).len(), 1);
    assert!(machine_paths("a.rs", "net/tmp/x").is_empty());
}

fn sim_without_purpose(name: &str, text: &str) -> Vec<String> {
    let purpose = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "purpose").then(|| value.trim().trim_matches('"').to_owned())
    });
    // Long enough to say why the sim is there and what should happen.
    let says = purpose.is_some_and(|purpose| purpose.split_whitespace().count() >= 6);
    let complaint = format!("{name} does not say in a sentence why it is there");
    (!says).then_some(complaint).into_iter().collect()
}

#[test]
fn every_sim_has_a_purpose() {
    assert_none(&sims(), sim_without_purpose);
    assert_eq!(sim_without_purpose("a.toml", "seeds = [1]\n").len(), 1);
    assert_eq!(sim_without_purpose("a.toml", "purpose = \"a test\"\n").len(), 1);
    let good = "purpose = \"All is well: every request is answered.\"\n";
    assert!(sim_without_purpose("a.toml", good).is_empty());
}

/// Snapshots whose sim is gone, and of kinds that there are not.
fn orphans(sims: &BTreeSet<String>, snapshots: &[String]) -> Vec<String> {
    let kinds = ["summary.snap", "faults.snap", "story.snap"];
    let belongs = |path: &&String| {
        let path = path.strip_prefix("snapshots/").unwrap_or(path);
        path.rsplit_once('/').is_some_and(|(sim, kind)| sims.contains(sim) && kinds.contains(&kind))
    };
    snapshots
        .iter()
        .filter(|path| !belongs(path))
        .map(|path| format!("{path} belongs to no sim"))
        .collect()
}

#[test]
fn every_snapshot_has_a_sim() {
    let sims = sim_names();
    let snapshots: Vec<String> =
        texts("snapshots", "snap").into_iter().map(|(path, _)| path).collect();
    assert_eq!(orphans(&sims, &snapshots), Vec::<String>::new());

    let planted = ["snapshots/gone/sim/summary.snap", "snapshots/quickstart/other.snap"];
    let planted: Vec<String> = planted.iter().map(|path| (*path).to_owned()).collect();
    assert_eq!(orphans(&sims, &planted).len(), 2);
    assert!(orphans(&sims, &["snapshots/quickstart/story.snap".to_owned()]).is_empty());
}

#[cfg(feature = "cli")]
fn stale(committed: &str, current: &str) -> bool {
    committed.replace("\r\n", "\n") != current
}

#[cfg(feature = "cli")]
#[test]
fn the_schema_is_not_stale() {
    let committed = fs::read_to_string(root().join("sims/schema.json")).expect("a schema");
    let current = seedbed::scenario::schema_text();
    assert!(!stale(&committed, &current), "sims/schema.json: run `seedbed schema` to renew it");
    assert!(stale(&committed.replacen("purpose", "porpoise", 1), &current));
}

/// Sims that a document's table of sims leaves out, and rows of it without a sim. The table is
/// between two comments.
fn table_differs(document: &str, sims: &BTreeSet<String>) -> Vec<String> {
    let between = |text: &str| -> Option<String> {
        let (_, rest) = text.split_once("<!-- sims -->")?;
        Some(rest.split_once("<!-- /sims -->")?.0.to_owned())
    };
    let Some(table) = between(document) else { return Vec::new() };
    let row = |line: &str| line.split('`').nth(1).map(str::to_owned);
    let rows: BTreeSet<String> =
        table.lines().filter(|line| line.starts_with("| `")).filter_map(row).collect();
    let missing = sims.difference(&rows).map(|sim| format!("the table leaves out {sim}"));
    missing.chain(rows.difference(sims).map(|row| format!("there is no sim {row}"))).collect()
}

#[test]
fn the_table_of_sims_is_not_stale() {
    let sims = sim_names();
    if let Ok(readme) = fs::read_to_string(root().join("README.md")) {
        assert_eq!(table_differs(&readme, &sims), Vec::<String>::new());
    }
    let two = BTreeSet::from(["a/b".to_owned(), "c".to_owned()]);
    let table = |rows: &str| format!("x\n<!-- sims -->\n{rows}<!-- /sims -->\n");
    assert_eq!(table_differs(&table("| `a/b` | p |\n| `d` | p |\n"), &two).len(), 2);
    assert!(table_differs(&table("| `a/b` | p |\n| `c` | p |\n"), &two).is_empty());
    assert!(table_differs("no table", &two).is_empty());
}

#[test]
fn paths_are_looked_at_where_they_are() {
    assert!(Path::new(&root()).join("src/lib.rs").is_file());
    assert!(sources().iter().any(|(name, _)| name == "src/lib.rs"));
    assert!(everything().iter().any(|(name, _)| name == "sims/quickstart.toml"));
}

/// `.cargo/config.toml` says which seed, and the environment may say another.
#[test]
fn property_tests_draw_from_a_fixed_seed() {
    use proptest::test_runner::{Config, RngSeed};
    let is_fixed = |config: &Config| matches!(config.rng_seed, RngSeed::Fixed(_));
    assert!(is_fixed(&Config::default()), "PROPTEST_RNG_SEED is not set");
    assert!(!is_fixed(&Config { rng_seed: RngSeed::Random, ..Config::default() }));
    // Nobody overrides what all share.
    for (name, text) in sources() {
        let own = ["rng_seed:", "rng_algorithm:"].map(|field| text.contains(field));
        assert!(own == [false; 2] || name.ends_with("tidy.rs"), "{name} has a seed of its own");
    }
}
