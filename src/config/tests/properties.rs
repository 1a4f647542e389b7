//! What holds of any text: no panic, no end without a word, and nothing out of range in force.

use proptest::prelude::*;

use crate::config::{
    Config, Field, Form, Layers, OPERATIONS_MAX, Speaker, Strategy, Value, detect::recommend,
    field::Range, read, schema,
};

/// Texts that are nearly configurations.
fn nearly() -> impl Strategy_<Value = String> {
    let key = prop_oneof![
        Just("preset"),
        Just("default_strategy"),
        Just("operations.qa"),
        Just("name"),
        Just("operation_overrides"),
        Just("retry_attempts"),
        Just("jitter_max"),
        Just("exponential_min"),
        Just("exponential_max"),
        Just("jitter_enabled"),
        Just("x"),
    ];
    let value = prop_oneof![
        Just("\"production\"".to_owned()),
        Just("\"critical\"".to_owned()),
        Just("true".to_owned()),
        Just("{ qa = \"critical\" }".to_owned()),
        Just("[[[]]]".to_owned()),
        Just("1e999".to_owned()),
        Just("nan".to_owned()),
        Just("{ retry_attempts = 2 }".to_owned()),
        (-5_i32..200).prop_map(|n| n.to_string()),
        (0_u32..200_000).prop_map(|n| format!("{}.{:03}", n / 1_000, n % 1_000)),
        "\\PC{0,12}".prop_map(|text| format!("{text:?}")),
    ];
    proptest::collection::vec((key, value), 0..8)
        .prop_map(|pairs| pairs.iter().map(|(key, value)| format!("{key} = {value}\n")).collect())
}

use proptest::strategy::Strategy as Strategy_;

fn in_range(field: Field, value: Value) -> bool {
    match (field.range(), value) {
        (Range::Counts(least, most), Value::Count(count)) => (least..=most).contains(&count),
        (Range::Millis(least, most), Value::Span(span)) => {
            (u128::from(least)..=most.into()).contains(&span.as_millis())
        }
        (Range::Permille(least, most), Value::Permille(it)) => (least..=most).contains(&it),
        (Range::Switch, Value::Switch(_)) => true,
        _ => false,
    }
}

/// That what is in force can be.
fn sound(config: &Config) -> Result<(), TestCaseError> {
    prop_assert!(config.operations().count() <= OPERATIONS_MAX);
    let scopes = config.operations().map(|(_, scope)| scope).chain([config.default_scope()]);
    for scope in scopes {
        let tuning = scope.tuning();
        for field in Field::ALL {
            let off = field == Field::JitterMax && tuning.jitter.is_none();
            prop_assert!(off || in_range(field, field.of(tuning)), "{field}: {tuning:?}");
            prop_assert!(scope.why(field).next_back().is_some());
        }
        prop_assert!(tuning.exp_min < tuning.exp_max);
        prop_assert_eq!(tuning.breaker().check(), Ok(()));
        let (low, high) = tuning.retry().bounds(1, std::time::Duration::ZERO);
        prop_assert!(low <= high && high <= tuning.max_delay);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        for form in [Form::Toml, Form::Json] {
            let reading = read("x", &text, form, &Speaker::File);
            prop_assert!(!reading.statements.is_empty() || !reading.problems.is_empty());
            for problem in &reading.problems {
                prop_assert!(problem.source.text().get(problem.place.clone()).is_some(), "{problem:?}");
                prop_assert!(!problem.one_line().is_empty());
            }
        }
    }

    #[test]
    fn what_is_taken_is_sound_and_what_is_refused_changes_nothing(
        texts in proptest::collection::vec(nearly(), 1..4),
    ) {
        let mut layers = Layers::new();
        for text in texts {
            let before = layers.clone();
            match layers.replace_file("x.toml", &text) {
                Ok(_) => sound(layers.config())?,
                Err(refused) => {
                    prop_assert!(refused.errors().next().is_some());
                    prop_assert_eq!(&layers, &before);
                }
            }
        }
    }

    #[test]
    fn json_is_read_as_serde_json_reads_it(text in "[\\[\\]{}\",:0-9a-ftrul\\\\ .eE+-]{0,24}") {
        // Places aside, whatever one parser takes the other takes; keys that come twice and depth
        // beyond ten are ours alone to refuse.
        let ours = crate::config::tree::parse_json(&text);
        let theirs: Result<serde_json::Value, _> = serde_json::from_str(&text);
        match ours {
            // A number beyond all floats is no error of syntax.
            Ok(_) => prop_assert!(theirs.is_ok() || text.contains(['e', 'E']), "{text}: {theirs:?}"),
            Err(broken) => prop_assert!(
                theirs.is_err()
                    || broken.iter().all(|it| it.is_deep || it.what.contains("comes twice")),
                "{text}: {broken:?}"
            ),
        }
    }

    #[test]
    fn a_name_without_a_known_word_is_no_environment(name in "[a-z]{3,12}(-[0-9]{1,3})?") {
        let words = ["dev", "develop", "development", "local", "localhost", "test", "tests",
            "testing", "sandbox", "demo", "stag", "stage", "staging", "stg", "preprod", "uat",
            "integration", "prod", "production", "live", "release", "stable", "main", "master"];
        let word = name.split('-').next().unwrap_or_default();
        prop_assert_eq!(recommend(&name).2 == 40, !words.contains(&word));
    }
}

#[test]
fn the_schema_has_every_key_that_is_read_and_no_other() {
    let schema = schema();
    let all = schema["properties"].as_object().expect("keys");
    assert_eq!(all.len(), Field::ALL.len() + 6);
    for (key, rule) in all {
        let value = match (rule["type"].as_str(), rule["enum"].as_array()) {
            (_, Some(names)) => names[0].to_string(),
            (Some("integer" | "number"), _) => rule["minimum"].to_string(),
            (Some("boolean"), _) => "true".to_owned(),
            (Some("string"), _) => "\"ours\"".to_owned(),
            _ => "{\"qa\": \"critical\"}"
                .replace("\"critical\"", if key == "operations" { "{}" } else { "\"critical\"" }),
        };
        let text = format!("{{\"default_strategy\": \"balanced\", \"{key}\": {value}}}");
        let text = if key == "default_strategy" { format!("{{\"{key}\": {value}}}") } else { text };
        let reading = read("x.json", &text, Form::Json, &Speaker::File);
        assert_eq!(reading.problems, [], "{text}");
    }
    let strategies = all["default_strategy"]["enum"].as_array().expect("names").len();
    assert_eq!(strategies, Strategy::ALL.len());
}
