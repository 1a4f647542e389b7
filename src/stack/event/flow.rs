//! What happens around the stack: tasks and their progress, approvals, the dashboard and its store.

use std::rc::Rc;

use serde::Serialize;

/// An event. Each is emitted on the node it happens on. A task is `<runner>/<number>`, and the
/// approval that it waits for has the same name.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the fields are named in full, and shared by the variants")]
pub enum FlowEvent {
    /// A task came so far, and its runner will know it after a crash.
    ProgressReported { task: Rc<str>, percent: u8, status: &'static str },
    /// The dashboard was told so.
    ProgressShown { task: Rc<str>, percent: u8, status: &'static str },
    /// The dashboard follows a runner, or does so again; `after` is the last update that it has.
    StreamOpened { runner: Rc<str>, after: u64 },
    /// The dashboard no longer hears a runner: `closed`, `gap`, `silent`, or how its call failed.
    StreamLost { runner: Rc<str>, cause: &'static str },
    /// A task was approved, and goes on.
    TaskResumed { task: Rc<str> },
    /// A task stops: it was `rejected`, or its approval has `expired`.
    TaskStopped { task: Rc<str>, cause: &'static str },
    /// A task waits for its approval, and the queue will know it after a crash.
    ApprovalSubmitted { task: Rc<str> },
    /// A reviewer `approved` or `rejected` it, and the queue will know it after a crash.
    ApprovalDecided { task: Rc<str>, decision: &'static str, by: Rc<str> },
    /// Nobody decided in time.
    ApprovalExpired { task: Rc<str> },
    /// A reviewer's decision does not count.
    ApprovalRefused { task: Rc<str>, by: Rc<str>, reason: &'static str },
    /// A widget went from one state to another, or shows something else. `of` is what it is about.
    WidgetChanged {
        widget: &'static str,
        of: Rc<str>,
        from: &'static str,
        to: &'static str,
        shows: &'static str,
    },
    /// The dashboard has a state to keep.
    SaveAsked { version: u64, bytes: u64 },
    /// It is kept; `compact` if only the least of it fits.
    StoreSaved { version: u64, bytes: u64, used: u64, quota: u64, compact: bool },
    /// The oldest entries were removed.
    StoreCleaned { removed: u64, freed: u64 },
    /// The store is nearly full or too small (`near_quota`, `over_quota`), or cannot be written to
    /// (`disk_full`).
    StoreWarning { cause: &'static str, used: u64, quota: u64 },
    /// The page was loaded, with the newest state that could be read; version 0 if there is none.
    StoreLoaded { version: u64, entries: u64 },
}

impl FlowEvent {
    /// The name in logs, filters and expectations.
    pub const fn name(&self) -> &'static str {
        match self {
            FlowEvent::ProgressReported { .. } => "progress_reported",
            FlowEvent::ProgressShown { .. } => "progress_shown",
            FlowEvent::StreamOpened { .. } => "stream_opened",
            FlowEvent::StreamLost { .. } => "stream_lost",
            FlowEvent::TaskResumed { .. } => "task_resumed",
            FlowEvent::TaskStopped { .. } => "task_stopped",
            FlowEvent::ApprovalSubmitted { .. } => "approval_submitted",
            FlowEvent::ApprovalDecided { .. } => "approval_decided",
            FlowEvent::ApprovalExpired { .. } => "approval_expired",
            FlowEvent::ApprovalRefused { .. } => "approval_refused",
            FlowEvent::WidgetChanged { .. } => "widget_changed",
            FlowEvent::SaveAsked { .. } => "save_asked",
            FlowEvent::StoreSaved { .. } => "store_saved",
            FlowEvent::StoreCleaned { .. } => "store_cleaned",
            FlowEvent::StoreWarning { .. } => "store_warning",
            FlowEvent::StoreLoaded { .. } => "store_loaded",
        }
    }
}
