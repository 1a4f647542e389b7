//! Nodes: where actors live, and what of them survives a crash.

use std::{fmt, marker::PhantomData, rc::Rc};

use super::{
    core::{Core, Due},
    disk::DiskState,
    host::Slot,
    port::AnyPort,
    time::NodeClock,
};

/// A node of one world, by number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// The world itself: where faults and limits happen.
    pub(crate) const WORLD: NodeId = NodeId(u32::MAX);

    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}", self.0)
    }
}

/// Where an actor is to be found: a node, and a place on it. It stays good over crashes and
/// restarts, and whoever is there when a message arrives handles it.
pub struct Peer<A> {
    pub(crate) node: NodeId,
    pub(crate) actor: u32,
    actor_type: PhantomData<fn() -> A>,
}

impl<A> Peer<A> {
    pub(crate) const fn new(node: NodeId, actor: u32) -> Peer<A> {
        Peer { node, actor, actor_type: PhantomData }
    }

    /// The node.
    pub const fn node(&self) -> NodeId {
        self.node
    }
}

impl<A> Clone for Peer<A> {
    fn clone(&self) -> Peer<A> {
        *self
    }
}

impl<A> Copy for Peer<A> {}

impl<A> fmt::Debug for Peer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "actor {} on {:?}", self.actor, self.node)
    }
}

/// A place for an actor on a node. It outlives the actor, so that a restarted one is found again.
pub(crate) struct Place {
    /// Empty for the main actor of the node.
    pub role: Rc<str>,
    /// The way in to the actor that lives here now.
    pub port: Option<Rc<dyn AnyPort>>,
    pub slot: Option<Rc<Slot>>,
}

/// Makes the main actor of a node, at its start and at each restart.
pub(crate) type Boot = Rc<dyn Fn(&Rc<Core>, NodeId)>;

/// Everything about one node.
pub(crate) struct NodeState {
    pub name: Rc<str>,
    pub name_hash: u64,
    /// How many lives it has had before this one.
    pub incarnation: u32,
    pub is_up: bool,
    /// How many faults hold it down; it restarts when the last of them heals.
    pub held_down: u32,
    /// How many faults hold it paused.
    pub paused: u32,
    pub places: Vec<Place>,
    pub boot: Boot,
    pub clock: NodeClock,
    pub disk: Option<Box<DiskState>>,
    /// What came in while it was paused, in order.
    pub backlog: Vec<Due>,
    /// How many events it has scheduled: the number of its next tie-break.
    pub scheduled: u64,
}

impl NodeState {
    /// The name of an actor in messages for people: the node, and the role if it has one.
    pub(crate) fn actor_name(&self, actor: u32) -> String {
        match self.places.get(actor as usize) {
            Some(place) if !place.role.is_empty() => format!("{}/{}", self.name, place.role),
            _ => self.name.to_string(),
        }
    }
}
