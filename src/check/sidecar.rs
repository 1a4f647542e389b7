//! What must hold of every sidecar, whatever a sim is about: what it acknowledged stays, nobody sees
//! what is not theirs, events come in order and as promised.
//!
//! These checks know what its users saw, and nothing of how the sidecar works. What it says of itself
//! is only believed against it, or where nobody else can know.

mod access;
mod delivery;
mod events;
mod register;
mod results;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use self::{access::Access, delivery::Delivery, events::Events, results::Results};
use super::watch::Built;
use crate::{
    stack::SidecarEvent,
    world::{Happening, MessageInfo, Sighting, Time},
};

/// An acknowledged result is there, and listed once, until somebody asks for its deletion; a deleted
/// one is not, and nothing is that nobody handed in.
pub(super) const RESULTS: &str = "acknowledged_results_stay";
/// A request for a result is carried out once, and always answered with the same id.
pub(super) const ONCE: &str = "results_applied_once";
/// All that was done with a result, and all that was answered, can be put in one order.
pub(super) const LINEAR: &str = "results_linearizable";
/// What the status counts is what there is.
pub(super) const COUNTS: &str = "result_counts_agree";
/// Nobody sees anything of a project that their token is not for.
pub(super) const SCOPE: &str = "no_data_across_projects";
/// Whose token is not good gets nothing.
pub(super) const TOKENS: &str = "no_data_without_a_token";
/// A subscriber gets the events of one publisher in their order.
pub(super) const ORDER: &str = "events_in_order";
/// A subscriber gets what it asked for, as often as it is promised, as it was published.
pub(super) const PROMISED: &str = "events_as_promised";
/// No id is of two results, events or agents.
pub(super) const IDS: &str = "ids_are_unique";

/// The node that all of this is about.
pub(super) const NODE: &str = "sidecar";

/// An instant in nanoseconds, as it is told.
fn at(nanos: u64) -> Time {
    Time::from_nanos(nanos)
}

/// Whoever does something in a project: the project first.
type Place = (Rc<str>, Rc<str>);

/// The checks on the sidecar, while a run goes on. A run without one has none.
pub(super) struct Sidecar {
    access: Access,
    /// None if the plan takes the disk away: then nobody can promise that a result stays.
    results: Option<Results>,
    events: Events,
    delivery: Delivery,
}

impl Sidecar {
    /// `clocks_are_right` says that no fault bends a clock: then a token is over when it is.
    /// `disk_is_kept` says that no fault takes the sidecar's disk away, `room` for how many events it
    /// has room.
    pub(super) fn new(clocks_are_right: bool, disk_is_kept: bool, room: u64) -> Sidecar {
        Sidecar {
            access: Access::new(clocks_are_right),
            results: disk_is_kept.then(Results::default),
            events: Events::new(room),
            delivery: Delivery::default(),
        }
    }

    /// Sees an event of the sidecar, or of those who use it.
    pub(super) fn see(&mut self, now: Time, event: &SidecarEvent) {
        let now = now.as_nanos();
        self.access.see(now, event);
        if let Some(results) = &mut self.results {
            results.see(now, event);
        }
        self.events.see(now, event);
        self.delivery.see(now, event, &self.events);
    }

    /// Sees anything else: what went wrong on the way explains what did not come.
    pub(super) fn hear(&mut self, sighting: &Sighting<'_>) {
        let now = sighting.at.as_nanos();
        let other = |message: MessageInfo<'_>| match (message.from, message.to) {
            (NODE, other) | (other, NODE) => Some(other.to_owned()),
            _ => None,
        };
        match sighting.what {
            Happening::MessageDropped { message, .. }
            | Happening::MessageCorrupted { message }
            | Happening::CallTimedOut { message } => {
                if let Some(other) = other(message) {
                    self.delivery.trouble(now, &other);
                }
            }
            Happening::MessageDuplicated { message } => {
                if let Some(other) = other(message) {
                    self.delivery.trouble(now, &other);
                    self.results.iter_mut().for_each(Results::may_repeat);
                }
            }
            Happening::NodePaused | Happening::NodeResumed => {
                self.delivery.trouble(now, sighting.node);
            }
            Happening::NodeCrashed { .. } => {
                self.delivery.crashed(now, sighting.node, &self.events);
            }
            _ => {}
        }
    }

    /// The checks as they stand, always in the same order; some are in two parts.
    pub(super) fn built(&self) -> impl Iterator<Item = (&'static str, &Built)> {
        let Sidecar { access, results, events, delivery } = self;
        let [scope, tokens, ids] = access.built();
        let rest = [
            (SCOPE, scope),
            (TOKENS, tokens),
            (IDS, ids),
            (IDS, &events.ids),
            (ORDER, &events.order),
            (PROMISED, &events.told),
            (PROMISED, delivery.built()),
        ];
        let results = results.iter().flat_map(|results| {
            let [stay, once, linear, counts] = results.built();
            [(RESULTS, stay), (ONCE, once), (LINEAR, linear), (COUNTS, counts)]
        });
        rest.into_iter().chain(results)
    }

    /// What became of the checks.
    pub(super) fn finish(self) -> [(&'static str, Built); 9] {
        let Sidecar { access, results, mut events, delivery } = self;
        events.close();
        let [stay, once, linear, counts] = results.map(Results::finish).unwrap_or_default();
        let [scope, tokens, mut ids] = access.finish();
        let (order, mut promised) = (events.order, delivery.finish());
        promised.also(events.told);
        ids.also(events.ids);
        [
            (RESULTS, stay),
            (ONCE, once),
            (LINEAR, linear),
            (COUNTS, counts),
            (SCOPE, scope),
            (TOKENS, tokens),
            (ORDER, order),
            (PROMISED, promised),
            (IDS, ids),
        ]
    }
}
