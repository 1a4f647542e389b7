//! What is yet to happen, in the order in which it will.
//!
//! A four-ary heap of small nodes over slots that know their place in it: a cancelled entry leaves
//! at once, so that timers which never fire cost nothing later.

use super::Time;

/// A ticket for something that is due; stale once that has happened or was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DueKey {
    slot: u32,
    generation: u32,
}

impl DueKey {
    /// A ticket for nothing.
    pub(crate) const STALE: DueKey = DueKey { slot: u32::MAX, generation: u32::MAX };
}

/// The order of events, as one number: 64 bits of time, 24 of tie-break, 40 of sequence.
type Rank = u128;

const TIE_BITS: u32 = 24;
const SEQUENCE_BITS: u32 = 40;

#[derive(Clone, Copy)]
struct Node {
    rank: Rank,
    slot: u32,
}

struct Slot<E> {
    generation: u32,
    event: Option<E>,
}

const ARITY: usize = 4;

/// A priority queue with cancellation.
pub(crate) struct Queue<E> {
    heap: Vec<Node>,
    slots: Vec<Slot<E>>,
    /// Where in the heap each slot's node is. Apart from the slots, as it is written far more often.
    positions: Vec<u32>,
    vacant: Vec<u32>,
    sequence: u64,
}

impl<E> Queue<E> {
    pub(crate) fn new() -> Queue<E> {
        Queue {
            heap: Vec::new(),
            slots: Vec::new(),
            positions: Vec::new(),
            vacant: Vec::new(),
            sequence: 0,
        }
    }

    /// When the next event is due.
    pub(crate) fn next_at(&self) -> Option<Time> {
        self.heap.first().map(|node| at(node.rank))
    }

    /// Adds an event. Among simultaneous ones the lower `tie` comes first (its 24 high bits count)
    /// and then the first in.
    pub(crate) fn push(&mut self, at: Time, tie: u64, event: E) -> DueKey {
        let order = (tie >> (64 - TIE_BITS) << SEQUENCE_BITS) | self.sequence;
        let rank = Rank::from(at.as_nanos()) << 64 | Rank::from(order);
        self.sequence += 1;
        let slot = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, event: None });
            self.positions.push(0);
            (self.slots.len() - 1) as u32
        });
        let entry = &mut self.slots[slot as usize];
        entry.event = Some(event);
        let key = DueKey { slot, generation: entry.generation };
        let node = Node { rank, slot };
        self.heap.push(node);
        self.sift_up(self.heap.len() - 1, node);
        key
    }

    /// Takes the next event.
    pub(crate) fn pop(&mut self) -> Option<(Time, DueKey, E)> {
        let first = *self.heap.first()?;
        let key = self.key(first.slot);
        self.leave(0);
        self.vacate(first.slot).map(|event| (at(first.rank), key, event))
    }

    /// Takes an event out before it happens; `None` if it already has.
    pub(crate) fn cancel(&mut self, key: DueKey) -> Option<E> {
        let slot = self.slots.get(key.slot as usize)?;
        if slot.generation != key.generation || slot.event.is_none() {
            return None;
        }
        self.leave(self.positions[key.slot as usize] as usize);
        self.vacate(key.slot)
    }

    /// Takes out every event that `is_wanted` does not want, in the order in which they were due.
    pub(crate) fn retain(&mut self, mut is_wanted: impl FnMut(&E) -> bool) -> Vec<E> {
        let mut unwanted: Vec<(Rank, DueKey)> = Vec::new();
        for node in &self.heap {
            let slot = &self.slots[node.slot as usize];
            if slot.event.as_ref().is_some_and(|event| !is_wanted(event)) {
                let key = DueKey { slot: node.slot, generation: slot.generation };
                unwanted.push((node.rank, key));
            }
        }
        unwanted.sort_unstable_by_key(|(rank, _)| *rank);
        unwanted.into_iter().filter_map(|(_, key)| self.cancel(key)).collect()
    }

    fn key(&self, slot: u32) -> DueKey {
        DueKey { slot, generation: self.slots[slot as usize].generation }
    }

    fn vacate(&mut self, slot: u32) -> Option<E> {
        let entry = &mut self.slots[slot as usize];
        entry.generation = entry.generation.wrapping_add(1);
        self.vacant.push(slot);
        entry.event.take()
    }

    /// Takes the node at `position` out of the heap.
    fn leave(&mut self, position: usize) {
        if let Some(last) = self.heap.pop()
            && position < self.heap.len()
        {
            if position > 0 && last.rank < self.heap[(position - 1) / ARITY].rank {
                self.sift_up(position, last);
            } else {
                self.sift_down(position, last);
            }
        }
    }

    #[inline]
    fn put(&mut self, position: usize, node: Node) {
        self.positions[node.slot as usize] = position as u32;
        self.heap[position] = node;
    }

    fn sift_up(&mut self, mut hole: usize, node: Node) {
        while hole > 0 {
            let above = (hole - 1) / ARITY;
            let parent = self.heap[above];
            if parent.rank <= node.rank {
                break;
            }
            self.put(hole, parent);
            hole = above;
        }
        self.put(hole, node);
    }

    fn sift_down(&mut self, mut hole: usize, node: Node) {
        while let Some((position, child)) = self.least_child(hole) {
            if node.rank <= child.rank {
                break;
            }
            self.put(hole, child);
            hole = position;
        }
        self.put(hole, node);
    }

    /// The least of the nodes below `position`. Without branches where there are four of them:
    /// which one is least cannot be predicted.
    #[inline]
    fn least_child(&self, position: usize) -> Option<(usize, Node)> {
        let first = position * ARITY + 1;
        let children = self.heap.get(first..)?;
        let least = if let [a, b, c, d, ..] = children {
            let left = usize::from(b.rank < a.rank);
            let right = 2 + usize::from(d.rank < c.rank);
            left + usize::from(children[right].rank < children[left].rank) * (right - left)
        } else {
            (0..children.len()).min_by_key(|&child| children[child].rank)?
        };
        Some((first + least, children[least]))
    }
}

fn at(rank: Rank) -> Time {
    Time::from_nanos((rank >> 64) as u64)
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
                    let key = queue.push(Time::from_nanos(at), tie << 40, number);
                    model.push((at, tie, number, key));
                }
                prop_assert_eq!(queue.heap.len(), model.len());
            }
            model.sort_by_key(|&(at, tie, number, _)| (at, tie, number));
            for (at, _, event, _) in model {
                let popped = queue.pop().map(|(time, _, event)| (time.as_nanos(), event));
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
        assert_eq!(queue.heap.len(), 5);
    }
}
