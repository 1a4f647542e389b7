//! One run of a sweep, from its seed to the line that says what it came to.
//!
//! Whatever happens in it, the sweep goes on: a panic is a result too.

use std::panic::{self, AssertUnwindSafe};

use crate::{
    cli::{attempt, error::CliError, sims::Entry},
    explore::{
        Blame, Options, Verdict, Witness,
        sweep::{FinishedLine, Hex, Measured, RESULTS_VERSION, RunVerdict},
    },
    report::Finished,
    scenario::Must,
    world::{Probability, Seed},
};

/// The stream that draws which runs are made again.
const VERIFY: &str = "sweep/verify";

/// How runs are made.
pub(in crate::cli) struct Way {
    pub(in crate::cli) options: Options,
    /// The share of runs that is made twice.
    pub(in crate::cli) verify: Probability,
}

/// Makes a run. An error means that no run of this sim can be made.
pub(in crate::cli) fn once(
    entry: &Entry,
    seed: Seed,
    scenario_hash: Hex,
    way: &Way,
) -> Result<FinishedLine, CliError> {
    guarded(&entry.sim.name, seed, scenario_hash, || {
        let finished = attempt::judged(entry, seed, &way.options, Vec::new())?;
        let again = is_verified(seed, way.verify) && entry.sim.must != Must::Diverge;
        let again = match again {
            true => Some(Witness::of(&attempt::once(entry, seed, &way.options, Vec::new())?)),
            false => None,
        };
        Ok(line(entry, seed, scenario_hash, finished, again))
    })
}

/// Whether a seed is among those that are run twice: the same ones in every sweep.
fn is_verified(seed: Seed, share: Probability) -> bool {
    share > Probability::NEVER && seed.stream(VERIFY).below(1_000_000) < u64::from(share.as_ppm())
}

/// Catches a panic, and makes a result of it.
fn guarded(
    sim: &str,
    seed: Seed,
    scenario_hash: Hex,
    run: impl FnOnce() -> Result<FinishedLine, CliError>,
) -> Result<FinishedLine, CliError> {
    let message = match panic::catch_unwind(AssertUnwindSafe(run)) {
        Ok(Err(CliError::Internal { message, .. })) => message,
        Ok(result) => return result,
        Err(payload) => attempt::message(&*payload),
    };
    Ok(broken(sim, seed, scenario_hash, Blame::panicked(&message)))
}

/// The result of a run that came to no end.
pub(in crate::cli) fn broken(
    sim: &str,
    seed: Seed,
    scenario_hash: Hex,
    Blame { signature, failure }: Blame,
) -> FinishedLine {
    FinishedLine {
        version: RESULTS_VERSION,
        sim: sim.to_owned(),
        scenario_hash,
        seed: seed.0,
        fingerprint: None,
        verdict: RunVerdict::Fail,
        signature: Some(signature.to_string()),
        failure: Some(failure),
        events: 0,
        virtual_ms: 0,
        wall_us: None,
        measured: None,
        reached: Vec::new(),
        unreached: Vec::new(),
    }
}

/// What a run came to, and its second run if there was one.
pub(in crate::cli) fn line(
    entry: &Entry,
    seed: Seed,
    scenario_hash: Hex,
    finished: Finished,
    again: Option<Witness>,
) -> FinishedLine {
    let Finished { run, verdict, wall, .. } = finished;
    let witness = Witness::of(&run);
    let mut blame = Blame::of(&entry.sim, &run, &verdict);
    let is_leak = witness.woken_from_outside.is_some() && entry.sim.must != Must::Diverge;
    let differs = again.filter(|again| again.fingerprint != witness.fingerprint);
    if let Some(other) = &differs {
        blame = Some(Blame::two_histories(witness.fingerprint.0, other.fingerprint.0));
    }
    let verdict = match verdict {
        _ if differs.is_some() => RunVerdict::Nondeterminism,
        Verdict::Passed => RunVerdict::Pass,
        Verdict::FailedAsItMust => RunVerdict::FailedAsItMust,
        Verdict::DivergedAsItMust => RunVerdict::DivergedAsItMust,
        Verdict::Failed { .. } if is_leak => RunVerdict::Nondeterminism,
        Verdict::Failed { .. } => RunVerdict::Fail,
    };
    let measured = Measured::of(&run);
    let (reached, unreached): (Vec<_>, Vec<_>) =
        run.checks.into_iter().partition(|check| check.evaluated > 0);
    let names = |checks: Vec<crate::check::CheckResult>| {
        checks.into_iter().map(|check| check.check).collect()
    };
    // A canary that leaks on purpose has another history each time: none of them is a result.
    let is_one = verdict != RunVerdict::DivergedAsItMust;
    let (signature, failure) =
        blame.map(|blame| (blame.signature.to_string(), blame.failure)).unzip();
    FinishedLine {
        version: RESULTS_VERSION,
        sim: run.sim,
        scenario_hash,
        seed: seed.0,
        fingerprint: is_one.then_some(Hex(run.outcome.fingerprint.0)),
        verdict,
        signature,
        failure,
        events: if is_one { run.outcome.events } else { 0 },
        virtual_ms: if is_one { run.outcome.ended_at.as_nanos() / 1_000_000 } else { 0 },
        wall_us: Some(u64::try_from(wall.as_micros()).unwrap_or(u64::MAX)),
        measured: is_one.then_some(measured),
        reached: names(reached),
        unreached: names(unreached),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::sims::Place, scenario::parse};

    fn way(percent: u32) -> Way {
        Way { options: Options::default(), verify: Probability::percent(percent) }
    }

    fn entry(more: &str) -> Entry {
        let text = format!(
            "{more}purpose = \"p\"\n[router]\nprimary = \"opus\"\n[[backend]]\nname = \"opus\"\n\
             [[agent]]\nname = \"rust\"\nrequests = 2\n"
        );
        Entry { sim: parse("sims/a.toml", &text).unwrap(), place: Place::BuiltIn }
    }

    #[test]
    fn a_panic_is_a_failed_run() {
        let line = guarded("a", Seed(3), Hex(1), || panic!("index 7 of {}", 5)).unwrap();
        assert_eq!(line.signature.as_deref(), Some("panic: index # of #"));
        assert_eq!((line.verdict, line.fingerprint), (RunVerdict::Fail, None));
        let internal = CliError::Internal { message: "m".to_owned(), replay: String::new() };
        let line = guarded("a", Seed(3), Hex(1), || Err(internal)).unwrap();
        assert_eq!(line.failure.as_deref(), Some("seedbed itself panicked: m"));
    }

    #[test]
    fn a_run_that_passes_says_what_it_reached() {
        let line = once(&entry(""), Seed(1), Hex(9), &way(100)).unwrap();
        assert_eq!((line.verdict, line.signature.clone()), (RunVerdict::Pass, None));
        assert!(line.reached.contains(&"every_request_ends_once".to_owned()), "{line:?}");
        assert!(line.unreached.contains(&"no_message_across_a_partition".to_owned()), "{line:?}");
    }

    #[test]
    fn a_share_of_the_seeds_is_verified_and_always_the_same() {
        let count = |percent| {
            let share = Probability::percent(percent);
            (0..10_000).filter(|seed| is_verified(Seed(*seed), share)).count()
        };
        assert_eq!((count(0), count(100)), (0, 10_000));
        assert!((400..600).contains(&count(5)), "{}", count(5));
        assert_eq!(count(5), count(5));
    }

    /// So that results of sweeps with canaries can be compared, too.
    #[test]
    fn a_canary_that_must_diverge_has_one_result() {
        let entry = entry("must = \"diverge\"\nleak = \"process_counter\"\n");
        let result = || {
            let line = once(&entry, Seed(1), Hex(9), &way(0)).unwrap();
            FinishedLine { wall_us: None, ..line }
        };
        assert_eq!(result().verdict, RunVerdict::DivergedAsItMust);
        assert_eq!(result(), result());
    }

    /// A leak that a single run does not show.
    #[test]
    fn a_seed_with_two_histories_is_named_if_it_is_verified() {
        let mut entry = entry("must = \"diverge\"\nleak = \"process_counter\"\n");
        entry.sim.must = Must::Pass;
        let line = once(&entry, Seed(1), Hex(9), &way(0)).unwrap();
        assert_ne!(line.verdict, RunVerdict::Nondeterminism);
        let line = once(&entry, Seed(1), Hex(9), &way(100)).unwrap();
        assert_eq!(line.verdict, RunVerdict::Nondeterminism);
        let signature = line.signature.unwrap();
        assert!(signature.starts_with("one_seed_one_history"), "{signature}");
    }
}
