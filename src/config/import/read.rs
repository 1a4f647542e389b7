//! Reading a tree field by field, so that what nobody has asked for is left over and can be told.
//!
//! A value of the wrong type becomes a finding and is as good as not there. What is noted are places
//! and types, never values.

use std::time::Duration;

use super::{
    FINDINGS_MAX,
    finding::{Finding, Kind},
    node::Node,
};

/// The longest time that is read: as long as a sim may say, 365 days.
const SECONDS_MAX: f64 = 365.0 * 86_400.0;

/// The longest key that is shown.
const KEY_CHARS_MAX: usize = 64;

/// What has been found so far.
#[derive(Debug, Default)]
pub(super) struct Notes {
    findings: Vec<Finding>,
    more: usize,
}

impl Notes {
    fn push(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Something about a value that is there.
    pub(super) fn note(&mut self, at: &At<'_>, kind: Kind, why: &str) {
        let (path, found) = (at.path.clone(), at.node.describe());
        self.push(Finding { path, kind, found, why: why.to_owned(), assumed: None });
    }

    /// The same, and what the sim has instead.
    pub(super) fn assume(&mut self, at: &At<'_>, why: &str, instead: &str) {
        let (path, found) = (at.path.clone(), at.node.describe());
        let assumed = Some(instead.to_owned());
        self.push(Finding { path, kind: Kind::Assumed, found, why: why.to_owned(), assumed });
    }

    /// Something about a value that is not there, for which the gateway has a default.
    pub(super) fn absent(&mut self, path: &str, why: &str, instead: &str) {
        let (path, found) = (path.to_owned(), "nothing".to_owned());
        let assumed = Some(instead.to_owned());
        self.push(Finding { path, kind: Kind::Assumed, found, why: why.to_owned(), assumed });
    }

    /// About a value that may be there or not.
    pub(super) fn either(&mut self, at: Option<&At<'_>>, path: &str, why: &str, instead: &str) {
        match at {
            Some(at) => self.assume(at, why, instead),
            None => self.absent(path, why, instead),
        }
    }

    /// All of it.
    pub(super) fn into_findings(mut self) -> Vec<Finding> {
        if self.more > 0 {
            self.findings.push(Finding {
                path: "…".to_owned(),
                kind: Kind::Unknown,
                found: format!("{} more", self.more),
                why: "only so many findings are listed".to_owned(),
                assumed: None,
            });
        }
        self.findings
    }
}

/// A key that is known and that nothing is made of.
pub(super) type Known = (&'static str, Kind, &'static str);

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<'a> {
    pub(super) path: String,
    pub(super) node: &'a Node,
}

impl<'a> At<'a> {
    /// Says that the value cannot be what it is.
    pub(super) fn invalid(&self, notes: &mut Notes, expected: &str) {
        let elsewhere = "its value is in the environment, which is not read";
        let is_elsewhere = matches!(self.node, Node::Text(text)
            if text.starts_with("os.environ/") || text.starts_with('$'));
        if is_elsewhere {
            notes.note(self, Kind::Invalid, &format!("{expected} is needed; {elsewhere}"));
        } else {
            notes.note(self, Kind::Invalid, &format!("{expected} is needed here"));
        }
    }

    pub(super) fn text(&self, notes: &mut Notes) -> Option<&'a str> {
        match self.node {
            Node::Text(text) => Some(text),
            _ => {
                self.invalid(notes, "a text");
                None
            }
        }
    }

    /// A number that is finite and at least 0; a text that is one counts, as it does for LiteLLM.
    pub(super) fn number(&self, notes: &mut Notes) -> Option<f64> {
        let number = match self.node {
            Node::Whole(whole) => Some(*whole as f64),
            Node::Real(real) => Some(*real),
            Node::Text(text) => text.parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| number.is_finite() && *number >= 0.0);
        if number.is_none() {
            self.invalid(notes, "a number from 0");
        }
        number
    }

    /// A whole number from 0 to `max`.
    pub(super) fn whole(&self, notes: &mut Notes, max: u32) -> Option<u32> {
        let whole = match self.node {
            Node::Whole(whole) => u32::try_from(*whole).ok(),
            Node::Text(text) => text.parse().ok(),
            _ => None,
        };
        let whole = whole.filter(|whole| *whole <= max);
        if whole.is_none() {
            self.invalid(notes, &format!("a whole number from 0 to {max}"));
        }
        whole
    }

    /// A number of seconds, to the millisecond.
    pub(super) fn seconds(&self, notes: &mut Notes) -> Option<Duration> {
        let seconds = self.number(notes)?;
        if seconds > SECONDS_MAX {
            self.invalid(notes, "a time of at most 365 days");
            return None;
        }
        Some(Duration::from_millis((seconds * 1_000.0).round() as u64))
    }

    /// The same, and more than nothing.
    pub(super) fn positive_seconds(&self, notes: &mut Notes) -> Option<Duration> {
        let seconds = self.seconds(notes)?;
        if seconds.is_zero() {
            self.invalid(notes, "more than nothing");
            return None;
        }
        Some(seconds)
    }

    pub(super) fn flag(&self, notes: &mut Notes) -> Option<bool> {
        match self.node {
            Node::Bool(flag) => Some(*flag),
            _ => {
                self.invalid(notes, "true or false");
                None
            }
        }
    }

    /// The items of a list.
    pub(super) fn list(&self, notes: &mut Notes) -> Vec<At<'a>> {
        match self.node {
            Node::List(items) => {
                let item = |(index, node)| At { path: format!("{}[{index}]", self.path), node };
                items.iter().enumerate().map(item).collect()
            }
            _ => {
                self.invalid(notes, "a list");
                Vec::new()
            }
        }
    }

    /// The fields of a table.
    pub(super) fn fields(&self, notes: &mut Notes) -> Option<Fields<'a>> {
        match self.node {
            Node::Table(_) => Fields::of(&self.path, self.node),
            _ => {
                self.invalid(notes, "a table");
                None
            }
        }
    }
}

/// The fields of a table that nobody has asked for yet.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    path: String,
    left: Vec<(&'a str, &'a Node)>,
}

impl<'a> Fields<'a> {
    pub(super) fn root(node: &'a Node) -> Option<Fields<'a>> {
        Fields::of("", node)
    }

    fn of(path: &str, node: &'a Node) -> Option<Fields<'a>> {
        let Node::Table(fields) = node else { return None };
        let left = fields.iter().map(|(key, node)| (key.as_str(), node)).collect();
        Some(Fields { path: path.to_owned(), left })
    }

    /// A table without fields, for one that is not there.
    pub(super) fn none() -> Fields<'a> {
        Fields { path: String::new(), left: Vec::new() }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.left.iter().any(|(other, _)| *other == key)
    }

    fn at(&self, key: &str, node: &'a Node) -> At<'a> {
        let key = shown(key);
        let path = if self.path.is_empty() { key } else { format!("{}.{key}", self.path) };
        At { path, node }
    }

    /// The value of a key, which nobody else is given then. Nothing after a colon is no value.
    pub(super) fn take(&mut self, key: &str) -> Option<At<'a>> {
        let index = self.left.iter().position(|(other, _)| *other == key)?;
        let (_, node) = self.left.remove(index);
        (*node != Node::Null).then(|| self.at(key, node))
    }

    /// The table of a key; an empty one if it is not there.
    pub(super) fn table(&mut self, key: &str, notes: &mut Notes) -> Fields<'a> {
        let table = self.take(key).and_then(|at| at.fields(notes));
        table.unwrap_or_else(Fields::none)
    }

    /// All that is left, key by key.
    pub(super) fn all(self) -> Vec<(&'a str, At<'a>)> {
        self.left.iter().map(|(key, node)| (*key, self.at(key, node))).collect()
    }

    /// Notes what is left: by what is known of the key, or else as a secret or as unknown.
    pub(super) fn rest(self, known: &[Known], notes: &mut Notes) {
        for (key, at) in self.all() {
            let fits = |(name, _, _): &&Known| match name.strip_suffix('*') {
                Some(prefix) => key.starts_with(prefix),
                None => key == *name,
            };
            if let Some((_, kind, why)) = known.iter().find(fits) {
                notes.note(&at, *kind, why);
            } else if is_secret_key(key) {
                notes.note(&at, Kind::Secret, "it may be a secret, and a sim needs none");
            } else if key.starts_with("//") || key.starts_with('#') {
                notes.note(&at, Kind::Ignored, "a comment");
            } else {
                notes.note(&at, Kind::Unknown, "no such key is known here");
            }
        }
    }
}

/// Whether a key's value is to be kept away, going by its name.
fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let parts = ["key", "secret", "token", "passw", "credential", "auth", "dsn", "database_url"];
    parts.iter().any(|part| key.contains(part))
}

/// Whether a text that is to be shown looks like a key or a token after all.
pub(super) fn looks_secret(text: &str) -> bool {
    let starts =
        ["sk-", "sk_", "pk-", "pk_", "AKIA", "ASIA", "eyJ", "ghp_", "xox", "Bearer ", "AIza"];
    let long = |part: &str| {
        let (mut digits, mut upper) = (0, 0);
        for byte in part.bytes() {
            digits += usize::from(byte.is_ascii_digit());
            upper += usize::from(byte.is_ascii_uppercase());
        }
        part.len() >= 32 && digits >= 4 && upper >= 4
    };
    starts.iter().any(|start| text.contains(start))
        || text.split(|it: char| !it.is_ascii_alphanumeric()).any(long)
}

/// A text of the file that may be shown: a key, a name of a model. Short, in one line, no secret.
pub(super) fn shown(text: &str) -> String {
    let is_plain = |it: char| !it.is_control() && it != '"' && it != '\\';
    if text.is_empty() || looks_secret(text) || text.contains("://") {
        return "…".to_owned();
    }
    let short: String = text.chars().filter(|it| is_plain(*it)).take(KEY_CHARS_MAX).collect();
    if text.chars().count() > KEY_CHARS_MAX { format!("{short}…") } else { short }
}
