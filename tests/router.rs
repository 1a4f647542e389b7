//! The router, from outside: sims from strings, and what comes of them. One file for each subject.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "router/agents.rs"]
mod agents;
#[path = "router/answers.rs"]
mod answers;
#[path = "router/changes.rs"]
mod changes;
#[path = "router/common.rs"]
mod common;
#[path = "router/guards.rs"]
mod guards;
#[path = "router/health.rs"]
mod health;
#[path = "router/hedges.rs"]
mod hedges;
#[path = "router/properties.rs"]
mod properties;
#[path = "router/quotas.rs"]
mod quotas;
#[path = "router/streams.rs"]
mod streams;
