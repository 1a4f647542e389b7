//! What the trail says to whoever reads it, against what operators were told.

use std::{collections::BTreeMap, rc::Rc};

use crate::stack::ConfigEvent;

/// What was answered, and what was read.
#[derive(Default)]
pub(super) struct Reading {
    /// What operators were told, in the order of the telling.
    answered: Vec<Answered>,
    /// Every entry that was read, by its number: a trail only grows.
    entries: BTreeMap<u32, (Rc<str>, &'static str)>,
    /// The reading that is under way.
    now: Option<Now>,
    /// Changes that are in force: the version that each made, and since when, in nanoseconds.
    in_force: BTreeMap<Rc<str>, (u32, u64)>,
    /// The longest trail that was read, by whom and when.
    longest: Option<(u32, Rc<str>, u64)>,
}

/// How long what a reader is told may have been on its way, in nanoseconds: 60 s, several times what
/// anybody waits for an answer.
const ON_ITS_WAY: u64 = 60_000_000_000;

/// What an operator was told of a change.
struct Answered {
    change: Rc<str>,
    by: Rc<str>,
    outcome: &'static str,
    version: u32,
}

/// A trail as one reader reads it.
struct Now {
    reader: Rc<str>,
    at: u64,
    left: u32,
    /// What was read so far: the change, who asked, the outcome, the version after.
    read: Vec<(Rc<str>, Rc<str>, &'static str, u32)>,
    /// What each value is by now.
    values: BTreeMap<String, String>,
}

impl Reading {
    /// An operator was told what came of a change; what is wrong with that.
    pub(super) fn answered(
        &mut self,
        change: &Rc<str>,
        by: &Rc<str>,
        outcome: &'static str,
        version: u32,
    ) -> Option<String> {
        let before = self.answered.iter().find(|it| it.change == *change);
        let failure = before.filter(|it| (it.outcome, it.version) != (outcome, version)).map(|it| {
            format!(
                "{change} was answered with {} as version {}, and with {outcome} as version {version}",
                it.outcome, it.version
            )
        });
        if before.is_none() {
            let (change, by) = (Rc::clone(change), Rc::clone(by));
            self.answered.push(Answered { change, by, outcome, version });
        }
        failure
    }

    /// A change is in force.
    pub(super) fn in_force(&mut self, at: u64, change: &Rc<str>, version: u32) {
        self.in_force.insert(Rc::clone(change), (version, at));
    }

    /// Somebody reads a trail of so many entries.
    pub(super) fn begin(&mut self, at: u64, reader: &Rc<str>, entries: u32) -> Option<String> {
        let torn = self.now.take().map(|now| format!("what {} read is not whole", now.reader));
        let (read, values) = (Vec::new(), BTreeMap::new());
        self.now = Some(Now { reader: Rc::clone(reader), at, left: entries, read, values });
        torn.or_else(|| self.shorter(at, reader, entries)).or_else(|| self.complete())
    }

    /// A trail only grows. What two readers are told may overtake each other.
    fn shorter(&mut self, at: u64, reader: &Rc<str>, entries: u32) -> Option<String> {
        let longest = self.longest.as_ref();
        let failure =
            longest.filter(|(_, by, then)| by == reader || then.saturating_add(ON_ITS_WAY) <= at);
        let failure = failure.filter(|(most, ..)| entries < *most).map(|(most, by, _)| {
            format!("{reader} read {entries} entries, and {by} had read {most}")
        });
        if longest.is_none_or(|(most, ..)| entries >= *most) {
            self.longest = Some((entries, Rc::clone(reader), at));
        }
        failure
    }

    /// The next entry; what is wrong with it, or with the whole if it is the last.
    pub(super) fn entry(&mut self, event: &ConfigEvent) -> Option<String> {
        let ConfigEvent::EntryRead {
            entry, change, by, outcome, before, after, differences, ..
        } = event
        else {
            return None;
        };
        let Some(now) = &mut self.now else { return Some("an entry that nobody reads".into()) };
        now.left = now.left.saturating_sub(1);
        let number = u32::try_from(now.read.len()).unwrap_or(u32::MAX).saturating_add(1);
        let version = now.read.last().map_or(0, |(.., version)| *version);
        let grows = u32::from(*outcome == "applied");
        let known = self.entries.insert(*entry, (Rc::clone(change), outcome));
        let failure = if *entry != number {
            Some(format!("entry {entry} stands where {number} should"))
        } else if *before != version || *after != version.saturating_add(grows) {
            Some(format!(
                "entry {entry} ({outcome}) goes from version {before} to {after}, after {version}"
            ))
        } else if known.as_ref().is_some_and(|(it, was)| (it, was) != (change, outcome)) {
            Some(format!("entry {entry} was read before, and was another"))
        } else if now.read.iter().any(|(other, ..)| other == change) {
            Some(format!("entry {entry} is of {change}, which has one"))
        } else {
            chain(&mut now.values, differences)
                .map(|wrong| format!("entry {entry} does not go on where it stopped: {wrong}"))
        };
        now.read.push((Rc::clone(change), Rc::clone(by), outcome, *after));
        failure.or_else(|| self.complete())
    }

    /// What is wrong with a trail that was read to its end.
    fn complete(&mut self) -> Option<String> {
        let now = self.now.take_if(|now| now.left == 0)?;
        let mut places: BTreeMap<&Rc<str>, usize> = BTreeMap::new();
        for it in &self.answered {
            let Answered { change, by, outcome, version } = it;
            let found = now.read.iter().position(|(other, ..)| other == change);
            let Some((place, (_, its, was, after))) =
                found.and_then(|place| Some((place, now.read.get(place)?)))
            else {
                return Some(format!("{change} was answered, and is not in the trail"));
            };
            if (its, was, after) != (by, outcome, version) {
                return Some(format!(
                    "{change} was answered with {outcome} as version {version}; \
                     the trail says {was} by {its} as version {after}"
                ));
            }
            if places.insert(by, place).is_some_and(|earlier| earlier > place) {
                return Some(format!(
                    "{change} stands before a change that was answered before it"
                ));
            }
        }
        // Whether or not anybody was answered.
        let last = now.read.last().map_or(0, |(.., version)| *version);
        self.in_force.iter().find_map(|(change, (version, since))| {
            let is_due = *version <= last || since.saturating_add(ON_ITS_WAY) <= now.at;
            let stands = |(other, _, was, after): &(Rc<str>, Rc<str>, &str, u32)| {
                other == change && *was == "applied" && after == version
            };
            (is_due && !now.read.iter().any(stands)).then(|| {
                format!("{change} is in force as version {version}, and is not in the trail")
            })
        })
    }
}

/// Changes values as `key: before -> after; …` says; what does not fit them.
fn chain(values: &mut BTreeMap<String, String>, differences: &str) -> Option<String> {
    for difference in differences.split("; ").filter(|it| !it.is_empty()) {
        let parts = difference.split_once(": ");
        let parts = parts.and_then(|(key, change)| Some((key, change.split_once(" -> ")?)));
        let Some((key, (before, after))) = parts else {
            return Some(format!("{difference} says nothing"));
        };
        // An operation that had nothing of its own meanwhile had what all have.
        let field = key.rsplit_once('.').map_or(key, |(_, field)| field);
        let of_all = values.get(&format!("default.{field}")).is_some_and(|value| value == before);
        match values.insert(key.to_owned(), after.to_owned()) {
            Some(was) if was != before && !of_all => {
                return Some(format!("{difference}, and it was {was}"));
            }
            _ => {}
        }
    }
    None
}
