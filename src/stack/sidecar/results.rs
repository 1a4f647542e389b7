//! Results of agents: stored once, unchanged, and acknowledged only when they are durable.
//!
//! Nothing here touches a disk. [`Store::begin_put`] says what to write where; whoever writes says
//! [`committed`](Store::committed) once it is durable, and only then is there a [`Reply`]. An id is
//! a hash of the request and of all it holds, so the same request is the same result, however often
//! it comes, and two results never share a file.
//!
//! Start at [`Store`]; `query` reads what it holds, `file` is how a result looks on disk.

mod file;
mod query;
mod store;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::{
    file::{Damage, Damaged},
    query::{BadCursor, Counts, Cursor, Order, Page, Query},
    store::{Begun, Naming, Refused, Reply, Settings, Store, Write},
};

/// How an agent's work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should.
    #[serde(alias = "completed")]
    Success,
    /// In part.
    Partial,
    /// Not at all.
    #[serde(alias = "failed")]
    Failure,
}

impl Status {
    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Success => "success",
            Status::Partial => "partial",
            Status::Failure => "failure",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A field that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {why}")]
pub struct Invalid {
    /// Which, by its name on the wire.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

/// The longest name, in bytes.
pub const LONGEST_NAME: usize = 128;

/// Names become parts of paths, so they are plain: letters, digits, `.`, `_` and `-`, of ASCII, no
/// more than [`LONGEST_NAME`], and no dot in front.
///
/// # Errors
///
/// [`Invalid`] with this field.
pub fn check_name(field: &'static str, name: &str) -> Result<(), Invalid> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let why = if name.is_empty() {
        "is empty"
    } else if name.len() > LONGEST_NAME {
        "is longer than 128 bytes"
    } else if name.starts_with('.') {
        "starts with a dot"
    } else if !name.bytes().all(plain) {
        "has a character other than letters, digits, `.`, `_` and `-`"
    } else {
        return Ok(());
    };
    Err(Invalid { field, why })
}

/// What an agent hands in, as it is on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// Which agent.
    #[serde(alias = "agent_id")]
    pub agent: String,
    /// Of what type.
    pub agent_type: String,
    /// For which project.
    pub project_id: String,
    /// For which issue of it.
    pub issue_id: String,
    /// How it ended.
    pub status: Status,
    /// What was decided.
    #[serde(default)]
    pub decision: String,
    /// Why.
    #[serde(default)]
    pub rationale: String,
    /// Which files were touched.
    #[serde(default, alias = "files_affected")]
    pub files: Vec<String>,
    /// What was measured.
    #[serde(default)]
    pub metrics: Map<String, Value>,
    /// Fields that are not known here; they are kept as they came.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

impl Draft {
    /// Looks whether every name may be part of a path.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the first field that may not.
    pub fn check(&self) -> Result<(), Invalid> {
        check_name("agent", &self.agent)?;
        check_name("agent_type", &self.agent_type)?;
        check_name("project_id", &self.project_id)?;
        check_name("issue_id", &self.issue_id)
    }
}

/// Which result: 128 bits of the SHA-256 of its request and contents, in 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResultId(u128);

impl fmt::Display for ResultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Not the id of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id of a result is 32 lower-case hexadecimal digits")]
pub struct BadId;

impl FromStr for ResultId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<ResultId, BadId> {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(digit) {
            return Err(BadId);
        }
        u128::from_str_radix(text, 16).map(ResultId).map_err(|_| BadId)
    }
}

impl Serialize for ResultId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ResultId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<ResultId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A result that is durable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// Its id.
    pub id: ResultId,
    /// The request that brought it; unique among those of its agent in its project.
    pub request_id: String,
    /// When it was accepted, by the wall clock of the node.
    pub stored_at: Timestamp,
    /// What the agent handed in.
    pub result: Draft,
}
