//! Timers of an actor: once, again and again, or as a future.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context as TaskContext, Poll, Waker},
    time::Duration,
};

use actix::{Actor, Context};

use super::{
    core::{Core, Fire},
    port::{Letter, Port},
    queue::DueKey,
};

/// A timer that was set, for [`Env::cancel`](super::Env::cancel).
#[derive(Clone)]
pub struct Timer(Kind);

#[derive(Clone)]
enum Kind {
    Once(DueKey),
    /// The key of the next turn; none once it was cancelled.
    Periodic(Turn),
}

type Turn = Rc<Cell<Option<DueKey>>>;

impl Timer {
    /// Cancels the timer. One that has fired but whose letter is not yet opened is noted at the
    /// port, which will not open it.
    pub(crate) fn cancel<A: Actor<Context = Context<A>>>(&self, port: &Port<A>) {
        let key = match &self.0 {
            Kind::Once(key) => Some(*key),
            Kind::Periodic(turn) => turn.take(),
        };
        let Some(key) = key else { return };
        let cancelled = port.core.cancel_timer(key);
        if cancelled.is_none() && matches!(self.0, Kind::Once(_)) {
            port.note_cancelled(key);
        }
        // Only now, with nothing borrowed: it may own an actor's things.
        drop(cancelled);
    }
}

/// A timer that runs once.
pub(crate) struct Once<A: Actor, F> {
    port: Rc<Port<A>>,
    /// Known once it has fired.
    key: DueKey,
    act: F,
}

impl<A, F> Once<A, F>
where
    A: Actor<Context = Context<A>>,
    F: FnOnce(&mut A, &mut Context<A>) + 'static,
{
    pub(crate) fn new(port: Rc<Port<A>>, act: F) -> Box<Once<A, F>> {
        Box::new(Once { port, key: DueKey::STALE, act })
    }

    pub(crate) fn set(port: &Rc<Port<A>>, delay: Duration, act: F) -> Timer {
        if !port.is_open() {
            return Timer(Kind::Once(DueKey::STALE));
        }
        let fire = Once::new(Rc::clone(port), act);
        Timer(Kind::Once(port.core.set_timer(port.node, port.incarnation, delay, fire)))
    }
}

impl<A, F> Fire for Once<A, F>
where
    A: Actor<Context = Context<A>>,
    F: FnOnce(&mut A, &mut Context<A>) + 'static,
{
    fn fire(mut self: Box<Self>, key: DueKey) {
        self.key = key;
        let port = Rc::clone(&self.port);
        port.push(self);
    }
}

impl<A, F> Letter<A> for Once<A, F>
where
    A: Actor<Context = Context<A>>,
    F: FnOnce(&mut A, &mut Context<A>) + 'static,
{
    fn open(self: Box<Self>, actor: &mut A, context: &mut Context<A>, port: &Rc<Port<A>>) {
        if !port.was_cancelled(self.key) {
            (self.act)(actor, context);
        }
    }
}

/// A timer that runs again and again.
pub(crate) struct Periodic<A: Actor, F> {
    port: Rc<Port<A>>,
    turn: Turn,
    period: Duration,
    act: Rc<RefCell<F>>,
}

impl<A, F> Periodic<A, F>
where
    A: Actor<Context = Context<A>>,
    F: FnMut(&mut A, &mut Context<A>) + 'static,
{
    pub(crate) fn set(port: &Rc<Port<A>>, period: Duration, act: F) -> Timer {
        let turn = Turn::default();
        let act = Rc::new(RefCell::new(act));
        Periodic { port: Rc::clone(port), turn: Rc::clone(&turn), period, act }.rearm();
        Timer(Kind::Periodic(turn))
    }

    fn rearm(self) {
        if self.port.is_open() {
            let (port, turn) = (Rc::clone(&self.port), Rc::clone(&self.turn));
            let (node, incarnation, period) = (port.node, port.incarnation, self.period);
            let key = port.core.set_timer(node, incarnation, period, Box::new(self));
            turn.set(Some(key));
        }
    }
}

impl<A, F> Fire for Periodic<A, F>
where
    A: Actor<Context = Context<A>>,
    F: FnMut(&mut A, &mut Context<A>) + 'static,
{
    fn fire(self: Box<Self>, _: DueKey) {
        let Periodic { port, turn, period, act } = *self;
        // Cancelled while a pause held it back.
        if turn.get().is_none() {
            return;
        }
        let letter = Box::new(Tick { turn: Rc::clone(&turn), act: Rc::clone(&act) });
        // The next one is set first, so that the rhythm does not depend on what the actor does.
        Periodic { port: Rc::clone(&port), turn, period, act }.rearm();
        port.push(letter);
    }
}

/// One turn of a periodic timer.
struct Tick<F> {
    turn: Turn,
    act: Rc<RefCell<F>>,
}

impl<A, F> Letter<A> for Tick<F>
where
    A: Actor<Context = Context<A>>,
    F: FnMut(&mut A, &mut Context<A>) + 'static,
{
    fn open(self: Box<Self>, actor: &mut A, context: &mut Context<A>, _: &Rc<Port<A>>) {
        if self.turn.get().is_some() {
            (self.act.borrow_mut())(actor, context);
        }
    }
}

/// A value that somebody waits for.
pub(crate) struct Signal<T> {
    pub value: Cell<Option<T>>,
    pub waker: Cell<Option<Waker>>,
}

impl<T> Signal<T> {
    pub(crate) fn new() -> Rc<Signal<T>> {
        Rc::new(Signal { value: Cell::new(None), waker: Cell::new(None) })
    }

    pub(crate) fn set(&self, core: &Core, value: T) {
        self.value.set(Some(value));
        core.wake_task(self.waker.take());
    }

    pub(crate) fn poll(&self, task: &TaskContext<'_>) -> Poll<T> {
        match self.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                self.waker.set(Some(task.waker().clone()));
                Poll::Pending
            }
        }
    }
}

/// A future that is done after a while. Dropping it cancels its timer.
#[must_use = "a future does nothing unless it is awaited or spawned"]
pub struct Sleep {
    core: Rc<Core>,
    key: DueKey,
    signal: Rc<Signal<()>>,
}

struct Ring {
    core: Rc<Core>,
    signal: Rc<Signal<()>>,
}

impl Sleep {
    pub(crate) fn new<A: Actor<Context = Context<A>>>(
        port: &Rc<Port<A>>,
        delay: Duration,
    ) -> Sleep {
        let (core, signal) = (Rc::clone(&port.core), Signal::new());
        let mut key = DueKey::STALE;
        if port.is_open() {
            let ring = Ring { core: Rc::clone(&core), signal: Rc::clone(&signal) };
            key = core.set_timer(port.node, port.incarnation, delay, Box::new(ring));
        }
        Sleep { core, key, signal }
    }
}

impl Fire for Ring {
    fn fire(self: Box<Self>, _: DueKey) {
        self.signal.set(&self.core, ());
    }
}

impl Future for Sleep {
    type Output = ();
    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<()> {
        self.signal.poll(task)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let cancelled = self.core.cancel_timer(self.key);
        drop(cancelled);
    }
}
