//! Layers: what is refused changes nothing, and what changes for ever does not grow for ever.

use std::collections::BTreeMap;

use crate::config::{
    Field, Form, Layers, OPERATIONS_MAX, Preset, Reading, RegisterError, Speaker, Strategy,
    detect::Signals, read,
};

fn change(number: u64, text: &str) -> Reading {
    let speaker = Speaker::Change { by: "ops".into(), number };
    read(&format!("change {number}"), text, Form::Toml, &speaker)
}

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut layers = Layers::new();
    assert_eq!(layers.replace_file("x.toml", "retry_attempts = 4"), Ok(Vec::new()));
    let before = layers.clone();
    for text in [
        "retry_attempts = ",
        "retry_attempts = 99",
        "exponential_min = 9\nexponential_max = 6",
        "half_open_max_calls = 20\nrecovery_timeout = 10",
        "",
    ] {
        let refused = layers.replace_file("x.toml", text).expect_err(text);
        assert!(refused.errors().next().is_some(), "{text}");
        assert_eq!(layers, before, "{text}");
    }
    assert!(layers.replace_env(&variables(&[("RESILIENCE_PRESET", "x")])).is_err());
    assert!(layers.change(change(1, "retry_attempts = 0")).is_err());
    assert_eq!(layers, before);
    assert_eq!(layers.config().operation("qa").attempts, 4);
}

#[test]
fn a_layer_that_is_good_alone_is_refused_if_it_does_not_go_with_the_others() {
    let mut layers = Layers::new();
    assert!(layers.replace_file("x.toml", "exponential_min = 8").is_ok());
    let env = variables(&[("RESILIENCE_CUSTOM_CONFIG", "{\"exponential_max\": 7}")]);
    let refused = layers.replace_env(&env).expect_err("8 is above 7").to_string();
    assert!(refused.contains("`exponential_min` is 8 and `exponential_max` is 7"), "{refused}");
    assert!(refused.starts_with("RESILIENCE_CUSTOM_CONFIG:1:1"), "{refused}");
    assert_eq!(layers.config().operation("x").exp_max.as_secs(), 10);
}

#[test]
fn each_layer_beats_the_one_before() {
    let mut layers = Layers::new();
    let attempts = |layers: &Layers| layers.config().operation("x").attempts;
    assert_eq!(attempts(&layers), 3);
    assert!(layers.choose(Preset::Production, "--preset").is_ok());
    assert_eq!(attempts(&layers), 5);
    assert!(layers.change(change(1, "retry_attempts = 2")).is_ok());
    assert_eq!(attempts(&layers), 2, "a change stays over whatever comes below");
    assert!(
        layers.replace_sim(read("sim", "retry_attempts = 7", Form::Toml, &Speaker::Sim)).is_ok()
    );
    assert!(layers.replace_file("x.toml", "preset = \"simple\"\nretry_attempts = 4").is_ok());
    assert!(layers.replace_env(&variables(&[("RETRY_MAX_ATTEMPTS", "6")])).is_ok());
    let from: Vec<String> = layers
        .config()
        .default_scope()
        .why(Field::RetryAttempts)
        .map(|said| format!("{} {}", said.value, said.origin))
        .collect();
    assert_eq!(
        from,
        [
            "3 default",
            "3 preset simple",
            "4 x.toml:2 retry_attempts",
            "6 environment RETRY_MAX_ATTEMPTS (legacy)",
            "7 sim retry_attempts",
            "2 change 1 by ops",
        ]
    );
}

#[test]
fn a_detected_environment_chooses_the_preset_unless_somebody_names_one() {
    let mut layers = Layers::new();
    let env = variables(&[("ENVIRONMENT", "production")]);
    let signals = Signals { variables: Some(&env), hostname: None, files: &[] };
    assert!(layers.detect(&signals).is_ok());
    assert_eq!(layers.config().operation("qa"), &Strategy::Critical.tuning());
    let by = layers.config().chosen_preset().map(|(_, origin)| origin.to_string());
    assert_eq!(by.as_deref(), Some("detected from ENVIRONMENT"));
    assert!(layers.replace_file("x.toml", "preset = \"simple\"").is_ok());
    assert_eq!(layers.config().operation("qa"), &Preset::Simple.tuning());
}

#[test]
fn a_later_change_beats_an_earlier_one_and_voids_it() {
    let mut layers = Layers::new();
    assert!(layers.change(change(1, "retry_attempts = 4")).is_ok());
    assert!(layers.change(change(2, "default_strategy = \"critical\"")).is_ok());
    assert_eq!(layers.config().operation("x"), &Strategy::Critical.tuning());
    assert!(
        layers.change(change(3, "retry_attempts = 5\ndefault_strategy = \"critical\"")).is_ok()
    );
    assert_eq!(layers.config().operation("x").attempts, 5);
    for number in 4..500 {
        let text = format!("operations.qa.retry_attempts = {}", 2 + number % 5);
        assert!(layers.change(change(number, &text)).is_ok());
    }
    let said = layers.config().scope("qa").why(Field::RetryAttempts).count();
    assert_eq!(said, 4, "default, critical, 5, and the last of 496");
}

#[test]
fn operations_registered_at_run_time_stay_when_a_file_is_replaced() {
    let mut layers = Layers::new();
    assert_eq!(layers.register("translate", Some(Strategy::Aggressive), "ops", 1), Ok(()));
    assert_eq!(layers.register("plain", None, "ops", 2), Ok(()));
    assert!(layers.replace_file("x.toml", "retry_attempts = 4").is_ok());
    assert_eq!(layers.config().operation("translate").attempts, 2);
    assert_eq!(layers.config().operation("plain").attempts, 4);
    let known: Vec<&str> = layers.config().operations().map(|(name, _)| name).collect();
    assert_eq!(known, ["plain", "translate"]);
    for number in 2..OPERATIONS_MAX {
        let name = format!("op-{number}");
        assert_eq!(layers.register(&name, None, "ops", 3), Ok(()));
    }
    assert_eq!(layers.register("more", None, "ops", 4), Err(RegisterError::Full));
    let before = layers.clone();
    let refused = layers.replace_file("x.toml", "operations.more.retry_attempts = 4");
    assert!(refused.expect_err("too many").to_string().contains("more than 50 operations"));
    assert_eq!(layers, before);
}
