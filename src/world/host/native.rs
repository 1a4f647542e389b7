//! The world's own loop. No runtime, no thread, no clock.
//!
//! Wakers are `Send`, so what they reach is behind a lock; but the world's own wake-ups, which are
//! nearly all of them, need none. The two queues make one order: while something that came in
//! through wakers waits, the world's own wake-ups queue up behind it.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context as TaskContext, Wake, Waker},
};

use slotmap::SlotMap;

use super::{Core, Slot, SlotKey};
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
    queue: RefCell<VecDeque<Rc<Slot>>>,
    inbox: Arc<Inbox>,
}

/// The waker of one slot.
struct SlotWaker {
    key: SlotKey,
    inbox: Arc<Inbox>,
}

impl Ready {
    /// The waker of a slot.
    pub(super) fn waker(&self, key: SlotKey) -> Waker {
        Waker::from(Arc::new(SlotWaker { key, inbox: Arc::clone(&self.inbox) }))
    }

    /// Queues a slot, unless it already is. What came in through wakers is in front of it.
    #[inline]
    pub(super) fn push(&self, slot: &Rc<Slot>) {
        if self.inbox.has_mail.load(Ordering::Acquire) {
            // Too rare to be worth a reference to the slots here: the loop sorts it out.
            self.inbox.post(slot.key);
        } else if !slot.is_queued.replace(true) {
            self.queue.borrow_mut().push_back(Rc::clone(slot));
        }
    }

    /// The next slot whose turn it is.
    fn pop(&self, slots: &RefCell<SlotMap<SlotKey, Rc<Slot>>>) -> Option<Rc<Slot>> {
        let mut queue = self.queue.borrow_mut();
        if self.inbox.has_mail.load(Ordering::Acquire) {
            let slots = slots.borrow();
            for key in self.inbox.empty() {
                if let Some(slot) = slots.get(key).filter(|slot| !slot.is_queued.replace(true)) {
                    queue.push_back(Rc::clone(slot));
                }
            }
        }
        let slot = queue.pop_front()?;
        slot.is_queued.set(false);
        Some(slot)
    }

    /// An actor that another thread has woken: its history is not the seed's.
    pub(super) fn foreign_wake(&self) -> Option<SlotKey> {
        *self.inbox.foreign.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    fn post(&self, key: SlotKey) {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).push(key);
        self.has_mail.store(true, Ordering::Release);
    }

    fn empty(&self) -> Vec<SlotKey> {
        self.has_mail.store(false, Ordering::Release);
        std::mem::take(&mut *self.woken.lock().unwrap_or_else(PoisonError::into_inner))
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
        inbox.post(self.key);
    }
}

pub(super) fn run(core: &Rc<Core>) -> Outcome {
    let hosts = &core.hosts;
    let inbox = &hosts.ready.inbox;
    let before = RUNNING.replace(std::ptr::from_ref(&**inbox).addr());
    loop {
        while let Some(slot) = hosts.ready.pop(&hosts.slots) {
            if let Some(waker) = &*slot.waker.borrow() {
                // Whether its life goes on shows in the slot itself.
                let _ = core.poll(&slot, &mut TaskContext::from_waker(waker));
            }
        }
        if inbox.is_foreign.load(Ordering::Acquire) || !core.step() {
            break;
        }
    }
    let outcome = core.finish();
    RUNNING.set(before);
    outcome
}
