//! Backoff, clients that retry, budgets, classification, hedging, timeouts: the words of cases
//! turned into settings and calls of the policies.
//!
//! Behaviour has no place here. A kind has as many names as its cases may use; so has a setting.
//! Start at [`subject`].

mod backoff;
mod budget;
mod client;
mod other;
mod read;

use super::{Fields, Seen, Subject, Unsupported, also};

/// Makes the subject of a case, if it is of a kind that is known here.
pub(super) fn subject(
    kind: &str,
    config: &mut Fields,
) -> Option<Result<Box<dyn Subject>, Unsupported>> {
    Some(match kind {
        "backoff" | "retry_backoff" | "interval_function" | "retry_delay" | "jitter" => {
            backoff::subject(config)
        }
        "retry" | "retry_policy" | "sdk_retry" | "client_retry" | "gateway_retry"
        | "retry_loop" | "retry_strategy" => client::subject(config),
        "retry_throttle" | "retry_throttling" | "retry_throttler" => budget::grpc(config),
        "retry_quota" | "retry_token_bucket" | "token_quota" => budget::aws(config),
        "retry_budget" | "budget" => budget::shared(config),
        "adaptive_throttle" | "adaptive_throttler" | "adaptive_throttling" | "client_throttle" => {
            budget::throttle(config)
        }
        "classification"
        | "error_classification"
        | "classify"
        | "failure_classification"
        | "error_class"
        | "failure_class"
        | "classify_failure" => other::classification(config),
        "retry_after" | "retry_after_header" | "server_hint" => other::retry_after(config),
        "hedge" | "hedging" => other::hedge(config),
        "timeout" | "timeouts" | "deadline" | "stream_timeout" => other::timeout(config),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
