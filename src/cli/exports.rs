//! The files that show one run to others: its spans as OTLP JSON, and all of it as a Perfetto trace.
//!
//! Like every file of a verb they are created before anything runs. Spans can go to a collector instead.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Serialize;

use super::{
    collector::Collector,
    error::CliError,
    output::{self, Asked, OutputFile},
};
use crate::{
    observe::{PerfettoWriter, Spans, otlp},
    scenario::Sim,
    world::Observer,
};

/// What to export of one run.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Write the spans of the run as OTLP JSON, or post them to a collector as in http://localhost:4318
    #[arg(long, value_name = "FILE|URL")]
    otlp: Option<PathBuf>,
    /// Write spans, messages and faults of the run as a Perfetto trace
    #[arg(long, value_name = "FILE")]
    perfetto: Option<PathBuf>,
}

impl ExportArgs {
    /// The flag that needs one run, if there is one.
    pub(super) fn flag(&self) -> Option<&'static str> {
        let otlp = self.otlp.as_ref().map(|_| "--otlp");
        otlp.or(self.perfetto.as_ref().map(|_| "--perfetto"))
    }

    /// The files, by their flags.
    pub(super) fn outputs(&self) -> [Asked<'_>; 2] {
        [("--otlp", self.otlp.as_deref()), ("--perfetto", self.perfetto.as_deref())]
    }

    /// Creates the files.
    pub(super) fn create(&self) -> Result<Exports, CliError> {
        let otlp = self.otlp.as_deref().map(SpanOutput::begin).transpose()?;
        Ok(Exports { otlp, perfetto: output::create(self.perfetto.as_deref())? })
    }
}

/// Where spans go.
enum SpanOutput {
    File(OutputFile),
    Collector(Collector),
}

impl SpanOutput {
    /// Creates the file, or looks whether the collector is there.
    fn begin(path: &Path) -> Result<SpanOutput, CliError> {
        match path.to_str().and_then(Collector::parse) {
            Some(collector) => {
                let collector = collector?;
                collector.look()?;
                Ok(SpanOutput::Collector(collector))
            }
            None => output::file(path).map(SpanOutput::File),
        }
    }

    fn write(self, request: &impl Serialize) -> Result<(), CliError> {
        match self {
            SpanOutput::Collector(collector) => {
                let body = serde_json::to_vec(request).map_err(|error| CliError::Internal {
                    message: error.to_string(),
                    replay: super::command_line(),
                })?;
                collector.post(&body)
            }
            SpanOutput::File(OutputFile { path, file }) => {
                let mut output = BufWriter::new(file);
                let written = serde_json::to_writer(&mut output, request).map_err(Into::into);
                let written = written.and_then(|()| output.write_all(b"\n"));
                let written = written.and_then(|()| output.flush());
                written.map_err(|source| CliError::Output { path, source })
            }
        }
    }
}

/// Files that are there and will be written to.
#[derive(Default)]
pub(super) struct Exports {
    otlp: Option<SpanOutput>,
    perfetto: Option<OutputFile>,
}

/// What is being written.
pub(super) struct Exporting {
    spans: Option<(Spans, SpanOutput)>,
    perfetto: Option<(PerfettoWriter<BufWriter<File>>, PathBuf)>,
}

impl Exports {
    /// The observers that a run needs, and what to ask when it is over.
    pub(super) fn begin(self) -> (Exporting, Vec<Box<dyn Observer>>) {
        let spans = self.otlp.map(|output| (Spans::new(), output));
        let perfetto = self
            .perfetto
            .map(|OutputFile { path, file }| (PerfettoWriter::new(BufWriter::new(file)), path));
        let mut observers: Vec<Box<dyn Observer>> = Vec::new();
        if let Some((spans, _)) = &spans {
            observers.push(Box::new(spans.clone()));
        }
        if let Some((writer, _)) = &perfetto {
            observers.push(Box::new(writer.clone()));
        }
        (Exporting { spans, perfetto }, observers)
    }
}

impl Exporting {
    /// Completes the files, and says which could not be.
    pub(super) fn finish(self, sim: &Sim) -> Vec<CliError> {
        let mut unwritten = Vec::new();
        if let Some((writer, path)) = self.perfetto {
            let written = writer.finish().map_err(|source| CliError::Output { path, source });
            unwritten.extend(written.err());
        }
        if let Some((spans, output)) = self.spans {
            let request = otlp(&sim.name, sim.start, &spans.finish());
            unwritten.extend(output.write(&request).err());
        }
        unwritten
    }
}
