//! Quotas: at their edge, over midnight, over a crash.

use super::common::*;

fn acme(limit: u32) -> String {
    format!("[[workspace]]\nname = \"acme\"\nquota = {{ tokens_per_day = {limit} }}\n")
}

fn charged(run: &Run) -> u64 {
    run.texts("quota_settled", "", "tokens").iter().map(|it| it.parse::<u64>().unwrap()).sum()
}

#[test]
fn many_at_once_at_the_edge() {
    let tables = backend("opus", "") + &acme(1_000) + &agent("rust", 20, 2, "workspace = \"acme\"");
    for persist in [false, true] {
        let run = play(1, &sim(&format!("persist = {persist}"), &tables));
        assert_eq!(run.ends(), "ok*5 refused*35");
        assert_eq!((charged(&run), run.count("attempt_started", "")), (1_000, 5));
        let exceeded = run.texts("quota_exceeded", "", "remaining");
        assert!(exceeded.iter().all(|it| it == "0") && exceeded.len() == 35);
    }
}

/// However many attempts break off after their first token, no more is charged than was reserved.
#[test]
fn answers_that_break_off() {
    let cut = "errors = { cut = 1.0 }";
    let tables = backend("opus", cut)
        + &backend("sonnet", cut)
        + &backend("haiku", cut)
        + &acme(100_000)
        + &agent("rust", 1, 20, "workspace = \"acme\"");
    let run = play(1, &sim("fallback = [\"sonnet\", \"haiku\"]\nstream = \"buffered\"", &tables));
    let charges = run.texts("quota_settled", "", "tokens");
    assert_eq!(charges.len(), 20);
    assert!(charges.iter().all(|it| it.parse::<u64>().unwrap() <= 200), "{charges:?}");
}

/// A request for which nobody was asked does not count as one.
#[test]
fn requests_that_nobody_took() {
    let router = "breaker = { window = { calls = 2 }, minimum_calls = 2, open_for = \"6s\", \
                  probes = 1 }";
    let tables = backend("opus", "")
        + "[[workspace]]\nname = \"acme\"\nquota = { requests_per_day = 20 }\n"
        + &agent("rust", 1, 30, "workspace = \"acme\"")
        + "[[fault]]\nat = \"0s\"\nfor = \"4s\"\n\
           backend = { name = \"opus\", errors = { server_error = 1.0 } }\n";
    let run = play(1, &sim(router, &tables));
    assert!(run.count("attempt_skipped", "reason=circuit_open") > 3);
    assert_eq!(run.count("attempt_started", ""), 20, "as many as may be made in a day");
}

/// In flight over midnight: charged to the day on which it was admitted.
#[test]
fn over_midnight() {
    let tables = backend("opus", "first_token = \"4s\"")
        + &acme(200)
        + &agent("rust", 1, 3, "workspace = \"acme\"");
    let text = format!("start = \"2026-03-01T23:59:57Z\"\n{}", sim("", &tables));
    let run = play(1, &text);
    // The first takes all of the first day, and the second all of the next.
    assert_eq!(run.ends(), "ok*2 refused*1");
    assert_eq!(run.texts("quota_reset", "", "used"), ["200"]);
}

/// Each day that has ended is told of, though nobody asked in between.
#[test]
fn days_that_went_by_unseen() {
    let tables = backend("opus", "")
        + &acme(1_000)
        + "[[agent]]\nname = \"rust\"\nrequests = 3\nthink = \"25h\"\ninput_tokens = 100\n\
           output_tokens = 100\nworkspace = \"acme\"\n"
        + "[[fault]]\nat = \"30h\"\nfor = \"1s\"\ncrash = { node = \"router\" }\n\
           [[fault]]\nat = \"49h\"\nfor = \"1s\"\ncrash = { node = \"router\" }\n";
    let limits = "[limits]\ntime = \"5d\"\n";
    let run = play(1, &sim("persist = true", &(tables + limits)));
    assert_eq!(run.ends(), "ok*3");
    assert_eq!(run.count("state_restored", "component=quotas"), 2);
    assert_eq!(run.texts("quota_reset", "", "used"), ["0", "200", "200"]);
}

/// What was in flight when the router crashed counts as used; nothing is given twice.
#[test]
fn over_a_crash() {
    let tables = backend("opus", "first_token = \"700ms\"")
        + &acme(6_000)
        + &agent("rust", 6, 12, "workspace = \"acme\"")
        + "[[fault]]\nat = \"5s\"\nfor = \"500ms\"\ncrash = { node = \"router\" }\n";
    for seed in 1..=10 {
        let run = play(seed, &sim("persist = true", &tables));
        assert_eq!(run.count("state_restored", "component=quotas"), 1);
        assert!(run.count("attempt_started", "") <= 30, "seed {seed}");
        assert!(run.count("quota_exceeded", "") > 0, "seed {seed}");
    }
}

/// A day of so many requests, however small: the refusal speaks of requests, not of tokens.
#[test]
fn by_requests() {
    let workspace = "[[workspace]]\nname = \"acme\"\nquota = { requests_per_day = 3 }\n";
    let tables = backend("opus", "") + workspace + &agent("rust", 1, 5, "workspace = \"acme\"");
    let run = play(1, &sim("", &tables));
    assert_eq!(run.ends(), "ok*3 refused*2");
    assert_eq!(run.count("quota_exceeded", "what=requests limit=3 used=3 remaining=0"), 2);
}

/// What cannot be reserved on disk is not used: a crash would forget it.
#[test]
fn with_a_full_disk() {
    let tables = backend("opus", "first_token = \"700ms\"")
        + &acme(6_000)
        + &agent("rust", 6, 12, "workspace = \"acme\"")
        + "[[fault]]\nat = \"1s\"\nfor = \"4s\"\ndisk_full = { node = \"router\" }\n\
           [[fault]]\nat = \"4s\"\nfor = \"500ms\"\ncrash = { node = \"router\" }\n";
    for seed in 1..=10 {
        let run = play(seed, &sim("persist = true", &tables));
        assert!(run.count("request_ended", "error=disk_full outcome=refused") > 0, "seed {seed}");
        assert!(run.count("attempt_started", "") <= 30, "seed {seed}");
        // When there is room again, all goes on.
        assert!(run.count("quota_exceeded", "") > 0, "seed {seed}");
    }
    // A router that keeps nothing needs no disk, and forgets in the crash what was used.
    let unkept = try_play(1, &sim("", &tables));
    assert_eq!(unkept.count("request_ended", "error=disk_full"), 0);
    assert!(
        unkept.run.failures().iter().any(|failure| failure.starts_with("quota_never_overshot"))
    );
}

/// A clock that jumps ahead ends the day early; one that is set back does not bring it back.
#[test]
fn a_clock_that_jumps() {
    let tables = backend("opus", "")
        + &acme(1_000)
        + &agent("rust", 1, 20, "workspace = \"acme\"")
        + "[[fault]]\nat = \"10s\"\nfor = \"3s\"\nclock = { node = \"router\", skew = \"25h\" }\n";
    let run = play(1, &sim("", &tables));
    assert_eq!(run.count("quota_reset", ""), 1);
    assert_eq!(run.count("request_ended", "outcome=ok"), 10, "five for each of two days");
}
