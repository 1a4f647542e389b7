//! Ids as the contract allows them: safe in a path, a file name, a filter and a log line.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// The longest id, in bytes. With the three that make a path it stays below the 4096 bytes that
/// file systems take.
pub(super) const MAX_ID: usize = 128;

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// Nothing at all.
    #[error("is empty")]
    Empty,
    /// More than 128 bytes.
    #[error("is longer than 128 bytes")]
    TooLong,
    /// A character that no id has.
    #[error(
        "may only have ASCII letters, digits, `-`, `_` and `.`, and begin with a letter or digit"
    )]
    Character,
    /// `..` goes up in a path.
    #[error("must not have `..`")]
    Dots,
}

/// Letters and digits, then also `-`, `_` and single dots. So no id is `.`, hidden or a path.
fn check(text: &str) -> Result<(), BadId> {
    if text.len() > MAX_ID {
        return Err(BadId::TooLong);
    }
    let first = text.bytes().next().ok_or(BadId::Empty)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !first.is_ascii_alphanumeric() || !text.bytes().all(fits) {
        return Err(BadId::Character);
    }
    if text.contains("..") { Err(BadId::Dots) } else { Ok(()) }
}

/// Ids that the sidecar makes itself, of parts that are known to be good.
pub(in crate::stack::sidecar) trait Made {
    /// This text, which is an id.
    fn made(text: &str) -> Self;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// This text as an id.
            ///
            /// # Errors
            ///
            /// If it is not one.
            pub fn new(text: &str) -> Result<$name, BadId> {
                check(text).map(|()| $name(text.into()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Made for $name {
            fn made(text: &str) -> $name {
                debug_assert_eq!(check(text), Ok(()));
                $name(text.into())
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<$name, BadId> {
                $name::new(&text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A project: what isolates agents from each other.
    ProjectId;
    /// An issue of a project.
    IssueId;
    /// One agent, a token's `sub`.
    AgentId;
    /// A stored result.
    ResultId;
    /// A published event.
    EventId;
    /// What kind of event, such as `agent_completed`.
    EventType;
    /// A request: the same id is the same request, repeated.
    RequestId;
    /// A place in a list of events or results.
    Cursor;
}
