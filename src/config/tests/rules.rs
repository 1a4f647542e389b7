//! Rules over several fields: when each is broken, where it is told, and that presets keep them.

use crate::config::{Kind, Layers, Preset, Problem, Strategy};

/// Everything that is told of a file.
fn told(text: &str) -> Vec<Problem> {
    match Layers::new().replace_file("x.toml", text) {
        Ok(warnings) => {
            assert!(warnings.iter().all(|it| it.is_warning), "{text}: {warnings:#?}");
            warnings
        }
        Err(refused) => refused.problems,
    }
}

#[track_caller]
fn one(text: &str, kind: Kind, is_warning: bool, line: u32, words: &str) {
    let problems = told(text);
    let found = problems.iter().any(|it| {
        (it.kind, it.is_warning, it.position().0) == (kind, is_warning, line)
            && it.one_line().contains(words)
    });
    assert!(
        found,
        "{text}\nwithout {words:?}: {:#?}",
        problems.iter().map(Problem::one_line).collect::<Vec<_>>()
    );
}

#[test]
fn presets_and_strategies_break_no_rule() {
    for preset in Preset::ALL {
        assert_eq!(told(&format!("preset = \"{preset}\"")), [], "{preset}");
    }
    for strategy in Strategy::ALL {
        assert_eq!(told(&format!("default_strategy = \"{strategy}\"")), [], "{strategy}");
    }
}

#[test]
fn each_rule_is_told_where_it_is_broken_and_not_a_step_before() {
    one(
        "exponential_max = 5\nexponential_min = 5",
        Kind::Contradiction,
        false,
        2,
        "exponential_max = 6",
    );
    assert_eq!(told("exponential_max = 5\nexponential_min = 4.999"), []);
    one(
        "retry_attempts = 7\nmax_delay_seconds = 13\nexponential_max = 10\ncircuit_breaker_threshold = 9",
        Kind::Unusual,
        true,
        2,
        "max_delay_seconds = 14",
    );
    assert_eq!(
        told("retry_attempts = 7\nmax_delay_seconds = 14\ncircuit_breaker_threshold = 9"),
        []
    );
    one("max_delay_seconds = 9", Kind::Contradiction, true, 1, "max_delay_seconds = 10` would do");
    one(
        "retry_attempts = 2\ncircuit_breaker_threshold = 2",
        Kind::Unusual,
        true,
        2,
        "ordinary bad luck",
    );
    one("retry_attempts = 8\ncircuit_breaker_threshold = 10", Kind::Unusual, true, 1, "7 would do");
    one(
        "retry_attempts = 6",
        Kind::Contradiction,
        true,
        1,
        "circuit_breaker_threshold = 8` would do",
    );
    assert_eq!(told("retry_attempts = 5"), []);
    one(
        "half_open_max_calls = 11\nrecovery_timeout = 10",
        Kind::Permissive,
        false,
        2,
        "no protection",
    );
    assert_eq!(told("half_open_max_calls = 10\nrecovery_timeout = 10"), []);
    one(
        "retry_attempts = 7\ncircuit_breaker_threshold = 9\nexponential_max = 120\nmax_delay_seconds = 200",
        Kind::Permissive,
        true,
        4,
        "732 seconds",
    );
    one(
        "preset = \"production\"\ndefault_strategy = \"aggressive\"",
        Kind::Unusual,
        true,
        2,
        "users will see",
    );
    one(
        "preset = \"development\"\ndefault_strategy = \"conservative\"",
        Kind::Unusual,
        true,
        2,
        "makes 5 attempts",
    );
    assert_eq!(
        told("preset = \"development\"\ndefault_strategy = \"conservative\"\nretry_attempts = 3"),
        []
    );
}

#[test]
fn a_rule_is_told_of_an_operation_once_and_only_if_it_is_its_own() {
    let text = "retry_attempts = 6\n[operations.qa]\nrecovery_timeout = 50\n\
                [operations.questions]\nretry_attempts = 9\n";
    let problems = told(text);
    let lines: Vec<_> = problems.iter().map(|it| (it.position().0, it.key.as_str())).collect();
    let own = "operations.questions.retry_attempts";
    assert_eq!(lines, [(1, "retry_attempts"), (5, own), (5, own)], "{problems:#?}");
}
