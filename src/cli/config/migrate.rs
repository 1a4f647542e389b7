//! `seedbed config migrate`: from the variables of old to a preset and what differs from it.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use serde::Serialize;

use super::load;
use crate::{
    cli::{
        error::{CliError, problem_report},
        exit::Exit,
        list::pretty,
        options::Format,
        screen::Screen,
    },
    config::{
        migrate::{self, Form, Migration},
        verify::{Verified, verify},
    },
    report::document::VERSION,
};

/// What to migrate, and to what.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("from").required(true).args(["file", "from_env"]))]
pub(in crate::cli) struct MigrateArgs {
    /// An env file, a shell script or a compose file that sets the variables
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Take the variables of this process
    #[arg(long)]
    from_env: bool,
    /// What to write
    #[arg(long, value_enum, default_value_t = To::Toml)]
    to: To,
    /// Drive the policies with both configurations over the same errors, and compare what they decide
    #[arg(long)]
    verify: bool,
    /// Over so many seeds
    #[arg(long, value_name = "N", default_value_t = 100, requires = "verify",
        value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    seeds: u64,
    /// How to write the report: as text on standard error, or all as one document
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How the new configuration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    /// Commands of a shell
    Bash,
    /// An env file
    Env,
    /// The environment of a container in a compose file
    Docker,
    /// A configuration file
    Toml,
}

#[derive(Serialize)]
struct Document {
    version: u32,
    preset: &'static str,
    confidence: &'static str,
    /// In thousandths.
    scores: Vec<(&'static str, u64)>,
    text: String,
    detected: usize,
    skipped: Vec<(&'static str, &'static str)>,
    /// Variables that nobody reads, each with what may have been meant.
    misspelt: Vec<(String, &'static str)>,
    /// Field, what it was, what it is.
    clamped: Vec<(String, String, String)>,
    refused: Option<String>,
    warnings: Vec<&'static str>,
    verified: Option<VerifiedDocument>,
}

#[derive(Serialize)]
struct VerifiedDocument {
    equal: bool,
    seeds: u64,
    decisions: u64,
    report: String,
}

pub(in crate::cli) fn migrate(args: MigrateArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let variables = match &args.file {
        Some(path) => {
            let text = load::text_up_to(path, migrate::TEXT_BYTES_MAX)?;
            migrate::variables(&text).map_err(|error| {
                let message = format!("{}: {error}", path.display());
                CliError::usage(message, "give an env file: NAME=value, one on each line")
            })?
        }
        None => load::environment(),
    };
    let migration = Migration::new(&variables);
    if migration.legacy.detected().count() == 0 {
        let from =
            args.file.as_ref().map_or("the environment".into(), |path| path.display().to_string());
        screen.talk(&skipped(&migration));
        return Err(CliError::Nothing {
            message: format!("none of the 15 variables has a value that counts in {from}"),
            help: "they are RETRY_MAX_ATTEMPTS and the like: is this another file?".to_owned(),
        });
    }
    let form = match args.to {
        To::Bash => Form::Bash,
        To::Env => Form::Env,
        To::Docker => Form::Docker,
        To::Toml => Form::Toml,
    };
    let verified =
        args.verify.then(|| verify(&migration.legacy.config(), &migration.config(), args.seeds));
    let is_same = verified.as_ref().is_none_or(|it| it.difference.is_none());
    match args.format {
        Format::Text => {
            screen.data(&migration.write(form))?;
            screen.talk(&told(&migration, verified.as_ref()));
        }
        Format::Json => screen.data(&pretty(&document(&migration, form, verified.as_ref()))?)?,
    }
    if let Some(refused) = &migration.refused {
        for problem in refused.errors() {
            screen.talk(&problem_report(problem));
        }
    }
    Ok(if is_same && migration.refused.is_none() { Exit::Ok } else { Exit::Failed })
}

/// The variables that say nothing, and why, a line each.
fn skipped(migration: &Migration) -> String {
    let skipped = migration.legacy.skipped.iter();
    let skipped = skipped.map(|it| format!("skipped: {}: {}\n", it.variable, it.why));
    let misspelt = migration.legacy.misspelt.iter();
    let misspelt =
        misspelt.map(|(name, meant)| format!("passed over: {name}: did you mean {meant}?\n"));
    skipped.chain(misspelt).collect()
}

/// The report for people.
fn told(migration: &Migration, verified: Option<&Verified>) -> String {
    let scores = migration.scores.iter().map(|(preset, score)| format!("{preset} {score}"));
    let scores = scores.collect::<Vec<_>>().join(", ");
    let (preset, confidence) = (migration.preset, migration.confidence.as_str());
    let detected = migration.legacy.detected().count();
    let mut text = format!(
        "{detected} of 15 variables; nearest preset {preset} ({scores}), confidence {confidence}\n"
    );
    text += &skipped(migration);
    for clamped in &migration.clamped {
        let (field, was, is) = (clamped.field, clamped.was, clamped.is);
        text += &format!("changed: {field} was {was}, which is not allowed now: it is {is}\n");
    }
    for warning in &migration.warnings {
        text += &format!("warning: {}\n", warning.as_str());
    }
    if let Some(verified) = verified {
        text += &format!("verified: {verified}\n");
    }
    text
}

fn document(migration: &Migration, form: Form, verified: Option<&Verified>) -> Document {
    let scores = migration.scores.iter();
    let skipped = migration.legacy.skipped.iter();
    let clamped = migration.clamped.iter();
    Document {
        version: VERSION,
        preset: migration.preset.as_str(),
        confidence: migration.confidence.as_str(),
        scores: scores.map(|(preset, score)| (preset.as_str(), score.permille())).collect(),
        text: migration.write(form),
        detected: migration.legacy.detected().count(),
        skipped: skipped.map(|it| (it.variable, it.why)).collect(),
        misspelt: migration.legacy.misspelt.clone(),
        clamped: clamped
            .map(|it| (it.field.to_string(), it.was.to_string(), it.is.to_string()))
            .collect(),
        refused: migration.refused.as_ref().map(ToString::to_string),
        warnings: migration.warnings.iter().map(|it| it.as_str()).collect(),
        verified: verified.map(|it| VerifiedDocument {
            equal: it.difference.is_none(),
            seeds: it.seeds,
            decisions: it.decisions,
            report: it.to_string(),
        }),
    }
}
