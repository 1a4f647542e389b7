//! Two settings of a stack, or two versions of its results, seed by seed.
//!
//! One seed draws the same for both sides, as far as both draw it, so what differs between the two
//! runs of a seed says more than two averages would. What is told is the mean of these differences
//! and the interval that it lies in. A difference that chance may have made is never called one.
//! Floating point is fine here, and only here: nothing of this flows back into a run.

mod student;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use self::student::{Mean, sign_test, t_quantile};

use super::sweep::{FinishedLine, Hex, Measured, Merge};

/// How sure intervals are, all those of one metric together.
pub const CONFIDENCE: f64 = 0.95;

/// The unit of what is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// How many.
    Count,
    /// Parts per million of a whole.
    Ppm,
    /// Microseconds of virtual time.
    Us,
    /// Billionths of a dollar.
    Nanodollars,
}

/// Something of a run that is compared.
pub struct Quantity {
    /// Its name: that of the metric, or `runs.passed`.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Whether more of it is better.
    pub more_is_better: bool,
    value: fn(&FinishedLine) -> Option<u64>,
}

/// All that is compared, in the order in which it is told.
pub const QUANTITIES: &[Quantity] = &[
    Quantity {
        name: PASSED,
        unit: Unit::Ppm,
        more_is_better: true,
        value: |line| Some(u64::from(line.verdict.is_good()) * 1_000_000),
    },
    Quantity {
        name: "requests.success_rate",
        unit: Unit::Ppm,
        more_is_better: true,
        value: |line| {
            let Measured { requests, ok, .. } = line.measured?;
            ok.saturating_mul(1_000_000).checked_div(requests)
        },
    },
    less("latency.p50", Unit::Us, |line| line.measured?.p50_us),
    less("latency.p95", Unit::Us, |line| line.measured?.p95_us),
    less("latency.p99", Unit::Us, |line| line.measured?.p99_us),
    less("answers.tokens", Unit::Count, |line| line.measured?.answer_tokens),
    less(COST, Unit::Nanodollars, |line| line.measured?.cost_nanodollars),
    less(TOKENS, Unit::Count, |line| Some(line.measured?.tokens)),
    less("requests.attempts", Unit::Count, |line| Some(line.measured?.attempts)),
    less("requests.retries", Unit::Count, |line| Some(line.measured?.retries)),
    less("requests.fallback_used", Unit::Count, |line| Some(line.measured?.fallbacks)),
];

/// The share of runs that came to what they must.
const PASSED: &str = "runs.passed";
/// What the answers cost at the prices of their models.
const COST: &str = "answers.cost";
/// The tokens that were charged to quotas.
const TOKENS: &str = "quota.tokens";

const fn less(name: &'static str, unit: Unit, value: fn(&FinishedLine) -> Option<u64>) -> Quantity {
    Quantity { name, unit, more_is_better: false, value }
}

/// The results of a sim that both sides have.
#[derive(Debug)]
pub struct Matched {
    /// The sim, or both of them.
    pub sim: String,
    /// The two results of each seed.
    pub pairs: Vec<(FinishedLine, FinishedLine)>,
    /// Seeds that only one side has one result of.
    pub alone: u64,
}

/// What can be said of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// B is better.
    Better,
    /// B is worse.
    Worse,
    /// There may be one, and so many seeds cannot show it.
    NotShown,
    /// Every seed has the same value on both sides.
    Same,
    /// No seed has a value on both sides.
    Unmeasured,
}

/// One quantity of one sim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What is compared.
    pub metric: &'static str,
    /// The unit of all numbers of it.
    pub unit: Unit,
    /// How many seeds have a value on both sides.
    pub seeds: u64,
    /// The mean of A.
    pub a: f64,
    /// The mean of B.
    pub b: f64,
    /// The mean of B − A.
    pub difference: f64,
    /// Between what the true mean of B − A lies; `None` below two seeds.
    pub interval: Option<(f64, f64)>,
    /// What can be said of it.
    pub finding: Finding,
}

/// One sim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimComparison {
    /// The sim, or both of them.
    pub sim: String,
    /// How many seeds both sides have.
    pub seeds: u64,
    /// Seeds that only one side has one result of; left out.
    pub alone: u64,
    /// Of the seeds of both sides, those of which a result says nothing but whether it passed.
    pub unmeasured: u64,
    /// One for each of [`QUANTITIES`].
    pub rows: Vec<Row>,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// How sure each interval is: surer if there are several sims, so that all of a metric together
    /// are as sure as [`CONFIDENCE`] (Bonferroni).
    pub confidence: f64,
    /// Sim by sim.
    pub sims: Vec<SimComparison>,
}

impl Comparison {
    /// Compares what is there twice.
    pub fn of(matched: &[Matched]) -> Comparison {
        let confidence = 1.0 - (1.0 - CONFIDENCE) / matched.len().max(1) as f64;
        let sim = |it: &Matched| SimComparison {
            sim: it.sim.clone(),
            seeds: it.pairs.len() as u64,
            alone: it.alone,
            unmeasured: it
                .pairs
                .iter()
                .filter(|(a, b)| a.measured.is_none() || b.measured.is_none())
                .count() as u64,
            rows: QUANTITIES.iter().map(|what| row(what, &it.pairs, confidence)).collect(),
        };
        Comparison { confidence, sims: matched.iter().map(sim).collect() }
    }

    /// The rows of a quantity that have this finding, with their sims.
    pub fn found<'a>(
        &'a self,
        metric: &'a str,
        finding: Finding,
    ) -> impl Iterator<Item = (&'a str, &'a Row)> {
        let rows = self.sims.iter().flat_map(|sim| sim.rows.iter().map(|row| (&*sim.sim, row)));
        rows.filter(move |(_, row)| row.metric == metric && row.finding == finding)
    }
}

fn row(what: &Quantity, pairs: &[(FinishedLine, FinishedLine)], confidence: f64) -> Row {
    let (mut a, mut b, mut difference) = (Mean::default(), Mean::default(), Mean::default());
    let (mut seeds, mut less, mut more) = (0, 0, 0);
    // Without a quota nobody counts tokens, and that is not the same as none.
    let is_counted = |line: &FinishedLine| (what.value)(line).is_some_and(|value| value > 0);
    let is_told = what.name != TOKENS || pairs.iter().any(|(a, b)| is_counted(a) || is_counted(b));
    for (one, other) in pairs.iter().filter(|_| is_told) {
        let (Some(one), Some(other)) = ((what.value)(one), (what.value)(other)) else { continue };
        seeds += 1;
        less += u64::from(other < one);
        more += u64::from(other > one);
        let (one, other) = (one as f64, other as f64);
        a.add(one);
        b.add(other);
        difference.add(other - one);
    }
    let interval = difference.interval(confidence);
    let chance = 1.0 - confidence;
    // As many seeds must differ as could not all have done so to one side by chance. Of what is yes or
    // no for each seed, the exact test decides.
    let could_be = sign_test(less + more, 0) <= chance
        && (what.name != PASSED || sign_test(less, more) <= chance);
    let finding = match interval {
        _ if seeds == 0 => Finding::Unmeasured,
        _ if less + more == 0 => Finding::Same,
        Some((low, high)) if could_be && (low > 0.0 || high < 0.0) => {
            if (low > 0.0) == what.more_is_better { Finding::Better } else { Finding::Worse }
        }
        _ => Finding::NotShown,
    };
    Row {
        metric: what.name,
        unit: what.unit,
        seeds,
        a: a.mean(),
        b: b.mean(),
        difference: difference.mean(),
        interval,
        finding,
    }
}

/// Two files have different texts of a sim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A and B were made from different texts of the sim {sim}, or of its trace")]
pub struct OtherText {
    /// The sim.
    pub sim: String,
}

/// The results that two sets have in common. A seed with two results in one of them is left out.
///
/// # Errors
///
/// When a sim has another text on the other side: then more than the version differs.
pub fn matched(a: &Merge, b: &Merge) -> Result<Vec<Matched>, OtherText> {
    let (mut ours, mut theirs) = (single(a), single(b));
    let mut sims = Vec::new();
    for (sim, (hash, mut lines)) in std::mem::take(&mut ours) {
        let Some((other, mut others)) = theirs.remove(&sim) else { continue };
        if hash != other {
            return Err(OtherText { sim });
        }
        let seeds: BTreeSet<u64> = lines.keys().chain(others.keys()).copied().collect();
        let (mut pairs, mut alone) = (Vec::new(), 0);
        for seed in seeds {
            match (lines.remove(&seed).flatten(), others.remove(&seed).flatten()) {
                (Some(one), Some(other)) => pairs.push((one, other)),
                _ => alone += 1,
            }
        }
        sims.push(Matched { sim, pairs, alone });
    }
    Ok(sims)
}

/// Leaves of a result only what is compared: there may be many.
pub fn only_compared(line: &mut FinishedLine) {
    (line.reached, line.unreached) = (Vec::new(), Vec::new());
    (line.signature, line.failure) = (None, None);
}

type Single = BTreeMap<String, (Hex, BTreeMap<u64, Option<FinishedLine>>)>;

/// Of each sim the result of each seed; `None` where there are two.
fn single(merge: &Merge) -> Single {
    let mut sims = Single::new();
    for mut line in merge.results() {
        only_compared(&mut line);
        let (_, lines) =
            sims.entry(line.sim.clone()).or_insert_with(|| (line.scenario_hash, BTreeMap::new()));
        lines.entry(line.seed).and_modify(|known| *known = None).or_insert(Some(line));
    }
    sims
}

#[cfg(test)]
mod tests;
