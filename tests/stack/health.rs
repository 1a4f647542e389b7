//! Health checks of the models, and what the router tells who asks.

use std::{cell::RefCell, rc::Rc, time::Duration};

use actix::prelude::*;
use seedbed::{
    policy::health::Availability,
    scenario,
    stack::{Backend, HealthQuery, HealthReport, Model, Outages, Router},
    world::{Delay, Env, LinkRule, Peer, Record, Seed, Sighting, World},
};

use super::common::*;

/// Checks go on for as long as anybody lets them.
const LIMITS: &str = "[limits]\ntime = \"60800ms\"\n";

type Reports = Rc<RefCell<Vec<HealthReport>>>;

/// Asks so many times at once, after a while.
struct Client {
    env: Env<Client>,
    router: Peer<Router>,
    reports: Reports,
    asks: [(u64, u32); 2],
}

impl Actor for Client {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        for (after, count) in self.asks {
            self.env.after(Duration::from_secs(after), move |client, _| {
                for _ in 0..count {
                    let call = client.env.call(&client.router, HealthQuery::default());
                    call.timeout(Duration::from_secs(60)).then(|client, report, _| {
                        client.reports.borrow_mut().extend(report);
                    });
                }
            });
        }
    }
}

/// What is told by the router of this sim, whose agents do not take part; and what happened.
fn ask(text: &str, asks: [(u64, u32); 2]) -> (Vec<HealthReport>, Vec<Record>) {
    let sim = scenario::parse("sims/test.toml", text).unwrap();
    let mut world = World::new(Seed(1));
    world.network(LinkRule::with_latency(Delay::Fixed(Duration::from_millis(1))));
    let records = Rc::new(RefCell::new(Vec::new()));
    let all = Rc::clone(&records);
    world.observe(move |sighting: &Sighting<'_>| all.borrow_mut().push(sighting.to_record()));
    let mut models = Vec::new();
    for settings in &sim.backends {
        let settings = Rc::new(settings.clone());
        let own = Rc::clone(&settings);
        let name: Rc<str> = settings.name.as_str().into();
        let backend =
            world.spawn(&*name, move |env| Backend::new(env, Rc::clone(&own), Outages::default()));
        models.push(Model { name, settings, backend });
    }
    let settings = Rc::new(sim.router);
    let router =
        world.spawn("router", move |env| Router::new(env, Rc::clone(&settings), &models, &[]));
    let reports = Reports::default();
    let shown = Rc::clone(&reports);
    world.spawn("client", move |env| Client { env, router, reports: Rc::clone(&shown), asks });
    world.run().unwrap();
    (reports.take(), records.take())
}

fn probes(records: &[Record]) -> usize {
    let sent = |it: &&Record| {
        it.kind == "message_sent" && text(it, "label") == "Probe" && it.node == "router"
    };
    records.iter().filter(sent).count()
}

fn models(errors: [&str; 3]) -> String {
    let names = ["opus", "sonnet", "gpt"];
    let table = |(name, errors): (&str, &str)| match errors {
        "" => backend(name, ""),
        errors => backend(name, &format!("errors = {{ {errors} = 1.0 }}")),
    };
    let tables: String = names.into_iter().zip(errors).map(table).collect();
    let tables =
        tables.replacen("\"gpt\"\nprovider = \"anthropic\"", "\"gpt\"\nprovider = \"openai\"", 1);
    sim("fallback = [\"sonnet\", \"gpt\"]", &(tables + &agent("rust", 1, 1, "")))
}

#[test]
fn many_who_ask_share_one_round() {
    let (reports, records) = ask(&models(["", "", ""]), [(0, 20), (5, 3)]);
    assert_eq!((reports.len(), probes(&records)), (23, 6), "two rounds of three models");
    assert!(reports.iter().all(|report| report.status == Availability::Available));
    assert_eq!(reports[0].models[0].latency, Duration::from_millis(2));
}

#[test]
fn by_model_by_provider_and_in_all() {
    use Availability::{Available, Degraded, Unavailable};
    let told = |errors| {
        let (reports, _) = ask(&models(errors), [(0, 1), (20, 1)]);
        assert_eq!(reports.len(), 2);
        let report = reports.last().unwrap().clone();
        let models = report.models.iter().map(|it| it.availability).collect::<Vec<_>>();
        (report.status, models, report.providers)
    };
    let down = "server_error";
    let (status, each, providers) = told([down, "", ""]);
    assert_eq!((status, each), (Degraded, vec![Unavailable, Available, Available]));
    assert_eq!(providers, [("anthropic", Degraded), ("openai", Available)]);
    let (status, _, providers) = told([down, down, down]);
    assert_eq!(status, Unavailable);
    assert_eq!(providers, [("anthropic", Unavailable), ("openai", Unavailable)]);
    // No answer is no proof: the third miss in a row would be.
    let (status, each, _) = told(["silence", "reset", "overloaded"]);
    assert_eq!((status, each), (Degraded, vec![Degraded; 3]));
}

/// A model that its checks find unhealthy is passed over, and back in use once they do not.
#[test]
fn an_unhealthy_model_is_passed_over_until_it_is_well() {
    let router = "fallback = [\"sonnet\"]\nhealth = { interval = \"1s\", timeout = \"500ms\" }";
    let tables = LIMITS.to_owned()
        + &backend("opus", "")
        + &backend("sonnet", "")
        + &agent("rust", 2, 30, "")
        + "[[fault]]\nat = \"5s\"\nfor = \"10s\"\n\
           backend = { name = \"opus\", errors = { server_error = 1.0 } }\n";
    let run = play(1, &sim(router, &tables));
    assert_eq!(run.ends(), "ok*60");
    assert!(run.count("attempt_skipped", "model=opus reason=unhealthy") > 10);
    assert_eq!(
        run.texts("health_changed", "component=opus", "to"),
        ["healthy", "unhealthy", "healthy"]
    );
    let last = run.times("attempt_skipped", "").into_iter().max().unwrap();
    assert!(last < 16_100, "{last}");
}

#[test]
fn when_all_are_unhealthy_nobody_is_asked() {
    let router = "fallback = [\"sonnet\"]\nhealth = { interval = \"1s\", timeout = \"500ms\" }";
    let errors = "errors = { server_error = 1.0 }";
    let tables = LIMITS.to_owned()
        + &backend("opus", errors)
        + &backend("sonnet", errors)
        + &agent("rust", 1, 9, "");
    let run = play(1, &sim(router, &tables));
    let causes = run.texts("request_failed", "attempts=0", "causes");
    assert!(causes.len() > 5);
    assert!(causes.iter().all(|it| it == "opus=unhealthy, sonnet=unhealthy"), "{causes:?}");
}
