//! Runners, the queue of approvals, reviewers and the dashboard: defaults, and what is refused.

use std::time::Duration;

use super::{check, valid};
use crate::scenario::{Baseline, Bound, Expectation, Selector};
use crate::world::{Delay, Probability};

/// Has six lines.
const FLOWS: &str = r#"purpose = "p"
[approvals]
[dashboard]
[[runner]]
name = "build"
count = 2
"#;

/// [`FLOWS`] with more tables after it is refused.
#[track_caller]
fn refused(tables: &str, expected: &[&str]) {
    check(&format!("{FLOWS}{tables}"), expected);
}

#[test]
fn defaults_are_filled_in() {
    let sim = valid(&format!("{FLOWS}[[reviewer]]\nname = \"lead\"\n"));
    let secs = Duration::from_secs;
    let runner = &sim.runners[0];
    assert_eq!((runner.count, runner.tasks, runner.approval), (2, 1, false));
    assert_eq!(runner.takes, Delay::Uniform { min: secs(1), max: secs(5) });
    assert_eq!((runner.heartbeat, runner.stream_lasts), (secs(5), secs(60)));
    assert_eq!((runner.fails, &runner.pause), (Probability::NEVER, &Delay::Fixed(secs(1))));
    let approvals = sim.approvals.as_ref().expect("a queue");
    assert_eq!((approvals.expires_after, approvals.durable), (secs(300), true));
    let lead = &sim.reviewers[0];
    assert_eq!((lead.count, lead.every, lead.approves), (1, secs(1), Probability::percent(90)));
    let dashboard = sim.dashboard.as_ref().expect("a dashboard");
    assert_eq!((dashboard.resume, dashboard.stale_after, dashboard.failures), (true, secs(12), 3));
    let store = &dashboard.store;
    assert_eq!((store.limits.quota, store.limits.warn), (5_000_000, 4_000_000));
    assert_eq!((store.limits.cleanup, store.state, store.filled), (true, 0, 0));
    assert_eq!(sim.node_names(), ["approvals", "dashboard", "build-1", "build-2", "lead"],);
    assert_eq!(sim.select(&Selector::new("build")), ["build-1", "build-2"]);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let without = "purpose = \"p\"\n[[reviewer]]\nname = \"lead\"\n[[runner]]\nname = \"build\"\n\
                   approval = true\n";
    check(
        without,
        &[
            "3:8 [\"lead\"] there is no queue of approvals that the reviewer looks into",
            "6:12 [true] there is no queue of approvals that these tasks wait for",
        ],
    );
    refused(
        "[[reviewer]]\nname = \"approvals\"\n",
        &["8:8 [\"approvals\"] [[approvals]] the name \"approvals\" is taken"],
    );
    refused("[[runner]]\nname = \"build-2\"\n", &["8:8 [\"build-2\"] \"build-2\" is already a"]);
    refused(
        "heartbeat = \"0s\"\ntasks = 10001\nfails = \"101%\"\n",
        &[
            "7:13 [\"0s\"] this cannot be zero",
            "8:9 [10001] tasks can be at most 10000",
            "9:9 [\"101%\"] ",
        ],
    );
    check(
        "purpose = \"p\"\n[dashboard]\nstore = { quota = \"101MiB\" }\n[[client]]\nname = \"c\"\n\
         steps = [{ get = \"/health\" }]\n[sidecar]\n",
        &[
            "2:1 [[dashboard]] there is no runner to follow",
            "3:19 [\"101MiB\"] the store of a browser has at most 100 MiB here",
        ],
    );
}

#[test]
fn a_baseline_is_a_bound_on_what_is_worse() {
    let of = |expect: &str| {
        let sim = valid(&format!("{FLOWS}[[expect]]\n{expect}"));
        match &sim.expectations[0] {
            Expectation::Metric { bounds, baseline, .. } => (*bounds, *baseline),
            other => panic!("{other:?}"),
        }
    };
    let ms = |ms| Bound::Duration(Duration::from_millis(ms));
    let (bounds, baseline) = of("metric = \"latency.p95\"\nbaseline = \"200ms\"\nmargin = \"5%\"");
    assert_eq!(baseline, Some(Baseline { value: ms(200), margin_ppm: 50_000 }));
    assert_eq!((bounds.at_least, bounds.at_most, bounds.equals), (None, Some(ms(210)), None));
    let (bounds, _) = of("metric = \"latency.p95\"\nbaseline = \"200ms\"");
    assert_eq!(bounds.at_most, Some(ms(220)), "a tenth, unless said");
    let (bounds, _) = of("metric = \"requests.success_rate\"\nbaseline = \"80%\"");
    assert_eq!((bounds.at_least, bounds.at_most), (Some(Bound::Ratio(720_000)), None));
    let refused = |expect: &str, expected: &str| {
        self::refused(&format!("[[expect]]\n{expect}"), &[expected]);
    };
    refused(
        "metric = \"requests.ok\"\nbaseline = 5",
        "9:12 [5] nobody can say when requests.ok is worse",
    );
    refused(
        "metric = \"latency.p95\"\nat_most = \"1s\"\nbaseline = \"1s\"",
        "10:12 [\"1s\"] a baseline is a bound by itself",
    );
    refused(
        "metric = \"latency.p95\"\nat_most = \"1s\"\nmargin = \"5%\"",
        "10:10 [\"5%\"] there is no baseline",
    );
    refused(
        "event = \"progress_shown\"\nmargin = \"5%\"",
        "9:10 [\"5%\"] baseline and margin belong to a metric",
    );
}
