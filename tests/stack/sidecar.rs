//! The promises of the sidecar, over many seeds each: what it acknowledged it keeps, whenever
//! it crashes; what is another's it does not tell, whoever asks.
//!
//! The plans are drawn here, from the number of the run, so that each is another one. What must hold
//! is what the checks of every sim say; here they are only given more to judge. Each test also counts
//! what it came to, so that it cannot pass by never getting there.

use std::fmt::Write as _;

use seedbed::{
    explore::{Options, SimRun, simulate},
    scenario,
    world::{Seed, Stream},
};

/// `.ci/run` makes a thousand of each with the binary, from `sims/sidecar/crashes.toml` and the hostile
/// sims; these are others.
const RUNS: u64 = 150;

fn run(text: &str, seed: u64) -> SimRun {
    let sim = scenario::parse("planned.toml", text).expect("a valid sim");
    simulate(&sim, Seed(seed), &Options::default(), Vec::new()).expect("a run")
}

fn value(run: &SimRun, metric: &str) -> u64 {
    run.metrics.values.get(metric).copied().unwrap_or_default()
}

/// Small groups of agents, and up to six crashes, of the sidecar more often than not, at any time
/// and for any while. The disk takes its time, so that crashes hit between writing and syncing.
fn crashes(draws: &mut Stream) -> String {
    let mut text = String::from(
        r#"
        purpose = "Crashes at any time."
        seeds   = [1]
        [limits]
        time = "30m"
        [sidecar]
        timeout = "300ms"
        rate_limits = false
        [[agent]]
        name     = "coder"
        count    = 2
        type     = "rust-specialist"
        project  = "shop"
        requests = 3
        work     = { uniform = ["10ms", "300ms"] }
        think    = { uniform = ["0s", "500ms"] }
        [[agent]]
        name     = "tester"
        type     = "test-engineer"
        project  = "bank"
        requests = 2
        work     = { uniform = ["10ms", "300ms"] }
        think    = { uniform = ["0s", "500ms"] }
        [[expect]]
        metric   = "results.posted"
        at_least = 1
        "#,
    );
    for _ in 0..draws.between(1, 6) {
        let node = if draws.below(3) > 0 { "sidecar" } else { "coder-2" };
        let (at, lasts) = (draws.between(0, 4_000_000), draws.between(1, 2_000_000));
        let _ = write!(
            text,
            "[[fault]]\nat = \"{at}us\"\nfor = \"{lasts}us\"\ncrash = {{ node = \"{node}\" }}\n"
        );
    }
    text
}

#[test]
fn whenever_it_crashes_what_it_acknowledged_stays_and_is_there_once() {
    let (mut again, mut restored, mut stored) = (0, 0, 0);
    for seed in 1..=RUNS {
        let text = crashes(&mut Seed(seed).stream("crashes"));
        let run = run(&text, seed);
        assert_eq!(run.failures(), Vec::<String>::new(), "seed {seed}:\n{text}");
        assert!(value(&run, "sidecar.results") >= value(&run, "requests.ok"), "seed {seed}");
        stored += value(&run, "sidecar.results");
        again += u64::from(value(&run, "results.posted") > value(&run, "sidecar.results"));
        restored += u64::from(value(&run, "agents.alone") > 0);
    }
    assert!(stored > RUNS * 6, "{stored} results");
    assert!(again > RUNS / 4, "results were handed in again in {again} runs only");
    assert!(restored > RUNS / 4, "the sidecar was missed in {restored} runs only");
}

/// Agents of two projects at work, and two intruders that try anything.
fn intrusion(draws: &mut Stream) -> String {
    let (kind, pause) = (["security-auditor", "chief-architect", "documentation-expert"], 20);
    let kind = draws.pick(&kind).copied().unwrap_or("security-auditor");
    let home = if draws.below(2) == 0 { "elsewhere" } else { "bank" };
    format!(
        r#"
        purpose = "Intruders at any time."
        seeds   = [1]
        [limits]
        time = "30m"
        [sidecar]
        rate_limits = false
        [[agent]]
        name     = "shop"
        count    = 2
        type     = "rust-specialist"
        project  = "shop"
        requests = 2
        work     = "100ms"
        [[agent]]
        name     = "bank"
        type     = "test-engineer"
        project  = "bank"
        requests = 2
        work     = "100ms"
        [[subscriber]]
        name     = "listener"
        type     = "test-engineer"
        project  = "{home}"
        event    = "task_complete"
        for      = "2s"
        [[client]]
        name     = "publisher"
        type     = "rust-specialist"
        project  = "shop"
        rounds   = 5
        every    = "300ms"
        steps    = [{{ publish = "task_complete", topic = "implementation" }}, {{ store = "{{n}}" }}]
        [[client]]
        name     = "intruder"
        count    = 2
        type     = "{kind}"
        project  = "{home}"
        every    = "{pause}ms"
        rounds   = 20
        hostile  = true
        [[expect]]
        event    = "sidecar_answered"
        where    = {{ who = "intruder-1" }}
        equals   = 20
        "#
    )
}

#[test]
fn whoever_asks_is_told_of_no_other_project_and_nothing_without_a_token() {
    let (mut refused, mut requests) = (0, 0);
    for seed in 1..=RUNS {
        let text = intrusion(&mut Seed(seed).stream("intrusion"));
        let run = run(&text, seed);
        assert_eq!(run.failures(), Vec::<String>::new(), "seed {seed}:\n{text}");
        assert_eq!(value(&run, "sidecar.failed"), 0, "seed {seed}");
        refused += value(&run, "sidecar.refused");
        requests += value(&run, "sidecar.requests");
        for check in ["no_data_across_projects", "no_data_without_a_token"] {
            let evaluated = run.checks.iter().find(|it| it.check == check).map(|it| it.evaluated);
            assert!(
                evaluated.is_some_and(|times| times > 0),
                "{check} judged nothing: seed {seed}"
            );
        }
    }
    assert!(refused > RUNS * 20, "{refused} of {requests} requests were refused");
}
