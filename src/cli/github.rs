//! The flag for GitHub Actions, as `run`, `sweep` and `merge` have it: annotations on standard error,
//! which the runner reads as well, and the summary of the step in the file that it names.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{error::CliError, screen::Screen, sweep::environment};
use crate::{
    check::check_name,
    report::github::{Problem, SUMMARY_BYTES_MAX, annotations, summary},
    scenario::{Expectation, Sim},
};

/// The variable that names the file of the step's summary.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Whether GitHub is told.
#[derive(Debug, Args)]
pub(super) struct GithubArgs {
    /// Annotate the distinct failures, at most five, and add to the summary of the step, as GitHub Actions reads them
    #[arg(long)]
    github: bool,
}

impl GithubArgs {
    pub(super) fn is_asked_for(&self) -> bool {
        self.github
    }

    /// Says what came of a verb: whether all is well, in words, and the failures by their weight.
    pub(super) fn tell(
        &self,
        (verb, is_good, story): (&str, bool, &str),
        problems: &[Problem],
        screen: &mut Screen,
    ) -> Result<(), CliError> {
        if !self.github {
            return Ok(());
        }
        screen.talk(&annotations(problems));
        let path = environment(SUMMARY).filter(|path| !path.is_empty()).map(PathBuf::from);
        let Some(path) = path else {
            screen.talk("GITHUB_STEP_SUMMARY names no file: there is no summary of the step\n");
            return Ok(());
        };
        // The step may have written something there already.
        let taken = fs::metadata(&path).map_or(0, |known| known.len());
        let room = SUMMARY_BYTES_MAX.saturating_sub(usize::try_from(taken).unwrap_or(usize::MAX));
        let story = anstream::adapter::strip_str(story).to_string();
        let text = summary(&format!("seedbed {verb}"), is_good, &story, problems, room);
        if text.is_empty() {
            screen.talk("the summary of the step is full: nothing is added to it\n");
            return Ok(());
        }
        append(&path, &text)
    }
}

fn append(path: &Path, text: &str) -> Result<(), CliError> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|source| CliError::Output { path: path.to_owned(), source })
}

/// The line of a sim that demands what a failure says does not hold: that of the expectation, or else
/// the first.
pub(super) fn line_of(sim: &Sim, failure: &str) -> usize {
    let is_of = |expectation: &&Expectation| {
        let rest = failure.strip_prefix(check_name(sim, expectation).as_str());
        rest.is_some_and(|rest| rest.starts_with(": "))
    };
    let place = sim.expectations.iter().find(is_of).map(|expectation| match expectation {
        Expectation::Metric { metric, .. } => metric.span.offset(),
        Expectation::Event { event, .. } => event.event.span.offset(),
        Expectation::Order { first, .. } => first.event.span.offset(),
    });
    let before = place.and_then(|at| sim.source.text().get(..at)).unwrap_or_default();
    1 + before.matches('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        explore::{Options, simulate},
        scenario::parse,
        world::Seed,
    };

    #[test]
    fn the_line_is_that_of_the_expectation() {
        let text = "purpose = \"p\"\n[router]\nprimary = \"opus\"\n[[backend]]\nname = \"opus\"\n\
                    [[agent]]\nname = \"rust\"\n[[expect]]\nmetric = \"requests.total\"\nequals = 1\n\
                    [[expect]]\nevent = \"node_crashed\"\nat_least = 1\n[[expect]]\n\
                    metric = \"requests.total\"\nat_most = 3\n[[expect]]\nevent = \"node_crashed\"\n\
                    node = \"rust\"\nat_least = 1\n";
        let sim = parse("sims/a.toml", text).unwrap();
        assert_eq!(line_of(&sim, "requests.total equals 1: it is 5"), 9);
        assert_eq!(line_of(&sim, "requests.total at most 3: it is 5"), 15);
        assert_eq!(line_of(&sim, "node_crashed: at least 1: it happened 0 times"), 12);
        assert_eq!(line_of(&sim, "node_crashed on rust: at least 1: it happened 0 times"), 18);
        assert_eq!(line_of(&sim, "requests.total: 0"), 1);
        // And as runs say it.
        let run = simulate(&sim, Seed(1), &Options::default(), Vec::new()).unwrap();
        let lines: Vec<usize> = run.failures().iter().map(|it| line_of(&sim, it)).collect();
        assert_eq!(lines, [12, 18]);
        assert_eq!(line_of(&sim, "some check: it broke"), 1);
    }
}
