//! The search finds every order that there is, and none that there is not.

use proptest::prelude::*;

use super::{MOST, Operation, Refuted, judge};

/// A register, as a result is one: put once, read, deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Put(u8),
    /// What it read.
    Get(Option<u8>),
    /// Whether there was something.
    Delete(bool),
    /// One that was not answered.
    Lost,
}

fn step(state: &Option<u8>, op: &Op) -> Option<Option<u8>> {
    match *op {
        Op::Put(value) => Some(Some(value)),
        Op::Get(read) => (read == *state).then_some(*state),
        Op::Delete(found) => (found == state.is_some()).then_some(None),
        Op::Lost => Some(None),
    }
}

fn done(op: Op, asked: u64, answered: u64) -> Operation<Op> {
    Operation { op, asked, answered: Some(answered) }
}

fn lost(op: Op, asked: u64) -> Operation<Op> {
    Operation { op, asked, answered: None }
}

fn is_idle(state: &Option<u8>, op: &Op) -> bool {
    matches!(op, Op::Get(read) if read == state)
}

fn verdict(history: &[Operation<Op>]) -> Result<(), Refuted> {
    judge(None, history, step, is_idle)
}

#[test]
fn what_happened_one_after_the_other_is_judged_in_that_order() {
    let read = |read| [done(Op::Put(1), 0, 10), done(Op::Get(read), 11, 20)];
    assert_eq!(verdict(&read(Some(1))), Ok(()));
    // A stale read after the answer, and one of what nobody wrote.
    assert_eq!(verdict(&read(None)), Err(Refuted::Unplaced(1)));
    assert_eq!(verdict(&read(Some(2))), Err(Refuted::Unplaced(1)));
    assert_eq!(verdict(&[]), Ok(()));
}

#[test]
fn a_read_before_the_writing_was_asked_for_is_refuted() {
    let history = |asked| [done(Op::Get(Some(1)), 0, 10), done(Op::Put(1), asked, 30)];
    assert_eq!(verdict(&history(11)), Err(Refuted::Unplaced(0)));
    // At one instant either order is right.
    assert_eq!(verdict(&history(10)), Ok(()));
}

#[test]
fn a_lost_update_and_a_read_of_what_is_deleted_are_refuted() {
    let two = [done(Op::Put(1), 0, 1), done(Op::Put(2), 2, 3), done(Op::Get(Some(1)), 4, 5)];
    assert_eq!(verdict(&two), Err(Refuted::Unplaced(2)));
    let gone =
        |read| [done(Op::Put(1), 0, 1), done(Op::Delete(true), 2, 3), done(Op::Get(read), 4, 5)];
    assert_eq!(verdict(&gone(Some(1))), Err(Refuted::Unplaced(2)));
    assert_eq!(verdict(&gone(None)), Ok(()));
    // Two cannot both have deleted it.
    let both = [done(Op::Put(1), 0, 1), done(Op::Delete(true), 2, 9), done(Op::Delete(true), 2, 9)];
    assert!(verdict(&both).is_err());
}

#[test]
fn reads_beside_a_write_may_see_either_but_not_go_back() {
    let reads = |first, second| {
        [done(Op::Put(1), 0, 100), done(Op::Get(first), 10, 20), done(Op::Get(second), 30, 40)]
    };
    for (first, second) in [(None, None), (None, Some(1)), (Some(1), Some(1))] {
        assert_eq!(verdict(&reads(first, second)), Ok(()));
    }
    assert_eq!(verdict(&reads(Some(1), None)), Err(Refuted::Unplaced(2)));
}

#[test]
fn what_was_not_answered_happens_late_or_never() {
    let seen = |read| [lost(Op::Put(1), 0), done(Op::Get(read), 500, 501)];
    assert_eq!(verdict(&seen(None)), Ok(()));
    assert_eq!(verdict(&seen(Some(1))), Ok(()));
    let back = [
        lost(Op::Put(1), 0),
        done(Op::Get(None), 10, 11),
        done(Op::Get(Some(1)), 20, 21),
        done(Op::Get(None), 30, 31),
    ];
    assert_eq!(verdict(&back), Err(Refuted::Unplaced(3)));
    let with_delete: Vec<_> = back.into_iter().chain([lost(Op::Lost, 5)]).collect();
    assert_eq!(verdict(&with_delete), Ok(()));
}

#[test]
fn a_thousand_operations_at_once_are_judged() {
    let mut history = vec![done(Op::Put(1), 0, 10_000), done(Op::Delete(true), 1, 20_000)];
    let half = |n: u64| if n.is_multiple_of(2) { Some(1) } else { None };
    history.extend((0..1_000).map(|n| done(Op::Get(half(n)), 2 + n, 15_000 + n)));
    history.extend((0..200).map(|_| lost(Op::Put(1), 3)));
    assert_eq!(verdict(&history), Ok(()));
    history.push(done(Op::Get(Some(9)), 30_000, 30_001));
    assert_eq!(verdict(&history), Err(Refuted::Unplaced(history.len() - 1)));
}

#[test]
fn too_many_orders_are_too_many_aloud() {
    let count = MOST.ilog2() as u64 + 2;
    // A counter with one bit for each: every subset is a state of its own.
    let history: Vec<_> = (0..count)
        .map(|bit| Operation { op: 1_u64 << bit, asked: 0, answered: None })
        .chain([Operation { op: 0, asked: 1, answered: Some(2) }])
        .collect();
    let sum = |state: &u64, op: &u64| (*op > 0).then_some(state | op);
    assert_eq!(judge(0, &history, sum, |_, _| false), Err(Refuted::TooWide(history.len() - 1)));
}

/// By trying every order of every subset that has all that was answered.
fn brute(state: Option<u8>, left: &[Operation<Op>]) -> bool {
    let must: Vec<_> = left.iter().filter(|it| it.answered.is_some()).collect();
    if must.is_empty() {
        return true;
    }
    (0..left.len()).any(|place| {
        let it = left[place];
        // Nothing may be put behind what was asked only after its answer.
        let too_late = must.iter().any(|other| other.answered.unwrap() < it.asked);
        if too_late {
            return false;
        }
        let rest: Vec<_> =
            left.iter().enumerate().filter(|(n, _)| *n != place).map(|(_, it)| *it).collect();
        step(&state, &it.op).is_some_and(|next| brute(next, &rest))
    })
}

prop_compose! {
    /// An operation, when it takes effect after the one before it, how long before that it was asked
    /// for, how long after it was answered, and whether it was.
    fn drawn()(
        kind in 0..4_u8, value in 0..3_u8, gap in 1..5_u64, before in 0..12_u64, after in 0..12_u64,
        answered in prop::bool::weighted(0.8),
    ) -> (u8, u8, u64, u64, u64, bool) {
        (kind, value, gap, before, after, answered)
    }
}

/// Runs the register for real, and gives each operation the answer that it had.
fn executed(drawn: &[(u8, u8, u64, u64, u64, bool)]) -> Vec<Operation<Op>> {
    let (mut state, mut now) = (None, 20);
    let run = |&(kind, value, gap, before, after, answered): &(u8, u8, u64, u64, u64, bool)| {
        now += gap;
        let op = match kind {
            0 => Op::Put(value),
            1 => Op::Delete(state.is_some()),
            _ => Op::Get(state),
        };
        state = step(&state, &op).unwrap();
        let op = if !answered && kind == 1 { Op::Lost } else { op };
        Operation { op, asked: now - before, answered: answered.then_some(now + after) }
    };
    drawn.iter().map(run).collect()
}

proptest! {
    #[test]
    fn a_real_execution_always_passes(drawn in prop::collection::vec(drawn(), 0..30)) {
        prop_assert_eq!(verdict(&executed(&drawn)), Ok(()));
    }

    #[test]
    fn with_one_answer_changed_it_is_refuted_exactly_if_no_order_explains_it(
        drawn in prop::collection::vec(drawn(), 1..7),
        which in any::<prop::sample::Index>(),
        other in prop::option::of(0..3_u8),
    ) {
        let mut history = executed(&drawn);
        let place = which.index(history.len());
        history[place].op = match history[place].op {
            Op::Get(_) => Op::Get(other),
            Op::Delete(found) => Op::Delete(!found),
            op => op,
        };
        let never = judge(None, &history, step, |_, _| false);
        prop_assert_eq!(never.is_ok(), verdict(&history).is_ok());
        prop_assert_eq!(verdict(&history).is_ok(), brute(None, &history), "{:?}", history);
    }
}
