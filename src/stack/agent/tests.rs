//! What an agent tells of an answer that it is given in parts.

use std::cell::RefCell;

use super::*;
use crate::{
    scenario::parse,
    world::{Fault, FaultKind, Happening, Seed, Sighting, World},
};

const SIM: &str = "purpose = \"p\"\n[router]\nprimary = \"opus\"\n[[backend]]\nname = \"opus\"\n\
                   [[agent]]\nname = \"rust\"\nrequests = 1\n";

/// What an agent tells of a stream of these parts: of which model, in which of the router's calls.
fn told(parts: &'static [(&'static str, u32)]) -> Vec<&'static str> {
    let sim = parse("sims/a.toml", SIM).unwrap();
    let mut world = World::new(Seed(1));
    let settings = Rc::new(sim.router.clone());
    let router = world.spawn("router", move |env| Router::new(env, Rc::clone(&settings), &[], &[]));
    let parts_of_agent = AgentParts {
        group: Rc::new(sim.agents[0].clone()),
        router: Some(router),
        sidecar: None,
        left: Some(Rc::new(Cell::new(1))),
        leak: None,
        tracing: Tracing::default(),
    };
    let agent = world.spawn("rust", move |env| Agent::new(env, parts_of_agent.clone()));
    // The router reads nothing, and the agent waits.
    world.fault(Fault::pause("router").lasting(Duration::from_secs(300)));
    let streams = move |injector: &crate::world::Injector<'_>, _: bool| {
        for (model, call) in parts {
            let request = RequestId { agent: "rust".into(), number: 1 };
            let (model, call) = (Rc::from(*model), *call);
            injector.inject(&agent, AnswerPart { request, attempt: 1, model, call, tokens: 5 });
        }
    };
    let kind = FaultKind::Custom { label: "stream".into(), apply: Rc::new(streams) };
    world.fault(Fault::new(kind).at(Duration::from_secs(5)));
    let told = Rc::new(RefCell::new(Vec::new()));
    let heard = Rc::clone(&told);
    world.observe(move |sighting: &Sighting<'_>| {
        if let Happening::Emitted { name: name @ ("first_token" | "stream_mixed"), .. } =
            sighting.what
        {
            heard.borrow_mut().push(name);
        }
    });
    world.run().unwrap();
    told.take()
}

#[test]
fn an_answer_is_of_one_call() {
    assert_eq!(told(&[("opus", 1), ("opus", 1)]), ["first_token"]);
    assert_eq!(told(&[("opus", 1), ("sonnet", 2)]), ["first_token", "stream_mixed"]);
    // The same model begins anew in the middle of an answer.
    assert_eq!(told(&[("opus", 1), ("opus", 2)]), ["first_token", "stream_mixed"]);
}
