//! What a sweep is to run, and the order of it.
//!
//! Seeds go first: every sim has its turn at a seed before the next seed comes, so that whatever
//! ends a sweep early has looked at all sims. A shard takes every N-th seed, not a block: shards are
//! then alike, and a sweep without an end can be divided too.

use super::{PlanLine, PlannedSim, RESULTS_VERSION, Shard, ShardLine};

/// Seeds of sims, and which shard of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    from: u64,
    /// How many seeds; `None` for all there are from the first on.
    seeds: Option<u64>,
    shard: Shard,
    sims: Vec<PlannedSim>,
}

/// One run of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its number in the shard, from 0.
    pub number: u64,
    /// Which of the plan's sims.
    pub sim: usize,
    /// The seed.
    pub seed: u64,
}

/// Why something cannot be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There is nothing to run.
    #[error("there is nothing to sweep: no sim, or no seed")]
    Nothing,
    /// The last seed would be larger than any.
    #[error("there are no {seeds} seeds from {from} on: the last seed is {}", u64::MAX)]
    TooFar {
        /// The first seed.
        from: u64,
        /// How many.
        seeds: u64,
    },
    /// Results name sims, not files.
    #[error("two of these sims are called {0}: sweep them one at a time")]
    SameName(String),
}

impl Plan {
    /// A plan: so many seeds from `from` on (`None`: without end) of each sim.
    ///
    /// The `seeds` of the sims are filled in here.
    ///
    /// # Errors
    ///
    /// When there is nothing to run, seeds run out, or two sims have one name.
    pub fn new(
        from: u64,
        seeds: Option<u64>,
        shard: Shard,
        mut sims: Vec<PlannedSim>,
    ) -> Result<Plan, PlanError> {
        if sims.is_empty() || seeds == Some(0) {
            return Err(PlanError::Nothing);
        }
        let last = match seeds {
            Some(seeds) => {
                Some(from.checked_add(seeds - 1).ok_or(PlanError::TooFar { from, seeds })?)
            }
            None => None,
        };
        sims.sort_by(|a, b| a.sim.cmp(&b.sim));
        if let Some(pair) = sims.windows(2).find(|pair| pair[0].sim == pair[1].sim) {
            return Err(PlanError::SameName(pair[0].sim.clone()));
        }
        for sim in &mut sims {
            sim.seeds = last.map(|last| [from, last]).into_iter().collect();
        }
        Ok(Plan { from, seeds, shard, sims })
    }

    /// The sims, by name.
    pub fn sims(&self) -> &[PlannedSim] {
        &self.sims
    }

    /// Which part of it is run here.
    pub fn shard(&self) -> Shard {
        self.shard
    }

    /// A run of this shard, by its number from 0.
    pub fn task(&self, number: u64) -> Option<Task> {
        let sims = self.sims.len() as u64;
        let turn = number / sims;
        let offset = turn.checked_mul(self.shard.of())?.checked_add(self.shard.index() - 1)?;
        if self.seeds.is_some_and(|seeds| offset >= seeds) {
            return None;
        }
        let seed = self.from.checked_add(offset)?;
        Some(Task { number, sim: usize::try_from(number % sims).ok()?, seed })
    }

    /// The run of this seed of this sim, if it is one of this shard.
    pub fn find(&self, sim: &str, seed: u64) -> Option<Task> {
        let index = self.sims.binary_search_by(|known| known.sim.as_str().cmp(sim)).ok()?;
        let offset = seed.checked_sub(self.from)?;
        if self.seeds.is_some_and(|seeds| offset >= seeds)
            || offset % self.shard.of() != self.shard.index() - 1
        {
            return None;
        }
        let turn = offset / self.shard.of();
        let number = turn.checked_mul(self.sims.len() as u64)?.checked_add(index as u64)?;
        Some(Task { number, sim: index, seed })
    }

    /// How many runs this shard has; `None` if there is no end to them.
    pub fn count(&self) -> Option<u64> {
        let seeds = self.seeds?;
        let before = self.shard.index() - 1;
        let turns = seeds.saturating_sub(before).div_ceil(self.shard.of());
        Some(turns.saturating_mul(self.sims.len() as u64))
    }

    /// The line that says it, at the head of its results. `arguments` are those that a replay needs
    /// besides sim and seed.
    pub fn line(&self, arguments: Vec<String>) -> PlanLine {
        PlanLine {
            version: RESULTS_VERSION,
            seedbed: env!("CARGO_PKG_VERSION").to_owned(),
            endless_from: self.seeds.is_none().then_some(self.from),
            shard: Some(ShardLine { index: self.shard.index(), of: self.shard.of() }),
            arguments,
            sims: self.sims.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::sweep::Hex;

    fn sim(name: &str) -> PlannedSim {
        PlannedSim {
            sim: name.to_owned(),
            path: format!("sims/{name}.toml"),
            scenario_hash: Hex(1),
            seeds: Vec::new(),
        }
    }

    fn plan(from: u64, seeds: Option<u64>, shard: &str, sims: &[&str]) -> Plan {
        let sims = sims.iter().map(|name| sim(name)).collect();
        Plan::new(from, seeds, shard.parse().unwrap(), sims).unwrap()
    }

    #[test]
    fn shards_share_all_runs_and_each_run_is_found_again() {
        for of in 1..6 {
            let mut all = Vec::new();
            for index in 1..=of {
                let plan = plan(10, Some(7), &format!("{index}/{of}"), &["b", "a"]);
                let tasks: Vec<Task> = (0..).map_while(|number| plan.task(number)).collect();
                assert_eq!(plan.count(), Some(tasks.len() as u64), "{index}/{of}");
                for task in &tasks {
                    assert_eq!(plan.find(&plan.sims()[task.sim].sim, task.seed), Some(*task));
                }
                all.extend(tasks.iter().map(|task| (task.seed, task.sim)));
            }
            all.sort_unstable();
            let expected: Vec<_> = (10..17).flat_map(|seed| [(seed, 0), (seed, 1)]).collect();
            assert_eq!(all, expected, "{of} shards");
        }
        assert_eq!(plan(1, Some(2), "4/4", &["a"]).count(), Some(0));
    }

    #[test]
    fn what_is_not_planned_is_not_found() {
        let plan = plan(10, Some(7), "1/2", &["a"]);
        assert_eq!(plan.find("b", 10), None);
        for seed in [0, 9, 11, 17, 18, u64::MAX] {
            assert_eq!(plan.find("a", seed), None, "{seed}");
        }
    }

    #[test]
    fn seeds_without_end_end_with_the_numbers() {
        let plan = plan(u64::MAX - 1, None, "1/1", &["a"]);
        assert_eq!(plan.task(1).map(|task| task.seed), Some(u64::MAX));
        assert_eq!((plan.task(2), plan.count()), (None, None));
        assert_eq!(plan.task(u64::MAX), None);
    }

    #[test]
    fn a_plan_is_refused_if_it_makes_no_sense() {
        let new = |from, seeds, sims: &[&str]| {
            Plan::new(from, seeds, Shard::WHOLE, sims.iter().map(|name| sim(name)).collect())
        };
        assert_eq!(new(1, Some(0), &["a"]), Err(PlanError::Nothing));
        assert_eq!(new(1, Some(1), &[]), Err(PlanError::Nothing));
        assert!(matches!(new(2, Some(u64::MAX), &["a"]), Err(PlanError::TooFar { .. })));
        assert!(new(1, Some(u64::MAX), &["a"]).is_ok());
        assert_eq!(new(1, Some(1), &["a", "a"]), Err(PlanError::SameName("a".to_owned())));
    }
}
