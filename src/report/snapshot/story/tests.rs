//! Stories of made-up events.

use super::*;

struct Told(Story, Box<dyn Observer>, u64);

impl Told {
    fn new() -> Told {
        let story = Story::new();
        let observer = story.observer();
        Told(story, observer, 0)
    }

    fn see(&mut self, at_ms: u64, node: &str, cause: u64, what: Happening<'_>) -> u64 {
        self.2 += 1;
        let at = Time::from_nanos(at_ms * 1_000_000);
        self.1.see(&Sighting { seq: self.2, at, node, cause, what });
        self.2
    }

    fn emit(&mut self, at_ms: u64, node: &str, name: &'static str, fields: Value) {
        self.see(at_ms, node, 0, Happening::Emitted { name, payload: &fields, digest: 0 });
    }

    fn text(&self) -> String {
        self.0.text("a/b", Seed(1))
    }
}

#[test]
fn requests_that_go_the_same_way_are_told_once() {
    let mut told = Told::new();
    for number in 1..=200_u64 {
        let (node, request) = (format!("rust-{}", number % 8), format!("rust/{number}"));
        let at = number * 10;
        told.emit(at, &node, "request_started", serde_json::json!({"request": request}));
        let outcome = serde_json::json!({"request": request, "outcome": "ok", "latency_ms": at});
        told.emit(at + 1, &node, "request_ended", outcome);
        if number == 100 {
            let fired =
                told.see(1001, "world", 0, Happening::FaultFired { fault: "crash of opus" });
            told.see(1001, "opus", fired, Happening::NodeCrashed { incarnation: 0 });
        }
    }
    assert_eq!(
        told.text(),
        "sim: a/b\nseed: 1\n\n\
         0.010s rust-1 request_started rust/1\n  \
         0.011s rust-1 request_ended rust/1 latency_ms=10 outcome=ok\n\
         … 199 more like it, the last from 2.000s\n\
         1.001s world fault_fired crash of opus\n  \
         1.001s opus node_crashed incarnation=0\n"
    );
}

#[test]
fn a_story_is_never_longer_than_its_limit() {
    let mut told = Told::new();
    for number in 0..300_u64 {
        for step in 0..=(number % 20) {
            let fields =
                serde_json::json!({"request": format!("r/{number}"), "attempt": step * number});
            told.emit(number, "router", "attempt_started", fields);
        }
        told.see(number, "world", 0, Happening::FaultFired { fault: &format!("fault {number}") });
    }
    let text = told.text();
    let lines = text.lines().count();
    assert!((40..=LINES_MAX).contains(&lines), "{lines} lines:\n{text}");
    assert!(text.contains("more attempt_started"));
}

#[test]
fn what_happens_several_times_in_a_row_is_told_once() {
    let mut told = Told::new();
    for (request, times) in [("a-1/1", 3), ("b-2/1", 5)] {
        for at in 0..times {
            told.emit(at, "router", "attempt_failed", serde_json::json!({"request": request}));
        }
    }
    let text = told.text();
    assert!(
        text.ends_with(
            "0.000s router attempt_failed a-1/1 (3 times)\n… 1 more like it, the last from 0.000s\n"
        ),
        "{text}"
    );
}

#[test]
fn nothing_is_said_of_messages_and_timers() {
    let mut told = Told::new();
    told.see(1, "a", 0, Happening::NodeStarted { incarnation: 0 });
    told.see(2, "a", 0, Happening::TimerFired);
    assert_eq!(told.text(), "sim: a/b\nseed: 1\n\nnothing happened\n");
}

#[test]
fn what_a_request_causes_belongs_to_it() {
    let mut told = Told::new();
    let timer = told.see(1, "a", 0, Happening::TimerFired);
    let fields = serde_json::json!({"request": "a/1"});
    let started = Happening::Emitted { name: "request_started", payload: &fields, digest: 0 };
    told.see(1, "a", timer, started);
    told.see(2, "a", timer, Happening::DiskFailed { cause: "full" });
    assert!(
        told.text()
            .ends_with("\n0.001s a request_started a/1\n  0.002s a disk_failed cause=full\n")
    );
}
