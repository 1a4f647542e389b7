//! Faults: what goes wrong on purpose, when, and for how long.
//!
//! A plan is a list. Each fault is an event when it is planned, when it fires and when it heals.

use std::{fmt, rc::Rc, time::Duration};

use actix::{Actor, Context, Handler, Message};

use super::{
    Happening, LinkPatch, NodeId, Peer, Probability, Time,
    core::{Core, Due},
    disk::DiskState,
    network::{Measure, Span},
    time,
};

/// What the words for a lost disk begin with.
const DISK_LOST: &str = "disk lost";

/// Whether a fault, in its words, is over in the instant in which it fires, and so never heals.
pub(crate) fn is_of_an_instant(fault: &str) -> bool {
    fault.strip_prefix(DISK_LOST).is_some_and(|rest| rest.starts_with(' '))
}

/// One fault of a plan.
#[derive(Clone, Debug)]
pub struct Fault {
    /// When it fires, after the world began.
    pub at: Duration,
    /// When it heals, after it fired; `None` for never.
    pub lasts: Option<Duration>,
    /// What it does.
    pub kind: FaultKind,
}

impl Fault {
    /// A fault that fires at the beginning and never heals.
    pub const fn new(kind: FaultKind) -> Fault {
        Fault { at: Duration::ZERO, lasts: None, kind }
    }

    /// The same fault, firing this long after the beginning.
    pub fn at(self, at: Duration) -> Fault {
        Fault { at, ..self }
    }

    /// The same fault, healing this long after it fired.
    pub fn lasting(self, lasts: Duration) -> Fault {
        Fault { lasts: Some(lasts), ..self }
    }

    /// No message passes between any of the first nodes and any of the second.
    pub fn partition<S: ToString>(
        a: impl IntoIterator<Item = S>,
        b: impl IntoIterator<Item = S>,
    ) -> Fault {
        Fault::new(FaultKind::Partition { a: names(a), b: names(b) })
    }

    /// The node crashes; it starts again when the fault heals.
    pub fn crash(node: impl ToString) -> Fault {
        Fault::new(FaultKind::Crash { nodes: vec![node.to_string()] })
    }

    /// The node handles nothing until the fault heals.
    pub fn pause(node: impl ToString) -> Fault {
        Fault::new(FaultKind::Pause { nodes: vec![node.to_string()] })
    }
}

fn names<S: ToString>(list: impl IntoIterator<Item = S>) -> Vec<String> {
    list.into_iter().map(|name| name.to_string()).collect()
}

/// What a custom fault does: called with `true` when it fires and with `false` when it heals.
pub type Apply = Rc<dyn Fn(&Injector<'_>, bool)>;

/// What a fault does to the nodes it names.
#[derive(Clone)]
#[non_exhaustive]
pub enum FaultKind {
    /// No message passes between any of `a` and any of `b`, in either direction.
    Partition {
        /// One side.
        a: Vec<String>,
        /// The other side.
        b: Vec<String>,
    },
    /// No message passes from any of `from` to any of `to`; the other direction works.
    PartitionOneWay {
        /// Where messages come from.
        from: Vec<String>,
        /// Where they do not arrive.
        to: Vec<String>,
    },
    /// No message passes between these nodes and all others.
    Isolate {
        /// The nodes, which still reach each other.
        nodes: Vec<String>,
    },
    /// Links from `from` to `to` get other properties.
    Link {
        /// Where they begin.
        from: Vec<String>,
        /// Where they end.
        to: Vec<String>,
        /// Whether the links back change too.
        both_ways: bool,
        /// The properties that change.
        patch: LinkPatch,
    },
    /// The nodes crash, and start again when the fault heals. What their disks have synced is kept.
    Crash {
        /// The nodes.
        nodes: Vec<String>,
    },
    /// The nodes handle nothing until the fault heals; then, all that came in.
    Pause {
        /// The nodes.
        nodes: Vec<String>,
    },
    /// The clocks of the nodes are off; several such faults add up. Healing the last one sets the
    /// wall clock right, as time synchronisation would, and the rate of the monotonic one.
    Clock {
        /// The nodes.
        nodes: Vec<String>,
        /// How far the wall clock is off, in nanoseconds.
        skew_ns: i64,
        /// How much too fast the clock runs, in parts per million; negative is too slow.
        drift_ppm: i32,
    },
    /// Every write fails.
    DiskFull {
        /// The nodes.
        nodes: Vec<String>,
    },
    /// The disks are empty from now on. Nothing heals that.
    DiskLost {
        /// The nodes.
        nodes: Vec<String>,
    },
    /// A fault point in the code fires now and then: see [`Env::fault_point`](super::Env::fault_point).
    Point {
        /// Which.
        site: String,
        /// How likely, each time that it is passed.
        rate: Probability,
    },
    /// Something of the application's own, for example a message to an actor
    /// ([`Injector::inject`]).
    Custom {
        /// What it does, for people.
        label: String,
        /// Called with `true` when it fires and with `false` when it heals.
        apply: Apply,
    },
}

impl FaultKind {
    /// Every name of a node in it.
    pub(crate) fn node_names(&self) -> impl Iterator<Item = &String> {
        let (first, second): (&[String], &[String]) = match self {
            FaultKind::Partition { a, b } => (a, b),
            FaultKind::PartitionOneWay { from, to } | FaultKind::Link { from, to, .. } => {
                (from, to)
            }
            FaultKind::Isolate { nodes }
            | FaultKind::Crash { nodes }
            | FaultKind::Pause { nodes }
            | FaultKind::Clock { nodes, .. }
            | FaultKind::DiskFull { nodes }
            | FaultKind::DiskLost { nodes } => (nodes, &[]),
            FaultKind::Point { .. } | FaultKind::Custom { .. } => (&[], &[]),
        };
        first.iter().chain(second)
    }
}

/// The names of a set of nodes, abridged.
struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("nothing"),
            [one] => f.write_str(one),
            [first, .., last] if self.0.len() > 3 => {
                write!(f, "{first}…{last} ({})", self.0.len())
            }
            few => f.write_str(&few.join("+")),
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaultKind::Partition { a, b } => write!(f, "partition {} | {}", Names(a), Names(b)),
            FaultKind::PartitionOneWay { from, to } => {
                write!(f, "partition {} -> {}", Names(from), Names(to))
            }
            FaultKind::Isolate { nodes } => write!(f, "isolate {}", Names(nodes)),
            FaultKind::Link { from, to, both_ways, .. } => {
                let arrow = if *both_ways { "-" } else { "->" };
                write!(f, "link {} {arrow} {}", Names(from), Names(to))
            }
            FaultKind::Crash { nodes } => write!(f, "crash {}", Names(nodes)),
            FaultKind::Pause { nodes } => write!(f, "pause {}", Names(nodes)),
            FaultKind::Clock { nodes, skew_ns, drift_ppm } => {
                write!(f, "clock {} skew {skew_ns} ns drift {drift_ppm} ppm", Names(nodes))
            }
            FaultKind::DiskFull { nodes } => write!(f, "disk full {}", Names(nodes)),
            FaultKind::DiskLost { nodes } => write!(f, "{DISK_LOST} {}", Names(nodes)),
            FaultKind::Point { site, .. } => write!(f, "fault point {site}"),
            FaultKind::Custom { label, .. } => f.write_str(label),
        }
    }
}

impl fmt::Debug for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Lets a fault of the application's own act on actors, past all links.
pub struct Injector<'a> {
    pub(crate) core: &'a Rc<Core>,
}

impl Injector<'_> {
    /// Hands a message to an actor, past all links. It is lost if the actor is not there.
    pub fn inject<B, M>(&self, to: &Peer<B>, message: M)
    where
        M: Message + 'static,
        B: Actor<Context = Context<B>> + Handler<M>,
        <B as Handler<M>>::Result: 'static,
    {
        self.core.inject(to, message);
    }
}

/// The state that a fired fault has to undo when it heals.
#[derive(Default)]
pub(crate) struct Imposed(Vec<u64>);

impl Core {
    /// Puts the plan on the queue. Names have been checked.
    pub(crate) fn plan_faults(&self) {
        let plan: Vec<(Duration, Option<Duration>, String)> = self
            .faults
            .borrow()
            .iter()
            .map(|fault| (fault.at, fault.lasts, fault.kind.to_string()))
            .collect();
        self.imposed.borrow_mut().resize_with(plan.len(), Imposed::default);
        for (index, (at, lasts, label)) in plan.iter().enumerate() {
            let what = Happening::FaultPlanned {
                fault: label,
                fires_at_ns: time::nanos(*at),
                lasts_ns: lasts.map(time::nanos),
            };
            self.record(NodeId::WORLD, what);
            self.schedule_at(Time::ZERO + *at, Due::Fault(index));
            if let Some(lasts) = lasts {
                self.schedule_at(Time::ZERO + *at + *lasts, Due::Heal(index));
            }
        }
    }

    pub(crate) fn fire_fault(self: &Rc<Self>, index: usize) {
        self.apply_fault(index, true);
    }

    pub(crate) fn heal_fault(self: &Rc<Self>, index: usize) {
        self.apply_fault(index, false);
    }

    fn apply_fault(self: &Rc<Self>, index: usize, fires: bool) {
        let Some(kind) = self.faults.borrow().get(index).map(|fault| fault.kind.clone()) else {
            return;
        };
        let label = kind.to_string();
        let seq = self.record(
            NodeId::WORLD,
            if fires {
                Happening::FaultFired { fault: &label }
            } else {
                Happening::FaultHealed { fault: &label }
            },
        );
        self.history.set_cause(seq);
        match kind {
            FaultKind::Partition { a, b } => {
                self.measure(index, fires, &a, &b, true, Measure::Block)
            }
            FaultKind::PartitionOneWay { from, to } => {
                self.measure(index, fires, &from, &to, false, Measure::Block);
            }
            FaultKind::Isolate { nodes } => {
                let others: Vec<String> = self
                    .nodes
                    .borrow()
                    .iter()
                    .map(|node| node.name.to_string())
                    .filter(|name| !nodes.contains(name))
                    .collect();
                self.measure(index, fires, &nodes, &others, true, Measure::Block);
            }
            FaultKind::Link { from, to, both_ways, patch } => {
                self.measure(index, fires, &from, &to, both_ways, Measure::Patch(patch));
            }
            FaultKind::Crash { nodes } => {
                for node in self.resolve(&nodes).iter() {
                    if fires { self.crash(*node) } else { self.restart(*node) }
                }
            }
            FaultKind::Pause { nodes } => {
                for node in self.resolve(&nodes).iter() {
                    if fires { self.pause(*node) } else { self.resume(*node) }
                }
            }
            FaultKind::Clock { nodes, skew_ns, drift_ppm } => {
                let now = self.now.get();
                for node in self.resolve(&nodes).iter() {
                    let clock = &mut self.nodes.borrow_mut()[node.index()].clock;
                    if fires {
                        clock.bend(skew_ns, drift_ppm, now);
                    } else {
                        clock.unbend(skew_ns, drift_ppm, now);
                    }
                }
            }
            FaultKind::DiskFull { nodes } => self.with_disks(&nodes, |disk| {
                disk.held_full =
                    if fires { disk.held_full + 1 } else { disk.held_full.saturating_sub(1) };
            }),
            FaultKind::DiskLost { nodes } => {
                if fires {
                    self.with_disks(&nodes, DiskState::lose);
                }
            }
            FaultKind::Point { site, rate } => self.points.arm(index, &site, fires.then_some(rate)),
            FaultKind::Custom { apply, .. } => apply(&Injector { core: self }, fires),
        }
    }

    /// Puts a measure on the network, or lifts it.
    fn measure(
        &self,
        index: usize,
        fires: bool,
        from: &[String],
        to: &[String],
        both_ways: bool,
        measure: Measure,
    ) {
        let span = Span { from: self.resolve(from), to: self.resolve(to), both_ways };
        let mut network = self.network.borrow_mut();
        let mut imposed = self.imposed.borrow_mut();
        let Some(imposed) = imposed.get_mut(index) else { return };
        if fires {
            imposed.0.push(network.impose(span, measure));
        } else {
            imposed.0.drain(..).for_each(|number| network.lift(number));
        }
    }

    fn with_disks(&self, names: &[String], mut act: impl FnMut(&mut DiskState)) {
        for node in self.resolve(names).iter() {
            let mut nodes = self.nodes.borrow_mut();
            if let Some(node) = nodes.get_mut(node.index()) {
                act(node.disk.get_or_insert_default());
            }
        }
    }

    /// The nodes of these names, sorted; names that nobody has are left out.
    pub(crate) fn resolve(&self, names: &[String]) -> Rc<[NodeId]> {
        let index = self.names.borrow();
        let mut ids: Vec<NodeId> =
            names.iter().filter_map(|name| index.get(name.as_str()).copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into()
    }
}
