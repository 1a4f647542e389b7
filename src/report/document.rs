//! Runs as JSON: one document, or one line for each run.
//!
//! These are wire types: a change that adds, renames or removes anything raises [`VERSION`].

use std::collections::BTreeMap;

use serde::Serialize;

use super::Finished;
use crate::{
    check::{CheckResult, Outcomes},
    explore::{Reached, Verdict},
    world::Fingerprint,
};

/// The version of the documents.
pub const VERSION: u32 = 1;

/// Several runs.
#[derive(Debug, Serialize)]
pub struct RunsDocument<'a> {
    /// [`VERSION`].
    pub version: u32,
    /// The runs, in the order of the sims and their seeds.
    pub runs: Vec<RunDocument<'a>>,
}

/// One run on a line of its own.
#[derive(Debug, Serialize)]
pub struct RunLine<'a> {
    /// [`VERSION`].
    pub version: u32,
    /// The run.
    #[serde(flatten)]
    pub run: RunDocument<'a>,
}

/// One run.
#[derive(Debug, Serialize)]
pub struct RunDocument<'a> {
    /// The name of the sim.
    pub sim: &'a str,
    /// The seed.
    pub seed: u64,
    /// `pass`, `fail`, `failed_as_it_must` or `diverged_as_it_must`.
    pub verdict: &'static str,
    /// What the history comes to, in hexadecimal.
    pub fingerprint: Fingerprint,
    /// How many events there were.
    pub events: u64,
    /// Virtual time at the end, in whole milliseconds.
    pub virtual_ms: u64,
    /// Time on this machine, in microseconds. The only value that differs from run to run.
    pub wall_us: u64,
    /// What became of the requests.
    pub requests: &'a Outcomes,
    /// Every metric: counts as they are, ratios in parts per million, durations in nanoseconds.
    pub metrics: &'a BTreeMap<&'static str, u64>,
    /// What became of every check.
    pub checks: &'a [CheckResult],
    /// What became of each `[[sometimes]]`; left out if the sim has none.
    #[serde(skip_serializing_if = "<[Reached]>::is_empty")]
    pub reached: &'a [Reached],
    /// Why it failed, or failed as it must.
    pub failures: Vec<String>,
    /// Broken lines of a trace that were left out.
    pub skipped_lines: u64,
    /// The command that runs it again.
    pub replay: &'a str,
}

/// A run as a document.
pub fn run(finished: &Finished) -> RunDocument<'_> {
    let Finished { run, verdict, wall, replay } = finished;
    RunDocument {
        sim: &run.sim,
        seed: run.outcome.seed.0,
        verdict: match verdict {
            Verdict::Passed => "pass",
            Verdict::FailedAsItMust => "failed_as_it_must",
            Verdict::DivergedAsItMust => "diverged_as_it_must",
            Verdict::Failed { .. } => "fail",
        },
        fingerprint: run.outcome.fingerprint,
        events: run.outcome.events,
        virtual_ms: run.outcome.ended_at.as_nanos() / 1_000_000,
        wall_us: u64::try_from(wall.as_micros()).unwrap_or(u64::MAX),
        requests: &run.requests,
        metrics: &run.metrics.values,
        checks: &run.checks,
        reached: &run.reached,
        failures: finished.reasons(),
        skipped_lines: run.skipped_lines,
        replay,
    }
}

/// All runs as one document, with a newline at its end.
///
/// # Errors
///
/// None that is known: every part can be written as JSON.
pub fn document(finished: &[Finished]) -> serde_json::Result<String> {
    let document = RunsDocument { version: VERSION, runs: finished.iter().map(run).collect() };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// One run as a line, with a newline at its end.
///
/// # Errors
///
/// None that is known: every part can be written as JSON.
pub fn line(finished: &Finished) -> serde_json::Result<String> {
    let line = RunLine { version: VERSION, run: run(finished) };
    Ok(serde_json::to_string(&line)? + "\n")
}
