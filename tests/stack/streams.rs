//! Answers that come in parts: buffered and relayed, whole and broken.

use super::common::*;

/// What goes wrong in a stream, what the router calls it, and whether it says so to the backend.
const BROKEN: [(&str, &str, usize); 4] = [
    ("cut", "cut", 1),
    ("stall", "stalled", 1),
    ("error_in_stream", "overloaded", 1),
    ("malformed_chunk", "malformed", 1),
];

fn streams(mode: &str, more: &str) -> String {
    format!(
        "stream = \"{mode}\"\nfirst_token_timeout = \"1s\"\ntoken_timeout = \"500ms\"\n\
         timeout = \"10s\"\n{more}"
    )
}

#[test]
fn whole_ones() {
    for mode in ["buffered", "relayed"] {
        let run =
            play(1, &sim(&streams(mode, ""), &(backend("opus", "") + &agent("rust", 2, 3, ""))));
        assert_eq!(run.ends(), "ok*6");
        assert_eq!(run.count("message_sent", "label=CloseStream"), 0);
        let seen = if mode == "relayed" { 6 } else { 0 };
        assert_eq!(run.count("first_token", "model=opus"), seen, "once for each request");
        assert_eq!(run.count("message_sent", "label=Chunk"), 6 * 11, "ten of tokens, and the end");
    }
}

#[test]
fn broken_ones_that_nobody_has_seen() {
    for (error, cause, closed) in BROKEN {
        let keys = format!("errors = {{ {error} = 1.0 }}");
        let tables = backend("opus", &keys) + &backend("sonnet", "") + &agent("rust", 1, 1, "");
        for seed in 1..=8 {
            let run = play(seed, &sim(&streams("buffered", "fallback = [\"sonnet\"]"), &tables));
            let alternatives = format!("model=sonnet attempts=2 alternatives=opus={cause}");
            assert_eq!(run.count("request_routed", &alternatives), 1, "{error}, seed {seed}");
            let closes = run.count("message_sent", "label=CloseStream");
            assert_eq!(closes, closed, "{error}, seed {seed}");
        }
    }
}

#[test]
fn broken_ones_that_the_agent_has_seen() {
    for (error, cause, _) in BROKEN {
        let keys = format!("errors = {{ {error} = 1.0 }}");
        let tables = backend("opus", &keys) + &backend("sonnet", "") + &agent("rust", 1, 1, "");
        for seed in 1..=8 {
            let run = play(seed, &sim(&streams("relayed", "fallback = [\"sonnet\"]"), &tables));
            assert_eq!(run.count("stream_mixed", ""), 0);
            // Before the first token another model may take over, and after it none.
            let broken = run.count("request_failed", "code=stream_broken attempts=1");
            let mended = run.count("request_routed", "model=sonnet attempts=2");
            assert_eq!(broken + mended, 1, "{error}, seed {seed}");
            let sees = run.count("first_token", "model=opus");
            assert_eq!(sees, broken, "{error}, seed {seed}");
            assert_eq!(run.count("attempt_failed", &format!("cause={cause}")), 1);
        }
    }
}

#[test]
fn the_first_token_is_late() {
    let tables = backend("opus", "first_token = \"3s\"") + &agent("rust", 1, 1, "");
    for mode in ["buffered", "relayed"] {
        let run = play(1, &sim(&streams(mode, ""), &tables));
        let late = "cause=first_token_timed_out budget_ms=1000 status=null";
        assert_eq!(run.count("attempt_failed", late), 1);
    }
}

/// A later life of the router must not take a stream of an earlier one for its own, nor be taken
/// for it.
#[test]
fn a_crash_in_the_middle() {
    for mode in ["buffered", "relayed"] {
        let tables = backend("opus", "tokens_per_second = 10")
            + &agent("rust", 1, 2, "sdk = \"openai_2\"\ndeadline = \"100s\"")
            + "[[fault]]\nat = \"4s\"\nfor = \"500ms\"\ncrash = { node = \"router\" }\n";
        let router = "stream = \"MODE\"\ntimeout = \"20s\"".replace("MODE", mode);
        for seed in 1..=5 {
            let run = play(seed, &sim(&router, &tables));
            assert_eq!(run.count("attempt_failed", ""), 0, "{mode}, seed {seed}");
            assert_eq!(run.ends(), "ok*2", "{mode}, seed {seed}");
        }
    }
}

/// Parts that come twice or late change nothing; one that is lost ends the attempt.
#[test]
fn a_bad_link() {
    let tables = |keys: &str| {
        backend("opus", "")
            + &agent("rust", 1, 20, "")
            + &format!("[[link]]\nfrom = \"opus\"\nto = \"router\"\n{keys}\n")
    };
    let router = streams("buffered", "retry = { attempts = 9, base = \"10ms\" }");
    let twice = play(1, &sim(&router, &tables("duplicate = \"50%\"")));
    assert_eq!((twice.ends().as_str(), twice.count("attempt_failed", "")), ("ok*20", 0));
    let lost = play(1, &sim(&router, &tables("loss = \"2%\"")));
    assert!(lost.count("attempt_failed", "") > 0);
    assert_eq!(lost.ends(), "ok*20");
}
