//! What a sim may say of model backends, and what it may not.

use std::time::Duration;

use super::{check_tables, with};
use crate::policy::meter;
use crate::scenario::{Backend, FaultKind, RetryAfter};
use crate::world::Probability;

/// A second backend with these keys.
#[track_caller]
fn backend(keys: &str) -> Backend {
    with(&format!("[[backend]]\nname = \"b\"\n{keys}")).backends.swap_remove(1)
}

/// Checks that keys are refused; they begin in line 11.
#[track_caller]
fn refused(keys: &str, expected: &[&str]) {
    check_tables(&format!("[[backend]]\nname = \"b\"\n{keys}"), expected);
}

#[test]
fn what_is_written_is_what_is_held() {
    let all = backend(
        "provider = \"openai\"\ntier = 3\nweight = 7\nprice = 0.25\nchunk_tokens = 5\n\
         requests_per_minute = 50\ninput_tokens_per_minute = 30_000\n\
         output_tokens_per_minute = 8_000\ntokens_per_minute = 40_000",
    );
    assert_eq!((all.tier, all.weight, all.price_micros, all.chunk_tokens), (3, 7, 250_000, 5));
    let limits = meter::Settings {
        requests_per_minute: Some(50),
        input_tokens_per_minute: Some(30_000),
        output_tokens_per_minute: Some(8_000),
        tokens_per_minute: Some(40_000),
    };
    assert_eq!(all.limits, limits);
}

#[test]
fn prices() {
    let price = |text: &str| backend(&format!("price = {text}")).price_micros;
    assert_eq!((price("15"), price("\"0.000001\""), price("0")), (15_000_000, 1, 0));
    assert_eq!(price("1_000_000"), 1_000_000_000_000);
    for (text, found) in [
        ("-1", "the number -1"),
        ("\"15%\"", "\"15%\""),
        ("true", "true"),
        ("0.0000001", "the number 0.0000001"),
        ("\"1000000.000001\"", "\"1000000.000001\""),
        ("\"free\"", "\"free\""),
    ] {
        let report = format!("11:9 [{text}] expected a price, found {found} | write dollars up to");
        refused(&format!("price = {text}"), &[&report]);
    }
}

#[test]
fn every_error_has_its_own_share() {
    let names = [
        "rate_limited",
        "overloaded",
        "server_error",
        "silence",
        "reset",
        "malformed",
        "bad_request",
        "credential",
        "forbidden",
        "not_found",
        "timeout",
        "conflict",
        "quota",
        "accepted_then_overloaded",
        "cut",
        "stall",
        "error_in_stream",
        "malformed_chunk",
    ];
    for (index, name) in names.into_iter().enumerate() {
        let parts = backend(&format!("errors = {{ {name} = \"1%\" }}")).errors.parts();
        assert_eq!(parts[index].0.as_str(), name);
        let shares = parts.map(|(_, share)| share);
        let mut expected = [Probability::NEVER; 18];
        expected[index] = Probability::percent(1);
        assert_eq!(shares, expected, "{name}");
    }
    let each = names.map(|name| format!("{name} = \"5.5555%\"")).join(", ");
    backend(&format!("errors = {{ {each} }}"));
    refused(
        "errors = { cut = \"50%\", quota = \"50.0001%\" }",
        &["11:10 [{ cut = \"50%\", quota = \"50.0001%\" }] the errors add up to more than 100%"],
    );
    refused("errors = { stal = 1 }", &["11:12 [stal] unknown key `stal` | did you mean `stall`?"]);
    refused("errors = { cut = -0.1 }", &["11:18 [-0.1] \"-0.1\" is negative"]);
}

#[test]
fn retry_after() {
    let said = |text: &str| backend(&format!("retry_after = {text}")).retry_after;
    let second = Duration::from_secs(1);
    assert_eq!(said("\"1s\""), Some(RetryAfter::Seconds(second)));
    assert_eq!(said("{ ms = \"1s\" }"), Some(RetryAfter::Millis(second)));
    assert_eq!(said("{ date = \"1s\" }"), Some(RetryAfter::Date(second)));
    assert_eq!(said("{ raw = \"\" }"), Some(RetryAfter::Raw(String::new())));
    let long = "~".repeat(256);
    assert_eq!(said(&format!("{{ raw = \"{long}\" }}")), Some(RetryAfter::Raw(long)));
    let one = "a Retry-After is said in exactly one way | write \"20s\", { ms = ";
    for both in ["{ ms = \"1s\", raw = \"soon\" }", "{ ms = \"1s\", date = \"1s\" }", "{}"] {
        refused(&format!("retry_after = {both}"), &[&format!("11:15 [{both}] {one}")]);
    }
    refused("retry_after = \"-1s\"", &["11:15 [\"-1s\"] a duration cannot be negative"]);
    refused("retry_after = 20", &["11:15 [20] a duration needs a unit, found the number 20"]);
    refused("retry_after = { ms = 20 }", &["11:22 [20] a duration needs a unit"]);
    refused("retry_after = { date = \"400d\" }", &["11:24 [\"400d\"] a duration can be at most"]);
    let header = "this cannot stand in a header | use at most 256 printable ASCII characters";
    for bad in ["ö", "a\\nb", "a\\u007f", &"~".repeat(257)] {
        let report = format!("11:23 [\"{bad}\"] {header}");
        refused(&format!("retry_after = {{ raw = \"{bad}\" }}"), &[&report]);
    }
}

#[test]
fn counts() {
    for key in [
        "chunk_tokens",
        "requests_per_minute",
        "tokens_per_minute",
        "input_tokens_per_minute",
        "output_tokens_per_minute",
    ] {
        let column = key.len() + 4;
        for bad in ["0", "-1", "1.5"] {
            let report = format!("11:{column} [{bad}] expected a positive integer");
            refused(&format!("{key} = {bad}"), &[&report]);
        }
    }
    backend("weight = 1_000_000\nchunk_tokens = 1_000_000");
    for bad in ["-1", "1.5", "1_000_001"] {
        refused(&format!("weight = {bad}"), &[&format!("11:10 [{bad}] expected a weight, found")]);
    }
    assert_eq!(backend("weight = 0").weight, 0);
    refused("chunk_tokens = 1_000_001", &["11:16 [1_000_001] tokens in a chunk can be at most"]);
}

#[test]
fn outages() {
    let fault =
        |keys: &str| format!("[[fault]]\nat = \"1s\"\nbackend = {{ name = \"opus\"{keys} }}");
    let sim = with(&fault(", retry_after = { raw = \"soon\" }"));
    let FaultKind::Backend { retry_after, errors, first_token, .. } = &sim.faults[0].kind else {
        panic!("an outage")
    };
    assert_eq!(*retry_after, Some(RetryAfter::Raw("soon".to_owned())));
    assert_eq!((errors, first_token), (&None, &None));
    check_tables(
        &fault(""),
        &["11:11 [{ name = \"opus\" }] the backend stays as it is | set errors, retry_after"],
    );
    check_tables(
        &fault(", retry_after = { ms = \"1s\", date = \"1s\" }"),
        &["11:42 [{ ms = \"1s\", date = \"1s\" }] a Retry-After is said in exactly one way"],
    );
}
