//! The stack, from outside: sims from strings, and what comes of them. One file for each subject.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "stack/agents.rs"]
mod agents;
#[path = "stack/answers.rs"]
mod answers;
#[path = "stack/changes.rs"]
mod changes;
#[path = "stack/common.rs"]
mod common;
#[path = "stack/flows.rs"]
mod flows;
#[path = "stack/guards.rs"]
mod guards;
#[path = "stack/health.rs"]
mod health;
#[path = "stack/hedges.rs"]
mod hedges;
#[path = "stack/properties.rs"]
mod properties;
#[path = "stack/quotas.rs"]
mod quotas;
#[path = "stack/sidecar.rs"]
mod sidecar;
#[path = "stack/streams.rs"]
mod streams;
