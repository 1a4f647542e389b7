//! What an actor is given: its clock, timers, randomness, network, disk.
//!
//! An [`Env`] belongs to one life of one actor. When that life has ended, everything here quietly
//! does nothing: a dead process sends no messages.

use std::{rc::Rc, time::Duration};

use actix::{Actor, Context, Handler, Message};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    Call, DiskError, Ending, Happening, Host, Note, Peer, Sleep, Stream, Time, Timer,
    core::{Core, Due},
    disk::DiskState,
    hash,
    mail::CallKey,
    network::MESSAGE_BYTES,
    port::Port,
    timer::{Once, Periodic},
};

/// The surroundings of an actor of type `A`.
pub struct Env<A: Actor> {
    pub(super) port: Rc<Port<A>>,
}

impl<A: Actor> Clone for Env<A> {
    fn clone(&self) -> Env<A> {
        Env { port: Rc::clone(&self.port) }
    }
}

impl<A: Actor<Context = Context<A>>> Env<A> {
    pub(crate) fn new(port: Rc<Port<A>>) -> Env<A> {
        Env { port }
    }

    pub(super) fn core(&self) -> &Rc<Core> {
        self.port.core.catch_up();
        &self.port.core
    }

    /// This actor, for others to send to.
    pub fn me(&self) -> Peer<A> {
        Peer::new(self.port.node, self.port.actor)
    }

    /// The name of the node.
    pub fn node_name(&self) -> Rc<str> {
        let nodes = self.core().nodes.borrow();
        nodes
            .get(self.port.node.index())
            .map_or_else(|| "world".into(), |node| Rc::clone(&node.name))
    }

    /// How many lives the node has had before this one.
    pub fn incarnation(&self) -> u32 {
        self.port.incarnation
    }

    /// The host that the world runs on.
    pub fn host(&self) -> Host {
        self.core().hosts.host()
    }

    /// The node's monotonic clock: time since the world began, as far as the node's oscillator
    /// can tell.
    pub fn now(&self) -> Time {
        let (core, nodes) = (self.core(), self.core().nodes.borrow());
        let now = core.now.get();
        nodes.get(self.port.node.index()).map_or(now, |node| node.clock.monotonic(now))
    }

    /// The node's wall clock. Unlike [`Env::now`], it can be off and can jump.
    pub fn utc(&self) -> Timestamp {
        let (core, nodes) = (self.core(), self.core().nodes.borrow());
        let clock = nodes.get(self.port.node.index()).map(|node| node.clock).unwrap_or_default();
        clock.wall(core.start, core.now.get())
    }

    /// The random stream of this name on this node. Keep it: asking again starts it anew. A life
    /// after a crash has other streams than the one before.
    pub fn stream(&self, name: &str) -> Stream {
        let nodes = self.core().nodes.borrow();
        let node = nodes.get(self.port.node.index());
        let of_node = node.map_or(0, |node| node.name_hash);
        let role = node.and_then(|node| node.places.get(self.port.actor as usize));
        let of_actor = hash::mix(of_node, role.map_or(0, |place| hash::name_hash(&place.role)));
        let of_life = hash::mix(of_actor, u64::from(self.port.incarnation));
        self.core().seed.numbered_stream(hash::mix(of_life, hash::name_hash(name)))
    }

    /// Runs `act` on this actor after a while, as measured by the node's clock.
    pub fn after(
        &self,
        delay: Duration,
        act: impl FnOnce(&mut A, &mut Context<A>) + 'static,
    ) -> Timer {
        Once::set(&self.port, delay, act)
    }

    /// Runs `act` on this actor again and again, the first time after one `period`. A period of
    /// zero is taken as one nanosecond, so that time goes on.
    pub fn every(
        &self,
        period: Duration,
        act: impl FnMut(&mut A, &mut Context<A>) + 'static,
    ) -> Timer {
        Periodic::set(&self.port, period.max(Duration::from_nanos(1)), act)
    }

    /// Cancels a timer. Nothing of it runs after this, even if it is due at this very instant.
    pub fn cancel(&self, timer: &Timer) {
        timer.cancel(&self.port);
    }

    /// A future that is done after a while, for `ctx.spawn` and async code in this actor.
    pub fn sleep(&self, delay: Duration) -> Sleep {
        Sleep::new(&self.port, delay)
    }

    /// Sends a message that nobody answers. It crosses the link to the other node and may be lost
    /// there; if it would arrive twice, only the first copy is handled (see
    /// [`Env::send_duplicable`]).
    pub fn send<B, M>(&self, to: &Peer<B>, message: M)
    where
        M: Message + 'static,
        B: Actor<Context = Context<B>> + Handler<M>,
        <B as Handler<M>>::Result: 'static,
    {
        self.dispatch(to, message, MESSAGE_BYTES, None, None);
    }

    /// Sends a message that is handled twice if the link duplicates it.
    pub fn send_duplicable<B, M>(&self, to: &Peer<B>, message: M)
    where
        M: Message + Clone + 'static,
        B: Actor<Context = Context<B>> + Handler<M>,
        <B as Handler<M>>::Result: 'static,
    {
        self.dispatch(to, message, MESSAGE_BYTES, Some(M::clone), None);
    }

    /// Begins a call: a message whose handler's result comes back. Say what follows with
    /// [`Call::then`] or [`Call::future`].
    pub fn call<B, M>(&self, to: &Peer<B>, message: M) -> Call<'_, A, B, M>
    where
        M: Message + 'static,
        B: Actor<Context = Context<B>> + Handler<M>,
        <B as Handler<M>>::Result: 'static,
    {
        Call::new(self, *to, message)
    }

    /// Hands a message to an actor, past all links: for drivers that are not part of what is
    /// simulated, such as a source of load. It is lost if the actor is not there.
    pub fn inject<B, M>(&self, to: &Peer<B>, message: M)
    where
        M: Message + 'static,
        B: Actor<Context = Context<B>> + Handler<M>,
        <B as Handler<M>>::Result: 'static,
    {
        if self.port.is_open() {
            self.core().inject(to, message);
        }
    }

    /// Puts a message on its way, and returns the number of the event; 0 if this life has ended.
    pub(super) fn dispatch<B, M>(
        &self,
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
        if !self.port.is_open() {
            return 0;
        }
        self.core().dispatch(self.port.node, to, message, bytes, copy, call)
    }

    /// Starts another actor on this node. It shares the node's fate, and talks to this one past
    /// all links.
    pub fn spawn<B: Actor<Context = Context<B>>>(
        &self,
        role: &str,
        factory: impl FnOnce(Env<B>) -> B,
    ) -> Peer<B> {
        if !self.port.is_open() {
            return Peer::new(self.port.node, u32::MAX);
        }
        let actor = self.core().host_actor(self.port.node, role, factory);
        Peer::new(self.port.node, actor)
    }

    /// Takes down an event of the application's own: its name in the past tense, its details as
    /// anything that can be serialised. It is part of the history and of the fingerprint.
    pub fn emit<T: Serialize + 'static>(&self, name: &'static str, details: T) {
        if self.port.is_open() {
            let digest = hash::digest(&details);
            self.core()
                .record(self.port.node, Happening::Emitted { name, payload: &details, digest });
        }
    }

    /// Tells observers something that is no event, if any of them wants notes; otherwise it is not
    /// even made. It changes nothing of the history.
    #[inline]
    pub fn note<T: 'static>(&self, what: impl FnOnce() -> T) {
        if !self.port.core.history.is_noted() || !self.port.is_open() {
            return;
        }
        let (core, what) = (self.core(), what());
        let nodes = core.nodes.borrow();
        let node = nodes.get(self.port.node.index()).map_or("world", |node| &*node.name);
        core.history.note(&Note { at: core.now.get(), node, what: &what });
    }

    /// Whether something goes wrong here: true now and then while a fault of the plan arms the point
    /// of this name ([`FaultKind::Point`](super::FaultKind::Point)), otherwise false.
    ///
    /// Each point draws from a stream of its own on each node, and only while it is armed. That it
    /// fires is the event `fault_point_fired`.
    pub fn fault_point(&self, site: &'static str) -> bool {
        let core = &self.port.core;
        if !core.points.any_armed() || !self.port.is_open() {
            return false;
        }
        let fires =
            core.points.draw(site, self.port.node, || self.stream(&format!("fault_point/{site}")));
        if fires {
            self.emit("fault_point_fired", PointFired { site });
        }
        fires
    }

    /// Ends the world, once what is ready now has run.
    pub fn stop_world(&self) {
        if self.port.is_open() {
            self.core().ending.set(Some(Ending::Stopped));
        }
    }

    /// The disk of this node.
    pub fn disk(&self) -> Disk<'_, A> {
        Disk(self)
    }
}

#[derive(Serialize)]
struct PointFired {
    site: &'static str,
}

/// The disk of a node. Every actor of the node sees the same files.
pub struct Disk<'a, A: Actor>(&'a Env<A>);

impl<A: Actor<Context = Context<A>>> Disk<'_, A> {
    fn with<T>(&self, act: impl FnOnce(&mut DiskState) -> T) -> Option<T> {
        let port = &self.0.port;
        let mut nodes = port.core.nodes.borrow_mut();
        let node = nodes.get_mut(port.node.index()).filter(|_| port.is_open())?;
        Some(act(node.disk.get_or_insert_default()))
    }

    /// The contents of a file, as last written, synced or not.
    pub fn read(&self, path: &str) -> Option<Rc<[u8]>> {
        self.with(|disk| disk.read(path)).flatten()
    }

    /// The names of files that start with `prefix`, sorted.
    pub fn list(&self, prefix: &str) -> Vec<String> {
        self.with(|disk| disk.list(prefix)).unwrap_or_default()
    }

    /// Writes a whole file. It survives a crash from the next completed [`Disk::sync`] on.
    ///
    /// # Errors
    ///
    /// [`DiskError::Full`] if it does not fit; the earlier contents stay.
    pub fn write(&self, path: &str, contents: &[u8]) -> Result<(), DiskError> {
        let env = self.0;
        let written = self.with(|disk| disk.write(path, contents, &env.core().disk_rule));
        let written = written.unwrap_or(Ok(()));
        if written.is_err() {
            env.core().record(env.port.node, Happening::DiskFailed { cause: "full" });
        }
        written
    }

    /// Removes a file; true if it was there. The removal survives a crash from the next completed
    /// [`Disk::sync`] on.
    pub fn remove(&self, path: &str) -> bool {
        self.with(|disk| disk.remove(path)).unwrap_or(false)
    }

    /// Makes everything that was written so far survive a crash, and runs `act` when it does.
    pub fn sync(&self, act: impl FnOnce(&mut A, &mut Context<A>) + 'static) {
        let (env, core) = (self.0, self.0.core());
        let Some(point) = self.with(|disk| disk.start_sync()) else { return };
        let port = Rc::clone(&env.port);
        let fire = Once::new(port, act);
        let Port { node, incarnation, .. } = *env.port;
        let of_node = core.nodes.borrow().get(node.index()).map_or(0, |node| node.name_hash);
        let delay = self.with(|disk| disk.sync_time(&core.disk_rule, core.seed, of_node));
        let delay = delay.unwrap_or_default();
        let cause = core.history.cause();
        core.schedule_at(
            core.now.get() + delay,
            Due::Synced { node, incarnation, cause, point, fire },
        );
    }
}
