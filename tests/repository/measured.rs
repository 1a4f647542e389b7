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
        security::{OVERRIDES_MAX, TEXT_BYTES_MAX},
    },
    policy::breaker::{Breaker, Outcome},
    world::{Seed, Time},
};

const TYPICAL: &str = "preset = \"production\"\nretry_attempts = 4\n[operations.qa]\n\
                       strategy = \"critical\"\nretry_attempts = 6\njitter_max = 3.5\n";

/// How often a busy machine gets another chance.
const CHANCES: usize = 25;

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

/// As many operations as one text may have, each with every key, and the longest text that there may be.
fn largest() -> String {
    let mut text = "preset = \"production\"\n".to_owned();
    for number in 0..OVERRIDES_MAX {
        text.push_str(&format!(
            "[operations.operation-{number}]\nstrategy = \"critical\"\nretry_attempts = 6\n\
             circuit_breaker_threshold = 11\nrecovery_timeout = 2{number}0\n\
             max_delay_seconds = 300\nexponential_multiplier = 1.5\nexponential_min = 3.5\n\
             exponential_max = 60.5\njitter_enabled = true\njitter_max = 4.5\n"
        ));
    }
    let rest = TEXT_BYTES_MAX.checked_sub(text.len() + 2).expect("room for a comment");
    let comment: String = "what it is for ".chars().cycle().take(rest).collect();
    text + "# " + &comment
}

/// RES-7.1.
#[test]
fn the_largest_configuration_is_loaded_in_less_than_100_ms() {
    let largest = largest();
    assert_eq!(largest.len(), TEXT_BYTES_MAX);
    let config = |text: &str| Layers::new().replace_file("x.toml", text).map(|_| ());
    assert!(config(&format!("{largest} ")).is_err(), "there may be a longer one");
    let one_more = largest.replace("[operations.operation-0]", "[operations.a]\n[operations.b]");
    assert!(config(&one_more).is_err(), "there may be more in it");
    // Whatever else the machine does only adds to it.
    let least = |_| runs(&mut || load(&largest, 1), &mut || ())[0].iter().copied().min();
    let least = (0..CHANCES).filter_map(least).find(|least| *least < 100_000);
    assert!(least.is_some(), "it takes 100 ms or more, each time");
}

/// RES-7.2: what a retry policy and a breaker cost an operation that fails, waits, and succeeds.
#[test]
fn what_an_operation_costs_is_measured() {
    const OPERATIONS: u32 = 10_000;
    let tuning = Strategy::Critical.tuning();
    let (retry, mut draws) = (tuning.retry(), Seed(1).stream("pauses"));
    let mut breaker = Breaker::new(Rc::new(tuning.breaker()));
    let mut paused = Duration::ZERO;
    let mut operate = || {
        for number in 0..OPERATIONS {
            let now = Time::from_nanos(u64::from(number));
            for outcome in [Outcome::Failure, Outcome::Success] {
                let permit = breaker.admit(now).unwrap();
                breaker.record(now, permit, outcome, Duration::ZERO);
                if outcome == Outcome::Failure {
                    paused += black_box(retry.pause(1, &mut draws));
                }
            }
        }
    };
    let [spent, _] = runs(&mut operate, &mut || ());
    assert!(paused > Duration::from_secs(1), "it was never asked for a pause");
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
        found |= matches!(slower, Judgement::Slower(_));
        seen.push((same, slower));
        if agree && found {
            return;
        }
    }
    panic!("agreed: {agree}, found what is slower: {found}; {seen:#?}");
}
