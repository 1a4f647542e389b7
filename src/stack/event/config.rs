//! What happens to the configuration of a router while it runs, and who asks for it.
//!
//! What was asked and answered the operators tell, and what the trail says is told by whoever reads
//! it: the router's own word proves nothing.

use std::rc::Rc;

use serde::Serialize;

use super::{RequestId, Utc};

/// An event. Each is emitted on the node it happens on. `change` is the name of a change, the same
/// whenever it is asked for again; `version` counts the changes that were applied.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the fields are named in full, and shared by the variants")]
pub enum ConfigEvent {
    /// A router starts with this configuration. `entries` are those of its trail, `damaged` the ones
    /// that cannot be read.
    Loaded { version: u32, entries: u32, damaged: u32 },
    /// Variables of old are in force. `preset` is the nearest to them, `score_permille` how near it is,
    /// `differs` what a configuration on it would say to decide as they do.
    LegacyFound {
        variables: u32,
        preset: &'static str,
        score_permille: u64,
        confidence: &'static str,
        differs: Rc<str>,
    },
    /// What an operation has from now on; `default` is any that has nothing of its own. `origin` is
    /// where it comes from, the strongest last.
    OperationConfigured {
        operation: Rc<str>,
        version: u32,
        retry_attempts: u32,
        max_delay_ms: u64,
        exponential_min_ms: u64,
        exponential_max_ms: u64,
        jitter_ms: u64,
        failure_threshold: u32,
        recovery_ms: u64,
        half_open_calls: u32,
        origin: Rc<str>,
    },
    /// A change is in force. `differences` are the values that it changed, each with what it was.
    Changed { change: Rc<str>, by: Rc<str>, source: Rc<str>, version: u32, differences: Rc<str> },
    /// A change is not in force and will not be: it was `refused` for what it says, or `rolled_back`
    /// for what it would come to with the rest; `why` names file, line and key. Or it was
    /// `rate_limited`: whoever asks had asked too often, and `why` says when to ask again.
    Refused {
        change: Rc<str>,
        by: Rc<str>,
        source: Rc<str>,
        outcome: &'static str,
        version: u32,
        why: Rc<str>,
    },
    /// A request came in, and will end by what this operation has in this version.
    RequestAdmitted { request: RequestId, operation: Rc<str>, version: u32 },
    /// An operator asks for a change, for the first time.
    ChangeAsked { change: Rc<str>, by: Rc<str>, source: Rc<str> },
    /// It was answered. `outcome` is `applied`, `refused`, `rolled_back` or
    /// `rate_limited`.
    ChangeAnswered { change: Rc<str>, by: Rc<str>, outcome: &'static str, version: u32 },
    /// The operator asks for it no more.
    ChangeAbandoned { change: Rc<str>, by: Rc<str>, cause: &'static str },
    /// Something about the configuration is too much: `what` of `operation`, if it is of one. `value`
    /// and `threshold` are thousandths, microseconds, bytes or changes in an hour.
    AlertRaised {
        what: &'static str,
        operation: Rc<str>,
        level: &'static str,
        value: u64,
        threshold: u64,
    },
    /// It is not too much any more; `lasted_ms` is how long it was.
    AlertCleared { what: &'static str, operation: Rc<str>, lasted_ms: u64 },
    /// What the monitor of the configuration has seen in the last day, told when the trail is read.
    UsageTold {
        loads: u64,
        load_p95_us: u64,
        errors: u64,
        errors_permille: u64,
        changes: u64,
        changes_last_hour: u64,
        trend: &'static str,
        validations: u64,
        validation_failures: u64,
        preset: Rc<str>,
        alerts: u64,
    },
    /// The same of one operation.
    OperationTold { operation: Rc<str>, responses: u64, median_us: u64, p95_us: u64 },
    /// An operator reads the trail, which has so many entries; they follow.
    TrailRead { reader: Rc<str>, entries: u32 },
    /// One of them. `before` and `after` are versions.
    EntryRead {
        reader: Rc<str>,
        entry: u32,
        change: Rc<str>,
        by: Rc<str>,
        asked_at: Utc,
        source: Rc<str>,
        outcome: &'static str,
        before: u32,
        after: u32,
        differences: Rc<str>,
    },
}

impl ConfigEvent {
    /// The name in logs, filters and expectations.
    pub const fn name(&self) -> &'static str {
        match self {
            ConfigEvent::Loaded { .. } => "config_loaded",
            ConfigEvent::LegacyFound { .. } => "legacy_found",
            ConfigEvent::OperationConfigured { .. } => "operation_configured",
            ConfigEvent::Changed { .. } => "config_changed",
            ConfigEvent::Refused { .. } => "config_refused",
            ConfigEvent::RequestAdmitted { .. } => "request_admitted",
            ConfigEvent::ChangeAsked { .. } => "change_asked",
            ConfigEvent::ChangeAnswered { .. } => "change_answered",
            ConfigEvent::ChangeAbandoned { .. } => "change_abandoned",
            ConfigEvent::AlertRaised { .. } => "config_alert_raised",
            ConfigEvent::AlertCleared { .. } => "config_alert_cleared",
            ConfigEvent::UsageTold { .. } => "config_usage",
            ConfigEvent::OperationTold { .. } => "operation_usage",
            ConfigEvent::TrailRead { .. } => "trail_read",
            ConfigEvent::EntryRead { .. } => "trail_entry",
        }
    }
}
