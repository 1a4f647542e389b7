//! Runs as JUnit XML: a suite for each sim, a case for each seed.

use std::{io, time::Duration};

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::Finished;

/// Collects runs; they come sim by sim.
pub struct Junit {
    report: Report,
    suite: Option<TestSuite>,
}

impl Junit {
    /// A report without runs.
    pub fn new() -> Junit {
        Junit { report: Report::new("seedbed"), suite: None }
    }

    /// Adds a run.
    pub fn add(&mut self, finished: &Finished) {
        let mut status = TestCaseStatus::success();
        if !finished.verdict.is_good() {
            let reasons = finished.reasons();
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("check");
            status.set_message(reasons.first().map_or("it failed", String::as_str));
            status.set_description(format!("{}\n{}", reasons.join("\n"), finished.replay));
        }
        self.case(&finished.run.sim, finished.run.outcome.seed.0, finished.wall, status);
    }

    /// Adds a run that could not be made.
    pub fn add_error(&mut self, sim: &str, seed: u64, message: &str, replay: &str) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("run");
        status.set_message(message);
        status.set_description(format!("{message}\n{replay}"));
        self.case(sim, seed, Duration::ZERO, status);
    }

    fn case(&mut self, sim: &str, seed: u64, wall: Duration, status: TestCaseStatus) {
        let mut case = TestCase::new(format!("seed {seed}"), status);
        case.set_classname(sim);
        case.set_time(wall);
        let suite = match self.suite.take() {
            Some(suite) if suite.name.as_str() == sim => suite,
            other => {
                self.report.add_test_suites(other);
                TestSuite::new(sim)
            }
        };
        self.suite.insert(suite).add_test_case(case);
    }

    /// Writes the report.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write(mut self, file: impl io::Write) -> io::Result<()> {
        self.report.add_test_suites(self.suite.take());
        self.report.serialize(file).map_err(|error: SerializeError| io::Error::other(error))
    }
}

impl Default for Junit {
    fn default() -> Junit {
        Junit::new()
    }
}
