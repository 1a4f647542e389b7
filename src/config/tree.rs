//! What TOML and JSON have in common: values with their places, numbers as they are written.

mod json;
mod toml;

use std::ops::Range;

use super::security::DEPTH_MAX;

pub(super) use json::parse as parse_json;
pub(super) use toml::parse as parse_toml;

/// A value and where it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) place: Range<usize>,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum NodeKind {
    Text(String),
    /// As it is written, in decimal.
    Number(String),
    Bool(bool),
    Null,
    Date,
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_place: Range<usize>,
    pub(super) value: Node,
}

/// What a text is not.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Broken {
    /// What is wrong, in a lower-case phrase.
    pub(super) what: String,
    /// What to do instead.
    pub(super) help: String,
    pub(super) place: Range<usize>,
    /// It is nested too deeply, which is no mistake of syntax.
    pub(super) is_deep: bool,
}

impl Broken {
    fn new(what: impl Into<String>, help: &str, place: Range<usize>) -> Broken {
        Broken { what: what.into(), help: help.to_owned(), place, is_deep: false }
    }

    fn deep(place: Range<usize>) -> Broken {
        Broken {
            what: format!("tables or lists are nested more than {DEPTH_MAX} deep"),
            help: "two levels are enough: `operations`, then the name of one".to_owned(),
            place,
            is_deep: true,
        }
    }
}

impl NodeKind {
    /// What it is, for messages.
    pub(super) fn found(&self) -> String {
        match self {
            NodeKind::Text(text) => clipped(text),
            NodeKind::Number(number) => clip(number),
            NodeKind::Bool(on) => on.to_string(),
            NodeKind::Null => "null".to_owned(),
            NodeKind::Date => "a date".to_owned(),
            NodeKind::List(_) => "a list".to_owned(),
            NodeKind::Table(_) => "a table".to_owned(),
        }
    }
}

/// A text in quotation marks, cut if it is long, with nothing in it that a terminal would obey.
pub(super) fn clipped(text: &str) -> String {
    format!("\"{}\"", clip(text))
}

/// The same without the marks.
pub(super) fn clip(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut short: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}
