//! `sliding_window`: a window by itself.

use std::time::Duration;

use super::{Fields, Seen, Subject, Unsupported, first, percent, tell, times, whole};
use crate::{
    policy::window::{Align, Call, Shape, Window},
    world::Time,
};

/// A window, and how its rates are told.
pub(super) struct Sliding {
    window: Window,
    /// Rates are rounded to whole percents.
    whole_percents: bool,
    /// What its rate of failures is a part of, in percent.
    unit: f64,
    slow_after: Option<Duration>,
    /// Windows that roll by hand: how far they did.
    rolled: Duration,
    each: Duration,
}

impl Sliding {
    pub(super) fn new(config: &mut Fields) -> Result<Sliding, Unsupported> {
        let kind = first(config, &["type", "window_type"], Fields::text)?;
        let library = first(config, &["dialect", "library"], Fields::text)?;
        let library = library.unwrap_or_else(|| "resilience4j".to_owned());
        // Polly has no other windows.
        let usual = if library == "polly" { "TIME" } else { "COUNT" };
        let kind = kind.unwrap_or_else(|| usual.to_owned()).to_uppercase();
        let names = ["size", "window_size", "sampling", "sampling_duration", "interval", "window"];
        let length = first(config, &names, Fields::duration)?;
        let buckets = whole(config, &["buckets", "windows", "number_of_windows", "num_buckets"])?;
        let bucket = first(config, &["bucket", "bucket_period", "bucket_size"], Fields::duration)?;
        let slow_after =
            first(config, &["slow_call_duration", "slow_threshold"], Fields::duration)?;
        let size = whole(config, &["size", "window_size"])?;
        let align = match library.as_str() {
            "resilience4j" => Align::Clock,
            "polly" => Align::Call,
            "failsafe" | "failsafe-go" => Align::Clock,
            "gobreaker" => Align::Cleared,
            other => return Err(Unsupported(format!("there is no library {other:?}"))),
        };
        let shape = match kind.as_str() {
            "COUNT" | "COUNT_BASED" | "COUNTING" | "FIXED_SIZE" => {
                Shape::Calls(size.ok_or_else(|| Unsupported("a window of no size".to_owned()))?)
            }
            "TIME" | "TIME_BASED" | "TIMED" | "ROLLING" | "SINGLE" => {
                let second = Duration::from_secs(1);
                let length = match (length, size, buckets) {
                    (Some(length), _, _) => length,
                    (None, Some(size), _) => second * size,
                    (None, None, Some(buckets)) => bucket.unwrap_or(second) * buckets,
                    _ => return Err(Unsupported("a window of no length".to_owned())),
                };
                let by_second = library == "resilience4j";
                let parts = bucket.or(by_second.then_some(second)).map(|each| {
                    u32::try_from(length.as_nanos().div_ceil(each.as_nanos().max(1)))
                        .unwrap_or(u32::MAX)
                });
                let parts = if kind == "SINGLE" { Some(1) } else { buckets.or(parts) };
                Shape::time(length, parts.unwrap_or(10), align)
            }
            "UNBOUNDED" => Shape::Unbounded,
            other => return Err(Unsupported(format!("a window of the type {other:?}"))),
        };
        let each = match shape {
            Shape::Buckets { each, .. } => each,
            _ => Duration::ZERO,
        };
        Ok(Sliding {
            window: Window::new(shape),
            whole_percents: library.starts_with("failsafe"),
            unit: if library == "polly" { 100.0 } else { 1.0 },
            slow_after,
            rolled: Duration::ZERO,
            each,
        })
    }

    fn act(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<(), Unsupported> {
        let outcome = match event {
            "record" => Some(step.text("outcome")?.unwrap_or_else(|| "success".to_owned())),
            "request" => {
                for _ in 0..times(step)? {
                    self.window.begin(now);
                }
                None
            }
            "exclude" | "excluded" => {
                let bucket = step.whole("age")?.unwrap_or(self.window.buckets().max(1) - 1);
                self.window.exclude(bucket);
                None
            }
            "roll" => {
                self.rolled += self.each;
                None
            }
            "snapshot" | "observe" | "get" | "advance" | "health" => None,
            "clear" | "reset" => {
                self.window.clear(now);
                None
            }
            other => Some(other.to_owned()),
        };
        let Some(outcome) = outcome else { return Ok(()) };
        let (failed, slow) = match outcome.to_lowercase().as_str() {
            "success" | "ok" => (false, false),
            "error" | "failure" | "failed" => (true, false),
            "slow_success" | "slow_ok" => (false, true),
            "slow_error" | "slow_failure" | "slow_failed" => (true, true),
            other => return Err(Unsupported(format!("a call has no outcome {other:?}"))),
        };
        let took = first(step, &["duration", "took"], Fields::duration)?.unwrap_or_default();
        let slow = step.flag("slow")?.unwrap_or(slow);
        let slow = slow || self.slow_after.is_some_and(|limit| took > limit);
        let call = Call { failed, slow, took };
        let age = step.whole("age")?;
        for _ in 0..times(step)? {
            match age {
                Some(age) => self.window.record_in(now, age, call),
                None => self.window.record(now, call),
            }
        }
        Ok(())
    }
}

impl Subject for Sliding {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        self.act(now + self.rolled, event, step)?;
        self.window.roll(now + self.rolled);
        let all = *self.window.totals();
        let calls = all.calls();
        let mut seen = Seen::new();
        let total = ["total", "total_calls", "calls", "throughput", "executions", "count"];
        tell(&mut seen, &total, calls);
        let ok = ["ok", "success", "successes", "successful", "successful_calls", "success_count"];
        tell(&mut seen, &ok, all.successes);
        tell(&mut seen, &["failed", "failures", "failed_calls", "failure_count"], all.failures);
        tell(&mut seen, &["slow", "slow_calls", "total_slow", "slow_total"], all.slow());
        tell(&mut seen, &["slow_ok", "slow_success", "slow_successful"], all.slow_successes);
        tell(&mut seen, &["slow_failed", "slow_error", "slow_errors"], all.slow_failures);
        let millis = |time: Duration| time.as_nanos() as f64 / 1e6;
        tell(&mut seen, &["total_ms", "total_duration_ms"], millis(all.took()));
        tell(&mut seen, &["avg_ms", "average_ms", "average_duration_ms"], millis(all.average()));
        let rate = |part: u32| {
            let rate = percent(part, calls, 0.0);
            if self.whole_percents { rate.round() } else { rate }
        };
        tell(&mut seen, &["failure_rate_pct"], rate(all.failures));
        tell(&mut seen, &["failure_rate"], rate(all.failures) / self.unit);
        tell(&mut seen, &["failure_ratio"], rate(all.failures) / 100.0);
        tell(&mut seen, &["success_rate"], rate(all.successes));
        tell(&mut seen, &["slow_rate", "slow_call_rate"], rate(all.slow()));
        tell(&mut seen, &["requests"], all.requests);
        tell(&mut seen, &["excluded", "exclusions"], all.excluded);
        tell(&mut seen, &["consecutive_successes"], all.consecutive_successes);
        tell(&mut seen, &["consecutive_failures"], all.consecutive_failures);
        let six = [
            all.requests,
            all.successes,
            all.failures,
            all.excluded,
            all.consecutive_successes,
            all.consecutive_failures,
        ];
        tell(&mut seen, &["counts"], six.to_vec());
        Ok(seen)
    }
}
