//! What can be seen of a breaker, under the names that its library and its users have for it.

use serde_json::{Map, Value, json};

use super::{Seen, also, percent, tell};
use crate::{
    policy::breaker::{Breaker, Dialect, State},
    world::Time,
};

/// The name of a state in capitals, as cases have it.
fn name(dialect: Dialect, state: State) -> String {
    if (dialect, state) == (Dialect::Polly, State::ForcedOpen) {
        return "ISOLATED".to_owned();
    }
    state.as_str().to_uppercase()
}

/// Why a call was refused.
pub(super) fn refusal(dialect: Dialect, state: State) -> &'static str {
    match (dialect, state) {
        (Dialect::Gobreaker, State::HalfOpen) => "too_many_requests",
        (Dialect::Polly, State::ForcedOpen) => "isolated",
        (_, State::ForcedOpen) => "forced_open",
        _ => "open",
    }
}

/// The same in the words of its library.
pub(super) fn refusal_names(dialect: Dialect, state: State) -> &'static [&'static str] {
    match (dialect, state) {
        (Dialect::Resilience4j, _) => {
            &["not_permitted", "call_not_permitted", "CallNotPermittedException"]
        }
        (Dialect::Gobreaker, State::HalfOpen) => &["ErrTooManyRequests", "too many requests"],
        (Dialect::Gobreaker, _) => &["ErrOpenState", "open_state", "circuit breaker is open"],
        (Dialect::Failsafe, _) => &["ErrOpen", "ErrCircuitBreakerOpen", "circuit_breaker_open"],
        (Dialect::Polly, State::ForcedOpen) => &["isolated_circuit", "IsolatedCircuitException"],
        (Dialect::Polly, _) => &["broken", "broken_circuit", "BrokenCircuitException"],
        (Dialect::Engined, _) => &["circuit_breaker_open", "CircuitBreakerOpenError"],
        (Dialect::EnvoyOutlier, _) => &[],
    }
}

/// Transitions: all so far, and the last one of this step. `owner` is what the breaker is called.
pub(super) fn changes(
    dialect: Dialect,
    owner: &str,
    seen: &mut Seen,
    all: &[(State, State)],
    before: usize,
) {
    let arrow = |(from, to): &(State, State)| {
        Value::from(format!("{}->{}", name(dialect, *from), name(dialect, *to)))
    };
    tell(seen, &["transitions"], all.iter().map(arrow).collect::<Vec<_>>());
    let pair = |(from, to): &(State, State)| vec![name(dialect, *from), name(dialect, *to)];
    let pairs: Vec<Vec<String>> = all.iter().map(pair).collect();
    also(seen, &["transitions"], &[all.len().into(), pairs.into()]);
    let new = &all[before..];
    if let Some(last) = new.last() {
        let [from, to] = [last.0, last.1].map(|state| name(dialect, state));
        let ways = [
            arrow(last),
            pair(last).into(),
            vec![owner, &from, &to].into(),
            json!({"from": from, "to": to}),
            json!({"name": owner, "from": from, "to": to}),
        ];
        let names = ["transition", "last_transition", "state_change", "notify", "notified"];
        also(seen, &names, &ways);
    }
    tell(seen, &["transition", "last_transition"], new.last().map(arrow));
    let counts =
        ["transition_count", "transitions_total", "transition_events", "state_transition_events"];
    tell(seen, &counts, all.len());
    for (name, state) in
        [("opened", State::Open), ("half_opened", State::HalfOpen), ("closed", State::Closed)]
    {
        let times = all.iter().filter(|(_, to)| *to == state).count();
        tell(seen, &[name, &format!("{name}_events")], times);
    }
    tell(seen, &["notified"], !new.is_empty());
    tell(seen, &["state_change", "notify"], new.last().map(pair));
    let mut counted = Map::new();
    for (from, to) in all {
        let key = format!("{from}_to_{to}");
        let count = counted.get(&key).and_then(Value::as_u64).unwrap_or(0);
        counted.insert(key, (count + 1).into());
    }
    tell(seen, &["state_transitions"], counted);
}

/// The breaker as it stands.
pub(super) fn all(dialect: Dialect, breaker: &Breaker, now: Time) -> Seen {
    let mut seen = Seen::new();
    let state = breaker.state();
    tell(&mut seen, &["state"], name(dialect, state));
    tell(&mut seen, &["is_open"], state == State::Open);
    tell(&mut seen, &["is_closed"], state == State::Closed);
    tell(&mut seen, &["is_half_open"], state == State::HalfOpen);
    numbers(dialect, breaker, &mut seen);
    times(breaker, now, &mut seen);
    seen
}

fn numbers(dialect: Dialect, breaker: &Breaker, seen: &mut Seen) {
    let counts = breaker.counts();
    let window = counts.window;
    let calls = window.calls();
    let total = [
        "buffered",
        "buffered_calls",
        "executions",
        "execution_count",
        "throughput",
        "calls",
        "total",
    ];
    tell(seen, &total, calls);
    tell(seen, &["failed", "failures", "failed_calls", "failure_count"], window.failures);
    tell(
        seen,
        &["success", "successes", "successful", "successful_calls", "success_count", "ok"],
        window.successes,
    );
    tell(seen, &["slow", "slow_calls"], window.slow());
    tell(
        seen,
        &["slow_success", "slow_successful", "slow_successful_calls"],
        window.slow_successes,
    );
    tell(seen, &["slow_failed", "slow_failed_calls", "slow_errors"], window.slow_failures);
    tell(seen, &["not_permitted", "not_permitted_calls", "rejected_calls"], counts.rejected);
    // A rate of too few calls is -1 for resilience4j, and as good as any for the others.
    let enough = counts.failure_rate.is_some() || dialect != Dialect::Resilience4j;
    let rate = |part: u32| {
        let rate = if enough { percent(part, calls, 0.0) } else { -1.0 };
        if breaker.settings().whole_percents { rate.round() } else { rate }
    };
    tell(seen, &["failure_rate_pct"], rate(window.failures));
    // Polly's rate of failures is a part of one.
    let unit = if dialect == Dialect::Polly { 100.0 } else { 1.0 };
    tell(seen, &["failure_rate"], rate(window.failures) / unit);
    tell(seen, &["failure_ratio"], rate(window.failures) / 100.0);
    tell(seen, &["success_rate"], rate(window.successes));
    tell(seen, &["slow_rate", "slow_call_rate"], rate(window.slow()));
    tell(seen, &["requests"], window.requests);
    tell(seen, &["total_successes"], window.successes);
    tell(seen, &["total_failures"], window.failures);
    tell(seen, &["total_exclusions", "excluded"], window.excluded);
    tell(seen, &["consecutive_successes"], window.consecutive_successes);
    tell(seen, &["consecutive_failures"], window.consecutive_failures);
    let six = [
        window.requests,
        window.successes,
        window.failures,
        window.excluded,
        window.consecutive_successes,
        window.consecutive_failures,
    ];
    tell(seen, &["counts"], six.to_vec());
    tell(seen, &["probes", "in_flight", "half_open_in_flight"], counts.probes);
    tell(seen, &["opens", "attempts"], counts.opens);
    let life = counts.life;
    tell(seen, &["success_events"], life.successes);
    tell(seen, &["error_events"], life.failures);
    tell(seen, &["ignored", "ignored_error_events", "ignored_errors"], life.ignored);
    tell(seen, &["not_permitted_events"], life.rejected);
    tell(seen, &["reset_events"], life.resets);
    tell(
        seen,
        &["failure_rate_exceeded_events", "failure_rate_exceeded"],
        life.failure_rate_exceeded,
    );
    tell(
        seen,
        &["slow_call_rate_exceeded_events", "slow_call_rate_exceeded"],
        life.slow_rate_exceeded,
    );
    if dialect == Dialect::Engined {
        // Its metrics are of the whole life, and its counter is of failures in a row.
        tell(seen, &["total_calls"], life.admitted + life.rejected);
        tell(seen, &["failed_calls"], life.failures);
        tell(seen, &["successful_calls"], life.successes);
        tell(seen, &["rejected_calls"], life.rejected);
        tell(seen, &["failure_count"], window.consecutive_failures);
    } else {
        tell(seen, &["total_calls"], calls);
    }
}

fn times(breaker: &Breaker, now: Time, seen: &mut Seen) {
    let millis = |nanos: u128| nanos as f64 / 1e6;
    let next = millis(breaker.next_wait().as_nanos());
    tell(seen, &["current_timeout_ms", "next_wait_ms"], next);
    let left = match breaker.until() {
        Some(until) if breaker.state() == State::Open => (until - now).as_nanos(),
        _ => 0,
    };
    tell(seen, &["remaining_delay_ms", "remaining_ms", "retry_after_ms"], millis(left));
    let until = breaker.until().map(|until| millis(until.as_nanos().into()));
    tell(seen, &["until_ms", "open_until_ms", "blocked_until_ms", "next_attempt_ms"], until);
}
