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
    task::{Context as TaskContext, Poll, Waker},
};

use slotmap::{SlotMap, new_key_type};

use super::{Failure, NodeId, Outcome, StartError, core::Core};

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

new_key_type! {
    /// One life of one actor, for wakers.
    pub(crate) struct SlotKey;
}

/// A hosted actor.
pub(crate) type Body = Pin<Box<dyn Future<Output = ()>>>;

/// One life of one actor, as hosts see it.
pub(crate) struct Slot {
    key: SlotKey,
    node: NodeId,
    actor: u32,
    /// Away while the actor is being polled, and gone with its life.
    body: Cell<Option<Body>>,
    is_live: Cell<bool>,
    /// Whether it waits for its turn; native host only.
    is_queued: Cell<bool>,
    /// What the actor is polled with: on the tokio host, the waker of the task around it.
    waker: RefCell<Option<Waker>>,
}

impl Slot {
    pub(crate) fn node(&self) -> NodeId {
        self.node
    }

    pub(crate) fn actor(&self) -> u32 {
        self.actor
    }
}

/// All hosted actors.
pub(crate) struct Hosts {
    host: Host,
    /// Every life that goes on. Wakers, which may be anywhere, know a slot only by its key.
    slots: RefCell<SlotMap<SlotKey, Rc<Slot>>>,
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

    pub(crate) fn insert(&self, node: NodeId, actor: u32, body: Body) -> Rc<Slot> {
        let mut slots = self.slots.borrow_mut();
        let key = slots.insert_with_key(|key| {
            let waker = (self.host == Host::Native).then(|| self.ready.waker(key));
            Rc::new(Slot {
                key,
                node,
                actor,
                body: Cell::new(Some(body)),
                is_live: Cell::new(true),
                is_queued: Cell::new(false),
                waker: RefCell::new(waker),
            })
        });
        Rc::clone(&slots[key])
    }

    /// Gets an inserted actor its first turn.
    pub(crate) fn start(&self, core: &Rc<Core>, slot: &Rc<Slot>) {
        match self.host {
            Host::Native => self.ready.push(slot),
            Host::Tokio => tokio_host::start(core, slot),
        }
    }

    /// Wakes a hosted actor.
    #[inline]
    pub(crate) fn wake(&self, slot: &Rc<Slot>) {
        match self.host {
            Host::Native => self.ready.push(slot),
            Host::Tokio => {
                if let Some(task) = &*slot.waker.borrow() {
                    self.has_woken.set(true);
                    task.wake_by_ref();
                }
            }
        }
    }

    /// Ends a life. Its body, if it is not running just now, is for the caller to drop.
    pub(crate) fn remove(&self, slot: &Rc<Slot>) -> Option<Body> {
        self.slots.borrow_mut().remove(slot.key);
        slot.is_live.set(false);
        if self.host == Host::Tokio {
            // So that the task around the slot notices and ends.
            self.wake(slot);
        }
        slot.body.take()
    }

    pub(crate) fn remove_all(&self) -> Vec<Option<Body>> {
        let slots: Vec<Rc<Slot>> = self.slots.borrow().values().cloned().collect();
        slots.iter().map(|slot| self.remove(slot)).collect()
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

    /// Lets an actor run until it has nothing to do. Ready means that its life is over.
    fn poll(self: &Rc<Self>, slot: &Rc<Slot>, task: &mut TaskContext<'_>) -> Poll<()> {
        if slot.is_live.get() && self.is_paused(slot.node) {
            return Poll::Pending;
        }
        let Some(mut body) = slot.body.take() else { return Poll::Ready(()) };
        let polled = {
            let span = self.span(slot.node);
            let _entered = span.enter();
            catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(task)))
        };
        match polled {
            Ok(Poll::Pending) if slot.is_live.get() => {
                slot.body.set(Some(body));
                return Poll::Pending;
            }
            // It crashed its own node.
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(())) => {
                self.hosts.remove(slot);
                self.actor_stopped(slot);
            }
            Err(payload) => {
                self.hosts.remove(slot);
                self.fail_by_panic(slot.node, slot.actor, &*payload);
            }
        }
        self.discard(slot.node, Box::new(body));
        Poll::Ready(())
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
