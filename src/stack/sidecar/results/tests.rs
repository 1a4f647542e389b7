//! Tests of the store of results: nothing acknowledged is lost, doubled or changed.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn t(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap_or_default()
}

fn draft(project: &str, agent: &str, decision: &str) -> Draft {
    Draft {
        agent: agent.to_owned(),
        agent_type: "coder".to_owned(),
        project_id: project.to_owned(),
        issue_id: "32".to_owned(),
        status: Status::Success,
        decision: decision.to_owned(),
        rationale: String::new(),
        files: Vec::new(),
        metrics: Map::new(),
        extra: BTreeMap::new(),
    }
}

/// A store and its disk: what is durable, and what is not yet.
#[derive(Default)]
struct Node {
    store: Store,
    durable: BTreeMap<String, Vec<u8>>,
    written: Vec<Write>,
}

impl Node {
    fn naive() -> Node {
        let settings = Settings { naming: Naming::PerAgentType, ..Settings::default() };
        Node { store: Store::new(settings), ..Node::default() }
    }

    fn begin(&mut self, begun: Begun) -> Result<ResultId, Reply> {
        match begun {
            Begun::Write(write) => {
                self.written.push(write.clone());
                Ok(write.id)
            }
            Begun::Wait(id) => Ok(id),
            Begun::Done(reply) => Err(reply),
        }
    }

    fn sync(&mut self) -> Vec<Reply> {
        let mut replies = Vec::new();
        for Write { id, path, contents } in std::mem::take(&mut self.written) {
            match contents {
                Some(contents) => self.durable.insert(path, contents),
                None => self.durable.remove(&path),
            };
            replies.extend(self.store.committed(id));
        }
        replies
    }

    fn put(&mut self, draft: Draft, request: &str, at: i64) -> Reply {
        let begun = self.store.begin_put(draft, request, t(at)).ok();
        match begun.map(|begun| self.begin(begun)) {
            Some(Err(reply)) => Some(reply),
            _ => self.sync().pop(),
        }
        .unwrap_or_else(|| panic!("{request} was not stored"))
    }

    fn delete(&mut self, project: &str, id: ResultId, at: i64) {
        let begun = self.store.begin_delete(project, id, t(at)).ok();
        begun.map(|begun| self.begin(begun));
        assert_eq!(self.sync().len(), 1);
    }

    /// Comes back with what is durable.
    fn crash(&mut self) -> Vec<Damaged> {
        self.written.clear();
        let files = self.durable.iter().map(|(path, bytes)| (path.clone(), bytes.clone()));
        let (store, damaged) = Store::restore(self.store.settings().clone(), files);
        self.store = store;
        damaged
    }

    fn listed(&self, query: &Query) -> Vec<String> {
        let results = self.store.query(query).results;
        results.iter().map(|stored| stored.request_id.clone()).collect()
    }
}

#[test]
fn nothing_is_acknowledged_before_it_is_durable() {
    let mut node = Node::default();
    let begun = node.store.begin_put(draft("p", "a", "yes"), "r1", t(0)).unwrap();
    let Begun::Write(write) = begun.clone() else { panic!("{begun:?}") };
    assert_eq!(write.path, format!("results/p/32/coder/{}.json", write.id));
    assert_eq!(node.store.get("p", write.id), None);
    assert_eq!((node.store.total(), node.store.writing()), (0, 1));
    let again = node.store.begin_put(draft("p", "a", "yes"), "r1", t(1)).unwrap();
    assert_eq!(again, Begun::Wait(write.id), "as long as it is being written");
    let reply = node.store.committed(write.id).unwrap();
    assert_eq!((reply.id, reply.at), (write.id, t(0)));
    assert_eq!(reply.storage_path, write.path);
    assert_eq!(node.store.committed(write.id), None, "once");
    let stored = node.store.get("p", write.id).unwrap();
    assert_eq!((stored.stored_at, &stored.result), (t(0), &draft("p", "a", "yes")));
    assert_eq!((node.store.total(), node.store.writing()), (1, 0));
    let again = node.store.begin_put(draft("p", "a", "yes"), "r1", t(2)).unwrap();
    assert_eq!(again, Begun::Done(reply), "as it was answered then");
}

#[test]
fn a_write_that_failed_leaves_nothing_behind() {
    let mut node = Node::default();
    let begun = node.store.begin_put(draft("p", "a", "1"), "r1", t(0)).unwrap();
    let id = node.begin(begun).unwrap();
    node.store.failed(id);
    assert_eq!((node.store.total(), node.store.writing()), (0, 0));
    // The request id is free for anything.
    let other = node.put(draft("p", "a", "2"), "r1", 1);
    let begun = node.store.begin_delete("p", other.id, t(2)).unwrap();
    let id = node.begin(begun).unwrap();
    node.store.failed(id);
    assert!(node.store.get("p", other.id).is_some(), "a failed removal removes nothing");
    assert_eq!(node.store.begin_put(draft("p", "a", "2"), "r1", t(3)).unwrap(), Begun::Done(other));
}

#[test]
fn a_request_id_stands_for_one_result_of_one_agent_in_one_project() {
    let mut node = Node::default();
    let first = node.put(draft("p", "a", "1"), "r1", 0);
    let conflict = node.store.begin_put(draft("p", "a", "2"), "r1", t(1)).unwrap_err();
    assert_eq!(conflict, Refused::Conflict(first.id));
    let mut ids = vec![first.id];
    ids.push(node.put(draft("p", "a", "1"), "r2", 1).id);
    ids.push(node.put(draft("p", "b", "1"), "r1", 2).id);
    ids.push(node.put(draft("q", "a", "1"), "r1", 3).id);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), node.durable.len()), (4, 4));
    assert_eq!(node.store.get("q", first.id), None, "no read crosses a project");
    let begun = node.store.begin_delete("q", first.id, t(4));
    assert_eq!(begun, Err(Refused::Unknown), "nor does a removal");
    // Also while the first is being written.
    let begun = node.store.begin_put(draft("p", "c", "1"), "r1", t(5)).unwrap();
    let id = node.begin(begun).unwrap();
    let refused = node.store.begin_put(draft("p", "c", "2"), "r1", t(5));
    assert_eq!(refused, Err(Refused::Conflict(id)));
}

#[test]
fn the_scheme_of_the_document_loses_a_second_result() {
    let mut node = Node::naive();
    let first = node.put(draft("p", "a", "1"), "r1", 0);
    let second = node.put(draft("p", "b", "2"), "r2", 1);
    assert_eq!(first.storage_path, "results/p/32/coder.json");
    assert_eq!(first.storage_path, second.storage_path);
    assert_eq!(node.store.get("p", first.id), None, "acknowledged, and lost");
    assert!(node.store.get("p", second.id).is_some());
    assert_eq!((node.store.total(), node.durable.len()), (1, 1));
    assert_eq!(node.crash(), []);
    assert_eq!(node.listed(&Query::project("p")), ["r2"]);
    // Answers that come in the other order do not change what is in the file.
    let ids = ["r3", "r4"].map(|request| {
        let begun = node.store.begin_put(draft("p", "a", "3"), request, t(2)).unwrap();
        node.begin(begun).unwrap()
    });
    assert!(node.store.committed(ids[1]).is_some());
    assert!(node.store.committed(ids[0]).is_some());
    assert_eq!(node.listed(&Query::project("p")), ["r4"]);
    node.delete("p", ids[1], 3);
    assert_eq!((node.store.total(), node.durable.len()), (0, 0));
}

#[test]
fn a_deleted_result_does_not_come_back() {
    let mut node = Node::default();
    let reply = node.put(draft("p", "a", "1"), "r1", 0);
    let begun = node.store.begin_delete("p", reply.id, t(1)).unwrap();
    let id = node.begin(begun).unwrap();
    assert!(node.store.get("p", id).is_some(), "not yet durable");
    assert_eq!(node.store.begin_delete("p", id, t(1)), Ok(Begun::Wait(id)));
    assert_eq!(node.sync(), [Reply { at: t(1), ..reply }]);
    for _ in 0..2 {
        assert_eq!((node.store.get("p", id), node.store.total()), (None, 0));
        assert_eq!(node.store.begin_delete("p", id, t(2)), Err(Refused::Unknown));
        let late = node.store.begin_put(draft("p", "a", "1"), "r1", t(2));
        assert_eq!(late, Err(Refused::Deleted(id)));
        assert_eq!(node.crash(), []);
    }
}

#[test]
fn what_is_older_than_the_retention_is_over() {
    let mut node = Node::default();
    let month = SignedDuration::from_hours(30 * 24);
    assert_eq!(Settings::default().retention, month);
    let result = node.put(draft("p", "a", "1"), "r1", 0);
    let deleted = node.put(draft("p", "a", "2"), "r2", 0);
    node.delete("p", deleted.id, 1);
    let nanosecond = SignedDuration::from_nanos(1);
    assert_eq!(node.store.expire(t(0) + month - nanosecond), <[String; 0]>::default());
    assert_eq!(node.store.expire(t(0) + month), [result.storage_path.clone()]);
    assert_eq!((node.store.get("p", result.id), node.store.total()), (None, 0));
    assert_eq!(node.store.expire(t(1) + month), [deleted.storage_path]);
    assert_eq!(node.put(draft("p", "a", "1"), "r1", 9).id, result.id, "nobody remembers it");
    // One that is being deleted is left to that.
    let begun = node.store.begin_delete("p", result.id, t(10)).unwrap();
    let id = node.begin(begun).unwrap();
    assert!(node.store.expire(t(20) + month).is_empty());
    assert!(node.store.committed(id).is_some());
}

#[test]
fn damaged_files_are_reported_and_left_alone() {
    let mut node = Node::default();
    let good = node.put(draft("p", "a", "good"), "r1", 0);
    let torn = node.put(draft("p", "a", "torn"), "r2", 0);
    let changed = node.put(draft("p", "a", "before"), "r3", 0);
    let gone = node.put(draft("p", "a", "gone"), "r4", 0);
    node.delete("p", gone.id, 1);
    node.durable.get_mut(&torn.storage_path).unwrap().pop();
    let text = String::from_utf8(node.durable[&changed.storage_path].clone()).unwrap();
    node.durable.insert(changed.storage_path.clone(), text.replace("before", "behind").into());
    // Copied into another project, where it must not be read.
    let good_bytes = node.durable[&good.storage_path].clone();
    let gone_bytes = node.durable[&gone.storage_path].clone();
    for (path, bytes) in [
        (good.storage_path.replace("/p/", "/q/"), good_bytes),
        (gone.storage_path.replace("/p/", "/q/"), gone_bytes.clone()),
        ("results/p/32/coder/other.json".to_owned(), gone_bytes.clone()),
        ("results/pp/x.json".to_owned(), b"null".to_vec()),
        ("results/p/empty.json".to_owned(), Vec::new()),
        (format!("results/p/33/coder/{}.json", gone.id), gone_bytes),
    ] {
        node.durable.insert(path, bytes);
    }
    let evil = Stored {
        id: file::id_of(&draft("../p", "a", ""), "r"),
        request_id: "r".to_owned(),
        stored_at: t(0),
        result: draft("../p", "a", ""),
    };
    let path = Naming::ById.path(&evil.result, evil.id);
    node.durable.insert(path, file::File::Result(evil).bytes());

    let damaged = node.crash();
    let kinds: Vec<&str> = damaged
        .iter()
        .map(|it| match it.damage {
            Damage::Unreadable(_) => "unreadable",
            Damage::Changed => "changed",
            Damage::Misplaced => "misplaced",
            Damage::Conflict => "conflict",
        })
        .collect();
    let count = |kind| kinds.iter().filter(|it| **it == kind).count();
    assert_eq!(
        (count("unreadable"), count("changed"), count("misplaced"), count("conflict")),
        (3, 1, 4, 1),
        "{damaged:?}"
    );
    assert_eq!(node.listed(&Query::project("p")), ["r1"]);
    assert_eq!(node.store.total(), 1);
    let changed = damaged.iter().find(|it| it.damage == Damage::Changed).unwrap();
    assert!(changed.to_string().ends_with(".json: its contents were changed"));
}

#[test]
fn results_are_listed_by_time_in_pages() {
    let mut node = Node::default();
    for (request, at) in [("r1", 1), ("r4", 4), ("r2", 2), ("r3", 3)] {
        node.put(draft("p", "a", ""), request, at);
    }
    node.put(draft("q", "a", ""), "other", 2);
    let all = Query::project("p");
    assert_eq!(all.limit, 100);
    assert_eq!(node.listed(&all), ["r4", "r3", "r2", "r1"]);
    let oldest = Query { order: Order::OldestFirst, ..all.clone() };
    assert_eq!(node.listed(&oldest), ["r1", "r2", "r3", "r4"]);
    let between = Query { since: Some(t(2)), until: Some(t(3)), ..oldest.clone() };
    assert_eq!(node.listed(&between), ["r2", "r3"], "both ends are included");
    let nanosecond = SignedDuration::from_nanos(1);
    let inside =
        Query { since: Some(t(2) + nanosecond), until: Some(t(3) - nanosecond), ..oldest.clone() };
    assert_eq!(node.listed(&inside), <[&str; 0]>::default());
    let reversed = Query { since: Some(t(3)), until: Some(t(2)), ..oldest.clone() };
    assert_eq!(node.listed(&reversed), <[&str; 0]>::default());

    for (query, pages) in [
        (&all, [["r4", "r3"], ["r2", "r1"]]),
        (&oldest, [["r1", "r2"], ["r3", "r4"]]),
        (&Query { until: Some(t(3)), ..all.clone() }, [["r3", "r2"], ["r1", ""]]),
        (&Query { since: Some(t(2)), ..oldest.clone() }, [["r2", "r3"], ["r4", ""]]),
    ] {
        let mut query = Query { limit: 2, ..query.clone() };
        for (turn, page) in pages.iter().enumerate() {
            let expected: Vec<&str> = page.iter().copied().filter(|it| !it.is_empty()).collect();
            assert_eq!(node.listed(&query), expected);
            let next = node.store.query(&query).next;
            assert_eq!(next.is_some(), turn == 0, "a full last page is the end, too");
            query.after = next.or(query.after);
        }
    }
    // A cursor outside the range asked for does not widen it.
    let first = node.store.query(&Query { limit: 1, ..oldest.clone() }).next;
    let last = node.store.query(&Query { limit: 1, ..all.clone() }).next;
    let query = Query { since: Some(t(3)), after: first, ..oldest.clone() };
    assert_eq!(node.listed(&query), ["r3", "r4"]);
    let query = Query { until: Some(t(2)), after: last, ..all.clone() };
    assert_eq!(node.listed(&query), ["r2", "r1"]);
    let query = Query { since: Some(t(4)), after: first, ..all.clone() };
    assert_eq!(node.listed(&query), <[&str; 0]>::default());
    assert_eq!(node.listed(&Query { limit: 0, ..all }), ["r4"]);
}

#[test]
fn queries_filter_and_counts_agree() {
    let mut node = Node::default();
    node.put(draft("p", "a", ""), "r1", 1);
    node.put(Draft { status: Status::Failure, ..draft("p", "a", "") }, "r2", 2);
    node.put(Draft { agent_type: "qa".to_owned(), ..draft("p", "b", "") }, "r3", 3);
    node.put(Draft { issue_id: "7".to_owned(), ..draft("p", "b", "") }, "r4", 4);
    let all = Query::project("p");
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(node.listed(&Query { agent: text("a"), ..all.clone() }), ["r2", "r1"]);
    assert_eq!(node.listed(&Query { agent_type: text("qa"), ..all.clone() }), ["r3"]);
    assert_eq!(node.listed(&Query { issue: text("7"), ..all.clone() }), ["r4"]);
    assert_eq!(node.listed(&Query { status: Some(Status::Failure), ..all.clone() }), ["r2"]);
    let both = Query { agent: text("b"), issue: text("32"), ..all };
    assert_eq!(node.listed(&both), ["r3"]);
    let counts = node.store.counts("p");
    assert_eq!(counts.total, 4);
    assert_eq!(counts.by_status, BTreeMap::from([(Status::Success, 3), (Status::Failure, 1)]));
    let types = [("coder".to_owned(), 3), ("qa".to_owned(), 1)];
    assert_eq!(counts.by_agent_type, BTreeMap::from(types));
    assert_eq!(node.store.counts("q"), Counts::default());
}

#[test]
fn fields_that_are_not_known_are_kept() {
    let text = json!({
        "agent_id": "a-1", "agent_type": "coder", "project_id": "p", "issue_id": "32",
        "status": "completed", "files_affected": ["src/lib.rs"], "metrics": {"z": 1, "a": 0.5},
        "next": {"b": [1, null], "a": "ü\n"},
    })
    .to_string();
    let draft: Draft = serde_json::from_str(&text).unwrap();
    assert_eq!((draft.status, draft.extra.len()), (Status::Success, 1));
    let mut node = Node::default();
    let reply = node.put(draft.clone(), "r1", 0);
    assert_eq!(node.crash(), []);
    assert_eq!(node.store.get("p", reply.id).unwrap().result, draft);
    assert!(serde_json::from_str::<Draft>("{\"agent\": \"a\"}").is_err());
}

#[test]
fn the_order_of_keys_does_not_count() {
    let value = |text| serde_json::from_str::<Value>(text).unwrap();
    let (one, other) = (
        "{\"a\":1,\"b\":[{\"d\":2,\"c\":\"\\\"\"},true]}",
        "{\"b\":[{\"c\":\"\\\"\",\"d\":2},true],\"a\":1}",
    );
    assert_eq!(file::canonical(&value(one)), file::canonical(&value(other)));
    let text = "{\"a\":1,\"b\":[{\"c\":\"\\\"\",\"d\":2},true]}";
    assert_eq!(file::canonical(&value(one)), text);
}

#[test]
fn ids_are_what_they_always_were() {
    let id = file::id_of(&draft("p", "a", "yes"), "r1");
    assert_eq!(id.to_string(), "59dff52c95f3d517b118af53e3af4c74");
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(serde_json::from_value::<ResultId>(json!(id)).unwrap(), id);
    let text = "0123456789abcdef0123456789abcdef";
    assert_eq!(text.parse::<ResultId>().unwrap().to_string(), text);
    for bad in
        ["", "0", &text[1..], &format!("{text}0"), &text.to_uppercase(), &text.replace('0', "+")]
    {
        assert_eq!(bad.parse::<ResultId>(), Err(BadId), "{bad}");
    }
    let cursor = Query { limit: 1, ..Query::project("p") };
    let mut node = Node::default();
    node.put(draft("p", "a", "1"), "r1", -1_900_000_000);
    node.put(draft("p", "a", "2"), "r2", 0);
    let next = node.store.query(&cursor).next.unwrap();
    assert_eq!(next.to_string().parse(), Ok(next));
    for bad in [
        "",
        ".",
        "1.2",
        "x.0123456789abcdef0123456789abcdef",
        "9999999999999999999999999999.0123456789abcdef0123456789abcdef",
    ] {
        assert_eq!(bad.parse::<Cursor>(), Err(BadCursor), "{bad}");
    }
}

#[test]
fn names_are_plain() {
    let longest = "x".repeat(LONGEST_NAME);
    for good in ["a", "A-1_b.c", "0", "-", &longest] {
        assert_eq!(check_name("issue_id", good), Ok(()));
    }
    let too_long = "x".repeat(LONGEST_NAME + 1);
    for (bad, why) in [
        ("", "is empty"),
        (".", "starts with a dot"),
        ("..", "starts with a dot"),
        ("a/b", "has a character other than letters, digits, `.`, `_` and `-`"),
        ("a b", "has a character other than letters, digits, `.`, `_` and `-`"),
        ("ü", "has a character other than letters, digits, `.`, `_` and `-`"),
        ("a\0", "has a character other than letters, digits, `.`, `_` and `-`"),
        (&too_long, "is longer than 128 bytes"),
    ] {
        assert_eq!(check_name("issue_id", bad), Err(Invalid { field: "issue_id", why }), "{bad}");
    }
    let mut store = Store::default();
    let good = draft("p", "a", "");
    for (field, draft, request) in [
        ("agent", Draft { agent: "..".into(), ..good.clone() }, "r"),
        ("agent_type", Draft { agent_type: "../x".into(), ..good.clone() }, "r"),
        ("project_id", Draft { project_id: String::new(), ..good.clone() }, "r"),
        ("issue_id", Draft { issue_id: "a\n".into(), ..good.clone() }, "r"),
        ("request_id", good, "/"),
    ] {
        let Err(Refused::Invalid(invalid)) = store.begin_put(draft, request, t(0)) else {
            panic!("{field}")
        };
        assert_eq!(invalid.field, field);
    }
    assert_eq!(store.writing(), 0);
    for (status, name) in
        [(Status::Success, "success"), (Status::Partial, "partial"), (Status::Failure, "failure")]
    {
        assert_eq!((status.to_string().as_str(), json!(status)), (name, json!(name)));
    }
}

proptest! {
    /// Puts, repetitions, removals, failures and crashes in any order: what was acknowledged is
    /// there, once and unchanged, until a removal is acknowledged; what was not may be either.
    #[test]
    fn what_was_acknowledged_is_there(
        steps in prop::collection::vec((0_u8..8, 0_u8..3, 0_u8..6), 1..80),
    ) {
        let mut node = Node::default();
        let mut model: BTreeMap<(String, String), (ResultId, Draft)> = BTreeMap::new();
        let mut gone: Vec<(String, String)> = Vec::new();
        for (now, (what, project, request)) in steps.into_iter().enumerate() {
            let (project, request) = (format!("p{project}"), format!("r{request}"));
            let place = (project.clone(), request.clone());
            let it = draft(&project, "a", &request);
            match what {
                0..=3 => match node.store.begin_put(it, &request, t(now as i64)) {
                    Ok(begun) => if let Err(reply) = node.begin(begun) {
                        prop_assert_eq!(model[&place].0, reply.id);
                    },
                    Err(refused) => {
                        prop_assert!(matches!(refused, Refused::Deleted(_)));
                        prop_assert!(gone.contains(&place));
                    }
                },
                4 => if let Some((id, _)) = model.get(&place)
                    && let Ok(begun) = node.store.begin_delete(&project, *id, t(now as i64))
                {
                    let _ = node.begin(begun);
                },
                5 => for write in node.written.drain(..) {
                    node.store.failed(write.id);
                },
                6 => {
                    let before = node.written.clone();
                    for (write, reply) in before.into_iter().zip(node.sync()) {
                        let path: Vec<&str> = write.path.split('/').collect();
                        let found = node.store.get(path[1], reply.id);
                        if let Some(stored) = found {
                            let place = (path[1].to_owned(), stored.request_id.clone());
                            let known = model.insert(place, (reply.id, stored.result.clone()));
                            prop_assert!(known.is_none(), "acknowledged as new once only");
                        } else {
                            let place = model.iter().find(|(_, (id, _))| *id == reply.id);
                            let place = place.map(|(place, _)| place.clone()).unwrap();
                            model.remove(&place);
                            gone.push(place);
                        }
                    }
                }
                _ => prop_assert_eq!(node.crash(), []),
            }
            prop_assert_eq!(node.store.total(), model.len() as u64);
            for ((project, request), (id, draft)) in &model {
                let stored = node.store.get(project, *id).unwrap();
                prop_assert_eq!((&stored.request_id, &stored.result), (request, draft));
            }
            for project in ["p0", "p1", "p2"] {
                let listed = node.store.query(&Query::project(project)).results;
                let wanted = model.keys().filter(|(it, _)| it == project).count();
                prop_assert_eq!(listed.len(), wanted);
                prop_assert_eq!(node.store.counts(project).total, wanted as u64);
                prop_assert!(listed.is_sorted_by_key(|it| std::cmp::Reverse((it.stored_at, it.id))));
            }
        }
    }
}
