//! Results of shards, of sweeps that were stopped and resumed, of machines that did the same work
//! twice: put together.
//!
//! Merging is the union of sets: of planned seeds, and of results. So the order of files does not
//! matter, nor how often one is given, and merged results can be merged again. What the machine had
//! a hand in (which shard, how long it took, what was started) is not part of a merged result; all
//! the rest is, in one order. Two results of one seed that differ are both kept, as both are news.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::{self, BufRead, Write},
    rc::Rc,
};

use super::{
    FinishedLine, Hex, Line, Lines, Measured, PlanLine, PlannedSim, RESULTS_VERSION, Ranges,
    RunVerdict, What,
};

/// How many bad lines of a file are named; further ones are only counted.
const NAMED_MAX: u64 = 10;

/// Why files cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A file cannot be read.
    #[error("{file} cannot be read: {source}")]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A file is of another version of the format.
    #[error("{file}:{line}: {why}")]
    Version {
        /// The file.
        file: String,
        /// The number of the line.
        line: u64,
        /// Which version.
        why: super::BadLine,
    },
    /// Two files are of different versions of seedbed.
    #[error("{file} is of seedbed {version} and {other} is of seedbed {other_version}")]
    Seedbed {
        /// A file.
        file: String,
        /// Its version.
        version: String,
        /// Another file.
        other: String,
        /// Its version.
        other_version: String,
    },
    /// Two files are of different texts of one sim.
    #[error("{file} and {other} were made from different texts of the sim {sim}, or of its trace")]
    Scenario {
        /// The sim.
        sim: String,
        /// A file.
        file: String,
        /// Another file.
        other: String,
    },
    /// No file says what was to be run.
    #[error("none of these files begins with a plan: they are no results of a sweep")]
    NoPlan,
}

/// Two results of one seed that differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The sim.
    pub sim: String,
    /// The seed.
    pub seed: u64,
    /// What its histories came to.
    pub fingerprints: Vec<Option<Hex>>,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fingerprints = self.fingerprints.iter().map(|fingerprint| match fingerprint {
            Some(Hex(number)) => format!("{number:016x}"),
            None => "none".to_owned(),
        });
        let fingerprints = fingerprints.collect::<Vec<_>>().join(" and ");
        write!(
            f,
            "{} seed {} has two results, with fingerprints {fingerprints}",
            self.sim, self.seed
        )
    }
}

/// A result, apart from its sim. The order of these is the order of merged results.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    seed: u64,
    fingerprint: Option<Hex>,
    verdict: RunVerdict,
    signature: Option<Rc<str>>,
    failure: Option<Rc<str>>,
    events: u64,
    virtual_ms: u64,
    reached: Rc<[Rc<str>]>,
    unreached: Rc<[Rc<str>]>,
    /// Last, so that a row without it stands right before the same row with it.
    measured: Option<Measured>,
}

/// A sim as plans have it.
#[derive(Debug)]
struct Planned {
    path: String,
    hash: Hex,
    seeds: Ranges,
    /// The file that said so first.
    file: String,
}

/// Results that are being put together.
#[derive(Debug, Default)]
pub struct Merge {
    seedbed: Option<(String, String)>,
    arguments: Option<Vec<String>>,
    endless_from: Option<u64>,
    sims: BTreeMap<Rc<str>, Planned>,
    rows: BTreeMap<(Rc<str>, Hex), BTreeSet<Row>>,
    /// The shards there are results of.
    shards: BTreeSet<(u64, u64)>,
    started: BTreeSet<(Rc<str>, u64)>,
    texts: BTreeSet<Rc<str>>,
    lists: BTreeSet<Rc<[Rc<str>]>>,
}

impl Merge {
    /// With nothing in it.
    pub fn new() -> Merge {
        Merge::default()
    }

    /// Reads a file. What in it is no result is left out, and told in the answer, a line each.
    ///
    /// # Errors
    ///
    /// When the file does not belong to those before, or cannot be read.
    pub fn read(&mut self, file: &str, reader: impl BufRead) -> Result<Vec<String>, MergeError> {
        let (mut complaints, mut bad, mut has_plan, mut is_empty) =
            (Vec::new(), 0_u64, false, true);
        let mut open: BTreeSet<(Rc<str>, u64)> = BTreeSet::new();
        for entry in Lines::new(reader) {
            let entry =
                entry.map_err(|source| MergeError::Read { file: file.to_owned(), source })?;
            is_empty = false;
            let why = match entry.what {
                What::Line(line) | What::LineWithoutEnd(line) => {
                    match line {
                        Line::Plan(plan) => {
                            has_plan = true;
                            self.plan(file, plan)?;
                        }
                        Line::Started(line) => {
                            open.insert((self.text(&line.sim), line.seed));
                        }
                        Line::Finished(line) => {
                            let sim = self.finished(&line);
                            open.remove(&(sim, line.seed));
                        }
                    }
                    continue;
                }
                What::Bad(why @ super::BadLine::Version(_)) => {
                    return Err(MergeError::Version {
                        file: file.to_owned(),
                        line: entry.number,
                        why,
                    });
                }
                What::Bad(why) => why.to_string(),
                What::Torn => "this line was not written to its end".to_owned(),
            };
            bad += 1;
            if bad <= NAMED_MAX {
                complaints.push(format!("{file}:{}: {why}", entry.number));
            }
        }
        if bad > NAMED_MAX {
            complaints.push(format!("{file}: {} more lines are no results", bad - NAMED_MAX));
        }
        if is_empty {
            complaints.push(format!("{file} is empty"));
        } else if !has_plan {
            complaints
                .push(format!("{file} has no plan: its results count if another file's has them"));
        }
        self.started.append(&mut open);
        Ok(complaints)
    }

    fn plan(&mut self, file: &str, plan: PlanLine) -> Result<(), MergeError> {
        match &self.seedbed {
            Some((other_version, other)) if *other_version != plan.seedbed => {
                return Err(MergeError::Seedbed {
                    file: file.to_owned(),
                    version: plan.seedbed,
                    other: other.clone(),
                    other_version: other_version.clone(),
                });
            }
            Some(_) => {}
            None => self.seedbed = Some((plan.seedbed, file.to_owned())),
        }
        for sim in plan.sims {
            let PlannedSim { sim, path, scenario_hash, seeds } = sim;
            let name = self.text(&sim);
            let known = self.sims.entry(name).or_insert_with(|| Planned {
                path: path.clone(),
                hash: scenario_hash,
                seeds: Ranges::default(),
                file: file.to_owned(),
            });
            if known.hash != scenario_hash {
                let other = known.file.clone();
                return Err(MergeError::Scenario { sim, file: file.to_owned(), other });
            }
            if path < known.path {
                known.path = path;
            }
            for [first, last] in seeds {
                known.seeds.insert_range(first, last);
            }
        }
        if let Some(shard) = plan.shard {
            self.shards.insert((shard.of, shard.index));
        }
        self.endless_from = [self.endless_from, plan.endless_from].into_iter().flatten().min();
        self.arguments = Some(match self.arguments.take() {
            Some(arguments) => arguments.min(plan.arguments),
            None => plan.arguments,
        });
        Ok(())
    }

    fn finished(&mut self, line: &FinishedLine) -> Rc<str> {
        let sim = self.text(&line.sim);
        let row = Row {
            seed: line.seed,
            fingerprint: line.fingerprint,
            verdict: line.verdict,
            signature: line.signature.as_deref().map(|text| self.text(text)),
            failure: line.failure.as_deref().map(|text| self.text(text)),
            events: line.events,
            virtual_ms: line.virtual_ms,
            reached: self.list(&line.reached),
            unreached: self.list(&line.unreached),
            measured: line.measured,
        };
        let rows = self.rows.entry((Rc::clone(&sim), line.scenario_hash)).or_default();
        // A result of earlier days, which measured nothing, is no second result.
        let bare = Row { measured: None, ..row.clone() };
        if row.measured.is_some() {
            rows.remove(&bare);
        }
        let is_told = |known: &Row| Row { measured: None, ..known.clone() } == bare;
        if row.measured.is_some() || !rows.range(&bare..).next().is_some_and(is_told) {
            rows.insert(row);
        }
        sim
    }

    /// A text, kept once.
    fn text(&mut self, text: &str) -> Rc<str> {
        if let Some(known) = self.texts.get(text) {
            return Rc::clone(known);
        }
        let text: Rc<str> = text.into();
        self.texts.insert(Rc::clone(&text));
        text
    }

    /// A list of texts, kept once.
    fn list(&mut self, texts: &[String]) -> Rc<[Rc<str>]> {
        let list: Vec<Rc<str>> = texts.iter().map(|text| self.text(text)).collect();
        if let Some(known) = self.lists.get(list.as_slice()) {
            return Rc::clone(known);
        }
        let list: Rc<[Rc<str>]> = list.into();
        self.lists.insert(Rc::clone(&list));
        list
    }

    /// The plan of all of it.
    ///
    /// # Errors
    ///
    /// When no file had one.
    pub fn merged_plan(&self) -> Result<PlanLine, MergeError> {
        let Some((seedbed, _)) = &self.seedbed else { return Err(MergeError::NoPlan) };
        let sims = self.sims.iter().map(|(sim, planned)| PlannedSim {
            sim: sim.to_string(),
            path: planned.path.clone(),
            scenario_hash: planned.hash,
            seeds: planned.seeds.iter().map(|(first, last)| [first, last]).collect(),
        });
        Ok(PlanLine {
            version: RESULTS_VERSION,
            seedbed: seedbed.clone(),
            endless_from: self.endless_from,
            shard: None,
            arguments: self.arguments.clone().unwrap_or_default(),
            sims: sims.collect(),
        })
    }

    fn is_planned(&self, planned: &Planned, seed: u64) -> bool {
        planned.seeds.contains(seed) || self.endless_from.is_some_and(|from| from <= seed)
    }

    /// The results that were planned, with their sims.
    fn planned_rows(&self) -> impl Iterator<Item = (&str, Hex, &Row)> {
        self.sims.iter().flat_map(move |(sim, planned)| {
            let rows = self.rows.get(&(Rc::clone(sim), planned.hash));
            let rows = rows.into_iter().flatten();
            rows.filter(|row| self.is_planned(planned, row.seed))
                .map(move |row| (&**sim, planned.hash, row))
        })
    }

    /// All results, in the one order that they have.
    pub fn results(&self) -> impl Iterator<Item = FinishedLine> + '_ {
        let list = |list: &[Rc<str>]| list.iter().map(ToString::to_string).collect();
        self.planned_rows().map(move |(sim, hash, row)| FinishedLine {
            version: RESULTS_VERSION,
            sim: sim.to_owned(),
            scenario_hash: hash,
            seed: row.seed,
            fingerprint: row.fingerprint,
            verdict: row.verdict,
            signature: row.signature.as_deref().map(str::to_owned),
            failure: row.failure.as_deref().map(str::to_owned),
            events: row.events,
            virtual_ms: row.virtual_ms,
            wall_us: None,
            measured: row.measured,
            reached: list(&row.reached),
            unreached: list(&row.unreached),
        })
    }

    /// Writes the merged results: the plan, then one line for each result.
    ///
    /// # Errors
    ///
    /// Those of the writer, and [`MergeError::NoPlan`] as one of them.
    pub fn write(&self, writer: &mut impl Write) -> io::Result<()> {
        let plan = self.merged_plan().map_err(io::Error::other)?;
        writer.write_all(Line::Plan(plan).to_text()?.as_bytes())?;
        for line in self.results() {
            writer.write_all(Line::Finished(Box::new(line)).to_text()?.as_bytes())?;
        }
        Ok(())
    }

    /// The seeds of a sim that have a result.
    fn found(&self, sim: &Rc<str>, planned: &Planned) -> Ranges {
        let rows = self.rows.get(&(Rc::clone(sim), planned.hash));
        rows.into_iter().flatten().map(|row| row.seed).collect()
    }

    /// Of each sim the planned seeds that have no result.
    pub fn missing(&self) -> BTreeMap<&str, Ranges> {
        let left = self.sims.iter().map(|(sim, planned)| {
            let found = self.found(sim, planned);
            (&**sim, planned.seeds.without(&found))
        });
        left.filter(|(_, left)| !left.is_empty()).collect()
    }

    /// The shards that no file is of, if there are shards: how many, and the first of them, at most so
    /// many, as index and number of shards.
    pub fn missing_shards(&self, most: usize) -> (u64, Vec<(u64, u64)>) {
        let mut found: BTreeMap<u64, u64> = BTreeMap::new();
        for (of, _) in &self.shards {
            *found.entry(*of).or_default() += 1;
        }
        let count = found.iter().fold(0_u64, |sum, (of, found)| sum.saturating_add(of - found));
        let all = found.keys().flat_map(|of| (1..=*of).map(|index| (index, *of)));
        // Of each number no more are passed over than there are plans: a file cannot make this long.
        let missing = all.filter(|(index, of)| !self.shards.contains(&(*of, *index)));
        (count, missing.take(most).collect())
    }

    /// What was started and never finished.
    pub fn unfinished(&self) -> Vec<(&str, u64)> {
        let found = self.sims.iter().map(|(sim, planned)| (sim, self.found(sim, planned)));
        let found: BTreeMap<&Rc<str>, Ranges> = found.collect();
        let is_open =
            |sim: &Rc<str>, seed: u64| found.get(sim).is_none_or(|seeds| !seeds.contains(seed));
        let open = self.started.iter().filter(|(sim, seed)| is_open(sim, *seed));
        open.map(|(sim, seed)| (&**sim, *seed)).collect()
    }

    /// The seeds that have two results.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut conflicts: Vec<Conflict> = Vec::new();
        let mut before: Option<(&str, &Row)> = None;
        for (sim, _, row) in self.planned_rows() {
            if let Some((_, other)) =
                before.filter(|(s, other)| *s == sim && other.seed == row.seed)
            {
                match conflicts.last_mut() {
                    Some(last) if last.sim == sim && last.seed == row.seed => {
                        last.fingerprints.push(row.fingerprint);
                    }
                    _ => conflicts.push(Conflict {
                        sim: sim.to_owned(),
                        seed: row.seed,
                        fingerprints: vec![other.fingerprint, row.fingerprint],
                    }),
                }
            }
            before = Some((sim, row));
        }
        conflicts
    }

    /// How many results no plan has; they are left out.
    pub fn unplanned(&self) -> u64 {
        let all: usize = self.rows.values().map(BTreeSet::len).sum();
        all as u64 - self.planned_rows().count() as u64
    }
}

#[cfg(test)]
mod tests;
