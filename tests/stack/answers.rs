//! Each error of a backend: what the router makes of it, alone and with a model to fall back on.

use super::common::*;

/// An error; how the router calls it; whether the same model is asked again.
const ERRORS: [(&str, &str, &str, bool); 13] = [
    ("rate_limited", "rate_limited", "rate_limit", true),
    ("overloaded", "overloaded", "transient", true),
    ("server_error", "server_error", "transient", true),
    ("silence", "timed_out", "transient", true),
    ("reset", "reset", "transient", true),
    ("malformed", "malformed", "transient", true),
    ("timeout", "provider_timed_out", "transient", true),
    ("conflict", "conflict", "transient", true),
    ("accepted_then_overloaded", "overloaded", "transient", true),
    ("credential", "credential", "credential", false),
    ("forbidden", "model_access", "model_access", false),
    ("not_found", "model_access", "model_access", false),
    ("quota", "quota", "quota", false),
];

const RETRY: &str =
    "retry = { attempts = 3, base = \"10ms\", jitter = \"none\" }\ntimeout = \"20s\"";

fn always(error: &str) -> String {
    backend("opus", &format!("errors = {{ {error} = 1.0 }}"))
}

fn asks(count: u32) -> String {
    agent("rust", 1, count, "deadline = \"120s\"")
}

#[test]
fn without_another_model() {
    for (error, cause, class, again) in ERRORS {
        let run = play(1, &sim(RETRY, &(always(error) + &asks(1))));
        let attempts = if again { 3 } else { 1 };
        assert_eq!(run.texts("attempt_failed", "", "cause"), vec![cause; attempts], "{error}");
        assert_eq!(run.count("attempt_failed", &format!("class={class}")), attempts, "{error}");
        assert_eq!(run.count("attempt_started", ""), attempts, "{error}");
        let code = format!("code=all_models_failed attempts={attempts} fallback_attempts=1");
        assert_eq!(run.texts("request_failed", &code, "causes"), [format!("opus={cause}")]);
        assert_eq!(run.ends(), "failed*1", "{error}");
    }
}

#[test]
fn with_another_model() {
    for (error, cause, _, again) in ERRORS {
        let router = format!("fallback = [\"sonnet\"]\n{RETRY}");
        let run = play(1, &sim(&router, &(always(error) + &backend("sonnet", "") + &asks(1))));
        let attempts = if again { 4 } else { 2 };
        let routed = format!(
            "model=sonnet fallback_used=true reason=fallback attempts={attempts} \
             alternatives=opus={cause}"
        );
        assert_eq!(run.count("request_routed", &routed), 1, "{error}");
        assert_eq!(run.count("request_ended", "outcome=ok baggage_kept=true"), 1, "{error}");
    }
}

/// No other model would like the request better.
#[test]
fn what_the_caller_did_wrong() {
    let router = format!("fallback = [\"sonnet\"]\n{RETRY}");
    let tables = always("bad_request") + &backend("sonnet", "") + &asks(1);
    let run = play(1, &sim(&router, &tables));
    assert_eq!(run.count("attempt_started", ""), 1);
    assert_eq!(run.count("request_failed", "code=bad_request attempts=1"), 1);
}

/// The budget is what the attempt had, not what it would have had.
#[test]
fn the_time_of_the_request_is_over() {
    let keys = "timeout = \"10s\"\ndeadline = \"1500ms\"\nretry = { attempts = 3 }";
    let run = play(1, &sim(keys, &(always("silence") + &asks(1))));
    assert_eq!(run.count("attempt_failed", "cause=timed_out budget_ms=1499"), 1);
    assert_eq!(run.count("retry_refused", "reason=deadline"), 1);
    assert_eq!(run.count("request_failed", "code=deadline_exceeded attempts=1"), 1);
    assert_eq!(run.ends(), "timed_out*1");
}

#[test]
fn an_attempt_takes_no_longer_than_its_budget() {
    let run = play(1, &sim("timeout = \"700ms\"", &(always("silence") + &asks(1))));
    let (started, failed) = (run.times("attempt_started", ""), run.times("attempt_failed", ""));
    assert_eq!(failed[0] - started[0], 700);
    assert_eq!(run.count("attempt_failed", "cause=timed_out budget_ms=700 model=opus"), 1);
}

/// A wait that would outlast the request is not waited.
#[test]
fn whatever_a_provider_asks() {
    for wait in
        ["raw = \"-5\"", "raw = \"soon\"", "raw = \"99999999999999999999\"", "ms = \"364d\""]
    {
        let keys = format!("errors = {{ rate_limited = 1.0 }}\nretry_after = {{ {wait} }}");
        let router = "retry = { attempts = 2, base = \"10ms\" }\nfallback = [\"sonnet\"]";
        let tables = backend("opus", &keys) + &backend("sonnet", "") + &asks(3);
        let run = play(1, &sim(router, &tables));
        assert_eq!(run.ends(), "ok*3", "{wait}");
        let latest = run.texts("request_routed", "", "latency_ms");
        assert!(latest.iter().all(|ms| ms.parse::<u64>().unwrap() < 400), "{wait}: {latest:?}");
    }
}

/// Nobody is asked if the router is off.
#[test]
fn a_router_that_is_off() {
    let run = play(1, &sim("enabled = false", &(backend("opus", "") + &asks(2))));
    assert_eq!(run.count("request_failed", "code=skipped attempts=0"), 2);
    assert_eq!(run.ends(), "refused*2");
}
