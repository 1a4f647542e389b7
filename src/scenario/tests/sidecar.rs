//! The sidecar, its projects, those who use it, and its faults: what a sim may say of them.

use std::time::Duration;

use super::{check, check_tables, valid, with};
use crate::scenario::{Acts, Asked, FaultKind, Sidecar, TokenKind};
use crate::stack::sidecar::{
    auth::Allowance,
    events::Delivery,
    project::Size,
    results::Naming,
    wire::{AgentType, Method, Role, Topic},
};
use crate::world::Delay;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A sim whose only agents work by themselves.
const ALONE: &str = "purpose = \"p\"\n[sidecar]\n[[agent]]\nname = \"a\"\nwork = \"100ms\"\n";

#[test]
fn a_sidecar_is_the_contracts_unless_it_says_otherwise() {
    assert_eq!(with("[sidecar]").sidecar, Some(Sidecar::default()));
    assert_eq!(with("[sidecar]\nrate_limits = true").sidecar, Some(Sidecar::default()));
    let sidecar = with(
        r#"[sidecar]
cached = "1ms"
publish = "2ms"
naming = "per_agent_type"
cache_ttl = "5s"
cache_bytes = "0B"
context_bytes = "64KiB"
files = 3
buffer = 7
retention = "1h"
redeliver_after = "2s"
batch = 5
delivery = "at_most_once"
leeway = "0s"
body = "1.5KB"
connections = 4
memory = "1MB"
agents_max = 2
rate_limits = { coding = { per_minute = 6, burst = 2 } }
"#,
    )
    .sidecar
    .expect("there is a sidecar");
    assert_eq!((&sidecar.cached, &sidecar.publish), (&Delay::Fixed(ms(1)), &Delay::Fixed(ms(2))));
    assert_eq!((sidecar.naming, sidecar.cache_ttl), (Naming::PerAgentType, secs(5)));
    assert_eq!((sidecar.cache_bytes, sidecar.context_limits.context_bytes), (0, 65_536));
    assert_eq!((sidecar.context_limits.files, sidecar.bus.capacity), (3, 7));
    assert_eq!((sidecar.bus.retention, sidecar.bus.redeliver_after), (secs(3_600), secs(2)));
    assert_eq!((sidecar.bus.batch, sidecar.delivery), (5, Delivery::AtMostOnce));
    assert_eq!((sidecar.leeway, sidecar.limits.body), (secs(0), 1_500));
    assert_eq!((sidecar.connections, sidecar.memory, sidecar.agents_max), (4, 1_000_000, 2));
    let rate = |role| sidecar.rates.get(&role).copied();
    assert_eq!(rate(Role::Coding), Some(Allowance { per_minute: 6, burst: 2 }));
    assert_eq!((rate(Role::Architect), rate(Role::Support)), (None, Allowance::of(Role::Support)));
    let none = with("[sidecar]\nrate_limits = false").sidecar.expect("there is a sidecar");
    assert!(none.rates.is_empty());
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn agents_have_a_badge() {
    let sim = with(
        "workspace = \"acme\"\n[sidecar]\n[[workspace]]\nname = \"acme\"\n\
                    [[agent]]\nname = \"qa\"\ntype = \"qa-engineer\"\nproject = \"p\"\nissue = \"i-7\"",
    );
    let badge = &sim.agents[0].badge;
    assert_eq!(badge.agent_type, AgentType::RustSpecialist);
    assert_eq!((badge.project.as_str(), badge.issue.as_str()), ("acme", "issue-1"));
    let badge = &sim.agents[1].badge;
    assert_eq!(badge.agent_type, AgentType::QaEngineer);
    assert_eq!((badge.project.as_str(), badge.issue.as_str()), ("p", "i-7"));
    // The name of a workspace need not be an id.
    let sim = with("workspace = \"_\"\n[sidecar]\n[[workspace]]\nname = \"_\"");
    assert_eq!(sim.agents[0].badge.project.as_str(), "default");
}

#[test]
fn agents_that_work_by_themselves_need_no_router() {
    let sim = valid(ALONE);
    assert_eq!(sim.agents[0].work, Some(Delay::Fixed(ms(100))));
    assert_eq!(sim.node_names(), ["sidecar", "auditor", "a"]);
    check(
        &format!("{ALONE}[[agent]]\nname = \"b\""),
        &[
            "1:1 [] the sim has no [[backend]] | add at least one",
            "1:1 [] the sim has no [router] | add [router]",
        ],
    );
    check(
        &format!("{ALONE}sdk = \"openai_2\"\ninput_tokens = 3"),
        &[
            "6:7 [\"openai_2\"] with work, an agent does not ask the router | remove this",
            "7:16 [3] with work, an agent does not ask the router",
        ],
    );
}

#[test]
fn agents_that_wake_on_events_and_publish_them() {
    let sim = valid(&format!(
        "{ALONE}wakes_on = {{ event = \"built\", filter = \"status:ok,data.n:2\" }}\n\
         publishes = {{ event = \"tested\", topic = \"testing\" }}"
    ));
    let agent = &sim.agents[0];
    let wanted = agent.wakes_on.as_ref().expect("it waits");
    assert_eq!(wanted.event_type.as_str(), "built");
    assert_eq!(wanted.filter.to_string(), "status:ok,data.n:2");
    assert_eq!(agent.listens, secs(60));
    let told = agent.publishes.as_ref().expect("it publishes");
    assert_eq!((told.event_type.as_str(), told.topic), ("tested", Topic::Testing));
    check(
        &format!("{ALONE}listens = \"5s\"\npublishes = {{ event = \"x\", topic = \"testin\" }}"),
        &[
            "6:11 [\"5s\"] there are no events to listen for | add wakes_on",
            "7:36 [\"testin\"] \"testin\" is not a topic | did you mean \"testing\"?",
        ],
    );
    check(
        &format!(
            "{ALONE}wakes_on = {{ event = \"x\" }}\n[load]\npoisson = {{ per_second = 1, for = \"1s\" }}"
        ),
        &["6:12 [{ event = \"x\" }] with [load], requests come from there"],
    );
}

#[test]
fn what_needs_a_sidecar_says_so() {
    check_tables(
        "type = \"qa-engineer\"\nproject = \"p\"\nwakes_on = { event = \"x\" }\n\
         [[subscriber]]\nname = \"s\"\nevent = \"x\"\n[[client]]\nname = \"c\"\nhostile = true\n\
         [[project]]\nname = \"p\"\n[[fault]]\nat = \"1s\"\ndns = { node = \"rust\" }\n\
         [[fault]]\nat = \"1s\"\nsidecar = { connections = 1 }",
        &[
            "9:8 [\"qa-engineer\"] there is no sidecar for a type | add a [sidecar] table",
            "10:11 [\"p\"] there is no sidecar for a project",
            "11:12 [{ event = \"x\" }] there is no sidecar for events to wake on",
            "13:8 [\"s\"] there is no sidecar for the subscriber",
            "16:8 [\"c\"] there is no sidecar for the client",
            "19:8 [\"p\"] there is no sidecar for a project",
            "22:16 [\"rust\"] there is no sidecar for this fault",
            "25:11 [{ connections = 1 }] there is no sidecar for this fault",
        ],
    );
}

#[test]
fn wrong_values_of_a_sidecar() {
    check_tables(
        "[sidecar]\nnaming = \"by-id\"",
        &["10:10 [\"by-id\"] unknown value `by-id` | did you mean `by_id`?"],
    );
    check_tables(
        r#"[sidecar]
cache_bytes = 5
body = "2GiB"
memory = "1 MB"
context_bytes = "1.5B"
buffer = 0
batch = 10000001
rate_limits = "no"
[[agent]]
name = "b"
type = "rust"
project = "../etc"
issue = 7
"#,
        &[
            "10:15 [5] a size needs a unit, found the number 5 | write \"5B\"",
            "11:8 [\"2GiB\"] the body of a request has at most 1 GiB",
            "12:10 [\"1 MB\"] \"1 MB\" is not a size | write a number and a unit",
            "13:17 [\"1.5B\"] \"1.5B\" is finer than a byte",
            "14:10 [0] expected a positive integer",
            "15:9 [10000001] a batch can be at most 10000000",
            "16:15 [\"no\"] expected true, false or a table, found \"no\"",
            "19:8 [\"rust\"] \"rust\" is not a type of agent | did you mean \"rust-specialist\"?",
            "20:11 [\"../etc\"] \"../etc\" is not the id of a project: it may only have",
            "21:9 [7] expected the id of an issue, found the number 7",
        ],
    );
    check_tables(
        "[sidecar]\nrate_limits = { codin = { per_minute = 1, burst = 1 } }",
        &["10:17 [codin] unknown key `codin` | did you mean `coding`?"],
    );
    check_tables(
        "[sidecar]\n[[agent]]\nname = \"_x\"",
        &["11:8 [\"_x\"] the sidecar knows \"_x\" by this name, and the id of an agent may only"],
    );
    with("[[agent]]\nname = \"_x\"");
    check_tables(
        "[sidecar]\n[[agent]]\nname = \"auditor\"",
        &["11:8 [\"auditor\"] the name \"auditor\" is reserved"],
    );
}

#[test]
fn projects() {
    let sim = with(
        "project = \"big\"\n[sidecar]\n[[project]]\nname = \"big\"\nsize = \"huge\"\n\
                    [[project]]\nname = \"b\"",
    );
    let sizes: Vec<_> = sim.projects.iter().map(|it| (it.id.as_str(), it.size)).collect();
    assert_eq!(sizes, [("big", Size::Huge), ("b", Size::Tiny)]);
    check_tables(
        "project = \"bgi\"\n[sidecar]\n[[project]]\nname = \"big\"\n[[project]]\nname = \"big\"",
        &[
            "9:11 [\"bgi\"] no project is called \"bgi\" | did you mean \"big\"?",
            "14:8 [\"big\"] [\"big\"] the project \"big\" is there already",
        ],
    );
}

#[test]
fn subscribers() {
    let sim =
        valid("purpose = \"p\"\n[sidecar]\n[[subscriber]]\nname = \"s\"\ncount = 2\nevent = \"x\"");
    let group = &sim.subscribers[0];
    assert_eq!((group.count, group.start, group.lasts), (2, secs(0), secs(30)));
    assert_eq!((&group.lag, group.wait, group.batch), (&Delay::Fixed(secs(0)), secs(30), 100));
    assert_eq!(group.badge.project.as_str(), "default");
    assert_eq!(sim.node_names(), ["sidecar", "auditor", "s-1", "s-2"]);
    check_tables(
        "[sidecar]\n[[subscriber]]\nname = \"rust\"\nevent = \"x y\"\nfilter = \"x\"\nwait = \"6m\"\n\
         batch = 1001\nfor = \"0s\"",
        &[
            "11:8 [\"rust\"] [\"rust\"] the name \"rust\" is taken",
            "12:9 [\"x y\"] \"x y\" is not a kind of event: it may only have",
            "13:10 [\"x\"] \"x\" is not a filter: it must be",
            "14:8 [\"6m\"] this can be at most 5m | write a shorter duration",
            "15:9 [1001] a batch can be at most 1000",
            "16:7 [\"0s\"] this cannot be zero",
        ],
    );
}

#[test]
fn clients_take_steps() {
    let sim = valid(
        r#"purpose = "p"
[sidecar]
[[client]]
name = "c"
start = "1s"
every = "2s"
rounds = 3
steps = [
  { get = "/health", token = "missing", headers = { "X-A" = "b" } },
  { post = "/api/v1/results", json = { a = 1 }, padding = "3MB" },
  { post = "/api/v1/events", body = "{" },
  { delete = "/api/v1/results/{result}", as_project = "other", as_agent = "them" },
  { store = "key-{n}", issue = "i" },
  { read = "last", token = "expired" },
  { delete_result = "last" },
  { publish = "done" },
]
"#,
    );
    assert_eq!(sim.node_names(), ["sidecar", "auditor", "c"]);
    let client = &sim.clients[0];
    assert_eq!((client.start, client.every, client.rounds), (secs(1), Some(secs(2)), 3));
    let Acts::Steps(steps) = &client.acts else { panic!("it takes steps") };
    let raw = |number: usize| match &steps[number].what {
        Asked::Raw { method, path, headers, body, padding } => {
            (*method, path.as_str(), headers.len(), body.as_str(), *padding)
        }
        other => panic!("not as it is on the wire: {other:?}"),
    };
    assert_eq!(raw(0), (Method::Get, "/health", 1, "", 0));
    assert_eq!(raw(1), (Method::Post, "/api/v1/results", 0, "{\"a\":1}", 3_000_000));
    assert_eq!(raw(2), (Method::Post, "/api/v1/events", 0, "{", 0));
    assert_eq!(raw(3).0, Method::Delete);
    assert_eq!((steps[0].token, steps[1].token), (TokenKind::Missing, TokenKind::Valid));
    assert_eq!(steps[3].project.as_ref().map(|id| id.as_str()), Some("other"));
    assert_eq!(steps[3].agent.as_ref().map(|id| id.as_str()), Some("them"));
    let Asked::Store { key, issue } = &steps[4].what else { panic!("a result") };
    assert_eq!((key.as_str(), issue.as_ref().map(|id| id.as_str())), ("key-{n}", Some("i")));
    assert_eq!((&steps[5].what, &steps[6].what), (&Asked::Read, &Asked::Delete));
    let Asked::Publish(told) = &steps[7].what else { panic!("an event") };
    assert_eq!((told.event_type.as_str(), told.topic), ("done", Topic::Coordination));
    let hostile = with("[sidecar]\n[[client]]\nname = \"c\"\nhostile = true");
    assert_eq!((&hostile.clients[0].acts, hostile.clients[0].rounds), (&Acts::Hostile, 1));
}

#[test]
fn steps_that_make_no_sense() {
    let client = |keys: &str, expected: &[&str]| {
        check_tables(&format!("[sidecar]\n[[client]]\nname = \"c\"\n{keys}"), expected);
    };
    client("", &["11:8 [\"c\"] a client has steps, or is hostile | set steps = "]);
    client("hostile = false", &["12:11 [false] a client has steps, or is hostile"]);
    client("hostile = true\nsteps = [{ get = \"/\" }]", &["12:11 [true] a client has steps"]);
    client("steps = []", &["12:9 [[]] a client has 1 to 1000 steps, found 0"]);
    client(
        "steps = [{}, { get = \"/\", store = \"k\" }]",
        &[
            "12:10 [{}] a step is one request, found 0 | set exactly one of get, post",
            "12:14 [{ get = \"/\", store = \"k\" }] a step is one request, found 2",
        ],
    );
    client(
        "steps = [{ get = \"/\", body = \"b\", padding = \"1B\", issue = \"i\", topic = \"error\" }]",
        &[
            "12:30 [\"b\"] body belongs to post | remove it",
            "12:45 [\"1B\"] padding belongs to post",
            "12:59 [\"i\"] issue belongs to store",
            "12:72 [\"error\"] topic belongs to publish",
        ],
    );
    client(
        "steps = [{ post = \"/\", body = \"b\", json = [] }]",
        &["12:43 [[]] a request has one body | keep body or json"],
    );
    client(
        "steps = [{ store = \"k {n}\" }, { publish = \"..\" }]",
        &[
            "12:20 [\"k {n}\"] \"k {n}\" is not the id of a request: it may only have",
            "12:43 [\"..\"] \"..\" is not a kind of event",
        ],
    );
    client(
        "steps = [{ get = \"/\", token = \"expird\" }]",
        &["12:31 [\"expird\"] unknown value `expird` | did you mean `expired`?"],
    );
    client(
        "steps = [{ read = \"first\" }]",
        &["12:19 [\"first\"] unknown value `first` | expected one of: last"],
    );
}

#[test]
fn faults_of_the_sidecar_and_of_its_name() {
    let sim = with(
        "[sidecar]\n[[fault]]\nat = \"1s\"\nsidecar = { memory = \"1MB\", connections = 2 }\n\
         [[fault]]\nat = \"1s\"\ndns = { node = \"*\" }",
    );
    let shortage = FaultKind::Sidecar { memory: Some(1_000_000), connections: Some(2) };
    assert_eq!(sim.faults[0].kind, shortage);
    assert_eq!((sim.faults[0].kind.key(), sim.faults[1].kind.key()), ("sidecar", "dns"));
    check_tables(
        "[sidecar]\n[[fault]]\nat = \"1s\"\nsidecar = {}\n[[fault]]\nat = \"1s\"\ndns = { node = \"x\" }",
        &[
            "12:11 [{}] the sidecar stays as it is | set memory",
            "15:16 [\"x\"] no node is called \"x\"",
        ],
    );
}
