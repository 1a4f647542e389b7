//! The widgets of the dashboard: what each shows, and the state that it is in.
//!
//! No actor, no clock. What changes is handed out, to be told.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::{
    policy::{
        approval::Standing,
        progress::{Status, Update},
        widget::{Kind, Signal, State},
    },
    stack::FlowEvent,
};

/// Of how many tasks that are over the project's status is made.
const LAST: usize = 10;

/// What the widgets are about that are not about one task.
const ALL: &str = "all";

/// The widgets that there is one of.
const SINGLE: [Kind; 3] = [Kind::ProjectStatus, Kind::MetricsWidget, Kind::AlertWidget];

#[derive(Clone, Copy, Debug, Default)]
struct Widget {
    state: State,
    shows: &'static str,
}

/// The worst that there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alert {
    Info,
    Warning,
    Error,
}

impl Alert {
    const fn as_str(self) -> &'static str {
        match self {
            Alert::Info => "info",
            Alert::Warning => "warning",
            Alert::Error => "error",
        }
    }
}

/// All widgets.
#[derive(Debug, Default)]
pub(super) struct Board {
    widgets: BTreeMap<(Kind, Rc<str>), Widget>,
    /// The tasks of each runner that are not over.
    open: BTreeMap<Rc<str>, BTreeSet<Rc<str>>>,
    /// Approvals that nobody has decided, as far as is known.
    undecided: BTreeSet<Rc<str>>,
    /// How the last tasks ended: whether well.
    ends: Vec<bool>,
    /// How many were completed in this window, and in the one before.
    completed: (u32, u32),
    changes: Vec<FlowEvent>,
}

impl Board {
    /// What has changed since this was asked last.
    pub(super) fn changes(&mut self) -> Vec<FlowEvent> {
        std::mem::take(&mut self.changes)
    }

    /// The page is there, with nothing on it yet.
    pub(super) fn load(&mut self) {
        for kind in SINGLE {
            self.widgets.entry((kind, ALL.into())).or_default();
        }
    }

    /// What was kept of a task.
    pub(super) fn restore(&mut self, runner: &Rc<str>, task: &Rc<str>, update: Update) {
        self.cards(runner, task, update, Signal::Restored);
    }

    /// An update of a task.
    pub(super) fn update(&mut self, runner: &Rc<str>, task: &Rc<str>, update: Update) {
        self.cards(runner, task, update, Signal::Data);
        if update.status.is_final() {
            self.ends.push(update.status == Status::Completed);
            let surplus = self.ends.len().saturating_sub(LAST);
            self.ends.drain(..surplus);
            self.completed.0 += u32::from(update.status == Status::Completed);
        }
        let bad = self.ends.iter().filter(|good| !**good).count();
        let health = match bad {
            0 => "healthy",
            bad if bad * 2 < self.ends.len() => "warning",
            _ => "critical",
        };
        // Other sources may still be away.
        let signal = match self.state(Kind::ProjectStatus) {
            State::Stale | State::Error => Signal::Silence,
            _ => Signal::Data,
        };
        self.signal(Kind::ProjectStatus, &ALL.into(), signal, health);
    }

    fn cards(&mut self, runner: &Rc<str>, task: &Rc<str>, update: Update, signal: Signal) {
        let open = self.open.entry(Rc::clone(runner)).or_default();
        // What is over does not grow old.
        let signal = if update.status.is_final() { Signal::Data } else { signal };
        if update.status.is_final() {
            open.remove(task);
        } else {
            open.insert(Rc::clone(task));
        }
        self.signal(Kind::TaskCard, task, signal, update.status.as_str());
        self.signal(Kind::ProgressIndicator, task, signal, progress(update));
        if update.status == Status::Pending {
            self.undecided.insert(Rc::clone(task));
            self.widgets.entry((Kind::ApprovalCard, Rc::clone(task))).or_default();
        }
    }

    /// How approvals stand.
    pub(super) fn approvals(&mut self, all: &[(Rc<str>, Standing)]) {
        for (task, standing) in all {
            if self.undecided.contains(task) {
                self.signal(Kind::ApprovalCard, task, Signal::Data, standing.as_str());
            }
            if *standing != Standing::Pending {
                self.undecided.remove(task);
            }
            match standing {
                Standing::Expired => self.alert(Alert::Warning),
                // As it should be, and whoever waits for the task wants to know.
                Standing::Rejected => self.alert(Alert::Info),
                Standing::Pending | Standing::Approved => {}
            }
        }
    }

    /// The queue of approvals is not heard, or fails.
    pub(super) fn approvals_lost(&mut self, signal: Signal) {
        let undecided: Vec<Rc<str>> = self.undecided.iter().cloned().collect();
        for task in undecided {
            self.again(Kind::ApprovalCard, &task, signal);
        }
    }

    /// A runner is heard again, not heard, or fails: what it is doing is shown so, and what is about
    /// all of them too.
    pub(super) fn source(&mut self, runner: &Rc<str>, signal: Signal) {
        let tasks: Vec<_> =
            self.open.get(runner).into_iter().flat_map(|open| open.iter().cloned()).collect();
        for task in tasks {
            self.again(Kind::TaskCard, &task, signal);
            self.again(Kind::ProgressIndicator, &task, signal);
        }
        if signal == Signal::Failure {
            self.alert(Alert::Error);
        }
    }

    /// All runners are heard, or one is not, or fails.
    pub(super) fn sources(&mut self, signal: Signal) {
        for kind in [Kind::ProjectStatus, Kind::MetricsWidget] {
            let is_loading = self.state(kind) == State::Loading;
            let signal = match signal {
                Signal::Data if is_loading => Signal::Nothing,
                // There is something to show with the first task only.
                Signal::Data if self.state(kind) == State::Empty => continue,
                signal => signal,
            };
            self.again(kind, &ALL.into(), signal);
        }
        if self.state(Kind::AlertWidget) == State::Loading && signal == Signal::Data {
            self.signal(Kind::AlertWidget, &ALL.into(), Signal::Nothing, "");
        }
    }

    fn state(&self, kind: Kind) -> State {
        self.widgets.get(&(kind, ALL.into())).map_or(State::Loading, |widget| widget.state)
    }

    /// There is something to tell. It stays until there is something worse.
    pub(super) fn alert(&mut self, alert: Alert) {
        let key = (Kind::AlertWidget, Rc::from(ALL));
        let shown = self.widgets.get(&key).map_or("", |widget| widget.shows);
        let is_worse = [Alert::Info, Alert::Warning, Alert::Error]
            .iter()
            .all(|other| other.as_str() != shown || *other < alert);
        if is_worse {
            self.signal(Kind::AlertWidget, &key.1, Signal::Data, alert.as_str());
        }
    }

    /// A window of time is over: has more been completed than in the one before?
    pub(super) fn window_ended(&mut self) {
        let (now, before) = self.completed;
        self.completed = (0, now);
        if now == 0 && before == 0 {
            return;
        }
        let trend = match now.cmp(&before) {
            std::cmp::Ordering::Greater => "positive",
            std::cmp::Ordering::Equal => "steady",
            std::cmp::Ordering::Less => "negative",
        };
        if !matches!(self.state(Kind::MetricsWidget), State::Stale | State::Error) {
            self.signal(Kind::MetricsWidget, &ALL.into(), Signal::Data, trend);
        }
    }

    /// A widget hears of its source, and shows what it did.
    fn again(&mut self, kind: Kind, of: &Rc<str>, signal: Signal) {
        let shows = self.widgets.get(&(kind, Rc::clone(of))).map_or("", |widget| widget.shows);
        self.signal(kind, of, signal, shows);
    }

    fn signal(&mut self, kind: Kind, of: &Rc<str>, signal: Signal, shows: &'static str) {
        let widget = self.widgets.entry((kind, Rc::clone(of))).or_default();
        let from = widget.state;
        let to = from.after(signal);
        if (from, widget.shows) == (to, shows) {
            return;
        }
        *widget = Widget { state: to, shows };
        self.changes.push(FlowEvent::WidgetChanged {
            widget: kind.as_str(),
            of: Rc::clone(of),
            from: from.as_str(),
            to: to.as_str(),
            shows,
        });
    }
}

/// What a progress indicator shows.
fn progress(update: Update) -> &'static str {
    match (update.status, update.percent) {
        (Status::Error, _) => "error",
        (_, 0) => "0",
        (_, 1..100) => "50",
        _ => "100",
    }
}

#[cfg(test)]
mod tests;
