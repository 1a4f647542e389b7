//! seedbed: a deterministic test bed for LLM-agent stacks.

pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod explore;
pub mod policy;
pub mod report;
pub mod scenario;
pub mod stack;
pub mod world;
