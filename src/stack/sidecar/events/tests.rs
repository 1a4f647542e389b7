//! Tests of the event bus, at its boundaries.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::{
    super::wire::{AgentId, EventType, Filter, ProjectId, PublishEvent, RequestId, Topic},
    *,
};
use crate::world::Time;

pub(super) fn at(seconds: u64) -> Time {
    Time::from_nanos(seconds * 1_000_000_000)
}

/// For how long an event is kept if its publisher does not say.
const TTL_SECONDS: u32 = 86_400;

pub(super) fn draft(publisher: &str, event_type: &str, n: u64) -> PublishEvent {
    PublishEvent {
        event_type: EventType::made(event_type),
        publisher: AgentId::made(publisher),
        topic: Topic::Testing,
        data: json!({ "n": n }),
        correlation_id: None,
        project_id: None,
        ttl_seconds: TTL_SECONDS,
        key: None,
    }
}

pub(super) fn project(name: &str) -> ProjectId {
    ProjectId::made(name)
}

pub(super) fn bus(capacity: usize) -> Bus {
    Bus::new(Settings { capacity, ..Settings::default() }, 1)
}

pub(super) fn numbers(batch: &Batch) -> Vec<u64> {
    batch.events.iter().filter_map(|it| it.event.data["n"].as_u64()).collect()
}

fn say(bus: &mut Bus, now: u64, n: u64) -> Published {
    publish(bus, now, draft("a", "done", n))
}

fn publish(bus: &mut Bus, now: u64, new: PublishEvent) -> Published {
    bus.publish(at(now), Timestamp::UNIX_EPOCH, &project("p"), new)
}

fn filter(text: &str) -> Filter {
    Filter::read(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn cursor_ask(since: Option<Cursor>, filter: Filter, limit: usize) -> Ask {
    Ask { project: project("p"), reader: Reader::Cursor { since, filter }, limit }
}

/// A reader with a cursor that takes what there is.
fn read(bus: &mut Bus, now: u64, since: Option<Cursor>, limit: usize) -> Batch {
    match bus.wait(at(now), 999, cursor_ask(since, Filter::default(), limit)) {
        Ok(Wait::Ready(batch)) => batch,
        Ok(Wait::Parked { .. }) => bus.unpark(999).unwrap_or_else(|| panic!("not parked")),
        Err(error) => panic!("{error}"),
    }
}

fn subscribe(bus: &mut Bus, now: u64, delivery: Delivery, start: Start) -> Subscribed {
    let it = Subscribe {
        project: project("p"),
        name: "s".to_owned(),
        filter: Filter::default(),
        delivery,
        start,
    };
    bus.subscribe(at(now), it).unwrap_or_else(|error| panic!("{error}"))
}

fn ask(limit: usize) -> Ask {
    Ask { project: project("p"), reader: Reader::Subscription("s".to_owned()), limit }
}

/// What a subscriber gets, or nothing.
fn fetch(bus: &mut Bus, now: u64, limit: usize) -> Option<Batch> {
    match bus.wait(at(now), 998, ask(limit)) {
        Ok(Wait::Ready(batch)) => Some(batch),
        Ok(Wait::Parked { .. }) => {
            bus.unpark(998);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_defaults_are_the_sidecars() {
    let settings = Settings::default();
    assert_eq!((settings.capacity, settings.batch), (10_000, 100));
    assert_eq!(settings.retention, Duration::from_secs(86_400));
    assert_eq!(settings.redeliver_after, Duration::from_secs(30));
}

#[test]
fn a_cursor_reads_everything_once_and_the_same_again() {
    let mut bus = bus(10);
    assert!(bus.is_empty());
    for n in 1..=5 {
        assert_eq!(say(&mut bus, 0, n).cursor.to_string(), format!("1.{n}"));
    }
    assert_eq!((bus.len(), bus.is_empty()), (5, false));
    let first = read(&mut bus, 0, None, 2);
    assert_eq!((numbers(&first), first.more, first.lost), (vec![1, 2], true, 0));
    assert_eq!(first.next, first.events[1].cursor);
    let second = read(&mut bus, 0, Some(first.next), 3);
    assert_eq!((numbers(&second), second.more), (vec![3, 4, 5], false));
    assert_eq!(numbers(&read(&mut bus, 0, Some(first.next), 3)), [3, 4, 5]);
    assert_eq!(numbers(&read(&mut bus, 0, Some(first.events[0].cursor), 1)), [2]);
    let end = read(&mut bus, 0, Some(second.next), 3);
    assert_eq!((end.events.len(), end.next, end.more), (0, second.next, false));
    assert_eq!(numbers(&read(&mut bus, 0, None, 0)), [1], "a limit of 0 is one of 1");
}

#[test]
fn a_limit_is_no_more_than_a_batch() {
    let mut bus = Bus::new(Settings { batch: 2, ..Settings::default() }, 1);
    for n in 1..=3 {
        say(&mut bus, 0, n);
    }
    assert_eq!(numbers(&read(&mut bus, 0, None, 9)), [1, 2]);
}

#[test]
fn publishing_wakes_who_waits_for_it() {
    let mut bus = bus(10);
    let wait = bus.wait(at(0), 1, cursor_ask(None, filter("event_type:done"), 9));
    assert_eq!(wait, Ok(Wait::Parked { instead_of: None }));
    let wait = bus.wait(at(0), 2, cursor_ask(None, filter("event_type:other"), 9));
    assert_eq!(wait, Ok(Wait::Parked { instead_of: None }));
    let other = Ask { project: project("q"), ..cursor_ask(None, Filter::default(), 9) };
    assert!(bus.wait(at(0), 3, other).is_ok());
    assert_eq!(bus.waiting(), 3);
    let woken = say(&mut bus, 0, 7).woken;
    assert_eq!(woken.len(), 1);
    assert_eq!((woken[0].ticket, numbers(&woken[0].batch)), (1, vec![7]));
    assert_eq!(say(&mut bus, 0, 8).woken, [], "it was answered");
    // The other one passed what it does not want.
    let end = bus.unpark(2).unwrap();
    assert_eq!((end.events.len(), end.next.to_string().as_str(), end.lost), (0, "1.2", 0));
    assert_eq!(bus.unpark(2), None);
    assert_eq!(bus.unpark(3).unwrap().next.to_string(), "1.0", "nothing of another project");
    assert_eq!(bus.waiting(), 0);
}

#[test]
fn who_waits_is_told_what_it_lost_while_it_did() {
    let mut bus = bus(1);
    say(&mut bus, 0, 1);
    let wait = bus.wait(at(0), 1, cursor_ask(None, filter("n:3"), 9));
    assert_eq!(wait, Ok(Wait::Parked { instead_of: None }));
    say(&mut bus, 0, 2);
    let woken = say(&mut bus, 0, 3).woken;
    assert_eq!((numbers(&woken[0].batch), woken[0].batch.lost), (vec![3], 0), "it had seen them");
    let late = bus.wait(at(0), 1, cursor_ask(None, filter("n:4"), 9));
    assert_eq!(late, Ok(Wait::Parked { instead_of: None }));
    assert_eq!(say(&mut bus, 0, 4).woken[0].batch.lost, 2, "1 and 2 were gone before it came");
}

#[test]
fn the_oldest_goes_when_the_buffer_is_full() {
    let mut bus = bus(3);
    subscribe(&mut bus, 0, Delivery::AtLeastOnce, Start::Now);
    for n in 1..=3 {
        assert!(say(&mut bus, 0, n).dropped.is_empty());
    }
    assert_eq!(bus.tally(&project("p"), "s").unwrap().lost, 0);
    let gone = |published: Published| {
        let numbers = published.dropped.iter().map(|it| it.data["n"].as_u64());
        numbers.collect::<Option<Vec<_>>>().unwrap()
    };
    assert_eq!(gone(say(&mut bus, 0, 4)), [1]);
    assert_eq!(gone(say(&mut bus, 0, 5)), [2]);
    assert_eq!(bus.len(), 3);
    let batch = read(&mut bus, 0, None, 9);
    assert_eq!((numbers(&batch), batch.lost), (vec![3, 4, 5], 2));
    let part = read(&mut bus, 0, None, 1);
    assert_eq!((numbers(&part), part.lost), (vec![3], 2));
    let rest = read(&mut bus, 0, Some(part.next), 9);
    assert_eq!((numbers(&rest), rest.lost), (vec![4, 5], 0));
    let batch = fetch(&mut bus, 0, 9).unwrap();
    assert_eq!((numbers(&batch), batch.lost), (vec![3, 4, 5], 2));
    // Under way and not acknowledged is not read yet; acknowledged is.
    bus.ack(at(0), &project("p"), "s", batch.events[1].cursor).unwrap();
    say(&mut bus, 0, 6);
    say(&mut bus, 0, 7);
    assert_eq!(bus.tally(&project("p"), "s").unwrap().lost, 2);
    say(&mut bus, 0, 8);
    let tally = bus.tally(&project("p"), "s").unwrap();
    assert_eq!((tally.lost, tally.acknowledged, tally.delivered), (3, 2, 3));
    let mut least = Bus::new(Settings { capacity: 0, ..Settings::default() }, 1);
    say(&mut least, 0, 1);
    assert_eq!(gone(say(&mut least, 0, 2)), [1]);
    assert_eq!(least.len(), 1);
}

#[test]
fn an_event_is_over_when_its_time_is() {
    let mut bus = bus(10);
    subscribe(&mut bus, 0, Delivery::AtLeastOnce, Start::Now);
    publish(&mut bus, 0, PublishEvent { ttl_seconds: 5, ..draft("a", "done", 1) });
    publish(&mut bus, 0, PublishEvent { ttl_seconds: 86_401, ..draft("a", "done", 2) });
    assert!(bus.bytes() > 0);
    let just_before = Time::from_nanos(4_999_999_999);
    let wait = bus.wait(just_before, 1, cursor_ask(None, Filter::default(), 9)).unwrap();
    let Wait::Ready(batch) = wait else { panic!("{wait:?}") };
    assert_eq!(numbers(&batch), [1, 2]);
    let batch = read(&mut bus, 5, None, 9);
    assert_eq!((numbers(&batch), batch.lost), (vec![2], 1));
    let tally = bus.tally(&project("p"), "s").unwrap();
    assert_eq!((tally.expired, tally.lost), (1, 0));
    assert_eq!(numbers(&read(&mut bus, 86_399, None, 9)), [2]);
    assert!(read(&mut bus, 86_400, None, 9).events.is_empty(), "kept for a day at most");
    assert!(bus.is_empty());
    assert_eq!(bus.bytes(), 0);
}

#[test]
fn at_least_once_comes_again_until_it_is_acknowledged() {
    let mut bus = bus(10);
    let from = subscribe(&mut bus, 0, Delivery::AtLeastOnce, Start::Now);
    assert_eq!((from.resumed, from.restarted, from.at.to_string().as_str()), (false, false, "1.0"));
    for n in 1..=3 {
        assert_eq!(say(&mut bus, 0, n).notified, ["s"]);
    }
    let batch = fetch(&mut bus, 0, 2).unwrap();
    assert_eq!((numbers(&batch), batch.more), (vec![1, 2], true));
    assert_eq!(fetch(&mut bus, 29, 9), None, "one batch at a time");
    let again = fetch(&mut bus, 30, 9).unwrap();
    assert_eq!(numbers(&again), [1, 2, 3]);
    let tally = bus.tally(&project("p"), "s").unwrap();
    assert_eq!((tally.delivered, tally.redelivered, tally.acknowledged), (5, 2, 0));
    // An acknowledgement of a part.
    assert_eq!(bus.ack(at(31), &project("p"), "s", batch.next), Ok(vec![]));
    assert_eq!(fetch(&mut bus, 59, 9), None);
    let rest = fetch(&mut bus, 60, 9).unwrap();
    assert_eq!(numbers(&rest), [3]);
    assert_eq!(bus.ack(at(60), &project("p"), "s", rest.next), Ok(vec![]));
    assert_eq!(
        bus.ack(at(60), &project("p"), "s", batch.next),
        Ok(vec![]),
        "late, and nothing new"
    );
    assert_eq!(fetch(&mut bus, 200, 9), None);
    assert_eq!(bus.tally(&project("p"), "s").unwrap().acknowledged, 3);
    let beyond = Cursor { offset: rest.next.offset + 1, ..rest.next };
    assert_eq!(bus.ack(at(60), &project("p"), "s", beyond), Err(AckError::NotDelivered));
    let elsewhen = Cursor { epoch: 0, ..rest.next };
    assert_eq!(bus.ack(at(60), &project("p"), "s", elsewhen), Err(AckError::NotDelivered));
    assert_eq!(bus.ack(at(60), &project("p"), "t", rest.next), Err(AckError::Unknown));
    assert_eq!(bus.ack(at(60), &project("q"), "s", rest.next), Err(AckError::Unknown));
}

#[test]
fn a_late_acknowledgement_of_a_longer_batch_counts() {
    let mut bus = bus(10);
    subscribe(&mut bus, 0, Delivery::AtLeastOnce, Start::Now);
    for n in 1..=3 {
        say(&mut bus, 0, n);
    }
    let long = fetch(&mut bus, 0, 3).unwrap();
    assert_eq!(numbers(&fetch(&mut bus, 30, 1).unwrap()), [1]);
    assert_eq!(bus.ack(at(31), &project("p"), "s", long.next), Ok(vec![]));
    say(&mut bus, 31, 4);
    assert_eq!(numbers(&fetch(&mut bus, 31, 9).unwrap()), [4]);
}

#[test]
fn at_most_once_does_not_come_again() {
    let mut bus = bus(10);
    subscribe(&mut bus, 0, Delivery::AtMostOnce, Start::Now);
    say(&mut bus, 0, 1);
    say(&mut bus, 0, 2);
    assert_eq!(numbers(&fetch(&mut bus, 0, 1).unwrap()), [1]);
    assert_eq!(numbers(&fetch(&mut bus, 0, 1).unwrap()), [2]);
    assert_eq!(fetch(&mut bus, 1_000, 1), None);
    let tally = bus.tally(&project("p"), "s").unwrap();
    assert_eq!((tally.delivered, tally.redelivered, tally.acknowledged), (2, 0, 2));
}

#[test]
fn a_waiting_subscriber_is_called_for_new_acknowledged_and_late() {
    let mut bus = bus(10);
    subscribe(&mut bus, 0, Delivery::AtLeastOnce, Start::Now);
    assert_eq!(bus.wait(at(0), 1, ask(1)), Ok(Wait::Parked { instead_of: None }));
    assert_eq!(bus.next_due(), None);
    let woken = say(&mut bus, 0, 1).woken;
    assert_eq!((woken[0].ticket, numbers(&woken[0].batch)), (1, vec![1]));
    assert_eq!(bus.next_due(), None, "nobody waits");
    assert_eq!(bus.wait(at(1), 2, ask(1)), Ok(Wait::Parked { instead_of: None }));
    assert_eq!(bus.next_due(), Some(at(30)));
    assert_eq!(say(&mut bus, 1, 2).woken, [], "one batch at a time");
    let first = woken[0].batch.next;
    let woken = bus.ack(at(2), &project("p"), "s", first).unwrap();
    assert_eq!((woken[0].ticket, numbers(&woken[0].batch)), (2, vec![2]));
    assert_eq!(bus.wait(at(3), 3, ask(1)), Ok(Wait::Parked { instead_of: None }));
    assert_eq!(bus.wait(at(3), 4, ask(1)), Ok(Wait::Parked { instead_of: Some(3) }));
    assert_eq!(bus.waiting(), 1);
    assert_eq!(bus.next_due(), Some(at(32)));
    assert_eq!(bus.tick(at(31)), []);
    let woken = bus.tick(at(32));
    assert_eq!((woken[0].ticket, numbers(&woken[0].batch)), (4, vec![2]));
    assert_eq!(bus.tick(at(99)), [], "nobody waits");
}

#[test]
fn a_subscriber_comes_back() {
    let mut bus = bus(10);
    for n in 1..=2 {
        say(&mut bus, 0, n);
    }
    subscribe(&mut bus, 0, Delivery::AtLeastOnce, Start::Oldest);
    let batch = fetch(&mut bus, 0, 9).unwrap();
    assert_eq!(numbers(&batch), [1, 2]);
    assert!(bus.wait(at(0), 1, ask(1)).is_ok());
    // Its connection broke: what was under way comes at once.
    let back = subscribe(&mut bus, 1, Delivery::AtLeastOnce, Start::Now);
    assert_eq!((back.resumed, back.at.to_string().as_str()), (true, "1.0"));
    assert_eq!(bus.waiting(), 0);
    assert_eq!(numbers(&fetch(&mut bus, 1, 9).unwrap()), [1, 2]);
    let cursor = Start::Behind(batch.events[0].cursor);
    let back = subscribe(&mut bus, 2, Delivery::AtLeastOnce, cursor);
    assert_eq!(back.at, batch.events[0].cursor);
    assert_eq!(numbers(&fetch(&mut bus, 2, 9).unwrap()), [2]);
    // Never back behind what it acknowledged.
    bus.ack(at(3), &project("p"), "s", batch.next).unwrap();
    assert_eq!(subscribe(&mut bus, 3, Delivery::AtLeastOnce, cursor).at, batch.next);
    assert_eq!(fetch(&mut bus, 3, 9), None);
    // One that wants something else begins anew.
    let other = subscribe(&mut bus, 4, Delivery::AtMostOnce, cursor);
    assert_eq!((other.resumed, other.at), (false, batch.events[0].cursor));
    assert!(bus.wait(at(4), 5, ask(9)).is_ok(), "2 is delivered");
    assert!(bus.wait(at(4), 5, ask(9)).is_ok(), "and now it waits");
    assert_eq!(bus.unsubscribe(&project("p"), "s"), [5]);
    assert_eq!(bus.wait(at(4), 6, ask(9)), Err(WaitError::Unknown));
    assert_eq!(bus.unsubscribe(&project("p"), "s"), <[u64; 0]>::default());
}

#[test]
fn a_subscriber_that_died_is_forgotten_after_the_retention() {
    for used_again in [false, true] {
        let mut bus = bus(10);
        subscribe(&mut bus, 0, Delivery::AtLeastOnce, Start::Now);
        if used_again {
            fetch(&mut bus, 1, 1);
        }
        bus.tick(at(86_399));
        assert!(bus.tally(&project("p"), "s").is_some());
        bus.tick(at(86_400));
        assert_eq!(bus.tally(&project("p"), "s").is_some(), used_again);
    }
}

#[test]
fn a_restart_is_told_and_ids_do_not_repeat() {
    let mut bus = bus(10);
    let before = say(&mut bus, 0, 1);
    assert_eq!(before.event.id.as_str(), "evt-1.1-p");
    let mut bus = Bus::new(Settings::default(), 2);
    let empty = read(&mut bus, 0, Some(before.cursor), 9);
    assert!(empty.restarted && empty.events.is_empty(), "at once, without waiting");
    let after = say(&mut bus, 0, 2);
    assert_ne!(after.event.id, before.event.id);
    let batch = read(&mut bus, 0, Some(before.cursor), 9);
    assert_eq!((numbers(&batch), batch.restarted), (vec![2], true));
    assert!(!read(&mut bus, 0, Some(batch.next), 9).restarted);
    let start = Start::Behind(before.cursor);
    let subscribed = subscribe(&mut bus, 0, Delivery::AtLeastOnce, start);
    assert_eq!((subscribed.restarted, subscribed.at.to_string().as_str()), (true, "2.0"));
    for bad in [Cursor { epoch: 2, offset: 2 }, Cursor { epoch: 3, offset: 0 }] {
        let wait = bus.wait(at(0), 1, cursor_ask(Some(bad), Filter::default(), 9));
        assert_eq!(wait, Err(WaitError::Cursor(BadCursor)), "{bad}");
    }
}

#[test]
fn a_repeated_request_is_one_event() {
    let mut bus = bus(2);
    let once = PublishEvent { key: Some(RequestId::made("r")), ..draft("a", "done", 1) };
    let first = publish(&mut bus, 0, once.clone());
    let again = publish(&mut bus, 1, once.clone());
    assert_eq!((first.repeated, again.repeated, bus.len()), (false, true, 1));
    assert_eq!((&again.event, again.cursor), (&first.event, first.cursor));
    let other = PublishEvent { publisher: AgentId::made("b"), ..once.clone() };
    assert!(!publish(&mut bus, 1, other).repeated);
    let wall = Timestamp::UNIX_EPOCH;
    assert!(!bus.publish(at(1), wall, &project("q"), once.clone()).repeated);
    assert!(!publish(&mut bus, 2, once).repeated, "that was dropped meanwhile");
}

#[test]
fn projects_do_not_see_each_other() {
    let mut bus = bus(10);
    subscribe(&mut bus, 0, Delivery::AtLeastOnce, Start::Now);
    let other = draft("a", "done", 1);
    let other = bus.publish(at(0), Timestamp::UNIX_EPOCH, &project("q"), other);
    assert_eq!((other.notified.len(), other.cursor.to_string().as_str()), (0, "1.1"));
    let batch = read(&mut bus, 0, None, 9);
    assert_eq!((batch.events.len(), batch.lost, batch.next.offset), (0, 0, 0));
    assert_eq!(fetch(&mut bus, 0, 9), None);
    assert_eq!(bus.tally(&project("q"), "s"), None);
    let counts = |name| {
        let counts = bus.counts(&project(name));
        (counts.total_published, counts.active_subscriptions, counts.queue_depth)
    };
    assert_eq!([counts("p"), counts("q"), counts("r")], [(0, 1, 0), (1, 0, 1), (0, 0, 0)]);
}

#[test]
fn filters_match_what_they_say() {
    let mut bus = bus(10);
    let data = json!({ "n": 7, "ok": true, "deep": { "text": "a:b" }, "list": [1], "none": null });
    let correlation_id = Some(RequestId::made("c1"));
    let it = PublishEvent { data, correlation_id, ..draft("a", "done", 0) };
    let event = publish(&mut bus, 0, it).event;
    for (text, matches) in [
        ("event_type:done", true),
        ("event_type:don", false),
        ("publisher:a", true),
        ("publisher:b", false),
        ("topic:testing", true),
        ("topic:security", false),
        ("correlation_id:c1", true),
        ("correlation_id:c2", false),
        ("n:7", true),
        ("data.n:7", true),
        ("n:8", false),
        ("ok:true", true),
        ("ok:false", false),
        ("deep.text:a:b", true),
        ("deep.text:a", false),
        ("deep:a", false),
        ("list:1", false),
        ("none:null", false),
        ("absent:1", false),
        ("event_type:done,n:7", true),
        ("event_type:done,n:8", false),
        ("event_type:other,n:7", false),
    ] {
        assert_eq!(filter(text).matches(&event), matches, "{text}");
    }
    assert!(Filter::default().matches(&event));
    let typed = |event_type| filter("n:7").of_type(&EventType::made(event_type));
    assert!(typed("done").matches(&event));
    assert!(!typed("other").matches(&event));
}

#[test]
fn an_event_is_as_it_was_handed_in() {
    let mut bus = bus(10);
    let correlation_id = Some(RequestId::made("c"));
    let least = PublishEvent { ttl_seconds: 1, correlation_id, ..draft("a", "done", 0) };
    let event = publish(&mut bus, 0, least).event;
    let wire = json!({
        "id": "evt-1.1-p", "event_type": "done", "publisher": "a", "topic": "testing",
        "data": {"n": 0}, "correlation_id": "c", "project_id": "p",
        "timestamp": "1970-01-01T00:00:00Z", "ttl_seconds": 1,
    });
    assert_eq!(serde_json::to_value(&*event).unwrap(), wire);
    // The longest name of a project, too, leaves an id that can be read.
    let long = ProjectId::new(&"x".repeat(128)).unwrap();
    let event = bus.publish(at(0), Timestamp::UNIX_EPOCH, &long, draft("a", "done", 0)).event;
    let wire = serde_json::to_value(&*event).unwrap();
    assert_eq!(serde_json::from_value::<EventView>(wire).unwrap(), *event);
    assert!(event.id.as_str().starts_with("evt-1.1."));
}

#[test]
fn cursors_are_texts() {
    let cursor = Cursor { epoch: 3, offset: 17 };
    assert_eq!((cursor.to_string().as_str(), "3.17".parse()), ("3.17", Ok(cursor)));
    assert_eq!(wire::Cursor::from(cursor).as_str(), "3.17");
    for bad in ["", ".", "3", "3.", ".1", "+3.1", "3.-1", "3.1.2", "a.1", "99999999999999999999.1"]
    {
        assert_eq!(bad.parse::<Cursor>(), Err(BadCursor), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_parsers(text in "\\PC*") {
        let _ = Filter::read(&text);
        let _ = text.parse::<Cursor>();
    }
}
