//! Calls: a message, and what to do with the result of its handler.

use std::{
    any::Any,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use actix::{Actor, Context, Handler, Message};

use super::{
    CallError, Env, Peer,
    core::{Core, Due},
    mail::{CallKey, PendingCall, Resume},
    network::MESSAGE_BYTES,
    port::{Letter, Port},
    timer::Signal,
};

/// A call that is being put together. It is sent by [`Call::then`] or [`Call::future`].
#[must_use = "a call is sent by `then` or `future`"]
pub struct Call<'a, A: Actor, B, M> {
    env: &'a Env<A>,
    to: Peer<B>,
    message: M,
    timeout: Option<Duration>,
    bytes: u64,
    copy: Option<fn(&M) -> M>,
}

impl<'a, A, B, M> Call<'a, A, B, M>
where
    A: Actor<Context = Context<A>>,
    B: Actor<Context = Context<B>> + Handler<M>,
    M: Message + 'static,
    <B as Handler<M>>::Result: 'static,
{
    pub(crate) fn new(env: &'a Env<A>, to: Peer<B>, message: M) -> Call<'a, A, B, M> {
        Call { env, to, message, timeout: None, bytes: MESSAGE_BYTES, copy: None }
    }

    /// Gives up after this long, as measured by this node's clock. Without it, the call waits for
    /// ever, and a world with nothing else left to happen reports a deadlock.
    pub fn timeout(self, timeout: Duration) -> Self {
        Call { timeout: Some(timeout), ..self }
    }

    /// The size of the message on a link with limited bandwidth; 256 bytes unless said.
    pub fn bytes(self, bytes: u64) -> Self {
        Call { bytes, ..self }
    }

    /// Lets the message be handled twice if the link duplicates it. Without it, the second copy is
    /// dropped where it arrives, as a connection would.
    pub fn duplicable(self) -> Self
    where
        M: Clone,
    {
        Call { copy: Some(M::clone), ..self }
    }

    /// Sends the call, and runs `act` on this actor with the result or the reason for its lack.
    pub fn then(
        self,
        act: impl FnOnce(&mut A, Result<M::Result, CallError>, &mut Context<A>) + 'static,
    ) -> CallHandle {
        let port = Rc::clone(&self.env.port);
        let continuation = Continuation::<A, M::Result, _> { port, result: None, act };
        self.send(Box::new(continuation))
    }

    /// Sends the call, and returns a future of the result. Dropping the future gives the call up.
    pub fn future(self) -> CallFuture<M::Result> {
        let core = Rc::clone(self.env.core());
        let signal = Signal::new();
        let waiting = Waiting { core: Rc::clone(&core), signal: Rc::clone(&signal) };
        let handle = self.send(Box::new(waiting));
        CallFuture { core, handle, signal }
    }

    fn send(self, resume: Box<dyn Resume>) -> CallHandle {
        let Call { env, to, message, timeout, bytes, copy } = self;
        let port = &env.port;
        if !port.is_open() {
            return CallHandle(CallKey::default());
        }
        let core = env.core();
        let id = core.new_message_id();
        let key = core.calls.borrow_mut().insert(PendingCall {
            message: id,
            label: core.labels.of::<M>(),
            caller: port.node,
            target: to.node(),
            since: core.now.get(),
            in_hand: None,
            timeout: None,
            sent: 0,
            resume,
        });
        let sent = env.dispatch(&to, message, bytes, copy, Some((key, id)));
        let timeout = timeout.map(|timeout| {
            let due = Due::Timeout { node: port.node, call: key };
            core.schedule_at(core.now.get() + core.local(port.node, timeout), due)
        });
        if let Some(call) = core.calls.borrow_mut().get_mut(key) {
            (call.timeout, call.sent) = (timeout, sent);
        }
        CallHandle(key)
    }
}

/// A call that was sent, for [`Env::give_up`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallHandle(CallKey);

impl<A: Actor<Context = Context<A>>> Env<A> {
    /// Gives a call up: what was to follow does not, and an answer that still comes is late.
    /// Does nothing if the call is over.
    pub fn give_up(&self, call: CallHandle) {
        let pending = self.core().settle(call.0);
        // Only now, with nothing borrowed: it may own an actor's things.
        drop(pending);
    }
}

/// What an actor does with the result of a call.
struct Continuation<A: Actor, R, F> {
    port: Rc<Port<A>>,
    result: Option<Result<R, CallError>>,
    act: F,
}

impl<A, R, F> Continuation<A, R, F>
where
    A: Actor<Context = Context<A>>,
    R: 'static,
    F: FnOnce(&mut A, Result<R, CallError>, &mut Context<A>) + 'static,
{
    fn go_on(mut self: Box<Self>, result: Option<Result<R, CallError>>) {
        self.result = result;
        let port = Rc::clone(&self.port);
        port.push(self);
    }
}

impl<A, R, F> Resume for Continuation<A, R, F>
where
    A: Actor<Context = Context<A>>,
    R: 'static,
    F: FnOnce(&mut A, Result<R, CallError>, &mut Context<A>) + 'static,
{
    fn answer(self: Box<Self>, value: &mut dyn Any) {
        self.go_on(value.downcast_mut::<Option<R>>().and_then(Option::take).map(Ok));
    }

    fn fail(self: Box<Self>, error: CallError) {
        self.go_on(Some(Err(error)));
    }
}

impl<A, R, F> Letter<A> for Continuation<A, R, F>
where
    A: Actor<Context = Context<A>>,
    F: FnOnce(&mut A, Result<R, CallError>, &mut Context<A>) + 'static,
{
    fn open(self: Box<Self>, actor: &mut A, context: &mut Context<A>, _: &Rc<Port<A>>) {
        if let Some(result) = self.result {
            (self.act)(actor, result, context);
        }
    }
}

/// The sending half of a [`CallFuture`].
struct Waiting<R> {
    core: Rc<Core>,
    signal: Rc<Signal<Result<R, CallError>>>,
}

impl<R: 'static> Resume for Waiting<R> {
    fn answer(self: Box<Self>, value: &mut dyn Any) {
        if let Some(value) = value.downcast_mut::<Option<R>>().and_then(Option::take) {
            self.signal.set(&self.core, Ok(value));
        }
    }

    fn fail(self: Box<Self>, error: CallError) {
        self.signal.set(&self.core, Err(error));
    }
}

/// The result of a call, or the reason for its lack, when it is there.
#[must_use = "dropping the future gives the call up"]
pub struct CallFuture<R> {
    core: Rc<Core>,
    handle: CallHandle,
    signal: Rc<Signal<Result<R, CallError>>>,
}

impl<R> Future for CallFuture<R> {
    type Output = Result<R, CallError>;
    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.signal.poll(task)
    }
}

impl<R> Drop for CallFuture<R> {
    fn drop(&mut self) {
        let pending = self.core.settle(self.handle.0);
        drop(pending);
    }
}
