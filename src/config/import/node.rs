//! YAML and JSON as one tree, read from outside: bounded, without duplicate keys, without what cannot
//! be seen.
//!
//! No error quotes a value. JSON may have comments and commas at the end of lists, as Claude Code
//! Router reads it (JSON5); nothing else of JSON5 is known here.

use std::{collections::BTreeSet, fmt};

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::read::{looks_secret, shown};

/// How deep lists and tables may lie in each other.
const DEPTH_MAX: usize = 32;

/// How many values a text may have, copies through anchors included.
const NODES_MAX: usize = 100_000;

/// How many values may come from anchors.
const COPIES_MAX: usize = 10_000;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Whole(i64),
    /// A number that is not whole, or too large to be a whole one; always finite.
    Real(f64),
    Text(String),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
}

impl Node {
    /// Of what type it is, for people.
    pub(super) fn describe(&self) -> String {
        match self {
            Node::Null => "nothing".to_owned(),
            Node::Bool(_) => "true or false".to_owned(),
            Node::Whole(_) | Node::Real(_) => "a number".to_owned(),
            Node::Text(text) if text.starts_with("os.environ/") || text.starts_with('$') => {
                "the name of an environment variable".to_owned()
            }
            Node::Text(_) => "a text".to_owned(),
            Node::List(items) => format!("a list of {}", items.len()),
            Node::Table(fields) => format!("a table of {}", fields.len()),
        }
    }
}

/// What is wrong with a text, and where; lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// It is not valid.
    #[error("line {line}, column {column}: not valid {language}: {message}")]
    Syntax {
        /// YAML or JSON.
        language: &'static str,
        /// Where.
        line: u64,
        /// Where.
        column: u64,
        /// What the parser says.
        message: String,
    },
    /// It is deeper or larger than anything that is looked at.
    #[error("line {line}, column {column}: {what}")]
    TooMuch {
        /// Where.
        line: u64,
        /// Where.
        column: u64,
        /// What is too much, and how much would not be.
        what: &'static str,
    },
    /// It has a character that cannot be seen.
    #[error(
        "line {line}, column {column}: U+{code:04X} cannot be seen, and may hide what is there"
    )]
    Invisible {
        /// Where.
        line: u64,
        /// Where.
        column: u64,
        /// Which.
        code: u32,
    },
}

impl NodeError {
    /// What to do instead.
    pub(super) fn help(&self) -> &'static str {
        match self {
            NodeError::Syntax { .. } => {
                "correct it there; a key may stand once in a table, and numbers are finite"
            }
            NodeError::TooMuch { .. } => {
                "give the configuration of the gateway alone; what is repeated by anchors can be \
                 written out"
            }
            NodeError::Invisible { .. } => "remove it, or write it as an escape in quotes",
        }
    }
}

/// Reads a text: as JSON if it begins with a brace, as YAML otherwise.
pub(super) fn parse(text: &str) -> Result<Node, NodeError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    visible(text)?;
    let first = text.trim_start();
    if first.starts_with('{') || first.starts_with("//") || first.starts_with("/*") {
        json(text)
    } else {
        yaml(text)
    }
}

/// Refuses control characters and those of format: zero-width ones, marks of direction, tags.
fn visible(text: &str) -> Result<(), NodeError> {
    for (index, line) in text.split('\n').enumerate() {
        for (column, found) in line.chars().enumerate() {
            let hidden = matches!(found,
                '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
                | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}');
            if hidden || found.is_control() && !matches!(found, '\t' | '\r') {
                let (line, column) = (index as u64 + 1, column as u64 + 1);
                return Err(NodeError::Invisible { line, column, code: u32::from(found) });
            }
        }
    }
    Ok(())
}

fn yaml(text: &str) -> Result<Node, NodeError> {
    let mut options = serde_saphyr::Options::default();
    options.with_snippet = false;
    options.duplicate_keys = serde_saphyr::options::DuplicateKeyPolicy::Error;
    options.alias_limits.max_total_replayed_events = COPIES_MAX;
    options.alias_limits.max_replay_stack_depth = DEPTH_MAX;
    let mut budget = serde_saphyr::Budget::default();
    budget.max_depth = DEPTH_MAX;
    budget.flow_nesting_limit = DEPTH_MAX;
    budget.max_nodes = NODES_MAX;
    budget.max_events = NODES_MAX * 2;
    budget.max_documents = 1;
    budget.max_recorded_anchor_events = NODES_MAX;
    options.budget = Some(budget);
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let at = error.location();
        let (line, column) = (at.map_or(1, |at| at.line()), at.map_or(1, |at| at.column()));
        let message = plain(&error.without_snippet().to_string());
        match too_much(&message) {
            Some(what) => NodeError::TooMuch { line, column, what },
            None => NodeError::Syntax { language: "YAML", line, column, message },
        }
    })
}

fn json(text: &str) -> Result<Node, NodeError> {
    let strict = strict(text);
    let mut parser = serde_json::Deserializer::from_str(&strict);
    let read = Node::deserialize(&mut parser).and_then(|node| parser.end().map(|()| node));
    read.map_err(|error| {
        let (line, column) = (error.line() as u64, error.column() as u64);
        let message = plain(&error.to_string());
        match too_much(&message) {
            Some(what) => NodeError::TooMuch { line, column, what },
            None => NodeError::Syntax { language: "JSON", line, column, message },
        }
    })
}

/// Which bound was passed, if a parser says that one was.
fn too_much(message: &str) -> Option<&'static str> {
    let is_budget = message.contains("budget breached");
    if message.contains("replay limit") || (is_budget && message.contains("nchor")) {
        Some("anchors stand for more than 10000 values, or for each other more than 32 deep")
    } else if message.contains("recursion limit") || (is_budget && message.contains("Depth")) {
        Some("lists and tables lie more than 32 deep in each other")
    } else if is_budget {
        Some("it has more than 100000 values, or more than one document")
    } else {
        None
    }
}

/// What a parser says, in one line and without the place, which is said otherwise. It may name a key.
fn plain(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.split(" at line ").next().unwrap_or(line);
    let line = line.split(", set ").next().unwrap_or(line);
    let words = line.split(' ').map(|it| if looks_secret(it) { "…" } else { it });
    let text = words.collect::<Vec<_>>().join(" ");
    text.chars().filter(|it| !it.is_control()).take(120).collect()
}

/// JSON5's comments and last commas as blanks, so that places stay where they are.
fn strict(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    // Where a comma stands that nothing has followed yet.
    let mut comma = None;
    while let Some(next) = rest.next() {
        match (next, rest.peek()) {
            ('"', _) => {
                comma = None;
                out.push('"');
                quoted(&mut rest, &mut out);
            }
            ('/', Some('/')) => {
                out.push(' ');
                while let Some(within) = rest.next_if(|it| *it != '\n') {
                    blank(within, &mut out);
                }
            }
            ('/', Some('*')) => {
                out.push(' ');
                let mut before = ' ';
                for within in rest.by_ref() {
                    blank(within, &mut out);
                    if (before, within) == ('*', '/') {
                        break;
                    }
                    before = within;
                }
            }
            (',', _) => {
                comma = Some(out.len());
                out.push(',');
            }
            (']' | '}', _) => {
                if let Some(at) = comma.take() {
                    out.replace_range(at..=at, " ");
                }
                out.push(next);
            }
            _ => {
                if !next.is_whitespace() {
                    comma = None;
                }
                out.push(next);
            }
        }
    }
    out
}

/// The rest of a string, its end included.
fn quoted(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    let mut escaped = false;
    for next in rest.by_ref() {
        out.push(next);
        match next {
            '"' if !escaped => return,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
}

fn blank(character: char, out: &mut String) {
    if character == '\n' {
        out.push('\n');
    } else {
        // As many bytes as before: the parser counts columns in bytes.
        out.extend(std::iter::repeat_n(' ', character.len_utf8()));
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Whole(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(i64::try_from(value).map_or(Node::Real(value as f64), Node::Whole))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        if value.is_finite() {
            Ok(Node::Real(value))
        } else {
            Err(E::custom("a number that is infinite, or none"))
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Node, A::Error> {
        let (mut table, mut seen) = (Vec::new(), BTreeSet::new());
        while let Some(key) = fields.next_key::<Node>()? {
            let key = match key {
                Node::Text(key) => key,
                Node::Whole(number) => number.to_string(),
                Node::Bool(value) => value.to_string(),
                Node::Null => "null".to_owned(),
                _ => return Err(de::Error::custom("a key that is no text")),
            };
            if !seen.insert(key.clone()) {
                let key = shown(&key);
                return Err(de::Error::custom(format_args!("the key {key} was there before")));
            }
            table.push((key, fields.next_value()?));
        }
        Ok(Node::Table(table))
    }
}

#[cfg(test)]
mod tests;
