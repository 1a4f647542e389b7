//! What old variables come to: exact scores, overrides, warnings, and decisions that stay the same.

use std::time::Duration;

use proptest::prelude::{
    BoxedStrategy, ProptestConfig, any, prop_assert, prop_assert_eq, proptest,
};
use proptest::strategy::Strategy as _;

use super::*;
use crate::config::{
    env::{LEGACY, Old},
    verify::verify,
};

fn vars(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn migrated(pairs: &[(&str, &str)]) -> Migration {
    Migration::new(&vars(pairs))
}

fn permille(migration: &Migration) -> [u64; 3] {
    let mut found = [0; 3];
    for (slot, (_, score)) in found.iter_mut().zip(&migration.scores) {
        *slot = score.permille();
    }
    found
}

#[test]
fn nothing_is_the_simple_preset() {
    let migration = migrated(&[("HOME", "x"), ("RESILIENCE_PRESET", "production")]);
    assert_eq!((migration.preset, migration.confidence), (Preset::Simple, Confidence::High));
    assert_eq!(migration.custom(), None);
    assert_eq!(migration.legacy.config().default_scope().tuning(), &Tuning::default());
    assert_eq!(verify(&migration.legacy.config(), &migration.config(), 20).difference, None);
}

#[test]
fn each_preset_is_found_by_its_own_numbers() {
    for (preset, attempts, threshold, recovery, strategy) in [
        (Preset::Simple, "3", "5", "60", "balanced"),
        (Preset::Development, "2", "3", "30", "aggressive"),
        (Preset::Production, "5", "10", "120", "Conservative "),
    ] {
        let migration = migrated(&[
            ("RETRY_MAX_ATTEMPTS", attempts),
            ("CIRCUIT_BREAKER_FAILURE_THRESHOLD", threshold),
            ("CIRCUIT_BREAKER_RECOVERY_TIMEOUT", recovery),
            ("DEFAULT_RESILIENCE_STRATEGY", strategy),
        ]);
        assert_eq!((migration.preset, migration.confidence), (preset, Confidence::High));
        let place = Preset::ALL.iter().position(|it| *it == preset).unwrap();
        assert_eq!(permille(&migration)[place], 1_000);
    }
}

#[test]
fn scores_are_those_of_the_source_project() {
    // 1 - 1/4, 1 - 2/4, 1 - 1/5.
    assert_eq!(permille(&migrated(&[("RETRY_MAX_ATTEMPTS", "4")])), [750, 500, 800]);
    // (.30 * .75 + .25 * 1) / .55, (.30 * .5 + .25 * .6) / .55, (.30 * .8 + .25 * .5) / .55.
    let two = migrated(&[("RETRY_MAX_ATTEMPTS", "4"), ("CIRCUIT_BREAKER_FAILURE_THRESHOLD", "5")]);
    assert_eq!(permille(&two), [863, 545, 663]);
    // Of two operations production has one as it is, simple has the default for one.
    let operations = migrated(&[
        ("QA_RESILIENCE_STRATEGY", "critical"),
        ("SENTIMENT_RESILIENCE_STRATEGY", "balanced"),
    ]);
    assert_eq!(permille(&operations), [500, 0, 500]);
    assert_eq!((operations.preset, operations.confidence), (Preset::Simple, Confidence::Low));
    // A strategy is right or wrong.
    let critical = migrated(&[("DEFAULT_RESILIENCE_STRATEGY", "critical")]);
    assert_eq!(permille(&critical), [0, 0, 0]);
}

#[test]
fn nine_tenths_are_high_and_seven_tenths_are_medium() {
    let recovery = |value| migrated(&[("CIRCUIT_BREAKER_RECOVERY_TIMEOUT", value)]).confidence;
    assert_eq!(recovery("54"), Confidence::High);
    assert_eq!(recovery("53"), Confidence::Medium);
    assert_eq!(recovery("42"), Confidence::Medium);
    assert_eq!(recovery("21"), Confidence::High.min(Confidence::Medium));
    assert_eq!(recovery("20"), Confidence::Low);
}

#[test]
fn what_differs_is_said_and_nothing_else() {
    let migration = migrated(&[
        ("RETRY_MAX_ATTEMPTS", "3"),
        ("CIRCUIT_BREAKER_FAILURE_THRESHOLD", "6"),
        ("RETRY_MAX_DELAY", "60"),
        ("RETRY_EXPONENTIAL_MULTIPLIER", "1.5"),
        ("QA_RESILIENCE_STRATEGY", "critical"),
    ]);
    assert_eq!(migration.preset, Preset::Simple);
    // The longest delay is the preset's, and said all the same.
    assert_eq!(
        migration.custom().as_deref(),
        Some(
            "{\"circuit_breaker_threshold\":6,\"max_delay_seconds\":60,\
             \"exponential_multiplier\":1.5,\"operation_overrides\":{\"qa\":\"critical\"}}"
        )
    );
}

#[test]
fn a_variable_that_nobody_reads_is_told_with_the_one_that_was_meant() {
    let long = "RETRY_MAX_DELAY".repeat(100);
    let migration = migrated(&[
        ("RETRY_MAX_ATEMPTS", "4"),
        ("RETRY_EXPONENTIAL_MA", "4"),
        ("QA_RESILIENCE_STRATEGY", "critical"),
        ("QA_RESILIENCE_STRATEGI", "critical"),
        ("PATH", "/bin"),
        (&long, "1"),
    ]);
    let told: Vec<_> =
        migration.legacy.misspelt.iter().map(|(name, meant)| (name.as_str(), *meant)).collect();
    let wanted = [
        ("RETRY_EXPONENTIAL_MA", "RETRY_EXPONENTIAL_MAX"),
        ("RETRY_MAX_ATEMPTS", "RETRY_MAX_ATTEMPTS"),
    ];
    assert_eq!(told, wanted, "what is there is not missed");
}

#[test]
fn what_is_no_number_is_skipped_and_listed() {
    let migration = migrated(&[
        ("RETRY_MAX_ATTEMPTS", "planted-secret"),
        ("CIRCUIT_BREAKER_FAILURE_THRESHOLD", "5.5"),
        ("CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "-1"),
        ("RETRY_MAX_DELAY", "99999999999999999999"),
        ("RETRY_EXPONENTIAL_MULTIPLIER", "nan"),
        ("RETRY_EXPONENTIAL_MIN", "inf"),
        ("RETRY_EXPONENTIAL_MAX", ""),
        ("RETRY_JITTER_ENABLED", "perhaps"),
        ("RETRY_JITTER_MAX", "0"),
        ("QA_RESILIENCE_STRATEGY", "bold"),
        ("DEFAULT_RESILIENCE_STRATEGY", &"x".repeat(1_000)),
    ]);
    assert!(migration.legacy.is_empty());
    assert_eq!(migration.legacy.skipped.len(), 11);
    assert_eq!(migration.preset, Preset::Simple);
    let text = migration.write(Form::Env);
    assert!(text.contains("# RETRY_MAX_ATTEMPTS was left out: it is not a whole number"), "{text}");
    assert!(!format!("{migration:?}{text}").contains("planted-secret"));
}

#[test]
fn words_for_true_and_false() {
    for (word, on) in [("true", true), (" YES ", true), ("1", true), ("on", true), ("off", false)] {
        let legacy = Legacy::read(&vars(&[("RETRY_JITTER_ENABLED", word)]));
        assert_eq!(legacy.field(Field::JitterEnabled), Some(Value::Switch(on)), "{word}");
    }
}

#[test]
fn what_is_worth_a_look_is_said() {
    let warnings = |pairs: &[(&str, &str)]| migrated(pairs).warnings;
    let attempts = ("RETRY_MAX_ATTEMPTS", "8");
    let threshold = |value| ("CIRCUIT_BREAKER_FAILURE_THRESHOLD", value);
    assert_eq!(warnings(&[("RETRY_MAX_ATTEMPTS", "7"), threshold("7")]), []);
    assert_eq!(warnings(&[attempts]), [Warning::ManyAttempts]);
    assert_eq!(warnings(&[threshold("2")]), [Warning::NervousBreaker]);
    let all = warnings(&[attempts, threshold("2"), ("DEFAULT_RESILIENCE_STRATEGY", "aggressive")]);
    let above = Warning::AttemptsAboveThreshold;
    let aggressive = Warning::AggressiveDefault;
    assert_eq!(all, [Warning::ManyAttempts, Warning::NervousBreaker, above, aggressive]);
}

#[test]
fn what_may_not_be_said_now_is_told_and_never_sure() {
    let same = [
        ("RETRY_MAX_ATTEMPTS", "3"),
        ("CIRCUIT_BREAKER_FAILURE_THRESHOLD", "5"),
        ("RETRY_MAX_DELAY", "1000"),
    ];
    let migration = migrated(&same);
    assert_eq!(permille(&migration)[0], 1_000);
    assert_eq!(migration.confidence, Confidence::Medium);
    let clamped = Clamped {
        operation: None,
        field: Field::MaxDelaySeconds,
        was: Value::Span(Duration::from_secs(1_000)),
        is: Value::Span(Duration::from_secs(600)),
    };
    assert_eq!(migration.clamped, [clamped]);
    let text = migration.write(Form::Bash);
    assert!(text.contains("# max_delay_seconds was 1000, which is not allowed now: it is 600."));
}

#[test]
fn the_presets_own_operations_stay_as_they_were() {
    // Production has five operations of its own; the variables of old say nothing of them.
    let migration = migrated(&[
        ("RETRY_MAX_ATTEMPTS", "5"),
        ("CIRCUIT_BREAKER_FAILURE_THRESHOLD", "10"),
        ("CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "120"),
    ]);
    assert_eq!((migration.preset, migration.confidence), (Preset::Production, Confidence::High));
    let (old, new) = (migration.legacy.config(), migration.config());
    assert_eq!(new.operation("qa"), old.operation("qa"));
    assert_eq!(new.operation("qa").attempts, 5);
    assert_eq!(verify(&old, &new, 20).difference, None);
    // Were they not said, the critical strategy of qa would be seen.
    let careless = Migration { operations: BTreeMap::new(), ..migration };
    let difference = verify(&old, &careless.config(), 20).difference.expect("a difference");
    assert_eq!(difference.operation, "key_points");
}

#[test]
fn variables_are_found_in_whatever_sets_them() {
    let text = "# RETRY_MAX_ATTEMPTS=9\n\
        export RETRY_MAX_ATTEMPTS=4 # four\n\
        API_KEY=planted-secret\n\
        - CIRCUIT_BREAKER_FAILURE_THRESHOLD=6\n\
        - \"CIRCUIT_BREAKER_RECOVERY_TIMEOUT=70\"\n\
        docker run -e RETRY_MAX_DELAY=1 x\n\
        \x20 -e RETRY_MAX_DELAY=33 \\\n\
        RETRY_EXPONENTIAL_MIN: '2.5'\n\
        RETRY_EXPONENTIAL_MAX = \"12\"\n\
        RETRY_JITTER_MAX\n\
        QA_RESILIENCE_STRATEGY='cri'\\''tical'\r\n\
        RETRY_MAX_ATTEMPTS=5\n";
    let found = variables(text).unwrap();
    let expected = vars(&[
        ("CIRCUIT_BREAKER_FAILURE_THRESHOLD", "6"),
        ("CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "70"),
        ("QA_RESILIENCE_STRATEGY", "cri'tical"),
        ("RETRY_EXPONENTIAL_MAX", "12"),
        ("RETRY_EXPONENTIAL_MIN", "2.5"),
        ("RETRY_MAX_ATTEMPTS", "5"),
        ("RETRY_MAX_DELAY", "33"),
    ]);
    assert_eq!(found, expected);
}

#[test]
fn a_text_that_cannot_be_read_is_refused() {
    let huge = "RETRY_MAX_DELAY=1\n".repeat(1_000_000);
    assert_eq!(variables(&huge), Err(TextError::TooLarge));
    let open = variables("A=1\nRETRY_MAX_DELAY='1\n").expect_err("open");
    assert_eq!(open, TextError::Open { line: 2, variable: "RETRY_MAX_DELAY".to_owned() });
    assert!(matches!(variables("RETRY_MAX_DELAY=\"1"), Err(TextError::Open { line: 1, .. })));
    let hidden = variables("RETRY_MAX_DELAY=1\u{200b}");
    assert!(matches!(hidden, Err(TextError::Invisible { line: 1, .. })));
}

/// Old environments as people may have had them: values that both the old and the new code take.
fn environment() -> impl proptest::strategy::Strategy<Value = BTreeMap<String, String>> {
    let number = |low: u32, high: u32| (low..=high).prop_map(|it| it.to_string());
    let decimal =
        |low: u32, high: u32| (low..=high).prop_map(|it| format!("{}.{}", it / 10, it % 10));
    let strategy =
        || proptest::sample::select(Strategy::ALL.to_vec()).prop_map(|it| it.as_str().to_owned());
    let maybe = |it: BoxedStrategy<String>| proptest::option::of(it).boxed();
    let flags = proptest::sample::select(vec!["true", "false", "no", "1"]);
    let values: Vec<BoxedStrategy<Option<String>>> = vec![
        maybe(number(1, 10).boxed()),
        maybe(number(1, 20).boxed()),
        maybe(number(10, 300).boxed()),
        maybe(strategy().boxed()),
        maybe(number(5, 600).boxed()),
        maybe(decimal(1, 50).boxed()),
        maybe(decimal(5, 100).boxed()),
        maybe(decimal(101, 1_200).boxed()),
        maybe(flags.prop_map(str::to_owned).boxed()),
        maybe(decimal(1, 100).boxed()),
        maybe(strategy().boxed()),
        maybe(strategy().boxed()),
        maybe(strategy().boxed()),
        maybe(strategy().boxed()),
        maybe(strategy().boxed()),
    ];
    values.prop_map(|values| {
        let pairs = LEGACY.iter().zip(values);
        let pairs = pairs.filter_map(|((name, _), value)| Some(((*name).to_owned(), value?)));
        pairs.collect::<BTreeMap<String, String>>()
    })
}

/// What holds for each operation of any preset and for all others.
fn tunings(config: &Config) -> Vec<Tuning> {
    let names = crate::config::preset::OPERATIONS.into_iter().chain(["another"]);
    names.map(|name| *config.operation(name)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Both drive the policies to the same decisions, or the confidence is not high.
    #[test]
    fn decisions_stay_the_same_or_it_is_not_sure(environment in environment()) {
        let migration = Migration::new(&environment);
        let verified = verify(&migration.legacy.config(), &migration.config(), 2);
        prop_assert!(migration.legacy.skipped.is_empty());
        prop_assert!(
            verified.difference.is_none() || migration.confidence != Confidence::High,
            "{verified}"
        );
        // What may be said now is said exactly, however far from any preset.
        prop_assert_eq!(verified.difference.is_none(), migration.clamped.is_empty());
    }

    /// What is written, read back, is the same configuration, whatever it is written for.
    #[test]
    fn what_is_written_is_read_back(environment in environment()) {
        let migration = Migration::new(&environment);
        let wanted = migration.config();
        if migration.refused.is_some() {
            // Old variables could say a shortest pause that was not below the longest.
            prop_assert!(migration.confidence != Confidence::High);
            prop_assert!(Layers::new().replace_file("x.toml", &migration.write(Form::Toml)).is_err());
            return Ok(());
        }
        for form in [Form::Bash, Form::Env, Form::Docker] {
            let text = migration.write(form);
            let found = variables(&text).unwrap();
            let mut layers = Layers::new();
            prop_assert!(layers.replace_env(&found).is_ok(), "{}", text);
            prop_assert_eq!(tunings(layers.config()), tunings(&wanted), "{}", text);
            // Beside the variables of old, which somebody forgot to take away, too.
            let both: BTreeMap<_, _> = environment.clone().into_iter().chain(found).collect();
            prop_assert!(layers.replace_env(&both).is_ok());
            prop_assert_eq!(tunings(layers.config()), tunings(&wanted));
        }
        let mut layers = Layers::new();
        let text = migration.write(Form::Toml);
        prop_assert!(layers.replace_file("x.toml", &text).is_ok(), "{}", text);
        prop_assert_eq!(tunings(layers.config()), tunings(&wanted));
    }

    /// The same for values that may not be said now.
    #[test]
    fn wild_values_never_change_decisions_unnoticed(
        environment in environment(),
        wild in proptest::collection::btree_map(0..10_usize, 1..2_000_u32, 0..4),
    ) {
        let mut environment = environment;
        for (place, value) in wild {
            if let Some((name, Old::Field(field))) = LEGACY.get(place)
                && *field != Field::JitterEnabled
            {
                environment.insert((*name).to_owned(), value.to_string());
            }
        }
        let migration = Migration::new(&environment);
        let verified = verify(&migration.legacy.config(), &migration.config(), 2);
        if verified.difference.is_some() {
            prop_assert!(migration.confidence != Confidence::High);
            prop_assert!(!migration.clamped.is_empty());
        }
    }

    /// Bytes of all kinds are read without a panic, and only what is asked for is kept.
    #[test]
    fn any_text_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for text in [text.clone(), format!("export RETRY_MAX_DELAY={text}")] {
            if let Ok(found) = variables(&text) {
                let _ = Migration::new(&found).write(Form::Bash);
            }
        }
    }
}
