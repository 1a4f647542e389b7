//! What is known of the router's calls from their messages: when they came in, and until when the
//! router may go on with them.

use std::time::Duration;

use super::*;
use crate::{
    stack::{Alternatives, Baggage, Prompt, RouteRequest, TraceHeader, settings::Task},
    world::SendVerdict,
};

const OVER: &str = "no_call_after_the_end";
const LET_GO: &str = "requests_are_let_go";
const ROOM: &str = "no_refusal_while_there_is_room";

fn call(number: u32, kind: MessageKind) -> MessageInfo<'static> {
    MessageInfo::new(number.into(), kind, "RouteRequest", "rust", "router")
}

impl Fed {
    /// A request starts, and its call leaves; its agent will wait for a minute.
    fn asks(&mut self, at_ms: u64, number: u32) -> &mut Fed {
        let message = call(number, MessageKind::Call);
        let what = Happening::MessageSent { message, verdict: SendVerdict::Deliver, delay_ns: 0 };
        self.started(at_ms, number).see(at_ms, what)
    }

    fn comes(&mut self, at_ms: u64, number: u32) -> &mut Fed {
        let prompt = Prompt {
            request: request(number),
            task: Task::General,
            operation: None,
            workspace: "".into(),
            baggage: Rc::new(Baggage::default()),
            input_tokens: 1,
            output_tokens: 1,
        };
        let patience = Duration::from_secs(60);
        let trace = TraceHeader::Missing;
        let body = RouteRequest { prompt, patience, reader: None, attempt: 1, trace };
        let message = MessageInfo { body: Some(&body), ..call(number, MessageKind::Call) };
        self.see(at_ms, Happening::MessageDelivered { message })
    }

    /// Its agent waits no more.
    fn leaves(&mut self, at_ms: u64, number: u32) -> &mut Fed {
        let message = call(number, MessageKind::Call);
        self.see(at_ms, Happening::CallTimedOut { message });
        self.ended(at_ms, number, RequestOutcome::TimedOut)
    }

    fn answers(&mut self, at_ms: u64, number: u32) -> &mut Fed {
        let message = call(number, MessageKind::Answer);
        let what = Happening::MessageSent { message, verdict: SendVerdict::Deliver, delay_ns: 0 };
        self.see(at_ms, what)
    }

    fn calls_opus(&mut self, at_ms: u64, number: u32) -> &mut Fed {
        self.emit(at_ms, &attempt(number, "opus", 1))
    }

    fn turns_away(&mut self, at_ms: u64, number: u32) -> &mut Fed {
        let event = Event::RequestFailed {
            request: request(number),
            code: "overloaded",
            attempts: 0,
            fallback_attempts: 0,
            causes: Alternatives::default(),
            retry_after_ms: None,
        };
        self.emit(at_ms, &event).answers(at_ms, number)
    }
}

#[test]
fn no_model_is_called_for_a_request_that_is_over() {
    let mut fed = routing("");
    fed.calls_opus(10, 1).ended(20, 1, RequestOutcome::TimedOut);
    assert_eq!(fed.failure(OVER), None);
    for outcome in [RequestOutcome::TimedOut, RequestOutcome::Ok] {
        let mut fed = routing("");
        fed.ended(20, 1, outcome).calls_opus(21, 1);
        assert!(fed.failure(OVER).is_some());
    }
    // It was on its way for ten milliseconds: as much later may the router know of its end.
    let late = |again_at| {
        let mut fed = Fed::new("");
        fed.asks(0, 1).comes(10, 1).calls_opus(10, 1).leaves(20, 1);
        fed.calls_opus(again_at, 1).failure(OVER)
    };
    assert_eq!(late(30), None);
    assert_eq!(late(31).as_deref(), Some("opus was called for rust/1 at 0.031s, after its end"));
}

#[test]
fn a_request_that_waits_for_a_place_is_over_when_its_agent_leaves() {
    let mut queued = Fed::new("");
    queued.asks(0, 1).comes(1, 1).leaves(20, 1);
    // Others come and go meanwhile, of the same agent too.
    queued.asks(21, 2).comes(1_000, 2).calls_opus(2_000, 2);
    assert!(queued.calls_opus(2_001, 1).failure(OVER).is_some());
    // One that came in only when it was over: the router knows when its own time for it has passed.
    let late = |at| {
        let mut fed = Fed::new("");
        fed.asks(0, 1).leaves(20, 1).comes(30, 1).calls_opus(at, 1).failure(OVER)
    };
    assert_eq!(late(50), None);
    assert!(late(51).is_some());
    // It never came in at all.
    let lost = Happening::MessageDropped {
        message: call(1, MessageKind::Call),
        cause: crate::world::DropCause::Lost,
    };
    let mut fed = Fed::new("");
    fed.asks(0, 1).see(0, lost).leaves(20, 1).calls_opus(20, 1);
    assert!(fed.failure(OVER).is_some());
}

#[test]
fn a_request_that_is_held_on_to_is_found() {
    let history = |calls: bool, ends: Option<u64>, tables: &str| {
        let mut fed = Fed::new(tables);
        fed.asks(0, 1).comes(10, 1);
        if calls {
            fed.calls_opus(10, 1);
        }
        fed.leaves(100, 1);
        if let Some(at_ms) = ends {
            fed.answers(at_ms, 1);
        }
        fed.failure(LET_GO)
    };
    // Also one that waits for a place.
    for calls in [true, false] {
        assert_eq!(history(calls, Some(110), ""), None);
        assert!(history(calls, Some(111), "").is_some());
        assert!(history(calls, None, "").unwrap().contains("never let go of rust/1"));
        let clock = "[[fault]]\nat = \"0s\"\nclock = { node = \"rust\", skew = \"1s\" }";
        assert_eq!(history(calls, Some(111), clock), None, "the agent's clock is its own");
    }
    // What is lost with the router is not held.
    let held = || {
        let mut fed = Fed::new("");
        fed.asks(0, 1).comes(10, 1).leaves(100, 1);
        fed
    };
    let crash = Happening::NodeCrashed { incarnation: 0 };
    assert_eq!(held().see(105, crash).failure(LET_GO), None);
    // What was due while it stood still comes when it goes on, and no later.
    let mut paused = held();
    paused.see(105, Happening::NodePaused).see(500, Happening::NodeResumed);
    assert_eq!(paused.answers(500, 1).failure(LET_GO), None);
    let mut late = held();
    late.see(105, Happening::NodePaused).see(500, Happening::NodeResumed);
    assert!(late.answers(501, 1).failure(LET_GO).is_some());
    assert_eq!(held().see(105, Happening::NodePaused).failure(LET_GO), None);
}

/// A router that takes two at once, and lets so many wait for a second.
fn bulkhead(queue: u32) -> Fed {
    let wait = if queue == 0 { String::new() } else { format!(", queue = {queue}, wait = \"1s\"") };
    let router = format!("primary = \"opus\"\nbulkhead = {{ concurrent = 2{wait} }}");
    let text = STACK.replace("primary = \"opus\"", &router);
    Fed { watch: Watch::new(&parse("sims/test.toml", &text).unwrap()).unwrap(), seq: 0 }
}

#[test]
fn a_refusal_while_there_is_room_is_found() {
    // With so many in hand the next one is turned away, at once or later.
    let history = |queue, others: u32, after_ms: u64| {
        let mut fed = bulkhead(queue);
        for number in 1..=others {
            fed.asks(0, number).comes(0, number);
        }
        fed.asks(5, 9).comes(5, 9).turns_away(5 + after_ms, 9).failure(ROOM)
    };
    assert_eq!(history(0, 2, 1), None);
    assert!(history(0, 1, 1).unwrap().contains("with 1 in hand; there is room for 2"));
    // As long as others may wait, nobody is turned away at once.
    assert_eq!(history(3, 5, 1), None);
    assert!(history(3, 4, 1).unwrap().contains("with 4 in hand; there is room for 5"));
    // Who has waited for as long as one may is turned away whoever waits, if the places are taken.
    assert_eq!(history(3, 2, 1_000), None);
    assert!(history(3, 2, 999).is_some());
    assert!(history(3, 1, 1_000).is_some());
}

#[test]
fn who_was_answered_takes_no_room() {
    let mut fed = bulkhead(0);
    fed.asks(0, 1).comes(0, 1).asks(0, 2).comes(0, 2).answers(3, 1);
    assert!(fed.asks(5, 9).comes(5, 9).turns_away(6, 9).failure(ROOM).is_some());
    // Its agent has gone, and the router holds it still: that is another check's.
    let mut held = bulkhead(0);
    held.asks(0, 1).comes(0, 1).leaves(2, 1).asks(0, 2).comes(0, 2);
    assert_eq!(held.asks(5, 9).comes(5, 9).turns_away(6, 9).failure(ROOM), None);
    // Nobody is in hand of a router that has just begun.
    let mut crashed = bulkhead(0);
    crashed.asks(0, 1).comes(0, 1).asks(0, 2).comes(0, 2);
    crashed.see(3, Happening::NodeCrashed { incarnation: 0 });
    assert!(crashed.asks(5, 9).comes(5, 9).turns_away(6, 9).failure(ROOM).is_some());
}
