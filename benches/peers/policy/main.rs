//! The policies' hot calls beside crates that do the same, under criterion, and after that all of
//! them in one table: `cargo bench --manifest-path benches/peers/Cargo.toml --bench policy`.
//!
//! Start at [`row`]; each other file has the rows of a few policies.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the machine's clock and prints what it measured"
)]
#![expect(clippy::expect_used, reason = "a benchmark has nobody to report to")]

mod breakers;
mod choices;
mod limits;
mod retries;
mod row;

use std::time::{Duration, Instant};

use criterion::Criterion;
use row::{Row, Run, times};

/// The same as in the `seedbed` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn rows() -> Vec<Row> {
    let mut rows = breakers::rows();
    rows.extend(limits::rows());
    rows.extend(retries::rows());
    rows.extend(choices::rows());
    // What peers that take no time from outside pay for theirs.
    rows.push(Row::new("a look at the machine's clock", times(|_| Instant::now())));
    rows
}

fn timed(run: &mut Run, calls: u64) -> Duration {
    let begin = Instant::now();
    run(calls);
    begin.elapsed()
}

/// Nanoseconds of a call in the fastest of many short rounds, ours and the peer's in turns, so that
/// a slow moment of the machine hits both.
fn fastest(row: &mut Row) -> (f64, Option<f64>) {
    const ROUNDS: usize = 100;
    const CALLS: u64 = 5_000;
    let mut best = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        let runs =
            std::iter::once(&mut row.ours).chain(row.peer.as_mut().map(|peer| &mut peer.run));
        for (run, best) in runs.zip(&mut best) {
            let nanos = timed(run, CALLS).as_nanos() as f64 / CALLS as f64;
            *best = best.min(nanos);
        }
    }
    (best[0], row.peer.as_ref().map(|_| best[1]))
}

fn table(rows: &mut [Row]) {
    println!("\nnanoseconds a call, the fastest round; the ratio is ours to the peer's\n");
    println!("{:<42} {:>7} {:>7} {:>6} {:>6}", "", "ours", "peer", "ratio", "limit");
    for row in rows {
        let (ours, peer) = fastest(row);
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let ratio = or_none(peer.map(|peer| format!("{:.2}", ours / peer)));
        let peer = or_none(peer.map(|peer| format!("{peer:.1}")));
        let limit = or_none(row.limit.map(|limit| limit.to_string()));
        let verdict =
            row.limit.map_or("", |limit| if ours <= f64::from(limit) { "ok" } else { "OVER" });
        let name = &row.name;
        let beside = row.peer.as_ref().map_or("", |peer| peer.name);
        println!("{name:<42} {ours:>7.1} {peer:>7} {ratio:>6} {limit:>6} {verdict:<5} {beside}");
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .sample_size(20)
        .configure_from_args();
    let mut rows = rows();
    for row in &mut rows {
        let ours = &mut row.ours;
        criterion.bench_function(&row.name, |bench| bench.iter_custom(|calls| timed(ours, calls)));
        if let Some(peer) = &mut row.peer {
            let name = format!("{} ({})", row.name, peer.name);
            criterion.bench_function(&name, |bench| {
                bench.iter_custom(|calls| timed(&mut peer.run, calls))
            });
        }
    }
    criterion.final_summary();
    table(&mut rows);
}
