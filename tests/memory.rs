//! Memory: what an idle node takes, and that a finished world gives everything back.
//!
//! Measured as the kernel of Linux sees it, so there is nothing to test elsewhere. One test, so
//! that nothing else in the process allocates meanwhile.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![cfg(target_os = "linux")]

use std::{cell::Cell, hint::black_box, rc::Rc, time::Duration};

use actix::prelude::*;
use seedbed::world::{Env, Fault, Host, Peer, Seed, World};

const NODES: u64 = 100_000;

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[derive(Message)]
#[rtype(result = "u64")]
struct Ask;

struct Idle(#[expect(dead_code, reason = "an actor usually keeps it")] Env<Idle>);

impl Actor for Idle {
    type Context = Context<Self>;
}

impl Handler<Ask> for Idle {
    type Result = u64;
    fn handle(&mut self, _: Ask, _: &mut Context<Self>) -> u64 {
        1
    }
}

/// Does this after a millisecond.
struct Probe(Env<Probe>, Rc<dyn Fn()>);

impl Actor for Probe {
    type Context = Context<Self>;
    fn started(&mut self, _: &mut Context<Self>) {
        self.0.after(Duration::from_millis(1), |probe, _| (probe.1)());
    }
}

struct Client {
    env: Env<Client>,
    server: Peer<Idle>,
}

impl Actor for Client {
    type Context = Context<Self>;
    fn started(&mut self, _: &mut Context<Self>) {
        self.env.every(Duration::from_millis(1), |client, _| {
            let call = client.env.call(&client.server, Ask).timeout(Duration::from_millis(5));
            call.then(|_, _, _| {});
        });
        self.env.after(Duration::from_millis(30), |client, _| client.env.stop_world());
    }
}

/// How much memory grows while so many idle nodes are up.
fn grown_by(nodes: u64) -> u64 {
    let before = resident();
    let during = Rc::new(Cell::new(0));
    let mut world = World::new(Seed(1));
    for number in 0..nodes {
        world.spawn(format!("node-{number}"), Idle);
    }
    let measured = Rc::clone(&during);
    world.spawn("probe", move |env| {
        let measured = Rc::clone(&measured);
        Probe(env, Rc::new(move || measured.set(resident())))
    });
    assert_eq!(world.run().unwrap().failure, None);
    during.get().saturating_sub(before)
}

fn small_world(seed: u64, host: Host) {
    let mut world = World::new(Seed(seed));
    world.host(host);
    let server = world.spawn("server", Idle);
    for number in 0..3 {
        world.spawn(format!("client-{number}"), move |env| Client { env, server });
    }
    let crash = Fault::crash("server").at(Duration::from_millis(7));
    world.fault(crash.lasting(Duration::from_millis(5)));
    let outcome = world.run().unwrap();
    assert_eq!(outcome.failure, None);
    assert!(outcome.counts.messages_sent > 50);
}

#[test]
fn idle_nodes_are_small_and_finished_worlds_are_gone() {
    // What is measured is there: memory that is used shows up.
    let before = resident();
    let used = black_box(vec![1_u8; 64 << 20]);
    assert!(resident() >= before + (60 << 20), "the measurement works");
    drop(used);

    // First, as the memory that freed nodes leave behind could hide a leak.
    for host in [Host::Native, Host::Tokio] {
        (0..100).for_each(|seed| small_world(seed, host));
        let before = resident();
        (0..500).for_each(|seed| small_world(seed, host));
        let grown = resident().saturating_sub(before);
        println!("{grown} bytes more after 500 worlds on the {} host", host.name());
        assert!(grown < 500 << 10, "{grown} bytes: a thousand for each world is a leak");
    }

    let each = grown_by(NODES) / NODES;
    println!("{each} bytes for each idle node");
    assert!(each > 100, "the nodes were there: {each}");
    assert!(each < 2_048, "{each} bytes for each idle node");
}
