//! What a configuration costs, cold: reading a typical file and the largest that is allowed, and
//! checking one after another. Bounds: 1 ms, 100 ms, and 1000 in a second. And what an operation costs
//! that goes through the policies a configuration makes.

#![expect(clippy::expect_used, reason = "a benchmark has nobody to report to")]

use std::{hint::black_box, rc::Rc, time::Duration};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use seedbed::{
    config::{Layers, Strategy, security::TEXT_BYTES_MAX},
    policy::breaker::{Breaker, Outcome},
    world::{Seed, Time},
};

const TYPICAL: &str = r#"
preset = "production"
retry_attempts = 4
circuit_breaker_threshold = 8
recovery_timeout = 90

[operation_overrides]
summarize = "balanced"

[operations.qa]
strategy = "critical"
retry_attempts = 6
jitter_max = 3.5
"#;

/// As many operations and settings as are allowed, filled up with a comment.
fn largest() -> String {
    let mut text = String::from("preset = \"production\"\n");
    for number in 0..10 {
        text += &format!(
            "[operations.operation-{number}]\nstrategy = \"critical\"\nretry_attempts = 6\n\
             circuit_breaker_threshold = 9\nrecovery_timeout = 99.999\nexponential_min = 2.5\n\
             exponential_max = 50.5\nexponential_multiplier = 1.234\njitter_enabled = true\n\
             jitter_max = 3.333\nmax_delay_seconds = 120\nhalf_open_max_calls = 2\n"
        );
    }
    let room = TEXT_BYTES_MAX.saturating_sub(text.len() + 1);
    text + "#" + &" ".repeat(room)
}

fn load(text: &str) -> Layers {
    let mut layers = Layers::new();
    layers.replace_file("x.toml", black_box(text)).expect("a good configuration");
    layers
}

fn config(criterion: &mut Criterion) {
    let largest = largest();
    assert_eq!(largest.len(), TEXT_BYTES_MAX);
    let mut group = criterion.benchmark_group("config");
    group.throughput(Throughput::Elements(1));
    group.bench_function("load/typical", |bench| bench.iter(|| load(TYPICAL)));
    group.bench_function("load/largest", |bench| bench.iter(|| load(&largest)));
    // Each text is another one, as from another caller.
    let texts: Vec<String> =
        (0..1_000).map(|n| format!("{TYPICAL}\nmax_delay_seconds = {}\n", 20 + n % 500)).collect();
    group.throughput(Throughput::Elements(texts.len() as u64));
    group.bench_function("validate/1000", |bench| {
        bench.iter_batched(
            || &texts,
            |texts| {
                texts.iter().map(|text| load(text)).filter(|it| it.template().is_some()).count()
            },
            BatchSize::SmallInput,
        );
    });
    group.throughput(Throughput::Elements(1));
    let tuning = Strategy::Critical.tuning();
    let (retry, mut draws) = (tuning.retry(), Seed(1).stream("pauses"));
    let mut breaker = Breaker::new(Rc::new(tuning.breaker()));
    let mut now = Time::ZERO;
    group.bench_function("operation/critical", |bench| {
        bench.iter(|| {
            now = now + Duration::from_nanos(1);
            for outcome in [Outcome::Failure, Outcome::Success] {
                let permit = breaker.admit(now).expect("a closed breaker");
                breaker.record(now, permit, outcome, Duration::ZERO);
                if outcome == Outcome::Failure {
                    black_box(retry.pause(1, &mut draws));
                }
            }
        });
    });
    group.finish();
}

criterion_group!(benches, config);
criterion_main!(benches);
