//! How a result looks on disk, and how one is told from what is torn or does not belong there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    super::wire::{AgentId, Made as _, NewResult, ProjectId, RequestId},
    ContentId, Naming, Stored,
    store::RequestKey,
};

/// The most characters that are told of why a file cannot be read.
const REASON_MAX: usize = 200;

/// A file: a result, or what is left of one that was deleted, so that a late repetition of its
/// request does not bring it back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum File {
    Result(Stored),
    Deleted(Deleted),
}

/// What is left of a deleted result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Deleted {
    pub id: ContentId,
    pub project_id: ProjectId,
    pub agent_id: AgentId,
    pub request_id: RequestId,
    pub deleted_at: Timestamp,
}

impl Stored {
    pub(super) fn request(&self) -> RequestKey {
        let NewResult { project_id, agent_id, .. } = &self.result;
        (project_id.clone(), agent_id.clone(), self.request_id.clone())
    }
}

impl Deleted {
    pub(super) fn request(&self) -> RequestKey {
        (self.project_id.clone(), self.agent_id.clone(), self.request_id.clone())
    }
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Cut off, garbled, or written by something else.
    #[error("not a result: {0}")]
    Unreadable(String),
    /// Its contents are not those that its id was made of.
    #[error("its contents were changed")]
    Changed,
    /// It is a result, of another place.
    #[error("it does not belong here")]
    Misplaced,
    /// Another file has the same request of the same agent.
    #[error("its request brought another result, too")]
    Conflict,
}

impl Damage {
    /// The name in logs and filters.
    pub const fn name(&self) -> &'static str {
        match self {
            Damage::Unreadable(_) => "unreadable",
            Damage::Changed => "changed",
            Damage::Misplaced => "misplaced",
            Damage::Conflict => "conflict",
        }
    }
}

/// A file that was left alone when the store was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {damage}")]
pub struct Damaged {
    /// Where it is.
    pub path: String,
    /// What is wrong with it.
    pub damage: Damage,
}

impl File {
    pub(super) fn id(&self) -> ContentId {
        match self {
            File::Result(stored) => stored.id,
            File::Deleted(deleted) => deleted.id,
        }
    }

    /// Whose request it was: project, agent, id of the request.
    pub(super) fn request(&self) -> RequestKey {
        match self {
            File::Result(stored) => stored.request(),
            File::Deleted(deleted) => deleted.request(),
        }
    }

    /// The bytes to write: the same on every machine and in every build.
    pub(super) fn bytes(&self) -> Vec<u8> {
        // Only values that are not JSON fail, and there are none in a file.
        serde_json::to_value(self).map(|value| canonical(&value).into_bytes()).unwrap_or_default()
    }

    /// Reads the file at this path.
    pub(super) fn read(path: &str, bytes: &[u8], naming: Naming) -> Result<File, Damage> {
        let file: File = serde_json::from_slice(bytes).map_err(|error| {
            // It may tell a key of the file back, however long that is.
            Damage::Unreadable(error.to_string().chars().take(REASON_MAX).collect())
        })?;
        let is_here = match &file {
            File::Result(Stored { id, request_id, result, .. }) => {
                if id_of(result, request_id) != *id {
                    return Err(Damage::Changed);
                }
                path == naming.path(result, *id)
            }
            File::Deleted(Deleted { id, project_id, .. }) => {
                let inside = path.strip_prefix("results/");
                let inside = inside.and_then(|path| path.strip_prefix(project_id.as_str()));
                inside.is_some_and(|path| {
                    path.starts_with('/') && path.ends_with(&format!("/{id}.json"))
                })
            }
        };
        if is_here { Ok(file) } else { Err(Damage::Misplaced) }
    }
}

/// The id of this result of this request.
pub(super) fn id_of(result: &NewResult, request: &RequestId) -> ContentId {
    hash(&serde_json::json!({ "request_id": request, "result": result }))
}

/// The name of a request that has none: what it brings. So the same contents are the same result.
pub(super) fn request_of(result: &NewResult) -> RequestId {
    RequestId::made(&hash(&serde_json::json!({ "result": result })).to_string())
}

fn hash(value: &Value) -> ContentId {
    let hash = Sha256::digest(canonical(value).as_bytes());
    let first = hash.iter().take(16);
    ContentId(first.fold(0, |id, &byte| id << 8 | u128::from(byte)))
}

/// JSON with sorted keys and no spaces: equal values are equal texts, whatever order they came in
/// and however `serde_json` keeps its maps.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    let separator = |turn: usize| if turn > 0 { "," } else { "" };
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            text.push('{');
            for (turn, (key, value)) in members.into_iter().enumerate() {
                text.push_str(separator(turn));
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write_canonical(value, text);
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for (turn, value) in values.iter().enumerate() {
                text.push_str(separator(turn));
                write_canonical(value, text);
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}
