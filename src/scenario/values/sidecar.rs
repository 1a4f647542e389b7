//! How scalars that the sidecar has are read: ids and words of its contract, sizes in bytes.

use crate::scenario::{
    field::{Scalar, Value},
    names::nearest,
    units::{UnitError, parse_bytes, quoted},
};
use crate::stack::sidecar::wire::{
    AgentId, AgentType, EventType, Filter, IssueId, ProjectId, Topic,
};

/// Bytes, as in "10MB"; may be 0.
#[derive(Clone, Copy, Debug)]
pub(in crate::scenario) struct ByteSize(pub(in crate::scenario) u64);

impl Value for ByteSize {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        match scalar {
            Scalar::Text(text) => parse_bytes(text).map(ByteSize),
            Scalar::Integer(number) => Err(UnitError::new(
                format!("a size needs a unit, found the number {number}"),
                format!("write \"{number}B\", or another unit (B, KB, MB, GB, KiB, MiB, GiB)"),
            )),
            _ => Err(super::wrong("a size in bytes", scalar, "write one as in \"10MB\"")),
        }
    }

    schema!("ByteSize", {
        "description": "A size: \"512B\", \"10MB\", \"1.5GiB\" (B, KB, MB, GB, KiB, MiB, GiB).",
        "type": "string",
        "pattern": r"^[0-9]+(\.[0-9]{1,9})?(B|KB|MB|GB|KiB|MiB|GiB)$"
    });
}

/// On or off, where a table may stand as well.
#[derive(Clone, Copy, Debug)]
pub(in crate::scenario) struct Switch(pub(in crate::scenario) bool);

impl Value for Switch {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        match scalar {
            Scalar::Bool(on) => Ok(Switch(*on)),
            _ => Err(super::wrong("true, false or a table", scalar, "write one of the three")),
        }
    }

    schema!("Switch", { "type": "boolean" });
}

fn text<'a>(scalar: &'a Scalar, what: &str) -> Result<&'a str, UnitError> {
    match scalar {
        Scalar::Text(text) => Ok(text),
        _ => Err(super::wrong(what, scalar, "write a text in quotes")),
    }
}

/// One of a list of words, or the nearest of them.
fn word<T: Copy>(
    scalar: &Scalar,
    what: &str,
    all: &[T],
    as_str: fn(T) -> &'static str,
) -> Result<T, UnitError> {
    let text = text(scalar, what)?;
    let words = || all.iter().map(|item| as_str(*item));
    all.iter().copied().find(|item| as_str(*item) == text).ok_or_else(|| {
        let list = format!("expected one of: {}", words().collect::<Vec<_>>().join(", "));
        let help = match nearest(text, words()) {
            Some(near) => format!("did you mean \"{near}\"? {list}"),
            None => list,
        };
        UnitError::new(format!("{} is not {what}", quoted(text)), help)
    })
}

macro_rules! ids {
    ($($id:ident $name:literal $what:literal,)*) => {$(
        impl Value for $id {
            fn read(scalar: &Scalar) -> Result<Self, UnitError> {
                let text = text(scalar, $what)?;
                $id::new(text).map_err(|bad| {
                    UnitError::new(
                        format!("{} is not {}: it {bad}", quoted(text), $what),
                        "write 1 to 128 letters, digits, -, _ and single dots",
                    )
                })
            }

            schema!($name, {
                "type": "string",
                "pattern": "^[A-Za-z0-9]([._-]?[A-Za-z0-9_-])*[.]?$",
                "maxLength": 128
            });
        }
    )*};
}

ids! {
    ProjectId "ProjectId" "the id of a project",
    IssueId "IssueId" "the id of an issue",
    AgentId "AgentId" "the id of an agent",
    EventType "EventType" "a kind of event",
}

impl Value for AgentType {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        word(scalar, "a type of agent", AgentType::ALL, AgentType::as_str)
    }

    schema!("AgentType", {
        "enum": AgentType::ALL.iter().map(|item| item.as_str()).collect::<Vec<_>>()
    });
}

impl Value for Topic {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        word(scalar, "a topic", Topic::ALL, Topic::as_str)
    }

    schema!("Topic", {
        "enum": Topic::ALL.iter().map(|item| item.as_str()).collect::<Vec<_>>()
    });
}

impl Value for Filter {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        let text = text(scalar, "a filter")?;
        Filter::read(text).map_err(|bad| {
            UnitError::new(
                format!("{} is not a filter: it {bad}", quoted(text)),
                "write \"field:value\", or more of them with commas between",
            )
        })
    }

    schema!("Filter", {
        "description": "Fields of an event's data and what they must be: \"status:done,stage:2\".",
        "type": "string",
        "pattern": "^[A-Za-z0-9_.-]+:[^,]+(,[A-Za-z0-9_.-]+:[^,]+)*$"
    });
}
