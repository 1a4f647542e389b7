//! When to try again: attempts at one backend, and the pauses between them.

use std::time::Duration;

use serde::Deserialize;

use crate::world::Stream;

/// Attempts at one backend, and the pauses between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts including the first, from 1 to 100.
    pub attempts: u32,
    /// The pause before the second attempt.
    pub base: Duration,
    /// By what each further pause grows, at least 1.
    pub factor: u32,
    /// The longest pause; at least `base`.
    pub max: Duration,
    /// How a pause is varied.
    pub jitter: Jitter,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            attempts: 1,
            base: Duration::from_millis(500),
            factor: 2,
            max: Duration::from_secs(8),
            jitter: Jitter::Full,
        }
    }
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
}

impl Retry {
    /// The pause after so many failures in a row, the first included: `base` doubled (or whatever
    /// `factor` says) each time up to `max`, then varied. `draws` decides the variation.
    pub fn pause(&self, failures: u32, draws: &mut Stream) -> Duration {
        let growth = self.factor.saturating_pow(failures.saturating_sub(1));
        let pause = self.base.saturating_mul(growth).min(self.max);
        let up_to = |limit: Duration, draws: &mut Stream| {
            Duration::from_nanos(
                draws.between(0, u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX)),
            )
        };
        match self.jitter {
            Jitter::None => pause,
            Jitter::Full => up_to(pause, draws),
            Jitter::Equal => pause / 2 + up_to(pause / 2, draws),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Seed;

    fn pauses(jitter: Jitter) -> Vec<Duration> {
        let ms = Duration::from_millis;
        let retry = Retry { attempts: 6, base: ms(500), factor: 2, max: ms(3_000), jitter };
        let mut draws = Seed(1).stream("retry");
        (1..=5).map(|failures| retry.pause(failures, &mut draws)).collect()
    }

    #[test]
    fn pauses_double_up_to_the_limit() {
        let ms = [500, 1_000, 2_000, 3_000, 3_000].map(Duration::from_millis);
        assert_eq!(pauses(Jitter::None), ms);
    }

    #[test]
    fn jitter_stays_below_the_pause_and_differs() {
        for (jitter, least) in [(Jitter::Full, 0), (Jitter::Equal, 2)] {
            let (varied, whole) = (pauses(jitter), pauses(Jitter::None));
            for (varied, whole) in varied.iter().zip(&whole) {
                assert!(varied <= whole && *varied * 4 >= *whole * least, "{varied:?} {whole:?}");
            }
            assert_ne!(varied, whole);
        }
    }

    #[test]
    fn no_number_of_failures_overflows() {
        let retry = Retry { max: Duration::MAX, jitter: Jitter::None, ..Retry::default() };
        assert!(retry.pause(u32::MAX, &mut Seed(1).stream("retry")) > Duration::from_secs(1));
    }
}
