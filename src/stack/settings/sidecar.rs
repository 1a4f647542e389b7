//! What the sidecar is told, and those who use it: plain values, checked by whoever made them.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::Tracing;
use crate::{
    stack::sidecar::{
        auth::{Allowance, LEEWAY},
        context,
        events::{self, Delivery},
        project::Size,
        results::Naming,
        wire::{AgentId, AgentType, EventType, Filter, IssueId, Limits, ProjectId, Role, Topic},
    },
    world::Delay,
};

/// The orchestration sidecar, node `sidecar`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sidecar {
    /// How long it takes to assemble a context.
    pub context: Delay,
    /// How long it takes to find a context in the cache.
    pub cached: Delay,
    /// How long it takes to look at a result before it is written, or to read one.
    pub store: Delay,
    /// How long it takes to take an event.
    pub publish: Delay,
    /// How long those who use it wait for an answer.
    pub timeout: Duration,
    /// Whether a request fails without it; otherwise agents go on alone.
    pub required: bool,
    /// Where results are put.
    pub naming: Naming,
    /// For how long a context is kept.
    pub cache_ttl: Duration,
    /// How many bytes of contexts are kept.
    pub cache_bytes: u64,
    /// How much a context may hold.
    pub context_limits: context::Limits,
    /// How the event bus is set up.
    pub bus: events::Settings,
    /// What subscribers are promised.
    pub delivery: Delivery,
    /// Rate limits, by what an agent is for; none for those that are not there.
    pub rates: BTreeMap<Role, Allowance>,
    /// How far the clock of whoever issues a token may be off.
    pub leeway: Duration,
    /// How much a request may bring.
    pub limits: Limits,
    /// Requests in hand at once. One that waits for events is one of them.
    pub connections: u32,
    /// Bytes of requests in hand, cached contexts and kept events together.
    pub memory: u64,
    /// Agents that were started by it and have not handed in their result.
    pub agents_max: u32,
    /// How traces are made, by it and by those who use it.
    pub tracing: Tracing,
}

impl Default for Sidecar {
    /// The contract's values, where it has some: a cache for 60 s, 119 agents, 1 GB. The rest is of
    /// the size that the contract's targets leave room for: a context within 100 ms, an event
    /// within 50 ms.
    fn default() -> Sidecar {
        let uniform_ms = |min, max| Delay::Uniform {
            min: Duration::from_millis(min),
            max: Duration::from_millis(max),
        };
        let allowance = |&role: &Role| Allowance::of(role).map(|allowance| (role, allowance));
        Sidecar {
            context: uniform_ms(5, 20),
            cached: uniform_ms(1, 3),
            store: uniform_ms(1, 5),
            publish: uniform_ms(1, 5),
            timeout: Duration::from_secs(2),
            required: false,
            naming: Naming::ById,
            cache_ttl: context::ANSWER_TTL,
            cache_bytes: context::CACHE_BYTES,
            context_limits: context::Limits::default(),
            bus: events::Settings::default(),
            delivery: Delivery::AtLeastOnce,
            rates: Role::ALL.iter().filter_map(allowance).collect(),
            leeway: LEEWAY,
            limits: Limits::default(),
            connections: 1_024,
            memory: 2 << 30,
            agents_max: 119,
            tracing: Tracing::default(),
        }
    }
}

/// A project that the sidecar knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// How large it is.
    pub size: Size,
}

/// Who a group is at the sidecar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Badge {
    /// Of which type its agents are. The agent's id is the name of its node.
    pub agent_type: AgentType,
    /// In which project they act.
    pub project: ProjectId,
    /// What they work on.
    pub issue: IssueId,
}

impl Default for Badge {
    /// A Rust specialist that works on the issue `issue-1` of the project `default`.
    #[expect(clippy::expect_used, reason = "these are ids")]
    fn default() -> Badge {
        Badge {
            agent_type: AgentType::RustSpecialist,
            project: ProjectId::new("default").expect("an id"),
            issue: IssueId::new("issue-1").expect("an id"),
        }
    }
}

/// Which events somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Of this kind.
    pub event_type: EventType,
    /// All of this must be so.
    pub filter: Filter,
}

/// What is told when work is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The kind of event.
    pub event_type: EventType,
    /// What it is about.
    pub topic: Topic,
}

/// A group of subscribers that are alike: they wait for events and do nothing else. Named as groups
/// of agents are.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriberGroup {
    /// The group's name.
    pub name: String,
    /// Subscribers in it, at least 1.
    pub count: u32,
    /// Who they are.
    pub badge: Badge,
    /// What they wait for.
    pub wanted: Wanted,
    /// When they begin.
    pub start: Duration,
    /// For how long they go on, from their start on.
    pub lasts: Duration,
    /// How long each takes over an event before it asks again.
    pub lag: Delay,
    /// How long the sidecar may let them wait, in one request.
    pub wait: Duration,
    /// How many events they take at once.
    pub batch: u32,
}

/// A group of clients that are alike: they send what they are told to, good or bad. Named as groups
/// of agents are.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientGroup {
    /// The group's name.
    pub name: String,
    /// Clients in it, at least 1.
    pub count: u32,
    /// Who they are.
    pub badge: Badge,
    /// When they begin.
    pub start: Duration,
    /// From one round of steps to the next, whether or not answers have come; `None` is after the
    /// last answer of the round before.
    pub every: Option<Duration>,
    /// How many rounds.
    pub rounds: u32,
    /// What they do.
    pub acts: Acts,
}

/// What a client does.
#[derive(Clone, Debug, PartialEq)]
pub enum Acts {
    /// These steps, one after the answer of the other.
    Steps(Vec<Step>),
    /// One hostile request a round, drawn from the seed.
    Hostile,
}

/// One request of a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it asks for.
    pub what: Asked,
    /// With which token.
    pub token: TokenKind,
    /// In the name of this project, if it is not its own.
    pub project: Option<ProjectId>,
    /// In the name of this agent, if it is not itself.
    pub agent: Option<AgentId>,
}

/// What a step asks for. In texts `{n}` is the number of the round from 1 on, `{client}` the client's
/// name, `{result}` the id of the last result it stored, and `{cursor}` where the last list ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// A request as it is on the wire.
    Raw {
        /// What to do.
        method: crate::stack::sidecar::wire::Method,
        /// With what.
        path: String,
        /// More headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
        /// Bytes of blanks in front of the body, to make it large.
        padding: u64,
    },
    /// A result of its own is handed in.
    Store {
        /// By what name the request is known, so that it is the same if it comes again.
        key: String,
        /// For which issue, if it is not its own.
        issue: Option<IssueId>,
    },
    /// The last result that it stored is read.
    Read,
    /// The last result that it stored is deleted.
    Delete,
    /// An event is published.
    Publish(Told),
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Nothing.
    #[default]
    Valid,
    /// There is none.
    Missing,
    /// It is no token.
    Malformed,
    /// Its claims were changed after it was signed.
    Tampered,
    /// It was signed with another key.
    OtherKey,
    /// It says that it needs no signature.
    Unsigned,
    /// Its time is over.
    Expired,
    /// Its time has not begun.
    NotYetValid,
}

impl TokenKind {
    /// All of them.
    pub const ALL: [TokenKind; 8] = [
        TokenKind::Valid,
        TokenKind::Missing,
        TokenKind::Malformed,
        TokenKind::Tampered,
        TokenKind::OtherKey,
        TokenKind::Unsigned,
        TokenKind::Expired,
        TokenKind::NotYetValid,
    ];

    /// As written in a sim.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            TokenKind::Valid => "valid",
            TokenKind::Missing => "missing",
            TokenKind::Malformed => "malformed",
            TokenKind::Tampered => "tampered",
            TokenKind::OtherKey => "other_key",
            TokenKind::Unsigned => "unsigned",
            TokenKind::Expired => "expired",
            TokenKind::NotYetValid => "not_yet_valid",
        }
    }
}
