//! The settings of each library, in its own words.

use std::time::Duration;

use serde_json::Value;

use super::{Fields, Unsupported, condition, first, texts, whole};
use crate::policy::{
    breaker::{Dialect, Ends, Growth, HalfOpen, Settings, State, Then, Trip, Verdict},
    window::{Align, Shape},
};

/// Which errors count, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Errors {
    /// These do not count, whatever else is said of them.
    pub(super) ignored: Vec<String>,
    /// If given, only these are failures; the others are `otherwise`.
    pub(super) recorded: Option<Vec<String>>,
    /// If given, all but these are failures.
    pub(super) successful: Vec<String>,
    /// Nothing is a failure.
    pub(super) none: bool,
    /// Results that are failures although nothing was thrown.
    pub(super) results: Vec<String>,
}

/// Reads the settings of a breaker of this dialect.
pub(super) fn settings(
    dialect: Dialect,
    config: &mut Fields,
) -> Result<(Settings, Errors, State), Unsupported> {
    let mut settings = dialect.settings();
    match dialect {
        Dialect::Resilience4j => resilience4j(&mut settings, config)?,
        Dialect::Polly => polly(&mut settings, config)?,
        Dialect::Gobreaker => gobreaker(&mut settings, config)?,
        Dialect::Failsafe => failsafe(&mut settings, config)?,
        Dialect::EnvoyOutlier => envoy(&mut settings, config)?,
        Dialect::Engined => engined(&mut settings, config)?,
    }
    growth(&mut settings, config)?;
    let mut errors = Errors::default();
    for name in ["ignored_errors", "ignore_errors", "ignored", "ignore_exceptions"] {
        errors.ignored.extend(texts(config, name)?.unwrap_or_default());
    }
    for name in [
        "recorded_errors",
        "record_errors",
        "record_exceptions",
        "handled_errors",
        "handle_errors",
        "expected_exception",
        "expected_error",
    ] {
        errors.recorded = errors.recorded.or(texts(config, name)?);
    }
    for name in ["successful_errors", "not_recorded_errors"] {
        errors.successful.extend(texts(config, name)?.unwrap_or_default());
    }
    for name in ["record_results", "recorded_results", "failure_results", "handled_results"] {
        errors.results.extend(texts(config, name)?.unwrap_or_default());
    }
    errors.none = match config.take("is_successful") {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(Value::String(when)) if matches!(when.as_str(), "always" | "all" | "true") => true,
        Some(other) => return Err(Unsupported(format!("is_successful is {other}"))),
    };
    match config.take("excluded_errors") {
        None | Some(Value::Bool(_)) => {}
        Some(Value::Array(names)) => {
            errors.ignored.extend(names.iter().filter_map(Value::as_str).map(str::to_owned));
        }
        Some(other) => return Err(Unsupported(format!("excluded_errors is {other}"))),
    }
    let initial = first(config, &["initial_state"], Fields::text)?;
    let initial = initial.map_or(Ok(State::Closed), |name| state(&name))?;
    Ok((settings, errors, initial))
}

/// The state of this name, in whatever case.
pub(super) fn state(name: &str) -> Result<State, Unsupported> {
    let plain = name.to_lowercase().replace(['-', ' '], "_");
    let plain = match plain.as_str() {
        "isolated" => "forced_open",
        "halfopen" => "half_open",
        other => other,
    };
    let found = State::ALL.into_iter().find(|state| state.as_str() == plain);
    found.ok_or_else(|| Unsupported(format!("there is no state {name:?}")))
}

/// How long it stays open, by how often it opened in a row: a function of the user's, told as a
/// list of what it answers, or as one answer.
pub(super) fn waits(config: &mut Fields) -> Result<Vec<Duration>, Unsupported> {
    let names = ["delay_func", "break_duration_generator", "break_generator", "break_durations"];
    for name in names {
        let listed = format!("{name}_ms");
        match config.take(&listed) {
            None => {}
            Some(Value::Array(waits)) => {
                let wrong = || Unsupported(format!("{listed:?} of config is not of durations"));
                let millis = |it: &Value| it.as_u64().map(Duration::from_millis);
                return waits.iter().map(|it| millis(it).ok_or_else(wrong)).collect();
            }
            Some(one) => {
                let one = serde_json::Map::from_iter([(listed, one)]);
                return Ok(Fields::new("config", one).duration(name)?.into_iter().collect());
            }
        }
    }
    Ok(Vec::new())
}

/// A duration that gobreaker takes for none if it is not above 0.
fn above_zero(config: &mut Fields, names: &[&str]) -> Result<Option<Duration>, Unsupported> {
    for name in names {
        let name = format!("{name}_ms");
        if config.get(&name).and_then(Value::as_f64).is_some_and(|it| it <= 0.0) {
            config.take(&name);
            return Ok(None);
        }
    }
    duration(config, names)
}

fn duration(config: &mut Fields, names: &[&str]) -> Result<Option<Duration>, Unsupported> {
    first(config, names, Fields::duration)
}

/// A rate in parts per million: a percentage under these names.
fn percentage(config: &mut Fields, names: &[&str]) -> Result<Option<u32>, Unsupported> {
    let number = first(config, names, Fields::number)?;
    Ok(number.map(|percent| (percent * 1e4).round() as u32))
}

/// A half-open part, with what the dialect says of it.
fn half_open(settings: &Settings) -> HalfOpen {
    settings.half_open.unwrap_or(HalfOpen::all_of(1))
}

/// How the wait grows: `wait_open_backoff` and its like, or a multiplier by itself.
fn growth(settings: &mut Settings, config: &mut Fields) -> Result<(), Unsupported> {
    let wait = &mut settings.wait;
    let times = |factor: f64| Growth::Times((factor * 1e6).round() as u32);
    for name in ["wait_open_backoff", "wait_open_interval_function", "backoff"] {
        let Some(value) = config.take(name) else { continue };
        let Value::Object(inner) = value else {
            return Err(Unsupported(format!("{name} is not a table")));
        };
        let mut inner = Fields::new(name, inner);
        if let Some(base) = duration(&mut inner, &["initial", "initial_interval", "base"])? {
            wait.base = base;
        }
        // resilience4j's `IntervalFunction.ofExponentialBackoff` multiplies by 1.5.
        let factor = first(&mut inner, &["multiplier", "factor"], Fields::number)?;
        wait.growth = times(factor.unwrap_or(1.5));
        wait.max = duration(&mut inner, &["max", "max_interval"])?.or(wait.max);
        inner.finish()?;
    }
    if let Some(factor) = first(config, &["wait_multiplier", "break_multiplier"], Fields::number)? {
        wait.growth = times(factor);
    }
    if let Some(max) = duration(config, &["wait_max", "max_wait_open", "break_max"])? {
        wait.max = Some(max);
    }
    Ok(())
}

fn resilience4j(settings: &mut Settings, config: &mut Fields) -> Result<(), Unsupported> {
    let kind = first(config, &["sliding_window_type", "window_type"], Fields::text)?;
    let timed = match kind.as_deref() {
        None | Some("COUNT_BASED" | "COUNT" | "count") => false,
        Some("TIME_BASED" | "TIME" | "time") => true,
        Some(other) => return Err(Unsupported(format!("a window of the type {other:?}"))),
    };
    let length = duration(config, &["sliding_window_size", "window_size"])?;
    let size = whole(config, &["sliding_window_size", "window_size"])?;
    settings.window = if timed {
        let length = length.unwrap_or(Duration::from_secs(size.unwrap_or(100).into()));
        let seconds = u32::try_from(length.as_secs()).unwrap_or(u32::MAX).max(1);
        Shape::time(length, seconds, Align::Clock)
    } else if length.is_some() {
        return Err(Unsupported("a window of the last calls has no length".to_owned()));
    } else {
        Shape::Calls(size.unwrap_or(100))
    };
    let minimum = ["minimum_calls", "minimum_number_of_calls", "min_calls"];
    if let Some(minimum) = whole(config, &minimum)? {
        settings.minimum_calls = minimum;
    }
    let failures = percentage(config, &["failure_rate_threshold_pct", "failure_rate_threshold"])?;
    let slow = ["slow_call_rate_threshold_pct", "slow_call_rate_threshold"];
    let slow = percentage(config, &slow)?;
    settings.trip =
        Trip::Rates { failures: failures.or(Some(500_000)), slow: slow.or(Some(1_000_000)) };
    let slow_after = ["slow_call_duration", "slow_call_duration_threshold"];
    if let Some(limit) = duration(config, &slow_after)? {
        settings.slow_after = Some(limit);
    }
    let mut probes = half_open(settings);
    let permits = [
        "permitted_half_open_calls",
        "permitted_calls_in_half_open",
        "permitted_number_of_calls_in_half_open_state",
        "half_open_calls",
    ];
    if let Some(permits) = whole(config, &permits)? {
        probes.permits = Some(permits);
    }
    probes.max_wait =
        duration(config, &["max_wait_half_open", "max_wait_duration_in_half_open_state"])?
            .filter(|wait| !wait.is_zero());
    let then = ["transition_after_half_open_wait", "transition_to_state_after_wait_duration"];
    if let Some(then) = first(config, &then, Fields::text)? {
        probes.then = match state(&then)? {
            State::Open => Then::Open,
            State::Closed => Then::Close,
            other => return Err(Unsupported(format!("{other} after too long a half-open"))),
        };
    }
    settings.half_open = Some(probes);
    let wait = ["wait_open", "wait_duration_in_open_state"];
    if let Some(wait) = duration(config, &wait)? {
        settings.wait.base = wait;
    }
    let automatic = [
        "automatic_open_to_half_open",
        "automatic_transition",
        "automatic_transition_from_open_to_half_open",
    ];
    if first(config, &automatic, Fields::flag)?.unwrap_or(false) {
        settings.wait.ends = Ends::OnTime;
    }
    Ok(())
}

fn polly(settings: &mut Settings, config: &mut Fields) -> Result<(), Unsupported> {
    if let Some(minimum) = whole(config, &["minimum_throughput"])? {
        settings.minimum_calls = minimum;
    }
    let ratio = first(config, &["failure_ratio", "failure_threshold"], Fields::number)?;
    if let Some(ratio) = ratio {
        let failures = Some((ratio * 1e6).round() as u32);
        settings.trip = Trip::Rates { failures, slow: None };
    }
    if let Some(length) = duration(config, &["sampling", "sampling_duration"])? {
        // Ten parts, or one if the whole is shorter than ten ticks of a 20 ms timer.
        let parts = if length < Duration::from_millis(200) { 1 } else { 10 };
        settings.window = Shape::time(length, parts, Align::Call);
    }
    if let Some(wait) = duration(config, &["break", "break_duration"])? {
        settings.wait.base = wait;
    }
    Ok(())
}

fn gobreaker(settings: &mut Settings, config: &mut Fields) -> Result<(), Unsupported> {
    // 0 is 1 there.
    let probes = whole(config, &["max_requests"])?.unwrap_or(1).max(1);
    settings.half_open = Some(HalfOpen::all_of(probes));
    let interval = above_zero(config, &["interval"])?.filter(|it| !it.is_zero());
    let bucket = above_zero(config, &["bucket", "bucket_period"])?.filter(|it| !it.is_zero());
    settings.window = match (interval, bucket) {
        (None, _) => Shape::Unbounded,
        (Some(interval), None) => Shape::Interval(interval),
        (Some(interval), Some(bucket)) => {
            let count = interval.as_nanos().div_ceil(bucket.as_nanos());
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            match count {
                // A single bucket is a fixed window.
                1 => Shape::Interval(bucket),
                _ => Shape::Buckets { count, each: bucket, align: Align::Cleared },
            }
        }
    };
    if let Some(wait) = above_zero(config, &["timeout"])?.filter(|wait| !wait.is_zero()) {
        settings.wait.base = wait;
    }
    if let Some(trip) = first(config, &["trip", "ready_to_trip"], Fields::text)? {
        settings.trip = Trip::When(condition::parse(&trip)?);
    }
    Ok(())
}

/// A threshold `k`, or `[k, n]` for k out of n.
fn ratio(config: &mut Fields, names: &[&str]) -> Result<Option<(u32, u32)>, Unsupported> {
    let Some(value) = first(config, names, |fields, name| Ok(fields.take(name)))? else {
        return Ok(None);
    };
    let number = |value: &Value| value.as_u64().and_then(|it| u32::try_from(it).ok());
    let found = match value.as_array().map(Vec::as_slice) {
        None => number(&value).map(|it| (it, it)),
        Some([successes, of]) => number(successes).zip(number(of)),
        Some(_) => None,
    };
    let wrong = || Unsupported(format!("a threshold is {value}, not a number or two"));
    found.map(Some).ok_or_else(wrong)
}

fn failsafe(settings: &mut Settings, config: &mut Fields) -> Result<(), Unsupported> {
    let (rate, minimum) = ("failure_rate_threshold_pct", "failure_execution_threshold");
    config.spread("failure_threshold_period", &["failure_threshold", "failure_period_ms"]);
    config.spread("failure_rate_threshold", &[rate, minimum, "failure_period_ms"]);
    let failures = ratio(config, &["failure_threshold", "failure_threshold_ratio"])?;
    let capacity = whole(config, &["failure_thresholding_capacity", "failure_capacity"])?;
    let failures = failures.map(|(k, n)| (k, capacity.unwrap_or(n)));
    let successes = ratio(config, &["success_threshold", "success_threshold_ratio"])?;
    let period = [
        "failure_threshold_period",
        "failure_thresholding_period",
        "failure_period",
        "thresholding_period",
        "period",
    ];
    let period = duration(config, &period)?;
    let rate = percentage(
        config,
        &["failure_rate_threshold_pct", "failure_rate_threshold", "failure_rate"],
    )?;
    let minimum = ["execution_threshold", "failure_execution_threshold", "minimum_executions"];
    let minimum = whole(config, &minimum)?;
    if let Some(delay) = duration(config, &["delay", "wait_open"])? {
        settings.wait.base = delay;
    }
    let (needed, of) = failures.unwrap_or((1, 1));
    // A number of failures within a period takes as many executions at least.
    let by_count_in_period = (period.is_some() && rate.is_none()).then_some(needed);
    let minimum = minimum.or(by_count_in_period);
    settings.minimum_calls = minimum.unwrap_or(0);
    let capacity = minimum.filter(|it| *it > 0).unwrap_or(of);
    settings.window = match period {
        Some(period) => Shape::time(period, 10, Align::Clock),
        None => Shape::Calls(capacity),
    };
    settings.trip = match rate {
        Some(rate) => Trip::Rates { failures: Some(rate), slow: None },
        None => Trip::Failures(needed),
    };
    let (permits, verdict) = match successes {
        Some((successes, of)) => (of, Verdict::Ratio { successes, of }),
        None if rate.is_some() => (capacity, Verdict::Trip),
        // As many failures as open it; so many successes that those cannot be reached close it.
        None => {
            let successes = of.saturating_sub(needed) + 1;
            (capacity, Verdict::Ratio { successes, of })
        }
    };
    settings.half_open = Some(HalfOpen { permits: Some(permits), verdict, ..half_open(settings) });
    Ok(())
}

fn envoy(settings: &mut Settings, config: &mut Fields) -> Result<(), Unsupported> {
    let failures = ["consecutive_5xx", "consecutive_failures", "failure_threshold"];
    if let Some(failures) = whole(config, &failures)? {
        settings.trip = Trip::Consecutive(failures);
    }
    let wait = &mut settings.wait;
    if let Some(base) = duration(config, &["base_ejection", "base_ejection_time"])? {
        wait.base = base;
        wait.max = wait.max.map(|max| max.max(base));
    }
    if let Some(max) = duration(config, &["max_ejection", "max_ejection_time"])? {
        wait.max = Some(max);
    }
    if let Some(sweep) = duration(config, &["interval"])? {
        wait.sweep = Some(sweep);
        wait.forgets = crate::policy::breaker::Forgets::OnePer(sweep);
    }
    Ok(())
}

fn engined(settings: &mut Settings, config: &mut Fields) -> Result<(), Unsupported> {
    if let Some(failures) = whole(config, &["failure_threshold"])? {
        settings.trip = Trip::Consecutive(failures);
    }
    if let Some(successes) = whole(config, &["success_threshold"])? {
        let verdict = Verdict::Successes(successes);
        settings.half_open = Some(HalfOpen { verdict, ..half_open(settings) });
    }
    let wait = &mut settings.wait;
    if let Some(base) = duration(config, &["timeout", "recovery_timeout"])? {
        wait.base = base;
    }
    if let Some(max) = duration(config, &["timeout_max", "max_timeout"])? {
        wait.max = Some(max);
    }
    if let Some(factor) = first(config, &["timeout_multiplier"], Fields::number)? {
        wait.growth = Growth::Times((factor * 1e6).round() as u32);
    }
    Ok(())
}
