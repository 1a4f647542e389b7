//! Tokens, what they allow, and rates: each boundary from both sides.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::json;

use super::{token::sign, *};
use crate::stack::sidecar::wire::{AgentType, Method, Response, Role};

const NOW: i64 = 1_800_000_000;

fn keys() -> Keys {
    Keys::new(b"a secret of thirty-two bytes, ok", Duration::ZERO).unwrap()
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn nanos_off(second: i64, nanos: i32) -> Timestamp {
    Timestamp::new(second, 0).unwrap() + Duration::from_nanos(nanos.unsigned_abs().into())
}

fn claims_of(agent_type: AgentType) -> Claims {
    let (sub, project) = (AgentId::new("a-1").unwrap(), ProjectId::new("p-1").unwrap());
    Claims::new(sub, agent_type, project, second(NOW))
}

fn claims() -> Claims {
    claims_of(AgentType::GoSpecialist)
}

#[test]
fn what_is_issued_is_believed() {
    for agent_type in AgentType::ALL {
        let claims = claims_of(*agent_type);
        let token = keys().issue(&claims);
        assert_eq!(keys().verify(&token, second(NOW)), Ok(claims));
    }
    let claims = Claims { nbf: None, ..claims() };
    assert_eq!(keys().verify(&keys().issue(&claims), second(0)), Ok(claims));
}

#[test]
fn the_example_of_the_rfc_has_its_signature() {
    // RFC 7515, appendix A.1.
    let secret =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let secret = URL_SAFE_NO_PAD.decode(secret).unwrap();
    let keys = Keys::new(&secret, Duration::ZERO).unwrap();
    let header = "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}";
    let claims =
        "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
    let token = sign(&keys, header, claims);
    assert!(token.ends_with(".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    assert_eq!(keys.verify(&token, second(0)), Err(Denied::Malformed), "it has not our claims");
}

#[test]
fn a_token_is_the_claims_of_the_contract() {
    let token = keys().issue(&claims());
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    assert_eq!(parts.next().unwrap(), br#"{"alg":"HS256","typ":"JWT"}"#);
    let body: serde_json::Value = serde_json::from_slice(&parts.next().unwrap()).unwrap();
    let expected = json!({
        "sub": "a-1", "agent_type": "go-specialist", "project_id": "p-1",
        "permissions": ["read_context", "write_results", "publish_events"],
        "exp": NOW + 3_600, "iat": NOW, "nbf": NOW,
    });
    assert_eq!(body, expected);
    assert_eq!(parts.next().unwrap().len(), 32);
}

#[test]
fn the_end_does_not_belong_to_a_tokens_time_and_the_beginning_does() {
    let end = NOW + 3_600;
    let token = keys().issue(&claims());
    let verify = |at| keys().verify(&token, at).map(drop);
    assert_eq!(verify(nanos_off(end - 1, 999_999_999)), Ok(()));
    assert_eq!(verify(second(end)), Err(Denied::Expired));
    assert_eq!(verify(nanos_off(NOW - 1, 999_999_999)), Err(Denied::NotYetValid));
    assert_eq!(verify(second(NOW)), Ok(()));
}

#[test]
fn leeway_moves_both_ends() {
    let keys = Keys::new(b"k", Duration::from_secs(60)).unwrap();
    let token = keys.issue(&claims());
    let verify = |at| keys.verify(&token, at).map(drop);
    assert_eq!(verify(nanos_off(NOW + 3_659, 999_999_999)), Ok(()));
    assert_eq!(verify(second(NOW + 3_660)), Err(Denied::Expired));
    assert_eq!(verify(nanos_off(NOW - 61, 999_999_999)), Err(Denied::NotYetValid));
    assert_eq!(verify(second(NOW - 60)), Ok(()));
}

#[test]
fn times_at_the_ends_of_the_numbers_are_times() {
    for (exp, nbf, seen) in [
        (i64::MAX, i64::MIN, Ok(())),
        (i64::MIN, i64::MIN, Err(Denied::Expired)),
        (i64::MAX, i64::MAX, Err(Denied::NotYetValid)),
    ] {
        let token = keys().issue(&Claims { exp, nbf: Some(nbf), ..claims() });
        assert_eq!(keys().verify(&token, second(NOW)).map(drop), seen);
        let keys = Keys::new(b"k", Duration::MAX).unwrap();
        let token = keys.issue(&Claims { exp, nbf: Some(nbf), ..claims() });
        assert_eq!(keys.verify(&token, second(NOW)).map(drop), Ok(()));
    }
}

#[test]
fn tokens_of_other_algorithms_are_refused() {
    let body = serde_json::to_string(&claims()).unwrap();
    for alg in ["none", "None", "NONE", "HS384", "HS512", "RS256", "hs256", ""] {
        let header = json!({ "alg": alg, "typ": "JWT" }).to_string();
        let token = sign(&keys(), &header, &body);
        assert_eq!(keys().verify(&token, second(NOW)), Err(Denied::Algorithm), "{alg}");
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        assert_eq!(keys().verify(&unsigned, second(NOW)), Err(Denied::Algorithm), "{alg}");
    }
    let token = keys().issue(&claims());
    let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
    assert_eq!(keys().verify(&unsigned, second(NOW)), Err(Denied::Tampered));
}

#[test]
fn a_header_may_say_no_more_than_is_understood() {
    let body = serde_json::to_string(&claims()).unwrap();
    for (header, seen) in [
        (json!({ "alg": "HS256" }), Ok(())),
        (json!({ "alg": "HS256", "typ": "jwt", "kid": "1" }), Ok(())),
        (json!({ "alg": "HS256", "typ": "JWE" }), Err(Denied::Malformed)),
        (json!({ "alg": "HS256", "crit": ["exp"] }), Err(Denied::Malformed)),
        (json!({ "typ": "JWT" }), Err(Denied::Malformed)),
        (json!({ "alg": 1 }), Err(Denied::Malformed)),
        (json!([]), Err(Denied::Malformed)),
    ] {
        let token = sign(&keys(), &header.to_string(), &body);
        assert_eq!(keys().verify(&token, second(NOW)).map(drop), seen, "{header}");
    }
}

#[test]
fn each_claim_is_needed_and_looked_at() {
    let good = json!(claims());
    for field in ["sub", "agent_type", "project_id", "permissions", "exp", "iat"] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(field);
        let token = sign(&keys(), r#"{"alg":"HS256"}"#, &body.to_string());
        assert_eq!(keys().verify(&token, second(NOW)), Err(Denied::Malformed), "{field}");
    }
    for (field, value) in [
        ("project_id", json!("../p-2")),
        ("sub", json!("")),
        ("agent_type", json!("wizard")),
        ("exp", json!("never")),
        ("permissions", json!("all")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let token = sign(&keys(), r#"{"alg":"HS256"}"#, &body.to_string());
        assert_eq!(keys().verify(&token, second(NOW)), Err(Denied::Malformed), "{field}");
    }
    let mut body = good;
    body["permissions"] = json!(["root", "read_context"]);
    let token = sign(&keys(), r#"{"alg":"HS256"}"#, &body.to_string());
    let read = keys().verify(&token, second(NOW)).unwrap();
    assert_eq!(Vec::from_iter(read.permissions), [Permission::ReadContext]);
}

#[test]
fn what_is_no_token_is_malformed() {
    let token = keys().issue(&claims());
    let longest = "a".repeat(8 * 1024 - 2) + "..";
    for bad in [
        "a",
        "a.b",
        "..",
        "a.b.c",
        "a.b.c.d",
        &longest,
        &format!("{token}="),
        &format!("{token}.x"),
        &token.replace('.', ""),
        "mock-jwt-go-specialist-p-1",
    ] {
        assert_eq!(keys().verify(bad, second(NOW)), Err(Denied::Malformed), "{bad:.30}");
    }
    assert_eq!(keys().verify("", second(NOW)), Err(Denied::Missing));
}

#[test]
fn tokens_have_a_longest() {
    let of = |padding: usize| {
        let header = format!(r#"{{"alg":"HS256","x":"{}"}}"#, "x".repeat(padding));
        sign(&keys(), &header, &serde_json::to_string(&claims()).unwrap())
    };
    let padding = (0..8_192).rfind(|&padding| of(padding).len() <= 8_192).unwrap();
    assert!(keys().verify(&of(padding), second(NOW)).is_ok());
    assert_eq!(keys().verify(&of(padding + 2), second(NOW)), Err(Denied::Malformed));
}

#[test]
fn another_key_is_not_believed() {
    let other = Keys::new(b"another secret", Duration::ZERO).unwrap();
    let token = other.issue(&claims());
    assert_eq!(keys().verify(&token, second(NOW)), Err(Denied::Tampered));
    assert_eq!(format!("{:?}", keys()), "Keys { leeway: 0ns, .. }", "no secret in a log");
}

#[test]
fn claims_of_one_token_do_not_go_with_the_signature_of_another() {
    let mine = keys().issue(&claims());
    let other = Claims { project_id: ProjectId::new("p-2").unwrap(), ..claims() };
    let other = keys().issue(&other);
    let (mine, other): (Vec<_>, Vec<_>) = (mine.split('.').collect(), other.split('.').collect());
    let mixed = [mine[0], other[1], mine[2]].join(".");
    assert_eq!(keys().verify(&mixed, second(NOW)), Err(Denied::Tampered));
}

proptest! {
    #[test]
    fn no_changed_token_is_believed(place in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_.-]") {
        let token = keys().issue(&claims());
        let place = place.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(place..=place, &letter);
        let seen = keys().verify(&changed, second(NOW));
        prop_assert_eq!(seen.is_ok(), changed == token, "{}", changed);
    }

    #[test]
    fn no_token_makes_it_panic(token in ".{0,80}") {
        prop_assert!(keys().verify(&token, second(NOW)).is_err());
    }
}

#[test]
fn tokens_are_due_five_minutes_before_their_end() {
    let claims = claims();
    let due = NOW + 3_300;
    assert!(!claims.is_due(nanos_off(due - 1, 999_999_999)));
    assert!(claims.is_due(second(due)));
    let fresh = claims.refreshed(second(due));
    assert_eq!((fresh.iat, fresh.nbf, fresh.exp), (due, Some(due), due + 3_600));
    assert_eq!((fresh.sub, fresh.permissions), (claims.sub, claims.permissions));
}

#[test]
fn bearers_are_found() {
    let of = |values: &[&str]| {
        let mut headers = Headers::new();
        values.iter().for_each(|value| headers.add("authorization", *value));
        bearer(&headers).map(str::to_owned)
    };
    assert_eq!(of(&[]), Err(Denied::Missing));
    assert_eq!(of(&["Bearer abc"]), Ok("abc".to_owned()));
    assert_eq!(of(&["bEARER  abc "]), Ok("abc".to_owned()));
    for bad in [&["Basic abc"][..], &["Bearer"], &["abc"], &[""], &["Bearer a", "Bearer a"]] {
        assert_eq!(of(bad), Err(Denied::Malformed), "{bad:?}");
    }
}

#[test]
fn each_denial_has_its_status_and_code() {
    for (denied, status, code) in [
        (Denied::Missing, 401, "AUTH_001"),
        (Denied::Malformed, 401, "AUTH_001"),
        (Denied::Algorithm, 401, "AUTH_001"),
        (Denied::Tampered, 401, "AUTH_001"),
        (Denied::Expired, 401, "AUTH_002"),
        (Denied::NotYetValid, 401, "AUTH_002"),
        (Denied::OtherProject, 403, "AUTH_003"),
        (Denied::OtherAgent, 403, "AUTH_003"),
        (Denied::Permission(Permission::SpawnAgents), 403, "AUTH_003"),
    ] {
        let fault = Fault::from(denied);
        assert_eq!((fault.status.as_u16(), fault.code.as_str()), (status, code));
        assert_eq!(fault.message, denied.to_string());
    }
}

fn gate() -> Gate {
    Gate::new(keys(), Limits::default(), RateLimits::none())
}

fn admit(claims: &Claims, request: Request) -> Result<Call, (u16, &'static str)> {
    let request = request.bearer(&keys().issue(claims));
    match gate().admit(&request, second(NOW), Time::ZERO) {
        Ok(admitted) => {
            assert_eq!(admitted.claims.as_ref(), Some(claims));
            Ok(admitted.call)
        }
        Err(Refusal { fault, .. }) => Err((fault.status.as_u16(), fault.code.as_str())),
    }
}

fn get(path: &str) -> Request {
    Request::new(Method::Get, path)
}

fn store(agent: &str, agent_type: &str, project: &str) -> Request {
    Request::new(Method::Post, "/api/results").json(&json!({
        "agent_id": agent, "agent_type": agent_type, "issue_id": "i", "project_id": project,
        "result": { "status": "success" }, "timestamp": "2026-01-02T03:04:05Z",
    }))
}

fn publish(publisher: &str, project: Option<&str>) -> Request {
    Request::new(Method::Post, "/api/events/done").json(&json!({
        "publisher": publisher, "topic": "testing", "data": {}, "project_id": project,
    }))
}

fn spawn(project: Option<&str>) -> Request {
    Request::new(Method::Post, "/api/agents/spawn").json(&json!({
        "agent_type": "go-specialist", "issue_id": "i", "task": "t", "project_id": project,
    }))
}

#[test]
fn permissions_go_by_the_type_of_agent() {
    for agent_type in AgentType::ALL.iter().copied() {
        let (claims, role) = (claims_of(agent_type), agent_type.role());
        let may = |request| admit(&claims, request).is_ok();
        let writes = matches!(role, Role::Coding | Role::Quality | Role::Security);
        assert!(may(get("/status")) && may(get("/api/context/i/go-specialist")));
        assert!(may(get("/api/results")) && may(get("/api/events/wait/done")));
        assert_eq!(may(store("a-1", agent_type.as_str(), "p-1")), writes, "{agent_type}");
        let delete = Request::new(Method::Delete, "/api/results/r");
        assert_eq!(may(delete), writes, "{agent_type}");
        assert_eq!(may(publish("a-1", None)), role != Role::Documentation, "{agent_type}");
        assert_eq!(may(spawn(None)), role == Role::Architect, "{agent_type}");
    }
}

#[test]
fn a_permission_that_a_token_lacks_is_lacking() {
    let denied = Err((403, "AUTH_003"));
    let mut claims = claims();
    claims.permissions.clear();
    assert_eq!(admit(&claims, get("/api/context/i/go-specialist")).map(drop), denied);
    assert_eq!(admit(&claims, get("/api/agents/a/status")).map(drop), denied);
    let clear = Request::new(Method::Delete, "/api/cache/context/i");
    assert_eq!(admit(&claims, clear).map(drop), denied);
    assert_eq!(admit(&claims, get("/status")), Ok(Call::Status));
}

#[test]
fn no_call_names_another_project_or_agent() {
    let denied = Err((403, "AUTH_003"));
    let claims = claims();
    let go = "go-specialist";
    assert!(admit(&claims, store("a-1", go, "p-1")).is_ok());
    assert_eq!(admit(&claims, store("a-1", go, "p-2")).map(drop), denied);
    assert_eq!(admit(&claims, store("a-2", go, "p-1")).map(drop), denied);
    assert_eq!(admit(&claims, store("a-1", "rust-specialist", "p-1")).map(drop), denied);
    assert!(admit(&claims, publish("a-1", Some("p-1"))).is_ok());
    assert_eq!(admit(&claims, publish("a-1", Some("p-2"))).map(drop), denied);
    assert_eq!(admit(&claims, publish("a-2", None)).map(drop), denied);
    assert!(admit(&claims, get("/api/results?project_id=p-1")).is_ok());
    assert_eq!(admit(&claims, get("/api/results?project_id=p-2")).map(drop), denied);
    let architect = claims_of(AgentType::ChiefArchitect);
    assert!(admit(&architect, spawn(Some("p-1"))).is_ok());
    assert_eq!(admit(&architect, spawn(Some("p-2"))).map(drop), denied);
}

#[test]
fn who_has_no_token_learns_nothing_but_the_health() {
    let admit = |request: &Request| {
        let admitted = gate().admit(request, second(NOW), Time::ZERO);
        admitted.map(|admitted| admitted.call).map_err(|refusal| refusal.fault.code)
    };
    assert_eq!(admit(&get("/health")), Ok(Call::Health));
    assert_eq!(admit(&get("/status")), Err(Code::Token));
    assert_eq!(admit(&get("/api/context/../x")), Err(Code::Token));
    assert_eq!(admit(&get("/api/none")), Err(Code::Http));
    assert_eq!(admit(&get("/api/context/%2e%2e/wizard")), Err(Code::Token));
    let huge = Request { body: vec![0; 3_000_000], ..store("a", "b", "c") };
    assert_eq!(admit(&huge), Err(Code::Token));
    assert_eq!(admit(&get("/api/context/i/wizard").bearer("x")), Err(Code::Token));
    let mut open = get("/health");
    open.body = vec![0];
    assert_eq!(admit(&open), Err(Code::Http));
}

fn at(millis: u64) -> Time {
    Time::ZERO + Duration::from_millis(millis)
}

#[test]
fn a_burst_is_let_in_and_then_one_at_a_time() {
    for (agent_type, burst, limit, pace) in [
        (AgentType::GoSpecialist, 10, 60, 1_000),
        (AgentType::TestEngineer, 10, 60, 1_000),
        (AgentType::SecurityAuditor, 10, 60, 1_000),
        (AgentType::DocumentationExpert, 5, 30, 2_000),
        (AgentType::ApiExplorer, 5, 30, 2_000),
    ] {
        let (mut rates, claims) = (RateLimits::default(), claims_of(agent_type));
        for taken in 1..=burst {
            let quota = rates.take(&claims, second(NOW), at(0)).unwrap().unwrap();
            assert_eq!((quota.limit, quota.remaining), (limit, burst - taken));
            let full = i64::try_from(taken * pace / 1_000).unwrap();
            assert_eq!(quota.reset, NOW + full);
        }
        let (quota, wait) = rates.take(&claims, second(NOW), at(0)).unwrap_err();
        assert_eq!((quota.remaining, wait), (0, Duration::from_millis(pace)));
        let (_, wait) = rates.take(&claims, second(NOW), at(pace - 1)).unwrap_err();
        assert_eq!(wait, Duration::from_millis(1));
        assert!(rates.take(&claims, second(NOW), at(pace)).is_ok());
        assert!(rates.take(&claims, second(NOW), at(pace)).is_err());
    }
}

#[test]
fn the_architect_has_no_limit() {
    let (mut rates, claims) = (RateLimits::default(), claims_of(AgentType::ChiefArchitect));
    for _ in 0..1_000 {
        assert_eq!(rates.take(&claims, second(NOW), at(0)), Ok(None));
    }
    assert!(rates.is_empty());
}

#[test]
fn agents_do_not_use_up_each_others_rate() {
    let mut rates = RateLimits::default();
    let mine = claims();
    while rates.take(&mine, second(NOW), at(0)).is_ok() {}
    let agent = Claims { sub: AgentId::new("a-2").unwrap(), ..mine.clone() };
    assert!(rates.take(&agent, second(NOW), at(0)).is_ok());
    let project = Claims { project_id: ProjectId::new("p-2").unwrap(), ..mine.clone() };
    assert!(rates.take(&project, second(NOW), at(0)).is_ok());
    assert!(rates.take(&mine, second(NOW), at(0)).is_err());
    assert_eq!(rates.len(), 3);
}

#[test]
fn full_buckets_are_thrown_away() {
    let mut rates = RateLimits::default();
    let mut agent = |number: u64, now| {
        let sub = AgentId::new(&format!("a-{number}")).unwrap();
        rates.take(&Claims { sub, ..claims() }, second(NOW), now).unwrap();
        rates.len()
    };
    for number in 0..64 {
        assert_eq!(u64::try_from(agent(number, at(0))).unwrap(), number + 1);
    }
    assert_eq!(agent(64, at(999)), 65, "none is full yet");
    for number in 65..130 {
        agent(number, at(999));
    }
    assert_eq!(agent(130, at(10_000)), 131, "the next look is at twice as many");
    let mut last = 131;
    for number in 131..300 {
        last = agent(number, at(20_000));
    }
    assert!(last < 200, "{last}");
}

#[test]
fn allowances_can_be_others() {
    let none = RateLimits::default().with(Role::Coding, None);
    assert_eq!(none.clone().take(&claims(), second(NOW), at(0)), Ok(None));
    let never = Allowance { per_minute: 60, burst: 0 };
    let mut rates = none.with(Role::Coding, Some(never));
    let (quota, _) = rates.take(&claims(), second(NOW), at(0)).unwrap_err();
    assert_eq!(quota, Quota { limit: 60, remaining: 0, reset: NOW });
}

#[test]
fn a_reset_is_rounded_up_to_the_second() {
    let reset = |wall| RateLimits::default().take(&claims(), wall, at(0)).unwrap().unwrap().reset;
    assert_eq!(reset(second(NOW)), NOW + 1);
    assert_eq!(reset(nanos_off(NOW, 1)), NOW + 2);
}

#[test]
fn the_gate_says_429_with_what_is_left_and_counts_bad_requests() {
    let mut gate = Gate::new(keys(), Limits::default(), RateLimits::default());
    let bad = get("/api/context/i/wizard").bearer(&keys().issue(&claims()));
    for left in (0..10).rev() {
        let Refusal { fault, quota } = gate.admit(&bad, second(NOW), at(0)).unwrap_err();
        assert_eq!(fault.code, Code::Agent);
        assert_eq!(quota.unwrap().remaining, left);
    }
    let Refusal { fault, quota } = gate.admit(&bad, second(NOW), at(0)).unwrap_err();
    assert_eq!((fault.status, fault.code), (Status::TooManyRequests, Code::Rate));
    assert_eq!((fault.retry_after_seconds, fault.limit), (Some(1), Some(60)));
    let mut response = Response::json(Status::Ok, &json!({}));
    quota.unwrap().add_to(&mut response.headers);
    let said: Vec<_> = response.headers.iter().skip(1).collect();
    let reset = (NOW + 10).to_string();
    let expected = [
        ("X-RateLimit-Limit", "60"),
        ("X-RateLimit-Remaining", "0"),
        ("X-RateLimit-Reset", reset.as_str()),
    ];
    assert_eq!(said, expected);
    let good = get("/status").bearer(&keys().issue(&claims()));
    let admitted = gate.admit(&good, second(NOW), at(1_000)).unwrap();
    assert_eq!((admitted.call, admitted.quota.unwrap().remaining), (Call::Status, 0));
    assert!(gate.admit(&get("/status").bearer("x"), second(NOW), at(1_000)).is_err());
    assert!(gate.admit(&get("/health"), second(NOW), at(1_000)).is_ok(), "health has no limit");
    assert!(gate.keys().verify(&keys().issue(&claims()), second(NOW)).is_ok());
}
