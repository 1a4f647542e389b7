//! `seedbed shrink`: makes a failing sim as small as it gets, and writes what is left as a sim of its
//! own.
//!
//! The file is written whenever the sim has become smaller, so that nothing is lost if the command is
//! ended; the same command goes on from it.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use clap::Args;
use toml_edit::DocumentMut;

use super::{
    clock::Stopwatch,
    error::CliError,
    exit::Exit,
    options::{JobArgs, duration, seed},
    pool,
    screen::Screen,
    sims::{self, Entry, FOLDER, Place, quoted},
};
use crate::{
    explore::{
        Signature,
        shrink::{RERUNS_MAX, ShrinkError, Shrunk, Size, Subject, Tools, shrink, signature_of},
    },
    report::text::{counted, wrap},
    scenario::{self, Load, Must},
    world::Seed,
};

/// The folder of shrunk sims, in that of all sims.
const REGRESSIONS: &str = "regressions";

/// What to shrink, and how long.
#[derive(Debug, Args)]
pub(super) struct ShrinkArgs {
    /// A file, or a name relative to sims/, as in ccr/baseline
    #[arg(value_name = "SIM")]
    sim: PathBuf,
    /// The seed that it fails with (decimal, or hexadecimal after 0x)
    #[arg(long, value_name = "SEED", value_parser = seed)]
    seed: Seed,
    /// Stop after so long, as in 5m, with the smallest sim so far
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5m")]
    budget: Duration,
    /// Stop after so many runs, with the smallest sim so far
    #[arg(long, value_name = "N", default_value_t = RERUNS_MAX,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    runs: u32,
    #[command(flatten)]
    jobs: JobArgs,
    /// Write the sim here; sims/regressions/<what fails>.toml unless said
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: ShrinkArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let entry = sims::load_one(&args.sim)?;
    let watch = Stopwatch::start();
    let way = Way {
        seed: args.seed,
        runs: args.runs,
        threads: args.jobs.threads(),
        is_over: &|| watch.elapsed() >= args.budget,
        is_brief: false,
    };
    let (shrunk, output) = shrunk(&entry, args.output, &way, screen)?;
    report(&shrunk, &output, args.seed, screen)?;
    Ok(Exit::Ok)
}

/// How to shrink a sim.
pub(super) struct Way<'a> {
    /// The seed that it fails with.
    pub(super) seed: Seed,
    /// The most runs that it may take.
    pub(super) runs: u32,
    pub(super) threads: usize,
    /// Whether time is up.
    pub(super) is_over: &'a (dyn Fn() -> bool + Sync),
    /// Whether nothing is told of each step.
    pub(super) is_brief: bool,
}

/// Makes a sim small, and writes it: to the regressions unless it is said where. Says where it is.
pub(super) fn shrunk(
    entry: &Entry,
    output: Option<PathBuf>,
    way: &Way<'_>,
    screen: &mut Screen,
) -> Result<(Shrunk, PathBuf), CliError> {
    let seed = way.seed;
    if entry.sim.must == Must::Diverge {
        return Err(CliError::usage(
            format!("{} must diverge, so no run of it is like another", entry.sim.name),
            "shrink a sim that fails in the same way each time",
        ));
    }
    let name = entry.place.argument();
    let signature = signature_of(&name, entry.sim.source_text(), seed);
    let signature = signature.map_err(|error| cannot(entry, seed, &error))?;
    let Some(signature) = signature else {
        return Err(cannot(entry, seed, &ShrinkError::DoesNotFail));
    };
    let output = output.unwrap_or_else(|| default_output(entry, &signature));
    if !way.is_brief {
        screen.talk(&format!("{} seed {seed} fails:\n", entry.sim.name));
        screen.talk(&format!("{}\n", wrap("    ", &signature.to_string(), 6)));
    }
    let begun = begun(&output, seed, &signature)?;
    let text = match begun {
        Some(text) => {
            screen.talk(&format!("going on from {}\n", output.display()));
            text
        }
        None => with_trace(entry, concrete(entry, seed)?, &output),
    };
    let subject = Subject {
        name: output.to_string_lossy().into_owned(),
        origin: entry.sim.name.clone(),
        text,
        seed,
        reruns_max: way.runs,
    };
    let mut written = Ok(());
    screen.begin(u64::from(way.runs));
    let shrunk = shrink(
        &subject,
        Tools {
            try_all: &mut |count, work, take| pool::in_order(way.threads, count, work, take),
            is_over: way.is_over,
            on_smaller: &mut |smaller| {
                if written.is_ok() {
                    written = write(&output, smaller.text);
                }
                screen.reach(u64::from(smaller.reruns), smaller.pass);
                if !way.is_brief {
                    let size = sized(smaller.size);
                    screen.talk(&format!("  run {:>3}  {size}\n", smaller.reruns));
                }
            },
        },
    );
    screen.end();
    written?;
    let shrunk = shrunk.map_err(|error| cannot(entry, seed, &error))?;
    write(&output, &shrunk.text)?;
    Ok((shrunk, output))
}

/// Says why a sim cannot be shrunk.
fn cannot(entry: &Entry, seed: Seed, error: &ShrinkError) -> CliError {
    let help = match error {
        ShrinkError::DoesNotFail => "find a seed that fails: run more of them with --seeds",
        ShrinkError::CannotRun => "run it with `seedbed run`, which says what is wrong",
    };
    CliError::usage(format!("{} seed {seed}: {error}", entry.sim.name), help)
}

/// `sims/regressions/` next to the sim, or below here.
fn default_output(entry: &Entry, signature: &Signature) -> PathBuf {
    let sims = match &entry.place {
        Place::File(file) => file
            .ancestors()
            .find(|folder| folder.file_name().is_some_and(|name| name == FOLDER))
            .map(Path::to_owned),
        Place::BuiltIn => None,
    };
    let sims = sims.unwrap_or_else(|| FOLDER.into());
    sims.join(REGRESSIONS).join(format!("{}.toml", signature.slug(&entry.sim.name)))
}

/// What an earlier shrinking has left in the output, if it was of the same failure.
fn begun(output: &Path, seed: Seed, signature: &Signature) -> Result<Option<String>, CliError> {
    if !output.exists() {
        return Ok(None);
    }
    let other = || {
        CliError::usage(
            format!("{} is there already, and is not of this failure", output.display()),
            "name another file with -o, or remove it",
        )
    };
    let sim = scenario::load(output).map_err(|_| other())?;
    let found = signature_of(&output.to_string_lossy(), sim.source_text(), seed);
    if sim.seeds != [seed.0] || found.ok().flatten().as_ref() != Some(signature) {
        return Err(other());
    }
    Ok(Some(sim.source_text().to_owned()))
}

/// The text of a sim with the faults that its chaos draws from a seed.
pub(super) fn concrete(entry: &Entry, seed: Seed) -> Result<String, CliError> {
    scenario::plan_text(&entry.sim, seed).map_err(|error| {
        CliError::usage(error.to_string(), "`seedbed check` says what is wrong with it")
    })
}

/// A text of a sim with the path of its trace as seen from the output.
fn with_trace(entry: &Entry, text: String, output: &Path) -> String {
    let Some(Load::Trace { file, .. }) = &entry.sim.load else { return text };
    let from = output.parent().unwrap_or(Path::new(""));
    let Ok(mut document) = text.parse::<DocumentMut>() else { return text };
    if let Some(load) = document.get_mut("load").and_then(|load| load.as_table_like_mut()) {
        load.insert("trace", toml_edit::value(relative(&real(from), &real_folder(file))));
    }
    document.to_string()
}

/// A path from the root on, without `..` and links as far as it is there.
fn real(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = |folder: &Path| {
        let rest = path.strip_prefix(folder).ok()?;
        Some((folder.canonicalize().ok()?, rest))
    };
    let Some((mut real, rest)) = path.ancestors().find_map(there) else { return path };
    for part in rest.components() {
        match part {
            Component::ParentDir => drop(real.pop()),
            part => real.push(part),
        }
    }
    real
}

/// The same of a file's folder: the file itself may well be a link.
fn real_folder(file: &Path) -> PathBuf {
    match (file.parent(), file.file_name()) {
        (Some(folder), Some(name)) => real(folder).join(name),
        _ => real(file),
    }
}

/// A path as seen from a folder, if both are seen from the same place.
fn relative(from: &Path, to: &Path) -> String {
    if to.is_absolute() != from.is_absolute() {
        return to.to_string_lossy().into_owned();
    }
    let parts = |path: &Path| -> Vec<String> {
        let plain = path.components().filter(|part| *part != Component::CurDir);
        plain.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let (from, to) = (parts(from), parts(to));
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - same);
    up.chain(to.into_iter().skip(same)).collect::<Vec<_>>().join("/")
}

/// The line that tells an editor where the schema is, if the sim is below `sims/`.
fn schema_line(path: &Path) -> String {
    let is_sims = |folder: &&Path| folder.file_name().is_some_and(|name| name == FOLDER);
    let (Some(sims), Some(parent)) = (path.ancestors().find(is_sims), path.parent()) else {
        return String::new();
    };
    format!("#:schema {}\n", relative(parent, &sims.join("schema.json")))
}

/// Writes a file whole, or not at all.
fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let text = schema_line(path) + text;
    let error = |source: io::Error| CliError::Output { path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(error)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    fs::write(&beside, text).map_err(error)?;
    fs::rename(&beside, path).map_err(error)
}

/// A size in words.
pub(super) fn sized(size: Size) -> String {
    format!(
        "{}, {}, {}, {}",
        counted(size.faults, "fault"),
        counted(size.nodes, "node"),
        counted(size.requests, "request"),
        counted(size.settings, "setting")
    )
}

fn report(shrunk: &Shrunk, output: &Path, seed: Seed, screen: &mut Screen) -> Result<(), CliError> {
    let end = if shrunk.is_minimal {
        "nothing more can go"
    } else {
        "not at its end: run it again to go on"
    };
    screen.talk(&format!("after {} runs: {end}\n", shrunk.reruns));
    let path = output.to_string_lossy();
    screen.data(&format!(
        "was  {}\nis   {}\nsim  {path}\n",
        sized(shrunk.before),
        sized(shrunk.after)
    ))?;
    if let Ok(sim) = scenario::load(output) {
        screen.data(&format!("snapshots  snapshots/{}/\n", sim.name))?;
    }
    screen.data(&format!("seedbed replay {} --seed {seed}\n", quoted(&path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_from_a_folder() {
        let seen = |from: &str, to: &str| relative(Path::new(from), Path::new(to));
        assert_eq!(seen("sims/regressions", "sims/traffic/a.csv"), "../traffic/a.csv");
        assert_eq!(seen("./out", "sims/traffic/../a.csv"), "../sims/traffic/../a.csv");
        assert_eq!(seen("", "a.csv"), "a.csv");
        assert_eq!(seen("sims", "/b/a.csv"), "/b/a.csv");
        // From anywhere to anywhere.
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("sims/traffic")).unwrap();
        let trace = real_folder(&root.join("new/../sims/traffic/a.csv"));
        let seen = |from: &str| relative(&real(&root.join(from)), &trace);
        assert_eq!(seen("sims/traffic/../../out/new"), "../../sims/traffic/a.csv");
        assert_eq!(seen("sims"), "traffic/a.csv");
        assert!(
            real(Path::new("")).is_absolute() && real(Path::new("src/..")) == real(Path::new(""))
        );
        let line = schema_line(Path::new("x/sims/regressions/a.toml"));
        assert_eq!(line, "#:schema ../schema.json\n");
        assert_eq!(schema_line(Path::new("a.toml")), "");
    }
}
