//! seedbed: a deterministic test bed for LLM-agent stacks.

pub mod world;
