//! Links between nodes: how long a message takes, and whether it arrives.
//!
//! A link exists from the first message on it; its cost is linear in traffic. What holds between
//! two nodes (rules, partitions, faults) is looked up once per change, not once per message.
//!
//! Ordering: one-way messages on one link arrive in the order in which they were sent, unless the
//! link reorders. Calls and their answers travel alone, each like a request on a connection of
//! its own, so two calls may overtake each other.

use std::{rc::Rc, time::Duration};

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::{Delay, NodeId, Probability, Seed, Stream, Time, hash};

/// How a link treats messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRule {
    /// How long a message is under way.
    pub latency: Delay,
    /// How often a message is lost.
    pub loss: Probability,
    /// How often a message arrives twice.
    pub duplicate: Probability,
    /// How often a message is held back for one more latency, so that later ones overtake it.
    pub reorder: Probability,
    /// How often a message arrives damaged. The receiver notices and does not handle it.
    pub corrupt: Probability,
    /// Bytes per second that fit through; `None` for no limit. Messages queue for it.
    pub bandwidth: Option<u64>,
}

impl LinkRule {
    /// A link that takes no time and loses nothing.
    pub const PERFECT: LinkRule = LinkRule::with_latency(Delay::ZERO);

    /// A link with this latency and no faults.
    pub const fn with_latency(latency: Delay) -> LinkRule {
        LinkRule {
            latency,
            loss: Probability::NEVER,
            duplicate: Probability::NEVER,
            reorder: Probability::NEVER,
            corrupt: Probability::NEVER,
            bandwidth: None,
        }
    }
}

impl Default for LinkRule {
    /// One to five milliseconds, no faults: a data centre on a good day.
    fn default() -> LinkRule {
        LinkRule::with_latency(Delay::Uniform {
            min: Duration::from_millis(1),
            max: Duration::from_millis(5),
        })
    }
}

/// A change to some properties of a link; the others stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkPatch {
    /// Replaces the latency.
    pub latency: Option<Delay>,
    /// Replaces the loss.
    pub loss: Option<Probability>,
    /// Replaces the duplication.
    pub duplicate: Option<Probability>,
    /// Replaces the reordering.
    pub reorder: Option<Probability>,
    /// Replaces the corruption.
    pub corrupt: Option<Probability>,
    /// Replaces the bandwidth, in bytes per second.
    pub bandwidth: Option<u64>,
}

impl LinkPatch {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == LinkPatch::default()
    }

    /// Makes the change.
    pub fn apply(&self, rule: &mut LinkRule) {
        fn set<T: Clone>(target: &mut T, value: &Option<T>) {
            if let Some(value) = value {
                *target = value.clone();
            }
        }
        set(&mut rule.latency, &self.latency);
        set(&mut rule.loss, &self.loss);
        set(&mut rule.duplicate, &self.duplicate);
        set(&mut rule.reorder, &self.reorder);
        set(&mut rule.corrupt, &self.corrupt);
        rule.bandwidth = self.bandwidth.or(rule.bandwidth);
    }
}

/// What a link does with one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Deliver { at: Time },
    Duplicate { at: Time, again_at: Time },
    Corrupt { at: Time },
    Lost,
    Partitioned,
}

/// Some nodes, sorted.
pub(crate) type NodeSet = Rc<[NodeId]>;

/// Which links something applies to: from any of the first to any of the second.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub from: NodeSet,
    pub to: NodeSet,
    pub both_ways: bool,
}

impl Span {
    fn covers(&self, from: NodeId, to: NodeId) -> bool {
        let has = |set: &NodeSet, node| set.binary_search(&node).is_ok();
        (has(&self.from, from) && has(&self.to, to))
            || (self.both_ways && has(&self.from, to) && has(&self.to, from))
    }
}

/// What is in force on the links of a span.
#[derive(Clone, Debug)]
pub(crate) enum Measure {
    Patch(LinkPatch),
    Block,
}

struct Link {
    rule: Rc<LinkRule>,
    blocked: bool,
    /// The generation of the measures that `rule` and `blocked` were computed from.
    generation: u32,
    latencies: Option<Box<Stream>>,
    faults: Option<Box<Stream>>,
    last_ordered: Time,
    busy_until: Time,
}

/// All links of a world.
pub(crate) struct Network {
    seed: Seed,
    default_rule: Rc<LinkRule>,
    /// By the numbers of the two nodes. Looked up, never iterated.
    links: IndexMap<u64, Link, FxBuildHasher>,
    /// In the order in which they came into force; later patches win.
    measures: Vec<(u64, Span, Measure)>,
    next_measure: u64,
    generation: u32,
}

impl Network {
    pub(crate) fn new(seed: Seed, default_rule: LinkRule) -> Network {
        Network {
            seed,
            default_rule: Rc::new(default_rule),
            links: IndexMap::default(),
            measures: Vec::new(),
            next_measure: 0,
            generation: 0,
        }
    }

    /// Puts a measure in force and returns the number by which it can be lifted.
    pub(crate) fn impose(&mut self, span: Span, measure: Measure) -> u64 {
        let number = self.next_measure;
        self.next_measure += 1;
        self.measures.push((number, span, measure));
        self.generation += 1;
        number
    }

    pub(crate) fn lift(&mut self, number: u64) {
        self.measures.retain(|(other, ..)| *other != number);
        self.generation += 1;
    }

    /// Whether any link is other than the default.
    pub(crate) fn has_measures(&self) -> bool {
        !self.measures.is_empty()
    }

    /// Whether a partition stands between the two.
    pub(crate) fn is_blocked(&mut self, from: (NodeId, u64), to: (NodeId, u64)) -> bool {
        self.link(from, to).blocked
    }

    /// What happens to a message of `bytes` bytes sent now. Nodes come with their name's hash.
    pub(crate) fn judge(
        &mut self,
        now: Time,
        from: (NodeId, u64),
        to: (NodeId, u64),
        bytes: u64,
        is_ordered: bool,
    ) -> Verdict {
        let seed = self.seed;
        let link = self.link(from, to);
        if link.blocked {
            return Verdict::Partitioned;
        }
        let rule = &*link.rule;
        let stream = |purpose: u64| {
            let number = hash::mix(hash::mix(hash::mix(LINK_STREAMS, from.1), to.1), purpose);
            Box::new(seed.numbered_stream(number))
        };
        let faults = &mut link.faults;
        let mut happens = |chance: Probability| {
            chance != Probability::NEVER && faults.get_or_insert_with(|| stream(1)).chance(chance)
        };
        if happens(rule.loss) {
            return Verdict::Lost;
        }
        let is_late = happens(rule.reorder);
        let is_corrupt = happens(rule.corrupt);
        let is_double = happens(rule.duplicate);

        let latencies = &mut link.latencies;
        let mut latency = || match &rule.latency {
            Delay::Fixed(fixed) => *fixed,
            drawn => latencies.get_or_insert_with(|| stream(0)).delay(drawn),
        };
        let mut sent_at = now;
        if let Some(bandwidth) = rule.bandwidth {
            let start = now.max(link.busy_until);
            let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(bandwidth.max(1));
            sent_at = start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            link.busy_until = sent_at;
        }
        let mut at = sent_at + latency();
        if is_late {
            at = at + latency();
        }
        if is_ordered && !is_late {
            if at <= link.last_ordered {
                at = link.last_ordered + Duration::from_nanos(1);
            }
            link.last_ordered = at;
        }
        if is_corrupt {
            Verdict::Corrupt { at }
        } else if is_double {
            let again_at = at + latency().max(Duration::from_nanos(1));
            Verdict::Duplicate { at, again_at }
        } else {
            Verdict::Deliver { at }
        }
    }

    fn link(&mut self, from: (NodeId, u64), to: (NodeId, u64)) -> &mut Link {
        let key = u64::from(from.0.0) << 32 | u64::from(to.0.0);
        let index = self.links.get_index_of(&key).unwrap_or_else(|| {
            let link = Link {
                rule: Rc::clone(&self.default_rule),
                blocked: false,
                generation: self.generation.wrapping_sub(1),
                latencies: None,
                faults: None,
                last_ordered: Time::ZERO,
                busy_until: Time::ZERO,
            };
            self.links.insert_full(key, link).0
        });
        let link = &mut self.links[index];
        if link.generation != self.generation {
            link.generation = self.generation;
            link.rule = Rc::clone(&self.default_rule);
            link.blocked = false;
            for (_, span, measure) in &self.measures {
                if span.covers(from.0, to.0) {
                    match measure {
                        Measure::Patch(patch) => patch.apply(Rc::make_mut(&mut link.rule)),
                        Measure::Block => link.blocked = true,
                    }
                }
            }
        }
        link
    }
}

/// Sets the numbers of link streams apart from those of named streams.
const LINK_STREAMS: u64 = 0x6c69_6e6b;

/// The bytes a message counts for on a link with limited bandwidth, unless its sender says more.
pub(crate) const MESSAGE_BYTES: u64 = 256;
