//! What subscribers are promised.

use super::{Fed, name};
use crate::stack::SidecarEvent;

const PROMISED: &str = "events_as_promised";

impl Fed {
    fn started(self, at_ms: u64, filter: &str, delivery: &'static str, resumed: bool) -> Fed {
        self.see(
            at_ms,
            SidecarEvent::SubscriptionStarted {
                who: name("sub"),
                project: name("p"),
                event_type: name("t"),
                filter: name(filter),
                delivery,
                resumed,
            },
        )
    }

    fn listens(self, at_ms: u64) -> Fed {
        self.started(at_ms, "", "at_least_once", false)
    }

    fn ended(self, at_ms: u64) -> Fed {
        let (who, project, event_type) = (name("sub"), name("p"), name("t"));
        self.see(at_ms, SidecarEvent::SubscriptionEnded { who, project, event_type })
    }

    fn dropped(self, at_ms: u64, event: &str) -> Fed {
        self.see(at_ms, SidecarEvent::EventDropped { project: name("p"), event: name(event) })
    }
}

/// Two events, while somebody listens.
fn two() -> Fed {
    Fed::new().listens(1).published(10, "e1", 1).published(20, "e2", 2)
}

#[test]
fn every_event_comes_at_least_once() {
    two().came(12, "e1", 1).came(22, "e2", 2).came(23, "e2", 2).ended(9_000).holds(PROMISED);
    let failure = two().came(12, "e1", 1).ended(9_000).failure(PROMISED).unwrap();
    let expected = "sub never got event e2 (t of p), published at 0.021s, \
                    though it listened from 0.001s to 9.000s";
    assert_eq!(failure, expected);
}

#[test]
fn there_must_have_been_time_to_deliver_it() {
    // Five seconds after it was published, to a subscriber that had nothing else to do.
    assert!(two().came(10, "e1", 1).ended(5_021).failure(PROMISED).is_some());
    two().came(10, "e1", 1).ended(5_020).holds(PROMISED);
    // One that takes a second for each event has a second more for each.
    let slow = || {
        let fed = two().published(30, "e3", 3).came(12, "e1", 1).came(1_012, "e2", 2);
        fed.published(40, "e4", 4)
    };
    slow().ended(6_022).holds(PROMISED);
    assert!(slow().ended(6_023).failure(PROMISED).is_some());
}

#[test]
fn a_later_one_does_not_overtake_it() {
    let skipped = two().came(22, "e2", 2).ended(30);
    assert!(skipped.failure(PROMISED).unwrap().starts_with("sub never got event e1"));
}

#[test]
fn only_what_was_published_in_between_is_owed() {
    let before = Fed::new().published(10, "e1", 1).listens(12).published(20, "e2", 2);
    before.came(22, "e2", 2).ended(9_000).holds(PROMISED);
    let after = two().came(12, "e1", 1).came(22, "e2", 2).ended(100).published(200, "e3", 3);
    after.ended(9_000).holds(PROMISED);
    // Nothing is owed to somebody of whom nobody knows whether they listen.
    assert_eq!(two().failure(PROMISED), None);
}

#[test]
fn what_a_full_buffer_dropped_is_not_owed() {
    two().dropped(21, "e1").came(22, "e2", 2).ended(9_000).holds(PROMISED);
    // There was room for one, and nothing came after it that would have needed that.
    let excuse = two().came(12, "e1", 1).dropped(21, "e2").ended(9_000).failure(PROMISED);
    assert!(excuse.unwrap().starts_with("sub never got event e2"));
    let more = two().published(30, "e3", 3).dropped(31, "e2");
    more.came(12, "e1", 1).came(32, "e3", 3).ended(9_000).holds(PROMISED);
}

#[test]
fn a_crash_ends_what_was_promised() {
    for node in ["sidecar", "sub"] {
        let crashed = two().came(12, "e1", 1).crashed(25, node);
        crashed
            .listens(100)
            .published(110, "e3", 3)
            .came(112, "e3", 3)
            .ended(9_000)
            .holds(PROMISED);
        // What was published long before it should have come.
        let late = two().came(12, "e1", 1).crashed(8_000, node).listens(8_100).ended(9_000);
        assert!(late.failure(PROMISED).unwrap().starts_with("sub never got event e2"));
        // What comes after it is owed anew.
        let after = two().came(12, "e1", 1).crashed(25, node).listens(100);
        let after = after.published(110, "e3", 3).ended(9_000);
        assert!(after.failure(PROMISED).unwrap().starts_with("sub never got event e3"));
    }
    let other = two().came(12, "e1", 1).crashed(25, "other").ended(9_000);
    assert!(other.failure(PROMISED).is_some());
}

#[test]
fn trouble_on_the_way_gives_it_time() {
    let trouble = || two().came(12, "e1", 1).timed_out(1_000, "sub");
    trouble().ended(60_999).holds(PROMISED);
    assert!(trouble().ended(61_000).failure(PROMISED).is_some());
    // Somebody else's does not, nor one before it subscribed.
    let other = two().came(12, "e1", 1).timed_out(1_000, "other").ended(9_000);
    assert!(other.failure(PROMISED).is_some());
    // Coming back is not beginning anew.
    let resumed = two().came(12, "e1", 1).started(30, "", "at_least_once", true).ended(9_000);
    assert!(resumed.failure(PROMISED).is_some());
}

#[test]
fn at_most_once_is_never_twice() {
    let once = || Fed::new().started(1, "", "at_most_once", false).published(10, "e1", 1);
    once().came(12, "e1", 1).ended(9_000).holds(PROMISED);
    assert_eq!(once().ended(9_000).failure(PROMISED), None);
    let failure = once().came(12, "e1", 1).came(13, "e1", 1).failure(PROMISED).unwrap();
    assert_eq!(failure, "sub got e1 again at 0.013s, and may get it once only");
    // In another life of the sidecar nobody remembers it.
    assert_eq!(
        once().came(12, "e1", 1).crashed(13, "sidecar").came(14, "e1", 1).failure(PROMISED),
        None
    );
}

#[test]
fn who_has_a_filter_gets_what_passes_it() {
    let filtered = || Fed::new().started(1, "a:b", "at_least_once", false).published(10, "e1", 1);
    assert_eq!(filtered().ended(9_000).failure(PROMISED), None, "nobody knows what is in it");
    let of = |filter| {
        let fed = Fed::new().started(1, filter, "at_least_once", false).published(10, "e1", 1);
        fed.ended(9_000).failure(PROMISED)
    };
    assert!(of("publisher:pub").unwrap().starts_with("sub never got event e1"));
    assert_eq!(of("publisher:other"), None);
    assert_eq!(of("publisher:pub,event_type:other"), None);
    assert_eq!(of("publisher:pub,data.a:1"), None);
    let unwanted = SidecarEvent::EventReceived {
        who: name("sub"),
        project: name("p"),
        of: name("p"),
        event: name("e1"),
        event_type: name("t"),
        publisher: name("pub"),
        sequence: 0,
        correlation: name("c"),
        digest: 1,
        latency_ms: 1,
        wanted: false,
    };
    let failure = Fed::new().see(12, unwanted).failure(PROMISED).unwrap();
    assert_eq!(failure, "sub got e1 at 0.012s, which it did not want");
}
