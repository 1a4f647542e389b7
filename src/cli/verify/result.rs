//! What `verify` says of each seed, as text and as JSON.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

use crate::{
    cli::{exit::Exit, sims::Entry},
    explore::{Difference, Witness},
    report::{
        document::VERSION,
        event,
        text::{self, Widths, counted, mark, wrap},
    },
    scenario::Must,
    world::{Record, Seed, Time},
};

/// What is said of a sim that must diverge and does.
pub(super) const CANARY: &str =
    "this sim is a canary: it leaks on purpose, and a test bed that does not see it is broken";

/// A way of running a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Way {
    Native,
    Again,
    Tokio,
    Threads,
    Process,
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Way::Native => "native",
            Way::Again => "native again",
            Way::Tokio => "tokio",
            Way::Threads => "side by side",
            Way::Process => "another process",
        }
    }
}

/// What is told of one seed of one sim.
#[derive(Serialize)]
pub(super) struct Told {
    sim: String,
    seed: Seed,
    /// Whether the sim leaks on purpose.
    is_canary: bool,
    agree: bool,
    fingerprints: BTreeMap<Way, String>,
    /// Two ways that differ.
    differ: Option<(Way, Way)>,
    woken_from_outside: Option<String>,
    pub(super) difference: Option<Difference>,
    #[serde(skip)]
    pub(super) is_searched: bool,
    pub(super) replay: String,
}

impl Told {
    pub(super) fn new(
        entry: &Entry,
        seed: Seed,
        witnesses: &[(Way, Witness)],
        replay: String,
    ) -> Told {
        let mut differ = None;
        if let Some(((left, first), others)) = witnesses.split_first() {
            let odd = others.iter().find(|(_, other)| other.fingerprint != first.fingerprint);
            differ = odd.map(|(right, _)| (*left, *right));
        }
        let woken = witnesses.iter().find_map(|(_, witness)| witness.woken_from_outside.clone());
        Told {
            sim: entry.sim.name.clone(),
            seed,
            is_canary: entry.sim.must == Must::Diverge,
            agree: differ.is_none() && woken.is_none(),
            fingerprints: witnesses
                .iter()
                .map(|(way, witness)| (*way, witness.fingerprint.to_string()))
                .collect(),
            differ,
            woken_from_outside: woken,
            difference: None,
            is_searched: false,
            replay,
        }
    }

    /// Two ways that differ.
    pub(super) fn odd(&self) -> Option<(Way, Way)> {
        self.differ
    }

    pub(super) fn exit(&self) -> Exit {
        match (self.agree, self.is_canary) {
            (false, false) => Exit::Nondeterminism,
            (true, true) => Exit::Failed,
            (true, false) | (false, true) => Exit::Ok,
        }
    }

    pub(super) fn text(&self, widths: Widths) -> String {
        let mut text = format!(
            "{} {:<sim$} seed {:<seed$} ",
            mark(self.exit() == Exit::Ok),
            text::clean(&self.sim),
            self.seed.to_string(),
            sim = widths.sim,
            seed = widths.seed
        );
        if let Some((left, right)) = self.differ {
            let must = if self.is_canary { ", as they must" } else { "" };
            let _ = writeln!(text, "{} and {} differ{must}", left.name(), right.name());
            if self.is_searched {
                text += &difference_text(self.difference.as_ref(), (left.name(), right.name()));
            }
        } else if let Some(why) = &self.woken_from_outside {
            text = wrap(&text, why, 4) + "\n";
        } else if self.is_canary {
            text = wrap(&text, "a canary that must leak has one history: nothing leaks", 4) + "\n";
        } else {
            text += self.fingerprints.get(&Way::Native).map_or("", String::as_str);
            text.push('\n');
        }
        if !self.agree && self.is_canary && (self.is_searched || self.differ.is_none()) {
            text += &format!("{}\n", wrap("    ", CANARY, 4));
        }
        text
    }
}

/// The first different event of two runs, one side after the other.
pub(super) fn difference_text(difference: Option<&Difference>, names: (&str, &str)) -> String {
    let Some(Difference { seq, left, right, differs }) = difference else {
        let text = "runs made to find the first different event were the same: try again, or look \
                    for what differs only now and then, such as a thread";
        return format!("{}\n", wrap("    ", text, 4));
    };
    let mut text =
        format!("    first different event: number {seq}, in its {}\n", differs.join(", "));
    let width = names.0.chars().count().max(names.1.chars().count());
    for (name, record) in [(names.0, left), (names.1, right)] {
        let told = match record {
            Some(record) => told(record),
            None => "has ended".to_owned(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", wrap(&format!("      {name:<width$}  "), &told, 8 + width));
    }
    text
}

fn told(record: &Record) -> String {
    let at = Time::from_nanos(record.at_ns);
    format!("{at} {} {} {}", record.node, record.kind, event::details(record))
}

/// What all of it came to. The number of threads is known if everything was run in every way.
pub(super) fn summary(told: &[Told], threads: Option<usize>) -> String {
    let count = |is: fn(&&Told) -> bool| told.iter().filter(is).count();
    let differ = count(|told| !told.agree && !told.is_canary);
    let canaries = count(|told| !told.agree && told.is_canary);
    let mut text = format!(
        "\n{}: {} with one history",
        counted(told.len() as u64, "run"),
        told.len() - differ - canaries
    );
    if canaries > 0 {
        let _ = write!(text, ", {canaries} without, as they must");
    }
    if differ > 0 {
        let _ = write!(text, ", {}", text::styled(text::RED, format!("{differ} without")));
    }
    let Some(threads) = threads else { return text + "\n" };
    let ways = format!(
        "each on native twice, on tokio, beside others on {threads} threads, and in another process"
    );
    let _ = writeln!(text, "\n{}", wrap("", &ways, 0));
    text
}

#[derive(Serialize)]
pub(super) struct Document<'a> {
    version: u32,
    runs: &'a [Told],
}

pub(super) fn document(told: &[Told]) -> Document<'_> {
    Document { version: VERSION, runs: told }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::sims::Place, scenario::parse, world::Fingerprint};

    fn told(must: &str, other: u64) -> Told {
        let text = format!(
            "{must}purpose = \"p\"\n[router]\nprimary = \"opus\"\n[[backend]]\nname = \"opus\"\n\
             [[agent]]\nname = \"rust\"\n"
        );
        let entry = Entry { sim: parse("sims/a.toml", &text).unwrap(), place: Place::BuiltIn };
        let witness = |fingerprint| Witness {
            fingerprint: Fingerprint(fingerprint),
            woken_from_outside: None,
        };
        let witnesses = [(Way::Native, witness(1)), (Way::Tokio, witness(other))];
        Told::new(&entry, Seed(1), &witnesses, String::new())
    }

    #[test]
    fn only_a_canary_may_have_two_histories_and_it_must() {
        let canary = "must = \"diverge\"\nleak = \"process_counter\"\n";
        let exits = [("", 1), ("", 2), (canary, 1), (canary, 2)].map(|(must, other)| {
            let told = told(must, other);
            (told.exit(), told.text(Widths::default()).contains("as they must"))
        });
        assert_eq!(
            exits,
            [
                (Exit::Ok, false),
                (Exit::Nondeterminism, false),
                (Exit::Failed, false),
                (Exit::Ok, true)
            ]
        );
        let all = [told("", 1), told("", 2), told(canary, 2)];
        let text = summary(&all, None);
        assert!(text.contains("3 runs: 1 with one history, 1 without, as they must, "), "{text}");
        assert!(text.contains("1 without") && !text.contains("threads"), "{text}");
    }
}
