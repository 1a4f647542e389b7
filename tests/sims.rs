//! Every sim: it comes to what it must under each of its seeds, and its snapshots are as committed.
//!
//! The tests are found in `sims/`: `ccr/baseline::verdict`, `::summary`, `::faults` and `::story`, and
//! `::metrics`, that they say what the report says. A sim that must diverge has no snapshots.
//! `INSTA_UPDATE=always cargo test --test sims` writes them.

#[cfg(feature = "cli")]
#[expect(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]
#[path = "sims/samples.rs"]
mod samples;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use libtest_mimic::{Arguments, Failed, Trial};
#[cfg(feature = "cli")]
use seedbed::observe::metrics::Board;
use seedbed::{
    explore::{Options, SimRun, judge, simulate},
    report::snapshot::{self, Snapshot},
    scenario::{self, Must, Sim},
    world::Seed,
};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, trials()).exit_code()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn trials() -> Vec<Trial> {
    let files = match scenario::find(&[root().join("sims")]) {
        Ok(files) => files,
        Err(error) => return vec![Trial::test("sims", move || Err(error.to_string().into()))],
    };
    let (mut first, mut then) = (Vec::new(), Vec::new());
    for file in &files {
        let mut trials = of_sim(file).into_iter();
        first.extend(trials.next());
        then.extend(trials);
    }
    // One test of each sim at first: no two threads wait for the same runs.
    first.append(&mut then);
    first
}

/// The tests of one sim; all share one run of each seed.
fn of_sim(file: &Path) -> Vec<Trial> {
    let sim = match scenario::load(file) {
        Ok(sim) => sim,
        Err(error) => {
            let name = format!("{}::valid", file.display());
            return vec![Trial::test(name, move || Err(error.to_string().into()))];
        }
    };
    let must = sim.must;
    let name = sim.name.clone();
    let subject = Arc::new(Subject { sim, taken: Mutex::new(None) });
    let trial = |kind: &str, test: fn(&Subject) -> Result<(), Failed>| {
        let subject = Arc::clone(&subject);
        Trial::test(format!("{name}::{kind}"), move || test(&subject))
    };
    let mut trials = vec![trial("verdict", verdict)];
    if must != Must::Diverge {
        trials.push(trial("summary", |subject| subject.matches("summary", |taken| &taken.summary)));
        trials.push(trial("faults", |subject| subject.matches("faults", |taken| &taken.faults)));
        trials.push(trial("story", |subject| subject.matches("story", |taken| &taken.story)));
        #[cfg(feature = "cli")]
        trials.push(trial("metrics", metrics));
    }
    trials
}

struct Subject {
    sim: Sim,
    /// Taken by whichever test comes first.
    taken: Mutex<Option<Arc<Taken>>>,
}

struct Taken {
    snapshot: Snapshot,
    /// The metrics of the first seed, in Prometheus' text format.
    #[cfg(feature = "cli")]
    metrics: String,
}

impl Subject {
    fn taken(&self) -> Result<Arc<Taken>, Failed> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = &*taken {
            return Ok(Arc::clone(taken));
        }
        let now = Arc::new(take(&self.sim)?);
        *taken = Some(Arc::clone(&now));
        Ok(now)
    }

    fn matches(&self, kind: &str, text: fn(&Snapshot) -> &String) -> Result<(), Failed> {
        let taken = self.taken()?;
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path(root().join("snapshots").join(&self.sim.name));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(kind, text(&taken.snapshot)));
        Ok(())
    }
}

#[cfg(feature = "cli")]
fn take(sim: &Sim) -> Result<Taken, Failed> {
    let (board, observer) = Board::begin(sim, Seed(sim.seeds.first().copied().unwrap_or(1)))?;
    let snapshot = snapshot::take(sim, vec![observer])?;
    Ok(Taken { snapshot, metrics: board.text()? })
}

#[cfg(not(feature = "cli"))]
fn take(sim: &Sim) -> Result<Taken, Failed> {
    Ok(Taken { snapshot: snapshot::take(sim, Vec::new())? })
}

/// The metrics of the first seed say what its report says.
#[cfg(feature = "cli")]
fn metrics(subject: &Subject) -> Result<(), Failed> {
    let taken = subject.taken()?;
    let run = taken.snapshot.runs.first().ok_or("no run")?;
    let differences = samples::differences(run, &taken.metrics);
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n").into()) }
}

/// Every seed of the sim comes to what it must.
fn verdict(subject: &Subject) -> Result<(), Failed> {
    let sim = &subject.sim;
    let mut failed = Vec::new();
    let mut judge = |seed: u64, once: &SimRun, again: Option<&SimRun>| {
        let verdict = judge(sim, once, again);
        if !verdict.is_good() {
            let replay = format!("seedbed replay sims/{}.toml --seed {seed}", sim.name);
            failed.push(format!("seed {seed}: {verdict:?}\n{replay}"));
        }
    };
    if sim.must == Must::Diverge {
        for &seed in &sim.seeds {
            let run = || simulate(sim, Seed(seed), &Options::default(), Vec::new());
            judge(seed, &run()?, Some(&run()?));
        }
    } else {
        let taken = &subject.taken()?.snapshot;
        assert_eq!(taken.runs.len(), sim.seeds.len());
        for (&seed, run) in sim.seeds.iter().zip(&taken.runs) {
            judge(seed, run, None);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n").into()) }
}
