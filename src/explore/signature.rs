//! The signature of a failure: which check failed, who was involved, and why, in words that are the
//! same for every seed that fails in this way. Sweeps count by it, shrinking keeps it, a corpus stores
//! it.
//!
//! It holds no seed, instant, id or count of the run: whatever has a digit in it is `#`, members of
//! groups are their groups. Three things stay. Names of the sim do; so do the numbers of an
//! expectation, which are its own; and so does the status of an answer, as 429 and 529 are two
//! failures. It must never depend on anything but the sim and the failure, for files keep it.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{SimRun, Verdict};
use crate::{
    check::CheckResult,
    scenario::{Bound, Bounds, Expectation, FNV, Must, Sim, fnv, metric},
    world::{Failure, Wait},
};

/// The longest cause, in characters.
const CAUSE_CHARS_MAX: usize = 160;
/// The longest sentence that is kept of a failure, in characters.
const FAILURE_CHARS_MAX: usize = 500;
/// What the status of an answer can be.
const STATUSES: std::ops::RangeInclusive<u16> = 100..=599;

/// What is the same in all failures of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The check that failed, the expectation in short, or what went wrong with the world.
    pub check: String,
    /// What the failure names of the sim, members of groups as their groups; sorted.
    pub actors: Vec<String>,
    /// Why, without anything that differs from seed to seed.
    pub cause: String,
}

impl Signature {
    /// The signature of a run: that of its first failure. `None` if it did not fail.
    pub fn of(sim: &Sim, run: &SimRun) -> Option<Signature> {
        Signature::all(sim, run).into_iter().next()
    }

    /// The signatures of all failures of a run, in order.
    pub fn all(sim: &Sim, run: &SimRun) -> Vec<Signature> {
        let names = Names::of(sim);
        let world = run.outcome.failure.iter().map(|failure| {
            let (check, cause) = of_world(failure, &names);
            names.signature(check, &failure.to_string(), Some(cause))
        });
        let first_expectation = run.checks.len().saturating_sub(sim.expectations.len());
        let checks = run.checks.iter().enumerate().filter_map(|(index, result)| {
            let failure = result.failure.as_ref()?;
            let wanted = index.checked_sub(first_expectation);
            let expectation = wanted.and_then(|index| sim.expectations.get(index));
            let side = expectation.and_then(|wanted| side(wanted, result, run));
            Some(names.signature(&result.check, failure, side.map(str::to_owned)))
        });
        let nothing = run.checks.iter().all(|result| result.evaluated == 0);
        let nothing = nothing.then(|| names.signature("nothing", "no check was evaluated", None));
        world.chain(checks).chain(nothing).collect()
    }

    /// A short name for the file of a sim that fails in this way: the check, and a number that only
    /// this signature of this sim has.
    pub fn slug(&self, sim: &str) -> String {
        let mut name = String::new();
        for c in self.check.chars().take(40) {
            match c {
                'a'..='z' | '0'..='9' => name.push(c),
                _ if name.ends_with('_') || name.is_empty() => {}
                _ => name.push('_'),
            }
        }
        let hash = fnv(FNV, format!("{sim}\n{self}").as_bytes());
        format!("{}_{:06x}", name.trim_end_matches('_'), hash & 0xff_ffff)
    }
}

/// Why a run is not what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blame {
    /// What it has in common with failures that are alike.
    pub signature: Signature,
    /// What happened in this run, in a sentence.
    pub failure: String,
}

impl Blame {
    fn new(signature: Signature, failure: &str) -> Blame {
        Blame { signature, failure: clipped(failure, FAILURE_CHARS_MAX) }
    }

    /// Of several failures the one that is nearest to the cause: the world's own, then checks in their
    /// order, expectations last. `None` if the run is what it must be.
    pub fn of(sim: &Sim, run: &SimRun, verdict: &Verdict) -> Option<Blame> {
        let Verdict::Failed { reasons } = verdict else { return None };
        let reason = reasons.first().map_or("", String::as_str);
        let own = if sim.must == Must::Pass { Signature::of(sim, run) } else { None };
        let canary = || Names::of(sim).signature("canary", reason, None);
        Some(Blame::new(own.unwrap_or_else(canary), reason))
    }

    /// Of a run that seedbed itself broke off.
    pub fn panicked(message: &str) -> Blame {
        let signature = Names::default().signature("panic", message, None);
        Blame::new(signature, &format!("seedbed itself panicked: {message}"))
    }

    /// Of a seed that had two histories.
    pub fn two_histories(first: u64, second: u64) -> Blame {
        let cause = "two runs of one seed differ";
        let failure = format!(
            "two runs of this seed had two histories, {first:016x} and {second:016x}: something in \
             it is decided by the machine"
        );
        Blame::new(Names::default().signature("one_seed_one_history", cause, None), &failure)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.cause)?;
        if !self.actors.is_empty() {
            write!(f, " [{}]", self.actors.join(", "))?;
        }
        Ok(())
    }
}

/// On which side of its bounds an expectation is, which says more than its value.
fn side(wanted: &Expectation, result: &CheckResult, run: &SimRun) -> Option<&'static str> {
    match wanted {
        Expectation::Metric { metric: name, bounds, .. } => {
            let value = *run.metrics.values.get(name.value.as_str())?;
            Some(side_of(bounds, &Bound::of(metric(&name.value)?.unit, value)))
        }
        Expectation::Event { bounds, .. } => {
            let failure = result.failure.as_ref()?;
            let seen = failure.split(' ').find_map(|word| word.parse::<u64>().ok())?;
            Some(side_of(bounds, &seen))
        }
        Expectation::Order { .. } => None,
    }
}

fn side_of<T: PartialOrd>(bounds: &Bounds<T>, value: &T) -> &'static str {
    let least = bounds.at_least.as_ref().or(bounds.equals.as_ref());
    if least.is_some_and(|least| value < least) { "too low" } else { "too high" }
}

/// What went wrong with a world, and its cause.
fn of_world(failure: &Failure, names: &Names) -> (&'static str, String) {
    match failure {
        Failure::ActorPanicked { message, .. } => ("actor_panicked", names.plain(message).0),
        Failure::WrongHost { needs, .. } => ("wrong_host", (*needs).to_owned()),
        Failure::WokenFromOutside { .. } => ("woken_from_outside", "another thread".to_owned()),
        Failure::Deadlock { waits, .. } => {
            let wait = |wait: &Wait| {
                let [waiting, other] = [&wait.waiting, &wait.waits_for].map(|it| names.plain(it).0);
                format!("{waiting} waits for {other} to answer {}", wait.call)
            };
            let waits: BTreeSet<String> = waits.iter().map(wait).collect();
            ("deadlock", waits.into_iter().collect::<Vec<_>>().join("; "))
        }
        Failure::TooManyEvents { .. } => ("too_many_events", "the limit was passed".to_owned()),
        Failure::TooManyAtOnce { node, .. } => {
            ("too_many_at_once", format!("virtual time stands still on {}", names.plain(node).0))
        }
    }
}

/// The names in a sim: of what there is one of, and of groups.
#[derive(Default)]
struct Names {
    fixed: BTreeSet<String>,
    groups: BTreeSet<String>,
}

impl Names {
    fn of(sim: &Sim) -> Names {
        let workspaces = sim.workspaces.iter().map(|workspace| workspace.name.as_str());
        let fixed = sim.fixed_nodes().chain(workspaces).map(str::to_owned);
        let projects = sim.projects.iter().map(|project| project.id.to_string());
        // Known also where the sim has none.
        let nodes = ["router", "sidecar", "load", "monitor", "auditor"].map(str::to_owned);
        Names {
            fixed: fixed.chain(projects).chain(nodes).collect(),
            groups: sim.group_names().map(str::to_owned).collect(),
        }
    }

    /// The signature of a text; its cause is that text unless there is another.
    fn signature(&self, check: &str, text: &str, cause: Option<String>) -> Signature {
        let (plain, actors) = self.plain(text);
        let cause = clipped(&cause.unwrap_or(plain), CAUSE_CHARS_MAX);
        Signature { check: check.to_owned(), actors: actors.into_iter().collect(), cause }
    }

    /// A text without anything that differs from seed to seed, and the names in it.
    fn plain(&self, text: &str) -> (String, BTreeSet<String>) {
        let (mut plain, mut actors) = (String::new(), BTreeSet::new());
        let (mut rest, mut is_status) = (text, false);
        while let Some(first) = rest.chars().next() {
            let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
            if end == 0 {
                plain.push(if first.is_whitespace() || first.is_control() { ' ' } else { first });
                rest = &rest[first.len_utf8()..];
                continue;
            }
            let word = rest[..end].trim_end_matches(['.', '-']);
            // Nothing but dots and dashes.
            let word = if word.is_empty() { &rest[..end] } else { word };
            rest = &rest[word.len()..];
            if let Some((name, is_member)) = self.name(word) {
                actors.insert(name.to_owned());
                plain.push_str(name);
                // A later life of an agent, as in `rust-3+2`.
                if is_member && let Some(life) = rest.strip_prefix('+') {
                    rest = life.trim_start_matches(|c: char| c.is_ascii_digit());
                }
            } else if is_status && is_a_status(word) || !word.contains(|c: char| c.is_ascii_digit())
            {
                plain.push_str(word);
            } else if plain.ends_with("# ") {
                // One number in two words, as in `1m 2.5s`.
                plain.pop();
            } else {
                plain.push('#');
            }
            is_status = match word {
                "answered" | "status" | "HTTP" => true,
                "with" | "code" => is_status,
                _ => false,
            };
        }
        (plain, actors)
    }

    /// The name that a word is, `rust` for `rust-3`, and whether it is that of a group.
    fn name<'a>(&self, word: &'a str) -> Option<(&'a str, bool)> {
        if self.groups.contains(word) {
            return Some((word, true));
        }
        if self.fixed.contains(word) {
            return Some((word, false));
        }
        let (group, number) = word.rsplit_once('-')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && self.groups.contains(group)).then_some((group, true))
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || "_.-".contains(c)
}

fn is_a_status(word: &str) -> bool {
    word.len() == 3 && word.parse().is_ok_and(|status| STATUSES.contains(&status))
}

fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
