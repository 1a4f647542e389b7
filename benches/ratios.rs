//! The figures of the README, measured in one run and printed as ratios, for machines are noisy and
//! differ: `cargo bench --bench ratios`, or a part of them: `cargo bench --bench ratios -- watching`.
//!
//! Rounds are interleaved, so that a slow moment of the machine hits every row, and each row is
//! the median of its rounds.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the machine's clock and prints what it measured"
)]
#![expect(clippy::expect_used, reason = "a benchmark has nobody to report to")]

mod fanout;

use std::{
    hint::black_box,
    path::Path,
    rc::Rc,
    time::{Duration, Instant},
};

use actix::{Actor, Context};
use fanout::Size;
use seedbed::{
    explore::{Options, simulate},
    policy::{
        breaker::{Breaker, Dialect, Outcome},
        limit::{Limiter, Rate, TokenBucket},
    },
    scenario,
    world::{Env, Host, Seed, Time, World},
};

/// The same as in the `seedbed` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 11;
/// Where a few parts in a hundred count.
#[cfg(feature = "cli")]
const MANY_ROUNDS: usize = 51;

/// One row: its name, and what it runs.
type Row<'a> = (&'a str, Box<dyn FnMut() + 'a>);

/// Prints the median time of each row, and its ratio to the first. Returns the medians.
fn compare(title: &str, rows: Vec<Row<'_>>) -> Vec<Duration> {
    compare_in(ROUNDS, title, rows)
}

fn compare_in(rounds: usize, title: &str, mut rows: Vec<Row<'_>>) -> Vec<Duration> {
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); rows.len()];
    for _ in 0..rounds {
        for (row, times) in rows.iter_mut().zip(&mut times) {
            let begin = Instant::now();
            row.1();
            times.push(begin.elapsed());
        }
    }
    println!("\n{title}");
    let medians: Vec<Duration> = times
        .iter_mut()
        .map(|times| {
            times.sort_unstable();
            times[times.len() / 2]
        })
        .collect();
    for ((name, _), median) in rows.iter().zip(&medians) {
        let ratio = median.as_secs_f64() / medians[0].as_secs_f64();
        println!("  {name:<32} {:>9.2} ms  {ratio:>6.2}x", median.as_secs_f64() * 1e3);
    }
    medians
}

fn fan_out(size: Size, worlds: u64) -> Vec<Row<'static>> {
    vec![
        (
            "plain binary heap, no actors",
            Box::new(move || {
                for seed in 0..worlds {
                    black_box(fanout::plain::run(size, seed));
                }
            }),
        ),
        (
            "native host",
            Box::new(move || {
                for seed in 0..worlds {
                    black_box(fanout::actors::run(size, seed, Host::Native));
                }
            }),
        ),
        (
            "tokio host",
            Box::new(move || {
                for seed in 0..worlds {
                    black_box(fanout::actors::run(size, seed, Host::Tokio));
                }
            }),
        ),
    ]
}

struct Idle {
    _env: Env<Idle>,
}

impl Actor for Idle {
    type Context = Context<Self>;
}

/// Resident memory in bytes, where the system tells it.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(text.split(' ').nth(1)?.parse::<u64>().ok()? * 4_096)
}

fn idle_nodes() {
    const NODES: u64 = 100_000;
    let before = resident();
    let mut world = World::new(Seed(1));
    for number in 0..NODES {
        world.spawn(format!("idle-{number}"), |env| Idle { _env: env });
    }
    // Asked by the last node, when all of them live.
    let (send, receive) = std::sync::mpsc::channel();
    world.spawn("witness", move |env| {
        let _ = send.send(resident());
        Idle { _env: env }
    });
    world.run().expect("the world starts");
    if let (Some(before), Ok(Some(after))) = (before, receive.recv()) {
        println!("\n100 000 idle nodes: {} bytes each", after.saturating_sub(before) / NODES);
    }
}

fn many_worlds() {
    let size = Size { agents: 3, requests: 5 };
    let run = |worlds: u64| {
        for seed in 0..worlds {
            black_box(fanout::actors::run(size, seed, Host::Native));
        }
    };
    run(1_000);
    let before = resident();
    run(100_000);
    if let (Some(before), Some(after)) = (before, resident()) {
        let grown = after.saturating_sub(before) / 1024;
        println!("\n100 000 tiny worlds in one process: memory grew by {grown} KiB");
    }
}

/// The real trace, where it is; the one that comes with the project otherwise.
fn trace() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sim = scenario::load(&root.join("sims/traffic/azure_code.toml")).expect("a valid sim");
    let real = root.join("../shared/data/AzureLLMInferenceTrace_code.csv");
    let options = Options { trace: real.exists().then_some(real), ..Options::default() };
    let run = || simulate(&sim, Seed(1), &options, Vec::new()).expect("the sim runs");
    let once = run();
    let medians = compare(
        &format!(
            "Azure code trace, {} requests, {} of virtual time, whole stack",
            once.requests.total, once.outcome.ended_at
        ),
        vec![(
            "native host",
            Box::new(|| {
                black_box(run());
            }),
        )],
    );
    let rate = once.outcome.events as f64 / medians[0].as_secs_f64();
    println!("  {} events, {:.2} million a second", once.outcome.events, rate / 1e6);
}

/// The load of `sims/sidecar/load_119.toml` with more and more agents: time and memory for each.
fn sidecar() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sims/sidecar/load_119.toml");
    let text = std::fs::read_to_string(&path).expect("the sim is there");
    let of = |agents: u64| {
        let connections = format!("[sidecar]\nconnections = {agents}\n");
        let text = text.replace("count   = 119", &format!("count   = {agents}"));
        let text = text.replace("[sidecar]\n", &connections);
        scenario::parse("load.toml", &text).expect("a valid sim")
    };
    println!("\nsidecar: agents that ask for context, work 100 ms and hand in a result, at once");
    for agents in [119, 1_000, 2_000, 5_000, 10_000] {
        let sim = of(agents);
        let mut times = Vec::new();
        let before = resident();
        let mut after = None;
        for _ in 0..5 {
            // Asked when the most is known: at the end, before anything is given back.
            let begin = Instant::now();
            let run = simulate(&sim, Seed(1), &Options::default(), Vec::new());
            times.push(begin.elapsed());
            let run = run.expect("the sim runs");
            after = after.max(resident());
            assert_eq!(run.metrics.values.get("sidecar.results"), Some(&agents), "all are stored");
        }
        times.sort_unstable();
        let micros = times[times.len() / 2].as_micros();
        let grown = before.zip(after).map_or(0, |(before, after)| after.saturating_sub(before));
        println!(
            "  {agents:>6} agents {:>9.2} ms {:>6} us an agent, memory grew by {} KiB",
            micros as f64 / 1e3,
            micros / u128::from(agents),
            grown / 1024
        );
    }
}

/// Calls through a policy, a millisecond apart, and the least that could be done by hand.
fn policy() {
    const CALLS: u64 = 1_000_000;
    let calls = || (0..CALLS).map(black_box).map(|call| (call, call * 1_000_000));
    let breaker = |dialect: Dialect| -> Box<dyn FnMut()> {
        Box::new(move || {
            let mut breaker = Breaker::new(Rc::new(dialect.settings()));
            for (_, nanos) in calls() {
                let now = Time::from_nanos(nanos);
                if let Ok(permit) = breaker.admit(now) {
                    breaker.record(now, permit, Outcome::Success, Duration::from_millis(20));
                }
            }
            black_box(breaker.state());
        })
    };
    let by_hand = || {
        let (mut in_a_row, mut total) = (0_u64, 0);
        for (call, _) in calls() {
            if in_a_row < 5 {
                in_a_row = if call == u64::MAX { in_a_row + 1 } else { 0 };
                total += 1;
            }
        }
        black_box((in_a_row, total));
    };
    compare(
        "circuit breaker, 1 000 000 calls admitted and recorded",
        vec![
            ("a counter of failures in a row", Box::new(by_hand)),
            ("breaker, gobreaker", breaker(Dialect::Gobreaker)),
            ("breaker, resilience4j", breaker(Dialect::Resilience4j)),
            ("breaker, polly", breaker(Dialect::Polly)),
        ],
    );
    let level = || {
        let (mut level, mut since, mut taken) = (100_000_u64, 0, 0);
        for (_, nanos) in calls() {
            level = (level + (nanos - since) / 1_000_000 * 1_000).min(100_000);
            since = nanos;
            if level >= 1_000 {
                level -= 1_000;
                taken += 1;
            }
        }
        black_box(taken);
    };
    let bucket = || {
        let mut bucket = TokenBucket::new(100, Rate::per_second(1_000));
        for (_, nanos) in calls() {
            let _ = black_box(bucket.try_acquire(Time::from_nanos(nanos), 1));
        }
    };
    compare(
        "token bucket, 1 000 000 permits",
        vec![("a level, milliseconds only", Box::new(level)), ("token bucket", Box::new(bucket))],
    );
}

/// What measuring a run costs: it must stay within a quarter of what the run costs by itself.
#[cfg(feature = "cli")]
fn watching() {
    use seedbed::{
        observe::{Spans, metrics::Board},
        world::Observer,
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in
        ["sims/quickstart.toml", "sims/sidecar/load_119.toml", "sims/traffic/azure_code.toml"]
    {
        let sim = scenario::load(&root.join(name)).expect("a valid sim");
        let (options, seed) = (Options::default(), Seed(1));
        let off = || simulate(&sim, seed, &options, Vec::new()).expect("the sim runs");
        let on = || {
            let (board, observer) = Board::begin(&sim, seed).expect("metrics");
            simulate(&sim, seed, &options, vec![observer]).expect("the sim runs");
            board
        };
        let traced = || {
            let spans = Spans::new();
            let observers: Vec<Box<dyn Observer>> = vec![Box::new(spans.clone())];
            simulate(&sim, seed, &options, observers).expect("the sim runs");
            spans.finish()
        };
        let both = || {
            let (board, observer) = Board::begin(&sim, seed).expect("metrics");
            let spans = Spans::new();
            let observers = vec![observer, Box::new(spans.clone()) as Box<dyn Observer>];
            simulate(&sim, seed, &options, observers).expect("the sim runs");
            (board, spans.finish())
        };
        let off: Row<'_> = ("nobody looks", Box::new(|| drop(black_box(off()))));
        let on: Row<'_> = ("metrics", Box::new(|| drop(black_box(on()))));
        let traced: Row<'_> = ("spans", Box::new(|| drop(black_box(traced()))));
        let both: Row<'_> = ("metrics and spans", Box::new(|| drop(black_box(both()))));
        compare_in(MANY_ROUNDS, &format!("watching {name}"), vec![off, on, traced, both]);
    }
}

fn fans() {
    compare("fanout, 119 agents x 200 requests", fan_out(Size { agents: 119, requests: 200 }, 1));
    compare("fanout, 1 000 agents x 50 requests", fan_out(Size { agents: 1_000, requests: 50 }, 1));
    let medians = compare(
        "1 000 tiny worlds, 3 agents x 5 requests",
        fan_out(Size { agents: 3, requests: 5 }, 1_000),
    );
    println!("  native: {:.0} worlds a second", 1_000.0 / medians[1].as_secs_f64());
}

fn main() {
    // Memory first, while the process is small.
    let all: [(&str, fn()); _] = [
        ("idle", idle_nodes),
        ("memory", many_worlds),
        ("fanout", fans),
        ("trace", trace),
        ("sidecar", sidecar),
        #[cfg(feature = "cli")]
        ("watching", watching),
        ("policy", policy),
    ];
    let wanted: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    for (name, measure) in all {
        if wanted.is_empty() || wanted.iter().any(|it| it == name) {
            measure();
        }
    }
}
