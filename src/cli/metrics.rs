//! The flags for the metrics of runs, as `run` and `replay` have them: a file, or a port to scrape.
//!
//! The file is created and the port taken before anything runs, so that neither fails at the end.

use std::{
    collections::BTreeMap,
    io::Write as _,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clap::Args;

use super::{
    clock::Stopwatch,
    error::CliError,
    interrupt::Interrupt,
    options::duration,
    output::{self, OutputFile},
    screen::Screen,
    serve,
    sims::Entry,
};
use crate::{
    observe::metrics::{self, Board, MetricsError},
    world::{Observer, Seed},
};

/// The most runs whose metrics are kept at once: each has some hundreds of series.
const RUNS_MAX: usize = 1_000;
/// How often a server looks whether it is to end.
const PAUSE: Duration = Duration::from_millis(50);

/// Where the metrics go.
#[derive(Debug, Args)]
pub(super) struct MetricsArgs {
    /// Write what was measured as Prometheus text; of several runs, each metric says `sim` and `seed`
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
}

/// Who may scrape them.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Serve what is measured at http://ADDR/metrics, during the runs and after them until Ctrl-C
    #[arg(long, value_name = "ADDR")]
    serve_metrics: Option<SocketAddr>,
    /// Serve for so long after the runs and no longer, as in 30s
    #[arg(long, value_name = "TIME", requires = "serve_metrics", value_parser = duration)]
    serve_for: Option<Duration>,
}

/// What the runs have measured so far, by their places in the plan.
#[derive(Clone, Default)]
pub(super) struct Boards(Arc<Mutex<BTreeMap<usize, Board>>>);

impl Boards {
    /// The text as of now.
    pub(super) fn text(&self) -> Result<String, MetricsError> {
        let boards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let boards: Vec<Board> = boards.values().cloned().collect();
        metrics::text(&boards)
    }
}

/// Measures runs, if that is asked for.
pub(super) struct Measuring {
    boards: Option<Boards>,
    file: Option<OutputFile>,
    /// How long to serve after the runs; `None` inside for as long as nobody ends it.
    serves: Option<Option<Duration>>,
}

impl Measuring {
    /// Creates the file and takes the port, if they are asked for.
    pub(super) fn begin(
        args: &MetricsArgs,
        serve: Option<&ServeArgs>,
        runs: usize,
        screen: &mut Screen,
    ) -> Result<Measuring, CliError> {
        let address = serve.and_then(|serve| serve.serve_metrics);
        let is_asked_for = args.metrics.is_some() || address.is_some();
        if is_asked_for && runs > RUNS_MAX {
            return Err(CliError::usage(
                format!("metrics are kept of at most {RUNS_MAX} runs, and these are {runs}"),
                "name fewer sims, or fewer seeds",
            ));
        }
        let file = output::create(args.metrics.as_deref())?;
        let boards = is_asked_for.then(Boards::default);
        let mut serves = None;
        if let (Some(address), Some(boards)) = (address, &boards) {
            let bound = serve::serve(address, boards.clone()).map_err(|error| {
                CliError::usage(
                    format!("cannot serve metrics at {address}: {error}"),
                    "name another port; port 0 takes any that is free",
                )
            })?;
            screen.talk(&format!("metrics at http://{bound}/metrics\n"));
            serves = serve.map(|serve| serve.serve_for);
        }
        Ok(Measuring { boards, file, serves })
    }

    pub(super) fn is_asked_for(&self) -> bool {
        self.boards.is_some()
    }

    /// An observer for the run at this place of the plan.
    pub(super) fn observer(
        &self,
        place: usize,
        entry: &Entry,
        seed: Seed,
    ) -> Result<Option<Box<dyn Observer>>, CliError> {
        let Some(Boards(boards)) = &self.boards else { return Ok(None) };
        let (board, observer) = Board::begin(&entry.sim, seed).map_err(internal)?;
        boards.lock().unwrap_or_else(PoisonError::into_inner).insert(place, board);
        Ok(Some(observer))
    }

    /// Writes the file, then serves for as long as that is asked for.
    pub(super) fn finish(self, screen: &mut Screen) -> Result<(), CliError> {
        let Some(boards) = self.boards else { return Ok(()) };
        if let Some(OutputFile { path, mut file }) = self.file {
            let text = boards.text().map_err(internal)?;
            file.write_all(text.as_bytes()).map_err(|source| CliError::Output { path, source })?;
        }
        match self.serves {
            None => Ok(()),
            Some(lasting) => {
                screen.flush()?;
                wait(lasting)
            }
        }
    }
}

/// Until the time is over, or somebody ends it.
#[expect(clippy::disallowed_methods, reason = "waits for people and scrapers, after the runs")]
fn wait(lasting: Option<Duration>) -> Result<(), CliError> {
    let interrupt = Interrupt::listen()
        .map_err(|error| CliError::usage(format!("cannot listen to signals: {error}"), ""))?;
    let watch = Stopwatch::start();
    while !interrupt.was_asked() && lasting.is_none_or(|lasting| watch.elapsed() < lasting) {
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

fn internal(error: MetricsError) -> CliError {
    CliError::Internal { message: error.to_string(), replay: super::command_line() }
}
