//! The whole stack: the quickstart, the small trace that comes with the project, and what a request
//! through the router takes with all of its policies and with none; the load of the sidecar.

#![expect(clippy::expect_used, reason = "a benchmark has nobody to report to")]

use std::{hint::black_box, path::Path};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use seedbed::{
    explore::{Options, simulate},
    observe::Spans,
    scenario,
    world::{Host, Seed, World},
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

/// The sidecar's load: 119 agents that ask for their context, work, and hand in a result.
fn sidecar(criterion: &mut Criterion) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sims/sidecar/load_119.toml");
    let sim = scenario::load(&path).expect("the sim is valid");
    let mut group = criterion.benchmark_group("sidecar");
    group.throughput(Throughput::Elements(119));
    group.bench_function("119 agents", |bench| {
        bench.iter(|| {
            let run = simulate(&sim, Seed(1), &Options::default(), Vec::new());
            black_box(run.expect("the sim runs"))
        });
    });
    group.finish();
}

/// Fifty agents with two hundred requests each, and nothing that goes wrong.
const REQUESTS: u64 = 10_000;
const AGENTS: &str = r#"
[[backend]]
name = "opus"
tier = 3
[[backend]]
name = "haiku"
tier = 1
[[workspace]]
name = "acme"
quota = { tokens_per_day = 1000000000 }
[[agent]]
name = "rust"
count = 50
requests = 200
workspace = "acme"
"#;
/// No policy but the chain.
const PLAIN: &str = "";
/// Every policy; the bulkhead lets all in.
const FULL: &str = r#"
strategy = "tier"
retry = { attempts = 3 }
retry_budget = { kind = "tower" }
breaker = { window = { calls = 100 } }
bulkhead = { concurrent = 40, queue = 100 }
health = { interval = "30s" }
"#;

/// What a request takes, all else included: the agent, the links, the backend, the events.
fn router(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("router");
    group.throughput(Throughput::Elements(REQUESTS));
    for (name, keys, kept) in
        [("plain", PLAIN, false), ("full", FULL, false), ("full, spans kept", FULL, true)]
    {
        let router = "[router]\nprimary = \"opus\"\nfallback = [\"haiku\"]";
        let limits = "[limits]\ntime = \"2000s\"";
        let text = format!("purpose = \"p\"\n{limits}\n{router}\n{keys}\n{AGENTS}");
        let sim = scenario::parse("sims/bench.toml", &text).expect("the sim is valid");
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let mut world = World::new(Seed(1));
                if kept {
                    world.observe(Spans::new());
                }
                scenario::expand(&mut world, &sim, None, false).expect("there is no trace");
                black_box(world.run().expect("the world runs"))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, sims, router, sidecar);
criterion_main!(benches);
