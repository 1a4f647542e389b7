//! One run of a test with one seed.

use std::{
    any::Any,
    fs::{self, File},
    io::{self, BufReader, BufWriter},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use crate::{
    observe::{LogReader, LogWriter},
    world::{Host, Outcome, Record, Report, Seed, World},
};

/// What one run came to.
pub(super) struct Attempt {
    conclusion: Result<(), String>,
    /// What the world came to, if it ran to its end.
    pub outcome: Option<Outcome>,
    /// How many events are in the log, if one was asked for.
    pub logged: Option<io::Result<u64>>,
}

impl Attempt {
    /// Runs the test, and keeps the event log in a file if there is a path for it.
    pub(super) fn make(
        seed: Seed,
        host: Host,
        log: Option<&Path>,
        test: &dyn Fn(World) -> Result<(), String>,
    ) -> Attempt {
        let report = Report::default();
        let mut world = World::new(seed);
        world.host(host).report_to(report.clone());
        let log = log.map(|path| create(path).map(|file| LogWriter::new(file, seed)));
        if let Some(Ok(writer)) = &log {
            world.observe(writer.clone());
        }
        let conclusion = catch_unwind(AssertUnwindSafe(|| test(world)))
            .unwrap_or_else(|payload| Err(format!("panic: {}", text(&*payload))));
        let logged = log.map(|writer| writer.and_then(|writer| writer.finish()));
        Attempt { conclusion, outcome: report.take(), logged }
    }

    /// What the world came to, if the test is content with it.
    pub(super) fn passed(&self) -> Result<&Outcome, String> {
        self.conclusion.clone()?;
        self.outcome.as_ref().ok_or_else(|| {
            "the test did not run the world that it was given, so it checks nothing".to_owned()
        })
    }
}

fn create(path: &Path) -> io::Result<BufWriter<File>> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::create(path).map(BufWriter::new)
}

fn text(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}

/// Two runs that must not differ.
pub(super) struct Pair {
    pub hosts: [Host; 2],
    /// What the logs of the two are called.
    pub files: [&'static str; 2],
}

impl Pair {
    /// The same host twice.
    pub(super) fn again(host: Host) -> Pair {
        Pair { hosts: [host, host], files: ["first", "second"] }
    }

    pub(super) fn is_again(&self) -> bool {
        self.hosts[0] == self.hosts[1]
    }
}

/// The first event in which two logs differ; `None` for the end of a log.
pub(super) type Difference = (Option<Record>, Option<Record>);

/// Compares two logs, event by event.
pub(super) fn first_difference(paths: [&Path; 2]) -> Option<Difference> {
    let open = |path| LogReader::new(BufReader::new(File::open(path).ok()?)).ok();
    let (mut first, mut second) = (open(paths[0])?, open(paths[1])?);
    loop {
        // A line that cannot be read ends the comparison as the end of the log does.
        match (first.next().and_then(Result::ok), second.next().and_then(Result::ok)) {
            (None, None) => return None,
            (one, other) if one != other => return Some((one, other)),
            _ => {}
        }
    }
}
