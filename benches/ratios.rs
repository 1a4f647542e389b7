//! The figures of the README, measured in one run and printed as ratios, for machines are noisy and
//! differ: `cargo bench --bench ratios`.
//!
//! Rounds are interleaved, so that a slow moment of the machine hits every row, and each row is
//! the median of its rounds.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark reads the machine's clock and prints what it measured"
)]
#![expect(clippy::expect_used, reason = "a benchmark has nobody to report to")]

mod fanout;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use fanout::Size;
use seedbed::world::Host;

const ROUNDS: usize = 7;

/// One row: its name, and what it runs.
type Row<'a> = (&'a str, Box<dyn FnMut() + 'a>);

fn compare(title: &str, rows: Vec<Row<'_>>) {
    let mut rows = rows;
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); rows.len()];
    for _ in 0..ROUNDS {
        for (row, times) in rows.iter_mut().zip(&mut times) {
            let begin = Instant::now();
            row.1();
            times.push(begin.elapsed());
        }
    }
    println!("\n{title}");
    let mut first = None;
    for ((name, _), mut times) in rows.into_iter().zip(times) {
        times.sort_unstable();
        let median = times[times.len() / 2].as_secs_f64() * 1e3;
        let first = *first.get_or_insert(median);
        println!("  {name:<40} {median:>10.2} ms {:>7.2}x", median / first);
    }
}

fn main() {
    for (agents, requests) in [(119, 200), (1_000, 50)] {
        let size = Size { agents, requests };
        compare(
            &format!("fanout, {agents} agents x {requests} requests"),
            vec![
                (
                    "plain binary heap, no actors",
                    Box::new(move || {
                        black_box(fanout::plain::run(size, 1));
                    }),
                ),
                (
                    "native host",
                    Box::new(move || {
                        black_box(fanout::actors::run(size, 1, Host::Native));
                    }),
                ),
                (
                    "tokio host",
                    Box::new(move || {
                        black_box(fanout::actors::run(size, 1, Host::Tokio));
                    }),
                ),
            ],
        );
    }
    let tiny = Size { agents: 3, requests: 5 };
    compare(
        "1 000 tiny worlds, 3 agents x 5 requests",
        vec![
            (
                "plain binary heap, no actors",
                Box::new(move || {
                    for seed in 0..1_000 {
                        black_box(fanout::plain::run(tiny, seed));
                    }
                }),
            ),
            (
                "native host",
                Box::new(move || {
                    for seed in 0..1_000 {
                        black_box(fanout::actors::run(tiny, seed, Host::Native));
                    }
                }),
            ),
            (
                "tokio host",
                Box::new(move || {
                    for seed in 0..1_000 {
                        black_box(fanout::actors::run(tiny, seed, Host::Tokio));
                    }
                }),
            ),
        ],
    );
}
