//! The routes, one after the other, and who may use them.

use super::*;

#[test]
fn the_life_of_a_result() {
    let script = vec![
        step(0, Request::new(Method::Get, "/health")),
        step(1, get("/api/context/i-1/rust-specialist", &rust())),
        step(100, get("/api/context/i-1/rust-specialist", &rust())),
        step(200, result("k-1", "use a tree")),
        step(300, result("k-1", "use a tree")),
        step(400, result("k-1", "use a list")),
        then(500, |seen| get(&format!("/api/results/{}", text(seen, 3, "id")), &rust())),
        step(500, get("/api/results?agent_id=rust-1&from=2026-01-01T00:00:00Z", &rust())),
        step(500, get("/api/context/i-1/test-engineer", &rust())),
        step(600, get("/status", &rust())),
        then(700, |seen| delete(&format!("/api/results/{}", text(seen, 3, "id")), &rust())),
        then(800, |seen| get(&format!("/api/results/{}", text(seen, 3, "id")), &rust())),
        step(800, result("k-1", "use a tree")),
        step(900, get("/api/context/i-1/test-engineer", &rust())),
        step(950, delete("/api/cache/context/i-1", &rust())),
        step(960, get("/api/results/not-an-id-of-ours", &rust())),
    ];
    let played = play(settings(), vec![], script);
    let statuses: Vec<u16> = (0..16).map(|number| played.status(number)).collect();
    let expected = [200, 200, 200, 201, 201, 409, 200, 200, 200, 200, 200, 404, 409, 200, 200, 404];
    assert_eq!(statuses, expected);
    assert_eq!(played.json(0)["status"], "healthy");
    assert_eq!(
        (played.json(1)["cache_hit"].clone(), played.json(2)["cache_hit"].clone()),
        (false.into(), true.into())
    );
    assert!((6..=21).contains(&played.at(1)) && played.at(2) <= 103);
    let stored = played.json(3);
    assert_eq!(stored, played.json(4), "the same request is the same result and the same event");
    assert_eq!((&stored["stored"], &stored["event_published"]), (&true.into(), &true.into()));
    assert_eq!(stored["next_agents"][0]["agent_type"], "test-engineer");
    assert_eq!(played.refusal(5), (409, "STR_001"));
    let view = played.json(6);
    assert_eq!((&view["id"], &view["storage_path"]), (&stored["id"], &stored["storage_path"]));
    assert_eq!(view["result"]["decision"], "use a tree");
    assert_eq!(played.json(7)["results"], json!([view]));
    let outputs = &played.json(8)["context"]["previous_agent_outputs"];
    assert_eq!(
        (&outputs[0]["agent"], &outputs[0]["decision"]),
        (&"rust-1".into(), &"use a tree".into())
    );
    let status = played.json(9);
    assert_eq!(status["agents"]["completed"], 1);
    assert_eq!(
        (&status["storage"]["results_stored"], &status["events"]["total_published"]),
        (&1.into(), &1.into())
    );
    assert_eq!(status["storage"]["context_cache_entries"], 1, "the one of before was forgotten");
    assert!(status["storage"]["total_size_mb"].as_f64() > Some(0.0));
    assert_eq!(played.json(13)["context"]["previous_agent_outputs"], json!([]));
    assert_eq!(played.json(14), json!({ "cleared": true, "entries_removed": 1 }));
    assert_eq!(played.refusal(15), (404, "STR_001"));
    assert_eq!(played.named("result_stored").len(), 1);
    assert_eq!(played.named("result_stored")[0]["key"], "k-1");
    assert_eq!(played.outcome.calls_open, 0);
}

#[test]
fn the_name_of_a_request_or_its_contents_are_as_good_as_a_key() {
    let named = |id: &str, decision: &str| {
        let mut request = result("", decision);
        let mut headers = super::super::wire::Headers::new();
        for (name, value) in request.headers.iter().filter(|(name, _)| *name != "Idempotency-Key") {
            headers.add(name, value);
        }
        request.headers = headers;
        if id.is_empty() { request } else { request.header("X-Request-Id", id) }
    };
    let script = vec![
        step(0, named("r-1", "a")),
        step(100, named("r-1", "a")),
        step(200, named("r-2", "a")),
        step(300, named("", "a")),
        step(400, named("", "a")),
        step(500, named("r-1", "b")),
    ];
    let played = play(settings(), vec![], script);
    let id = |number| played.json(number)["id"].as_str().unwrap().to_owned();
    assert_eq!((id(0), id(3)), (id(1), id(4)));
    assert!(id(0) != id(2) && id(0) != id(3) && id(2) != id(3));
    assert_eq!(played.refusal(5), (409, "STR_001"));
    assert_eq!(played.answer(0).headers.get("X-Request-Id"), Some("r-1"));
    assert!(played.answer(3).headers.get("X-Request-Id").unwrap().starts_with("req-0-"));
}

#[test]
fn nobody_gets_anything_without_a_good_token() {
    let path = "/api/context/i-1/rust-specialist";
    let tampered = format!("{}x", rust());
    let documenter = token("doc-1", AgentType::DocumentationExpert, "shop");
    let script = vec![
        step(0, Request::new(Method::Get, path)),
        step(0, get(path, &tampered)),
        step(0, get("/status", "no-token")),
        step(0, post("/api/events/done", &documenter, &json!({}))),
        step(0, get("/no/such/path", &rust())),
        step(0, get("/api/results", &stranger())),
        step(10_000, result("k-1", "yes")),
        then(11_000, |seen| get(&format!("/api/results/{}", text(seen, 6, "id")), &stranger())),
        then(11_000, |seen| delete(&format!("/api/results/{}", text(seen, 6, "id")), &stranger())),
        step(11_000, get("/api/results?project_id=shop", &stranger())),
        step(11_000, get("/api/results", &stranger())),
        step(11_000, get("/status", &stranger())),
        then(11_000, |_| {
            let mut request = result("k-2", "no");
            request.headers = stranger_headers();
            request
        }),
        // The same token again, just before its time is over and when it is.
        step(3_659_999, get("/status", &rust())),
        step(3_660_000, get("/status", &rust())),
    ];
    let played = play(settings(), vec![], script);
    assert_eq!(played.refusal(0), (401, "AUTH_001"));
    assert_eq!(played.refusal(1), (401, "AUTH_001"));
    assert_eq!(played.refusal(2), (401, "AUTH_001"));
    assert_eq!(played.status(3), 400, "valid is looked at before allowed");
    assert_eq!(played.refusal(4), (404, "HTTP_001"));
    assert_eq!(played.json(5)["results"], json!([]));
    assert_eq!(played.refusal(7), (404, "STR_001"));
    assert_eq!(played.refusal(8), (404, "STR_001"));
    assert_eq!(played.refusal(9), (403, "AUTH_003"));
    assert_eq!(played.json(10)["results"], json!([]));
    let status = played.json(11);
    assert_eq!(
        (&status["agents"]["completed"], &status["storage"]["results_stored"]),
        (&0.into(), &0.into())
    );
    assert_eq!(status["events"]["total_published"], 0);
    assert_eq!(played.refusal(12), (403, "AUTH_003"));
    assert_eq!(played.status(13), 200);
    assert_eq!(played.refusal(14), (401, "AUTH_002"));
    assert_eq!(played.named("result_stored").len(), 1);
}

fn stranger_headers() -> super::super::wire::Headers {
    Request::new(Method::Get, "/").bearer(&stranger()).headers
}

#[test]
fn over_the_rate_says_when_to_come_back() {
    let mut script: Vec<Step> = (0..11).map(|_| step(0, get("/status", &rust()))).collect();
    script.push(step(1_000, get("/status", &rust())));
    script.push(step(0, get("/status", &chief())));
    let played = play(settings::Sidecar::default(), vec![], script);
    let header = |number, name| played.answer(number).headers.get(name).map(str::to_owned);
    let some = |text: &str| Some(text.to_owned());
    for number in 0..10 {
        assert_eq!(played.status(number), 200);
        assert_eq!(header(number, "X-RateLimit-Remaining"), Some((9 - number).to_string()));
    }
    assert_eq!(played.refusal(10), (429, "RATE_001"));
    assert_eq!(
        (header(10, "Retry-After"), header(10, "X-RateLimit-Limit")),
        (some("1"), some("60"))
    );
    assert!(header(10, "X-RateLimit-Reset").is_some());
    assert_eq!((played.status(11), header(11, "X-RateLimit-Remaining")), (200, some("0")));
    assert_eq!(header(12, "X-RateLimit-Limit"), None, "the architect has no limit");
}

#[test]
fn what_is_too_large_is_not_stored() {
    let mut large = result("k-1", "x");
    large.body.resize(2 * 1024 * 1024 + 1, b' ');
    let mut most = result("k-2", "y");
    most.body.resize(2 * 1024 * 1024, b' ');
    let script = vec![step(0, large), step(0, most), step(100, get("/api/results", &rust()))];
    let played = play(settings(), vec![], script);
    assert_eq!(played.refusal(0), (413, "STR_001"));
    assert_eq!(played.json(0)["details"]["field"], "body");
    assert_eq!(played.status(1), 201);
    assert_eq!(played.json(2)["results"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_project_is_the_same_after_a_crash_and_whatever_others_there_are() {
    let context = |projects: &[(&str, Size)], faults| {
        let path = "/api/context/i-1/rust-specialist";
        let script = vec![step(10, get(path, &rust())), step(3_000, get(path, &rust()))];
        let played = play_with(settings(), projects, faults, script);
        [0, 1].map(|number| played.json(number)["context"].clone())
    };
    let crash = Fault::crash("sidecar").at(Duration::from_secs(1)).lasting(Duration::from_secs(1));
    let [before, after] = context(&[("shop", Size::Small)], vec![crash]);
    assert_eq!(before, after);
    let [beside, _] = context(&[("bank", Size::Tiny), ("shop", Size::Small)], vec![]);
    assert_eq!(before, beside);
    let [tiny, _] = context(&[], vec![]);
    assert_ne!(before, tiny, "one that nobody has declared is tiny");
}
