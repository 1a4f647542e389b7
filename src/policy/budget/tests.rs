//! Budgets, token by token.

use proptest::prelude::*;

use super::*;
use crate::world::{Probability, Seed};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(millis: u64) -> Time {
    Time::ZERO + ms(millis)
}

fn quota(settings: &Settings) -> Quota {
    match Budget::new(settings) {
        Budget::Aws(quota) => quota,
        _ => Quota::new(0, 0, 0, 0),
    }
}

fn tokens(budget: &Budget) -> u32 {
    match budget {
        Budget::Aws(quota) => quota.tokens(),
        Budget::Grpc(tokens) => tokens.millis(),
        Budget::Tower(deposits) => deposits.balance() as u32,
        Budget::Failsafe(concurrent) => concurrent.executions(),
    }
}

#[test]
fn aws_takes_by_cause() {
    let left = |settings: &Settings, cause| {
        let mut quota = quota(settings);
        assert!(quota.withdraw(cause).is_some());
        quota.tokens()
    };
    let causes = [Cause::Transient, Cause::Throttling, Cause::Timeout];
    assert_eq!(causes.map(|cause| left(&Settings::AWS_2020, cause)), [495, 495, 490]);
    assert_eq!(causes.map(|cause| left(&Settings::AWS_2026, cause)), [486, 495, 486]);
}

#[test]
fn aws_gives_back_the_last_retry_only() {
    let mut budget = Budget::new(&Settings::AWS_2020);
    budget.on_request(at(0));
    let first = budget.withdraw(at(0), Cause::Timeout, None);
    let second = budget.withdraw(at(0), Cause::Transient, first);
    assert_eq!(tokens(&budget), 485);
    budget.on_end(true, second);
    assert_eq!(tokens(&budget), 490);
    budget.on_end(true, None);
    assert_eq!(tokens(&budget), 491, "one for a success at the first attempt");
    budget.on_end(false, second);
    budget.on_attempt_failed();
    assert_eq!(tokens(&budget), 491, "nothing for a failure");
    (0..20).for_each(|_| budget.on_end(true, None));
    assert_eq!(tokens(&budget), 500, "never more than its capacity");
}

#[test]
fn aws_refuses_what_it_cannot_pay() {
    let settings = Settings::Aws { capacity: 9, transient: 5, throttling: 4, timeout: 10 };
    let mut budget = Budget::new(&settings);
    assert_eq!(budget.withdraw(at(0), Cause::Timeout, None), None);
    assert!(budget.withdraw(at(0), Cause::Transient, None).is_some());
    assert_eq!(budget.withdraw(at(0), Cause::Transient, None), None);
    assert!(budget.withdraw(at(0), Cause::Throttling, None).is_some(), "exactly what is left");
    assert_eq!(tokens(&budget), 0);
}

#[test]
fn grpc_stops_at_half_of_the_tokens() {
    let mut budget = Budget::new(&Settings::Grpc { max_tokens: 4_000, token_ratio: 800 });
    let allowed = |budget: &mut Budget| budget.withdraw(at(0), Cause::Transient, None).is_some();
    assert!(allowed(&mut budget));
    budget.on_attempt_failed();
    assert_eq!((tokens(&budget), allowed(&mut budget)), (3_000, true));
    budget.on_attempt_failed();
    assert_eq!((tokens(&budget), allowed(&mut budget)), (2_000, false));
    budget.on_end(false, None);
    budget.on_end(true, None);
    assert_eq!((tokens(&budget), allowed(&mut budget)), (2_800, true));
    (0..4).for_each(|_| budget.on_attempt_failed());
    assert_eq!(tokens(&budget), 0);
    (0..4).for_each(|_| budget.on_end(true, None));
    assert_eq!(tokens(&budget), 3_200);
    budget.on_end(true, None);
    assert_eq!(tokens(&budget), 4_000);
    budget.on_end(true, None);
    assert_eq!(tokens(&budget), 4_000, "never more than its capacity");
}

fn deposits(ttl: u64, min_per_second: u32, retries_ppm: u32) -> Deposits {
    Deposits::tower(ms(ttl), min_per_second, retries_ppm)
}

#[test]
fn tower_keeps_a_reserve() {
    let mut five = deposits(1_000, 5, 1_000_000);
    assert_eq!(five.balance(), 5);
    let allowed = (0..6).map(|_| five.withdraw(at(0))).collect::<Vec<_>>();
    assert_eq!(allowed, [true, true, true, true, true, false]);
    assert!(!deposits(1_000, 0, 1_000_000).withdraw(at(0)));
    assert_eq!(deposits(10_000, 10, 200_000).balance(), 100);
    assert_eq!(deposits(10_000, 10, 0).balance(), 100, "without deposits the reserve is left");
    assert_eq!(deposits(1_999, 3, 200_000).balance(), 3, "whole seconds");
    assert_eq!(deposits(1_000, 0, 4_000_000_000).balance(), 0);
}

#[test]
fn tower_lends_a_share_of_the_deposits() {
    let retries = |ppm: u32, deposited: u32| {
        let mut it = deposits(1_000, 0, ppm);
        (0..deposited).for_each(|_| it.deposit(at(0)));
        (0..1_000).take_while(|_| it.withdraw(at(0))).count()
    };
    assert_eq!([retries(500_000, 1), retries(500_000, 2)], [0, 1]);
    assert_eq!([retries(200_000, 9), retries(200_000, 10)], [1, 2]);
    assert_eq!(retries(1_000_000, 7), 7);
    assert_eq!(retries(2_000_000, 7), 14);
    assert_eq!(retries(1_500_000, 2), 3, "1000 / 1.5 = 666, cut");
    assert_eq!(retries(0, 100), 0);
}

#[test]
fn finagle_keeps_a_share_to_a_thousandth() {
    let retries = |deposits: fn(Duration, u32, u32) -> Deposits, ppm, deposited: u32| {
        let mut it = deposits(ms(1_000), 0, ppm);
        (0..deposited).for_each(|_| it.deposit(at(0)));
        (0..1_000).take_while(|_| it.withdraw(at(0))).count()
    };
    assert_eq!(retries(Deposits::finagle, 750_000, 100), 75);
    assert_eq!(retries(Deposits::tower, 750_000, 100), 100);
    assert_eq!(retries(Deposits::finagle, 300_000, 100), 30);
    assert_eq!(retries(Deposits::tower, 300_000, 100), 33);
    assert_eq!(retries(Deposits::finagle, 2_000_000, 5), 10);
    assert_eq!(retries(Deposits::finagle, 0, 5), 0);
    let (ttl, min_per_second, retries_ppm) = (ms(1_000), 2, 750_000);
    let mut budget = Budget::new(&Settings::Finagle { ttl, min_per_second, retries_ppm });
    assert_eq!(tokens(&budget), 2);
    (0..4).for_each(|_| budget.on_request(at(0)));
    assert_eq!(tokens(&budget), 5);
}

#[test]
fn tower_forgets_deposits() {
    let mut leaky = deposits(1_000, 0, 1_000_000);
    leaky.deposit(at(0));
    assert!(!leaky.withdraw(at(3_000)));
    let mut slots = deposits(1_000, 0, 500_000);
    slots.deposit(at(0));
    slots.deposit(at(0));
    assert!(slots.withdraw(at(901)));
    slots.deposit(at(2_902));
    slots.deposit(at(3_203));
    slots.deposit(at(4_004));
    assert!(slots.withdraw(at(4_004)), "of three deposits the second is still there");
    assert!(!slots.withdraw(at(4_004)));
}

#[test]
fn tower_ends_a_slot_at_its_end() {
    let alive = |millis: u64| {
        let mut it = deposits(1_000, 0, 1_000_000);
        it.deposit(at(0));
        it.withdraw(at(millis))
    };
    assert_eq!([99, 100, 101, 999, 1_000].map(alive), [true; 5]);
    assert_eq!([1_001, 1_100, 1_101, 5_000].map(alive), [false; 4]);
    // A slot begins when it is touched, so what is touched often lives longer.
    let mut it = deposits(1_000, 0, 1_000_000);
    it.deposit(at(0));
    (1..=9).for_each(|number| assert!(it.withdraw(at(number * 150)) == (number == 1)));
    let mut aligned = deposits(1_000, 0, 1_000_000);
    (0..20).for_each(|number| aligned.deposit(at(number * 100)));
    assert_eq!(aligned.balance(), 11, "ten slots and the current one");
}

fn concurrent(max_rate_ppm: u32, min_concurrency: u32) -> Budget {
    Budget::new(&Settings::Failsafe { max_rate_ppm, min_concurrency })
}

#[test]
fn failsafe_lends_a_share_of_what_is_in_flight() {
    let mut budget = concurrent(500_000, 1);
    budget.on_request(at(0));
    let ask = |budget: &mut Budget| budget.withdraw(at(0), Cause::Transient, None).is_some();
    assert_eq!([ask(&mut budget), ask(&mut budget), ask(&mut budget)], [true, true, false]);
    let Budget::Failsafe(counts) = &budget else { return };
    assert_eq!((counts.executions(), counts.retries()), (3, 2));
}

#[test]
fn failsafe_always_allows_a_few() {
    let mut budget = concurrent(0, 3);
    let ask = |budget: &mut Budget| budget.withdraw(at(0), Cause::Transient, None).is_some();
    assert_eq!([(); 5].map(|()| ask(&mut budget)), [true, true, true, false, false]);
}

#[test]
fn failsafe_gives_back_at_the_end() {
    let mut budget = Budget::new(&Settings::FAILSAFE);
    (0..5).for_each(|_| budget.on_request(at(0)));
    let first = budget.withdraw(at(0), Cause::Transient, None);
    let second = budget.withdraw(at(0), Cause::Transient, first);
    let counts = |budget: &Budget| match budget {
        Budget::Failsafe(it) => (it.executions(), it.retries()),
        _ => (0, 0),
    };
    assert_eq!(counts(&budget), (6, 1), "the second retry takes the place of the first");
    budget.on_end(false, second);
    assert_eq!(counts(&budget), (4, 0));
    budget.on_end(true, None);
    assert_eq!(counts(&budget), (3, 0));
    (0..9).for_each(|_| budget.on_end(true, second));
    assert_eq!(counts(&budget), (0, 0), "never below nothing");
}

#[test]
fn a_retry_in_place_of_another_is_judged_without_it() {
    let mut budget = concurrent(200_000, 1);
    (0..4).for_each(|_| budget.on_request(at(0)));
    let first = budget.withdraw(at(0), Cause::Transient, None);
    assert!(budget.withdraw(at(0), Cause::Transient, None).is_some(), "1 of 5 is the share");
    assert_eq!(budget.withdraw(at(0), Cause::Transient, None), None, "2 of 6 is too many");
    assert!(budget.withdraw(at(0), Cause::Transient, first).is_some(), "1 of 5 again");
}

fn throttle(settings: ThrottleSettings) -> Throttle {
    Throttle::new(settings)
}

#[test]
fn the_throttle_of_the_book() {
    let mut it = throttle(ThrottleSettings::SRE);
    let mut draws = Seed(1).stream("throttle");
    for _ in 0..10 {
        it.admit(at(0), &mut draws);
    }
    assert_eq!(it.counts(at(0)), (10, 0));
    assert_eq!(it.refusal(at(0)).as_ppm(), 909_090, "10 of 11");
    (0..4).for_each(|_| it.record(at(0), true));
    assert_eq!(it.refusal(at(0)).as_ppm(), 181_818, "2 of 11");
    it.record(at(0), true);
    assert_eq!(it.refusal(at(0)), Probability::NEVER);
    it.record(at(0), false);
    assert_eq!(it.counts(at(0)), (10, 5), "requests count when they start");
    it.record(at(0), true);
    assert_eq!(it.refusal(at(0)), Probability::NEVER, "more accepts do not make it negative");
}

#[test]
fn the_throttle_of_failsafe_go() {
    let settings = |threshold, most| {
        let (threshold, most) = (Probability::percent(threshold), Probability::percent(most));
        ThrottleSettings::failsafe(threshold, ms(60_000), most)
    };
    let mut it = throttle(settings(10, 90));
    assert!(it.admit(at(0), &mut Seed(1).stream("throttle")));
    assert_eq!(it.counts(at(0)), (0, 0));
    it.record(at(0), false);
    assert_eq!(it.refusal(at(0)), Probability::percent(50));
    (0..99).for_each(|_| it.record(at(0), false));
    assert_eq!(it.refusal(at(0)), Probability::percent(90), "never more than that");
    assert!(!throttled(&mut it, 400) && throttled(&mut it, 5));
    let mut good = throttle(settings(10, 90));
    (0..9).for_each(|_| good.record(at(0), true));
    good.record(at(0), false);
    assert!(good.refusal(at(0)).as_ppm() < 10, "one in ten may fail");
    good.record(at(0), false);
    assert!(good.refusal(at(0)).as_ppm() > 10_000);
    assert_eq!(settings(100, 90).k_ppm, u32::MAX);
    assert_eq!(settings(0, 90).k_ppm, 1_000_000);
}

/// Whether all of so many requests are refused or all let through.
fn throttled(it: &mut Throttle, requests: u32) -> bool {
    let mut draws = Seed(2).stream("throttle");
    let admitted = (0..requests).filter(|_| it.admit(at(0), &mut draws)).count();
    admitted == 0 || admitted == requests as usize
}

#[test]
fn the_throttle_forgets() {
    let mut it = throttle(ThrottleSettings { window: ms(2_000), ..ThrottleSettings::SRE });
    let mut draws = Seed(1).stream("throttle");
    it.admit(at(50), &mut draws);
    it.admit(at(1_950), &mut draws);
    it.record(at(1_950), true);
    assert_eq!(it.counts(at(1_999)), (2, 1));
    assert_eq!(it.counts(at(2_000)), (1, 1));
    assert_eq!(it.counts(at(1_000)), (1, 1), "time does not go back");
    assert_eq!(it.counts(at(3_899)), (1, 1));
    assert_eq!(it.counts(at(3_900)), (0, 0));
    it.admit(at(3_900), &mut draws);
    assert_eq!(it.counts(at(1_000_000)), (0, 0));
    let mut tiny = throttle(ThrottleSettings { window: ms(0), ..ThrottleSettings::SRE });
    assert_eq!(tiny.counts(at(5)), (0, 0));
}

proptest! {
    #[test]
    fn no_budget_leaves_its_bounds(steps in prop::collection::vec((0_u8..5, 0_u64..400), 1..200)) {
        let settings = [
            Settings::AWS_2020,
            Settings::AWS_2026,
            Settings::Grpc { max_tokens: 10_000, token_ratio: 100 },
            Settings::TOWER,
            Settings::FAILSAFE,
        ];
        for settings in settings {
            let mut budget = Budget::new(&settings);
            let (full, mut last, mut now) = (tokens(&budget), None, 0);
            for (step, later) in &steps {
                now += later;
                match step {
                    0 => budget.on_request(at(now)),
                    1 => budget.on_attempt_failed(),
                    2 => last = budget.withdraw(at(now), Cause::Timeout, last).or(last),
                    3 => budget.on_end(true, last.take()),
                    _ => budget.on_end(false, last.take()),
                }
                if matches!(budget, Budget::Aws(_) | Budget::Grpc(_)) {
                    prop_assert!(tokens(&budget) <= full);
                }
                if let Budget::Failsafe(it) = &budget {
                    prop_assert!(it.retries() <= it.executions());
                }
            }
        }
    }
}
