//! The files that `run` and `replay` can write of one run, beside what they print.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{
    error::CliError,
    exports::ExportArgs,
    html::HtmlArgs,
    metrics::MetricsArgs,
    output::{self, Asked},
    sims::Entry,
};
use crate::world::Seed;

/// Where to write what a run did.
#[derive(Debug, Args)]
pub(super) struct RecordArgs {
    /// Also write every event as JSON Lines, compressed if FILE ends in .zst
    #[arg(long, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    #[command(flatten)]
    pub(super) exports: ExportArgs,
    /// Write the sim with the faults that its chaos draws as a plain sim; a file that is there already
    /// and says something else is left as it is
    #[arg(long, value_name = "FILE")]
    write_plan: Option<PathBuf>,
    #[command(flatten)]
    pub(super) html: HtmlArgs,
    #[command(flatten)]
    pub(super) metrics: MetricsArgs,
}

impl RecordArgs {
    /// The files that are asked for, by their flags.
    pub(super) fn outputs(&self) -> [Asked<'_>; 6] {
        let [otlp, perfetto] = self.exports.outputs();
        [
            ("--log", self.log.as_deref()),
            (output::WRITE_PLAN, self.write_plan.as_deref()),
            otlp,
            perfetto,
            self.html.output(),
            self.metrics.output(),
        ]
    }

    /// The first flag that needs a single run. Metrics are of any number.
    pub(super) fn for_one(&self) -> Option<&'static str> {
        let asked = |flag, is_asked: bool| is_asked.then_some(flag);
        asked("--log", self.log.is_some())
            .or(self.exports.flag())
            .or(asked("--html", self.html.is_asked_for()))
            .or(asked(output::WRITE_PLAN, self.write_plan.is_some()))
    }

    /// Writes the plan of a run, if it is asked for.
    pub(super) fn write_plan(&self, entry: &Entry, seed: Seed) -> Result<(), CliError> {
        let path: Option<&Path> = self.write_plan.as_deref();
        path.map_or(Ok(()), |path| output::write_plan(path, entry, seed))
    }
}
