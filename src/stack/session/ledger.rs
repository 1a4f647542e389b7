//! What those who use the sidecar tell the auditor, past all links: who is still at work, and what
//! the sidecar acknowledged. It must never tell the sidecar anything.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::stack::sidecar::wire::{Cursor, ProjectId};

/// So many places in lists are remembered, for whoever wants to abuse them.
const CURSORS: usize = 16;

/// The book of one world. Copies are the same book.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Rc<RefCell<Book>>);

#[derive(Debug, Default)]
struct Book {
    /// How many are at work.
    busy: u64,
    /// How often somebody said whether it is.
    progress: u64,
    /// By project and id, each with the key by which it was handed in.
    acknowledged: BTreeMap<(ProjectId, Rc<str>), Rc<str>>,
    projects: BTreeSet<ProjectId>,
    /// The last ones, round and round.
    cursors: Vec<Cursor>,
    next_cursor: usize,
}

impl Ledger {
    /// Somebody who is not at work yet.
    pub fn worker(&self) -> Worker {
        Worker { ledger: self.clone(), is_busy: false }
    }

    /// Whether nobody is at work.
    pub(in crate::stack) fn is_idle(&self) -> bool {
        self.0.borrow().busy == 0
    }

    /// Goes up whenever somebody does something.
    pub(in crate::stack) fn progress(&self) -> u64 {
        self.0.borrow().progress
    }

    /// Somebody acts in this project.
    pub(in crate::stack) fn acts_in(&self, project: &ProjectId) {
        let mut book = self.0.borrow_mut();
        if !book.projects.contains(project) {
            book.projects.insert(project.clone());
        }
    }

    /// The sidecar acknowledged a result, which was handed in by this key.
    pub(in crate::stack) fn acknowledged(&self, project: &ProjectId, result: &Rc<str>, key: &str) {
        let entry = (project.clone(), Rc::clone(result));
        self.0.borrow_mut().acknowledged.insert(entry, key.into());
    }

    /// The sidecar told somebody this place.
    pub(in crate::stack) fn told(&self, cursor: &Cursor) {
        let mut book = self.0.borrow_mut();
        let place = book.next_cursor;
        match book.cursors.get_mut(place) {
            Some(old) => *old = cursor.clone(),
            None => book.cursors.push(cursor.clone()),
        }
        book.next_cursor = (place + 1) % CURSORS;
    }

    /// Every project that somebody acts in.
    pub(in crate::stack) fn projects(&self) -> Vec<ProjectId> {
        self.0.borrow().projects.iter().cloned().collect()
    }

    /// Every result that was acknowledged, with its project.
    pub(in crate::stack) fn results(&self) -> Vec<(ProjectId, Rc<str>)> {
        self.0.borrow().acknowledged.keys().cloned().collect()
    }

    /// Whether a result is known to be of another project than this one.
    pub(in crate::stack) fn is_of_another(&self, project: &ProjectId, result: &str) -> bool {
        let book = self.0.borrow();
        let has = |project: &ProjectId| {
            book.acknowledged.contains_key(&(project.clone(), Rc::from(result)))
        };
        book.projects.iter().any(|other| other != project && has(other))
    }

    /// One of the results, by a number below [`Ledger::count`], with its project and key.
    pub(in crate::stack) fn result(&self, number: usize) -> Option<(ProjectId, Rc<str>, Rc<str>)> {
        let book = self.0.borrow();
        let ((project, result), key) = book.acknowledged.iter().nth(number)?;
        Some((project.clone(), Rc::clone(result), Rc::clone(key)))
    }

    /// How many results were acknowledged.
    pub(in crate::stack) fn count(&self) -> usize {
        self.0.borrow().acknowledged.len()
    }

    /// The places that were told last.
    pub(in crate::stack) fn cursors(&self) -> Vec<Cursor> {
        self.0.borrow().cursors.clone()
    }
}

/// Somebody who works, or does not. Who crashes is not at work any more.
#[derive(Debug)]
pub struct Worker {
    ledger: Ledger,
    is_busy: bool,
}

impl Worker {
    /// Is it at work from now on?
    pub fn set_busy(&mut self, is_busy: bool) {
        let mut book = self.ledger.0.borrow_mut();
        book.progress += 1;
        if self.is_busy != is_busy {
            self.is_busy = is_busy;
            book.busy = if is_busy { book.busy + 1 } else { book.busy.saturating_sub(1) };
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.set_busy(false);
    }
}

/// Which nodes cannot find the sidecar by its name. Copies are the same.
#[derive(Clone, Debug, Default)]
pub struct Resolver(Rc<RefCell<BTreeMap<usize, BTreeSet<String>>>>);

impl Resolver {
    /// From now on these nodes do not; `fault` is the number of the fault.
    pub fn fail(&self, fault: usize, nodes: impl IntoIterator<Item = String>) {
        self.0.borrow_mut().insert(fault, nodes.into_iter().collect());
    }

    /// The fault of this number is over.
    pub fn heal(&self, fault: usize) {
        self.0.borrow_mut().remove(&fault);
    }

    /// Whether a node finds the sidecar.
    pub(in crate::stack) fn resolves(&self, node: &str) -> bool {
        !self.0.borrow().values().any(|nodes| nodes.contains(node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_gone_is_not_at_work() {
        let ledger = Ledger::default();
        let (mut first, mut second) = (ledger.worker(), ledger.worker());
        assert!(ledger.is_idle());
        first.set_busy(true);
        first.set_busy(true);
        second.set_busy(true);
        second.set_busy(false);
        assert!(!ledger.is_idle());
        drop(first);
        assert!(ledger.is_idle());
    }

    #[test]
    fn the_last_places_are_known() {
        let ledger = Ledger::default();
        for number in 0..40 {
            ledger.told(&Cursor::new(&format!("c{number}")).unwrap());
        }
        let known: BTreeSet<_> = ledger.cursors().into_iter().collect();
        let last = (24..40).map(|number| Cursor::new(&format!("c{number}")).unwrap());
        assert_eq!(known, last.collect());
    }

    #[test]
    fn each_fault_ends_by_itself() {
        let resolver = Resolver::default();
        resolver.fail(0, ["a".to_owned(), "b".to_owned()]);
        resolver.fail(1, ["b".to_owned()]);
        resolver.heal(0);
        assert!(resolver.resolves("a") && !resolver.resolves("b"));
        resolver.heal(1);
        assert!(resolver.resolves("b"));
    }
}
