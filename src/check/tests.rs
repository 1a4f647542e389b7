//! Every check can fail: each is fed a clean history, and one in which the behaviour is broken.

mod calls;
mod config;
mod gateway;
mod guards;

use std::{collections::BTreeMap, rc::Rc};

use super::{ALWAYS, CheckResult, Watch};
use crate::{
    scenario::{Sim, parse},
    stack::{Event, FlowEvent, RequestId, RequestOutcome, SidecarEvent, Utc},
    world::{Happening, MessageInfo, MessageKind, Outcome, Seed, Sighting, Time, World},
};

const STACK: &str = r#"
purpose = "For tests."
[router]
primary = "opus"
[[backend]]
name = "opus"
[[agent]]
name = "rust"
"#;

fn sim(more: &str) -> Sim {
    parse("sims/test.toml", &format!("{STACK}{more}")).unwrap()
}

/// A watch, and the clock of the history it is fed.
struct Fed {
    watch: Watch,
    seq: u64,
}

impl Fed {
    fn new(more: &str) -> Fed {
        Fed { watch: Watch::new(&sim(more)).unwrap(), seq: 0 }
    }

    fn see(&mut self, at_ms: u64, what: Happening<'_>) -> &mut Fed {
        self.seq += 1;
        let at = Time::from_nanos(at_ms * 1_000_000);
        self.watch.see(&Sighting { seq: self.seq, at, node: "router", cause: 0, what });
        self
    }

    fn emit(&mut self, at_ms: u64, event: &Event) -> &mut Fed {
        self.see(at_ms, Happening::Emitted { name: event.name(), payload: event, digest: 0 })
    }

    fn started(&mut self, at_ms: u64, number: u32) -> &mut Fed {
        let event = Event::RequestStarted {
            request: request(number),
            agent: "rust".into(),
            task: "general",
            workspace: "".into(),
        };
        self.emit(at_ms, &event)
    }

    fn ended(&mut self, at_ms: u64, number: u32, outcome: RequestOutcome) -> &mut Fed {
        self.emit(
            at_ms,
            &Event::RequestEnded {
                request: request(number),
                outcome,
                latency_ms: 0,
                error: None,
                baggage_kept: None,
            },
        )
    }

    fn delivered(&mut self, at_ms: u64, from: &str, to: &str) -> &mut Fed {
        let message = MessageInfo::new(7, MessageKind::OneWay, "Ping", from, to);
        self.see(at_ms, Happening::MessageDelivered { message })
    }

    fn results(&mut self, outcome: &Outcome) -> BTreeMap<String, CheckResult> {
        let (results, _) = self.watch.finish(outcome);
        results.into_iter().map(|result| (result.check.clone(), result)).collect()
    }

    /// Why a check fails; `None` if it holds.
    fn failure(&mut self, check: &str) -> Option<String> {
        self.results(&outcome())[check].failure.clone()
    }
}

fn request(number: u32) -> RequestId {
    RequestId { agent: Rc::from("rust"), number }
}

fn outcome() -> Outcome {
    World::new(Seed(1)).run().unwrap()
}

#[test]
fn a_clean_history_holds() {
    let mut fed = Fed::new("[healing]\nafter = \"1s\"\nwithin = \"1s\"");
    fed.started(1, 1).ended(5, 1, RequestOutcome::Ok).delivered(6, "router", "opus");
    let results = fed.results(&outcome());
    // Nobody used a sidecar, the router has no configuration, nobody has tasks and nobody listens to
    // spans: nothing is said of them.
    assert_eq!(results.len(), ALWAYS.len() - 9 - 5 - 5 - 2);
    assert!(results.keys().all(|check| ALWAYS.contains(&check.as_str())), "{results:?}");
    assert!(results.values().all(CheckResult::holds), "{results:?}");
}

#[test]
fn a_request_that_ends_twice_is_found() {
    let mut fed = Fed::new("");
    fed.started(1, 1).ended(5, 1, RequestOutcome::Ok).ended(6, 1, RequestOutcome::Failed);
    let failure = fed.failure("every_request_ends_once").unwrap();
    assert_eq!(failure, "rust/1 ended at 0.006s, though it was not open");
}

#[test]
fn a_request_that_starts_twice_is_found() {
    let mut fed = Fed::new("");
    fed.started(1, 1).started(2, 1).ended(5, 1, RequestOutcome::Ok);
    assert!(fed.failure("every_request_ends_once").unwrap().contains("started twice"));
}

#[test]
fn a_request_that_never_ends_is_found_by_both_checks() {
    let mut fed = Fed::new("");
    fed.started(1, 1).started(1, 2).ended(5, 1, RequestOutcome::Ok);
    let results = fed.results(&outcome());
    let failure = |check: &str| results[check].failure.clone().unwrap();
    assert_eq!(failure("every_request_ends_once"), "rust/2 never ended");
    assert!(failure("nothing_outstanding_at_the_end").contains("rust/2 since 0.001s"));
}

#[test]
fn a_request_is_lost_with_its_agent_and_with_no_other() {
    let mut fed = Fed::new("");
    fed.started(1, 1);
    for node in ["opus", "rust"] {
        let what = Happening::NodeCrashed { incarnation: 0 };
        let sighting = Sighting { seq: 9, at: Time::ZERO, node, cause: 0, what };
        fed.watch.see(&sighting);
        let (_, metrics) = fed.watch.finish(&outcome());
        let left = u64::from(node == "opus");
        assert_eq!((metrics.requests.unfinished, metrics.requests.abandoned), (left, 1 - left));
        fed.watch.see(&Sighting { node: "router", ..sighting });
    }
}

#[test]
fn a_call_that_still_waits_is_found() {
    let mut fed = Fed::new("");
    fed.started(1, 1).ended(5, 1, RequestOutcome::Ok);
    let mut outcome = outcome();
    outcome.calls_open = 3;
    let results = fed.results(&outcome);
    let failure = results["nothing_outstanding_at_the_end"].failure.clone();
    assert_eq!(failure.unwrap(), "3 calls were waiting");
}

#[test]
fn a_message_across_a_partition_is_found() {
    const CHECK: &str = "no_message_across_a_partition";
    let fault = |partition: &str| {
        format!("[[fault]]\nat = \"1s\"\nfor = \"1s\"\npartition = {partition}\n")
    };
    let fails = |partition: &str, at_ms: u64, from: &str, to: &str| {
        Fed::new(&fault(partition)).delivered(at_ms, from, to).failure(CHECK).is_some()
    };
    let between = r#"{ between = ["router", "opus"] }"#;
    assert!(fails(between, 1_500, "router", "opus"));
    assert!(fails(between, 1_500, "opus", "router"));
    assert!(!fails(between, 1_500, "router", "rust"));
    assert!(!fails(between, 999, "router", "opus"), "before it");
    assert!(!fails(between, 2_001, "router", "opus"), "after it");
    let one_way = r#"{ from = "router", to = "opus" }"#;
    assert!(fails(one_way, 1_500, "router", "opus"));
    assert!(!fails(one_way, 1_500, "opus", "router"));
    let isolate = r#"{ isolate = "opus" }"#;
    assert!(fails(isolate, 1_500, "rust", "opus"));
    assert!(!fails(isolate, 1_500, "rust", "router"));
}

#[test]
fn a_check_that_is_off_is_not_there() {
    let off = "[checks]\noff = [{ check = \"every_request_ends_once\", why = \"for a test\" }]\n";
    let mut fed = Fed::new(off);
    assert!(!fed.started(1, 1).results(&outcome()).contains_key("every_request_ends_once"));
    let unknown = "[checks]\noff = [{ check = \"every_request\", why = \"for a test\" }]\n";
    let error = Watch::new(&sim(unknown)).err().unwrap().to_string();
    assert!(error.contains("there is no check called"), "{error}");
}

#[test]
fn with_no_request_the_built_in_checks_prove_nothing() {
    let results = Fed::new("").results(&outcome());
    assert!(results.values().all(|result| result.evaluated == 0), "{results:?}");
}

/// Feeds one history to an expectation: two requests, the second timed out.
fn expectation(expect: &str) -> Option<String> {
    let mut fed = Fed::new(&format!("[[expect]]\n{expect}\n"));
    fed.started(1, 1).ended(11, 1, RequestOutcome::Ok);
    fed.see(12, Happening::FaultFired { fault: "crash opus" });
    fed.started(13, 2).ended(43, 2, RequestOutcome::TimedOut);
    let (results, _) = fed.watch.finish(&outcome());
    results.last().unwrap().failure.clone()
}

#[test]
fn metrics_are_held_to_their_bounds() {
    for (expect, failure) in [
        ("metric = \"requests.total\"\nequals = 2", None),
        ("metric = \"requests.total\"\nequals = 3", Some("it is 2")),
        ("metric = \"requests.success_rate\"\nat_least = \"50%\"", None),
        ("metric = \"requests.success_rate\"\nat_least = \"50.1%\"", Some("it is 50%")),
        ("metric = \"latency.max\"\nat_most = \"30ms\"", None),
        ("metric = \"latency.max\"\nat_most = \"29ms\"", Some("it is 30ms")),
        ("metric = \"latency.p50\"\nat_least = \"11ms\"", Some("it is 10ms")),
    ] {
        assert_eq!(expectation(expect).as_deref(), failure, "{expect}");
    }
}

#[test]
fn events_are_counted_by_their_fields() {
    for (expect, failure) in [
        ("event = \"request_ended\"\nequals = 2", None),
        ("event = \"request_ended\"\nwhere = { outcome = \"timed_out\" }\nequals = 1", None),
        (
            "event = \"request_ended\"\nwhere = { outcome = \"refused\" }",
            Some("it happened 0 times"),
        ),
        ("event = \"request_ended\"\nnode = \"opus\"\nat_least = 1", Some("it happened 0 times")),
        ("event = \"request_started\"\nat_most = 1", Some("it happened 2 times")),
    ] {
        assert_eq!(expectation(expect).as_deref(), failure, "{expect}");
    }
}

#[test]
fn events_count_from_one_instant_on_and_before_another() {
    let ended =
        |window: &str| expectation(&format!("event = \"request_ended\"\n{window}\nequals = 0"));
    // They end at 11 ms and at 43 ms.
    let (once, twice) = (Some("it happened 1 times"), Some("it happened 2 times"));
    for (window, failure) in [
        ("", twice),
        ("from = \"11ms\"", twice),
        ("from = \"11000001ns\"", once),
        ("from = \"11ms\"\nuntil = \"43ms\"", once),
        ("from = \"11ms\"\nuntil = \"43000001ns\"", twice),
        ("from = \"12ms\"\nuntil = \"43ms\"", None),
        ("until = \"11ms\"", None),
        ("until = \"11000001ns\"", once),
    ] {
        assert_eq!(ended(window).as_deref(), failure, "{window}");
    }
}

#[test]
fn integer_fields_have_limits() {
    let wanted = |limits: &str| {
        let field = format!("where = {{ latency_ms = {{ {limits} }} }}");
        expectation(&format!("event = \"request_ended\"\n{field}\nequals = 0")).is_some()
    };
    // The latencies are 0.
    assert!(wanted("at_least = 0") && wanted("at_most = 0") && wanted("at_least = 0, at_most = 0"));
    assert!(wanted("at_least = -1, at_most = 1"));
    assert!(
        !wanted("at_least = 1") && !wanted("at_most = -1") && !wanted("at_least = 1, at_most = 2")
    );
    let text = "event = \"request_ended\"\nwhere = { outcome = { at_least = 0 } }\nequals = 0";
    assert_eq!(expectation(text), None, "a text has no limits");
}

#[test]
fn the_name_of_an_expectation_says_all_of_it() {
    let name = |expect: &str| {
        let mut fed = Fed::new(&format!("[[expect]]\nevent = \"request_ended\"\n{expect}\n"));
        fed.watch.finish(&outcome()).0.pop().unwrap().check
    };
    assert_eq!(
        name("from = \"25s\"\nuntil = \"50s\""),
        "request_ended from 25s until 50s: at least 1"
    );
    assert_eq!(name("until = \"1s\"\nequals = 0"), "request_ended until 1s: equals 0");
    let limits = "where = { latency_ms = { at_least = 1, at_most = 5 } }\nnode = \"opus\"";
    let expected = "request_ended latency_ms>=1 latency_ms<=5 on opus: at least 1";
    assert_eq!(name(limits), expected);
}

#[test]
fn order_is_of_the_first_and_anything_later() {
    let order = |first: &str, then: &str| {
        expectation(&format!(
            "order = {{ first = {{ event = \"{first}\" }}, then = {{ event = \"{then}\" }} }}"
        ))
    };
    assert_eq!(order("fault_fired", "request_started"), None);
    let never = order("fault_healed", "request_started").unwrap();
    assert_eq!(never, "the first never happened");
    let too_early = order("request_ended", "message_sent").unwrap();
    assert_eq!(too_early, "the second never happened after the first");
}

/// A history of one request, from its start on.
fn routing(more: &str) -> Fed {
    let mut fed = Fed::new(more);
    fed.started(0, 1);
    fed
}

fn attempt(number: u32, model: &str, attempt: u32) -> Event {
    let request = request(number);
    Event::AttemptStarted { request, model: model.into(), attempt, hedge: false }
}

fn failed(number: u32, model: &str, attempt: u32, retry_after_ms: Option<u64>) -> Event {
    Event::AttemptFailed {
        request: request(number),
        model: model.into(),
        attempt,
        cause: "rate_limited",
        class: "rate_limit",
        status: Some(429),
        budget_ms: None,
        retry_after_ms,
    }
}

fn scheduled(model: &str, delay_ms: u64) -> Event {
    let request = request(1);
    Event::RetryScheduled { request, model: model.into(), delay_ms, cause: "rate_limited" }
}

fn changed(to: &'static str) -> Event {
    Event::BreakerChanged { component: "opus".into(), from: "open", to }
}

#[test]
fn no_request_makes_more_attempts_than_the_settings_allow() {
    // One model, asked once, by an agent that asks three times.
    let sdk = "sdk = \"openai_2\"";
    let mut fed = routing(sdk);
    for number in 1..=3 {
        fed.emit(10, &attempt(1, "opus", number));
    }
    assert_eq!(fed.failure("attempts_within_the_settings"), None);
    let mut fed = routing(sdk);
    for number in 1..=4 {
        fed.emit(10, &attempt(1, "opus", number));
    }
    let failure = fed.failure("attempts_within_the_settings").unwrap();
    assert!(failure.contains("attempt 4 of 3"), "{failure}");
}

#[test]
fn no_retry_comes_before_its_time() {
    let history = |delay_ms, asked, again_at| {
        let mut fed = routing("");
        fed.emit(10, &attempt(1, "opus", 1)).emit(20, &failed(1, "opus", 1, asked));
        fed.emit(20, &scheduled("opus", delay_ms)).emit(again_at, &attempt(1, "opus", 2));
        fed.failure("no_retry_before_its_time")
    };
    assert_eq!(history(100, None, 120), None);
    assert!(history(100, None, 119).is_some());
    // What the provider asked for counts, however short the router's own pause.
    assert_eq!(history(100, Some(500), 520), None);
    assert!(history(100, Some(500), 519).is_some());
}

#[test]
fn a_retry_that_nobody_announced_is_found() {
    let history = |second: &str, number, announces: bool| {
        let mut fed = routing("");
        fed.emit(10, &attempt(1, "opus", 1)).emit(20, &failed(1, "opus", 1, Some(500)));
        if announces {
            fed.emit(20, &scheduled("opus", 0));
        }
        fed.emit(20, &attempt(1, second, number)).failure("no_retry_before_its_time")
    };
    let expected = "rust/1 asked opus again at 0.020s, and no retry was announced";
    assert_eq!(history("opus", 2, false).as_deref(), Some(expected));
    assert!(history("opus", 2, true).unwrap().contains("before 0.520s"));
    assert_eq!(history("sonnet", 2, false), None);
    // The agent itself asked again.
    assert_eq!(history("opus", 1, false), None);
}

#[test]
fn a_router_that_crashed_waits_for_nothing_any_more() {
    let mut fed = routing("");
    fed.emit(10, &attempt(1, "opus", 1)).emit(20, &failed(1, "opus", 1, Some(500)));
    fed.emit(20, &scheduled("opus", 100)).see(30, Happening::NodeCrashed { incarnation: 0 });
    fed.emit(200, &attempt(1, "opus", 1));
    assert_eq!(fed.failure("no_retry_before_its_time"), None);
}

#[test]
fn what_a_provider_asked_for_counts_only_where_it_is_honoured() {
    let stack =
        STACK.replace("primary = \"opus\"", "primary = \"opus\"\nhonour_retry_after = false");
    let sim = parse("sims/test.toml", &stack).unwrap();
    let mut fed = Fed { watch: Watch::new(&sim).unwrap(), seq: 0 };
    fed.started(0, 1).emit(20, &failed(1, "opus", 1, Some(500))).emit(20, &scheduled("opus", 100));
    fed.emit(120, &attempt(1, "opus", 2));
    assert_eq!(fed.failure("no_retry_before_its_time"), None);
}

#[test]
fn a_half_open_breaker_lets_no_more_through_than_it_has_permits() {
    let breaker = |probes| {
        let breaker = format!("primary = \"opus\"\nbreaker = {{ probes = {probes} }}");
        parse("sims/test.toml", &STACK.replace("primary = \"opus\"", &breaker)).unwrap()
    };
    let history = |probes, ends: bool| {
        let mut fed = Fed { watch: Watch::new(&breaker(probes)).unwrap(), seq: 0 };
        fed.started(0, 1).started(0, 2).emit(5, &changed("half_open"));
        fed.emit(10, &attempt(1, "opus", 1));
        if ends {
            fed.emit(15, &failed(1, "opus", 1, None));
        }
        fed.emit(20, &attempt(2, "opus", 1));
        fed.failure("half_open_within_its_permits")
    };
    assert!(history(1, false).is_some());
    assert_eq!(history(1, true), None);
    assert_eq!(history(2, false), None);
}

#[test]
fn no_workspace_is_charged_more_than_its_quota_for_a_day() {
    let more =
        "workspace = \"acme\"\n[[workspace]]\nname = \"acme\"\nquota = { tokens_per_day = 100 }";
    let settled = |number, tokens| Event::QuotaSettled {
        request: request(number),
        workspace: "acme".into(),
        model: "opus".into(),
        provider: "generic",
        tokens,
        limit: 100,
        used: 0,
        remaining: 0,
        reset_at: Utc(jiff::Timestamp::UNIX_EPOCH),
    };
    let started = |number| Event::RequestStarted {
        request: request(number),
        agent: "rust".into(),
        task: "general",
        workspace: "acme".into(),
    };
    let mut fed = Fed::new(more);
    for number in [1, 2] {
        fed.emit(0, &started(number)).emit(1, &attempt(number, "opus", 1));
    }
    // One day: exactly the limit, and one more.
    fed.emit(2, &settled(1, 60)).emit(3, &settled(2, 40));
    assert_eq!(fed.failure("quota_never_overshot"), None);
    let mut fed = Fed::new(more);
    fed.emit(0, &started(1)).emit(1, &attempt(1, "opus", 1)).emit(2, &settled(1, 101));
    assert!(fed.failure("quota_never_overshot").is_some());
    // What was admitted yesterday is charged to yesterday.
    let reset = Event::QuotaReset { workspace: "acme".into(), used: 60 };
    let over_midnight = |midnight: u64| {
        let mut fed = Fed::new(more);
        fed.emit(0, &started(1)).emit(1, &attempt(1, "opus", 1)).emit(midnight, &reset);
        fed.emit(midnight + 3, &started(2)).emit(midnight + 4, &attempt(2, "opus", 1));
        fed.emit(midnight + 5, &settled(1, 60)).emit(midnight + 6, &settled(2, 100));
        fed.failure("quota_never_overshot")
    };
    assert_eq!(over_midnight(86_400_000), None);
    // The router alone says that there was a midnight.
    assert!(over_midnight(3_600_000).unwrap().contains("160 of 100"));
    // If its clock is its own, its days are.
    let bent = "[[fault]]\nat = \"0s\"\nclock = { node = \"router\", skew = \"23h\" }\n";
    let mut fed = Fed::new(&format!("{more}\n{bent}"));
    fed.emit(0, &started(1)).emit(1, &attempt(1, "opus", 1)).emit(2, &reset);
    fed.emit(3, &started(2)).emit(4, &attempt(2, "opus", 1));
    fed.emit(5, &settled(1, 60)).emit(6, &settled(2, 100));
    assert_eq!(fed.failure("quota_never_overshot"), None);
    // Only what was on a disk that was lost before a restart may be forgotten.
    let lost = "[[fault]]\nat = \"2ms\"\ndisk_lost = { node = \"router\" }";
    let twice = |faults: &str, restart_ms: u64| {
        let mut fed = Fed::new(&format!("{more}\n{faults}"));
        fed.emit(0, &started(1)).emit(0, &attempt(1, "opus", 1)).emit(1, &settled(1, 60));
        fed.see(1, Happening::NodeCrashed { incarnation: 0 });
        fed.see(restart_ms, Happening::NodeStarted { incarnation: 1 });
        fed.emit(4, &started(2)).emit(4, &attempt(2, "opus", 1)).emit(5, &settled(2, 60));
        fed.failure("quota_never_overshot")
    };
    assert_eq!(twice(lost, 2), None);
    assert!(twice(lost, 1).is_some() && twice("", 2).is_some());
}

#[test]
fn an_answer_is_of_one_model() {
    let model = |model: &str| -> Rc<str> { model.into() };
    let first = Event::FirstToken { request: request(1), model: model("opus"), latency_ms: 5 };
    let mut fed = routing("");
    fed.emit(5, &first);
    assert_eq!(fed.failure("one_coherent_stream"), None);
    let (from, to) = (model("opus"), model("sonnet"));
    let mut fed = routing("");
    fed.emit(5, &first).emit(6, &Event::StreamMixed { request: request(1), from, to });
    assert!(fed.failure("one_coherent_stream").is_some());
}

#[test]
fn the_sidecar_is_judged_as_soon_as_anybody_uses_it() {
    let spawned =
        SidecarEvent::AgentSpawned { agent: "a".into(), agent_type: "x", project: "p".into() };
    let twice = |more: &str| {
        let mut fed = Fed::new(more);
        for at_ms in [1, 2] {
            let (name, payload) = (spawned.name(), &spawned);
            fed.see(at_ms, Happening::Emitted { name, payload, digest: 0 });
        }
        fed.results(&outcome())
    };
    let results = twice("");
    // All but those that only a sim with a time of healing, a configuration, tasks or traces has.
    assert_eq!(results.len() + 1 + 5 + 5 + 2, ALWAYS.len());
    let ids = &results["ids_are_unique"];
    assert_eq!(ids.evaluated, 2);
    let failure = "agent a was started twice, again in p at 0.002s";
    assert_eq!(ids.failure.as_deref(), Some(failure));
    let off = "[checks]\noff = [{ check = \"ids_are_unique\", why = \"of it\" }]";
    assert!(!twice(off).contains_key("ids_are_unique"));
}

#[test]
fn flows_are_judged_where_there_are_tasks() {
    let results = |more: &str| {
        let mut fed = Fed::new(&format!("[[runner]]\nname = \"r\"\n{more}"));
        let (task, percent, status) = ("r/1".into(), 50, "active");
        let payload = &FlowEvent::ProgressReported { task, percent, status };
        let name = payload.name();
        fed.see(1, Happening::Emitted { name, payload, digest: 0 });
        fed.results(&outcome())
    };
    let check = "progress_shown_in_order";
    let failure = results("")[check].failure.clone().expect("it began in the middle");
    assert!(failure.starts_with("r/1 at 50 % active, 0.001s: this does not follow"), "{failure}");
    let off = format!("[checks]\noff = [{{ check = \"{check}\", why = \"of it\" }}]");
    assert!(!results(&off).contains_key(check));
}

#[test]
fn metrics_are_readable_at_a_glance() {
    let texts = [
        super::metric_text("requests.total", 42),
        super::metric_text("requests.success_rate", 985_678),
        super::metric_text("requests.amplification", 1_259_999),
        super::metric_text("latency.p50", 12_304_999_999),
    ];
    assert_eq!(texts, ["42", "98.56%", "1.25", "12.304s"]);
}
