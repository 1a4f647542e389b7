//! From the parts to the whole: several components, breakers, load, models and providers.

use serde::{Deserialize, Serialize};

use super::Status;
use crate::policy::breaker::State;

/// How all components together are: unhealthy if one is, else degraded if one is, else healthy if
/// all are; unknown otherwise, and if there is none. (The rule of the `engined` suite.)
#[must_use]
pub fn overall(statuses: impl IntoIterator<Item = Status>) -> Status {
    let severity = |status: Status| match status {
        Status::Healthy => 0,
        Status::Unknown => 1,
        Status::Degraded => 2,
        Status::Unhealthy => 3,
    };
    statuses.into_iter().max_by_key(|status| severity(*status)).unwrap_or_default()
}

/// A mean of points, exact. 100 is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// The sum of the points of all components.
    pub points: u64,
    /// How many components; never 0.
    pub components: u64,
}

impl Score {
    /// The mean in thousandths, cut: 53 333 is 53.333.
    #[must_use]
    pub fn thousandths(self) -> u64 {
        self.points.saturating_mul(1_000) / self.components.max(1)
    }
}

/// The mean score: 100 for healthy, 60 for degraded, 50 for unknown, 0 for unhealthy; 100 for no
/// component at all. (The rule of the `engined` suite.)
#[must_use]
pub fn score(statuses: impl IntoIterator<Item = Status>) -> Score {
    let mut score = Score { points: 0, components: 0 };
    for status in statuses {
        score.components += 1;
        score.points += match status {
            Status::Healthy => 100,
            Status::Degraded => 60,
            Status::Unknown => 50,
            Status::Unhealthy => 0,
        };
    }
    if score.components == 0 { Score { points: 100, components: 1 } } else { score }
}

/// Above so many percent of CPU or memory a machine is unhealthy (the `engined` suite).
const UNHEALTHY_ABOVE_PERCENT: u128 = 90;
/// Above so many it is degraded (the same).
const DEGRADED_ABOVE_PERCENT: u128 = 75;

impl Status {
    /// The health of what is behind a circuit breaker. One that nobody watches, or that only
    /// measures, lets calls through as a closed one does.
    #[must_use]
    pub fn of_circuit(state: State) -> Status {
        match state {
            State::Closed | State::Disabled | State::MetricsOnly => Status::Healthy,
            State::HalfOpen => Status::Degraded,
            State::Open | State::ForcedOpen => Status::Unhealthy,
        }
    }

    /// The health of a resource of which `used` of `total` is in use: unhealthy above 90 %,
    /// degraded above 75 %. Of nothing, nothing can be used.
    #[must_use]
    pub fn of_load(used: u64, total: u64) -> Status {
        let above = |percent| u128::from(used) * 100 > u128::from(total) * percent;
        if above(UNHEALTHY_ABOVE_PERCENT) {
            Status::Unhealthy
        } else if above(DEGRADED_ABOVE_PERCENT) {
            Status::Degraded
        } else {
            Status::Healthy
        }
    }
}

/// Whether a model, a provider or the whole router can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// It can.
    Available,
    /// Part of it can, or it answers worse than it should.
    Degraded,
    /// It cannot.
    Unavailable,
}

impl Availability {
    /// In lower case, as in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Availability::Available => "available",
            Availability::Degraded => "degraded",
            Availability::Unavailable => "unavailable",
        }
    }

    /// That of a provider from its models, or of the router from all: available or unavailable if
    /// all of them are, degraded otherwise. Without a model there is nothing to use.
    #[must_use]
    pub fn of_all(models: impl IntoIterator<Item = Availability>) -> Availability {
        let mut models = models.into_iter();
        let first = models.next().unwrap_or(Availability::Unavailable);
        if models.all(|other| other == first) { first } else { Availability::Degraded }
    }
}

impl From<Status> for Availability {
    /// A model that nobody has checked can be used: otherwise nobody would ever find out.
    fn from(status: Status) -> Availability {
        match status {
            Status::Healthy | Status::Unknown => Availability::Available,
            Status::Degraded => Availability::Degraded,
            Status::Unhealthy => Availability::Unavailable,
        }
    }
}
