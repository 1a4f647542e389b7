//! The rolling fingerprint, the counts, and the observers: everything that is told of each event.

use std::cell::{Cell, RefCell};

use serde::Serialize;

use super::{Fingerprint, Happening, Note, Observer, Sighting, Time, event::Code, hash};

/// How often each kind of event happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Messages that left their node, whatever became of them.
    pub messages_sent: u64,
    /// Messages that were handed to an actor or to a waiting call.
    pub messages_delivered: u64,
    /// Messages that were lost, cut off, refused or damaged.
    pub messages_dropped: u64,
    /// Messages that arrived twice.
    pub messages_duplicated: u64,
    /// Messages that arrived damaged.
    pub messages_corrupted: u64,
    /// Calls that got no answer in time.
    pub calls_timed_out: u64,
    /// Answers that came after their caller had given up.
    pub late_answers: u64,
    /// Timers that fired.
    pub timers_fired: u64,
    /// Crashes of nodes.
    pub crashes: u64,
    /// Faults that fired.
    pub faults_fired: u64,
    /// Events of the application's own.
    pub emitted: u64,
}

/// The counts of all kinds, by their code.
#[derive(Default)]
struct Tally([Cell<u64>; Code::COUNT]);

impl Tally {
    #[inline]
    fn add(&self, code: Code) {
        let count = &self.0[code as usize];
        count.set(count.get() + 1);
    }

    fn counts(&self) -> Counts {
        let of = |code: Code| self.0[code as usize].get();
        Counts {
            messages_sent: of(Code::MessageSent),
            messages_delivered: of(Code::MessageDelivered),
            messages_dropped: of(Code::MessageDropped),
            messages_duplicated: of(Code::MessageDuplicated),
            messages_corrupted: of(Code::MessageCorrupted),
            calls_timed_out: of(Code::CallTimedOut),
            late_answers: of(Code::LateAnswer),
            timers_fired: of(Code::TimerFired),
            crashes: of(Code::NodeCrashed),
            faults_fired: of(Code::FaultFired),
            emitted: of(Code::Emitted),
        }
    }
}

/// What has happened so far.
pub(crate) struct History {
    fingerprint: Cell<Fingerprint>,
    events: Cell<u64>,
    /// The event that is being handled.
    cause: Cell<u64>,
    instant: Cell<Time>,
    events_before_instant: Cell<u64>,
    last_node: RefCell<String>,
    tally: Tally,
    observers: RefCell<Vec<Box<dyn Observer>>>,
    is_observed: Cell<bool>,
    is_noted: Cell<bool>,
}

impl History {
    pub(crate) fn new() -> History {
        History {
            fingerprint: Cell::new(Fingerprint::EMPTY),
            events: Cell::new(0),
            cause: Cell::new(0),
            instant: Cell::new(Time::ZERO),
            events_before_instant: Cell::new(0),
            last_node: RefCell::default(),
            tally: Tally::default(),
            observers: RefCell::default(),
            is_observed: Cell::new(
                tracing::enabled!(target: "seedbed::event", tracing::Level::TRACE),
            ),
            is_noted: Cell::new(false),
        }
    }

    pub(crate) fn observe(&self, observer: Box<dyn Observer>) {
        self.is_noted.set(self.is_noted.get() || observer.wants_notes());
        self.observers.borrow_mut().push(observer);
        self.is_observed.set(true);
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint.get()
    }

    pub(crate) fn events(&self) -> u64 {
        self.events.get()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.tally.counts()
    }

    pub(crate) fn cause(&self) -> u64 {
        self.cause.get()
    }

    pub(crate) fn set_cause(&self, seq: u64) {
        self.cause.set(seq);
    }

    /// How many events have happened at this instant.
    pub(crate) fn events_at(&self, instant: Time) -> u64 {
        if instant == self.instant.get() {
            self.events.get() - self.events_before_instant.get()
        } else {
            0
        }
    }

    pub(crate) fn last_node(&self) -> String {
        self.last_node.borrow().clone()
    }

    /// Takes an event down and returns its number.
    pub(crate) fn record(&self, at: Time, node: &str, node_hash: u64, what: Happening<'_>) -> u64 {
        let seq = self.events.get() + 1;
        if at != self.instant.get() {
            self.instant.set(at);
            self.events_before_instant.set(seq - 1);
        }
        self.events.set(seq);
        let placed = hash::mix(hash::mix(self.fingerprint.get().0, at.as_nanos()), node_hash);
        self.fingerprint.set(Fingerprint(what.mix_into(placed)));
        self.tally.add(what.code());
        if self.is_observed.get() {
            self.tell(&Sighting { seq, at, node, cause: self.cause.get(), what });
        }
        if self.events_at(at) & 0x3ff == 0x3ff {
            node.clone_into(&mut self.last_node.borrow_mut());
        }
        seq
    }

    /// Whether anybody listens to notes.
    #[inline]
    pub(crate) fn is_noted(&self) -> bool {
        self.is_noted.get()
    }

    /// Passes a note on to observers, and to nothing else.
    #[cold]
    pub(crate) fn note(&self, note: &Note<'_>) {
        for observer in self.observers.borrow_mut().iter_mut() {
            observer.note(note);
        }
    }

    #[cold]
    fn tell(&self, sighting: &Sighting<'_>) {
        for observer in self.observers.borrow_mut().iter_mut() {
            observer.see(sighting);
        }
        tracing::trace!(
            target: "seedbed::event",
            at = %sighting.at,
            node = sighting.node,
            seq = sighting.seq,
            kind = sighting.what.kind(),
        );
    }
}
