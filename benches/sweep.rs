//! What a sweep costs beside its worlds, what a second core gives, and what a long one takes of
//! memory, as ratios: `cargo bench --bench sweep`.
//!
//! The sweep is the command itself, started and waited for, results written. Rounds are interleaved,
//! and each row is the median of its rounds. Nothing else should run meanwhile.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the machine's clock and prints what it measured"
)]
#![expect(clippy::expect_used, reason = "a benchmark has nobody to report to")]

use std::{
    fs,
    hint::black_box,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use seedbed::{
    explore::{Options, simulate},
    scenario,
    world::Seed,
};

/// The same as in the `seedbed` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 7;

/// The smallest sim there is.
const TINY: &str = "purpose = \"One request: the least that a sweep can run.\"\n\
                    [router]\nprimary = \"opus\"\n[[backend]]\nname = \"opus\"\n\
                    [[agent]]\nname = \"rust\"\nrequests = 1\n";

/// Sweeps a sim in a folder, and says how long it took and, where the system tells it, the most
/// memory that it had, in KiB.
fn sweep(folder: &Path, sim: &Path, seeds: u64, jobs: &str) -> (Duration, u64) {
    let results = folder.join("results.jsonl");
    if results.exists() {
        fs::remove_file(&results).expect("a file");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_seedbed"));
    command.arg("sweep").arg(sim).args(["--jobs", jobs, "--shard", "1/1", "--results"]);
    command.arg(&results).args(["--seeds", &seeds.to_string()]);
    let begin = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a sweep");
    let mut most = 0;
    let status = loop {
        most = most.max(peak(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(status.success(), "{status}");
    (begin.elapsed(), most)
}

fn peak(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

/// Bare worlds, and sweeps on one core and on two.
fn compare(folder: &Path, name: &str, path: &Path, seeds: u64) {
    let sim = scenario::load(path).expect("a valid sim");
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        for seed in 1..=seeds {
            black_box(simulate(&sim, Seed(seed), &Options::default(), Vec::new()).expect("a run"));
        }
        times[0].push(begin.elapsed());
        times[1].push(sweep(folder, path, seeds, "1").0);
        times[2].push(sweep(folder, path, seeds, "2").0);
    }
    let [bare, one, two] = times.map(|mut times| median(&mut times));
    let rate = |seconds: f64| seeds as f64 / seconds;
    println!("\n{name}, {seeds} seeds");
    println!("  bare worlds, one thread   {:>8.0} seeds a second", rate(bare));
    println!("  sweep on one core         {:>8.0}   {:.2}x the time", rate(one), one / bare);
    println!("  sweep on two cores        {:>8.0}   {:.2}x as fast", rate(two), one / two);
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let tiny = folder.path().join("tiny.toml");
    fs::write(&tiny, TINY).expect("a file");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    compare(folder.path(), "quickstart", &root.join("sims/quickstart.toml"), 100);
    compare(folder.path(), "the smallest sim there is", &tiny, 40_000);
    println!("\nthe most memory of a sweep of tiny seeds");
    for seeds in [10_000, 100_000, 1_000_000] {
        println!("  {seeds:>9} seeds  {:>7} KiB", sweep(folder.path(), &tiny, seeds, "2").1);
    }
}
