//! A folder with sims in it, and the command.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// Fails for some seeds, in two ways.
pub(crate) const FLAKY: &str = r#"purpose = "Some requests fail, and for some seeds too many of them."
[router]
primary = "opus"
retry = { attempts = 1 }
[[backend]]
name = "opus"
first_token = { lognormal = { p50 = "100ms", p99 = "900ms" } }
errors = { overloaded = "10%" }
[[agent]]
name = "rust"
count = 2
requests = 4
[[expect]]
metric = "requests.success_rate"
at_least = "70%"
[[expect]]
metric = "latency.max"
at_most = "4500ms"
"#;

/// Never fails.
pub(crate) const GOOD: &str = r#"purpose = "All is well: every request is answered."
[router]
primary = "opus"
[[backend]]
name = "opus"
[[agent]]
name = "rust"
requests = 2
"#;

pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Place {
        let place = Place(tempfile::tempdir().expect("a folder"));
        place.write("sims/flaky.toml", FLAKY);
        place.write("sims/good.toml", GOOD);
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.file(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, text).expect("a file");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.file(path)).expect("a file")
    }

    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    /// The command, in an environment that says nothing of shards.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seedbed"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command
            .env_remove("NO_COLOR")
            .env_remove("SEEDBED_SHARD_INDEX")
            .env_remove("SEEDBED_SHARD_COUNT");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().expect("it starts");
        Ran::of(arguments, output)
    }

    pub(crate) fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        Ran::of(arguments, command.output().expect("it starts"))
    }

    /// Merges files, and gives the merged results.
    pub(crate) fn merged(&self, files: &[&str]) -> String {
        let mut arguments = vec!["merge", "-o", "merged.jsonl"];
        arguments.extend(files);
        let ran = self.run(&arguments);
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
        self.read("merged.jsonl")
    }
}

pub(crate) struct Ran {
    arguments: String,
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(arguments: &[&str], output: Output) -> Ran {
        let ran = Ran {
            arguments: arguments.join(" "),
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        };
        assert!(!ran.err.contains("panicked at"), "{ran:?}");
        assert!(!ran.out.contains('\x1b') && !ran.err.contains('\x1b'), "no colours: {ran:?}");
        ran
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Ran {
        assert!(self.err.contains(text), "standard error without {text:?}: {self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Ran {
        assert!(self.out.contains(text), "standard output without {text:?}: {self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl std::fmt::Debug for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Ran { arguments, code, out, err } = self;
        write!(f, "seedbed {arguments}\nexit {code:?}\n--- out\n{out}\n--- err\n{err}")
    }
}
