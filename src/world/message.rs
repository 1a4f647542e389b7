//! Messages, as events speak of them.

use std::{
    any::{Any, TypeId},
    cell::RefCell,
};

use serde_json::Value;

use super::hash;

/// Why a message never was handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DropCause {
    /// The link lost it.
    Lost,
    /// A partition stood between the nodes, when it was sent or when it would have arrived.
    Partitioned,
    /// The node it was for was down, or had crashed since it was sent.
    NodeDown,
    /// The actor it was for had stopped.
    ActorStopped,
    /// It arrived damaged.
    Corrupted,
    /// It was the second copy of a message that cannot be handled twice.
    Duplicate,
}

impl DropCause {
    /// The name in logs and filters.
    pub const fn name(self) -> &'static str {
        match self {
            DropCause::Lost => "lost",
            DropCause::Partitioned => "partitioned",
            DropCause::NodeDown => "node_down",
            DropCause::ActorStopped => "actor_stopped",
            DropCause::Corrupted => "corrupted",
            DropCause::Duplicate => "duplicate",
        }
    }
}

/// What a message carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageKind {
    /// A message that nobody answers.
    OneWay,
    /// A call, which waits for an answer.
    Call,
    /// The answer to a call.
    Answer,
}

impl MessageKind {
    /// The name in logs and filters.
    pub const fn name(self) -> &'static str {
        match self {
            MessageKind::OneWay => "one_way",
            MessageKind::Call => "call",
            MessageKind::Answer => "answer",
        }
    }
}

/// One message, as events speak of it.
#[derive(Clone, Copy, Debug)]
pub struct MessageInfo<'a> {
    /// Its number in this world; copies share it.
    pub id: u64,
    /// What it carries.
    pub kind: MessageKind,
    /// The type of the message, without its path.
    pub label: &'static str,
    /// The node that sent it.
    pub from: &'a str,
    /// The node it is for.
    pub to: &'a str,
    /// What is in it, where it is handed to its actor: for observers in the process only. No log and no
    /// fingerprint has it.
    pub body: Option<&'a dyn Any>,
    /// The stable hash of `label` and `to`.
    pub(crate) route: u64,
}

impl<'a> MessageInfo<'a> {
    /// A message, for tests of observers.
    pub fn new(
        id: u64,
        kind: MessageKind,
        label: &'static str,
        from: &'a str,
        to: &'a str,
    ) -> MessageInfo<'a> {
        let route = hash::mix(hash::name_hash(label), hash::name_hash(to));
        MessageInfo { id, kind, label, from, to, body: None, route }
    }
}

/// What a link makes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendVerdict {
    /// It will arrive.
    Deliver,
    /// It will arrive twice.
    Duplicate,
    /// It will arrive damaged.
    Corrupt,
    /// It will not arrive.
    Drop,
}

impl SendVerdict {
    /// The name in logs and filters.
    pub const fn name(self) -> &'static str {
        match self {
            SendVerdict::Deliver => "deliver",
            SendVerdict::Duplicate => "duplicate",
            SendVerdict::Corrupt => "corrupt",
            SendVerdict::Drop => "drop",
        }
    }
}

impl MessageInfo<'_> {
    /// As in the fields of a record.
    pub(super) fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("message", self.id.into()),
            ("carries", self.kind.name().into()),
            ("label", self.label.into()),
            ("from", self.from.into()),
            ("to", self.to.into()),
        ]
    }
}

/// The name of a message type in events: the last part of its path, without what is in `<…>`, as
/// that may carry paths.
#[derive(Clone, Copy)]
pub(crate) struct Label {
    pub name: &'static str,
    pub hash: u64,
}

/// The labels seen so far in one world. Finding one again is cheaper than making it.
#[derive(Default)]
pub(crate) struct Labels(RefCell<Vec<(TypeId, Label)>>);

impl Labels {
    #[inline]
    pub(crate) fn of<T: 'static>(&self) -> Label {
        let id = TypeId::of::<T>();
        let known = self.0.borrow().iter().find(|(other, _)| *other == id).map(|(_, label)| *label);
        known.unwrap_or_else(|| {
            let full = std::any::type_name::<T>();
            let outer = full.split('<').next().unwrap_or(full);
            let name = outer.rsplit("::").next().unwrap_or(outer);
            let label = Label { name, hash: hash::name_hash(name) };
            self.0.borrow_mut().push((id, label));
            label
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_no_path() {
        let labels = Labels::default();
        assert_eq!(labels.of::<Vec<std::collections::BTreeSet<u8>>>().name, "Vec");
        assert_eq!(labels.of::<super::MessageKind>().name, "MessageKind");
        assert_eq!(labels.of::<super::MessageKind>().hash, hash::name_hash("MessageKind"));
    }
}
