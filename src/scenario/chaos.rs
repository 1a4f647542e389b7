//! Chaos: from a sim and a seed, the faults of that run.
//!
//! Each kind draws from streams of its own, `chaos/<kind>`, so that adding or removing a kind changes
//! what no other draws. What comes out are ordinary faults, as a sim could have said them itself:
//! whoever runs or checks a sim knows nothing of chaos. Nothing here runs or reads anything.

mod network;
mod node;
mod provider;
mod service;
mod sidecar;
mod target;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::time::Duration;

pub(super) use target::Targets;

use super::model::{Chaos, ChaosKind, Fault, FaultKind, Sim};
use crate::stack::FAULT_POINTS;
use crate::world::{Delay, Probability, Seed, Stream};

/// How many faults a sim may have, with what is drawn.
pub(super) const FAULTS_MAX: usize = 1_000;

/// A millisecond: what is drawn is whole ones of it, so that a written plan is short.
const MILLI: Duration = Duration::from_millis(1);

impl Sim {
    /// The sim as it is under a seed: with the faults that its chaos draws, after its own.
    #[must_use]
    pub fn under(&self, seed: Seed) -> Cow<'_, Sim> {
        let Some(chaos) = &self.chaos else { return Cow::Borrowed(self) };
        let mut sim = self.clone();
        sim.faults.extend(draw(self, chaos, seed));
        sim.faults.truncate(FAULTS_MAX);
        sim.chaos = None;
        Cow::Owned(sim)
    }
}

/// The faults that chaos draws from a seed, in the order in which they fire.
fn draw(sim: &Sim, chaos: &Chaos, seed: Seed) -> Vec<Fault> {
    let targets = Targets::new(sim, chaos.targets.as_deref());
    let mut strikes: Vec<Strike> = Vec::new();
    for kind in switched_on(chaos, seed) {
        strikes.extend(of_kind(chaos, kind, &targets, seed));
    }
    strikes.sort_by_key(|strike| (strike.at, strike.kind));
    let mut faults: Vec<Fault> = armed(chaos, seed).collect();
    let mut ends: Vec<Duration> = Vec::new();
    for strike in strikes {
        ends.retain(|end| *end > strike.at);
        if ends.len() as u64 >= u64::from(chaos.at_once) {
            continue;
        }
        ends.push(strike.at + strike.lasts);
        let Strike { at, lasts, .. } = strike;
        let fault = |kind: FaultKind| {
            // What is lost stays lost: there is nothing to heal.
            let r#for = (!matches!(kind, FaultKind::DiskLost { .. })).then_some(lasts);
            Fault { at, r#for, kind }
        };
        faults.extend(strike.faults.into_iter().map(fault));
    }
    faults
}

/// Faults that begin and heal together.
struct Strike {
    at: Duration,
    lasts: Duration,
    kind: ChaosKind,
    faults: Vec<FaultKind>,
}

/// The kinds that this run has. With `swarm` each is off with probability 1/2; the one that came
/// nearest to being on stays if all are.
fn switched_on(chaos: &Chaos, seed: Seed) -> Vec<ChaosKind> {
    if !chaos.swarm {
        return chaos.kinds.clone();
    }
    const WHOLE: u64 = 1 << 32;
    let drawn =
        |kind: &ChaosKind| seed.stream(&format!("chaos/{}/swarm", kind.as_str())).below(WHOLE);
    let drawn: Vec<(u64, ChaosKind)> =
        chaos.kinds.iter().map(|kind| (drawn(kind), *kind)).collect();
    let on = drawn.iter().filter(|(number, _)| *number < WHOLE / 2);
    let on: Vec<ChaosKind> = on.map(|(_, kind)| *kind).collect();
    if on.is_empty() {
        drawn.into_iter().min().map(|(_, kind)| kind).into_iter().collect()
    } else {
        on
    }
}

/// What one kind does to a run.
fn of_kind(chaos: &Chaos, kind: ChaosKind, targets: &Targets<'_>, seed: Seed) -> Vec<Strike> {
    let mut draws = seed.stream(&format!("chaos/{}", kind.as_str()));
    let mut forms = seed.stream(&format!("chaos/{}/form", kind.as_str()));
    let mut strikes = Vec::new();
    let mut at = chaos.from;
    while strikes.len() < FAULTS_MAX {
        at += draws.exponential(chaos.gap);
        let lasts = draws.delay(&chaos.lasts);
        let faults = match kind {
            ChaosKind::Network => network::draw(targets, &mut draws, &mut forms),
            ChaosKind::Crash => node::crash(targets, &mut draws),
            ChaosKind::Pause => node::pause(targets, &mut draws),
            ChaosKind::Disk => node::disk(targets, &mut draws),
            ChaosKind::Clock => node::clock(targets, &mut draws),
            ChaosKind::Provider => provider::draw(targets, &mut draws),
            ChaosKind::Service => service::draw(targets, &mut draws),
            ChaosKind::Sidecar => sidecar::shortage(targets, &mut draws),
            ChaosKind::Dns => sidecar::unresolved(targets, &mut draws),
        };
        let at = whole_millis(at);
        let left = chaos.until.saturating_sub(at);
        let Some(faults) = faults.filter(|_| left > MILLI) else { break };
        strikes.push(Strike { at, lasts: whole_millis(lasts).clamp(MILLI, left), kind, faults });
    }
    strikes
}

/// The fault points that this run arms.
fn armed(chaos: &Chaos, seed: Seed) -> impl Iterator<Item = Fault> {
    let (at, lasts) = (chaos.from, chaos.until.saturating_sub(chaos.from));
    let points = chaos.points;
    FAULT_POINTS.iter().filter_map(move |site| {
        let points = points?;
        let is_armed = seed.stream(&format!("chaos/point/{site}")).chance(points.arm);
        let kind = FaultKind::Point { site: (*site).to_owned(), rate: points.rate };
        is_armed.then_some(Fault { at, r#for: Some(lasts), kind })
    })
}

fn whole_millis(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

// What the kinds draw with.

/// A number of whole milliseconds between two, both included.
fn millis(draws: &mut Stream, low: u64, high: u64) -> Duration {
    Duration::from_millis(draws.between(low, high))
}

/// From `low` to `high` per cent, both included.
fn percent(draws: &mut Stream, low: u32, high: u32) -> Probability {
    let drawn = draws.between(u64::from(low), u64::from(high));
    Probability::percent(u32::try_from(drawn).unwrap_or(high))
}

/// From nothing to `high` milliseconds, the least drawn too.
fn slow(draws: &mut Stream, low: u64, high: u64) -> Delay {
    let min = millis(draws, low, high);
    Delay::Uniform { min, max: min + millis(draws, 0, high) }
}
