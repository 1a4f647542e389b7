//! The life of a widget: it loads, shows something, grows old, fails and recovers.

use serde::{Deserialize, Serialize};

/// The kinds of widgets on a dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// One task: pending, active, completed or error.
    TaskCard,
    /// All tasks together: healthy, warning or critical.
    ProjectStatus,
    /// Whether more is done than before: positive, steady or negative.
    MetricsWidget,
    /// The worst that there is to tell: info, warning or error.
    AlertWidget,
    /// One approval: pending, approved, rejected or expired.
    ApprovalCard,
    /// How far one task is: 0, 50 or 100, or error.
    ProgressIndicator,
}

impl Kind {
    /// The name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::TaskCard => "TaskCard",
            Kind::ProjectStatus => "ProjectStatus",
            Kind::MetricsWidget => "MetricsWidget",
            Kind::AlertWidget => "AlertWidget",
            Kind::ApprovalCard => "ApprovalCard",
            Kind::ProgressIndicator => "ProgressIndicator",
        }
    }
}

/// The state that a widget is in, whatever it shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It has nothing yet.
    #[default]
    Loading,
    /// There is nothing to show.
    Empty,
    /// It shows what is.
    Updated,
    /// It shows what was.
    Stale,
    /// Its source fails.
    Error,
    /// Its source failed, and works again.
    Recovered,
}

impl State {
    /// The name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Loading => "loading",
            State::Empty => "empty",
            State::Updated => "updated",
            State::Stale => "stale",
            State::Error => "error",
            State::Recovered => "recovered",
        }
    }

    /// The state after a signal.
    #[must_use]
    pub fn after(self, signal: Signal) -> State {
        match (self, signal) {
            (State::Error, Signal::Data) => State::Recovered,
            // What fails is not merely old, and what was never there cannot be old.
            (State::Error, Signal::Silence | Signal::Nothing) => State::Error,
            (State::Loading, Signal::Silence) => State::Loading,
            (State::Empty, Signal::Silence) => State::Empty,
            (_, Signal::Data) => State::Updated,
            (_, Signal::Nothing) => State::Empty,
            (_, Signal::Silence | Signal::Restored) => State::Stale,
            (_, Signal::Failure) => State::Error,
        }
    }
}

/// What a widget hears of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// What is, is known.
    Data,
    /// There is nothing.
    Nothing,
    /// Nothing was heard for too long.
    Silence,
    /// It fails.
    Failure,
    /// What was known before the page was loaded again.
    Restored,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state after each signal: data, nothing, silence, failure.
    const TABLE: [(State, [State; 4]); 6] = {
        use State::{Empty, Error, Loading, Recovered, Stale, Updated};
        [
            (Loading, [Updated, Empty, Loading, Error]),
            (Empty, [Updated, Empty, Empty, Error]),
            (Updated, [Updated, Empty, Stale, Error]),
            (Stale, [Updated, Empty, Stale, Error]),
            (Error, [Recovered, Error, Error, Error]),
            (Recovered, [Updated, Empty, Stale, Error]),
        ]
    };

    #[test]
    fn every_state_has_its_successors() {
        let signals = [Signal::Data, Signal::Nothing, Signal::Silence, Signal::Failure];
        for (state, after) in TABLE {
            let names = |states: [State; 4]| states.map(State::as_str);
            assert_eq!(
                names(signals.map(|signal| state.after(signal))),
                names(after),
                "{}",
                state.as_str()
            );
        }
        assert_eq!(State::Loading.after(Signal::Restored), State::Stale);
    }
}
