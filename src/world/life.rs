//! Lives of nodes and actors: start, crash, restart, pause, stop.
//!
//! Nothing of a dead life reaches the next: its ports are closed, its timers leave the queue, its
//! calls are forgotten, and whoever waited for it is told that the connection was reset.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    task::{Context as TaskContext, Poll},
};

use actix::{Actor, ActorContext as _, AsyncContext as _, Context, dev::ContextFut};

use super::{
    Env, Failure, Happening, NodeId,
    core::{Core, Due},
    host::Slot,
    mail::{CallError, CallKey, Head},
    node::Place,
    port::Port,
};

impl Core {
    /// Starts a node: its boot function runs and makes the main actor.
    pub(crate) fn start_node(self: &Rc<Self>, id: NodeId) {
        let incarnation = {
            let mut nodes = self.nodes.borrow_mut();
            // A fault of the very beginning may hold it down before it first starts.
            let Some(node) = nodes.get_mut(id.index()).filter(|node| node.held_down == 0) else {
                return;
            };
            node.is_up = true;
            node.incarnation
        };
        let seq = self.record(id, Happening::NodeStarted { incarnation });
        self.history.set_cause(seq);
        self.hosts.boot(self, id);
    }

    /// Runs the boot function of a node. The host decides when, right after `start_node`.
    pub(crate) fn boot(self: &Rc<Self>, id: NodeId) {
        let boot = self.nodes.borrow().get(id.index()).map(|node| Rc::clone(&node.boot));
        if let Some(boot) = boot
            && let Err(payload) = catch_unwind(AssertUnwindSafe(|| boot(self, id)))
        {
            self.fail_by_panic(id, 0, &*payload);
        }
    }

    /// Puts an actor on a node. The factory runs now, the actor's `started` when its turn comes.
    pub(crate) fn host_actor<A: Actor<Context = Context<A>>>(
        self: &Rc<Self>,
        id: NodeId,
        role: &str,
        factory: impl FnOnce(Env<A>) -> A,
    ) -> u32 {
        let (index, incarnation) = {
            let mut nodes = self.nodes.borrow_mut();
            let node = &mut nodes[id.index()];
            let vacant =
                node.places.iter().position(|place| place.port.is_none() && &*place.role == role);
            let index = vacant.unwrap_or_else(|| {
                node.places.push(Place { role: role.into(), port: None, slot: None });
                node.places.len() - 1
            });
            (index as u32, node.incarnation)
        };
        let port = Rc::new(Port::<A>::new(Rc::clone(self), id, index, incarnation));
        let actor = factory(Env::new(Rc::clone(&port)));
        let mut context = Context::<A>::new();
        context.spawn(port.reader());
        let body: ContextFut<A, Context<A>> = context.into_future(actor);
        let slot = self.hosts.insert(id, index, Box::pin(Hosted(body)));
        // A new port has no slot yet, so this one always gets its place.
        let _ = port.slot.set(Rc::clone(&slot));
        let mut nodes = self.nodes.borrow_mut();
        let place = &mut nodes[id.index()].places[index as usize];
        place.slot = Some(Rc::clone(&slot));
        place.port = Some(port);
        drop(nodes);
        self.hosts.start(self, &slot);
        index
    }

    /// An actor has ended by its own decision.
    pub(crate) fn actor_stopped(&self, slot: &Rc<Slot>) {
        let (id, actor) = (slot.node(), slot.actor());
        let closed = {
            let mut nodes = self.nodes.borrow_mut();
            let node = nodes.get_mut(id.index());
            let place = node.and_then(|node| node.places.get_mut(actor as usize));
            place
                .filter(|place| place.slot.as_ref().is_some_and(|here| Rc::ptr_eq(here, slot)))
                .and_then(|place| place.port.take())
        };
        if let Some(port) = closed {
            let role = self.nodes.borrow()[id.index()].places[actor as usize].role.clone();
            self.record(id, Happening::ActorStopped { role: &role });
            self.discard(id, port.close());
        }
    }

    pub(crate) fn crash(self: &Rc<Self>, id: NodeId) {
        let (incarnation, slots, ports) = {
            let mut nodes = self.nodes.borrow_mut();
            let node = &mut nodes[id.index()];
            node.held_down += 1;
            if !node.is_up {
                return;
            }
            node.is_up = false;
            let slots: Vec<Rc<Slot>> =
                node.places.iter_mut().filter_map(|place| place.slot.take()).collect();
            let ports: Vec<_> =
                node.places.iter_mut().filter_map(|place| place.port.take()).collect();
            ports.iter().for_each(|port| port.shut());
            if let Some(disk) = &mut node.disk {
                disk.crash();
            }
            (node.incarnation, slots, ports)
        };
        let seq = self.record(id, Happening::NodeCrashed { incarnation });
        self.history.set_cause(seq);
        // What it waited for is nobody's business any more …
        let (abandoned, broken): (Vec<CallKey>, Vec<(CallKey, Head)>) = {
            let calls = self.calls.borrow();
            let mut abandoned = Vec::new();
            let mut broken = Vec::new();
            for (key, call) in calls.iter() {
                if call.caller == id {
                    abandoned.push(key);
                } else if call.target == id && call.in_hand == Some(incarnation) {
                    broken.push((key, call.head()));
                }
            }
            broken.sort_by_key(|(_, head)| head.id);
            (abandoned, broken)
        };
        for call in abandoned {
            let pending = self.settle(call);
            self.discard(id, Box::new(pending.map(|pending| pending.resume)));
        }
        // … and whoever waited for it sees the connection break.
        for (call, head) in broken {
            self.turn_away(&head, call, CallError::Reset);
        }
        let timers = self.queue.borrow_mut().retain(|due| match due {
            Due::Timer { node, .. } | Due::Synced { node, .. } => *node != id,
            _ => true,
        });
        for due in &timers {
            if let Due::Timer { held: Some(then), .. } = due {
                self.held.borrow_mut().remove(then);
            }
        }
        let backlog = {
            let mut nodes = self.nodes.borrow_mut();
            let node = &mut nodes[id.index()];
            let (mail, own): (Vec<Due>, Vec<Due>) = std::mem::take(&mut node.backlog)
                .into_iter()
                .partition(|due| matches!(due, Due::Arrival(_)));
            node.backlog = mail;
            own
        };
        let bodies: Vec<_> = slots.iter().map(|slot| self.hosts.remove(slot)).collect();
        for port in ports {
            self.discard(id, port.close());
        }
        self.discard(id, Box::new((bodies, timers, backlog)));
    }

    pub(crate) fn restart(self: &Rc<Self>, id: NodeId) {
        let restarts = {
            let mut nodes = self.nodes.borrow_mut();
            let node = &mut nodes[id.index()];
            node.held_down = node.held_down.saturating_sub(1);
            let restarts = !node.is_up && node.held_down == 0;
            let has_lived = !node.places.is_empty();
            node.incarnation += u32::from(restarts && has_lived);
            restarts
        };
        if restarts {
            self.start_node(id);
        }
    }

    pub(crate) fn pause(&self, id: NodeId) {
        self.nodes.borrow_mut()[id.index()].paused += 1;
        self.hosts.pauses.set(self.hosts.pauses.get() + 1);
        self.record(id, Happening::NodePaused);
    }

    pub(crate) fn resume(&self, id: NodeId) {
        self.hosts.pauses.set(self.hosts.pauses.get().saturating_sub(1));
        let (backlog, slots) = {
            let mut nodes = self.nodes.borrow_mut();
            let node = &mut nodes[id.index()];
            node.paused = node.paused.saturating_sub(1);
            if node.paused > 0 {
                return;
            }
            let slots: Vec<Rc<Slot>> =
                node.places.iter().filter_map(|place| place.slot.clone()).collect();
            (std::mem::take(&mut node.backlog), slots)
        };
        self.record(id, Happening::NodeResumed);
        // Something may have woken them meanwhile.
        slots.iter().for_each(|slot| self.hosts.wake(slot));
        let now = self.now.get();
        for due in backlog {
            let then = if let Due::Timer { held, .. } = &due { *held } else { None };
            let key = self.schedule_at(now, due);
            if let Some(then) = then {
                self.held.borrow_mut().insert(then, key);
            }
        }
    }

    /// Drops something that may run code of users, with nothing borrowed, and survives its panic.
    pub(crate) fn discard(&self, id: NodeId, thing: Box<dyn Any>) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(thing))) {
            self.fail_by_panic(id, 0, &*payload);
        }
    }

    pub(crate) fn fail_by_panic(&self, id: NodeId, actor: u32, payload: &(dyn Any + Send)) {
        let actor = self.actor_name(id, actor);
        let at = self.now.get();
        let message = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a message".to_owned());
        self.fail(match self.hosts.lacks(&message) {
            Some((needs, remedy)) => Failure::WrongHost { actor, needs, remedy, at },
            None => Failure::ActorPanicked { actor, message, at },
        });
    }

    /// The name of an actor, for people.
    pub(crate) fn actor_name(&self, id: NodeId, actor: u32) -> String {
        let nodes = self.nodes.borrow();
        nodes.get(id.index()).map_or_else(|| "world".to_owned(), |node| node.actor_name(actor))
    }

    /// Nothing that an actor does from now on has an effect.
    pub(crate) fn shut_ports(&self) {
        let nodes = self.nodes.borrow();
        let places = nodes.iter().flat_map(|node| &node.places);
        places.filter_map(|place| place.port.as_ref()).for_each(|port| port.shut());
    }

    /// Ends all lives, so that nothing holds on to the world.
    pub(crate) fn shut_down(&self) {
        self.shut_ports();
        // Nobody is there any more to answer, either.
        self.nodes.borrow_mut().iter_mut().for_each(|node| node.is_up = false);
        let bodies = self.hosts.remove_all();
        self.discard(NodeId::WORLD, Box::new(bodies));
        let ports: Vec<_> = {
            let mut nodes = self.nodes.borrow_mut();
            nodes
                .iter_mut()
                .flat_map(|node| node.places.iter_mut())
                .filter_map(|place| place.port.take())
                .collect()
        };
        for port in ports {
            self.discard(NodeId::WORLD, port.close());
        }
        let calls = std::mem::take(&mut *self.calls.borrow_mut());
        let due = self.queue.borrow_mut().retain(|_| false);
        let nodes = self.nodes.take();
        let faults = self.faults.take();
        self.discard(NodeId::WORLD, Box::new((calls, due, faults)));
        self.discard(NodeId::WORLD, Box::new(nodes));
    }
}

/// An actor and its context. Dropping it is a crash, not a stop: `stopping` and `stopped` do not
/// run, as they would not when a machine loses power.
struct Hosted<A: Actor<Context = Context<A>>>(ContextFut<A, Context<A>>);

impl<A: Actor<Context = Context<A>>> Future for Hosted<A> {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(task)
    }
}

impl<A: Actor<Context = Context<A>>> Drop for Hosted<A> {
    fn drop(&mut self) {
        self.0.ctx().terminate();
    }
}
