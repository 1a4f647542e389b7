//! What is measured on the wall clock, where no sim can prove anything: how long a configuration takes
//! to load (RES-7.1), what an operation costs (RES-7.2), and that such numbers can be trusted (RES-7.4).
//!
//! The figures are those of `benches/config.rs`; here is only what must hold on any machine, in a debug
//! build, while others use it. So nothing is judged by one run, and a busy moment gets another chance.

use std::{
    hint::black_box,
    rc::Rc,
    time::{Duration, Instant},
};

use seedbed::{
    config::{
        Layers, Strategy,
        monitor::baseline::{Judge, Judgement, Spread},
        security::TEXT_BYTES_MAX,
    },
    policy::breaker::{Breaker, Outcome},
    world::Time,
};

const TYPICAL: &str = "preset = \"production\"\nretry_attempts = 4\n[operations.qa]\n\
                       strategy = \"critical\"\nretry_attempts = 6\njitter_max = 3.5\n";

/// How often a busy machine gets another chance.
const CHANCES: usize = 5;

/// How far runs of the same may be from their median, in thousandths of it: the stated spread.
const SPREAD_MAX_PERMILLE: u64 = 250;

fn micros(work: &mut dyn FnMut()) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "wall time is what is measured")]
    let start = Instant::now();
    work();
    u64::try_from(start.elapsed().as_micros()).unwrap()
}

/// The work as often as that, nine times, each time for both sides in turn: what slows the machine
/// down for a while slows both.
fn runs(first: &mut dyn FnMut(), second: &mut dyn FnMut()) -> [Vec<u64>; 2] {
    let mut sides = [Vec::new(), Vec::new()];
    for _ in 0..9 {
        sides[0].push(micros(first));
        sides[1].push(micros(second));
    }
    sides
}

fn load(text: &str, times: usize) {
    for _ in 0..times {
        let mut layers = Layers::new();
        layers.replace_file("x.toml", black_box(text)).unwrap();
        black_box(layers);
    }
}

/// RES-7.1.
#[test]
fn the_largest_configuration_is_loaded_in_less_than_100_ms() {
    let mut largest = TYPICAL.to_owned() + "#";
    largest.push_str(&" ".repeat(TEXT_BYTES_MAX - largest.len()));
    let [first, _] = runs(&mut || load(&largest, 1), &mut || ());
    let Spread { median, .. } = Spread::of(&first);
    assert!(median < 100_000, "{median} µs, of {first:?}");
}

/// RES-7.2: what a retry policy and a breaker cost an operation that succeeds.
#[test]
fn what_an_operation_costs_is_measured() {
    const OPERATIONS: u32 = 10_000;
    let tuning = Strategy::Critical.tuning();
    let mut breaker = Breaker::new(Rc::new(tuning.breaker()));
    let mut operate = || {
        for number in 0..OPERATIONS {
            let now = Time::from_nanos(u64::from(number));
            let permit = breaker.admit(now).unwrap();
            black_box(tuning.retry().attempts);
            breaker.record(now, permit, Outcome::Success, Duration::ZERO);
        }
    };
    let [spent, _] = runs(&mut operate, &mut || ());
    let each = Spread::of(&spent).median * 1_000 / u64::from(OPERATIONS);
    assert!(each > 0, "nothing was measured");
    assert!(each < 100_000, "{each} ns for one operation");
    let bench = include_str!("../../benches/config.rs");
    assert!(bench.contains("\"operation/critical\""), "the figure is not that of a benchmark");
}

/// RES-7.4.
#[test]
fn runs_of_the_same_agree_within_the_stated_spread_and_five_times_the_work_does_not() {
    let (mut agree, mut found) = (false, false);
    let mut seen = Vec::new();
    for _ in 0..CHANCES {
        let [first, second] = runs(&mut || load(TYPICAL, 20), &mut || load(TYPICAL, 20));
        let same = Judge::default().compare(&first, &second);
        let spread = same.finding().before.permille().max(same.finding().after.permille());
        agree |= spread <= SPREAD_MAX_PERMILLE && matches!(same, Judgement::NoChange(_));
        let [first, second] = runs(&mut || load(TYPICAL, 20), &mut || load(TYPICAL, 100));
        let slower = Judge::default().compare(&first, &second);
        assert!(!matches!(slower, Judgement::NoChange(_)), "{slower:?}");
        found |= matches!(slower, Judgement::Slower(_));
        seen.push((same, slower));
        if agree && found {
            return;
        }
    }
    panic!("agreed: {agree}, found what is slower: {found}; {seen:#?}");
}
