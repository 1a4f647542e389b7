//! Links between nodes, and how a sim names nodes.

use std::fmt;

use crate::world::LinkPatch;

/// A `[[link]]`: links that differ from `[network]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The nodes that send.
    pub from: Selector,
    /// The nodes that receive.
    pub to: Selector,
    /// Whether it is the same in the other direction.
    pub both: bool,
    /// What differs.
    pub patch: LinkPatch,
}

/// One or more nodes by name: `router`, a backend, an agent, a group of agents (all its members),
/// or a prefix and a star, `rust-*`. `Sim::select` resolves it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector(String);

impl Selector {
    /// A selector as written in a sim.
    pub fn new(text: impl Into<String>) -> Self {
        Selector(text.into())
    }

    /// As written in a sim.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
