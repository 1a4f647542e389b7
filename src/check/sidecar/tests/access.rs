//! Who may see what, and whose ids are whose.

use super::{Fed, digest, name};
use crate::{check::sidecar::Sidecar, stack::SidecarEvent};

fn answered(token: &'static str, route: &'static str, status: u16, shows: &str) -> SidecarEvent {
    SidecarEvent::Answered {
        who: name("a"),
        agent_type: "qa",
        project: name("p"),
        token,
        route,
        status,
        error: "",
        field: name(""),
        asked_ns: 0,
        latency_ms: 1,
        shows: name(shows),
        count: 1,
    }
}

fn received(of: &str) -> SidecarEvent {
    SidecarEvent::EventReceived {
        who: name("a"),
        project: name("p"),
        of: name(of),
        event: name("e"),
        event_type: name("t"),
        publisher: name("b"),
        sequence: 0,
        correlation: name(""),
        digest: 1,
        latency_ms: 1,
        wanted: true,
    }
}

#[test]
fn nobody_is_shown_another_project() {
    Fed::new().see(1, answered("valid", "context", 200, "p,p")).holds("no_data_across_projects");
    let leak = Fed::new().see(1, answered("valid", "context", 200, "p,q"));
    let failure = leak.failure("no_data_across_projects").unwrap();
    assert_eq!(failure, "a of p was shown data of q at 0.001s");
    // An answer that shows nothing proves nothing.
    let nothing = Fed::new().see(1, answered("valid", "context", 404, "")).finish();
    assert_eq!(nothing["no_data_across_projects"], (0, None));
}

#[test]
fn nobody_receives_an_event_of_another_project() {
    Fed::new().see(1, received("p")).holds("no_data_across_projects");
    let failure = Fed::new().see(1, received("q")).failure("no_data_across_projects").unwrap();
    assert_eq!(failure, "a of p received event e of q at 0.001s");
}

#[test]
fn without_a_good_token_there_is_health_and_no_more() {
    let check = "no_data_without_a_token";
    for status in [401, 403, 404, 429, 503] {
        Fed::new().see(1, answered("tampered", "context", status, "")).holds(check);
    }
    for token in ["missing", "malformed", "tampered", "other_key", "unsigned", "expired"] {
        let served = Fed::new().see(1, answered(token, "context", 200, ""));
        let expected = format!("a was answered 200 to context at 0.001s, token {token}");
        assert_eq!(served.failure(check), Some(expected));
    }
    assert!(Fed::new().see(1, answered("missing", "status", 304, "")).failure(check).is_some());
    // A refusal that has data is none.
    assert!(Fed::new().see(1, answered("missing", "status", 401, "p")).failure(check).is_some());
    let open = Fed::new()
        .see(1, answered("missing", "health", 200, ""))
        .see(2, answered("missing", "context", 0, ""))
        .see(3, answered("valid", "context", 200, "p"));
    assert_eq!(open.finish()[check], (0, None));
}

#[test]
fn whether_a_token_is_over_is_not_judged_where_clocks_are_bent() {
    let check = "no_data_without_a_token";
    let bent = || Fed { checks: Sidecar::new(false, true, 1) };
    for token in ["expired", "not_yet_valid"] {
        assert_eq!(bent().see(1, answered(token, "context", 200, "")).finish()[check], (0, None));
    }
    assert!(bent().see(1, answered("unsigned", "context", 200, "")).failure(check).is_some());
}

#[test]
fn no_id_is_of_two() {
    let check = "ids_are_unique";
    let acknowledged = |project: &str, of: &str| SidecarEvent::ResultAcknowledged {
        who: name("a"),
        project: name(project),
        key: name(of),
        result: name("r"),
        digest: digest(of),
        asked_ns: 0,
    };
    let two = |project, of| {
        Fed::new().see(1, acknowledged("p", "k")).see(2, acknowledged(project, of)).failure(check)
    };
    assert_eq!(two("p", "k"), None);
    let failure = two("p", "l").unwrap();
    assert_eq!(failure, "result r of a in p at 0.002s is also another, in p");
    assert!(two("q", "k").is_some());
    let spawned = |agent: &str| SidecarEvent::AgentSpawned {
        agent: name(agent),
        agent_type: "qa",
        project: name("p"),
    };
    Fed::new().see(1, spawned("x")).see(2, spawned("y")).holds(check);
    let failure = Fed::new().see(1, spawned("x")).see(2, spawned("x")).failure(check).unwrap();
    assert_eq!(failure, "agent x was started twice, again in p at 0.002s");
}
