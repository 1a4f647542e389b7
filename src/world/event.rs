//! What happened: the events of a world, as its observers see them and as they are written down.
//!
//! Every event goes into the fingerprint. It becomes a [`Record`] only when somebody asks for it.

use std::any::Any;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{DropCause, MessageInfo, SendVerdict, Time, hash};

/// The version of [`Record`]'s wire format.
pub const LOG_VERSION: u32 = 1;

/// One line of an event log. The wire type: a change that adds, renames or removes anything raises
/// [`LOG_VERSION`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The number of the event in its history, from 1.
    pub seq: u64,
    /// When it happened, in nanoseconds since the world began.
    pub at_ns: u64,
    /// The node it happened on; `world` for what happened to the world as a whole.
    pub node: String,
    /// The number of the event that led to this one: the delivery or timer in whose handling it
    /// happened or, of a delivery, the sending. 0 at the root.
    pub cause: u64,
    /// What happened, in the past tense: `message_sent`.
    pub kind: String,
    /// The details.
    pub fields: Map<String, Value>,
}

/// A payload of an application's own event: anything that can be serialised.
pub trait Payload: Any {
    /// The payload as the fields of a [`Record`]. What is not a map becomes the field `value`.
    fn fields(&self) -> Map<String, Value>;
    /// The payload itself, for observers that know its type.
    fn as_any(&self) -> &dyn Any;
}

impl<T: Serialize + 'static> Payload for T {
    fn fields(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            Ok(value) => Map::from_iter([("value".to_owned(), value)]),
            Err(error) => Map::from_iter([("error".to_owned(), error.to_string().into())]),
        }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// One number for each kind of event. It is part of every fingerprint: add at the end only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    NodeStarted,
    NodeCrashed,
    NodePaused,
    NodeResumed,
    ActorStopped,
    MessageSent,
    MessageDelivered,
    MessageDuplicated,
    MessageCorrupted,
    MessageDropped,
    CallTimedOut,
    LateAnswer,
    TimerFired,
    DiskSynced,
    DiskFailed,
    FaultPlanned,
    FaultFired,
    FaultHealed,
    Emitted,
}

impl Code {
    pub(crate) const COUNT: usize = Code::Emitted as usize + 1;
}

/// What happened.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Happening<'a> {
    /// A node started for the first time (incarnation 0) or again.
    NodeStarted {
        /// How often it had started before.
        incarnation: u32,
    },
    /// A node crashed: its actors are gone, and its disk kept what was synced.
    NodeCrashed {
        /// Which life of the node ended.
        incarnation: u32,
    },
    /// A node stopped handling anything, as in a long garbage collection.
    NodePaused,
    /// A paused node goes on; what came in meanwhile is handled now.
    NodeResumed,
    /// An actor stopped by itself.
    ActorStopped {
        /// The role of the actor on its node; empty for the main one.
        role: &'a str,
    },
    /// A message left.
    MessageSent {
        /// Which.
        message: MessageInfo<'a>,
        /// What the link made of it.
        verdict: SendVerdict,
        /// How long it will be under way, in nanoseconds.
        delay_ns: u64,
    },
    /// A message arrived and is handed to its actor.
    MessageDelivered {
        /// Which.
        message: MessageInfo<'a>,
    },
    /// A message will arrive twice.
    MessageDuplicated {
        /// Which.
        message: MessageInfo<'a>,
    },
    /// A message arrived damaged.
    MessageCorrupted {
        /// Which.
        message: MessageInfo<'a>,
    },
    /// A message is gone.
    MessageDropped {
        /// Which.
        message: MessageInfo<'a>,
        /// Why.
        cause: DropCause,
    },
    /// A call got no answer in time.
    CallTimedOut {
        /// The call.
        message: MessageInfo<'a>,
    },
    /// An answer came after its caller had given up (or crashed), and was dropped.
    LateAnswer {
        /// The answer.
        message: MessageInfo<'a>,
    },
    /// A timer fired.
    TimerFired,
    /// A sync of the disk completed: what was written before it survives a crash.
    DiskSynced {
        /// How many files it made durable.
        files: u64,
    },
    /// A write failed.
    DiskFailed {
        /// Why.
        cause: &'static str,
    },
    /// A fault is part of this run.
    FaultPlanned {
        /// What it does.
        fault: &'a str,
        /// When, in nanoseconds since the world began.
        fires_at_ns: u64,
        /// For how long, in nanoseconds; `None` for ever.
        lasts_ns: Option<u64>,
    },
    /// A fault began.
    FaultFired {
        /// What it does.
        fault: &'a str,
    },
    /// A fault ended.
    FaultHealed {
        /// What it did.
        fault: &'a str,
    },
    /// An event of the application's own.
    Emitted {
        /// Its name, in the past tense.
        name: &'static str,
        /// Its details.
        payload: &'a dyn Payload,
        /// The digest of the details.
        digest: u64,
    },
}

impl Happening<'_> {
    /// The kind, as in [`Record::kind`].
    pub const fn kind(&self) -> &'static str {
        match self {
            Happening::NodeStarted { incarnation: 0 } => "node_started",
            Happening::NodeStarted { .. } => "node_restarted",
            Happening::NodeCrashed { .. } => "node_crashed",
            Happening::NodePaused => "node_paused",
            Happening::NodeResumed => "node_resumed",
            Happening::ActorStopped { .. } => "actor_stopped",
            Happening::MessageSent { .. } => "message_sent",
            Happening::MessageDelivered { .. } => "message_delivered",
            Happening::MessageDuplicated { .. } => "message_duplicated",
            Happening::MessageCorrupted { .. } => "message_corrupted",
            Happening::MessageDropped { .. } => "message_dropped",
            Happening::CallTimedOut { .. } => "call_timed_out",
            Happening::LateAnswer { .. } => "late_answer",
            Happening::TimerFired => "timer_fired",
            Happening::DiskSynced { .. } => "disk_synced",
            Happening::DiskFailed { .. } => "disk_failed",
            Happening::FaultPlanned { .. } => "fault_planned",
            Happening::FaultFired { .. } => "fault_fired",
            Happening::FaultHealed { .. } => "fault_healed",
            Happening::Emitted { name, .. } => name,
        }
    }

    /// The details, as in [`Record::fields`].
    pub fn fields(&self) -> Map<String, Value> {
        let list: Vec<(&str, Value)> = match *self {
            Happening::NodeStarted { incarnation } | Happening::NodeCrashed { incarnation } => {
                vec![("incarnation", incarnation.into())]
            }
            Happening::NodePaused | Happening::NodeResumed | Happening::TimerFired => Vec::new(),
            Happening::ActorStopped { role } => vec![("role", role.into())],
            Happening::MessageSent { message, verdict, delay_ns } => {
                let mut list = message.fields();
                list.extend([("verdict", verdict.name().into()), ("delay_ns", delay_ns.into())]);
                list
            }
            Happening::MessageDropped { message, cause } => {
                let mut list = message.fields();
                list.push(("cause", cause.name().into()));
                list
            }
            Happening::MessageDelivered { message }
            | Happening::MessageDuplicated { message }
            | Happening::MessageCorrupted { message }
            | Happening::CallTimedOut { message }
            | Happening::LateAnswer { message } => message.fields(),
            Happening::DiskSynced { files } => vec![("files", files.into())],
            Happening::DiskFailed { cause } => vec![("cause", cause.into())],
            Happening::FaultPlanned { fault, fires_at_ns, lasts_ns } => vec![
                ("fault", fault.into()),
                ("fires_at_ns", fires_at_ns.into()),
                ("lasts_ns", lasts_ns.into()),
            ],
            Happening::FaultFired { fault } | Happening::FaultHealed { fault } => {
                vec![("fault", fault.into())]
            }
            Happening::Emitted { payload, .. } => return payload.fields(),
        };
        list.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The code in fingerprints and counts.
    #[inline]
    pub(crate) const fn code(&self) -> Code {
        match self {
            Happening::NodeStarted { .. } => Code::NodeStarted,
            Happening::NodeCrashed { .. } => Code::NodeCrashed,
            Happening::NodePaused => Code::NodePaused,
            Happening::NodeResumed => Code::NodeResumed,
            Happening::ActorStopped { .. } => Code::ActorStopped,
            Happening::MessageSent { .. } => Code::MessageSent,
            Happening::MessageDelivered { .. } => Code::MessageDelivered,
            Happening::MessageDuplicated { .. } => Code::MessageDuplicated,
            Happening::MessageCorrupted { .. } => Code::MessageCorrupted,
            Happening::MessageDropped { .. } => Code::MessageDropped,
            Happening::CallTimedOut { .. } => Code::CallTimedOut,
            Happening::LateAnswer { .. } => Code::LateAnswer,
            Happening::TimerFired => Code::TimerFired,
            Happening::DiskSynced { .. } => Code::DiskSynced,
            Happening::DiskFailed { .. } => Code::DiskFailed,
            Happening::FaultPlanned { .. } => Code::FaultPlanned,
            Happening::FaultFired { .. } => Code::FaultFired,
            Happening::FaultHealed { .. } => Code::FaultHealed,
            Happening::Emitted { .. } => Code::Emitted,
        }
    }

    /// Mixes the kind and the details into a fingerprint. Allocates nothing.
    #[inline]
    pub(crate) fn mix_into(&self, state: u64) -> u64 {
        let state = hash::mix(state, self.code() as u64);
        match *self {
            Happening::MessageSent { message, verdict, delay_ns } => {
                let how = delay_ns << 4 | (message.kind as u64) << 2 | verdict as u64;
                hash::mix(hash::mix(hash::mix(state, message.id), message.route), how)
            }
            // The sending has said everything else about the message.
            Happening::MessageDelivered { message }
            | Happening::MessageDuplicated { message }
            | Happening::MessageCorrupted { message }
            | Happening::CallTimedOut { message }
            | Happening::LateAnswer { message } => hash::mix(state, message.id),
            Happening::MessageDropped { message, cause } => {
                hash::mix(hash::mix(state, message.id), cause as u64)
            }
            Happening::NodePaused | Happening::NodeResumed | Happening::TimerFired => state,
            Happening::NodeStarted { incarnation } | Happening::NodeCrashed { incarnation } => {
                hash::mix(state, u64::from(incarnation))
            }
            Happening::ActorStopped { role: text }
            | Happening::DiskFailed { cause: text }
            | Happening::FaultFired { fault: text }
            | Happening::FaultHealed { fault: text } => hash::mix(state, hash::name_hash(text)),
            Happening::DiskSynced { files } => hash::mix(state, files),
            Happening::FaultPlanned { fault, fires_at_ns, lasts_ns } => {
                let state = hash::mix(hash::mix(state, hash::name_hash(fault)), fires_at_ns);
                hash::mix(state, lasts_ns.unwrap_or(u64::MAX))
            }
            Happening::Emitted { name, digest, .. } => {
                hash::mix(hash::mix(state, hash::name_hash(name)), digest)
            }
        }
    }
}

/// One event, as it is shown to observers.
#[derive(Clone, Copy)]
pub struct Sighting<'a> {
    /// The number of the event, from 1.
    pub seq: u64,
    /// When it happened.
    pub at: Time,
    /// The node it happened on, or `world`.
    pub node: &'a str,
    /// The number of the event that led to it.
    pub cause: u64,
    /// What happened.
    pub what: Happening<'a>,
}

impl Sighting<'_> {
    /// The event as it is written down.
    pub fn to_record(&self) -> Record {
        Record {
            seq: self.seq,
            at_ns: self.at.as_nanos(),
            node: self.node.to_owned(),
            cause: self.cause,
            kind: self.what.kind().to_owned(),
            fields: self.what.fields(),
        }
    }
}

/// What an actor tells observers alone. It is no event: it has no number, is in no log and in no
/// fingerprint, so a world has the same history whether or not anybody listens.
#[derive(Clone, Copy)]
pub struct Note<'a> {
    /// When.
    pub at: Time,
    /// The node of the actor.
    pub node: &'a str,
    /// What, for observers that know its type.
    pub what: &'a dyn Any,
}

/// Sees every event of a world as it happens, and cannot change any.
pub trait Observer {
    /// Called once for each event, in order.
    fn see(&mut self, sighting: &Sighting<'_>);

    /// Whether it listens to notes; asked once, when it is added to a world.
    fn wants_notes(&self) -> bool {
        false
    }

    /// Called once for each note, in order with the events, if any observer wants notes.
    fn note(&mut self, _: &Note<'_>) {}
}

impl<F: FnMut(&Sighting<'_>)> Observer for F {
    fn see(&mut self, sighting: &Sighting<'_>) {
        self(sighting);
    }
}
