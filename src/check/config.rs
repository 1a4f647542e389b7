//! What must hold of a router whose configuration changes while it runs: of the changes, of their
//! trail, and of the requests that are in hand meanwhile.
//!
//! These checks know what was told to operators, what the trail says to whoever reads it, and which
//! values the router says each operation has. How a value comes about they do not know.

mod requests;
mod trail;

use std::{collections::BTreeMap, rc::Rc};

use self::{requests::Requests, trail::Reading};
use super::watch::Built;
use crate::{
    scenario::{FaultKind, Sim},
    stack::{ConfigEvent, Event},
    world::{Ending, Outcome, Time},
};

/// Every change that was answered or is in force is in the trail, once and in order; each entry goes
/// on where the one before stopped, and none goes.
pub(super) const TRAIL: &str = "trail_has_every_change";
/// A change holds before it is answered, once, and over a restart.
pub(super) const HOLDS: &str = "changes_hold_once_and_for_good";
/// Every request that came in ends once, whatever changes meanwhile.
pub(super) const IN_HAND: &str = "no_request_dropped_by_a_change";
/// A request makes the attempts and the pauses of the configuration under which it came in.
pub(super) const ADMITTED: &str = "requests_end_as_they_were_admitted";
/// Breakers open by the threshold that is in force.
pub(super) const OPENS: &str = "breakers_follow_the_configuration";

/// The checks on a configuration, while a run goes on.
pub(super) struct Config {
    /// Whether the disk of the router keeps what it was given.
    disk_is_kept: bool,
    version: u32,
    is_loaded: bool,
    /// Changes that are in force, each with its version.
    changed: BTreeMap<Rc<str>, u32>,
    /// What each operation has, by the version from which on it has it.
    tuned: BTreeMap<Rc<str>, BTreeMap<u32, Tuned>>,
    reading: Reading,
    requests: Requests,
    trail: Built,
    holds: Built,
}

/// What an operation has.
#[derive(Clone, Copy)]
struct Tuned {
    attempts: u32,
    shortest_ms: u64,
    longest_ms: u64,
    threshold: u64,
}

impl Config {
    /// The checks, if the router of the sim has a configuration.
    pub(super) fn new(sim: &Sim) -> Option<Config> {
        let lost = |kind: &FaultKind| match kind {
            FaultKind::DiskLost { node } => sim.select(node).iter().any(|node| node == "router"),
            _ => false,
        };
        sim.router.resilience.is_some().then(|| Config {
            disk_is_kept: !sim.faults.iter().any(|fault| lost(&fault.kind)),
            version: 0,
            is_loaded: false,
            changed: BTreeMap::new(),
            tuned: BTreeMap::new(),
            reading: Reading::default(),
            requests: Requests::new(sim.router.persist),
            trail: Built::default(),
            holds: Built::default(),
        })
    }

    /// Sees what happens to the configuration.
    pub(super) fn see_config(&mut self, at: Time, event: &ConfigEvent) {
        match event {
            ConfigEvent::Loaded { version, .. } => self.loaded(at, *version),
            ConfigEvent::OperationConfigured { operation, version, .. } => {
                if let Some(tuned) = Tuned::of(event) {
                    let versions = self.tuned.entry(Rc::clone(operation)).or_default();
                    versions.insert(*version, tuned);
                }
            }
            ConfigEvent::Changed { change, version, .. } => self.in_force(at, change, *version),
            ConfigEvent::RequestAdmitted { request, operation, version } => {
                let now = self.version;
                let other = || {
                    format!("{request} came in under version {version} at {at}; {now} is in force")
                };
                self.holds.evaluate((*version != now).then(other));
                let tuned = self.tuned(operation, *version);
                self.requests.admitted(request, operation, tuned);
            }
            ConfigEvent::ChangeAnswered { change, by, outcome, version } => {
                let now = self.version;
                let early = || {
                    format!("{change} was answered at {at} as version {version}; {now} is in force")
                };
                let is_early = *outcome == "applied" && *version > now;
                self.holds.evaluate(is_early.then(early));
                self.trail.evaluate(self.reading.answered(change, by, outcome, *version));
            }
            ConfigEvent::TrailRead { reader, entries } => {
                let failure = self.reading.begin(at.as_nanos(), reader, *entries);
                self.read(failure);
            }
            ConfigEvent::EntryRead { .. } => {
                let failure = self.reading.entry(event);
                self.read(failure);
            }
            ConfigEvent::Refused { .. }
            | ConfigEvent::ChangeAsked { .. }
            | ConfigEvent::ChangeAbandoned { .. }
            | ConfigEvent::AlertRaised { .. }
            | ConfigEvent::AlertCleared { .. }
            | ConfigEvent::UsageTold { .. }
            | ConfigEvent::OperationTold { .. }
            | ConfigEvent::LegacyFound { .. } => {}
        }
    }

    fn read(&mut self, failure: Option<String>) {
        if self.disk_is_kept {
            self.trail.evaluate(failure);
        }
    }

    /// Sees what happens to requests.
    pub(super) fn see(&mut self, at: Time, event: &Event) {
        let tuned = &self.tuned;
        let in_force = |operation: &str| Some(*tuned.get(operation)?.last_key_value()?.1);
        self.requests.see(at, event, in_force);
    }

    fn tuned(&self, operation: &str, version: u32) -> Option<Tuned> {
        let versions = self.tuned.get(operation)?;
        Some(*versions.range(..=version).next_back()?.1)
    }

    fn loaded(&mut self, at: Time, version: u32) {
        let (before, again) = (self.version, self.is_loaded);
        // One more may have become durable at the moment of the crash.
        let wrong = again && self.disk_is_kept && !(before..=before + 1).contains(&version);
        let failure = || {
            format!("the router came back at {at} with version {version}; {before} was in force")
        };
        self.holds.evaluate(wrong.then(failure));
        (self.version, self.is_loaded) = (version, true);
        if version < before {
            self.tuned.values_mut().for_each(|versions| versions.retain(|it, _| *it < version));
        }
    }

    fn in_force(&mut self, at: Time, change: &Rc<str>, version: u32) {
        let next = self.version + 1;
        let failure = match self.changed.insert(Rc::clone(change), version) {
            Some(first) if self.disk_is_kept => {
                Some(format!("{change} is in force twice, as {first} and, at {at}, as {version}"))
            }
            _ if version != next => {
                Some(format!("{change} made version {version} at {at}; the next one is {next}"))
            }
            _ => None,
        };
        self.holds.evaluate(failure);
        self.version = version;
        self.reading.in_force(at.as_nanos(), change, version);
        self.requests.reconfigured();
    }

    /// What the router had in hand is gone.
    pub(super) fn router_crashed(&mut self) {
        self.requests.router_crashed();
    }

    /// The checks as they stand, always in the same order.
    pub(super) fn built(&self) -> [(&'static str, &Built); 5] {
        let [in_hand, admitted, opens] = self.requests.built();
        [
            (TRAIL, &self.trail),
            (HOLDS, &self.holds),
            (IN_HAND, in_hand),
            (ADMITTED, admitted),
            (OPENS, opens),
        ]
    }

    pub(super) fn finish(&mut self, outcome: &Outcome) -> [(&'static str, Built); 5] {
        let in_time = !matches!(outcome.ending, Ending::TimeLimit);
        let [in_hand, admitted, opens] = self.requests.finish(in_time);
        let take = std::mem::take;
        [
            (TRAIL, take(&mut self.trail)),
            (HOLDS, take(&mut self.holds)),
            (IN_HAND, in_hand),
            (ADMITTED, admitted),
            (OPENS, opens),
        ]
    }
}

impl Tuned {
    fn of(event: &ConfigEvent) -> Option<Tuned> {
        let ConfigEvent::OperationConfigured {
            retry_attempts,
            max_delay_ms,
            exponential_min_ms,
            failure_threshold,
            ..
        } = event
        else {
            return None;
        };
        Some(Tuned {
            attempts: *retry_attempts,
            shortest_ms: *exponential_min_ms.min(max_delay_ms),
            longest_ms: *max_delay_ms,
            threshold: u64::from(*failure_threshold),
        })
    }
}
