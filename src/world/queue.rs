//! What is yet to happen, in the order in which it will.
//!
//! A four-ary heap of small keys over slots that know their place in it: a cancelled entry leaves
//! at once, so that timers which never fire cost nothing later.

use slotmap::{SlotMap, new_key_type};

use super::Time;

new_key_type! {
    /// A ticket for something that is due; stale once that has happened or was cancelled.
    pub(crate) struct DueKey;
}

/// The order among simultaneous events: `tie` first, then the order of insertion.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    at: Time,
    tie: u64,
    sequence: u64,
}

struct Node {
    rank: Rank,
    key: DueKey,
}

struct Slot<E> {
    event: E,
    position: u32,
}

const ARITY: usize = 4;

/// A priority queue with cancellation.
pub(crate) struct Queue<E> {
    heap: Vec<Node>,
    slots: SlotMap<DueKey, Slot<E>>,
    sequence: u64,
}

impl<E> Queue<E> {
    pub(crate) fn new() -> Queue<E> {
        Queue { heap: Vec::new(), slots: SlotMap::with_key(), sequence: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// When the next event is due.
    pub(crate) fn next_at(&self) -> Option<Time> {
        self.heap.first().map(|node| node.rank.at)
    }

    /// Adds an event; among equals in time and `tie`, the first in is the first out.
    pub(crate) fn push(&mut self, at: Time, tie: u64, event: E) -> DueKey {
        let rank = Rank { at, tie, sequence: self.sequence };
        self.sequence += 1;
        let position = self.heap.len();
        let key = self.slots.insert(Slot { event, position: position as u32 });
        self.heap.push(Node { rank, key });
        self.sift_up(position);
        key
    }

    /// Takes the next event.
    pub(crate) fn pop(&mut self) -> Option<(Time, E)> {
        let first = self.heap.first()?;
        let (at, key) = (first.rank.at, first.key);
        self.remove_at(0);
        self.slots.remove(key).map(|slot| (at, slot.event))
    }

    /// Takes an event out before it happens; `None` if it already has.
    pub(crate) fn cancel(&mut self, key: DueKey) -> Option<E> {
        let slot = self.slots.remove(key)?;
        self.remove_at(slot.position as usize);
        Some(slot.event)
    }

    /// Takes out every event that `is_wanted` does not want, in an order that depends on the
    /// history alone.
    pub(crate) fn retain(&mut self, mut is_wanted: impl FnMut(&E) -> bool) -> Vec<E> {
        let mut unwanted: Vec<(Rank, DueKey)> = self
            .heap
            .iter()
            .filter(|node| self.slots.get(node.key).is_some_and(|slot| !is_wanted(&slot.event)))
            .map(|node| (node.rank, node.key))
            .collect();
        unwanted.sort_unstable_by_key(|(rank, _)| *rank);
        unwanted.into_iter().filter_map(|(_, key)| self.cancel(key)).collect()
    }

    fn remove_at(&mut self, position: usize) {
        self.heap.swap_remove(position);
        if position < self.heap.len() {
            self.place(position);
            self.sift_down(position);
            self.sift_up(position);
        }
    }

    /// Tells the slot of the node at `position` where it now is.
    #[inline]
    fn place(&mut self, position: usize) {
        if let Some(slot) = self.slots.get_mut(self.heap[position].key) {
            slot.position = position as u32;
        }
    }

    fn sift_up(&mut self, mut position: usize) {
        while position > 0 {
            let parent = (position - 1) / ARITY;
            if self.heap[parent].rank <= self.heap[position].rank {
                return;
            }
            self.heap.swap(parent, position);
            self.place(parent);
            self.place(position);
            position = parent;
        }
    }

    fn sift_down(&mut self, mut position: usize) {
        loop {
            let first = position * ARITY + 1;
            let last = (first + ARITY).min(self.heap.len());
            let Some(least) = (first..last).min_by_key(|&child| self.heap[child].rank) else {
                return;
            };
            if self.heap[position].rank <= self.heap[least].rank {
                return;
            }
            self.heap.swap(position, least);
            self.place(position);
            self.place(least);
            position = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against the obvious model: a sorted list.
        #[test]
        fn pops_in_order_whatever_was_cancelled(
            steps in prop::collection::vec((0_u64..20, 0_u64..3, any::<bool>(), 0_usize..50), 1..200)
        ) {
            let mut queue = Queue::new();
            let mut model: Vec<(u64, u64, usize, DueKey)> = Vec::new();
            for (number, (at, tie, cancels, which)) in steps.into_iter().enumerate() {
                if cancels && !model.is_empty() {
                    let (.., event, key) = model.remove(which % model.len());
                    prop_assert_eq!(queue.cancel(key), Some(event));
                    prop_assert_eq!(queue.cancel(key), None);
                } else {
                    let key = queue.push(Time::from_nanos(at), tie, number);
                    model.push((at, tie, number, key));
                }
                prop_assert_eq!(queue.len(), model.len());
            }
            model.sort_by_key(|&(at, tie, number, _)| (at, tie, number));
            for (at, _, event, _) in model {
                let popped = queue.pop().map(|(time, event)| (time.as_nanos(), event));
                prop_assert_eq!(popped, Some((at, event)));
            }
            prop_assert!(queue.pop().is_none());
        }
    }

    #[test]
    fn retain_takes_out_the_rest_in_order() {
        let mut queue = Queue::new();
        for number in (0..10).rev() {
            queue.push(Time::from_nanos(number), 0, number);
        }
        assert_eq!(queue.retain(|number| number % 2 == 0), [1, 3, 5, 7, 9]);
        assert_eq!(queue.len(), 5);
    }
}
