//! Names, defaults, contradictions.

use super::*;

#[test]
fn names_are_read_as_they_are_written() {
    let names = ["resilience4j", "polly", "gobreaker", "failsafe", "envoy-outlier", "engined"];
    for (dialect, name) in Dialect::ALL.into_iter().zip(names) {
        assert_eq!(dialect.as_str(), name);
        assert_eq!(dialect.to_string(), name);
        assert_eq!(Dialect::from_name(name), Some(dialect));
        assert_eq!(serde_json::to_string(&dialect).unwrap(), format!("{name:?}"));
    }
    assert_eq!(Dialect::from_name("hystrix"), None);
    let names = ["closed", "open", "half_open", "disabled", "metrics_only", "forced_open"];
    for (state, name) in State::ALL.into_iter().zip(names) {
        assert_eq!(state.as_str(), name);
        assert_eq!(state.to_string(), name);
        assert_eq!(serde_json::to_string(&state).unwrap(), format!("{name:?}"));
    }
    let rejected = Rejected { state: State::HalfOpen, until: None };
    assert_eq!(rejected.to_string(), "the circuit is half_open");
    let illegal = Illegal { from: State::Closed, to: State::HalfOpen };
    assert_eq!(illegal.to_string(), "a circuit that is closed cannot be made half_open");
}

#[test]
fn each_dialect_has_its_own_settings_without_contradiction() {
    let made = [
        Settings::resilience4j(),
        Settings::polly(),
        Settings::gobreaker(),
        Settings::failsafe(),
        Settings::envoy(),
        Settings::engined(),
    ];
    for (dialect, settings) in Dialect::ALL.into_iter().zip(made) {
        assert_eq!(dialect.settings(), settings);
        assert_eq!(settings.check(), Ok(()), "{dialect}");
        assert_eq!(breaker(settings.clone()).settings(), &settings);
    }
}

#[test]
fn defaults_are_those_of_the_libraries() {
    let one = HalfOpen {
        permits: Some(1),
        returned: false,
        verdict: Verdict::Successes(1),
        max_wait: None,
        then: Then::Open,
    };
    let half_open = Dialect::ALL.map(|dialect| dialect.settings().half_open);
    let rates = HalfOpen { permits: Some(10), verdict: Verdict::Trip, ..one };
    let ratio = HalfOpen { returned: true, verdict: Verdict::Ratio { successes: 1, of: 1 }, ..one };
    let any = HalfOpen { permits: None, verdict: Verdict::Successes(2), ..one };
    assert_eq!(half_open, [Some(rates), Some(one), Some(one), Some(ratio), None, Some(any)]);
    let secs = |opens| Dialect::ALL.map(|dialect| dialect.settings().wait.after(opens).as_secs());
    assert_eq!(secs(1), [60, 5, 60, 60, 30, 10]);
    assert_eq!(secs(2), [60, 5, 60, 60, 60, 20]);
    assert_eq!(secs(5), [60, 5, 60, 60, 150, 160]);
    assert_eq!(secs(99), [60, 5, 60, 60, 300, 300]);
}

/// What is wrong with resilience4j's defaults after a change.
#[track_caller]
fn wrong(change: impl FnOnce(&mut Settings), field: &str, would_do: &str) {
    let mut settings = Settings::resilience4j();
    settings.minimum_calls = 10;
    change(&mut settings);
    let found = settings.check().unwrap_err();
    assert_eq!((found.field, found.try_instead.as_str()), (field, would_do));
    let said = format!("`{field}` {}: {would_do} would do", found.reason);
    assert_eq!(found.to_string(), said);
}

#[track_caller]
fn right(change: impl FnOnce(&mut Settings)) {
    let mut settings = Settings::resilience4j();
    settings.minimum_calls = 10;
    change(&mut settings);
    assert_eq!(settings.check(), Ok(()));
}

#[test]
fn windows_that_hold_nothing_or_too_much_are_wrong() {
    wrong(|it| it.window = Shape::Calls(0), "window", "1");
    wrong(|it| it.window = Shape::Calls(1_000_001), "window", "1000000");
    right(|it| it.window = Shape::Calls(1_000_000));
    wrong(|it| it.window = Shape::Calls(9), "minimum_calls", "9");
    right(|it| it.window = Shape::Calls(10));
    wrong(|it| it.window = Shape::Interval(Duration::ZERO), "window", "1 ns");
    right(|it| it.window = Shape::Interval(Duration::from_nanos(1)));
    wrong(|it| it.window = Shape::time(Duration::ZERO, 10, Align::Clock), "window", "1 ns");
    let none = Shape::Buckets { count: 0, each: ms(1), align: Align::Clock };
    wrong(|it| it.window = none, "window", "1");
    right(|it| it.window = Shape::time(ms(10), 10, Align::Clock));
    right(|it| it.window = Shape::Unbounded);
}

#[test]
fn trips_that_are_always_or_never_reached_are_wrong() {
    let rates = |failures, slow| Trip::Rates { failures, slow };
    wrong(|it| it.trip = rates(Some(0), None), "trip.failures", "1");
    wrong(|it| it.trip = rates(Some(1_000_001), None), "trip.failures", "1000000");
    right(|it| it.trip = rates(Some(1_000_000), None));
    right(|it| it.trip = rates(Some(1), None));
    wrong(|it| it.trip = rates(None, Some(0)), "trip.slow", "1");
    wrong(|it| it.slow_after = None, "slow_after", "60 s");
    right(|it| {
        it.trip = rates(Some(1), None);
        it.slow_after = None;
    });
    wrong(|it| it.trip = Trip::Failures(0), "trip", "1");
    wrong(|it| it.trip = Trip::Consecutive(0), "trip", "1");
    wrong(|it| it.trip = Trip::Failures(101), "trip", "100");
    right(|it| it.trip = Trip::Failures(100));
    right(|it| it.trip = Trip::Consecutive(101));
    right(|it| {
        it.window = Shape::Unbounded;
        it.trip = Trip::Failures(101);
    });
}

#[test]
fn waits_that_are_none_or_shrink_are_wrong() {
    wrong(|it| it.wait.base = Duration::ZERO, "wait.base", "1 ns");
    wrong(|it| it.wait.max = Some(ms(59_999)), "wait.max", "60s");
    right(|it| it.wait.max = Some(ms(60_000)));
    wrong(|it| it.wait.growth = Growth::Times(999_999), "wait.growth", "1000000");
    right(|it| it.wait.growth = Growth::Times(1_000_000));
    right(|it| it.wait.growth = Growth::Linear);
}

#[test]
fn probes_that_cannot_close_it_are_wrong() {
    let with = |permits, returned, verdict| {
        move |it: &mut Settings| {
            it.half_open = Some(HalfOpen { permits, returned, verdict, ..HalfOpen::all_of(1) });
        }
    };
    wrong(with(Some(0), false, Verdict::Trip), "half_open.permits", "1");
    right(with(Some(1), false, Verdict::Trip));
    right(with(None, false, Verdict::Successes(3)));
    wrong(with(None, false, Verdict::Successes(0)), "half_open.verdict", "1");
    wrong(with(Some(2), false, Verdict::Successes(3)), "half_open.permits", "3");
    right(with(Some(3), false, Verdict::Successes(3)));
    right(with(Some(2), true, Verdict::Successes(3)));
    let ratio = |successes, of| Verdict::Ratio { successes, of };
    wrong(with(Some(2), true, ratio(0, 1)), "half_open.verdict", "1");
    wrong(with(Some(2), true, ratio(3, 2)), "half_open.verdict", "2");
    right(with(Some(2), true, ratio(2, 2)));
    wrong(with(Some(2), false, ratio(3, 4)), "half_open.permits", "3");
    right(|it| it.half_open = None);
}
