//! What an agent hands in, and what it tells the others: with digests, so that a change shows.

use std::rc::Rc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    stack::{
        RequestId,
        sidecar::wire::{self, AgentId, AgentType, IssueId, ProjectId, ResultView},
    },
    world::digest,
};

/// How the decision of a result begins; its project follows, so that a leak shows.
pub(super) const DECISION: &str = "in project ";

/// The body of `POST /api/results`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::stack) struct Report {
    /// Whose.
    pub(in crate::stack) agent_id: AgentId,
    /// Of which type it is.
    pub(in crate::stack) agent_type: AgentType,
    /// About what.
    pub(in crate::stack) issue_id: IssueId,
    /// In which project.
    pub(in crate::stack) project_id: ProjectId,
    /// What came out.
    pub(in crate::stack) result: Map<String, Value>,
    /// When, by the agent's clock.
    pub(in crate::stack) timestamp: Timestamp,
}

impl Report {
    /// Of a success.
    pub(super) fn of(
        (agent_id, agent_type): (AgentId, AgentType),
        (project_id, issue_id): (ProjectId, IssueId),
        key: &str,
        rationale: &str,
        timestamp: Timestamp,
    ) -> Report {
        let mut result = Map::new();
        result.insert("status".to_owned(), "success".into());
        result.insert("decision".to_owned(), format!("{DECISION}{project_id}: {key}").into());
        result.insert("rationale".to_owned(), rationale.into());
        result.insert("files_affected".to_owned(), Value::Array(vec!["src/lib.rs".into()]));
        Report { agent_id, agent_type, issue_id, project_id, result, timestamp }
    }

    /// Of all of it.
    pub(in crate::stack) fn digest(&self) -> u64 {
        let Report { agent_id, agent_type, issue_id, project_id, result, timestamp } = self;
        let who = (agent_id, agent_type, issue_id, project_id);
        digest(&(who, result, timestamp.as_nanosecond()))
    }

    /// Of one that was read; equal to that of what was handed in, if nothing has changed.
    pub(in crate::stack) fn digest_of(view: &ResultView) -> u64 {
        let who = (&view.agent_id, &view.agent_type, &view.issue_id, &view.project_id);
        digest(&(who, &view.result, view.timestamp.as_nanosecond()))
    }
}

/// What publishers add to the data of their events.
const ADDED: [&str; 2] = ["sequence", "sent_ns"];

/// The data of an event, as whoever published it first meant it.
pub(super) fn without_added(data: &Value) -> Value {
    let mut data = data.clone();
    if let Value::Object(fields) = &mut data {
        ADDED.iter().for_each(|name| drop(fields.remove(*name)));
    }
    data
}

/// The same with what a publisher adds. What is no object becomes one.
pub(super) fn with_added(data: &Value, sequence: u64, sent_ns: u64) -> Value {
    let mut fields = match data {
        Value::Object(fields) => fields.clone(),
        other => Map::from_iter([("value".to_owned(), other.clone())]),
    };
    fields.insert("sequence".to_owned(), sequence.into());
    fields.insert("sent_ns".to_owned(), sent_ns.into());
    Value::Object(fields)
}

/// A number that a publisher added; 0 if it did not.
pub(super) fn added(data: &Value, name: &str) -> u64 {
    data.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// Of the data of an event without what its publisher added.
pub(super) fn digest_of_data(data: &Value) -> u64 {
    digest(&without_added(data))
}

/// The name of a request as the contract allows it: `rust-1.17`, and `rust-1_2.17` in its third
/// life. `None` only for names that no sim has.
pub(in crate::stack) fn key(request: &RequestId) -> Option<wire::RequestId> {
    let plain = |letter: char| match letter {
        '/' => '.',
        letter if letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.') => letter,
        _ => '_',
    };
    let text: String = request.to_string().chars().map(plain).collect();
    wire::RequestId::new(&text).ok()
}

/// The text of an id, for events.
pub(super) fn text(id: &str) -> Rc<str> {
    id.into()
}
