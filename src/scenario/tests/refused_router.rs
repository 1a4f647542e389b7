//! What is refused of the router, its guards and the workspaces: everything that contradicts itself.

use super::{MINIMAL, check, check_tables};

/// Refused with these keys after the primary, from line 4 on.
#[track_caller]
fn router(keys: &str, expected: &[&str]) {
    let keys = format!("primary = \"opus\"\n{keys}");
    check(&MINIMAL.replace("primary = \"opus\"", &keys), expected);
}

/// Refused as the router's breaker.
#[track_caller]
fn breaker(keys: &str, expected: &[&str]) {
    router(&format!("breaker = {{ {keys} }}"), expected);
}

/// Refused as the quota of a workspace, on line 11.
#[track_caller]
fn quota(keys: &str, expected: &[&str]) {
    check_tables(&format!("[[workspace]]\nname = \"acme\"\nquota = {{ {keys} }}"), expected);
}

#[test]
fn chains() {
    let unknown = "no backend is called \"opuss\" | did you mean \"opus\"?";
    router("fallback = [\"opuss\"]", &[&format!("4:13 [\"opuss\"] {unknown}")]);
    router("routes = { code_review = [\"opuss\"] }", &[&format!("4:27 [\"opuss\"] {unknown}")]);
    router(
        "routes = { code_review = [\"opus\", \"opus\"] }",
        &["4:35 [\"opus\"] [\"opus\"] \"opus\" is in the chain twice"],
    );
    router(
        "routes = { code_review = [] }",
        &["4:26 [[]] the route of code_review leads nowhere | "],
    );
    let unknown = "unknown value `code_revue` | did you mean `code_review`?";
    router("routes = { code_revue = [\"opus\"] }", &[&format!("4:12 [code_revue] {unknown}")]);
    router("tiers = { code_revue = 3 }", &[&format!("4:11 [code_revue] {unknown}")]);
    router("tiers = { code_review = 256 }", &["4:25 [256] "]);
}

#[test]
fn names() {
    router(
        "strategy = \"tiers\"",
        &["4:12 [\"tiers\"] no strategy is called \"tiers\" | did you mean \"tier\"?"],
    );
    router(
        "quirks = [\"no_jiter\"]",
        &["4:11 [\"no_jiter\"] no quirk is called \"no_jiter\" | did you mean \"no_jitter\"?"],
    );
    router("stream = \"buffred\"", &["4:10 [\"buffred\"] unknown value `buffred` | did you mean"]);
    breaker(
        "dialect = \"poly\"",
        &["4:23 [\"poly\"] unknown value `poly` | did you mean `polly`?"],
    );
    router(
        "retry = { preset = \"litelm\" }",
        &["4:20 [\"litelm\"] no preset is called \"litelm\" | did you mean \"litellm\"?"],
    );
    router(
        "retry_budget = { kind = \"towr\" }",
        &["4:25 [\"towr\"] no retry budget is called \"towr\" | did you mean \"tower\"?"],
    );
    router(
        "bulkhead = { concurrent = 1, queue = 1, order = \"fare\" }",
        &["4:49 [\"fare\"] no order is called \"fare\" | did you mean \"fair\"?"],
    );
    check_tables("sdk = \"openai_20\"", &["9:7 [\"openai_20\"] no "]);
    quota(
        "tokens_per_day = 1, zone = \"Europe/Berlni\"",
        &[
            "11:38 [\"Europe/Berlni\"] there is no time zone \"Europe/Berlni\" | did you mean \"Europe/Berlin\"?",
        ],
    );
    quota(
        "tokens_per_day = 1, zone = \"noon\"",
        &["11:38 [\"noon\"] there is no time zone \"noon\" | "],
    );
    check_tables(
        "[[workspace]]\nname = \"acme\"\nprefer = \"anthropics\"",
        &["11:10 [\"anthropics\"] unknown value `anthropics` | did you mean `anthropic`?"],
    );
}

#[test]
fn breakers() {
    breaker(
        "window = { calls = 10 }, minimum_calls = 11",
        &["4:54 [11] minimum_calls is above the window of 10 | write 10, for example"],
    );
    breaker("probes = 0", &["4:22 [0] expected a positive integer"]);
    breaker("minimum_calls = 0", &["4:29 [0] "]);
    breaker(
        "failure_rate = \"0%\"",
        &["4:28 [\"0%\"] failure_rate is always reached | write a rate above 0%"],
    );
    breaker("failure_rate = \"101%\"", &["4:28 [\"101%\"] a probability is at most 100%"]);
    breaker("open_for = \"0s\"", &["4:24 [\"0s\"] open_for is nothing | write a longer duration"]);
    breaker(
        "open_for = \"9s\", open_max = \"1s\"",
        &["4:41 [\"1s\"] open_max is below the first wait | make open_max at least open_for"],
    );
    breaker("open_factor = 0.5", &["4:27 [0.5] "]);
    breaker(
        "window = { calls = 5, time = \"1s\" }",
        &["4:22 [{ calls = 5, time = \"1s\" }] a window is of calls or of time"],
    );
    breaker("window = { calls = 0 }", &["4:32 [0] expected a positive integer"]);
    breaker("window = { time = \"1500ms\" }", &["4:31 [\"1500ms\"] a window is at most a day"]);
    breaker(
        "dialect = \"gobreaker\", window = { calls = 5 }",
        &["4:45 [{ calls = 5 }] the window of gobreaker is a time"],
    );
    breaker(
        "dialect = \"polly\", probes = 3",
        &["4:41 [3] the dialect polly has no probes | remove it, or change the dialect"],
    );
    breaker(
        "dialect = \"failsafe\", failures = 3, failure_rate = \"5%\"",
        &["4:46 [3] [\"5%\"] a breaker opens by one rule"],
    );
    breaker("dialect = \"failsafe\", probes = 2, successes = 3", &["4:"]);
    router("breaker_per_task = true", &["4:20 [true] there is no breaker for a task to have | "]);
}

#[test]
fn times() {
    let needs = "an answer that comes whole has no first token | add stream = \"buffered\"";
    router("first_token_timeout = \"1s\"", &[&format!("4:23 [\"1s\"] {needs}")]);
    let needs = "an answer that comes whole has no tokens to wait between | add stream";
    router("token_timeout = \"1s\"", &[&format!("4:17 [\"1s\"] {needs}")]);
    router(
        "stream = \"buffered\"\ntimeout = \"5s\"\nfirst_token_timeout = \"6s\"",
        &["6:23 [\"6s\"] first_token_timeout is longer than timeout"],
    );
    router(
        "stream = \"buffered\"\ntoken_timeout = \"31s\"",
        &["5:17 [\"31s\"] token_timeout is longer than timeout"],
    );
    router("timeout = \"0s\"", &["4:11 [\"0s\"] "]);
    router("deadline = \"0s\"", &["4:12 [\"0s\"] "]);
    router("deadline = \"-1s\"", &["4:12 [\"-1s\"] a duration cannot be negative"]);
    router(
        "health = { interval = \"5s\" }",
        &[
            "4:23 [\"5s\"] a check may take longer than the time to the next one | make timeout at most interval",
        ],
    );
    router(
        "health = { interval = \"5s\", timeout = \"6s\" }",
        &["4:39 [\"6s\"] a check may take longer"],
    );
    router("health = { unhealthy_after = 0 }", &["4:30 [0] "]);
    router("health = { interval = \"0s\" }", &["4:23 [\"0s\"] "]);
}

#[test]
fn guards() {
    router("bulkhead = { concurrent = 0 }", &["4:27 [0] expected a positive integer"]);
    router("bulkhead = { queue = 1 }", &["4:12 [{ queue = 1 }] missing field `concurrent`"]);
    router(
        "bulkhead = { concurrent = 1, wait = \"1s\" }",
        &[
            "4:12 [{ concurrent = 1, wait = \"1s\" }] a wait of 1s with a queue for 0 lets nobody wait | add queue = 10, or remove wait",
        ],
    );
    router(
        "bulkhead = { concurrent = 1, queue = 1, wait = \"0s\" }",
        &["4:48 [\"0s\"] a queue in which nobody may wait | "],
    );
    let rule = "a hedge waits by exactly one rule | write { after = \"2s\" }";
    router("hedge = { extra = 1 }", &[&format!("4:9 [{{ extra = 1 }}] {rule}")]);
    router(
        "hedge = { after = \"1s\", percentile = 95 }",
        &[&format!("4:9 [{{ after = \"1s\", percentile = 95 }}] {rule}")],
    );
    let hedge = |keys: &str, expected: &[&str]| {
        let keys = format!("primary = \"opus\"\nhedge = {{ {keys} }}\nfallback = [\"haiku\"]");
        let text = MINIMAL.replace("primary = \"opus\"", &keys);
        check(&format!("{text}[[backend]]\nname = \"haiku\""), expected);
    };
    hedge("after = \"1s\", extra = 11", &["4:33 [11] extra can be at most 10"]);
    hedge("percentile = 100", &["4:24 [100] percentile can be at most 99"]);
    router(
        "hedge = { after = \"1s\" }",
        &["4:9 [{ after = \"1s\" }] there is no other model to ask | "],
    );
}

#[test]
fn budgets() {
    let budget = |keys: &str, expected: &[&str]| {
        router(&format!("retry_budget = {{ {keys} }}"), expected);
    };
    budget("kind = \"grpc\", max_tokens = 0", &["4:46 [0] expected a positive integer"]);
    budget("kind = \"grpc\", max_tokens = -1", &["4:46 [-1] "]);
    budget("kind = \"grpc\", max_tokens = 1001", &["4:46 [1001] max_tokens can be at most 1000"]);
    budget(
        "kind = \"tower\", ttl = \"61s\"",
        &["4:40 [\"61s\"] a deposit counts for 1s to 60s | write a ttl"],
    );
    for (kind, key, value, owner) in [
        ("tower", "max_tokens", "5", "grpc"),
        ("aws_2026", "token_ratio", "0.5", "grpc"),
        ("grpc", "min_per_second", "5", "tower"),
        ("failsafe", "ttl", "\"5s\"", "tower"),
        ("tower", "min_concurrency", "5", "failsafe"),
        ("aws_2020", "ratio", "0.5", "tower and failsafe"),
    ] {
        let column = 18 + "kind = \"\", ".len() + kind.len() + key.len() + " = ".len();
        let line = format!(
            "4:{column} [{value}] a budget of the kind {kind} has no {key} | {key} is for {owner}"
        );
        budget(&format!("kind = \"{kind}\", {key} = {value}"), &[&line]);
    }
}

#[test]
fn quotas() {
    quota("", &["11:9 [{  }] the quota limits nothing | set tokens_per_day or requests_per_day"]);
    quota("warn = \"50%\"", &["11:9 [{ warn = \"50%\" }] the quota limits nothing"]);
    quota("tokens_per_day = 0", &["11:28 [0] "]);
    quota("tokens_per_day = -5", &["11:28 [-5] "]);
    quota("requests_per_day = 0", &["11:30 [0] "]);
    quota(
        "tokens_per_day = 1, warn = \"96%\"",
        &["11:38 [\"96%\"] the warning comes after it is critical | make warn at most critical"],
    );
    quota(
        "tokens_per_day = 1, warn = \"50%\", critical = \"40%\"",
        &["11:56 [\"40%\"] the warning comes after it is critical"],
    );
}
