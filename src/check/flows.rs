//! What must hold of the flows around the stack: progress is shown in order and whole, approvals are
//! decided once and waited for, widgets change as they may, the newest state can be read.
//!
//! These checks know what runners, the queue, reviewers and the dashboard said, and the plan. They
//! share no rule with the policies.

mod approvals;
mod cards;
mod progress;
mod store;
#[cfg(test)]
mod tests;
mod widgets;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use self::{
    approvals::Approvals, cards::Cards, progress::Progress, store::Store, widgets::Widgets,
};
use super::watch::Built;
use crate::{
    scenario::{FaultKind, Sim},
    stack::FlowEvent,
    world::{Delay, Ending, Happening, Outcome, Sighting, Time},
};

/// What a runner reports is shown: in order, all of it, nothing else; and every task comes to an end.
pub(super) const PROGRESS: &str = "progress_shown_in_order";
/// An approval is submitted once, and is decided once or expires: not before its time, and not much
/// later.
pub(super) const DECIDED: &str = "approvals_decided_once";
/// A task that waits for its approval does nothing before, and what was decided after.
pub(super) const WAITS: &str = "tasks_wait_for_approval";
/// A widget goes from one state to another, and shows one thing after another, as it may; the cards of
/// a task show what was told of it.
pub(super) const WIDGETS: &str = "widgets_change_legally";
/// What the dashboard wants to keep is kept within the quota, and the newest is read after a reload.
pub(super) const NEWEST: &str = "newest_state_is_readable";

/// The nodes that there is one of.
const QUEUE: &str = "approvals";
const DASHBOARD: &str = "dashboard";

/// The call that is answered when a decision is there.
const LONG_POLL: &str = "Submit";

/// How long anything may take from the last trouble on, in nanoseconds: 60 s, several times the
/// longest pause between two attempts.
const RECOVERY: u64 = 60_000_000_000;

/// What is known of a run besides what is told.
pub(super) struct Setting {
    /// Nodes whose disk the plan takes away: they cannot know what they knew.
    lost_disks: BTreeSet<String>,
    has_dashboard: bool,
    /// After how long an approval expires, in nanoseconds.
    expires_after: u64,
    /// How often the dashboard looks into the queue, in nanoseconds.
    looks_every: u64,
    /// The quota of the dashboard's store, in bytes.
    store: u64,
    /// The longest that half a task takes, in nanoseconds, if there is one.
    longest: Option<u64>,
}

/// The longest that a delay can be.
fn longest(delay: &Delay) -> Option<Duration> {
    match delay {
        Delay::Fixed(delay) => Some(*delay),
        Delay::Uniform { max, .. } => Some(*max),
        Delay::Empirical(delays) => delays.iter().max().copied(),
        Delay::LogNormal { .. } => None,
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Setting {
    fn new(sim: &Sim) -> Setting {
        let lost = sim.faults.iter().filter_map(|fault| match &fault.kind {
            FaultKind::DiskLost { node } => Some(sim.select(node)),
            _ => None,
        });
        let expires = sim.approvals.as_ref().map(|settings| settings.expires_after);
        let looks = sim.dashboard.as_ref().map(|settings| settings.poll);
        let takes: Option<Vec<Duration>> =
            sim.runners.iter().map(|group| longest(&group.takes)).collect();
        Setting {
            lost_disks: lost.flatten().collect(),
            has_dashboard: sim.dashboard.is_some(),
            expires_after: nanos(expires.unwrap_or_default()),
            looks_every: nanos(looks.unwrap_or_default()),
            store: sim.dashboard.as_ref().map_or(u64::MAX, |it| it.store.limits.quota),
            longest: takes.map(|takes| nanos(takes.into_iter().max().unwrap_or_default())),
        }
    }

    /// Whether a node keeps its disk.
    fn keeps(&self, node: &str) -> bool {
        !self.lost_disks.contains(node)
    }
}

/// When something last went wrong with a node or on the way to it, and who is down.
#[derive(Default)]
struct Trouble {
    last: BTreeMap<String, u64>,
    down: BTreeSet<String>,
    /// Whether the run ended because nothing was left to happen, and when it ended.
    is_idle: bool,
    end: u64,
}

impl Trouble {
    fn note(&mut self, now: u64, node: &str) {
        match self.last.get_mut(node) {
            Some(last) => *last = now,
            None => drop(self.last.insert(node.to_owned(), now)),
        }
    }

    fn hear(&mut self, sighting: &Sighting<'_>) {
        let now = sighting.at.as_nanos();
        match sighting.what {
            // Nobody has decided yet: whoever waits asks again.
            Happening::CallTimedOut { message } if message.label == LONG_POLL => {}
            Happening::MessageDropped { message, .. }
            | Happening::MessageCorrupted { message }
            | Happening::CallTimedOut { message } => {
                self.note(now, message.from);
                self.note(now, message.to);
            }
            Happening::NodeCrashed { .. } | Happening::NodePaused => {
                self.down.insert(sighting.node.to_owned());
                self.note(now, sighting.node);
            }
            Happening::NodeStarted { .. } | Happening::NodeResumed => {
                self.down.remove(sighting.node);
                self.note(now, sighting.node);
            }
            Happening::DiskFailed { .. } => self.note(now, sighting.node),
            _ => {}
        }
    }

    /// Whether what was due since `at` between these nodes must have happened by the end.
    fn is_due(&self, at: u64, nodes: &[&str]) -> bool {
        self.is_due_after(at, 0, nodes)
    }

    /// The same of what takes so long by itself, and begins anew after trouble.
    fn is_due_after(&self, at: u64, takes: u64, nodes: &[&str]) -> bool {
        if nodes.iter().any(|node| self.down.contains(*node)) {
            return false;
        }
        let last = nodes.iter().filter_map(|node| self.last.get(*node)).max();
        let from = last.copied().unwrap_or(0).max(at);
        let due = from.saturating_add(takes).saturating_add(RECOVERY);
        self.is_idle || due <= self.end
    }
}

/// The checks on the flows, while a run goes on. A run without them has none.
pub(super) struct Flows {
    setting: Setting,
    trouble: Trouble,
    progress: Progress,
    approvals: Approvals,
    widgets: Widgets,
    cards: Cards,
    store: Store,
}

impl Flows {
    /// None if there is nothing of it in a sim.
    pub(super) fn new(sim: &Sim) -> Option<Box<Flows>> {
        (!sim.runners.is_empty()).then(|| Box::new(Flows::of(Setting::new(sim))))
    }

    fn of(setting: Setting) -> Flows {
        Flows {
            setting,
            trouble: Trouble::default(),
            progress: Progress::default(),
            approvals: Approvals::default(),
            widgets: Widgets::default(),
            cards: Cards::default(),
            store: Store::default(),
        }
    }

    /// Sees an event of the flows.
    pub(super) fn see(&mut self, now: Time, event: &FlowEvent) {
        let now = now.as_nanos();
        self.progress.see(now, event, &self.setting);
        self.approvals.see(now, event, &self.setting);
        self.widgets.see(now, event);
        self.cards.see(now, event, &self.setting);
        self.store.see(now, event, &self.setting);
    }

    /// Sees anything else: what went wrong on the way explains what did not come.
    pub(super) fn hear(&mut self, sighting: &Sighting<'_>) {
        self.trouble.hear(sighting);
        if sighting.node != DASHBOARD {
            return;
        }
        match sighting.what {
            Happening::NodeCrashed { .. } => {
                self.progress.reloaded();
                self.widgets.reloaded();
                self.cards.reloaded();
                self.store.reloaded();
            }
            Happening::DiskFailed { .. } | Happening::NodeResumed => {
                self.store.held_up(sighting.at.as_nanos());
            }
            _ => {}
        }
    }

    /// The checks as they stand, always in the same order; one is in two parts.
    pub(super) fn built(&self) -> [(&'static str, &Built); 6] {
        let [decided, waits] = self.approvals.built();
        [
            (PROGRESS, self.progress.built()),
            (DECIDED, decided),
            (WAITS, waits),
            (WIDGETS, &self.widgets.changed),
            (WIDGETS, self.cards.built()),
            (NEWEST, self.store.built()),
        ]
    }

    /// What became of the checks.
    pub(super) fn finish(mut self, outcome: &Outcome) -> [(&'static str, Built); 5] {
        self.trouble.is_idle = outcome.ending == Ending::Idle;
        self.trouble.end = outcome.ended_at.as_nanos();
        self.close()
    }

    fn close(self) -> [(&'static str, Built); 5] {
        let Flows { setting, trouble, progress, approvals, widgets, cards, store } = self;
        let mut changed = widgets.changed;
        changed.also(cards.finish(&trouble, &setting));
        let [decided, waits] = approvals.finish(&trouble, &setting);
        [
            (PROGRESS, progress.finish(&trouble, &setting)),
            (DECIDED, decided),
            (WAITS, waits),
            (WIDGETS, changed),
            (NEWEST, store.finish(&trouble)),
        ]
    }
}

/// The runner of a task.
fn runner(task: &str) -> &str {
    task.rsplit_once('/').map_or(task, |(runner, _)| runner)
}

/// An instant in nanoseconds, as it is told.
fn at(nanos: u64) -> Time {
    Time::from_nanos(nanos)
}
