//! Projects made up from a seed: what the sidecar has to tell agents about.
//!
//! A project is a few kilobytes, however large it says it is: its tree is drawn directory by
//! directory when somebody walks it, and a file's text when somebody reads it, each from a stream
//! of its own. So the same file reads the same in any order, and its text names its project, which
//! makes a leak from one project to another visible.
//!
//! It must never keep what it can draw again. Start at [`Project::generate`].

mod history;
#[cfg(test)]
mod tests;
mod text;
mod tree;

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use jiff::Timestamp;
use rand::Rng as _;

pub use self::{
    history::{Change, Commit, Status},
    text::{Contents, Draft},
    tree::{File, FileId, Kind, Language},
};
use crate::world::{Seed, Stream};

/// How large a project is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// A script: 12 files in 4 directories, 5 commits, nothing above 16 KiB.
    Tiny,
    /// A library: 200 files in 20 directories, 20 commits; 1 file in 100 has up to 256 KiB.
    Small,
    /// A service: 5 000 files in 250 directories, 100 commits; 1 in 50 has up to 2 MiB.
    Large,
    /// A monorepo with generated code: 100 000 files in 4 000 directories, 200 commits; 1 in 5 has
    /// up to 2 MiB. What an agent may see of it does not fit into 10 MB.
    Huge,
}

/// What a [`Size`] means.
struct Scale {
    directories: u32,
    /// In each directory.
    files: u32,
    commits: u32,
    dependencies: usize,
    /// The longest time between two commits.
    gap: Duration,
    big: crate::world::Probability,
    /// The largest size of a big file, in bytes.
    largest: u64,
}

impl Size {
    /// All of them, from small to large.
    pub const ALL: [Size; 4] = [Size::Tiny, Size::Small, Size::Large, Size::Huge];

    const fn scale(self) -> Scale {
        let (directories, files, commits, dependencies, gap, big, largest) = match self {
            Size::Tiny => (4, 3, 5, 2, 24 * 60, 0, 16 << 10),
            Size::Small => (20, 10, 20, 8, 8 * 60, 1, 256 << 10),
            Size::Large => (250, 20, 100, 20, 60, 2, 2 << 20),
            Size::Huge => (4_000, 25, 200, 32, 10, 20, 2 << 20),
        };
        Scale {
            directories,
            files,
            commits,
            dependencies,
            gap: Duration::from_secs(gap * 60),
            big: crate::world::Probability::percent(big),
            largest,
        }
    }

    /// How many files such a project has.
    pub const fn files(self) -> u64 {
        let scale = self.scale();
        scale.directories as u64 * scale.files as u64
    }
}

/// How the last build ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// It and its tests passed.
    Success,
    /// It did not.
    Failed,
    /// Nothing was built so far.
    Never,
}

impl Build {
    /// As `last_build_status` has it; none if nothing was built.
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Build::Success => Some("success"),
            Build::Failed => Some("failed"),
            Build::Never => None,
        }
    }
}

/// A project.
#[derive(Clone, Debug)]
pub struct Project {
    id: Rc<str>,
    seed: Seed,
    size: Size,
    language: Language,
    total_size: u64,
    dependencies: Vec<&'static str>,
    coverage: Option<u32>,
    build: Build,
    /// Newest first.
    commits: Vec<Commit>,
    uncommitted: BTreeMap<FileId, Status>,
    /// The files that the commits or an edit have touched.
    touched: BTreeMap<FileId, Touched>,
    /// All other files are older than this.
    oldest: Timestamp,
}

/// What has become of a file.
#[derive(Clone, Copy, Debug)]
struct Touched {
    at: Timestamp,
    /// Each edit makes another text.
    edits: u32,
}

impl Project {
    /// Makes up a project of this size, as it is at `now`. Everything about it follows from one
    /// draw of the stream; its name changes nothing but its texts.
    pub fn generate(stream: &mut Stream, id: &str, size: Size, now: Timestamp) -> Project {
        let seed = Seed(stream.next_u64());
        let scale = size.scale();
        let mut facts = seed.stream("facts");
        let language = facts.pick(&Language::CODE).copied().unwrap_or(Language::Rust);
        let mut project = Project {
            id: id.into(),
            seed,
            size,
            language,
            total_size: 0,
            dependencies: text::dependencies(&mut facts, scale.dependencies),
            coverage: (facts.below(4) > 0).then(|| facts.between(200, 1_000) as u32),
            build: match facts.below(8) {
                0 => Build::Never,
                1 | 2 => Build::Failed,
                _ => Build::Success,
            },
            commits: Vec::new(),
            uncommitted: BTreeMap::new(),
            touched: BTreeMap::new(),
            oldest: now,
        };
        project.write_history(now);
        project.total_size = project.files().map(|file| file.size).sum();
        project
    }

    /// Its ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How large it is.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The language that most of it is written in.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The bytes of all its files.
    pub fn total_size(&self) -> u64 {
        self.total_size
    }

    /// What it depends on.
    pub fn dependencies(&self) -> &[&'static str] {
        &self.dependencies
    }

    /// How much of it its tests cover, in tenths of a percent, if anybody knows.
    pub fn coverage(&self) -> Option<u32> {
        self.coverage
    }

    /// How its last build ended.
    pub fn build(&self) -> Build {
        self.build
    }

    /// The branch that is checked out.
    pub fn branch(&self) -> &'static str {
        if self.size == Size::Tiny { "main" } else { "develop" }
    }

    /// What an issue asks for, a sentence each. Every issue asks for something.
    pub fn requirements(&self, issue: &str) -> Vec<String> {
        text::requirements(&mut self.seed.stream(&format!("issue/{issue}")))
    }

    /// An edit of a file that is not committed: from then on it reads otherwise. Time that goes
    /// back is taken as standing still.
    pub fn edit(&mut self, file: FileId, at: Timestamp) {
        let touched = self.touched.entry(file).or_insert(Touched { at, edits: 0 });
        touched.at = touched.at.max(at);
        touched.edits += 1;
        self.uncommitted.entry(file).or_insert(Status::Modified);
    }
}
