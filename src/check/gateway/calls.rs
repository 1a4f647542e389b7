//! Calls of the router, from their agent to their answer: when each came in, and until when the router
//! may work for it.
//!
//! Known from messages alone, as a tap on the wire would know it. An agent gives a call up without a
//! word. The router may know by itself when: it was told how long its agent waits, and its clock for
//! the call begins when the call comes in. So it is as much later as the call was on its way; where it
//! waited at the router for a place makes no difference.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    check::watch::Built,
    stack::{RequestId, RouteRequest},
    world::{DropCause, Happening, MessageInfo, MessageKind, Sighting, Time},
};

/// The node that is called.
const ROUTER: &str = "router";
/// The message that calls it.
const CALL: &str = "RouteRequest";

/// The calls that the router has not answered yet.
#[derive(Default)]
pub(in crate::check) struct Calls {
    /// A clock of the plan is bent: an agent and the router may count the same wait differently.
    clocks_differ: bool,
    /// The router stands still, or when it last went on: what was due meanwhile comes then.
    is_paused: bool,
    resumed: Time,
    /// By the number of their message.
    calls: BTreeMap<u64, Call>,
    /// How many of them the router has in hand.
    in_hand: u64,
    /// Until when a router may go on with requests whose agents have given a call up.
    until: BTreeMap<RequestId, Time>,
    /// The call that came in last for a request.
    last: BTreeMap<RequestId, u64>,
    pub(super) let_go: Built,
}

struct Call {
    sent: Time,
    /// Once it came in.
    taken: Option<Taken>,
    /// How long its agent waited, if it waits no more.
    waited: Option<Duration>,
}

/// A call that the router has in hand.
struct Taken {
    request: RequestId,
    at: Time,
    /// How long its agent said that it waits.
    patience: Duration,
}

impl Call {
    /// Until when the router may go on with it, once nobody waits any more.
    fn until(&self) -> Option<Time> {
        Some(self.taken.as_ref()?.at + self.waited?)
    }
}

impl Calls {
    pub(super) fn new(clocks_differ: bool) -> Calls {
        Calls { clocks_differ, ..Calls::default() }
    }

    /// Until when the router may go on with a request that is over for its agent.
    pub(in crate::check) fn until(&self, request: &RequestId) -> Option<Time> {
        self.until.get(request).copied()
    }

    /// When the call came in that the router answers now, and how long its agent said that it waits.
    pub(in crate::check) fn taken(&self, request: &RequestId) -> Option<(Time, Duration)> {
        let call = self.calls.get(self.last.get(request)?)?;
        call.taken.as_ref().map(|taken| (taken.at, taken.patience))
    }

    /// How many calls the router has in hand.
    pub(in crate::check) fn in_hand(&self) -> u64 {
        self.in_hand
    }

    pub(in crate::check) fn hear(&mut self, sighting: &Sighting<'_>) {
        let now = sighting.at;
        match sighting.what {
            Happening::MessageSent { message, .. } if message.label == CALL => match message.kind {
                MessageKind::Call => {
                    let call = Call { sent: now, taken: None, waited: None };
                    self.calls.insert(message.id, call);
                }
                _ => self.answered(now, message.id),
            },
            Happening::MessageDelivered { message } if is_call(&message) => {
                self.came(now, &message);
            }
            // The second copy of a call says nothing of the first.
            Happening::MessageDropped { message, cause }
                if is_call(&message) && cause != DropCause::Duplicate =>
            {
                self.calls.remove(&message.id);
            }
            Happening::CallTimedOut { message } if is_call(&message) => self.left(now, message.id),
            Happening::NodeCrashed { .. } if sighting.node == ROUTER => {
                self.calls.retain(|_, call| call.taken.is_none());
                self.in_hand = 0;
                self.last.clear();
                self.until.clear();
            }
            Happening::NodePaused if sighting.node == ROUTER => self.is_paused = true,
            Happening::NodeResumed if sighting.node == ROUTER => {
                (self.is_paused, self.resumed) = (false, now);
            }
            _ => {}
        }
    }

    fn came(&mut self, now: Time, message: &MessageInfo<'_>) {
        let body = message.body.and_then(|body| body.downcast_ref::<RouteRequest>());
        let (Some(call), Some(body)) = (self.calls.get_mut(&message.id), body) else { return };
        let request = body.prompt.request.clone();
        self.last.insert(request.clone(), message.id);
        self.in_hand += u64::from(call.taken.is_none());
        call.taken = Some(Taken { request, at: now, patience: body.patience });
        self.gives(now, message.id);
    }

    /// Its agent waits no more.
    fn left(&mut self, now: Time, id: u64) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let waited = now - call.sent;
        // No clock drifts by as much as half of its time.
        call.waited = Some(if self.clocks_differ { waited * 2 } else { waited });
        self.gives(now, id);
    }

    /// The router may go on for a while with what nobody waits for.
    fn gives(&mut self, now: Time, id: u64) {
        let Some(call) = self.calls.get(&id) else { return };
        let (Some(until), Some(taken)) = (call.until(), &call.taken) else { return };
        let request = taken.request.clone();
        self.until.retain(|_, until| *until >= now);
        let known = self.until.entry(request).or_default();
        *known = until.max(*known);
    }

    /// The router answers, whether or not anybody waits.
    fn answered(&mut self, now: Time, id: u64) {
        let Some(call) = self.calls.remove(&id) else { return };
        let Some(taken) = &call.taken else { return };
        self.in_hand = self.in_hand.saturating_sub(1);
        if self.last.get(&taken.request) == Some(&id) {
            self.last.remove(&taken.request);
        }
        if let Some(until) = call.until().filter(|_| !self.clocks_differ) {
            let until = until.max(self.resumed);
            let request = &taken.request;
            let late = || {
                format!("the router held {request} until {now}, and its agent left before {until}")
            };
            self.let_go.evaluate((now > until).then(late));
        }
    }

    /// Judges what the router still holds when the run ends.
    pub(super) fn finish(&mut self, is_over: impl Fn(Time) -> bool) -> Built {
        for call in self.calls.values().filter(|_| !self.clocks_differ && !self.is_paused) {
            let (Some(until), Some(taken)) = (call.until(), &call.taken) else { continue };
            if is_over(until) {
                let request = &taken.request;
                let failure = format!("the router never let go of {request}, gone before {until}");
                self.let_go.evaluate(Some(failure));
            }
        }
        std::mem::take(&mut self.let_go)
    }
}

fn is_call(message: &MessageInfo<'_>) -> bool {
    message.label == CALL && message.kind == MessageKind::Call
}
