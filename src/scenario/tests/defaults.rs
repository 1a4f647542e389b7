//! What a sim says is what the model holds, and what it leaves out has the documented default.

use std::path::Path;
use std::time::Duration;

use super::{MINIMAL, valid, with};
use crate::policy::Growth;
use crate::scenario::{
    Bound, Expectation, FaultKind, FieldValue, Jitter, Leak, Load, Must, Partition, Provider,
    Selector, Task, Tokens, Tracing, Window, parse,
};
use crate::world::{Delay, Probability, Schedule};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn uniform(min: u64, max: u64) -> Delay {
    Delay::Uniform { min: ms(min), max: ms(max) }
}

fn ppm(ppm: u32) -> Probability {
    Probability::ppm(ppm)
}

#[test]
fn traces_are_kept_unless_the_sim_says_otherwise() {
    assert_eq!(with("").tracing, None);
    assert_eq!(with("[tracing]\n").tracing, Some(Tracing::default()));
    let sim = with("[tracing]\nsample = \"10%\"\nbroken = \"1%\"\n");
    let wanted = Tracing { sample: ppm(100_000), broken: ppm(10_000) };
    assert_eq!((sim.tracing, sim.router.tracing), (Some(wanted), wanted));
}

#[test]
fn the_minimal_sim() {
    let sim = valid(MINIMAL);
    assert_eq!(sim.name, "test");
    assert_eq!(sim.seeds, [1]);
    assert_eq!(sim.start.to_string(), "2026-01-01T00:00:00Z");
    assert_eq!((sim.schedule, sim.must, sim.leak), (Schedule::Fifo, Must::Pass, None));
    assert_eq!(sim.limits.time, ms(600_000));
    assert_eq!((sim.limits.events, sim.limits.same_instant), (5_000_000, 100_000));
    assert_eq!(sim.network.latency, uniform(1, 5));
    assert_eq!((sim.network.loss, sim.network.bandwidth), (Probability::NEVER, None));
    assert_eq!((sim.sidecar, sim.load), (None, None));
    assert_eq!(sim.router.timeouts.total, Some(ms(30_000)));
    assert_eq!((sim.router.retry.attempts, sim.router.retry.growth), (1, Growth::DOUBLE));
    assert_eq!((sim.router.retry.base, sim.router.retry.max), (ms(500), ms(8_000)));
    assert_eq!(sim.router.retry.jitter, Jitter::Full);
    assert_eq!(sim.router.overhead, Delay::Fixed(ms(1)));
    assert_eq!((sim.router.honour_retry_after, sim.router.deadline), (true, None));
    let backend = &sim.backends[0];
    assert_eq!((backend.provider, backend.tier), (Provider::Generic, 1));
    assert_eq!(backend.first_token, Delay::LogNormal { p50: ms(400), p99: ms(3_000) });
    assert_eq!((backend.tokens_per_second, backend.chunk_tokens), (60, 20));
    assert_eq!((backend.weight, backend.price_micros), (1, 0));
    assert_eq!((&backend.retry_after, backend.limits), (&None, Default::default()));
    let agent = &sim.agents[0];
    assert_eq!((agent.count, agent.requests, agent.task), (3, 1, Task::General));
    assert_eq!((agent.input_tokens, agent.output_tokens), (Tokens::Fixed(500), Tokens::Fixed(200)));
    assert_eq!((&agent.think, agent.deadline), (&uniform(0, 100), ms(120_000)));
}

#[test]
fn what_is_written_is_what_is_held() {
    let head = "seeds = [0, 18446744073709551615, \"0x2a\"]\nstart = 2026-02-03T04:05:06Z\n\
                schedule = { pct = { depth = 7 } }\nmust = \"diverge\"\nleak = \"os_random\"\n";
    let sim = valid(&format!(
        "{head}{MINIMAL}{}",
        r#"
[sidecar]
timeout = "1500ms"
required = true
[network]
loss = "0.5%"
reorder = 0.03
duplicate = 1
[[link]]
from = "rust"
to = "router"
both = false
latency = "20ms"
bandwidth = 1_000
"#
    ));
    assert_eq!(sim.seeds, [0, u64::MAX, 42]);
    assert_eq!(sim.start.to_string(), "2026-02-03T04:05:06Z");
    assert_eq!(sim.schedule, Schedule::Pct { depth: 7 });
    assert_eq!((sim.must, sim.leak), (Must::Diverge, Some(Leak::OsRandom)));
    let sidecar = sim.sidecar.expect("there is a sidecar");
    assert_eq!((sidecar.context, sidecar.store), (uniform(5, 20), uniform(1, 5)));
    assert_eq!((sidecar.timeout, sidecar.required), (ms(1500), true));
    assert_eq!((sim.network.loss, sim.network.reorder), (ppm(5_000), ppm(30_000)));
    assert_eq!(sim.network.duplicate, Probability::ALWAYS);
    let mut link = sim.network.clone();
    sim.links[0].patch.apply(&mut link);
    assert!(!sim.links[0].both);
    assert_eq!(
        (link.latency, link.loss, link.bandwidth),
        (Delay::Fixed(ms(20)), ppm(5_000), Some(1000))
    );
}

#[test]
fn loads() {
    let poisson = with("[load]\npoisson = { per_second = \"0.5\", for = \"1m\" }").load;
    assert_eq!(poisson, Some(Load::Poisson { per_kilosecond: 500, r#for: ms(60_000) }));
    let Some(Load::Stages(stages)) =
        with("[load]\nstages = [{ for = \"1m\", to = 50 }, { for = \"1s\", to = 0 }]").load
    else {
        panic!("a ramp")
    };
    assert_eq!((stages[0].r#for, stages[0].to_per_kilosecond), (ms(60_000), 50_000));
    assert_eq!(stages[1].to_per_kilosecond, 0);
    for (scale, expected) in [("0.1", 100), ("\"0.1\"", 100), ("\"10%\"", 100), ("2", 2000)] {
        let text = format!("{MINIMAL}[load]\ntrace = \"t.csv\"\nscale = {scale}\nlimit = 9");
        let sim = parse("a/sims/traffic/x.toml", &text).expect("valid");
        let Some(Load::Trace { file, scale_permille, limit, .. }) = sim.load else {
            panic!("a trace")
        };
        assert_eq!(file, Path::new("a/sims/traffic/t.csv"));
        assert_eq!((scale_permille, limit), (expected, Some(9)));
    }
}

#[test]
fn faults() {
    let sim = with(
        r#"[[fault]]
at = "1s"
clock = { node = "rust-2", skew = "-1.5s", drift_ppm = -7 }
[[fault]]
at = "0s"
for = "2s"
partition = { from = "rust", to = "router" }
[[fault]]
at = "1s"
backend = { name = "opus", errors = { silence = 1 } }
[[fault]]
at = "1s"
link = { from = "router", to = "*", both = false, loss = "10%" }
"#,
    );
    let FaultKind::Clock { skew_ns, drift_ppm, .. } = sim.faults[0].kind else { panic!("a clock") };
    assert_eq!((skew_ns, drift_ppm, sim.faults[0].r#for), (-1_500_000_000, -7, None));
    assert_eq!((sim.faults[1].at, sim.faults[1].r#for), (ms(0), Some(ms(2000))));
    let one_way = Partition::OneWay { from: Selector::new("rust"), to: Selector::new("router") };
    assert_eq!(sim.faults[1].kind, FaultKind::Partition(one_way));
    let FaultKind::Backend { errors, .. } = &sim.faults[2].kind else { panic!("an outage") };
    assert_eq!(errors.map(|errors| errors.silence), Some(Probability::ALWAYS));
    let FaultKind::Link { both, patch, .. } = &sim.faults[3].kind else { panic!("a link") };
    assert_eq!((*both, patch.loss), (false, Some(ppm(100_000))));
}

#[test]
fn expectations() {
    let sim = with(
        r#"[[expect]]
metric = "requests.success_rate"
at_least = "99.5%"
at_most = 1
[[expect]]
metric = "latency.p95"
at_most = "500ms"
[[expect]]
metric = "requests.ok"
equals = 3
[[expect]]
event = "request_routed"
where = { fallback_used = true, attempts = 2, model = "opus" }
node = "router"
"#,
    );
    let metric = |i: usize| match &sim.expectations[i] {
        Expectation::Metric { bounds, .. } => *bounds,
        other => panic!("not a metric: {other:?}"),
    };
    assert_eq!(metric(0).at_least, Some(Bound::Ratio(995_000)));
    assert_eq!(metric(0).at_most, Some(Bound::Ratio(1_000_000)));
    assert!(metric(0).hold(&Bound::Ratio(995_000)) && !metric(0).hold(&Bound::Ratio(994_999)));
    assert_eq!(metric(1).at_most, Some(Bound::Duration(ms(500))));
    assert!(
        metric(1).hold(&Bound::Duration(ms(500))) && !metric(1).hold(&Bound::Duration(ms(501)))
    );
    assert!(metric(2).hold(&Bound::Count(3)) && !metric(2).hold(&Bound::Count(4)));
    let Expectation::Event { event, bounds, .. } = &sim.expectations[3] else { panic!("an event") };
    assert_eq!((bounds.at_least, bounds.at_most), (Some(1), None));
    assert_eq!(event.r#where["fallback_used"], FieldValue::Bool(true));
    assert_eq!(event.r#where["attempts"], FieldValue::Integer(2));
    assert_eq!(event.r#where["model"], FieldValue::Text("opus".to_owned()));
    let error = sim.error(event.event.span, "no such event here", "use another");
    let report = "20:9 [\"request_routed\"] no such event here | use another\n";
    assert_eq!(super::report(&error), report);
}

/// Moving a line does not make another sim of the tables; only the text differs.
#[test]
fn spans_are_not_compared() {
    let one = valid(&format!("{MINIMAL}[[expect]]\nevent = \"late_answer\""));
    let other = valid(&format!("{MINIMAL}\n\n[[expect]]\nevent = \"late_answer\""));
    assert_eq!(one.expectations, other.expectations);
    assert_ne!(one, other);
}

#[test]
fn a_window_and_limits_of_an_event() {
    let event = |keys: &str| {
        let sim = with(&format!("[[expect]]\nevent = \"request_ended\"\n{keys}\n"));
        let Expectation::Event { event, window, .. } = &sim.expectations[0] else {
            panic!("an event")
        };
        (event.r#where.get("latency_ms").cloned(), *window)
    };
    assert_eq!(event(""), (None, Window::default()));
    let from = Duration::from_secs(600) - Duration::from_nanos(1);
    let window = Window { from, until: Some(Duration::from_secs(600)) };
    assert_eq!(event("from = \"599999999999ns\"\nuntil = \"10m\"").1, window);
    let within = FieldValue::Within { at_least: Some(2), at_most: Some(2) };
    let limits = "where = { latency_ms = { at_least = 2, at_most = 2 } }";
    assert_eq!(event(limits).0, Some(within));
}
