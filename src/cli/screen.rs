//! The terminal: the one place that prints.
//!
//! Data and talk are kept apart, colours are left out where they are not wanted (`NO_COLOR`, or no
//! terminal), and a reader that goes away, as `head` does, ends the command in silence.

use std::{
    fmt,
    io::{self, BufWriter, IsTerminal as _, Write},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::error::CliError;
use crate::report::text::COLUMNS;

/// Standard output and standard error.
pub(super) struct Screen {
    out: BufWriter<anstream::Stdout>,
    err: anstream::Stderr,
    bar: ProgressBar,
}

impl Screen {
    pub(super) fn new() -> Screen {
        Screen {
            out: BufWriter::new(anstream::stdout()),
            err: anstream::stderr(),
            bar: ProgressBar::hidden(),
        }
    }

    /// Prints data, at once.
    pub(super) fn data(&mut self, text: &str) -> Result<(), CliError> {
        let bar = self.bar.clone();
        bar.suspend(|| {
            self.stream(text)?;
            self.flush()
        })
    }

    /// Prints data that more is to follow.
    pub(super) fn stream(&mut self, text: &str) -> Result<(), CliError> {
        self.out.write_all(text.as_bytes()).map_err(output_error)
    }

    pub(super) fn flush(&mut self) -> Result<(), CliError> {
        self.out.flush().map_err(output_error)
    }

    /// Says something beside the data.
    pub(super) fn talk(&mut self, text: &str) {
        let bar = self.bar.clone();
        bar.suspend(|| {
            // Nobody is left to be told that nobody listens.
            let _ = self.err.write_all(text.as_bytes());
            let _ = self.err.flush();
        });
    }

    /// Shows a progress bar, on a terminal only.
    pub(super) fn begin(&mut self, total: u64) {
        if total > 1 && io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} runs  {wide_msg}");
            self.bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
    }

    /// Shows the progress of a sweep, of which so many runs are done already; on a terminal only.
    pub(super) fn begin_sweep(&mut self, total: Option<u64>, done: u64) {
        if !io::stderr().is_terminal() {
            return;
        }
        let template = match total {
            Some(_) => "{bar:24} {pos}/{len} runs  {rate}  ETA {eta}  {wide_msg}",
            None => "{spinner} {pos} runs  {rate}  {elapsed}  {wide_msg}",
        };
        let rate = |state: &ProgressState, text: &mut dyn fmt::Write| {
            // A bar that cannot be drawn is nobody's error.
            let _ = write!(text, "{:.1}/s", state.per_sec());
        };
        let style = ProgressStyle::with_template(template);
        let style = style.map(|style| style.with_key("rate", rate));
        self.bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.bar.set_position(done);
        self.bar.reset_eta();
    }

    /// One more run of a sweep is done, and so many have failed.
    pub(super) fn advance_sweep(&mut self, failed: u64, is_news: bool) {
        if is_news {
            self.bar.set_message(format!("{failed} failed"));
        }
        self.bar.inc(1);
    }

    /// One more of them is done.
    pub(super) fn advance(&mut self, what: &str) {
        self.bar.set_message(what.to_owned());
        self.bar.inc(1);
    }

    /// So many of them are done.
    pub(super) fn reach(&mut self, done: u64, what: &str) {
        self.bar.set_message(what.to_owned());
        self.bar.set_position(done);
    }

    /// Takes the progress bar away.
    pub(super) fn end(&mut self) {
        self.bar.finish_and_clear();
        self.bar = ProgressBar::hidden();
    }

    /// How many columns sentences may take: no more than are read with ease.
    pub(super) fn columns() -> usize {
        Screen::width().map_or(COLUMNS, |width| usize::from(width).min(COLUMNS))
    }

    /// The width of tables: that of the terminal; `None` where there is no terminal to fit.
    pub(super) fn width() -> Option<u16> {
        let size = terminal_size::terminal_size_of(io::stdout());
        size.map(|(width, _)| width.0.clamp(60, 140))
    }
}

fn output_error(error: io::Error) -> CliError {
    match error.kind() {
        io::ErrorKind::BrokenPipe => CliError::Closed,
        _ => CliError::Output { path: "standard output".into(), source: error },
    }
}
