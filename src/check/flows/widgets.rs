//! Widgets: which state may follow which, and what a card may show after what.

use std::{collections::BTreeMap, rc::Rc};

use super::at;
use crate::{check::watch::Built, stack::FlowEvent};

/// The states that may follow a state. Those that may follow themselves do so with something else to
/// show.
const STATES: [(&str, &[&str]); 6] = [
    ("loading", &["empty", "updated", "stale", "error"]),
    ("empty", &["updated", "error"]),
    ("updated", &["updated", "stale", "error"]),
    ("stale", &["updated", "stale", "error"]),
    ("error", &["recovered", "error"]),
    ("recovered", &["updated", "stale", "error"]),
];

/// What a card may show after what; nothing follows what is not here.
const SHOWS: [(&str, &str, &[&str]); 7] = [
    ("TaskCard", "pending", &["active", "completed", "error"]),
    ("TaskCard", "active", &["completed", "error"]),
    ("ApprovalCard", "pending", &["approved", "rejected", "expired"]),
    ("ProgressIndicator", "0", &["50", "100", "error"]),
    ("ProgressIndicator", "50", &["100", "error"]),
    ("AlertWidget", "info", &["warning", "error"]),
    ("AlertWidget", "warning", &["error"]),
];

/// Widgets that may show anything after anything.
const FREE: [&str; 2] = ["ProjectStatus", "MetricsWidget"];

#[derive(Default)]
pub(super) struct Widgets {
    widgets: BTreeMap<(&'static str, Rc<str>), (&'static str, &'static str)>,
    pub(super) changed: Built,
}

impl Widgets {
    pub(super) fn see(&mut self, now: u64, event: &FlowEvent) {
        let FlowEvent::WidgetChanged { widget, of, from, to, shows } = event else { return };
        let key = (*widget, Rc::clone(of));
        let (state, shown) = self.widgets.insert(key, (*to, *shows)).unwrap_or(("loading", ""));
        let why = if state != *from {
            Some(format!("it was {state}"))
        } else if (*to, *shows) == (state, shown) {
            Some("nothing has changed".to_owned())
        } else if !may_become(state, to) {
            Some("that may not follow".to_owned())
        } else if !may_show(widget, shown, shows) {
            Some(format!("it showed {shown} before"))
        } else {
            None
        };
        let told =
            |why| format!("{widget} of {of} from {from} to {to} ({shows}), {}: {why}", at(now));
        self.changed.evaluate(why.map(told));
    }

    /// The dashboard crashed: the page is loaded anew.
    pub(super) fn reloaded(&mut self) {
        self.widgets.clear();
    }
}

fn may_become(from: &str, to: &str) -> bool {
    STATES.iter().any(|(state, next)| *state == from && next.contains(&to))
}

fn may_show(widget: &str, before: &str, now: &str) -> bool {
    let follows = |(of, shown, next): &(&str, &str, &[&str])| {
        *of == widget && *shown == before && next.contains(&now)
    };
    before.is_empty() || before == now || FREE.contains(&widget) || SHOWS.iter().any(follows)
}
