//! From what was typed to sims: files, folders, names below `sims/`, and the one that is built in.

use std::path::{Path, PathBuf};

use super::{error::CliError, screen::Screen};
use crate::{
    explore::Options,
    scenario::{self, ScenarioError, Sim},
    world::{Host, Seed},
};

/// The folder that sims are looked for in.
pub(super) const FOLDER: &str = "sims";
/// The name of the sim that is part of the binary.
const BUILT_IN: &str = "quickstart";
const BUILT_IN_TEXT: &str = include_str!("../../sims/quickstart.toml");

/// Where a sim is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    File(PathBuf),
    BuiltIn,
}

impl Place {
    /// How it is named on the command line.
    pub(super) fn argument(&self) -> String {
        match self {
            Place::File(path) => path.to_string_lossy().into_owned(),
            Place::BuiltIn => BUILT_IN.to_owned(),
        }
    }

    /// Reads the sim.
    pub(super) fn load(&self) -> Result<Sim, ScenarioError> {
        match self {
            Place::File(path) => scenario::load(path),
            Place::BuiltIn => scenario::parse(&format!("{FOLDER}/{BUILT_IN}.toml"), BUILT_IN_TEXT),
        }
    }
}

/// A sim and where it came from.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) sim: Sim,
    pub(super) place: Place,
}

impl Entry {
    /// The command that runs one seed again.
    pub(super) fn replay(&self, seed: Seed, options: &Options) -> String {
        let mut command =
            format!("seedbed replay {} --seed {seed}", quoted(&self.place.argument()));
        if options.host != Host::default() {
            command += &format!(" --host {}", options.host.name());
        }
        if let Some(trace) = &options.trace {
            command += &format!(" --trace {}", quoted(&trace.to_string_lossy()));
        }
        if options.skip_bad {
            command += " --skip-bad";
        }
        command
    }
}

/// The sims that arguments name; all there are if there is no argument.
pub(super) fn find(arguments: &[PathBuf]) -> Result<Vec<Place>, CliError> {
    if arguments.is_empty() {
        let folder = Path::new(FOLDER);
        return match folder.is_dir() {
            true => files(&[folder.to_owned()]),
            false => Err(CliError::Nothing {
                message: format!("there is no folder {FOLDER} here"),
                help: format!("name a sim; `seedbed run {BUILT_IN}` runs the one that is built in"),
            }),
        };
    }
    let mut places: Vec<Place> = Vec::new();
    for argument in arguments {
        for place in resolve(argument)? {
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    Ok(places)
}

/// The same, but the built-in sim where there is no folder of sims: for whoever tries seedbed.
pub(super) fn load_or_built_in(
    arguments: &[PathBuf],
    screen: &mut Screen,
) -> Result<Vec<Entry>, CliError> {
    if arguments.is_empty() && !Path::new(FOLDER).is_dir() {
        screen
            .talk(&format!("there is no folder {FOLDER} here: {BUILT_IN} is built in, and runs\n"));
        return load(&[BUILT_IN.into()]);
    }
    load(arguments)
}

/// Reads all of them, and reports everything that is wrong with any.
pub(super) fn load(arguments: &[PathBuf]) -> Result<Vec<Entry>, CliError> {
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    for place in find(arguments)? {
        match place.load() {
            Ok(sim) => entries.push(Entry { sim, place }),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(entries) } else { Err(CliError::Scenarios(errors)) }
}

/// Reads the one sim that an argument names.
pub(super) fn load_one(argument: &Path) -> Result<Entry, CliError> {
    let mut entries = load(&[argument.to_owned()])?;
    match (entries.pop(), entries.len()) {
        (Some(entry), 0) => Ok(entry),
        (_, others) => Err(CliError::usage(
            format!("{} holds {} sims", argument.display(), others + 1),
            "name one of them; `seedbed list` shows them",
        )),
    }
}

fn resolve(argument: &Path) -> Result<Vec<Place>, CliError> {
    if argument.exists() {
        return files(&[argument.to_owned()]);
    }
    let below = Path::new(FOLDER).join(argument);
    let mut file = below.clone().into_os_string();
    file.push(".toml");
    let file = PathBuf::from(file);
    if file.is_file() {
        return Ok(vec![Place::File(file)]);
    }
    if below.exists() && argument.is_relative() {
        return files(&[below]);
    }
    if argument == Path::new(BUILT_IN) {
        return Ok(vec![Place::BuiltIn]);
    }
    Err(unknown(argument))
}

fn files(paths: &[PathBuf]) -> Result<Vec<Place>, CliError> {
    match scenario::find(paths) {
        Ok(files) => Ok(files.into_iter().map(Place::File).collect()),
        Err(error) => Err(CliError::Scenarios(vec![error])),
    }
}

/// Says that there is no such sim, and which name is nearest.
fn unknown(argument: &Path) -> CliError {
    let wanted = argument.to_string_lossy();
    let known = scenario::find(&[PathBuf::from(FOLDER)]).unwrap_or_default();
    let wanted_name = name(argument);
    let nearest = known
        .iter()
        .map(|path| (strsim::damerau_levenshtein(&name(path), &wanted_name), path))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= 1 + wanted_name.chars().count().min(60) / 3);
    let help = match nearest {
        Some((_, path)) => format!("did you mean {}?", path.display()),
        None => "check the path; `seedbed list` shows the sims there are".to_owned(),
    };
    CliError::usage(format!("there is no sim, file or folder called {wanted}"), help)
}

/// A path without `sims/` and `.toml`.
fn name(path: &Path) -> String {
    path.strip_prefix(FOLDER).unwrap_or(path).with_extension("").to_string_lossy().into_owned()
}

/// An argument as it is typed into a shell.
pub(super) fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./=:,@%+".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        argument.to_owned()
    } else if argument.contains(char::is_control) {
        let escaped = argument.chars().map(|c| match c {
            '\'' | '\\' => format!("\\{c}"),
            c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        });
        format!("$'{}'", escaped.collect::<String>())
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_sim_is_valid() {
        let sim = Place::BuiltIn.load().unwrap();
        assert_eq!(sim.name, BUILT_IN);
    }

    #[test]
    fn an_argument_stays_on_its_line() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("a'\n\\\u{1b}"), r"$'a\'\u000a\\\u001b'");
    }

    #[test]
    fn a_replay_line_can_be_pasted_into_a_shell() {
        let sim = Place::BuiltIn.load().unwrap();
        let entry = Entry { sim, place: Place::File("my sims/it's.toml".into()) };
        let options = Options { host: Host::Tokio, trace: Some("a b.csv".into()), skip_bad: true };
        assert_eq!(
            entry.replay(Seed(7), &options),
            r"seedbed replay 'my sims/it'\''s.toml' --seed 7 --host tokio --trace 'a b.csv' --skip-bad"
        );
    }
}
