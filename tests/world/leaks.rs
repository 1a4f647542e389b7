//! Leaks that are planted in a world: what two runs of a seed must tell apart.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use actix::prelude::*;
use seedbed::{
    seeds,
    seeds::SeedFailure,
    world::{Env, Failure, Host, Outcome, StartError, World},
};

use super::common::*;

type Built = Result<Outcome, StartError>;

/// A world with one node that does this after a millisecond.
fn with(mut world: World, act: impl Fn(&mut Script) + Clone + 'static) -> Built {
    script(&mut world, "node", move |node, _| {
        let act = act.clone();
        node.env.after(ms(1), move |node, _| act(node));
    });
    world.run()
}

#[track_caller]
fn is_found(test: impl Fn(World) -> Built) -> SeedFailure {
    let failure = *seeds(3).verify().try_run(test).expect_err("the leak is found");
    let text = failure.to_string();
    assert!(text.contains("not repeatable"), "{text}");
    assert!(failure.mismatch.is_some());
    failure
}

#[track_caller]
fn passes(test: impl Fn(World) -> Built) {
    seeds(3).verify().both_hosts().run(test);
}

/// Emits the difference that two runs must show.
fn first_difference(failure: &SeedFailure) -> &str {
    let difference =
        failure.mismatch.as_ref().and_then(|mismatch| mismatch.first_difference.as_ref());
    let (one, other) = difference.expect("it is found in the logs");
    let [one, other] = [one, other].map(|record| record.as_ref().expect("both go on"));
    assert_eq!(one.seq, other.seq);
    assert_eq!(one.kind, other.kind);
    &one.kind
}

#[test]
#[expect(clippy::disallowed_types, reason = "the leak that is to be found")]
fn a_map_that_iterates_in_a_random_order() {
    let failure = is_found(|world| {
        with(world, |node| {
            let map: std::collections::HashMap<u64, ()> = (0..64).map(|key| (key, ())).collect();
            node.env.emit("before", 0_u64);
            node.env.emit("visited", map.keys().copied().collect::<Vec<_>>());
        })
    });
    assert_eq!(first_difference(&failure), "visited");
    passes(|world| {
        with(world, |node| {
            let map: BTreeMap<u64, ()> = (0..64).map(|key| (key, ())).collect();
            node.env.emit("visited", map.keys().copied().collect::<Vec<_>>());
        })
    });
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the leak that is to be found")]
fn the_machines_clock() {
    let nanos = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
    let failure = is_found(move |world| {
        with(world, move |node| {
            node.env.after(Duration::from_nanos(nanos() as u64 % 1_000_000), |_, _| {});
        })
    });
    assert_eq!(first_difference(&failure), "timer_fired");
    passes(|world| with(world, |node| node.env.emit("read", node.env.utc().to_string())));
}

#[test]
#[expect(clippy::disallowed_types, reason = "the leak that is to be found")]
fn randomness_of_the_operating_system() {
    use std::hash::{BuildHasher as _, RandomState};
    let failure = is_found(|world| {
        with(world, |node| node.env.emit("drew", RandomState::new().hash_one(1_u8)))
    });
    assert_eq!(first_difference(&failure), "drew");
    passes(|world| with(world, |node| node.env.emit("drew", node.env.stream("x").below(1 << 60))));
}

static COUNTER: AtomicU64 = AtomicU64::new(0);

#[test]
fn a_counter_of_the_process() {
    let failure = is_found(|world| {
        with(world, |node| node.env.emit("id", COUNTER.fetch_add(1, Ordering::Relaxed)))
    });
    assert_eq!(first_difference(&failure), "id");
    passes(|world| with(world, |node| node.env.emit("id", u64::from(node.env.incarnation()))));
}

#[test]
fn the_host_shows_in_a_world_that_asks_for_it() {
    let by_host =
        |world: World| with(world, |node| node.env.emit("host", node.env.host() == Host::Tokio));
    seeds(3).verify().run(by_host);
    let failure = *seeds(3).both_hosts().try_run(by_host).expect_err("the hosts differ");
    assert_eq!(first_difference(&failure), "host");
}

/// Waits for a thread that sends to it, or for an actor that does.
struct Fed(Env<Fed>);

impl Actor for Fed {
    type Context = Context<Self>;
}

impl Handler<Note> for Fed {
    type Result = ();
    fn handle(&mut self, Note(number): Note, _: &mut Context<Self>) {
        self.0.emit("fed", number);
    }
}

/// Lets a thread send to it.
struct Open(Env<Open>);

impl Actor for Open {
    type Context = Context<Self>;
    fn started(&mut self, _: &mut Context<Self>) {
        // Later, when the mailbox waits for messages.
        self.0.after(ms(1), |_, context| {
            let address = context.address();
            thread::scope(|scope| drop(scope.spawn(move || address.do_send(Note(1)))));
        });
    }
}

impl Handler<Note> for Open {
    type Result = ();
    fn handle(&mut self, _: Note, _: &mut Context<Self>) {}
}

#[test]
fn a_thread_that_feeds_an_actor_fails_the_run_on_the_native_host() {
    let played = play_on(Host::Native, 1, |world| {
        world.spawn("open", Open);
    });
    let Some(Failure::WokenFromOutside { actor, .. }) = &played.outcome.failure else {
        panic!("{:?}", played.outcome)
    };
    assert_eq!(actor, "open");
    // The clean twin: an actor of the world feeds it.
    let clean = play(|world| {
        let fed = world.spawn("fed", Fed);
        script(world, "feeder", move |feeder, _| feeder.env.send(&fed, Note(1)));
    });
    assert_eq!(clean.outcome.failure, None);
    assert_eq!(clean.values("fed"), [(1_000, 1)]);
}

#[test]
fn a_thread_that_wakes_a_future_is_noticed() {
    /// Ready once a thread says so.
    #[derive(Default)]
    struct Flag {
        waker: std::sync::Mutex<Option<std::task::Waker>>,
        is_set: std::sync::atomic::AtomicBool,
    }
    let played = play_on(Host::Native, 1, |world| {
        script(world, "node", |node, context| {
            let flag = Arc::new(Flag::default());
            let theirs = Arc::clone(&flag);
            let future = std::future::poll_fn(move |task| {
                if flag.is_set.load(Ordering::SeqCst) {
                    return std::task::Poll::Ready(());
                }
                *flag.waker.lock().unwrap() = Some(task.waker().clone());
                let theirs = Arc::clone(&theirs);
                thread::scope(|scope| {
                    scope.spawn(move || {
                        theirs.is_set.store(true, Ordering::SeqCst);
                        theirs.waker.lock().unwrap().take().unwrap().wake();
                    });
                });
                std::task::Poll::Pending
            });
            context.spawn(future.into_actor(node).map(|(), node, _| node.env.emit("woke", 0_u64)));
        });
    });
    let failure = played.outcome.failure.expect("it is noticed");
    assert!(matches!(&failure, Failure::WokenFromOutside { actor, .. } if actor == "node"));
    assert!(failure.to_string().contains("another thread"), "{failure}");
}

#[test]
fn a_leak_that_shows_only_now_and_then_is_found_over_many_seeds() {
    let runs = RefCell::new(0_u64);
    let failure = seeds(50).verify().try_run(|world| {
        *runs.borrow_mut() += 1;
        let is_off = *runs.borrow() == 37;
        with(world, move |node| node.env.emit("odd", is_off))
    });
    let failure = *failure.expect_err("one run out of a hundred is off");
    assert_eq!(failure.seed.map(|seed| seed.0), Some(19));
    // The logs of runs that no longer differ cannot show where they did.
    assert!(failure.to_string().contains("could not be found"), "{failure}");
}
