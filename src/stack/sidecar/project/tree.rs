//! The tree: directories in a fixed pattern, files drawn from the stream of their directory.

use std::{collections::BTreeSet, fmt};

use jiff::{SignedDuration, Timestamp};

use super::{Project, text};
use crate::world::Stream;

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// Rust.
    Rust,
    /// Python.
    Python,
    /// Go.
    Go,
    /// TypeScript.
    TypeScript,
    /// Markdown.
    Markdown,
    /// TOML.
    Toml,
    /// YAML.
    Yaml,
}

impl Language {
    /// Those that a project can be written in.
    pub const CODE: [Language; 4] =
        [Language::Rust, Language::Python, Language::Go, Language::TypeScript];

    /// Its name, as `language` and `project_type` have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::Python => "python",
            Language::Go => "go",
            Language::TypeScript => "typescript",
            Language::Markdown => "markdown",
            Language::Toml => "toml",
            Language::Yaml => "yaml",
        }
    }

    /// What its files' names end with.
    const fn extension(self) -> &'static str {
        match self {
            Language::Rust => "rs",
            Language::Python => "py",
            Language::Go => "go",
            Language::TypeScript => "ts",
            Language::Markdown => "md",
            Language::Toml => "toml",
            Language::Yaml => "yaml",
        }
    }

    /// What starts a comment.
    pub(super) const fn comment(self) -> &'static str {
        match self {
            Language::Rust | Language::Go | Language::TypeScript => "//",
            Language::Python | Language::Markdown | Language::Toml | Language::Yaml => "#",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Code.
    Source,
    /// Code that tests code.
    Test,
    /// Manifests and settings.
    Config,
    /// Documentation.
    Docs,
}

impl Kind {
    /// Whether it is code, and half of it still says something.
    pub const fn is_code(self) -> bool {
        matches!(self, Kind::Source | Kind::Test)
    }

    /// What directory `n` is for; the root is for settings. A run of eight has all.
    const fn of(n: u32) -> Kind {
        match n % 8 {
            _ if n == 0 => Kind::Config,
            2 | 6 => Kind::Test,
            3 => Kind::Docs,
            7 => Kind::Config,
            _ => Kind::Source,
        }
    }

    const fn top(self) -> &'static str {
        match self {
            Kind::Source => "src",
            Kind::Test => "tests",
            Kind::Config => "config",
            Kind::Docs => "docs",
        }
    }
}

/// Which file of a project, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId {
    pub(super) directory: u32,
    pub(super) index: u32,
}

/// What is known of a file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Which it is.
    pub id: FileId,
    /// What it is for.
    pub kind: Kind,
    /// What it is written in.
    pub language: Language,
    /// How many bytes it has.
    pub size: u64,
    /// When it was last changed.
    pub last_modified: Timestamp,
}

/// The directories that share a parent, in a project of more than this many.
const BRANCH: u32 = 64;

impl Project {
    /// All files, in the order of their places. Nothing of them is kept.
    pub fn files(&self) -> impl Iterator<Item = File> + '_ {
        let scale = self.size.scale();
        (0..scale.directories).flat_map(move |n| {
            let mut stream = self.seed.stream(&format!("directory/{n}"));
            (0..scale.files)
                .map(move |index| self.draw(&mut stream, FileId { directory: n, index }))
        })
    }

    fn draw(&self, stream: &mut Stream, id: FileId) -> File {
        let scale = self.size.scale();
        // Each draws as often as any other, so that no file depends on what its neighbours are.
        let (is_big, usual) = (stream.chance(scale.big), stream.between(200, 16 << 10));
        let big = stream.between(scale.largest / 8, scale.largest);
        let (is_other, other) = (stream.below(8) == 0, stream.below(Language::CODE.len() as u64));
        let age = stream.below(2 * 365 * 24 * 3_600);

        let is_readme = id.directory == 0 && id.index == 1;
        let kind = if is_readme { Kind::Docs } else { Kind::of(id.directory) };
        let language = match kind {
            Kind::Source | Kind::Test if is_other => {
                Language::CODE.get(other as usize).copied().unwrap_or(self.language)
            }
            Kind::Source | Kind::Test => self.language,
            Kind::Docs => Language::Markdown,
            Kind::Config if id.index == 0 => Language::Toml,
            Kind::Config => Language::Yaml,
        };
        let untouched = || {
            self.oldest.checked_sub(SignedDuration::from_secs(age as i64)).unwrap_or(self.oldest)
        };
        let last_modified = self.touched.get(&id).map_or_else(untouched, |touched| touched.at);
        File { id, kind, language, size: if is_big { big } else { usual }, last_modified }
    }

    /// Where a file is, from the root on, with `/` between the parts. No two are at one place.
    pub fn path(&self, file: &File) -> String {
        let FileId { directory, index } = file.id;
        let extension = file.language.extension();
        if directory == 0 {
            return match index {
                0 => format!("project.{extension}"),
                1 => format!("README.{extension}"),
                _ => format!("settings_{index}.{extension}"),
            };
        }
        let word = text::word(self.seed.0.wrapping_add(u64::from(directory + index)));
        format!("{}/{word}_{index}.{extension}", self.directory(directory))
    }

    /// The path of directory `n`; the root has none.
    fn directory(&self, n: u32) -> String {
        let top = Kind::of(n).top();
        let word = text::word(self.seed.0.wrapping_add(u64::from(n)));
        if self.size.scale().directories > BRANCH {
            format!("{top}/part_{}/{word}_{n}", n / BRANCH)
        } else {
            format!("{top}/{word}_{n}")
        }
    }

    /// All directories but the root, in the order of their paths.
    pub fn directories(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for path in (1..self.size.scale().directories).map(|n| self.directory(n)) {
            let parents = path.match_indices('/').filter_map(|(end, _)| path.get(..end));
            all.extend(parents.map(str::to_owned));
            all.insert(path);
        }
        all
    }

    /// The file at this place, if there is one.
    pub fn file(&self, id: FileId) -> Option<File> {
        let scale = self.size.scale();
        if id.directory >= scale.directories || id.index >= scale.files {
            return None;
        }
        let mut stream = self.seed.stream(&format!("directory/{}", id.directory));
        (0..=id.index).map(|index| self.draw(&mut stream, FileId { index, ..id })).last()
    }
}
