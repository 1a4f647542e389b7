//! Retries: pauses, what servers say about them, and budgets, beside `failsafe`, `httpdate` and
//! `tower`.

use std::time::Duration;

use failsafe::backoff;
use jiff::Timestamp;
use seedbed::{
    policy::{
        Preset, Retry,
        budget::{Budget, Cause, Settings, Throttle, ThrottleSettings},
        profile::{Client, Failure, Profile},
        retry_after::{Said, duration, http_date},
    },
    world::{Probability, Seed},
};
use tower::retry::budget::{Budget as _, TpsBudget};

use crate::row::{Row, Run, at, times};

const DATE: &str = "Sun, 06 Nov 2033 08:49:37 GMT";
const HEADERS: [(&str, &str); 6] = [
    ("content-type", "application/json"),
    ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("x-request-id", "req_0123456789abcdef"),
    ("retry-after", "12.5"),
    ("x-should-retry", "true"),
    ("server", "cloudflare"),
];

pub(crate) fn rows() -> Vec<Row> {
    let now = Timestamp::UNIX_EPOCH;
    let mut rows = vec![
        Row::new("retry pause, full jitter", pause(Retry::default()))
            .beside("failsafe, full jitter", failsafe_pause()),
        Row::new("retry pause, no jitter", pause(Retry::preset(Preset::Ccr))),
        Row::new("Retry-After in six headers", times(move |_| Said::read(&HEADERS, now))),
        Row::new("Retry-After, HTTP date", times(move |_| http_date(DATE, now)))
            .beside("httpdate", times(|_| httpdate::parse_http_date(DATE))),
        Row::new("rate limit reset, 6m0s", times(|_| duration("6m0s"))),
        Row::new("what a client does, with headers", client()),
    ];
    let budgets = [
        ("aws 2026", Settings::AWS_2026),
        ("grpc", Settings::Grpc { max_tokens: 10_000, token_ratio: 100 }),
        ("failsafe", Settings::FAILSAFE),
    ];
    rows.extend(budgets.map(|(name, settings)| {
        Row::new(format!("retry budget {name}, a request and a retry"), budget(&settings))
    }));
    rows.push(
        Row::new("retry budget tower, a request and a retry", budget(&Settings::TOWER))
            .beside("tower, machine's clock", tower_budget()),
    );
    rows.push(Row::new("adaptive throttle, admit and record", throttle()));
    rows
}

/// Between one and four failures.
fn pause(retry: Retry) -> Run {
    let mut draws = Seed(1).stream("pauses");
    times(move |number| retry.pause((number % 4) as u32 + 1, &mut draws))
}

fn failsafe_pause() -> Run {
    let new = || backoff::full_jittered(Duration::from_secs(1), Duration::from_secs(8));
    let mut pauses = new();
    times(move |number| {
        if number % 4 == 0 {
            pauses = new();
        }
        pauses.next()
    })
}

fn client() -> Run {
    let profile = Profile::new(Client::Anthropic2);
    let mut draws = Seed(1).stream("pauses");
    let now = Timestamp::UNIX_EPOCH;
    times(move |_| profile.decide(1, Failure::Status(529), &HEADERS, now, &mut draws))
}

fn budget(settings: &Settings) -> Run {
    let mut budget = Budget::new(settings);
    times(move |number| {
        let now = at(number);
        budget.on_request(now);
        budget.on_attempt_failed();
        let ticket = budget.withdraw(now, Cause::Transient, None);
        budget.on_end(true, ticket);
        ticket.is_some()
    })
}

/// It takes its time from the machine, and has no other way.
fn tower_budget() -> Run {
    let budget = TpsBudget::new(Duration::from_secs(10), 10, 0.2);
    times(move |_| {
        budget.deposit();
        budget.withdraw()
    })
}

fn throttle() -> Run {
    let window = Duration::from_secs(60);
    let settings =
        ThrottleSettings::failsafe(Probability::percent(10), window, Probability::percent(90));
    let mut throttle = Throttle::new(settings);
    let mut draws = Seed(1).stream("throttle");
    times(move |number| {
        let now = at(number);
        let admitted = throttle.admit(now, &mut draws);
        throttle.record(now, number % 8 != 0);
        admitted
    })
}
