//! The kernel: events per second of both hosts, timers that come and go, nodes that do nothing.

#![expect(clippy::expect_used, reason = "a benchmark has nobody to report to")]

mod fanout;

use std::{hint::black_box, time::Duration};

use actix::{Actor, Context};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fanout::Size;
use seedbed::world::{Env, Host, Seed, World};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn fan_out(criterion: &mut Criterion) {
    let size = Size { agents: 119, requests: 20 };
    let mut group = criterion.benchmark_group("fanout 119x20");
    group.throughput(Throughput::Elements(fanout::actors::run(size, 1, Host::Native).events));
    group.bench_function("plain heap", |bench| {
        bench.iter(|| black_box(fanout::plain::run(size, 1)));
    });
    for host in [Host::Native, Host::Tokio] {
        group.bench_function(host.name(), |bench| {
            bench.iter(|| black_box(fanout::actors::run(size, 1, host)));
        });
    }
    group.finish();
}

/// Sets a timer far away and cancels it, again and again: what calls with timeouts do.
struct Churn {
    env: Env<Churn>,
    rounds: u32,
}

impl Churn {
    fn turn(&mut self) {
        for _ in 0..10 {
            let timer = self.env.after(Duration::from_secs(60), |_, _| {});
            self.env.cancel(&timer);
        }
        if let Some(rounds) = self.rounds.checked_sub(1) {
            self.rounds = rounds;
            self.env.after(Duration::from_micros(1), |churn, _| churn.turn());
        }
    }
}

impl Actor for Churn {
    type Context = Context<Self>;
    fn started(&mut self, _: &mut Context<Self>) {
        self.turn();
    }
}

fn timers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("timers");
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("set and cancel", |bench| {
        bench.iter(|| {
            let mut world = World::new(Seed(1));
            world.spawn("churn", |env| Churn { env, rounds: 1_000 });
            world.run().expect("the world starts")
        });
    });
    group.finish();
}

struct Idle;

impl Actor for Idle {
    type Context = Context<Self>;
}

fn idle_nodes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("idle nodes");
    group.sample_size(10);
    group.throughput(Throughput::Elements(100_000));
    group.bench_function("100 000", |bench| {
        bench.iter(|| {
            let mut world = World::new(Seed(1));
            for number in 0..100_000 {
                world.spawn(format!("idle-{number}"), |_| Idle);
            }
            world.run().expect("the world starts")
        });
    });
    group.finish();
}

criterion_group!(benches, fan_out, timers, idle_nodes);
criterion_main!(benches);
