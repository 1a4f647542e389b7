//! Agents whose SDK asks the router again.

use super::common::*;

#[test]
fn as_often_as_the_sdk_does() {
    let tables = backend("opus", "errors = { server_error = 1.0 }")
        + &agent("rust", 1, 1, "sdk = \"openai_2\"");
    let run = play(1, &sim("retry = { attempts = 2, base = \"10ms\" }", &tables));
    assert_eq!(run.count("request_failed", "attempts=2"), 3, "asked three times");
    assert_eq!(run.count("attempt_started", ""), 6);
    assert_eq!(run.ends(), "failed*1");
}

#[test]
fn a_caller_who_is_wrong_is_not_asked_again() {
    let tables = backend("opus", "errors = { bad_request = 1.0 }")
        + &agent("rust", 1, 1, "sdk = \"openai_2\"");
    assert_eq!(play(1, &sim("", &tables)).count("attempt_started", ""), 1);
}

#[test]
fn a_router_that_is_away_for_a_while() {
    let tables = backend("opus", "first_token = \"3s\"")
        + &agent("rust", 3, 2, "sdk = \"openai_2\"")
        + "[[fault]]\nat = \"2s\"\nfor = \"300ms\"\ncrash = { node = \"router\" }\n";
    let run = play(1, &sim("", &tables));
    assert_eq!(run.ends(), "ok*6");
}

/// Each attempt has as long as it is given, and all of them together no longer than the deadline.
#[test]
fn patience() {
    let keys = "sdk = \"openai_2\"\ntimeout = \"2s\"\ndeadline = \"5s\"";
    let tables = backend("opus", "errors = { silence = 1.0 }") + &agent("rust", 1, 1, keys);
    let run = play(1, &sim("", &tables));
    let (start, end) = (run.times("request_started", "")[0], run.times("request_ended", "")[0]);
    assert!(end - start <= 5_000, "{start} to {end}");
    assert_eq!(run.ends(), "timed_out*1");
    assert!(run.count("attempt_started", "") >= 2);
}

/// Tokens of an attempt that is over are nobody's: neither those of one that timed out, nor those
/// of an agent that has crashed since.
#[test]
fn tokens_that_come_too_late() {
    let relayed = "stream = \"relayed\"\ntimeout = \"60s\"\nfallback = [\"sonnet\"]\n";
    let slow = "tokens_per_second = 10";
    let crash = backend("opus", slow)
        + &backend("sonnet", slow)
        + &agent("rust", 1, 2, "")
        + "[[fault]]\nat = \"4s\"\nfor = \"100ms\"\ncrash = { node = \"rust\" }\n\
           [[fault]]\nat = \"4100ms\"\nfor = \"60s\"\n\
           backend = { name = \"opus\", errors = { server_error = 1.0 } }\n";
    let run = play(1, &sim(relayed, &crash));
    assert_eq!(run.count("stream_mixed", ""), 0);
    let first = run.texts("first_token", "", "request");
    assert_eq!(first, ["rust/1", "rust+1/1"], "one for each life's request");
    let keys = "sdk = \"openai_2\"\ntimeout = \"2s\"\ndeadline = \"7s\"";
    let late = backend("opus", "first_token = \"1990ms\"")
        + &agent("rust", 1, 1, keys)
        + "[[link]]\nfrom = \"router\"\nto = \"rust\"\nlatency = \"300ms\"\n";
    let run = play(1, &sim("stream = \"relayed\"\ntimeout = \"60s\"", &late));
    assert_eq!(run.count("first_token", ""), 0, "each came after its attempt was over");
}
