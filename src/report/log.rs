//! Event logs: a heading, then each event on a line of its own, as JSON, compressed if so named.
//!
//! A log is written as the run goes on and is never held in memory.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    rc::Rc,
};

use serde::Serialize;

use crate::{
    scenario::Sim,
    world::{LOG_VERSION, Observer, Seed, Sighting},
};

/// The heading of a log.
#[derive(Debug, Serialize)]
struct Heading<'a> {
    version: u32,
    sim: &'a str,
    seed: u64,
    start: String,
}

enum Sink {
    Plain(BufWriter<File>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::Plain(file) => file.write(bytes),
            Sink::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::Plain(file) => file.flush(),
            Sink::Zstd(encoder) => encoder.flush(),
        }
    }
}

/// A log that is being written.
pub struct Log {
    path: PathBuf,
    sink: Sink,
    failed: Option<io::Error>,
}

impl Log {
    /// Creates the file, so that a path that cannot be written is found before anything runs. A
    /// path that ends in `.zst` is compressed.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn create(path: &Path) -> io::Result<Log> {
        let file = BufWriter::new(File::create(path)?);
        let sink = if path.extension().is_some_and(|ext| ext == "zst") {
            Sink::Zstd(zstd::Encoder::new(file, 0)?)
        } else {
            Sink::Plain(file)
        };
        Ok(Log { path: path.to_owned(), sink, failed: None })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the heading, and returns the observer that writes the events.
    pub fn begin(mut self, sim: &Sim, seed: Seed) -> (Rc<RefCell<Log>>, Box<dyn Observer>) {
        let start = sim.start.to_string();
        self.line(&Heading { version: LOG_VERSION, sim: &sim.name, seed: seed.0, start });
        let log = Rc::new(RefCell::new(self));
        let shared = Rc::clone(&log);
        let observer = move |sighting: &Sighting<'_>| {
            shared.borrow_mut().line(&sighting.to_record());
        };
        (log, Box::new(observer))
    }

    fn line(&mut self, value: &impl Serialize) {
        if self.failed.is_none() {
            let written = serde_json::to_writer(&mut self.sink, value).map_err(io::Error::from);
            self.failed = written.and_then(|()| self.sink.write_all(b"\n")).err();
        }
    }

    /// Completes the file.
    ///
    /// # Errors
    ///
    /// The first error of any write.
    pub fn finish(&mut self) -> io::Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        match &mut self.sink {
            Sink::Plain(file) => file.flush(),
            Sink::Zstd(encoder) => {
                encoder.do_finish()?;
                encoder.get_mut().flush()
            }
        }
    }
}
