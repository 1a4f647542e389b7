//! Events and who waits for them.

use super::*;
use crate::stack::sidecar::events::Delivery;

fn wait(query: &str) -> Request {
    get(&format!("/api/events/wait/done?{query}"), &rust())
}

/// Goes on behind the answer of this number.
fn behind(number: usize, query: &'static str) -> impl Fn(&Seen) -> Request {
    move |seen| wait(&format!("{query}&since={}", text(seen, number, "next_cursor")))
}

#[test]
fn who_waits_is_answered_by_the_event_or_by_the_time() {
    let script = vec![
        step(0, wait("timeout=1000")),
        step(100, event(1)),
        step(
            100,
            post(
                "/api/events/done",
                &stranger(),
                &json!({
                    "publisher": "rust-1", "topic": "testing", "data": { "n": 9 },
                }),
            ),
        ),
        then(200, behind(0, "timeout=500")),
        step(
            300,
            post(
                "/api/events/other",
                &rust(),
                &json!({
                    "publisher": "rust-1", "topic": "testing", "data": { "n": 8 },
                }),
            ),
        ),
        then(800, behind(3, "timeout=0")),
        step(900, wait("timeout=200&filter=n:7")),
        step(950, event(6)),
        step(1_000, event(7)),
        step(1_200, get("/status", &rust())),
    ];
    let played = play(settings(), vec![], script);
    let page = played.json(0);
    assert_eq!((numbers(&page), page.get("timeout")), (vec![1], None));
    assert_eq!(page["events"][0]["project_id"], "shop");
    assert!((101..=105).contains(&played.at(0)));
    let published = played.json(1);
    assert_eq!(played.status(1), 202);
    assert_eq!(
        (&published["event_id"], &published["subscribers_notified"]),
        (&page["events"][0]["id"], &json!(["rust-1"]))
    );
    assert_eq!(played.json(2)["subscriber_count"], 0, "nobody of another project");
    assert_eq!((played.json(3)["timeout"].clone(), played.at(3)), (true.into(), 700));
    assert_eq!(numbers(&played.json(3)), <[u64; 0]>::default());
    assert_eq!((played.json(5)["timeout"].clone(), played.at(5)), (true.into(), 800));
    assert_eq!(numbers(&played.json(6)), [7]);
    assert_eq!(played.json(9)["events"]["active_subscriptions"], 2);
    let started = played.named("subscription_started");
    assert_eq!(started.len(), 2);
    assert_eq!(
        (&started[1]["filter"], &started[1]["delivery"]),
        (&"n:7".into(), &"at_least_once".into())
    );
}

#[test]
fn what_is_not_acknowledged_is_delivered_again() {
    let script = || {
        vec![
            step(0, wait("timeout=1000")),
            step(10, event(1)),
            // The answer was lost, says who asks so again.
            step(100, wait("timeout=39000")),
            then(40_000, behind(2, "timeout=60000")),
            step(110_000, event(2)),
        ]
    };
    let played = play(settings(), vec![], script());
    assert_eq!(numbers(&played.json(0)), [1]);
    assert_eq!(numbers(&played.json(2)), [1], "once more");
    assert!((30_000..30_020).contains(&played.at(2)), "{}", played.at(2));
    assert_eq!((played.json(3)["timeout"].clone(), played.at(3)), (true.into(), 100_000));
    assert!(played.outcome.ended_at.as_nanos() < 111_000_000_000, "no timer is left");
    let once = settings::Sidecar { delivery: Delivery::AtMostOnce, ..settings() };
    let played = play(once, vec![], script());
    assert_eq!(numbers(&played.json(0)), [1]);
    assert_eq!(played.json(2)["timeout"], true, "never twice");
}

#[test]
fn a_newer_wait_takes_the_place_of_the_older() {
    let script = vec![
        step(0, wait("timeout=9000")),
        step(100, wait("timeout=9000")),
        step(200, event(1)),
        // A cursor of the past brings what is behind it at once, whatever is under way.
        then(300, behind(0, "timeout=9000")),
    ];
    let mut script = script;
    script[3] = then(300, |seen| {
        let cursor = text(seen, 1, "next_cursor");
        let (epoch, _) = cursor.split_once('.').unwrap();
        wait(&format!("timeout=9000&since={epoch}.0"))
    });
    let played = play(settings(), vec![], script);
    assert_eq!((played.json(0)["timeout"].clone(), played.at(0)), (true.into(), 100));
    assert_eq!(numbers(&played.json(1)), [1]);
    assert_eq!((numbers(&played.json(3)), played.at(3)), (vec![1], 300));
}

#[test]
fn a_restart_is_told_at_once() {
    let crash = Fault::crash("sidecar").at(Duration::from_secs(1)).lasting(Duration::from_secs(1));
    let script = vec![
        step(0, wait("timeout=500")),
        step(100, event(1)),
        then(3_000, behind(0, "timeout=9000")),
        then(3_100, behind(2, "timeout=100")),
        step(3_150, event(2)),
        step(3_300, wait("since=9.9")),
        step(3_300, wait("since=nothing")),
    ];
    let played = play(settings(), vec![crash], script);
    let page = played.json(2);
    assert_eq!((page["restarted"].clone(), played.at(2)), (true.into(), 3_000));
    assert_eq!((numbers(&page), page.get("timeout")), (vec![], None));
    let page = played.json(3);
    assert_eq!((numbers(&page), page.get("restarted")), (vec![2], None));
    assert_ne!(page["events"][0]["id"], played.json(1)["event_id"]);
    assert_eq!(played.refusal(5), (400, "EVT_001"));
    assert_eq!(played.json(6)["details"]["field"], "query.since");
}

#[test]
fn a_full_buffer_drops_the_oldest_and_says_so() {
    let bus = crate::stack::sidecar::events::Settings { capacity: 2, ..Default::default() };
    let mut script = vec![step(0, wait("timeout=0"))];
    script.extend((1..=4).map(|n| step(n * 100, event(n))));
    script.push(step(900, wait("timeout=0")));
    script.push(step(900, Request::new(Method::Get, "/health")));
    let played = play(settings::Sidecar { bus, ..settings() }, vec![], script);
    let page = played.json(5);
    assert_eq!((numbers(&page), page["lost"].clone()), (vec![3, 4], 2.into()));
    let dropped = played.named("event_dropped");
    assert_eq!(dropped.len(), 2);
    assert_eq!(dropped[0]["event"], played.json(1)["event_id"]);
    assert_eq!(played.json(6)["checks"]["event_bus"], "full");
}

#[test]
fn the_same_key_is_the_same_event() {
    let keyed = || event(1).header("Idempotency-Key", "k");
    let script = vec![step(0, keyed()), step(100, keyed()), step(200, event(1))];
    let played = play(settings(), vec![], script);
    assert_eq!(played.json(0)["event_id"], played.json(1)["event_id"]);
    assert_ne!(played.json(0)["event_id"], played.json(2)["event_id"]);
}
