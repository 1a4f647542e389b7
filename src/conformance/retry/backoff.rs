//! Pauses by attempt.

use std::time::Duration;

use serde_json::Value;

use super::{
    Fields, Seen, Subject, Unsupported,
    read::{
        count, duration, first, flag, headers, ratio, tell, tell_duration, tell_pause, text,
        unknown,
    },
};
use crate::{
    policy::{
        Growth, Jitter, Preset, Retry,
        retry_after::{Pushback, Said},
    },
    world::{Seed, Stream, Time},
};

/// Millionths of the way from the shortest to the longest pause.
pub(super) type Place = Option<u32>;

/// Pauses, asked for by the number of the retry.
struct Backoff {
    retry: Retry,
    place: Place,
    /// Cases count retries from 1, unless one asks for the pause of number 0.
    from_zero: bool,
    next: u32,
    /// The retry before which the server last said how long to wait: gRPC's pauses grow from there.
    pushed_back: u32,
    previous: Duration,
    draws: Stream,
}

pub(super) fn subject(config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    let mut retry = base(config)?;
    let place = shape(config, &mut retry)?;
    let from_zero = flag(config, &["zero_based"])?.unwrap_or(false);
    let (previous, draws) = (retry.base, Seed(1).stream("conformance"));
    Ok(Box::new(Backoff { retry, place, from_zero, next: 1, pushed_back: 0, previous, draws }))
}

/// What a name of a library stands for.
pub(super) fn preset(name: &str) -> Option<Preset> {
    let name = name.to_ascii_lowercase().replace(['-', ' ', '.'], "_");
    Preset::parse(&name).or(match name.as_str() {
        "r4j" => Some(Preset::Resilience4j),
        "polly_v8" => Some(Preset::Polly),
        "failsafe" => Some(Preset::FailsafeGo),
        "aws" | "aws_standard" | "aws_2020" | "aws_v2_0" | "v2_0" => Some(Preset::Aws2020),
        "aws_2026" | "aws_v2_1" | "v2_1" => Some(Preset::Aws2026),
        "openai" | "anthropic" | "openai_sdk" | "anthropic_sdk" => Some(Preset::Sdk),
        "tenacity" => Some(Preset::Langchain),
        "claude_code_router" => Some(Preset::Ccr),
        "backon" => Some(Preset::Tensorzero),
        _ => None,
    })
}

/// The pauses to start from: a library's, gRPC's, or plain ones.
pub(super) fn base(config: &mut Fields) -> Result<Retry, Unsupported> {
    let names = ["dialect", "library", "preset", "client", "gateway", "policy"];
    let Some(name) = text(config, &names)? else { return Ok(plain()) };
    if name.to_ascii_lowercase().starts_with("grpc") {
        let grpc = Retry::grpc(1, plain().base, 2_000, plain().max);
        return Ok(Retry { attempts: u32::MAX, ..grpc });
    }
    let unknown = || Unsupported(format!("there is no library {name:?} whose pauses are known"));
    Ok(Retry::preset(preset(&name).ok_or_else(unknown)?))
}

/// Doubled from half a second on, without limits and without jitter.
fn plain() -> Retry {
    Retry {
        attempts: u32::MAX,
        max: Duration::from_nanos(u64::MAX),
        jitter: Jitter::None,
        ..Retry::default()
    }
}

/// Reads whatever a case says about pauses; returns the place of every draw, if it is fixed.
pub(super) fn shape(config: &mut Fields, retry: &mut Retry) -> Result<Place, Unsupported> {
    let names = [
        "initial",
        "base",
        "initial_delay",
        "initial_interval",
        "initial_backoff",
        "base_delay",
        "min_delay",
        "min",
        "exp_min",
    ];
    let growing = duration(config, &names)?;
    // What is called so stays as it is, unless something else says that it grows.
    let alike = match growing {
        None => duration(config, &["delay", "wait", "wait_duration", "interval"])?,
        Some(_) => None,
    };
    if let Some(base) = growing.or(alike) {
        retry.base = base;
        if retry.max < base {
            retry.max = Duration::from_nanos(u64::MAX);
        }
    }
    let names = ["multiplier", "factor", "mult", "delay_factor", "exp_base", "exponential_base"];
    let permille = ratio(config, &names, 1_000)?;
    let names = ["max", "cap", "max_delay", "max_backoff", "max_interval", "max_wait", "exp_max"];
    let max = duration(config, &names)?;
    let kind = text(config, &["type", "backoff", "backoff_type", "growth", "strategy", "mode"])?;
    let whole_millis = matches!(retry.growth, Growth::WholeMillis { .. });
    if let Some(permille) = permille {
        retry.growth = grow(permille, whole_millis);
    } else if alike.is_some() && max.is_none() && kind.is_none() {
        retry.growth = grow(1_000, whole_millis);
    }
    if let Some(max) = max {
        retry.max = max;
        // failsafe-go's backoff doubles unless told otherwise; without a longest pause it does not
        // back off at all.
        if retry.growth == Growth::CONSTANT && !retry.hard_max {
            retry.growth = Growth::DOUBLE;
        }
    }
    if let Some(kind) = kind {
        growth(&kind, permille, retry)?;
    }
    attempts(config, retry)?;
    jitter(config, retry)?;
    let names = [
        "jitter_factor_fixed",
        "jitter_fixed",
        "random",
        "random_fixed",
        "randomizer",
        "jitter_sample",
        "u",
        "rand",
    ];
    ratio(config, &names, 1_000_000)
}

fn grow(permille: u32, whole_millis: bool) -> Growth {
    if whole_millis { Growth::WholeMillis { permille } } else { Growth::Exponential { permille } }
}

fn growth(kind: &str, permille: Option<u32>, retry: &mut Retry) -> Result<(), Unsupported> {
    let lower = kind.to_ascii_lowercase().replace('-', "_");
    match lower.as_str() {
        "constant" | "fixed" | "of" => retry.growth = Growth::CONSTANT,
        "randomized" | "of_randomized" => {
            retry.growth = Growth::CONSTANT;
            retry.jitter = Jitter::Scaled { less: 500, more: 500 };
        }
        "linear" => retry.growth = Growth::Linear,
        "exponential" | "of_exponential_backoff" => {
            let whole = matches!(retry.growth, Growth::WholeMillis { .. });
            retry.growth = grow(permille.unwrap_or(if whole { 1_500 } else { 2_000 }), whole);
        }
        "exponential_random" | "of_exponential_random_backoff" => {
            retry.growth = Growth::WholeMillis { permille: permille.unwrap_or(1_500) };
            retry.jitter = Jitter::Scaled { less: 500, more: 500 };
        }
        "decorrelated" => retry.jitter = Jitter::Decorrelated,
        _ => return Err(Unsupported(format!("there is no backoff of the type {kind:?}"))),
    }
    Ok(())
}

pub(super) fn attempts(config: &mut Fields, retry: &mut Retry) -> Result<(), Unsupported> {
    if let Some(attempts) = count(config, &["max_attempts", "attempts"])? {
        retry.attempts = attempts;
    }
    let names = ["max_retries", "retries", "num_retries", "max_retry_attempts", "retry_count"];
    if let Some(retries) = first(&names, |name| {
        let value = config.take(name);
        value.map(|value| retries(name, &value)).transpose()
    })? {
        retry.attempts = retries.saturating_add(1);
    }
    if let Some(cap) = count(config, &["max_attempts_cap"])? {
        retry.attempts = retry.attempts.min(cap);
    }
    Ok(())
}

/// failsafe-go writes -1 for no limit.
fn retries(name: &str, value: &Value) -> Result<u32, Unsupported> {
    match value.as_i64() {
        Some(-1) => Ok(u32::MAX),
        Some(number) if number >= 0 => Ok(u32::try_from(number).unwrap_or(u32::MAX)),
        _ => Err(Unsupported(format!("{name:?} is {value}, not a number of retries"))),
    }
}

fn jitter(config: &mut Fields, retry: &mut Retry) -> Result<(), Unsupported> {
    if let Some(more) = duration(config, &["jitter"])? {
        retry.jitter = Jitter::Shifted { less: more, more };
        retry.hard_max = false;
    }
    for name in ["jitter_max", "additive_jitter", "jitter_additive", "max_jitter"] {
        if let Some(more) = config.duration(name)? {
            retry.jitter = Jitter::Shifted { less: Duration::ZERO, more };
        }
    }
    let names = ["jitter_factor", "randomization_factor", "random_factor", "jitter_ratio"];
    if let Some(share) = ratio(config, &names, 1_000)? {
        retry.jitter = Jitter::Scaled { less: share.min(1_000), more: share };
    }
    match first(&["jitter", "use_jitter", "randomize"], |name| Ok(config.take(name)))? {
        None => {}
        Some(Value::Bool(false)) => retry.jitter = Jitter::None,
        // Polly: a quarter less to a quarter more, unless it grows exponentially.
        Some(Value::Bool(true)) => match retry.growth {
            Growth::Exponential { permille } if permille != 1_000 => {
                let reason = "jitter without its kind, on a pause that grows exponentially";
                return Err(Unsupported(reason.to_owned()));
            }
            _ => retry.jitter = Jitter::Scaled { less: 250, more: 250 },
        },
        Some(Value::String(text)) => words(&text, retry)?,
        Some(Value::Number(share)) => {
            let permille = share.as_f64().map(|share| (share * 1e3).round() as u32).unwrap_or(0);
            retry.jitter = Jitter::Scaled { less: permille.min(1_000), more: permille };
        }
        Some(other) => return Err(Unsupported(format!("jitter is {other}"))),
    }
    if let Some(hard) = flag(config, &["hard_max", "cap_after_jitter", "max_after_jitter"])? {
        retry.hard_max = hard;
    }
    Ok(())
}

/// Jitter in words: a name, or a formula such as `x uniform(0.8,1.2) after the cap`.
fn words(text: &str, retry: &mut Retry) -> Result<(), Unsupported> {
    let lower = text.to_ascii_lowercase();
    let named = match lower.as_str() {
        "none" | "off" | "" => Some(Jitter::None),
        "full" => Some(Jitter::Full),
        "equal" | "half" => Some(Jitter::Equal),
        "decorrelated" => Some(Jitter::Decorrelated),
        _ => None,
    };
    if let Some(jitter) = named {
        retry.jitter = jitter;
        return Ok(());
    }
    let unknown = || Unsupported(format!("nobody understands the jitter {text:?}"));
    // "uniform(0.8,1.2) x min(…)": only what it is drawn from counts.
    let drawn = lower.split_once("uniform(").or_else(|| lower.split_once("u("));
    let drawn = drawn.filter(|_| !lower.contains("1 - ")).and_then(|(_, it)| it.split_once(')'));
    let numbers: Vec<f64> = drawn
        .map_or(lower.as_str(), |(drawn, _)| drawn)
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .filter_map(|number| number.parse().ok())
        .collect();
    let permille = |number: f64| (number * 1e3).round() as u32;
    let plus_minus = lower.contains('±') || lower.contains("+-") || lower.contains("+/-");
    retry.jitter = match numbers.as_slice() {
        [percent] if plus_minus && lower.contains('%') => {
            let share = permille(percent / 100.0);
            Jitter::Scaled { less: share.min(1_000), more: share }
        }
        [share] if plus_minus => {
            Jitter::Scaled { less: permille(*share).min(1_000), more: permille(*share) }
        }
        // (1 - 0.25 * U), (1 - 0.25 * uniform(0, 1))
        [one, share] | [one, share, _, _] if *one == 1.0 && lower.contains("1 - ") => {
            Jitter::Scaled { less: permille(*share), more: 0 }
        }
        [low, high] if lower.starts_with('+') && !plus_minus => Jitter::Shifted {
            less: Duration::ZERO,
            more: Duration::from_secs_f64((*high).max(*low)),
        },
        [low, high] if *low <= 1.0 && *high <= 2.0 => Jitter::Scaled {
            less: 1_000_u32.saturating_sub(permille(*low)),
            more: permille(*high).saturating_sub(1_000),
        },
        _ => return Err(unknown()),
    };
    if let Jitter::Scaled { more: 0, less: 1_000 } = retry.jitter {
        retry.jitter = Jitter::Full;
    }
    // Who only shortens a pause shortens the longest one too.
    let shortens = matches!(retry.jitter, Jitter::Scaled { more: 0, .. });
    let adds = lower.starts_with('+') && !plus_minus;
    retry.hard_max = !lower.contains("after the cap") && !adds && !shortens;
    Ok(())
}

impl Subject for Backoff {
    fn step(&mut self, _: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        let mut seen = Seen::new();
        tell(
            &mut seen,
            &["max_attempts", "attempts", "effective_max_attempts"],
            self.retry.attempts,
        );
        tell(&mut seen, &["max_retries", "retries"], self.retry.attempts.saturating_sub(1));
        if matches!(event, "observe" | "config" | "validate" | "max_attempts") {
            return Ok(seen);
        }
        let known = [
            "delay",
            "next",
            "next_delay",
            "backoff",
            "next_backoff",
            "compute",
            "interval",
            "get_delay",
            "retry",
            "retry_delay",
            "apply",
            "pause",
            "wait",
        ];
        if !known.contains(&event) {
            return Err(unknown(event));
        }
        let names = ["attempt", "retry", "failures", "n", "retry_number", "attempt_number"];
        let number = match count(step, &names)? {
            Some(0) => {
                self.from_zero = true;
                0
            }
            Some(number) => number,
            None => self.next,
        };
        self.next = number.saturating_add(1);
        let number = if self.from_zero { number.saturating_add(1) } else { number };
        let failures = match number.checked_sub(self.pushed_back) {
            Some(since) if since > 0 => since,
            _ => number,
        };
        let names = ["previous", "prev", "previous_delay", "last_delay", "last"];
        let previous = duration(step, &names)?.unwrap_or(self.previous);
        let names = ["random", "randomizer", "u", "rand", "jitter_sample"];
        let place = ratio(step, &names, 1_000_000)?.or(self.place);
        let pushback = Said::read(&headers(step)?, jiff::Timestamp::UNIX_EPOCH).pushback;
        let pause = match (pushback, place) {
            (Some(Pushback::After(wait)), _) => {
                self.pushed_back = number;
                wait
            }
            (_, Some(place)) => self.retry.pause_at(failures, previous, place),
            (_, None) => self.retry.pause_after(failures, previous, &mut self.draws),
        };
        self.previous = pause;
        let stopped = pushback == Some(Pushback::Stop);
        tell_pause(&mut seen, Some(pause).filter(|_| !stopped));
        let (low, high) = self.retry.bounds(failures, previous);
        tell_duration(&mut seen, "min_delay", Some(low));
        tell_duration(&mut seen, "max_delay", Some(high));
        let allowed = !stopped && number < self.retry.attempts;
        tell(&mut seen, &["retry", "allowed", "retry_allowed", "should_retry"], allowed);
        Ok(seen)
    }
}
