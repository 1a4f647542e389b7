//! What each fault of a plan does: the same seed again without it.
//!
//! Streams are keyed by name, so everything that does not hang on the fault stays as it was.

use serde::Serialize;

use super::{
    Options, RunError, Signature, SimRun,
    document::{Change, Document, place},
    simulate,
};
use crate::{
    check::Outcomes,
    scenario::{self, ScenarioError, Sim},
    world::{Fingerprint, Seed},
};

/// What a run came to, at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Glance {
    /// The signatures of what failed, as texts; empty if nothing did.
    pub failures: Vec<String>,
    /// What became of the requests.
    pub requests: Outcomes,
    /// What the history came to.
    pub fingerprint: Fingerprint,
}

impl Glance {
    fn of(sim: &Sim, run: &SimRun) -> Glance {
        let signatures = Signature::all(sim, run);
        Glance {
            failures: signatures.iter().map(ToString::to_string).collect(),
            requests: run.requests.clone(),
            fingerprint: run.outcome.fingerprint,
        }
    }

    /// Requests that nobody answered.
    pub fn unanswered(&self) -> u64 {
        self.requests.total.saturating_sub(self.requests.ok)
    }
}

/// A fault of the plan, and the run without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Without {
    /// Its place in the sim, from 1.
    pub number: usize,
    /// What it does.
    pub fault: String,
    /// When it fires, in nanoseconds since the world began.
    pub planned_ns: u64,
    /// What the run comes to without it; `None` if the sim cannot be run without it.
    pub glance: Option<Glance>,
    /// Whether the run fails with the same signature without it.
    pub still_fails: bool,
}

/// The run as it is, and the runs without each of its faults: those first whose fault the failure
/// hangs on, then by how many requests were answered; those last that cannot be run.
///
/// # Errors
///
/// A [`RunError`] if the sim cannot be run as it is.
pub fn without_each_fault(
    sim: &Sim,
    name: &str,
    seed: Seed,
    options: &Options,
) -> Result<(Glance, Vec<Without>), RunError> {
    let run = simulate(sim, seed, options, Vec::new())?;
    let base = Glance::of(sim, &run);
    let document = Document::parse(sim.source_text())
        .ok_or_else(|| ScenarioError::TooLarge { name: name.to_owned() })?;
    let mut all = Vec::new();
    for index in 0..document.len(&place!["fault"]) {
        let text = document.with(&[Change::Remove(place!["fault", index])]).text();
        let glance = scenario::parse(name, &text).ok().and_then(|without| {
            let run = simulate(&without, seed, options, Vec::new()).ok()?;
            Some(Glance::of(&without, &run))
        });
        let line = run.faults.get(index);
        all.push(Without {
            number: index + 1,
            fault: line.map(|line| line.fault.clone()).unwrap_or_default(),
            planned_ns: line.map_or(0, |line| line.planned_ns),
            still_fails: glance.as_ref().is_none_or(|glance| {
                base.failures.first().is_some_and(|first| glance.failures.contains(first))
            }),
            glance,
        });
    }
    all.sort_by_key(|one| {
        let unanswered = one.glance.as_ref().map(Glance::unanswered);
        // What cannot be run says nothing: last.
        (one.still_fails, unanswered.is_none(), unanswered, one.number)
    });
    Ok((base, all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    const SIM: &str = r#"
purpose = "p"
[router]
primary = "opus"
[[backend]]
name = "opus"
first_token = "50ms"
tokens_per_second = 1000
[[agent]]
name = "rust"
count = 3
requests = 9
deadline = "3s"
[[fault]]
at = "1s"
for = "20ms"
pause = { node = "rust-2" }
[[fault]]
at = "2s"
for = "9s"
pause = { node = "router" }
[[fault]]
at = "4s"
for = "1s"
clock = { node = "rust-1", skew = "5s" }
[[expect]]
event = "request_ended"
where = { outcome = "timed_out" }
at_most = 0
"#;

    #[test]
    fn the_fault_that_the_failure_hangs_on_comes_first() {
        let sim = parse("sims/a.toml", SIM).unwrap();
        let (base, all) =
            without_each_fault(&sim, "sims/a.toml", Seed(1), &Options::default()).unwrap();
        assert!(base.failures.iter().any(|it| it.contains("timed_out")), "{base:?}");
        let order: Vec<(usize, bool)> = all.iter().map(|it| (it.number, it.still_fails)).collect();
        assert_eq!(order[0], (2, false), "{order:?}");
        assert!(order[1].1 && order[2].1, "{order:?}");
        assert_eq!(all[0].fault, "pause router");
        assert!(all[0].glance.as_ref().unwrap().unanswered() < base.unanswered());
    }
}
