//! Every kind of response that an actix handler can have.

use std::time::Duration;

use actix::prelude::*;
use seedbed::world::{Env, Host, World};

use super::common::{Ask, Played, Script, ms, play, play_on, script};

struct Responder(Env<Responder>);

impl Actor for Responder {
    type Context = Context<Self>;
}

macro_rules! message {
    ($name:ident -> $result:ty) => {
        #[derive(Message)]
        #[rtype(result = "u64")]
        struct $name;
        impl Handler<$name> for Responder {
            type Result = $result;
            fn handle(&mut self, _: $name, _: &mut Context<Self>) -> $result {
                self.$name()
            }
        }
    };
}

message!(Plain -> u64);
message!(Wrapped -> MessageResult<Wrapped>);
message!(ActFuture -> ResponseActFuture<Responder, u64>);
message!(Blocking -> AtomicResponse<Responder, u64>);

#[derive(Message)]
#[rtype(result = "Result<u64, String>")]
struct Fallible(u64);

impl Handler<Fallible> for Responder {
    type Result = Result<u64, String>;
    fn handle(&mut self, Fallible(number): Fallible, _: &mut Context<Self>) -> Self::Result {
        if number == 0 { Err("zero".to_owned()) } else { Ok(number) }
    }
}

#[derive(Message)]
#[rtype(result = "u64")]
struct Unmodified;

impl Handler<Unmodified> for Responder {
    type Result = ResponseFuture<u64>;
    fn handle(&mut self, _: Unmodified, _: &mut Context<Self>) -> Self::Result {
        let env = self.0.clone();
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(3)).await;
            env.emit("slept", 0_u64);
            5
        })
    }
}

impl Handler<Ask> for Responder {
    type Result = u64;
    fn handle(&mut self, Ask(number): Ask, _: &mut Context<Self>) -> u64 {
        self.0.emit("asked", number);
        number + 1
    }
}

#[expect(non_snake_case, reason = "named after the message that each answers")]
impl Responder {
    fn Plain(&self) -> u64 {
        1
    }
    fn Wrapped(&self) -> MessageResult<Wrapped> {
        MessageResult(2)
    }
    fn ActFuture(&self) -> ResponseActFuture<Responder, u64> {
        Box::pin(self.0.sleep(ms(3)).into_actor(self).map(|(), responder, _| {
            responder.0.emit("slept", 0_u64);
            3
        }))
    }
    fn Blocking(&self) -> AtomicResponse<Responder, u64> {
        let sleep = self.0.sleep(ms(10)).into_actor(self);
        AtomicResponse::new(Box::pin(sleep.map(|(), _, _| 4)))
    }
}

/// The answer to one call, and when it came.
fn build<M>(world: &mut World, make: fn() -> M)
where
    M: Message<Result = u64> + 'static,
    Responder: Handler<M>,
    <Responder as Handler<M>>::Result: 'static,
{
    let responder = world.spawn("responder", Responder);
    script(world, "client", move |client, _| {
        client.env.call(&responder, make()).then(|client, result, _| client.report(result));
    });
}

fn answered(played: &Played) -> (u64, &str) {
    played.texts("answered")[0]
}

#[test]
fn values_come_at_once() {
    assert_eq!(answered(&play(|world| build(world, || Plain))), (2_000, "1"));
    assert_eq!(answered(&play(|world| build(world, || Wrapped))), (2_000, "2"));
}

#[test]
fn results_are_answers_whatever_is_in_them() {
    let played = play(|world| {
        let responder = world.spawn("responder", Responder);
        script(world, "client", move |client, _| {
            for number in [0, 7] {
                client.env.call(&responder, Fallible(number)).then(|client: &mut Script, it, _| {
                    client.env.emit("answered", format!("{it:?}"));
                });
            }
        });
    });
    let texts: Vec<&str> = played.texts("answered").into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, [r#"Ok(Err("zero"))"#, "Ok(Ok(7))"]);
}

#[test]
fn futures_of_the_actor_come_when_they_are_done() {
    let played = play(|world| build(world, || ActFuture));
    assert_eq!(played.times("slept"), [4_000]);
    assert_eq!(answered(&played), (5_000, "3"));
}

#[test]
fn a_future_of_tokio_comes_when_it_is_done_and_knows_the_time() {
    let played = play_on(Host::Tokio, 1, |world| build(world, || Unmodified));
    assert_eq!(played.times("slept"), [4_000]);
    assert_eq!(answered(&played), (5_000, "5"));
}

#[test]
fn an_atomic_response_keeps_all_else_out_until_it_is_done() {
    let played = play(|world| {
        let responder = world.spawn("responder", Responder);
        script(world, "client", move |client, _| {
            client.env.call(&responder, Blocking).then(|client, it, _| client.report(it));
            client.env.after(ms(1), move |client, _| {
                client.env.call(&responder, Ask(1)).then(|client, it, _| client.report(it));
            });
        });
    });
    assert_eq!(played.values("asked"), [(11_000, 1)], "delivered at 2 ms");
    assert_eq!(played.texts("answered"), [(12_000, "2"), (12_000, "4")]);
}

#[test]
fn an_address_works_on_both_hosts() {
    struct Child;
    impl Actor for Child {
        type Context = Context<Self>;
    }
    impl Handler<Ask> for Child {
        type Result = u64;
        fn handle(&mut self, Ask(number): Ask, _: &mut Context<Self>) -> u64 {
            number * 2
        }
    }
    #[derive(Message)]
    #[rtype(result = "()")]
    struct Meet(Addr<Child>);
    struct Parent(Env<Parent>);
    impl Actor for Parent {
        type Context = Context<Self>;
        fn started(&mut self, _: &mut Context<Self>) {
            let me = self.0.me();
            self.0.spawn("child", move |env| Introducer { env, parent: me });
        }
    }
    impl Handler<Meet> for Parent {
        type Result = ();
        fn handle(&mut self, Meet(child): Meet, context: &mut Context<Self>) {
            let sent = child.send(Ask(21)).into_actor(self);
            context.spawn(sent.map(|answer, parent, _| {
                parent.0.emit("answered", answer.unwrap().to_string());
            }));
        }
    }
    struct Introducer {
        env: Env<Introducer>,
        parent: seedbed::world::Peer<Parent>,
    }
    impl Actor for Introducer {
        type Context = Context<Self>;
        fn started(&mut self, context: &mut Context<Self>) {
            let mailbox = Context::<Child>::new();
            let address = mailbox.address();
            context.spawn(mailbox.into_future(Child).into_actor(self));
            self.env.send(&self.parent, Meet(address));
        }
    }
    let played = play(|world| {
        world.spawn("parent", Parent);
    });
    assert_eq!(played.texts("answered"), [(0, "42")]);
}

#[test]
fn a_promise_may_be_kept_before_the_response_is_returned() {
    struct Early;
    impl Actor for Early {
        type Context = Context<Self>;
    }
    impl Handler<Ask> for Early {
        type Result = seedbed::world::Later<u64>;
        fn handle(&mut self, Ask(number): Ask, _: &mut Context<Self>) -> Self::Result {
            let (promise, later) = seedbed::world::Later::promise();
            promise.keep(number);
            later
        }
    }
    let played = play(|world| {
        let early = world.spawn("early", |_| Early);
        script(world, "client", move |client, _| {
            client.env.call(&early, Ask(9)).then(|client, result, _| client.report(result));
        });
    });
    assert_eq!(answered(&played), (2_000, "9"));
}
