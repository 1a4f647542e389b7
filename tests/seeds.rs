//! The entry for ordinary tests: many seeds, one report of the first that fails.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use std::{
    cell::{Cell, RefCell},
    fs::File,
    io::BufReader,
    path::Path,
    process::Command,
    time::Duration,
};

use actix::prelude::*;
use seedbed::{
    observe::LogReader,
    seeds,
    seeds::SeedFailure,
    world::{Env, Failure, Host, Outcome, Seed, StartError, Time, World},
};

const MS: Duration = Duration::from_millis(1);

/// Waits for a while that the seed decides, then does what the test wants.
struct Waiter {
    env: Env<Self>,
    act: fn(&Env<Waiter>),
}

impl Actor for Waiter {
    type Context = Context<Self>;
    fn started(&mut self, _: &mut Context<Self>) {
        let wait = MS * (1 + self.env.stream("wait").below(10) as u32);
        self.env.after(wait, |waiter, _| (waiter.act)(&waiter.env));
    }
}

fn run(mut world: World, act: fn(&Env<Waiter>)) -> Result<Outcome, StartError> {
    world.spawn("waiter", move |env| Waiter { env, act });
    world.run()
}

fn nothing(_: &Env<Waiter>) {}

fn fails_at(seed: u64) -> impl Fn(World) -> Result<(), String> {
    move |world| {
        let is_bad = world.seed() == Seed(seed);
        let outcome = run(world, nothing).map_err(|error| error.to_string())?;
        if is_bad { Err(format!("bad after {} events", outcome.events)) } else { Ok(()) }
    }
}

fn failure_of(result: Result<seeds::Survey, Box<SeedFailure>>) -> SeedFailure {
    *result.expect_err("a seed fails")
}

#[test]
fn every_seed_runs_once_from_one_on() {
    let seen = RefCell::new(Vec::new());
    let survey = seeds(5).run(|world| {
        seen.borrow_mut().push(world.seed().0);
        run(world, nothing)
    });
    assert_eq!(*seen.borrow(), [1, 2, 3, 4, 5]);
    assert_eq!((survey.seeds, survey.first_seed), (5, Seed(1)));
    assert_eq!(survey.events, 10, "a start and a timer each");
    assert!(survey.ended_at_latest > Time::ZERO);
}

#[test]
fn a_survey_is_the_same_each_time_and_depends_on_the_seeds() {
    let survey = |first| seeds(5).starting_at(first).run(|world| run(world, nothing));
    assert_eq!(survey(1), survey(1));
    assert_ne!(survey(1).fingerprint, survey(2).fingerprint);
    insta::assert_json_snapshot!(survey(1));
}

#[test]
fn the_lowest_failing_seed_is_reported_with_its_log_and_its_command() {
    let ran = Cell::new(0);
    let test = fails_at(3);
    let failure = failure_of(seeds(9).try_run(|world| {
        ran.set(ran.get() + 1);
        test(world)
    }));
    assert_eq!(ran.get(), 4, "seeds 1, 2, 3, and 3 again");
    assert_eq!(failure.seed, Some(Seed(3)));
    assert!(failure.at.is_some_and(|at| at > Time::ZERO));
    let name = "the_lowest_failing_seed_is_reported_with_its_log_and_its_command";
    let text = failure.to_string();
    assert!(text.starts_with("seed 3 failed: bad after 2 events\n  at 0.0"), "{text}");
    assert!(text.contains("of virtual time, on the native host\n"), "{text}");
    let command = format!("SEEDBED_SEED=0x3 cargo test {name} -- --exact");
    assert_eq!(text.lines().last(), Some(command.as_str()));
    assert!(failure.mismatch.is_none(), "{text}");
    let log = &failure.logs[0];
    assert!(log.ends_with(format!("seedbed/{name}-3.jsonl")), "{}", log.display());
    let reader = LogReader::new(BufReader::new(File::open(log).unwrap())).unwrap();
    assert_eq!(reader.header().map(|it| it.seed), Some(Seed(3)));
    let kinds: Vec<String> = reader.map(|record| record.unwrap().kind).collect();
    assert_eq!(kinds, ["node_started", "timer_fired"]);
}

#[test]
#[should_panic(expected = "SEEDBED_SEED=0x2 cargo test a_failed_seed_panics -- --exact")]
fn a_failed_seed_panics() {
    seeds(9).run(fails_at(2));
}

#[test]
fn a_panic_of_the_test_is_a_failure() {
    let failure = failure_of(seeds(2).try_run(|world| {
        let outcome = run(world, nothing).unwrap();
        assert_eq!(outcome.events, 3, "counting");
    }));
    assert!(failure.message.starts_with("panic: assertion"), "{failure}");
    assert!(failure.message.contains("counting"), "{failure}");
}

#[test]
fn a_failure_of_the_world_is_one_when_it_is_passed_on() {
    let panics = |_: &Env<Waiter>| panic!("planted");
    let failure = failure_of(seeds(2).try_run(|world| run(world, panics)));
    assert!(failure.message.starts_with("actor `waiter` panicked at 0.0"), "{failure}");
    let boxed = |world| -> Result<(), Box<dyn std::error::Error>> {
        run(world, panics)?.ok()?;
        Ok(())
    };
    assert_eq!(failure_of(seeds(2).try_run(boxed)).message, failure.message);
    // What the test looks at itself, it may find good.
    seeds(2).run(|world| {
        let outcome = run(world, panics).unwrap();
        assert!(matches!(outcome.failure, Some(Failure::ActorPanicked { .. })));
    });
}

#[test]
fn a_test_that_runs_no_world_fails() {
    let failure = failure_of(seeds(2).try_run(|_| ()));
    assert!(failure.message.contains("did not run the world"), "{failure}");
    assert!(failure_of(seeds(0).try_run(|_| ())).message.contains("no seed to run"));
}

#[test]
fn a_failure_that_does_not_come_again_is_called_what_it_is() {
    let runs = Cell::new(0);
    let failure = failure_of(seeds(1).try_run(|world| {
        runs.set(runs.get() + 1);
        run(world, nothing).unwrap();
        if runs.get() == 1 { Err("only the first time") } else { Ok(()) }
    }));
    assert!(failure.to_string().contains("not repeatable"), "{failure}");
    assert!(failure.mismatch.unwrap().first_difference.is_none(), "the worlds were equal");
}

#[test]
fn a_log_that_cannot_be_kept_hides_nothing() {
    // A file where the folder should be makes every path of this name impossible.
    let failure = {
        let first = failure_of(seeds(1).try_run(fails_at(1)));
        let log = first.logs[0].clone();
        std::fs::remove_file(&log).unwrap();
        std::fs::create_dir(&log).unwrap();
        let failure = failure_of(seeds(1).try_run(fails_at(1)));
        std::fs::remove_dir(&log).unwrap();
        failure
    };
    assert!(failure.logs.is_empty());
    let text = failure.to_string();
    assert!(text.contains("bad after 2 events"), "{text}");
    assert!(text.contains("the event log could not be kept: "), "{text}");
}

#[test]
fn both_hosts_run_and_their_histories_are_compared() {
    let hosts = RefCell::new(Vec::new());
    let survey = seeds(2).both_hosts().run(|world| {
        let outcome = run(world, nothing).unwrap();
        hosts.borrow_mut().push(outcome.host);
        outcome
    });
    assert_eq!(survey.seeds, 2);
    assert_eq!(*hosts.borrow(), [Host::Native, Host::Tokio, Host::Native, Host::Tokio]);
    let by_host = |env: &Env<Waiter>| env.emit("ran", env.host().name());
    let failure = failure_of(seeds(2).both_hosts().try_run(|world| run(world, by_host)));
    let text = failure.to_string();
    assert!(text.contains("the histories on the two hosts differ"), "{text}");
    assert!(
        text.contains("native: #3 at 0.0") && text.contains(r#"ran {"value":"tokio"}"#),
        "{text}"
    );
    assert_eq!(failure.logs.len(), 2);
}

#[test]
fn verify_runs_every_seed_twice() {
    let runs = Cell::new(0);
    let count = |world| {
        runs.set(runs.get() + 1);
        run(world, nothing)
    };
    seeds(3).verify().run(count);
    assert_eq!(runs.replace(0), 6);
    seeds(3).verify().both_hosts().run(count);
    assert_eq!(runs.get(), 12);
}

#[test]
fn inside_a_runtime_the_reason_is_said_at_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let failure = failure_of(seeds(1).try_run(|world| run(world, nothing)));
        assert_eq!(failure.to_string(), StartError::InsideRuntime.to_string());
        assert_eq!(run(World::new(Seed(1)), nothing), Err(StartError::InsideRuntime));
    });
}

/// Not a test of its own: what the next ones run in a process of its own.
#[test]
#[ignore = "run by `the_environment_is_heeded`"]
fn fails_at_seed_three() {
    seeds(5).run(fails_at(3));
}

#[test]
fn the_environment_is_heeded() {
    let run = |variables: &[(&str, &str)], flags: &[&str]| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["fails_at_seed_three", "--exact", "--ignored", "--nocapture"])
            .args(flags)
            .env_remove("RUST_BACKTRACE")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (passed, text) = run(&[], &[]);
    assert!(!passed);
    assert!(text.contains("SEEDBED_SEED=0x3 cargo test fails_at_seed_three -- --exact"), "{text}");
    assert!(run(&[("SEEDBED_SEEDS", "2")], &[]).0, "seed 3 is not reached");
    assert!(run(&[("SEEDBED_SEED", "0x4")], &[]).0);
    assert!(!run(&[("SEEDBED_SEED", "3")], &[]).0);
    let (passed, text) = run(&[("SEEDBED_SEEDS", "all")], &[]);
    assert!(!passed && text.contains("SEEDBED_SEEDS=`all`: should be"), "{text}");
    // On the main thread a test has no name, so its place is told instead.
    let (_, text) = run(&[], &["--test-threads=1"]);
    assert!(text.contains("SEEDBED_SEED=0x3 cargo test"), "{text}");
    assert!(text.contains("tests/seeds.rs:") || text.contains("fails_at_seed_three --"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().to_str().unwrap();
    let (_, text) = run(&[("CARGO_TARGET_DIR", target)], &[]);
    assert!(Path::new(target).join("seedbed/fails_at_seed_three-3.jsonl").exists(), "{text}");
}
