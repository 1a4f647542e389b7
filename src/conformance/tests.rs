//! What counts as the same, what counts as unsupported, and which files are refused.

use serde_json::json;

use super::*;

fn cases(text: &Value) -> Result<Vec<Case>, CasesError> {
    parse(&text.to_string())
}

/// A case of one check that returns unhealthy, with these expectations.
fn case(expect: Value) -> Value {
    json!({
        "id": "a",
        "kind": "health",
        "steps": [{ "at_ms": 0, "event": "check", "check_returns": "UNHEALTHY" }],
        "expect": [expect],
    })
}

fn verdict(case: &Value) -> Verdict {
    run(&cases(&json!([case])).unwrap()[0])
}

fn with(mut case: Value, key: &str, value: Value) -> Value {
    case[key] = value;
    case
}

#[test]
fn whole_numbers_are_exact_and_fractions_nearly_so() {
    for (a, b, equal) in [
        (json!(1), json!(1), true),
        (json!(10_000_000), json!(10_000_001), false),
        (json!(u64::MAX), json!(u64::MAX - 1), false),
        (json!(-1), json!(-1), true),
        (json!(70), json!(70.0), true),
        (json!(33.333_332), json!(33.333_333_3), true),
        (json!(33.333), json!(33.334), false),
        (json!(0.000_001), json!(0), true),
        (json!(0.000_002), json!(0), false),
        (json!(1), json!(true), false),
        (json!(null), json!(null), true),
        (json!(null), json!(0), false),
        (json!([1, 2]), json!([1, 2.0]), true),
        (json!([1, 2]), json!([1]), false),
        (json!([1, 2]), json!([2, 1]), false),
        (json!({ "a": 1 }), json!({ "a": 1.0 }), true),
        (json!({ "a": 1 }), json!({ "b": 1 }), false),
        (json!({ "a": 1 }), json!({ "a": 1, "b": 1 }), false),
    ] {
        assert_eq!(same(&a, &b), equal, "{a} {b}");
        assert_eq!(same(&b, &a), equal, "{b} {a}");
    }
}

#[test]
fn spellings_of_a_word_are_the_same_and_other_texts_are_exact() {
    let same = |a: &str, b: &str| same(&json!(a), &json!(b));
    for spelling in ["HALF_OPEN", "half-open", "HalfOpen", "half_open"] {
        assert!(same(spelling, "half_open"), "{spelling}");
    }
    assert!(!same("half_open", "open") && !same("", "_"));
    assert!(!same("Healing error", "healing error") && !same("00-AB-01", "00-ab-01"));
}

#[test]
fn a_value_may_be_told_in_several_ways() {
    let told = [("n".to_owned(), json!("open")), (format!("n{ALSO}"), json!([true, "refused"]))];
    let seen = Seen::from_iter(told);
    let differs = |wanted: Value| compare(&seen, "n", &wanted).unwrap();
    for way in [json!("open"), json!(true), json!("REFUSED")] {
        assert_eq!(differs(way), None);
    }
    for way in [json!(false), json!(null), json!("closed"), json!([true, "refused"])] {
        assert_eq!(differs(way.clone()), Some(format!("n is \"open\", not {way}")));
    }
}

#[test]
fn ranges_are_inclusive_at_both_ends() {
    let seen = Seen::from_iter([("n".to_owned(), json!(5))]);
    let holds = |name: &str, wanted: Value| compare(&seen, name, &wanted).map(|it| it.is_none());
    for (name, wanted, expected) in [
        ("n_between", json!([5, 5]), true),
        ("n_between", json!([4, 4.999]), false),
        ("n_between", json!([5.001, 6]), false),
        ("n_at_least", json!(5), true),
        ("n_at_least", json!(5.001), false),
        ("n_at_most", json!(5), true),
        ("n_at_most", json!(4.999), false),
    ] {
        assert_eq!(holds(name, wanted.clone()), Ok(expected), "{name} {wanted}");
    }
    for (name, wanted) in [
        ("n_between", json!([5])),
        ("n_between", json!(5)),
        ("n_at_most", json!("5")),
        ("m", json!(5)),
    ] {
        assert!(holds(name, wanted).is_err(), "{name}");
    }
    let text = compare(&seen, "n_at_most", &json!(4)).unwrap().unwrap();
    assert_eq!(text, "n is 5, not at most 4");
}

#[test]
fn a_wrong_value_fails_and_says_where() {
    let good = case(json!({ "after_step": 0, "status": "UNHEALTHY" }));
    assert_eq!(verdict(&good), Verdict::Passed);
    let wrong = case(json!({ "after_step": 0, "status": "HEALTHY" }));
    let difference = r#"after step 0, status is "unhealthy", not "HEALTHY""#;
    assert_eq!(verdict(&wrong), Verdict::Failed(vec![difference.to_owned()]));
}

#[test]
fn what_nobody_understands_makes_a_case_unsupported() {
    let good = case(json!({ "after_step": 0, "status": "UNHEALTHY" }));
    let step = |more: Value| json!([more]);
    for (case, reason) in [
        (with(good.clone(), "kind", json!("magic")), r#"there is no policy of the kind "magic""#),
        (with(good.clone(), "config", json!({ "x": 1 })), r#"nobody understands "x" of config"#),
        (with(good.clone(), "repeat", json!(3)), r#"nobody understands "repeat" of the case"#),
        (
            with(good.clone(), "steps", step(json!({ "event": "dance" }))),
            r#"there is no event "dance""#,
        ),
        (
            with(good.clone(), "steps", step(json!({ "event": "overall", "x": 1 }))),
            r#"nobody understands "x" of step 0"#,
        ),
        (case(json!({ "after_step": 0, "colour": "red" })), r#"nothing tells "colour""#),
    ] {
        assert_eq!(verdict(&case), Verdict::Unsupported(reason.to_owned()));
    }
    let remarks = with(good, "notes", json!("x"));
    assert_eq!(verdict(&with(remarks, "source", json!("x"))), Verdict::Passed);
}

#[test]
fn a_difference_counts_more_than_what_is_not_understood() {
    let wrong = case(json!({ "after_step": 0, "status": "HEALTHY", "colour": "red" }));
    assert!(matches!(verdict(&wrong), Verdict::Failed(_)));
    let check = json!({ "event": "check", "check_returns": "HEALTHY" });
    let later = with(wrong, "steps", json!([check, { "event": "dance" }]));
    let later = with(later, "expect", json!([{ "after_step": 0, "status": "UNKNOWN" }]));
    assert!(matches!(verdict(&later), Verdict::Failed(_)));
}

#[test]
fn broken_files_are_refused() {
    let good = case(json!({ "after_step": 0, "status": "UNHEALTHY" }));
    let refused = |cases_: Value| cases(&cases_).unwrap_err().to_string();
    assert_eq!(cases(&json!([])).unwrap_err(), CasesError::Empty);
    assert!(refused(json!({})).starts_with("not a JSON array of cases: "));
    assert!(refused(json!([{ "id": "a" }])).contains("missing field"));
    assert!(refused(json!([good, good])).contains("another case has the same id"));
    let expect = |expect: Value| refused(json!([with(good.clone(), "expect", expect)]));
    assert_eq!(expect(json!([])), r#"case "a": it expects nothing"#);
    assert!(expect(json!([{ "after_step": 0 }])).contains("it expects nothing"));
    assert!(expect(json!([{ "after_step": 1, "x": 1 }])).contains("after step 1 of 1"));
    let steps = |steps: Value| refused(json!([with(good.clone(), "steps", steps)]));
    assert!(steps(json!([{ "at_ms": 0 }])).contains("has no event"));
    assert!(steps(json!([{ "at_ms": -1, "event": "x" }])).contains("not between 0 and"));
    assert!(steps(json!([{ "at_ms": "0", "event": "x" }])).contains("not a number"));
    let back = json!([{ "at_ms": 2, "event": "x" }, { "at_ms": 1, "event": "x" }]);
    assert!(steps(back).contains("go back in time"));
    let deep = format!("[{{\"x\":{}", "[".repeat(100_000));
    assert!(parse(&deep).unwrap_err().to_string().contains("recursion limit"));
}

#[test]
fn instants_are_exact_to_the_nanosecond() {
    let at = |ms: Value| {
        let steps = json!([{ "at_ms": ms, "event": "x" }]);
        let case = with(case(json!({ "after_step": 0, "x": 1 })), "steps", steps);
        cases(&json!([case])).unwrap()[0].steps[0].at.as_nanos()
    };
    assert_eq!(at(json!(0.000_001)), 1);
    assert_eq!(at(json!(1.5)), 1_500_000);
    assert_eq!(at(json!(9_000_000_000_u64)), 9_000_000_000_000_000);
}
