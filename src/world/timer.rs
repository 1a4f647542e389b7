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
///
/// The key is gone once the timer has run or was cancelled, also in the moment between firing and
/// running.
#[derive(Clone, Default)]
pub struct Timer(Rc<Cell<Option<DueKey>>>);

impl Timer {
    pub(crate) fn cancel(&self, core: &Core) {
        if let Some(key) = self.0.take() {
            let cancelled = core.queue.borrow_mut().cancel(key);
            // Only now, with nothing borrowed: it may own an actor's things.
            drop(cancelled);
        }
    }
}

/// A timer that runs once.
pub(crate) struct Once<A: Actor, F> {
    port: Rc<Port<A>>,
    timer: Timer,
    act: F,
}

impl<A, F> Once<A, F>
where
    A: Actor<Context = Context<A>>,
    F: FnOnce(&mut A, &mut Context<A>) + 'static,
{
    pub(crate) fn set(port: &Rc<Port<A>>, delay: Duration, act: F) -> Timer {
        let timer = Timer::default();
        if port.is_open() {
            let fire = Box::new(Once { port: Rc::clone(port), timer: timer.clone(), act });
            let key = port.core.set_timer(port.node, port.incarnation, delay, fire);
            timer.0.set(Some(key));
        }
        timer
    }

    /// For what fires but cannot be cancelled.
    pub(crate) fn unstoppable(port: Rc<Port<A>>, act: F) -> Box<Once<A, F>> {
        let timer = Timer(Rc::new(Cell::new(Some(DueKey::STALE))));
        Box::new(Once { port, timer, act })
    }
}

impl<A, F> Fire for Once<A, F>
where
    A: Actor<Context = Context<A>>,
    F: FnOnce(&mut A, &mut Context<A>) + 'static,
{
    fn fire(self: Box<Self>) {
        let port = Rc::clone(&self.port);
        port.push(self);
    }
}

impl<A, F> Letter<A> for Once<A, F>
where
    A: Actor<Context = Context<A>>,
    F: FnOnce(&mut A, &mut Context<A>) + 'static,
{
    fn open(self: Box<Self>, actor: &mut A, context: &mut Context<A>, _: &Rc<Port<A>>) {
        if self.timer.0.take().is_some() {
            (self.act)(actor, context);
        }
    }
}

/// A timer that runs again and again.
pub(crate) struct Periodic<A: Actor, F> {
    port: Rc<Port<A>>,
    timer: Timer,
    period: Duration,
    act: Rc<RefCell<F>>,
}

impl<A, F> Periodic<A, F>
where
    A: Actor<Context = Context<A>>,
    F: FnMut(&mut A, &mut Context<A>) + 'static,
{
    pub(crate) fn set(port: &Rc<Port<A>>, period: Duration, act: F) -> Timer {
        let timer = Timer::default();
        let act = Rc::new(RefCell::new(act));
        Periodic { port: Rc::clone(port), timer: timer.clone(), period, act }.rearm();
        timer
    }

    fn rearm(self) {
        if self.port.is_open() {
            let (port, timer) = (Rc::clone(&self.port), self.timer.clone());
            let (node, incarnation, period) = (port.node, port.incarnation, self.period);
            let key = port.core.set_timer(node, incarnation, period, Box::new(self));
            timer.0.set(Some(key));
        }
    }
}

impl<A, F> Fire for Periodic<A, F>
where
    A: Actor<Context = Context<A>>,
    F: FnMut(&mut A, &mut Context<A>) + 'static,
{
    fn fire(self: Box<Self>) {
        let Periodic { port, timer, period, act } = *self;
        let letter = Box::new(Tick { timer: timer.clone(), act: Rc::clone(&act) });
        // The next one is set first, so that the rhythm does not depend on what the actor does.
        Periodic { port: Rc::clone(&port), timer, period, act }.rearm();
        port.push(letter);
    }
}

/// One turn of a periodic timer.
struct Tick<F> {
    timer: Timer,
    act: Rc<RefCell<F>>,
}

impl<A, F> Letter<A> for Tick<F>
where
    A: Actor<Context = Context<A>>,
    F: FnMut(&mut A, &mut Context<A>) + 'static,
{
    fn open(self: Box<Self>, actor: &mut A, context: &mut Context<A>, _: &Rc<Port<A>>) {
        if self.timer.0.get().is_some() {
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
    timer: Timer,
    signal: Rc<Signal<()>>,
}

struct Ring {
    core: Rc<Core>,
    timer: Timer,
    signal: Rc<Signal<()>>,
}

impl Sleep {
    pub(crate) fn new<A: Actor<Context = Context<A>>>(
        port: &Rc<Port<A>>,
        delay: Duration,
    ) -> Sleep {
        let (core, timer, signal) = (Rc::clone(&port.core), Timer::default(), Signal::new());
        if port.is_open() {
            let ring =
                Ring { core: Rc::clone(&core), timer: timer.clone(), signal: Rc::clone(&signal) };
            let key = core.set_timer(port.node, port.incarnation, delay, Box::new(ring));
            timer.0.set(Some(key));
        }
        Sleep { core, timer, signal }
    }
}

impl Fire for Ring {
    fn fire(self: Box<Self>) {
        self.timer.0.take();
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
        self.timer.cancel(&self.core);
    }
}
