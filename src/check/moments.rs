//! When each check was first evaluated, reached or broken: a watch of its own over the same events,
//! for those who look at one run. It says nothing about whether the run passed.

use std::collections::BTreeMap;

use super::{CheckResult, Watch};
use crate::{
    scenario::{ScenarioError, Sim},
    world::{Outcome, Sighting},
};

/// A check, and the events at which something became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What became of it in the end.
    pub result: CheckResult,
    /// The number of the event at which it was first evaluated or, of an expectation, last came to
    /// hold. `None` if that was at the end, or never.
    pub reached: Option<u64>,
    /// The number of the event that broke it. `None` if it holds, or was broken by the end alone.
    pub broken: Option<u64>,
}

/// Watches a run for its [`Moment`]s.
pub struct Moments {
    watch: Watch,
    /// In the order of the watch.
    built: Vec<Seen>,
    expected: Vec<Expected>,
}

struct Seen {
    name: &'static str,
    reached: Option<u64>,
    broken: Option<u64>,
}

struct Expected {
    holds: Option<bool>,
    reached: Option<u64>,
    broken: Option<u64>,
}

impl Moments {
    /// For one run of this sim, as it is under the seed of the run.
    ///
    /// # Errors
    ///
    /// A [`ScenarioError`] if the sim switches off a check that there is not.
    pub fn new(sim: &Sim) -> Result<Moments, ScenarioError> {
        let watch = Watch::new(sim)?;
        let expected = watch.expected();
        let expected = expected.map(|holds| Expected { holds, reached: None, broken: None });
        Ok(Moments { expected: expected.collect(), built: Vec::new(), watch })
    }

    /// Sees one event.
    pub fn see(&mut self, sighting: &Sighting<'_>) {
        self.watch.see(sighting);
        for (index, (name, built)) in self.watch.built().enumerate() {
            if index == self.built.len() {
                self.built.push(Seen { name, reached: None, broken: None });
            }
            let Some(seen) = self.built.get_mut(index) else { continue };
            if seen.reached.is_none() && built.evaluated > 0 {
                seen.reached = Some(sighting.seq);
            }
            if seen.broken.is_none() && built.failure.is_some() {
                seen.broken = Some(sighting.seq);
            }
        }
        for (expected, holds) in self.expected.iter_mut().zip(self.watch.expected()) {
            if expected.holds != holds {
                expected.holds = holds;
                match holds {
                    Some(true) => expected.reached = Some(sighting.seq),
                    _ => expected.broken = Some(sighting.seq),
                }
            }
        }
    }

    /// The checks, in the order of a run's results.
    pub fn finish(&mut self, outcome: &Outcome) -> Vec<Moment> {
        // Of a check in two parts, the first event of either counts.
        let mut seen: BTreeMap<&str, (Option<u64>, Option<u64>)> = BTreeMap::new();
        let first = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
        for Seen { name, reached, broken } in &self.built {
            let both = seen.entry(name).or_default();
            *both = (first(both.0, *reached), first(both.1, *broken));
        }
        let (results, _) = self.watch.finish(outcome);
        let always = results.len().saturating_sub(self.expected.len());
        let moment = |(index, result): (usize, CheckResult)| {
            let (reached, broken) = match index.checked_sub(always) {
                None => seen.get(result.check.as_str()).copied().unwrap_or_default(),
                Some(place) => {
                    let expected = self.expected.get(place);
                    expected.map(|it| (it.reached, it.broken)).unwrap_or_default()
                }
            };
            let broken = broken.filter(|_| result.failure.is_some());
            Moment { result, reached, broken }
        };
        results.into_iter().enumerate().map(moment).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;
    use crate::{
        explore::{Options, SimRun, simulate},
        scenario::parse,
        world::{Observer, Record, Seed},
    };

    fn moments(more: &str) -> (SimRun, Vec<Record>, Vec<Moment>) {
        let text = format!(
            "purpose = \"p\"\n[router]\nprimary = \"opus\"\n[[backend]]\nname = \"opus\"\n\
             [[agent]]\nname = \"rust\"\nrequests = 4\n{more}"
        );
        let sim = parse("sims/a.toml", &text).unwrap();
        let kept = Rc::new(RefCell::new((Moments::new(&sim).unwrap(), Vec::new())));
        let shared = Rc::clone(&kept);
        let observer: Box<dyn Observer> = Box::new(move |sighting: &Sighting<'_>| {
            let (moments, records) = &mut *shared.borrow_mut();
            moments.see(sighting);
            records.push(sighting.to_record());
        });
        let run = simulate(&sim, Seed(1), &Options::default(), vec![observer]).unwrap();
        let (mut moments, records) = Rc::into_inner(kept).unwrap().into_inner();
        let moments = moments.finish(&run.outcome);
        (run, records, moments)
    }

    #[test]
    fn the_results_are_those_of_the_run() {
        let (run, _, moments) = moments("[[expect]]\nmetric = \"requests.ok\"\nequals = 4\n");
        let results: Vec<_> = moments.iter().map(|moment| moment.result.clone()).collect();
        assert_eq!(results, run.checks);
        let metric = moments.last().unwrap();
        assert_eq!((metric.reached, metric.broken), (None, None), "it is known at the end only");
        let ends = moments.first().unwrap();
        assert!(ends.reached.is_some() && ends.broken.is_none(), "{ends:?}");
    }

    #[test]
    fn an_expectation_names_the_event_that_reached_or_broke_it() {
        let expect = "[[expect]]\nevent = \"request_ended\"\nat_least = 2\n\
                      [[expect]]\nevent = \"request_ended\"\nat_most = 2\n";
        let (_, records, moments) = moments(expect);
        let ends: Vec<u64> =
            records.iter().filter(|it| it.kind == "request_ended").map(|it| it.seq).collect();
        let [.., least, most] = moments.as_slice() else { panic!("two expectations") };
        assert_eq!((least.reached, least.broken), (Some(ends[1]), None));
        assert_eq!((most.reached, most.broken), (None, Some(ends[2])));
    }
}
