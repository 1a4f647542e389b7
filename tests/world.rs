//! The kernel, from outside: one file for each subject.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "world/calls.rs"]
mod calls;
#[path = "world/common.rs"]
mod common;
#[path = "world/failures.rs"]
mod failures;
#[path = "world/hosts.rs"]
mod hosts;
#[path = "world/leaks.rs"]
mod leaks;
#[path = "world/network.rs"]
mod network;
#[path = "world/nodes.rs"]
mod nodes;
#[path = "world/partitions.rs"]
mod partitions;
#[path = "world/properties.rs"]
mod properties;
#[path = "world/responses.rs"]
mod responses;
#[path = "world/streams.rs"]
mod streams;
#[path = "world/timers.rs"]
mod timers;
#[path = "world/traps.rs"]
mod traps;
