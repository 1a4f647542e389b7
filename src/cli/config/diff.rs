//! `seedbed config diff`: what differs between two configurations, operation by operation.

use std::collections::BTreeSet;

use clap::Args;
use serde::Serialize;

use super::load::{self, Plain};
use crate::{
    cli::{
        error::{CliError, problem_report},
        exit::Exit,
        list::pretty,
        options::Format,
        screen::Screen,
    },
    config::{Config, Field, Scope},
    report::{document::VERSION, table},
};

/// What to compare.
#[derive(Debug, Args)]
pub(in crate::cli) struct DiffArgs {
    /// A file, or the name of a preset
    #[arg(value_name = "A")]
    left: String,
    /// A file, or the name of a preset
    #[arg(value_name = "B")]
    right: String,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Serialize)]
struct Document {
    version: u32,
    equal: bool,
    differences: Vec<Difference>,
}

#[derive(Serialize)]
struct Difference {
    /// None: what holds for all that nothing is said of.
    operation: Option<String>,
    key: &'static str,
    left: Side,
    right: Side,
}

#[derive(Serialize)]
struct Side {
    value: Plain,
    #[serde(skip)]
    text: String,
    from: String,
}

pub(in crate::cli) fn diff(args: DiffArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let (left, left_warnings) = load::config(&args.left)?;
    let (right, right_warnings) = load::config(&args.right)?;
    for warning in left_warnings.iter().chain(&right_warnings) {
        screen.talk(&problem_report(warning));
    }
    let differences = differences(&left, &right);
    let equal = differences.is_empty();
    match args.format {
        Format::Text if equal => {
            screen.data(&format!("{} and {} hold the same\n", args.left, args.right))?;
        }
        Format::Text => {
            screen.data(&table(&args, &differences, Screen::width()))?;
        }
        Format::Json => {
            screen.data(&pretty(&Document { version: VERSION, equal, differences })?)?;
        }
    }
    Ok(if equal { Exit::Ok } else { Exit::Failed })
}

fn differences(left: &Config, right: &Config) -> Vec<Difference> {
    let mut all = Vec::new();
    compare(&mut all, None, left.default_scope(), right.default_scope());
    let known = |config: &Config| config.operations().map(|(name, _)| name.to_owned()).collect();
    let mut names: BTreeSet<String> = known(left);
    names.append(&mut known(right));
    for name in names {
        compare(&mut all, Some(&name), left.scope(&name), right.scope(&name));
    }
    all
}

fn compare(all: &mut Vec<Difference>, operation: Option<&str>, left: &Scope, right: &Scope) {
    for field in Field::ALL {
        if field.of(left.tuning()) != field.of(right.tuning()) {
            all.push(Difference {
                operation: operation.map(str::to_owned),
                key: field.as_str(),
                left: side(field, left),
                right: side(field, right),
            });
        }
    }
}

fn side(field: Field, scope: &Scope) -> Side {
    let value = field.of(scope.tuning());
    let from = scope.why(field).next_back().map(|said| said.origin.to_string());
    Side { value: value.into(), text: value.to_string(), from: from.unwrap_or_default() }
}

fn table(args: &DiffArgs, differences: &[Difference], width: Option<u16>) -> String {
    let header = ["OPERATION", "SETTING", &args.left, "FROM", &args.right, "FROM"];
    let mut table = table::table(header, width);
    for Difference { operation, key, left, right } in differences {
        let operation = operation.as_deref().unwrap_or("all");
        table.add_row([operation, key, &left.text, &left.from, &right.text, &right.from]);
    }
    table::lines(&table)
}
