//! The world's own loop. No runtime, no thread, no clock.
//!
//! Wakers are `Send`, so what a foreign waker reaches is behind a lock; but the world's own wake-ups,
//! which are nearly all of them, need none. The two queues make one order: whoever adds to the
//! world's own first moves over what came in through wakers.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
};

use super::{Core, SlotKey};
use crate::world::Outcome;

thread_local! {
    /// The world that runs on this thread, by the address of its inbox. Compared, never shown.
    static RUNNING: Cell<usize> = const { Cell::new(0) };
}

/// What wakers, which may be anywhere, can reach.
#[derive(Default)]
struct Inbox {
    has_mail: AtomicBool,
    woken: Mutex<Vec<SlotKey>>,
    is_foreign: AtomicBool,
    /// The first actor that was woken from another thread.
    foreign: Mutex<Option<SlotKey>>,
}

/// The actors that have something to do, in the order in which they were woken.
#[derive(Default)]
pub(super) struct Ready {
    queue: RefCell<VecDeque<SlotKey>>,
    inbox: Arc<Inbox>,
}

/// One slot's place in the queue.
pub(super) struct SlotWaker {
    key: SlotKey,
    /// Only one thread writes it, or the run has failed anyway; so no read-modify-write is needed.
    is_queued: AtomicBool,
    inbox: Arc<Inbox>,
}

impl Ready {
    /// The waker of a slot.
    pub(super) fn waker(&self, key: SlotKey) -> Arc<SlotWaker> {
        let inbox = Arc::clone(&self.inbox);
        Arc::new(SlotWaker { key, is_queued: AtomicBool::new(false), inbox })
    }

    /// Queues a slot, unless it already is.
    #[inline]
    pub(super) fn push(&self, slot: &SlotWaker) {
        if !slot.is_queued.load(Ordering::Relaxed) {
            slot.is_queued.store(true, Ordering::Relaxed);
            let mut queue = self.queue.borrow_mut();
            self.collect(&mut queue);
            queue.push_back(slot.key);
        }
    }

    fn pop(&self) -> Option<SlotKey> {
        let mut queue = self.queue.borrow_mut();
        self.collect(&mut queue);
        queue.pop_front()
    }

    #[inline]
    fn collect(&self, queue: &mut VecDeque<SlotKey>) {
        if self.inbox.has_mail.load(Ordering::Acquire) {
            self.inbox.has_mail.store(false, Ordering::Release);
            let mut woken = self.inbox.woken.lock().unwrap_or_else(PoisonError::into_inner);
            queue.extend(woken.drain(..));
        }
    }

    /// An actor that another thread has woken: its history is not the seed's.
    pub(super) fn foreign_wake(&self) -> Option<SlotKey> {
        *self.inbox.foreign.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SlotWaker {
    /// Called when the slot's turn has come.
    pub(super) fn leave_queue(&self) {
        self.is_queued.store(false, Ordering::Relaxed);
    }
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let inbox = &*self.inbox;
        if RUNNING.get() != std::ptr::from_ref(inbox).addr() {
            let mut foreign = inbox.foreign.lock().unwrap_or_else(PoisonError::into_inner);
            foreign.get_or_insert(self.key);
            inbox.is_foreign.store(true, Ordering::Release);
        }
        if !self.is_queued.load(Ordering::Relaxed) {
            self.is_queued.store(true, Ordering::Relaxed);
            inbox.woken.lock().unwrap_or_else(PoisonError::into_inner).push(self.key);
            inbox.has_mail.store(true, Ordering::Release);
        }
    }
}

pub(super) fn run(core: &Rc<Core>) -> Outcome {
    let ready = &core.hosts.ready;
    let before = RUNNING.replace(std::ptr::from_ref(&*ready.inbox).addr());
    loop {
        while let Some(key) = ready.pop() {
            core.poll_native(key);
        }
        if ready.inbox.is_foreign.load(Ordering::Acquire) || !core.step() {
            break;
        }
    }
    let outcome = core.finish();
    RUNNING.set(before);
    outcome
}

/// The waker that goes with a slot.
pub(super) fn as_waker(slot: &Arc<SlotWaker>) -> Waker {
    Waker::from(Arc::clone(slot))
}
