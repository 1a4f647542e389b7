//! What the actors around the stack are told: plain values, checked by whoever made them.

use std::time::Duration;

use crate::{
    policy::store,
    world::{Delay, Probability},
};

/// A group of runners that are alike: each does tasks, one after another, and tells how far it is.
/// Named as groups of agents are.
#[derive(Clone, Debug, PartialEq)]
pub struct RunnerGroup {
    /// The group's name.
    pub name: String,
    /// Runners in it, at least 1.
    pub count: u32,
    /// Tasks of each.
    pub tasks: u32,
    /// How long each half of a task takes.
    pub takes: Delay,
    /// The pause before a task.
    pub pause: Delay,
    /// How likely one half of a task fails.
    pub fails: Probability,
    /// Whether each task has to be approved before it begins.
    pub approval: bool,
    /// How often a stream says that it is still there; above zero.
    pub heartbeat: Duration,
    /// After how long a stream is closed, as a proxy does; above zero.
    pub stream_lasts: Duration,
}

/// The queue of approvals, node `approvals`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approvals {
    /// After how long what nobody decided expires.
    pub expires_after: Duration,
    /// Whether it is on disk, and so survives a crash.
    pub durable: bool,
}

/// A group of reviewers that are alike: they look into the queue, think, and decide.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewerGroup {
    /// The group's name.
    pub name: String,
    /// Reviewers in it, at least 1.
    pub count: u32,
    /// The pause before the next look into the queue; above zero.
    pub every: Duration,
    /// How long a reviewer thinks about what is to be approved.
    pub think: Delay,
    /// How likely it is approved.
    pub approves: Probability,
}

/// The dashboard, node `dashboard`: a page in a browser that follows all runners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dashboard {
    /// Whether it goes on after the last update that it has when it connects again. Without, it
    /// gets what is new then, as a client does that sends no `Last-Event-ID`.
    pub resume: bool,
    /// After how long without a word a stream is given up and its widgets are stale; above zero.
    pub stale_after: Duration,
    /// So many failures in a row make the widgets of a source show an error; at least 1.
    pub failures: u32,
    /// How often it looks into the queue of approvals; above zero.
    pub poll: Duration,
    /// How often it keeps its state, if that has changed; above zero.
    pub save_every: Duration,
    /// The store of the browser.
    pub store: Store,
}

/// The store of a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// Its quota, and what is done about it.
    pub limits: store::Settings,
    /// The size of a state of the dashboard, if what is in it is not more.
    pub state: u64,
    /// Bytes that are in it from earlier days.
    pub filled: u64,
}
