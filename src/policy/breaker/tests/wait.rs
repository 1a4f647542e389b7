//! How long it stays open.

use super::*;

fn wait(growth: Growth, max: Option<u64>) -> Wait {
    Wait { growth, max: max.map(ms), ..Wait::constant(ms(100)) }
}

fn waits(wait: Wait) -> Vec<u128> {
    (1..=5).map(|opens| wait.after(opens).as_millis()).collect()
}

#[test]
fn waits_grow_as_they_should() {
    assert_eq!(waits(wait(Growth::Constant, None)), [100; 5]);
    assert_eq!(waits(wait(Growth::Linear, Some(350))), [100, 200, 300, 350, 350]);
    assert_eq!(waits(wait(Growth::Times(2_000_000), Some(500))), [100, 200, 400, 500, 500]);
    assert_eq!(waits(wait(Growth::Times(1_500_000), None)), [100, 150, 225, 337, 506]);
    assert_eq!(waits(wait(Growth::Times(1_000_000), None)), [100; 5]);
    assert_eq!(waits(wait(Growth::Times(1), None)), [100; 5], "none shrinks");
}

#[test]
fn waits_end_at_the_end_of_time() {
    let most = Duration::from_nanos(u64::MAX);
    assert_eq!(wait(Growth::Times(2_000_000), None).after(u32::MAX), most);
    assert_eq!(wait(Growth::Linear, None).after(u32::MAX), ms(100) * u32::MAX);
    let short = Wait { base: Duration::from_nanos(1), ..wait(Growth::Times(1_000_001), None) };
    assert_eq!(short.after(u32::MAX), Duration::from_nanos(1), "too short to grow");
    assert_eq!(wait(Growth::Times(2_000_000), None).after(0), ms(100));
}

#[test]
fn an_opening_that_follows_another_waits_longer() {
    let mut it = breaker(Settings {
        wait: Wait { growth: Growth::Times(1_500_000), ..Wait::constant(ms(5_000)) },
        ..Settings::failsafe()
    });
    it.calls(0, FAILED, 1);
    assert_eq!(it.until(), Some(at(5_000)));
    assert_eq!(it.calls(5_000, FAILED, 1), State::Open);
    assert_eq!(it.until(), Some(at(12_500)));
    assert_eq!(it.calls(12_500, OK, 1), State::Closed);
    assert_eq!(it.calls(12_500, FAILED, 1), State::Open);
    assert_eq!(it.until(), Some(at(17_500)));
}

#[test]
fn what_else_stops_the_counting_of_openings() {
    for (state, opens) in [
        (State::Closed, 0),
        (State::Open, 3),
        (State::HalfOpen, 2),
        (State::Disabled, 0),
        (State::MetricsOnly, 0),
        (State::ForcedOpen, 3),
    ] {
        let mut it = breaker(Settings::polly());
        it.force(at(0), State::Open);
        it.force(at(0), State::Open);
        it.force(at(0), state);
        assert_eq!(it.counts().opens, opens, "{state}");
    }
}

/// Envoy forgets an ejection for each sweep in health, and never remembers more than it can use.
#[test]
fn a_linear_wait_is_forgotten_little_by_little() {
    let mut it = breaker(Settings::envoy());
    let mut now = 0;
    let mut eject = |it: &mut Breaker, quiet: u64| {
        now += quiet;
        it.poll(at(now));
        assert_eq!(it.calls(now, FAILED, 5), State::Open);
        let wait = it.until().unwrap() - at(now);
        now = it.until().unwrap().as_nanos() / 1_000_000;
        it.poll(at(now));
        wait.as_millis()
    };
    assert_eq!(eject(&mut it, 0), 30_000);
    assert_eq!(eject(&mut it, 0), 60_000);
    assert_eq!(eject(&mut it, 0), 90_000);
    assert_eq!(eject(&mut it, 19_999), 90_001, "3 less 1 and 1 more, and on to the sweep");
    assert_eq!(eject(&mut it, 20_000), 60_000, "3 less 2 and 1 more");
    for _ in 0..20 {
        eject(&mut it, 0);
    }
    assert_eq!(it.counts().opens, 11, "one more than the longest needs");
    assert_eq!(eject(&mut it, 0), 300_000);
    assert_eq!(eject(&mut it, 20_000), 300_000, "11 less 2 and 1 more");
    assert_eq!(eject(&mut it, 20_000), 270_000, "10 less 2 and 1 more");
    assert_eq!(eject(&mut it, 1_000_000), 30_000);
}

#[test]
fn a_wait_without_sweeps_ends_when_it_ends() {
    let mut settings = Settings::envoy();
    settings.wait.sweep = None;
    let mut it = breaker(settings.clone());
    it.calls(1, FAILED, 5);
    assert_eq!(it.until(), Some(at(30_001)));
    settings.wait.sweep = Some(Duration::ZERO);
    let mut it = breaker(settings);
    it.calls(1, FAILED, 5);
    assert_eq!(it.until(), Some(at(30_001)), "a sweep all the time");
}

/// With a timer at both ends, what nobody watched happened all the same, each at its time.
#[test]
fn a_long_absence_is_caught_up() {
    let mut it = breaker(Settings {
        wait: Wait { ends: Ends::OnTime, ..Wait::constant(ms(5_000)) },
        half_open: Some(HalfOpen { max_wait: Some(ms(1_000)), ..HalfOpen::all_of(1) }),
        ..Settings::resilience4j()
    });
    it.force(at(0), State::Open);
    it.poll(at(17_999));
    assert_eq!((it.state(), it.until()), (State::HalfOpen, Some(at(18_000))));
    it.poll(at(18_000));
    assert_eq!((it.state(), it.until()), (State::Open, Some(at(23_000))));
    assert_eq!(it.counts().life.transitions(State::Open, State::HalfOpen), 3);
    assert_eq!(it.counts().life.transitions(State::HalfOpen, State::Open), 3);
}
