//! When each check was first evaluated, reached or broken: a watch of its own over the same events,
//! for those who look at one run. It says nothing about whether the run passed.

use std::collections::BTreeMap;

use super::{CheckResult, Watch};
use crate::{
    scenario::{ScenarioError, Sim},
    world::{Note, Outcome, Sighting},
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
    /// The number of the last event: notes have none.
    last: u64,
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
        Ok(Moments { expected: expected.collect(), built: Vec::new(), last: 0, watch })
    }

    /// Sees one event.
    pub fn see(&mut self, sighting: &Sighting<'_>) {
        self.last = sighting.seq;
        self.watch.see(sighting);
        self.look();
    }

    /// Whether it listens to notes.
    pub fn wants_notes(&self) -> bool {
        self.watch.wants_notes()
    }

    /// Hears one note, which belongs to the event before it.
    pub fn note(&mut self, note: &Note<'_>) {
        self.watch.note(note);
        self.look();
    }

    fn look(&mut self) {
        let now = self.last;
        for (index, (name, built)) in self.watch.built().enumerate() {
            if index == self.built.len() {
                self.built.push(Seen { name, reached: None, broken: None });
            }
            let Some(seen) = self.built.get_mut(index) else { continue };
            if seen.reached.is_none() && built.evaluated > 0 {
                seen.reached = Some(now);
            }
            if seen.broken.is_none() && built.failure.is_some() {
                seen.broken = Some(now);
            }
        }
        for (expected, holds) in self.expected.iter_mut().zip(self.watch.expected()) {
            if expected.holds != holds {
                expected.holds = holds;
                match holds {
                    Some(true) => expected.reached = Some(now),
                    _ => expected.broken = Some(now),
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

    struct Eyes(Rc<RefCell<(Moments, Vec<Record>)>>);

    impl Observer for Eyes {
        fn see(&mut self, sighting: &Sighting<'_>) {
            let (moments, records) = &mut *self.0.borrow_mut();
            moments.see(sighting);
            records.push(sighting.to_record());
        }

        fn wants_notes(&self) -> bool {
            self.0.borrow().0.wants_notes()
        }

        fn note(&mut self, note: &Note<'_>) {
            self.0.borrow_mut().0.note(note);
        }
    }

    fn moments(more: &str) -> (SimRun, Vec<Record>, Vec<Moment>) {
        let text = format!(
            "purpose = \"p\"\n[router]\nprimary = \"opus\"\n[[backend]]\nname = \"opus\"\n\
             [[agent]]\nname = \"rust\"\nrequests = 4\n{more}"
        );
        let sim = parse("sims/a.toml", &text).unwrap();
        let kept = Rc::new(RefCell::new((Moments::new(&sim).unwrap(), Vec::new())));
        let shared = Rc::clone(&kept);
        let options = Options::default();
        let run = simulate(&sim, Seed(1), &options, vec![Box::new(Eyes(shared))]).unwrap();
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

    /// Whatever is judged while a run goes on, one can go to.
    #[test]
    fn every_check_has_its_moment() {
        let all = "[tracing]\nsample = \"100%\"\n[resilience]\npreset = \"simple\"\n[approvals]\n[dashboard]\n\
                   [[reviewer]]\nname = \"lead\"\n\
                   [[runner]]\nname = \"r\"\ntasks = 2\napproval = true\n";
        let (_, _, moments) = moments(all);
        let at_the_end = ["nothing_outstanding_at_the_end"];
        let mut judged = 0;
        for Moment { result, reached, .. } in &moments {
            if result.evaluated > 0 && !at_the_end.contains(&result.check.as_str()) {
                judged += 1;
                assert!(reached.is_some(), "{}", result.check);
            }
        }
        let has =
            |check: &str| moments.iter().any(|it| it.result.check == check && it.reached.is_some());
        for check in [
            "requests_end_as_they_were_admitted",
            "approvals_decided_once",
            "widgets_change_legally",
            "one_trace_for_each_request",
        ] {
            assert!(has(check), "{check}");
        }
        assert!(judged > 10, "{judged}");
    }

    #[test]
    fn what_breaks_a_flow_has_its_moment() {
        // The queue forgets what was submitted, and asks for it again.
        let flow = "[approvals]\ndurable = false\n[[reviewer]]\nname = \"lead\"\nthink = \"3s\"\n\
                    [[runner]]\nname = \"r\"\ncount = 3\ntasks = 4\ntakes = \"2s\"\napproval = true\n\
                    [[fault]]\nat = \"8s\"\nfor = \"2s\"\ncrash = { node = \"approvals\" }\n";
        let (_, records, moments) = moments(flow);
        let it = moments.iter().find(|it| it.result.check == "approvals_decided_once").unwrap();
        assert!(it.result.failure.is_some(), "{it:?}");
        let broken = it.broken.unwrap();
        assert!(
            records
                .iter()
                .any(|record| record.seq == broken && record.kind == "approval_submitted")
        );
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
