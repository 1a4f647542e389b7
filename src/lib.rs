//! seedbed: a deterministic test bed for LLM-agent stacks.

pub mod check;
pub mod explore;
pub mod policy;
pub mod scenario;
pub mod stack;
pub mod world;
