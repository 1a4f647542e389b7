//! The checks on requests on their way: each is fed what a gateway once did.

use super::*;
use crate::stack::{Alternative, Alternatives};

/// A stack whose router asks `opus`, then `sonnet`, and whatever more it is told.
fn fed(router: &str, tables: &str) -> Fed {
    let chain = format!("primary = \"opus\"\nfallback = [\"sonnet\"]\n{router}");
    let text = STACK.replace("primary = \"opus\"", &chain);
    let text = format!("{text}\n[[backend]]\nname = \"sonnet\"\n{tables}");
    let mut fed =
        Fed { watch: Watch::new(&parse("sims/test.toml", &text).unwrap()).unwrap(), seq: 0 };
    fed.started(0, 1);
    fed
}

fn failed_with(model: &str, attempt: u32, cause: &'static str, status: Option<u16>) -> Event {
    Event::AttemptFailed {
        request: request(1),
        model: model.into(),
        attempt,
        cause,
        class: "transient",
        status,
        budget_ms: None,
        retry_after_ms: None,
    }
}

fn skipped(model: &str) -> Event {
    Event::AttemptSkipped { request: request(1), model: model.into(), reason: "circuit_open" }
}

fn gave_up(attempts: u32, code: &'static str, causes: &[(&str, &'static str)]) -> Event {
    let cause = |(model, why): &(&str, &'static str)| Alternative {
        model: (*model).into(),
        why,
        tried: true,
    };
    Event::RequestFailed {
        request: request(1),
        code,
        attempts,
        fallback_attempts: causes.len(),
        causes: Alternatives(causes.iter().map(cause).collect()),
        retry_after_ms: None,
    }
}

#[test]
fn a_request_that_comes_back_to_a_model_is_found() {
    let history = |third: &str| {
        let mut fed = fed("", "");
        for (number, model) in [(1, "opus"), (2, "opus"), (3, "sonnet"), (4, third)] {
            fed.emit(1, &attempt(1, model, number)).emit(1, &failed(1, model, number, None));
        }
        fed.failure("each_model_in_one_round")
    };
    assert_eq!(history("sonnet"), None);
    assert_eq!(history("opus").unwrap(), "rust/1 came back to opus at 0.001s, after another one");
    // An agent that asks again begins anew.
    let mut fed = fed("", "");
    fed.emit(1, &attempt(1, "opus", 1)).emit(1, &attempt(1, "sonnet", 2));
    fed.emit(1, &gave_up(2, "deadline_exceeded", &[])).emit(2, &attempt(1, "opus", 1));
    assert_eq!(fed.failure("each_model_in_one_round"), None);
}

#[test]
fn a_wait_for_nothing_is_found() {
    let history = |announces: bool, at_ms: u64, next: &Event| {
        let mut fed = fed("", "");
        fed.emit(1, &attempt(1, "opus", 1)).emit(5, &failed(1, "opus", 1, None));
        if announces {
            fed.emit(5, &scheduled("opus", 1));
        }
        fed.emit(at_ms, next).failure("no_wait_without_a_retry")
    };
    let (again, other) = (attempt(1, "opus", 2), attempt(1, "sonnet", 2));
    let end = gave_up(1, "all_models_failed", &[]);
    assert_eq!(history(true, 6, &again), None);
    assert_eq!(history(false, 5, &other), None);
    assert_eq!(history(false, 5, &end), None);
    assert!(history(false, 6, &other).is_some());
    assert!(history(false, 6, &end).is_some());
}

#[test]
fn a_retry_of_what_stays_wrong_is_found() {
    let history = |status, next: &str| {
        let mut fed = fed("", "");
        fed.emit(1, &attempt(1, "opus", 1));
        fed.emit(1, &failed_with("opus", 1, "credential", Some(status)));
        fed.emit(1, &attempt(1, next, 2)).failure("no_retry_of_a_final_error")
    };
    assert_eq!(history(401, "sonnet"), None);
    assert_eq!(history(529, "opus"), None);
    assert!(history(401, "opus").unwrap().contains("answered with 401"));
    assert!(history(400, "opus").is_some());
}

#[test]
fn a_model_that_nobody_speaks_of_is_found() {
    const CHECK: &str = "no_model_left_out";
    let asked = attempt(1, "sonnet", 1);
    assert!(fed("", "").emit(1, &asked).failure(CHECK).unwrap().contains("why not opus"));
    assert_eq!(fed("", "").emit(1, &skipped("opus")).emit(1, &asked).failure(CHECK), None);
    // Another strategy has another order.
    assert_eq!(fed("strategy = \"cost\"", "").emit(1, &asked).failure(CHECK), None);
    let mut one = fed("", "");
    one.emit(1, &attempt(1, "opus", 1)).emit(1, &failed(1, "opus", 1, None));
    one.emit(1, &gave_up(1, "all_models_failed", &[]));
    assert!(one.failure(CHECK).unwrap().contains("nobody asked sonnet"));
    let mut both = fed("", "");
    both.emit(1, &attempt(1, "opus", 1)).emit(1, &failed(1, "opus", 1, None));
    both.emit(1, &skipped("sonnet")).emit(1, &gave_up(1, "all_models_failed", &[]));
    assert_eq!(both.failure(CHECK), None);
}

#[test]
fn an_error_that_is_not_the_last_is_found() {
    let history = |told: &'static str| {
        let mut fed = fed("", "");
        for (number, cause) in [(1, "overloaded"), (2, "credential")] {
            fed.emit(1, &attempt(1, "opus", number));
            fed.emit(1, &failed_with("opus", number, cause, None));
        }
        fed.emit(1, &gave_up(2, "deadline_exceeded", &[("opus", told)]));
        fed.failure("the_last_error_is_told")
    };
    assert_eq!(history("credential"), None);
    assert!(history("overloaded").unwrap().contains("it was credential"));
}

#[test]
fn an_answer_that_is_short_is_found() {
    let short =
        Event::AnswerTruncated { request: request(1), model: "opus".into(), tokens: 40, whole: 60 };
    let mut fed = fed("", "");
    assert!(fed.emit(5, &short).failure("answers_are_whole").unwrap().contains("40 of 60"));
    let mut whole = Fed::new("");
    whole.started(1, 1).ended(2, 1, RequestOutcome::Ok);
    let result = &whole.results(&outcome())["answers_are_whole"];
    assert_eq!((result.evaluated, result.holds()), (1, true));
}

#[test]
fn baggage_that_was_changed_is_found() {
    let history = |kept| {
        let event = Event::RequestEnded {
            request: request(1),
            outcome: RequestOutcome::Ok,
            latency_ms: 1,
            error: None,
            baggage_kept: Some(kept),
        };
        fed("", "").emit(5, &event).failure("baggage_comes_back")
    };
    assert_eq!(history(true), None);
    assert!(history(false).is_some());
}

#[test]
fn requests_that_overlap_are_not_judged_by_each_other() {
    // The agent asks again while the router is still at it, is turned away, and asks once more.
    let mut mixed = fed("", "");
    mixed.emit(1, &attempt(1, "opus", 1)).emit(2, &gave_up(0, "quota_exceeded", &[]));
    mixed.emit(3, &failed(1, "opus", 1, None)).emit(3, &attempt(1, "opus", 1));
    mixed.emit(4, &attempt(1, "sonnet", 2)).emit(5, &gave_up(2, "all_models_failed", &[]));
    mixed.emit(6, &gave_up(1, "all_models_failed", &[]));
    let results = mixed.results(&outcome());
    for check in [
        "each_model_in_one_round",
        "no_wait_without_a_retry",
        "no_model_left_out",
        "the_last_error_is_told",
    ] {
        assert_eq!(results[check].failure, None, "{check}");
    }
    // Later it is judged again.
    mixed.emit(7, &attempt(1, "sonnet", 1));
    assert!(mixed.failure("no_model_left_out").is_some());
}
