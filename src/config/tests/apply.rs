//! What a tuning means to the policies: pauses as tenacity makes them, and the breaker's cycle.

use std::{rc::Rc, time::Duration};

use crate::{
    config::{Strategy, Tuning},
    policy::breaker::{Breaker, Outcome, State},
    world::{Seed, Time},
};

/// The shortest and the longest pause after so many failures, in milliseconds.
fn bounds(tuning: &Tuning, failures: u32) -> (u128, u128) {
    let (low, high) = tuning.retry().bounds(failures, Duration::ZERO);
    (low.as_millis(), high.as_millis())
}

#[test]
fn pauses_are_held_between_their_bounds_before_jitter_and_cut_after_it() {
    let aggressive = Strategy::Aggressive.tuning();
    let pauses: Vec<_> = (1..=6).map(|n| bounds(&aggressive, n)).collect();
    // 0.5, 1, 2, 4, 8 s, held between 1 and 5, and up to 2 more.
    let exponential = [1_000, 1_000, 2_000, 4_000, 5_000, 5_000];
    assert_eq!(pauses, exponential.map(|pause| (pause, pause + 2_000)));
    // A longest pause between the longest exponential part and that with jitter.
    let cut = Tuning { max_delay: Duration::from_secs(6), ..aggressive };
    assert_eq!(bounds(&cut, 5), (5_000, 6_000));
    assert_eq!(bounds(&cut, 4), (4_000, 6_000));
    let plain = Tuning { jitter: None, ..aggressive };
    assert_eq!(bounds(&plain, 3), (2_000, 2_000));
    // As with tenacity, the shortest wins where the bounds are the wrong way round.
    let odd = Tuning { exp_min: Duration::from_secs(9), ..plain };
    assert_eq!(bounds(&odd, 1), (9_000, 9_000));
    // A first pause above the longest.
    let high = Tuning { multiplier: 7_000, ..plain };
    assert_eq!(bounds(&high, 1), (5_000, 5_000));
    assert_eq!(high.retry().base, Duration::from_secs(5));
}

#[test]
fn drawn_pauses_stay_within_their_bounds_and_differ() {
    let tuning = Strategy::Critical.tuning();
    let mut draws = Seed(7).stream("pauses");
    let retry = tuning.retry();
    for failures in 1..7 {
        let (low, high) = retry.bounds(failures, Duration::ZERO);
        let drawn: Vec<_> = (0..50).map(|_| retry.pause(failures, &mut draws)).collect();
        assert!(drawn.iter().all(|it| (low..=high).contains(it)), "{failures}: {drawn:?}");
        assert!(drawn.windows(2).any(|two| two[0] != two[1]), "{failures}");
    }
}

#[test]
fn the_breaker_opens_at_its_threshold_and_closes_after_its_probes() {
    let settings = Tuning { half_open_calls: 2, ..Strategy::Aggressive.tuning() }.breaker();
    assert_eq!(settings.check(), Ok(()));
    let mut breaker = Breaker::new(Rc::new(settings));
    let at = |seconds: u64| Time::from_nanos(seconds * 1_000_000_000);
    let call = |breaker: &mut Breaker, second, outcome| {
        let permit = breaker.admit(at(second)).expect("a permit");
        breaker.record(at(second), permit, outcome, Duration::ZERO);
    };
    for second in 0..3 {
        assert_eq!(breaker.state(), State::Closed);
        call(&mut breaker, second, Outcome::Failure);
    }
    assert_eq!(breaker.state(), State::Open);
    assert!(breaker.admit(at(31)).is_err(), "a second before the recovery of 30 s is over");
    call(&mut breaker, 32, Outcome::Success);
    assert_eq!(breaker.state(), State::HalfOpen);
    call(&mut breaker, 33, Outcome::Success);
    assert_eq!(breaker.state(), State::Closed);
}
