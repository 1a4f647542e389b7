//! Event logs of sims: files, compressed if so named, with the sim in their heading.
//!
//! A log is written as the run goes on and is never held in memory. What its lines are is the business
//! of `observe::log`.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::{
    observe::{LogHeader, LogWriter},
    scenario::Sim,
    world::{Observer, Seed},
};

enum Sink {
    Plain(BufWriter<File>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
}

impl Sink {
    fn close(&mut self) -> io::Result<()> {
        match self {
            Sink::Plain(file) => file.flush(),
            Sink::Zstd(encoder) => {
                encoder.do_finish()?;
                encoder.get_mut().flush()
            }
        }
    }
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

/// The file of a log.
pub struct Log {
    path: PathBuf,
    sink: Sink,
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
        Ok(Log { path: path.to_owned(), sink })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the heading, and returns the observer that writes the events.
    pub fn begin(self, sim: &Sim, seed: Seed) -> (OpenLog, Box<dyn Observer>) {
        let (name, start) = (Some(sim.name.clone()), Some(sim.start.to_string()));
        let header = LogHeader { sim: name, start, ..LogHeader::new(seed) };
        let writer = LogWriter::with(self.sink, &header);
        (OpenLog(writer.clone()), Box::new(writer))
    }
}

/// A log that is being written.
pub struct OpenLog(LogWriter<Sink>);

impl OpenLog {
    /// Completes the file.
    ///
    /// # Errors
    ///
    /// The first error of any write.
    pub fn finish(&self) -> io::Result<()> {
        self.0.end(Sink::close).map(drop)
    }
}
