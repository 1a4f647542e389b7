//! How long answers took, in bounded memory.

use std::time::Duration;

use crate::world::Time;

/// Values below this have a bucket each; above it every power of two has half as many.
const EXACT: u64 = 512;
/// Buckets of each power of two.
const PER_POWER: u64 = EXACT / 2;
/// Powers of two above `EXACT`: up to 2³² milliseconds, 50 days.
const POWERS: u64 = 23;
const BUCKETS: usize = (EXACT + PER_POWER * POWERS) as usize;

/// Latencies of the last one to two periods, in whole milliseconds: exact below half a second, and
/// to within 0.4 % above. Like tower's `RotatingHistogram`, it reads from the period before the
/// current one, so that what is read is a whole period.
#[derive(Clone, Debug)]
pub struct Latencies {
    period: Duration,
    /// When the current period began.
    began: Time,
    read: Vec<u32>,
    write: Vec<u32>,
}

impl Latencies {
    /// No latencies yet.
    #[must_use]
    pub fn new(period: Duration, now: Time) -> Latencies {
        Latencies { period, began: now, read: vec![0; BUCKETS], write: vec![0; BUCKETS] }
    }

    /// An answer took this long.
    pub fn record(&mut self, now: Time, latency: Duration) {
        self.rotate(now);
        let millis = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        if let Some(count) = self.write.get_mut(bucket(millis)) {
            *count = count.saturating_add(1);
        }
    }

    /// The latency that a share of all answers, in millionths, did not exceed; none if there are
    /// fewer than `least` of them.
    pub fn quantile(&mut self, now: Time, ppm: u32, least: u64) -> Option<Duration> {
        self.rotate(now);
        let all = self.read.iter().map(|count| u64::from(*count)).sum::<u64>();
        if all < least.max(1) {
            return None;
        }
        let wanted = (u128::from(all) * u128::from(ppm.min(1_000_000))).div_ceil(1_000_000).max(1);
        let mut seen = 0;
        let index = self.read.iter().position(|count| {
            seen += u128::from(*count);
            seen >= wanted
        })?;
        Some(Duration::from_millis(highest(index as u64)))
    }

    fn rotate(&mut self, now: Time) {
        let period = self.period.as_nanos().max(1);
        let periods = (now - self.began).as_nanos() / period;
        if periods == 0 {
            return;
        }
        std::mem::swap(&mut self.read, &mut self.write);
        self.write.fill(0);
        if periods > 1 {
            self.read.fill(0);
        }
        let whole = u64::try_from(periods * period).unwrap_or(u64::MAX);
        self.began = self.began + Duration::from_nanos(whole);
    }
}

/// The bucket of a latency; whatever is longer than the last one counts there.
fn bucket(millis: u64) -> usize {
    let power = u64::from(millis.max(1).ilog2()).saturating_sub(u64::from(EXACT.ilog2() - 1));
    let index = if power == 0 { millis } else { power * PER_POWER + (millis >> power) };
    usize::try_from(index).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// The longest latency of a bucket.
const fn highest(bucket: u64) -> u64 {
    if bucket < EXACT {
        return bucket;
    }
    let power = (bucket - PER_POWER) / PER_POWER;
    ((bucket - power * PER_POWER + 1) << power) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_one_another() {
        for millis in 0..200_000 {
            let index = bucket(millis);
            let before = index.checked_sub(1).map(|before| highest(before as u64));
            assert!(millis <= highest(index as u64), "{millis}");
            assert!(before.is_none_or(|before| before < millis), "{millis}");
        }
        assert_eq!((bucket(511), bucket(512), bucket(513), bucket(514)), (511, 512, 512, 513));
        assert_eq!((bucket(1_023), bucket(1_024), bucket(1_027)), (767, 768, 768));
        assert_eq!((highest(511), highest(512), highest(768)), (511, 513, 1_027));
        assert_eq!((bucket(u64::MAX), bucket((1 << 32) - 1)), (BUCKETS - 1, BUCKETS - 1));
        assert_eq!(bucket(u64::from(u32::MAX) - (1 << 23)), BUCKETS - 2);
        assert_eq!(highest(BUCKETS as u64 - 1), u64::from(u32::MAX));
    }
}
