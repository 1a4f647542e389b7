//! Planted nondeterminism: everything that a run must never do, each in one small function.
//!
//! A sim that asks for one of these must not have the same history twice. If it has, the test bed
//! no longer notices that kind of leak. Nothing else may use this module.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "planted on purpose, to show that `verify` finds each"
)]

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use serde::Deserialize;

/// A planted source of nondeterminism, by which the test bed itself is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Leak {
    /// The iteration order of a randomly seeded hash map.
    HashOrder,
    /// The machine's clock.
    WallClock,
    /// The operating system's random numbers.
    OsRandom,
    /// A counter that outlives a world.
    ProcessCounter,
    /// A race between threads.
    Thread,
}

impl Leak {
    /// A duration below a millisecond that no seed decides.
    pub fn nanos(self) -> Duration {
        let number = match self {
            Leak::HashOrder => hash_order(),
            Leak::WallClock => wall_clock(),
            Leak::OsRandom => RandomState::new().hash_one(0),
            Leak::ProcessCounter => process_counter(),
            Leak::Thread => thread_race(),
        };
        Duration::from_nanos(number % 1_000_000)
    }
}

/// The position of each key says which order the map has.
fn hash_order() -> u64 {
    let map: HashMap<u64, ()> = (0..16).map(|key| (key, ())).collect();
    map.keys().fold(0_u64, |order, key| order.wrapping_mul(17).wrapping_add(*key))
}

fn wall_clock() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_nanos())
}

fn process_counter() -> u64 {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    COUNTER.fetch_add(1, Ordering::Relaxed)
}

/// How far another thread counts while this one starts and stops it.
fn thread_race() -> u64 {
    let (is_over, counted) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        while counted.load(Ordering::Relaxed) < 100 {
            std::hint::spin_loop();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    counted.load(Ordering::Relaxed)
}
