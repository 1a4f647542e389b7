//! The layers of a configuration and what comes of them. What is refused changes nothing.

use std::collections::BTreeMap;

use super::{
    Config, check,
    detect::{self, Signals},
    env::read_env,
    migrate::Legacy,
    origin::Origin,
    preset::{Preset, Template},
    problem::{Problem, Refused},
    read::{Form, Reading, Speaker, read},
    source::Source,
    statement::{Says, Statement},
    strategy::Strategy,
};

/// The layers, and the configuration that they come to.
///
/// Each way to change a layer gives the warnings if what comes of it is good, and an error if not;
/// then all is as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    chosen: Option<Statement>,
    file: Reading,
    env: Reading,
    sim: Reading,
    changes: Reading,
    config: Config,
}

impl Layers {
    /// What holds if nobody says anything.
    #[must_use]
    pub fn new() -> Layers {
        Layers::default()
    }

    /// What is in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What variables of old say in the environment.
    #[must_use]
    pub fn legacy(&self) -> Legacy {
        Legacy::of(&self.env.statements)
    }

    /// The template that comes nearest to what is in force, if one is near.
    #[must_use]
    pub fn template(&self) -> Option<&'static Template> {
        check::template(&self.config)
    }

    /// Takes a file in place of the one before.
    ///
    /// # Errors
    ///
    /// If it is malformed or invalid, or does not go with the other layers.
    pub fn replace_file(&mut self, name: &str, text: &str) -> Result<Vec<Problem>, Refused> {
        let reading = read(name, text, Form::of(name), &Speaker::File);
        self.take(|layers| layers.file = reading)
    }

    /// Takes an environment in place of the one before.
    ///
    /// # Errors
    ///
    /// As [`Layers::replace_file`].
    pub fn replace_env(
        &mut self,
        variables: &BTreeMap<String, String>,
    ) -> Result<Vec<Problem>, Refused> {
        let reading = read_env(variables);
        self.take(|layers| layers.env = reading)
    }

    /// Detects the environment; its preset holds unless some layer names one.
    ///
    /// # Errors
    ///
    /// If the preset does not go with the other layers.
    pub fn detect(&mut self, signals: &Signals<'_>) -> Result<Vec<Problem>, Refused> {
        let detection = detect::detect(signals);
        match detection.reasons.first() {
            Some(first) => {
                self.choose(detection.preset, &format!("detected from {}", first.source))
            }
            None => self.choose(detection.preset, "nothing says which environment this is"),
        }
    }

    /// Chooses the preset that holds unless some layer names one.
    ///
    /// # Errors
    ///
    /// If the preset does not go with the other layers.
    pub fn choose(&mut self, preset: Preset, by: &str) -> Result<Vec<Problem>, Refused> {
        let (says, origin) = (Says::Preset(preset), Origin::Chosen { by: by.into() });
        self.take(|layers| layers.chosen = Some(Statement { operation: None, says, origin }))
    }

    /// Takes what a sim says in place of what it said before.
    ///
    /// # Errors
    ///
    /// As [`Layers::replace_file`].
    pub fn replace_sim(&mut self, reading: Reading) -> Result<Vec<Problem>, Refused> {
        self.take(|layers| layers.sim = reading)
    }

    /// Changes something at run time, on top of the changes before.
    ///
    /// # Errors
    ///
    /// As [`Layers::replace_file`].
    pub fn change(&mut self, reading: Reading) -> Result<Vec<Problem>, Refused> {
        self.take(|layers| layers.changes.add(reading))
    }

    /// Makes an operation known at run time.
    ///
    /// # Errors
    ///
    /// If the name is none, or if there are too many operations.
    pub fn register(
        &mut self,
        name: &str,
        strategy: Option<Strategy>,
        by: &str,
        number: u64,
    ) -> Result<(), super::RegisterError> {
        let origin = Origin::Change { by: by.into(), number };
        self.config.register(name, strategy, origin.clone())?;
        let says = strategy.map_or(Says::Known, Says::Strategy);
        let statement = Statement { operation: Some(name.into()), says, origin };
        self.changes.add(Reading { statements: vec![statement], ..Reading::default() });
        self.config = Config::new(self.statements());
        Ok(())
    }

    /// Changes the layers if what comes of it is good.
    fn take(&mut self, change: impl FnOnce(&mut Layers)) -> Result<Vec<Problem>, Refused> {
        let mut next = self.clone();
        change(&mut next);
        let mut problems = next.problems();
        // What cannot be read cannot be weighed.
        Refused::check(&problems)?;
        let (statements, sources) = (next.statements(), next.sources());
        next.config = Config::new(statements.iter().cloned());
        problems.extend(check::left_out(&next.config, &statements, &sources));
        problems.extend(check::check(&next.config, &sources));
        Refused::check(&problems)?;
        *self = next;
        Ok(problems)
    }

    fn readings(&self) -> [&Reading; 4] {
        [&self.file, &self.env, &self.sim, &self.changes]
    }

    fn statements(&self) -> Vec<Statement> {
        let said = self.readings().into_iter().flat_map(|reading| &reading.statements);
        self.chosen.iter().chain(said).cloned().collect()
    }

    fn problems(&self) -> Vec<Problem> {
        let told = self.readings().into_iter().flat_map(|reading| &reading.problems);
        told.cloned().collect()
    }

    fn sources(&self) -> Vec<Source> {
        let texts = self.readings().into_iter().flat_map(|reading| &reading.sources);
        texts.cloned().collect()
    }
}

impl Reading {
    /// Adds what was said later, and forgets what it makes void, so that a configuration that is
    /// changed for ever does not grow for ever.
    fn add(&mut self, later: Reading) {
        for statement in later.statements {
            self.statements.retain(|earlier| !statement.voids(earlier));
            self.statements.push(statement);
        }
        // Of earlier changes only what they say is kept.
        self.problems = later.problems;
        self.sources = later.sources;
    }
}

impl Statement {
    /// Whether nothing is left of what was said earlier in the same layer.
    fn voids(&self, earlier: &Statement) -> bool {
        if self.operation != earlier.operation || self.origin == earlier.origin {
            return false;
        }
        match (self.says, earlier.says) {
            (Says::Preset(_), Says::Preset(_)) | (Says::Known, Says::Known) => true,
            (Says::Strategy(_), Says::Strategy(_) | Says::Field(..)) => true,
            (Says::Field(field, _), Says::Field(other, _)) => field == other,
            _ => false,
        }
    }
}
