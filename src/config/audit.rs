//! The audit trail: who changed the configuration, when, from what to what, and whether it took.
//!
//! Pure: whoever keeps a trail writes its entries, one file for each, and has a verdict hold only
//! when its entry is durable. What is in force after a restart follows from the entries alone: the
//! changes that were applied, made again in order, so that every value still knows where it came
//! from. Files that are read back are somebody's bytes until they are parsed.

use std::{collections::BTreeSet, fmt, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Config, Field, Form, Layers, Origin, Refused, Speaker, Tuning, preset::OPERATIONS, read,
};

/// What holds for operations that have nothing of their own goes by this name.
pub const DEFAULT: &str = "default";

/// The longest file that is read as an entry, in bytes: a configuration of the largest size, told in
/// escapes, twice.
const ENTRY_BYTES_MAX: usize = 256 * 1024;

/// The longest text that is kept of why a change was refused, in bytes.
const WHY_BYTES_MAX: usize = 4 * 1024;

/// The most entries that a trail has: no change is taken after that.
pub const ENTRIES_MAX: usize = 10_000;

/// A change that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Its name: the same whenever it is asked for again.
    pub id: Arc<str>,
    /// Who asks.
    pub by: Arc<str>,
    /// For what.
    pub what: What,
}

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// This text takes the place of the file that was read before.
    File {
        /// What the file is called.
        name: Arc<str>,
        /// What is in it.
        text: Arc<str>,
    },
    /// These settings, as JSON, come on top of everything.
    Settings(Arc<str>),
}

impl Change {
    /// Where it comes from: a file by its name, or `run-time change`.
    #[must_use]
    pub fn source(&self) -> &str {
        match &self.what {
            What::File { name, .. } => name,
            What::Settings(_) => "run-time change",
        }
    }
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is in force.
    Applied,
    /// It cannot be read, or is wrong by itself.
    Refused,
    /// It is right by itself, but what would be in force with it is not; nothing of it is.
    RolledBack,
    /// Whoever asks has asked too often, so nobody has looked at it.
    RateLimited,
}

impl Outcome {
    /// Its name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::Refused => "refused",
            Outcome::RolledBack => "rolled_back",
            Outcome::RateLimited => "rate_limited",
        }
    }
}

/// One value that a change changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The operation and the field: `qa.retry_attempts`.
    pub key: String,
    /// What it was.
    pub before: String,
    /// What it is.
    pub after: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.key, self.before, self.after)
    }
}

/// One entry of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Counts the entries, from 1.
    pub number: u32,
    /// What was asked for, and by whom.
    pub change: Change,
    /// When, by the clock of whoever keeps the trail.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it is not in force, naming file, line and key; empty if it is.
    pub why: Arc<str>,
    /// How many changes were in force before.
    pub before: u32,
    /// How many are in force after it.
    pub after: u32,
    /// Every value that it changed.
    pub differences: Vec<Difference>,
}

impl Entry {
    /// The bytes to write: the same on every machine and in every build.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        // Only maps with keys that are no text fail, and there are none.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads an entry; `None` if it is none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Entry> {
        let bytes = Some(bytes).filter(|bytes| bytes.len() <= ENTRY_BYTES_MAX)?;
        serde_json::from_slice(bytes).ok()
    }

    /// The values that it changed: `qa.retry_attempts: 7 -> 2; qa.recovery_timeout: 300 -> 30`.
    #[must_use]
    pub fn differences_text(&self) -> String {
        self.differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

/// What would become of a change, before anything has.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What is to be written down first.
    pub entry: Entry,
    /// What is in force then.
    next: Option<Layers>,
}

/// The configuration in force, and how it came to be.
#[derive(Clone, Debug)]
pub struct Trail {
    layers: Layers,
    version: u32,
    entries: Vec<Entry>,
}

impl Trail {
    /// A trail that begins with this configuration.
    #[must_use]
    pub fn new(layers: Layers) -> Trail {
        Trail { layers, version: 0, entries: Vec::new() }
    }

    /// The trail that these files make, in their order, and how many of them say nothing: those that
    /// cannot be read, that are not next, or whose change does not come to what they say.
    #[must_use]
    pub fn restore<'a>(layers: Layers, files: impl IntoIterator<Item = &'a [u8]>) -> (Trail, u32) {
        let mut trail = Trail::new(layers);
        let mut damaged = 0;
        for file in files.into_iter().take(ENTRIES_MAX) {
            let fits = Entry::read(file).is_some_and(|entry| {
                let verdict = match entry.outcome {
                    Outcome::RateLimited => trail.turn_away(&entry.change, entry.at, &entry.why),
                    _ => trail.judge(&entry.change, entry.at),
                };
                let fits = verdict.entry == entry;
                if fits {
                    trail.keep(verdict);
                }
                fits
            });
            damaged += u32::from(!fits);
        }
        (trail, damaged)
    }

    /// What is in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.layers.config()
    }

    /// How many changes were applied.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// All entries, the oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether no further change can be written down.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.entries.len() >= ENTRIES_MAX
    }

    /// What became of a change that was asked for before.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| *entry.change.id == *id)
    }

    /// What would become of a change now. Nothing has, until [`Trail::keep`].
    #[must_use]
    pub fn judge(&self, change: &Change, at: Timestamp) -> Verdict {
        let mut entry = self.entry(change, at);
        match applied(&self.layers, change, entry.number) {
            Ok(next) => {
                entry.after = self.version.saturating_add(1);
                entry.differences = differences(self.config(), next.config());
                Verdict { entry, next: Some(next) }
            }
            Err((outcome, why)) => {
                entry.outcome = outcome;
                entry.why = clip(&why).into();
                Verdict { entry, next: None }
            }
        }
    }

    /// The verdict on a change that is not looked at, because of who asks: `why` says what for.
    #[must_use]
    pub fn turn_away(&self, change: &Change, at: Timestamp, why: &str) -> Verdict {
        let (outcome, why) = (Outcome::RateLimited, clip(why).into());
        Verdict { entry: Entry { outcome, why, ..self.entry(change, at) }, next: None }
    }

    /// The next entry, of a change that changes nothing.
    fn entry(&self, change: &Change, at: Timestamp) -> Entry {
        Entry {
            number: u32::try_from(self.entries.len()).unwrap_or(u32::MAX).saturating_add(1),
            change: change.clone(),
            at,
            outcome: Outcome::Applied,
            why: "".into(),
            before: self.version,
            after: self.version,
            differences: Vec::new(),
        }
    }

    /// Has a verdict of [`Trail::judge`] hold, which must be that of the next entry.
    pub fn keep(&mut self, verdict: Verdict) {
        if let Some(layers) = verdict.next {
            self.layers = layers;
            self.version = verdict.entry.after;
        }
        self.entries.push(verdict.entry);
    }
}

/// What a change would come to, or why it does not.
fn applied(layers: &Layers, change: &Change, number: u32) -> Result<Layers, (Outcome, String)> {
    let (name, text, form, speaker) = match &change.what {
        What::File { name, text } => (name.to_string(), text, Form::of(name), Speaker::File),
        What::Settings(text) => {
            let speaker = Speaker::Change { by: Arc::clone(&change.by), number: number.into() };
            (format!("change {}", change.id), text, Form::Json, speaker)
        }
    };
    let reading = read(&name, text, form, &speaker);
    let wrong = reading.problems.iter().filter(|problem| !problem.is_warning).cloned();
    let refused = Refused { problems: wrong.collect() };
    if !refused.problems.is_empty() {
        return Err((Outcome::Refused, refused.to_string()));
    }
    let mut next = layers.clone();
    let taken = match &change.what {
        What::File { .. } => next.replace_file(&name, text),
        What::Settings(_) => next.change(reading),
    };
    taken.map(|_| next).map_err(|refused| (Outcome::RolledBack, refused.to_string()))
}

/// The beginning of a text that may be too long.
fn clip(text: &str) -> &str {
    let end = (0..=text.len().min(WHY_BYTES_MAX)).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

impl Config {
    /// The operations that are known, [`DEFAULT`] first: those of the source project, those that
    /// something is said of, and those that were registered.
    #[must_use]
    pub fn known(&self) -> Vec<&str> {
        let names: BTreeSet<&str> =
            OPERATIONS.into_iter().chain(self.operations().map(|(name, _)| name)).collect();
        std::iter::once(DEFAULT).chain(names.into_iter().filter(|name| *name != DEFAULT)).collect()
    }

    /// Where what holds for an operation comes from, each source once, the weakest first.
    #[must_use]
    pub fn origins(&self, operation: &str) -> String {
        let scope = self.scope(operation);
        let mut origins: Vec<&Origin> = Vec::new();
        for said in Field::ALL.into_iter().filter_map(|field| scope.why(field).next_back()) {
            if !origins.contains(&&said.origin) {
                origins.push(&said.origin);
            }
        }
        origins.sort_by_key(|origin| origin.layer());
        origins.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// Every value in which two configurations differ; operations that have what all have are left out.
fn differences(before: &Config, after: &Config) -> Vec<Difference> {
    let known = before.operations().chain(after.operations()).map(|(name, _)| name);
    let known: BTreeSet<&str> = known.filter(|name| *name != DEFAULT).collect();
    let mut all = Vec::new();
    for operation in std::iter::once(DEFAULT).chain(known) {
        let (was, is): (&Tuning, &Tuning) =
            (before.operation(operation), after.operation(operation));
        for field in Field::ALL.into_iter().filter(|field| field.of(was) != field.of(is)) {
            all.push(Difference {
                key: format!("{operation}.{field}"),
                before: field.of(was).to_string(),
                after: field.of(is).to_string(),
            });
        }
    }
    all
}

#[cfg(test)]
mod tests;
