//! Reads what a layer says, until the real reader is here.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value as Json};

use super::{Config, Field, Origin, Preset, Says, Statement, Strategy, Value, origin::Layer};

/// All that the layers say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    statements: Vec<Statement>,
}

impl Layers {
    /// What comes of it.
    #[must_use]
    pub fn config(&self) -> Config {
        Config::new(self.statements.clone())
    }

    /// Adds statements.
    pub fn add(&mut self, statements: Vec<Statement>) {
        self.statements.extend(statements);
    }

    /// Replaces the file.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn replace_file(&mut self, name: &Arc<str>, text: &str) -> Result<(), String> {
        let table: Map<String, Json> = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = text.get(..at).unwrap_or_default().lines().count().max(1);
            format!("{name}:{line}: {}", error.message())
        })?;
        let origin = |key: &str| {
            let line =
                text.lines().position(|line| line.contains(key.rsplit('.').next().unwrap_or(key)));
            Origin::File {
                name: Arc::clone(name),
                line: u32::try_from(line.unwrap_or_default() + 1).unwrap_or(1),
                key: key.into(),
            }
        };
        let statements = statements(&table, origin)?;
        self.statements.retain(|it| it.origin.layer() != Layer::File);
        self.statements.extend(statements);
        Ok(())
    }
}

/// Reads statements.
///
/// # Errors
///
/// What is wrong.
pub fn statements(
    table: &Map<String, Json>,
    origin: impl Fn(&str) -> Origin,
) -> Result<Vec<Statement>, String> {
    let mut all = Vec::new();
    scope(table, None, "", &origin, &mut all)?;
    if let Some(Json::Object(operations)) = table.get("operations") {
        for (operation, table) in operations {
            let prefix = format!("operations.{operation}.");
            all.push(Statement {
                operation: Some((**operation).into()),
                says: Says::Known,
                origin: origin(&prefix),
            });
            if let Json::Object(table) = table {
                scope(table, Some((**operation).into()), &prefix, &origin, &mut all)?;
            }
        }
    }
    Ok(all)
}

fn scope(
    table: &Map<String, Json>,
    operation: Option<Arc<str>>,
    prefix: &str,
    origin: &impl Fn(&str) -> Origin,
    all: &mut Vec<Statement>,
) -> Result<(), String> {
    for (key, value) in table {
        let path = format!("{prefix}{key}");
        let wrong = |what: &str| format!("{}: {what}", origin(&path));
        let says = match (&**key, value) {
            ("operations", _) => continue,
            ("preset", Json::String(name)) => {
                Says::Preset(Preset::parse(name).ok_or_else(|| wrong("no such preset"))?)
            }
            ("strategy", Json::String(name)) => {
                Says::Strategy(Strategy::parse(name).ok_or_else(|| wrong("no such strategy"))?)
            }
            (key, value) => {
                let field = Field::parse(key).ok_or_else(|| wrong("unknown"))?;
                let value = match (field.range(), value) {
                    (super::field::Range::Counts(least, most), Json::Number(number)) => {
                        let number = number
                            .as_u64()
                            .and_then(|it| u32::try_from(it).ok())
                            .filter(|it| (least..=most).contains(it));
                        Value::Count(number.ok_or_else(|| wrong("out of range"))?)
                    }
                    (super::field::Range::Millis(least, most), Json::Number(number)) => {
                        let number = number
                            .as_f64()
                            .map(|it| (it * 1_000.0) as u32)
                            .filter(|it| (least..=most).contains(it));
                        Value::Span(Duration::from_millis(
                            number.ok_or_else(|| wrong("out of range"))?.into(),
                        ))
                    }
                    (super::field::Range::Permille(least, most), Json::Number(number)) => {
                        let number = number
                            .as_f64()
                            .map(|it| (it * 1_000.0) as u32)
                            .filter(|it| (least..=most).contains(it));
                        Value::Permille(number.ok_or_else(|| wrong("out of range"))?)
                    }
                    (super::field::Range::Switch, Json::Bool(on)) => Value::Switch(*on),
                    _ => return Err(wrong("of another kind")),
                };
                Says::Field(field, value)
            }
        };
        all.push(Statement { operation: operation.clone(), says, origin: origin(&path) });
    }
    Ok(())
}
