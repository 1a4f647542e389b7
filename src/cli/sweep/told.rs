//! What a sweep, or merged results, came to: as text and as JSON.
//!
//! Some of it may come from a file that anybody wrote, so nothing is printed that could move the
//! cursor.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

pub(in crate::cli) use crate::report::text::clean;

use crate::{
    cli::{
        error::CliError,
        exit::Exit,
        github::{GithubArgs, line_of},
        output::OutputFile,
        screen::Screen,
        shrink::sized,
        sims::{Entry, quoted},
        sweep::after::{AllMade, Made},
    },
    explore::sweep::{Group, GroupKey, PlanLine, RunVerdict, Tally},
    report::{
        document::VERSION,
        github::Problem,
        html::Survey,
        text::{RED, counted, mark, styled, wrap_at},
    },
};

/// How many distinct failures are shown as text.
pub(super) const SHOWN_MAX: usize = 20;

/// Results, and what they are of.
pub(in crate::cli) struct Told<'a> {
    pub(in crate::cli) tally: &'a Tally,
    pub(in crate::cli) plan: &'a PlanLine,
    pub(in crate::cli) made: &'a AllMade,
}

#[derive(Serialize)]
pub(in crate::cli) struct Document<'a, T: Serialize> {
    version: u32,
    sims: Vec<&'a str>,
    runs: u64,
    passed: u64,
    canaries: u64,
    failed: u64,
    nondeterministic: u64,
    events: u64,
    virtual_ms: u64,
    /// Distinct failures, those that matter most first.
    failures: Vec<FailureDocument<'a>>,
    /// Failed runs beyond the failures that are told apart.
    ungrouped: u64,
    /// Of each sim the checks that no run reached.
    never_reached: BTreeMap<&'a str, Vec<&'a str>>,
    #[serde(flatten)]
    more: T,
}

#[derive(Serialize)]
struct FailureDocument<'a> {
    sim: &'a str,
    signature: &'a str,
    verdict: RunVerdict,
    count: u64,
    first_seed: u64,
    failure: &'a str,
    replay: String,
    #[serde(flatten)]
    made: Option<&'a Made>,
}

impl<'a> Told<'a> {
    /// The command that runs a seed of a sim again.
    fn replay(&self, sim: &str, seed: u64) -> String {
        let (before, after) = self.command(sim);
        format!("{before}{seed}{after}")
    }

    /// What stands before and after the seed in the command that runs a sim again.
    fn command(&self, sim: &str) -> (String, String) {
        let planned = self.plan.sims.iter().find(|planned| planned.sim == sim);
        let path = planned.map_or(sim, |planned| planned.path.as_str());
        let argument = |argument: &String| format!(" {}", quoted(&clean(argument)));
        let after = self.plan.arguments.iter().map(argument).collect();
        (format!("seedbed replay {} --seed ", quoted(&clean(path))), after)
    }

    /// Writes a page of the results.
    pub(in crate::cli) fn page<T: Serialize>(
        &self,
        survey: &Survey,
        more: T,
        output: OutputFile,
    ) -> Result<(), CliError> {
        let sims = self.plan.sims.iter().map(|planned| planned.sim.clone());
        let commands = sims.map(|sim| (sim.clone(), self.command(&sim))).collect();
        let OutputFile { path, file } = output;
        let written = survey.write(&self.document(more), &commands, file);
        written.map_err(|source| CliError::Output { path, source })
    }

    /// The command for the failure that matters most.
    pub(in crate::cli) fn first_replay(&self) -> Option<String> {
        let ranked = self.tally.ranked();
        ranked.first().map(|((sim, _), group)| self.replay(sim, group.first_seed))
    }

    /// Tells GitHub of it, if that is asked for: `others` are problems that no run has by itself.
    pub(in crate::cli) fn github(
        &self,
        args: &GithubArgs,
        (verb, is_good, story): (&str, bool, &str),
        (entries, others): (&[Entry], Vec<Problem>),
        screen: &mut Screen,
    ) -> Result<(), CliError> {
        if !args.is_asked_for() {
            return Ok(());
        }
        let problem = |(key, group): (&GroupKey, &Group)| {
            let (sim, _) = key;
            let entry = entries.iter().find(|entry| entry.sim.name == *sim);
            let planned = self.plan.sims.iter().find(|planned| planned.sim == *sim);
            let runs = counted(group.count, "run");
            Problem {
                sim: sim.clone(),
                file: planned.map_or(sim, |planned| &planned.path).clone(),
                line: entry.map_or(1, |entry| line_of(&entry.sim, &group.failure)),
                failure: group.failure.clone(),
                runs: format!("{runs}, the first with seed {}", group.first_seed),
                replay: self.replay(sim, group.first_seed),
            }
        };
        let problems: Vec<Problem> =
            self.tally.ranked().into_iter().map(problem).chain(others).collect();
        args.tell((verb, is_good, story), &problems, screen)
    }

    /// What the results alone say.
    pub(in crate::cli) fn exit(&self) -> Exit {
        if self.tally.nondeterministic > 0 {
            Exit::Nondeterminism
        } else if self.tally.failed > 0 {
            Exit::Failed
        } else if self.tally.runs == 0 {
            Exit::NothingRan
        } else {
            Exit::Ok
        }
    }

    /// The distinct failures.
    pub(in crate::cli) fn failures(&self) -> String {
        let mut text = String::new();
        let ranked = self.tally.ranked();
        for (key, group) in ranked.iter().take(SHOWN_MAX) {
            let (sim, _) = key;
            let runs = counted(group.count, "run");
            let lead = format!("{} {} ", mark(false), clean(sim));
            let heading = format!("{runs}, the first with seed {}", group.first_seed);
            let replay = self.replay(sim, group.first_seed);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{lead}{heading}");
            let failure = clean(&group.failure);
            let _ = writeln!(text, "{}", wrap_at(Screen::columns(), "    ", &failure, 6));
            let _ = writeln!(text, "    {replay}");
            let made = self.made.get(*key);
            if let Some(smallest) = made.and_then(|made| made.smallest.as_ref()) {
                let end = if smallest.is_minimal { "" } else { ", not at its end" };
                let (size, path) = (sized(smallest.size), smallest.sim.to_string_lossy());
                let _ = writeln!(text, "    smallest: {size}{end}");
                let _ = writeln!(
                    text,
                    "    seedbed replay {} --seed {}",
                    quoted(&path),
                    group.first_seed
                );
            }
            if let Some(kept) = made.and_then(|made| made.kept.as_ref()) {
                let _ = writeln!(text, "    kept: {}", kept.display());
            }
        }
        let more = ranked.len().saturating_sub(SHOWN_MAX) as u64;
        if more > 0 || self.tally.ungrouped > 0 {
            let more = counted(more, "more failure");
            let _ = write!(text, "and {more}: --format json has them");
            if self.tally.ungrouped > 0 {
                let runs = counted(self.tally.ungrouped, "failed run");
                let _ = write!(text, ", {runs} excepted, which are too many to tell apart");
            }
            text.push('\n');
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }

    /// How many runs there were, and what became of them.
    pub(in crate::cli) fn summary(&self) -> String {
        let tally = self.tally;
        let mut verdicts = vec![format!("{} passed", tally.passed)];
        if tally.canaries > 0 {
            verdicts.push(match tally.canaries {
                1 => "1 canary did what it must".to_owned(),
                canaries => format!("{canaries} canaries did what they must"),
            });
        }
        let failed = format!("{} failed", tally.failed);
        verdicts.push(match tally.groups.len() {
            0 => failed,
            1 => styled(RED, format!("{failed} in 1 way")),
            ways => styled(RED, format!("{failed} in {ways} ways")),
        });
        if tally.nondeterministic > 0 {
            let count = format!("{} of them nondeterministic", tally.nondeterministic);
            verdicts.push(styled(RED, count));
        }
        let runs = counted(tally.runs, "run");
        let sims = counted(self.plan.sims.len() as u64, "sim");
        let mut text = format!("{runs} of {sims}: {}\n", verdicts.join(", "));
        let nowhere = tally.reached_nowhere();
        if !nowhere.is_empty() {
            let names = clean(&nowhere.join(", "));
            let lead = "checks that no run reached: ";
            let _ = writeln!(text, "{}", wrap_at(Screen::columns(), lead, &names, 4));
        }
        text
    }

    /// All of it, and more, as a document.
    pub(in crate::cli) fn document<T: Serialize>(&self, more: T) -> Document<'a, T> {
        let tally = self.tally;
        let failures = tally.ranked().into_iter().map(|(key, group)| FailureDocument {
            sim: &key.0,
            signature: &key.1,
            verdict: group.verdict,
            count: group.count,
            first_seed: group.first_seed,
            failure: &group.failure,
            replay: self.replay(&key.0, group.first_seed),
            made: self.made.get(key),
        });
        Document {
            version: VERSION,
            sims: self.plan.sims.iter().map(|sim| sim.sim.as_str()).collect(),
            runs: tally.runs,
            passed: tally.passed,
            canaries: tally.canaries,
            failed: tally.failed,
            nondeterministic: tally.nondeterministic,
            events: tally.events,
            virtual_ms: tally.virtual_ms,
            failures: failures.collect(),
            ungrouped: tally.ungrouped,
            never_reached: tally.never_reached(),
            more,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::sweep::{FinishedLine, Hex, PlannedSim, RESULTS_VERSION};

    #[test]
    fn a_hostile_file_cannot_write_to_the_terminal() {
        let evil = "\x1b[2J\r\u{9b}evil";
        let mut tally = Tally::default();
        tally.add(&FinishedLine {
            version: RESULTS_VERSION,
            sim: evil.to_owned(),
            scenario_hash: Hex(1),
            seed: 3,
            fingerprint: None,
            verdict: RunVerdict::Fail,
            signature: Some(evil.to_owned()),
            failure: Some(evil.to_owned()),
            events: 0,
            virtual_ms: 0,
            wall_us: None,
            measured: None,
            reached: Vec::new(),
            unreached: vec![evil.to_owned()],
        });
        let plan = PlanLine {
            version: RESULTS_VERSION,
            seedbed: String::new(),
            endless_from: None,
            shard: None,
            arguments: vec!["$(evil) \x07".to_owned()],
            sims: vec![PlannedSim {
                sim: evil.to_owned(),
                path: "a b".to_owned(),
                scenario_hash: Hex(1),
                seeds: Vec::new(),
            }],
        };
        let told = Told { tally: &tally, plan: &plan, made: &AllMade::new() };
        let replay = told.first_replay().unwrap();
        assert_eq!(replay, "seedbed replay 'a b' --seed 3 '$(evil)  '");
        for text in [told.failures(), told.summary(), replay] {
            let text =
                text.replace(&mark(false), "").replace(&styled(RED, "1 failed in 1 way"), "");
            let odd = text.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(odd, None, "{text:?}");
        }
    }
}
