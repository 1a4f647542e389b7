//! Where a test is, and where its logs go. The one place that looks at the process.

use std::{panic::Location, path::PathBuf};

/// A test.
pub(super) struct Place {
    /// Its name, if it runs on a thread of its own as the test harness starts them.
    name: Option<String>,
    caller: &'static Location<'static>,
}

/// A variable of the environment, if it is set to something that is text.
#[expect(clippy::disallowed_methods, reason = "chooses which seeds run and where logs go, only")]
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Place {
    #[track_caller]
    pub(super) fn here() -> Place {
        let thread = std::thread::current();
        // With `--test-threads=1`, tests run on the main thread, which has another name.
        let name = thread.name().filter(|name| *name != "main").map(str::to_owned);
        Place { name, caller: Location::caller() }
    }

    /// The command that runs the test with this seed.
    pub(super) fn command(&self, seed: u64) -> String {
        match &self.name {
            Some(name) => format!("SEEDBED_SEED={seed:#x} cargo test {name} -- --exact"),
            None => format!("SEEDBED_SEED={seed:#x} cargo test # the test at {}", self.caller),
        }
    }

    /// Where a log of this seed may be kept, the best place first.
    pub(super) fn logs(&self, seed: u64, suffix: &str) -> Vec<PathBuf> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => format!("{}-{}", self.caller.file(), self.caller.line()),
        };
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        let name: String = name
            .replace("::", "-")
            .chars()
            .map(|letter| if is_plain(letter) { letter } else { '_' })
            .collect();
        let file = format!("seedbed/{name}-{seed}{suffix}.jsonl");
        let target = environment("CARGO_TARGET_DIR").map(PathBuf::from);
        let package =
            environment("CARGO_MANIFEST_DIR").map(|path| PathBuf::from(path).join("target"));
        target
            .or(package)
            .into_iter()
            .chain([std::env::temp_dir()])
            .map(|folder| folder.join(&file))
            .collect()
    }
}
