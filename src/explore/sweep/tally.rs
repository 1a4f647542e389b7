//! Counts what runs came to, and groups those that failed alike. It holds groups, never runs, so a
//! sweep of any length takes the same room.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{FinishedLine, RunVerdict};

/// How many distinct failures are told apart; further ones are only counted.
pub const GROUPS_MAX: usize = 1_000;

/// The sim, and the signature of a failure in it.
pub type GroupKey = (String, String);

/// Runs that failed alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// How many.
    pub count: u64,
    /// The worst verdict among them.
    pub verdict: RunVerdict,
    /// The smallest seed.
    pub first_seed: u64,
    /// What happened there.
    pub failure: String,
}

/// What runs came to, in whatever order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many runs.
    pub runs: u64,
    /// How many passed.
    pub passed: u64,
    /// How many canaries did what they must.
    pub canaries: u64,
    /// How many failed, nondeterminism included.
    pub failed: u64,
    /// How many showed that one seed has two histories.
    pub nondeterministic: u64,
    /// Events of all runs.
    pub events: u64,
    /// Virtual time of all runs, in milliseconds.
    pub virtual_ms: u64,
    /// Distinct failures.
    pub groups: BTreeMap<GroupKey, Group>,
    /// Failed runs that found no place among [`GROUPS_MAX`] groups.
    pub ungrouped: u64,
    /// Of each sim its checks, and whether any run reached them.
    checks: BTreeMap<String, BTreeMap<String, bool>>,
}

impl Tally {
    /// Adds what a run came to.
    pub fn add(&mut self, line: &FinishedLine) {
        self.runs += 1;
        self.events = self.events.saturating_add(line.events);
        self.virtual_ms = self.virtual_ms.saturating_add(line.virtual_ms);
        match line.verdict {
            RunVerdict::Pass => self.passed += 1,
            RunVerdict::FailedAsItMust | RunVerdict::DivergedAsItMust => self.canaries += 1,
            RunVerdict::Fail => self.fail(line),
            RunVerdict::Nondeterminism => {
                self.nondeterministic += 1;
                self.fail(line);
            }
        }
        if !self.checks.contains_key(&line.sim) {
            self.checks.insert(line.sim.clone(), BTreeMap::new());
        }
        let Some(checks) = self.checks.get_mut(&line.sim) else { return };
        for (names, was_reached) in [(&line.reached, true), (&line.unreached, false)] {
            for name in names {
                match checks.get_mut(name) {
                    Some(reached) => *reached |= was_reached,
                    None => {
                        checks.insert(name.clone(), was_reached);
                    }
                }
            }
        }
    }

    fn fail(&mut self, line: &FinishedLine) {
        self.failed += 1;
        let signature = line.signature.clone().unwrap_or_default();
        let key = (line.sim.clone(), signature);
        let failure = line.failure.clone().unwrap_or_default();
        let has_room = self.groups.len() < GROUPS_MAX;
        match self.groups.get_mut(&key) {
            Some(group) => {
                group.count += 1;
                group.verdict = group.verdict.max(line.verdict);
                if line.seed < group.first_seed {
                    group.first_seed = line.seed;
                    group.failure = failure;
                }
            }
            None if has_room => {
                let (verdict, first_seed) = (line.verdict, line.seed);
                self.groups.insert(key, Group { count: 1, verdict, first_seed, failure });
            }
            None => self.ungrouped += 1,
        }
    }

    /// The groups, those that matter most first: nondeterminism, then the most frequent.
    pub fn ranked(&self) -> Vec<(&GroupKey, &Group)> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|(_, group)| Reverse((group.verdict, group.count)));
        groups
    }

    /// Of each sim the checks that no run of it reached.
    pub fn never_reached(&self) -> BTreeMap<&str, Vec<&str>> {
        self.checks
            .iter()
            .map(|(sim, checks)| {
                let never = checks.iter().filter(|(_, reached)| !**reached);
                (sim.as_str(), never.map(|(name, _)| name.as_str()).collect::<Vec<_>>())
            })
            .filter(|(_, checks)| !checks.is_empty())
            .collect()
    }

    /// The checks that no run of any sim reached.
    pub fn reached_nowhere(&self) -> Vec<&str> {
        let mut all: BTreeMap<&str, bool> = BTreeMap::new();
        for (name, reached) in self.checks.values().flatten() {
            *all.entry(name.as_str()).or_default() |= *reached;
        }
        all.into_iter().filter(|(_, reached)| !reached).map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::sweep::{Hex, RESULTS_VERSION};

    fn line(seed: u64, verdict: RunVerdict, signature: Option<&str>) -> FinishedLine {
        FinishedLine {
            version: RESULTS_VERSION,
            sim: "a".to_owned(),
            scenario_hash: Hex(1),
            seed,
            fingerprint: Some(Hex(seed)),
            verdict,
            signature: signature.map(str::to_owned),
            failure: signature.map(|text| format!("{text} in {seed}")),
            events: 1,
            virtual_ms: 2,
            wall_us: None,
            measured: None,
            reached: vec!["x".to_owned()],
            unreached: vec!["y".to_owned()],
        }
    }

    #[test]
    fn runs_that_fail_alike_are_one_failure_in_any_order() {
        let mut lines: Vec<FinishedLine> =
            (1..20).map(|seed| line(seed, RunVerdict::Pass, None)).collect();
        lines.extend((20..40).map(|seed| line(seed, RunVerdict::Fail, Some("often"))));
        lines.push(line(9_000, RunVerdict::Nondeterminism, Some("leak")));
        let (mut forth, mut back) = (Tally::default(), Tally::default());
        lines.iter().for_each(|line| forth.add(line));
        lines.iter().rev().for_each(|line| back.add(line));
        assert_eq!(forth, back);
        assert_eq!((forth.runs, forth.passed, forth.failed), (40, 19, 21));
        let ranked: Vec<_> =
            forth.ranked().into_iter().map(|(key, group)| (&*key.1, group.count)).collect();
        assert_eq!(ranked, [("leak", 1), ("often", 20)]);
        assert_eq!(forth.groups[&("a".to_owned(), "often".to_owned())].failure, "often in 20");
    }

    #[test]
    fn a_check_is_reached_if_any_run_reached_it() {
        let mut tally = Tally::default();
        tally.add(&line(1, RunVerdict::Pass, None));
        assert_eq!(tally.never_reached(), BTreeMap::from([("a", vec!["y"])]));
        assert_eq!(tally.reached_nowhere(), ["y"]);
        let reached = FinishedLine {
            reached: vec!["y".to_owned()],
            unreached: Vec::new(),
            ..line(2, RunVerdict::Pass, None)
        };
        tally.add(&reached);
        assert!(tally.never_reached().is_empty() && tally.reached_nowhere().is_empty());
    }

    #[test]
    fn any_number_of_distinct_failures_takes_bounded_room() {
        let mut tally = Tally::default();
        for seed in 0..GROUPS_MAX as u64 + 7 {
            tally.add(&line(seed, RunVerdict::Fail, Some(&format!("cause {seed}"))));
        }
        assert_eq!((tally.groups.len(), tally.ungrouped), (GROUPS_MAX, 7));
    }
}
