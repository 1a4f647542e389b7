//! Whether something got slower, and how sure that is.
//!
//! One number proves nothing: a machine is busy, a cache is cold, a seed is unlucky. So a side is
//! several runs of the same, told by its median and by how far its runs are from it (the median of
//! the absolute deviations, which one wild run does not move). It is slower for certain if it is
//! slower by a ratio that matters *and* by more than the runs differ among themselves. Whatever
//! cannot be told from the spread is called unsure, and is no alarm.
//!
//! Nothing here measures anything: numbers come in.

use std::{collections::VecDeque, fmt};

/// The runs of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The middle one.
    pub median: u64,
    /// The median of how far each is from it.
    pub deviation: u64,
    /// How many there are.
    pub runs: usize,
}

impl Spread {
    /// That of these numbers; all zero if there are none.
    #[must_use]
    pub fn of(values: &[u64]) -> Spread {
        let median = median(values.to_vec());
        let deviation = median_of(values.iter().map(|value| value.abs_diff(median)));
        Spread { median, deviation, runs: values.len() }
    }

    /// How far the runs are from the median, in thousandths of it: the stated spread of a benchmark.
    #[must_use]
    pub fn permille(&self) -> u64 {
        self.deviation.saturating_mul(1_000).checked_div(self.median).unwrap_or(0)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ± {} of {} runs", self.median, self.deviation, self.runs)
    }
}

fn median_of(values: impl Iterator<Item = u64>) -> u64 {
    median(values.collect())
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

/// When it is called slower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judge {
    /// The ratio that matters, in thousandths: 1200 is a fifth slower.
    pub ratio_permille: u64,
    /// By how many deviations it must be slower.
    pub deviations: u64,
    /// With fewer runs on a side nothing is sure.
    pub runs_min: usize,
}

impl Default for Judge {
    /// A fifth slower, by five deviations (some three standard deviations of a normal distribution, as
    /// one of these is 1.48 of those), with five runs on each side.
    fn default() -> Judge {
        Judge { ratio_permille: 1_200, deviations: 5, runs_min: 5 }
    }
}

/// The numbers of a judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it was.
    pub before: Spread,
    /// How it is.
    pub after: Spread,
    /// How the medians stand to each other, in thousandths.
    pub ratio_permille: u64,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.ratio_permille / 1_000, self.ratio_permille % 1_000);
        write!(f, "{whole}.{part:03} times: {}, was {}", self.after, self.before)
    }
}

/// Why nothing can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// One side has too few runs.
    FewRuns,
    /// It is slower by the ratio, but not by more than its runs differ.
    WithinSpread,
    /// It is not slower by the ratio, but the runs differ so much that it may well be.
    WideSpread,
}

/// What came of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is slower, for certain.
    Slower(Finding),
    /// It is not slower by as much as matters.
    NoChange(Finding),
    /// That cannot be told.
    Unsure(Finding, Doubt),
}

impl Judgement {
    /// The numbers behind it.
    #[must_use]
    pub const fn finding(&self) -> &Finding {
        let (Judgement::Slower(finding)
        | Judgement::NoChange(finding)
        | Judgement::Unsure(finding, _)) = self;
        finding
    }
}

impl Judge {
    /// Compares runs with runs of before.
    #[must_use]
    pub fn compare(&self, before: &[u64], after: &[u64]) -> Judgement {
        let (before, after) = (Spread::of(before), Spread::of(after));
        let ratio = after.median.saturating_mul(1_000).checked_div(before.median);
        let finding = Finding { before, after, ratio_permille: ratio.unwrap_or(0) };
        if before.runs.min(after.runs) < self.runs_min.max(1) {
            return Judgement::Unsure(finding, Doubt::FewRuns);
        }
        let noise = before.deviation.max(after.deviation).saturating_mul(self.deviations);
        let most = u128::from(before.median) * u128::from(self.ratio_permille);
        let is_slower = u128::from(after.median) * 1_000 > most;
        // Would a change that matters be seen at all?
        let matters = most / 1_000;
        let is_wide = u128::from(noise) > matters.saturating_sub(u128::from(before.median));
        match is_slower {
            true if after.median.abs_diff(before.median) > noise => Judgement::Slower(finding),
            true => Judgement::Unsure(finding, Doubt::WithinSpread),
            false if is_wide && after.median > before.median => {
                Judgement::Unsure(finding, Doubt::WideSpread)
            }
            false => Judgement::NoChange(finding),
        }
    }
}

/// How many measurements make one run of a [`Baseline`].
pub const PER_RUN: usize = 10;
/// How many runs make a side of it.
pub const RUNS: usize = 5;

/// How long one thing took at first, and lately: runs are the medians of [`PER_RUN`] measurements,
/// the first [`RUNS`] runs are the baseline, and the latest as many are compared with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    first: Vec<u64>,
    latest: VecDeque<u64>,
    run: Vec<u64>,
}

impl Baseline {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Baseline {
        Baseline::default()
    }

    /// Sees a measurement; says something whenever a run is full and both sides are.
    pub fn see(&mut self, value: u64) -> Option<Judgement> {
        self.run.push(value);
        if self.run.len() < PER_RUN {
            return None;
        }
        let run = median(std::mem::take(&mut self.run));
        if self.first.len() < RUNS {
            self.first.push(run);
            return None;
        }
        if self.latest.len() >= RUNS {
            self.latest.pop_front();
        }
        self.latest.push_back(run);
        if self.latest.len() < RUNS {
            return None;
        }
        Some(Judge::default().compare(&self.first, self.latest.make_contiguous()))
    }
}
