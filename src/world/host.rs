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
    waker: Option<Waker>,
    node: NodeId,
    actor: u32,
}

/// All hosted actors.
pub(crate) struct Hosts {
    host: Host,
    slots: RefCell<SlotMap<SlotKey, Slot>>,
    ready: Arc<native::Ready>,
    /// Nodes whose boot function is to run, and who runs it; tokio host only.
    boots: RefCell<VecDeque<NodeId>>,
    booter: RefCell<Option<Waker>>,
    /// Whether anything was woken since this was last cleared; tokio host only.
    has_woken: Cell<bool>,
}

impl Hosts {
    /// Must be called on the thread that will run the world.
    pub(crate) fn new(host: Host) -> Hosts {
        Hosts {
            host,
            slots: RefCell::default(),
            ready: Arc::new(native::Ready::new()),
            boots: RefCell::default(),
            booter: RefCell::default(),
            has_woken: Cell::new(false),
        }
    }

    pub(crate) fn host(&self) -> Host {
        self.host
    }

    pub(crate) fn insert(&self, node: NodeId, actor: u32, body: Body) -> SlotKey {
        let slot = Slot { body: Some(body), waker: None, node, actor };
        self.slots.borrow_mut().insert(slot)
    }

    /// Gets an inserted actor its first turn.
    pub(crate) fn start(&self, core: &Rc<Core>, key: SlotKey) {
        match self.host {
            Host::Native => {
                let waker = native::waker(key, &self.ready);
                waker.wake_by_ref();
                if let Some(slot) = self.slots.borrow_mut().get_mut(key) {
                    slot.waker = Some(waker);
                }
            }
            Host::Tokio => tokio_host::start(core, key),
        }
    }

    pub(crate) fn remove(&self, key: SlotKey) -> Option<Body> {
        let slot = self.slots.borrow_mut().remove(key)?;
        if let Some(waker) = slot.waker.filter(|_| self.host == Host::Tokio) {
            // So that the task around the slot notices and ends.
            waker.wake();
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
        self.hosts.has_woken.set(true);
        let slots = self.hosts.slots.borrow();
        if let Some(waker) = slots.get(key).and_then(|slot| slot.waker.as_ref()) {
            waker.wake_by_ref();
        }
    }

    /// Wakes a future inside an actor.
    pub(crate) fn wake_task(&self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.hosts.has_woken.set(true);
            waker.wake();
        }
    }

    /// Lets an actor run until it has nothing to do. Ready means that the slot is gone.
    fn poll_slot(self: &Rc<Self>, key: SlotKey, task: &mut TaskContext<'_>) -> Poll<()> {
        let taken = {
            let mut slots = self.hosts.slots.borrow_mut();
            slots.get_mut(key).and_then(|slot| {
                if !slot.waker.as_ref().is_some_and(|waker| waker.will_wake(task.waker())) {
                    slot.waker = Some(task.waker().clone());
                }
                slot.body.take().map(|body| (body, slot.node, slot.actor))
            })
        };
        let Some((mut body, node, actor)) = taken else { return Poll::Ready(()) };
        let polled = {
            let span = self.span(node);
            let _entered = span.enter();
            self.running.set(node);
            let polled = catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(task)));
            self.running.set(NodeId::WORLD);
            polled
        };
        match polled {
            Ok(Poll::Pending) => {
                if let Some(slot) = self.hosts.slots.borrow_mut().get_mut(key) {
                    slot.body = Some(body);
                    return Poll::Pending;
                }
                // It crashed its own node.
                self.discard(node, Box::new(body));
            }
            Ok(Poll::Ready(())) => {
                self.hosts.slots.borrow_mut().remove(key);
                self.actor_stopped(node, actor, key);
                self.discard(node, Box::new(body));
            }
            Err(payload) => {
                self.hosts.slots.borrow_mut().remove(key);
                self.fail_by_panic(node, actor, &*payload);
                self.discard(node, Box::new(body));
            }
        }
        Poll::Ready(())
    }

    /// The span that everything traced by an actor is in: it carries virtual time.
    fn span(&self, node: NodeId) -> tracing::Span {
        if !tracing::enabled!(target: "seedbed::actor", tracing::Level::INFO) {
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
