//! failsafe-go's budget, by what is in flight.

/// How many attempts are in flight, and how many of them are retries.
#[derive(Clone, Debug)]
pub struct Concurrent {
    max_rate_ppm: u32,
    min_concurrency: u32,
    /// First attempts and retries in flight; a request that waits for its retry counts once for
    /// itself and once for the retry.
    executions: u32,
    retries: u32,
}

impl Concurrent {
    pub(super) const fn new(max_rate_ppm: u32, min_concurrency: u32) -> Concurrent {
        Concurrent { max_rate_ppm, min_concurrency, executions: 0, retries: 0 }
    }

    /// All that is in flight.
    #[must_use]
    pub const fn executions(&self) -> u32 {
        self.executions
    }

    /// Retries in flight.
    #[must_use]
    pub const fn retries(&self) -> u32 {
        self.retries
    }

    pub(super) const fn start(&mut self) {
        self.executions = self.executions.saturating_add(1);
    }

    /// Allows a retry; `again` if it takes the place of one that has just failed.
    pub(super) fn withdraw(&mut self, again: bool) -> bool {
        let (executions, retries) = if again { self.without_one() } else { self.counts() };
        let (retries_ppm, most) = (u64::from(retries) * 1_000_000, u64::from(self.max_rate_ppm));
        let too_many = retries_ppm > most * u64::from(executions);
        if retries >= self.min_concurrency && too_many {
            return false;
        }
        (self.executions, self.retries) = (executions.saturating_add(1), retries.saturating_add(1));
        true
    }

    /// A request ends, on a retry or not.
    pub(super) fn end(&mut self, on_retry: bool) {
        if on_retry {
            (self.executions, self.retries) = self.without_one();
        }
        self.executions = self.executions.saturating_sub(1);
    }

    const fn counts(&self) -> (u32, u32) {
        (self.executions, self.retries)
    }

    const fn without_one(&self) -> (u32, u32) {
        (self.executions.saturating_sub(1), self.retries.saturating_sub(1))
    }
}
