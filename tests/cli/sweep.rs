//! Sweeps as a user runs them: what they find, and that nothing that ends one loses a result.

#[path = "sweep/common.rs"]
mod common;
#[path = "sweep/compare.rs"]
mod compare;
#[path = "sweep/damage.rs"]
mod damage;
#[path = "sweep/findings.rs"]
mod findings;
#[path = "sweep/github.rs"]
mod github;
#[path = "sweep/merging.rs"]
mod merging;
