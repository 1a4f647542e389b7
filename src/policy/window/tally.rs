//! Running totals of calls.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A call that is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// It failed.
    pub failed: bool,
    /// It was slow, whatever came of it.
    pub slow: bool,
    /// How long it took.
    pub took: Duration,
}

impl Call {
    /// In one word: nanoseconds (cut at 146 years) above two bits.
    pub(super) fn pack(self) -> u64 {
        let nanos = super::nanos(self.took).min(u64::MAX >> 2);
        nanos * 4 + u64::from(self.slow) * 2 + u64::from(self.failed)
    }
}

/// How many calls of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Calls that began, whether they are over or not. A window of the last calls does not forget
    /// them.
    pub requests: u32,
    /// Calls that succeeded, slow ones included.
    pub successes: u32,
    /// Calls that failed, slow ones included.
    pub failures: u32,
    /// Slow calls that succeeded.
    pub slow_successes: u32,
    /// Slow calls that failed.
    pub slow_failures: u32,
    /// Calls that do not count.
    pub excluded: u32,
    /// Successes since the last failure.
    pub consecutive_successes: u32,
    /// Failures since the last success.
    pub consecutive_failures: u32,
    /// Nanoseconds that all calls took, together.
    took: u64,
}

impl Tally {
    /// Calls that are over and count.
    #[inline]
    pub fn calls(&self) -> u32 {
        self.successes + self.failures
    }

    /// Calls that were slow.
    #[inline]
    pub fn slow(&self) -> u32 {
        self.slow_successes + self.slow_failures
    }

    /// How long all calls took, together.
    pub fn took(&self) -> Duration {
        Duration::from_nanos(self.took)
    }

    /// How long a call took on average; nothing if there was none.
    pub fn average(&self) -> Duration {
        self.took().checked_div(self.calls()).unwrap_or_default()
    }

    #[inline]
    pub(super) fn add(&mut self, call: Call) {
        self.took = self.took.saturating_add(super::nanos(call.took));
        if call.failed {
            self.failures += 1;
            self.slow_failures += u32::from(call.slow);
            self.consecutive_failures += 1;
            self.consecutive_successes = 0;
        } else {
            self.successes += 1;
            self.slow_successes += u32::from(call.slow);
            self.consecutive_successes += 1;
            self.consecutive_failures = 0;
        }
    }

    /// Takes a packed call out again. What is consecutive stays.
    #[inline]
    pub(super) fn remove_call(&mut self, packed: u64) {
        let (failed, slow) = (packed & 1 != 0, u32::from(packed & 2 != 0));
        self.took = self.took.saturating_sub(packed >> 2);
        if failed {
            self.failures = self.failures.saturating_sub(1);
            self.slow_failures = self.slow_failures.saturating_sub(slow);
        } else {
            self.successes = self.successes.saturating_sub(1);
            self.slow_successes = self.slow_successes.saturating_sub(slow);
        }
    }

    /// Takes the oldest part out again. A run of successes or failures loses what it had in there
    /// if it reaches back into it.
    pub(super) fn remove(&mut self, gone: &Tally) {
        let shorten = |run: &mut u32, all: u32, gone: u32, gone_run: u32| {
            if *run == (all.saturating_sub(gone)).saturating_add(gone_run) {
                *run = run.saturating_sub(gone_run);
            }
        };
        shorten(
            &mut self.consecutive_successes,
            self.successes,
            gone.successes,
            gone.consecutive_successes,
        );
        shorten(
            &mut self.consecutive_failures,
            self.failures,
            gone.failures,
            gone.consecutive_failures,
        );
        let less = |of: &mut u32, gone: u32| *of = of.saturating_sub(gone);
        less(&mut self.requests, gone.requests);
        less(&mut self.successes, gone.successes);
        less(&mut self.failures, gone.failures);
        less(&mut self.slow_successes, gone.slow_successes);
        less(&mut self.slow_failures, gone.slow_failures);
        less(&mut self.excluded, gone.excluded);
        self.took = self.took.saturating_sub(gone.took);
    }
}
