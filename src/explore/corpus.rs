//! The corpus: seeds that have failed, one file for each, so that they are tried again with every
//! change.
//!
//! A file says which sim, which seed, what the sim's text was, how it failed and which version found
//! it. Files come from anywhere: each is bounded and typed, and one that is broken is told and hides
//! no other.

use std::{
    fs,
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Options, Signature, simulate};
use crate::{
    scenario::{self, FNV, Must, Sim, fnv},
    world::Seed,
};

/// The longest file of a corpus, in bytes.
pub const CORPUS_FILE_BYTES_MAX: u64 = 16 * 1024;
/// The most files that are read of a corpus.
const FILES_MAX: usize = 10_000;

/// A seed that has failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The name of the sim: its path below `sims/`, without extension.
    pub sim: String,
    /// The seed.
    pub seed: Seed,
    /// The hash of the sim's text when it failed, as in a snapshot.
    pub text_hash: String,
    /// How it failed.
    pub signature: String,
    /// The version of seedbed that found it.
    pub found_at: String,
}

/// Why a file of a corpus cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoundError {
    /// It cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is too long.
    #[error("{path}: longer than {CORPUS_FILE_BYTES_MAX} bytes", path = path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// It is not what it should be.
    #[error("{path}: {message}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// There are too many files.
    #[error("{path}: more than {FILES_MAX} files", path = path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
}

impl Found {
    /// What there is to keep of a failure.
    pub fn new(sim: &Sim, seed: Seed, signature: &Signature) -> Found {
        Found {
            sim: sim.name.clone(),
            seed,
            text_hash: format!("{:016x}", sim.text_hash()),
            signature: signature.to_string(),
            found_at: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The name of its file.
    pub fn file_name(&self) -> String {
        let sim = self.sim.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let hash = fnv(FNV, self.signature.replace("\r\n", "\n").as_bytes());
        format!("{sim}-{}-{:06x}.toml", self.seed, hash & 0xff_ffff)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        // JSON's strings are TOML's; a seed may be larger than any number of TOML.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        format!(
            "sim = {}\nseed = \"{}\"\ntext_hash = {}\nsignature = {}\nfound_at = {}\n",
            quoted(&self.sim),
            self.seed,
            quoted(&self.text_hash),
            quoted(&self.signature),
            quoted(&self.found_at)
        )
    }

    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in a sentence.
    pub fn parse(text: &str) -> Result<Found, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            sim: String,
            seed: String,
            text_hash: String,
            signature: String,
            found_at: String,
        }
        let raw: Raw = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let seed = raw.seed.parse().map_err(|_| format!("seed: {:?} is no seed", raw.seed))?;
        let path = Path::new(&raw.sim);
        if raw.sim.is_empty() || !path.components().all(|it| matches!(it, Component::Normal(_))) {
            return Err(format!("sim: {:?} is no name of a sim below sims/", raw.sim));
        }
        let Raw { sim, text_hash, signature, found_at, .. } = raw;
        Ok(Found { sim, seed, text_hash, signature, found_at })
    }
}

/// What has become of a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "known", rename_all = "snake_case")]
pub enum Known {
    /// It fails as it did.
    StillFails {
        /// Whether the sim has been edited since.
        is_edited: bool,
    },
    /// It fails in another way.
    FailsOtherwise {
        /// How.
        signature: String,
    },
    /// It does not fail any more.
    Fixed {
        /// Whether the sim has been edited since, which may be why.
        is_edited: bool,
    },
    /// It says nothing any more.
    Meaningless {
        /// Why.
        why: String,
    },
}

impl Known {
    /// Whether something fails.
    pub fn fails(&self) -> bool {
        matches!(self, Known::StillFails { .. } | Known::FailsOtherwise { .. })
    }
}

/// Why no failure of a canary is kept.
pub const CANARY: &str = "the sim is a canary, which must not pass";

/// Tries a failure again. `sims` is the folder of the sims.
pub fn known(found: &Found, sims: &Path) -> Known {
    let path = sims.join(format!("{}.toml", found.sim));
    let sim = match scenario::load(&path) {
        Ok(sim) => sim,
        Err(error) => {
            let gone = !path.exists();
            let why = if gone { "the sim is gone".to_owned() } else { error.to_string() };
            return Known::Meaningless { why };
        }
    };
    if sim.must != Must::Pass {
        return Known::Meaningless { why: CANARY.to_owned() };
    }
    let run = match simulate(&sim, found.seed, &Options::default(), Vec::new()) {
        Ok(run) => run,
        Err(error) => return Known::Meaningless { why: error.to_string() },
    };
    let is_edited = format!("{:016x}", sim.text_hash()) != found.text_hash;
    let all = Signature::all(&sim, &run);
    if all.iter().any(|signature| signature.to_string() == found.signature) {
        return Known::StillFails { is_edited };
    }
    match all.first() {
        Some(other) => Known::FailsOtherwise { signature: other.to_string() },
        None => Known::Fixed { is_edited },
    }
}

/// Reads a corpus: every `.toml` file of a folder, sorted by name, each by itself. A folder that is
/// not there is an empty corpus.
pub fn read_corpus(folder: &Path) -> Vec<Result<(PathBuf, Found), FoundError>> {
    let io = |path: &Path, source| FoundError::Io { path: path.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => return vec![Err(io(folder, error))],
    };
    let mut paths = Vec::new();
    for entry in entries.take(FILES_MAX + 1) {
        match entry {
            Ok(entry) => paths.push(entry.path()),
            Err(error) => return vec![Err(io(folder, error))],
        }
    }
    if paths.len() > FILES_MAX {
        return vec![Err(FoundError::TooMany { path: folder.to_owned() })];
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths.into_iter().map(|path| read_one(&path).map(|found| (path, found))).collect()
}

fn read_one(path: &Path) -> Result<Found, FoundError> {
    let io = |source| FoundError::Io { path: path.to_owned(), source };
    // A pipe or a device would be read for ever.
    if !fs::metadata(path).map_err(io)?.is_file() {
        return Err(io(io::ErrorKind::InvalidInput.into()));
    }
    let mut text = Vec::new();
    let file = fs::File::open(path).map_err(io)?;
    file.take(CORPUS_FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(io)?;
    if text.len() as u64 > CORPUS_FILE_BYTES_MAX {
        return Err(FoundError::TooLong { path: path.to_owned() });
    }
    let malformed = |message: String| FoundError::Malformed { path: path.to_owned(), message };
    let text = String::from_utf8(text).map_err(|error| malformed(error.to_string()))?;
    Found::parse(&text).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Found {
        Found {
            sim: "canary/broken_expectation".into(),
            seed: Seed(u64::MAX),
            text_hash: "00".into(),
            signature: "a \"b\" \\ é\n: c".into(),
            found_at: "0.1.0".into(),
        }
    }

    #[test]
    fn a_file_reads_back_as_it_was_written() {
        let text = found().text();
        assert_eq!(Found::parse(&text).unwrap(), found());
        assert!(found().file_name().starts_with("canary_broken_expectation-"));
    }

    #[test]
    fn broken_files_are_told_and_hide_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
        let good = found().text();
        write("a.toml", good.as_bytes());
        write("b.toml", b"sim = ");
        write("c.toml", &[0xff, 0xfe]);
        write("d.toml", &vec![b'#'; CORPUS_FILE_BYTES_MAX as usize + 1]);
        write("e.toml", good.replace("canary/", "../").as_bytes());
        write("f.toml", format!("{good}more = 1\n").as_bytes());
        write("g.toml", good.replace(&u64::MAX.to_string(), "-1").as_bytes());
        write("h.txt", b"not of the corpus");
        fs::create_dir(folder.path().join("i.toml")).unwrap();
        let read = read_corpus(folder.path());
        let said: Vec<String> = read
            .iter()
            .map(|one| one.as_ref().map_or_else(ToString::to_string, |_| "read".to_owned()))
            .collect();
        assert_eq!(said.len(), 8, "{said:#?}");
        assert_eq!(said[0], "read");
        assert!(read[1..].iter().all(Result::is_err), "{said:#?}");
        assert!(
            said[3].contains("longer than") && said[4].contains("no name of a sim"),
            "{said:#?}"
        );
        assert!(read_corpus(&folder.path().join("none")).is_empty());
    }

    #[test]
    fn what_became_of_a_failure_is_told() {
        let sims = tempfile::tempdir().unwrap();
        let sims = sims.path();
        let good = "purpose = \"p\"\n[router]\nprimary = \"opus\"\n[[backend]]\nname = \"opus\"\n[[agent]]\n\
                    name = \"rust\"\n";
        let bad = format!("{good}[[expect]]\nmetric = \"requests.total\"\nequals = 9\n");
        let write = |name: &str, text: &str| fs::write(sims.join(name), text).unwrap();
        write("bad.toml", &bad);
        write("good.toml", good);
        write(
            "canary.toml",
            &format!("must = \"fail\"\nfails_by = [\"requests.total equals 9\"]\n{bad}"),
        );
        let sim = scenario::load(&sims.join("bad.toml")).unwrap();
        let run = simulate(&sim, Seed(1), &Options::default(), Vec::new()).unwrap();
        let signature = Signature::of(&sim, &run).unwrap();
        let one = Found::new(&sim, Seed(1), &signature);
        assert_eq!(known(&one, sims), Known::StillFails { is_edited: false });
        let other = Found { signature: "other".into(), text_hash: "0".into(), ..one.clone() };
        assert!(matches!(known(&other, sims), Known::FailsOtherwise { .. }));
        let passes = Found { sim: "good".into(), ..one.clone() };
        assert_eq!(known(&passes, sims), Known::Fixed { is_edited: true });
        let canary = Found { sim: "canary".into(), ..one.clone() };
        assert_eq!(known(&canary, sims), Known::Meaningless { why: CANARY.into() });
        let gone = Found { sim: "gone".into(), ..one };
        assert_eq!(known(&gone, sims), Known::Meaningless { why: "the sim is gone".into() });
    }
}
