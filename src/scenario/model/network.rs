//! Links between nodes, and how a sim names nodes.

use std::fmt;
use std::time::Duration;

use crate::scenario::units::Probability;
use crate::world::Delay;

/// What a link does to the messages that cross it.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkProperties {
    /// How long a message takes.
    pub latency: Delay,
    /// How likely a message is lost.
    pub loss: Probability,
    /// How likely a message arrives twice.
    pub duplicate: Probability,
    /// How likely a message is overtaken by later ones.
    pub reorder: Probability,
    /// How likely a message arrives damaged.
    pub corrupt: Probability,
    /// Bytes per second, at least 1; `None` is no limit.
    pub bandwidth: Option<u64>,
}

impl Default for LinkProperties {
    fn default() -> Self {
        LinkProperties {
            latency: Delay::Uniform {
                min: Duration::from_millis(1),
                max: Duration::from_millis(5),
            },
            loss: Probability::NEVER,
            duplicate: Probability::NEVER,
            reorder: Probability::NEVER,
            corrupt: Probability::NEVER,
            bandwidth: None,
        }
    }
}

/// The properties of a link that differ from those below it; `None` leaves one as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkOverrides {
    /// How long a message takes.
    pub latency: Option<Delay>,
    /// How likely a message is lost.
    pub loss: Option<Probability>,
    /// How likely a message arrives twice.
    pub duplicate: Option<Probability>,
    /// How likely a message is overtaken by later ones.
    pub reorder: Option<Probability>,
    /// How likely a message arrives damaged.
    pub corrupt: Option<Probability>,
    /// Bytes per second, at least 1.
    pub bandwidth: Option<u64>,
}

impl LinkOverrides {
    /// `base` with what differs.
    #[must_use]
    pub fn over(&self, base: &LinkProperties) -> LinkProperties {
        LinkProperties {
            latency: self.latency.clone().unwrap_or_else(|| base.latency.clone()),
            loss: self.loss.unwrap_or(base.loss),
            duplicate: self.duplicate.unwrap_or(base.duplicate),
            reorder: self.reorder.unwrap_or(base.reorder),
            corrupt: self.corrupt.unwrap_or(base.corrupt),
            bandwidth: self.bandwidth.or(base.bandwidth),
        }
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == LinkOverrides::default()
    }
}

/// A `[[link]]`: links that differ from `[network]`.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkRule {
    /// The nodes that send.
    pub from: Selector,
    /// The nodes that receive.
    pub to: Selector,
    /// Whether it is the same in the other direction.
    pub both: bool,
    /// What differs.
    pub overrides: LinkOverrides,
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
