//! The deterministic kernel.

mod delay;

pub use delay::Delay;
