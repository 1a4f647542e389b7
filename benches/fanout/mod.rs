//! The workload "fanout": agents with a closed loop of requests, one router, three backends; 1–5 ms
//! a hop, 5–50 ms of service, one backend request in a hundred never answered, a timeout of 200 ms
//! and one retry. About six events for each request.

pub mod actors;
pub mod plain;

use std::time::Duration;

use seedbed::world::{Delay, Probability};

#[derive(Clone, Copy)]
pub struct Size {
    pub agents: u32,
    pub requests: u32,
}

pub const BACKENDS: usize = 3;
pub const ATTEMPTS: u32 = 2;
pub const TIMEOUT: Duration = Duration::from_millis(200);
pub const SILENT: Probability = Probability::percent(1);
pub const HOP: Delay =
    Delay::Uniform { min: Duration::from_millis(1), max: Duration::from_millis(5) };
pub const SERVICE: Delay =
    Delay::Uniform { min: Duration::from_millis(5), max: Duration::from_millis(50) };
