//! A world inside an actix `System` on a paused tokio clock.
//!
//! tokio calls the park hook exactly when no task can run, and before it would advance a paused
//! clock. So the hook is the event loop: it takes steps of the world until one wakes an actor.
//!
//! tokio's timers fire on whole milliseconds, the world's events on any nanosecond. Between the
//! two, the hook lets tokio's clock jump only to the millisecond at or before the next event (an
//! alarm is set there, and earlier timers of others come first), and moves it on from there by
//! itself. Before the next jump it puts the clock back on a whole millisecond. So no timer fires early, and at one and the same instant tokio's timers come first.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context as TaskContext, Poll, Waker},
    time::Duration,
};

use actix_rt::System;
use tokio::time::{Instant, Sleep};

use super::{Core, Slot};
use crate::world::{Ending, Outcome, StartError, Time};

/// What the park hook works on. It has to find it by thread, as tokio wants hooks to be `Send`.
struct Stage {
    core: Rc<Core>,
    base: Instant,
    alarm: RefCell<Pin<Box<Sleep>>>,
    has_ended: Cell<bool>,
    /// Set once the queue is empty and the time limit is reached: until when it is watched whether
    /// a timer of actix or tokio is still to come.
    watches_until: Cell<Option<Time>>,
}

thread_local! {
    static STAGE: RefCell<Option<Rc<Stage>>> = const { RefCell::new(None) };
}

/// Gets an inserted actor a task of its own.
pub(super) fn start(core: &Rc<Core>, slot: &Rc<Slot>) {
    let (core, slot) = (Rc::clone(core), Rc::clone(slot));
    actix_rt::spawn(poll_fn(move |task| {
        if let Some(stage) = STAGE.with_borrow(Option::clone) {
            stage.catch_up();
            if stage.has_ended.get() {
                return Poll::Pending;
            }
        }
        {
            let mut waker = slot.waker.borrow_mut();
            if !waker.as_ref().is_some_and(|waker| waker.will_wake(task.waker())) {
                *waker = Some(task.waker().clone());
            }
        }
        core.poll(&slot, task)
    }));
}

/// Brings the world's clock up to tokio's: a task that is not the world's may be running.
pub(super) fn catch_up() {
    if let Some(stage) = STAGE.with_borrow(Option::clone) {
        stage.catch_up();
    }
}

pub(super) fn run(core: &Rc<Core>) -> Result<Outcome, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .on_thread_park(|| {
            if let Some(stage) = STAGE.with_borrow(Option::clone) {
                stage.go_on();
            }
        })
        .build()
        .map_err(|error| StartError::Runtime(error.to_string()))?;
    let system = System::with_tokio_rt(move || runtime);
    let outcome = system.block_on(async {
        let stage = Rc::new(Stage {
            core: Rc::clone(core),
            base: Instant::now(),
            alarm: RefCell::new(Box::pin(tokio::time::sleep(Duration::ZERO))),
            has_ended: Cell::new(false),
            watches_until: Cell::new(None),
        });
        STAGE.set(Some(Rc::clone(&stage)));
        // Boot functions may start actors of their own, so they run here, among the tasks.
        poll_fn(|task| {
            *core.hosts.booter.borrow_mut() = Some(task.waker().clone());
            loop {
                let node = core.hosts.boots.borrow_mut().pop_front();
                match node {
                    Some(node) => core.boot(node),
                    None if stage.has_ended.get() => return Poll::Ready(()),
                    None => return Poll::Pending,
                }
            }
        })
        .await;
        STAGE.set(None);
        core.finish()
    });
    Ok(outcome)
}

impl Stage {
    fn tokio_now(&self) -> Time {
        Time::ZERO + (Instant::now() - self.base)
    }

    /// After a timer of tokio's, the world's clock is behind.
    fn catch_up(&self) {
        if self.watches_until.get().is_some() {
            return self.end(Ending::TimeLimit);
        }
        let now = self.tokio_now();
        if now > self.core.now.get() {
            self.core.now.set(now);
            self.core.history.set_cause(0);
        }
    }

    /// Called when nothing can run: takes steps until something can.
    fn go_on(&self) {
        if self.has_ended.get() {
            return;
        }
        if let Some(horizon) = self.watches_until.get() {
            if self.tokio_now() >= on_millisecond(horizon, 0) {
                self.end(Ending::Idle);
            }
            return;
        }
        self.core.hosts.has_woken.set(false);
        while !self.core.hosts.has_woken.get() {
            let limit = Time::ZERO + self.core.limits.time;
            let due = self.core.queue.borrow().next_at();
            let next = due.unwrap_or(limit).min(limit);
            let now = self.tokio_now();
            let may_go_on =
                self.core.failure.borrow().is_none() && self.core.ending.get().is_none();
            if may_go_on && now < on_millisecond(next, 0) {
                // tokio jumps by whole milliseconds, so it must start from one.
                let aligned = on_millisecond(now, MILLISECOND - 1);
                if now < aligned {
                    self.set_alarm(aligned);
                    advance(aligned - now);
                } else {
                    self.set_alarm(on_millisecond(next, 0));
                }
                return;
            }
            if may_go_on && due.is_none() {
                return self.watch();
            }
            if now < next {
                advance(next - now);
            }
            if !self.core.step() {
                self.has_ended.set(true);
                if let Some(booter) = &*self.core.hosts.booter.borrow() {
                    booter.wake_by_ref();
                }
                return;
            }
        }
    }

    /// The world is idle at its time limit. Whether it has ended or was cut short depends on
    /// whether a timer of actix or tokio would still fire; nothing that such a timer does counts.
    fn watch(&self) {
        self.core.shut_ports();
        let horizon = Time::ZERO + self.core.limits.time + WATCH;
        self.watches_until.set(Some(horizon));
        self.set_alarm(horizon);
        if self.tokio_now() >= on_millisecond(horizon, 0) {
            self.end(Ending::Idle);
        }
    }

    fn end(&self, ending: Ending) {
        if !self.has_ended.replace(true) {
            self.core.ending.set(Some(ending));
            if let Some(booter) = &*self.core.hosts.booter.borrow() {
                booter.wake_by_ref();
            }
        }
    }

    /// Lets tokio advance its clock to `at`, or to a timer that comes before.
    fn set_alarm(&self, at: Time) {
        let mut alarm = self.alarm.borrow_mut();
        alarm.as_mut().reset(self.base + at.since_start());
        // Nobody needs to be woken: the hook is called again when nothing else can run.
        let _ = alarm.as_mut().poll(&mut TaskContext::from_waker(Waker::noop()));
    }
}

/// A timer further beyond the time limit than this is never noticed.
const WATCH: Duration = Duration::from_secs(400 * 24 * 3600);

const MILLISECOND: u64 = 1_000_000;

/// The whole millisecond at or before `time` plus so many nanoseconds.
fn on_millisecond(time: Time, plus: u64) -> Time {
    Time::from_nanos(time.as_nanos().saturating_add(plus) / MILLISECOND * MILLISECOND)
}

/// Moves tokio's paused clock. `tokio::time::advance` does so in its first poll and then yields,
/// for which there is nobody to wait here.
fn advance(by: Duration) {
    let future = std::pin::pin!(tokio::time::advance(by));
    let _ = future.poll(&mut TaskContext::from_waker(Waker::noop()));
}
