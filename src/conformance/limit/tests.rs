//! The repository's cases of this family, and what no case may pass over.

use super::super::{Verdict, parse, run};

fn verdict(text: &str) -> Verdict {
    let cases = parse(text).expect("a case");
    run(&cases[0])
}

#[test]
fn every_case_of_the_repository_passes() {
    let cases = parse(include_str!("../../../tests/conformance/limit.json")).expect("cases");
    let failed: Vec<String> = cases
        .iter()
        .map(|case| (&case.id, run(case)))
        .filter(|(_, verdict)| *verdict != Verdict::Passed)
        .map(|(id, verdict)| format!("{id}: {verdict:?}"))
        .collect();
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

#[test]
fn a_wrong_expectation_fails() {
    for (kind, config, event, wrong) in [
        (
            "rate_limiter",
            r#"{"algorithm": "GCRA", "rate_per_s": 1}"#,
            r#""check""#,
            r#""permitted": false"#,
        ),
        ("bulkhead", r#"{"max_concurrent": 1}"#, r#""try_acquire""#, r#""available": 1"#),
        ("quota", r#"{"limit": 10}"#, r#""reserve", "tokens": 4"#, r#""remaining": 7"#),
        ("meters", r#"{"rpm": 2}"#, r#""reserve""#, r#""requests_remaining": 2"#),
        ("agent_type_rate_limit", "{}", r#""request", "agent": "coding""#, r#""status": 429"#),
    ] {
        let case = format!(
            r#"[{{"id": "x", "kind": "{kind}", "config": {config},
                "steps": [{{"event": {event}}}], "expect": [{{"after_step": 0, {wrong}}}]}}]"#
        );
        assert!(matches!(verdict(&case), Verdict::Failed(_)), "{kind}: {:?}", verdict(&case));
    }
}

#[test]
fn what_is_not_understood_makes_a_case_unsupported() {
    for case in [
        r#"{"kind": "rate_limiter", "config": {"algorithm": "magic", "limit": 1}, "steps": [{"event": "check"}]"#,
        r#"{"kind": "rate_limiter", "config": {"algorithm": "GCRA"}, "steps": [{"event": "check"}]"#,
        r#"{"kind": "rate_limiter", "config": {"algorithm": "GCRA", "limit": 1, "moon": 1}, "steps": [{"event": "check"}]"#,
        r#"{"kind": "rate_limiter", "config": {"algorithm": "GCRA", "limit": 1}, "steps": [{"event": "sing"}]"#,
        r#"{"kind": "bulkhead", "config": {"order": "random"}, "steps": [{"event": "enter"}]"#,
        r#"{"kind": "bulkhead", "config": {"fair": false}, "steps": [{"event": "enter"}]"#,
        r#"{"kind": "quota", "config": {"zone": "Mars/Olympus"}, "steps": [{"event": "status"}]"#,
        r#"{"kind": "quota", "config": {}, "steps": [{"event": "settle", "id": "nobody", "used": 1}]"#,
        r#"{"kind": "meters", "config": {}, "steps": [{"event": "release", "id": "nobody"}]"#,
    ] {
        let case = format!(r#"[{case}, "id": "x", "expect": [{{"after_step": 0, "ok": true}}]}}]"#);
        assert!(matches!(verdict(&case), Verdict::Unsupported(_)), "{case}: {:?}", verdict(&case));
    }
}
