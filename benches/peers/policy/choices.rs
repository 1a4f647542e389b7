//! Classification of errors, selection of a model, health. Nobody else does quite the same.

use std::time::Duration;

use seedbed::{
    policy::{
        classify::{Failure, Provider, classify},
        health::{Availability, Finding, Health, Settings, Status},
        hedge::Latencies,
        select::{Candidate, Strategy, Wish},
    },
    world::{Seed, Time},
};

use crate::row::{Row, Run, at, times};

const LIMIT: u32 = 100;

/// A message that no name explains, and that the status leaves open: all of it must be read.
const LONG: &str = "Invocation of model ID anthropic.claude-opus-4-20250514-v1:0 with on-demand \
                    throughput isn't supported. Retry your request with the ID or ARN of an \
                    inference profile that contains this model.";
/// The same, and no phrase that means anything comes in it.
const VAGUE: &str = "messages.1.content.0.text.text: Input should be a valid string; the tool call \
                     is not accepted in this position, and its arguments did not parse as an \
                     object of the schema that was given.";
const QUOTA: &str = "You exceeded your current quota, please check your plan and billing details.";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![
        classified("by name", failure(Provider::Anthropic, 529, "overloaded_error", "Overloaded")),
        classified("by status", failure(Provider::Generic, 503, "", "")),
        classified(
            "rate limit",
            failure(Provider::Openai, 429, "rate_limit_exceeded", "Slow down."),
        ),
        classified("short message", failure(Provider::Openai, 429, "requests", QUOTA)),
        classified("long message", failure(Provider::Bedrock, 400, "ValidationException", LONG)),
        classified(
            "long vague message",
            failure(Provider::Anthropic, 400, "invalid_request_error", VAGUE),
        ),
    ];
    let strategies = [
        Strategy::Chain,
        Strategy::Tier,
        Strategy::Weighted,
        Strategy::LeastBusy,
        Strategy::Latency,
        Strategy::Cost,
    ];
    rows.extend(strategies.map(|strategy| {
        Row::new(format!("selection of 4, {}", strategy.as_str()), selection(strategy))
    }));
    rows.push(Row::new("health, observe", health()));
    rows.push(Row::new("latencies for hedging, record", latencies()));
    rows
}

fn failure<'a>(
    provider: Provider,
    status: u16,
    error_type: &'a str,
    message: &'a str,
) -> Failure<'a> {
    Failure { provider, status: Some(status), error_type, code: "", message }
}

fn classified(name: &str, failure: Failure<'static>) -> Row {
    let run = times(move |_| classify(std::hint::black_box(&failure)));
    Row::new(format!("classification, {name}"), run).within(LIMIT)
}

fn selection(strategy: Strategy) -> Run {
    let candidate = |provider, tier, weight| Candidate {
        provider,
        tier,
        weight,
        in_flight: weight / 3,
        latency: Some(Duration::from_millis(u64::from(weight) * 7)),
        price: u64::from(tier) * 1_000,
        availability: Availability::Available,
        circuit_open: false,
        within_budget: true,
    };
    let mut candidates = [
        candidate("anthropic", 3, 50),
        candidate("anthropic", 2, 30),
        candidate("openai", 2, 15),
        candidate("gemini", 1, 5),
    ];
    let wish = Wish { strategy, tier: 2, preferred: None };
    let mut draws = Seed(1).stream("select");
    times(move |number| {
        candidates[(number % 4) as usize].in_flight = (number % 7) as u32;
        wish.select(std::hint::black_box(&candidates), &mut draws)
    })
}

fn health() -> Run {
    let mut health = Health::new(Settings::default());
    times(move |number| {
        let finding = match number % 8 {
            0 => Finding::TimedOut,
            1 => Finding::Returned(Status::Degraded),
            _ => Finding::Returned(Status::Healthy),
        };
        health.observe(at(number), finding)
    })
}

fn latencies() -> Run {
    let mut latencies = Latencies::new(Duration::from_secs(10), Time::ZERO);
    times(move |number| latencies.record(at(number), Duration::from_millis(number % 3_000)))
}
