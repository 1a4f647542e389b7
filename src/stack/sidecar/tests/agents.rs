//! Agents that the sidecar starts.

use super::*;

fn spawn(token: &str) -> Request {
    let body = json!({ "agent_type": "go-specialist", "issue_id": "i-1", "task": "write it" });
    post("/api/agents/spawn", token, &body)
}

fn state(number: usize, token: fn() -> String) -> impl Fn(&Seen) -> Request {
    move |seen| get(&text(seen, number, "webhook_url"), &token())
}

/// The result of the agent that was started by this request, with its own token.
fn its_result(number: usize) -> impl Fn(&Seen) -> Request {
    move |seen| {
        let body = json!({
            "agent_id": text(seen, number, "agent_id"), "agent_type": "go-specialist",
            "issue_id": "i-1", "project_id": "shop", "result": { "status": "failed" },
            "timestamp": "2026-01-01T00:00:01Z",
        });
        post("/api/results", &text(seen, number, "jwt_token"), &body)
    }
}

#[test]
fn an_agent_is_at_work_until_it_hands_in_its_result() {
    let settings = settings::Sidecar { agents_max: 1, ..settings() };
    let crash = Fault::crash("sidecar");
    let crash = crash.at(Duration::from_secs(1)).lasting(Duration::from_secs(1));
    let script = vec![
        step(0, spawn(&rust())),
        step(0, spawn(&chief())),
        step(100, spawn(&chief())),
        then(100, state(1, chief)),
        then(100, state(1, stranger)),
        step(200, get("/status", &chief())),
        step(200, get("/status", &stranger())),
        // The registry survives.
        then(3_000, state(1, chief)),
        step(3_000, spawn(&chief())),
        then(3_100, its_result(1)),
        then(3_200, state(1, chief)),
        step(3_200, get("/status", &chief())),
        step(3_300, spawn(&chief())),
        step(3_400, Request::new(Method::Get, "/health")),
    ];
    let played = play(settings, vec![crash], script);
    assert_eq!(played.refusal(0), (403, "AUTH_003"));
    assert_eq!(played.status(1), 201);
    assert_eq!(played.refusal(2), (503, "AGT_002"));
    assert_eq!(played.answer(2).headers.get("Retry-After"), Some("1"));
    let before = played.json(3);
    assert_eq!((&before["status"], &before["context_available"]), (&"ready".into(), &true.into()));
    assert_eq!(played.refusal(4), (404, "AGT_001"));
    let status = played.json(5);
    assert_eq!(
        (&status["agents"]["active"], &status["agents"]["by_type"]["go-specialist"]),
        (&1.into(), &1.into())
    );
    assert_eq!(played.json(6)["agents"]["active"], 0);
    assert_eq!(played.json(7), before);
    assert_eq!(played.refusal(8), (503, "AGT_002"));
    assert_eq!(played.status(9), 201, "its token is good");
    assert_eq!(played.json(9)["next_agents"][0]["agent_type"], "chief-architect");
    let after = played.json(10);
    assert_eq!((&after["status"], &after["result"]), (&"failed".into(), &"failed".into()));
    let status = played.json(11);
    assert_eq!((&status["agents"]["active"], &status["agents"]["failed"]), (&0.into(), &1.into()));
    assert_eq!(played.status(12), 201);
    assert_ne!(played.json(12)["agent_id"], played.json(1)["agent_id"]);
    assert_eq!(played.json(13)["checks"]["active_agents"], 1);
    assert_eq!(played.named("agent_spawned").len(), 2);
}
