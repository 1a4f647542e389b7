//! Every requirement row of the families that are done has a sim behind it, and no sim can go away
//! unnoticed.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use seedbed::scenario::{
    Must, Requirement, Sim, find, load, load_requirements, parse, parse_requirements, unknown_rows,
};

/// The families of which every row must be proved, by how their IDs begin.
const FAMILIES: [&str; 5] = ["CCR-", "SC-", "RES-", "OBS-", "HEAL-"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rows() -> Vec<Requirement> {
    load_requirements(&root().join("sims")).expect("valid rows").expect("a file of rows")
}

fn sims() -> Vec<Sim> {
    let files = find(&[root().join("sims")]).expect("sims");
    files.iter().map(|file| load(file).expect("a valid sim")).collect()
}

/// The rows of some families that neither a sim proves nor a test that says so.
fn gaps(rows: &[Requirement], sims: &[Sim], families: &[&str]) -> Vec<String> {
    let is_due = |row: &&Requirement| families.iter().any(|family| row.id.starts_with(family));
    let is_gap =
        |row: &&Requirement| row.test.is_none() && !sims.iter().any(|sim| row.is_proved_by(sim));
    rows.iter().filter(is_due).filter(is_gap).map(|row| row.id.clone()).collect()
}

#[test]
fn every_row_of_the_families_that_are_done_has_a_sim() {
    let gaps = gaps(&rows(), &sims(), &FAMILIES);
    assert!(gaps.is_empty(), "no sim proves {}", gaps.join(", "));
}

/// What is wrong with the test that a row names instead of a sim: it must be there, and be about it.
fn untested(rows: &[Requirement], root: &Path) -> Vec<String> {
    let mut complaints = Vec::new();
    for Requirement { id, test, .. } in rows {
        let Some(test) = test else { continue };
        match fs::read_to_string(root.join(test)) {
            Ok(text) if text.contains("#[test]") && text.contains(id.as_str()) => {}
            Ok(_) => complaints.push(format!("{test} does not test {id}")),
            Err(_) => complaints.push(format!("{id}: there is no {test}")),
        }
    }
    complaints
}

#[test]
fn every_test_that_a_row_names_is_about_it() {
    assert_eq!(untested(&rows(), &root()), [""; 0]);
    // Only what is measured in wall time, and what is written after a run, may do without a sim.
    let tested: Vec<String> =
        rows().into_iter().filter(|row| row.test.is_some()).map(|row| row.id).collect();
    assert_eq!(tested, ["RES-3.5", "RES-7.1", "RES-7.2", "RES-7.4", "OBS-2"]);
    let row = |id, test| {
        format!("[[row]]\nid = \"{id}\"\nbehaviour = \"b\"\nexpected = \"e\"\ntest = \"{test}\"\n")
    };
    let planted = [row("A-1", "tests/gone.rs"), row("A-2", "Cargo.toml")].concat();
    let planted = parse_requirements("requirements.toml", &planted).expect("rows");
    let complaints = ["A-1: there is no tests/gone.rs", "Cargo.toml does not test A-2"];
    assert_eq!(untested(&planted, &root()), complaints);
}

#[test]
fn every_family_has_rows() {
    let rows = rows();
    for family in FAMILIES {
        assert!(rows.iter().any(|row| row.id.starts_with(family)), "{family}");
    }
}

#[test]
fn a_planted_gap_is_found() {
    let row = |id| format!("[[row]]\nid = \"{id}\"\nbehaviour = \"b\"\nexpected = \"e\"\n");
    let rows = [row("A-1"), row("A-2"), row("A-3"), row("B-1")].concat();
    let rows = parse_requirements("requirements.toml", &rows).expect("rows");
    let sim = |must: &str, covers: &str| {
        let text = format!(
            "purpose = \"p\"\n{must}covers = [\"{covers}\"]\n[router]\n\
             primary = \"opus\"\n[[backend]]\nname = \"opus\"\n[[agent]]\nname = \"rust\"\n\
             [[expect]]\nmetric = \"requests.failed\"\nequals = 0\n"
        );
        parse("sims/a.toml", &text).expect("a sim")
    };
    let sims = [sim("", "A-1"), sim("must = \"fail\"\nfails_by = [\"a\"]\n", "A-2")];
    assert_eq!(gaps(&rows, &sims, &["A-"]), ["A-2", "A-3"]);
    assert_eq!(gaps(&rows, &sims, &["A-1", "B-"]), ["B-1"]);
    assert_eq!(gaps(&rows, &sims[1..], &["A-1"]), ["A-1"]);
}

#[test]
fn sims_cover_only_rows_that_there_are() {
    let rows = rows();
    for sim in sims() {
        let known = unknown_rows(&sim, &rows);
        assert!(known.is_ok(), "{}: {known:?}", sim.name);
    }
}

/// The folders below `snapshots/` that hold snapshots, by the names of their sims.
fn snapshot_folders(folder: &Path) -> BTreeSet<String> {
    let (mut found, mut folders) = (BTreeSet::new(), vec![folder.to_owned()]);
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(&below).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = below.strip_prefix(folder).expect("a folder below");
                found.insert(name.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found
}

/// The folders that belong to no sim.
fn orphans(folders: &BTreeSet<String>, sims: &BTreeSet<String>) -> Vec<String> {
    folders.difference(sims).cloned().collect()
}

#[test]
fn a_sim_that_is_deleted_leaves_an_orphan() {
    let sims = sims();
    let folders = snapshot_folders(&root().join("snapshots"));
    let names: BTreeSet<String> = sims.iter().map(|sim| sim.name.clone()).collect();
    assert_eq!(orphans(&folders, &names), Vec::<String>::new());
    let proving = |sim: &&Sim| sim.must == Must::Pass && !sim.covers.is_empty();
    let mut deleted = 0;
    for sim in sims.iter().filter(proving) {
        let mut others = names.clone();
        others.remove(&sim.name);
        assert_eq!(orphans(&folders, &others), [sim.name.as_str()], "nobody would notice");
        deleted += 1;
    }
    assert!(deleted > 0, "no sim proves anything");
}

#[test]
fn a_planted_orphan_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["a/here", "a/gone"] {
        let below = folder.path().join(name);
        fs::create_dir_all(&below).expect("folders");
        fs::write(below.join("story.snap"), "").expect("a file");
    }
    let folders = snapshot_folders(folder.path());
    assert_eq!(orphans(&folders, &BTreeSet::from(["a/here".to_owned()])), ["a/gone"]);
}

#[cfg(feature = "cli")]
mod verb {
    //! What the verb prints.

    use std::process::Command;

    use serde_json::Value;

    fn run(folder: &std::path::Path, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seedbed"));
        let output = command.args(arguments).current_dir(folder).output().expect("it starts");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    #[test]
    fn the_document_has_every_row_and_its_sims() {
        let (code, out, err) = run(&super::root(), &["coverage", "--format", "json"]);
        assert_eq!(code, Some(0), "{err}");
        let document: Value = serde_json::from_str(&out).expect("JSON");
        let keys = |value: &Value| {
            let keys = value.as_object().expect("an object").keys().cloned();
            keys.collect::<Vec<_>>()
        };
        assert_eq!(keys(&document), ["rows", "version"]);
        let rows = document["rows"].as_array().expect("rows");
        assert_eq!(rows.len(), super::rows().len());
        let is_plain = |row: &&Value| row.get("test").is_none();
        let known =
            rows.iter().filter(is_plain).all(|row| keys(row) == ["behaviour", "id", "sims"]);
        assert!(known && rows.iter().filter(|row| !is_plain(row)).count() == 5);
        let row = rows.iter().find(|row| row["id"] == "CCR-F1").expect("a row");
        let sims = row["sims"].as_array().expect("sims");
        assert!(sims.iter().any(|sim| sim == "ccr/primary_fails"), "{row}");
        let covered = rows.iter();
        let has_sims =
            |row: &&Value| row["sims"] != serde_json::json!([]) || row.get("test").is_some();
        let covered = covered.filter(has_sims).count();
        let last = format!("{covered} of {} rows are covered", rows.len());
        assert_eq!(err.lines().last(), Some(last.as_str()));
    }

    #[test]
    fn the_table_shows_what_is_missing() {
        let (code, out, err) = run(&super::root(), &["coverage", "ccr/primary_fails"]);
        assert_eq!(code, Some(0), "{err}");
        let line = |id: &str| {
            let line = out.lines().find(|line| line.split_whitespace().next() == Some(id));
            line.unwrap_or_default().to_owned()
        };
        assert!(line("CCR-F1").contains("ccr/primary_fails"), "{out}");
        assert!(line("HEAL-S").contains(" none "), "{out}");
    }

    #[test]
    fn without_rows_of_its_own_a_folder_is_held_to_those_in_the_binary() {
        let folder = tempfile::tempdir().expect("a folder");
        let (code, out, err) = run(folder.path(), &["coverage", "quickstart"]);
        assert_eq!(code, Some(0), "{err}");
        assert!(out.contains("CCR-F1") && err.contains(" of 109 rows are covered"), "{out}{err}");
    }

    #[test]
    fn check_points_at_rows_that_there_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let sims = folder.path().join("sims");
        std::fs::create_dir(&sims).expect("a folder");
        let sim = "covers = [\"A-2\"]\npurpose = \"p\"\n[router]\nprimary = \"opus\"\n[[backend]]\n\
                   name = \"opus\"\n[[agent]]\nname = \"rust\"\n";
        std::fs::write(sims.join("a.toml"), sim).expect("a file");
        let check = || run(folder.path(), &["check"]);
        assert_eq!(check().0, Some(0), "nobody has said which rows there are");
        let row = "[[row]]\nid = \"A-1\"\nbehaviour = \"b\"\nexpected = \"e\"\n";
        std::fs::write(sims.join("requirements.toml"), row).expect("a file");
        let (code, out, err) = check();
        assert_eq!(code, Some(2), "{out}{err}");
        assert!(out.contains("1 sim, 1 wrong"), "{out}");
        assert!(err.contains("did you mean \"A-1\"?") && err.contains("a.toml:1:11"), "{err}");
        let (code, _, err) = run(folder.path(), &["coverage"]);
        assert_eq!(code, Some(1), "A-1 has no sim");
        assert!(err.contains("sims/a.toml covers A-2, which is no row"), "{err}");
        std::fs::write(sims.join("requirements.toml"), row.repeat(2)).expect("a file");
        let (code, _, err) = run(folder.path(), &["coverage"]);
        assert_eq!(code, Some(2));
        assert!(err.contains("requirements.toml:6:6"), "{err}");
    }
}
