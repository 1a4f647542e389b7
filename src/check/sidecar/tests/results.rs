//! Results: what was acknowledged stays, is applied once, has an order, and is counted.

use std::rc::Rc;

use super::{Fed, MS, Sidecar, digest, name};
use crate::stack::SidecarEvent;

const STAY: &str = "acknowledged_results_stay";
const ONCE: &str = "results_applied_once";
const LINEAR: &str = "results_linearizable";
const COUNTS: &str = "result_counts_agree";

impl Fed {
    fn posted(self, at_ms: u64, key: &str) -> Fed {
        let (who, project, digest) = (name("a"), name("p"), digest(key));
        self.see(at_ms, SidecarEvent::ResultPosted { who, project, key: name(key), digest })
    }

    fn stored(self, at_ms: u64, key: &str, result: &str) -> Fed {
        let (project, key, result) = (name("p"), name(key), name(result));
        self.see(at_ms, SidecarEvent::ResultStored { project, key, result, path: name("") })
    }

    fn acknowledged(self, at_ms: u64, key: &str, result: &str) -> Fed {
        self.see(
            at_ms,
            SidecarEvent::ResultAcknowledged {
                who: name("a"),
                project: name("p"),
                key: name(key),
                result: name(result),
                digest: digest(key),
                asked_ns: 0,
            },
        )
    }

    /// The result of key `k`, as `r`.
    fn put(self) -> Fed {
        self.posted(1, "k").stored(5, "k", "r").acknowledged(10, "k", "r")
    }

    fn read_in(self, project: &str, asked: u64, at_ms: u64, result: &str, of: &str) -> Fed {
        self.see(
            at_ms,
            SidecarEvent::ResultRead {
                who: name("b"),
                project: name(project),
                result: name(result),
                found: !of.is_empty(),
                digest: digest(of),
                asked_ns: asked * MS,
            },
        )
    }

    fn read(self, asked: u64, at_ms: u64, result: &str, of: &str) -> Fed {
        self.read_in("p", asked, at_ms, result, of)
    }

    fn delete_asked(self, at_ms: u64, result: &str) -> Fed {
        let (who, project) = (name("b"), name("p"));
        self.see(at_ms, SidecarEvent::DeleteAsked { who, project, result: name(result) })
    }

    fn deleted(self, asked: u64, at_ms: u64, found: bool) -> Fed {
        let (who, project, result) = (name("b"), name("p"), name("r"));
        let asked_ns = asked * MS;
        self.see(at_ms, SidecarEvent::ResultDeleted { who, project, result, found, asked_ns })
    }

    fn listed(self, at_ms: u64, results: &[&str], counted: u64) -> Fed {
        let results = results.iter().map(|id| name(id)).collect();
        let (who, project) = (name("auditor"), name("p"));
        self.see(at_ms, SidecarEvent::ResultsListed { who, project, results, counted })
    }

    /// A request to store something was answered, and nobody had said what.
    fn by_hand(self, at_ms: u64, status: u16) -> Fed {
        self.see(
            at_ms,
            SidecarEvent::Answered {
                who: name("mallory"),
                agent_type: "coding",
                project: name("p"),
                token: "valid",
                route: "store_result",
                status,
                error: "",
                field: name(""),
                asked_ns: 0,
                latency_ms: 1,
                shows: name(""),
                count: 0,
            },
        )
    }
}

#[test]
fn a_result_that_is_put_read_deleted_and_gone_is_as_it_should_be() {
    let history = || {
        Fed::new()
            .put()
            .read(11, 12, "r", "k")
            .delete_asked(20, "r")
            .read(19, 25, "r", "")
            .read(20, 25, "r", "k")
            .deleted(20, 30, true)
            .read(31, 32, "r", "")
            .delete_asked(33, "r")
            .deleted(33, 34, false)
            .listed(40, &[], 0)
    };
    for check in [STAY, ONCE, LINEAR, COUNTS] {
        history().holds(check);
    }
    let twice = || Fed::new().put().posted(11, "k").acknowledged(12, "k", "r");
    twice().read(13, 14, "r", "k").listed(20, &["r"], 1).holds(ONCE);
    // An agent that starts again hands in what it had, again.
    let lost = || Fed::new().posted(1, "k").crashed(2, "a").posted(3, "k");
    lost().acknowledged(4, "k", "r").read(5, 6, "r", "k").listed(9, &["r"], 1).holds(LINEAR);
}

#[test]
fn an_acknowledged_result_that_is_not_found_is_lost() {
    let lost = || Fed::new().put().read(11, 12, "r", "");
    let failure = "result r of p: b did not find it at 0.012s, acknowledged at 0.010s";
    assert_eq!(lost().failure(STAY).unwrap(), failure);
    let failure = "result r of p: no order has room for b, reading nothing, from 0.011s to 0.012s";
    assert_eq!(lost().failure(LINEAR).unwrap(), failure);
    // What was asked before the acknowledgement may have been too early.
    Fed::new().put().read(9, 12, "r", "").holds(STAY);
    // And whoever asked for its deletion may have got it.
    Fed::new().put().delete_asked(11, "r").read(11, 12, "r", "").holds(STAY);
}

#[test]
fn a_result_that_changed_is_found() {
    let failure = Fed::new().put().read(11, 12, "r", "l").failure(STAY).unwrap();
    assert!(failure.contains("b read") && failure.contains("acknowledged at 0.010s"), "{failure}");
    assert!(Fed::new().put().read(11, 12, "r", "l").failure(LINEAR).is_some());
}

#[test]
fn a_deleted_result_is_neither_found_nor_listed() {
    let gone = || Fed::new().put().delete_asked(20, "r").deleted(20, 30, true);
    let failure = gone().read(31, 32, "r", "k").failure(STAY).unwrap();
    assert_eq!(failure, "result r of p: b read it at 0.032s, though it was deleted at 0.030s");
    assert!(gone().read(31, 32, "r", "k").failure(LINEAR).is_some());
    gone().read(29, 32, "r", "k").holds(LINEAR);
    let failure = gone().listed(40, &["r"], 1).failure(STAY).unwrap();
    assert!(failure.contains("result r is there, though it was deleted"), "{failure}");
    assert!(gone().listed(40, &["r"], 1).failure(COUNTS).is_some());
    // Nobody can delete it twice.
    let again = gone().delete_asked(40, "r").deleted(40, 50, true);
    assert!(again.failure(LINEAR).unwrap().contains("b, deleting it, from 0.040s to 0.050s"));
}

#[test]
fn what_is_there_cannot_be_missing_to_whoever_deletes_it() {
    let missing = || Fed::new().put().delete_asked(20, "r").deleted(20, 30, false);
    let failure = missing().failure(LINEAR).unwrap();
    assert!(failure.contains("b, nothing to delete, from 0.020s to 0.030s"), "{failure}");
    // Unless an earlier attempt deleted it, or a second copy of the same request.
    Fed::new().put().delete_asked(20, "r").deleted(25, 30, false).holds(LINEAR);
    Fed::new().put().duplicated(20, "b").delete_asked(20, "r").deleted(20, 30, false).holds(LINEAR);
}

#[test]
fn what_was_not_answered_may_be_there_or_not() {
    let unknown = || Fed::new().posted(1, "k").crashed(2, "a");
    unknown().listed(20, &["r"], 1).holds(COUNTS);
    unknown().listed(20, &[], 0).holds(COUNTS);
    unknown().read(3, 4, "r", "").read(5, 6, "r", "k").listed(20, &["r"], 1).holds(LINEAR);
    let back = unknown().read(3, 4, "r", "k").read(5, 6, "r", "");
    assert!(back.failure(LINEAR).is_some());
    let early = Fed::new().read(0, 1, "r", "k").posted(2, "k");
    assert!(early.failure(LINEAR).unwrap().contains("b, reading it as"));
    // One request explains one result.
    let failure = unknown().listed(20, &["r", "s"], 2).failure(STAY).unwrap();
    assert!(failure.contains("result r is there, and nobody handed it in"), "{failure}");
    assert!(unknown().listed(20, &["r", "s"], 2).failure(COUNTS).is_some());
}

#[test]
fn a_result_of_another_project_is_nobodys_here() {
    let here = Fed::new().put().read_in("q", 11, 12, "r", "");
    here.holds(LINEAR);
    let leak = Fed::new().put().read_in("q", 11, 12, "r", "k").failure(LINEAR).unwrap();
    assert!(leak.starts_with("result r of q: no order has room for b, reading it as"), "{leak}");
}

#[test]
fn what_was_sent_by_hand_may_have_stored_something() {
    Fed::new().put().by_hand(11, 201).listed(20, &["r", "s"], 2).holds(STAY);
    Fed::new().put().by_hand(11, 0).listed(20, &["r"], 1).holds(COUNTS);
    let refused = || Fed::new().put().by_hand(11, 400).listed(20, &["r", "s"], 2);
    assert!(refused().failure(STAY).is_some());
    assert!(refused().failure(COUNTS).is_some());
}

#[test]
fn every_acknowledged_result_is_listed_once() {
    let failure = Fed::new().put().listed(20, &[], 0).failure(STAY).unwrap();
    let expected = "auditor listed p at 0.020s: result r is missing, though it was acknowledged";
    assert_eq!(failure, expected);
    let failure = Fed::new().put().listed(20, &["r", "r"], 2).failure(STAY).unwrap();
    assert_eq!(failure, "auditor listed p at 0.020s: result r is there twice");
}

#[test]
fn counts_agree_with_the_list_and_with_what_was_acknowledged() {
    Fed::new().put().listed(20, &["r"], 1).holds(COUNTS);
    let failure = Fed::new().put().listed(20, &["r"], 2).failure(COUNTS).unwrap();
    assert_eq!(failure, "p counts 2 results, and lists 1, auditor saw at 0.020s");
    let failure = Fed::new().put().listed(20, &[], 0).failure(COUNTS).unwrap();
    assert_eq!(failure, "p counts 0 results, and must have 1 to 1, auditor saw at 0.020s");
}

#[test]
fn a_request_is_applied_once() {
    let failure = Fed::new().put().stored(11, "k", "s").failure(ONCE).unwrap();
    assert_eq!(failure, "k of p was stored again as s at 0.011s");
    assert!(Fed::new().put().stored(11, "k", "r").failure(ONCE).is_some());
    let failure = Fed::new().put().acknowledged(12, "k", "s").failure(ONCE).unwrap();
    assert_eq!(failure, "a was told at 0.012s that k of p is s; it was r");
    // Somebody else may give another result the same name.
    let (who, project, key) = (name("b"), name("p"), name("k"));
    let other = SidecarEvent::ResultPosted { who, project, key, digest: 5 };
    Fed::new().put().see(11, other).stored(12, "k", "s").listed(20, &["r", "s"], 2).holds(ONCE);
}

#[test]
fn twenty_thousand_results_are_judged() {
    let mut fed = Fed::new();
    for number in 0..20_000_u64 {
        let (key, result) = (format!("k{number}"), format!("r{number}"));
        fed = fed.posted(number, &key).acknowledged(number + 5, &key, &result);
        fed = fed.read(number + 6, number + 7, &result, &key);
    }
    fed.holds(LINEAR);
}

#[test]
fn nothing_is_promised_of_a_disk_that_is_taken_away() {
    let lost = |disk_is_kept: bool| {
        let fed = Fed { checks: Sidecar::new(true, disk_is_kept, 1) };
        let (who, project, key, result) = (name("a"), name("p"), name("k"), name("r"));
        let (posted, stored) = (Rc::clone(&who), Rc::clone(&result));
        fed.see(
            1,
            SidecarEvent::ResultPosted {
                who: posted,
                project: name("p"),
                key: name("k"),
                digest: 5,
            },
        )
        .see(
            2,
            SidecarEvent::ResultAcknowledged {
                who: Rc::clone(&who),
                project: Rc::clone(&project),
                key,
                result: stored,
                digest: 5,
                asked_ns: 0,
            },
        )
        .see(
            3,
            SidecarEvent::ResultRead {
                who,
                project,
                result,
                found: false,
                digest: 0,
                asked_ns: 2_500_000,
            },
        )
        .finish()
    };
    for check in ["acknowledged_results_stay", "results_linearizable"] {
        assert!(lost(true)[check].1.is_some(), "{check}");
        assert_eq!(lost(false)[check], (0, None));
    }
}
