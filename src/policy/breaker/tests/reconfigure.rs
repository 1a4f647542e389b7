//! A breaker whose settings change while it is in use.

use proptest::prelude::*;

use super::*;

/// Opens at so many failures in a row, for so long; one probe decides.
fn after(failures: u32, open_ms: u64) -> Rc<Settings> {
    let mut settings = Dialect::Engined.settings();
    settings.trip = Trip::Consecutive(failures);
    settings.wait.base = ms(open_ms);
    settings.wait.growth = Growth::Constant;
    Rc::new(settings)
}

#[test]
fn what_was_counted_counts_on_and_the_next_outcome_decides() {
    let mut breaker = Breaker::new(after(5, 1_000));
    assert_eq!(breaker.calls(0, FAILED, 3), State::Closed);
    breaker.reconfigure(at(1), after(3, 1_000));
    assert_eq!(breaker.state(), State::Closed, "a lower threshold opens nothing by itself");
    assert_eq!(breaker.calls(2, FAILED, 1), State::Open);
    let mut patient = Breaker::new(after(3, 1_000));
    assert_eq!(patient.calls(0, FAILED, 2), State::Closed);
    patient.reconfigure(at(1), after(5, 1_000));
    assert_eq!(patient.calls(2, FAILED, 2), State::Closed);
    assert_eq!(patient.calls(3, FAILED, 1), State::Open);
}

#[test]
fn a_wait_that_has_begun_ends_when_it_would_have_and_the_next_is_the_new_one() {
    let mut breaker = Breaker::new(after(1, 1_000));
    assert_eq!(breaker.calls(0, FAILED, 1), State::Open);
    breaker.reconfigure(at(10), after(1, 60_000));
    assert!(breaker.call(999, OK).is_err());
    assert_eq!(breaker.call(1_000, FAILED), Ok(()));
    assert_eq!(breaker.state(), State::Open);
    assert!(breaker.call(60_999, OK).is_err());
    assert_eq!(breaker.call(61_000, OK), Ok(()));
}

#[test]
fn permits_stay_good() {
    let mut settings = (*after(1, 1_000)).clone();
    settings.half_open =
        settings.half_open.map(|half_open| HalfOpen { permits: Some(2), ..half_open });
    let mut fewer = settings.clone();
    fewer.half_open = fewer.half_open.map(|half_open| HalfOpen { permits: Some(1), ..half_open });
    let mut breaker = breaker(settings);
    breaker.calls(0, FAILED, 1);
    let first = breaker.admit(at(1_000)).unwrap();
    let second = breaker.admit(at(1_000)).unwrap();
    breaker.reconfigure(at(1_001), Rc::new(fewer));
    assert!(!breaker.is_late(first) && !breaker.is_late(second));
    breaker.release(first);
    assert!(breaker.admit(at(1_002)).is_err(), "one is out, and there is one");
    breaker.release(second);
    assert!(breaker.admit(at(1_003)).is_ok());
}

#[test]
fn a_window_of_another_shape_starts_empty_and_strands_no_permit() {
    let of_calls = |calls| {
        let mut settings = Dialect::Resilience4j.settings();
        (settings.window, settings.minimum_calls) = (Shape::Calls(calls), 2);
        Rc::new(settings)
    };
    let mut breaker = Breaker::new(of_calls(10));
    breaker.call(0, OK).unwrap();
    let permit = breaker.admit(at(1)).unwrap();
    breaker.reconfigure(at(2), of_calls(20));
    assert_eq!(breaker.counts().window.calls(), 0);
    assert!(breaker.is_late(permit));
    assert_eq!(breaker.counts().life.successes, 1);
    breaker.record(at(3), permit, OK, ms(2));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn without_a_half_open_state_the_wait_was_over() {
    let mut breaker = Breaker::new(after(1, 1_000));
    breaker.calls(0, FAILED, 1);
    let permit = breaker.admit(at(1_000)).unwrap();
    assert_eq!(breaker.state(), State::HalfOpen);
    let mut settings = (*after(1, 1_000)).clone();
    settings.half_open = None;
    breaker.reconfigure(at(1_001), Rc::new(settings));
    assert_eq!(breaker.state(), State::Closed);
    assert!(breaker.is_late(permit));
}

proptest! {
    /// The same settings change nothing; others do not change the state by themselves.
    #[test]
    fn a_change_changes_no_state(
        outcomes in prop::collection::vec(any::<bool>(), 0..40),
        (before, later) in (1_u32..6, 1_u32..6),
    ) {
        let mut changed = Breaker::new(after(before, 50));
        for (number, failed) in outcomes.iter().enumerate() {
            let _ = changed.call(number as u64 * 10, if *failed { FAILED } else { OK });
        }
        let now = outcomes.len() as u64 * 10;
        changed.poll(at(now));
        let saved = changed.save();
        changed.reconfigure(at(now), after(before, 50));
        prop_assert_eq!(&changed.save(), &saved);
        changed.reconfigure(at(now), after(later, 70));
        prop_assert_eq!(changed.save(), saved);
    }
}
