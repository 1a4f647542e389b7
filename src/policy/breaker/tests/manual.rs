//! What is done by hand.

use super::*;

#[test]
fn forced_open_refuses_until_somebody_says_otherwise() {
    let mut it = breaker(Settings::resilience4j());
    it.force(at(0), State::ForcedOpen);
    for minute in 0..5 {
        let rejected = Rejected { state: State::ForcedOpen, until: None };
        assert_eq!(it.admit(at(minute * 60_000)), Err(rejected));
    }
    assert_eq!((it.counts().rejected, it.counts().life.rejected), (5, 5));
    it.note(at(0), FAILED, ms(1));
    assert_eq!(it.counts().window.calls(), 0, "and notes nothing");
    assert_eq!(it.counts().life.failures, 0);
    it.force(at(0), State::Closed);
    assert!(it.admit(at(0)).is_ok());
    assert_eq!((it.counts().rejected, it.counts().life.rejected), (0, 5));
}

#[test]
fn disabled_lets_all_pass_and_notes_nothing() {
    let mut it = breaker(Settings::gobreaker());
    it.force(at(0), State::Disabled);
    assert_eq!(it.calls(0, FAILED, 50), State::Disabled);
    let permit = it.admit(at(0)).unwrap();
    it.release(permit);
    let counts = it.counts();
    assert_eq!((counts.window, counts.life.admitted, counts.life.failures), Default::default());
}

#[test]
fn metrics_only_tells_of_each_limit_once() {
    let mut it = breaker(Settings {
        minimum_calls: 5,
        trip: Trip::Rates { failures: Some(500_000), slow: Some(500_000) },
        slow_after: Some(ms(1)),
        ..Settings::resilience4j()
    });
    it.calls(0, OK, 2);
    it.force(at(0), State::MetricsOnly);
    assert_eq!(it.counts().window.calls(), 0);
    let told = |it: &Breaker| {
        (it.counts().life.failure_rate_exceeded, it.counts().life.slow_rate_exceeded)
    };
    it.calls(0, FAILED, 4);
    assert_eq!(told(&it), (0, 0), "below the minimum");
    it.calls(0, FAILED, 1);
    assert_eq!(told(&it), (1, 0));
    for _ in 0..5 {
        it.note(at(0), FAILED, ms(2));
    }
    assert_eq!(told(&it), (1, 1));
    it.note(at(0), FAILED, ms(2));
    assert_eq!(told(&it), (1, 1), "both still are, and were told");
    assert_eq!(it.calls(0, FAILED, 9), State::MetricsOnly);
    assert_eq!(told(&it), (1, 1));
    it.force(at(0), State::MetricsOnly);
    it.calls(0, FAILED, 5);
    assert_eq!(told(&it), (2, 1), "again, if it starts anew");
    assert_eq!(it.counts().failure_rate, Some(1_000_000));
}

#[test]
fn some_transitions_are_illegal_for_some() {
    let (closed, open, half_open) = (State::Closed, State::Open, State::HalfOpen);
    let illegal =
        [(closed, half_open), (State::MetricsOnly, open), (State::MetricsOnly, half_open)];
    for settings in [Settings::resilience4j(), Settings::failsafe()] {
        let checked = settings.manual.checked;
        for from in State::ALL {
            for to in State::ALL {
                let mut it = breaker(settings.clone());
                it.it.state = from;
                it.it.until = Some(at(9));
                let wrong = checked && illegal.contains(&(from, to));
                let want = if wrong { Err(Illegal { from, to }) } else { Ok(()) };
                assert_eq!(it.try_force(at(0), to), want);
                assert_eq!(it.state(), if wrong { from } else { to });
                let told = if wrong || from == to { vec![] } else { vec![(from, to)] };
                assert_eq!(it.counts().life.transitions(from, to), told.len() as u64);
                assert_eq!(it.changes(), told, "the same state is no transition");
            }
        }
    }
}

#[test]
fn the_same_state_starts_anew_or_goes_on() {
    for (settings, anew) in [(Settings::polly(), true), (Settings::failsafe(), false)] {
        let wait = settings.wait.base;
        let mut it = breaker(settings);
        it.force(at(0), State::Open);
        it.force(at(1), State::Open);
        assert_eq!(it.until(), Some(at(u64::from(anew)) + wait));
    }
}

#[test]
fn a_reset_closes_it_and_forgets_the_openings() {
    let mut it = breaker(Settings::engined());
    it.calls(0, FAILED, 5);
    it.force(at(0), State::HalfOpen);
    it.force(at(0), State::Open);
    assert_eq!((it.counts().opens, it.next_wait()), (2, ms(40_000)));
    it.reset(at(0));
    assert_eq!((it.state(), it.counts().opens, it.next_wait()), (State::Closed, 0, ms(10_000)));
    it.calls(0, FAILED, 4);
    it.reset(at(0));
    assert_eq!(it.calls(0, FAILED, 4), State::Closed);
    assert_eq!(it.counts().life.resets, 2);
    assert_eq!(it.changes().last(), Some(&(State::Open, State::Closed)));
    let mut envoy = breaker(Settings::envoy());
    envoy.calls(0, FAILED, 5);
    envoy.reset(at(0));
    assert_eq!(envoy.counts().opens, 0, "even where closing does not");
}

#[test]
fn it_can_be_opened_for_as_long_as_a_backend_asks() {
    let mut it = breaker(Settings::resilience4j());
    it.open_for(at(1_000), ms(500)).unwrap();
    assert_eq!((it.state(), it.until()), (State::Open, Some(at(1_500))));
    it.force(at(0), State::MetricsOnly);
    let illegal = Illegal { from: State::MetricsOnly, to: State::Open };
    assert_eq!(it.open_for(at(0), ms(1)), Err(illegal));
    assert_eq!(it.until(), None);
}

#[test]
fn only_an_open_one_can_be_told_how_long_to_wait() {
    let mut it = breaker(Settings::failsafe());
    it.wait_for(at(0), ms(5));
    assert_eq!(it.calls(0, FAILED, 1), State::Open);
    assert_eq!(it.until(), Some(at(60_000)));
    let opens = it.counts().opens;
    it.wait_for(at(2), ms(5));
    assert_eq!((it.until(), it.counts().opens), (Some(at(7)), opens));
    assert!(it.admit(at(6)).is_err());
    assert!(it.admit(at(7)).is_ok());
    it.wait_for(at(7), ms(5));
    assert_eq!((it.state(), it.until()), (State::HalfOpen, None));
}

#[test]
fn what_is_illegal_is_not_done() {
    let mut it = breaker(Settings::resilience4j());
    it.force(at(0), State::HalfOpen);
    assert_eq!(it.state(), State::Closed);
    let mut envoy = breaker(Settings::envoy());
    envoy.force(at(0), State::HalfOpen);
    assert_eq!(envoy.state(), State::Closed, "it has no such state");
    envoy.force(at(0), State::Open);
    assert_eq!(envoy.state(), State::Open);
}

#[test]
fn permits_that_nobody_will_give_back_are_abandoned() {
    let mut it = breaker(Settings::polly());
    it.force(at(0), State::Open);
    let lost = it.admit(at(5_000)).unwrap();
    assert!(!it.is_late(lost));
    assert!(it.admit(at(500_000)).is_err(), "stuck, as Polly is");
    it.abandon();
    assert!(it.is_late(lost));
    let probe = it.admit(at(500_000)).unwrap();
    it.release(lost);
    assert!(it.admit(at(500_000)).is_err(), "a late permit makes no room");
    it.release(probe);
    assert!(it.admit(at(500_000)).is_ok());
}

#[test]
fn what_was_late_before_permits_are_abandoned_is_late_after() {
    let mut it = breaker(Settings::polly());
    let early = it.admit(at(0)).unwrap();
    it.reset(at(0));
    let lost = it.admit(at(0)).unwrap();
    it.abandon();
    assert!(it.is_late(early) && it.is_late(lost));
    let new = it.admit(at(0)).unwrap();
    assert!(!it.is_late(new));
}

#[test]
fn transitions_are_kept_until_they_are_taken_but_not_for_ever() {
    let mut it = breaker(Settings::failsafe());
    for _ in 0..10 {
        it.force(at(0), State::Open);
        it.force(at(0), State::Closed);
    }
    let changes = it.changes();
    assert_eq!(changes.len(), CHANGES_MAX);
    assert_eq!(changes[0], (State::Closed, State::Open));
    assert_eq!(it.counts().life.transitions(State::Closed, State::Open), 10);
    assert_eq!(it.counts().life.transitions(State::Open, State::HalfOpen), 0);
}
