//! The orchestration sidecar: context in front of a request, the result stored after it, and events.
//!
//! A result is acknowledged once it is on disk, and stored once, however often it is posted.

pub mod auth;
pub mod context;
pub mod events;
mod gateway;
mod gauges;
pub mod message;
pub mod pressure;
pub mod project;
pub mod results;
#[cfg(test)]
mod tests;
pub mod wire;

pub use self::gateway::Gateway;

use std::io;

use serde::Serialize;

/// How long a value is as JSON.
fn json_len<T: Serialize + ?Sized>(value: &T) -> u64 {
    struct Count(u64);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // What cannot be written fits nowhere.
    serde_json::to_writer(&mut count, value).map_or(u64::MAX, |()| count.0)
}
