//! Every parser of what comes from outside is given the kept corpus: what fuzzing found, and what it
//! starts from. Each file must be done with soon, keep what its parser promises, and be small.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use seedbed::{
    outside::{TARGETS, Target},
    stack::sidecar::results,
};

/// The largest file that is kept, in bytes, and the most of them for one parser.
const FILE_BYTES_MAX: usize = 16 * 1024;
const FILES_MAX: usize = 100;

/// How long one file may take with all its copies, in a debug build on a busy machine.
const FILE_MAX: Duration = Duration::from_secs(60);

/// How many shortened and spoilt copies of each file are tried.
const COPIES: usize = 12;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("a folder for each target");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let read = |path: PathBuf| (path.clone(), fs::read(&path).expect("a readable file"));
    paths.into_iter().map(read).collect()
}

/// The file, cut at several places, and with single bytes of it changed.
fn copies(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut copies = vec![bytes.to_vec()];
    for copy in 1..=COPIES {
        let at = bytes.len() * copy / (COPIES + 1);
        copies.push(bytes[..at].to_vec());
        for change in [0x00, 0x22, 0x2d, 0x39, 0xff] {
            let mut spoilt = bytes.to_vec();
            if let Some(byte) = spoilt.get_mut(at) {
                *byte = change;
            }
            copies.push(spoilt);
        }
    }
    copies
}

/// What is wrong with how a parser takes these bytes, all of them within this time. A panic or a hang
/// is a failure as well: it runs beside the test, which does not wait for ever.
fn complaint(
    try_bytes: fn(&[u8]) -> Result<(), String>,
    all: Vec<Vec<u8>>,
    within: Duration,
) -> Option<String> {
    let (told, heard) = mpsc::channel();
    #[expect(clippy::disallowed_methods, reason = "no world runs here, and a hang must end")]
    std::thread::spawn(move || {
        let broken = all.iter().find_map(|bytes| {
            let broken = try_bytes(bytes).err()?;
            Some(format!("{broken}, of {:?}", String::from_utf8_lossy(bytes)))
        });
        let _ = told.send(broken);
    });
    match heard.recv_timeout(within) {
        Ok(broken) => broken,
        Err(mpsc::RecvTimeoutError::Disconnected) => Some("it panics".to_owned()),
        Err(mpsc::RecvTimeoutError::Timeout) => Some("it takes too long".to_owned()),
    }
}

#[test]
fn every_kept_text_goes_through_its_parser() {
    let mut complaints = Vec::new();
    for Target { name, try_bytes } in TARGETS {
        let files = files(&corpus().join(name));
        assert!((2..=FILES_MAX).contains(&files.len()), "{name} has {} files", files.len());
        for (path, bytes) in files {
            assert!(bytes.len() <= FILE_BYTES_MAX, "{} is too long", path.display());
            if let Some(complaint) = complaint(try_bytes, copies(&bytes), FILE_MAX) {
                complaints.push(format!("{}: {complaint}", path.display()));
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn every_folder_of_the_corpus_has_a_parser() {
    for entry in fs::read_dir(corpus()).expect("a corpus") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        assert!(TARGETS.iter().any(|target| *target.name == *name), "{name} is no target");
    }
}

/// The good texts are taken: a target that takes nothing looks at nothing.
#[test]
fn good_texts_get_past_the_parsers() {
    let text = |path: &str| fs::read_to_string(corpus().join(path)).expect("a file");
    assert!(seedbed::scenario::parse("a.toml", &text("sim/quickstart")).is_ok());
    assert!(seedbed::config::import::import("a.yaml", &text("import/litellm")).is_ok());
    assert!(seedbed::config::import::import("a.json", &text("import/ccr")).is_ok());
    assert!(seedbed::config::Layers::new().replace_file("a", &text("config_toml/typical")).is_ok());
    assert!(seedbed::explore::Found::parse(&text("found/one")).is_ok());
    assert!(seedbed::conformance::parse(&text("cases/breaker")).is_ok());
    for line in text("results/sweep").lines() {
        assert!(seedbed::explore::sweep::Line::parse(line.as_bytes()).is_ok(), "{line}");
    }
    for line in text("trail/two").lines() {
        assert!(seedbed::config::audit::Entry::read(line.as_bytes()).is_some(), "{line}");
    }
    let log = text("log/short");
    let log = seedbed::observe::LogReader::new(log.as_bytes()).expect("a log");
    assert_eq!(log.filter_map(Result::ok).count(), 2);
    for sim in files(&corpus().join("expand")) {
        let text = String::from_utf8(sim.1).expect("UTF-8");
        assert!(seedbed::scenario::parse("a.toml", &text).is_ok(), "{}", sim.0.display());
    }
    assert!(seedbed::explore::History::read(text("history/begun").as_bytes()).is_ok());
    let header = text("traceparent/good");
    let header = header.lines().next().and_then(|line| line.split_once(':')).expect("a header").1;
    assert!(seedbed::policy::trace_context::TraceContext::parse(header).is_ok());
    for file in ["stored/result", "stored/deleted"] {
        let text = text(file);
        let (path, bytes) = text.split_once('\n').expect("a path and a file");
        let (_, damaged) = results::Store::restore(
            results::Settings::default(),
            [(path.to_owned(), bytes.as_bytes())],
        );
        assert_eq!(damaged, [], "{file}");
    }
    for format in ["azure", "burst", "mooncake"] {
        let (path, bytes) = (corpus().join("trace").join(format), text(&format!("trace/{format}")));
        let rows = seedbed::scenario::TraceReader::read(&path, bytes.as_bytes()).expect("a trace");
        assert!(rows.filter_map(Result::ok).count() >= 2, "{format}");
    }
}

#[test]
fn a_parser_that_panics_hangs_or_breaks_a_promise_is_complained_of() {
    let one = || vec![b"x".to_vec()];
    assert_eq!(complaint(|_| Ok(()), one(), FILE_MAX), None);
    let broken = complaint(|_| Err("two and two are five".to_owned()), one(), FILE_MAX);
    assert_eq!(broken.as_deref(), Some("two and two are five, of \"x\""));
    fn panics(_: &[u8]) -> Result<(), String> {
        std::panic::resume_unwind(Box::new("planted"))
    }
    assert_eq!(complaint(panics, one(), FILE_MAX).as_deref(), Some("it panics"));
    /// It ends with the process.
    fn hangs(_: &[u8]) -> Result<(), String> {
        loop {
            std::thread::park();
        }
    }
    let soon = Duration::from_millis(100);
    assert_eq!(complaint(hangs, one(), soon).as_deref(), Some("it takes too long"));
}
