//! The whole stack: the quickstart, and the small trace that comes with the project.

#![expect(clippy::expect_used, reason = "a benchmark has nobody to report to")]

use std::{hint::black_box, path::Path};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use seedbed::{
    explore::{Options, simulate},
    scenario,
    world::{Host, Seed},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn sims(criterion: &mut Criterion) {
    for name in ["quickstart", "traffic/azure_code"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sims").join(format!("{name}.toml"));
        let sim = scenario::load(&path).expect("the sim is valid");
        let run = |host| {
            let options = Options { host, ..Options::default() };
            simulate(&sim, Seed(1), &options, Vec::new()).expect("the sim runs")
        };
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(run(Host::Native).outcome.events));
        for host in [Host::Native, Host::Tokio] {
            group.bench_function(host.name(), |bench| bench.iter(|| black_box(run(host))));
        }
        group.finish();
    }
}

criterion_group!(benches, sims);
criterion_main!(benches);
