//! The world's own loop. No runtime, no thread, no clock.

use std::{
    collections::VecDeque,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context as TaskContext, Wake, Waker},
    thread::ThreadId,
};

use super::{Core, SlotKey};
use crate::world::Outcome;

/// The actors that have something to do, in the order in which they were woken.
///
/// Wakers are `Send`, so this is behind a lock, which nobody ever contends for.
pub(super) struct Ready {
    queue: Mutex<VecDeque<Arc<SlotWaker>>>,
    owner: ThreadId,
    was_foreign: AtomicBool,
    foreign: Mutex<Option<SlotKey>>,
}

impl Ready {
    pub(super) fn new() -> Ready {
        Ready {
            queue: Mutex::default(),
            owner: std::thread::current().id(),
            was_foreign: AtomicBool::new(false),
            foreign: Mutex::default(),
        }
    }

    fn push(&self, waker: Arc<SlotWaker>) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(waker);
    }

    fn pop(&self) -> Option<Arc<SlotWaker>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// An actor that another thread has woken: its history is not the seed's.
    pub(super) fn foreign_wake(&self) -> Option<SlotKey> {
        *self.foreign.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct SlotWaker {
    key: SlotKey,
    is_queued: AtomicBool,
    ready: Arc<Ready>,
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if std::thread::current().id() != self.ready.owner {
            let mut foreign = self.ready.foreign.lock().unwrap_or_else(PoisonError::into_inner);
            foreign.get_or_insert(self.key);
            self.ready.was_foreign.store(true, Ordering::Release);
        }
        if !self.is_queued.swap(true, Ordering::AcqRel) {
            self.ready.push(Arc::clone(self));
        }
    }
}

/// The waker of a slot.
pub(super) fn waker(key: SlotKey, ready: &Arc<Ready>) -> Waker {
    let ready = Arc::clone(ready);
    Waker::from(Arc::new(SlotWaker { key, is_queued: AtomicBool::new(false), ready }))
}

pub(super) fn run(core: &Rc<Core>) -> Outcome {
    let ready = &core.hosts.ready;
    loop {
        while let Some(slot) = ready.pop() {
            slot.is_queued.store(false, Ordering::Release);
            let key = slot.key;
            let waker = Waker::from(slot);
            // Whether the slot lives on shows in the slots themselves.
            let _ = core.poll_slot(key, &mut TaskContext::from_waker(&waker));
        }
        if ready.was_foreign.load(Ordering::Acquire) || !core.step() {
            return core.finish();
        }
    }
}
