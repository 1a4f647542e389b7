//! One result as a register: put, read, deleted. What its users were answered must have an order.
//!
//! The model is the contract's: a result is put once and never changes; what is deleted stays so.

use std::rc::Rc;

use super::at;
use crate::check::linear::{Operation, Refuted, judge};

/// What is known of one result in one project.
#[derive(Default)]
pub(super) struct Register {
    /// When it was first acknowledged, and what is in it.
    pub acknowledged: Option<(u64, u64)>,
    /// When somebody first asked for its deletion.
    pub delete_asked: Option<u64>,
    /// When a deletion was first acknowledged.
    pub deleted: Option<u64>,
    history: Vec<Operation<Act>>,
    /// Who did what, in the order of the history.
    actors: Vec<Rc<str>>,
}

/// What was done, with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Handed in, with this digest.
    Put(u64),
    /// Read: this digest, or nothing.
    Get(Option<u64>),
    /// Deleted; whether it was there, if that was answered.
    Delete(Option<bool>),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Absent,
    Present(u64),
    Deleted,
}

fn step(state: &State, act: &Act) -> Option<State> {
    match (*act, *state) {
        (Act::Put(digest), State::Absent) => Some(State::Present(digest)),
        (Act::Put(digest) | Act::Get(Some(digest)), State::Present(is)) if digest == is => {
            Some(*state)
        }
        (Act::Get(None) | Act::Delete(Some(false)), State::Absent | State::Deleted) => Some(*state),
        (Act::Delete(None | Some(true)), State::Present(_)) => Some(State::Deleted),
        _ => None,
    }
}

/// What changes nothing now never will: it was put, or is deleted, or is only read.
fn is_idle(state: &State, act: &Act) -> bool {
    step(state, act) == Some(*state)
}

impl Register {
    pub(super) fn push(&mut self, who: &Rc<str>, op: Act, asked: u64, answered: Option<u64>) {
        self.history.push(Operation { op, asked, answered });
        self.actors.push(Rc::clone(who));
    }

    /// The deletion that somebody asked for is over. If it was asked for more than once, an earlier
    /// attempt may have deleted it, or may do so yet; so it is if requests come twice by themselves.
    pub(super) fn deleted(
        &mut self,
        who: &Rc<str>,
        found: bool,
        asked: u64,
        now: u64,
        twice: bool,
    ) {
        let is_it = |(it, by): &(&mut Operation<Act>, &Rc<str>)| {
            *by == who && it.op == Act::Delete(None) && it.answered.is_none()
        };
        let history = self.history.iter_mut().zip(&self.actors);
        match history.rev().find(is_it) {
            Some((it, _)) if it.asked >= asked && !twice => {
                (it.op, it.answered) = (Act::Delete(Some(found)), Some(now));
            }
            _ => self.push(who, Act::Delete(Some(found)), asked, Some(now)),
        }
    }

    /// What was read of it, if anybody found it, and nobody is known to have handed it in.
    pub(super) fn unexplained(&self) -> Option<u64> {
        let is_put = |it: &Operation<Act>| matches!(it.op, Act::Put(_));
        if self.history.iter().any(is_put) {
            return None;
        }
        self.history.iter().find_map(|it| match it.op {
            Act::Get(digest) => digest,
            _ => None,
        })
    }

    /// Why there is no order of all that was done with this result.
    pub(super) fn judge(&self, project: &str, result: &str) -> Option<String> {
        let refuted = judge(State::Absent, &self.history, step, is_idle).err()?;
        let (Refuted::Unplaced(number) | Refuted::TooWide(number)) = refuted;
        let (it, who) = (self.history.get(number)?, self.actors.get(number)?);
        let answer = match it.op {
            Act::Put(digest) => format!("storing it ({digest:016x})"),
            Act::Get(Some(digest)) => format!("reading it as {digest:016x}"),
            Act::Get(None) => "reading nothing".to_owned(),
            Act::Delete(Some(true)) => "deleting it".to_owned(),
            Act::Delete(_) => "nothing to delete".to_owned(),
        };
        let (from, until) = (at(it.asked), at(it.answered.unwrap_or(it.asked)));
        let what = format!("{who}, {answer}, from {from} to {until}");
        Some(match refuted {
            Refuted::Unplaced(_) => {
                format!("result {result} of {project}: no order has room for {what}")
            }
            Refuted::TooWide(_) => {
                format!("result {result} of {project}: too much at once to judge {what}")
            }
        })
    }
}
