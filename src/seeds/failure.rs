//! What a test says when a seed fails.

use std::{fmt, path::PathBuf};

use super::{
    attempt::{Attempt, Difference, Pair, first_difference},
    place::Place,
};
use crate::world::{Host, Record, Seed, Time, World};

/// How often a difference is looked for with logs kept: some leaks show in one run out of a few.
const SEARCHES_MAX: usize = 8;

/// Why a seed failed, and how to see it again. Its last line is the command that replays it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub struct SeedFailure {
    /// The seed; `None` if not even the first could be run.
    pub seed: Option<Seed>,
    /// What went wrong.
    pub message: String,
    /// The host it went wrong on.
    pub host: Host,
    /// The virtual time at which the world ended, if it ran to its end.
    pub at: Option<Time>,
    /// The event logs that were kept.
    pub logs: Vec<PathBuf>,
    /// Why the log could not be kept.
    pub log_error: Option<String>,
    /// What differs between two runs, if that is the trouble or part of it.
    pub mismatch: Option<Mismatch>,
    /// The command that replays it; empty if no seed was run.
    pub command: String,
}

/// Two runs of one seed that were not the same.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Mismatch {
    /// The hosts of the two runs.
    pub hosts: [Host; 2],
    /// The first events that differ, `None` for the end of the history; if they could be found.
    pub first_difference: Option<(Option<Record>, Option<Record>)>,
}

/// A seed that failed, and what it takes to run it again.
pub(super) struct Replay<'a> {
    pub seed: Seed,
    pub test: &'a dyn Fn(World) -> Result<(), String>,
    pub place: &'a Place,
}

impl Replay<'_> {
    /// Runs a failed seed again with its log kept.
    pub(super) fn of_failure(&self, host: Host, failed: &Attempt, message: String) -> SeedFailure {
        let mut failure = self.begin(message, host);
        failure.at = failed.outcome.as_ref().map(|outcome| outcome.ended_at);
        let again = self.logged(host, "", &mut failure);
        let fingerprint = |attempt: &Attempt| attempt.outcome.as_ref().map(|out| out.fingerprint);
        let is_same = again.passed().err().as_deref() == Some(failure.message.as_str())
            && fingerprint(&again) == fingerprint(failed);
        if !is_same {
            let pair = Pair::again(host);
            failure.logs.clear();
            failure.mismatch = Some(self.find_difference(&pair, &mut failure));
        }
        failure
    }

    /// Runs a seed with two histories again until its logs show where they part.
    pub(super) fn of_difference(&self, pair: &Pair) -> SeedFailure {
        let message = if pair.is_again() {
            "two runs of this seed have different histories".to_owned()
        } else {
            "the histories on the two hosts differ".to_owned()
        };
        let mut failure = self.begin(message, pair.hosts[1]);
        failure.mismatch = Some(self.find_difference(pair, &mut failure));
        failure
    }

    fn begin(&self, message: String, host: Host) -> SeedFailure {
        SeedFailure {
            seed: Some(self.seed),
            message,
            host,
            at: None,
            logs: Vec::new(),
            log_error: None,
            mismatch: None,
            command: self.place.command(self.seed.0),
        }
    }

    fn find_difference(&self, pair: &Pair, failure: &mut SeedFailure) -> Mismatch {
        let mut found: Option<Difference> = None;
        for _ in 0..SEARCHES_MAX {
            failure.logs.clear();
            failure.log_error = None;
            for (host, file) in pair.hosts.into_iter().zip(pair.files) {
                self.logged(host, &format!("-{file}"), failure);
            }
            if let [first, second] = failure.logs.as_slice() {
                found = first_difference([first, second]);
            }
            if found.is_some() || failure.log_error.is_some() {
                break;
            }
        }
        Mismatch { hosts: pair.hosts, first_difference: found }
    }

    /// Runs the seed with its log kept wherever that is possible.
    fn logged(&self, host: Host, suffix: &str, failure: &mut SeedFailure) -> Attempt {
        let paths = self.place.logs(self.seed.0, suffix);
        let is_writable = |path: &&PathBuf| {
            path.parent().is_some_and(|folder| std::fs::create_dir_all(folder).is_ok())
        };
        let path = paths.iter().find(is_writable).or(paths.first());
        let attempt = Attempt::make(self.seed, host, path.map(PathBuf::as_path), self.test);
        match (&attempt.logged, path) {
            (Some(Ok(_)), Some(path)) => failure.logs.push(path.clone()),
            (Some(Err(error)), Some(path)) => {
                failure.log_error = Some(format!("{}: {error}", path.display()));
            }
            _ => {}
        }
        attempt
    }
}

impl SeedFailure {
    /// A failure that no seed is to blame for.
    pub(super) fn before_any_seed(message: String) -> SeedFailure {
        SeedFailure {
            seed: None,
            message,
            host: Host::Native,
            at: None,
            logs: Vec::new(),
            log_error: None,
            mismatch: None,
            command: String::new(),
        }
    }
}

impl fmt::Display for SeedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(seed) = self.seed else { return f.write_str(&self.message) };
        writeln!(f, "seed {seed} failed: {}", self.message)?;
        let host = self.host.name();
        match self.at {
            Some(at) => writeln!(f, "  at {at} of virtual time, on the {host} host")?,
            None => writeln!(f, "  on the {host} host")?,
        }
        if let Some(mismatch) = &self.mismatch {
            mismatch.write(f)?;
        } else {
            writeln!(f, "  a second run of the seed failed in the same way")?;
        }
        for log in &self.logs {
            writeln!(f, "  event log: {}", log.display())?;
        }
        if let Some(error) = &self.log_error {
            writeln!(f, "  the event log could not be kept: {error}")?;
        }
        writeln!(f, "replay it with:")?;
        f.write_str(&self.command)
    }
}

impl Mismatch {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.hosts;
        let names = if first == second {
            writeln!(
                f,
                "  not repeatable: runs of this seed differ, so something outside the world \
                 decides (a clock, a thread, a random hash, a static)"
            )?;
            ["one run", "another"]
        } else {
            [first.name(), second.name()]
        };
        let Some((one, other)) = &self.first_difference else {
            return writeln!(f, "  where they part could not be found");
        };
        writeln!(f, "  the first event that differs:")?;
        for (name, record) in names.into_iter().zip([one, other]) {
            match record {
                Some(record) => writeln!(f, "    {name}: {}", Line(record))?,
                None => writeln!(f, "    {name}: (nothing more happened)")?,
            }
        }
        Ok(())
    }
}

/// A record, for people.
struct Line<'a>(&'a Record);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Record { seq, at_ns, node, kind, fields, .. } = self.0;
        let fields = serde_json::to_string(fields).map_err(|_| fmt::Error)?;
        write!(f, "#{seq} at {} on `{node}`: {kind} {fields}", Time::from_nanos(*at_ns))
    }
}
