//! `seedbed internal`: what `verify` asks of another process, and a panic for the tests. It is in no
//! help and in no completion, and is not to be relied on.

use std::{cell::RefCell, path::PathBuf, rc::Rc};

use clap::Parser;
use serde::{Deserialize, Serialize};

use super::{
    attempt,
    error::CliError,
    exit::Exit,
    options::{LoadArgs, SeedArgs, SimArgs, seed},
    run::plan,
    screen::Screen,
    sims,
};
use crate::{
    explore::Witness,
    world::{Host, Seed, Sighting},
};

/// What is asked.
#[derive(Debug, Parser)]
#[command(name = "seedbed internal")]
pub(super) enum Question {
    /// The fingerprint of each seed of each sim, a line of JSON for each
    Fingerprints {
        #[command(flatten)]
        sims: SimArgs,
        #[command(flatten)]
        seeds: SeedArgs,
        #[command(flatten)]
        load: LoadArgs,
    },
    /// Every event of one seed, a line of JSON for each
    Events {
        sim: PathBuf,
        #[arg(long, value_parser = seed)]
        seed: Seed,
        #[command(flatten)]
        load: LoadArgs,
    },
    /// A bug
    Panic,
}

/// One line of the answer to `fingerprints`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) sim: String,
    pub(super) seed: u64,
    pub(super) fingerprint: String,
    pub(super) woken_from_outside: Option<String>,
}

/// The question, if the command line is one.
pub(super) fn asked() -> Option<Result<Question, clap::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next()? == "internal").then(|| {
        Question::try_parse_from(std::iter::once("seedbed internal".into()).chain(arguments))
    })
}

pub(super) fn internal(question: Question, screen: &mut Screen) -> Result<Exit, CliError> {
    match question {
        Question::Fingerprints { sims, seeds, load } => {
            let entries = sims::load(&sims.sims)?;
            let options = load.options(Host::Native)?;
            for (entry, seed) in plan(&entries, &seeds)? {
                let witness = Witness::of(&attempt::once(entry, seed, &options, Vec::new())?);
                let answer = Answer {
                    sim: entry.sim.name.clone(),
                    seed: seed.0,
                    fingerprint: witness.fingerprint.to_string(),
                    woken_from_outside: witness.woken_from_outside,
                };
                screen.stream(&line(&answer))?;
            }
        }
        Question::Events { sim, seed, load } => {
            let entry = sims::load_one(&sim)?;
            let options = load.options(Host::Native)?;
            let output = Rc::new(RefCell::new((Screen::new(), None)));
            let shared = Rc::clone(&output);
            let observer = move |sighting: &Sighting<'_>| {
                let (screen, error) = &mut *shared.borrow_mut();
                if error.is_none() {
                    *error = screen.stream(&line(&sighting.to_record())).err();
                }
            };
            attempt::once(&entry, seed, &options, vec![Box::new(observer)])?;
            let (screen, error) = &mut *output.borrow_mut();
            error.take().map_or(Ok(()), Err)?;
            screen.flush()?;
        }
        #[expect(clippy::panic, reason = "shows how an internal error is reported")]
        Question::Panic => panic!("as asked"),
    }
    Ok(Exit::Ok)
}

fn line(value: &impl Serialize) -> String {
    match serde_json::to_string(value) {
        Ok(line) => line + "\n",
        Err(error) => format!("{error}\n"),
    }
}
