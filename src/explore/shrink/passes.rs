//! What can be taken out of a sim or made simpler, as lists of edits that are independent of each
//! other.
//!
//! An edit may well break the sim: whoever tries it finds that it cannot be read. Nothing here runs
//! anything.

use std::time::Duration;

use toml_edit::{Item, Value};

use crate::explore::document::{Change, Document, Edit, Path, Step, place};
use crate::scenario::{NODE_LISTS, NODE_TABLES, duration_text, parse_duration};

/// Keys of chances that something goes wrong in the network.
pub(super) const CHANCES: [&str; 4] = ["loss", "duplicate", "reorder", "corrupt"];
/// What every shrunk sim has.
const HEADING: [&str; 2] = ["purpose", "seeds"];
/// What is expected: its entries can go, but nothing that they say.
const EXPECTED: [&str; 2] = ["expect", "sometimes"];
/// What only makes sense together.
const HALVES: [&[&str]; 3] = [
    &[
        "router",
        "backend",
        "workspace",
        "agent",
        "asker",
        "load",
        "resilience",
        "change",
        "sidecar",
        "client",
        "subscriber",
        "project",
    ],
    &["service", "caller", "monitor"],
    &["runner", "reviewer", "approvals", "dashboard"],
];

/// One way to make a sim smaller: all its edits of a document.
pub(super) struct Pass {
    /// What it does, for people.
    pub(super) name: &'static str,
    pub(super) edits: fn(&Document) -> Vec<Edit>,
}

/// All passes, those that take most away first.
pub(super) const PASSES: [Pass; 13] = [
    Pass { name: "expectations", edits: |it| entries(it, &EXPECTED) },
    Pass { name: "faults", edits: |it| entries(it, &["fault"]) },
    Pass { name: "halves of the stack", edits: halves },
    Pass { name: "nodes", edits: nodes },
    Pass { name: "changes", edits: changes },
    Pass {
        name: "workspaces, projects and links",
        edits: |it| entries(it, &["link", "workspace", "project"]),
    },
    Pass { name: "steps", edits: parts },
    Pass { name: "settings", edits: settings },
    Pass { name: "chances", edits: certain },
    Pass { name: "beginnings", edits: at_once },
    Pass { name: "counts", edits: counts },
    Pass { name: "distributions", edits: |it| fixed(it, Which::Middle) },
    Pass { name: "distributions", edits: |it| fixed(it, Which::Most) },
];

/// The entries of lists of tables, each with what refers to it.
fn entries(document: &Document, lists: &[&str]) -> Vec<Edit> {
    let mut edits = Vec::new();
    for list in lists {
        for index in 0..document.len(&place![*list]) {
            let mut edit = vec![Change::Remove(place![*list, index])];
            if *list == "workspace"
                && let Some(name) = document.text_at(&place![*list, index, "name"])
            {
                edit.extend(forget(document, name));
            }
            edits.push(edit);
        }
    }
    edits
}

/// Everything that has to do with the router and the sidecar, with services, with the flows around.
fn halves(document: &Document) -> Vec<Edit> {
    let half =
        |keys: &[&str]| -> Edit { keys.iter().flat_map(|key| whole(document, key)).collect() };
    HALVES.into_iter().map(half).filter(|edit| !edit.is_empty()).collect()
}

/// A table or a whole list of tables, with all that speaks of its nodes.
fn whole(document: &Document, key: &str) -> Edit {
    let mut edit = Edit::new();
    if document.get(&place![key]).is_some() {
        edit.push(Change::Remove(place![key]));
        edit.extend(mentions(document, key));
    }
    for index in 0..document.len(&place![key]) {
        if let Some(name) = document.text_at(&place![key, index, "name"]) {
            edit.extend(mentions(document, name));
        }
    }
    edit
}

/// Each node or group of nodes, with all that speaks of it.
fn nodes(document: &Document) -> Vec<Edit> {
    let mut edits = Vec::new();
    for list in NODE_LISTS {
        for index in 0..document.len(&place![list]) {
            let mut edit = vec![Change::Remove(place![list, index])];
            if let Some(name) = document.text_at(&place![list, index, "name"]) {
                edit.extend(mentions(document, name));
                edit.extend(forget(document, name));
            }
            edits.push(edit);
        }
    }
    for table in NODE_TABLES {
        let mut edit = whole(document, table);
        if edit.is_empty() {
            continue;
        }
        match table {
            "sidecar" => {
                edit.extend(["client", "subscriber"].iter().flat_map(|it| whole(document, it)));
            }
            "approvals" => {
                edit.extend(whole(document, "reviewer"));
                let runners = 0..document.len(&place!["runner"]);
                edit.extend(runners.map(|it| Change::Remove(place!["runner", it, "approval"])));
            }
            _ => {}
        }
        edits.push(edit);
    }
    edits
}

/// Each change of the configuration; with the last of an operator goes what speaks of its node.
fn changes(document: &Document) -> Vec<Edit> {
    let by = |index| document.text_at(&place!["change", index, "by"]).unwrap_or("operator");
    let all = 0..document.len(&place!["change"]);
    let change = |index| {
        let mut edit = vec![Change::Remove(place!["change", index])];
        if all.clone().filter(|other| by(*other) == by(index)).count() == 1 {
            edit.extend(mentions(document, by(index)));
        }
        edit
    };
    all.clone().map(change).collect()
}

/// Each table of a list within a table, as steps of a client are.
fn parts(document: &Document) -> Vec<Edit> {
    let mut places = document.places(&[]);
    places.retain(|path| {
        let is_inner = path.len() > 2 && matches!(path.last(), Some(Step::At(_)));
        is_inner && !is_expected(path) && document.get(path).is_some_and(Item::is_table_like)
    });
    places.into_iter().map(|path| vec![Change::Remove(path)]).collect()
}

fn is_expected(path: &[Step]) -> bool {
    matches!(path.first(), Some(Step::Key(key)) if EXPECTED.contains(&key.as_str()))
}

/// The faults and links that speak of a node or of a member of a group.
fn mentions(document: &Document, name: &str) -> Edit {
    let speaks = |path: &Path| {
        let text = document.text_at(path).unwrap_or_default();
        let member = text.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
        text == name
            || member.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let mut edit = Edit::new();
    for list in ["fault", "link"] {
        for index in 0..document.len(&place![list]) {
            if document.leaves(&place![list, index]).iter().any(speaks) {
                edit.push(Change::Remove(place![list, index]));
            }
        }
    }
    edit
}

/// What else has to change when a name goes: lists lose it, another backend is asked first, what
/// only makes sense with it goes as well.
fn forget(document: &Document, name: &str) -> Edit {
    let mut edit = Edit::new();
    for table in ["router", "monitor"] {
        for place in document.leaves(&place![table]) {
            if matches!(place.last(), Some(Step::At(_))) && document.text_at(&place) == Some(name) {
                edit.push(Change::Remove(place));
            }
        }
    }
    if document.text_at(&place!["router", "primary"]) == Some(name)
        && let Some(next) = document.text_at(&place!["router", "fallback", 0])
    {
        edit.push(Change::Set(place!["router", "primary"], next.into()));
        edit.push(Change::Remove(place!["router", "fallback", 0]));
    }
    for (list, key, goes_whole) in [("agent", "workspace", false), ("caller", "service", true)] {
        for index in 0..document.len(&place![list]) {
            if document.text_at(&place![list, index, key]) == Some(name) {
                let whole = place![list, index];
                let part = place![list, index, key];
                edit.push(Change::Remove(if goes_whole { whole } else { part }));
            }
        }
    }
    edit
}

/// Every table and every value that need not be there, larger ones first. What an expectation says
/// stays, or it would be another one.
fn settings(document: &Document) -> Vec<Edit> {
    let mut places = document.places(&[]);
    places.retain(|path| {
        let is_key = matches!(path.last(), Some(Step::Key(_)));
        // How long a fault lasts is another pass: without it, it would last for ever.
        let lasts = path.first() == Some(&"fault".into()) && path.last() == Some(&"for".into());
        let is_heading = path.len() == 1
            && matches!(path.first(), Some(Step::Key(key)) if HEADING.contains(&key.as_str()));
        let is_list = path.len() == 1 && document.get(path).is_some_and(Item::is_array_of_tables);
        is_key && !lasts && !is_heading && !is_list && !is_expected(path)
    });
    // Tables come before what is in them, which goes with them.
    places.sort_by_key(Vec::len);
    places.into_iter().map(|path| vec![Change::Remove(path)]).collect()
}

/// Every count as low as it can be.
fn counts(document: &Document) -> Vec<Edit> {
    let counts = numbers(document).into_iter().filter(|(_, count)| *count > 1);
    counts.map(|(path, _)| vec![Change::Set(path, 1.into())]).collect()
}

/// Every whole number but those of expectations.
pub(super) fn numbers(document: &Document) -> Vec<(Path, i64)> {
    let is_fixed = |path: &Path| is_expected(path) || path.first() == Some(&"seeds".into());
    let leaves = document.leaves(&[]).into_iter().filter(|path| !is_fixed(path));
    leaves.filter_map(|path| Some((path.clone(), document.get(&path)?.as_integer()?))).collect()
}

/// Every fault from the start of the run on, so that nothing has to happen before it.
fn at_once(document: &Document) -> Vec<Edit> {
    let begins = (0..document.len(&place!["fault"])).map(|index| place!["fault", index, "at"]);
    let later = begins.filter(|at| document.text_at(at) != Some("0s"));
    later.map(|at| vec![Change::Set(at, "0s".into())]).collect()
}

/// Which value takes the place of a distribution.
#[derive(Clone, Copy)]
enum Which {
    Middle,
    Most,
}

/// Every distribution as one value.
fn fixed(document: &Document, which: Which) -> Vec<Edit> {
    let mut edits = Vec::new();
    for place in document.places(&[]) {
        let Some(table) = document.get(&place).and_then(Item::as_inline_table) else { continue };
        if let Some(value) = one_value(table, which) {
            edits.push(vec![Change::Set(place, value)]);
        }
    }
    edits
}

fn one_value(distribution: &toml_edit::InlineTable, which: Which) -> Option<Value> {
    if let Some(lognormal) = distribution.get("lognormal").and_then(Value::as_inline_table) {
        let key = match which {
            Which::Middle => "p50",
            Which::Most => "p99",
        };
        return lognormal.get(key).and_then(Value::as_str).map(Value::from);
    }
    let values =
        ["uniform", "empirical"].iter().find_map(|key| distribution.get(key)?.as_array())?;
    let (first, last) = (values.get(0)?, values.iter().last()?);
    if let (Some(least), Some(most)) = (first.as_integer(), last.as_integer()) {
        let middle = least.midpoint(most);
        return Some(Value::from(if matches!(which, Which::Middle) { middle } else { most }));
    }
    let (least, most) =
        (parse_duration(first.as_str()?).ok()?, parse_duration(last.as_str()?).ok()?);
    let middle = least.saturating_add(most) / 2;
    Some(duration_text(if matches!(which, Which::Middle) { middle } else { most }).into())
}

/// Every chance that something goes wrong as a certainty.
fn certain(document: &Document) -> Vec<Edit> {
    let mut leaves = document.leaves(&[]);
    leaves.retain(|path| {
        let of_errors = path.iter().rev().nth(1) == Some(&Step::from("errors"));
        let of_network =
            matches!(path.last(), Some(Step::Key(key)) if CHANCES.contains(&key.as_str()));
        (of_errors || of_network) && document.text_at(path) != Some("100%")
    });
    leaves.into_iter().map(|path| vec![Change::Set(path, "100%".into())]).collect()
}

/// The same sim with nothing going wrong: no faults, no errors, no chances in the network.
pub(super) fn calm(document: &Document) -> Document {
    let mut places = document.places(&[]);
    places.retain(|path| match (path.first(), path.last()) {
        (Some(Step::Key(first)), Some(Step::Key(last))) => {
            let of_network = first == "network" || first == "link";
            path.len() == 1 && first == "fault"
                || last == "errors"
                || of_network && CHANCES.contains(&last.as_str())
        }
        _ => false,
    });
    let changes: Edit = places.into_iter().map(Change::Remove).collect();
    document.with(&changes)
}

/// The duration at a place.
pub(super) fn duration_at(document: &Document, path: &[Step]) -> Option<Duration> {
    parse_duration(document.text_at(path)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
[network]
latency = { uniform = ["1ms", "5ms"] }
loss = "2%"
[router]
primary = "a"
fallback = ["b", "c"]
routes = { reasoning = ["b", "a"] }
[[workspace]]
name = "w"
[[backend]]
name = "a"
errors = { reset = "3%" }
[[backend]]
name = "b"
[[backend]]
name = "c"
[[agent]]
name = "x"
workspace = "w"
count = 7
requests = 1
think = { lognormal = { p50 = "1s", p99 = "9s" } }
[[fault]]
at = "1s"
crash = { node = "x-3" }
[[fault]]
at = "2s"
partition = { between = ["router", "a"] }
"#;

    fn after(edits: fn(&Document) -> Vec<Edit>, index: usize) -> String {
        let document = Document::parse(TEXT).unwrap();
        document.with(&edits(&document)[index]).text()
    }

    #[test]
    fn a_backend_goes_with_all_that_speaks_of_it() {
        let text = after(nodes, 1);
        assert!(text.contains("primary = \"b\"\nfallback = [\"c\"]\n"), "{text}");
        assert!(text.contains("reasoning = [\"b\"]"), "{text}");
        assert!(!text.contains("partition") && text.contains("x-3"), "{text}");
    }

    #[test]
    fn a_group_goes_with_the_faults_of_its_members() {
        let text = after(nodes, 0);
        assert!(!text.contains("x-3") && text.contains("partition"), "{text}");
    }

    #[test]
    fn a_workspace_is_forgotten_by_its_agents() {
        let text = after(|it| entries(it, &["workspace"]), 0);
        assert!(!text.contains("workspace"), "{text}");
    }

    #[test]
    fn what_is_simpler_is_one_value() {
        let document = Document::parse(TEXT).unwrap();
        let text = document.with(fixed(&document, Which::Middle).iter().flatten()).text();
        assert!(text.contains("latency = \"3ms\"") && text.contains("think = \"1s\""), "{text}");
        let text = document.with(fixed(&document, Which::Most).iter().flatten()).text();
        assert!(text.contains("latency = \"5ms\"") && text.contains("think = \"9s\""), "{text}");
        let text = document.with(certain(&document).iter().flatten()).text();
        assert!(text.contains("loss = \"100%\"") && text.contains("reset = \"100%\""), "{text}");
        let text = document.with(at_once(&document).iter().flatten()).text();
        assert_eq!(text.matches("at = \"0s\"").count(), 2, "{text}");
        assert_eq!(numbers(&document).len(), 2);
        assert_eq!(counts(&document).len(), 1);
    }

    /// Whatever tables a sim may have, some pass takes each of them away.
    #[cfg(feature = "cli")]
    #[test]
    fn all_that_there_can_be_can_go() {
        let goes = |text: &str, place: &Path| {
            let document = Document::parse(text).unwrap();
            let edits = PASSES.iter().flat_map(|pass| (pass.edits)(&document));
            let removes = |change: &Change| matches!(change, Change::Remove(it) if it == place);
            assert!(edits.flatten().any(|change| removes(&change)), "{place:?} stays");
        };
        let schema = crate::scenario::schema();
        let is_table = |it: &serde_json::Value| {
            let path = it["$ref"].as_str().and_then(|it| it.strip_prefix('#'));
            path.and_then(|it| schema.pointer(it)).is_some_and(|it| it["type"] == "object")
        };
        let (mut lists, mut tables) = (0, 0);
        for (key, of) in schema["properties"].as_object().unwrap() {
            let key = key.as_str();
            if is_table(&of["items"]) {
                goes(&format!("[[{key}]]\nname = \"x\"\n"), &place![key, 0]);
                lists += 1;
            } else if is_table(of) {
                goes(&format!("[{key}]\n"), &place![key]);
                tables += 1;
            }
        }
        assert!(lists >= 16 && tables >= 12, "{lists} lists, {tables} tables");
        let steps = "[[client]]\n[[client.steps]]\nat = 1\n[[client.steps]]\nat = 2\n";
        goes(steps, &place!["client", 0, "steps", 1]);
        goes(steps, &place!["client", 0, "steps"]);
        goes("[load]\nstages = [{ for = \"1s\" }]\n", &place!["load", "stages", 0]);
    }

    #[test]
    fn a_queue_goes_with_its_reviewers() {
        let text = "[approvals]\n[[runner]]\nname = \"r\"\napproval = true\n[[reviewer]]\n\
                    name = \"lead\"\ncount = 2\n[[fault]]\nat = \"1s\"\n\
                    crash = { node = \"lead-2\" }\n";
        let document = Document::parse(text).unwrap();
        let text = document.with(nodes(&document).last().unwrap()).text();
        assert_eq!(text, "[[runner]]\nname = \"r\"\n");
    }

    #[test]
    fn a_calm_sim_has_nothing_that_goes_wrong() {
        let text = calm(&Document::parse(TEXT).unwrap()).text();
        for word in ["fault", "errors", "loss"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        assert!(text.contains("latency"));
    }
}
