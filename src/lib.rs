//! seedbed: a deterministic test bed for LLM-agent stacks.

pub mod scenario;
pub mod world;
