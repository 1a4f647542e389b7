//! Every sim: it comes to what it must under each of its seeds, and its snapshots are as committed.
//!
//! The tests are found in `sims/`: `ccr/baseline::verdict`, `::summary`, `::faults` and `::story`. A
//! sim that must diverge has no snapshots. `INSTA_UPDATE=always cargo test --test sims` writes them.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use libtest_mimic::{Arguments, Failed, Trial};
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
    let subject = Arc::new(Subject { sim, snapshot: Mutex::new(None) });
    let trial = |kind: &str, test: fn(&Subject) -> Result<(), Failed>| {
        let subject = Arc::clone(&subject);
        Trial::test(format!("{name}::{kind}"), move || test(&subject))
    };
    let mut trials = vec![trial("verdict", verdict)];
    if must != Must::Diverge {
        trials.push(trial("summary", |subject| subject.matches("summary", |taken| &taken.summary)));
        trials.push(trial("faults", |subject| subject.matches("faults", |taken| &taken.faults)));
        trials.push(trial("story", |subject| subject.matches("story", |taken| &taken.story)));
    }
    trials
}

struct Subject {
    sim: Sim,
    /// Taken by whichever test comes first.
    snapshot: Mutex<Option<Arc<Snapshot>>>,
}

impl Subject {
    fn snapshot(&self) -> Result<Arc<Snapshot>, Failed> {
        let mut snapshot = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = &*snapshot {
            return Ok(Arc::clone(taken));
        }
        let taken = Arc::new(snapshot::take(&self.sim)?);
        *snapshot = Some(Arc::clone(&taken));
        Ok(taken)
    }

    fn matches(&self, kind: &str, text: fn(&Snapshot) -> &String) -> Result<(), Failed> {
        let taken = self.snapshot()?;
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path(root().join("snapshots").join(&self.sim.name));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(kind, text(&taken)));
        Ok(())
    }
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
        let taken = subject.snapshot()?;
        assert_eq!(taken.runs.len(), sim.seeds.len());
        for (&seed, run) in sim.seeds.iter().zip(&taken.runs) {
            judge(seed, run, None);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n").into()) }
}
