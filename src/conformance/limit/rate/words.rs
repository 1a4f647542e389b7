//! How the libraries say how many permits there are in how much time.

use std::time::Duration;

use super::super::{Fields, Unsupported, first_duration, first_number};
use crate::policy::limit::Rate;

/// How many permits there are in a period.
const PERMITS: [&str; 20] = [
    "limit",
    "limit_for_period",
    "permissions_per_cycle",
    "permits_per_cycle",
    "permits",
    "permit_limit",
    "period_permits",
    "max_permits",
    "max_permits_per_period",
    "max_executions",
    "max_executions_per_period",
    "max_requests",
    "requests",
    "num",
    "max",
    "tokens_per_period",
    "refill_tokens",
    "refill_amount",
    "permits_per_period",
    "rate",
];

/// The rate, in whichever words.
pub(super) fn rate(config: &mut Fields) -> Result<Option<Rate>, Unsupported> {
    let has_permits = PERMITS.iter().any(|name| config.has(name));
    let units = [("s", 1), ("sec", 1), ("second", 1), ("min", 60), ("minute", 60), ("hour", 3_600)];
    for (unit, seconds) in units {
        let names =
            ["rate_per_", "limit_per_", "permits_per_", "requests_per_", "per_", "tokens_per_"];
        for name in names {
            // "per_s" beside a number of permits is how long a period is, as "period_s" is.
            if name == "per_" && has_permits && matches!(unit, "s" | "min") {
                continue;
            }
            if let Some(rate) = config.number(&format!("{name}{unit}"))? {
                return Ok(Some(fraction(rate, Duration::from_secs(seconds))));
            }
        }
    }
    let permits = first_number(config, &PERMITS)?;
    let periods = [
        "limit_refresh_period",
        "limit_refresh",
        "refresh_period",
        "refresh",
        "cycle",
        "cycle_duration",
        "period",
        "window",
        "per",
        "interval",
        "refill_period",
        "refill_interval",
        "replenishment_period",
        "replenish_interval",
        "replenish_1_per",
        "max_rate",
        "every",
    ];
    let period = first_duration(config, &periods)?;
    Ok(match (permits, period) {
        (None, None) => None,
        (permits, period) => {
            Some(fraction(permits.unwrap_or(1.0), period.unwrap_or(Duration::from_secs(1))))
        }
    })
}

/// A rate that need not be whole, exact to a millionth.
fn fraction(permits: f64, per: Duration) -> Rate {
    if permits.fract() == 0.0 {
        return Rate::new(permits as u64, per);
    }
    Rate::new((permits * 1e6).round() as u64, per.saturating_mul(1_000_000))
}
