//! What actors trace carries virtual time, on both hosts.

#![expect(clippy::unwrap_used, reason = "a test has nobody to report to")]

use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use seedbed::world::{Env, Host, Seed, World};

struct Talker {
    env: Env<Talker>,
}

impl Actor for Talker {
    type Context = Context<Self>;
    fn started(&mut self, _: &mut Context<Self>) {
        self.env.after(Duration::from_millis(5), |_, _| tracing::info!("hello"));
    }
}

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn traced(host: Host, level: tracing::Level) -> String {
    let page = Page::default();
    let writer = page.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .without_time()
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let mut world = World::new(Seed(1));
        world.host(host);
        world.spawn("talker", |env| Talker { env });
        world.run().unwrap();
    });
    let text = page.0.lock().unwrap().clone();
    String::from_utf8(text).unwrap()
}

#[test]
fn events_of_actors_are_in_a_span_with_virtual_time() {
    for host in [Host::Native, Host::Tokio] {
        let text = traced(host, tracing::Level::INFO);
        assert!(text.contains("actor{at=0.005s node=\"talker\"}"), "{text}");
        assert!(text.contains("hello"), "{text}");
        assert!(!text.contains("node_started"), "only at trace level: {text}");
    }
}

#[test]
fn events_of_the_world_are_traced_with_virtual_time() {
    let text = traced(Host::Native, tracing::Level::TRACE);
    assert!(text.contains("at=0.005s node=\"talker\" seq=2 kind=\"timer_fired\""), "{text}");
}
