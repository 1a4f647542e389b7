//! Makes a failing sim smaller and simpler, until nothing can go.
//!
//! It works on the sim's own text, never on the seed alone: what comes out is a plain sim that stays
//! valid when code changes. A smaller sim is taken only if it fails with the same signature. Which
//! one is taken depends on the order of the candidates and never on which of them is done first, so
//! the number of threads changes nothing.
//!
//! A sim fails for the wrong reason if it only asks for more than is left of it. So where the sim
//! passes without its faults and errors, every smaller one has to pass without them as well.

mod passes;
#[cfg(test)]
mod planted;
#[cfg(test)]
mod tests;
mod windows;

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    panic::{self, AssertUnwindSafe},
};

use self::passes::PASSES;
use super::{
    Options, Signature,
    document::{Change, Document, Edit, place},
    simulate,
};
use crate::{
    scenario::{self, Sim},
    world::{Ending, Seed},
};

/// How many runs a shrinking may take unless said otherwise.
pub const RERUNS_MAX: u32 = 300;

/// How large a sim is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Size {
    /// Planned faults.
    pub faults: u64,
    /// Nodes.
    pub nodes: u64,
    /// Requests and calls that are made by agents, callers and askers in loops of their own.
    pub requests: u64,
    /// Values that the text sets, without its purpose and its seeds.
    pub settings: u64,
}

impl Size {
    /// The size of a sim; its text has to be valid.
    fn of(document: &Document, sim: &Sim) -> Size {
        let agents = sim.agents.iter().map(|it| (it.count, u64::from(it.requests)));
        let callers = sim.callers.iter().map(|it| (it.count, u64::from(it.requests)));
        let askers = sim.askers.iter().map(|it| (it.count, u64::from(it.requests)));
        let groups = agents.chain(callers).chain(askers);
        Size {
            faults: sim.faults.len() as u64,
            nodes: sim.node_names().len() as u64,
            requests: groups.map(|(count, each)| u64::from(count).saturating_mul(each)).sum(),
            settings: document.leaves(&[]).len().saturating_sub(2) as u64,
        }
    }

    /// One number to compare by.
    pub fn total(self) -> u64 {
        self.faults + self.nodes + self.requests + self.settings
    }
}

/// What to shrink.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The path that the text is read under.
    pub name: String,
    /// What the sim is called where its origin is told.
    pub origin: String,
    /// The text of the sim.
    pub text: String,
    /// The seed that it fails with.
    pub seed: Seed,
    /// The most runs that it may take.
    pub reruns_max: u32,
}

/// Why a sim cannot be shrunk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShrinkError {
    /// It cannot be read, or it cannot be run.
    #[error("it cannot be run as it is")]
    CannotRun,
    /// It does not fail.
    #[error("it does not fail with this seed")]
    DoesNotFail,
}

/// What became of one candidate.
pub struct Tried {
    is_taken: bool,
    /// How many runs that took.
    runs: u32,
    /// What is now known of texts: their signatures.
    learned: Vec<(String, Vec<Signature>)>,
}

/// Calls the first with each number below a count, on as many threads as it likes, and the second
/// with the results in order, until that breaks off.
pub type TryAll<'a> = dyn FnMut(usize, &(dyn Fn(usize) -> Tried + Sync), &mut dyn FnMut(usize, Tried) -> ControlFlow<()>)
    + 'a;

/// A smaller sim than before.
#[derive(Clone, Debug)]
pub struct Smaller<'a> {
    /// Its text, which can be run as it is.
    pub text: &'a str,
    /// How large it is.
    pub size: Size,
    /// How many runs it took so far.
    pub reruns: u32,
    /// What is being tried.
    pub pass: &'static str,
}

/// What a shrinking needs from outside.
pub struct Tools<'a> {
    /// How candidates are tried.
    pub try_all: &'a mut TryAll<'a>,
    /// Whether time is up.
    pub is_over: &'a dyn Fn() -> bool,
    /// Told of every smaller sim.
    pub on_smaller: &'a mut dyn FnMut(&Smaller<'_>),
}

/// What a shrinking came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The smallest sim that was found.
    pub text: String,
    /// What it fails with.
    pub signature: Signature,
    /// How large it was.
    pub before: Size,
    /// How large it is.
    pub after: Size,
    /// How many runs it took.
    pub reruns: u32,
    /// Whether nothing more can go; otherwise the runs or the time came to an end.
    pub is_minimal: bool,
}

/// Runs a text once: its signatures, and how it ended. `None` if it cannot be run.
fn probe(name: &str, text: &str, seed: Seed) -> Option<(Vec<Signature>, Ending)> {
    let sim = scenario::parse(name, text).ok()?;
    let run = AssertUnwindSafe(|| simulate(&sim, seed, &Options::default(), Vec::new()));
    // A candidate that breaks seedbed itself is none.
    let run = panic::catch_unwind(run).ok()?.ok()?;
    Some((Signature::all(&sim, &run), run.outcome.ending))
}

/// The signature that a sim fails with, `None` inside if it does not.
///
/// # Errors
///
/// [`ShrinkError::CannotRun`].
pub fn signature_of(name: &str, text: &str, seed: Seed) -> Result<Option<Signature>, ShrinkError> {
    let (signatures, _) = probe(name, text, seed).ok_or(ShrinkError::CannotRun)?;
    Ok(signatures.into_iter().next())
}

/// Makes a failing sim as small as it gets.
///
/// # Errors
///
/// A [`ShrinkError`] if there is nothing to shrink.
pub fn shrink(subject: &Subject, tools: Tools<'_>) -> Result<Shrunk, ShrinkError> {
    let (name, seed) = (subject.name.as_str(), subject.seed);
    let target = signature_of(name, &subject.text, seed)?.ok_or(ShrinkError::DoesNotFail)?;
    let document = Document::parse(&subject.text).ok_or(ShrinkError::CannotRun)?;
    let document = document.with(&headed(subject, &target));
    let text = document.text();
    // What is not part of the failure has gone already; it must fail as before.
    if signature_of(name, &text, seed)?.as_ref() != Some(&target) {
        return Err(ShrinkError::CannotRun);
    }
    let calm = probe(name, &passes::calm(&document).text(), seed);
    let must_be_calm = calm.is_some_and(|(signatures, _)| !signatures.contains(&target));
    let before = size(name, &document).ok_or(ShrinkError::CannotRun)?;
    let mut shrinking = Shrinking {
        subject: subject.clone(),
        target,
        must_be_calm,
        best: document,
        known: BTreeMap::new(),
        reruns: 3,
        pass: "",
        tools,
    };
    let is_minimal = shrinking.run_all_passes();
    let after = size(name, &shrinking.best).unwrap_or(before);
    Ok(Shrunk {
        text: shrinking.best.text(),
        signature: shrinking.target,
        before,
        after,
        reruns: shrinking.reruns,
        is_minimal,
    })
}

fn size(name: &str, document: &Document) -> Option<Size> {
    let sim = scenario::parse(name, &document.text()).ok()?;
    Some(Size::of(document, &sim))
}

/// What a regression sim says at its beginning, in place of what the larger one said.
fn headed(subject: &Subject, target: &Signature) -> Edit {
    let Subject { origin, seed, .. } = subject;
    let purpose =
        format!("A regression test, what is left of {origin} with seed {seed}: {target}.");
    let seeds = i64::try_from(seed.0)
        .ok()
        .map_or_else(|| toml_edit::Value::from(format!("0x{:x}", seed.0)), toml_edit::Value::from);
    vec![
        Change::Set(place!["purpose"], purpose.into()),
        Change::Set(place!["seeds"], toml_edit::Value::from_iter([seeds])),
        Change::Remove(place!["covers"]),
        Change::Remove(place!["must"]),
    ]
}

/// A shrinking that goes on.
struct Shrinking<'a> {
    subject: Subject,
    target: Signature,
    /// Whether nothing may fail without faults and errors.
    must_be_calm: bool,
    best: Document,
    /// The signatures of texts that have been run.
    known: BTreeMap<String, Vec<Signature>>,
    reruns: u32,
    pass: &'static str,
    tools: Tools<'a>,
}

impl Shrinking<'_> {
    /// Whether it ended because nothing more can go.
    fn run_all_passes(&mut self) -> bool {
        loop {
            let before = self.best.text();
            for pass in &PASSES {
                self.pass = pass.name;
                self.reduce((pass.edits)(&self.best));
            }
            self.lower_counts();
            self.narrow_windows();
            if self.is_over() {
                return false;
            }
            if self.best.text() == before {
                break;
            }
        }
        self.shorten();
        !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.reruns >= self.subject.reruns_max || (self.tools.is_over)()
    }

    /// Applies as many of these edits as it can: all at once, then ever smaller shares of them.
    fn reduce(&mut self, edits: Vec<Edit>) {
        let base = self.best.clone();
        let (mut taken, mut open) = (Edit::new(), edits);
        open.retain(|edit| scenario::parse(&self.subject.name, &base.with(edit).text()).is_ok());
        let mut share = open.len();
        while share > 0 {
            let mut from = 0;
            while from < open.len() && !self.is_over() {
                let shares: Vec<&[Edit]> =
                    open.get(from..).unwrap_or_default().chunks(share).collect();
                let candidate = |index: usize| {
                    let share = shares.get(index).copied().unwrap_or_default();
                    base.with(taken.iter().chain(share.iter().flatten()))
                };
                let Some(first) = self.first(shares.len(), &candidate) else { break };
                from += first * share;
                let to = open.len().min(from + share);
                taken.extend(open.drain(from..to).flatten());
            }
            share = if share == 1 { 0 } else { share.div_ceil(2) };
        }
    }

    /// Tries candidates, and takes the first in order that fails as it must.
    fn first(
        &mut self,
        count: usize,
        candidate: &(dyn Fn(usize) -> Document + Sync),
    ) -> Option<usize> {
        if self.is_over() {
            return None;
        }
        let judge = Judge {
            subject: &self.subject,
            target: &self.target,
            must_be_calm: self.must_be_calm,
            best: &self.best.text(),
            known: &self.known,
        };
        let work = |index: usize| judge.judge(&candidate(index));
        let (mut winner, mut reruns, mut learned) = (None, self.reruns, Vec::new());
        let most = self.subject.reruns_max;
        (self.tools.try_all)(count, &work, &mut |index, tried| {
            reruns += tried.runs;
            learned.extend(tried.learned);
            winner = tried.is_taken.then_some(index);
            let is_over = winner.is_some() || reruns >= most;
            if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        self.reruns = reruns;
        self.known.extend(learned);
        self.best = candidate(winner?);
        if let Some(size) = size(&self.subject.name, &self.best) {
            let text = &self.best.text();
            (self.tools.on_smaller)(&Smaller { text, size, reruns, pass: self.pass });
        }
        winner
    }

    /// Tries one edit of the best sim.
    fn takes(&mut self, edit: &Edit) -> bool {
        let candidate = self.best.with(edit);
        self.first(1, &|_| candidate.clone()).is_some()
    }
}

/// Decides about candidates.
struct Judge<'a> {
    subject: &'a Subject,
    target: &'a Signature,
    must_be_calm: bool,
    /// The text of the best sim so far.
    best: &'a str,
    known: &'a BTreeMap<String, Vec<Signature>>,
}

impl Judge<'_> {
    fn judge(&self, candidate: &Document) -> Tried {
        let mut tried = Tried { is_taken: false, runs: 0, learned: Vec::new() };
        let text = candidate.text();
        if text == self.best {
            return tried;
        }
        let as_it_must = |found: &[Signature]| found.first() == Some(self.target);
        if self.ask(text, &mut tried, as_it_must) == Some(true) {
            let calm = self.must_be_calm.then(|| passes::calm(candidate).text());
            let as_well = |found: &[Signature]| found.contains(self.target);
            tried.is_taken =
                calm.is_none_or(|calm| self.ask(calm, &mut tried, as_well) == Some(false));
        }
        tried
    }

    /// Asks something about the failures of a text; `None` if it cannot be run.
    fn ask(
        &self,
        text: String,
        tried: &mut Tried,
        question: impl Fn(&[Signature]) -> bool,
    ) -> Option<bool> {
        if let Some(found) = self.known.get(&text) {
            return Some(question(found));
        }
        scenario::parse(&self.subject.name, &text).ok()?;
        tried.runs += 1;
        let (found, _) = probe(&self.subject.name, &text, self.subject.seed)?;
        let answer = question(&found);
        tried.learned.push((text, found));
        Some(answer)
    }
}
