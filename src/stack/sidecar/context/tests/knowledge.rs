//! What is remembered of earlier work, and what is told first.

use super::*;

fn shop() -> ProjectId {
    ProjectId::new("shop").unwrap()
}

fn record(knowledge: &mut Knowledge, project: &ProjectId, of: &str, id: &str, second: i64) {
    let id = ResultId::new(id).unwrap();
    knowledge.record(project, &issue(of), &id, output(id.as_str(), second));
}

fn relevant(knowledge: &Knowledge, of: &str, most: usize) -> Vec<String> {
    let (shop, issue) = (shop(), issue(of));
    knowledge.relevant(&shop, &issue, most).map(|output| output.agent.clone()).collect()
}

fn of_issue(knowledge: &Knowledge, of: &str) -> Vec<String> {
    let (shop, issue) = (shop(), issue(of));
    knowledge.of_issue(&shop, &issue).map(|output| output.agent.clone()).collect()
}

#[test]
fn an_issues_own_outputs_come_first_the_newest_before_the_older() {
    let mut knowledge = Knowledge::default();
    for (of, id, second) in
        [("1", "b", 2), ("2", "x", 9), ("1", "c", 3), ("1", "a", 1), ("2", "y", 1)]
    {
        record(&mut knowledge, &shop(), of, id, second);
    }
    assert_eq!(of_issue(&knowledge, "1"), ["c", "b", "a"]);
    assert_eq!(relevant(&knowledge, "1", 9), ["c", "b", "a", "x", "y"]);
    assert_eq!(relevant(&knowledge, "1", 4), ["c", "b", "a", "x"]);
    assert_eq!(relevant(&knowledge, "2", 3), ["x", "y", "c"]);
    assert_eq!(relevant(&knowledge, "3", 2), ["x", "c"]);
    assert!(of_issue(&knowledge, "3").is_empty());
}

#[test]
fn the_order_of_equal_times_is_not_that_of_arrival() {
    let (mut one, mut other) = (Knowledge::default(), Knowledge::default());
    for id in ["a", "b"] {
        record(&mut one, &shop(), "1", id, 5);
    }
    for id in ["b", "a"] {
        record(&mut other, &shop(), "1", id, 5);
    }
    assert_eq!(of_issue(&one, "1"), ["b", "a"]);
    assert_eq!(of_issue(&other, "1"), ["b", "a"]);
}

#[test]
fn nothing_of_another_project_is_found() {
    let mut knowledge = Knowledge::default();
    let other = ProjectId::new("other").unwrap();
    record(&mut knowledge, &other, "1", "a", 1);
    assert!(relevant(&knowledge, "1", 9).is_empty());
    assert!(!knowledge.forget(&shop(), &ResultId::new("a").unwrap()));
    assert_eq!((knowledge.len(&other), knowledge.len(&shop())), (1, 0));
}

#[test]
fn a_result_is_there_once_and_as_it_was_last() {
    let mut knowledge = Knowledge::default();
    record(&mut knowledge, &shop(), "1", "a", 1);
    record(&mut knowledge, &shop(), "1", "a", 1);
    assert_eq!((of_issue(&knowledge, "1"), knowledge.len(&shop())), (vec!["a".to_owned()], 1));
    record(&mut knowledge, &shop(), "2", "a", 2);
    assert!(of_issue(&knowledge, "1").is_empty());
    assert_eq!(of_issue(&knowledge, "2"), ["a"]);
    let id = ResultId::new("a").unwrap();
    assert!(knowledge.forget(&shop(), &id));
    assert!(!knowledge.forget(&shop(), &id));
    assert_eq!(knowledge.len(&shop()), 0);
}

#[test]
fn the_oldest_goes_when_there_are_too_many() {
    assert_eq!(Bounds::default(), Bounds { outputs: 1_000, per_issue: 50 });
    let mut knowledge = Knowledge::new(Bounds { outputs: 3, per_issue: 2 });
    for (id, second) in [("b", 2), ("a", 1)] {
        record(&mut knowledge, &shop(), "1", id, second);
    }
    assert_eq!(of_issue(&knowledge, "1"), ["b", "a"], "exactly full");
    record(&mut knowledge, &shop(), "1", "c", 3);
    assert_eq!(of_issue(&knowledge, "1"), ["c", "b"]);
    record(&mut knowledge, &shop(), "2", "x", 9);
    assert_eq!(relevant(&knowledge, "1", 9), ["c", "b", "x"]);
    record(&mut knowledge, &shop(), "2", "y", 8);
    assert_eq!(relevant(&knowledge, "1", 9), ["c", "x", "y"]);
    // One that is older than all there are does not stay.
    record(&mut knowledge, &shop(), "3", "old", 0);
    assert_eq!(relevant(&knowledge, "1", 9), ["c", "x", "y"]);
}
