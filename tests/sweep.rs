//! Sweeps as a user runs them: what they find, and that nothing that ends one loses a result.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "sweep/common.rs"]
mod common;
#[path = "sweep/damage.rs"]
mod damage;
#[path = "sweep/findings.rs"]
mod findings;
#[path = "sweep/merging.rs"]
mod merging;
