//! The way in to an actor.
//!
//! Deliveries, timers and answers reach an actor as *letters*. A port is an ordinary future in the
//! actor's own actix context that opens them in order, so an actor needs to know nothing of it:
//! its handlers run as if the message had come through its mailbox. Like the mailbox, a port
//! opens nothing while the actor waits for something (`ctx.wait`, `AtomicResponse`).

use std::{
    any::Any,
    cell::{Cell, OnceCell, RefCell},
    collections::VecDeque,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context as TaskContext, Poll},
};

use actix::{
    Actor, AsyncContext as _, Context, Handler, Message,
    dev::{MessageResponse, OneshotSender},
    fut::ActorFuture,
};
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::{core::Core, host::Slot, mail::ReplyTo, node::NodeId, queue::DueKey};

/// Something for an actor of type `A` to do.
pub(crate) trait Letter<A: Actor> {
    fn open(self: Box<Self>, actor: &mut A, context: &mut A::Context, port: &Rc<Port<A>>);
}

type PendingReplies = FuturesUnordered<Pin<Box<dyn Future<Output = ()>>>>;

/// The way in to one life of one actor.
pub(crate) struct Port<A: Actor> {
    pub core: Rc<Core>,
    pub node: NodeId,
    pub actor: u32,
    pub incarnation: u32,
    pub slot: OnceCell<Rc<Slot>>,
    is_open: Cell<bool>,
    letters: RefCell<VecDeque<Box<dyn Letter<A>>>>,
    /// Timers that were cancelled between firing and the opening of their letter.
    cancelled: RefCell<Vec<DueKey>>,
    /// Handlers that answer through a future.
    replies: RefCell<Option<Box<PendingReplies>>>,
}

/// What the world needs to know of any port.
pub(crate) trait AnyPort {
    fn as_any(&self) -> &dyn Any;
    /// Lets nothing in or out any more.
    fn shut(&self);
    /// Lets nothing in any more and gives up what is still inside.
    fn close(&self) -> Box<dyn Any>;
}

impl<A: Actor<Context = Context<A>>> Port<A> {
    pub(crate) fn new(core: Rc<Core>, node: NodeId, actor: u32, incarnation: u32) -> Port<A> {
        Port {
            core,
            node,
            actor,
            incarnation,
            slot: OnceCell::new(),
            is_open: Cell::new(true),
            letters: RefCell::default(),
            cancelled: RefCell::default(),
            replies: RefCell::default(),
        }
    }

    pub(crate) fn note_cancelled(&self, key: DueKey) {
        if !self.letters.borrow().is_empty() {
            self.cancelled.borrow_mut().push(key);
        }
    }

    pub(crate) fn was_cancelled(&self, key: DueKey) -> bool {
        self.cancelled.borrow().contains(&key)
    }

    /// Whether the life this port belongs to still goes on.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open.get()
    }

    pub(crate) fn push(&self, letter: Box<dyn Letter<A>>) {
        if self.is_open.get() {
            self.letters.borrow_mut().push_back(letter);
            if let Some(slot) = self.slot.get() {
                self.core.hosts.wake(slot);
            }
        }
    }

    pub(crate) fn reader(self: &Rc<Self>) -> Reader<A> {
        Reader(Rc::clone(self))
    }

    /// Runs `act`'s handler for `message`, and sees to it that its response gets to `reply_to`.
    pub(crate) fn handle<M>(
        &self,
        message: M,
        reply_to: Option<ReplyTo<M::Result>>,
        actor: &mut A,
        context: &mut Context<A>,
    ) where
        M: Message + 'static,
        A: Handler<M>,
        <A as Handler<M>>::Result: 'static,
    {
        let mut response = Some(actor.handle(message, context));
        let Some(reply_to) = reply_to else {
            if let Some(response) = response {
                response.handle(context, None);
            }
            return;
        };
        // The common kinds of response need no channel: a plain value, and a promise of ours.
        let any: &mut dyn Any = &mut response;
        if let Some(value) = any.downcast_mut::<Option<M::Result>>() {
            if let Some(value) = value.take() {
                reply_to.send(value);
            }
        } else if let Some(later) = any.downcast_mut::<Option<Later<M::Result>>>() {
            if let Some(later) = later.take() {
                later.bind(Bound::Call(reply_to));
            }
        } else if let Some(response) = response {
            let (sender, receiver) = tokio::sync::oneshot::channel();
            response.handle(context, Some(sender));
            let reply = async move {
                match receiver.await {
                    Ok(value) => reply_to.send(value),
                    Err(_) => reply_to.break_off(),
                }
            };
            self.replies.borrow_mut().get_or_insert_default().push(Box::pin(reply));
        }
    }
}

impl<A: Actor> AnyPort for Port<A> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn shut(&self) {
        self.is_open.set(false);
    }

    fn close(&self) -> Box<dyn Any> {
        self.shut();
        // Dropped by the caller, once nothing is borrowed: what is inside may run code of users.
        Box::new((self.letters.take(), self.replies.take()))
    }
}

/// The future that opens letters.
pub(crate) struct Reader<A: Actor>(Rc<Port<A>>);

impl<A: Actor<Context = Context<A>>> ActorFuture<A> for Reader<A> {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        actor: &mut A,
        context: &mut Context<A>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        let port = &self.0;
        while !context.waiting() && port.is_open() {
            let letter = port.letters.borrow_mut().pop_front();
            match letter {
                Some(letter) => letter.open(actor, context, port),
                None => {
                    // No letter is left that one of these could mean.
                    port.cancelled.borrow_mut().clear();
                    break;
                }
            }
        }
        // A reply under way may finish while the actor waits, as its sender does with `Addr::send`.
        let replies = port.replies.take();
        if let Some(mut replies) = replies {
            while let Poll::Ready(Some(())) = replies.poll_next_unpin(task) {}
            if port.is_open() && !replies.is_empty() {
                *port.replies.borrow_mut() = Some(replies);
            }
        }
        Poll::Pending
    }
}

/// Where a promised answer goes.
enum Bound<R: 'static> {
    Call(ReplyTo<R>),
    Address(OneshotSender<R>),
}

impl<R: 'static> Bound<R> {
    fn send(self, value: R) {
        match self {
            Bound::Call(reply_to) => reply_to.send(value),
            // The other side may have gone; then nobody needs the value.
            Bound::Address(sender) => drop(sender.send(value)),
        }
    }
}

enum Promised<R: 'static> {
    Nothing,
    Bound(Bound<R>),
    Kept(R),
    Broken,
}

/// A handler's response that comes later: return it, and keep the [`Promise`] that belongs to it.
///
/// It is the cheap alternative to `ResponseActFuture` when the answer comes out of a timer or out
/// of the answer to another call.
pub struct Later<R: 'static>(Rc<Cell<Promised<R>>>);

/// The obligation to answer. Dropping it without an answer resets the call.
#[must_use = "a promise that is dropped resets the call"]
pub struct Promise<R: 'static>(Option<Rc<Cell<Promised<R>>>>);

impl<R: 'static> Later<R> {
    /// A promise, and the response to return from the handler.
    pub fn promise() -> (Promise<R>, Later<R>) {
        let shared = Rc::new(Cell::new(Promised::Nothing));
        (Promise(Some(Rc::clone(&shared))), Later(shared))
    }

    fn bind(self, bound: Bound<R>) {
        match self.0.replace(Promised::Nothing) {
            Promised::Kept(value) => bound.send(value),
            Promised::Broken => {
                if let Bound::Call(reply_to) = bound {
                    reply_to.break_off();
                }
            }
            Promised::Nothing | Promised::Bound(_) => self.0.set(Promised::Bound(bound)),
        }
    }
}

impl<R: 'static> Promise<R> {
    /// Gives the answer.
    pub fn keep(mut self, value: R) {
        if let Some(shared) = self.0.take() {
            match shared.replace(Promised::Nothing) {
                Promised::Bound(bound) => bound.send(value),
                _ => shared.set(Promised::Kept(value)),
            }
        }
    }
}

impl<R: 'static> Drop for Promise<R> {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            match shared.replace(Promised::Broken) {
                Promised::Bound(Bound::Call(reply_to)) => reply_to.break_off(),
                other => drop(other),
            }
        }
    }
}

impl<A, M> MessageResponse<A, M> for Later<M::Result>
where
    A: Actor,
    M: Message,
{
    fn handle(self, _: &mut A::Context, sender: Option<OneshotSender<M::Result>>) {
        if let Some(sender) = sender {
            self.bind(Bound::Address(sender));
        }
    }
}
