//! What failures that are alike have in common: the check, who was involved, and the cause, without
//! seeds, times and numbers. Two runs that fail for one reason have one signature.
//!
//! It is a text that people read and files keep: it must never depend on anything but the sim and
//! the failure.

use std::collections::BTreeSet;

use crate::{
    explore::{SimRun, Verdict},
    scenario::{Must, Sim},
    world::Failure,
};

/// The longest signature, in characters.
const SIGNATURE_MAX: usize = 200;
/// The longest sentence that is kept of a failure, in characters.
const FAILURE_MAX: usize = 500;

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blame {
    /// What it has in common with failures that are alike.
    pub signature: String,
    /// What happened in this run, in a sentence.
    pub failure: String,
}

impl Blame {
    fn new(check: &str, cause: &str, failure: &str) -> Blame {
        let signature = format!("{check}: {cause}");
        Blame { signature: cut(&signature, SIGNATURE_MAX), failure: cut(failure, FAILURE_MAX) }
    }
}

/// Why a run is not what it must be; `None` if it is. Of several failures the one that is nearest to
/// the cause counts: the world's own, then checks in their order, expectations last.
pub fn signature(sim: &Sim, run: &SimRun, verdict: &Verdict) -> Option<Blame> {
    let Verdict::Failed { reasons } = verdict else { return None };
    let names = Names::of(sim);
    let reason = reasons.first().map_or("", String::as_str);
    if sim.must != Must::Pass {
        return Some(Blame::new("canary", &names.plain(reason), reason));
    }
    if let Some(failure) = &run.outcome.failure {
        let (check, cause) = world_failure(failure, &names);
        return Some(Blame::new(check, &cause, reason));
    }
    let failed = run.checks.iter().find_map(|result| Some((result, result.failure.as_ref()?)));
    Some(match failed {
        Some((result, failure)) => {
            let sentence = format!("{}: {failure}", result.check);
            Blame::new(&result.check, &names.plain(failure), &sentence)
        }
        None => Blame::new("no_check", &names.plain(reason), reason),
    })
}

/// The blame of a run that seedbed itself broke off.
pub fn panicked(message: &str) -> Blame {
    let nobody = Names { fixed: BTreeSet::new(), groups: BTreeSet::new() };
    Blame::new("panic", &nobody.plain(message), &format!("seedbed itself panicked: {message}"))
}

/// The blame of a seed that had two histories.
pub fn two_histories(first: u64, second: u64) -> Blame {
    let failure = format!(
        "two runs of this seed had two histories, {first:016x} and {second:016x}: something in it is \
         decided by the machine"
    );
    Blame::new("one_seed_one_history", "two runs of one seed differ", &failure)
}

fn world_failure(failure: &Failure, names: &Names) -> (&'static str, String) {
    match failure {
        Failure::ActorPanicked { actor, message, .. } => {
            ("actor_panicked", format!("{}: {}", names.plain(actor), names.plain(message)))
        }
        Failure::WrongHost { actor, needs, .. } => {
            ("wrong_host", format!("{} needs {needs}", names.plain(actor)))
        }
        Failure::WokenFromOutside { actor, .. } => ("woken_from_outside", names.plain(actor)),
        Failure::Deadlock { waits, .. } => {
            let waits: BTreeSet<String> = waits
                .iter()
                .map(|wait| {
                    let (waiting, other) =
                        (names.plain(&wait.waiting), names.plain(&wait.waits_for));
                    format!("{waiting} waits for {other} to answer {}", wait.call)
                })
                .collect();
            ("deadlock", waits.into_iter().collect::<Vec<_>>().join(", "))
        }
        Failure::TooManyEvents { .. } => ("too_many_events", "past the limit".to_owned()),
        Failure::TooManyAtOnce { node, .. } => ("too_many_at_once", names.plain(node)),
    }
}

/// The names in a sim: of nodes that there are one of, and of groups.
struct Names {
    fixed: BTreeSet<String>,
    groups: BTreeSet<String>,
}

impl Names {
    fn of(sim: &Sim) -> Names {
        let groups = sim.agents.iter().map(|group| &group.name);
        let groups = groups.chain(sim.callers.iter().map(|group| &group.name));
        let groups = groups.chain(sim.askers.iter().map(|group| &group.name));
        let groups: BTreeSet<String> = groups.cloned().collect();
        let fixed = sim.backends.iter().map(|backend| &backend.name);
        let fixed = fixed.chain(sim.services.iter().map(|service| &service.name));
        let fixed = fixed.chain(sim.workspaces.iter().map(|workspace| &workspace.name));
        Names { fixed: fixed.cloned().chain(groups.iter().cloned()).collect(), groups }
    }

    /// A text without numbers: members of groups are their groups, other names stay, and whatever
    /// else has a digit in it is `#`.
    fn plain(&self, text: &str) -> String {
        let mut plain = String::new();
        let mut rest = text;
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
            let (word, is_member) = self.word(word);
            plain.push_str(word);
            // A later life of an agent, as in `rust-3+2`.
            if is_member && let Some(life) = rest.strip_prefix('+') {
                rest = life.trim_start_matches(|c: char| c.is_ascii_digit());
            }
        }
        plain
    }

    fn word<'a>(&self, word: &'a str) -> (&'a str, bool) {
        if self.fixed.contains(word) {
            return (word, self.groups.contains(word));
        }
        if let Some((group, number)) = word.rsplit_once('-')
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && self.groups.contains(group)
        {
            return (group, true);
        }
        (if word.contains(|c: char| c.is_ascii_digit()) { "#" } else { word }, false)
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || "_.-".contains(c)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        explore::{Options, judge, simulate},
        scenario::parse,
        world::{Seed, Time, Wait},
    };

    const SIM: &str = "purpose = \"p\"\n[router]\nprimary = \"gpt-4o\"\n[[backend]]\n\
                       name = \"gpt-4o\"\n[[agent]]\nname = \"rust-2\"\ncount = 20\nrequests = 3\n";

    fn sim(more: &str) -> Sim {
        parse("sims/a.toml", &format!("{SIM}{more}")).unwrap()
    }

    #[test]
    fn numbers_go_and_names_stay() {
        let names = Names::of(&sim(""));
        for (text, plain) in [
            ("rust-2-17/3 made attempt 4 of 3 at 12.304s", "rust-2/# made attempt # of # at #"),
            ("rust-2-17+2/3 ended", "rust-2/# ended"),
            ("message 9 from rust-2-1 reached gpt-4o.", "message # from rust-2 reached gpt-4o."),
            ("it is 97.35%, not -3", "it is #%, not #"),
            ("gpt-5 at 0x7f00 in `a::b`\n\tx", "# at # in `a::b`  x"),
            ("rust-2-x rust-2", "# rust-2"),
            ("... - é1", "... - #"),
            ("", ""),
        ] {
            assert_eq!(names.plain(text), plain, "{text}");
        }
    }

    /// Different seeds fail at different times with different numbers: it is one failure.
    #[test]
    fn seeds_that_fail_alike_have_one_signature() {
        let sim = sim("[[expect]]\nmetric = \"latency.max\"\nat_most = \"1ms\"\n");
        let blame = |seed| {
            let run = simulate(&sim, Seed(seed), &Options::default(), Vec::new()).unwrap();
            signature(&sim, &run, &judge(&sim, &run, None)).unwrap()
        };
        let (one, two) = (blame(1), blame(2));
        assert_eq!(one.signature, "latency.max at most 1ms: it is #");
        assert_eq!(one.signature, two.signature);
        assert_ne!(one.failure, two.failure);
    }

    #[test]
    fn a_good_run_has_none_and_a_canary_that_is_sound_has_one() {
        let blame = |sim: &Sim| {
            let run = simulate(sim, Seed(1), &Options::default(), Vec::new()).unwrap();
            signature(sim, &run, &judge(sim, &run, None))
        };
        assert_eq!(blame(&sim("")), None);
        let canary = parse("sims/a.toml", &format!("must = \"fail\"\n{SIM}")).unwrap();
        assert!(blame(&canary).unwrap().signature.starts_with("canary: it must fail"));
    }

    #[test]
    fn failures_of_the_world_are_told_apart() {
        let names = Names::of(&sim(""));
        let at = Time::from_nanos(5);
        let wait = |waiting: &str| Wait {
            waiting: waiting.into(),
            waits_for: "router".into(),
            call: "Ask",
            since: at,
        };
        let failures = [
            Failure::ActorPanicked { actor: "rust-2-4/agent".into(), message: "n 7".into(), at },
            Failure::Deadlock { waits: vec![wait("rust-2-9"), wait("rust-2-8")], at },
            Failure::TooManyEvents { events: 7, at },
        ];
        let texts: Vec<_> = failures.iter().map(|one| world_failure(one, &names)).collect();
        assert_eq!(texts[0], ("actor_panicked", "rust-2/agent: n #".to_owned()));
        assert_eq!(texts[1].1, "rust-2 waits for router to answer Ask");
        assert_eq!(texts[2].0, "too_many_events");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let blame = panicked(&"é".repeat(10_000));
        assert_eq!(blame.signature.chars().count(), SIGNATURE_MAX + 1);
        assert_eq!(blame.failure.chars().count(), FAILURE_MAX + 1);
    }
}
