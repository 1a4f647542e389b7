//! What is under way between nodes: messages, calls, answers, refusals.

use std::{any::Any, marker::PhantomData, rc::Rc};

use actix::{Actor, Context, Handler, Message};
use slotmap::new_key_type;

use super::{
    MessageKind, NodeId, Peer, Time,
    core::Core,
    message::Label,
    network::MESSAGE_BYTES,
    port::{AnyPort, Letter, Port},
    queue::DueKey,
};

/// Why a call brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Nothing came back in time. The call may or may not have been handled.
    #[error("timed out")]
    TimedOut,
    /// The node is there but nothing listens: it is down, or the actor has stopped.
    #[error("refused")]
    Refused,
    /// The other side went away while it was handling the call, or dropped it.
    #[error("reset")]
    Reset,
    /// The call or its answer arrived damaged.
    #[error("corrupted")]
    Corrupted,
}

impl CallError {
    /// The name in logs and filters.
    pub const fn name(self) -> &'static str {
        match self {
            CallError::TimedOut => "timed_out",
            CallError::Refused => "refused",
            CallError::Reset => "reset",
            CallError::Corrupted => "corrupted",
        }
    }
}

new_key_type! {
    /// A call that waits for its answer.
    pub(crate) struct CallKey;
}

/// Whoever goes on when a call is over.
pub(crate) trait Resume {
    /// Goes on with an answer: `value` is an `Option` with the call's result type in it.
    fn answer(self: Box<Self>, value: &mut dyn Any);
    /// Goes on without one.
    fn fail(self: Box<Self>, error: CallError);
}

/// A call that waits for its answer.
pub(crate) struct PendingCall {
    pub message: u64,
    pub label: Label,
    pub caller: NodeId,
    pub target: NodeId,
    pub since: Time,
    /// The life of the target that has the call in hand, once it was delivered.
    pub in_hand: Option<u32>,
    pub timeout: Option<DueKey>,
    /// The number of the sending event.
    pub sent: u64,
    pub resume: Box<dyn Resume>,
}

impl PendingCall {
    /// The call, as events speak of it.
    pub(crate) fn head(&self) -> Head {
        Head {
            id: self.message,
            kind: MessageKind::Call,
            label: self.label,
            from: self.caller,
            to: self.target,
            actor: 0,
            incarnation: None,
            bytes: 0,
            sent: 0,
            is_corrupt: false,
            is_hollow: false,
        }
    }
}

/// The address side of a message under way.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    pub id: u64,
    pub kind: MessageKind,
    pub label: Label,
    pub from: NodeId,
    pub to: NodeId,
    /// The place on the node; unused for answers, which go to their call.
    pub actor: u32,
    /// The life of the node that the sender had a connection to; `None` if it was down.
    pub incarnation: Option<u32>,
    pub bytes: u64,
    /// The number of the sending event.
    pub sent: u64,
    pub is_corrupt: bool,
    /// A second copy whose contents could not be copied.
    pub is_hollow: bool,
}

/// A message under way.
pub(crate) trait Mail {
    fn head(&self) -> &Head;
    fn head_mut(&mut self) -> &mut Head;
    /// A second copy, if the message can be copied.
    fn copy(&self) -> Option<Box<dyn Mail>>;
    /// The call that this is, or that this answers.
    fn call(&self) -> Option<CallKey>;
    /// What is in it, if it is for a handler.
    fn body(&self) -> Option<&dyn Any> {
        None
    }
    /// Goes to its destination: the port of an actor or, for an answer, the call that waits.
    fn arrive(self: Box<Self>, port: Option<&dyn AnyPort>, call: Option<PendingCall>);
}

/// A message for a handler.
pub(crate) struct Request<A, M> {
    pub head: Head,
    pub message: M,
    pub call: Option<CallKey>,
    pub copy: Option<fn(&M) -> M>,
    pub actor_type: PhantomData<fn() -> A>,
}

impl<A, M> Mail for Request<A, M>
where
    M: Message + 'static,
    A: Actor<Context = Context<A>> + Handler<M>,
    <A as Handler<M>>::Result: 'static,
{
    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    fn copy(&self) -> Option<Box<dyn Mail>> {
        let message = self.copy?(&self.message);
        Some(Box::new(Request { message, ..*self }))
    }

    fn call(&self) -> Option<CallKey> {
        self.call
    }

    fn body(&self) -> Option<&dyn Any> {
        Some(&self.message)
    }

    fn arrive(self: Box<Self>, port: Option<&dyn AnyPort>, _: Option<PendingCall>) {
        if let Some(port) = port.and_then(|port| port.as_any().downcast_ref::<Port<A>>()) {
            port.push(self);
        }
    }
}

impl<A, M> Letter<A> for Request<A, M>
where
    M: Message + 'static,
    A: Actor<Context = Context<A>> + Handler<M>,
    <A as Handler<M>>::Result: 'static,
{
    fn open(self: Box<Self>, actor: &mut A, context: &mut Context<A>, port: &Rc<Port<A>>) {
        let reply_to = self.call.map(|call| ReplyTo {
            core: Rc::clone(&port.core),
            call,
            request: self.head,
            incarnation: port.incarnation,
            result: PhantomData,
        });
        port.handle(self.message, reply_to, actor, context);
    }
}

/// The answer to a call.
struct Answer<R> {
    head: Head,
    call: CallKey,
    value: Result<R, CallError>,
}

impl<R: 'static> Mail for Answer<R> {
    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    /// The first copy settles the call; a second one would find nobody.
    fn copy(&self) -> Option<Box<dyn Mail>> {
        None
    }

    fn call(&self) -> Option<CallKey> {
        Some(self.call)
    }

    fn arrive(self: Box<Self>, _: Option<&dyn AnyPort>, call: Option<PendingCall>) {
        if let Some(call) = call {
            match self.value {
                Ok(value) => call.resume.answer(&mut Some(value)),
                Err(error) => call.resume.fail(error),
            }
        }
    }
}

/// The second copy of a message whose contents cannot be copied: it arrives, and is not handled.
pub(crate) struct Hollow {
    pub head: Head,
    pub call: Option<CallKey>,
}

impl Mail for Hollow {
    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    fn copy(&self) -> Option<Box<dyn Mail>> {
        None
    }

    fn call(&self) -> Option<CallKey> {
        self.call
    }

    fn arrive(self: Box<Self>, _: Option<&dyn AnyPort>, _: Option<PendingCall>) {}
}

/// The way back to a caller.
pub(crate) struct ReplyTo<R> {
    core: Rc<Core>,
    call: CallKey,
    request: Head,
    /// The life of the node that took the call.
    incarnation: u32,
    result: PhantomData<fn(R)>,
}

impl<R: 'static> ReplyTo<R> {
    pub(crate) fn send(self, value: R) {
        if self.core.lives(self.request.to, self.incarnation) {
            self.core.answer(&self.request, self.call, Ok::<R, _>(value));
        }
    }

    /// Tells the caller that no answer will come.
    pub(crate) fn break_off(self) {
        if self.core.lives(self.request.to, self.incarnation) {
            self.core.answer(&self.request, self.call, Err::<R, _>(CallError::Reset));
        }
    }
}

impl Core {
    /// Puts a message of `from` on its way. Returns the number of the event.
    pub(crate) fn dispatch<B, M>(
        self: &Rc<Self>,
        from: NodeId,
        to: &Peer<B>,
        message: M,
        bytes: u64,
        copy: Option<fn(&M) -> M>,
        call: Option<(CallKey, u64)>,
    ) -> u64
    where
        M: Message + 'static,
        B: Actor<Context = Context<B>> + Handler<M>,
        <B as Handler<M>>::Result: 'static,
    {
        let head = Head {
            id: call.map_or_else(|| self.new_message_id(), |(_, id)| id),
            kind: if call.is_some() { MessageKind::Call } else { MessageKind::OneWay },
            label: self.labels.of::<M>(),
            from,
            to: to.node,
            actor: to.actor,
            incarnation: self.reachable(to.node),
            bytes,
            sent: 0,
            is_corrupt: false,
            is_hollow: false,
        };
        let (call, actor_type) = (call.map(|(key, _)| key), PhantomData::<fn() -> B>);
        self.post(Box::new(Request { head, message, call, copy, actor_type }))
    }

    /// Hands a message to an actor, past all links: as if its own node had sent it.
    pub(crate) fn inject<B, M>(self: &Rc<Self>, to: &Peer<B>, message: M)
    where
        M: Message + 'static,
        B: Actor<Context = Context<B>> + Handler<M>,
        <B as Handler<M>>::Result: 'static,
    {
        self.dispatch(to.node, to, message, MESSAGE_BYTES, None, None);
    }

    /// Sends the answer to `request` on its way back.
    pub(crate) fn answer<R: 'static>(
        self: &Rc<Self>,
        request: &Head,
        call: CallKey,
        value: Result<R, CallError>,
    ) {
        let head = Head {
            id: request.id,
            kind: MessageKind::Answer,
            from: request.to,
            to: request.from,
            actor: 0,
            // Whether the caller still waits is for the call to say.
            incarnation: None,
            ..*request
        };
        self.post(Box::new(Answer { head, call, value }));
    }

    /// Answers a call that no handler will see.
    pub(crate) fn turn_away(self: &Rc<Self>, request: &Head, call: CallKey, error: CallError) {
        self.answer::<()>(request, call, Err(error));
    }
}
