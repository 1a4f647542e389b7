//! What must hold of any router, over random settings, models, faults and numbers of agents.
//!
//! The checks that always run do most of it: attempts within the settings, half-open breakers
//! within their permits, quotas never overshot, one end for each request, nothing outstanding.

use proptest::prelude::*;

use super::common::*;

/// Health checks go on for as long as anybody lets them; none is under way at this instant.
const LIMITS: &str = "[limits]\ntime = \"199300ms\"\n";

/// One of these texts.
fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(texts)
}

/// Keys of a router: each policy on or off.
fn router() -> impl Strategy<Value = String> {
    let retry = (1_u32..4, one_of(&["none", "full", "equal"])).prop_map(|(attempts, jitter)| {
        format!("retry = {{ attempts = {attempts}, base = \"20ms\", jitter = \"{jitter}\" }}")
    });
    let keys = (
        retry,
        one_of(&["", "stream = \"buffered\"\ntoken_timeout = \"700ms\"", "stream = \"relayed\""]),
        one_of(&["", "hedge = { after = \"150ms\" }", "hedge = { after = \"400ms\", extra = 2 }"]),
        one_of(&[
            "",
            "breaker = { window = { calls = 4 }, minimum_calls = 4, open_for = \"2s\", probes = 1 }",
            "breaker = { dialect = \"gobreaker\", consecutive_failures = 3, open_for = \"2s\" }",
            "breaker = { dialect = \"engined\", consecutive_failures = 2, open_for = \"1s\" }",
        ]),
        one_of(&[
            "",
            "bulkhead = { concurrent = 2, queue = 5, wait = \"700ms\", order = \"fair\" }",
        ]),
        one_of(&[
            "",
            "retry_budget = { kind = \"failsafe\" }",
            "retry_budget = { kind = \"tower\", min_per_second = 1 }",
        ]),
        one_of(&["chain", "tier", "weighted", "least_busy", "latency", "cost"]),
        one_of(&["", "health = { interval = \"2s\", timeout = \"1s\" }"]),
    );
    keys.prop_map(|(retry, stream, hedge, breaker, bulkhead, budget, strategy, health)| {
        format!(
            "timeout = \"2s\"\nfallback = [\"sonnet\", \"haiku\"]\nstrategy = \"{strategy}\"\n\
             {retry}\n{stream}\n{hedge}\n{breaker}\n{bulkhead}\n{budget}\n{health}\n"
        )
    })
}

/// A model: what goes wrong with it, and what it says about when to come back.
fn model(name: &'static str) -> impl Strategy<Value = String> {
    let errors = one_of(&[
        "rate_limited",
        "overloaded",
        "server_error",
        "silence",
        "reset",
        "malformed",
        "bad_request",
        "credential",
        "timeout",
        "cut",
        "stall",
        "error_in_stream",
        "malformed_chunk",
    ]);
    let asks = one_of(&[
        "",
        "retry_after = \"1s\"",
        "retry_after = \"300s\"",
        "retry_after = { raw = \"-1\" }",
        "retry_after = { raw = \"1e400\" }",
        "retry_after = { raw = \"18446744073709551615\" }",
        "retry_after = { raw = \"Sun, 06 Nov 9999 08:49:37 GMT\" }",
        "retry_after = { ms = \"40ms\" }",
    ]);
    (errors, asks, 0_u32..=100, 1_u32..4).prop_map(move |(error, asks, percent, weight)| {
        let percent = if percent > 80 { 100 } else { percent / 2 };
        backend(
            name,
            &format!("errors = {{ {error} = \"{percent}%\" }}\n{asks}\nweight = {weight}"),
        )
    })
}

fn tables() -> impl Strategy<Value = String> {
    let models = (model("opus"), model("sonnet"), model("haiku"));
    (models, 1_u32..6, one_of(&["", "sdk = \"openai_2\"", "timeout = \"3s\""])).prop_map(
        |((opus, sonnet, haiku), agents, keys)| {
            opus + LIMITS
                + &sonnet
                + &haiku
                + "[[workspace]]\nname = \"acme\"\nquota = { tokens_per_day = 3000 }\n"
                + &agent(
                    "rust",
                    agents,
                    6,
                    &format!("workspace = \"acme\"\ndeadline = \"9s\"\n{keys}"),
                )
                + &agent("go", agents, 6, &format!("deadline = \"4s\"\n{keys}"))
        },
    )
}

/// Of events at one instant, any comes first.
fn shuffled(router: &str, tables: &str) -> String {
    format!("schedule = \"random\"\n{}", sim(router, tables))
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// No request outlives its deadline, whatever a provider asks for.
fn in_time(run: &Run) {
    for (agent, most) in [("rust", 9_000), ("go", 4_000)] {
        let of_agent = run.of("request_ended", "");
        let took = of_agent.filter(|it| text(it, "request").starts_with(agent));
        let took = took.map(|it| text(it, "latency_ms").parse::<u64>().unwrap()).max();
        assert!(took.is_some_and(|took| took <= most), "{took:?} of {most}");
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn whatever_goes_wrong(seed in 1_u64.., router in router(), tables in tables()) {
        in_time(&play(seed, &shuffled(&router, &tables)));
    }

    /// Reservations are on disk before a model is called: a crash gives nothing twice.
    #[test]
    fn whenever_the_router_crashes(
        seed in 1_u64..,
        at in 200_u32..9_000,
        router in router(),
        tables in tables(),
    ) {
        // Checks of a router that starts again would be under way when the time is up.
        let router: String = router.lines().filter(|line| !line.starts_with("health")).collect::<Vec<_>>().join("\n");
        let crash = format!(
            "[[fault]]\nat = \"{at}ms\"\nfor = \"200ms\"\ncrash = {{ node = \"router\" }}\n"
        );
        let run = play(seed, &shuffled(&format!("{router}\npersist = true"), &(tables + &crash)));
        // Each answer took 200 tokens of 3000, whichever life of the router gave it.
        let answers = run.of("request_ended", "outcome=ok");
        let of_acme = answers.filter(|it| text(it, "request").starts_with("rust")).count();
        prop_assert!(of_acme <= 15, "{of_acme} answers");
    }

    /// From whatever state faults leave behind, the primary is in use again ten seconds after they
    /// end: the longest wait of a breaker (a minute for one that grows is not reached here), the
    /// probes after it, and two health checks.
    #[test]
    fn after_the_faults(seed in 1_u64.., router in router(), lasts in 1_u32..15) {
        let router = router.replace("strategy", "#");
        let fault = |name: &str, error: &str| {
            format!(
                "[[fault]]\nat = \"2s\"\nfor = \"{lasts}s\"\n\
                 backend = {{ name = \"{name}\", errors = {{ {error} = 1.0 }} }}\n"
            )
        };
        let faults = [
            fault("opus", "server_error"),
            fault("sonnet", "silence"),
            format!("[[fault]]\nat = \"3s\"\nfor = \"{lasts}s\"\npartition = {{ between = [\"router\", \"haiku\"] }}\n"),
        ];
        let tables = backend("opus", "") + LIMITS
            + &backend("sonnet", "")
            + &backend("haiku", "")
            + &agent("rust", 2, 60, "deadline = \"4s\"")
            + &faults.concat();
        let run = play(seed, &shuffled(&router, &tables));
        let over = u64::from(3 + lasts + 10) * 1_000;
        let after = run.of("request_routed", "").filter(|it| it.at_ns / 1_000_000 > over);
        let models: Vec<String> = after.map(|it| text(it, "model")).collect();
        prop_assert!(models.len() > 10);
        prop_assert!(models.iter().all(|model| model == "opus"), "{models:?}");
    }
}
