//! What leaves a window when, and what its totals are then.

use super::*;

fn at(millis: u64) -> Time {
    Time::from_nanos(millis * 1_000_000)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const OK: Call = Call { failed: false, slow: false, took: Duration::from_millis(100) };
const FAILED: Call = Call { failed: true, ..OK };
const SLOW_OK: Call = Call { slow: true, ..OK };
const SLOW_FAILED: Call = Call { slow: true, ..FAILED };

/// Calls, failures, slow calls, milliseconds.
fn sums(window: &Window) -> (u32, u32, u32, u128) {
    let all = window.totals();
    (all.calls(), all.failures, all.slow(), all.took().as_millis())
}

#[test]
fn the_last_calls_push_out_the_oldest() {
    let mut window = Window::new(Shape::Calls(3));
    for call in [FAILED, OK, SLOW_FAILED] {
        window.record(at(0), call);
    }
    assert_eq!(sums(&window), (3, 2, 1, 300));
    window.record(at(0), SLOW_OK);
    assert_eq!(sums(&window), (3, 1, 2, 300), "the first failure is gone");
    window.record(at(0), OK);
    assert_eq!(sums(&window), (3, 1, 2, 300), "the first success is gone");
    window.record(at(0), Call::default());
    assert_eq!(sums(&window), (3, 0, 1, 200), "the slow failure is gone");
    window.record(at(0), OK);
    assert_eq!(sums(&window), (3, 0, 0, 200), "the slow success is gone");
    assert_eq!(window.buckets(), 0);
    assert!(!window.roll(Time::MAX), "time is nothing to it");
    assert_eq!(sums(&window).0, 3);
}

#[test]
fn averages_are_of_what_is_there() {
    let mut window = Window::new(Shape::Calls(2));
    assert_eq!(window.totals().average(), Duration::ZERO);
    window.record(at(0), OK);
    window.record(at(0), Call { took: ms(300), ..FAILED });
    assert_eq!(window.totals().average(), ms(200));
}

#[test]
fn a_call_leaves_as_it_came() {
    for call in [OK, FAILED, SLOW_OK, SLOW_FAILED, Call::default()] {
        let mut tally = Tally::default();
        tally.add(call);
        tally.remove_call(call.pack());
        assert_eq!((tally.calls(), tally.slow(), tally.took()), (0, 0, Duration::ZERO));
        tally.remove_call(call.pack());
        assert_eq!(tally.calls(), 0, "never below nothing");
    }
    let long = Call { took: Duration::MAX, ..FAILED };
    assert_eq!(long.pack(), (u64::MAX >> 2) << 2 | 1, "cut at 146 years");
}

#[test]
fn seconds_of_the_clock_are_forgotten_whole() {
    let mut window = Window::new(Shape::time(ms(5_000), 5, Align::Clock));
    window.record(at(900), FAILED);
    window.record(at(1_000), OK);
    assert_eq!(sums(&window), (2, 1, 0, 200));
    window.roll(at(4_999));
    assert_eq!(sums(&window).0, 2, "the fifth second still sees the first");
    window.roll(at(5_000));
    assert_eq!(sums(&window), (1, 0, 0, 100), "the sixth does not");
    window.roll(at(5_999));
    assert_eq!(sums(&window).0, 1);
    window.roll(at(6_000));
    assert_eq!(sums(&window), (0, 0, 0, 0));
    window.record(at(60_000), SLOW_FAILED);
    assert_eq!(sums(&window), (1, 1, 1, 100));
    window.record(at(64_000), OK);
    assert_eq!(window.buckets(), 5);
    assert_eq!(sums(&window).0, 2);
}

#[test]
fn buckets_can_begin_with_the_clearing() {
    let mut window = Window::new(Shape::time(ms(1_000), 10, Align::Cleared));
    window.clear(at(250));
    window.record(at(349), FAILED);
    window.roll(at(1_249));
    assert_eq!(sums(&window).0, 1);
    window.roll(at(1_250));
    assert_eq!(sums(&window).0, 0, "a second after the clearing, the first tenth goes");
}

#[test]
fn buckets_can_begin_with_a_call() {
    let mut window = Window::new(Shape::time(ms(10_000), 10, Align::Call));
    window.record(at(500), FAILED);
    window.record(at(1_499), FAILED);
    assert_eq!(window.buckets(), 1, "the first bucket lasts until 1.5 s");
    window.record(at(1_500), OK);
    assert_eq!(window.buckets(), 2);
    window.roll(at(10_499));
    assert_eq!(sums(&window).0, 3);
    window.roll(at(10_500));
    assert_eq!(sums(&window), (1, 0, 0, 100), "the first bucket goes whole");
    window.roll(at(11_499));
    assert_eq!(sums(&window).0, 1);
    window.roll(at(11_500));
    assert_eq!(sums(&window).0, 0);
}

/// Ten successes a second apart in a window of ten seconds: the first is just gone.
#[test]
fn buckets_that_begin_with_calls_never_outgrow_their_ring() {
    let mut window = Window::new(Shape::time(ms(10_000), 10, Align::Call));
    for second in 0..25 {
        window.record(at(second * 1_000), OK);
        assert_eq!(u64::from(sums(&window).0), (second + 1).min(10));
        assert!(window.buckets() <= 10);
    }
}

#[test]
fn buckets_can_be_longer_than_time() {
    for align in [Align::Clock, Align::Cleared, Align::Call] {
        let mut window = Window::new(Shape::Buckets { count: 2, each: Duration::MAX, align });
        window.record(at(0), FAILED);
        window.record(at(1_000), OK);
        assert!(!window.roll(at(1_000_000)));
        assert_eq!((sums(&window).0, window.buckets()), (2, 1), "{align:?}");
    }
}

#[test]
fn an_interval_is_over_after_its_last_instant() {
    let mut window = Window::new(Shape::Interval(ms(30_000)));
    window.clear(at(1_000));
    window.record(at(1_000), FAILED);
    assert!(!window.roll(at(31_000)));
    assert_eq!(sums(&window).0, 1);
    assert!(window.roll(Time::from_nanos(31_000_000_001)));
    assert_eq!(sums(&window).0, 0);
    assert!(!window.roll(at(61_000)), "the next one began when the last one ended");
}

#[test]
fn everything_is_kept_without_bounds() {
    let mut window = Window::new(Shape::Unbounded);
    for second in 0..1_000 {
        window.record(at(second * 1_000), OK);
    }
    assert!(!window.roll(Time::MAX));
    assert_eq!(sums(&window), (1_000, 0, 0, 100_000));
    window.clear(Time::MAX);
    assert_eq!(window, {
        let mut new = Window::new(Shape::Unbounded);
        new.clear(Time::MAX);
        new
    });
}

#[test]
fn what_is_consecutive_is_ended_by_its_opposite() {
    let mut window = Window::new(Shape::Unbounded);
    let run = |window: &Window| {
        (window.totals().consecutive_successes, window.totals().consecutive_failures)
    };
    window.record(at(0), OK);
    window.record(at(0), OK);
    assert_eq!(run(&window), (2, 0));
    window.record(at(0), FAILED);
    assert_eq!(run(&window), (0, 1));
    window.exclude(0);
    window.record(at(0), FAILED);
    assert_eq!(run(&window), (0, 2));
    assert_eq!(window.totals().excluded, 1);
}

/// A run that reaches into the part that is forgotten loses that part; another keeps its length.
#[test]
fn a_run_is_shortened_by_what_is_forgotten_of_it() {
    let shape = Shape::time(ms(2_000), 2, Align::Cleared);
    for (call, other) in [(OK, FAILED), (FAILED, OK)] {
        let run = |window: &Window| {
            let all = window.totals();
            if call.failed { all.consecutive_failures } else { all.consecutive_successes }
        };
        let mut whole = Window::new(shape);
        whole.record(at(0), call);
        whole.record(at(0), call);
        whole.record(at(1_000), call);
        assert_eq!(run(&whole), 3);
        whole.roll(at(2_000));
        assert_eq!(run(&whole), 1);
        let mut broken = Window::new(shape);
        broken.record(at(0), call);
        broken.record(at(0), other);
        broken.record(at(1_000), other);
        broken.record(at(1_000), call);
        broken.record(at(1_000), call);
        broken.roll(at(2_000));
        assert_eq!(run(&broken), 2);
        let mut reaching = Window::new(shape);
        reaching.record(at(0), other);
        reaching.record(at(0), call);
        reaching.record(at(1_000), call);
        reaching.roll(at(2_000));
        assert_eq!(run(&reaching), 1);
    }
}

#[test]
fn a_call_counts_in_the_part_in_which_it_began() {
    let mut window = Window::new(Shape::time(ms(2_000), 2, Align::Cleared));
    let first = window.begin(at(0));
    let second = window.begin(at(1_000));
    assert_eq!((first, second, window.totals().requests), (0, 1, 2));
    window.record_in(at(1_500), first, FAILED);
    window.exclude(first);
    window.record_in(at(1_500), second, SLOW_OK);
    assert_eq!(sums(&window), (2, 1, 1, 200));
    window.roll(at(2_000));
    assert_eq!(sums(&window), (1, 0, 1, 100));
    assert_eq!((window.totals().requests, window.totals().excluded), (1, 0));
    window.record_in(at(2_500), first, FAILED);
    window.exclude(first);
    window.record_in(at(2_500), 3, FAILED);
    assert_eq!(sums(&window).0, 1, "what has left, or is yet to come, takes nothing");
    assert_eq!(window.totals().excluded, 0);
    window.exclude(second);
    assert_eq!(window.totals().excluded, 1);
    window.roll(at(3_000));
    assert_eq!(*window.totals(), Tally::default());
}

#[test]
fn without_parts_a_call_counts_when_it_ends() {
    for shape in [Shape::Unbounded, Shape::Calls(1), Shape::Interval(ms(10))] {
        let mut window = Window::new(shape);
        assert_eq!(window.begin(at(0)), 0);
        window.record_in(at(0), 7, FAILED);
        window.record_in(at(0), 7, FAILED);
        let kept = if shape == Shape::Calls(1) { 1 } else { 2 };
        assert_eq!(window.totals().failures, kept);
        assert_eq!(window.totals().requests, 1);
    }
}

#[test]
fn a_window_fits_its_own_shape_alone() {
    let shape = Shape::Calls(4);
    let window = Window::new(shape);
    assert!(window.fits(shape));
    assert!(!window.fits(Shape::Calls(5)));
    assert!(!Window::new(Shape::Unbounded).fits(Shape::Interval(ms(1))), "as long, but another");
    let mut cut: serde_json::Value = serde_json::to_value(&window).unwrap();
    cut["oldest"] = serde_json::json!(1);
    let cut: Window = serde_json::from_value(cut).unwrap();
    assert!(!cut.fits(shape), "the oldest is not after the newest");
    let mut cut: serde_json::Value = serde_json::to_value(&window).unwrap();
    cut["calls"] = serde_json::json!([0, 0, 0]);
    let cut: Window = serde_json::from_value(cut).unwrap();
    assert!(!cut.fits(shape), "its ring is too short");
    let buckets = Shape::time(ms(3_000), 3, Align::Clock);
    assert!(Window::new(buckets).fits(buckets));
    let mut cut: serde_json::Value = serde_json::to_value(Window::new(buckets)).unwrap();
    cut["buckets"] = serde_json::json!([]);
    let cut: Window = serde_json::from_value(cut).unwrap();
    assert!(!cut.fits(buckets));
}

/// The running totals are what a count of everything that should be in the window gives.
#[test]
fn running_totals_are_those_of_a_recount() {
    use proptest::prelude::*;
    let calls = prop::collection::vec((0..700_u64, 0..4_u8), 1..200);
    proptest!(|(gaps in calls, size in 1..20_u32)| {
        let mut by_count = Window::new(Shape::Calls(size));
        let mut by_time = Window::new(Shape::time(ms(u64::from(size) * 1_000), size, Align::Clock));
        let mut all: Vec<(u64, Call)> = Vec::new();
        let mut now = 0;
        for (gap, kind) in gaps {
            now += gap;
            let call = Call { failed: kind & 1 != 0, slow: kind & 2 != 0, took: ms(gap) };
            all.push((now, call));
            by_count.record(at(now), call);
            by_time.record(at(now), call);
            let recount = |calls: &[(u64, Call)]| {
                let count = |is: fn(&Call) -> bool| calls.iter().filter(|(_, it)| is(it)).count();
                let took: Duration = calls.iter().map(|(_, it)| it.took).sum();
                (calls.len() as u32, count(|it| it.failed) as u32, count(|it| it.slow) as u32,
                    took.as_millis())
            };
            let last = all.len().saturating_sub(size as usize);
            prop_assert_eq!(sums(&by_count), recount(&all[last..]));
            let recent: Vec<_> = all.iter().copied()
                .filter(|(then, _)| now / 1_000 - then / 1_000 < u64::from(size)).collect();
            prop_assert_eq!(sums(&by_time), recount(&recent));
        }
    });
}
