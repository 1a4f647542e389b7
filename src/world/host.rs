//! Where actors live: the slots they are polled in, and the two loops that poll them.
//!
//! - [`Host::Native`]: the world itself polls each actor. Fast, and needs no runtime; actors use
//!   the world's timers.
//! - [`Host::Tokio`]: the world runs inside an actix `System` on a paused tokio clock. Anybody's
//!   actor runs unmodified, with actix's and tokio's own timers on the same virtual time line.
//!
//! One event is handled at a time, and actors run in the order in which they were woken, on both.
//! That is why a sim has one fingerprint, not one for each host.

mod native;
mod tokio_host;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
};

use slotmap::SlotMap;

use super::{Failure, NodeId, Outcome, StartError, core::Core, node::SlotKey};

/// Which loop polls the actors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Host {
    /// The world's own loop.
    #[default]
    Native,
    /// An actix `System` on a paused tokio clock.
    Tokio,
}

impl Host {
    /// The name, as on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Host::Native => "native",
            Host::Tokio => "tokio",
        }
    }
}

/// A hosted actor.
pub(crate) type Body = Pin<Box<dyn Future<Output = ()>>>;

struct Slot {
    /// Away while the actor is being polled.
    body: Option<Body>,
    wakers: Wakers,
    node: NodeId,
    actor: u32,
}

/// How a slot is woken.
enum Wakers {
    /// On the native host: its place in the queue, and the waker to poll it with, which is away
    /// while the actor is being polled.
    Native(Arc<native::SlotWaker>, Option<Waker>),
    /// On the tokio host: the waker of the task around it, once that has run.
    Task(Option<Waker>),
}

/// All hosted actors.
pub(crate) struct Hosts {
    host: Host,
    slots: RefCell<SlotMap<SlotKey, Slot>>,
    ready: native::Ready,
    /// Nodes whose boot function is to run, and who runs it; tokio host only.
    boots: RefCell<VecDeque<NodeId>>,
    booter: RefCell<Option<Waker>>,
    /// How many pauses of nodes are in force.
    pub pauses: Cell<u32>,
    /// Whether anything was woken since this was last cleared; tokio host only.
    has_woken: Cell<bool>,
    /// Whether anybody listens to what actors trace.
    is_traced: bool,
}

impl Hosts {
    pub(crate) fn new(host: Host) -> Hosts {
        Hosts {
            host,
            slots: RefCell::default(),
            ready: native::Ready::default(),
            boots: RefCell::default(),
            booter: RefCell::default(),
            pauses: Cell::new(0),
            has_woken: Cell::new(false),
            is_traced: tracing::enabled!(target: "seedbed::actor", tracing::Level::INFO),
        }
    }

    pub(crate) fn host(&self) -> Host {
        self.host
    }

    pub(crate) fn insert(&self, node: NodeId, actor: u32, body: Body) -> SlotKey {
        self.slots.borrow_mut().insert_with_key(|key| {
            let wakers = match self.host {
                Host::Native => {
                    let slot = self.ready.waker(key);
                    let waker = native::as_waker(&slot);
                    Wakers::Native(slot, Some(waker))
                }
                Host::Tokio => Wakers::Task(None),
            };
            Slot { body: Some(body), wakers, node, actor }
        })
    }

    /// Gets an inserted actor its first turn.
    pub(crate) fn start(&self, core: &Rc<Core>, key: SlotKey) {
        match self.host {
            Host::Native => core.wake(key),
            Host::Tokio => tokio_host::start(core, key),
        }
    }

    pub(crate) fn remove(&self, key: SlotKey) -> Option<Body> {
        let slot = self.slots.borrow_mut().remove(key)?;
        if let Wakers::Task(Some(task)) = slot.wakers {
            // So that the task around the slot notices and ends.
            task.wake();
        }
        slot.body
    }

    pub(crate) fn remove_all(&self) -> Vec<Option<Body>> {
        let slots = std::mem::take(&mut *self.slots.borrow_mut());
        slots.into_iter().map(|(_, slot)| slot.body).collect()
    }

    /// Runs the boot function of a node, where the host can.
    pub(crate) fn boot(&self, core: &Rc<Core>, node: NodeId) {
        match self.host {
            Host::Native => core.boot(node),
            Host::Tokio => {
                self.boots.borrow_mut().push_back(node);
                self.has_woken.set(true);
                if let Some(booter) = &*self.booter.borrow() {
                    booter.wake_by_ref();
                }
            }
        }
    }

    /// What an actor was missing that panicked with this message, and what to do about it.
    pub(crate) fn lacks(&self, message: &str) -> Option<(&'static str, &'static str)> {
        const TIMERS: &str = "use the world's own timers (`Env::after`, `Env::every`, \
                              `Env::sleep`), or run the world on `Host::Tokio`";
        const TASKS: &str = "use `Env::spawn` for actors and `ResponseActFuture` or `Later` for \
                             answers, or run the world on `Host::Tokio`";
        if self.host != Host::Native {
            None
        } else if message.contains("there is no reactor running")
            || message.contains("must be called from the context of a Tokio")
        {
            Some(("a timer of tokio or actix", TIMERS))
        } else if message.contains("LocalSet") || message.contains("spawn_local") {
            Some(("a task of tokio or actix (`Actor::start`, `ResponseFuture`)", TASKS))
        } else {
            None
        }
    }
}

impl Core {
    /// Wakes a hosted actor.
    pub(crate) fn wake(&self, key: SlotKey) {
        let slots = self.hosts.slots.borrow();
        match slots.get(key).map(|slot| &slot.wakers) {
            Some(Wakers::Native(slot, _)) => self.hosts.ready.push(slot),
            Some(Wakers::Task(Some(task))) => {
                self.hosts.has_woken.set(true);
                task.wake_by_ref();
            }
            Some(Wakers::Task(None)) | None => {}
        }
    }

    /// Wakes a future inside an actor.
    pub(crate) fn wake_task(&self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.hosts.has_woken.set(true);
            waker.wake();
        }
    }

    /// Whether a node is paused, so that its actors must not run.
    fn is_paused(&self, node: NodeId) -> bool {
        self.hosts.pauses.get() > 0
            && self.nodes.borrow().get(node.index()).is_some_and(|node| node.paused > 0)
    }

    /// Brings the clock up to date, before a task that the world does not poll (of `Actor::start`
    /// or `ResponseFuture`) does something in the world.
    #[inline]
    pub(crate) fn catch_up(&self) {
        if self.hosts.host == Host::Tokio {
            tokio_host::catch_up();
        }
    }

    /// Lets an actor run on the native host.
    fn poll_native(self: &Rc<Self>, key: SlotKey) {
        let taken = {
            let mut slots = self.hosts.slots.borrow_mut();
            let Some(slot) = slots.get_mut(key) else { return };
            let Wakers::Native(place, waker) = &mut slot.wakers else { return };
            place.leave_queue();
            if self.is_paused(slot.node) {
                return;
            }
            (slot.body.take(), waker.take(), slot.node, slot.actor)
        };
        let (Some(body), Some(waker), node, actor) = taken else { return };
        let body = self.poll(key, node, actor, body, &mut TaskContext::from_waker(&waker));
        let Some(body) = body else { return };
        let mut slots = self.hosts.slots.borrow_mut();
        match slots.get_mut(key).map(|slot| (&mut slot.body, &mut slot.wakers)) {
            Some((home, Wakers::Native(_, away))) => {
                *home = Some(body);
                *away = Some(waker);
            }
            // It crashed its own node.
            _ => {
                drop(slots);
                self.discard(node, Box::new(body));
            }
        }
    }

    /// Lets an actor run on the tokio host. Ready means that the slot is gone.
    fn poll_task(self: &Rc<Self>, key: SlotKey, task: &mut TaskContext<'_>) -> Poll<()> {
        let taken = {
            let mut slots = self.hosts.slots.borrow_mut();
            let Some(slot) = slots.get_mut(key) else { return Poll::Ready(()) };
            let Wakers::Task(waker) = &mut slot.wakers else { return Poll::Ready(()) };
            if !waker.as_ref().is_some_and(|waker| waker.will_wake(task.waker())) {
                *waker = Some(task.waker().clone());
            }
            if self.is_paused(slot.node) {
                return Poll::Pending;
            }
            (slot.body.take(), slot.node, slot.actor)
        };
        let (Some(body), node, actor) = taken else { return Poll::Ready(()) };
        let Some(body) = self.poll(key, node, actor, body, task) else { return Poll::Ready(()) };
        let mut slots = self.hosts.slots.borrow_mut();
        if let Some(slot) = slots.get_mut(key) {
            slot.body = Some(body);
            return Poll::Pending;
        }
        // It crashed its own node.
        drop(slots);
        self.discard(node, Box::new(body));
        Poll::Ready(())
    }

    /// Lets an actor run until it has nothing to do. It comes back if it lives on.
    #[inline]
    fn poll(
        self: &Rc<Self>,
        key: SlotKey,
        node: NodeId,
        actor: u32,
        mut body: Body,
        task: &mut TaskContext<'_>,
    ) -> Option<Body> {
        let polled = {
            let span = self.span(node);
            let _entered = span.enter();
            self.running.set(node);
            let polled = catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(task)));
            self.running.set(NodeId::WORLD);
            polled
        };
        match polled {
            Ok(Poll::Pending) => return Some(body),
            Ok(Poll::Ready(())) => {
                self.hosts.slots.borrow_mut().remove(key);
                self.actor_stopped(node, actor, key);
            }
            Err(payload) => {
                self.hosts.slots.borrow_mut().remove(key);
                self.fail_by_panic(node, actor, &*payload);
            }
        }
        self.discard(node, Box::new(body));
        None
    }

    /// The span that everything traced by an actor is in: it carries virtual time.
    fn span(&self, node: NodeId) -> tracing::Span {
        if !self.hosts.is_traced {
            return tracing::Span::none();
        }
        let nodes = self.nodes.borrow();
        let name = nodes.get(node.index()).map_or("world", |node| &node.name);
        tracing::info_span!(target: "seedbed::actor", "actor", at = %self.now.get(), node = name)
    }

    /// Runs the world to its end, and takes it apart.
    pub(crate) fn run(self: &Rc<Self>) -> Result<Outcome, StartError> {
        if tokio::runtime::Handle::try_current().is_ok() {
            return Err(StartError::InsideRuntime);
        }
        match self.hosts.host {
            Host::Native => Ok(native::run(self)),
            Host::Tokio => tokio_host::run(self),
        }
    }

    /// The outcome; nothing of the world is left after it.
    fn finish(&self) -> Outcome {
        if let Some(key) = self.hosts.ready.foreign_wake() {
            let slots = self.hosts.slots.borrow();
            let actor = slots.get(key).map_or_else(
                || "an actor that has stopped".to_owned(),
                |slot| self.actor_name(slot.node, slot.actor),
            );
            self.fail(Failure::WokenFromOutside { actor, at: self.now.get() });
        }
        let outcome = self.outcome();
        self.shut_down();
        outcome
    }
}
