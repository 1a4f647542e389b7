//! A small stack to test: a counter store that keeps its state on disk, and clients that retry.
//!
//! Adding is not idempotent, and a client that hears nothing cannot know whether its request was
//! handled. So it sends the same request number again, and the store remembers which numbers it has
//! seen. A store that forgets them in a crash counts some additions twice: see [`Memory`].

use std::{collections::BTreeSet, time::Duration};

use actix::prelude::*;
use seedbed::world::{CallError, Env, Later, Peer, Promise};

/// Adds one, once for each request number. Answered with the total, when that is on disk.
#[derive(Message, Clone)]
#[rtype(result = "u64")]
pub struct Add {
    /// The same for each attempt at one addition.
    pub request: u64,
}

/// Where a store keeps the numbers of the requests that it has handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// With the total, on disk.
    Disk,
    /// Only in memory, where a crash wipes them out: the bug that is planted here.
    Heap,
}

/// Counts.
pub struct Store {
    env: Env<Store>,
    memory: Memory,
    total: u64,
    handled: BTreeSet<u64>,
}

impl Store {
    /// A store that goes on where the disk of its node says.
    pub fn new(env: Env<Store>, memory: Memory) -> Store {
        let numbers = |bytes: &[u8]| -> Vec<u64> {
            let words = bytes.chunks_exact(8);
            words.map(|word| word.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte))).collect()
        };
        let state = env.disk().read("state").map(|bytes| numbers(&bytes)).unwrap_or_default();
        let (total, handled) = match state.split_first() {
            Some((total, handled)) => (*total, handled.iter().copied().collect()),
            None => (0, BTreeSet::new()),
        };
        Store { env, memory, total, handled }
    }

    fn save(&self, total: u64, promise: Promise<u64>) {
        let mut state = vec![total];
        if self.memory == Memory::Disk {
            state.extend(&self.handled);
        }
        let bytes: Vec<u8> = state.iter().flat_map(|number| number.to_be_bytes()).collect();
        // A full disk would drop the promise, which resets the call, and the client tries again.
        if self.env.disk().write("state", &bytes).is_ok() {
            self.env.disk().sync(move |_, _| promise.keep(total));
        }
    }
}

impl Actor for Store {
    type Context = Context<Self>;
}

impl Handler<Add> for Store {
    type Result = Later<u64>;

    fn handle(&mut self, Add { request }: Add, _: &mut Context<Self>) -> Later<u64> {
        let (promise, later) = Later::promise();
        if self.handled.insert(request) {
            self.total += 1;
        }
        self.save(self.total, promise);
        later
    }
}

/// Adds so many times, one after the other, and tries each addition until it succeeds.
pub struct Client {
    env: Env<Client>,
    store: Peer<Store>,
    requests: Vec<u64>,
}

impl Client {
    /// A client with these requests to make.
    pub fn new(env: Env<Client>, store: Peer<Store>, requests: Vec<u64>) -> Client {
        Client { env, store, requests }
    }

    fn next(&mut self) {
        if let Some(&request) = self.requests.last() {
            // What the network delivers twice, the store sees twice.
            let call = self.env.call(&self.store, Add { request }).duplicable();
            call.timeout(Duration::from_millis(50)).then(|client, answer, _| client.go_on(answer));
        }
    }

    fn go_on(&mut self, answer: Result<u64, CallError>) {
        match answer {
            Ok(total) => {
                self.requests.pop();
                self.env.emit("added", total);
                self.next();
            }
            Err(_) => {
                self.env.after(Duration::from_millis(5), |client, _| client.next());
            }
        }
    }
}

impl Actor for Client {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.next();
    }
}
