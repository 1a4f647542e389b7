//! `summary.snap`: what each seed of a sim comes to, in numbers.

use std::fmt::{Display, Write as _};

use crate::{
    explore::SimRun,
    scenario::{MetricUnit, Must, Sim, metric},
    world::{Ending, Seed},
};

/// Lines of `name: value`, indented under the heading of their seed.
struct Lines(String);

impl Lines {
    fn top(&mut self, name: &str, value: impl Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{name}: {value}");
    }

    fn add(&mut self, name: impl Display, value: impl Display) {
        let _ = writeln!(self.0, "  {name}: {value}");
    }
}

/// The summary of a sim's runs, one for each seed.
pub fn summary(sim: &Sim, runs: &[SimRun]) -> String {
    let mut lines = Lines(String::new());
    lines.top("sim", &sim.name);
    lines.top("text_hash", format_args!("{:016x}", sim.text_hash()));
    let must = match sim.must {
        Must::Pass => "pass",
        Must::Fail => "fail",
        Must::Diverge => "diverge",
    };
    lines.top("must", must);
    for run in runs {
        one(&mut lines, run);
    }
    lines.0
}

fn one(lines: &mut Lines, run: &SimRun) {
    let outcome = &run.outcome;
    lines.0.push('\n');
    lines.top("seed", outcome.seed);
    lines.add("fingerprint", outcome.fingerprint);
    let ending = match outcome.ending {
        Ending::Idle => "idle",
        Ending::Stopped => "stopped",
        Ending::TimeLimit => "time_limit",
        Ending::Failed => "failed",
    };
    lines.add("ending", ending);
    if let Some(failure) = &outcome.failure {
        lines.add("failure", one_line(&failure.to_string()));
    }
    lines.add("events", outcome.events);
    lines.add("virtual_ms", outcome.ended_at.as_nanos() / 1_000_000);
    for (name, value) in &run.metrics.values {
        match metric(name).map_or(MetricUnit::Count, |metric| metric.unit) {
            // What a stack does not have, a breaker or a quota, would only be noise.
            MetricUnit::Count if *value == 0 && !name.starts_with("requests.") => {}
            MetricUnit::Count => lines.add(name, value),
            MetricUnit::Ratio | MetricUnit::Factor => lines.add(format_args!("{name}_ppm"), value),
            MetricUnit::Duration => lines.add(format_args!("{name}_us"), value / 1_000),
        }
    }
    lines.add("requests.abandoned", run.requests.abandoned);
    lines.add("requests.unfinished", run.requests.unfinished);
    lines.add("calls.open", outcome.calls_open);
    lines.add("timers.fired", outcome.counts.timers_fired);
    lines.add("nodes.crashed", outcome.counts.crashes);
    lines.add("faults.fired", outcome.counts.faults_fired);
    if run.skipped_lines > 0 {
        lines.add("trace.skipped_lines", run.skipped_lines);
    }
    for check in &run.checks {
        match &check.failure {
            None if check.evaluated == 0 => {
                lines.add(format_args!("check {}", check.check), "not evaluated");
                continue;
            }
            None => lines.add(format_args!("check {}", check.check), "held"),
            Some(failure) => lines.add(
                format_args!("check {}", check.check),
                format_args!("failed: {}", one_line(failure)),
            ),
        }
        // An expectation is evaluated once, at the end: that never is news.
        if check.evaluated != 1 {
            lines.add(format_args!("evaluated {}", check.check), check.evaluated);
        }
    }
    for sometimes in &run.reached {
        let reached = if sometimes.reached { "reached" } else { "not reached" };
        lines.add(format_args!("sometimes {}", sometimes.what), reached);
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The fingerprint that a summary gives for a seed.
pub fn recorded(summary: &str, seed: Seed) -> Option<&str> {
    let heading = format!("seed: {seed}");
    let mut lines = summary.lines().skip_while(|line| *line != heading).skip(1);
    lines.next()?.strip_prefix("  fingerprint: ")
}
