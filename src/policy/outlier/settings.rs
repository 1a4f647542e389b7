//! What makes a host an outlier, and what follows.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// What makes a host an outlier, and what follows. The names are Envoy's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Time between sweeps: 10 s.
    pub interval: Duration,
    /// How long the first ejection lasts: 30 s. It grows by as much with each that is remembered.
    pub base_ejection_time: Duration,
    /// The longest ejection: 300 s, or the base if that is longer.
    pub max_ejection_time: Duration,
    /// Up to how much an ejection is lengthened, in whole milliseconds: not at all.
    pub max_ejection_time_jitter: Duration,
    /// The largest part of the hosts that may be ejected at once: 10 %.
    pub max_ejection_percent: u32,
    /// One host may be ejected whatever that part comes to. True here, as Envoy was before the
    /// setting existed; its default today is false, so that 10 % of 9 hosts eject nobody.
    pub always_eject_one_host: bool,
    /// Errors (5xx) in a row that eject: 5.
    pub consecutive_5xx: u32,
    /// Gateway errors (502, 503, 504) in a row that eject: 5.
    pub consecutive_gateway_failure: u32,
    /// Failed connections in a row that eject, if those are counted by themselves: 5.
    pub consecutive_local_origin_failure: u32,
    /// Whether failed connections are counted by themselves, instead of as errors: false.
    pub split_external_local_origin_errors: bool,
    /// Hosts with enough requests that it takes to compare success rates: 5.
    pub success_rate_minimum_hosts: u32,
    /// Requests between two sweeps that are enough for that: 100.
    pub success_rate_request_volume: u64,
    /// How many standard deviations below the mean a success rate is bad, in thousandths: 1900.
    pub success_rate_stdev_factor: u32,
    /// The percentage of failures that is bad: 85.
    pub failure_percentage_threshold: u32,
    /// Hosts with enough requests that it takes to look at percentages: 5.
    pub failure_percentage_minimum_hosts: u32,
    /// Requests between two sweeps that are enough for that: 50.
    pub failure_percentage_request_volume: u64,
    /// How many percent of what is found is acted upon, by [`Kind`]: all, but for gateway failures
    /// and both failure percentages, where it is none.
    pub enforcing: [u32; Kind::ALL.len()],
    /// Whether a successful active health check brings a host back at once: true.
    pub successful_active_health_check_uneject_host: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            interval: Duration::from_secs(10),
            base_ejection_time: Duration::from_secs(30),
            max_ejection_time: Duration::from_secs(300),
            max_ejection_time_jitter: Duration::ZERO,
            max_ejection_percent: 10,
            always_eject_one_host: true,
            consecutive_5xx: 5,
            consecutive_gateway_failure: 5,
            consecutive_local_origin_failure: 5,
            split_external_local_origin_errors: false,
            success_rate_minimum_hosts: 5,
            success_rate_request_volume: 100,
            success_rate_stdev_factor: 1_900,
            failure_percentage_threshold: 85,
            failure_percentage_minimum_hosts: 5,
            failure_percentage_request_volume: 50,
            enforcing: [100, 0, 100, 100, 100, 0, 0],
            successful_active_health_check_uneject_host: true,
        }
    }
}

impl Settings {
    /// How long an ejection lasts if so many are remembered, itself included.
    pub fn ejection_time(&self, remembered: u32) -> Duration {
        self.base_ejection_time.saturating_mul(remembered).min(self.max_ejection_time)
    }

    /// How many percent of what is found is acted upon.
    pub fn enforcing(&self, kind: Kind) -> u32 {
        self.enforcing[kind as usize]
    }
}

/// What made a host an outlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Errors in a row.
    Consecutive5xx,
    /// Gateway errors in a row.
    ConsecutiveGatewayFailure,
    /// Failed connections in a row.
    ConsecutiveLocalOriginFailure,
    /// A success rate far below that of the others.
    SuccessRate,
    /// The same, of connections.
    LocalOriginSuccessRate,
    /// Too many failures.
    FailurePercentage,
    /// Too many failed connections.
    LocalOriginFailurePercentage,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 7] = [
        Kind::Consecutive5xx,
        Kind::ConsecutiveGatewayFailure,
        Kind::ConsecutiveLocalOriginFailure,
        Kind::SuccessRate,
        Kind::LocalOriginSuccessRate,
        Kind::FailurePercentage,
        Kind::LocalOriginFailurePercentage,
    ];

    /// Its name in settings and counters, as Envoy has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Consecutive5xx => "consecutive_5xx",
            Kind::ConsecutiveGatewayFailure => "consecutive_gateway_failure",
            Kind::ConsecutiveLocalOriginFailure => "consecutive_local_origin_failure",
            Kind::SuccessRate => "success_rate",
            Kind::LocalOriginSuccessRate => "local_origin_success_rate",
            Kind::FailurePercentage => "failure_percentage",
            Kind::LocalOriginFailurePercentage => "local_origin_failure_percentage",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where an error came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The host.
    External,
    /// This side of the connection.
    Local,
}

/// How a call ended, if not with an HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Result {
    /// The connection was made, and something follows on it.
    ConnectSuccess,
    /// The connection was made, and that was all.
    ConnectSuccessFinal,
    /// No connection was made.
    ConnectFailed,
    /// Nothing came in time.
    Timeout,
    /// The host did what it was asked.
    RequestSuccess,
    /// The host did not.
    RequestFailed,
}

impl Result {
    /// As which HTTP status it counts while origins are not told apart; some do not.
    pub(super) fn status(self) -> Option<u16> {
        match self {
            Result::ConnectSuccess => None,
            Result::ConnectSuccessFinal | Result::RequestSuccess => Some(200),
            Result::ConnectFailed => Some(503),
            Result::Timeout => Some(504),
            Result::RequestFailed => Some(500),
        }
    }
}
