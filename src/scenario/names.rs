//! The nodes of a sim, what selects them, and the nearest name to a misspelt one.
//!
//! Whether a selector matches is decided group by group: a group of a million agents is never
//! listed for it.

use super::error::{Problem, ScenarioError};
use super::model::{
    AgentGroup, AskerGroup, CallerGroup, ClientGroup, ReviewerGroup, RunnerGroup, Selector, Sim,
    SubscriberGroup,
};
pub(super) use crate::config::names::{RESERVED, nearest};
use miette::SourceSpan;

/// The lists of a sim whose entries are nodes or groups of nodes, those first that others do not need.
#[cfg(feature = "cli")]
pub(crate) const NODE_LISTS: [&str; 9] = [
    "asker",
    "caller",
    "client",
    "subscriber",
    "reviewer",
    "runner",
    "agent",
    "backend",
    "service",
];
/// The tables of a sim that are a node each, besides that of the router.
#[cfg(feature = "cli")]
pub(crate) const NODE_TABLES: [&str; 4] = ["sidecar", "monitor", "approvals", "dashboard"];

/// The longest name, in characters.
pub(super) const NAME_LEN_MAX: usize = 64;

/// Whether a name is 1 to 64 characters of `a-z`, `0-9`, `_`, `.` and `-`.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b);
    (1..=NAME_LEN_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

/// A group of nodes that are alike. The node of a group of one has the group's name; those of a
/// larger one are numbered from 1.
#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    pub(super) name: &'a str,
    pub(super) count: u32,
}

impl<'a> Group<'a> {
    /// The nodes of its members, in order.
    pub(super) fn node_names(self) -> impl Iterator<Item = String> + 'a {
        let single = (self.count == 1).then(|| self.name.to_owned());
        let many = if self.count == 1 { 0 } else { self.count };
        single.into_iter().chain((1..=many).map(move |i| format!("{}-{i}", self.name)))
    }

    /// The number of a member, `3` of `rust-3` in the group `rust`, if it is one.
    pub(super) fn member(self, node: &str) -> Option<u32> {
        let digits = node.strip_prefix(self.name)?.strip_prefix('-')?;
        if digits.starts_with('0') || digits.starts_with('+') {
            return None;
        }
        let number: u32 = digits.parse().ok()?;
        (self.count > 1 && (1..=self.count).contains(&number)).then_some(number)
    }

    /// Whether some member's node starts with `prefix`.
    fn any_starts_with(self, prefix: &str) -> bool {
        if self.count == 1 {
            return self.name.starts_with(prefix);
        }
        // A prefix longer than "<name>-" matches only if it names a member itself: digits that go on
        // after a prefix make a larger number, and the prefix is a member before it.
        self.name.starts_with(prefix)
            || prefix.strip_prefix(self.name) == Some("-")
            || self.member(prefix).is_some()
    }
}

macro_rules! groups {
    ($($group:ident)*) => {$(
        impl $group {
            /// The nodes of the group's members, in order.
            pub fn node_names(&self) -> impl Iterator<Item = String> + '_ {
                Group { name: &self.name, count: self.count }.node_names()
            }
        }

        impl<'a> From<&'a $group> for Group<'a> {
            fn from(group: &'a $group) -> Group<'a> {
                Group { name: &group.name, count: group.count }
            }
        }
    )*};
}

groups! { AgentGroup CallerGroup AskerGroup SubscriberGroup ClientGroup RunnerGroup ReviewerGroup }

impl Sim {
    /// Whether there is a router.
    #[must_use]
    pub fn has_router(&self) -> bool {
        !self.backends.is_empty()
    }

    /// Every group of nodes: the agents, the callers, the askers, the subscribers, the clients, the
    /// runners, the reviewers.
    pub(super) fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        let agents = self.agents.iter().map(Group::from);
        let callers = self.callers.iter().map(Group::from);
        let askers = self.askers.iter().map(Group::from);
        let subscribers = self.subscribers.iter().map(Group::from);
        let clients = self.clients.iter().map(Group::from);
        let runners = self.runners.iter().map(Group::from);
        let reviewers = self.reviewers.iter().map(Group::from);
        let of_stack = agents.chain(callers).chain(askers).chain(subscribers).chain(clients);
        of_stack.chain(runners).chain(reviewers)
    }

    /// Every node, in a stable order: the sidecar, the router, the backends, the services, the
    /// monitor, the auditor of the sidecar, the operators, the queue of approvals, the dashboard, and the
    /// groups.
    #[must_use]
    pub fn node_names(&self) -> Vec<String> {
        let fixed = self.fixed_nodes().map(str::to_owned);
        fixed.chain(self.groups().flat_map(Group::node_names)).collect()
    }

    /// The nodes that a selector names, in the order of [`Sim::node_names`]; none if it names no
    /// node, which cannot be for a selector of the sim itself.
    #[must_use]
    pub fn select(&self, selector: &Selector) -> Vec<String> {
        let text = selector.as_str();
        if let Some(prefix) = text.strip_suffix('*') {
            let mut nodes = self.node_names();
            nodes.retain(|node| node.starts_with(prefix));
            return nodes;
        }
        match self.groups().find(|group| group.name == text) {
            Some(group) => group.node_names().collect(),
            None if self.selects_any(text) => vec![text.to_owned()],
            None => Vec::new(),
        }
    }

    /// Whether a selector names at least one node.
    pub(super) fn selects_any(&self, text: &str) -> bool {
        let mut fixed = self.fixed_nodes();
        match text.strip_suffix('*') {
            Some(prefix) => {
                fixed.any(|node| node.starts_with(prefix))
                    || self.groups().any(|group| group.any_starts_with(prefix))
            }
            None => {
                fixed.any(|node| node == text)
                    || self.groups().any(|group| group.name == text || group.member(text).is_some())
            }
        }
    }

    /// What a selector may name, the members of groups excepted.
    pub(super) fn selectable(&self) -> impl Iterator<Item = &str> {
        self.fixed_nodes().chain(self.group_names())
    }

    /// The names of all groups of nodes.
    pub(crate) fn group_names(&self) -> impl Iterator<Item = &str> {
        self.groups().map(|group| group.name)
    }

    /// The nodes that are in no group.
    pub(crate) fn fixed_nodes(&self) -> impl Iterator<Item = &str> {
        let sidecar = self.sidecar.as_ref().map(|_| "sidecar");
        let router = self.has_router().then_some("router");
        let backends = self.backends.iter().map(|backend| backend.name.as_str());
        let services = self.services.iter().map(|service| service.name.as_str());
        let monitor = self.monitor.as_ref().map(|_| "monitor");
        let auditor = self.sidecar.as_ref().map(|_| "auditor");
        let operators = self.operators.iter().map(|operator| operator.name.as_str());
        let fixed = sidecar.into_iter().chain(router).chain(backends).chain(services);
        let approvals = self.approvals.as_ref().map(|_| "approvals");
        let dashboard = self.dashboard.as_ref().map(|_| "dashboard");
        fixed.chain(monitor).chain(auditor).chain(operators).chain(approvals).chain(dashboard)
    }

    /// A problem at a place in this sim's text that a later stage has found.
    #[must_use]
    pub fn error(&self, span: SourceSpan, message: &str, help: &str) -> ScenarioError {
        let mut problem = Problem::new(&self.source, span, "here", message.to_owned());
        problem.help = Some(help.to_owned());
        ScenarioError::Invalid(Box::new(problem))
    }

    /// The text the sim was read from.
    #[must_use]
    pub fn source_text(&self) -> &str {
        self.source.text()
    }

    /// The hash of that text: FNV-1a of its bytes, with line ends as in Unix, so that a checkout on
    /// another system has the same.
    #[must_use]
    pub fn text_hash(&self) -> u64 {
        fnv(FNV, self.source_text().replace("\r\n", "\n").as_bytes())
    }
}

/// Where FNV-1a begins, of 64 bits.
pub(crate) const FNV: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a: goes on from a hash. Files keep what it comes to.
pub(crate) fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(hash, mix)
}
