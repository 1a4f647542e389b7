//! What a router has in hand when nobody wants anything of it: nothing, whatever went before.
//!
//! Each world is small: two models that go wrong in every way, a few agents, and somebody who looks
//! into the router at the end. What can be seen from outside is tested in `tests/stack.rs`.

use std::cell::{Cell, RefCell};

use actix::Message;

use super::*;
use crate::{
    policy::{
        Jitter, Retry,
        breaker::{self, Dialect},
        budget, bulkhead,
        deadline::Timeouts,
        health, meter, quota,
        select::Strategy,
    },
    stack::{
        Agent, AgentParts, Outages,
        settings::{AgentGroup, ErrorMix, HealthChecks, HedgeDelay, Hedging, Provider, Streaming},
    },
    world::{Delay, Fault, Probability, Schedule, Seed, World},
};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What is left in a router.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Held {
    jobs: usize,
    streams: usize,
    in_flight: u32,
    inside: u32,
    queued: u32,
    retries: (u32, u32),
    reserved: u64,
}

#[derive(Message)]
#[rtype(result = "()")]
struct Look(Rc<RefCell<Option<Held>>>);

impl Handler<Look> for Router {
    type Result = ();

    fn handle(&mut self, Look(seen): Look, _: &mut Context<Self>) {
        let utc = self.env.utc();
        let accounts = self.accounts.values_mut().filter_map(|account| account.quota.as_mut());
        *seen.borrow_mut() = Some(Held {
            jobs: self.jobs.len(),
            streams: self.streams.len(),
            in_flight: self.lanes.iter().map(|lane| lane.in_flight).sum(),
            inside: self.bulkhead.as_ref().map_or(0, Bulkhead::inside),
            queued: self.bulkhead.as_ref().map_or(0, Bulkhead::queued),
            retries: match &self.retry_budget {
                Some(Budget::Failsafe(budget)) => (budget.executions(), budget.retries()),
                _ => (0, 0),
            },
            reserved: accounts.map(|quota| quota.status(utc).reserved).sum(),
        });
    }
}

/// Looks into the router when all is over.
struct Looker(Env<Looker>, Peer<Router>, Rc<RefCell<Option<Held>>>);

impl Actor for Looker {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.0.after(Duration::from_secs(3_000), |looker, _| {
            looker.0.inject(&looker.1, Look(Rc::clone(&looker.2)));
        });
    }
}

fn breakers() -> settings::Breakers {
    let mut settings = breaker::Settings { ..Dialect::Resilience4j.settings() };
    settings.window = crate::policy::window::Shape::Calls(4);
    settings.minimum_calls = 4;
    settings.wait.base = ms(3_000);
    settings::Breakers { settings, per_task: false }
}

/// A router with every policy on.
fn everything() -> settings::Router {
    settings::Router {
        enabled: true,
        primary: "opus".to_owned(),
        fallback: vec!["sonnet".to_owned()],
        routes: BTreeMap::new(),
        strategy: Strategy::Tier,
        tiers: BTreeMap::new(),
        timeouts: Timeouts {
            total: Some(ms(3_000)),
            first_token: Some(ms(1_000)),
            between_tokens: Some(ms(500)),
        },
        streaming: Streaming::Off,
        retry: Retry { attempts: 3, base: ms(50), jitter: Jitter::Equal, ..Retry::default() },
        retry_budget: Some(budget::Settings::Failsafe {
            max_rate_ppm: 500_000,
            min_concurrency: 2,
        }),
        honour_retry_after: true,
        quirks: Default::default(),
        retry_after_max: None,
        breaker: Some(breakers()),
        bulkhead: Some(bulkhead::Settings {
            max_concurrent: 2,
            max_queued: 4,
            max_wait: ms(400),
            order: bulkhead::Order::FairByKey,
        }),
        hedge: Some(Hedging { delay: HedgeDelay::Fixed(ms(300)), extra: 1 }),
        health: HealthChecks { settings: health::Settings::default(), active: false, eject: true },
        persist: true,
        overhead: Delay::Fixed(ms(1)),
        deadline: None,
        resilience: None,
        watched: None,
        tracing: Default::default(),
    }
}

fn model(name: &str, errors: ErrorMix) -> settings::Backend {
    settings::Backend {
        name: name.to_owned(),
        provider: Provider::Anthropic,
        tier: 2,
        weight: 1,
        price_micros: 1,
        first_token: Delay::Uniform { min: ms(100), max: ms(600) },
        tokens_per_second: 200,
        chunk_tokens: 10,
        errors,
        retry_after: None,
        limits: meter::Settings::default(),
    }
}

/// Every error there is, five times in a hundred.
fn mixed() -> ErrorMix {
    let some = Probability::percent(5);
    ErrorMix {
        rate_limited: some,
        overloaded: some,
        server_error: some,
        silence: some,
        reset: some,
        malformed: some,
        bad_request: some,
        credential: some,
        timeout: some,
        cut: some,
        stall: some,
        error_in_stream: some,
        malformed_chunk: some,
        ..ErrorMix::default()
    }
}

fn agents(name: &str, workspace: Option<&str>) -> AgentGroup {
    AgentGroup {
        name: name.to_owned(),
        count: 4,
        workspace: workspace.map(str::to_owned),
        task: Task::General,
        operation: None,
        requests: 15,
        think: Delay::Uniform { min: ms(0), max: ms(1_000) },
        input_tokens: settings::Tokens::Fixed(10),
        output_tokens: settings::Tokens::Fixed(40),
        deadline: ms(6_000),
        timeout: None,
        sdk: None,
        badge: settings::Badge::default(),
        work: None,
        wakes_on: None,
        listens: Duration::ZERO,
        publishes: None,
    }
}

/// What a router holds after a run in which the primary's errors are these.
fn after(seed: u64, router: settings::Router, errors: ErrorMix, faults: Vec<Fault>) -> Held {
    let mut world = World::new(Seed(seed));
    world.schedule(Schedule::Random);
    let spawn = |world: &mut World, settings: settings::Backend| {
        let settings = Rc::new(settings);
        let name: Rc<str> = settings.name.as_str().into();
        let own = Rc::clone(&settings);
        let backend =
            world.spawn(&*name, move |env| Backend::new(env, Rc::clone(&own), Outages::default()));
        Model { name, settings, backend }
    };
    let models =
        [spawn(&mut world, model("opus", errors)), spawn(&mut world, model("sonnet", mixed()))];
    let quota = quota::Settings { tokens_per_day: 4_000, ..quota::Settings::default() };
    let acme = settings::Workspace {
        name: "acme".to_owned(),
        quota: Some(quota),
        prefer: None,
        price_max: None,
    };
    let router = Rc::new(router);
    let router = world.spawn("router", move |env| {
        Router::new(env, Rc::clone(&router), &models, std::slice::from_ref(&acme))
    });
    for group in [agents("rust", Some("acme")), agents("go", None)] {
        let group = Rc::new(group);
        for name in group.node_names() {
            let left = Some(Rc::new(Cell::new(group.requests)));
            let group = Rc::clone(&group);
            let parts = AgentParts {
                group,
                router: Some(router),
                sidecar: None,
                left,
                leak: None,
                tracing: Default::default(),
            };
            world.spawn(name, move |env| Agent::new(env, parts.clone()));
        }
    }
    let seen = Rc::new(RefCell::new(None));
    let shown = Rc::clone(&seen);
    world.spawn("looker", move |env| Looker(env, router, Rc::clone(&shown)));
    for fault in faults {
        world.fault(fault);
    }
    let outcome = world.run().unwrap();
    assert_eq!(outcome.failure, None);
    seen.take().unwrap()
}

/// No seed, however it is streamed and whatever goes wrong, leaves anything behind.
#[track_caller]
fn leaves_nothing(router: &settings::Router, errors: ErrorMix, faults: &[Fault]) {
    for streaming in [Streaming::Off, Streaming::Buffered, Streaming::Relayed] {
        for seed in 1..=4 {
            let router = settings::Router { streaming, ..router.clone() };
            let held = after(seed, router, errors, faults.to_vec());
            assert_eq!(held, Held::default(), "seed {seed}, {streaming:?}");
        }
    }
}

#[test]
fn after_errors() {
    leaves_nothing(&everything(), mixed(), &[]);
    let deadline = Some(ms(900));
    leaves_nothing(&settings::Router { deadline, ..everything() }, mixed(), &[]);
    leaves_nothing(&settings::Router { hedge: None, ..everything() }, mixed(), &[]);
}

#[test]
fn after_an_outage() {
    let down = ErrorMix { server_error: Probability::ALWAYS, ..ErrorMix::default() };
    leaves_nothing(&everything(), down, &[]);
    let alone = settings::Router { fallback: Vec::new(), bulkhead: None, ..everything() };
    leaves_nothing(&alone, down, &[]);
}

#[test]
fn after_a_crash() {
    let crash = |node| Fault::crash(node).at(ms(4_000)).lasting(ms(1_000));
    leaves_nothing(&everything(), mixed(), &[crash("router")]);
    leaves_nothing(&everything(), mixed(), &[crash("opus"), crash("rust-1")]);
}

/// Whoever waits is let in, or gives up, but never both: at equal times either may come first.
#[test]
fn a_wait_that_ends_as_a_place_gets_free() {
    let bulkhead = bulkhead::Settings {
        max_concurrent: 1,
        max_queued: 9,
        max_wait: ms(300),
        order: bulkhead::Order::Fifo,
    };
    let silent = ErrorMix { silence: Probability::ALWAYS, ..ErrorMix::default() };
    let router = settings::Router {
        fallback: Vec::new(),
        timeouts: Timeouts { total: Some(ms(100)), ..Timeouts::default() },
        retry: Retry::default(),
        hedge: None,
        bulkhead: Some(bulkhead),
        breaker: None,
        persist: false,
        ..everything()
    };
    leaves_nothing(&router, silent, &[]);
}
