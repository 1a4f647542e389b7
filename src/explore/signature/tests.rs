//! Signatures: what goes and what stays, and that failures that are alike have one.

use super::*;
use crate::{
    explore::{Options, judge, simulate},
    scenario::parse,
    world::{Seed, Time},
};

const SIM: &str = "purpose = \"p\"\n[router]\nprimary = \"gpt-4o\"\n[[backend]]\nname = \"gpt-4o\"\n\
                   [[agent]]\nname = \"rust-2\"\ncount = 20\nrequests = 3\n";

fn sim(more: &str) -> Sim {
    parse("sims/a.toml", &format!("{SIM}{more}")).unwrap()
}

fn run(sim: &Sim, seed: u64) -> SimRun {
    simulate(sim, Seed(seed), &Options::default(), Vec::new()).unwrap()
}

fn signature(more: &str, seed: u64) -> Option<Signature> {
    let sim = sim(more);
    Signature::of(&sim, &run(&sim, seed))
}

#[test]
fn numbers_go_and_names_stay() {
    let names = Names::of(&sim(""));
    for (text, plain) in [
        ("rust-2-17/3 made attempt 4 of 3 at 12.304s", "rust-2/# made attempt # of # at #"),
        ("rust-2-17+2/3 ended", "rust-2/# ended"),
        ("message 9 from rust-2-1 reached gpt-4o.", "message # from rust-2 reached gpt-4o."),
        ("it is 97.35%, not -3", "it is #%, not #"),
        ("gpt-5 at 0x7f00 in `a::b`\n\tx", "# at # in `a::b`  x"),
        ("before 1m 2.5s (7 of 20). x12y", "before # (# of #). #"),
        ("rust-2-x rust-2 rust-2-", "# rust-2 rust-2-"),
        ("... - é1", "... - #"),
        ("", ""),
    ] {
        assert_eq!(names.plain(text).0, plain, "{text}");
    }
    let (_, actors) = names.plain("rust-2-17/3 asked gpt-4o, not gpt-5");
    assert_eq!(actors.into_iter().collect::<Vec<_>>(), ["gpt-4o", "rust-2"]);
}

#[test]
fn every_node_of_a_sim_is_a_name() {
    let flows = "[approvals]\n[dashboard]\n[[runner]]\nname = \"run-2\"\ncount = 3\n\
                 [[runner]]\nname = \"run-3\"\n[[reviewer]]\nname = \"lead2\"\n[sidecar]\n\
                 [[client]]\nname = \"c4\"\nhostile = true\n[[subscriber]]\nname = \"s5\"\nevent = \"x\"\n[[asker]]\n\
                 name = \"a6\"\n[[service]]\nname = \"t7\"\n[[caller]]\nname = \"u8\"\nservice = \"t7\"\n";
    let sim = sim(flows);
    let names = Names::of(&sim);
    for node in sim.node_names() {
        let (plain, actors) = names.plain(&format!("{node}/1 said nothing"));
        assert_eq!(actors.len(), 1, "{plain}");
        assert!(!plain.starts_with('#'), "{node}: {plain}");
    }
    let failure = |node: &str| names.signature("c", &format!("{node}/4 was never shown"), None);
    assert_ne!(failure("run-2-1"), failure("run-3"));
    assert_eq!(failure("run-2-1"), failure("run-2-3"));
}

#[test]
fn statuses_stay_apart() {
    let names = Names::of(&sim(""));
    for (text, plain) in [
        ("rust-2-1 was answered 529 to /a at 3s", "rust-2 was answered 529 to /a at #"),
        (
            "asked again at 3.5s, which had answered with 401",
            "asked again at #, which had answered with 401",
        ),
        ("HTTP status: 429", "HTTP status: 429"),
        ("status code 503 after 503", "status code 503 after #"),
        ("answered 100000, then 0 and status 999", "answered #, then # and status #"),
        ("turned away with 120 of 120 in hand", "turned away with # of # in hand"),
    ] {
        assert_eq!(names.plain(text).0, plain, "{text}");
    }
}

#[test]
fn seeds_that_fail_alike_have_one_signature() {
    let stuck = "[limits]\ntime = \"20s\"\n[[fault]]\nat = \"0s\"\nfor = \"1h\"\n\
                 pause = { node = \"router\" }\n";
    let one = signature(stuck, 1).unwrap();
    assert_eq!(one.to_string(), "every_request_ends_once: rust-2/# never ended [rust-2]");
    for seed in 2..6 {
        assert_eq!(signature(stuck, seed).as_ref(), Some(&one), "seed {seed}");
    }
}

/// Different seeds fail at different times with different numbers: it is one failure.
#[test]
fn a_failure_has_a_sentence_of_its_own() {
    let sim = sim("[[expect]]\nmetric = \"latency.max\"\nat_most = \"1ms\"\n");
    let blame = |seed| {
        let run = run(&sim, seed);
        Blame::of(&sim, &run, &judge(&sim, &run, None)).unwrap()
    };
    let (one, two) = (blame(1), blame(2));
    assert_eq!(one.signature.to_string(), "latency.max at most 1ms: too high");
    assert_eq!(one.signature, two.signature);
    assert_ne!(one.failure, two.failure);
    assert!(one.failure.starts_with("latency.max at most 1ms: it is "), "{}", one.failure);
}

#[test]
fn a_good_run_has_none_and_a_canary_that_is_sound_has_one() {
    let blame = |sim: &Sim| {
        let run = run(sim, 1);
        Blame::of(sim, &run, &judge(sim, &run, None))
    };
    assert_eq!(blame(&sim("")), None);
    assert_eq!(signature("", 1), None);
    let canary =
        parse("sims/a.toml", &format!("must = \"fail\"\nfails_by = [\"a\"]\n{SIM}")).unwrap();
    let found = blame(&canary).unwrap();
    assert!(found.signature.to_string().starts_with("canary: it must fail"), "{found:?}");
}

#[test]
fn an_expectation_says_on_which_side_it_is() {
    let expect = |text: &str| signature(&format!("[[expect]]\n{text}\n"), 3).unwrap();
    let low = expect("metric = \"requests.total\"\nequals = 61");
    let high = expect("metric = \"requests.total\"\nequals = 59");
    assert_eq!((low.cause.as_str(), high.cause.as_str()), ("too low", "too high"));
    assert_eq!(low.to_string(), "requests.total equals 61: too low");
    let event = expect("event = \"request_started\"\nat_most = 3");
    assert_eq!(event.cause, "too high");
    let order = expect(
        "order = { first = { event = \"fault_fired\" }, then = { event = \"node_crashed\" } }",
    );
    assert_eq!(order.cause, "the first never happened");
}

#[test]
fn failures_of_the_world_are_told_apart() {
    let names = Names::of(&sim(""));
    let at = Time::from_nanos(5);
    let wait = |waiting: &str| Wait {
        waiting: waiting.into(),
        waits_for: "router".into(),
        call: "Ask",
        since: at,
    };
    let failures = [
        Failure::ActorPanicked { actor: "rust-2-4/agent".into(), message: "n 7".into(), at },
        Failure::Deadlock { waits: vec![wait("rust-2-9"), wait("rust-2-8")], at },
        Failure::TooManyEvents { events: 7, at },
    ];
    let texts: Vec<_> = failures.iter().map(|one| of_world(one, &names)).collect();
    assert_eq!(texts[0], ("actor_panicked", "n #".to_owned()));
    assert_eq!(texts[1].1, "rust-2 waits for router to answer Ask");
    assert_eq!(texts[2].0, "too_many_events");
    let whole = names.signature("c", &failures[0].to_string(), None);
    assert!(whole.actors.contains(&"rust-2".to_owned()), "{whole}");
}

#[test]
fn what_is_kept_is_bounded() {
    let blame = Blame::panicked(&"é".repeat(10_000));
    assert_eq!(blame.signature.cause.chars().count(), CAUSE_CHARS_MAX + 1);
    assert_eq!(blame.failure.chars().count(), FAILURE_CHARS_MAX + 1);
}

#[test]
fn slugs_are_names_of_files_and_differ() {
    let one = Signature { check: "a.b at most 3%".into(), actors: vec![], cause: "x".into() };
    let two = Signature { cause: "y".into(), ..one.clone() };
    assert!(one.slug("a").starts_with("a_b_at_most_3_"), "{}", one.slug("a"));
    assert_ne!(one.slug("a"), two.slug("a"));
    assert_ne!(one.slug("a"), one.slug("b"));
}
