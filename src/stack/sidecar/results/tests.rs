//! Tests of the store of results: nothing acknowledged is lost, doubled or changed.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;

use super::{
    super::wire::{AgentId, AgentType, IssueId, ProjectId, ResultQuery, ResultStatus},
    *,
};

fn t(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap_or_default()
}

fn project(name: &str) -> ProjectId {
    ProjectId::new(name).unwrap_or_else(|bad| panic!("{name} {bad}"))
}

fn draft(in_project: &str, agent: &str, decision: &str) -> NewResult {
    let json = json!({
        "agent_id": agent, "agent_type": "go-specialist", "project_id": in_project,
        "issue_id": "32", "result": { "status": "success", "decision": decision },
        "timestamp": t(0),
    });
    serde_json::from_value(json).unwrap_or_else(|bad| panic!("{bad}"))
}

/// The same as this request.
fn keyed(draft: NewResult, request: &str) -> NewResult {
    NewResult { key: RequestId::new(request).ok(), ..draft }
}

fn all() -> ResultQuery {
    ResultQuery {
        project_id: None,
        agent_id: None,
        agent_type: None,
        issue_id: None,
        status: None,
        from: None,
        to: None,
        limit: 100,
        cursor: None,
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

    fn begin(&mut self, begun: Begun) -> Result<ContentId, Reply> {
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

    fn put(&mut self, draft: NewResult, request: &str, at: i64) -> Reply {
        let begun = self.store.begin_put(keyed(draft, request), t(at)).ok();
        match begun.map(|begun| self.begin(begun)) {
            Some(Err(reply)) => Some(reply),
            _ => self.sync().pop(),
        }
        .unwrap_or_else(|| panic!("{request} was not stored"))
    }

    fn delete(&mut self, of: &str, id: ContentId, at: i64) {
        let begun = self.store.begin_delete(&project(of), id, t(at)).ok();
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

    fn page(&self, of: &str, query: &ResultQuery) -> Page {
        self.store.query(&project(of), query).unwrap_or_else(|bad| panic!("{bad}"))
    }

    fn listed(&self, query: &ResultQuery) -> Vec<String> {
        let results = self.page("p", query).results;
        results.iter().map(|stored| stored.request_id.to_string()).collect()
    }
}

#[test]
fn nothing_is_acknowledged_before_it_is_durable() {
    let mut node = Node::default();
    let begun = node.store.begin_put(keyed(draft("p", "a", "yes"), "r1"), t(0)).unwrap();
    let Begun::Write(write) = begun.clone() else { panic!("{begun:?}") };
    assert_eq!(write.path, format!("results/p/32/go-specialist/{}.json", write.id));
    assert_eq!(node.store.get(&project("p"), write.id), None);
    assert_eq!((node.store.total(), node.store.writing()), (0, 1));
    let again = node.store.begin_put(keyed(draft("p", "a", "yes"), "r1"), t(1)).unwrap();
    assert_eq!(again, Begun::Wait(write.id), "as long as it is being written");
    let reply = node.store.committed(write.id).unwrap();
    assert_eq!((reply.id, reply.at), (write.id, t(0)));
    assert_eq!(reply.storage_path, write.path);
    assert_eq!(node.store.committed(write.id), None, "once");
    let stored = node.store.get(&project("p"), write.id).unwrap();
    assert_eq!((stored.stored_at, &stored.result), (t(0), &draft("p", "a", "yes")));
    assert_eq!((node.store.total(), node.store.writing()), (1, 0));
    let again = node.store.begin_put(keyed(draft("p", "a", "yes"), "r1"), t(2)).unwrap();
    assert_eq!(again, Begun::Done(reply), "as it was answered then");
}

#[test]
fn a_write_that_failed_leaves_nothing_behind() {
    let mut node = Node::default();
    let begun = node.store.begin_put(keyed(draft("p", "a", "1"), "r1"), t(0)).unwrap();
    let id = node.begin(begun).unwrap();
    node.store.failed(id);
    assert_eq!((node.store.total(), node.store.writing()), (0, 0));
    // The request id is free for anything.
    let other = node.put(draft("p", "a", "2"), "r1", 1);
    let begun = node.store.begin_delete(&project("p"), other.id, t(2)).unwrap();
    let id = node.begin(begun).unwrap();
    node.store.failed(id);
    assert!(node.store.get(&project("p"), other.id).is_some(), "a failed removal removes nothing");
    assert_eq!(
        node.store.begin_put(keyed(draft("p", "a", "2"), "r1"), t(3)).unwrap(),
        Begun::Done(other)
    );
}

#[test]
fn a_request_id_stands_for_one_result_of_one_agent_in_one_project() {
    let mut node = Node::default();
    let first = node.put(draft("p", "a", "1"), "r1", 0);
    let conflict = node.store.begin_put(keyed(draft("p", "a", "2"), "r1"), t(1)).unwrap_err();
    assert_eq!(conflict, Refused::Conflict(first.id));
    let mut ids = vec![first.id];
    ids.push(node.put(draft("p", "a", "1"), "r2", 1).id);
    ids.push(node.put(draft("p", "b", "1"), "r1", 2).id);
    ids.push(node.put(draft("q", "a", "1"), "r1", 3).id);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), node.durable.len()), (4, 4));
    assert_eq!(node.store.get(&project("q"), first.id), None, "no read crosses a project");
    let begun = node.store.begin_delete(&project("q"), first.id, t(4));
    assert_eq!(begun, Err(Refused::Unknown), "nor does a removal");
    // Also while the first is being written.
    let begun = node.store.begin_put(keyed(draft("p", "c", "1"), "r1"), t(5)).unwrap();
    let id = node.begin(begun).unwrap();
    let refused = node.store.begin_put(keyed(draft("p", "c", "2"), "r1"), t(5));
    assert_eq!(refused, Err(Refused::Conflict(id)));
}

#[test]
fn the_scheme_of_the_document_loses_a_second_result() {
    let mut node = Node::naive();
    let first = node.put(draft("p", "a", "1"), "r1", 0);
    let second = node.put(draft("p", "b", "2"), "r2", 1);
    assert_eq!(first.storage_path, "results/p/32/go-specialist.json");
    assert_eq!(first.storage_path, second.storage_path);
    assert_eq!(node.store.get(&project("p"), first.id), None, "acknowledged, and lost");
    assert!(node.store.get(&project("p"), second.id).is_some());
    assert_eq!((node.store.total(), node.durable.len()), (1, 1));
    assert_eq!(node.crash(), []);
    assert_eq!(node.listed(&all()), ["r2"]);
    // Answers that come in the other order do not change what is in the file.
    let ids = ["r3", "r4"].map(|request| {
        let begun = node.store.begin_put(keyed(draft("p", "a", "3"), request), t(2)).unwrap();
        node.begin(begun).unwrap()
    });
    assert!(node.store.committed(ids[1]).is_some());
    assert!(node.store.committed(ids[0]).is_some());
    assert_eq!(node.listed(&all()), ["r4"]);
    node.delete("p", ids[1], 3);
    assert_eq!((node.store.total(), node.durable.len()), (0, 0));
}

#[test]
fn a_deleted_result_does_not_come_back() {
    let mut node = Node::default();
    let reply = node.put(draft("p", "a", "1"), "r1", 0);
    let begun = node.store.begin_delete(&project("p"), reply.id, t(1)).unwrap();
    let id = node.begin(begun).unwrap();
    assert!(node.store.get(&project("p"), id).is_some(), "not yet durable");
    assert_eq!(node.store.begin_delete(&project("p"), id, t(1)), Ok(Begun::Wait(id)));
    assert_eq!(node.sync(), [Reply { at: t(1), ..reply }]);
    for _ in 0..2 {
        assert_eq!((node.store.get(&project("p"), id), node.store.total()), (None, 0));
        assert_eq!(node.store.begin_delete(&project("p"), id, t(2)), Err(Refused::Unknown));
        let late = node.store.begin_put(keyed(draft("p", "a", "1"), "r1"), t(2));
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
    let expire = |node: &mut Node, at| -> Vec<String> {
        node.store.expire(at).into_iter().map(|(path, _)| path).collect()
    };
    assert_eq!(expire(&mut node, t(0) + month - nanosecond), <[String; 0]>::default());
    assert_eq!(expire(&mut node, t(0) + month), std::slice::from_ref(&result.storage_path));
    assert_eq!((node.store.get(&project("p"), result.id), node.store.total()), (None, 0));
    assert_eq!(expire(&mut node, t(1) + month), [deleted.storage_path]);
    assert_eq!(node.put(draft("p", "a", "1"), "r1", 9).id, result.id, "nobody remembers it");
    // One that is being deleted is left to that.
    let begun = node.store.begin_delete(&project("p"), result.id, t(10)).unwrap();
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
        ("results/p/32/go-specialist/other.json".to_owned(), gone_bytes.clone()),
        ("results/pp/x.json".to_owned(), b"null".to_vec()),
        ("results/p/empty.json".to_owned(), Vec::new()),
        (format!("results/p/33/go-specialist/{}.json", gone.id), gone_bytes),
    ] {
        node.durable.insert(path, bytes);
    }
    // An id that no agent can have handed in.
    let text = String::from_utf8(node.durable[&good.storage_path].clone()).unwrap();
    let evil = text.replace("\"p\"", "\"../p\"");
    node.durable.insert(good.storage_path.replace("/p/", "/../p/"), evil.into());

    let damaged = node.crash();
    let kinds: Vec<&str> = damaged.iter().map(|it| it.damage.name()).collect();
    let count = |kind| kinds.iter().filter(|it| **it == kind).count();
    assert_eq!(
        (count("unreadable"), count("changed"), count("misplaced"), count("conflict")),
        (4, 1, 3, 1),
        "{damaged:?}"
    );
    assert_eq!(node.listed(&all()), ["r1"]);
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
    let all = all();
    assert_eq!(all.limit, 100);
    assert_eq!(node.listed(&all), ["r4", "r3", "r2", "r1"]);
    let between = ResultQuery { from: Some(t(2)), to: Some(t(3)), ..all.clone() };
    assert_eq!(node.listed(&between), ["r3", "r2"], "both ends are included");
    let nanosecond = SignedDuration::from_nanos(1);
    let inside =
        ResultQuery { from: Some(t(2) + nanosecond), to: Some(t(3) - nanosecond), ..all.clone() };
    assert_eq!(node.listed(&inside), <[&str; 0]>::default());
    let reversed = ResultQuery { from: Some(t(3)), to: Some(t(2)), ..all.clone() };
    assert_eq!(node.listed(&reversed), <[&str; 0]>::default());

    for (query, pages) in [
        (&all, [["r4", "r3"], ["r2", "r1"]]),
        (&ResultQuery { to: Some(t(3)), ..all.clone() }, [["r3", "r2"], ["r1", ""]]),
        (&ResultQuery { from: Some(t(2)), ..all.clone() }, [["r4", "r3"], ["r2", ""]]),
    ] {
        let mut query = ResultQuery { limit: 2, ..query.clone() };
        for (turn, page) in pages.iter().enumerate() {
            let expected: Vec<&str> = page.iter().copied().filter(|it| !it.is_empty()).collect();
            assert_eq!(node.listed(&query), expected);
            let next = node.page("p", &query).next;
            assert_eq!(next.is_some(), turn == 0, "a full last page is the end, too");
            query.cursor = next.map(Into::into).or(query.cursor);
        }
    }
    // A cursor outside the range asked for does not widen it.
    let newest = node.page("p", &ResultQuery { limit: 1, ..all.clone() }).next.map(Into::into);
    let query = ResultQuery { to: Some(t(2)), cursor: newest.clone(), ..all.clone() };
    assert_eq!(node.listed(&query), ["r2", "r1"]);
    let query = ResultQuery { from: Some(t(4)), cursor: newest, ..all.clone() };
    assert_eq!(node.listed(&query), <[&str; 0]>::default());
    assert_eq!(node.listed(&ResultQuery { limit: 0, ..all.clone() }), ["r4"]);
    let cursor = super::super::wire::Cursor::new("no-cursor").ok();
    let bad = node.store.query(&project("p"), &ResultQuery { cursor, ..all });
    assert_eq!(bad, Err(BadCursor));
}

#[test]
fn queries_filter_and_counts_agree() {
    let mut node = Node::default();
    node.put(draft("p", "a", ""), "r1", 1);
    node.put(NewResult { status: ResultStatus::Failed, ..draft("p", "a", "") }, "r2", 2);
    node.put(NewResult { agent_type: AgentType::QaEngineer, ..draft("p", "b", "") }, "r3", 3);
    node.put(NewResult { issue_id: IssueId::new("7").unwrap(), ..draft("p", "b", "") }, "r4", 4);
    let all = all();
    let agent = |name| AgentId::new(name).ok();
    let issue = |name| IssueId::new(name).ok();
    assert_eq!(node.listed(&ResultQuery { agent_id: agent("a"), ..all.clone() }), ["r2", "r1"]);
    let qa = Some(AgentType::QaEngineer);
    assert_eq!(node.listed(&ResultQuery { agent_type: qa, ..all.clone() }), ["r3"]);
    assert_eq!(node.listed(&ResultQuery { issue_id: issue("7"), ..all.clone() }), ["r4"]);
    let failed = Some(ResultStatus::Failed);
    assert_eq!(node.listed(&ResultQuery { status: failed, ..all.clone() }), ["r2"]);
    let both = ResultQuery { agent_id: agent("b"), issue_id: issue("32"), ..all };
    assert_eq!(node.listed(&both), ["r3"]);
    let counts = node.store.counts(&project("p"));
    assert_eq!(counts.total, 4);
    assert_eq!(
        counts.by_status,
        BTreeMap::from([(ResultStatus::Success, 3), (ResultStatus::Failed, 1)])
    );
    let types = [(AgentType::GoSpecialist, 3), (AgentType::QaEngineer, 1)];
    assert_eq!(counts.by_agent_type, BTreeMap::from(types));
    assert_eq!(node.store.counts(&project("q")), Counts::default());
}

#[test]
fn fields_that_are_not_known_are_kept() {
    let mut draft = draft("p", "a", "yes");
    for (name, value) in [
        ("metrics", json!({"z": 1, "a": 0.5, "b": 0.1, "c": 6.934698245112693e276})),
        ("next", json!({"b": [1, null], "a": "ü\n"})),
    ] {
        draft.result.insert(name.to_owned(), value);
    }
    let mut node = Node::default();
    let reply = node.put(draft.clone(), "r1", 0);
    assert_eq!(node.crash(), []);
    let stored = node.store.get(&project("p"), reply.id).unwrap();
    assert_eq!(stored.result, draft);
    let view = stored.view(Naming::ById);
    assert_eq!((&view.result, view.timestamp, view.stored_at), (&draft.result, t(0), t(0)));
    assert_eq!(
        (view.id.as_str(), &view.storage_path),
        (&*reply.id.to_string(), &reply.storage_path)
    );
}

#[test]
fn without_a_key_the_same_contents_are_the_same_result() {
    let mut node = Node::default();
    let put = |node: &mut Node, draft: NewResult| {
        let begun = node.store.begin_put(draft, t(0)).unwrap();
        node.begin(begun).map(|_| node.sync()).map_or_else(|reply| reply.id, |all| all[0].id)
    };
    let first = put(&mut node, draft("p", "a", "yes"));
    assert_eq!(put(&mut node, draft("p", "a", "yes")), first);
    assert_ne!(put(&mut node, draft("p", "a", "no")), first);
    assert_eq!(node.crash(), []);
    assert_eq!(put(&mut node, draft("p", "a", "yes")), first);
    assert_eq!(node.store.total(), 2);
}

#[test]
fn the_order_of_keys_does_not_count() {
    let value = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let (one, other) = (
        "{\"a\":1,\"b\":[{\"d\":2,\"c\":\"\\\"\"},true]}",
        "{\"b\":[{\"c\":\"\\\"\",\"d\":2},true],\"a\":1}",
    );
    let canonical = |text| serde_json::to_string(&file::Sorted(&value(text))).unwrap();
    assert_eq!(canonical(one), canonical(other));
    let text = "{\"a\":1,\"b\":[{\"c\":\"\\\"\",\"d\":2},true]}";
    assert_eq!(canonical(one), text);
}

#[test]
fn a_file_has_its_keys_in_order() {
    let mut node = Node::default();
    let Ok(Begun::Write(write)) = node.store.begin_put(keyed(draft("p", "a", "yes"), "r1"), t(0))
    else {
        panic!("nothing is there yet");
    };
    let bytes = write.contents.unwrap();
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(serde_json::to_vec(&file::Sorted(&value)).unwrap(), bytes);
    assert_eq!((&value["kind"], &value["request_id"]), (&json!("result"), &json!("r1")));
}

#[test]
fn ids_are_what_they_always_were() {
    let id = file::id_of(&draft("p", "a", "yes"), &RequestId::new("r1").unwrap());
    assert_eq!(id.to_string(), "733774e2d2f30931ce4f444f09cef11f");
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(ResultId::from(id).as_str(), id.to_string());
    assert_eq!(serde_json::from_value::<ContentId>(json!(id)).unwrap(), id);
    let text = "0123456789abcdef0123456789abcdef";
    assert_eq!(text.parse::<ContentId>().unwrap().to_string(), text);
    for bad in
        ["", "0", &text[1..], &format!("{text}0"), &text.to_uppercase(), &text.replace('0', "+")]
    {
        assert_eq!(bad.parse::<ContentId>(), Err(BadId), "{bad}");
    }
    let cursor = ResultQuery { limit: 1, ..all() };
    let mut node = Node::default();
    node.put(draft("p", "a", "1"), "r1", -1_900_000_000);
    node.put(draft("p", "a", "2"), "r2", 0);
    let next = node.page("p", &cursor).next.unwrap();
    assert_eq!(next.to_string().parse(), Ok(next));
    assert_eq!(super::super::wire::Cursor::from(next).as_str(), next.to_string());
    for bad in [
        "",
        ".",
        "1.2",
        "-1.0123456789abcdef0123456789abcdef",
        "+1.0123456789abcdef0123456789abcdef",
        "x.0123456789abcdef0123456789abcdef",
        "9999999999999999999999999999999.0123456789abcdef0123456789abcdef",
    ] {
        assert_eq!(bad.parse::<Cursor>(), Err(BadCursor), "{bad}");
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
        let mut model: BTreeMap<(String, String), (ContentId, NewResult)> = BTreeMap::new();
        let mut gone: Vec<(String, String)> = Vec::new();
        for (now, (what, name, request)) in steps.into_iter().enumerate() {
            let (name, request) = (format!("p{name}"), format!("r{request}"));
            let place = (name.clone(), request.clone());
            let it = draft(&name, "a", &request);
            match what {
                0..=3 => match node.store.begin_put(keyed(it, &request), t(now as i64)) {
                    Ok(begun) => if let Err(reply) = node.begin(begun) {
                        prop_assert_eq!(model[&place].0, reply.id);
                    },
                    Err(refused) => {
                        prop_assert!(matches!(refused, Refused::Deleted(_)));
                        prop_assert!(gone.contains(&place));
                    }
                },
                4 => if let Some((id, _)) = model.get(&place)
                    && let Ok(begun) = node.store.begin_delete(&project(&name), *id, t(now as i64))
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
                        let found = node.store.get(&project(path[1]), reply.id);
                        if let Some(stored) = found {
                            let place = (path[1].to_owned(), stored.request_id.to_string());
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
            for ((name, request), (id, draft)) in &model {
                let stored = node.store.get(&project(name), *id).unwrap();
                prop_assert_eq!(stored.request_id.as_str(), request.as_str());
                prop_assert_eq!(&stored.result, draft);
            }
            for name in ["p0", "p1", "p2"] {
                let listed = node.page(name, &all()).results;
                let wanted = model.keys().filter(|(it, _)| it == name).count();
                prop_assert_eq!(listed.len(), wanted);
                prop_assert_eq!(node.store.counts(&project(name)).total, wanted as u64);
                prop_assert!(listed.is_sorted_by_key(|it| std::cmp::Reverse((it.stored_at, it.id))));
            }
        }
    }
}
