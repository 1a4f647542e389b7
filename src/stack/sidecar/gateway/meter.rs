//! How fast a project's requests are answered: its last hundred.
//!
//! It must never count another project's: how busy one is is nobody else's business.

use std::{collections::VecDeque, time::Duration};

use crate::{stack::sidecar::wire::PerformanceStatus, world::Time};

/// How many requests are looked at.
const RECENT: usize = 100;

/// The times of a project's requests.
pub(super) struct Meter {
    since: Time,
    count: u64,
    recent: VecDeque<Duration>,
}

impl Meter {
    /// Nothing yet, since this time.
    pub(super) fn new(since: Time) -> Meter {
        Meter { since, count: 0, recent: VecDeque::new() }
    }

    /// One was answered.
    pub(super) fn record(&mut self, took: Duration) {
        self.count += 1;
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(took);
    }

    /// The mean and the 99th percentile (nearest rank) of the last hundred, and requests a second
    /// of all.
    pub(super) fn status(&self, now: Time) -> PerformanceStatus {
        let mut sorted: Vec<Duration> = self.recent.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (sorted.len() * 99).div_ceil(100).max(1);
        let p99 = sorted.get(rank - 1).copied().unwrap_or_default();
        let sum: Duration = sorted.iter().sum();
        let mean = super::milliseconds(sum) / sorted.len().max(1) as f64;
        let seconds = (now - self.since).as_secs_f64();
        PerformanceStatus {
            avg_response_time_ms: mean,
            p99_response_time_ms: super::milliseconds(p99),
            requests_per_second: if seconds > 0.0 { self.count as f64 / seconds } else { 0.0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_about_the_last_hundred() {
        let mut meter = Meter::new(Time::ZERO);
        assert_eq!(meter.status(Time::ZERO), PerformanceStatus::default());
        meter.record(Duration::from_secs(9));
        for millis in 1..=100 {
            meter.record(Duration::from_millis(millis));
        }
        let status = meter.status(Time::ZERO + Duration::from_secs(2));
        let seen = (status.avg_response_time_ms, status.p99_response_time_ms);
        assert_eq!((seen, status.requests_per_second), ((50.5, 99.0), 50.5));
    }
}
