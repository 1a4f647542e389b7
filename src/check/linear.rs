//! Is there an order of these operations that explains all their answers?
//!
//! A history is linearizable if each operation can be put at one instant between its asking and its
//! answer so that a sequential model, run in that order, gives the same answers. One that was never
//! answered may take effect at any later instant, or never.
//!
//! This is the search of Wing and Gong in its forward form: it walks through the history and keeps
//! every *place* it may have come to, each once (that is the memoisation). Nothing is put anywhere
//! before an answer needs it, except what is idle: it can wait for nothing better. The search never
//! calls itself, and gives up, aloud, at [`MOST`] places.
//!
//! It knows nothing of the sidecar, and must not.

use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// How many places a search looks at for one answer. What is right needs a handful, unless very many
/// operations that change something differently are under way at once.
const MOST: usize = 10_000;

/// An operation, with the answer it got if it got one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operation<O> {
    pub op: O,
    /// When it was asked for, in nanoseconds.
    pub asked: u64,
    /// When its answer came; `None` if none did.
    pub answered: Option<u64>,
}

/// Why a history is not found to be linearizable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refuted {
    /// No order explains the answer to this operation, by its number in the history, and all that
    /// were answered before it.
    Unplaced(usize),
    /// There were too many orders to try when this one was answered.
    TooWide(usize),
}

/// Where an order may have come to: the state, and which of those under way have taken effect.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place<S> {
    state: S,
    done: BTreeSet<usize>,
}

/// Looks for an order. `step` is the model: the state after an operation, or none if the operation
/// would not have had this answer. An operation without an answer is asked for whatever it may do.
/// `is_idle` says that an operation has its answer in this state, changes nothing, and never would in
/// any state that may follow: a read, for one. It may always say no, at the price of more places.
/// What is asked and what is answered at one instant may be in any order.
///
/// # Errors
///
/// [`Refuted`] if there is none, or it was not found.
pub(super) fn judge<S: Clone + Ord, O: PartialEq>(
    start: S,
    history: &[Operation<O>],
    step: impl Fn(&S, &O) -> Option<S>,
    is_idle: impl Fn(&S, &O) -> bool,
) -> Result<(), Refuted> {
    let mut moments: Vec<(u64, bool, usize)> = Vec::with_capacity(history.len() * 2);
    for (number, it) in history.iter().enumerate() {
        moments.push((it.asked, false, number));
        moments.extend(it.answered.map(|at| (at.max(it.asked), true, number)));
    }
    moments.sort_unstable();
    let is_settled = |state: &S, number: usize| {
        let it = history.get(number).filter(|it| it.answered.is_some());
        it.is_some_and(|it| is_idle(state, &it.op))
    };
    let mut pending = BTreeSet::new();
    let mut places = BTreeSet::from([Place { state: start, done: BTreeSet::new() }]);
    for (_, is_answer, number) in moments {
        if !is_answer {
            pending.insert(number);
            let settle = |mut place: Place<S>| {
                if is_settled(&place.state, number) {
                    place.done.insert(number);
                }
                place
            };
            places = places.into_iter().map(settle).collect();
            continue;
        }
        let (mut reached, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let mut open: Vec<Place<S>> = places.into_iter().collect();
        while let Some(mut place) = open.pop() {
            if place.done.remove(&number) {
                reached.insert(place);
                continue;
            }
            if seen.len() >= MOST {
                return Err(Refuted::TooWide(number));
            }
            if !seen.insert(place.clone()) {
                continue;
            }
            let mut lost: Vec<&O> = Vec::new();
            for &next in pending.difference(&place.done) {
                let Some(it) = history.get(next) else { continue };
                let Some(state) = step(&place.state, &it.op) else { continue };
                if it.answered.is_none() {
                    // Which of those that are alike it is makes no difference; and one that changes
                    // nothing may as well never happen.
                    if state == place.state || lost.contains(&&it.op) {
                        continue;
                    }
                    lost.push(&it.op);
                }
                let mut done = place.done.clone();
                done.insert(next);
                let idle = pending.difference(&place.done).copied();
                done.extend(idle.filter(|&other| other != next && is_settled(&state, other)));
                open.push(Place { state, done });
            }
        }
        pending.remove(&number);
        if reached.is_empty() {
            return Err(Refuted::Unplaced(number));
        }
        places = reached;
    }
    Ok(())
}
