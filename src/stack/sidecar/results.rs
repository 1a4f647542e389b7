//! Results of agents: stored once, unchanged, and acknowledged only when they are durable.
//!
//! Nothing here touches a disk. [`Store::begin_put`] says what to write where; whoever writes says
//! [`committed`](Store::committed) once it is durable, and only then is there a [`Reply`]. An id is
//! a hash of the request and of all it holds, so the same request is the same result, however often
//! it comes, and two results never share a file.
//!
//! Start at [`Store`]; `query` reads what it holds, `file` is how a result looks on disk.

mod actor;
mod file;
mod handover;
mod query;
mod store;
#[cfg(test)]
mod tests;

use std::{fmt, rc::Rc, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(super) use self::actor::{Archive, Count, Delete, Find, Get, Put, Told};
pub use self::{
    file::{Damage, Damaged},
    query::{BadCursor, Counts, Cursor, Page},
    store::{Begun, Naming, Refused, Reply, Settings, Store, Write},
};
use super::wire::{Made as _, NewResult, RequestId, ResultId, ResultView};

/// Which result: 128 bits of the SHA-256 of its request and contents, in 32 hexadecimal digits. On
/// the wire it is an opaque [`ResultId`]; one that is none of these is of no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentId(u128);

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl From<ContentId> for ResultId {
    fn from(id: ContentId) -> ResultId {
        ResultId::made(&id.to_string())
    }
}

/// Not the id of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id of a result is 32 lower-case hexadecimal digits")]
pub struct BadId;

impl FromStr for ContentId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<ContentId, BadId> {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(digit) {
            return Err(BadId);
        }
        u128::from_str_radix(text, 16).map(ContentId).map_err(|_| BadId)
    }
}

impl Serialize for ContentId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<ContentId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A result that is durable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// Its id.
    pub id: ContentId,
    /// The request that brought it; unique among those of its agent in its project.
    pub request_id: RequestId,
    /// When it was accepted, by the wall clock of the node.
    pub stored_at: Timestamp,
    /// What the agent handed in.
    pub result: NewResult,
}

impl Stored {
    /// As it is on the wire.
    pub fn view(&self, naming: Naming) -> Rc<ResultView> {
        let result = &self.result;
        Rc::new(ResultView {
            id: self.id.into(),
            agent_id: result.agent_id.clone(),
            agent_type: result.agent_type,
            issue_id: result.issue_id.clone(),
            project_id: result.project_id.clone(),
            timestamp: result.timestamp,
            result: result.result.clone(),
            stored_at: self.stored_at,
            storage_path: naming.path(result, self.id),
        })
    }
}
