//! Tests of the bulkhead: who gets in, who waits, and that nobody is lost.

use proptest::prelude::*;

use super::*;

fn at(millis: u64) -> Time {
    Time::from_nanos(millis * 1_000_000)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn caller(id: u64) -> Caller {
    Caller { id, ..Caller::default() }
}

fn bulkhead(max_concurrent: u32, max_queued: u32, wait: u64, order: Order) -> Bulkhead {
    Bulkhead::new(Settings { max_concurrent, max_queued, max_wait: ms(wait), order })
}

#[test]
fn the_default_is_resilience4js() {
    let settings = Settings::default();
    assert_eq!((settings.max_concurrent, settings.max_wait), (25, Duration::ZERO));
    assert_eq!((settings.max_queued, settings.order), (u32::MAX, Order::Fifo));
    assert_eq!(settings.check(), Ok(()));
}

#[test]
fn contradictions_are_found() {
    let mut settings = Settings { max_concurrent: 0, ..Settings::default() };
    let error = settings.check().unwrap_err();
    assert_eq!(error, Contradiction::NobodyInside);
    assert_eq!(error.to_string(), "a bulkhead for 0 at once lets nobody in");
    (settings.max_concurrent, settings.max_queued) = (1, 0);
    assert_eq!(settings.check(), Ok(()));
    settings.max_wait = ms(1);
    let error = settings.check().unwrap_err();
    assert_eq!(error, Contradiction::NobodyWaits(ms(1)));
    assert_eq!(error.to_string(), "a wait of 1ms with a queue for 0 lets nobody wait");
    settings.max_queued = 1;
    assert_eq!(settings.check(), Ok(()));
}

#[test]
fn so_many_are_inside_and_no_more() {
    let mut bulkhead = bulkhead(2, 9, 0, Order::Fifo);
    assert_eq!(bulkhead.enter(at(0), caller(1)), Entry::Admitted);
    assert_eq!((bulkhead.inside(), bulkhead.available()), (1, 1));
    assert_eq!(bulkhead.enter(at(0), caller(1)), Entry::Rejected(Full::Twice));
    assert_eq!(bulkhead.enter(at(0), caller(2)), Entry::Admitted);
    assert_eq!(bulkhead.enter(at(0), caller(3)), Entry::Rejected(Full::Inside));
    assert_eq!(bulkhead.leave(at(1), 3), Err(NotInside(3)));
    assert_eq!(bulkhead.leave(at(1), 1), Ok(None));
    assert_eq!(bulkhead.leave(at(1), 1), Err(NotInside(1)), "exactly once");
    assert_eq!(bulkhead.enter(at(1), caller(3)), Entry::Admitted);
    let counts = Counts { admitted: 3, rejected: 2, left: 1, ..Counts::default() };
    assert_eq!(bulkhead.counts(), counts);
    assert_eq!(NotInside(3).to_string(), "3 is not inside the bulkhead");
    let words = [Full::Inside, Full::Queue, Full::Twice].map(|full| full.to_string());
    assert_eq!(words[0], "the bulkhead is full");
    assert_eq!(words[1], "the bulkhead and its queue are full");
    assert_eq!(words[2], "it is inside or waiting already");
}

#[test]
fn the_queue_has_a_bound_and_a_longest_wait() {
    let mut bulkhead = bulkhead(1, 2, 50, Order::Fifo);
    assert_eq!(bulkhead.enter(at(0), caller(1)), Entry::Admitted);
    assert_eq!(bulkhead.enter(at(0), caller(2)), Entry::Queued(at(50)));
    assert_eq!(bulkhead.enter(at(10), caller(3)), Entry::Queued(at(60)));
    assert_eq!(bulkhead.enter(at(10), caller(3)), Entry::Rejected(Full::Twice));
    assert_eq!(bulkhead.enter(at(10), caller(4)), Entry::Rejected(Full::Queue));
    assert_eq!(bulkhead.queued(), 2);
    assert_eq!(bulkhead.expire(at(49)), None);
    assert_eq!(bulkhead.expire(at(50)), Some(2));
    assert_eq!(bulkhead.expire(at(50)), None);
    assert_eq!(bulkhead.leave(at(60), 1), Ok(Some(3)), "a place at the very end of its wait");
    assert_eq!((bulkhead.inside(), bulkhead.queued()), (1, 0));
    let counts = Counts { admitted: 2, rejected: 2, expired: 1, left: 1, cancelled: 0 };
    assert_eq!(bulkhead.counts(), counts);
}

#[test]
fn who_should_have_given_up_is_passed_over() {
    let mut bulkhead = bulkhead(1, 9, 50, Order::Fifo);
    let _ = bulkhead.enter(at(0), caller(1));
    let _ = bulkhead.enter(at(0), caller(2));
    assert_eq!(bulkhead.leave(at(51), 1), Ok(None));
    assert_eq!(bulkhead.enter(at(51), caller(3)), Entry::Admitted, "it does not wait for the late");
    assert_eq!(bulkhead.expire(at(51)), Some(2));
}

#[test]
fn a_newcomer_does_not_pass_those_that_wait() {
    let mut bulkhead = bulkhead(1, 9, 50, Order::Fifo);
    let _ = bulkhead.enter(at(0), caller(1));
    let _ = bulkhead.enter(at(0), caller(2));
    bulkhead.resize(2);
    assert_eq!(bulkhead.settings().max_concurrent, 2);
    assert_eq!(bulkhead.enter(at(50), caller(3)), Entry::Queued(at(100)));
    assert_eq!(bulkhead.admit(at(50)), Some(2));
    assert_eq!(bulkhead.admit(at(50)), None);
    bulkhead.resize(0);
    assert_eq!(bulkhead.available(), 0);
    assert_eq!(bulkhead.leave(at(51), 1), Ok(None), "there are too many inside still");
}

#[test]
fn who_waits_can_stop() {
    let mut bulkhead = bulkhead(1, 9, 50, Order::Fifo);
    let _ = bulkhead.enter(at(0), caller(1));
    let _ = bulkhead.enter(at(0), caller(2));
    assert!(!bulkhead.cancel(1), "who is inside has to leave");
    assert!(bulkhead.cancel(2));
    assert!(!bulkhead.cancel(2));
    assert_eq!(bulkhead.counts().cancelled, 1);
    bulkhead.set_max_wait(ms(0));
    assert_eq!(bulkhead.enter(at(0), caller(2)), Entry::Rejected(Full::Inside));
}

/// The order in which those that wait are let in.
fn order(order: Order, waiting: &[Caller]) -> Vec<u64> {
    let mut bulkhead = bulkhead(1, 99, 50, order);
    let _ = bulkhead.enter(at(0), caller(0));
    for caller in waiting {
        assert_eq!(bulkhead.enter(at(0), *caller), Entry::Queued(at(50)));
    }
    let (mut inside, mut order) = (0, Vec::new());
    while let Some(next) = bulkhead.leave(at(1), inside).unwrap() {
        order.push(next);
        inside = next;
    }
    order
}

#[test]
fn the_next_one_is_by_the_order() {
    let waiting = [(1, 7, 0), (2, 7, 5), (3, 3, 5), (4, 7, 9), (5, 9, 0)]
        .map(|(id, key, priority)| Caller { id, key, priority });
    assert_eq!(order(Order::Fifo, &waiting), [1, 2, 3, 4, 5]);
    assert_eq!(order(Order::Priority, &waiting), [4, 2, 3, 1, 5]);
    // Keys 3, 7, 9, 7, 7: after the key 0 of the first.
    assert_eq!(order(Order::FairByKey, &waiting), [3, 1, 5, 2, 4]);
}

proptest! {
    #[test]
    fn whoever_enters_leaves_exactly_once(
        steps in prop::collection::vec((0_u64..30, 0_u8..6, 0_u64..12), 1..200),
        max in 1_u32..4, queue in 0_u32..4, wait in 0_u64..60, how in 0_u8..3,
    ) {
        let how = [Order::Fifo, Order::Priority, Order::FairByKey][usize::from(how)];
        let mut bulkhead = bulkhead(max, queue, wait, how);
        let (mut now, mut inside, mut waiting) = (0, BTreeSet::new(), BTreeSet::new());
        for (gap, what, id) in steps {
            now += gap;
            while let Some(id) = bulkhead.expire(at(now)) {
                prop_assert!(waiting.remove(&id));
            }
            match what {
                0..=2 => match bulkhead.enter(at(now), Caller { id, key: id % 3, priority: id as u32 % 4 }) {
                    Entry::Admitted => prop_assert!(inside.insert(id)),
                    Entry::Queued(_) => prop_assert!(waiting.insert(id)),
                    Entry::Rejected(_) => {}
                },
                3 | 4 => match bulkhead.leave(at(now), id) {
                    Ok(next) => {
                        prop_assert!(inside.remove(&id));
                        if let Some(next) = next {
                            prop_assert!(waiting.remove(&next) && inside.insert(next));
                        }
                    }
                    Err(_) => prop_assert!(!inside.contains(&id)),
                },
                _ => prop_assert_eq!(bulkhead.cancel(id), waiting.remove(&id)),
            }
            prop_assert_eq!(bulkhead.inside() as usize, inside.len());
            prop_assert_eq!(bulkhead.queued() as usize, waiting.len());
            prop_assert!(bulkhead.inside() <= max && bulkhead.queued() <= queue);
            prop_assert!(waiting.is_empty() || bulkhead.available() == 0, "nobody waits at an open door");
            let counts = bulkhead.counts();
            prop_assert_eq!(counts.admitted, counts.left + inside.len() as u64);
        }
    }
}
