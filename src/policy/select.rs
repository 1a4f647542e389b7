//! Which model to ask, in which order, and why the others were passed over.
//!
//! The candidates come in the order of the configured chain, and what is known of each comes with
//! it. Nothing here remembers anything, except an [`Ewma`] for whoever measures latencies.
//!
//! Start at [`Wish::select`].

mod estimate;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::health::Availability;
use crate::world::Stream;

pub use estimate::{Ewma, tier_for};

/// A model that could be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Whose it is.
    pub provider: &'a str,
    /// How capable it is; more is more.
    pub tier: u8,
    /// How often it is drawn, relative to the others.
    pub weight: u32,
    /// Requests that it is working on.
    pub in_flight: u32,
    /// How long it takes; `None` if nobody knows yet.
    pub latency: Option<Duration>,
    /// Its price in micro-dollars for 1 000 tokens.
    pub price: u64,
    /// Whether it can be used.
    pub availability: Availability,
    /// Whether its circuit breaker refuses calls.
    pub circuit_open: bool,
    /// Whether the workspace can pay for it.
    pub within_budget: bool,
}

impl Candidate<'_> {
    /// Why it must not be asked at all.
    fn barred(&self) -> Option<PassedOver> {
        if self.circuit_open {
            Some(PassedOver::CircuitOpen)
        } else if self.availability == Availability::Unavailable {
            Some(PassedOver::Unhealthy)
        } else if !self.within_budget {
            Some(PassedOver::OverBudget)
        } else {
            None
        }
    }
}

/// How candidates that may be asked are ordered. Ties go by the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// As configured.
    #[default]
    Chain,
    /// The least tier that is enough for the task, then higher ones, then the nearest lower ones.
    Tier,
    /// One drawn by weight, then the chain. A weight of 0 is never drawn, unless all are 0.
    Weighted,
    /// The fewest requests in flight.
    LeastBusy,
    /// The lowest latency; one that nobody has measured comes first, so that it is.
    Latency,
    /// The lowest price.
    Cost,
}

impl Strategy {
    /// As written in a sim.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Strategy::Chain => "chain",
            Strategy::Tier => "tier",
            Strategy::Weighted => "weighted",
            Strategy::LeastBusy => "least_busy",
            Strategy::Latency => "latency",
            Strategy::Cost => "cost",
        }
    }
}

/// Why a candidate was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// It is the first of the chain.
    Primary,
    /// Its tier is enough for the task.
    Tier,
    /// It is the preferred provider's.
    Preferred,
    /// It was drawn.
    Weighted,
    /// It has the fewest requests in flight.
    LeastBusy,
    /// It has the lowest latency.
    Fastest,
    /// It has the lowest price.
    Cheapest,
    /// None better may be asked: the chain's first may not, or no tier is enough.
    Fallback,
}

impl Chosen {
    /// As in answers and events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Chosen::Primary => "primary",
            Chosen::Tier => "tier",
            Chosen::Preferred => "preferred",
            Chosen::Weighted => "weighted",
            Chosen::LeastBusy => "least_busy",
            Chosen::Fastest => "fastest",
            Chosen::Cheapest => "cheapest",
            Chosen::Fallback => "fallback",
        }
    }
}

/// Why a candidate was not chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassedOver {
    /// Its circuit breaker refuses calls: it must not be asked.
    CircuitOpen,
    /// It is unavailable: it must not be asked.
    Unhealthy,
    /// The workspace cannot pay for it: it must not be asked.
    OverBudget,
    /// Another provider is preferred.
    NotPreferred,
    /// Its tier is lower than that of the chosen one, or than the task needs.
    LowerTier,
    /// Its tier is higher than the task needs.
    HigherTier,
    /// Another one was drawn.
    NotDrawn,
    /// It has more requests in flight.
    Busier,
    /// Its latency is higher.
    Slower,
    /// Its price is higher.
    Dearer,
    /// It is as good, and later in the chain.
    LaterInChain,
}

impl PassedOver {
    /// As in answers and events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            PassedOver::CircuitOpen => "circuit_open",
            PassedOver::Unhealthy => "unhealthy",
            PassedOver::OverBudget => "over_budget",
            PassedOver::NotPreferred => "not_preferred",
            PassedOver::LowerTier => "lower_tier",
            PassedOver::HigherTier => "higher_tier",
            PassedOver::NotDrawn => "not_drawn",
            PassedOver::Busier => "busier",
            PassedOver::Slower => "slower",
            PassedOver::Dearer => "dearer",
            PassedOver::LaterInChain => "later_in_chain",
        }
    }
}

/// What a request wishes for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish<'a> {
    /// How to order the candidates.
    pub strategy: Strategy,
    /// The least tier that is enough, for [`Strategy::Tier`]; see [`tier_for`].
    pub tier: u8,
    /// The workspace's preferred provider: its candidates come first if they may be asked.
    pub preferred: Option<&'a str>,
}

/// The candidates in the order in which to ask them, then those that must not be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    ranked: Vec<Ranked>,
    chosen: Option<Chosen>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ranked {
    index: usize,
    /// What it is ordered by; less is better.
    rank: (bool, bool, u64),
    passed_over: Option<PassedOver>,
}

impl Ranked {
    /// Whether it must not be asked.
    fn is_barred(&self) -> bool {
        self.rank.0
    }
}

impl Selection {
    /// The candidates to ask, by their places in the chain, best first; empty if none may be asked.
    pub fn order(&self) -> impl Iterator<Item = usize> + '_ {
        self.ranked.iter().take_while(|ranked| !ranked.is_barred()).map(|ranked| ranked.index)
    }

    /// Why the first of the order is the first; `None` if none may be asked.
    #[must_use]
    pub fn chosen(&self) -> Option<Chosen> {
        self.chosen
    }

    /// The others, by their places in the chain, and why each is not the first.
    pub fn passed_over(&self) -> impl Iterator<Item = (usize, PassedOver)> + '_ {
        self.ranked.iter().filter_map(|ranked| Some((ranked.index, ranked.passed_over?)))
    }
}

impl Wish<'_> {
    /// Orders the candidates, which come in the order of the chain. Draws from `draws` exactly once
    /// if the strategy is [`Strategy::Weighted`], and never otherwise.
    #[must_use]
    pub fn select(&self, candidates: &[Candidate<'_>], draws: &mut Stream) -> Selection {
        let drawn = match self.strategy {
            Strategy::Weighted => self.draw(candidates, draws),
            _ => None,
        };
        let rank = |(index, candidate): (usize, &Candidate<'_>)| Ranked {
            index,
            rank: self.rank(candidate, drawn == Some(index)),
            passed_over: candidate.barred(),
        };
        let mut ranked: Vec<Ranked> = candidates.iter().enumerate().map(rank).collect();
        ranked.sort_unstable_by_key(|ranked| (ranked.rank, ranked.index));
        let Some((first, others)) = ranked.split_first_mut().filter(|(it, _)| !it.is_barred())
        else {
            return Selection { ranked, chosen: None };
        };
        for other in others {
            let why = || self.why_not(first, other, &candidates[other.index]);
            other.passed_over = Some(other.passed_over.unwrap_or_else(why));
        }
        let chosen = Some(self.why(first, &candidates[first.index]));
        Selection { ranked, chosen }
    }

    fn is_preferred(&self, candidate: &Candidate<'_>) -> bool {
        self.preferred.is_none_or(|provider| provider == candidate.provider)
    }

    /// How far its tier is above the wanted one; `None` if it is below.
    fn surplus(&self, candidate: &Candidate<'_>) -> Option<u8> {
        candidate.tier.checked_sub(self.tier)
    }

    /// Barred ones last, preferred ones first, then the strategy.
    fn rank(&self, candidate: &Candidate<'_>, is_drawn: bool) -> (bool, bool, u64) {
        let rank = match self.strategy {
            Strategy::Chain => 0,
            Strategy::Tier => match self.surplus(candidate) {
                Some(surplus) => u64::from(surplus),
                // Every tier below the wanted one comes after every tier from it on.
                None => u64::MAX - u64::from(candidate.tier),
            },
            Strategy::Weighted => u64::from(!is_drawn),
            Strategy::LeastBusy => u64::from(candidate.in_flight),
            Strategy::Latency => candidate.latency.map_or(0, nanos),
            Strategy::Cost => candidate.price,
        };
        (candidate.barred().is_some(), !self.is_preferred(candidate), rank)
    }

    /// Draws one of those that may be asked; of the preferred ones, if any of those may.
    fn draw(&self, candidates: &[Candidate<'_>], draws: &mut Stream) -> Option<usize> {
        let may = |candidate: &Candidate<'_>| candidate.barred().is_none();
        let only_preferred = candidates.iter().any(|it| may(it) && self.is_preferred(it));
        let weight = |candidate: &Candidate<'_>| {
            let takes_part = may(candidate) && (!only_preferred || self.is_preferred(candidate));
            if takes_part { u64::from(candidate.weight) } else { 0 }
        };
        let mut ticket = draws.below(candidates.iter().map(weight).sum());
        candidates.iter().position(|candidate| match ticket.checked_sub(weight(candidate)) {
            Some(left) => {
                ticket = left;
                false
            }
            None => true,
        })
    }

    fn why(&self, first: &Ranked, candidate: &Candidate<'_>) -> Chosen {
        if self.preferred == Some(candidate.provider) {
            return Chosen::Preferred;
        }
        match self.strategy {
            Strategy::Chain if first.index == 0 => Chosen::Primary,
            Strategy::Tier if self.surplus(candidate).is_some() => Chosen::Tier,
            Strategy::Chain | Strategy::Tier => Chosen::Fallback,
            Strategy::Weighted => Chosen::Weighted,
            Strategy::LeastBusy => Chosen::LeastBusy,
            Strategy::Latency => Chosen::Fastest,
            Strategy::Cost => Chosen::Cheapest,
        }
    }

    fn why_not(&self, first: &Ranked, other: &Ranked, candidate: &Candidate<'_>) -> PassedOver {
        if other.rank.1 != first.rank.1 {
            return PassedOver::NotPreferred;
        }
        if other.rank == first.rank {
            return PassedOver::LaterInChain;
        }
        match self.strategy {
            Strategy::Chain => PassedOver::LaterInChain,
            Strategy::Tier if self.surplus(candidate).is_none() => PassedOver::LowerTier,
            Strategy::Tier => PassedOver::HigherTier,
            Strategy::Weighted => PassedOver::NotDrawn,
            Strategy::LeastBusy => PassedOver::Busier,
            Strategy::Latency => PassedOver::Slower,
            Strategy::Cost => PassedOver::Dearer,
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
