//! "fanout" as a hand-written loop over `std`'s binary heap, without actors, links, a log or a
//! fingerprint: the practical limit.

use std::{cmp::Reverse, collections::BinaryHeap};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{ATTEMPTS, BACKENDS, Size};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    AtRouter { agent: u32 },
    AtBackend { agent: u32, attempt: u32 },
    Served { agent: u32, attempt: u32 },
    BackAtRouter { agent: u32, attempt: u32 },
    BackAtAgent { agent: u32 },
    TimedOut { agent: u32, attempt: u32 },
}

struct Request {
    left: u32,
    /// Counts attempts over the whole run, so that late answers and stale timeouts are known.
    attempt: u32,
    tries_left: u32,
}

pub(crate) fn run(size: Size, seed: u64) -> u64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |bound: u64| ((u128::from(rng.next_u64()) * u128::from(bound)) >> 64) as u64;
    let mut heap = BinaryHeap::new();
    let (mut sequence, mut events, mut turn) = (0_u64, 0_u64, 0_usize);
    let mut served = [0_u64; BACKENDS];
    let mut requests: Vec<Request> = Vec::new();
    let mut push = |heap: &mut BinaryHeap<_>, at: u64, event: Event| {
        sequence += 1;
        heap.push(Reverse((at, sequence, event)));
    };
    for agent in 0..size.agents {
        requests.push(Request { left: size.requests - 1, attempt: 0, tries_left: ATTEMPTS });
        push(&mut heap, 1_000_000 + below(4_000_001), Event::AtRouter { agent });
    }
    while let Some(Reverse((now, _, event))) = heap.pop() {
        events += 1;
        let hop = now + 1_000_000 + below(4_000_001);
        match event {
            Event::AtRouter { agent } => {
                let request = &mut requests[agent as usize];
                request.attempt += 1;
                let attempt = request.attempt;
                push(&mut heap, hop, Event::AtBackend { agent, attempt });
                push(&mut heap, now + 200_000_000, Event::TimedOut { agent, attempt });
            }
            Event::AtBackend { agent, attempt } => {
                turn = (turn + 1) % BACKENDS;
                served[turn] += 1;
                if below(100) != 0 {
                    let done = now + 5_000_000 + below(45_000_001);
                    push(&mut heap, done, Event::Served { agent, attempt });
                }
            }
            Event::Served { agent, attempt } => {
                push(&mut heap, hop, Event::BackAtRouter { agent, attempt });
            }
            Event::BackAtRouter { agent, attempt } => {
                let request = &mut requests[agent as usize];
                if request.attempt == attempt {
                    request.attempt += 1;
                    request.tries_left = ATTEMPTS;
                    push(&mut heap, hop, Event::BackAtAgent { agent });
                }
            }
            Event::TimedOut { agent, attempt } => {
                let request = &mut requests[agent as usize];
                if request.attempt == attempt {
                    request.tries_left -= 1;
                    if request.tries_left > 0 {
                        request.attempt += 1;
                        let attempt = request.attempt;
                        push(&mut heap, hop, Event::AtBackend { agent, attempt });
                        push(&mut heap, now + 200_000_000, Event::TimedOut { agent, attempt });
                    } else {
                        request.attempt += 1;
                        request.tries_left = ATTEMPTS;
                        push(&mut heap, hop, Event::BackAtAgent { agent });
                    }
                }
            }
            Event::BackAtAgent { agent } => {
                let request = &mut requests[agent as usize];
                if request.left > 0 {
                    request.left -= 1;
                    push(&mut heap, hop, Event::AtRouter { agent });
                }
            }
        }
    }
    events + served.iter().sum::<u64>()
}
