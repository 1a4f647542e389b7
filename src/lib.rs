//! seedbed: a deterministic test bed for LLM-agent stacks.

pub mod check;
pub mod explore;
pub mod observe;
pub mod policy;
pub mod scenario;
pub mod seeds;
pub mod stack;
pub mod world;

pub use seeds::seeds;
