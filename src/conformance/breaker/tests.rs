//! The cases of breakers, windows and outliers that are kept here.

use crate::conformance::{Case, Verdict, parse, run};

/// The first cases of this family that are kept here.
const FIRST: &str = include_str!("../../../tests/conformance/breaker.json");
const MORE: &str = include_str!("../../../tests/conformance/breaker_more.json");

#[test]
fn the_kept_cases_pass() {
    let cases: Vec<Case> = [FIRST, MORE].into_iter().flat_map(|it| parse(it).unwrap()).collect();
    let failed: Vec<String> = cases
        .iter()
        .map(|case| (case, run(case)))
        .filter(|(_, verdict)| *verdict != Verdict::Passed)
        .map(|(case, verdict)| format!("{}: {verdict:?}", case.id))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Every expectation of the first of them can fail.
#[test]
fn the_kept_cases_can_fail() {
    for case in &parse(FIRST).unwrap() {
        for at in 0..case.expect.len() {
            for name in case.expect[at].values.keys() {
                let mut wrong = case.clone();
                wrong.expect[at].values[name] = "something else".into();
                assert!(matches!(run(&wrong), Verdict::Failed(_)), "{}: {name}", case.id);
            }
        }
    }
}

#[test]
fn nothing_is_passed_over() {
    let run = |config: &str, step: &str, expect: &str| {
        let text = format!(
            r#"[{{"id": "x", "kind": "circuit_breaker", "config": {{{config}}},
                "steps": [{{"at_ms": 0, {step}}}], "expect": [{{"after_step": 0, {expect}}}]}}]"#
        );
        run(&parse(&text).unwrap()[0])
    };
    let (config, step, expect) =
        (r#""dialect": "polly""#, r#""event": "success""#, r#""state": "CLOSED""#);
    assert_eq!(run(config, step, expect), Verdict::Passed);
    let unsupported = [
        run(r#""dialect": "hystrix""#, step, expect),
        run(r#""dialect": "polly", "colour": "red""#, step, expect),
        run(r#""dialect": "gobreaker", "trip": "requests >=""#, step, expect),
        run(r#""dialect": "gobreaker", "trip": "requests >= 3 3""#, step, expect),
        run(r#""dialect": "gobreaker", "trip": "(requests >= 3""#, step, expect),
        run(r#""dialect": "gobreaker", "trip": "moods >= 3""#, step, expect),
        run(r#""dialect": "failsafe", "failure_threshold": [1, 2, 3]"#, step, expect),
        run(r#""dialect": "failsafe", "failure_rate_threshold": [1, 2, 3, 4]"#, step, expect),
        run(r#""dialect": "failsafe", "delay_func_ms": ["soon"]"#, step, expect),
        run(r#""dialect": "polly", "break_ms": -1"#, step, expect),
        run(r#""dialect": "gobreaker", "is_successful": "at times""#, step, expect),
        run(config, r#""event": "success:NumberFormatException""#, expect),
        run(config, r#""event": "success", "node": "a""#, expect),
        run(config, r#""event": "dance""#, expect),
        run(config, r#""event": "success", "mood": "good""#, expect),
        run(config, r#""event": "transition:AJAR""#, expect),
        run(config, step, r#""mood": "good""#),
    ];
    for verdict in unsupported {
        assert!(matches!(verdict, Verdict::Unsupported(_)), "{verdict:?}");
    }
}
