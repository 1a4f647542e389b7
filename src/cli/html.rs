//! The flags for a page of one run, as `run` and `replay` have them: where it goes, and opening it.
//!
//! The file is created before the run, so that a path that cannot be written costs nothing.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use clap::Args;

pub(super) use crate::report::html::Recording;

use super::{
    error::CliError,
    output::{self, Asked, OutputFile},
    screen::Screen,
    sims::Entry,
};
use crate::{report::Finished, world::Seed};

/// The programs that open a file as the desktop would, the first of them that works.
const OPENERS: &[&[&str]] = if cfg!(target_os = "macos") {
    &[&["open"]]
} else if cfg!(windows) {
    &[&["explorer"]]
} else {
    &[&["xdg-open"], &["gio", "open"], &["wslview"]]
};
/// How long an opener may take to fail. One that still runs after that has become the browser.
const OPENING: Duration = Duration::from_secs(3);

/// Where the page goes.
#[derive(Debug, Args)]
pub(super) struct HtmlArgs {
    /// Write a page that shows the run, for a browser: one file, no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Open the page in the browser
    #[arg(long, requires = "html")]
    open: bool,
}

impl HtmlArgs {
    pub(super) fn is_asked_for(&self) -> bool {
        self.html.is_some()
    }

    /// The file, by its flag.
    pub(super) fn output(&self) -> Asked<'_> {
        ("--html", self.html.as_deref())
    }

    /// Creates the file, if one is asked for.
    pub(super) fn create(&self) -> Result<Option<Page>, CliError> {
        Ok(output::create(self.html.as_deref())?.map(Page))
    }

    /// Says where the page is, and opens it if that is asked for.
    pub(super) fn tell(&self, page: Option<Page>, screen: &mut Screen) {
        let Some(Page(OutputFile { path, .. })) = page else { return };
        let path = std::path::absolute(&path).unwrap_or(path);
        if self.open && !OPENERS.iter().any(|opener| has_opened(opener, &path)) {
            screen.talk("no browser could be started; open the page by hand\n");
        }
        screen.talk(&format!("page in {}\n", path.display()));
    }
}

/// A page that is there and will be written.
pub(super) struct Page(OutputFile);

impl Page {
    pub(super) fn write(
        self,
        recording: Recording,
        entry: &Entry,
        finished: &Finished,
    ) -> Result<Page, CliError> {
        let written = recording.write(&entry.sim, finished, &self.0.file);
        let failed = |source| CliError::Output { path: self.0.path.clone(), source };
        written.map_err(failed)?;
        Ok(self)
    }
}

/// Begins to record a run for its page.
pub(super) fn record(entry: &Entry, seed: Seed) -> Result<Recording, CliError> {
    Recording::begin(&entry.sim, seed).map_err(|error| CliError::Scenarios(vec![error]))
}

#[expect(clippy::disallowed_methods, reason = "waits for another program, after the run")]
fn has_opened(opener: &[&str], path: &Path) -> bool {
    let Some((program, arguments)) = opener.split_first() else { return false };
    let mut command = Command::new(program);
    command.args(arguments).arg(path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return false };
    let pause = Duration::from_millis(50);
    for _ in 0..OPENING.as_millis() / pause.as_millis() {
        match child.try_wait() {
            // The one of Windows says 1 whatever it did.
            Ok(Some(status)) => return status.success() || cfg!(windows),
            Ok(None) => std::thread::sleep(pause),
            Err(_) => return false,
        }
    }
    true
}
