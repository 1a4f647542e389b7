//! What is called a difference, and what is not.

use super::*;
use crate::explore::sweep::{RESULTS_VERSION, RunVerdict};

fn line(seed: u64, is_good: bool, p50_us: Option<u64>) -> FinishedLine {
    let measured = Measured { requests: 10, ok: 9, p50_us, ..Measured::default() };
    FinishedLine {
        version: RESULTS_VERSION,
        sim: "a".to_owned(),
        scenario_hash: Hex(1),
        seed,
        fingerprint: Some(Hex(seed)),
        verdict: if is_good { RunVerdict::Pass } else { RunVerdict::Fail },
        signature: None,
        failure: None,
        events: 1,
        virtual_ms: 2,
        wall_us: None,
        measured: p50_us.map(|_| measured),
        reached: Vec::new(),
        unreached: Vec::new(),
    }
}

/// The row of a metric, of seeds with these latencies on the two sides.
fn latency(pairs: &[(u64, u64)]) -> Row {
    let line = |at: usize, us: u64| line(at as u64, true, Some(us));
    let pairs = pairs.iter().enumerate().map(|(at, (a, b))| (line(at, *a), line(at, *b)));
    told(pairs.collect(), "latency.p50")
}

fn told(pairs: Vec<(FinishedLine, FinishedLine)>, metric: &str) -> Row {
    let comparison = Comparison::of(&[Matched { sim: "a".to_owned(), pairs, alone: 0 }]);
    let rows = &comparison.sims[0].rows;
    rows.iter().find(|row| row.metric == metric).unwrap().clone()
}

fn passing(a: &[bool], b: &[bool]) -> Row {
    let line = |at: usize, is_good: bool| line(at as u64, is_good, Some(1));
    let pairs = a.iter().zip(b).enumerate().map(|(at, (a, b))| (line(at, *a), line(at, *b)));
    told(pairs.collect(), PASSED)
}

#[test]
fn a_difference_in_every_seed_is_shown_and_less_latency_is_better() {
    let (slow, fast) = ((100..110), (90..100));
    let pairs: Vec<(u64, u64)> = slow.zip(fast).collect();
    let row = latency(&pairs);
    assert_eq!((row.finding, row.difference), (Finding::Better, -10.0));
    assert_eq!((row.a, row.b, row.seeds), (104.5, 94.5, 10));
    let back: Vec<(u64, u64)> = pairs.iter().map(|(a, b)| (*b, *a)).collect();
    assert_eq!(latency(&back).finding, Finding::Worse);
    assert_eq!(latency(&pairs[..5]).finding, Finding::NotShown, "five seeds cannot show it");
    assert_eq!(latency(&pairs[..6]).finding, Finding::Better);
}

#[test]
fn noise_is_no_difference() {
    let pairs: Vec<(u64, u64)> = (0..40).map(|at| (100, 100 + at * 7 % 13 * 3 - 18)).collect();
    let row = latency(&pairs);
    let (low, high) = row.interval.unwrap();
    assert!(low < 0.0 && high > 0.0, "{row:?}");
    assert_eq!(row.finding, Finding::NotShown);
    assert_eq!(latency(&[(5, 5); 9]).finding, Finding::Same);
    assert_eq!(latency(&[]).finding, Finding::Unmeasured);
    // One wild seed is not enough, however wild it is.
    let mut wild = vec![(100, 100); 50];
    wild[7] = (100, 1_000_000);
    assert_eq!(latency(&wild).finding, Finding::NotShown);
}

#[test]
fn of_yes_and_no_the_exact_test_decides() {
    let all = [true; 100];
    let but = |failed: usize| -> Vec<bool> { (0..100).map(|at| at >= failed).collect() };
    assert_eq!(passing(&all, &but(5)).finding, Finding::NotShown);
    assert_eq!(passing(&all, &but(6)).finding, Finding::Worse);
    assert_eq!(passing(&but(6), &all).finding, Finding::Better);
    // Seven of eight: Student would call it one, 0.07 does not.
    let mut a = [true; 100];
    a[99] = false;
    let row = passing(&a, &but(7));
    assert!(row.interval.unwrap().1 < 0.0, "{row:?}");
    assert_eq!(row.finding, Finding::NotShown);
}

#[test]
fn tokens_that_nobody_counts_are_not_the_same() {
    let line = |seed: u64, tokens: u64| {
        let measured = Measured { tokens, ..Measured::default() };
        FinishedLine { measured: Some(measured), ..line(seed, true, Some(1)) }
    };
    let told = |b: u64| told((0..9).map(|at| (line(at, 0), line(at, b))).collect(), TOKENS);
    assert_eq!(told(0).finding, Finding::Unmeasured);
    assert_eq!(told(5).finding, Finding::Worse);
}

#[test]
fn cost_is_compared_where_models_have_prices() {
    let line = |seed: u64, cost_nanodollars: Option<u64>| {
        let measured = Measured { cost_nanodollars, ..Measured::default() };
        FinishedLine { measured: Some(measured), ..line(seed, true, Some(1)) }
    };
    let told = |a: Option<u64>, b: Option<u64>| {
        told((0..9).map(|at| (line(at, a), line(at, b))).collect(), COST)
    };
    assert_eq!(told(Some(700), Some(500)).finding, Finding::Better);
    assert_eq!(told(Some(500), Some(500)).finding, Finding::Same);
    assert_eq!(told(Some(500), None).finding, Finding::Unmeasured, "one side has no prices");
}

#[test]
fn several_sims_need_a_surer_interval() {
    let matched = |sim: &str| Matched { sim: sim.to_owned(), pairs: Vec::new(), alone: 0 };
    assert_eq!(Comparison::of(&[matched("a")]).confidence, CONFIDENCE);
    let five: Vec<Matched> = ["a", "b", "c", "d", "e"].map(matched).into();
    assert!((Comparison::of(&five).confidence - 0.99).abs() < 1e-12);
}

#[test]
fn results_that_measured_nothing_still_say_whether_they_passed() {
    let pairs: Vec<_> = (0..9).map(|at| (line(at, true, None), line(at, false, Some(7)))).collect();
    assert_eq!(told(pairs.clone(), "latency.p50").finding, Finding::Unmeasured);
    assert_eq!(told(pairs.clone(), PASSED).finding, Finding::Worse);
    let comparison = Comparison::of(&[Matched { sim: "a".to_owned(), pairs, alone: 0 }]);
    assert_eq!(comparison.sims[0].unmeasured, 9);
}
