//! What is found after healing, and what is not: each phase, each way to go wrong.

use std::rc::Rc;
use std::time::Duration;

use super::{Healing, WORKS_AGAIN};
use crate::{
    scenario::{Sim, parse},
    stack::{Event, RequestId, RequestOutcome},
    world::Time,
};

const STACK: &str = r#"
purpose = "For tests."
[[fault]]
at = "10s"
for = "10s"
pause = { node = "opus" }
[healing]
after = "20s"
within = "10s"
[router]
primary = "opus"
[[agent]]
name = "rust"
[[backend]]
name = "opus"
"#;

fn sim(more: &str) -> Sim {
    parse("sims/test.toml", &format!("{STACK}{more}")).unwrap()
}

fn healing(more: &str) -> Healing {
    Healing::new(&sim(more)).unwrap()
}

fn at(ms: u64) -> Time {
    Time::ZERO + Duration::from_millis(ms)
}

/// A request that starts and ends at these milliseconds.
fn request(healing: &mut Healing, number: u32, from: u64, to: u64, outcome: RequestOutcome) {
    let request = RequestId { agent: Rc::from("rust"), number };
    let (agent, workspace) = ("rust".into(), "".into());
    let started =
        Event::RequestStarted { request: request.clone(), agent, task: "general", workspace };
    healing.see(at(from), &started);
    let (error, baggage_kept) = (None, None);
    let ended = Event::RequestEnded { request, outcome, latency_ms: 0, error, baggage_kept };
    healing.see(at(to), &ended);
}

fn call(healing: &mut Healing, to: u64, latency_ms: u64, outcome: &'static str) {
    let (service, operation) = ("db".into(), "call".into());
    healing.see(at(to), &Event::ServiceCalled { service, operation, outcome, latency_ms });
}

fn failure(mut healing: Healing) -> Option<String> {
    healing.take().failure
}

#[test]
fn what_fails_after_the_bound_is_found_and_nothing_before() {
    let mut healing = healing("");
    request(&mut healing, 1, 15_000, 16_000, RequestOutcome::Failed);
    request(&mut healing, 2, 29_999, 90_000, RequestOutcome::TimedOut);
    assert!(healing.note().is_some_and(|note| note.contains("nothing was started after 30s")));
    request(&mut healing, 3, 30_000, 31_000, RequestOutcome::Ok);
    assert_eq!(healing.note(), None);
    let mut late = self::healing("");
    request(&mut late, 4, 30_000, 31_000, RequestOutcome::Failed);
    assert_eq!(failure(healing), None);
    assert_eq!(failure(late).as_deref(), Some("rust/4, started at 30.000s, Failed"));
}

#[test]
fn a_call_of_a_service_counts_from_its_beginning() {
    let mut early = healing("");
    call(&mut early, 30_500, 501, "timed_out");
    assert_eq!(early.take().evaluated, 0);
    let mut late = healing("");
    call(&mut late, 30_500, 500, "circuit_open");
    assert!(failure(late).is_some_and(|why| why.contains("a call of db")));
}

#[test]
fn what_goes_wrong_by_itself_is_not_held_against_healing() {
    let mut healing = healing(
        "errors = { server_error = \"1%\" }\n[[service]]\nname = \"db\"\n\
                               errors = { failure = \"1%\" }\n",
    );
    request(&mut healing, 1, 30_000, 31_000, RequestOutcome::Failed);
    call(&mut healing, 40_000, 5, "failed");
    assert!(healing.note().is_some_and(|note| note.starts_with(WORKS_AGAIN)));
    assert_eq!(healing.take().evaluated, 0);
    assert!(
        Healing::new(
            &parse(
                "sims/a.toml",
                &STACK.replace("[healing]\nafter = \"20s\"\nwithin = \"10s\"\n", "")
            )
            .unwrap()
        )
        .is_none()
    );
}

#[test]
fn goodput_is_after_healing_for_each_part_before_the_first_fault() {
    let mut healing = healing("");
    let goodput =
        |healing: &Healing| healing.metrics().find(|(name, _)| *name == "goodput.after_healing");
    assert_eq!(goodput(&healing), None);
    for number in 0..10 {
        let outcome = if number < 8 { RequestOutcome::Ok } else { RequestOutcome::Failed };
        request(&mut healing, number, 9_000, 9_500, outcome);
        // What the faults did is nobody's goodput, also to what was under way.
        request(&mut healing, 100 + number, 12_000, 12_500, RequestOutcome::Failed);
        request(&mut healing, 300 + number, 9_900, 10_000, RequestOutcome::Failed);
    }
    for number in 0..10 {
        let outcome = if number < 4 { RequestOutcome::Ok } else { RequestOutcome::Failed };
        request(&mut healing, 200 + number, 31_000, 31_500, outcome);
    }
    assert_eq!(goodput(&healing), Some(("goodput.after_healing", 500_000)));
}

#[test]
fn the_herd_is_what_comes_within_a_second_after_the_faults() {
    let mut healing = healing("");
    let mut attempt = |ms: u64| {
        let request = RequestId { agent: Rc::from("rust"), number: 1 };
        let event =
            Event::AttemptStarted { request, model: "opus".into(), attempt: 1, hedge: false };
        healing.see(at(ms), &event);
    };
    // A crowd while the fault goes on, then three within a second, and one a moment too late.
    (0..20).for_each(|_| attempt(15_000));
    [20_000, 20_500, 20_999, 21_000].into_iter().for_each(&mut attempt);
    assert!(healing.metrics().any(|metric| metric == ("herd.peak", 3)));
}
