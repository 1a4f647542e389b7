//! Pauses, from both sides of each bound.

use proptest::prelude::*;

use super::*;
use crate::world::Seed;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn retry(growth: Growth, max: Duration, jitter: Jitter) -> Retry {
    Retry { attempts: 6, base: ms(500), growth, max, jitter, hard_max: true }
}

fn pauses(jitter: Jitter) -> Vec<Duration> {
    let retry = retry(Growth::DOUBLE, ms(3_000), jitter);
    let mut draws = Seed(1).stream("retry");
    (1..=5).map(|failures| retry.pause(failures, &mut draws)).collect()
}

/// The pauses in milliseconds, unvaried.
fn millis(growth: Growth, base: u64, max: u64) -> Vec<u128> {
    let retry = Retry { base: ms(base), ..retry(growth, ms(max), Jitter::None) };
    let mut draws = Seed(1).stream("retry");
    (1..=6).map(|failures| retry.pause(failures, &mut draws).as_millis()).collect()
}

#[test]
fn pauses_grow_up_to_the_limit() {
    assert_eq!(pauses(Jitter::None), [500, 1_000, 2_000, 3_000, 3_000].map(ms));
    assert_eq!(millis(Growth::DOUBLE, 100, 1_600), [100, 200, 400, 800, 1_600, 1_600]);
    assert_eq!(millis(Growth::CONSTANT, 100, 1_000), [100; 6]);
    assert_eq!(millis(Growth::Linear, 100, 450), [100, 200, 300, 400, 450, 450]);
    assert_eq!(millis(Growth::times(3), 10, 10_000), [10, 30, 90, 270, 810, 2_430]);
    assert_eq!(
        millis(Growth::Exponential { permille: 500 }, 800, 800),
        [800, 400, 200, 100, 50, 25]
    );
    assert_eq!(millis(Growth::DOUBLE, 100, 50), [50; 6], "the limit holds for the first too");
}

#[test]
fn fractions_are_exact_or_cut_to_whole_milliseconds() {
    let exact = Growth::Exponential { permille: 1_500 };
    let retry = Retry { base: ms(100), ..retry(exact, ms(10_000), Jitter::None) };
    let pause = |failures| retry.bounds(failures, ms(100)).0.as_nanos();
    assert_eq!([pause(4), pause(5), pause(6)], [337_500_000, 506_250_000, 759_375_000]);
    let cut = Growth::WholeMillis { permille: 1_500 };
    assert_eq!(millis(cut, 100, 10_000), [100, 150, 225, 337, 505, 757]);
    assert_eq!(millis(cut, 100, 300), [100, 150, 225, 300, 300, 300]);
    let odd = Retry { base: Duration::from_micros(1_999), growth: cut, ..retry };
    assert_eq!(odd.bounds(1, ms(0)), (ms(1), ms(1)));
}

#[test]
fn no_failure_is_as_good_as_one() {
    for growth in [Growth::DOUBLE, Growth::Linear] {
        let retry = retry(growth, ms(3_000), Jitter::None);
        assert_eq!(retry.bounds(0, ms(0)), (ms(500), ms(500)));
    }
}

#[test]
fn each_jitter_has_its_bounds() {
    let bounds = |jitter, failures, previous| {
        let (low, high) = retry(Growth::DOUBLE, ms(2_000), jitter).bounds(failures, ms(previous));
        (low.as_millis(), high.as_millis())
    };
    assert_eq!(bounds(Jitter::None, 2, 0), (1_000, 1_000));
    assert_eq!(bounds(Jitter::Full, 2, 0), (0, 1_000));
    assert_eq!(bounds(Jitter::Equal, 2, 0), (500, 1_000));
    assert_eq!(bounds(Jitter::Scaled { less: 250, more: 0 }, 2, 0), (750, 1_000));
    assert_eq!(bounds(Jitter::Scaled { less: 200, more: 500 }, 2, 0), (800, 1_500));
    assert_eq!(bounds(Jitter::Scaled { less: 200, more: 500 }, 3, 0), (1_600, 2_000));
    let shifted = Jitter::Shifted { less: ms(100), more: ms(750) };
    assert_eq!(bounds(shifted, 1, 0), (400, 1_250));
    let more_than_all = Jitter::Shifted { less: ms(600), more: ms(0) };
    assert_eq!(bounds(more_than_all, 1, 0), (0, 500));
    assert_eq!(bounds(Jitter::Decorrelated, 9, 100), (500, 500), "three times less than the base");
    assert_eq!(bounds(Jitter::Decorrelated, 9, 600), (500, 1_800));
    assert_eq!(bounds(Jitter::Decorrelated, 9, 700), (500, 2_000), "capped after the draw");
}

#[test]
fn a_soft_limit_holds_before_jitter_only() {
    let scaled = Jitter::Scaled { less: 200, more: 200 };
    let soft = Retry { hard_max: false, ..retry(Growth::DOUBLE, ms(1_000), scaled) };
    assert_eq!(soft.bounds(9, ms(0)), (ms(800), ms(1_200)));
    let hard = Retry { hard_max: true, ..soft };
    assert_eq!(hard.bounds(1, ms(0)), (ms(400), ms(600)));
    assert_eq!(hard.bounds(2, ms(0)), (ms(800), ms(1_000)), "varied, then cut");
    assert_eq!(hard.bounds(3, ms(0)), (ms(1_000), ms(1_000)), "outgrown by more than the jitter");
    let less = Jitter::Shifted { less: ms(1_500), more: ms(0) };
    assert_eq!(Retry { jitter: less, ..hard }.bounds(3, ms(0)), (ms(500), ms(1_000)));
}

#[test]
fn a_place_in_the_range_is_a_pause() {
    let retry = retry(Growth::CONSTANT, ms(500), Jitter::Full);
    let at = |millionths| retry.pause_at(1, ms(0), millionths).as_millis();
    assert_eq!([at(0), at(400_000), at(1_000_000), at(2_000_000)], [0, 200, 500, 500]);
}

#[test]
fn jitter_stays_in_its_bounds_and_differs() {
    for jitter in [Jitter::Full, Jitter::Equal, Jitter::Scaled { less: 250, more: 0 }] {
        assert_ne!(pauses(jitter), pauses(Jitter::None));
    }
    let decorrelated = retry(Growth::DOUBLE, ms(9_000), Jitter::Decorrelated);
    let (mut draws, mut same) = (Seed(1).stream("retry"), Seed(1).stream("retry"));
    let first = decorrelated.pause(7, &mut draws);
    assert_eq!(first, decorrelated.pause_after(7, ms(500), &mut same), "the base comes before");
    assert!(ms(500) <= first && first <= ms(1_500), "{first:?}");
}

/// The draws of these three are part of every history there is.
#[test]
fn the_draws_are_what_they_always_were() {
    let drawn = |jitter| retry(Growth::DOUBLE, ms(3_000), jitter).pause(1, &mut stream());
    assert_eq!(nanos(drawn(Jitter::Full)), stream().between(0, 500_000_000));
    assert_eq!(nanos(drawn(Jitter::Equal)), 250_000_000 + stream().between(0, 250_000_000));
    let mut draws = stream();
    retry(Growth::DOUBLE, ms(3_000), Jitter::None).pause(1, &mut draws);
    assert_eq!(draws.below(1_000), stream().below(1_000), "it draws nothing");
}

fn stream() -> Stream {
    Seed(1).stream("retry")
}

#[test]
fn no_number_of_failures_overflows() {
    for growth in [Growth::DOUBLE, Growth::Linear, Growth::times(u32::MAX)] {
        for hard_max in [true, false] {
            let more = Jitter::Scaled { less: 0, more: u32::MAX };
            let retry = Retry { hard_max, ..retry(growth, Duration::MAX, more) };
            let (low, high) = retry.bounds(u32::MAX, Duration::MAX);
            assert!(low > Duration::from_secs(1) && high >= low, "{growth:?} {low:?} {high:?}");
        }
    }
    let shrinks = retry(Growth::Exponential { permille: 999 }, ms(500), Jitter::None);
    assert!(shrinks.bounds(u32::MAX, ms(0)).1 < ms(1));
    let vanishes = retry(Growth::Exponential { permille: 0 }, ms(500), Jitter::None);
    assert_eq!(vanishes.bounds(3, ms(0)).1, ms(0));
}

#[test]
fn libraries_wait_as_they_do() {
    let bounds = |preset: Preset| {
        let retry = Retry::preset(preset);
        let ms = |failures| {
            let (low, high) = retry.bounds(failures, retry.base);
            (low.as_millis(), high.as_millis())
        };
        (retry.attempts, ms(1), ms(2), ms(40))
    };
    let century = 18_446_744_073_709;
    let rows = [
        (Preset::Resilience4j, 3, (500, 500), (500, 500), (500, 500)),
        (Preset::Polly, 4, (2_000, 2_000), (2_000, 2_000), (2_000, 2_000)),
        (Preset::FailsafeGo, 3, (0, 0), (0, 0), (0, 0)),
        (Preset::Aws2020, 3, (0, 1_000), (0, 2_000), (0, 20_000)),
        (Preset::Aws2026, 3, (0, 50), (0, 100), (0, 20_000)),
        (Preset::Aws2026Throttling, 3, (0, 1_000), (0, 2_000), (0, 20_000)),
        (Preset::Sdk, 3, (375, 500), (750, 1_000), (6_000, 8_000)),
        (Preset::Langchain, 3, (1_000, 2_000), (2_000, 3_000), (60_000, 60_000)),
        (Preset::Litellm, 3, (500, 1_250), (1_000, 1_750), (8_000, 8_750)),
        (Preset::Ccr, 2, (1_000, 1_000), (2_000, 2_000), (30_000, 30_000)),
        (Preset::Portkey, 1, (1_000, 1_000), (2_000, 2_000), (century, century)),
        (Preset::Tensorzero, 1, (1_000, 2_000), (2_000, 4_000), (10_000, 20_000)),
        (Preset::Bifrost, 1, (400, 600), (800, 1_200), (4_000, 6_000)),
        (Preset::Helicone, 3, (1_000, 2_000), (2_000, 4_000), (30_000, 60_000)),
    ];
    for (preset, attempts, first, second, last) in rows {
        assert_eq!(bounds(preset), (attempts, first, second, last), "{preset:?}");
    }
    let (attempts, first, second, _) = bounds(Preset::Resilience4jExponential);
    assert_eq!((attempts, first, second), (3, (250, 750), (375, 1_125)));
    let (attempts, first, second, _) = bounds(Preset::Tower);
    assert_eq!((attempts, first, second), (u32::MAX, (50, 99), (100, 199)));
}

#[test]
fn presets_have_names() {
    for preset in Preset::ALL {
        assert_eq!(Preset::parse(preset.as_str()), Some(preset));
    }
    assert_eq!(Preset::parse("nobody"), None);
    assert_eq!(Preset::parse("ccr"), Some(Preset::Ccr));
}

#[test]
fn grpc_varies_after_the_cap_and_takes_five_attempts() {
    let grpc = |attempts| Retry::grpc(attempts, ms(100), 2_000, ms(1_000));
    assert_eq!([4, 5, 6, 100].map(|attempts| grpc(attempts).attempts), [4, 5, 5, 5]);
    assert_eq!(grpc(4).bounds(1, ms(0)), (ms(80), ms(120)));
    assert_eq!(grpc(4).bounds(5, ms(0)), (ms(800), ms(1_200)));
}

proptest! {
    #[test]
    fn pauses_stay_in_their_bounds(
        base in 0_u64..10_000, max in 0_u64..100_000, previous in 0_u64..100_000,
        failures in 0_u32..200, permille in 0_u32..5_000, kind in 0..6, hard_max: bool, seed: u64,
    ) {
        let (less, more) = (ms(base), ms(previous));
        let jitter = match kind {
            0 => Jitter::Full,
            1 => Jitter::None,
            2 => Jitter::Equal,
            3 => Jitter::Decorrelated,
            4 => Jitter::Scaled { less: permille.min(1_000), more: permille },
            _ => Jitter::Shifted { less, more },
        };
        let growth = Growth::Exponential { permille };
        let retry = Retry { attempts: 3, base: ms(base), growth, max: ms(max), jitter, hard_max };
        let (low, high) = retry.bounds(failures, ms(previous));
        let pause = retry.pause_after(failures, ms(previous), &mut Seed(seed).stream("x"));
        prop_assert!(low <= pause && pause <= high, "{low:?} {pause:?} {high:?}");
        prop_assert!(!hard_max || pause <= ms(max));
    }
}
