//! TOML, by the parser that also reads sims.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{Broken, Entry, Node, NodeKind};
use crate::config::security::DEPTH_MAX;

/// The most mistakes of syntax that are told.
const BROKEN_MAX: usize = 10;

/// Reads a whole text.
pub(in crate::config) fn parse(text: &str) -> Result<Node, Vec<Broken>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let broken = errors.iter().take(BROKEN_MAX).map(|error| {
            let place = error.span().unwrap_or(0..0);
            let what = error.message().replace('\n', ", ");
            if what.contains("recurs") {
                return Broken::deep(place);
            }
            let help = match what.starts_with("duplicate key") {
                true => "keep one of the two",
                false => "write `key = value`, texts in quotation marks",
            };
            Broken::new(what, help, place)
        });
        return Err(broken.collect());
    }
    let place = table.span();
    let kind = entries(table.get_ref(), 1).map_err(|broken| vec![broken])?;
    Ok(Node { kind, place })
}

/// A table that is so many levels deep, itself included. Its keys come in the order of the text.
fn entries(table: &DeTable<'_>, depth: usize) -> Result<NodeKind, Broken> {
    let mut entries = Vec::with_capacity(table.len());
    for (key, value) in table {
        let value = node(value.get_ref(), value.span(), depth)?;
        entries.push(Entry { key: key.get_ref().to_string(), key_place: key.span(), value });
    }
    entries.sort_by_key(|entry| entry.key_place.start);
    Ok(NodeKind::Table(entries))
}

fn node(value: &DeValue<'_>, place: Range<usize>, depth: usize) -> Result<Node, Broken> {
    let kind = match value {
        DeValue::String(text) => NodeKind::Text(text.to_string()),
        DeValue::Integer(integer) => NodeKind::Number(match integer.radix() {
            10 => integer.as_str().to_owned(),
            // What is too large for this is too large for anything.
            radix => i128::from_str_radix(integer.as_str(), radix).unwrap_or(i128::MAX).to_string(),
        }),
        DeValue::Float(float) => NodeKind::Number(float.as_str().to_owned()),
        DeValue::Boolean(on) => NodeKind::Bool(*on),
        DeValue::Datetime(_) => NodeKind::Date,
        DeValue::Array(_) | DeValue::Table(_) if depth >= DEPTH_MAX => {
            return Err(Broken::deep(place));
        }
        DeValue::Array(items) => {
            let items = items.iter().map(|item| node(item.get_ref(), item.span(), depth + 1));
            NodeKind::List(items.collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => entries(table, depth + 1)?,
    };
    Ok(Node { kind, place })
}
