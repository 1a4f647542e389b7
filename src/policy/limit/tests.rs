//! Tests of the limiters: each at its boundaries, and all against what a limit means.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const NEVER: Result<Duration, Refused> = Err(Refused::Never);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(millis: u64) -> Time {
    Time::from_nanos(millis * 1_000_000)
}

fn ns(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

fn wait<T>(wait: Duration) -> Result<T, Refused> {
    Err(Refused::Wait(wait))
}

#[test]
fn a_rate_is_cut_at_its_ends() {
    assert_eq!(Rate::new(3, Duration::ZERO).per(), ns(1));
    assert_eq!(Rate::new(u64::MAX, ns(1)).permits(), 1 << 62);
    assert_eq!(Rate::new((1 << 62) - 1, ns(1)).permits(), (1 << 62) - 1);
    assert_eq!(Rate::new(1, Duration::MAX).per(), ns(1 << 62));
    assert_eq!(Rate::new(1, ns((1 << 62) - 1)).per(), ns((1 << 62) - 1));
    assert_eq!(Rate::per_second(5), Rate::new(5, Duration::from_secs(1)));
    assert_eq!(Rate::per_minute(5), Rate::new(5, Duration::from_secs(60)));
}

#[test]
fn a_refusal_says_whether_to_wait() {
    assert_eq!(Refused::Wait(ms(5)).wait(), Some(ms(5)));
    assert_eq!(Refused::Never.wait(), None);
    assert_eq!(
        Refused::Wait(ms(5)).to_string(),
        "the rate limit is reached: permits are free in 5ms"
    );
    assert_eq!(Refused::Never.to_string(), "more permits at once than the rate limit ever has");
}

#[test]
fn counts_are_cut_at_their_ends() {
    assert_eq!(whole(i128::MAX), i64::MAX);
    assert_eq!(whole(i128::MIN), i64::MIN);
    assert_eq!(whole(-1), -1);
    assert_eq!(duration(u128::MAX), ns(u64::MAX));
    assert_eq!(within(7, ns(7)), Ok(ns(7)));
    assert_eq!(within(8, ns(7)), wait(ns(8)));
}

#[test]
fn a_bucket_refills_nanosecond_by_nanosecond() {
    let mut bucket = TokenBucket::new(3, Rate::per_second(3));
    assert_eq!((bucket.capacity(), bucket.rate()), (3, Rate::per_second(3)));
    assert_eq!(bucket.available(at(0)), 3);
    assert_eq!(bucket.try_acquire(at(0), 3), Ok(()));
    // A third of a second, rounded up to a nanosecond.
    assert_eq!(bucket.try_acquire(at(0), 1), wait(ns(333_333_334)));
    assert_eq!(bucket.ready_in(at(0), 1), Some(ns(333_333_334)));
    assert_eq!(bucket.try_acquire(Time::from_nanos(333_333_333), 1), wait(ns(1)));
    assert_eq!(bucket.available(Time::from_nanos(333_333_333)), 0);
    assert_eq!(bucket.available(Time::from_nanos(333_333_334)), 1);
    assert_eq!(bucket.try_acquire(Time::from_nanos(333_333_334), 1), Ok(()));
    assert_eq!(bucket.reserve(at(400), 4, Duration::MAX), NEVER);
    assert_eq!(bucket.ready_in(at(400), 4), None);
    assert_eq!(bucket.available(at(9_000)), 3, "no more than it holds");
}

#[test]
fn a_bucket_does_not_drift_in_a_year() {
    let mut bucket = TokenBucket::new(1, Rate::new(7, Duration::from_secs(3)));
    let year = 365 * 86_400 * 1_000_000_000_u64;
    bucket.charge(Time::ZERO, 1 + year / 3_000_000_000 * 7);
    assert_eq!(bucket.ready_in(Time::ZERO, 1), Some(ns(year + 428_571_429)));
    let mut now = Time::ZERO;
    for _ in 0..1_000 {
        now = now + ns(year / 1_000);
        let _ = bucket.try_acquire(now, 1);
    }
    assert_eq!(bucket.available(Time::from_nanos(year)), 0);
    assert_eq!(bucket.available(Time::from_nanos(year + 428_571_428)), 0);
    assert_eq!(bucket.available(Time::from_nanos(year + 428_571_429)), 1);
}

#[test]
fn reservations_of_a_bucket_go_below_zero() {
    let mut bucket = TokenBucket::new(2, Rate::per_second(10));
    assert_eq!(bucket.reserve(at(0), 2, ms(0)), Ok(ms(0)));
    assert_eq!(bucket.reserve(at(0), 1, ms(99)), wait(ms(100)));
    assert_eq!(bucket.reserve(at(0), 1, ms(100)), Ok(ms(100)));
    assert_eq!(bucket.reserve(at(0), 2, ms(1_000)), Ok(ms(300)));
    assert_eq!(bucket.available(at(0)), -3);
    assert_eq!(bucket.available(at(50)), -3, "half a token is none");
    assert_eq!(bucket.available(at(100)), -2);
}

#[test]
fn time_that_goes_back_stands_still() {
    let mut bucket = TokenBucket::new(3, Rate::per_second(10));
    assert_eq!(bucket.try_acquire(at(100), 3), Ok(()));
    assert_eq!(bucket.try_acquire(at(0), 1), wait(ms(100)));
    assert_eq!(bucket.available(at(200)), 1);
}

#[test]
fn a_bucket_can_be_charged_and_given_back_to() {
    let mut bucket = TokenBucket::new(10, Rate::per_second(10));
    bucket.charge(at(0), 15);
    assert_eq!(bucket.available(at(0)), -5);
    bucket.give_back(at(0), 3);
    assert_eq!(bucket.available(at(0)), -2);
    bucket.give_back(at(0), 100);
    assert_eq!(bucket.available(at(0)), 10);
    bucket.charge(at(0), u64::MAX);
    assert!(bucket.available(at(0)) < -(1 << 61));
}

#[test]
fn a_cancelled_reservation_gives_back_what_nobody_counts_on() {
    let mut bucket = TokenBucket::new(4, Rate::per_second(10));
    let mut reserve = |n| at(0) + bucket.reserve(at(0), n, Duration::MAX).unwrap();
    let [_, a, _, c] = [4, 3, 1, 1].map(&mut reserve);
    assert_eq!((a, c), (at(300), at(500)));
    assert_eq!(bucket.cancel(at(100), 1, c), 1);
    assert_eq!(bucket.cancel(at(100), 3, a), 2, "as if the last had never been");
    assert_eq!(bucket.reserve(at(100), 3, Duration::MAX), Ok(ms(400)));
    assert_eq!(bucket.cancel(at(501), 3, at(500)), 0, "too late");
    assert_eq!(bucket.cancel(at(500), 3, at(500)), 3, "just in time");
    assert_eq!(bucket.cancel(at(500), 0, at(900)), 0);
}

#[test]
fn nothing_comes_back_that_later_ones_count_on() {
    let mut bucket = TokenBucket::new(2, Rate::per_second(10));
    let mut reserve = |n| at(0) + bucket.reserve(at(0), n, Duration::MAX).unwrap();
    let [_, first, _] = [2, 1, 1].map(&mut reserve);
    assert_eq!(bucket.cancel(at(0), 1, first), 0);
    assert_eq!(bucket.reserve(at(0), 1, Duration::MAX), Ok(ms(300)));
}

#[test]
fn a_bucket_keeps_its_level_when_its_settings_change() {
    let mut bucket = TokenBucket::new(2, Rate::per_second(5));
    bucket.charge(at(0), 4);
    bucket.set_rate(at(200), Rate::new(1, ms(100)));
    assert_eq!((bucket.available(at(200)), bucket.capacity()), (-1, 2));
    assert_eq!(bucket.available(at(300)), 0);
    // A level between two tokens is kept, too.
    bucket.set_rate(at(350), Rate::new(1, ms(1_000)));
    assert_eq!(bucket.ready_in(at(350), 1), Some(ms(500)));
    bucket.set_capacity(at(850), 5);
    assert_eq!((bucket.available(at(850)), bucket.capacity()), (1, 5));
    bucket.set_capacity(at(60_000), 2);
    assert_eq!(bucket.available(at(60_000)), 2);
}

#[test]
fn a_bucket_without_a_rate_is_never_refilled() {
    let mut bucket = TokenBucket::new(1, Rate::per_second(0));
    assert_eq!(bucket.try_acquire(at(0), 1), Ok(()));
    assert_eq!(bucket.reserve(Time::MAX, 1, Duration::MAX), NEVER);
    assert_eq!(bucket.reserve(Time::MAX, 0, ms(0)), Ok(ms(0)));
}

#[test]
fn a_stepwise_bucket_is_refilled_at_the_end_of_a_period() {
    let mut bucket = TokenBucket::with_refill(4, Rate::new(2, ms(100)), Refill::Stepwise);
    assert_eq!(bucket.try_acquire(at(30), 4), Ok(()));
    assert_eq!(bucket.try_acquire(at(99), 1), wait(ms(1)));
    assert_eq!(bucket.try_acquire(at(99), 3), wait(ms(101)));
    assert_eq!(bucket.available(at(99)), 0);
    assert_eq!(bucket.available(at(100)), 2);
    assert_eq!(bucket.try_acquire(at(150), 2), Ok(()));
    assert_eq!(bucket.try_acquire(at(150), 2), wait(ms(50)));
    assert_eq!(bucket.try_acquire(at(250), 4), wait(ms(50)));
    assert_eq!(bucket.available(at(1_000)), 4);
}

#[test]
fn gcra_gives_a_burst_and_then_one_at_a_time() {
    let mut gcra = Gcra::new(2, Rate::per_second(2));
    assert_eq!((gcra.burst(), gcra.available(at(0))), (2, 2));
    assert_eq!(gcra.try_acquire(at(0), 1), Ok(()));
    assert_eq!(gcra.available(at(1)), 1, "what is not whole is none");
    assert_eq!(gcra.try_acquire(at(1), 1), Ok(()));
    assert_eq!(gcra.try_acquire(at(2), 1), wait(ms(498)));
    assert_eq!(gcra.check(at(2), 1), Ok(ms(498)));
    assert_eq!(gcra.try_acquire(at(499), 1), wait(ms(1)));
    assert_eq!(gcra.try_acquire(at(500), 1), Ok(()));
    assert_eq!(gcra.check(at(500), 3), NEVER);
    assert_eq!(gcra.reserve(at(500), 1, ms(499)), wait(ms(500)));
    assert_eq!(gcra.reserve(at(500), 1, ms(500)), Ok(ms(500)));
    assert_eq!(gcra.available(at(500)), -1);
    gcra.consume(at(10_000), 3);
    assert_eq!(gcra.available(at(10_000)), -1);
    assert_eq!(gcra.check(at(10_000), 1), Ok(ms(1_000)));
}

#[test]
fn gcra_without_a_rate_never_recovers() {
    let mut gcra = Gcra::new(1, Rate::per_second(0));
    assert_eq!(gcra.try_acquire(at(0), 1), Ok(()));
    assert_eq!(gcra.reserve(Time::MAX, 1, Duration::MAX), NEVER);
}

#[test]
fn a_window_begins_where_it_was_told_to() {
    let mut window = FixedWindow::new(Rate::new(2, ms(100)), Start::At(at(50)));
    assert_eq!(window.rate(), Rate::new(2, ms(100)));
    assert_eq!(window.try_acquire(at(0), 2), Ok(()), "before the first window is in it");
    assert_eq!(window.ready_in(at(0), 1), Some(ms(150)));
    assert_eq!(window.try_acquire(at(149), 1), wait(ms(1)));
    assert_eq!(window.try_acquire(at(150), 2), Ok(()));
    assert_eq!(window.available(at(249)), 0);
    assert_eq!(window.available(at(250)), 2);
    assert_eq!(window.window(at(249), at(50)), 1);
    assert_eq!(window.window(at(250), at(50)), 2);
    assert_eq!(window.window(at(0), at(50)), 0);
}

#[test]
fn permits_of_later_windows_can_be_reserved() {
    let mut window = FixedWindow::new(Rate::new(2, ms(100)), Start::At(at(0)));
    assert_eq!(window.reserve(at(30), 4, ms(69)), wait(ms(70)));
    assert_eq!(window.reserve(at(30), 4, ms(70)), Ok(ms(70)));
    assert_eq!(window.available(at(30)), -2);
    assert_eq!(window.reserve(at(30), 1, ms(999)), Ok(ms(170)));
    assert_eq!(window.available(at(100)), -1);
    assert_eq!(window.available(at(200)), 1);
    assert_eq!(window.available(at(300)), 2, "no more than a window's");
}

#[test]
fn a_window_is_drained_and_changed() {
    let mut window = FixedWindow::new(Rate::new(5, ms(100)), Start::At(at(0)));
    assert_eq!(window.try_acquire(at(0), 2), Ok(()));
    assert_eq!(window.drain(at(0)), 3);
    assert_eq!(window.drain(at(0)), 0);
    assert_eq!(window.drain(at(100)), 5);
    window.set_limit(at(100), 1);
    assert_eq!(window.available(at(100)), 0);
    assert_eq!(window.available(at(200)), 1);
    assert_eq!(window.reserve(at(100), 1, ms(100)), Ok(ms(100)));
    assert_eq!(window.drain(at(100)), 0, "what is owed cannot be drained");
    assert_eq!(window.available(at(100)), -1);
    window.set_limit(at(250), 0);
    assert_eq!(window.reserve(at(250), 1, Duration::MAX), NEVER);
}

#[test]
fn a_floating_window_begins_with_its_first_use() {
    let mut window = FixedWindow::new(Rate::new(2, ms(100)), Start::FirstUse);
    assert_eq!(window.available(at(30)), 2);
    assert_eq!(window.try_acquire(at(40), 1), Ok(()));
    assert_eq!(window.try_acquire(at(139), 1), Ok(()));
    assert_eq!(window.try_acquire(at(139), 1), wait(ms(1)));
    assert_eq!(window.available(at(140)), 2);
    assert_eq!(window.try_acquire(at(170), 2), Ok(()));
    assert_eq!(window.try_acquire(at(269), 1), wait(ms(1)));
    // A reservation fixes where the next window begins.
    assert_eq!(window.reserve(at(269), 1, ms(1)), Ok(ms(1)));
    assert_eq!(window.available(at(330)), 1);
    assert_eq!(window.try_acquire(at(330), 2), wait(ms(40)));
    window.set_limit(at(500), 7);
    assert_eq!(window.available(at(500)), 7);
}

#[test]
fn a_smooth_limiter_has_one_permit_per_interval() {
    let mut smooth = Smooth::new(ms(100));
    assert_eq!(smooth.interval(), ms(100));
    assert_eq!(smooth.available(at(0)), 1);
    assert_eq!(smooth.try_acquire(at(0), 1), Ok(()));
    assert_eq!(smooth.available(at(0)), 0);
    assert_eq!(smooth.try_acquire(at(99), 1), wait(ms(1)));
    assert_eq!(smooth.try_acquire(at(150), 1), Ok(()));
    assert_eq!(smooth.next_free(), at(200), "the interval began at 100 ms");
    assert_eq!(smooth.reserve(at(199), 1, ms(0)), wait(ms(1)));
    assert_eq!(smooth.try_acquire(at(200), 1), Ok(()));
    assert_eq!(smooth.reserve(at(250), 2, ms(150)), Ok(ms(150)));
    assert_eq!(smooth.next_free(), at(500));
    assert_eq!(smooth.available(at(250)), -2);
    assert_eq!(smooth.available(at(500)), 1);
    assert_eq!(Smooth::new(Duration::ZERO).try_acquire(at(0), 1), Ok(()));
    assert_eq!(Smooth::new(Duration::ZERO).interval(), Duration::from_nanos(1));
}

#[test]
fn a_log_holds_over_any_window() {
    let mut log = SlidingLog::new(Rate::new(3, ms(100)));
    assert_eq!(log.try_acquire(at(0), 1), Ok(()));
    assert_eq!(log.try_acquire(at(60), 1), Ok(()));
    assert_eq!(log.try_acquire(at(60), 1), Ok(()));
    assert_eq!(log.try_acquire(at(60), 0), Ok(()));
    assert_eq!(log.available(at(99)), 0);
    assert_eq!(log.available(at(100)), 1);
    assert_eq!(log.try_acquire(at(99), 1), wait(ms(1)));
    assert_eq!(log.try_acquire(at(99), 2), wait(ms(61)));
    assert_eq!(log.try_acquire(at(99), 3), wait(ms(61)));
    assert_eq!(log.try_acquire(at(99), 4), Err(Refused::Never));
    assert_eq!(log.try_acquire(at(100), 1), Ok(()));
    assert_eq!(log.reserve(at(120), 3, ms(79)), wait(ms(80)));
    assert_eq!(log.reserve(at(120), 3, ms(80)), Ok(ms(80)));
    assert_eq!(log.reserve(at(120), 1, ms(999)), Ok(ms(180)), "not before the one before");
}

/// Everything that a log remembers.
fn memory(log: &SlidingLog) -> String {
    format!("{log:?}")
}

#[test]
fn a_log_remembers_no_more_than_it_must() {
    let log = || SlidingLog::with_segments(Rate::new(3, ms(300)), 3);
    let (mut new, mut old) = (log(), log());
    assert_eq!(old.try_acquire(at(0), 0), Ok(()));
    assert_eq!(memory(&old), memory(&new), "nothing taken leaves no trace");
    for step in 0..100 {
        assert_eq!(old.try_acquire(at(step * 150), 1), Ok(()));
    }
    for log in [&mut new, &mut old] {
        assert_eq!(log.try_acquire(at(20_000), 2), Ok(()));
    }
    assert_eq!(memory(&old), memory(&new), "what is past is forgotten");
    let mut one_by_one = log();
    assert_eq!(one_by_one.try_acquire(at(20_000), 1), Ok(()));
    assert_eq!(one_by_one.try_acquire(at(20_099), 1), Ok(()));
    assert_eq!(memory(&one_by_one), memory(&new), "a segment is one instant");
    assert_eq!(one_by_one.try_acquire(at(20_100), 1), Ok(()));
    assert_eq!(new.try_acquire(at(20_099), 1), Ok(()));
    assert_ne!(memory(&one_by_one), memory(&new), "and another is another");
}

#[test]
fn a_log_of_segments_gives_back_by_the_segment() {
    let mut log = SlidingLog::with_segments(Rate::new(2, ms(300)), 3);
    assert_eq!(log.try_acquire(at(199), 1), Ok(()));
    assert_eq!(log.try_acquire(at(200), 1), Ok(()));
    assert_eq!(log.available(at(399)), 0);
    assert_eq!(log.available(at(400)), 1);
    assert_eq!(log.available(at(500)), 2);
    let mut exact = SlidingLog::with_segments(Rate::new(1, ms(300)), 0);
    assert_eq!(exact.try_acquire(at(199), 1), Ok(()));
    assert_eq!(exact.available(at(498)), 0);
    assert_eq!(exact.available(at(499)), 1);
}

#[test]
fn two_counters_weigh_the_last_window() {
    let mut counter = SlidingCounter::new(Rate::new(10, ms(1_000)));
    assert_eq!(counter.reserve(at(0), 11, Duration::MAX), NEVER);
    assert_eq!(counter.try_acquire(at(900), 10), Ok(()));
    assert_eq!(counter.available(at(999)), 0);
    assert_eq!(counter.try_acquire(at(900), 1), wait(ms(200)), "into the next window");
    assert_eq!(counter.reserve(at(1_000), 1, Duration::MAX), wait(ms(100)), "it keeps no places");
    assert_eq!(counter.try_acquire(at(1_099), 1), wait(ms(1)));
    assert_eq!(counter.try_acquire(at(1_100), 1), Ok(()));
    assert_eq!(counter.available(at(1_500)), 4);
    assert_eq!(counter.try_acquire(at(1_500), 4), Ok(()));
    assert_eq!(counter.try_acquire(at(1_500), 2), wait(ms(200)));
    assert_eq!(counter.available(at(2_000)), 5);
    assert_eq!(counter.available(at(3_000)), 10, "two windows later nothing counts");
    assert_eq!(counter.available(at(3_500)), 10);
}

/// Some steps: how long after the last in ms, and how many permits.
fn steps() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0_u64..400, 1_u64..4), 1..80)
}

/// What a limiter admitted, and when it may be used.
fn admitted(
    limiter: &mut dyn Limiter,
    steps: &[(u64, u64)],
    patience: Duration,
) -> Vec<(u64, u64)> {
    let mut now = 0;
    let mut taken = Vec::new();
    for &(gap, n) in steps {
        now += gap;
        if let Ok(wait) = limiter.reserve(at(now), n, patience) {
            taken.push((at(now).as_nanos() + wait.as_nanos() as u64, n));
        }
    }
    taken
}

proptest! {
    #[test]
    fn gcra_and_a_bucket_decide_alike(steps in steps(), burst in 1_u64..9, rate in 1_u64..50, patience in 0_u64..900) {
        let rate = Rate::per_second(rate);
        let mut gcra = Gcra::new(burst, rate);
        let mut bucket = TokenBucket::new(burst, rate);
        let mut now = 0;
        for (gap, n) in steps {
            now += gap;
            prop_assert_eq!(gcra.available(at(now)), bucket.available(at(now)));
            let (a, b) = (gcra.reserve(at(now), n, ms(patience)), bucket.reserve(at(now), n, ms(patience)));
            prop_assert_eq!(a, b);
        }
    }

    #[test]
    fn a_bucket_admits_at_most_its_burst_and_its_rate(steps in steps(), burst in 1_u64..9, rate in 1_u64..50) {
        let mut bucket = TokenBucket::new(burst, Rate::per_second(rate));
        let taken = admitted(&mut bucket, &steps, Duration::ZERO);
        for (first, &(from, _)) in taken.iter().enumerate() {
            let mut sum = 0;
            for &(until, n) in &taken[first..] {
                sum += n;
                let most = u128::from(burst) * 1_000_000_000 + u128::from(until - from) * u128::from(rate);
                prop_assert!(u128::from(sum) * 1_000_000_000 <= most);
            }
        }
    }

    #[test]
    fn a_log_admits_at_most_its_limit_in_any_window(steps in steps(), limit in 1_u64..9, patience in 0_u64..900) {
        let mut log = SlidingLog::new(Rate::new(limit, ms(700)));
        let taken = admitted(&mut log, &steps, ms(patience));
        for &(end, _) in &taken {
            let inside = taken.iter().filter(|(then, _)| *then <= end && then + 700_000_000 > end);
            prop_assert!(inside.map(|(_, n)| n).sum::<u64>() <= limit);
        }
    }

    #[test]
    fn who_waits_as_told_is_admitted(steps in steps(), limit in 3_u64..9) {
        let rate = Rate::new(limit, ms(700));
        let mut limiters: [Box<dyn Limiter>; 7] = [
            Box::new(TokenBucket::new(limit, rate)),
            Box::new(TokenBucket::with_refill(limit, rate, Refill::Stepwise)),
            Box::new(Gcra::new(limit, rate)),
            Box::new(FixedWindow::new(rate, Start::At(at(0)))),
            Box::new(FixedWindow::new(rate, Start::FirstUse)),
            Box::new(SlidingLog::new(rate)),
            Box::new(SlidingCounter::new(rate)),
        ];
        for limiter in &mut limiters {
            let mut now = Time::ZERO;
            for (gap, n) in &steps {
                now = now + ms(*gap);
                if let Err(refused) = limiter.try_acquire(now, *n) {
                    let wait = refused.wait().unwrap();
                    let early = now + (wait - ns(1));
                    prop_assert_eq!(limiter.try_acquire(early, *n), Err(Refused::Wait(ns(1))));
                    now = now + wait;
                    prop_assert_eq!(limiter.try_acquire(now, *n), Ok(()));
                }
            }
        }
    }
}
