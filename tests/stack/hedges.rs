//! A second model that is asked without waiting for the first.

use super::common::*;

fn slow_and_quick(slow: &str) -> String {
    backend("opus", &format!("first_token = \"{slow}\"")) + &backend("sonnet", "")
}

const HEDGED: &str = "fallback = [\"sonnet\"]\nhedge = { after = \"1s\" }\n";

#[test]
fn the_quicker_one_answers() {
    for mode in ["off", "buffered", "relayed"] {
        let router = format!("{HEDGED}stream = \"{mode}\"");
        let tables = slow_and_quick("8s") + &agent("rust", 2, 3, "");
        let run = play(1, &sim(&router, &tables));
        assert_eq!(run.count("attempt_started", "model=sonnet hedge=true"), 6, "{mode}");
        let won = "model=sonnet fallback_used=true attempts=2 alternatives=opus=slower";
        assert_eq!(run.count("request_routed", won), 6, "{mode}");
        assert_eq!(run.count("attempt_failed", ""), 0, "{mode}");
        assert_eq!(run.count("stream_mixed", ""), 0);
        let closed = if mode == "off" { 0 } else { 6 };
        assert_eq!(run.count("message_sent", "label=CloseStream"), closed, "{mode}");
    }
}

/// The loser is listed as what it is: asked, and slower.
#[test]
fn the_first_one_answers_after_all() {
    let tables = backend("opus", "first_token = \"1200ms\"")
        + &backend("sonnet", "first_token = \"5s\"")
        + &agent("rust", 1, 2, "");
    let run = play(1, &sim(HEDGED, &tables));
    let won = "model=opus fallback_used=false attempts=2 alternatives=sonnet=slower";
    assert_eq!(run.count("request_routed", won), 2);
}

#[test]
fn quick_answers_need_no_second_model() {
    let run = play(1, &sim(HEDGED, &(slow_and_quick("500ms") + &agent("rust", 2, 5, ""))));
    assert_eq!(run.count("attempt_started", ""), 10);
}

/// Nothing comes of a request until both have failed.
#[test]
fn both_fail() {
    let tables = backend("opus", "first_token = \"2s\"\nerrors = { server_error = 1.0 }")
        + &backend("sonnet", "first_token = \"3s\"\nerrors = { server_error = 1.0 }")
        + &agent("rust", 1, 1, "");
    let run = play(1, &sim(HEDGED, &tables));
    assert_eq!(run.count("request_failed", "code=all_models_failed attempts=2"), 1);
    assert_eq!(run.times("request_failed", "")[0] - run.times("attempt_started", "")[0], 4_002);
}

/// Of a call that was given up, the breaker gets its permit back: a slow answer is no verdict.
#[test]
fn the_loser_gives_its_permit_back() {
    let guarded = "breaker = { window = { calls = 2 }, minimum_calls = 2, open_for = \"3s\", \
                   probes = 1 }";
    let tables = backend("opus", "")
        + &backend("sonnet", "")
        + &agent("rust", 2, 40, "")
        + "[[fault]]\nat = \"2s\"\nfor = \"4s\"\n\
           backend = { name = \"opus\", errors = { server_error = 1.0 } }\n\
           [[fault]]\nat = \"6s\"\nfor = \"10s\"\n\
           backend = { name = \"opus\", first_token = \"9s\" }\n";
    for seed in 1..=3 {
        let run = play(seed, &sim(&format!("{HEDGED}{guarded}"), &tables));
        assert!(run.count("request_routed", "model=sonnet alternatives=opus=slower") > 0);
        assert_eq!(run.texts("breaker_changed", "", "to").last().unwrap(), "closed");
        assert_eq!(run.texts("request_routed", "", "model").last().unwrap(), "opus");
    }
}

/// As late as all but the slowest answers: nobody knows that before there are some.
#[test]
fn by_what_is_known() {
    let router = "fallback = [\"sonnet\"]\nhedge = { percentile = 70 }";
    let empirical = "{ empirical = [\"200ms\", \"200ms\", \"200ms\", \"200ms\", \"5s\"] }";
    let tables = backend("opus", &format!("first_token = {empirical}"))
        + &backend("sonnet", "")
        + &agent("rust", 4, 60, "");
    let run = play(1, &sim(router, &tables));
    let hedged = run.times("attempt_started", "hedge=true");
    assert!(!hedged.is_empty() && hedged[0] > 60_000, "{hedged:?}");
}
