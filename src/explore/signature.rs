//! The signature of a failure: which check failed, on which actors, and why, in words that are the
//! same for every seed that fails in this way.
//!
//! It never holds a seed, an instant, an id or a count of the run. Numbers in an expectation are its
//! own, and stay.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::SimRun;
use crate::{
    check::CheckResult,
    scenario::{Bound, Bounds, Expectation, MetricUnit, Sim, metric},
    world::Failure,
};

/// The longest cause, in characters.
const CAUSE_CHARS_MAX: usize = 160;

/// What is the same in all failures of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The check that failed, the expectation in short, or what went wrong with the world.
    pub check: String,
    /// The nodes and groups that the failure names, without numbers; sorted.
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
        let words = Words::of(sim);
        let world = run.outcome.failure.iter().map(|failure| {
            let (check, cause) = of_world(failure, &words);
            words.signature(check, &failure.to_string(), cause)
        });
        let first_expectation = run.checks.len().saturating_sub(sim.expectations.len());
        let checks = run.checks.iter().enumerate().filter_map(|(index, result)| {
            let failure = result.failure.as_ref()?;
            let wanted = index.checked_sub(first_expectation);
            let expectation = wanted.and_then(|index| sim.expectations.get(index));
            let side = expectation.and_then(|wanted| side(wanted, result, run));
            let cause = side.map_or_else(|| words.plain(failure), str::to_owned);
            Some(words.signature(&result.check, failure, cause))
        });
        let nothing = run.checks.iter().all(|result| result.evaluated == 0);
        let nothing =
            nothing.then(|| words.signature("nothing", "", "no check was evaluated".to_owned()));
        world.chain(checks).chain(nothing).collect()
    }

    /// A short name for files: of the check, and a number that only this signature has.
    pub fn slug(&self) -> String {
        let mut name = String::new();
        for c in self.check.chars().take(40) {
            match c {
                'a'..='z' | '0'..='9' => name.push(c),
                _ if name.ends_with('_') || name.is_empty() => {}
                _ => name.push('_'),
            }
        }
        format!("{}_{:06x}", name.trim_end_matches('_'), fnv(&self.to_string()) & 0xff_ffff)
    }
}

/// FNV-1a over a text, as in the summaries of snapshots.
pub(super) fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
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
            let value = match metric(&name.value)?.unit {
                MetricUnit::Count => Bound::Count(value),
                MetricUnit::Ratio => Bound::Ratio(value),
                MetricUnit::Factor => Bound::Factor(value),
                MetricUnit::Duration => Bound::Duration(std::time::Duration::from_nanos(value)),
            };
            Some(side_of(bounds, &value))
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
fn of_world(failure: &Failure, words: &Words) -> (&'static str, String) {
    match failure {
        Failure::ActorPanicked { message, .. } => ("actor_panicked", words.plain(message)),
        Failure::WrongHost { needs, .. } => ("wrong_host", (*needs).to_owned()),
        Failure::WokenFromOutside { .. } => ("woken_from_outside", "another thread".to_owned()),
        Failure::Deadlock { waits, .. } => {
            let wait = |wait: &crate::world::Wait| {
                let (waiting, waits_for) =
                    (words.plain(&wait.waiting), words.plain(&wait.waits_for));
                format!("{waiting} waits for {waits_for} to answer {}", wait.call)
            };
            let waits: BTreeSet<String> = waits.iter().map(wait).collect();
            ("deadlock", clipped(&waits.into_iter().collect::<Vec<_>>().join("; ")))
        }
        Failure::TooManyEvents { .. } => ("too_many_events", "the limit was passed".to_owned()),
        Failure::TooManyAtOnce { node, .. } => {
            ("too_many_at_once", format!("virtual time stands still on {}", words.plain(node)))
        }
    }
}

/// Knows the names of a sim, and takes everything else with a number in it out of texts.
struct Words(BTreeSet<String>);

impl Words {
    fn of(sim: &Sim) -> Words {
        let groups = sim.agents.iter().map(|group| &group.name);
        let groups = groups.chain(sim.callers.iter().map(|group| &group.name));
        let groups = groups.chain(sim.askers.iter().map(|group| &group.name));
        let nodes = sim.backends.iter().map(|backend| &backend.name);
        let nodes = nodes.chain(sim.services.iter().map(|service| &service.name));
        let fixed = ["router", "sidecar", "load", "monitor"].map(str::to_owned);
        Words(groups.chain(nodes).cloned().chain(fixed).collect())
    }

    fn signature(&self, check: &str, text: &str, cause: String) -> Signature {
        let mut actors = BTreeSet::new();
        pieces(text, |piece, is_word| {
            if is_word {
                actors.extend(self.actor(piece).map(str::to_owned));
            }
        });
        Signature { check: check.to_owned(), actors: actors.into_iter().collect(), cause }
    }

    /// The node or the group that a word names: `rust` for `rust-3`.
    fn actor<'a>(&self, word: &'a str) -> Option<&'a str> {
        if self.0.contains(word) {
            return Some(word);
        }
        let (group, number) = word.rsplit_once('-')?;
        let is_member = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        (is_member && self.0.contains(group)).then_some(group)
    }

    /// A text without anything that differs from seed to seed.
    fn plain(&self, text: &str) -> String {
        let mut plain = String::new();
        pieces(text, |piece, is_word| {
            if let Some(actor) = self.actor(piece).filter(|_| is_word) {
                plain.push_str(actor);
            } else if is_word && piece.starts_with(|c: char| c.is_ascii_digit()) {
                // A number with its unit: `12.304s`.
                plain.push('N');
            } else {
                let mut in_number = false;
                for c in piece.chars() {
                    if !c.is_ascii_digit() {
                        plain.push(c);
                    } else if !in_number {
                        plain.push('N');
                    }
                    in_number = c.is_ascii_digit();
                }
            }
        });
        while plain.contains("N N") {
            plain = plain.replace("N N", "N");
        }
        clipped(&plain)
    }
}

fn clipped(text: &str) -> String {
    text.chars().take(CAUSE_CHARS_MAX).collect()
}

/// Cuts a text into words of which names and numbers are made, and what is between them.
fn pieces<'a>(text: &'a str, mut take: impl FnMut(&'a str, bool)) {
    let in_word = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = in_word(first);
        let end = rest.find(|c| in_word(c) != is_word).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        let trimmed = if is_word { piece.trim_end_matches('.') } else { piece };
        take(trimmed, is_word);
        if trimmed.len() < piece.len() {
            take(".", false);
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        explore::{Options, simulate},
        scenario::parse,
        world::Seed,
    };

    const SIM: &str = "purpose = \"p\"\n[router]\nprimary = \"gpt4\"\n[[backend]]\nname = \"gpt4\"\n\
                       [[agent]]\nname = \"rust\"\ncount = 30\n";

    fn signature(more: &str, seed: u64) -> Option<Signature> {
        let sim = parse("sims/a.toml", &format!("{SIM}{more}")).unwrap();
        let run = simulate(&sim, Seed(seed), &Options::default(), Vec::new()).unwrap();
        Signature::of(&sim, &run)
    }

    #[test]
    fn a_text_loses_its_numbers_and_keeps_its_names() {
        let words = Words::of(&parse("sims/a.toml", SIM).unwrap());
        let text = "rust-3/2 asked gpt4 again at 12.304s, before 1m 2.5s (7 of 20). x12y rust-x";
        let plain = "rust/N asked gpt4 again at N, before N (N of N). xNy rust-x";
        assert_eq!(words.plain(text), plain);
        assert_eq!(words.signature("c", text, String::new()).actors, ["gpt4", "rust"]);
        assert_eq!(words.plain(&"é".repeat(300)).chars().count(), CAUSE_CHARS_MAX);
    }

    #[test]
    fn a_run_that_does_not_fail_has_none() {
        assert_eq!(signature("", 1), None);
    }

    #[test]
    fn seeds_that_fail_alike_have_one_signature() {
        let stuck = "[limits]\ntime = \"20s\"\n[[fault]]\nat = \"0s\"\nfor = \"1h\"\n\
                     pause = { node = \"router\" }\n";
        let one = signature(stuck, 1).unwrap();
        assert_eq!(one.check, "every_request_ends_once");
        assert_eq!(one.actors, ["rust"]);
        assert_eq!(one.cause, "rust/N never ended");
        for seed in 2..6 {
            assert_eq!(signature(stuck, seed).as_ref(), Some(&one), "seed {seed}");
        }
    }

    #[test]
    fn an_expectation_says_on_which_side_it_is() {
        let expect = |text: &str| signature(&format!("[[expect]]\n{text}\n"), 3).unwrap();
        let low = expect("metric = \"requests.total\"\nequals = 31");
        let high = expect("metric = \"requests.total\"\nequals = 29");
        assert_eq!((low.cause.as_str(), high.cause.as_str()), ("too low", "too high"));
        assert_eq!(low.to_string(), "requests.total equals 31: too low");
        let event = expect("event = \"request_started\"\nat_most = 3");
        assert_eq!(event.cause, "too high");
        let order = expect(
            "order = { first = { event = \"fault_fired\" }, then = { event = \"node_crashed\" } }",
        );
        assert_eq!(order.cause, "the first never happened");
    }

    #[test]
    fn slugs_are_names_of_files_and_differ() {
        let one = Signature { check: "a.b at most 3%".into(), actors: vec![], cause: "x".into() };
        let two = Signature { cause: "y".into(), ..one.clone() };
        assert!(one.slug().starts_with("a_b_at_most_3_"), "{}", one.slug());
        assert_ne!(one.slug(), two.slug());
    }
}
