//! What can go wrong with a world as a whole, as opposed to what goes wrong inside it on purpose.

use std::fmt;

use serde::Serialize;

use super::Time;

/// Why a world could not be started. Nothing has run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A world runs its own loop; inside somebody's runtime, timers would silently be real ones.
    #[error(
        "a world cannot run inside a tokio or actix runtime: run it from an ordinary function or \
         an ordinary #[test], not from #[tokio::test], #[actix::test] or an async block"
    )]
    InsideRuntime,
    /// Two nodes have one name.
    #[error("two nodes are called `{0}`: give each node a name of its own")]
    DuplicateNode(String),
    /// A fault or a link names a node that the world does not have.
    #[error("{place} names the node `{name}`, which this world does not have: it has {known}")]
    UnknownNode {
        /// Where the name stands.
        place: String,
        /// The name.
        name: String,
        /// The nodes there are, or some of them.
        known: String,
    },
    /// The tokio runtime could not be built.
    #[error("the tokio runtime could not be built: {0}")]
    Runtime(String),
}

/// Why a run failed. It says who, what and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Failure {
    /// An actor panicked. The panic was caught and the run ended there.
    #[error("actor `{actor}` panicked at {at}: {message}")]
    ActorPanicked {
        /// The node, and the role of the actor on it.
        actor: String,
        /// The message of the panic.
        message: String,
        /// When.
        at: Time,
    },
    /// An actor used something that the host it runs on does not have.
    #[error("actor `{actor}` needs {needs}, which the native host does not have: {remedy}")]
    WrongHost {
        /// The node, and the role of the actor on it.
        actor: String,
        /// What it used.
        needs: &'static str,
        /// What to use instead.
        remedy: &'static str,
        /// When.
        at: Time,
    },
    /// Something outside the world woke an actor: a thread, whose progress no seed decides.
    #[error(
        "actor `{actor}` was woken from another thread at {at}: no seed decides when a thread is \
         done; do the work in the actor, or model it as a delay (`Env::after`)"
    )]
    WokenFromOutside {
        /// The node, and the role of the actor on it.
        actor: String,
        /// When, more or less: that is the trouble.
        at: Time,
    },
    /// Nothing is left to happen, yet calls are waiting.
    #[error("deadlock at {at}: {}", waits.iter().map(Wait::to_string).collect::<Vec<_>>().join("; "))]
    Deadlock {
        /// Who waits for whom.
        waits: Vec<Wait>,
        /// When the last thing happened.
        at: Time,
    },
    /// The history grew past the limit.
    #[error(
        "{events} events happened by {at}, more than the limit: raise `limits.events` if that is \
         intended"
    )]
    TooManyEvents {
        /// How many events there were.
        events: u64,
        /// When the limit was passed.
        at: Time,
    },
    /// Virtual time stands still while events go on.
    #[error(
        "{events} events happened at the one instant {at}, the last of them on `{node}`: is \
         something rescheduling itself with no delay? (`limits.same_instant`)"
    )]
    TooManyAtOnce {
        /// How many events there were.
        events: u64,
        /// When.
        at: Time,
        /// The node of the last one.
        node: String,
    },
}

/// One call that waits for an answer that will not come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wait {
    /// The node that waits.
    pub waiting: String,
    /// The node it waits for.
    pub waits_for: String,
    /// The type of the message it sent.
    pub call: &'static str,
    /// When it was sent.
    pub since: Time,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Wait { waiting, waits_for, call, since } = self;
        write!(f, "`{waiting}` waits for `{waits_for}` to answer {call} since {since}")
    }
}
