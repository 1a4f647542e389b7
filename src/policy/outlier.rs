//! Outlier detection, as Envoy does it: hosts that keep failing, or fail more than the others, are
//! ejected for a while.
//!
//! Consecutive errors eject at once; rates are looked at, and hosts brought back, at a sweep, which
//! the caller makes every [`Settings::interval`]. It must never read a clock; the one draw, whether
//! an ejection is enforced, comes from the caller's stream. Start at [`Detector`].
//!
//! The rules and defaults are those of Envoy's `OutlierDetection` (cluster v3).

mod rates;
mod settings;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::{
    rates::Threshold,
    settings::{Kind, Origin, Result, Settings},
};
use crate::world::{Probability, Stream, Time};

/// Watches the hosts of a cluster. Hosts are named by their number, from 0.
#[derive(Clone, Debug)]
pub struct Detector {
    settings: Settings,
    hosts: Vec<Host>,
    ejections: Ejections,
    /// Of the last sweep, by origin.
    thresholds: [Option<Threshold>; 2],
}

/// What is known of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Since when it is ejected.
    pub ejected: Option<Time>,
    /// When it was last brought back.
    pub returned: Option<Time>,
    /// How often it was ejected.
    pub ejections: u32,
    /// Ejections that the length of the next one remembers.
    pub remembered: u32,
    /// By how much this ejection is lengthened.
    jitter: Duration,
    consecutive_5xx: u32,
    consecutive_gateway: u32,
    consecutive_local: u32,
    /// Requests since the last sweep, by origin.
    counting: [Requests; 2],
    /// Requests between the last two sweeps.
    counted: [Requests; 2],
}

/// Requests of a host between two sweeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// All of them.
    pub total: u64,
    /// Those that succeeded.
    pub successes: u64,
}

impl Requests {
    fn count(&mut self, success: bool) {
        self.total += 1;
        self.successes += u64::from(success);
    }
}

/// How often something was found, and what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ejections {
    /// Outliers found, by [`Kind`], enforced or not.
    pub detected: [u64; Kind::ALL.len()],
    /// Hosts ejected, by [`Kind`].
    pub enforced: [u64; Kind::ALL.len()],
    /// Outliers that stayed because too many hosts were out.
    pub overflow: u64,
    /// Outliers by errors in a row or by success rate that might have been ejected, enforced or
    /// not: what Envoy's deprecated `ejections_total` counts.
    pub total: u64,
}

impl Detector {
    /// A detector of so many hosts, all in.
    pub fn new(settings: Settings, hosts: usize) -> Detector {
        Detector {
            settings,
            hosts: vec![Host::default(); hosts],
            ejections: Ejections::default(),
            thresholds: [None; 2],
        }
    }

    /// Adds a host, and returns its number.
    pub fn add_host(&mut self) -> usize {
        self.hosts.push(Host::default());
        self.hosts.len() - 1
    }

    /// Removes a host. The numbers of those after it go down by one. Does nothing if it is unknown.
    pub fn remove_host(&mut self, host: usize) {
        if host < self.hosts.len() {
            self.hosts.remove(host);
        }
    }

    /// The hosts.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Whether a host is ejected. An unknown one is not.
    pub fn is_ejected(&self, host: usize) -> bool {
        self.hosts.get(host).is_some_and(|host| host.ejected.is_some())
    }

    /// How many hosts are ejected.
    pub fn ejected(&self) -> usize {
        self.hosts.iter().filter(|host| host.ejected.is_some()).count()
    }

    /// How often something was found, and what came of it.
    pub fn ejections(&self) -> &Ejections {
        &self.ejections
    }

    /// A host answered with this HTTP status.
    pub fn respond(&mut self, now: Time, host: usize, status: u16, draws: &mut Stream) {
        let Some(it) = self.hosts.get_mut(host) else { return };
        let error = (500..600).contains(&status);
        it.counting[Origin::External as usize].count(!error);
        if !error {
            (it.consecutive_5xx, it.consecutive_gateway) = (0, 0);
            return;
        }
        let gateway = (502..=504).contains(&status);
        it.consecutive_gateway = if gateway { it.consecutive_gateway + 1 } else { 0 };
        it.consecutive_5xx += 1;
        let (failures, errors) = (it.consecutive_gateway, it.consecutive_5xx);
        if gateway && failures == self.settings.consecutive_gateway_failure {
            self.consecutive(now, host, Kind::ConsecutiveGatewayFailure, draws);
        }
        if errors == self.settings.consecutive_5xx {
            self.consecutive(now, host, Kind::Consecutive5xx, draws);
        }
    }

    /// A call to a host ended otherwise than with an HTTP status.
    pub fn result(&mut self, now: Time, host: usize, result: Result, draws: &mut Stream) {
        if !self.settings.split_external_local_origin_errors {
            if let Some(status) = result.status() {
                self.respond(now, host, status, draws);
            }
            return;
        }
        match result {
            Result::RequestFailed => self.respond(now, host, 503, draws),
            Result::RequestSuccess => {
                self.respond(now, host, 200, draws);
                self.local(now, host, true, draws);
            }
            Result::ConnectSuccess | Result::ConnectSuccessFinal => {
                self.local(now, host, true, draws);
            }
            Result::Timeout | Result::ConnectFailed => self.local(now, host, false, draws),
        }
    }

    /// A connection to a host was made, or was not.
    fn local(&mut self, now: Time, host: usize, success: bool, draws: &mut Stream) {
        let Some(it) = self.hosts.get_mut(host) else { return };
        it.counting[Origin::Local as usize].count(success);
        it.consecutive_local = if success { 0 } else { it.consecutive_local + 1 };
        if it.consecutive_local == self.settings.consecutive_local_origin_failure && !success {
            self.consecutive(now, host, Kind::ConsecutiveLocalOriginFailure, draws);
        }
    }

    /// An active health check of a host succeeded: it is back at once, if the settings say so.
    pub fn healthy(&mut self, now: Time, host: usize) {
        if self.settings.successful_active_health_check_uneject_host && self.is_ejected(host) {
            self.hosts[host].bring_back(now);
        }
    }

    /// A host failed often enough in a row. The run begins anew, so that it is found again after
    /// as many more.
    fn consecutive(&mut self, now: Time, host: usize, kind: Kind, draws: &mut Stream) {
        if self.is_ejected(host) {
            return;
        }
        self.found(now, host, kind, draws);
        let it = &mut self.hosts[host];
        match kind {
            Kind::ConsecutiveGatewayFailure => it.consecutive_gateway = 0,
            Kind::ConsecutiveLocalOriginFailure => it.consecutive_local = 0,
            _ => it.consecutive_5xx = 0,
        }
    }

    /// A host is an outlier: ejects it, if it may be.
    fn found(&mut self, now: Time, host: usize, kind: Kind, draws: &mut Stream) {
        self.ejections.detected[kind as usize] += 1;
        let out = self.ejected() as u64;
        let most = u64::from(self.settings.max_ejection_percent.min(100));
        let room = (out + 1) * 100 <= most * self.hosts.len() as u64;
        let first = out == 0 && self.settings.always_eject_one_host;
        if !room && !first {
            self.ejections.overflow += 1;
            return;
        }
        let classic = matches!(kind, Kind::Consecutive5xx | Kind::SuccessRate);
        self.ejections.total += u64::from(classic);
        if !draws.chance(Probability::percent(self.settings.enforcing(kind))) {
            return;
        }
        self.ejections.enforced[kind as usize] += 1;
        let jitter = self.settings.max_ejection_time_jitter;
        let it = &mut self.hosts[host];
        it.ejected = Some(now);
        it.ejections += 1;
        let millis = u64::try_from(jitter.as_millis()).unwrap_or(u64::MAX);
        it.jitter = Duration::from_millis(draws.between(0, millis));
        let (base, max) = (self.settings.base_ejection_time, self.settings.max_ejection_time);
        if base.saturating_mul(it.remembered) < max.saturating_add(base) {
            it.remembered += 1;
        }
    }

    /// Forgets an ejection of each host that is in, brings back those whose time is over, and then
    /// ejects those whose rates are bad. To be called every [`Settings::interval`].
    pub fn sweep(&mut self, now: Time, draws: &mut Stream) {
        let settings = &self.settings;
        for host in &mut self.hosts {
            let wait = settings.ejection_time(host.remembered).saturating_add(host.jitter);
            match host.ejected {
                None => host.remembered = host.remembered.saturating_sub(1),
                Some(since) if now - since >= wait => host.bring_back(now),
                Some(_) => {}
            }
            host.counted = std::mem::take(&mut host.counting);
        }
        for origin in [Origin::External, Origin::Local] {
            self.judge_rates(now, origin, draws);
        }
    }
}

impl Host {
    fn bring_back(&mut self, now: Time) {
        self.ejected = None;
        self.returned = Some(now);
        (self.consecutive_5xx, self.consecutive_gateway, self.consecutive_local) = (0, 0, 0);
    }
}
