//! seedbed is a deterministic test bed for LLM-agent stacks.
//!
//! Agents, an orchestration sidecar, a model router and flaky model backends are actix actors on
//! one seeded virtual clock, and so are your own. Faults come from the same seed. One seed is one
//! exact history: run it again and every event is the same.
//!
//! - To test your own actors, start at [`world::World`], and at `seeds` for running a test over
//!   many seeds.
//! - To test a stack without writing code, write a sim in TOML: [`scenario`], and the `seedbed`
//!   binary.
//!
//! # Example
//!
//! ```
//! use actix::prelude::*;
//! use seedbed::world::{Env, Fault, Peer, Seed, World};
//! use std::time::Duration;
//!
//! #[derive(Message)]
//! #[rtype(result = "u32")]
//! struct Double(u32);
//!
//! // An ordinary actix actor, which knows nothing of seedbed.
//! struct Server;
//! impl Actor for Server {
//!     type Context = Context<Self>;
//! }
//! impl Handler<Double> for Server {
//!     type Result = MessageResult<Double>;
//!     fn handle(&mut self, Double(number): Double, _: &mut Context<Self>) -> Self::Result {
//!         MessageResult(number * 2)
//!     }
//! }
//!
//! // One that calls it over the simulated network.
//! struct Client {
//!     env: Env<Client>,
//!     server: Peer<Server>,
//! }
//! impl Actor for Client {
//!     type Context = Context<Self>;
//!     fn started(&mut self, _: &mut Context<Self>) {
//!         self.ask();
//!     }
//! }
//! impl Client {
//!     fn ask(&mut self) {
//!         let timeout = Duration::from_millis(100);
//!         self.env.call(&self.server, Double(21)).timeout(timeout).then(|client, answer, _| {
//!             match answer {
//!                 Ok(number) => client.env.emit("answered", number),
//!                 Err(_) => client.ask(),
//!             }
//!         });
//!     }
//! }
//!
//! let mut world = World::new(Seed(42));
//! let server = world.spawn("server", |_| Server);
//! world.spawn("client", move |env| Client { env, server });
//! world.fault(Fault::partition(["client"], ["server"]).lasting(Duration::from_secs(1)));
//! let outcome = world.run()?.ok()?;
//! assert_eq!(outcome.counts.calls_timed_out, 10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
#[cfg(feature = "cli")]
pub mod conformance;
pub mod explore;
pub mod observe;
#[cfg(feature = "cli")]
pub mod outside;
pub mod policy;
pub mod report;
pub mod scenario;
pub mod seeds;
pub mod stack;
pub mod world;

pub use seeds::seeds;

/// The README's examples, tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
