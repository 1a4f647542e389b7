//! Hosts that fail more than they should, or more than the others.

use crate::world::{Stream, Time};

use super::{Detector, Kind, Origin, Requests, Settings};

/// Rates are in billionths here: precise enough that ten thousand hosts fit 128 bits.
const BILLION: u64 = 1_000_000_000;

/// From where on a success rate is bad, in billionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// The mean of the hosts' success rates.
    pub mean: u64,
    /// Below this a rate is bad; it may be negative.
    pub below: i64,
}

/// The sums that mean and deviation are made of.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    hosts: u128,
    rates: u128,
    squares: u128,
}

impl Sums {
    fn of(rates: impl Iterator<Item = u64>) -> Sums {
        let mut sums = Sums::default();
        for rate in rates {
            sums.hosts += 1;
            sums.rates += u128::from(rate);
            sums.squares += u128::from(rate) * u128::from(rate);
        }
        sums
    }

    /// The variance, times the square of the number of hosts.
    fn spread(&self) -> u128 {
        self.hosts * self.squares - self.rates * self.rates
    }

    /// Whether a rate is more than `factor` thousandths of a standard deviation below the mean:
    /// both sides squared and times hosts², so that no root is drawn.
    fn far_above(&self, rate: u64, factor: u32) -> bool {
        let Some(short) = self.rates.checked_sub(self.hosts * u128::from(rate)) else {
            return false;
        };
        let far = self.spread().saturating_mul(u128::from(factor).pow(2));
        far < short.saturating_mul(short).saturating_mul(1_000_000)
    }

    fn threshold(&self, factor: u32) -> Threshold {
        let hosts = self.hosts.max(1);
        let mean = self.rates / hosts;
        let down = self.spread().isqrt() * u128::from(factor) / hosts / 1_000;
        let narrow = |wide: u128| i64::try_from(wide).unwrap_or(i64::MAX);
        Threshold { mean: mean as u64, below: narrow(mean).saturating_sub(narrow(down)) }
    }
}

impl Requests {
    /// The part of them that succeeded, in billionths; none of none.
    pub fn success_rate(&self) -> Option<u64> {
        let rate = u128::from(self.successes) * u128::from(BILLION);
        rate.checked_div(u128::from(self.total)).map(|rate| rate as u64)
    }

    /// Whether at least so many percent of them failed.
    fn fail_at_least(&self, percent: u32) -> bool {
        let failures = self.total - self.successes;
        u128::from(failures) * 100 >= u128::from(percent) * u128::from(self.total)
    }
}

impl Detector {
    /// From where on a success rate was bad at the last sweep, if there were enough hosts.
    pub fn threshold(&self, origin: Origin) -> Option<Threshold> {
        self.thresholds[origin as usize]
    }

    /// The success rate of a host as of the last sweep, in billionths, if it had enough requests.
    pub fn success_rate(&self, host: usize, origin: Origin) -> Option<u64> {
        let enough = self
            .settings
            .success_rate_request_volume
            .min(self.settings.failure_percentage_request_volume);
        let requests = self.hosts.get(host)?.counted[origin as usize];
        if requests.total < enough { None } else { requests.success_rate() }
    }

    /// Ejects the hosts whose rates were bad between the last two sweeps.
    pub(super) fn judge_rates(&mut self, now: Time, origin: Origin, draws: &mut Stream) {
        let Settings { success_rate_stdev_factor: factor, .. } = self.settings;
        let volume = self.settings.success_rate_request_volume;
        let comparable = self.in_with(origin, volume);
        let rate = |requests: Requests| requests.success_rate().unwrap_or(0);
        let sums = Sums::of(comparable.iter().map(|(_, requests)| rate(*requests)));
        let enough =
            sums.hosts > 0 && sums.hosts >= u128::from(self.settings.success_rate_minimum_hosts);
        self.thresholds[origin as usize] = enough.then(|| sums.threshold(factor));
        let percentage = self.settings.failure_percentage_threshold;
        let measurable = self.in_with(origin, self.settings.failure_percentage_request_volume);
        let (by_rate, by_percentage) = match origin {
            Origin::External => (Kind::SuccessRate, Kind::FailurePercentage),
            Origin::Local => (Kind::LocalOriginSuccessRate, Kind::LocalOriginFailurePercentage),
        };
        for (host, requests) in comparable {
            if enough && sums.far_above(rate(requests), factor) {
                self.found_once(now, host, by_rate, draws);
            }
        }
        if measurable.len() < self.settings.failure_percentage_minimum_hosts as usize {
            return;
        }
        for (host, requests) in measurable {
            if requests.fail_at_least(percentage) {
                self.found_once(now, host, by_percentage, draws);
            }
        }
    }

    /// As `found`, unless the host is out already.
    fn found_once(&mut self, now: Time, host: usize, kind: Kind, draws: &mut Stream) {
        if !self.is_ejected(host) {
            self.found(now, host, kind, draws);
        }
    }

    /// The hosts that are in and had so many requests between the last two sweeps.
    fn in_with(&self, origin: Origin, volume: u64) -> Vec<(usize, Requests)> {
        self.hosts
            .iter()
            .enumerate()
            .filter(|(_, host)| host.ejected.is_none())
            .map(|(number, host)| (number, host.counted[origin as usize]))
            .filter(|(_, requests)| requests.total > 0 && requests.total >= volume)
            .collect()
    }
}
