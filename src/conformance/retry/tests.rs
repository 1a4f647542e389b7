//! The cases of this family, and what makes a case unsupported.

use crate::conformance::{Verdict, parse, run};

#[test]
fn the_policies_do_what_the_libraries_do() {
    let text = include_str!("../../../tests/conformance/retry.json");
    for case in parse(text).unwrap() {
        assert_eq!(run(&case), Verdict::Passed, "{}", case.id);
    }
}

fn verdict(kind: &str, config: &str, step: &str, expect: &str) -> Verdict {
    let case = format!(
        r#"[{{"id": "x", "kind": "{kind}", "config": {{{config}}}, "steps": [{{{step}}}],
            "expect": [{{"after_step": 0, {expect}}}]}}]"#
    );
    run(&parse(&case).unwrap()[0])
}

#[test]
fn nothing_is_passed_over() {
    let step = r#""event": "delay", "attempt": 1"#;
    let base = r#""initial_ms": 100"#;
    let known = verdict("backoff", base, step, r#""delay_ms": 100"#);
    assert_eq!(known, Verdict::Passed);
    let differs = verdict("backoff", base, step, r#""delay_ms": 101"#);
    assert!(matches!(differs, Verdict::Failed(_)), "{differs:?}");
    let unknown = [
        verdict("backoff", r#""initial_ms": 100, "colour": 1"#, step, r#""delay_ms": 100"#),
        verdict("backoff", base, r#""event": "dance""#, r#""delay_ms": 100"#),
        verdict("backoff", base, step, r#""colour": 100"#),
        verdict("backoff", r#""jitter": "some""#, step, r#""delay_ms": 100"#),
        verdict("retry", r#""client": "nobody""#, r#""event": "failure""#, r#""retry": true"#),
        verdict("retry_throttle", r#""threshold": "max_tokens/3""#, step, r#""tokens": 1"#),
    ];
    for verdict in unknown {
        assert!(matches!(verdict, Verdict::Unsupported(_)), "{verdict:?}");
    }
}
