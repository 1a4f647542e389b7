//! The table of a circuit breaker: what each dialect is given, and what contradicts itself.

use std::time::Duration;

use super::{check, valid};
use crate::policy::breaker::{Dialect, Growth, Settings, Trip, Verdict};
use crate::policy::window::{Align, Shape};

fn sim(keys: &str) -> String {
    format!(
        "purpose = \"p\"\n[[service]]\nname = \"db\"\n[[caller]]\nname = \"api\"\n\
         service = \"db\"\nbreaker = {{ {keys} }}\n"
    )
}

#[track_caller]
fn breaker(keys: &str) -> Settings {
    let settings = valid(&sim(keys)).callers[0].breaker.clone().unwrap();
    assert_eq!(settings.check(), Ok(()));
    settings
}

/// The line of the table is the seventh; its keys begin in column 13.
#[track_caller]
fn refused(keys: &str, expected: &[&str]) {
    check(&sim(keys), expected);
}

#[test]
fn a_dialect_alone_has_its_own_defaults() {
    assert_eq!(breaker(""), Settings::resilience4j());
    for dialect in Dialect::ALL {
        assert_eq!(breaker(&format!("dialect = \"{dialect}\"")), dialect.settings());
    }
}

#[test]
fn each_key_sets_what_it_says() {
    let second = Duration::from_secs(1);
    let r4j = breaker(
        "window = { time = \"20s\" }, failure_rate = \"40%\", minimum_calls = 10, \
         slow_call = \"2s\", slow_rate = 0.8, open_for = \"1s\", open_factor = 1.5, \
         open_max = \"8s\", probes = 3, half_open_max = \"9s\"",
    );
    assert_eq!(r4j.window, Shape::time(20 * second, 20, Align::Clock));
    assert_eq!(r4j.trip, Trip::Rates { failures: Some(400_000), slow: Some(800_000) });
    assert_eq!((r4j.minimum_calls, r4j.slow_after), (10, Some(2 * second)));
    assert_eq!((r4j.wait.base, r4j.wait.growth), (second, Growth::Times(1_500_000)));
    assert_eq!(r4j.wait.max, Some(8 * second));
    let half_open = r4j.half_open.unwrap();
    assert_eq!((half_open.permits, half_open.verdict), (Some(3), Verdict::Trip));
    assert_eq!(half_open.max_wait, Some(9 * second));

    let engined = breaker("dialect = \"engined\", consecutive_failures = 3, successes = 4");
    assert_eq!(engined.trip, Trip::Consecutive(3));
    assert_eq!(engined.half_open.unwrap().verdict, Verdict::Successes(4));

    let polly = breaker("dialect = \"polly\", window = { time = \"10s\" }");
    assert_eq!(polly.window, Shape::time(10 * second, 10, Align::Call));

    let gobreaker = breaker("dialect = \"gobreaker\", window = { time = \"10s\" }, probes = 2");
    assert_eq!(gobreaker.window, Shape::Interval(10 * second));
    assert_eq!(gobreaker.half_open.unwrap().verdict, Verdict::Successes(2));
    let by_rate = breaker("dialect = \"gobreaker\", failure_rate = \"60%\", minimum_calls = 3");
    assert_eq!(by_rate.trip, Trip::Rates { failures: Some(600_000), slow: None });

    let failsafe = breaker("dialect = \"failsafe\", failures = 3, successes = 2, probes = 5");
    assert_eq!((failsafe.trip, failsafe.window), (Trip::Failures(3), Shape::Calls(3)));
    let ratio = Verdict::Ratio { successes: 2, of: 5 };
    assert_eq!(failsafe.half_open.map(|it| (it.permits, it.verdict)), Some((Some(5), ratio)));
    let of_ten = breaker("dialect = \"failsafe\", failures = 3, window = { calls = 10 }");
    assert_eq!((of_ten.trip, of_ten.window), (Trip::Failures(3), Shape::Calls(10)));
}

#[test]
fn what_is_not_said_follows_from_what_is() {
    assert_eq!(breaker("window = { calls = 10 }").minimum_calls, 10);
    assert_eq!(breaker("window = { calls = 200 }").minimum_calls, 100);
}

#[test]
fn a_key_of_another_dialect() {
    refused(
        "dialect = \"engined\", failure_rate = \"50%\"",
        &[
            "7:49 [\"50%\"] the dialect engined has no failure_rate | remove it, or change the dialect",
        ],
    );
    refused("consecutive_failures = 3", &["7:36 [3] the dialect resilience4j has no consecutive"]);
    refused(
        "dialect = \"polly\", window = { calls = 10 }",
        &["7:41 [{ calls = 10 }] the window of polly is a time"],
    );
    refused(
        "dialect = \"poly\"",
        &["7:23 [\"poly\"] unknown value `poly` | did you mean `polly`?"],
    );
    refused("failure_rat = 1", &["7:13 [failure_rat] unknown key `failure_rat`"]);
}

#[test]
fn contradictions() {
    refused(
        "window = { calls = 10 }, minimum_calls = 11",
        &["7:54 [11] minimum_calls is above the window of 10 | write 10"],
    );
    refused("failure_rate = \"0%\"", &["7:28 [\"0%\"] failure_rate is always reached"]);
    refused("failure_rate = \"101%\"", &["7:28 [\"101%\"] "]);
    refused("slow_rate = 0", &["7:25 [0] slow_rate is always reached"]);
    refused("probes = 0", &["7:22 [0] expected a positive integer"]);
    refused("open_for = \"0s\"", &["7:24 [\"0s\"] open_for is nothing"]);
    refused(
        "open_for = \"9s\", open_max = \"1s\"",
        &["7:41 [\"1s\"] open_max is below the first wait | make open_max at least open_for"],
    );
    refused("open_factor = 0.5", &["7:27 [0.5] open_factor makes the wait shorter"]);
    refused("window = {}", &["7:22 [{}] a window is of calls or of time"]);
    refused("window = { time = \"1500ms\" }", &["7:31 [\"1500ms\"] a window is at most a day"]);
    refused("window = { time = \"0s\" }", &["7:22 [{ time = \"0s\" }] window has no length"]);
    refused("window = { calls = 100001 }", &["7:32 [100001] a count of calls can be at most"]);
    refused(
        "dialect = \"gobreaker\", consecutive_failures = 3, failure_rate = \"50%\"",
        &["7:59 [3] [\"50%\"] a breaker opens by one rule"],
    );
    refused(
        "dialect = \"failsafe\", failures = 11, window = { calls = 10 }",
        &["7:46 [11] failures is above the window of 10"],
    );
    refused(
        "dialect = \"failsafe\", successes = 3, probes = 2",
        &["7:47 [3] successes needs more successes than calls"],
    );
}
