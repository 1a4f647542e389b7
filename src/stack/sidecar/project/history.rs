//! What happened to a project: commits, and what is not committed yet.

use std::{fmt, rc::Rc};

use jiff::{SignedDuration, Timestamp};

use super::{FileId, Project, Touched, text};
use crate::world::Stream;

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its hash: 40 hexadecimal digits.
    pub hash: Rc<str>,
    /// The role of whoever made it; nobody has a name here.
    pub author: &'static str,
    /// What it says it does.
    pub message: Rc<str>,
    /// When it was made.
    pub time: Timestamp,
    /// What it changed: one to four files, each once.
    pub files: Vec<FileId>,
}

/// What has become of a file since the last commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It reads otherwise.
    Modified,
    /// It is new, and git was told of it.
    Added,
    /// It is new, and git does not know of it.
    Untracked,
}

impl Status {
    /// The two letters of `git status --porcelain`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Modified => " M",
            Status::Added => "A ",
            Status::Untracked => "??",
        }
    }
}

/// A change that is not committed. It displays as a line of `git status --porcelain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What has become of the file.
    pub status: Status,
    /// Where the file is.
    pub path: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_str(), self.path)
    }
}

impl Project {
    /// The commits that are remembered, newest first. Each is older than the one before it.
    pub fn commits(&self) -> &[Commit] {
        &self.commits
    }

    /// What is not committed, in the order of the files' places.
    pub fn uncommitted(&self) -> impl Iterator<Item = Change> + '_ {
        self.uncommitted.iter().filter_map(|(id, status)| {
            self.file(*id).map(|file| Change { status: *status, path: self.path(&file) })
        })
    }

    /// Goes back in time from `now`: first what is not committed, then commit by commit.
    pub(super) fn write_history(&mut self, now: Timestamp) {
        let scale = self.size.scale();
        let mut stream = self.seed.stream("history");
        let most_seconds = scale.gap.as_secs().max(1);
        let mut at = now;
        for id in self.some_files(&mut stream) {
            let status = match stream.below(4) {
                0 => Status::Added,
                1 => Status::Untracked,
                _ => Status::Modified,
            };
            self.uncommitted.insert(id, status);
            self.touch(id, now);
        }
        for _ in 0..scale.commits {
            let gap = SignedDuration::from_secs(stream.between(1, most_seconds) as i64);
            at = at.checked_sub(gap).unwrap_or(Timestamp::MIN);
            let hash: String = (0..5).map(|_| format!("{:08x}", stream.below(1 << 32))).collect();
            let files = self.some_files(&mut stream);
            files.iter().for_each(|id| self.touch(*id, at));
            self.commits.push(Commit {
                hash: hash.into(),
                author: text::author(&mut stream),
                message: text::message(&mut stream).into(),
                time: at,
                files,
            });
        }
        self.oldest = at;
    }

    /// What is touched later was touched earlier: the first one counts.
    fn touch(&mut self, id: FileId, at: Timestamp) {
        self.touched.entry(id).or_insert(Touched { at, edits: 0 });
    }

    fn some_files(&self, stream: &mut Stream) -> Vec<FileId> {
        let scale = self.size.scale();
        let mut files: Vec<FileId> = (0..stream.between(1, 4))
            .map(|_| FileId {
                directory: stream.below(scale.directories.into()) as u32,
                index: stream.below(scale.files.into()) as u32,
            })
            .collect();
        files.sort_unstable();
        files.dedup();
        files
    }
}
