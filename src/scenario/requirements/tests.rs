//! Rows that are read, rows that are refused, and what proves one.

use super::*;
use crate::scenario::parse;

const ROW: &str = "[[row]]\nid = \"A-1\"\nbehaviour = \"b\"\nexpected = \"e\"\n";

fn rows(text: &str) -> Vec<Requirement> {
    parse_requirements("sims/requirements.toml", text).unwrap()
}

/// Each problem in a line: `line:column message | help`.
fn report(error: &ScenarioError) -> String {
    let first = error.problem().unwrap();
    let lines = std::iter::once(first).chain(&first.related).map(|problem| {
        let (line, column) = problem.position();
        format!("{line}:{column} {problem} | {}", problem.help.as_deref().unwrap())
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    let error = parse_requirements("sims/requirements.toml", text).unwrap_err();
    assert!(report(&error).starts_with(expected), "{}", report(&error));
}

#[test]
fn rows_are_read_in_their_order() {
    let more = ROW.replace("A-1", "A-0.9");
    let rows = rows(&format!("{ROW}{more}"));
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["A-1", "A-0.9"]);
    assert_eq!((rows[0].behaviour.as_str(), rows[0].expected.as_str()), ("b", "e"));
}

#[test]
fn the_rows_that_are_committed_are_valid() {
    let rows = rows(include_str!("../../../sims/requirements.toml"));
    for (family, count) in [("CCR-", 27), ("SC-", 18), ("RES-", 40), ("OBS-", 8), ("HEAL-", 16)] {
        assert_eq!(rows.iter().filter(|row| row.id.starts_with(family)).count(), count, "{family}");
    }
}

#[test]
fn broken_rows_are_refused_at_their_place() {
    refused("", "1:1 there is no row | add [[row]]");
    refused(&format!("{ROW}{ROW}"), "6:6 A-1 is the ID of row 1 already | give it an ID");
    refused(&ROW.replace("A-1", "A 1"), "2:6 \"A 1\" cannot be the ID of a row | write letters");
    refused(&ROW.replace("A-1", ""), "2:6 \"\" cannot be the ID");
    refused(&ROW.replace("\"b\"", "\" \""), "3:13 A-1 says nothing | say in a sentence");
    refused(&ROW.replace("\"e\"", "\"\""), "4:12 A-1 says nothing");
    refused(&ROW.replace("expected", "expcted"), "4:1 unknown key `expcted` | did you mean");
    refused("[[rows]]\n", "1:3 unknown key `rows` | did you mean `row`?");
    refused("[[row]]\nid = \"A-1\"\n", "1:1 missing field `behaviour` | add behaviour");
    refused("[[row", "1:6 ");
    let both = ROW.replace("\"b\"", "\"\"").replace("\"e\"", "\"\"");
    let error = parse_requirements("x", &both).unwrap_err();
    assert_eq!(report(&error).lines().count(), 2, "every problem is told");
    let long = " ".repeat(TEXT_BYTES_MAX + 1);
    assert!(matches!(parse_requirements("x", &long), Err(ScenarioError::TooLarge { .. })));
    assert!(matches!(parse_requirements("x", &long[1..]), Err(ScenarioError::Invalid(_))));
}

#[test]
fn ids_have_a_length() {
    assert!(is_id(&"a".repeat(64)) && !is_id(&"a".repeat(65)) && !is_id("") && !is_id("a/b"));
}

#[test]
fn a_file_that_is_not_there_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(load_requirements(folder.path()).unwrap().is_none());
    std::fs::write(folder.path().join(FILE_NAME), ROW).unwrap();
    assert_eq!(load_requirements(folder.path()).unwrap().unwrap(), rows(ROW));
    std::fs::write(folder.path().join(FILE_NAME), [0xff]).unwrap();
    assert!(matches!(load_requirements(folder.path()), Err(ScenarioError::NotUtf8 { .. })));
}

#[test]
fn the_file_is_not_found_as_a_sim() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE_NAME), ROW).unwrap();
    let find = || crate::scenario::find(&[folder.path().to_owned()]);
    assert!(matches!(find(), Err(ScenarioError::NoSims { .. })));
    std::fs::write(folder.path().join("a.toml"), "").unwrap();
    assert_eq!(find().unwrap(), [folder.path().join("a.toml")]);
}

const STACK: &str = "purpose = \"p\"\n[router]\nprimary = \"opus\"\n[[backend]]\nname = \"opus\"\n\
                     [[agent]]\nname = \"rust\"\n";
const EXPECT: &str = "[[expect]]\nmetric = \"requests.failed\"\nequals = 0\n";

fn sim(text: &str) -> Sim {
    parse("sims/a.toml", text).unwrap()
}

#[test]
fn a_row_is_proved_by_a_sim_that_covers_it_and_expects_something() {
    let row = &rows(ROW)[0];
    let covers = "covers = [\"A-1\"]\n";
    assert!(row.is_proved_by(&sim(&format!("{covers}{STACK}{EXPECT}"))));
    assert!(!row.is_proved_by(&sim(&format!("{covers}{STACK}"))), "it expects nothing");
    assert!(!row.is_proved_by(&sim(&format!("{STACK}{EXPECT}"))), "it covers nothing");
    assert!(!row.is_proved_by(&sim(&format!("covers = [\"A-10\"]\n{STACK}{EXPECT}"))));
    for must in ["must = \"fail\"\nfails_by = [\"a\"]", "must = \"diverge\""] {
        let canary = format!("{must}\n{covers}{STACK}{EXPECT}");
        assert!(!row.is_proved_by(&sim(&canary)), "a canary");
    }
}

#[test]
fn a_sim_that_covers_an_unknown_row_is_told_the_nearest() {
    let rows = rows(ROW);
    assert!(unknown_rows(&sim(&format!("covers = [\"A-1\"]\n{STACK}")), &rows).is_ok());
    let wrong = sim(&format!("covers = [\"A-1\", \"A-2\", \"zzzzzz\"]\n{STACK}"));
    let report = report(&unknown_rows(&wrong, &rows).unwrap_err());
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines.len(), 2, "{report}");
    assert!(
        lines[0].starts_with("1:18 there is no requirement row \"A-2\" | did you mean \"A-1\"?")
    );
    assert!(lines[1].ends_with("| `seedbed coverage` shows the rows there are"), "{report}");
}
