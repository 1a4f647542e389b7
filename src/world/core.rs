//! The state of a running world, and the one step that moves it on.
//!
//! Both hosts run the same loop: poll actors until none is ready, then take one step, which lets
//! the next event happen. All order comes from the queue and from the order of wake-ups, both of
//! which depend on the seed alone. No code of users runs while anything here is borrowed.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use jiff::Timestamp;
use slotmap::SlotMap;

use super::{
    DiskRule, DropCause, Failure, Fault, Happening, Limits, MessageInfo, MessageKind, NodeId, Seed,
    SendVerdict, Time, Wait,
    disk::SyncPoint,
    fault::Imposed,
    hash,
    history::History,
    host::Hosts,
    mail::{CallError, CallKey, Head, Hollow, Mail, PendingCall},
    message::Labels,
    network::{Network, Verdict},
    node::NodeState,
    point::Points,
    queue::{DueKey, Queue},
    settings::TieBreaker,
};

/// What happens when a timer fires.
pub(crate) trait Fire {
    fn fire(self: Box<Self>, key: DueKey);
}

/// Something that will happen.
pub(crate) enum Due {
    /// A node starts.
    Boot(NodeId),
    /// A message arrives.
    Arrival(Box<dyn Mail>),
    /// A timer fires, if the life that set it still goes on.
    Timer {
        node: NodeId,
        incarnation: u32,
        cause: u64,
        /// The key it was set with, once a pause has held it back.
        held: Option<DueKey>,
        fire: Box<dyn Fire>,
    },
    /// A call has waited long enough.
    Timeout { node: NodeId, call: CallKey },
    /// A sync completes.
    Synced { node: NodeId, incarnation: u32, cause: u64, point: SyncPoint, fire: Box<dyn Fire> },
    /// A fault of the plan begins.
    Fault(usize),
    /// A fault of the plan ends.
    Heal(usize),
}

impl Due {
    /// The node that has to be running for it.
    fn node(&self) -> Option<NodeId> {
        match self {
            Due::Arrival(mail) => Some(mail.head().to),
            Due::Timer { node, .. } | Due::Timeout { node, .. } | Due::Synced { node, .. } => {
                Some(*node)
            }
            Due::Boot(_) | Due::Fault(_) | Due::Heal(_) => None,
        }
    }
}

/// How a world came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Nothing was left to happen.
    Idle,
    /// An actor asked for it.
    Stopped,
    /// The limit of virtual time was reached with things still to happen.
    TimeLimit,
    /// It failed; the outcome says how.
    Failed,
}

/// What a world is made of.
pub(crate) struct Core {
    pub seed: Seed,
    pub start: Timestamp,
    pub tie_breaker: TieBreaker,
    pub limits: Limits,
    pub disk_rule: DiskRule,
    pub now: Cell<Time>,
    pub queue: RefCell<Queue<Due>>,
    /// Timers that a pause has held back and that are due again: their keys, then and now.
    pub held: RefCell<BTreeMap<DueKey, DueKey>>,
    pub nodes: RefCell<Vec<NodeState>>,
    pub network: RefCell<Network>,
    pub calls: RefCell<SlotMap<CallKey, PendingCall>>,
    pub history: History,
    pub faults: RefCell<Vec<Fault>>,
    /// What each fault of the plan has in force while it lasts.
    pub imposed: RefCell<Vec<Imposed>>,
    pub points: Points,
    /// The nodes by name.
    pub names: RefCell<BTreeMap<Rc<str>, NodeId>>,
    pub hosts: Hosts,
    pub failure: RefCell<Option<Failure>>,
    pub ending: Cell<Option<Ending>>,
    pub next_message: Cell<u64>,
    pub labels: Labels,
}

impl Core {
    /// The order of the next event for `node` among those at the same instant. Events of the world
    /// itself come first.
    fn tie(&self, node: Option<NodeId>) -> u64 {
        let Some(id) = node.filter(|_| !self.tie_breaker.is_fifo()) else { return 0 };
        let mut nodes = self.nodes.borrow_mut();
        let Some(node) = nodes.get_mut(id.index()) else { return 0 };
        node.scheduled += 1;
        self.tie_breaker.tie(id, node.name_hash, node.scheduled, self.history.events())
    }

    /// Puts something on the queue.
    pub(crate) fn schedule_at(&self, at: Time, due: Due) -> DueKey {
        let tie = self.tie(due.node());
        self.queue.borrow_mut().push(at, tie, due)
    }

    pub(crate) fn record(&self, node: NodeId, what: Happening<'_>) -> u64 {
        let nodes = self.nodes.borrow();
        let (name, name_hash) =
            nodes.get(node.index()).map_or(("world", 0), |node| (&*node.name, node.name_hash));
        self.history.record(self.now.get(), name, name_hash, what)
    }

    /// Records something about a message.
    fn record_mail(
        &self,
        head: &Head,
        what: impl for<'b> FnOnce(MessageInfo<'b>) -> Happening<'b>,
    ) -> u64 {
        self.record_body(head, None, what)
    }

    fn record_body(
        &self,
        head: &Head,
        body: Option<&dyn Any>,
        what: impl for<'b> FnOnce(MessageInfo<'b>) -> Happening<'b>,
    ) -> u64 {
        let nodes = self.nodes.borrow();
        let name = |id: NodeId| {
            nodes.get(id.index()).map_or(("world", 0), |node| (&*node.name, node.name_hash))
        };
        let (from, to) = (name(head.from), name(head.to));
        let info = MessageInfo {
            id: head.id,
            kind: head.kind,
            label: head.label.name,
            from: from.0,
            to: to.0,
            body,
            route: hash::mix(head.label.hash, to.1),
        };
        let what = what(info);
        let on = if matches!(what, Happening::MessageSent { .. }) { from } else { to };
        self.history.record(self.now.get(), on.0, on.1, what)
    }

    /// Whether this life of the node still goes on.
    pub(crate) fn lives(&self, node: NodeId, incarnation: u32) -> bool {
        self.nodes
            .borrow()
            .get(node.index())
            .is_some_and(|node| node.is_up && node.incarnation == incarnation)
    }

    /// The life of the node that a new connection would reach.
    pub(crate) fn reachable(&self, node: NodeId) -> Option<u32> {
        let nodes = self.nodes.borrow();
        nodes.get(node.index()).filter(|node| node.is_up).map(|node| node.incarnation)
    }

    pub(crate) fn new_message_id(&self) -> u64 {
        let id = self.next_message.get() + 1;
        self.next_message.set(id);
        id
    }

    /// Puts a message on its link, which decides what becomes of it. Returns the number of the
    /// sending event.
    pub(crate) fn post(self: &Rc<Self>, mut mail: Box<dyn Mail>) -> u64 {
        self.catch_up();
        let now = self.now.get();
        let head = *mail.head();
        let verdict = if head.from == head.to {
            Verdict::Deliver { at: now }
        } else {
            let nodes = self.nodes.borrow();
            let known = |id: NodeId| (id, nodes.get(id.index()).map_or(0, |node| node.name_hash));
            let (from, to) = (known(head.from), known(head.to));
            let is_ordered = head.kind == MessageKind::OneWay;
            self.network.borrow_mut().judge(now, from, to, head.bytes, is_ordered)
        };
        let (sent_as, at, drop_cause) = match verdict {
            Verdict::Deliver { at } => (SendVerdict::Deliver, at, None),
            Verdict::Duplicate { at, .. } => (SendVerdict::Duplicate, at, None),
            Verdict::Corrupt { at } => (SendVerdict::Corrupt, at, None),
            Verdict::Lost => (SendVerdict::Drop, now, Some(DropCause::Lost)),
            Verdict::Partitioned => (SendVerdict::Drop, now, Some(DropCause::Partitioned)),
        };
        let delay_ns = at.as_nanos() - now.as_nanos();
        let sent = self.record_mail(&head, |message| Happening::MessageSent {
            message,
            verdict: sent_as,
            delay_ns,
        });
        mail.head_mut().sent = sent;
        if let Some(cause) = drop_cause {
            self.record_mail(&head, |message| Happening::MessageDropped { message, cause });
            return sent;
        }
        mail.head_mut().is_corrupt = matches!(verdict, Verdict::Corrupt { .. });
        if let Verdict::Duplicate { again_at, .. } = verdict {
            self.record_mail(&head, |message| Happening::MessageDuplicated { message });
            let copy = mail.copy().unwrap_or_else(|| {
                Box::new(Hollow {
                    head: Head { is_hollow: true, ..*mail.head() },
                    call: mail.call(),
                })
            });
            self.schedule_at(again_at, Due::Arrival(copy));
        }
        self.schedule_at(at, Due::Arrival(mail));
        sent
    }

    /// Lets the next event happen. Returns false when the world has come to its end.
    pub(crate) fn step(self: &Rc<Self>) -> bool {
        if self.ending.get().is_some() || self.failure.borrow().is_some() {
            return false;
        }
        if let Some(failure) = self.runaway() {
            self.fail(failure);
            return false;
        }
        let Some(at) = self.queue.borrow().next_at() else {
            self.ending.set(Some(Ending::Idle));
            return false;
        };
        if at.since_start() > self.limits.time {
            self.ending.set(Some(Ending::TimeLimit));
            return false;
        }
        let popped = self.queue.borrow_mut().pop();
        if let Some((at, key, due)) = popped {
            self.now.set(at);
            self.history.set_cause(0);
            self.happen(key, due);
        }
        true
    }

    fn runaway(&self) -> Option<Failure> {
        let (at, events) = (self.now.get(), self.history.events());
        if events > self.limits.events {
            return Some(Failure::TooManyEvents { events, at });
        }
        let at_once = self.history.events_at(at);
        if at_once <= self.limits.same_instant {
            return None;
        }
        // Every node may start at once.
        let nodes = self.nodes.borrow().len() as u64;
        (at_once > self.limits.same_instant.saturating_add(nodes)).then(|| Failure::TooManyAtOnce {
            events: at_once,
            at,
            node: self.history.last_node(),
        })
    }

    /// The first failure is the one that counts.
    pub(crate) fn fail(&self, failure: Failure) {
        self.failure.borrow_mut().get_or_insert(failure);
    }

    fn happen(self: &Rc<Self>, key: DueKey, mut due: Due) {
        if let Some(id) = due.node() {
            let mut nodes = self.nodes.borrow_mut();
            if let Some(node) = nodes.get_mut(id.index()).filter(|node| node.paused > 0) {
                if let Due::Timer { held, .. } = &mut due {
                    held.get_or_insert(key);
                }
                node.backlog.push(due);
                return;
            }
        }
        match due {
            Due::Boot(node) => self.start_node(node),
            Due::Arrival(mail) => self.arrive(mail),
            Due::Timer { node, incarnation, cause, held, fire } => {
                if let Some(then) = held {
                    self.held.borrow_mut().remove(&then);
                }
                if self.lives(node, incarnation) {
                    self.history.set_cause(cause);
                    let fired = self.record(node, Happening::TimerFired);
                    self.history.set_cause(fired);
                    fire.fire(held.unwrap_or(key));
                }
            }
            Due::Timeout { call, .. } => self.time_out(call),
            Due::Synced { node, incarnation, cause, point, fire } => {
                if self.lives(node, incarnation) {
                    self.history.set_cause(cause);
                    let files = {
                        let mut nodes = self.nodes.borrow_mut();
                        let disk = nodes.get_mut(node.index()).and_then(|node| node.disk.as_mut());
                        disk.map_or(0, |disk| disk.finish_sync(point))
                    };
                    let synced = self.record(node, Happening::DiskSynced { files });
                    self.history.set_cause(synced);
                    fire.fire(key);
                }
            }
            Due::Fault(index) => self.fire_fault(index),
            Due::Heal(index) => self.heal_fault(index),
        }
    }

    fn arrive(self: &Rc<Self>, mail: Box<dyn Mail>) {
        let head = *mail.head();
        let is_call = head.kind == MessageKind::Call;
        let call = mail.call();
        self.history.set_cause(head.sent);
        let drop_it = |cause| {
            let seq =
                self.record_mail(&head, |message| Happening::MessageDropped { message, cause });
            self.history.set_cause(seq);
        };
        if head.from != head.to && self.is_blocked(head.from, head.to) {
            return drop_it(DropCause::Partitioned);
        }
        if head.is_corrupt {
            let seq = self.record_mail(&head, |message| Happening::MessageCorrupted { message });
            self.history.set_cause(seq);
            drop_it(DropCause::Corrupted);
            match (head.kind, call) {
                (MessageKind::Call, Some(call)) => {
                    self.turn_away(&head, call, CallError::Corrupted);
                }
                (MessageKind::Answer, Some(call)) => {
                    if let Some(pending) = self.settle(call) {
                        pending.resume.fail(CallError::Corrupted);
                    }
                }
                _ => {}
            }
            return;
        }
        if head.kind == MessageKind::Answer {
            let pending = call.and_then(|call| self.settle(call));
            let seq = match &pending {
                Some(_) if !head.is_hollow => {
                    self.record_mail(&head, |message| Happening::MessageDelivered { message })
                }
                _ => self.record_mail(&head, |message| Happening::LateAnswer { message }),
            };
            self.history.set_cause(seq);
            return mail.arrive(None, pending);
        }
        let now_there = self.reachable(head.to);
        if now_there.is_none() || head.incarnation.is_some_and(|then| Some(then) != now_there) {
            drop_it(DropCause::NodeDown);
            if let (true, Some(call)) = (is_call, call) {
                let is_refused = now_there.is_none();
                let error = if is_refused { CallError::Refused } else { CallError::Reset };
                self.turn_away(&head, call, error);
            }
            return;
        }
        if head.is_hollow {
            return drop_it(DropCause::Duplicate);
        }
        let port = {
            let nodes = self.nodes.borrow();
            let place = nodes[head.to.index()].places.get(head.actor as usize);
            place.and_then(|place| place.port.clone())
        };
        let Some(port) = port else {
            drop_it(DropCause::ActorStopped);
            if let (true, Some(call)) = (is_call, call) {
                self.turn_away(&head, call, CallError::Refused);
            }
            return;
        };
        if let Some(call) = call
            && let Some(pending) = self.calls.borrow_mut().get_mut(call)
        {
            pending.in_hand = now_there;
        }
        let seq =
            self.record_body(&head, mail.body(), |message| Happening::MessageDelivered { message });
        self.history.set_cause(seq);
        mail.arrive(Some(&*port), None);
    }

    fn is_blocked(&self, from: NodeId, to: NodeId) -> bool {
        let mut network = self.network.borrow_mut();
        if !network.has_measures() {
            return false;
        }
        let nodes = self.nodes.borrow();
        let known = |id: NodeId| (id, nodes.get(id.index()).map_or(0, |node| node.name_hash));
        network.is_blocked(known(from), known(to))
    }

    /// Takes a call out of those that wait, if it still does.
    pub(crate) fn settle(&self, call: CallKey) -> Option<PendingCall> {
        let pending = self.calls.borrow_mut().remove(call)?;
        if let Some(timeout) = pending.timeout {
            self.queue.borrow_mut().cancel(timeout);
        }
        Some(pending)
    }

    fn time_out(&self, call: CallKey) {
        let Some(pending) = self.calls.borrow_mut().remove(call) else { return };
        let head = pending.head();
        self.history.set_cause(pending.sent);
        // The caller notices, so the event is on its side.
        let on_caller = Head { from: head.to, to: head.from, ..head };
        let seq = self.record_mail(&on_caller, |message| Happening::CallTimedOut {
            message: MessageInfo { from: message.to, to: message.from, ..message },
        });
        self.history.set_cause(seq);
        pending.resume.fail(CallError::TimedOut);
    }

    /// Who waits for whom, in the order in which they began to.
    pub(crate) fn waits(&self) -> Vec<Wait> {
        let (calls, nodes) = (self.calls.borrow(), self.nodes.borrow());
        let name = |id: NodeId| {
            nodes.get(id.index()).map_or_else(|| "world".to_owned(), |node| node.name.to_string())
        };
        let mut pending: Vec<&PendingCall> = calls.values().collect();
        pending.sort_by_key(|call| call.message);
        let wait = |call: &PendingCall| Wait {
            waiting: name(call.caller),
            waits_for: name(call.target),
            call: call.label.name,
            since: call.since,
        };
        pending.into_iter().map(wait).collect()
    }

    /// Schedules a timer of one life of a node; `local` is measured by the node's own clock.
    pub(crate) fn set_timer(
        &self,
        node: NodeId,
        incarnation: u32,
        local: Duration,
        fire: Box<dyn Fire>,
    ) -> DueKey {
        self.catch_up();
        let cause = self.history.cause();
        let at = self.now.get() + self.local(node, local);
        self.schedule_at(at, Due::Timer { node, incarnation, cause, held: None, fire })
    }

    /// Takes a timer off the queue, if it has not fired.
    pub(crate) fn cancel_timer(&self, key: DueKey) -> Option<Due> {
        let mut queue = self.queue.borrow_mut();
        let mut held = self.held.borrow_mut();
        queue.cancel(key).or_else(|| held.remove(&key).and_then(|now| queue.cancel(now)))
    }

    /// How long the world waits while the clock of a node counts `duration`.
    pub(crate) fn local(&self, node: NodeId, duration: Duration) -> Duration {
        let nodes = self.nodes.borrow();
        nodes.get(node.index()).map_or(duration, |node| node.clock.world_duration(duration))
    }
}
