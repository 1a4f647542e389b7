//! Whose behaviour a breaker has: each library's defaults.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    settings::{
        Boundary, Ends, Forgets, Growth, HalfOpen, Late, Manual, Settings, Then, TripsOn, Verdict,
        Wait,
    },
    trip::Trip,
};
use crate::policy::window::{Align, Shape};

/// Whose behaviour a breaker has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// resilience4j.
    Resilience4j,
    /// Polly 8.
    Polly,
    /// gobreaker 2.
    Gobreaker,
    /// failsafe-go.
    Failsafe,
    /// Envoy's outlier detection, of a single host.
    EnvoyOutlier,
    /// The service of the auto-healing suite.
    Engined,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Dialect; 6] = [
        Dialect::Resilience4j,
        Dialect::Polly,
        Dialect::Gobreaker,
        Dialect::Failsafe,
        Dialect::EnvoyOutlier,
        Dialect::Engined,
    ];

    /// Its name in settings and cases.
    pub const fn as_str(self) -> &'static str {
        match self {
            Dialect::Resilience4j => "resilience4j",
            Dialect::Polly => "polly",
            Dialect::Gobreaker => "gobreaker",
            Dialect::Failsafe => "failsafe",
            Dialect::EnvoyOutlier => "envoy-outlier",
            Dialect::Engined => "engined",
        }
    }

    /// The dialect of this name.
    pub fn from_name(name: &str) -> Option<Dialect> {
        Dialect::ALL.into_iter().find(|dialect| dialect.as_str() == name)
    }

    /// Its settings, with the library's defaults.
    pub fn settings(self) -> Settings {
        match self {
            Dialect::Resilience4j => Settings::resilience4j(),
            Dialect::Polly => Settings::polly(),
            Dialect::Gobreaker => Settings::gobreaker(),
            Dialect::Failsafe => Settings::failsafe(),
            Dialect::EnvoyOutlier => Settings::envoy(),
            Dialect::Engined => Settings::engined(),
        }
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Wait {
    /// The same wait each time, over at its last instant, noticed by the first call after it.
    pub const fn constant(base: Duration) -> Wait {
        Wait {
            base,
            growth: Growth::Constant,
            max: None,
            boundary: Boundary::Inclusive,
            ends: Ends::OnCall,
            sweep: None,
            forgets: Forgets::OnClose,
        }
    }
}

impl HalfOpen {
    /// So many probes, which must all succeed, and for as long as that takes.
    pub const fn all_of(probes: u32) -> HalfOpen {
        HalfOpen {
            permits: Some(probes),
            returned: false,
            verdict: Verdict::Successes(probes),
            max_wait: None,
            then: Then::Open,
        }
    }
}

impl Settings {
    /// resilience4j's defaults: the last 100 calls, at least 100; failures >= 50 % or calls slower
    /// than 60 s >= 100 %; open for 60 s and a little, then 10 probes judged by their rates.
    pub fn resilience4j() -> Settings {
        Settings {
            window: Shape::Calls(100),
            minimum_calls: 100,
            trip: Trip::Rates { failures: Some(500_000), slow: Some(1_000_000) },
            trips_on: TripsOn::AnyOutcome,
            slow_after: Some(Duration::from_secs(60)),
            whole_percents: false,
            wait: Wait { boundary: Boundary::Strict, ..Wait::constant(Duration::from_secs(60)) },
            half_open: Some(HalfOpen { verdict: Verdict::Trip, ..HalfOpen::all_of(10) }),
            late: Late::Counts,
            dated_at_start: false,
            clears_on_open: false,
            manual: Manual { checked: true, restarts: true },
        }
    }

    /// Polly's defaults: 30 s in 10 parts, at least 100 calls; failures >= 10 %, asked after
    /// failures; open for 5 s, then one probe.
    pub fn polly() -> Settings {
        Settings {
            window: Shape::time(Duration::from_secs(30), 10, Align::Call),
            minimum_calls: 100,
            trip: Trip::Rates { failures: Some(100_000), slow: None },
            trips_on: TripsOn::Failures,
            slow_after: None,
            whole_percents: false,
            wait: Wait::constant(Duration::from_secs(5)),
            half_open: Some(HalfOpen::all_of(1)),
            late: Late::Counts,
            dated_at_start: false,
            clears_on_open: false,
            manual: Manual { checked: false, restarts: true },
        }
    }

    /// gobreaker's defaults: everything since the last change; more than 5 failures in a row; open
    /// for 60 s and a little, then one probe. Late results are dropped.
    pub fn gobreaker() -> Settings {
        Settings {
            window: Shape::Unbounded,
            minimum_calls: 0,
            trip: Trip::Consecutive(6),
            trips_on: TripsOn::Failures,
            slow_after: None,
            whole_percents: false,
            wait: Wait {
                boundary: Boundary::Strict,
                ends: Ends::OnLook,
                ..Wait::constant(Duration::from_secs(60))
            },
            half_open: Some(HalfOpen::all_of(1)),
            late: Late::Dropped,
            dated_at_start: true,
            clears_on_open: true,
            manual: Manual { checked: false, restarts: false },
        }
    }

    /// failsafe-go's defaults: opens at the first failure, for a minute; closes at the first
    /// success.
    pub fn failsafe() -> Settings {
        Settings {
            window: Shape::Calls(1),
            minimum_calls: 0,
            trip: Trip::Failures(1),
            trips_on: TripsOn::AnyOutcome,
            slow_after: None,
            whole_percents: true,
            wait: Wait::constant(Duration::from_secs(60)),
            half_open: Some(HalfOpen {
                returned: true,
                verdict: Verdict::Ratio { successes: 1, of: 1 },
                ..HalfOpen::all_of(1)
            }),
            late: Late::Counts,
            dated_at_start: false,
            clears_on_open: false,
            manual: Manual { checked: false, restarts: false },
        }
    }

    /// Envoy's defaults for one host: 5 errors in a row; out for 30 s times the ejections that are
    /// remembered, 300 s at most, until the sweep of every 10 s; then full traffic, and each sweep
    /// in health forgets one ejection.
    pub fn envoy() -> Settings {
        let sweep = Duration::from_secs(10);
        Settings {
            window: Shape::Unbounded,
            minimum_calls: 0,
            trip: Trip::Consecutive(5),
            trips_on: TripsOn::Failures,
            slow_after: None,
            whole_percents: false,
            wait: Wait {
                growth: Growth::Linear,
                max: Some(Duration::from_secs(300)),
                ends: Ends::OnTime,
                sweep: Some(sweep),
                forgets: Forgets::OnePer(sweep),
                ..Wait::constant(Duration::from_secs(30))
            },
            half_open: None,
            late: Late::Counts,
            dated_at_start: false,
            clears_on_open: false,
            manual: Manual { checked: false, restarts: false },
        }
    }

    /// The auto-healing suite's own: 5 failures in a row; open for 10 s, doubled at each opening
    /// up to 300 s; then any number of probes, 2 successes of which close it.
    pub fn engined() -> Settings {
        Settings {
            window: Shape::Unbounded,
            minimum_calls: 0,
            trip: Trip::Consecutive(5),
            trips_on: TripsOn::Failures,
            slow_after: None,
            whole_percents: false,
            wait: Wait {
                growth: Growth::Times(2_000_000),
                max: Some(Duration::from_secs(300)),
                ..Wait::constant(Duration::from_secs(10))
            },
            half_open: Some(HalfOpen { permits: None, ..HalfOpen::all_of(2) }),
            late: Late::Counts,
            dated_at_start: false,
            clears_on_open: false,
            manual: Manual { checked: false, restarts: false },
        }
    }
}
