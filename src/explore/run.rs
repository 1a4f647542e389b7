//! One run of one sim.

use std::{cell::RefCell, path::PathBuf, rc::Rc};

use serde::Serialize;

use super::Reached;
use crate::{
    check::{CheckResult, Metrics, Outcomes, Watch},
    scenario::{self, Must, ScenarioError, Sim, TraceError},
    world::{Happening, Host, Note, Observer, Outcome, Seed, Sighting, StartError, World},
};

/// How to run a sim, as opposed to what it says.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The host that polls the actors.
    pub host: Host,
    /// Replaces the sim's load by the requests of this trace.
    pub trace: Option<PathBuf>,
    /// Leaves out broken lines of a trace and counts them, instead of failing.
    pub skip_bad: bool,
}

/// Why a sim could not be run at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The sim refers to something that it cannot use here.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The trace cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The world cannot be started.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// A fault of the plan, and when it did what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultLine {
    /// What it does.
    pub fault: String,
    /// When it was to fire, in nanoseconds since the world began.
    pub planned_ns: u64,
    /// When it fired.
    pub fired_ns: Option<u64>,
    /// When it healed.
    pub healed_ns: Option<u64>,
}

/// What a sim must have come to, and whether it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Every check held, as it must.
    Passed,
    /// A canary failed, as it must.
    FailedAsItMust,
    /// Two runs of a canary differed, as they must.
    DivergedAsItMust,
    /// A check did not hold, the world failed, or a canary did not do what it must.
    Failed {
        /// Why, one line each; never empty.
        reasons: Vec<String>,
    },
}

impl Verdict {
    /// Whether all is as it must be.
    pub fn is_good(&self) -> bool {
        !matches!(self, Verdict::Failed { .. })
    }
}

/// What one seed of one sim came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SimRun {
    /// The name of the sim.
    pub sim: String,
    /// What the world came to.
    pub outcome: Outcome,
    /// What became of the requests.
    pub requests: Outcomes,
    /// What was measured.
    pub metrics: Metrics,
    /// What became of every check that was evaluated.
    pub checks: Vec<CheckResult>,
    /// What became of each `[[sometimes]]`.
    pub reached: Vec<Reached>,
    /// What a user should know of checks that had nothing to see, one line each.
    pub notes: Vec<String>,
    /// The plan, and what became of it.
    pub faults: Vec<FaultLine>,
    /// Lines of a trace that were left out.
    pub skipped_lines: u64,
}

impl SimRun {
    /// Why the run failed, one line each; empty if it did not.
    pub fn failures(&self) -> Vec<String> {
        self.failures_besides(&[])
    }

    /// The same without those of the checks and expectations of these names.
    fn failures_besides(&self, named: &[String]) -> Vec<String> {
        let world = self.outcome.failure.iter().map(ToString::to_string);
        let others = self.checks.iter().filter(|result| !named.contains(&result.check));
        let checks = others.filter_map(|result| {
            result.failure.as_ref().map(|failure| format!("{}: {failure}", result.check))
        });
        let nothing = self
            .checks
            .iter()
            .all(|result| result.evaluated == 0)
            .then(|| "no check was evaluated, so the run proves nothing".to_owned());
        world.chain(checks).chain(nothing).collect()
    }
}

/// Runs one seed of a sim. Observers see every event.
///
/// # Errors
///
/// A [`RunError`] if the sim cannot be run. What goes wrong inside the run is in the [`SimRun`].
pub fn simulate(
    sim: &Sim,
    seed: Seed,
    options: &Options,
    observers: Vec<Box<dyn Observer>>,
) -> Result<SimRun, RunError> {
    // From here on there is no chaos, only faults.
    let sim = &*sim.under(seed);
    let watch = Rc::new(RefCell::new(Watch::new(sim)?));
    let faults = Rc::new(RefCell::new(FaultLines::default()));
    let mut world = World::new(seed);
    world.host(options.host);
    for observer in observers {
        world.observe(Boxed(observer));
    }
    world.observe(Watching(Rc::clone(&watch)));
    let shared = Rc::clone(&faults);
    world.observe(move |sighting: &Sighting<'_>| shared.borrow_mut().see(sighting));
    let trace = scenario::expand(&mut world, sim, options.trace.as_deref(), options.skip_bad)?;
    let outcome = world.run()?;
    let skipped_lines = trace.finish()?;
    let mut watch = watch.borrow_mut();
    let (checks, metrics) = watch.finish(&outcome);
    let reached = watch.reached(&metrics);
    Ok(SimRun {
        sim: sim.name.clone(),
        requests: metrics.requests.clone(),
        checks,
        reached: reached.map(|(what, reached)| Reached { what, reached }).collect(),
        notes: watch.notes(),
        metrics,
        faults: faults.take().0,
        skipped_lines,
        outcome,
    })
}

/// Whether a run came to what its sim must come to. For one that must diverge, `again` is a second
/// run of the same seed.
pub fn judge(sim: &Sim, run: &SimRun, again: Option<&SimRun>) -> Verdict {
    let reasons = run.failures();
    match sim.must {
        Must::Pass if reasons.is_empty() => Verdict::Passed,
        Must::Pass => Verdict::Failed { reasons },
        Must::Fail if reasons.is_empty() => Verdict::Failed {
            reasons: vec!["it must fail, and every check held: it no longer tests anything".into()],
        },
        Must::Fail => {
            let reasons = wrongs_of_canary(sim, run);
            if reasons.is_empty() { Verdict::FailedAsItMust } else { Verdict::Failed { reasons } }
        }
        Must::Diverge => match again {
            Some(again) if again.outcome.fingerprint != run.outcome.fingerprint => {
                Verdict::DivergedAsItMust
            }
            _ => Verdict::Failed {
                reasons: vec![
                    "two runs of this seed must differ, and they are the same: the leak that it \
                     plants is no longer there"
                        .into(),
                ],
            },
        },
    }
}

/// What a canary that failed did otherwise than it must: what should have failed and held, and what
/// failed besides.
fn wrongs_of_canary(sim: &Sim, run: &SimRun) -> Vec<String> {
    let failed = |name: &str| run.checks.iter().any(|it| it.check == name && !it.holds());
    let held = sim.fails_by.iter().filter(|name| !failed(name));
    let held = held.map(|name| format!("it must fail by {name}, and did not"));
    let besides = run.failures_besides(&sim.fails_by).into_iter();
    held.chain(besides.map(|line| format!("it must not fail by {line}"))).collect()
}

struct Boxed(Box<dyn Observer>);

impl Observer for Boxed {
    fn see(&mut self, sighting: &Sighting<'_>) {
        self.0.see(sighting);
    }

    fn wants_notes(&self) -> bool {
        self.0.wants_notes()
    }

    fn note(&mut self, note: &Note<'_>) {
        self.0.note(note);
    }
}

struct Watching(Rc<RefCell<Watch>>);

impl Observer for Watching {
    fn see(&mut self, sighting: &Sighting<'_>) {
        self.0.borrow_mut().see(sighting);
    }

    fn wants_notes(&self) -> bool {
        self.0.borrow().wants_notes()
    }

    fn note(&mut self, note: &Note<'_>) {
        self.0.borrow_mut().note(note);
    }
}

#[derive(Default)]
struct FaultLines(Vec<FaultLine>);

impl FaultLines {
    fn see(&mut self, sighting: &Sighting<'_>) {
        let at = sighting.at.as_nanos();
        let first = |fault: &str, is_open: fn(&FaultLine) -> bool| {
            self.0.iter().position(|line| line.fault == fault && is_open(line))
        };
        match sighting.what {
            Happening::FaultPlanned { fault, fires_at_ns, .. } => self.0.push(FaultLine {
                fault: fault.to_owned(),
                planned_ns: fires_at_ns,
                fired_ns: None,
                healed_ns: None,
            }),
            Happening::FaultFired { fault } => {
                if let Some(index) = first(fault, |line| line.fired_ns.is_none()) {
                    self.0[index].fired_ns = Some(at);
                }
            }
            Happening::FaultHealed { fault } => {
                if let Some(index) =
                    first(fault, |line| line.fired_ns.is_some() && line.healed_ns.is_none())
                {
                    self.0[index].healed_ns = Some(at);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a canary whose model always fails, and that says by what it must fail.
    fn judged(fails_by: &[&str], expects: &str) -> Verdict {
        let text = format!(
            "purpose = \"p\"\nmust = \"fail\"\nfails_by = {fails_by:?}\n[router]\n\
             primary = \"opus\"\n[[backend]]\nname = \"opus\"\n\
             errors = {{ server_error = \"100%\" }}\n[[agent]]\nname = \"rust\"\n{expects}"
        );
        let sim = scenario::parse("sims/a.toml", &text).unwrap();
        let run = simulate(&sim, Seed(1), &Options::default(), Vec::new()).unwrap();
        judge(&sim, &run, None)
    }

    const RATE: &str = "requests.success_rate at least 99%";
    const IS_RATE: &str = "[[expect]]\nmetric = \"requests.success_rate\"\nat_least = \"99%\"\n";
    const IS_TWO: &str = "[[expect]]\nmetric = \"requests.total\"\nequals = 222\n";

    #[test]
    fn a_canary_fails_by_what_it_names_and_by_nothing_else() {
        let both = format!("{IS_RATE}{IS_TWO}");
        assert_eq!(judged(&[RATE], IS_RATE), Verdict::FailedAsItMust);
        assert_eq!(judged(&[RATE, "requests.total equals 222"], &both), Verdict::FailedAsItMust);
        let reasons = |verdict: Verdict| match verdict {
            Verdict::Failed { reasons } => reasons,
            other => panic!("{other:?}"),
        };
        // Something else is wrong besides.
        let found = reasons(judged(&[RATE], &both));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("it must not fail by requests.total"), "{found:?}");
        // What it is about holds; a name that nothing has holds for ever.
        let found = reasons(judged(&["quota_never_overshot", RATE], IS_RATE));
        assert_eq!(found, ["it must fail by quota_never_overshot, and did not"]);
        let found =
            reasons(judged(&[RATE], "[[expect]]\nmetric = \"requests.total\"\nat_least = 1\n"));
        assert_eq!(found, ["it must fail, and every check held: it no longer tests anything"]);
    }
}
