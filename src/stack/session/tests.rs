//! Users of the sidecar in worlds of their own: what they do when it goes well, and when not.

use std::{cell::Cell, cell::RefCell, collections::BTreeMap, time::Duration};

use super::*;
use crate::{
    stack::{
        Agent, AgentParts, Auditor, Client, Event, RequestOutcome, Subscriber,
        settings::{
            Acts, AgentGroup, Asked, ClientGroup, Project, Step, SubscriberGroup, Task, Tokens,
            Told, Wanted,
        },
        sidecar::{
            project::Size,
            wire::{AgentType, EventType, Filter, ProjectId, Role, Topic},
        },
    },
    world::{Delay, Fault, FaultKind, Happening, Outcome, Seed, Sighting, World},
};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn badge(project: &str, agent_type: AgentType) -> Badge {
    Badge { agent_type, project: ProjectId::new(project).unwrap(), ..Badge::default() }
}

/// Agents that work by themselves.
fn agents(name: &str, requests: u32) -> AgentGroup {
    AgentGroup {
        name: name.to_owned(),
        count: 1,
        workspace: None,
        task: Task::General,
        operation: None,
        requests,
        think: Delay::Fixed(ms(10)),
        input_tokens: Tokens::Fixed(10),
        output_tokens: Tokens::Fixed(10),
        deadline: ms(30_000),
        timeout: None,
        sdk: None,
        badge: badge("own", AgentType::RustSpecialist),
        work: Some(Delay::Fixed(ms(100))),
        wakes_on: None,
        listens: ms(20_000),
        publishes: None,
    }
}

fn told(event: &str) -> Option<Told> {
    Some(Told { event_type: EventType::new(event).unwrap(), topic: Topic::Coordination })
}

fn wanted(event: &str) -> Wanted {
    Wanted { event_type: EventType::new(event).unwrap(), filter: Filter::default() }
}

fn subscriber(event: &str) -> SubscriberGroup {
    SubscriberGroup {
        name: "ear".to_owned(),
        count: 1,
        badge: badge("own", AgentType::QaEngineer),
        wanted: wanted(event),
        start: Duration::ZERO,
        lasts: ms(30_000),
        lag: Delay::Fixed(ms(5)),
        wait: ms(10_000),
        batch: 10,
    }
}

fn client(acts: Acts, rounds: u32) -> ClientGroup {
    ClientGroup {
        name: "client".to_owned(),
        count: 1,
        badge: badge("own", AgentType::PythonSpecialist),
        start: ms(1),
        every: None,
        rounds,
        acts,
    }
}

/// Without rate limits for who codes.
fn unlimited() -> settings::Sidecar {
    let mut settings = settings::Sidecar::default();
    settings.rates.remove(&Role::Coding);
    settings
}

fn step(what: Asked) -> Step {
    Step { what, token: TokenKind::Valid, project: None, agent: None }
}

/// Who is in a world with a sidecar, and what happens to them.
#[derive(Default)]
struct Cast {
    settings: settings::Sidecar,
    agents: Vec<AgentGroup>,
    subscribers: Vec<SubscriberGroup>,
    clients: Vec<ClientGroup>,
    faults: Vec<Fault>,
    /// From when to when nobody finds the sidecar.
    unresolved: Option<(Duration, Duration)>,
    /// When the last fault is over.
    settle_at: Duration,
}

/// What they said.
struct Seen {
    sidecar: Vec<(u64, SidecarEvent)>,
    ended: Vec<RequestOutcome>,
    outcome: Outcome,
}

impl Seen {
    fn count(&self, name: &str) -> usize {
        self.sidecar.iter().filter(|(_, event)| event.name() == name).count()
    }

    /// Acknowledged results by who handed them in and key, each with its ids.
    fn acknowledged(&self) -> BTreeMap<String, Vec<String>> {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (_, event) in &self.sidecar {
            if let SidecarEvent::ResultAcknowledged { who, key, result, .. } = event {
                let ids = all.entry(format!("{who} {key}")).or_default();
                if !ids.contains(&result.to_string()) {
                    ids.push(result.to_string());
                }
            }
        }
        all
    }

    /// How all requests of a route ended: status and error.
    fn answers(&self, of: &str) -> Vec<(u16, &'static str)> {
        let of_route = |(_, event): &(u64, SidecarEvent)| match event {
            SidecarEvent::Answered { route, status, error, .. } if *route == of => {
                Some((*status, *error))
            }
            _ => None,
        };
        self.sidecar.iter().filter_map(of_route).collect()
    }

    /// Nothing was lost or doubled, and the auditor found all of it.
    fn check(&self) {
        assert_eq!(self.outcome.failure, None);
        let acknowledged = self.acknowledged();
        assert!(acknowledged.values().all(|ids| ids.len() == 1), "{acknowledged:?}");
        let (mut posted, mut ids) = (BTreeMap::new(), BTreeMap::new());
        let mut listed = Vec::new();
        for (_, event) in &self.sidecar {
            match event {
                SidecarEvent::ResultPosted { who, key, digest, .. } => {
                    posted.entry((who, key)).or_insert_with(Vec::new).push(*digest);
                }
                SidecarEvent::ResultAcknowledged { who, key, result, digest, .. } => {
                    assert!(posted.get(&(who, key)).is_some_and(|all| all.contains(digest)));
                    ids.insert(result.clone(), *digest);
                }
                SidecarEvent::ResultRead { who, found, result, digest, .. }
                    if &**who == "auditor" =>
                {
                    assert!(found);
                    assert_eq!(ids.get(result), Some(digest));
                }
                SidecarEvent::ResultsListed { results, counted, .. } => {
                    assert_eq!(results.len() as u64, *counted);
                    listed.extend(results.iter().cloned());
                }
                SidecarEvent::Answered { project, shows, .. } => {
                    assert!(shows.is_empty() || shows == project, "{event:?}");
                }
                _ => {}
            }
        }
        listed.sort();
        let all: Vec<_> = ids.into_keys().collect();
        assert_eq!(listed, all);
    }
}

/// Runs a world to its end.
fn play(seed: u64, cast: Cast) -> Seen {
    let mut world = World::new(Seed(seed));
    let (log, ended) = (Rc::new(RefCell::new(Vec::new())), Rc::new(RefCell::new(Vec::new())));
    let (seen, over) = (Rc::clone(&log), Rc::clone(&ended));
    world.observe(move |sighting: &Sighting<'_>| {
        let Happening::Emitted { payload, .. } = sighting.what else { return };
        if let Some(event) = payload.as_any().downcast_ref::<SidecarEvent>() {
            seen.borrow_mut().push((sighting.at.as_nanos() / 1_000_000, event.clone()));
        }
        if let Some(Event::RequestEnded { outcome, .. }) = payload.as_any().downcast_ref::<Event>()
        {
            over.borrow_mut().push(*outcome);
        }
    });
    let settings = Rc::new(cast.settings);
    let keys = Rc::new(Keys::new(b"the secret of this test, 32 bytes", settings.leeway).unwrap());
    let projects =
        ["own", "other"].map(|id| Project { id: ProjectId::new(id).unwrap(), size: Size::Tiny });
    let (own, key) = (Rc::clone(&settings), Rc::clone(&keys));
    let gateway = world.spawn("sidecar", move |env| {
        Gateway::new(env, Rc::clone(&own), Rc::clone(&key), &projects)
    });
    let (resolver, ledger) = (Resolver::default(), Ledger::default());
    let parts = SidecarParts { gateway, settings, keys, resolver, ledger };
    for group in cast.agents {
        let sidecar = Some(parts.clone());
        let left = Some(Rc::new(Cell::new(group.requests)));
        let name = group.name.clone();
        let parts = AgentParts {
            group: Rc::new(group),
            router: None,
            sidecar,
            left,
            leak: None,
            tracing: Default::default(),
        };
        world.spawn(name, move |env| Agent::new(env, parts.clone()));
    }
    for group in cast.subscribers {
        let (group, parts) = (Rc::new(group), parts.clone());
        let name = group.name.clone();
        world.spawn(name, move |env| Subscriber::new(env, Rc::clone(&group), parts.clone()));
    }
    for group in cast.clients {
        let left = Rc::new(Cell::new(group.rounds));
        let (group, parts, name) = (Rc::new(group.clone()), parts.clone(), group.name);
        world.spawn(name, move |env| {
            Client::new(env, Rc::clone(&group), parts.clone(), Rc::clone(&left))
        });
    }
    if let Some((from, to)) = cast.unresolved {
        let resolver = parts.resolver.clone();
        let apply: crate::world::Apply = Rc::new(move |_, fires| match fires {
            true => resolver.fail(0, ["rust".to_owned()]),
            false => resolver.heal(0),
        });
        let fault = Fault::new(FaultKind::Custom { label: "dns".into(), apply });
        world.fault(fault.at(from).lasting(to - from));
    }
    for fault in cast.faults {
        world.fault(fault);
    }
    let settle_at = cast.settle_at;
    world.spawn("auditor", move |env| Auditor::new(env, parts.clone(), settle_at));
    let outcome = world.run().unwrap();
    Seen { sidecar: log.take(), ended: ended.take(), outcome }
}

#[test]
fn an_agent_works_by_itself_and_all_of_it_is_read_back() {
    let seen = play(1, Cast { agents: vec![agents("rust", 3)], ..Cast::default() });
    seen.check();
    assert_eq!(seen.ended, [RequestOutcome::Ok; 3]);
    let keys: Vec<_> = seen.acknowledged().into_keys().collect();
    assert_eq!(keys, ["rust rust.1", "rust rust.2", "rust rust.3"]);
    assert_eq!((seen.count("result_posted"), seen.count("result_read")), (3, 3));
    assert_eq!(seen.count("results_listed"), 1);
    assert_eq!(seen.answers("context"), [(200, ""); 3]);
}

#[test]
fn a_sidecar_that_crashes_gets_what_it_missed() {
    for seed in 1..=10 {
        let crash = Fault::crash("sidecar").at(ms(100 + 17 * seed)).lasting(ms(4_000));
        let seen = play(
            seed,
            Cast {
                agents: vec![agents("rust", 8), AgentGroup { count: 1, ..agents("go", 8) }],
                faults: vec![crash],
                settle_at: ms(5_000),
                ..Cast::default()
            },
        );
        seen.check();
        assert_eq!(seen.ended, [RequestOutcome::Ok; 16], "they go on alone");
        assert_eq!(seen.acknowledged().len(), 16);
        assert_eq!((seen.count("agent_alone"), seen.count("agent_synced")), (2, 2));
    }
}

#[test]
fn nothing_is_lost_when_both_crash() {
    for seed in 1..=10 {
        let sidecar = Fault::crash("sidecar").at(ms(200)).lasting(ms(6_000));
        let agent = Fault::crash("rust").at(ms(300 + 31 * seed)).lasting(ms(1_000));
        let seen = play(
            seed,
            Cast {
                agents: vec![agents("rust", 8)],
                faults: vec![sidecar, agent],
                settle_at: ms(7_000),
                ..Cast::default()
            },
        );
        seen.check();
        assert!(seen.acknowledged().len() >= seen.ended.len(), "what was over was owed");
        assert!(seen.ended.len() >= 7, "one at most was cut off: {:?}", seen.ended);
    }
}

#[test]
fn who_does_not_find_the_sidecar_sends_nothing() {
    let seen = play(
        1,
        Cast {
            agents: vec![agents("rust", 4)],
            unresolved: Some((Duration::ZERO, ms(3_000))),
            settle_at: ms(3_000),
            ..Cast::default()
        },
    );
    seen.check();
    assert!(seen.answers("context").contains(&(0, "unresolved")));
    assert_eq!(seen.acknowledged().len(), 4);
    assert!(matches!(
        seen.sidecar.iter().find(|(_, event)| event.name() == "agent_alone"),
        Some((_, SidecarEvent::AgentAlone { cause: "unresolved", .. }))
    ));
}

#[test]
fn one_event_leads_to_the_next_and_keeps_what_it_carries() {
    let first = AgentGroup { publishes: told("a_done"), ..agents("a", 3) };
    let second = AgentGroup {
        publishes: told("b_done"),
        wakes_on: Some(wanted("a_done")),
        ..agents("b", 3)
    };
    let subscribers = vec![subscriber("b_done")];
    let seen = play(1, Cast { agents: vec![first, second], subscribers, ..Cast::default() });
    seen.check();
    assert_eq!(seen.ended.len(), 6);
    let carried = |who: &str| {
        let of = |(_, event): &(u64, SidecarEvent)| match event {
            SidecarEvent::EventReceived {
                who: other,
                correlation,
                digest,
                wanted,
                sequence,
                latency_ms,
                ..
            } if &**other == who => {
                assert!(*wanted && *latency_ms < 100);
                Some((correlation.clone(), *digest, *sequence))
            }
            _ => None,
        };
        seen.sidecar.iter().filter_map(of).collect::<Vec<_>>()
    };
    assert_eq!(carried("b").len(), 3);
    assert_eq!(carried("b"), carried("ear"));
    assert_eq!(seen.count("subscription_ended"), 2);
}

#[test]
fn who_is_limited_waits_and_loses_nothing() {
    let seen = play(1, Cast { agents: vec![agents("rust", 30)], ..Cast::default() });
    seen.check();
    assert_eq!(seen.ended, [RequestOutcome::Ok; 30]);
    assert_eq!(seen.acknowledged().len(), 30);
    assert!(seen.answers("store_result").contains(&(429, "RATE_001")));
    assert_eq!(seen.count("agent_alone"), 0);
}

#[test]
fn a_clock_that_is_off_makes_bad_tokens_until_it_is_set_right() {
    for hours in [-2, 2] {
        let skew = FaultKind::Clock {
            nodes: vec!["rust".to_owned()],
            skew_ns: hours * 3_600_000_000_000,
            drift_ppm: 0,
        };
        let seen = play(
            1,
            Cast {
                agents: vec![agents("rust", 3)],
                faults: vec![Fault::new(skew).at(ms(50)).lasting(ms(5_000))],
                settle_at: ms(5_050),
                ..Cast::default()
            },
        );
        seen.check();
        assert_eq!(seen.acknowledged().len(), 3);
        assert!(seen.answers("store_result").contains(&(401, "AUTH_002")), "{hours}");
    }
}

#[test]
fn a_subscriber_comes_back() {
    for (node, from) in [("ear", 400), ("sidecar", 400)] {
        let agents = vec![AgentGroup { publishes: told("done"), ..agents("rust", 20) }];
        let seen = play(
            3,
            Cast {
                agents,
                subscribers: vec![subscriber("done")],
                faults: vec![Fault::crash(node).at(ms(from)).lasting(ms(1_000))],
                settle_at: ms(1_400),
                ..Cast::default()
            },
        );
        seen.check();
        let late = seen
            .sidecar
            .iter()
            .filter(|(at, event)| *at > 1_400 && event.name() == "event_received");
        assert!(late.count() > 5, "{node}");
        assert_eq!(seen.count("subscription_ended"), 1);
    }
}

#[test]
fn a_client_does_its_steps_in_their_order() {
    let store = Asked::Store { key: "{client}-{n}".to_owned(), issue: None };
    let in_other = Step { project: ProjectId::new("other").ok(), ..step(store.clone()) };
    let tampered = Step { token: TokenKind::Tampered, ..step(store.clone()) };
    let list = Asked::Raw {
        method: Method::Get,
        path: "/api/results?agent_id={client}".to_owned(),
        headers: Vec::new(),
        body: String::new(),
        padding: 0,
    };
    let large = Asked::Raw {
        method: Method::Post,
        path: "/api/results".to_owned(),
        headers: Vec::new(),
        body: "{}".to_owned(),
        padding: 3 << 20,
    };
    let steps = vec![
        step(store),
        step(Asked::Read),
        step(list),
        step(Asked::Delete),
        step(Asked::Read),
        in_other,
        tampered,
        step(large),
        step(Asked::Publish(told("done").unwrap())),
    ];
    let clients = vec![client(Acts::Steps(steps), 2)];
    let seen = play(1, Cast { settings: unlimited(), clients, ..Cast::default() });
    let by_client = |(_, event): &(u64, SidecarEvent)| match event {
        SidecarEvent::Answered { who, route, status, field, .. } if &**who == "client" => {
            Some((*route, *status, field.to_string()))
        }
        _ => None,
    };
    let told: Vec<_> = seen.sidecar.iter().filter_map(by_client).collect();
    let told: Vec<_> = told.iter().map(|(a, b, c)| (*a, *b, c.as_str())).collect();
    let round = [
        ("store_result", 201, ""),
        ("get_result", 200, ""),
        ("query_results", 200, ""),
        ("delete_result", 200, ""),
        ("get_result", 404, ""),
        ("store_result", 403, ""),
        ("store_result", 401, ""),
        ("store_result", 413, "body"),
        ("publish", 202, ""),
    ];
    assert_eq!(told, [round, round].concat());
    assert_eq!(seen.outcome.failure, None);
}

#[test]
fn hostile_requests_bring_nothing_of_others() {
    for seed in 1..=3 {
        let victim =
            AgentGroup { badge: badge("other", AgentType::GoSpecialist), ..agents("go", 10) };
        let hostile = client(Acts::Hostile, 400);
        let cast = Cast {
            settings: unlimited(),
            agents: vec![victim],
            clients: vec![hostile],
            ..Cast::default()
        };
        let seen = play(seed, cast);
        seen.check();
        for (_, event) in &seen.sidecar {
            if let SidecarEvent::Answered { token, status, route, .. } = event
                && *token != "valid"
            {
                assert_eq!(*status, 401, "{token} {route}");
            }
        }
        assert_eq!(seen.answers("none").iter().filter(|(status, _)| *status < 400).count(), 0);
    }
}

#[test]
fn a_world_without_its_sidecar_ends() {
    let seen = play(
        1,
        Cast {
            agents: vec![agents("rust", 3)],
            subscribers: vec![subscriber("done")],
            faults: vec![Fault::crash("sidecar").at(ms(150))],
            settle_at: ms(150),
            ..Cast::default()
        },
    );
    assert_eq!(seen.outcome.failure, None);
    assert_eq!(seen.ended, [RequestOutcome::Ok; 3]);
    let end = seen.outcome.ended_at.as_nanos() / 1_000_000_000;
    assert!((600..800).contains(&end), "it gave up after 10 minutes, and the auditor: {end}");
}
