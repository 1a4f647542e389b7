//! The orchestration sidecar: context in front of a request, the result stored after it, and events.
//!
//! A result is acknowledged once it is on disk, and stored once, however often it is posted.

pub mod auth;
pub mod context;
pub mod events;
pub mod gateway;
pub mod message;
pub mod pressure;
pub mod project;
pub mod results;
pub mod wire;
