//! `seedbed config show`: what is in force, and where each value came from.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

use clap::Args;
use serde::Serialize;

use super::load::{self, Plain, ProblemDocument};
use crate::{
    cli::{
        error::{CliError, problem_report},
        exit::Exit,
        list::pretty,
        options::Format,
        screen::Screen,
    },
    config::{
        Config, Field, Layers, Preset, Problem, Scope,
        detect::{Detection, Signals, detect},
    },
    report::{document::VERSION, table},
};

/// What to show.
#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    /// Build on this preset, unless the file or the environment names one
    #[arg(long, value_name = "PRESET", value_parser = preset)]
    preset: Option<Preset>,
    /// Take a file of TOML, or of JSON if it ends in .json
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Take an environment variable, as in RESILIENCE_PRESET=production; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Take the environment of this command; --env comes after it
    #[arg(long)]
    from_env: bool,
    /// Show this operation only
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
    /// Show where each value came from, and what it overrode
    #[arg(long)]
    why: bool,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

fn preset(text: &str) -> Result<Preset, String> {
    Preset::parse(text).ok_or_else(|| load::presets(text))
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

#[derive(Serialize)]
struct Document {
    version: u32,
    environment: Option<String>,
    preset: Option<Named>,
    scopes: Vec<ScopeDocument>,
    problems: Vec<ProblemDocument>,
}

#[derive(Serialize)]
struct Named {
    name: &'static str,
    from: String,
}

#[derive(Serialize)]
struct ScopeDocument {
    /// None: what holds for all that nothing is said of.
    operation: Option<String>,
    strategy: Option<Named>,
    settings: Vec<Setting>,
}

#[derive(Serialize)]
struct Setting {
    key: &'static str,
    value: Plain,
    from: String,
    overrode: Vec<Overrode>,
}

#[derive(Serialize)]
struct Overrode {
    value: Plain,
    from: String,
}

pub(in crate::cli) fn show(args: ShowArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let (layers, detection, warnings) = resolve(&args)?;
    let config = layers.config();
    if let Some(name) = args.operation.as_deref().filter(|name| !config.known().contains(name)) {
        let known = config.known().join(", ");
        screen.talk(&format!("{name:?} has what all others have; those that are known: {known}\n"));
    }
    match args.format {
        Format::Text => {
            for warning in &warnings {
                screen.talk(&problem_report(warning));
            }
            let mut text = heading(config, detection.as_ref());
            let scopes = scopes(config, args.operation.as_deref());
            if args.why {
                scopes.iter().for_each(|(name, scope)| reasons(&mut text, name, scope));
            } else {
                text += &table(&scopes, Screen::width());
            }
            screen.data(&text)?;
        }
        Format::Json => {
            let scopes = scopes(config, args.operation.as_deref());
            screen.data(&pretty(&Document {
                version: VERSION,
                environment: detection.map(|it| it.environment.as_str().to_owned()),
                preset: config
                    .chosen_preset()
                    .map(|(preset, from)| Named { name: preset.as_str(), from: from.to_string() }),
                scopes: scopes.iter().map(|(name, scope)| document(name, scope)).collect(),
                problems: warnings.iter().map(ProblemDocument::from).collect(),
            })?)?;
        }
    }
    Ok(Exit::Ok)
}

fn resolve(args: &ShowArgs) -> Result<(Layers, Option<Detection>, Vec<Problem>), CliError> {
    let mut layers = Layers::new();
    let mut warnings = Vec::new();
    let mut variables: BTreeMap<String, String> =
        if args.from_env { load::environment() } else { BTreeMap::new() };
    variables.extend(args.env.iter().cloned());
    let hostname = variables.get("HOSTNAME").map(String::as_str);
    let signals = Signals { variables: Some(&variables), hostname, files: &[] };
    let detection = Some(detect(&signals)).filter(|it| !it.reasons.is_empty());
    if let Some(preset) = args.preset {
        warnings = layers.choose(preset, "--preset").map_err(CliError::Config)?;
    } else if detection.is_some() {
        warnings = layers.detect(&signals).map_err(CliError::Config)?;
    }
    // Each look at the layers tells all that is to be told of them.
    if let Some(path) = &args.file {
        let text = load::text(path)?;
        let name = path.display().to_string();
        warnings = layers.replace_file(&name, &text).map_err(CliError::Config)?;
    }
    if !variables.is_empty() {
        warnings = layers.replace_env(&variables).map_err(CliError::Config)?;
    }
    Ok((layers, detection, warnings))
}

/// What holds for all, and each operation; or the one that is asked for.
fn scopes<'a>(config: &'a Config, operation: Option<&str>) -> Vec<(Option<String>, &'a Scope)> {
    if let Some(name) = operation {
        return vec![(Some(name.to_owned()), config.scope(name))];
    }
    let each = config.operations().map(|(name, scope)| (Some(name.to_owned()), scope));
    std::iter::once((None, config.default_scope())).chain(each).collect()
}

fn heading(config: &Config, detection: Option<&Detection>) -> String {
    let mut text = String::new();
    if let Some(detection) = detection {
        let _ = writeln!(text, "environment: {detection}");
    }
    // Writing to a string cannot fail.
    let _ = match config.chosen_preset() {
        Some((preset, origin)) => writeln!(text, "preset: {preset} ({origin})"),
        None => writeln!(text, "preset: none"),
    };
    text.push('\n');
    text
}

/// A column for each operation.
fn table(scopes: &[(Option<String>, &Scope)], width: Option<u16>) -> String {
    let names = scopes.iter().map(|(name, _)| name.as_deref().unwrap_or("ALL").to_owned());
    let header: Vec<String> = std::iter::once("SETTING".to_owned()).chain(names).collect();
    let mut table = table::table(header, width);
    let strategies = scopes.iter().map(|(_, scope)| match scope.strategy() {
        Some((strategy, _)) => strategy.to_string(),
        None => "-".to_owned(),
    });
    table.add_row(std::iter::once("strategy".to_owned()).chain(strategies));
    for field in Field::ALL {
        let values = scopes.iter().map(|(_, scope)| field.of(scope.tuning()).to_string());
        table.add_row(std::iter::once(field.to_string()).chain(values));
    }
    table::lines(&table)
}

/// A line for each value, and one for each that it overrode.
fn reasons(text: &mut String, name: &Option<String>, scope: &Scope) {
    let _ = match name {
        Some(name) => writeln!(text, "{name}"),
        None => writeln!(text, "all operations"),
    };
    if let Some((strategy, origin)) = scope.strategy() {
        let _ = writeln!(text, "  {:<26} {strategy:<8} {origin}", "strategy");
    }
    for field in Field::ALL {
        for (index, said) in scope.why(field).rev().enumerate() {
            let (value, origin) = (said.value.to_string(), &said.origin);
            let _ = match index {
                0 => writeln!(text, "  {:<26} {value:<8} {origin}", field.as_str()),
                _ => writeln!(text, "  {:<26} {value:<8} {origin}", "    over"),
            };
        }
    }
}

fn document(name: &Option<String>, scope: &Scope) -> ScopeDocument {
    let setting = |field: Field| {
        let mut said = scope.why(field).rev();
        let from = said.next().map(|said| said.origin.to_string()).unwrap_or_default();
        let overrode = said
            .map(|said| Overrode { value: said.value.into(), from: said.origin.to_string() })
            .collect();
        Setting { key: field.as_str(), value: field.of(scope.tuning()).into(), from, overrode }
    };
    ScopeDocument {
        operation: name.clone(),
        strategy: scope
            .strategy()
            .map(|(strategy, from)| Named { name: strategy.as_str(), from: from.to_string() }),
        settings: Field::ALL.into_iter().map(setting).collect(),
    }
}
