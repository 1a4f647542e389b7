//! Randomness, keyed by name.
//!
//! A stream is ChaCha8 under a key made of the seed, with a stream number hashed from a stable
//! name. Streams share no state, so a new stream, or one more draw from one, changes no other.
//! Decisions use integers only; the one distribution that needs floating point, the log-normal,
//! goes through `libm`, which is the same code on every machine.

use std::{convert::Infallible, fmt, num::ParseIntError, str::FromStr, time::Duration};

use rand::{Rng as _, SeedableRng as _, TryRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Delay, hash, time};

/// The seed of a world: one seed is one exact history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The random stream of this name.
    pub fn stream(self, name: &str) -> Stream {
        self.numbered_stream(hash::name_hash(name))
    }

    pub(crate) fn numbered_stream(self, number: u64) -> Stream {
        let mut key = *b"........seedbed, random stream 1";
        key[..8].copy_from_slice(&self.0.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(number);
        Stream(rng)
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Seed {
    type Err = ParseIntError;
    /// Reads a decimal number, or a hexadecimal one after `0x`.
    fn from_str(text: &str) -> Result<Seed, ParseIntError> {
        match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => text.parse(),
        }
        .map(Seed)
    }
}

/// A probability in parts per million, so that no decision depends on floating point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Probability(u32);

impl Probability {
    /// Never.
    pub const NEVER: Probability = Probability(0);
    /// Always.
    pub const ALWAYS: Probability = Probability(1_000_000);

    /// A probability of so many parts per million; anything above a million is always.
    pub const fn ppm(parts: u32) -> Probability {
        Probability(if parts > 1_000_000 { 1_000_000 } else { parts })
    }

    /// A probability of so many percent; anything above a hundred is always.
    pub const fn percent(percent: u32) -> Probability {
        Probability::ppm(percent.saturating_mul(10_000))
    }

    /// Parts per million.
    pub const fn as_ppm(self) -> u32 {
        self.0
    }
}

/// A stream of random numbers that belongs to one name. It also is a generator for `rand`, so that
/// all of its distributions can be drawn from it.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// A number from 0 to `bound - 1`, or 0 if `bound` is 0.
    ///
    /// One multiplication, no rejection: the bias is below `bound` / 2⁶⁴.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included; `low` if the range is empty.
    #[inline]
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        let span = high.saturating_sub(low);
        low + if span == u64::MAX { self.0.next_u64() } else { self.below(span + 1) }
    }

    /// True with the given probability. Draws even when the answer is certain, so that changing a
    /// rate does not shift the draws that come after.
    #[inline]
    pub fn chance(&mut self, probability: Probability) -> bool {
        self.below(1_000_000) < u64::from(probability.0)
    }

    /// One of the items, or none if there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(usize::try_from(self.below(items.len() as u64)).ok()?)
    }

    /// A duration from a distribution.
    #[inline]
    pub fn delay(&mut self, delay: &Delay) -> Duration {
        match delay {
            Delay::Fixed(fixed) => *fixed,
            Delay::Uniform { min, max } => {
                Duration::from_nanos(self.between(time::nanos(*min), time::nanos(*max)))
            }
            Delay::LogNormal { p50, p99 } => self.log_normal(*p50, *p99),
            Delay::Empirical(values) => self.pick(values).copied().unwrap_or_default(),
        }
    }

    /// An exponentially distributed duration with this mean: the gaps of a Poisson process.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        let nanos = -libm::log(self.open_unit()) * time::nanos(mean) as f64;
        Duration::from_nanos(nanos as u64)
    }

    fn log_normal(&mut self, p50: Duration, p99: Duration) -> Duration {
        /// The 99th percentile of the standard normal distribution.
        const Z99: f64 = 2.326_347_874_040_841;
        let median = time::nanos(p50).max(1) as f64;
        let sigma = libm::log(time::nanos(p99).max(1) as f64 / median) / Z99;
        // Box–Muller, the cosine half: two draws make one value.
        let radius = libm::sqrt(-2.0 * libm::log(self.open_unit()));
        let normal = radius * libm::cos(std::f64::consts::TAU * self.open_unit());
        Duration::from_nanos((median * libm::exp(sigma * normal)) as u64)
    }

    /// A float in (0, 1], from the 53 high bits of one draw.
    fn open_unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

impl TryRng for Stream {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(seed: u64, name: &str) -> Vec<u64> {
        let mut stream = Seed(seed).stream(name);
        (0..3).map(|_| stream.next_u64()).collect()
    }

    /// Golden values: a change here makes every seed of every user another history.
    #[test]
    fn streams_are_what_they_always_were() {
        let mut stream = Seed(7).stream("delays");
        let ms = Duration::from_millis;
        let log_normal = Delay::LogNormal { p50: ms(400), p99: ms(3_000) };
        let drawn: Vec<u128> = (0..3).map(|_| stream.delay(&log_normal).as_nanos()).collect();
        let gap = stream.exponential(ms(50)).as_nanos();
        let raw = draws(1, "link/router→opus/latency");
        assert_eq!(raw, [8669070461730608582, 5431272546898139021, 18426701144908544331]);
        assert_eq!(drawn, [387_248_877, 194_370_627, 718_283_286]);
        assert_eq!(gap, 97_965_316);
    }

    #[test]
    fn streams_differ_by_seed_and_by_name() {
        assert_eq!(draws(1, "a"), draws(1, "a"));
        assert_ne!(draws(1, "a"), draws(1, "b"));
        assert_ne!(draws(1, "a"), draws(2, "a"));
    }

    #[test]
    fn draws_stay_in_their_range_and_reach_its_ends() {
        let mut stream = Seed(3).stream("range");
        let drawn: Vec<u64> = (0..1_000).map(|_| stream.between(5, 8)).collect();
        assert_eq!(drawn.iter().min(), Some(&5));
        assert_eq!(drawn.iter().max(), Some(&8));
        assert_eq!(stream.below(0), 0);
        assert_eq!(stream.between(9, 2), 9);
        assert!(stream.pick::<u8>(&[]).is_none());
    }

    #[test]
    fn chances_are_kept() {
        let mut stream = Seed(3).stream("chance");
        let hits = (0..100_000).filter(|_| stream.chance(Probability::percent(3))).count();
        assert!((2_800..3_200).contains(&hits), "{hits}");
        assert!(!stream.chance(Probability::NEVER));
        assert!(stream.chance(Probability::ALWAYS));
    }

    #[test]
    fn a_log_normal_has_the_percentiles_it_was_given() {
        let mut stream = Seed(3).stream("latency");
        let (p50, p99) = (Duration::from_millis(400), Duration::from_secs(3));
        let mut drawn: Vec<Duration> =
            (0..20_000).map(|_| stream.delay(&Delay::LogNormal { p50, p99 })).collect();
        drawn.sort_unstable();
        let near = |got: Duration, want: Duration| got > want * 9 / 10 && got < want * 11 / 10;
        assert!(near(drawn[10_000], p50), "{:?}", drawn[10_000]);
        assert!(near(drawn[19_800], p99), "{:?}", drawn[19_800]);
    }

    #[test]
    fn seeds_are_read_in_both_bases() {
        assert_eq!("0x2A".parse(), Ok(Seed(42)));
        assert_eq!("42".parse(), Ok(Seed(42)));
        assert!("forty-two".parse::<Seed>().is_err());
    }
}
