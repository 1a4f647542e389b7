//! The checks on a configuration that changes: each is fed a clean history, and one that is not.

use super::*;
use crate::stack::{Alternatives, ConfigEvent};

/// A stack whose router has a configuration.
fn fed() -> Fed {
    Fed::new("[resilience]\npreset = \"simple\"")
}

impl Fed {
    fn tell(&mut self, at_ms: u64, event: &ConfigEvent) -> &mut Fed {
        self.see(at_ms, Happening::Emitted { name: event.name(), payload: event, digest: 0 })
    }

    fn loaded(&mut self, at_ms: u64, version: u32) -> &mut Fed {
        self.tell(at_ms, &ConfigEvent::Loaded { version, entries: version, damaged: 0 })
    }

    /// The default has so many attempts and such a threshold from now on.
    fn tuned(&mut self, at_ms: u64, version: u32, attempts: u32, threshold: u32) -> &mut Fed {
        let event = ConfigEvent::OperationConfigured {
            operation: "default".into(),
            version,
            retry_attempts: attempts,
            max_delay_ms: 10_000,
            exponential_min_ms: 1_000,
            exponential_max_ms: 5_000,
            jitter_ms: 0,
            failure_threshold: threshold,
            recovery_ms: 30_000,
            half_open_calls: 1,
            origin: "".into(),
        };
        self.tell(at_ms, &event)
    }

    fn changed(&mut self, at_ms: u64, change: &str, version: u32) -> &mut Fed {
        let event = ConfigEvent::Changed {
            change: change.into(),
            by: "ops".into(),
            source: "".into(),
            version,
            differences: "".into(),
        };
        self.tell(at_ms, &event)
    }

    fn answered(
        &mut self,
        at_ms: u64,
        change: &str,
        outcome: &'static str,
        version: u32,
    ) -> &mut Fed {
        let (change, by) = (change.into(), "ops".into());
        self.tell(at_ms, &ConfigEvent::ChangeAnswered { change, by, outcome, version })
    }

    fn admitted(&mut self, at_ms: u64, number: u32, version: u32) -> &mut Fed {
        let (request, operation) = (request(number), "default".into());
        self.tell(at_ms, &ConfigEvent::RequestAdmitted { request, operation, version })
    }

    fn attempt(&mut self, at_ms: u64, number: u32, attempt: u32) -> &mut Fed {
        let (request, model) = (request(number), "opus".into());
        self.emit(at_ms, &Event::AttemptStarted { request, model, attempt, hedge: false })
    }

    fn failed(&mut self, at_ms: u64, number: u32) -> &mut Fed {
        let event = Event::AttemptFailed {
            request: request(number),
            model: "opus".into(),
            attempt: 1,
            cause: "server_error",
            class: "transient",
            status: Some(500),
            budget_ms: None,
            retry_after_ms: None,
        };
        self.emit(at_ms, &event)
    }

    fn paused(&mut self, at_ms: u64, number: u32, delay_ms: u64) -> &mut Fed {
        let (request, model) = (request(number), "opus".into());
        let cause = "server_error";
        self.emit(at_ms, &Event::RetryScheduled { request, model, delay_ms, cause })
    }

    fn gave_up(&mut self, at_ms: u64, number: u32) -> &mut Fed {
        let event = Event::RequestFailed {
            request: request(number),
            code: "all_models_failed",
            attempts: 1,
            fallback_attempts: 1,
            causes: Alternatives::default(),
            retry_after_ms: None,
        };
        self.emit(at_ms, &event)
    }

    fn breaker(&mut self, at_ms: u64, from: &'static str, to: &'static str) -> &mut Fed {
        let component = "opus/default".into();
        self.emit(at_ms, &Event::BreakerChanged { component, from, to })
    }

    /// Somebody reads this trail.
    fn trail(&mut self, at_ms: u64, entries: &[Line]) -> &mut Fed {
        let count = entries.len() as u32;
        self.tell(at_ms, &ConfigEvent::TrailRead { reader: "ops".into(), entries: count });
        for Line(entry, change, outcome, before, after, differences) in entries {
            let event = ConfigEvent::EntryRead {
                reader: "ops".into(),
                entry: *entry,
                change: (*change).into(),
                by: "ops".into(),
                asked_at: Utc(jiff::Timestamp::UNIX_EPOCH),
                source: "".into(),
                outcome,
                before: *before,
                after: *after,
                differences: (*differences).into(),
            };
            self.tell(at_ms, &event);
        }
        self
    }
}

/// Number, change, outcome, version before and after, differences.
#[derive(Clone, Copy)]
struct Line(u32, &'static str, &'static str, u32, u32, &'static str);

const FIRST: Line = Line(1, "ops/1", "applied", 0, 1, "default.retry_attempts: 3 -> 4");
const SECOND: Line = Line(2, "ops/2", "refused", 1, 1, "");
const THIRD: Line = Line(3, "ops/3", "applied", 1, 2, "default.retry_attempts: 4 -> 2");

/// Two changes that hold and one that does not, all answered.
fn told() -> Fed {
    let mut fed = fed();
    fed.loaded(0, 0).tuned(0, 0, 3, 5);
    fed.changed(1, "ops/1", 1).answered(2, "ops/1", "applied", 1);
    fed.answered(3, "ops/2", "refused", 1);
    fed.changed(4, "ops/3", 2).answered(5, "ops/3", "applied", 2);
    fed
}

#[test]
fn a_trail_that_lacks_something_or_says_something_else_is_found() {
    let found = |entries: &[Line]| told().trail(9, entries).failure("trail_has_every_change");
    assert_eq!(found(&[FIRST, SECOND, THIRD]), None);
    let line = |line: Line, change: &dyn Fn(&mut Line)| {
        let mut other = line;
        change(&mut other);
        other
    };
    let lacks = found(&[FIRST, line(THIRD, &|it| it.0 = 2)]);
    assert_eq!(lacks.as_deref(), Some("ops/2 was answered, and is not in the trail"));
    let cases: [(&str, Vec<Line>); 9] = [
        ("nothing", vec![]),
        ("another outcome", vec![FIRST, line(SECOND, &|it| it.1 = "ops/9"), THIRD]),
        ("twice", vec![FIRST, line(SECOND, &|it| it.1 = "ops/1"), THIRD]),
        ("a gap", vec![FIRST, line(SECOND, &|it| it.0 = 3), line(THIRD, &|it| it.0 = 4)]),
        ("a version too many", vec![FIRST, line(SECOND, &|it| it.4 = 2), THIRD]),
        ("no version", vec![line(FIRST, &|it| it.4 = 0), SECOND, THIRD]),
        (
            "another value before",
            vec![FIRST, SECOND, line(THIRD, &|it| it.5 = "default.retry_attempts: 3 -> 2")],
        ),
        (
            "another order",
            vec![
                Line(1, "ops/2", "refused", 0, 0, ""),
                Line(2, "ops/1", "applied", 0, 1, ""),
                THIRD,
            ],
        ),
        ("nothing to read", vec![FIRST, SECOND, line(THIRD, &|it| it.5 = "attempts")]),
    ];
    for (what, entries) in cases {
        assert!(found(&entries).is_some(), "{what}");
    }
    let mut fed = told();
    fed.trail(9, &[FIRST, SECOND, THIRD])
        .trail(10, &[FIRST, line(SECOND, &|it| it.1 = "ops/9"), THIRD]);
    assert!(fed.failure("trail_has_every_change").is_some(), "it was another before");
    let twice = told().answered(9, "ops/3", "refused", 1).failure("trail_has_every_change");
    assert!(twice.is_some_and(|failure| failure.contains("was answered with applied")));
}

#[test]
fn a_trail_without_a_change_that_nobody_was_told_of_is_found() {
    const CHECK: &str = "trail_has_every_change";
    // The answer to the third change was lost.
    let lost = || {
        let mut fed = fed();
        fed.loaded(0, 0).tuned(0, 0, 3, 5);
        fed.changed(1, "ops/1", 1).answered(2, "ops/1", "applied", 1);
        fed.answered(3, "ops/2", "refused", 1).changed(4, "ops/3", 2);
        fed
    };
    assert_eq!(lost().trail(9, &[FIRST, SECOND, THIRD]).failure(CHECK), None);
    // What is told may have been on its way while the change was made.
    assert_eq!(lost().trail(9, &[FIRST, SECOND]).failure(CHECK), None);
    let missing = "ops/3 is in force as version 2, and is not in the trail";
    assert_eq!(lost().trail(60_004, &[FIRST, SECOND]).failure(CHECK).as_deref(), Some(missing));
    let mut other = THIRD;
    other.1 = "ops/9";
    assert_eq!(lost().trail(9, &[FIRST, SECOND, other]).failure(CHECK).as_deref(), Some(missing));
}

#[test]
fn a_trail_that_grows_shorter_is_found() {
    let mut fed = told();
    fed.trail(9, &[FIRST, SECOND, THIRD]).answered(10, "ops/4", "refused", 2);
    let fourth = Line(4, "ops/4", "refused", 2, 2, "");
    fed.trail(11, &[FIRST, SECOND, THIRD, fourth]).trail(12, &[FIRST, SECOND, THIRD]);
    let failure = fed.failure("trail_has_every_change");
    assert_eq!(failure.as_deref(), Some("ops read 3 entries, and ops had read 4"));
}

#[test]
fn a_change_that_is_answered_too_early_or_holds_twice_or_is_forgotten_is_found() {
    const CHECK: &str = "changes_hold_once_and_for_good";
    assert_eq!(told().failure(CHECK), None);
    let early = fed().loaded(0, 0).answered(1, "ops/1", "applied", 1).failure(CHECK);
    assert_eq!(early.as_deref(), Some("ops/1 was answered at 0.001s as version 1; 0 is in force"));
    assert!(told().changed(9, "ops/1", 3).failure(CHECK).is_some(), "it holds twice");
    assert!(told().changed(9, "ops/4", 4).failure(CHECK).is_some(), "one is left out");
    assert_eq!(told().loaded(9, 2).failure(CHECK), None);
    assert_eq!(told().loaded(9, 3).failure(CHECK), None, "one became durable at the last moment");
    let forgotten = told().loaded(9, 1).failure(CHECK);
    assert_eq!(
        forgotten.as_deref(),
        Some("the router came back at 0.009s with version 1; 2 was in force")
    );
    assert!(told().admitted(9, 1, 1).failure(CHECK).is_some(), "under a version of before");
}

#[test]
fn a_request_that_a_change_drops_or_doubles_is_found() {
    const CHECK: &str = "no_request_dropped_by_a_change";
    let history = |ends: u32| {
        let mut fed = told();
        fed.admitted(10, 1, 2).attempt(11, 1, 1).failed(12, 1);
        (0..ends).for_each(|_| {
            fed.gave_up(13, 1);
        });
        fed.failure(CHECK)
    };
    assert_eq!(history(1), None);
    assert_eq!(history(0).as_deref(), Some("rust/1 came in and never ended"));
    assert_eq!(history(2).as_deref(), Some("rust/1 ended at 0.013s, and was not in hand"));
    let mut late = told();
    late.admitted(10, 1, 2).attempt(11, 1, 1).gave_up(12, 1).attempt(13, 1, 2);
    assert!(late.failure(CHECK).is_some_and(|failure| failure.contains("not in hand")));
}

#[test]
fn a_request_that_ends_by_other_settings_is_found() {
    const CHECK: &str = "requests_end_as_they_were_admitted";
    // In hand under three attempts when two are said, and the other way round.
    let attempts = |before: u32, later: u32, made: u32| {
        let mut fed = fed();
        fed.loaded(0, 0).tuned(0, 0, before, 20).admitted(1, 1, 0).attempt(2, 1, 1).failed(3, 1);
        fed.changed(4, "ops/1", 1).tuned(4, 1, later, 20);
        for attempt in 2..=made {
            fed.paused(5, 1, 2_000).attempt(6, 1, attempt).failed(7, 1);
        }
        fed.gave_up(9, 1).failure(CHECK)
    };
    assert_eq!(attempts(3, 2, 3), None);
    assert_eq!(
        attempts(2, 3, 3).as_deref(),
        Some("rust/1 asked opus for the 3. time of 2 at 0.006s")
    );
    let pause = |delay_ms: u64| {
        let mut fed = told();
        fed.admitted(10, 1, 2).attempt(11, 1, 1).failed(12, 1).paused(12, 1, delay_ms);
        fed.gave_up(20, 1).failure(CHECK)
    };
    assert_eq!(pause(1_000), None);
    assert_eq!(pause(10_000), None);
    assert!(pause(999).is_some() && pause(10_001).is_some());
    let mut unknown = fed();
    unknown.loaded(0, 0).admitted(1, 1, 0).gave_up(2, 1);
    assert!(unknown.failure(CHECK).is_some(), "nobody said what it has");
}

#[test]
fn a_breaker_that_opens_by_another_threshold_is_found() {
    const CHECK: &str = "breakers_follow_the_configuration";
    // It opens before the failure that opens it is told of.
    let history = |threshold: u32, failures: u32, opens: bool| {
        let mut fed = fed();
        fed.loaded(0, 0).tuned(0, 0, 3, 9).changed(1, "ops/1", 1).tuned(1, 1, 3, threshold);
        for number in 1..failures {
            fed.admitted(2, number, 1).failed(3, number).gave_up(3, number);
        }
        fed.admitted(4, failures, 1);
        if opens {
            fed.breaker(5, "closed", "open");
        }
        fed.failed(5, failures).gave_up(5, failures).failure(CHECK)
    };
    assert_eq!(history(4, 4, true), None);
    assert_eq!(history(4, 3, false), None);
    assert_eq!(
        history(4, 3, true).as_deref(),
        Some("opus/default opened at 0.005s after 3 calls of 4")
    );
    assert_eq!(
        history(4, 4, false).as_deref(),
        Some("a breaker is closed after 4 failures of 4 at 0.005s")
    );
}

#[test]
fn what_the_router_has_in_hand_goes_with_a_crash() {
    let mut fed = told();
    fed.admitted(10, 1, 2).attempt(11, 1, 1);
    fed.see(12, Happening::NodeCrashed { incarnation: 0 });
    assert_eq!(fed.failure("no_request_dropped_by_a_change"), None);
}
