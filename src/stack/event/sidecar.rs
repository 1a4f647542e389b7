//! What happens between the sidecar and those who use it.
//!
//! Most of it is told by those who use it, for what the sidecar says of itself proves nothing. What
//! it alone can know (when a subscription began, what a full buffer dropped) it tells itself.

use std::rc::Rc;

use serde::Serialize;

/// An event. Each is emitted on the node it happens on. `who` is the node of whoever asked,
/// `project` the one of its token, and `asked_ns` when it asked, in nanoseconds of virtual time.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the fields are named in full, and shared by the variants")]
pub enum SidecarEvent {
    /// A request is over. `status` is 0 if there was no answer: then `error` is `refused`,
    /// `timed_out`, `reset`, `corrupted` or `unresolved`; otherwise `error` is the contract's code,
    /// or empty. `field` is the one at fault. `shows` are the projects of which the answer has data,
    /// with commas between. `count` is how many files, results or events it has.
    Answered {
        who: Rc<str>,
        agent_type: &'static str,
        project: Rc<str>,
        token: &'static str,
        route: &'static str,
        status: u16,
        error: &'static str,
        field: Rc<str>,
        asked_ns: u64,
        latency_ms: u64,
        shows: Rc<str>,
        count: u64,
    },
    /// Somebody got a context. `parts` are those of the contract that it has, `cut` what there is
    /// less of than there could be, with commas between; `bytes` are those of its JSON.
    ContextShown {
        who: Rc<str>,
        agent_type: &'static str,
        project: Rc<str>,
        parts: Rc<str>,
        files: u64,
        outputs: u64,
        bytes: u64,
        truncated: bool,
        cut: Rc<str>,
        cache_hit: bool,
    },
    /// A result is about to be handed in. `key` names the request: the same one again is the same
    /// result. `digest` is of all that was handed in.
    ResultPosted { who: Rc<str>, project: Rc<str>, key: Rc<str>, digest: u64 },
    /// It is stored, says the sidecar, and has this id.
    ResultAcknowledged {
        who: Rc<str>,
        project: Rc<str>,
        key: Rc<str>,
        result: Rc<str>,
        digest: u64,
        asked_ns: u64,
    },
    /// Whoever handed it in does so no more: the sidecar does not want it. `error` is its code.
    ResultAbandoned { who: Rc<str>, project: Rc<str>, key: Rc<str>, error: &'static str },
    /// Somebody read a result, or was told that there is none.
    ResultRead {
        who: Rc<str>,
        project: Rc<str>,
        result: Rc<str>,
        found: bool,
        digest: u64,
        asked_ns: u64,
    },
    /// A result is about to be deleted.
    DeleteAsked { who: Rc<str>, project: Rc<str>, result: Rc<str> },
    /// It is, says the sidecar; or there was none.
    ResultDeleted { who: Rc<str>, project: Rc<str>, result: Rc<str>, found: bool, asked_ns: u64 },
    /// All pages of a project's results were read, with nobody at work any more; `results` are the
    /// ids in their order, `counted` is what the status says.
    ResultsListed { who: Rc<str>, project: Rc<str>, results: Rc<[Rc<str>]>, counted: u64 },
    /// A client was shown a page of results, so many. How long ago the first and the last of them
    /// were accepted is by the two clocks, and 0 if there are none; `newest_first` says whether none is
    /// newer than the one before it.
    ResultsShown {
        who: Rc<str>,
        project: Rc<str>,
        results: u64,
        first_age_ms: u64,
        last_age_ms: u64,
        newest_first: bool,
    },
    /// A client was refused, and told after how long it may ask again.
    ToldToWait { who: Rc<str>, project: Rc<str>, status: u16, retry_after_ms: u64 },
    /// The sidecar has a result on disk.
    ResultStored { project: Rc<str>, key: Rc<str>, result: Rc<str>, path: Rc<str> },
    /// A file of a result cannot be read any more.
    ResultDamaged { path: Rc<str>, cause: &'static str },
    /// An event is about to be published. `sequence` counts those of this publisher, from 1.
    PublishAsked { who: Rc<str>, project: Rc<str>, event_type: Rc<str>, sequence: u64 },
    /// It was taken, says the sidecar, and has this id.
    EventPublished {
        who: Rc<str>,
        project: Rc<str>,
        event: Rc<str>,
        event_type: Rc<str>,
        topic: &'static str,
        sequence: u64,
        correlation: Rc<str>,
        digest: u64,
        latency_ms: u64,
    },
    /// A subscriber got an event. `of` is the event's project, `latency_ms` the time since it was
    /// published, `wanted` whether its filter is for such an event.
    EventReceived {
        who: Rc<str>,
        project: Rc<str>,
        of: Rc<str>,
        event: Rc<str>,
        event_type: Rc<str>,
        publisher: Rc<str>,
        sequence: u64,
        correlation: Rc<str>,
        digest: u64,
        latency_ms: u64,
        wanted: bool,
    },
    /// The sidecar knows a subscriber from now on; `resumed` says that it knew it before.
    SubscriptionStarted {
        who: Rc<str>,
        project: Rc<str>,
        event_type: Rc<str>,
        filter: Rc<str>,
        delivery: &'static str,
        resumed: bool,
    },
    /// A subscriber stops listening.
    SubscriptionEnded { who: Rc<str>, project: Rc<str>, event_type: Rc<str> },
    /// The event buffer was full, and the oldest of it had to go: this event.
    EventDropped { project: Rc<str>, event: Rc<str> },
    /// An agent was started by the sidecar.
    AgentSpawned { agent: Rc<str>, agent_type: &'static str, project: Rc<str> },
    /// An agent does without the sidecar from now on.
    AgentAlone { agent: Rc<str>, cause: &'static str },
    /// An agent has handed in all that it owed, so many results.
    AgentSynced { agent: Rc<str>, results: u64 },
}

impl SidecarEvent {
    /// The name in logs, filters and expectations.
    pub const fn name(&self) -> &'static str {
        match self {
            SidecarEvent::Answered { .. } => "sidecar_answered",
            SidecarEvent::ContextShown { .. } => "context_shown",
            SidecarEvent::ResultPosted { .. } => "result_posted",
            SidecarEvent::ResultAcknowledged { .. } => "result_acknowledged",
            SidecarEvent::ResultAbandoned { .. } => "result_abandoned",
            SidecarEvent::ResultRead { .. } => "result_read",
            SidecarEvent::DeleteAsked { .. } => "delete_asked",
            SidecarEvent::ResultDeleted { .. } => "result_deleted",
            SidecarEvent::ResultsListed { .. } => "results_listed",
            SidecarEvent::ResultsShown { .. } => "results_shown",
            SidecarEvent::ToldToWait { .. } => "told_to_wait",
            SidecarEvent::ResultStored { .. } => "result_stored",
            SidecarEvent::ResultDamaged { .. } => "result_damaged",
            SidecarEvent::PublishAsked { .. } => "publish_asked",
            SidecarEvent::EventPublished { .. } => "event_published",
            SidecarEvent::EventReceived { .. } => "event_received",
            SidecarEvent::SubscriptionStarted { .. } => "subscription_started",
            SidecarEvent::SubscriptionEnded { .. } => "subscription_ended",
            SidecarEvent::EventDropped { .. } => "event_dropped",
            SidecarEvent::AgentSpawned { .. } => "agent_spawned",
            SidecarEvent::AgentAlone { .. } => "agent_alone",
            SidecarEvent::AgentSynced { .. } => "agent_synced",
        }
    }
}
