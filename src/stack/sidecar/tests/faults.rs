//! Crashes, full disks, and more than there is room for.

use super::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_crash_loses_nothing_that_was_acknowledged_and_doubles_nothing() {
    // Every moment of the life of a request: on its way in, being looked at, being synced, done.
    for after in 0..12 {
        let at = Duration::from_millis(1_000 + after);
        let crash = Fault::crash("sidecar").at(at).lasting(seconds(1));
        let script = vec![
            step(0, result("k-0", "before")),
            step(1_000, result("k-1", "during")),
            step(3_000, result("k-1", "during")),
            step(3_000, result("k-0", "before")),
            step(4_000, get("/api/results", &rust())),
            step(4_000, get("/api/context/i-1/rust-specialist", &rust())),
        ];
        let played = play(settings(), vec![crash], script);
        assert_eq!(played.status(2), 201);
        assert_eq!(played.json(3)["id"], played.json(0)["id"]);
        let results = played.json(4)["results"].as_array().unwrap().clone();
        assert_eq!(results.len(), 2, "crash {after} ms after the request");
        if let Ok(first) = &played.seen[&1].1 {
            assert_eq!(json_of(first)["id"], played.json(2)["id"]);
        }
        let stored = played.named("result_stored");
        let keys = stored.iter().filter(|event| event["key"] == "k-0").count();
        assert_eq!(keys, 1);
        let outputs = played.json(5)["context"]["previous_agent_outputs"].clone();
        assert_eq!(outputs.as_array().map(Vec::len), Some(2), "what was found out is known again");
        let restored = played.named("state_restored");
        assert_eq!((&restored[0]["component"], restored.len()), (&"results".into(), 1));
    }
}

#[test]
fn a_full_disk_keeps_what_was_there() {
    let full = Fault::new(FaultKind::DiskFull { nodes: vec!["sidecar".to_owned()] });
    let full = full.at(seconds(1)).lasting(seconds(2));
    let script = vec![
        step(0, result("k-0", "before")),
        step(1_500, result("k-1", "during")),
        then(1_600, |seen| get(&format!("/api/results/{}", text(seen, 0, "id")), &rust())),
        step(1_600, Request::new(Method::Get, "/health")),
        step(
            1_600,
            post(
                "/api/agents/spawn",
                &chief(),
                &json!({
                    "agent_type": "go-specialist", "issue_id": "i-1", "task": "write it",
                }),
            ),
        ),
        step(4_000, result("k-1", "during")),
        step(4_100, Request::new(Method::Get, "/health")),
        step(4_100, get("/api/results", &rust())),
    ];
    let played = play(settings(), vec![full], script);
    assert_eq!(played.refusal(1), (507, "STR_002"));
    assert_eq!(played.status(2), 200);
    let health = played.json(3);
    assert_eq!(
        (&health["status"], &health["checks"]["storage"]),
        (&"degraded".into(), &"full".into())
    );
    assert_eq!(played.refusal(4), (507, "AGT_002"));
    assert_eq!(played.status(5), 201);
    assert_eq!(played.json(6)["status"], "healthy");
    assert_eq!(played.json(7)["results"].as_array().map(Vec::len), Some(2));
}

#[test]
fn more_connections_than_there_are_have_to_come_back() {
    let settings = settings::Sidecar { connections: 1, ..settings() };
    let wait = get("/api/events/wait/done?timeout=1000", &rust());
    let script = vec![
        step(0, wait.clone()),
        step(100, wait),
        step(100, result("k-1", "no")),
        step(100, get("/api/context/i-1/rust-specialist", &rust())),
        step(100, Request::new(Method::Get, "/health")),
        step(1_100, result("k-1", "yes")),
    ];
    let played = play(settings, vec![], script);
    assert_eq!(played.json(0)["timeout"], true);
    assert_eq!(played.refusal(1), (503, "EVT_002"));
    assert_eq!(played.refusal(2), (503, "STR_002"));
    assert_eq!(played.refusal(3), (503, "CTX_001"));
    assert_eq!(played.refusal(4), (503, "HTTP_001"));
    assert_eq!(played.answer(1).headers.get("Retry-After"), Some("1"));
    assert_eq!(played.status(5), 201, "nothing was stored of the one that was refused");
}

#[test]
fn memory_is_bounded_and_comes_back() {
    let cache_ttl = seconds(10);
    let settings = settings::Sidecar { memory: 10_000, cache_ttl, ..settings() };
    let context = || get("/api/context/i-1/chief-architect", &rust());
    let script = vec![
        step(0, result("k-0", &"x".repeat(12_000))),
        step(0, result("k-1", "y")),
        // A context of a tiny project is larger than all the memory.
        step(100, context()),
        step(200, result("k-2", "z")),
        step(300, Request::new(Method::Get, "/health")),
        // What is too old makes room, for the next request.
        step(11_000, result("k-2", "z")),
        step(11_100, result("k-2", "z")),
    ];
    let played = play(settings, vec![], script);
    assert_eq!(played.refusal(0), (503, "STR_002"));
    assert_eq!((played.status(1), played.status(2)), (201, 200));
    assert_eq!(played.refusal(3), (503, "STR_002"));
    assert_eq!(played.refusal(5), (503, "STR_002"));
    assert_eq!(played.status(6), 201);
}
