//! When to try again: attempts at one backend, and the pauses between them.
//!
//! A pause is drawn evenly from a range that follows from how many attempts have failed. Nothing
//! here sleeps, and nothing here knows why an attempt failed. Start at [`Retry::pause`].

mod preset;

use std::time::Duration;

use serde::Deserialize;

use crate::world::Stream;

pub use preset::Preset;

/// Attempts at one backend, and the pauses between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts including the first, at least 1.
    pub attempts: u32,
    /// The pause before the second attempt.
    pub base: Duration,
    /// How the pauses grow.
    pub growth: Growth,
    /// The longest pause; at least `base`.
    pub max: Duration,
    /// How a pause is varied.
    pub jitter: Jitter,
    /// Whether `max` holds for the varied pause instead, where it is varied by a share or a
    /// stretch. gRPC, failsafe-go, LiteLLM, `backon` and the SDKs cut the pause and then vary it, so
    /// that it may pass `max`; Polly, resilience4j and tower vary it and then cut, so that pauses
    /// that have outgrown `max` are all as long.
    pub hard_max: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            attempts: 1,
            base: Duration::from_millis(500),
            growth: Growth::DOUBLE,
            max: Duration::from_secs(8),
            jitter: Jitter::Full,
            hard_max: true,
        }
    }
}

/// How the pause grows from failure to failure, before it is varied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// By the same factor each time, in thousandths.
    Exponential {
        /// 1000 keeps the pause as it is, 1500 is half as much again, 2000 doubles it.
        permille: u32,
    },
    /// The same, but each pause is cut to whole milliseconds before the next follows from it, as
    /// resilience4j does: 100 ms times 1.5 goes 100, 150, 225, 337, 505.
    WholeMillis {
        /// As above.
        permille: u32,
    },
    /// By the base each time (Polly): the base, twice the base, three times the base.
    Linear,
    /// By a factor from a pause of its own, whatever the base is, and held between two bounds
    /// before it is varied: tenacity's `wait_exponential(multiplier, min, max)`, which a longest
    /// pause with jitter may still cut.
    Within {
        /// The pause after the first failure, before it is held.
        first: Duration,
        /// As above.
        permille: u32,
        /// The shortest pause; it wins if it is above `most`.
        least: Duration,
        /// The longest.
        most: Duration,
    },
}

impl Growth {
    /// Not at all.
    pub const CONSTANT: Growth = Growth::Exponential { permille: 1_000 };
    /// Twice as long each time.
    pub const DOUBLE: Growth = Growth::times(2);

    /// So many times as long each time.
    #[must_use]
    pub const fn times(factor: u32) -> Growth {
        Growth::Exponential { permille: factor.saturating_mul(1_000) }
    }

    /// The pause after so many failures, in nanoseconds and at most `max`.
    fn pause(self, base: u64, failures: u32, max: u64) -> u64 {
        let steps = failures.saturating_sub(1);
        match self {
            Growth::Linear => base.saturating_mul(u64::from(steps).saturating_add(1)).min(max),
            Growth::Exponential { permille } => {
                let scaled = grow(u128::from(base) << FRACTION, permille, steps, max, 1);
                clamp(scaled >> FRACTION).min(max)
            }
            Growth::WholeMillis { permille } => {
                // A grain of a millisecond cuts the base too, as that library counts in them.
                let base = u128::from(base / MILLI * MILLI) << FRACTION;
                let scaled = grow(base, permille, steps, max, u128::from(MILLI) << FRACTION);
                clamp(scaled >> FRACTION).min(max)
            }
            Growth::Within { first, permille, least, most } => {
                let (least, most) = (nanos(least), nanos(most));
                let grown = grow(u128::from(nanos(first)) << FRACTION, permille, steps, most, 1);
                clamp(grown >> FRACTION).min(most).max(least).min(max)
            }
        }
    }
}

/// Nanoseconds of a millisecond.
const MILLI: u64 = 1_000_000;
/// Bits behind the point while a pause grows, so that a factor such as 1.5 stays exact for as long
/// as anybody waits.
const FRACTION: u32 = 24;

/// `pause` times `permille` thousandths, `steps` times over; each product is cut to whole `grain`s.
fn grow(mut pause: u128, permille: u32, steps: u32, max: u64, grain: u128) -> u128 {
    let max = u128::from(max) << FRACTION;
    for _ in 0..steps {
        // Past the longest it only grows.
        if pause >= max && permille >= 1_000 {
            break;
        }
        let next = pause * u128::from(permille) / 1_000 / grain * grain;
        // One that stays as it is stays so for good.
        if next == pause {
            break;
        }
        pause = next;
    }
    pause
}

/// How the pause between attempts is varied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// Anything from nothing to the whole pause.
    #[default]
    Full,
    /// The whole pause, always.
    None,
    /// Half of the pause, and anything up to another half.
    Equal,
    /// Anything from the base to three times the pause before (AWS, "Exponential Backoff and
    /// Jitter"); how the pauses grow has no part in it.
    #[serde(skip)]
    Decorrelated,
    /// A share of the pause less, up to a share more: thousandths of it.
    #[serde(skip)]
    Scaled {
        /// How much less, at most 1000.
        less: u32,
        /// How much more.
        more: u32,
    },
    /// A stretch of time less, up to a stretch more.
    #[serde(skip)]
    Shifted {
        /// How much less.
        less: Duration,
        /// How much more.
        more: Duration,
    },
}

impl Retry {
    /// The pause after so many failures in a row, the first included: `base`, grown each time up to
    /// `max`, then varied. `draws` decides the variation.
    pub fn pause(&self, failures: u32, draws: &mut Stream) -> Duration {
        self.pause_after(failures, self.base, draws)
    }

    /// The same for jitter that depends on the pause before, which is `base` if there was none.
    pub fn pause_after(&self, failures: u32, previous: Duration, draws: &mut Stream) -> Duration {
        let (low, high) = self.range(failures, previous);
        let drawn = if self.jitter == Jitter::None { high } else { draws.between(low, high) };
        self.cut(drawn)
    }

    /// The pause that is so many millionths of the way from the shortest to the longest: what a
    /// draw of that size would give.
    #[must_use]
    pub fn pause_at(&self, failures: u32, previous: Duration, millionths: u32) -> Duration {
        let (low, high) = self.range(failures, previous);
        let span = u128::from(high.saturating_sub(low));
        let part = span * u128::from(millionths.min(1_000_000)) / 1_000_000;
        self.cut(low.saturating_add(clamp(part)))
    }

    /// The shortest and the longest that the pause can be.
    #[must_use]
    pub fn bounds(&self, failures: u32, previous: Duration) -> (Duration, Duration) {
        (self.pause_at(failures, previous, 0), self.pause_at(failures, previous, 1_000_000))
    }

    /// From where to where a pause is drawn, in nanoseconds.
    fn range(&self, failures: u32, previous: Duration) -> (u64, u64) {
        let base = nanos(self.base);
        let cut_last =
            self.hard_max && matches!(self.jitter, Jitter::Scaled { .. } | Jitter::Shifted { .. });
        let max = if cut_last { u64::MAX } else { nanos(self.max) };
        let pause = self.growth.pause(base, failures, max);
        let share = |permille: u32| clamp(u128::from(pause) * u128::from(permille) / 1_000);
        match self.jitter {
            Jitter::None => (pause, pause),
            Jitter::Full => (0, pause),
            Jitter::Equal => (pause / 2, pause / 2 * 2),
            Jitter::Decorrelated => (base, nanos(previous).saturating_mul(3).max(base)),
            Jitter::Scaled { less, more } => {
                (pause.saturating_sub(share(less)), pause.saturating_add(share(more)))
            }
            Jitter::Shifted { less, more } => {
                (pause.saturating_sub(nanos(less)), pause.saturating_add(nanos(more)))
            }
        }
    }

    fn cut(&self, pause: u64) -> Duration {
        let pause = Duration::from_nanos(pause);
        if self.hard_max { pause.min(self.max) } else { pause }
    }
}

/// Whole nanoseconds; more than 584 years are cut there.
fn nanos(duration: Duration) -> u64 {
    clamp(duration.as_nanos())
}

fn clamp(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
