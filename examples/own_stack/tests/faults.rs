//! The stack under a partition, a crash, duplication, reordering and loss, over many seeds.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    time::Duration,
};

use own_stack::{Client, Memory, Store};
use seedbed::world::{Fault, Happening, LinkRule, Outcome, Probability, Seed, Sighting, World};

const CLIENTS: u64 = 3;
const ADDITIONS: u64 = 8;

/// Runs the stack to its end; every addition must have been counted once.
fn counts_every_addition_once(mut world: World, memory: Memory) -> Result<Outcome, String> {
    world.network(LinkRule {
        loss: Probability::percent(2),
        duplicate: Probability::percent(5),
        reorder: Probability::percent(5),
        ..LinkRule::default()
    });
    let store = world.spawn("store", move |env| Store::new(env, memory));
    for number in 0..CLIENTS {
        let requests: Vec<u64> = (0..ADDITIONS).map(|turn| number * ADDITIONS + turn).collect();
        world.spawn(format!("client-{number}"), move |env| {
            Client::new(env, store, requests.clone())
        });
    }

    // The seed decides when things go wrong, too.
    let mut plan = world.stream("plan");
    let mut soon = || Duration::from_millis(plan.between(5, 60));
    world.fault(Fault::crash("store").at(soon()).lasting(soon()));
    world.fault(Fault::partition(["client-0"], ["store"]).at(soon()).lasting(soon()));

    let (added, total) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (count, highest) = (Rc::clone(&added), Rc::clone(&total));
    world.observe(move |sighting: &Sighting<'_>| {
        if let Happening::Emitted { name: "added", payload, .. } = sighting.what {
            let value = payload.fields().get("value").and_then(|value| value.as_u64());
            count.set(count.get() + 1);
            highest.set(highest.get().max(value.unwrap_or(0)));
        }
    });
    let outcome = world.run().map_err(|error| error.to_string())?;
    let outcome = outcome.ok().map_err(|failure| failure.to_string())?;
    let expected = CLIENTS * ADDITIONS;
    if (added.get(), total.get()) != (expected, expected) {
        return Err(format!("{} additions came to a total of {}", added.get(), total.get()));
    }
    Ok(outcome)
}

#[test]
fn every_addition_is_counted_once() {
    let survey = seedbed::seeds(100).run(|world| counts_every_addition_once(world, Memory::Disk));
    assert_eq!((survey.crashes, survey.faults_fired), (100, 200));
    assert!(survey.messages_dropped > 100 && survey.calls_timed_out > 0);
}

#[test]
fn a_seed_is_one_history() {
    seedbed::seeds(10)
        .both_hosts()
        .verify()
        .run(|world| counts_every_addition_once(world, Memory::Disk));
}

/// What a developer sees who has the bug. The main crate's tests run this one and its replay.
#[test]
#[ignore = "fails: it has the bug"]
fn every_addition_is_counted_once_by_a_store_that_forgets() {
    seedbed::seeds(100).run(|world| counts_every_addition_once(world, Memory::Heap));
}

#[test]
fn the_planted_bug_is_found_and_its_seed_replays_it() {
    let test = |world| counts_every_addition_once(world, Memory::Heap);
    let panic = catch_unwind(AssertUnwindSafe(|| seedbed::seeds(100).run(test)))
        .expect_err("the bug is found");
    let message = panic.downcast::<String>().expect("a panic with a message");
    assert!(message.contains("additions came to a total of"), "{message}");

    let command = message.lines().last().expect("the line that replays it");
    let (seed, rest) = command
        .strip_prefix("SEEDBED_SEED=")
        .and_then(|rest| rest.split_once(' '))
        .unwrap_or_else(|| panic!("not a replay line: {command}"));
    assert!(rest.starts_with("cargo test"), "{command}");
    let seed: Seed = seed.parse().expect("a seed");

    let again = seedbed::seeds(1).only(seed).try_run(test).expect_err("it fails again");
    assert_eq!(again.to_string().lines().next(), message.lines().next());
    seedbed::seeds(1).only(seed).run(|world| counts_every_addition_once(world, Memory::Disk));
}
