//! What was published is what comes, in the order of its publisher.

use super::{Fed, digest, name};
use crate::stack::SidecarEvent;

const ORDER: &str = "events_in_order";
const PROMISED: &str = "events_as_promised";

impl Fed {
    fn asked(self, at_ms: u64, sequence: u64) -> Fed {
        let (who, project, event_type) = (name("pub"), name("p"), name("t"));
        self.see(at_ms, SidecarEvent::PublishAsked { who, project, event_type, sequence })
    }

    fn acked(self, at_ms: u64, event: &str, sequence: u64) -> Fed {
        self.see(
            at_ms,
            SidecarEvent::EventPublished {
                who: name("pub"),
                project: name("p"),
                event: name(event),
                event_type: name("t"),
                topic: "testing",
                sequence,
                correlation: name("c"),
                digest: digest(event),
                latency_ms: 1,
            },
        )
    }

    /// It was published within a millisecond.
    pub(super) fn published(self, at_ms: u64, event: &str, sequence: u64) -> Fed {
        self.asked(at_ms, sequence).acked(at_ms + 1, event, sequence)
    }

    fn came_as(self, at_ms: u64, event: &str, sequence: u64, correlation: &str, of: &str) -> Fed {
        self.see(
            at_ms,
            SidecarEvent::EventReceived {
                who: name("sub"),
                project: name("p"),
                of: name("p"),
                event: name(event),
                event_type: name("t"),
                publisher: name("pub"),
                sequence,
                correlation: name(correlation),
                digest: digest(of),
                latency_ms: 1,
                wanted: true,
            },
        )
    }

    pub(super) fn came(self, at_ms: u64, event: &str, sequence: u64) -> Fed {
        self.came_as(at_ms, event, sequence, "c", event)
    }
}

fn two() -> Fed {
    Fed::new().published(1, "e1", 1).published(3, "e2", 2)
}

#[test]
fn the_events_of_a_publisher_come_in_its_order() {
    two().came(5, "e1", 1).came(6, "e2", 2).holds(ORDER);
    // Delivered again is not out of order.
    two().came(5, "e1", 1).came(6, "e2", 2).came(7, "e1", 1).came(8, "e2", 2).holds(ORDER);
    let failure = two().came(5, "e2", 2).came(6, "e1", 1).failure(ORDER).unwrap();
    assert_eq!(failure, "sub got t 1 of pub at 0.006s, after 2");
}

#[test]
fn who_does_not_wait_for_an_answer_has_no_order() {
    let at_once = || Fed::new().asked(1, 1).asked(2, 2).acked(3, "e1", 1).acked(4, "e2", 2);
    at_once().came(5, "e2", 2).came(6, "e1", 1).holds(ORDER);
}

#[test]
fn who_tries_again_after_a_crash_is_still_in_order() {
    let again = || Fed::new().asked(1, 1).crashed(2, "pub").asked(3, 1).acked(4, "e1", 1);
    again().published(5, "e2", 2).came(7, "e1", 1).came(8, "e2", 2).holds(ORDER);
    let failure = again().published(5, "e2", 2).came(7, "e2", 2).came(8, "e1", 1).failure(ORDER);
    assert_eq!(failure.unwrap(), "sub got t 1 of pub at 0.008s, after 2");
}

#[test]
fn what_comes_was_published_as_it_is() {
    Fed::new().asked(1, 1).came(2, "e1", 1).acked(3, "e1", 1).holds(PROMISED);
    Fed::new().asked(1, 1).came(2, "e1", 1).holds(PROMISED);
    let failure = two().came_as(5, "e1", 1, "c", "other").failure(PROMISED).unwrap();
    assert!(failure.starts_with("event e1 of pub was changed: at 0.005s"), "{failure}");
    assert!(two().came_as(5, "e1", 1, "d", "e1").failure(PROMISED).is_some());
    // Also if its publisher learns of it only afterwards.
    let late = Fed::new().asked(1, 1).came_as(2, "e1", 1, "c", "other").acked(3, "e1", 1);
    assert!(late.failure(PROMISED).is_some());
    let failure = two().came(5, "e3", 3).failure(PROMISED).unwrap();
    assert_eq!(failure, "sub got event e3 at 0.005s, t 3 of pub in p, which nobody published");
}

#[test]
fn what_has_no_number_or_was_sent_by_hand_needs_nobody_who_says_so() {
    assert_eq!(two().came(5, "e0", 0).failure(PROMISED), None);
    let by_hand = SidecarEvent::Answered {
        who: name("pub"),
        agent_type: "coding",
        project: name("p"),
        token: "valid",
        route: "publish",
        status: 202,
        error: "",
        field: name(""),
        asked_ns: 0,
        latency_ms: 1,
        shows: name(""),
        count: 0,
    };
    assert_eq!(two().came(5, "e3", 3).see(6, by_hand).failure(PROMISED), None);
}

#[test]
fn no_event_has_the_id_of_another() {
    let check = "ids_are_unique";
    two().came(5, "e1", 1).holds(check);
    let failure = two().published(5, "e1", 3).failure(check).unwrap();
    assert_eq!(failure, "event e1 is 3 of pub in p at 0.006s, and 1 of pub in p");
    assert!(two().came(5, "e1", 2).failure(check).is_some());
}
