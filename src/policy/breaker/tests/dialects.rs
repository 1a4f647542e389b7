//! What each library does, at its boundaries.

use super::*;

fn resilience4j() -> Settings {
    Settings {
        window: Shape::time(ms(20_000), 20, Align::Clock),
        minimum_calls: 5,
        trip: Trip::Rates { failures: Some(500_000), slow: Some(500_000) },
        slow_after: Some(ms(4_000)),
        wait: Wait { base: ms(5_000), ..Settings::resilience4j().wait },
        half_open: Some(HalfOpen { verdict: Verdict::Trip, ..HalfOpen::all_of(4) }),
        ..Settings::resilience4j()
    }
}

#[test]
fn resilience4j_opens_at_its_limit_even_on_a_success() {
    let mut it = breaker(resilience4j());
    assert_eq!(it.calls(0, FAILED, 3), State::Closed, "below the minimum");
    assert_eq!(it.calls(0, OK, 1), State::Closed);
    assert_eq!(it.counts().failure_rate, None);
    assert_eq!(it.calls(0, OK, 1), State::Open, "3 of 5");
    assert_eq!(it.counts().failure_rate, Some(600_000));
    assert_eq!(it.changes(), [(State::Closed, State::Open)]);
    assert_eq!(it.changes(), []);
    let mut even = breaker(Settings { minimum_calls: 4, ..resilience4j() });
    even.calls(0, OK, 2);
    even.calls(0, FAILED, 1);
    assert_eq!(even.calls(0, FAILED, 1), State::Open, "2 of 4 is the limit");
    let mut below = breaker(resilience4j());
    below.calls(0, OK, 6);
    assert_eq!(below.calls(0, FAILED, 5), State::Closed, "5 of 11");
    assert_eq!(below.calls(0, FAILED, 1), State::Open, "6 of 12");
}

#[test]
fn resilience4j_opens_when_calls_are_slower_than_allowed() {
    let mut it = breaker(resilience4j());
    let mut call = |millis: u64, nanos: u64| {
        let permit = it.admit(at(0)).unwrap();
        it.record(at(0), permit, OK, ms(millis) + Duration::from_nanos(nanos));
        it.state()
    };
    for _ in 0..5 {
        assert_eq!(call(4_000, 0), State::Closed, "not slower than the limit");
    }
    for _ in 0..4 {
        assert_eq!(call(4_000, 1), State::Closed);
    }
    assert_eq!(call(4_000, 1), State::Open, "5 of 10");
    assert_eq!(it.counts().slow_rate, Some(500_000));
    assert_eq!(
        (it.counts().life.slow_rate_exceeded, it.counts().life.failure_rate_exceeded),
        (1, 0)
    );
}

#[test]
fn resilience4j_tries_again_only_after_the_last_instant() {
    let mut it = breaker(resilience4j());
    it.calls(1_000, FAILED, 5);
    let rejected = Rejected { state: State::Open, until: Some(Time::from_nanos(6_000_000_001)) };
    assert_eq!(it.admit(at(6_000)), Err(rejected));
    assert_eq!(it.counts().rejected, 1);
    it.poll(at(60_000));
    assert_eq!(it.state(), State::Open, "time alone does nothing");
    assert!(it.admit(Time::from_nanos(6_000_000_001)).is_ok());
    assert_eq!(it.state(), State::HalfOpen);
    assert_eq!((it.counts().rejected, it.counts().probes), (0, 1));
}

#[test]
fn resilience4j_judges_its_probes_together() {
    let half_open = |failures: usize| {
        let mut it = breaker(resilience4j());
        it.calls(0, FAILED, 5);
        assert_eq!(it.calls(6_000, FAILED, failures), State::HalfOpen);
        assert_eq!(it.calls(6_000, OK, 3 - failures), State::HalfOpen);
        it
    };
    assert_eq!(half_open(1).calls(6_000, OK, 1), State::Closed, "1 of 4");
    assert_eq!(half_open(1).calls(6_000, FAILED, 1), State::Open, "2 of 4");
    let mut ignoring = half_open(1);
    assert_eq!(ignoring.calls(6_000, IGNORED, 9), State::HalfOpen, "permits come back");
    assert_eq!(ignoring.counts().life.ignored, 9);
    assert_eq!(ignoring.calls(6_000, OK, 1), State::Closed);
    assert_eq!(ignoring.counts().window.calls(), 0, "and start anew");
}

#[test]
fn resilience4j_lets_so_many_try_and_no_more() {
    let mut it = breaker(resilience4j());
    it.force(at(0), State::Open);
    it.force(at(0), State::HalfOpen);
    let permits: Vec<Permit> = (0..4).map(|_| it.admit(at(0)).unwrap()).collect();
    assert_eq!(it.admit(at(0)), Err(Rejected { state: State::HalfOpen, until: None }));
    it.release(permits[0]);
    assert!(it.admit(at(0)).is_ok());
    it.record(at(0), permits[1], OK, Duration::ZERO);
    assert!(it.admit(at(0)).is_err(), "a call that counted makes no room");
    assert_eq!(it.counts().rejected, 2);
}

#[test]
fn resilience4j_gives_up_on_its_probes() {
    for (then, to) in [(Then::Open, State::Open), (Then::Close, State::Closed)] {
        let mut settings = resilience4j();
        settings.half_open =
            settings.half_open.map(|it| HalfOpen { max_wait: Some(ms(1_000)), then, ..it });
        let mut it = breaker(settings);
        it.calls(0, FAILED, 5);
        let permit = it.admit(at(6_000)).unwrap();
        assert_eq!(it.until(), Some(at(7_000)));
        it.poll(Time::from_nanos(6_999_999_999));
        assert_eq!(it.state(), State::HalfOpen);
        it.poll(at(7_000));
        assert_eq!(it.state(), to);
        assert!(it.is_late(permit));
        let until = (to == State::Open).then_some(at(12_000));
        assert_eq!(it.until(), until, "the wait begins when it gave up");
    }
}

#[test]
fn resilience4j_half_opens_by_itself_if_told_to() {
    let mut settings = resilience4j();
    settings.wait.ends = Ends::OnTime;
    let mut it = breaker(settings);
    it.calls(0, FAILED, 5);
    it.poll(Time::from_nanos(4_999_999_999));
    assert_eq!(it.state(), State::Open);
    let late = it.admit(Time::from_nanos(4_999_999_999)).unwrap_err();
    assert_eq!(late.until, Some(at(5_000)));
    it.poll(at(5_000));
    assert_eq!(it.state(), State::HalfOpen);
    assert_eq!(it.counts().probes, 0);
}

#[test]
fn resilience4j_notes_what_comes_late() {
    let mut it = breaker(resilience4j());
    let permit = it.admit(at(0)).unwrap();
    it.calls(0, FAILED, 5);
    it.record(at(1), permit, OK, Duration::ZERO);
    assert_eq!((it.state(), it.counts().window.calls()), (State::Open, 6));
    it.note(at(2), FAILED, Duration::ZERO);
    assert_eq!((it.state(), it.counts().window.failures), (State::Open, 6));
    assert_eq!((it.counts().life.successes, it.counts().life.failures), (1, 6));
    it.note(at(2), IGNORED, Duration::ZERO);
    assert_eq!((it.counts().window.excluded, it.counts().life.ignored), (0, 1));
}

#[test]
fn polly_opens_on_failures_alone_and_lets_one_try() {
    let mut it = breaker(Settings {
        minimum_calls: 4,
        trip: Trip::Rates { failures: Some(500_000), slow: None },
        ..Settings::polly()
    });
    it.calls(0, FAILED, 3);
    assert_eq!(it.calls(0, OK, 3), State::Closed, "a success asks nothing");
    assert_eq!(it.calls(0, FAILED, 1), State::Open);
    assert_eq!(it.call(4_999, OK).unwrap_err().until, Some(at(5_000)));
    let probe = it.admit(at(5_000)).unwrap();
    assert!(it.admit(at(5_000)).is_err());
    it.record(at(5_000), probe, FAILED, Duration::ZERO);
    assert_eq!((it.state(), it.until()), (State::Open, Some(at(10_000))));
    assert_eq!(it.calls(10_000, OK, 1), State::Closed);
    assert_eq!(it.counts().window.calls(), 0);
}

#[test]
fn gobreaker_counts_what_it_was_asked_and_forgets_on_every_change() {
    let mut it = breaker(Settings::gobreaker());
    let six = |it: &Breaker| {
        let all = it.counts().window;
        let runs = (all.consecutive_successes, all.consecutive_failures);
        (all.requests, all.successes, all.failures, all.excluded, runs)
    };
    it.calls(0, FAILED, 5);
    it.calls(0, IGNORED, 1);
    assert_eq!(six(&it), (6, 0, 5, 1, (0, 5)));
    it.calls(0, OK, 1);
    assert_eq!(it.calls(0, FAILED, 5), State::Closed);
    assert_eq!(it.calls(0, FAILED, 1), State::Open, "more than five in a row");
    assert_eq!(six(&it), (0, 0, 0, 0, (0, 0)));
    it.poll(at(60_000));
    assert_eq!(it.state(), State::Open);
    it.poll(Time::from_nanos(60_000_000_001));
    assert_eq!(it.state(), State::HalfOpen, "to look is enough");
    assert_eq!(it.counts().probes, 0);
    assert_eq!(it.calls(60_001, IGNORED, 2), State::HalfOpen);
    assert_eq!(it.calls(60_001, FAILED, 1), State::Open);
    assert_eq!(it.calls(121_000, OK, 1), State::Closed);
}

#[test]
fn gobreaker_drops_what_comes_late() {
    let settings = Settings { window: Shape::Interval(ms(30_000)), ..Settings::gobreaker() };
    let mut it = breaker(settings);
    let permit = it.admit(at(0)).unwrap();
    it.record(at(30_000), permit, FAILED, Duration::ZERO);
    assert_eq!(it.counts().window.failures, 1);
    let permit = it.admit(at(30_000)).unwrap();
    it.record(at(30_001), permit, FAILED, Duration::ZERO);
    assert_eq!(it.counts().window.failures, 0, "another generation");
    assert_eq!((it.counts().life.dropped, it.counts().life.failures), (1, 1));
}

#[test]
fn gobreaker_rolls_its_parts() {
    let mut it = breaker(Settings {
        window: Shape::Buckets { count: 3, each: ms(1_000), align: Align::Cleared },
        ..Settings::gobreaker()
    });
    let early = it.admit(at(0)).unwrap();
    it.calls(1_000, FAILED, 1);
    it.record(at(2_500), early, FAILED, Duration::ZERO);
    assert_eq!(it.counts().window.failures, 2);
    it.poll(at(3_000));
    assert_eq!(it.counts().window.failures, 1, "it went with the part in which it began");
    assert_eq!(it.counts().window.requests, 1);
}

#[test]
fn failsafe_decides_as_soon_as_it_can() {
    let with = |successes, of| Settings {
        half_open: Some(HalfOpen {
            permits: Some(of),
            returned: true,
            verdict: Verdict::Ratio { successes, of },
            ..HalfOpen::all_of(1)
        }),
        ..Settings::failsafe()
    };
    let half_open = |successes, of| {
        let mut it = breaker(with(successes, of));
        assert_eq!(it.calls(0, FAILED, 1), State::Open);
        it.force(at(0), State::HalfOpen);
        it
    };
    let mut closing = half_open(3, 5);
    closing.calls(0, FAILED, 2);
    assert_eq!(closing.calls(0, OK, 2), State::HalfOpen);
    assert_eq!(closing.calls(0, OK, 1), State::Closed);
    let mut opening = half_open(3, 5);
    opening.calls(0, OK, 2);
    assert_eq!(opening.calls(0, FAILED, 2), State::HalfOpen);
    assert_eq!(opening.calls(0, FAILED, 1), State::Open);
    let mut crowded = half_open(2, 2);
    let permit = crowded.admit(at(0)).unwrap();
    assert!(crowded.admit(at(0)).is_ok());
    assert!(crowded.admit(at(0)).is_err());
    crowded.record(at(0), permit, OK, Duration::ZERO);
    assert!(crowded.admit(at(0)).is_ok(), "a call that counted makes room");
    let mut default = breaker(Settings::failsafe());
    default.calls(0, FAILED, 1);
    assert!(default.call(59_999, OK).is_err());
    assert_eq!(default.calls(60_000, OK, 1), State::Closed);
}

#[test]
fn failsafe_rounds_its_rates_to_whole_percents() {
    let settings = Settings {
        window: Shape::time(ms(10_000), 10, Align::Cleared),
        minimum_calls: 8,
        trip: Trip::Rates { failures: Some(130_000), slow: None },
        ..Settings::failsafe()
    };
    let with = |whole_percents| {
        let mut it = breaker(Settings { whole_percents, ..settings.clone() });
        it.calls(0, FAILED, 1);
        it.calls(0, OK, 7)
    };
    assert_eq!(with(true), State::Open, "12.5 % is 13 %");
    assert_eq!(with(false), State::Closed);
}

#[test]
fn envoy_comes_back_at_a_sweep_for_full_traffic() {
    let mut it = breaker(Settings::envoy());
    it.calls(1_000, FAILED, 4);
    it.calls(1_000, OK, 1);
    assert_eq!(it.calls(1_000, FAILED, 4), State::Closed);
    assert_eq!(it.calls(1_000, FAILED, 1), State::Open);
    assert_eq!(it.call(39_999, OK).unwrap_err().until, Some(at(40_000)), "31 s, then the sweep");
    assert_eq!(it.calls(40_000, FAILED, 4), State::Closed);
    assert_eq!(it.changes(), [(State::Closed, State::Open), (State::Open, State::Closed)]);
}

#[test]
fn engined_doubles_its_wait_and_tries_as_often_as_asked() {
    let mut it = breaker(Settings {
        trip: Trip::Consecutive(3),
        wait: Wait { base: ms(100), max: Some(ms(1_000)), ..Settings::engined().wait },
        ..Settings::engined()
    });
    assert_eq!(it.next_wait(), ms(100));
    it.calls(0, FAILED, 2);
    it.calls(0, OK, 1);
    it.calls(0, FAILED, 2);
    assert_eq!(it.calls(0, FAILED, 1), State::Open);
    assert_eq!(it.next_wait(), ms(200));
    assert!(it.call(99, OK).is_err());
    for _ in 0..50 {
        assert!(it.admit(at(100)).is_ok(), "nobody counts the probes");
    }
    assert_eq!(it.calls(100, FAILED, 1), State::Open);
    assert_eq!((it.until(), it.next_wait()), (Some(at(300)), ms(400)));
    assert_eq!(it.calls(300, OK, 1), State::HalfOpen);
    assert_eq!(it.calls(300, OK, 1), State::Closed);
    assert_eq!(it.next_wait(), ms(100));
}
