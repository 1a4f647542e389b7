//! Services, callers and the monitor: their defaults, and what is refused.

use std::time::Duration;

use super::{check, valid, with};
use crate::scenario::{
    BreakerPer, Connections, FaultKind, HealWorks, Pace, Selector, ServiceKind, Sim,
};
use crate::world::Delay;

/// The least that a sim of services can say, in eight lines.
const SERVICES: &str = r#"purpose = "p"
[[service]]
name = "db"
kind = "database"
[[caller]]
name = "api"
count = 2
service = "db"
"#;

#[track_caller]
fn services(tables: &str) -> Sim {
    valid(&format!("{SERVICES}{tables}"))
}

#[track_caller]
fn refused(tables: &str, expected: &[&str]) {
    check(&format!("{SERVICES}{tables}"), expected);
}

#[test]
fn defaults() {
    let sim = services("[monitor]\n");
    let ms = Duration::from_millis;
    let service = &sim.services[0];
    let ServiceKind::Database(pool) = service.kind else { panic!("a database") };
    assert_eq!((pool.connections, pool.wait, pool.reconnect_after), (10, ms(1_000), None));
    assert_eq!(service.latency, Delay::Uniform { min: ms(2), max: ms(10) });
    assert_eq!((service.heal.takes, service.heal.works), (ms(500), HealWorks::Yes));
    let caller = &sim.callers[0];
    assert_eq!((caller.requests, caller.concurrency, caller.timeout), (1, 1, ms(1_000)));
    assert_eq!(caller.operations, ["call"]);
    assert_eq!(caller.pace, Pace::Think(Delay::Uniform { min: ms(0), max: ms(100) }));
    assert_eq!((&caller.breaker, caller.breaker_per), (&None, BreakerPer::Service));
    let monitor = sim.monitor.as_ref().unwrap();
    assert_eq!((monitor.interval, monitor.timeout), (ms(10_000), ms(5_000)));
    assert_eq!((monitor.auto_heal, monitor.unhealthy_after), (false, 1));
    assert!(monitor.watch.is_none() && services("").monitor.is_none());
}

#[test]
fn everything_can_be_said() {
    let sim = services(
        r#"every = "20ms"
operations = ["read", "write"]
breaker = { dialect = "engined" }
breaker_per = "operation"
[[service]]
name = "grpc"
heal = { works = "error" }
[[fault]]
at = "1s"
service = { name = "db", lose_connections = 3 }
[[fault]]
at = "1s"
service = { name = "db", operation = "write", latency = "1s" }
[monitor]
watch = ["grpc", "api"]
"#,
    );
    assert_eq!(sim.callers[0].pace, Pace::Every(Duration::from_millis(20)));
    assert_eq!(sim.services[1].heal.works, HealWorks::Error);
    let FaultKind::Service(fault) = &sim.faults[0].kind else { panic!("a service") };
    assert_eq!(fault.lose_connections, Some(Connections::Some(3)));
    let FaultKind::Service(fault) = &sim.faults[1].kind else { panic!("a service") };
    assert_eq!(fault.operation.as_deref(), Some("write"));
    assert_eq!(sim.monitor.unwrap().watch.unwrap(), ["grpc", "api"]);
}

#[test]
fn nodes() {
    let sim = services("[monitor]\n");
    assert_eq!(sim.node_names(), ["db", "monitor", "api-1", "api-2"]);
    assert_eq!(sim.select(&Selector::new("api")), ["api-1", "api-2"]);
    assert!(sim.select(&Selector::new("router")).is_empty() && !sim.has_router());
    // Together with a whole stack.
    let sim = with("[[service]]\nname = \"db\"\n[[caller]]\nname = \"api\"\nservice = \"db\"\n");
    let nodes = ["router", "opus", "db", "rust-1", "rust-2", "rust-3", "api"];
    assert_eq!(sim.node_names(), nodes);
    assert!(sim.has_router());
}

#[test]
fn askers() {
    let sim = with("[[asker]]\nname = \"who\"\ncount = 2\n[monitor]\nwatch = [\"router\"]\n");
    let asker = &sim.askers[0];
    let expected = (Duration::from_secs(10), 1, Duration::from_secs(5));
    assert_eq!((asker.every, asker.requests, asker.timeout), expected);
    assert_eq!(sim.node_names()[2..], ["monitor", "rust-1", "rust-2", "rust-3", "who-1", "who-2"]);
    refused("[[asker]]\nname = \"who\"", &["10:8 [\"who\"] there is no router to ask"]);
}

#[test]
fn there_are_not_too_many() {
    let million = "[[caller]]\nname = \"web\"\nservice = \"db\"\ncount = 1000000\n";
    let expected = "10:8 [\"web\"] a sim has at most 1000000 agents, callers, askers, subscribers, clients, runners and reviewers in all";
    refused(million, &[expected]);
}

#[test]
fn something_has_to_act() {
    let service = "purpose = \"p\"\n[[service]]\nname = \"db\"\n";
    let missing = ["[[backend]]", "[[agent]]", "[router]"];
    let missing = missing.map(|part| format!("1:1 [] the sim has no {part}"));
    check(service, &missing.each_ref().map(String::as_str));
    valid(&format!("{service}[monitor]\n"));
    // A stack is whole or not there.
    refused("[[backend]]\nname = \"opus\"", &["1:1 [] the sim has no [router]"]);
    refused(
        "[router]\nprimary = \"opus\"",
        &["1:1 [] the sim has no [[backend]]", "10:11 [\"opus\"] no backend is called"],
    );
    valid(&format!("{SERVICES}[router]\nprimary = \"opus\"\n[[backend]]\nname = \"opus\"\n"));
    refused(
        "[[agent]]\nname = \"rust\"",
        &["1:1 [] the sim has no [[backend]]", "1:1 [] the sim has no [router]"],
    );
    refused(
        "[load]\npoisson = { per_second = 1, for = \"1s\" }\n[router]\nprimary = \"opus\"\n\
         [[backend]]\nname = \"opus\"\n",
        &["1:1 [] the sim has no [[agent]]"],
    );
}

#[test]
fn names_and_references() {
    refused("[[service]]\nname = \"api\"", &["6:8 [\"api\"] [\"api\"] the name \"api\" is taken"]);
    refused("[[service]]\nname = \"monitor\"", &["10:8 [\"monitor\"] the name \"monitor\" is res"]);
    refused("[[service]]\nname = \"api-2\"", &["10:8 [\"api-2\"] \"api-2\" is already a member"]);
    refused(
        "[[caller]]\nname = \"web\"\nservice = \"bd\"",
        &["11:11 [\"bd\"] no service is called \"bd\" | did you mean \"db\"?"],
    );
    refused(
        "[monitor]\nwatch = [\"db\", \"db\"]",
        &["10:16 [\"db\"] [\"db\"] db is checked twice"],
    );
    // Without a breaker there is nothing to ask a caller.
    refused(
        "[monitor]\nwatch = [\"api\"]",
        &["10:10 [\"api\"] there is nothing to check at \"api\" | expected one of: db"],
    );
    refused("[monitor]\nwatch = []", &["10:9 [[]] the monitor checks nothing"]);
}

#[test]
fn what_contradicts_itself() {
    refused(
        "[[service]]\nname = \"grpc\"\npool = 3\nreconnect_after = \"1s\"",
        &[
            "11:8 [3] only a database has pool",
            "12:19 [\"1s\"] only a database has reconnect_after",
        ],
    );
    refused("every = \"0s\"", &["9:9 [\"0s\"] this cannot be zero"]);
    refused(
        "every = \"1s\"\nthink = \"1s\"",
        &["10:9 [\"1s\"] with every, calls do not wait for earlier ones"],
    );
    refused("breaker_per = \"operation\"", &["9:15 [\"operation\"] there is no breaker"]);
    refused("operations = []", &["9:14 [[]] the caller asks for nothing"]);
    refused("operations = [\"a b\"]", &["9:15 [\"a b\"] \"a b\" is not a name"]);
    refused("concurrency = 10001", &["9:15 [10001] concurrency can be at most 10000"]);
    refused(
        "[[service]]\nname = \"grpc\"\nerrors = { failure = \"60%\", silence = \"50%\" }",
        &["11:10 [{ failure = \"60%\", silence = \"50%\" }] the errors add up to more than 100%"],
    );
    refused(
        "[[service]]\nname = \"grpc\"\nheal = { works = \"maybe\" }",
        &["11:18 [\"maybe\"] expected true, false or \"error\", found \"maybe\""],
    );
}

#[test]
fn faults() {
    let fault = |keys: &str, expected: &[&str]| {
        let rpc = "[[service]]\nname = \"grpc\"\n";
        refused(&format!("{rpc}[[fault]]\nat = \"1s\"\nservice = {{ {keys} }}"), expected);
    };
    fault("name = \"db\"", &["13:11 [{ name = \"db\" }] the service stays as it is"]);
    fault("name = \"d\", down = true", &["13:20 [\"d\"] no service is called \"d\""]);
    fault(
        "name = \"grpc\", lose_connections = true",
        &["13:20 [\"grpc\"] only a database has connections"],
    );
    fault(
        "name = \"db\", lose_connections = false",
        &["13:45 [false] expected connections, found false | write true for all"],
    );
    fault(
        "name = \"db\", operation = \"cal\", down = true",
        &["13:38 [\"cal\"] nobody calls \"cal\" of db | did you mean \"call\"?"],
    );
    fault(
        "name = \"db\", operation = \"call\", lose_connections = 1",
        &["13:38 [\"call\"] an operation has no connections"],
    );
}
