//! Timers, sleeps, clocks.

use std::{cell::RefCell, rc::Rc};

use actix::prelude::*;
use seedbed::world::{Fault, FaultKind, Timer};

use super::common::*;

#[test]
fn timers_fire_in_order_to_the_nanosecond() {
    let played = play(|world| {
        script(world, "node", |node, _| {
            for (nanos, number) in [(1_000_002, 2_u64), (1_000_001, 1), (1_000_002, 3)] {
                let delay = std::time::Duration::from_nanos(nanos);
                node.env.after(delay, move |node, _| node.env.emit("rang", number));
            }
        });
    });
    let order: Vec<(u64, u64)> = played
        .of_kind("rang")
        .iter()
        .map(|record| (record.at_ns, record.fields["value"].as_u64().unwrap()))
        .collect();
    assert_eq!(order, [(1_000_001, 1), (1_000_002, 2), (1_000_002, 3)]);
}

#[test]
fn a_cancelled_timer_never_runs_even_at_the_same_instant() {
    let played = play(|world| {
        script(world, "node", |node, _| {
            let victim = Rc::new(RefCell::new(None::<Timer>));
            let held = Rc::clone(&victim);
            node.env.after(ms(5), move |node, _| {
                node.env.cancel(&held.take().unwrap());
            });
            let timer = node.env.after(ms(5), |node, _| node.env.emit("rang", 1_u64));
            *victim.borrow_mut() = Some(timer);
            node.env.after(ms(5), |node, _| node.env.emit("rang", 2_u64));
        });
    });
    assert_eq!(played.values("rang"), [(5_000, 2)]);
}

#[test]
fn a_periodic_timer_keeps_its_rhythm_until_it_is_cancelled() {
    let played = play(|world| {
        script(world, "node", |node, _| {
            let timer = node.env.every(ms(3), |node, _| node.env.emit("tick", 0_u64));
            node.env.after(ms(10), move |node, _| node.env.cancel(&timer));
        });
    });
    assert_eq!(played.times("tick"), [3_000, 6_000, 9_000]);
}

#[test]
fn a_periodic_timer_may_cancel_itself() {
    let played = play(|world| {
        script(world, "node", |node, _| {
            let own = Rc::new(RefCell::new(None::<Timer>));
            let held = Rc::clone(&own);
            let timer = node.env.every(ms(3), move |node, _| {
                node.env.emit("tick", 0_u64);
                if let Some(timer) = held.take() {
                    node.env.cancel(&timer);
                }
            });
            *own.borrow_mut() = Some(timer);
        });
    });
    assert_eq!(played.times("tick"), [3_000]);
}

/// Timers that fall due while their node is paused run when it goes on, in order; the first of
/// them cancels the rest.
#[test]
fn a_timer_that_was_held_back_by_a_pause_can_still_be_cancelled() {
    let played = play(|world| {
        script(world, "node", |node, _| {
            let victims = Rc::new(RefCell::new(Vec::<Timer>::new()));
            let held = Rc::clone(&victims);
            node.env.after(ms(5), move |node, _| {
                node.env.emit("cancelled", 0_u64);
                for timer in held.take() {
                    node.env.cancel(&timer);
                }
            });
            let once = node.env.after(ms(6), |node, _| node.env.emit("rang", 0_u64));
            let again = node.env.every(ms(7), |node, _| node.env.emit("tick", 0_u64));
            victims.borrow_mut().extend([once, again]);
            node.env.after(ms(40), |node, _| node.env.stop_world());
        });
        world.fault(Fault::pause("node").at(ms(4)).lasting(ms(10)));
    });
    assert_eq!(played.times("cancelled"), [14_000]);
    assert!(played.times("rang").is_empty(), "{:?}", played.times("rang"));
    assert!(played.times("tick").is_empty(), "{:?}", played.times("tick"));
}

#[test]
fn a_sleep_that_is_dropped_leaves_nothing() {
    let played = play(|world| {
        script(world, "node", |node, context| {
            drop(node.env.sleep(ms(50)));
            context.spawn(node.env.sleep(ms(2)).into_actor(node).map(|(), node, _| {
                node.env.emit("woke", 0_u64);
            }));
        });
    });
    assert_eq!(played.times("woke"), [2_000]);
    assert_eq!(played.outcome.ended_at.as_nanos(), 2_000_000);
}

#[test]
fn a_period_of_zero_lets_time_go_on() {
    let played = play(|world| {
        script(world, "node", |node, _| {
            node.env.every(ms(0), |_, _| {});
            node.env.after(micros(1), |node, _| node.env.stop_world());
        });
    });
    assert_eq!(played.outcome.failure, None);
    assert_eq!(played.outcome.ended_at.as_nanos(), 1_000);
}

fn clock(skew_ns: i64, drift_ppm: i32) -> Fault {
    Fault::new(FaultKind::Clock { nodes: vec!["node".into()], skew_ns, drift_ppm })
}

#[test]
fn skew_is_in_the_wall_clock_only() {
    let played = play(|world| {
        script(world, "node", |node, _| {
            node.env.every(ms(10), |node, _| {
                let wall = node.env.utc().as_millisecond() % 1_000;
                let monotonic = node.env.now().as_nanos() / 1_000_000;
                node.env.emit("read", wall as u64 * 1_000 + monotonic);
            });
            node.env.after(ms(35), |node, _| node.env.stop_world());
        });
        world.fault(clock(500_000_000, 0).at(ms(15)).lasting(ms(10)));
    });
    assert_eq!(played.values("read"), [(10_000, 10_010), (20_000, 520_020), (30_000, 30_030)]);
}

#[test]
fn a_fast_clock_gains_and_its_timers_fire_early() {
    let played = play(|world| {
        script(world, "node", |node, _| {
            // Set again each time, so that each is measured at the rate of its own time.
            fn next(node: &mut Script) {
                node.env.after(ms(10), |node, _| {
                    node.env.emit("rang", node.env.now().as_nanos() / 1_000);
                    next(node);
                });
            }
            next(node);
            node.env.after(ms(31), |node, _| node.env.stop_world());
        });
        world.fault(clock(0, 1_000_000).at(ms(10)).lasting(ms(10)));
    });
    // Twice as fast from 10 to 20 ms, at the right rate from then on; it never stands or jumps.
    assert_eq!(played.values("rang")[0], (10_000, 10_000));
    assert_eq!(played.values("rang")[1], (15_000, 20_000));
    assert_eq!(played.values("rang")[2], (20_000, 30_000), "what was gained stays");
}

#[test]
fn a_timeout_is_measured_by_the_callers_clock() {
    let played = play(|world| {
        let server = server(world, "server");
        script(world, "node", move |node, _| {
            node.env.after(ms(1), move |node, _| {
                let call = node.env.call(&server, Never).timeout(ms(20));
                call.then(|node, result, _| node.report(result));
            });
        });
        world.fault(clock(0, 1_000_000));
    });
    let [(at, "timed out")] = played.texts("answered")[..] else { panic!("{played:?}") };
    assert!((10_500..=11_000).contains(&at), "{at}");
}
