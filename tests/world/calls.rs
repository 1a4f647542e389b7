//! Calls: what comes of them, and when.

use actix::prelude::*;
use seedbed::world::{CallError, Fault, LinkPatch, Probability, World};

use super::common::*;

/// A server, and a client that makes one call after 5 ms.
fn one_call<M>(make: fn() -> M, timeout: Option<u64>, more: impl Fn(&mut World)) -> Played
where
    M: Message<Result = u64> + 'static,
    Script: Handler<M>,
    <Script as Handler<M>>::Result: 'static,
{
    play(|world| {
        let server = server(world, "server");
        script(world, "client", move |client, _| {
            client.env.after(ms(5), move |client, _| {
                let mut call = client.env.call(&server, make());
                if let Some(timeout) = timeout {
                    call = call.timeout(ms(timeout));
                }
                call.then(|client, result, _| client.report(result));
            });
        });
        more(world);
    })
}

fn corrupting() -> LinkPatch {
    LinkPatch { corrupt: Some(Probability::ALWAYS), ..LinkPatch::default() }
}

#[test]
fn an_answer_comes_back_over_both_links() {
    let played = one_call(|| Ask(41), Some(3), |_| {});
    assert_eq!(played.values("asked"), [(6_000, 41)]);
    assert_eq!(played.texts("answered"), [(7_000, "42")]);
    assert_eq!(played.outcome.counts.calls_timed_out, 0);
    assert_eq!(played.outcome.ended_at.as_nanos(), 7_000_000, "the timeout was cancelled");
}

#[test]
fn silence_is_timed_out() {
    let played = one_call(|| Never, Some(10), |_| {});
    assert_eq!(played.texts("answered"), [(15_000, "timed out")]);
    assert_eq!(played.outcome.counts.calls_timed_out, 1);
    let event = played.of_kind("call_timed_out")[0];
    assert_eq!((event.node.as_str(), &event.fields["to"]), ("client", &"server".into()));
}

#[test]
fn an_answer_after_the_timeout_is_late_and_counted() {
    let played = one_call(|| Slow(20), Some(10), |_| {});
    assert_eq!(played.texts("answered"), [(15_000, "timed out")], "and nothing after it");
    assert_eq!(played.times("late_answer"), [27_000]);
    assert_eq!(played.outcome.counts.late_answers, 1);
}

#[test]
fn a_node_that_is_down_refuses() {
    let played = one_call(
        || Ask(1),
        Some(50),
        |world| {
            world.fault(Fault::crash("server").at(ms(1)));
        },
    );
    assert_eq!(played.texts("answered"), [(7_000, "refused")]);
    assert_eq!(played.drops(), ["node_down"]);
}

#[test]
fn an_actor_that_stopped_refuses() {
    let played = play(|world| {
        let server = server(world, "server");
        script(world, "client", move |client, _| {
            client.env.send(&server, Stop);
            client.env.after(ms(5), move |client, _| {
                client.env.call(&server, Ask(1)).then(|client, result, _| client.report(result));
            });
        });
    });
    assert_eq!(played.times("actor_stopped"), [1_000]);
    assert_eq!(played.texts("answered"), [(7_000, "refused")]);
    assert_eq!(played.drops(), ["actor_stopped"]);
}

#[test]
fn a_crash_resets_the_calls_in_hand() {
    let crash = |world: &mut World| {
        world.fault(Fault::crash("server").at(ms(10)));
    };
    let played = one_call(|| Never, None, crash);
    assert_eq!(played.texts("answered"), [(11_000, "reset")]);
    assert_eq!(one_call(|| Ask(1), None, crash).texts("answered"), [(7_000, "2")]);
}

#[test]
fn a_call_under_way_when_its_node_restarts_is_reset_and_never_handled() {
    let played = one_call(
        || Ask(1),
        None,
        |world| {
            world.fault(Fault::crash("server").at(micros(5_200)).lasting(micros(200)));
        },
    );
    assert_eq!(played.texts("answered"), [(7_000, "reset")]);
    assert!(played.values("asked").is_empty());
}

#[test]
fn a_dropped_promise_resets() {
    assert_eq!(one_call(|| Forget, None, |_| {}).texts("answered"), [(7_000, "reset")]);
}

#[test]
fn a_damaged_call_is_not_handled() {
    let played = one_call(
        || Ask(1),
        None,
        |world| {
            world.link(["client"], ["server"], false, corrupting());
        },
    );
    assert_eq!(played.texts("answered"), [(7_000, "corrupted")]);
    assert!(played.values("asked").is_empty());
    assert_eq!(played.outcome.counts.messages_corrupted, 1);
}

#[test]
fn a_damaged_answer_is_told_after_the_call_was_handled() {
    let played = one_call(
        || Ask(1),
        None,
        |world| {
            world.link(["server"], ["client"], false, corrupting());
        },
    );
    assert_eq!(played.texts("answered"), [(7_000, "corrupted")]);
    assert_eq!(played.values("asked"), [(6_000, 1)]);
}

#[test]
fn a_call_that_was_given_up_never_goes_on() {
    let played = play(|world| {
        let server = server(world, "server");
        script(world, "client", move |client, _| {
            let slow = client.env.call(&server, Slow(5)).timeout(ms(50));
            let call = slow.then(|client, result, _| client.report(result));
            client.env.after(ms(3), move |client, _| client.env.give_up(call));
            // Once more, when the call is long over, harms nobody.
            client.env.after(ms(30), move |client, _| client.env.give_up(call));
        });
    });
    assert!(played.texts("answered").is_empty());
    assert_eq!(played.outcome.counts.late_answers, 1);
    assert_eq!(played.outcome.ended_at.as_nanos(), 30_000_000, "its timeout went with it");
    assert_eq!(played.outcome.calls_open, 0);
}

#[test]
fn a_future_brings_the_result_and_dropping_it_gives_up() {
    let play_with = |patience: u64| {
        play(move |world| {
            let server = server(world, "server");
            script(world, "client", move |client, context| {
                let call = client.env.call(&server, Slow(5)).future();
                let sleep = client.env.sleep(ms(patience));
                let both = futures_util::future::select(call, sleep).into_actor(client);
                context.spawn(both.map(|either, client, _| match either {
                    futures_util::future::Either::Left((result, _)) => client.report(result),
                    futures_util::future::Either::Right(_) => client.env.emit("gave_up", 0_u64),
                }));
            });
        })
    };
    let patient = play_with(20);
    assert_eq!(patient.texts("answered"), [(7_000, "5")]);
    assert_eq!(patient.outcome.ended_at.as_nanos(), 7_000_000, "the dropped sleep is gone");
    let hasty = play_with(3);
    assert_eq!(hasty.times("gave_up"), [3_000]);
    assert!(hasty.texts("answered").is_empty());
    assert_eq!(hasty.outcome.counts.late_answers, 1);
}

#[test]
fn calls_overtake_each_other_as_on_connections_of_their_own() {
    let played = play(|world| {
        let server = server(world, "server");
        script(world, "client", move |client, _| {
            client.env.call(&server, Slow(9)).then(|client, result, _| client.report(result));
            client.env.call(&server, Slow(2)).then(|client, result, _| client.report(result));
        });
    });
    assert_eq!(played.texts("answered"), [(4_000, "2"), (11_000, "9")]);
}

/// A message is sent twice over a link that duplicates everything.
fn duplicated(send: fn(&Script, seedbed::world::Peer<Script>)) -> Played {
    play(|world| {
        let patch = LinkPatch { duplicate: Some(Probability::ALWAYS), ..LinkPatch::default() };
        world.link(["client"], ["server"], false, patch);
        let server = server(world, "server");
        script(world, "client", move |client, _| send(client, server));
    })
}

#[test]
fn a_message_that_cannot_be_copied_is_handled_once() {
    let played = duplicated(|client, server| client.env.send(&server, Note(7)));
    assert_eq!(played.values("noted"), [(1_000, 7)]);
    assert_eq!(played.drops(), ["duplicate"]);
    assert_eq!(played.outcome.counts.messages_duplicated, 1);
}

#[test]
fn a_message_that_can_be_copied_is_handled_twice_if_asked_for() {
    let twice = duplicated(|client, server| client.env.send_duplicable(&server, Copyable(7)));
    assert_eq!(twice.values("noted"), [(1_000, 7), (2_000, 7)]);
    assert!(twice.drops().is_empty());
    let once = duplicated(|client, server| client.env.send(&server, Copyable(7)));
    assert_eq!(once.values("noted"), [(1_000, 7)]);
}

#[test]
fn a_duplicated_call_goes_on_once() {
    let once = duplicated(|client, server| {
        client.env.call(&server, Ask(1)).then(|client, result, _| client.report(result));
    });
    assert_eq!(once.values("asked"), [(1_000, 1)]);
    assert_eq!(once.texts("answered"), [(2_000, "2")]);
    let twice = duplicated(|client, server| {
        let call = client.env.call(&server, Ask(1)).duplicable();
        call.then(|client, result, _| client.report(result));
    });
    assert_eq!(twice.values("asked"), [(1_000, 1), (2_000, 1)]);
    assert_eq!(twice.texts("answered"), [(2_000, "2")], "the second answer finds nobody");
    assert_eq!(twice.outcome.counts.late_answers, 1);
}

#[test]
fn errors_have_names() {
    assert_eq!(CallError::TimedOut.name(), "timed_out");
    assert_eq!(CallError::Refused.to_string(), "refused");
}
