//! Limits of rates, meters and daily quotas, the rates beside `governor`.

use std::{num::NonZeroU32, time::Duration};

use governor::{Quota, RateLimiter, clock::FakeRelativeClock};
use jiff::Timestamp;
use seedbed::{
    policy::{
        limit::{
            FixedWindow, Gcra, Limiter, Rate, Refill, SlidingCounter, SlidingLog, Smooth, Start,
            TokenBucket,
        },
        meter::{self, Meters},
        quota,
    },
    world::Time,
};

use crate::row::{Row, Run, at, times};

const LIMIT: u32 = 30;
const BURST: u32 = 100;
const PER_SECOND: u32 = 1_000;
/// A permit a millisecond: what the limiters give.
const PACE: Duration = Duration::from_millis(1);
/// Ten times that: nine of ten are refused.
const HURRY: Duration = Duration::from_micros(100);

fn rate() -> Rate {
    Rate::per_second(PER_SECOND.into())
}

pub(crate) fn rows() -> Vec<Row> {
    let bucket = || TokenBucket::new(BURST.into(), rate());
    let gcra = || Gcra::new(BURST.into(), rate());
    let stepwise = TokenBucket::with_refill(BURST.into(), rate(), Refill::Stepwise);
    vec![
        limited("token bucket", bucket(), PACE),
        limited("token bucket, 9 of 10 refused", bucket(), HURRY),
        Row::new("token bucket, stepwise", ours(stepwise, PACE)).within(LIMIT),
        limited("GCRA", gcra(), PACE),
        limited("GCRA, 9 of 10 refused", gcra(), HURRY),
        Row::new("fixed window", ours(FixedWindow::new(rate(), Start::At(Time::ZERO)), PACE)),
        Row::new("sliding window, log", ours(SlidingLog::new(rate()), PACE)),
        Row::new("sliding window, log, 9 of 10 refused", ours(SlidingLog::new(rate()), HURRY)),
        Row::new("sliding window, counters", ours(SlidingCounter::new(rate()), PACE)),
        Row::new("smooth", ours(Smooth::new(PACE), PACE)),
        Row::new("three meters, reserve and settle", three_meters()),
        Row::new("daily quota, reserve and settle", daily_quota()).within(150),
    ]
}

fn limited(name: &str, limiter: impl Limiter + 'static, step: Duration) -> Row {
    Row::new(name, ours(limiter, step)).within(LIMIT).beside("governor, fake clock", governor(step))
}

fn ours(mut limiter: impl Limiter + 'static, step: Duration) -> Run {
    let step = u64::try_from(step.as_nanos()).unwrap_or(u64::MAX);
    times(move |number| limiter.try_acquire(Time::from_nanos(number * step), 1))
}

fn governor(step: Duration) -> Run {
    let number = |number| NonZeroU32::new(number).expect("more than zero");
    let quota = Quota::per_second(number(PER_SECOND)).allow_burst(number(BURST));
    let clock = FakeRelativeClock::default();
    let limiter = RateLimiter::direct_with_clock(quota, clock.clone());
    times(move |_| {
        clock.advance(step);
        limiter.check()
    })
}

fn three_meters() -> Run {
    let mut meters = Meters::new(meter::Settings {
        requests_per_minute: Some(60_000),
        input_tokens_per_minute: Some(60_000_000),
        output_tokens_per_minute: Some(60_000_000),
        tokens_per_minute: None,
    });
    times(move |number| {
        let now = at(number);
        let reserved = meters.reserve(now, 700, 1_000);
        reserved.map(|reserved| meters.settle(now, reserved, 700, 300)).is_ok()
    })
}

fn daily_quota() -> Run {
    let settings = quota::Settings { tokens_per_day: 100_000_000, ..quota::Settings::default() };
    let mut quota = quota::Quota::new(settings, Timestamp::UNIX_EPOCH);
    times(move |number| {
        let nanos = i128::from(number) * 1_000_000;
        let now = Timestamp::from_nanosecond(nanos).unwrap_or(Timestamp::MAX);
        let reserved = quota.reserve(now, 1_000);
        reserved.map(|reserved| quota.settle(now, reserved, 1)).is_ok()
    })
}
