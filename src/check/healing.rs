//! What must work again once every fault has healed, and what the recovery costs.
//!
//! When that is comes from the sim alone. What an event means for a user is all that is judged here:
//! whether a request, or a call of a service, ended well.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::watch::Built;
use crate::{
    scenario::{self, PPM, Sim, duration_text},
    stack::{Event, RequestId, RequestOutcome},
    world::{Probability, Time},
};

/// Whatever is started when everything must work again ends well.
pub(super) const WORKS_AGAIN: &str = "works_again_after_healing";

/// What is measured only in a sim that says when everything must work again.
pub(super) const METRICS: [&str; 2] = ["goodput.after_healing", "herd.peak"];

/// What counts as one herd.
const HERD: Duration = Duration::from_secs(1);

/// How many were started, and how many of them ended well.
#[derive(Default)]
struct Share {
    started: u64,
    ok: u64,
}

/// Watches the phases of a run: what was over before the first fault, and what was started once
/// everything must work again.
pub(super) struct Healing {
    first_fault: Time,
    healed: Time,
    bound: Time,
    /// Whether requests can only fail through a fault, and calls of services.
    requests_can_hold: bool,
    calls_can_hold: bool,
    open: BTreeMap<RequestId, Time>,
    before: Share,
    after: Share,
    works: Built,
    /// Calls of models within the last second.
    herd: VecDeque<Time>,
    peak: u64,
}

impl Healing {
    /// `None` if nothing has to work again.
    pub(super) fn new(sim: &Sim) -> Option<Healing> {
        let healing: scenario::Healing = sim.healing?;
        let first = sim.faults.iter().map(|fault| fault.at).min().unwrap_or(healing.after);
        let is_whole = links_are_whole(sim);
        Some(Healing {
            first_fault: Time::ZERO + first,
            healed: Time::ZERO + healing.after,
            bound: Time::ZERO + healing.bound(),
            requests_can_hold: is_whole && models_are_whole(sim),
            calls_can_hold: is_whole
                && sim.services.iter().all(|it| it.errors == scenario::CallErrors::default()),
            open: BTreeMap::new(),
            before: Share::default(),
            after: Share::default(),
            works: Built::default(),
            herd: VecDeque::new(),
            peak: 0,
        })
    }

    pub(super) fn see(&mut self, at: Time, event: &Event) {
        match event {
            Event::RequestStarted { request, .. } => {
                self.open.insert(request.clone(), at);
            }
            Event::RequestEnded { request, outcome, .. } => {
                let Some(start) = self.open.remove(request) else { return };
                let ok = *outcome == RequestOutcome::Ok;
                let holds = self.requests_can_hold;
                self.ended((start, at), ok, holds, || {
                    format!("{request}, started at {start}, {outcome:?}")
                });
            }
            Event::ServiceCalled { service, outcome, latency_ms, .. } => {
                let took = Duration::from_millis(*latency_ms);
                let start = Time::ZERO + at.since_start().saturating_sub(took);
                let holds = self.calls_can_hold;
                self.ended((start, at), *outcome == "ok", holds, || {
                    format!("a call of {service}, started at {start}, {outcome}")
                });
            }
            Event::AttemptStarted { .. } if at >= self.healed => {
                self.herd.push_back(at);
                while self.herd.front().is_some_and(|first| at - *first >= HERD) {
                    self.herd.pop_front();
                }
                self.peak = self.peak.max(self.herd.len() as u64);
            }
            _ => {}
        }
    }

    fn ended(
        &mut self,
        (start, end): (Time, Time),
        ok: bool,
        must_hold: bool,
        what: impl FnOnce() -> String,
    ) {
        let share = if start >= self.bound {
            if must_hold {
                self.works.evaluate((!ok).then(what));
            }
            &mut self.after
        } else if end < self.first_fault {
            // What the fault met on its way says nothing of the time before it.
            &mut self.before
        } else {
            return;
        };
        share.started += 1;
        share.ok += u64::from(ok);
    }

    /// The check as it stands.
    pub(super) fn built(&self) -> &Built {
        &self.works
    }

    pub(super) fn take(&mut self) -> Built {
        std::mem::take(&mut self.works)
    }

    /// The goodput is the share that ended well of what was started once everything had to work
    /// again, for each part that did before the first fault. The herd is the most calls of models
    /// that began within one second, from the end of the faults on.
    pub(super) fn metrics(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let Share { started, ok } = self.before;
        let good = u128::from(self.after.ok) * u128::from(started) * u128::from(PPM);
        let goodput = good.checked_div(u128::from(self.after.started) * u128::from(ok));
        let goodput = goodput.and_then(|goodput| u64::try_from(goodput).ok());
        let [name, peak] = METRICS;
        goodput.map(|goodput| (name, goodput)).into_iter().chain([(peak, self.peak)])
    }

    /// Why the check was never evaluated, if it was not.
    pub(super) fn note(&self) -> Option<String> {
        let bound = duration_text(self.bound.since_start());
        if self.after.started == 0 {
            return Some(format!(
                "{WORKS_AGAIN} was not evaluated: nothing was started after {bound}; let the load \
                 go on for longer"
            ));
        }
        (!self.requests_can_hold && !self.calls_can_hold).then(|| {
            format!(
                "{WORKS_AGAIN} was not evaluated: parts of this sim go wrong without a fault too; \
                 bound the metric {} instead",
                METRICS[0]
            )
        })
    }
}

fn links_are_whole(sim: &Sim) -> bool {
    let never = |share: Option<Probability>| share.is_none_or(|it| it == Probability::NEVER);
    never(Some(sim.network.loss))
        && never(Some(sim.network.corrupt))
        && sim.links.iter().all(|link| never(link.patch.loss) && never(link.patch.corrupt))
}

/// Whether no model, and no quota, turns a request away by itself.
fn models_are_whole(sim: &Sim) -> bool {
    let is_whole = |it: &scenario::Backend| {
        it.errors == scenario::ErrorMix::default() && it.limits == Default::default()
    };
    let has_limit =
        |it: &scenario::Workspace| it.quota.as_ref().is_some_and(|quota| quota.tokens_per_day > 0);
    sim.backends.iter().all(is_whole) && !sim.workspaces.iter().any(has_limit)
}

#[cfg(test)]
mod tests;
