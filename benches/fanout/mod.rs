//! The workload "fanout": agents with a closed loop of requests, one router, three backends; 1–5 ms
//! a hop, 5–50 ms of service, one backend request in a hundred never answered, a timeout of 200 ms
//! and one retry. About six events for each request.

pub(crate) mod actors;
pub(crate) mod plain;

use std::time::Duration;

use seedbed::world::{Delay, Probability};

#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) agents: u32,
    pub(crate) requests: u32,
}

pub(crate) const BACKENDS: usize = 3;
pub(crate) const ATTEMPTS: u32 = 2;
pub(crate) const TIMEOUT: Duration = Duration::from_millis(200);
pub(crate) const SILENT: Probability = Probability::percent(1);
pub(crate) const HOP: Delay =
    Delay::Uniform { min: Duration::from_millis(1), max: Duration::from_millis(5) };
pub(crate) const SERVICE: Delay =
    Delay::Uniform { min: Duration::from_millis(5), max: Duration::from_millis(50) };
