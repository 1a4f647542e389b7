//! What stands between a request and a model: bulkhead, retry budget, breaker.

use super::common::*;

#[test]
fn a_bulkhead_lets_some_in_some_wait_and_none_more() {
    let router = "bulkhead = { concurrent = 1, queue = 1, wait = \"250ms\" }";
    let tables = backend("opus", "") + &agent("rust", 1, 9, "") + &agent("go", 1, 9, "");
    for seed in 1..=20 {
        let run = play(seed, &sim(router, &tables));
        assert_eq!(run.ends(), "ok*18", "seed {seed}");
    }
    // A request takes 202 ms, so the third has to give up.
    let tables = backend("opus", "") + &agent("rust", 3, 1, "");
    let queue = router.replace("queue = 1", "queue = 9");
    for (router, waits) in [(router, 0), (&queue, 250)] {
        let run = play(1, &sim(router, &tables));
        assert_eq!(run.ends(), "ok*2 refused*1");
        let over = run.of("request_failed", "code=overloaded attempts=0").next().unwrap();
        let came = run.times("request_started", "").into_iter().max().unwrap();
        assert_eq!(over.at_ns / 1_000_000 - came, waits + 2);
    }
}

/// A wait that ends at the very instant at which a place gets free: either may come first, and the
/// place is lost in neither case.
#[test]
fn a_place_is_never_lost() {
    let router = "bulkhead = { concurrent = 1, queue = 9, wait = \"202ms\" }";
    let tables = backend("opus", "") + &agent("rust", 2, 6, "");
    let mut refused = 0;
    for seed in 1..=20 {
        let run = play(seed, &format!("schedule = \"random\"\n{}", sim(router, &tables)));
        let ok = run.count("request_ended", "outcome=ok");
        assert!(ok >= 6, "seed {seed}: {}", run.ends());
        refused += 12 - ok;
    }
    assert!(refused > 0, "no wait has ended");
}

/// Those who have no workspace take turns as one of their own.
#[test]
fn everybody_has_a_turn() {
    let router = "bulkhead = { concurrent = 1, queue = 99, wait = \"60s\", order = \"fair\" }";
    let tables = backend("opus", "")
        + "[[workspace]]\nname = \"acme\"\n"
        + &agent("many", 8, 1, "")
        + &agent("one", 1, 1, "workspace = \"acme\"");
    for seed in 1..=8 {
        let run = play(seed, &sim(router, &tables));
        let order = run.texts("request_routed", "", "request");
        let turn = order.iter().position(|request| request == "one/1").unwrap();
        assert!(turn <= 2, "seed {seed}: {order:?}");
    }
}

#[test]
fn retries_stop_when_the_budget_is_used_up() {
    let router = "retry = { attempts = 3, base = \"10ms\" }\n\
                  retry_budget = { kind = \"tower\", ratio = \"0%\", min_per_second = 1, ttl = \"10s\" }";
    let tables = backend("opus", "errors = { server_error = 1.0 }") + &agent("rust", 5, 3, "");
    let run = play(1, &sim(router, &tables));
    assert_eq!(run.count("retry_scheduled", ""), 10);
    assert_eq!(run.count("attempt_started", ""), 25);
    assert!(run.count("retry_refused", "reason=budget") > 0);
}

/// What the retries at one model took does not come back because another one answers.
#[test]
fn a_fallback_pays_nothing_back() {
    let router = "fallback = [\"sonnet\"]\nretry = { attempts = 2, base = \"10ms\" }\n\
                  retry_budget = { kind = \"aws_2026\" }";
    let tables = backend("opus", "errors = { server_error = 1.0 }")
        + &backend("sonnet", "")
        + &agent("rust", 4, 30, "");
    let run = play(1, &sim(router, &tables));
    assert_eq!(run.ends(), "ok*120");
    // 500 tokens at 14 each, and one for each answer.
    let retries = run.count("retry_scheduled", "");
    assert!((35..=45).contains(&retries), "{retries}");
}

/// What the caller did wrong says nothing about whether retries help.
#[test]
fn callers_faults_take_nothing_from_the_budget() {
    let router = "retry = { attempts = 2, base = \"10ms\" }\n\
                  retry_budget = { kind = \"grpc\", max_tokens = 10 }";
    let tables = backend("opus", "")
        + &agent("rust", 1, 12, "")
        + "[[fault]]\nat = \"0s\"\nfor = \"9s\"\n\
           backend = { name = \"opus\", errors = { bad_request = 1.0 } }\n\
           [[fault]]\nat = \"9s\"\nfor = \"1s\"\n\
           backend = { name = \"opus\", errors = { server_error = 1.0 } }\n";
    let run = play(1, &sim(router, &tables));
    assert!(run.count("request_failed", "code=bad_request") > 6);
    assert_eq!(run.count("retry_refused", "reason=budget"), 0);
    assert!(run.count("retry_scheduled", "") > 0);
}

const BREAKER: &str = "breaker = { window = { calls = 4 }, minimum_calls = 4, open_for = \"5s\", \
                       probes = 2 }\nfallback = [\"sonnet\"]\n";

fn outage(from: u32, lasts: u32) -> String {
    format!(
        "[[fault]]\nat = \"{from}s\"\nfor = \"{lasts}s\"\n\
         backend = {{ name = \"opus\", errors = {{ server_error = 1.0 }} }}\n"
    )
}

#[test]
fn a_breaker_goes_round() {
    let tables =
        backend("opus", "") + &backend("sonnet", "") + &agent("rust", 4, 40, "") + &outage(5, 8);
    for seed in 1..=5 {
        let run = play(seed, &sim(BREAKER, &tables));
        assert_eq!(run.ends(), "ok*160");
        let to = run.texts("breaker_changed", "component=opus", "to");
        assert_eq!(to.first().unwrap(), "open");
        assert_eq!(to.last().unwrap(), "closed");
        assert!(run.count("attempt_skipped", "model=opus reason=circuit_open") > 0);
        assert_eq!(run.texts("request_routed", "", "model").last().unwrap(), "opus");
    }
}

/// The probes that were under way when the router crashed are lost, and others are let through.
#[test]
fn probes_that_died_with_the_router() {
    let tables = backend("opus", "")
        + &backend("sonnet", "")
        + &agent("rust", 3, 60, "")
        + &outage(3, 6)
        + "[[fault]]\nat = \"9s\"\nfor = \"15s\"\n\
           backend = { name = \"opus\", first_token = \"20s\" }\n\
           [[fault]]\nat = \"20s\"\nfor = \"1s\"\ncrash = { node = \"router\" }\n";
    for seed in 1..=3 {
        let run = play(seed, &sim(&format!("{BREAKER}persist = true"), &tables));
        assert_eq!(run.count("state_restored", "component=breakers"), 1);
        assert_eq!(run.texts("breaker_changed", "", "to").last().unwrap(), "closed", "{seed}");
        assert_eq!(run.texts("request_routed", "", "model").last().unwrap(), "opus");
    }
}
