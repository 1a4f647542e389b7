//! What the contract takes and refuses, with the field that it names.

use proptest::prelude::*;
use serde_json::json;

use super::{super::context::ContextResponse, *};

fn limits() -> Limits {
    Limits { body: 4_096, path: 512 }
}

fn read(request: &Request) -> Result<Call, Fault> {
    Call::read(request, &limits())
}

fn get(path: &str) -> Result<Call, Fault> {
    read(&Request::new(Method::Get, path))
}

fn post(path: &str, body: &serde_json::Value) -> Result<Call, Fault> {
    read(&Request::new(Method::Post, path).json(body))
}

/// Status, code and field of a refusal.
fn refused(call: Result<Call, Fault>) -> (u16, &'static str, String) {
    let fault = call.unwrap_err();
    (fault.status.as_u16(), fault.code.as_str(), fault.field.unwrap_or_default())
}

fn at(status: u16, code: &'static str, field: &str) -> (u16, &'static str, String) {
    (status, code, field.to_owned())
}

fn result() -> serde_json::Value {
    json!({
        "agent_id": "a-1", "agent_type": "go-specialist", "issue_id": "issue-1",
        "project_id": "p-1", "timestamp": "2026-01-02T03:04:05Z",
        "result": { "status": "success", "new_field": [1, 2.5] },
    })
}

fn event() -> serde_json::Value {
    json!({ "publisher": "a-1", "topic": "testing", "data": { "n": 1 } })
}

fn spawn() -> serde_json::Value {
    json!({ "agent_type": "test-engineer", "issue_id": "issue-1", "task": "Test it" })
}

/// This JSON with one field set; `null` takes it away.
fn with(mut body: serde_json::Value, field: &str, value: serde_json::Value) -> serde_json::Value {
    let pointer = format!("/{}", field.replace('.', "/"));
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    parent.insert(name.to_owned(), value);
    body
}

#[test]
fn every_route_becomes_its_call() {
    assert_eq!(get("/health"), Ok(Call::Health));
    assert_eq!(get("/status?x=1"), Ok(Call::Status));
    let issue = IssueId::new("issue-32").unwrap();
    let agent_type = AgentType::RustSpecialist;
    assert_eq!(
        get("/api/context/issue%2D32/rust-specialist"),
        Ok(Call::Context { issue: issue.clone(), agent_type })
    );
    let clear = Request::new(Method::Delete, "/api/cache/context/issue-32");
    assert_eq!(read(&clear), Ok(Call::ClearCache { issue }));
    let id = ResultId::new("r1").unwrap();
    assert_eq!(get("/api/results/r1"), Ok(Call::GetResult { id: id.clone() }));
    let delete = Request::new(Method::Delete, "/api/results/r1");
    assert_eq!(read(&delete), Ok(Call::DeleteResult { id }));
    let agent = AgentId::new("a-1").unwrap();
    assert_eq!(get("/api/agents/a-1/status"), Ok(Call::AgentStatus { agent }));
    assert!(matches!(post("/api/results", &result()), Ok(Call::StoreResult(_))));
    assert!(matches!(post("/api/events/done", &event()), Ok(Call::Publish(_))));
    assert!(matches!(post("/api/agents/spawn", &spawn()), Ok(Call::Spawn(_))));
    assert!(matches!(get("/api/events/wait/done"), Ok(Call::Wait(_))));
    assert!(matches!(get("/api/results"), Ok(Call::QueryResults(_))));
}

#[test]
fn unknown_paths_and_methods_are_told_apart() {
    for path in ["", "health", "/", "/health/", "/api", "/api/context/i", "//health", "/api/agents"]
    {
        assert_eq!(refused(get(path)), at(404, "HTTP_001", ""), "{path}");
    }
    let post = Request::new(Method::Post, "/health");
    assert_eq!(refused(read(&post)), at(405, "HTTP_001", ""));
    assert_eq!(refused(get("/api/agents/spawn")), at(405, "HTTP_001", ""));
    let fits = format!("/health?{}", "x".repeat(512 - 8));
    assert_eq!(get(&fits), Ok(Call::Health));
    assert_eq!(refused(get(&format!("{fits}x"))), at(414, "HTTP_001", ""));
}

#[test]
fn ids_cannot_leave_their_directory() {
    for id in [
        "..",
        ".",
        "%2e%2e",
        "%2E%2E%2Fetc",
        "..%2f..%2fetc%2fpasswd",
        "a..b",
        "%252e%252e",
        "-a",
        ".hidden",
        "a%00b",
        "a%0ab",
        "a%5cb",
        "a b",
        "a+b",
        "%zz",
        "%2",
        "%",
        "%ff",
        "",
        "a%2fb",
        "a:b",
        "%C3%A9",
        "*",
        "~",
        "a;rm",
        "'or'1'='1",
    ] {
        let path = format!("/api/context/{id}/go-specialist");
        assert_eq!(refused(get(&path)), at(400, "CTX_001", "path.issue_id"), "{id}");
    }
    assert_eq!(refused(get("/api/results/a..b")), at(400, "STR_001", "path.id"));
    assert_eq!(refused(get("/api/events/wait/a%2fb")), at(400, "EVT_001", "path.type"));
    assert_eq!(refused(get("/api/agents/%2e%2e/status")), at(400, "AGT_001", "path.agent_id"));
    assert_eq!(refused(get("/api/context/../../etc/passwd/x")), at(404, "HTTP_001", ""));
}

#[test]
fn ids_have_a_longest() {
    assert!(ProjectId::new(&"a".repeat(128)).is_ok());
    assert_eq!(ProjectId::new(&"a".repeat(129)), Err(BadId::TooLong));
    assert_eq!(ProjectId::new(""), Err(BadId::Empty));
    assert_eq!(ProjectId::new("a/b"), Err(BadId::Character));
    assert_eq!(ProjectId::new("a..b"), Err(BadId::Dots));
    assert!(ProjectId::new("A.b-c_9").is_ok());
    assert!(serde_json::from_str::<ProjectId>("\"../x\"").is_err());
    assert_eq!(serde_json::to_string(&ProjectId::new("p-1").unwrap()).unwrap(), "\"p-1\"");
}

#[test]
fn agent_types_are_those_of_the_contract() {
    for agent in AgentType::ALL {
        assert!(get(&format!("/api/context/i/{agent}")).is_ok());
        let body = with(result(), "agent_type", json!(agent));
        assert!(post("/api/results", &body).is_ok());
    }
    let unknown = at(400, "AGT_001", "path.agent_type");
    for word in ["wizard", "", "Go-Specialist", "go-specialist%00", "%zz"] {
        assert_eq!(refused(get(&format!("/api/context/i/{word}"))), unknown, "{word}");
    }
    let query = refused(get("/api/results?agent_type=wizard"));
    assert_eq!(query, at(400, "AGT_001", "query.agent_type"));
    for (path, body) in [("/api/results", result()), ("/api/agents/spawn", spawn())] {
        for value in [json!("wizard"), json!(7)] {
            let call = post(path, &with(body.clone(), "agent_type", value));
            assert_eq!(refused(call), at(400, "AGT_001", "body.agent_type"));
        }
    }
}

#[test]
fn each_field_that_must_be_there_is_named() {
    let cases = [
        (
            "/api/results",
            result(),
            "STR_001",
            vec![
                "agent_id",
                "agent_type",
                "issue_id",
                "project_id",
                "result",
                "result.status",
                "timestamp",
            ],
        ),
        ("/api/events/done", event(), "EVT_001", vec!["publisher", "topic", "data"]),
        ("/api/agents/spawn", spawn(), "AGT_001", vec!["agent_type", "issue_id", "task"]),
    ];
    for (path, body, code, fields) in cases {
        for field in fields {
            let fault = post(path, &with(body.clone(), field, json!(null))).unwrap_err();
            assert_eq!(fault.message, format!("`body.{field}` is missing"));
            assert_eq!((fault.status, fault.code.as_str()), (Status::BadRequest, code));
        }
        for field in ["agent_type", "issue_id", "publisher", "task", "timestamp", "topic"] {
            if body.get(field).is_some() {
                let fault = post(path, &with(body.clone(), field, json!([]))).unwrap_err();
                assert_eq!(fault.field, Some(format!("body.{field}")));
            }
        }
    }
}

#[test]
fn fields_are_of_their_kind() {
    for (field, value) in [
        ("agent_id", json!("../x")),
        ("issue_id", json!("a\u{0}")),
        ("project_id", json!("a".repeat(129))),
        ("result", json!("done")),
        ("result.status", json!("great")),
        ("result.status", json!(true)),
        ("timestamp", json!("yesterday")),
        ("timestamp", json!(17)),
    ] {
        let call = post("/api/results", &with(result(), field, value));
        assert_eq!(refused(call), at(400, "STR_001", &format!("body.{field}")));
    }
    for (field, value) in [
        ("event_type", json!("other")),
        ("topic", json!("gossip")),
        ("ttl_seconds", json!(0)),
        ("ttl_seconds", json!(86_401)),
        ("ttl_seconds", json!(-1)),
        ("ttl_seconds", json!(1.5)),
        ("ttl_seconds", json!(4_294_967_297_u64)),
        ("project_id", json!("a/b")),
        ("correlation_id", json!("")),
    ] {
        let call = post("/api/events/done", &with(event(), field, value));
        assert_eq!(refused(call), at(400, "EVT_001", &format!("body.{field}")));
    }
    for (field, value, at_field) in [
        ("task", json!(""), "task"),
        ("task", json!("a\u{7}"), "task"),
        ("context_requirements", json!("all"), "context_requirements"),
        ("context_requirements", json!(["a", 1]), "context_requirements[1]"),
        ("context_requirements", json!(vec!["a"; 65]), "context_requirements"),
        ("environment", json!([]), "environment"),
        ("environment", json!({ "1A": "x" }), "environment"),
        ("environment", json!({ "": "x" }), "environment"),
        ("environment", json!({ "A B": "x" }), "environment"),
        ("environment", json!({ "A": 1 }), "environment.A"),
        ("environment", json!({ "A": "\u{0}" }), "environment.A"),
    ] {
        let call = post("/api/agents/spawn", &with(spawn(), field, value));
        assert_eq!(refused(call), at(400, "AGT_001", &format!("body.{at_field}")));
    }
}

#[test]
fn what_is_given_arrives_and_what_is_not_has_its_default() {
    let request =
        Request::new(Method::Post, "/api/results").json(&result()).header("idempotency-key", "k-1");
    let Ok(Call::StoreResult(stored)) = read(&request) else { unreachable!() };
    assert_eq!(stored.status, ResultStatus::Success);
    assert_eq!(stored.result["new_field"], json!([1, 2.5]), "unknown fields are kept");
    assert_eq!(stored.key, RequestId::new("k-1").ok());
    assert_eq!(serde_json::to_value(&stored).unwrap(), result());
    for (word, status) in [
        ("partial", ResultStatus::Partial),
        ("failed", ResultStatus::Failed),
        ("failure", ResultStatus::Failed),
    ] {
        let body = with(result(), "result.status", json!(word));
        let Ok(Call::StoreResult(stored)) = post("/api/results", &body) else { unreachable!() };
        assert_eq!(stored.status, status);
        assert_eq!(json!(status), json!(status.as_str()));
    }
    let Ok(Call::Publish(plain)) = post("/api/events/done", &event()) else { unreachable!() };
    assert_eq!((plain.ttl_seconds, plain.project_id, plain.key), (86_400, None, None));
    for ttl in [1, 86_400] {
        let body = with(event(), "ttl_seconds", json!(ttl));
        let Ok(Call::Publish(event)) = post("/api/events/done", &body) else { unreachable!() };
        assert_eq!(event.ttl_seconds, ttl);
    }
    let body = with(spawn(), "environment", json!({ "_A1": "", "B": "two\nlines" }));
    let Ok(Call::Spawn(spawned)) = post("/api/agents/spawn", &body) else { unreachable!() };
    assert_eq!(spawned.environment.len(), 2);
    let body = with(spawn(), "context_requirements", json!(vec!["a"; 64]));
    assert!(post("/api/agents/spawn", &body).is_ok());
}

#[test]
fn idempotency_keys_are_ids_and_there_is_one() {
    let request = Request::new(Method::Post, "/api/results").json(&result());
    let bad = request.clone().header("Idempotency-Key", "../k");
    let field = at(400, "STR_001", "header.Idempotency-Key");
    assert_eq!(refused(read(&bad)), field);
    let two = request.header("Idempotency-Key", "a").header("idempotency-KEY", "a");
    assert_eq!(refused(read(&two)), field);
}

#[test]
fn bodies_are_measured_before_they_are_read() {
    let send = |size: usize, headers: &[&str]| {
        let mut request = Request::new(Method::Post, "/api/results");
        request.body = vec![b'x'; size];
        headers.iter().for_each(|said| request.headers.add("Content-Length", *said));
        refused(read(&request))
    };
    let (not_json, too_large) = (at(400, "STR_001", "body"), at(413, "STR_001", "body"));
    assert_eq!(send(4_096, &[]), not_json, "it was looked at");
    assert_eq!(send(4_097, &[]), too_large);
    assert_eq!(send(3, &["3"]), not_json);
    assert_eq!(send(3, &["4097"]), too_large);
    assert_eq!(send(3, &["99999999999999999999999999"]), too_large);
    let cut_off = at(400, "STR_001", "header.Content-Length");
    for said in [&["4096"][..], &["2"], &["-3"], &[""], &["3x"], &["3", "4"]] {
        assert_eq!(send(3, said), cut_off, "{said:?}");
    }
    let mut get = Request::new(Method::Get, "/api/results/r1");
    get.body = b"{}".to_vec();
    assert_eq!(refused(read(&get)), at(400, "STR_001", "body"));
}

#[test]
fn a_body_stops_growing_at_its_limit() {
    let limits = Limits { body: 5, ..limits() };
    let mut body = Body::new();
    body.push(b"abc", Code::Result, &limits).unwrap();
    body.push(b"de", Code::Result, &limits).unwrap();
    let fault = body.push(b"f", Code::Result, &limits).unwrap_err();
    assert_eq!((fault.status, fault.limit), (Status::TooLarge, Some(5)));
    assert_eq!(body.into_bytes(), b"", "nothing of it is kept");
    let mut body = Body::new();
    body.push(b"abcde", Code::Result, &limits).unwrap();
    assert_eq!(body.into_bytes(), b"abcde");
}

#[test]
fn malformed_json_is_refused() {
    let deep = format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000));
    for body in ["", "{", "[]", "null", "\"a\"", "{\"a\":1e999}", "{} {}", "\u{feff}{}", &deep] {
        let mut request = Request::new(Method::Post, "/api/results");
        request.body = body.as_bytes().to_vec();
        assert_eq!(refused(read(&request)), at(400, "STR_001", "body"), "{body:.20}");
    }
    let mut request = Request::new(Method::Post, "/api/events/e");
    request.body = vec![b'{', b'"', 0xff, b'"', b':', b'1', b'}'];
    assert_eq!(refused(read(&request)), at(400, "EVT_001", "body"));
}

fn wait(query: &str) -> Result<WaitForEvents, Fault> {
    get(&format!("/api/events/wait/done?{query}")).map(|call| match call {
        Call::Wait(wait) => wait,
        _ => unreachable!(),
    })
}

#[test]
fn waits_are_read_with_their_bounds() {
    let usual = wait("").unwrap();
    assert_eq!((usual.timeout.as_millis(), usual.limit, usual.since), (30_000, 100, None));
    assert_eq!(usual.filter, Filter::default());
    let all = wait("timeout=300000&filter=issue_id%3Ai-1,a.b:c:d&since=e-7&limit=1000").unwrap();
    assert_eq!((all.timeout.as_millis(), all.limit), (300_000, 1_000));
    assert_eq!(all.since, Cursor::new("e-7").ok());
    let conditions: Vec<_> = all.filter.conditions().collect();
    assert_eq!(conditions, [("issue_id", "i-1"), ("a.b", "c:d")]);
    assert_eq!(all.filter.to_string(), "issue_id:i-1,a.b:c:d");
    assert_eq!(wait("timeout=0&limit=1").unwrap().timeout.as_millis(), 0);
    for (query, field) in [
        ("timeout=300001", "timeout"),
        ("timeout=-1", "timeout"),
        ("timeout=+1", "timeout"),
        ("timeout=", "timeout"),
        ("timeout", "timeout"),
        ("timeout=1&timeout=2", "timeout"),
        ("timeout=99999999999999999999999", "timeout"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("since=..", "since"),
        ("since=", "since"),
        ("filter=", "filter"),
        ("filter=a", "filter"),
        ("filter=a:b,", "filter"),
        ("filter=a:", "filter"),
        ("filter=:b", "filter"),
        ("filter=a..b:c", "filter"),
        ("filter=a:b%00", "filter"),
    ] {
        let fault = wait(query).unwrap_err();
        assert_eq!(fault.field, Some(format!("query.{field}")), "{query}");
        assert_eq!((fault.status, fault.code), (Status::BadRequest, Code::Event));
    }
    assert_eq!(wait("a=%").unwrap_err().field.as_deref(), Some("query"));
}

#[test]
fn filters_have_a_longest() {
    let conditions = |count: usize| Filter::read(&vec!["a:b"; count].join(","));
    assert!(conditions(16).is_ok());
    assert!(conditions(17).is_err());
    let value = |length: usize| Filter::read(&format!("a:{}", "v".repeat(length)));
    assert!(value(256).is_ok());
    assert!(value(257).is_err());
}

#[test]
fn result_queries_are_read() {
    let day = "2026-01-02T00:00:00Z";
    let path = format!(
        "/api/results?project_id=p&agent_id=a&agent_type=qa-engineer&issue_id=i&status=failed\
         &from={day}&to={day}&limit=7&cursor=c"
    );
    let Ok(Call::QueryResults(query)) = get(&path) else { unreachable!() };
    assert_eq!(query.from, query.to);
    assert_eq!(query.from, day.parse().ok());
    assert_eq!((query.limit, query.status), (7, Some(ResultStatus::Failed)));
    assert_eq!(query.agent_type, Some(AgentType::QaEngineer));
    let backwards = get(&format!("/api/results?from={day}&to=2026-01-01T23:59:59.9Z"));
    assert_eq!(refused(backwards), at(400, "STR_001", "query.to"));
    for (query, field) in [("from=x", "from"), ("status=x", "status"), ("cursor=a/b", "cursor")] {
        let call = get(&format!("/api/results?{query}"));
        assert_eq!(refused(call), at(400, "STR_001", &format!("query.{field}")));
    }
}

#[test]
fn faults_say_what_the_contract_names() {
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let id = RequestId::new("req-1").unwrap();
    let fault = Fault::field(Code::Context, "path.issue_id", "is empty");
    let response = Response::fault(&fault, now, &id);
    assert_eq!(response.status.as_u16(), 400);
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    let expected = json!({
        "error": "bad_request", "message": "`path.issue_id` is empty", "code": "CTX_001",
        "details": { "field": "path.issue_id" }, "timestamp": "2026-01-02T03:04:05Z",
        "request_id": "req-1",
    });
    assert_eq!(body, expected);
    assert_eq!(response.headers.get("x-request-id"), Some("req-1"));
    let parsed: ErrorBody = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(parsed, fault.body(now, &id));
    assert_eq!(fault.to_string(), "400 CTX_001: `path.issue_id` is empty");
}

#[test]
fn over_the_rate_says_when_to_come_back() {
    use std::time::Duration;
    let seconds = |wait| Fault::rate(60, wait).retry_after_seconds.unwrap();
    assert_eq!(seconds(Duration::ZERO), 1);
    assert_eq!(seconds(Duration::from_secs(1)), 1);
    assert_eq!(seconds(Duration::from_nanos(1_000_000_001)), 2);
    let fault = Fault::rate(60, Duration::from_millis(1_500));
    let response = Response::fault(&fault, Timestamp::UNIX_EPOCH, &RequestId::new("r").unwrap());
    assert_eq!((response.status.as_u16(), fault.code), (429, Code::Rate));
    assert_eq!(response.headers.get("Retry-After"), Some("2"));
    let body: ErrorBody = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(json!(body.details), json!({ "retry_after_seconds": 2, "limit": 60 }));
    assert_eq!(body.error, "rate_limited");
}

#[test]
fn words_and_codes_are_the_same_in_json() {
    for code in [
        Code::Token,
        Code::TokenTime,
        Code::NotAllowed,
        Code::Context,
        Code::ContextTooLarge,
        Code::Event,
        Code::EventBus,
        Code::Result,
        Code::Storage,
        Code::Agent,
        Code::Spawn,
        Code::Rate,
        Code::Http,
    ] {
        assert_eq!(json!(code), json!(code.as_str()));
    }
    for topic in Topic::ALL {
        assert_eq!(json!(topic), json!(topic.to_string()));
    }
    for role in Role::ALL {
        assert_eq!(Role::from_word(role.as_str()), Some(*role));
    }
}

#[test]
fn request_ids_are_taken_only_if_they_are_ids() {
    let request = Request::new(Method::Get, "/health");
    assert_eq!(request.id(), None);
    assert_eq!(request.clone().header("x-request-id", "r-1").id(), RequestId::new("r-1").ok());
    assert_eq!(request.clone().header("X-Request-Id", "r\r\nSet-Cookie: a").id(), None);
    assert_eq!(request.header("X-Request-Id", "a").header("x-request-id", "b").id(), None);
}

#[test]
fn answers_of_deployments_parse() {
    let stored: Stored = serde_json::from_value(json!({
        "id": "r-1", "stored": true, "storage_path": "/data/results/i/go-specialist.json",
        "next_agents": [
            "test-engineer",
            { "agent_type": "security-auditor", "priority": "high", "reason": "code changed" },
        ],
        "event_published": true,
    }))
    .unwrap();
    assert_eq!(stored.next_agents[0], NextAgent::Named(AgentType::TestEngineer));
    assert!(
        matches!(&stored.next_agents[1], NextAgent::Suggested { priority, .. } if priority == "high")
    );
    let page: EventsPage = serde_json::from_value(json!({
        "events": [{
            "event_id": "e-1", "event_type": "agent_completed", "publisher": "a-1",
            "data": { "status": "success" }, "timestamp": "2025-11-18T10:06:00Z",
        }],
        "more_available": false, "next_cursor": "e-2",
    }))
    .unwrap();
    assert!(!page.timeout);
    assert_eq!(page.events[0].id.as_str(), "e-1");
    assert_eq!(json!(page).get("timeout"), None);
    let over = EventsPage { timeout: true, ..EventsPage::default() };
    assert_eq!(json!(over)["timeout"], json!(true));
    let health: Health = serde_json::from_value(json!({
        "status": "healthy", "service": "orchestration-sidecar", "version": "1.0.0",
        "uptime_seconds": 5, "checks": {
            "storage": "healthy", "event_bus": "healthy", "memory_usage_mb": 150,
            "active_agents": 5, "event_queue_size": 12,
        },
    }))
    .unwrap();
    assert_eq!(health.checks.active_agents, 5);
    let context: ContextResponse = serde_json::from_value(json!({
        "issue_id": "i", "agent_type": "python-specialist", "context": { "metadata": {} },
        "truncated": false, "truncation_strategy": "none", "timestamp": "2025-11-18T10:00:00Z",
    }))
    .unwrap();
    assert!(!context.cache_hit);
}

proptest! {
    #[test]
    fn nothing_that_comes_in_makes_it_panic(
        method in prop::sample::select(vec![Method::Get, Method::Post, Method::Delete]),
        path in "(/api/(context|results|events|events/wait|agents|cache/context)/)?.{0,40}(\\?.{0,40})?",
        body in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut request = Request::new(method, path);
        request.body = body;
        if let Err(fault) = read(&request) {
            prop_assert!(fault.status.as_u16() >= 400);
        }
    }

    #[test]
    fn no_id_that_is_taken_can_leave_a_directory(text in "[a-z./%\\\\:\u{0}-]{0,12}") {
        if let Ok(id) = ProjectId::new(&text) {
            let path = std::path::Path::new(id.as_str());
            let mut parts = path.components();
            prop_assert!(matches!(parts.next(), Some(std::path::Component::Normal(_))));
            prop_assert!(parts.next().is_none());
        }
    }
}
