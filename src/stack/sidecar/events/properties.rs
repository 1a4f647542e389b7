//! The bus against a list of all events there ever were, under any interleaving.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    super::wire::{EventType, Filter, PublishEvent},
    tests::{at, draft, numbers, project},
    *,
};
use crate::world::Time;

const CAPACITY: usize = 6;
const PROJECTS: [&str; 2] = ["p", "q"];
const PUBLISHERS: [&str; 3] = ["a", "b", "c"];
const TYPES: [&str; 2] = ["done", "failed"];

/// An event as a list has it.
struct Known {
    number: u64,
    project: &'static str,
    event_type: &'static str,
    expires: Time,
    is_kept: bool,
}

/// A reader of `p`, of one type of event or all.
struct Follower {
    only: Option<&'static str>,
    /// Up to which number it has everything.
    read: u64,
    ticket: u64,
    parked: bool,
    cursor: Option<Cursor>,
}

#[derive(Default)]
struct Model {
    events: Vec<Known>,
}

impl Model {
    fn expire(&mut self, now: Time) {
        for event in self.events.iter_mut().filter(|event| event.expires <= now) {
            event.is_kept = false;
        }
    }

    fn make_room(&mut self) {
        while self.events.iter().filter(|event| event.is_kept).count() >= CAPACITY {
            if let Some(oldest) = self.events.iter_mut().find(|event| event.is_kept) {
                oldest.is_kept = false;
            }
        }
    }

    /// What of `p` a reader has still to come.
    fn ahead(&self, only: Option<&str>, read: u64, limit: usize) -> Vec<u64> {
        let wanted = |event: &&Known| {
            event.is_kept
                && event.project == "p"
                && event.number > read
                && only.is_none_or(|only| only == event.event_type)
        };
        self.events.iter().filter(wanted).map(|event| event.number).take(limit).collect()
    }

    fn published(&self, only: Option<&str>) -> u64 {
        let wanted = |event: &&Known| {
            event.project == "p" && only.is_none_or(|only| only == event.event_type)
        };
        self.events.iter().filter(wanted).count() as u64
    }
}

fn filter(only: Option<&str>) -> Filter {
    only.map_or_else(Filter::default, |only| Filter::default().of_type(&EventType::made(only)))
}

/// Looks at one batch: in order, of one project, with the data that was published.
fn looks_right(batch: &Batch) -> Result<(), TestCaseError> {
    prop_assert!(numbers(batch).is_sorted_by(|a, b| a < b));
    prop_assert!(batch.events.is_sorted_by(|a, b| a.cursor < b.cursor));
    prop_assert!(batch.events.last().is_none_or(|last| last.cursor <= batch.next));
    prop_assert!(batch.events.iter().all(|it| it.event.project_id == Some(project("p"))));
    Ok(())
}

proptest! {
    /// A reader with a cursor gets every event that it wants and that is kept when it asks, each
    /// once and in order, and is called for the next one if there is none.
    #[test]
    fn readers_with_cursors_get_everything(
        steps in prop::collection::vec((0_u8..8, 0_usize..12, 1_u32..9), 1..120),
    ) {
        let mut bus = Bus::new(Settings { capacity: CAPACITY, ..Settings::default() }, 1);
        let mut model = Model::default();
        let reader = |ticket, only| Follower { only, read: 0, ticket, parked: false, cursor: None };
        let mut readers = [reader(1, None), reader(2, Some("done")), reader(3, Some("failed"))];
        let mut seconds = 0;
        let mut ids = std::collections::BTreeSet::new();
        for (what, which, ttl) in steps {
            let now = at(seconds);
            model.expire(now);
            match what {
                0..=3 => {
                    let (name, publisher) = (PROJECTS[which % 2], PUBLISHERS[which % 3]);
                    let event_type = TYPES[which / 6];
                    let number = model.events.len() as u64 + 1;
                    let it = draft(publisher, event_type, number);
                    let it = PublishEvent { ttl_seconds: ttl, ..it };
                    model.make_room();
                    let expires = now + Duration::from_secs(ttl.into());
                    model.events.push(Known { number, project: name, event_type, expires, is_kept: true });
                    let published = bus.publish(now, Timestamp::UNIX_EPOCH, &project(name), it);
                    prop_assert!(ids.insert(published.event.id.clone()));
                    let woken: BTreeMap<u64, Batch> =
                        published.woken.into_iter().map(|it| (it.ticket, it.batch)).collect();
                    for reader in &mut readers {
                        let wants = name == "p" && reader.only.is_none_or(|it| it == event_type);
                        prop_assert_eq!(woken.contains_key(&reader.ticket), reader.parked && wants);
                        if let Some(batch) = woken.get(&reader.ticket) {
                            looks_right(batch)?;
                            prop_assert_eq!(numbers(batch), [number]);
                            (reader.read, reader.parked) = (number, false);
                            reader.cursor = Some(batch.next);
                        }
                    }
                }
                4..=6 => {
                    let reader = &mut readers[which % 3];
                    if reader.parked {
                        let batch = bus.unpark(reader.ticket).unwrap();
                        reader.cursor = Some(batch.next);
                        reader.parked = false;
                    }
                    let ask = Ask {
                        project: project("p"),
                        reader: Reader::Cursor { since: reader.cursor, filter: filter(reader.only) },
                        limit: ttl as usize,
                    };
                    let ahead = model.ahead(reader.only, reader.read, usize::MAX);
                    match bus.wait(now, reader.ticket, ask).unwrap() {
                        Wait::Ready(batch) => {
                            looks_right(&batch)?;
                            let expected = model.ahead(reader.only, reader.read, ttl as usize);
                            prop_assert_eq!(numbers(&batch), expected.clone());
                            prop_assert_eq!(batch.more, ahead.len() > expected.len());
                            // The reply may be lost; the cursor is then as it was.
                            if which % 4 > 0 {
                                reader.read = *expected.last().unwrap();
                                reader.cursor = Some(batch.next);
                            }
                        }
                        Wait::Parked { instead_of } => {
                            prop_assert!(ahead.is_empty() && instead_of.is_none());
                            reader.parked = true;
                        }
                    }
                }
                _ => {
                    seconds += u64::from(ttl) / 2;
                    prop_assert_eq!(bus.tick(at(seconds)), []);
                    model.expire(at(seconds));
                }
            }
            prop_assert_eq!(bus.len(), model.events.iter().filter(|it| it.is_kept).count());
            prop_assert_eq!(bus.waiting(), readers.iter().filter(|it| it.parked).count());
        }
    }

    /// A subscriber gets what it was promised, whatever is lost on the way, and what it does not
    /// get is counted.
    #[test]
    fn subscribers_get_what_they_were_promised(
        steps in prop::collection::vec((0_u8..10, 0_usize..12, 1_u32..9), 1..120),
        only in prop::option::of(Just("done")),
        at_most_once in any::<bool>(),
    ) {
        let settings = Settings {
            capacity: CAPACITY,
            redeliver_after: Duration::from_secs(5),
            ..Settings::default()
        };
        let mut bus = Bus::new(settings, 1);
        let mut model = Model::default();
        let delivery = if at_most_once { Delivery::AtMostOnce } else { Delivery::AtLeastOnce };
        let come = Subscribe {
            project: project("p"),
            name: "s".to_owned(),
            filter: filter(only),
            delivery,
            start: Start::Oldest,
        };
        bus.subscribe(at(0), come.clone()).unwrap();
        let (mut seconds, mut done) = (0, 0);
        // Batches that arrived, and until when nothing else may come.
        let mut arrived: Vec<(u64, Cursor)> = Vec::new();
        let mut busy: Option<(u64, u64)> = None;
        let mut waits = false;
        for (what, which, ttl) in steps {
            let now = at(seconds);
            model.expire(now);
            let mut batches = Vec::new();
            match what {
                0..=3 => {
                    let (name, publisher) = (PROJECTS[which % 2], PUBLISHERS[which % 3]);
                    let event_type = TYPES[which / 6];
                    let number = model.events.len() as u64 + 1;
                    let it = draft(publisher, event_type, number);
                    let it = PublishEvent { ttl_seconds: ttl * 3, ..it };
                    model.make_room();
                    let expires = now + Duration::from_secs(u64::from(ttl) * 3);
                    model.events.push(Known { number, project: name, event_type, expires, is_kept: true });
                    let published = bus.publish(now, Timestamp::UNIX_EPOCH, &project(name), it);
                    let wants = name == "p" && only.is_none_or(|it| it == event_type);
                    prop_assert_eq!(published.notified.len(), usize::from(wants));
                    batches.extend(published.woken.into_iter().map(|it| it.batch));
                }
                4 | 5 => {
                    let reader = Reader::Subscription("s".to_owned());
                    let ask = Ask { project: project("p"), reader, limit: ttl as usize };
                    match bus.wait(now, seconds, ask).unwrap() {
                        Wait::Ready(batch) => batches.push(batch),
                        Wait::Parked { instead_of } => {
                            prop_assert_eq!(instead_of.is_some(), waits);
                            let is_free = busy.is_none_or(|(until, _)| seconds >= until);
                            prop_assert!(!is_free || model.ahead(only, done, 1).is_empty());
                            waits = true;
                        }
                    }
                }
                6 | 7 if !arrived.is_empty() => {
                    let (last, cursor) = arrived[which % arrived.len()];
                    done = done.max(last);
                    // The rest of what is under way stays under way.
                    busy = busy.filter(|(_, sent)| done < *sent);
                    batches.extend(bus.ack(now, &project("p"), "s", cursor).unwrap().into_iter().map(|it| it.batch));
                }
                8 => {
                    let back = bus.subscribe(now, come.clone()).unwrap();
                    prop_assert!(back.resumed);
                    (busy, waits) = (None, false);
                }
                _ => {
                    seconds += u64::from(ttl) / 2;
                    model.expire(at(seconds));
                    batches.extend(bus.tick(at(seconds)).into_iter().map(|it| it.batch));
                }
            }
            prop_assert!(batches.len() <= 1);
            for batch in batches {
                looks_right(&batch)?;
                waits = bus.waiting() > 0;
                prop_assert!(busy.is_none_or(|(until, _)| seconds >= until), "one batch at a time");
                let got = numbers(&batch);
                let expected = model.ahead(only, done, got.len());
                prop_assert_eq!(&got, &expected, "from the last acknowledgement on, without a gap");
                let last = *got.last().unwrap();
                if at_most_once {
                    done = last;
                } else {
                    busy = Some((seconds + 5, last));
                    if which % 3 > 0 {
                        arrived.push((last, batch.next));
                    }
                }
            }
            let tally = bus.tally(&project("p"), "s").unwrap();
            let ahead = model.ahead(only, done, usize::MAX).len() as u64;
            prop_assert_eq!(
                tally.acknowledged + tally.lost + tally.expired + ahead,
                model.published(only)
            );
            if at_most_once {
                prop_assert_eq!((tally.redelivered, tally.delivered), (0, tally.acknowledged));
            }
        }
    }
}
