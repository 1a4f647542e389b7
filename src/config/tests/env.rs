//! The environment: two new variables, fifteen of old, and those that are nearly ours.

use std::{collections::BTreeMap, time::Duration};

use crate::config::{
    Config, Kind, Preset, Problem, Reading, Strategy, Tuning,
    env::{LEGACY, read_env, switch},
};

fn env(pairs: &[(&str, &str)]) -> Reading {
    let variables: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    read_env(&variables)
}

/// What it comes to, and the problems that are not just that a variable is one of old.
fn result(pairs: &[(&str, &str)]) -> (Config, Vec<Problem>) {
    let reading = env(pairs);
    let problems = reading.problems.into_iter().filter(|it| it.kind != Kind::Legacy).collect();
    (Config::new(reading.statements), problems)
}

#[test]
fn all_variables_of_old_hold_and_are_told() {
    let values = [
        "4",
        "6",
        "90",
        "Conservative",
        "45.5",
        "0.7",
        "1.5",
        "20",
        "ON",
        "3",
        "critical",
        "balanced",
        "aggressive",
        "conservative",
        "critical",
    ];
    let pairs: Vec<(&str, &str)> =
        LEGACY.iter().map(|(variable, _)| *variable).zip(values).collect();
    let reading = env(&pairs);
    let told = |it: &Problem| it.kind == Kind::Legacy && it.is_warning;
    assert_eq!(reading.problems.iter().filter(|it| told(it)).count(), 15);
    let config = Config::new(reading.statements);
    let millis = Duration::from_millis;
    assert_eq!(
        config.operation("other"),
        &Tuning {
            attempts: 4,
            max_delay: millis(45_500),
            multiplier: 700,
            exp_min: millis(1_500),
            exp_max: millis(20_000),
            jitter: Some(millis(3_000)),
            failure_threshold: 6,
            recovery: millis(90_000),
            half_open_calls: 1,
        }
    );
    for (operation, strategy) in [
        ("summarize", Strategy::Critical),
        ("key_points", Strategy::Aggressive),
        ("qa", Strategy::Critical),
    ] {
        assert_eq!(config.operation(operation), &strategy.tuning(), "{operation}");
    }
}

#[test]
fn a_variable_of_old_that_is_no_number_is_warned_of_skipped_and_listed() {
    let (config, problems) = result(&[
        ("RETRY_MAX_ATTEMPTS", "many"),
        ("RETRY_JITTER_ENABLED", "perhaps"),
        ("DEFAULT_RESILIENCE_STRATEGY", "balancd"),
        ("RETRY_MAX_DELAY", "50"),
    ]);
    assert_eq!(config.operation("x").attempts, 3);
    assert_eq!(config.operation("x").max_delay, Duration::from_secs(50));
    assert!(problems.iter().all(|it| it.is_warning && it.why.contains("skipped")), "{problems:#?}");
    let told: Vec<String> = problems.iter().map(Problem::one_line).collect();
    assert_eq!(told.len(), 3);
    assert!(
        told[0].contains("RETRY_MAX_ATTEMPTS is \"many\"") && told[0].ends_with("3 would do"),
        "{told:?}"
    );
    assert!(told[1].ends_with("DEFAULT_RESILIENCE_STRATEGY=balanced would do"), "{told:?}");
}

#[test]
fn one_that_is_out_of_range_is_refused() {
    let (_, problems) =
        result(&[("RETRY_MAX_ATTEMPTS", "100000"), ("RETRY_EXPONENTIAL_MIN", "99")]);
    let kinds: Vec<_> = problems.iter().map(|it| (it.kind, it.is_warning)).collect();
    assert_eq!(kinds, [(Kind::Unbounded, false), (Kind::Range, false)]);
}

#[test]
fn newer_variables_override_older_ones_whatever_they_say() {
    let (config, problems) = result(&[
        ("RESILIENCE_PRESET", "production"),
        ("RETRY_MAX_ATTEMPTS", "9"),
        ("CIRCUIT_BREAKER_FAILURE_THRESHOLD", "7"),
        (
            "RESILIENCE_CUSTOM_CONFIG",
            "{\"default_strategy\": \"critical\", \"recovery_timeout\": 50}",
        ),
    ]);
    assert_eq!(problems, []);
    let recovery = Duration::from_secs(50);
    assert_eq!(config.operation("x"), &Tuning { recovery, ..Strategy::Critical.tuning() });
    let from: Vec<String> = config
        .default_scope()
        .why(crate::config::Field::RetryAttempts)
        .map(|said| said.origin.to_string())
        .collect();
    assert_eq!(
        from,
        [
            "default",
            "preset production",
            "environment RETRY_MAX_ATTEMPTS (legacy)",
            "environment RESILIENCE_CUSTOM_CONFIG default_strategy",
        ]
    );
    assert_eq!(config.chosen_preset().map(|(preset, _)| preset), Some(Preset::Production));
}

#[test]
fn what_is_wrong_with_the_new_ones_is_told_with_its_place() {
    let (_, problems) = result(&[
        ("RESILIENCE_PRESET", "Produktion"),
        ("RESILIENCE_CUSTOM_CONFIG", "{\"retry_attempts\": 3,\n \"recovery\": 60}"),
        ("RESILIENCE_CUSTOM_CONFG", "{}"),
        ("PATH", "/bin"),
    ]);
    let told: Vec<String> = problems.iter().map(Problem::one_line).collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(
        told[0].starts_with("RESILIENCE_PRESET:1:1: ")
            && told[0].ends_with("did you mean `production`?"),
        "{told:?}"
    );
    assert!(told[1].starts_with("RESILIENCE_CUSTOM_CONFIG:2:2: the key `recovery`"), "{told:?}");
    assert!(told[2].contains("did you mean RESILIENCE_CUSTOM_CONFIG?") && problems[2].is_warning);
    let (_, problems) = result(&[("RESILIENCE_CUSTOM_CONFIG", &" ".repeat(5_000))]);
    assert_eq!(problems.first().map(|it| it.kind), Some(Kind::TooLarge));
    let (config, problems) = result(&[("RETRY_MAX_ATTEMPTS", "4\u{200b}")]);
    assert_eq!(problems.first().map(|it| it.kind), Some(Kind::Invisible));
    assert_eq!(config.operation("x").attempts, 3);
}

#[test]
fn switches_are_the_words_of_the_source() {
    for on in ["true", "1", "YES", "On"] {
        assert_eq!(switch(on), Some(true));
    }
    for off in ["false", "0", "no", "OFF"] {
        assert_eq!(switch(off), Some(false));
    }
    assert_eq!(switch("2"), None);
}
