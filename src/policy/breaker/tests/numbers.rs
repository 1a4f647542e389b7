//! Conditions and numbers.

use super::*;
use crate::policy::window::{Call, Tally, Window};

fn tally(requests: u32, failures: u32, successes: u32, excluded: u32) -> Tally {
    let mut window = Window::new(Shape::Unbounded);
    for _ in 0..requests {
        window.begin(at(0));
    }
    for (times, failed) in [(failures, true), (successes, false)] {
        for _ in 0..times {
            window.record(at(0), Call { failed, ..Call::default() });
        }
    }
    for _ in 0..excluded {
        window.exclude(0);
    }
    *window.totals()
}

fn compare(number: Number, is: Comparison, value: u64) -> Condition {
    Condition::Compare { number, over: None, is, millionths: value * 1_000_000 }
}

#[test]
fn comparisons_hold_on_their_side_of_the_boundary() {
    let cases = [
        (Comparison::Above, [false, false, true]),
        (Comparison::AtLeast, [false, true, true]),
        (Comparison::Below, [true, false, false]),
        (Comparison::AtMost, [true, true, false]),
        (Comparison::Equal, [false, true, false]),
    ];
    for (is, want) in cases {
        let got = [4, 5, 6].map(|n| compare(Number::Requests, is, 5).holds(&tally(n, 0, 0, 0)));
        assert_eq!(got, want, "{is:?}");
    }
}

#[test]
fn every_number_can_be_asked_for() {
    let all = tally(11, 2, 3, 4);
    let is = |number, value| compare(number, Comparison::Equal, value).holds(&all);
    assert!(is(Number::Requests, 11));
    assert!(is(Number::ValidRequests, 7));
    assert!(is(Number::Failures, 2));
    assert!(is(Number::Successes, 3));
    assert!(is(Number::Excluded, 4));
    assert!(is(Number::ConsecutiveSuccesses, 3));
    assert!(is(Number::ConsecutiveFailures, 0));
    let failing = tally(0, 2, 0, 0);
    assert!(compare(Number::ConsecutiveFailures, Comparison::Equal, 2).holds(&failing));
}

#[test]
fn ratios_compare_exactly() {
    let ratio = |millionths| Condition::Compare {
        number: Number::Failures,
        over: Some(Number::ValidRequests),
        is: Comparison::AtLeast,
        millionths,
    };
    assert!(ratio(600_000).holds(&tally(5, 3, 2, 0)));
    assert!(!ratio(600_001).holds(&tally(5, 3, 2, 0)));
    assert!(ratio(600_000).holds(&tally(7, 3, 2, 2)));
    assert!(!ratio(0).holds(&tally(0, 0, 0, 0)), "nothing of nothing is no number");
    assert!(ratio(0).holds(&tally(1, 0, 1, 0)));
    assert!(ratio(u64::MAX).holds(&tally(0, 1, 0, 0)), "something of nothing is infinite");
}

#[test]
fn conditions_combine() {
    let some = compare(Number::Requests, Comparison::AtLeast, 3);
    let many = compare(Number::Requests, Comparison::AtLeast, 5);
    let (none, few, lots) = (tally(2, 0, 0, 0), tally(4, 0, 0, 0), tally(6, 0, 0, 0));
    let all = Condition::All(vec![some.clone(), many.clone()]);
    assert_eq!([&none, &few, &lots].map(|it| all.holds(it)), [false, false, true]);
    let any = Condition::Any(vec![some, many]);
    assert_eq!([&none, &few, &lots].map(|it| any.holds(it)), [false, true, true]);
    let mut it = breaker(Settings { trip: Trip::When(any), ..Settings::gobreaker() });
    assert_eq!(it.calls(0, FAILED, 2), State::Closed);
    assert_eq!(it.calls(0, FAILED, 1), State::Open);
}

#[test]
fn failures_in_the_window_trip_wherever_they_are() {
    let mut it = breaker(Settings {
        window: Shape::Calls(3),
        trip: Trip::Failures(2),
        ..Settings::failsafe()
    });
    for _ in 0..3 {
        it.calls(0, FAILED, 1);
        assert_eq!(it.calls(0, OK, 2), State::Closed);
    }
    it.calls(0, FAILED, 1);
    it.calls(0, OK, 1);
    assert_eq!(it.calls(0, FAILED, 1), State::Open);
}

/// A call from the first second to the sixth counts in one of them.
#[test]
fn a_call_is_counted_when_it_ends_or_when_it_began() {
    for (dated_at_start, left) in [(false, 1), (true, 0)] {
        let mut it = breaker(Settings {
            window: Shape::time(ms(10_000), 10, Align::Clock),
            late: Late::Counts,
            dated_at_start,
            ..Settings::gobreaker()
        });
        let permit = it.admit(at(0)).unwrap();
        it.record(at(5_000), permit, FAILED, ms(5_000));
        assert_eq!(it.counts().window.failures, 1);
        it.poll(at(10_000));
        assert_eq!(it.counts().window.failures, left, "{dated_at_start}");
        let late = it.admit(at(10_000)).unwrap();
        it.reset(at(10_000));
        it.record(at(12_000), late, FAILED, ms(2_000));
        assert_eq!(it.counts().window.failures, 1, "a late one counts when it ends");
    }
}

#[test]
fn whole_percents_are_rounded_half_up() {
    use super::super::trip::whole_percent;
    assert_eq!(whole_percent(1, 8), 13, "12.5");
    assert_eq!(whole_percent(124, 1_000), 12);
    assert_eq!(whole_percent(2, 3), 67);
    assert_eq!(whole_percent(1, 3), 33);
    assert_eq!(whole_percent(3, 3), 100);
    assert_eq!(whole_percent(0, 0), 0);
}

#[test]
fn minimum_calls_shrink_to_the_window() {
    let mut it = breaker(Settings {
        window: Shape::Calls(3),
        minimum_calls: 100,
        ..Settings::resilience4j()
    });
    assert_eq!(it.calls(0, FAILED, 2), State::Closed);
    assert_eq!(it.calls(0, FAILED, 1), State::Open);
    let mut it = breaker(Settings {
        minimum_calls: 2,
        half_open: Some(HalfOpen { verdict: Verdict::Trip, ..HalfOpen::all_of(4) }),
        ..Settings::resilience4j()
    });
    it.calls(0, FAILED, 2);
    assert_eq!(it.calls(60_001, OK, 1), State::HalfOpen);
    assert_eq!(it.calls(60_001, OK, 1), State::Closed, "two are enough, though four may try");
}

#[test]
fn probes_without_bounds_are_judged_at_the_minimum() {
    let mut it = breaker(Settings {
        window: Shape::Unbounded,
        minimum_calls: 3,
        half_open: Some(HalfOpen { permits: None, verdict: Verdict::Trip, ..HalfOpen::all_of(1) }),
        ..Settings::resilience4j()
    });
    it.calls(0, FAILED, 3);
    assert_eq!(it.calls(60_001, OK, 2), State::HalfOpen);
    assert_eq!(it.calls(60_001, OK, 1), State::Closed);
}

#[test]
fn counts_tell_what_there_is() {
    let mut it = breaker(Settings {
        window: Shape::Calls(4),
        minimum_calls: 2,
        slow_after: Some(ms(1)),
        ..Settings::resilience4j()
    });
    it.calls(0, OK, 1);
    assert_eq!((it.counts().failure_rate, it.counts().slow_rate), (None, None));
    it.note(at(0), OK, ms(2));
    it.calls(0, FAILED, 1);
    let counts = it.counts();
    assert_eq!((counts.failure_rate, counts.slow_rate), (Some(333_333), Some(333_333)));
    assert_eq!((counts.window.calls(), counts.life.admitted, counts.opens), (3, 2, 0));
    assert_eq!((counts.life.successes, counts.life.failures), (2, 1));
    let empty = breaker(Settings { minimum_calls: 0, ..Settings::resilience4j() });
    assert_eq!(empty.counts().failure_rate, None, "of no calls there is no rate");
}
