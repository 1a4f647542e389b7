//! Rate limiters: every algorithm behind the same events.

mod words;

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;

use super::{
    Fields, Seen, Subject, Unsupported, also, first_duration, first_text, first_whole, id, tell,
    tell_duration, unknown_event,
};
use crate::{
    policy::limit::{
        FixedWindow, Gcra, Limiter, Rate, Refill, Refused, SlidingCounter, SlidingLog, Smooth,
        Start, TokenBucket,
    },
    world::Time,
};
use words::rate;

#[derive(Clone)]
enum Algorithm {
    Bucket(TokenBucket),
    Gcra(Gcra),
    Window(FixedWindow),
    Log(SlidingLog),
    Counter(SlidingCounter),
    Smooth(Smooth),
}

impl Algorithm {
    fn limiter(&mut self) -> &mut dyn Limiter {
        match self {
            Algorithm::Bucket(it) => it,
            Algorithm::Gcra(it) => it,
            Algorithm::Window(it) => it,
            Algorithm::Log(it) => it,
            Algorithm::Counter(it) => it,
            Algorithm::Smooth(it) => it,
        }
    }

    /// How long to wait for so many permits, without taking any.
    fn peek(&self, now: Time, permits: u64) -> Result<Duration, Refused> {
        match self {
            Algorithm::Bucket(it) => it.ready_in(now, permits).ok_or(Refused::Never),
            Algorithm::Gcra(it) => it.check(now, permits),
            Algorithm::Window(it) => it.ready_in(now, permits).ok_or(Refused::Never),
            Algorithm::Log(it) => it.clone().reserve(now, permits, Duration::MAX),
            Algorithm::Smooth(it) => { *it }.reserve(now, permits, Duration::MAX),
            Algorithm::Counter(it) => match { *it }.reserve(now, permits, Duration::ZERO) {
                Err(Refused::Wait(wait)) => Ok(wait),
                other => other,
            },
        }
    }
}

/// How the words of a library are to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// To acquire is to reserve, however long it takes; what is refused waits -1 (failsafe-go).
    Reserving,
    /// To acquire is to reserve within the configured time; what is refused waits -1 (resilience4j).
    Timed,
    /// To acquire is to take what is free; who is refused is told how long to wait.
    Plain,
}

/// A limiter for each key; for none, if a case has no keys.
struct Keyed {
    fresh: Limited,
    by_key: BTreeMap<String, Limited>,
}

impl Subject for Keyed {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        let key = first_text(step, &["key", "bucket_key"])?.unwrap_or_default();
        let limited = self.by_key.entry(key).or_insert_with(|| self.fresh.clone());
        limited.step(now, event, step)
    }
}

#[derive(Clone)]
struct Limited {
    algorithm: Algorithm,
    manner: Manner,
    timeout: Duration,
    capacity: Option<u64>,
    reservations: BTreeMap<String, (u64, Time)>,
    totals: (u64, u64),
}

pub(super) fn subject(config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    let words =
        ["algorithm", "dialect", "type", "library", "mode", "kind", "start", "window_start"];
    let mut name = String::new();
    for word in words {
        if let Some(text) = config.text(word)? {
            name += &text.to_lowercase().replace(['-', ' '], "_");
            name.push(' ');
        }
    }
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    // Words that only resilience4j has.
    let cycles = ["limit_for_period", "limit_refresh_period_ms", "limit_refresh_period_ns"];
    let cycles = cycles.iter().any(|word| config.has(word)) && !has(&["tower", "sliding"]);
    let rate = rate(config)?;
    let burst = first_whole(
        config,
        &[
            "burst",
            "capacity",
            "max_burst",
            "burst_capacity",
            "burst_size",
            "bucket_size",
            "token_limit",
            "max_tokens",
        ],
    )?;
    let timeout =
        first_duration(config, &["timeout", "timeout_duration", "max_wait", "max_wait_time"])?;
    let segments = first_whole(config, &["segments", "segments_per_window", "buckets"])?;
    let first_use = config.flag("aligned")?.is_some_and(|aligned| !aligned);
    let no_rate = || Unsupported("the config has no rate".to_owned());
    let mut capacity = None;
    let (algorithm, manner) = if has(&["smooth", "leaky"]) {
        let rate = rate.ok_or_else(no_rate)?;
        let per = u64::try_from(rate.per().as_nanos()).unwrap_or(u64::MAX);
        let interval = Duration::from_nanos(per / rate.permits().max(1));
        (Algorithm::Smooth(Smooth::new(interval)), Manner::Reserving)
    } else if has(&["bursty", "failsafe"]) {
        let rate = rate.ok_or_else(no_rate)?;
        (Algorithm::Window(FixedWindow::new(rate, Start::At(Time::ZERO))), Manner::Reserving)
    } else if cycles || has(&["resilience4j", "r4j", "atomic", "semaphore", "cycle"]) {
        // resilience4j's default: 50 every 500 ns.
        let rate = rate.unwrap_or(Rate::new(50, Duration::from_nanos(500)));
        (Algorithm::Window(FixedWindow::new(rate, Start::At(Time::ZERO))), Manner::Timed)
    } else if has(&["gcra", "governor"]) {
        let rate = rate.ok_or_else(no_rate)?;
        let burst = burst.unwrap_or(rate.permits());
        capacity = Some(burst);
        (Algorithm::Gcra(Gcra::new(burst, rate)), Manner::Plain)
    } else if has(&["sliding"]) {
        let rate = rate.ok_or_else(no_rate)?;
        capacity = Some(rate.permits());
        let algorithm = match segments {
            Some(segments) => Algorithm::Log(SlidingLog::with_segments(rate, segments)),
            None if has(&["counter", "approx", "weighted", "cloudflare"]) => {
                Algorithm::Counter(SlidingCounter::new(rate))
            }
            None => Algorithm::Log(SlidingLog::new(rate)),
        };
        (algorithm, Manner::Plain)
    } else if has(&["fixed", "tower", "ccr"]) {
        let rate = rate.ok_or_else(no_rate)?;
        capacity = Some(rate.permits());
        let first_use = first_use || has(&["tower", "first_use"]);
        let start = if first_use { Start::FirstUse } else { Start::At(Time::ZERO) };
        (Algorithm::Window(FixedWindow::new(rate, start)), Manner::Plain)
    } else if has(&["bucket", "x/time", "golang"]) {
        let rate = rate.ok_or_else(no_rate)?;
        let burst = burst.unwrap_or(rate.permits());
        capacity = Some(burst);
        let stepwise = has(&["step", "interval", ".net", "dotnet"])
            || config.text("refill")?.is_some_and(|refill| refill.contains("interval"));
        let refill = if stepwise { Refill::Stepwise } else { Refill::Continuous };
        (Algorithm::Bucket(TokenBucket::with_refill(burst, rate, refill)), Manner::Plain)
    } else {
        return Err(Unsupported(format!("there is no rate limit called {:?}", name.trim())));
    };
    let patient = Duration::from_secs(5);
    let timeout = timeout.unwrap_or(if manner == Manner::Timed { patient } else { Duration::ZERO });
    let (reservations, totals) = (BTreeMap::new(), (0, 0));
    let fresh = Limited { algorithm, manner, timeout, capacity, reservations, totals };
    config.flag("keyed")?;
    Ok(Box::new(Keyed { fresh, by_key: BTreeMap::new() }))
}

impl Limited {
    /// How long a caller would wait for what it asks for by this event.
    fn patience(&self, event: &str, asked: Option<Duration>) -> Duration {
        let verb = event.split('_').next().unwrap_or(event);
        match (self.manner, verb) {
            _ if asked.is_some() => asked.unwrap_or_default(),
            (Manner::Timed, _) => self.timeout,
            (Manner::Reserving, "acquire" | "reserve") => Duration::MAX,
            (_, "reserve" | "wait" | "until") => Duration::MAX,
            (_, "execute") => self.timeout,
            (Manner::Plain, "acquire") => self.timeout,
            _ => Duration::ZERO,
        }
    }

    fn take(
        &mut self,
        now: Time,
        event: &str,
        step: &mut Fields,
        seen: &mut Seen,
    ) -> Result<(), Unsupported> {
        let n = permits(step)?.unwrap_or(1);
        let times = first_whole(step, &["times", "repeat"])?.unwrap_or(1);
        let asked = first_duration(step, &["max_wait", "max_wait_time", "timeout"])?;
        let (patience, id) = (self.patience(event, asked), id(step));
        let any = event.contains("any");
        let (mut waits, mut last, mut taken) = (Vec::new(), Ok(Duration::ZERO), 0_u64);
        for _ in 0..times {
            let free = self.algorithm.limiter().available(now).max(0).unsigned_abs();
            let n = if any { n.min(free) } else { n };
            last = self.algorithm.limiter().reserve(now, n, patience);
            waits.push(last.map_or(-1.0, |wait| wait.as_nanos() as f64 / 1e6));
            if let Ok(wait) = last {
                taken += n;
                self.totals.0 += 1;
                if let Some(id) = &id {
                    self.reservations.insert(id.clone(), (n, now + wait));
                }
            } else {
                self.totals.1 += 1;
            }
        }
        let granted = waits.iter().filter(|wait| **wait >= 0.0).count();
        tell(
            seen,
            &["granted_count", "permitted_count", "acquired_count", "allowed_count", "accepted"],
            granted,
        );
        tell(seen, &["rejected_count", "denied_count"], waits.len() - granted);
        tell(seen, &["waits_ms", "delays_ms"], waits);
        tell(seen, &["admitted_n", "taken", "n_admitted", "cells"], taken);
        for name in ["admitted", "permitted", "granted", "accepted", "acquired", "allowed"] {
            also(seen, name, taken);
        }
        self.tell_outcome(now, last, seen);
        Ok(())
    }

    fn tell_outcome(&self, now: Time, outcome: Result<Duration, Refused>, seen: &mut Seen) {
        let ok = outcome.is_ok();
        tell(
            seen,
            &[
                "permitted",
                "allowed",
                "acquired",
                "ok",
                "admitted",
                "granted",
                "success",
                "conforming",
            ],
            ok,
        );
        tell(seen, &["rejected", "denied", "limited", "exceeded"], !ok);
        let wait = match outcome {
            Ok(wait) => Some(wait),
            Err(refused) if self.manner == Manner::Plain => refused.wait(),
            Err(_) => None,
        };
        tell_duration(seen, &["wait", "delay", "retry_after", "wait_time", "reserved_wait"], wait);
        let until = wait.map(|wait| (now + wait) - Time::ZERO);
        tell_duration(
            seen,
            &["earliest", "not_until", "earliest_possible", "act_at", "time_to_act"],
            until,
        );
        let error = match outcome {
            Ok(_) => json!(null),
            Err(Refused::Never) => json!("insufficient_capacity"),
            Err(Refused::Wait(_)) => json!("rate_limited"),
        };
        tell(seen, &["error", "reason"], error.clone());
        for name in ["rejected", "denied", "refused"] {
            if !ok {
                also(seen, name, error.clone());
            }
        }
        let short = outcome == Err(Refused::Never);
        tell(seen, &["insufficient_capacity"], short.then_some(self.capacity).flatten());
        also(seen, "insufficient_capacity", short);
    }

    fn tell_state(&mut self, now: Time, seen: &mut Seen) {
        let available = self.algorithm.limiter().available(now);
        let names =
            ["available", "available_permits", "available_permissions", "permits", "permissions"];
        tell(seen, &names, available);
        tell(seen, &["remaining", "remaining_burst_capacity", "free"], available.max(0));
        tell(seen, &["tokens"], available);
        let next = self.algorithm.peek(now, 1).ok();
        let names = ["next_wait", "to_wait", "time_to_wait", "next_permit", "next_permit_in"];
        tell_duration(seen, &names, next);
        let nanos = next.map_or(-1.0, |next| next.as_nanos() as f64);
        tell(seen, &["nanos_to_wait", "ns_to_wait"], nanos);
        tell(seen, &["ms_to_wait", "millis_to_wait"], nanos / 1e6);
        if !seen.contains_key("wait_ms") {
            // Nothing was asked for: it is about whoever asks next.
            tell_duration(seen, &["wait"], next);
        }
        if let Algorithm::Smooth(smooth) = &self.algorithm {
            tell_duration(seen, &["interval"], Some(smooth.interval()));
            let free = Some(smooth.next_free() - Time::ZERO);
            tell_duration(seen, &["next_free", "next_free_permit"], free);
            tell_duration(seen, &["next_free_permit_time"], free);
        }
        if let Algorithm::Window(window) = &self.algorithm {
            let names = ["current_period", "period", "cycle", "window"];
            tell(seen, &names, window.window(now, Time::ZERO));
            tell(seen, &["limit", "limit_for_period"], window.rate().permits());
        }
        tell_duration(seen, &["timeout", "timeout_duration"], Some(self.timeout));
        tell(seen, &["capacity", "burst", "max_burst"], self.capacity);
        tell(seen, &["permitted_total", "total_permitted"], self.totals.0);
        tell(seen, &["rejected_total", "total_rejected"], self.totals.1);
    }

    /// Changes of the limiter itself.
    fn change(
        &mut self,
        now: Time,
        event: &str,
        step: &mut Fields,
        seen: &mut Seen,
    ) -> Result<(), Unsupported> {
        match (event, &mut self.algorithm) {
            ("drain" | "drain_permissions", Algorithm::Window(window)) => {
                tell(seen, &["drained", "drained_permits", "number_of_permits"], window.drain(now));
            }
            (
                "change_limit" | "change_limit_for_period" | "set_limit",
                Algorithm::Window(window),
            ) => {
                let limit = first_whole(step, &["limit", "limit_for_period", "n", "permits"])?;
                window.set_limit(now, limit.ok_or_else(|| unknown_event(event))?);
            }
            ("set_limit" | "set_rate", Algorithm::Bucket(bucket)) => {
                let rate = match rate(step)? {
                    Some(rate) => rate,
                    None => Rate::per_second(permits(step)?.ok_or_else(|| unknown_event(event))?),
                };
                bucket.set_rate(now, rate);
            }
            ("set_burst" | "set_capacity", Algorithm::Bucket(bucket)) => {
                let burst = first_whole(step, &["burst", "capacity", "n"])?;
                bucket.set_capacity(now, burst.ok_or_else(|| unknown_event(event))?);
                self.capacity = burst;
            }
            ("change_timeout" | "change_timeout_duration" | "set_timeout", _) => {
                let timeout = first_duration(step, &["timeout", "timeout_duration"])?;
                self.timeout = timeout.ok_or_else(|| unknown_event(event))?;
            }
            ("cancel", Algorithm::Bucket(bucket)) => {
                let id = id(step).ok_or_else(|| unknown_event(event))?;
                let (n, ready) = self.reservations.remove(&id).unwrap_or((0, now));
                tell(seen, &["restored", "given_back"], bucket.cancel(now, n, ready));
            }
            ("give_back" | "put_back" | "release", Algorithm::Bucket(bucket)) => {
                bucket.give_back(now, permits(step)?.unwrap_or(1));
            }
            ("consume" | "consume_n", Algorithm::Gcra(gcra)) => {
                gcra.consume(now, permits(step)?.unwrap_or(1));
            }
            ("consume" | "consume_n" | "charge", Algorithm::Bucket(bucket)) => {
                bucket.charge(now, permits(step)?.unwrap_or(1));
            }
            _ => return Err(unknown_event(event)),
        }
        Ok(())
    }
}

fn permits(step: &mut Fields) -> Result<Option<u64>, Unsupported> {
    first_whole(step, &["n", "permits", "count", "tokens", "cost", "weight", "cells"])
}

impl Subject for Limited {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        let mut seen = Seen::new();
        match event {
            "observe" | "advance" | "tick" | "metrics" | "status" => {}
            "check_only" | "check_n_only" | "peek" => {
                let outcome = self.algorithm.peek(now, permits(step)?.unwrap_or(1));
                let outcome = match outcome {
                    Ok(Duration::ZERO) => outcome,
                    Ok(wait) => Err(Refused::Wait(wait)),
                    Err(never) => Err(never),
                };
                self.tell_outcome(now, outcome, &mut seen);
            }
            "check"
            | "check_n"
            | "check_all"
            | "check_any_n"
            | "allow"
            | "allow_n"
            | "request"
            | "call"
            | "try"
            | "acquire"
            | "acquire_n"
            | "acquire_permit"
            | "acquire_permits"
            | "acquire_permission"
            | "try_acquire"
            | "try_acquire_n"
            | "try_acquire_permit"
            | "try_acquire_permits"
            | "reserve"
            | "reserve_n"
            | "reserve_permit"
            | "reserve_permits"
            | "reserve_permission"
            | "try_reserve"
            | "try_reserve_n"
            | "try_reserve_permit"
            | "try_reserve_permits"
            | "execute"
            | "wait"
            | "wait_n"
            | "until_ready"
            | "until_n_ready"
            | "acquire_with_max_wait"
            | "acquire_permit_with_max_wait"
            | "acquire_permits_with_max_wait" => self.take(now, event, step, &mut seen)?,
            _ => self.change(now, event, step, &mut seen)?,
        }
        self.tell_state(now, &mut seen);
        Ok(seen)
    }
}
