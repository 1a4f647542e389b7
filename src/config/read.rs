//! A text and what it says: TOML or JSON in, statements and problems out.
//!
//! All problems are found, not the first. Whether values of different texts go together is
//! `check`'s part.

mod field;

use std::{ops::Range, sync::Arc};

use super::{
    Says, Statement, is_operation_name,
    names::nearest,
    origin::Origin,
    preset::{OPERATIONS, Preset},
    problem::{Kind, PROBLEMS_MAX, Problem},
    security::{self, OVERRIDES_MAX, join},
    source::Source,
    strategy::Strategy,
    tree::{self, Entry, Node, NodeKind, clipped},
};
use field::read_field;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// TOML.
    Toml,
    /// JSON.
    Json,
}

impl Form {
    /// The form of a file of this name: JSON if it ends in `.json`, else TOML.
    #[must_use]
    pub fn of(name: &str) -> Form {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        if ending.is_some_and(|it| it.eq_ignore_ascii_case("json")) {
            Form::Json
        } else {
            Form::Toml
        }
    }
}

/// Whose text it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// A file.
    File,
    /// An environment variable.
    Env,
    /// The sim.
    Sim,
    /// Somebody who changes the configuration at run time.
    Change {
        /// Who.
        by: Arc<str>,
        /// The number of the change.
        number: u64,
    },
}

/// What a text says, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What it says, as far as it could be understood.
    pub statements: Vec<Statement>,
    /// What is wrong, in the order of the text.
    pub problems: Vec<Problem>,
    /// The text, for messages.
    pub sources: Vec<Source>,
}

/// The keys of a configuration that are no fields.
pub(super) const WORDS: [&str; 6] =
    ["preset", "default_strategy", "operation_overrides", "operations", "name", "description"];

/// The longest name of a configuration and the longest description, in characters.
pub(super) const NAME_MAX: usize = 50;
pub(super) const DESCRIPTION_MAX: usize = 200;

/// Reads a text.
#[must_use]
pub fn read(name: &str, text: &str, form: Form, speaker: &Speaker) -> Reading {
    if let Some(problem) = security::too_long(name, text.len()) {
        return Reading { problems: vec![problem], ..Reading::default() };
    }
    let source = Source::new(name, text);
    let mut reader = Reader {
        source: &source,
        speaker,
        statements: Vec::new(),
        problems: security::characters(&source),
    };
    let root = match form {
        Form::Toml => tree::parse_toml(text),
        Form::Json => tree::parse_json(text),
    };
    match root {
        Ok(root) => {
            reader.problems.extend(security::values(&source, &root));
            reader.root(&root);
        }
        Err(broken) => reader.problems.extend(broken.into_iter().map(|broken| Problem {
            kind: if broken.is_deep { Kind::TooLarge } else { Kind::Syntax },
            is_warning: false,
            key: String::new(),
            what: broken.what,
            why: match form {
                _ if broken.is_deep => "no reader should have to follow".to_owned(),
                Form::Toml => "this is not TOML, so nothing of the text can be trusted".to_owned(),
                Form::Json => "this is not JSON, so nothing of the text can be trusted".to_owned(),
            },
            help: broken.help,
            source: source.clone(),
            place: broken.place,
        })),
    }
    let Reader { statements, mut problems, .. } = reader;
    problems.sort_by_key(|problem| problem.place.start);
    problems.truncate(PROBLEMS_MAX);
    Reading { statements, problems, sources: vec![source] }
}

/// A text that is being read.
pub(super) struct Reader<'a> {
    source: &'a Source,
    speaker: &'a Speaker,
    statements: Vec<Statement>,
    problems: Vec<Problem>,
}

/// A key and where it stands.
struct Key<'a> {
    /// With the tables around it.
    path: &'a str,
    place: &'a Range<usize>,
}

impl Reader<'_> {
    fn root(&mut self, root: &Node) {
        let NodeKind::Table(entries) = &root.kind else {
            let found = root.kind.found();
            self.wrong(
                Kind::Type,
                "",
                &root.place,
                format!("{found} where an object is due"),
                "a configuration is keys and values",
                "{\"retry_attempts\": 3} would do",
            );
            return;
        };
        let before = self.problems.len();
        for entry in entries {
            self.entry(entry);
        }
        self.overridden_twice(entries);
        if self.statements.is_empty() && self.problems.len() == before {
            self.wrong(
                Kind::Empty,
                "",
                &(root.place.start..root.place.start),
                "nothing is set".to_owned(),
                "a configuration that says nothing was probably meant to say something",
                "`retry_attempts = 3` would do, as would `preset = \"simple\"`",
            );
        }
    }

    fn entry(&mut self, Entry { key, key_place, value }: &Entry) {
        let at = Key { path: &join("", key), place: key_place };
        match key.as_str() {
            "preset" => {
                if let Some(preset) =
                    self.word(&at, value, Preset::parse, Preset::ALL.map(Preset::as_str))
                {
                    self.say(None, Says::Preset(preset), &at);
                }
            }
            "default_strategy" => self.strategy(None, &at, value),
            "operation_overrides" => {
                self.each_operation(&at, value, |reader, operation, at, value| {
                    reader.strategy(Some(operation), at, value);
                })
            }
            "operations" => self.each_operation(&at, value, Reader::operation),
            "name" => self.label(&at, value, NAME_MAX),
            "description" => self.label(&at, value, DESCRIPTION_MAX),
            _ => {
                let known = WORDS.into_iter().chain(super::Field::ALL.map(super::Field::as_str));
                self.field(None, key, &at, value, known);
            }
        }
    }

    /// The entries of a table, or a problem.
    fn table<'n>(
        &mut self,
        at: &Key<'_>,
        value: &'n Node,
        why: &str,
        help: &str,
    ) -> Option<&'n [Entry]> {
        if let NodeKind::Table(entries) = &value.kind {
            return Some(entries);
        }
        let what = format!("`{}` is {}", at.path, value.kind.found());
        self.wrong(Kind::Type, at.path, &value.place, what, why, help);
        None
    }

    /// `[operations.NAME]`.
    fn operation(&mut self, operation: &Arc<str>, at: &Key<'_>, value: &Node) {
        let why = "what holds for an operation is a table of settings";
        let help = "{ strategy = \"critical\" } would do, or { retry_attempts = 5 }";
        let Some(entries) = self.table(at, value, why, help) else { return };
        self.say(Some(operation), Says::Known, at);
        for Entry { key, key_place, value } in entries {
            let at = Key { path: &join(at.path, key), place: key_place };
            if key == "strategy" {
                self.strategy(Some(operation), &at, value);
                continue;
            }
            let known = ["strategy"].into_iter().chain(super::Field::ALL.map(super::Field::as_str));
            self.field(Some(operation), key, &at, value, known);
        }
    }

    fn each_operation(
        &mut self,
        at: &Key<'_>,
        value: &Node,
        mut read: impl FnMut(&mut Self, &Arc<str>, &Key<'_>, &Node),
    ) {
        let why = "it is a table with an operation for each key";
        let help = "{ qa = \"critical\" } would do";
        let Some(entries) = self.table(at, value, why, help) else { return };
        if entries.len() > OVERRIDES_MAX {
            let what = format!(
                "`{}` has {} operations, and {OVERRIDES_MAX} are allowed",
                at.path,
                entries.len()
            );
            self.wrong(
                Kind::TooLarge,
                at.path,
                at.place,
                what,
                "with as many exceptions nobody knows the rule",
                "keep those that differ most from the rest",
            );
        }
        for Entry { key, key_place, value } in entries {
            let at = Key { path: &join(at.path, key), place: key_place };
            if !is_operation_name(key) {
                let what = format!("{} is no name of an operation", clipped(key));
                self.wrong(
                    Kind::Unknown,
                    at.path,
                    at.place,
                    what,
                    "names are 1 to 50 of a-z, 0-9, `_`, `.` and `-`",
                    "`key_points` would do",
                );
                continue;
            }
            // An unknown operation may be registered later; one that is nearly known is a mistake.
            if !OPERATIONS.contains(&key.as_str())
                && let Some(meant) = OPERATIONS
                    .into_iter()
                    .find(|known| strsim::damerau_levenshtein(known, key) == 1)
            {
                let what = format!("nobody knows the operation `{key}`");
                let help = format!("did you mean `{meant}`?");
                self.warn(
                    Kind::Unknown,
                    at.path,
                    at.place,
                    what,
                    "nothing holds for it until it is registered",
                    help,
                );
            }
            read(self, &key.as_str().into(), &at, value);
        }
    }

    /// An operation whose strategy is said in both ways.
    fn overridden_twice(&mut self, entries: &[Entry]) {
        let table = |name: &str| {
            let entry = entries.iter().find(|entry| entry.key == name);
            entry.and_then(|entry| match &entry.value.kind {
                NodeKind::Table(entries) => Some(entries.as_slice()),
                _ => None,
            })
        };
        let (Some(short), Some(long)) = (table("operation_overrides"), table("operations")) else {
            return;
        };
        for Entry { key, value, .. } in long {
            let NodeKind::Table(inner) = &value.kind else { continue };
            let Some(strategy) = inner.iter().find(|entry| entry.key == "strategy") else {
                continue;
            };
            if short.iter().any(|entry| entry.key == *key) {
                let path = join(&join("operations", key), "strategy");
                let what = format!("the strategy of `{key}` is said twice", key = tree::clip(key));
                self.wrong(
                    Kind::Contradiction,
                    &path,
                    &strategy.key_place,
                    what,
                    "`operation_overrides` says it too, and neither comes first",
                    "take one of the two away",
                );
            }
        }
    }

    fn strategy(&mut self, operation: Option<&Arc<str>>, at: &Key<'_>, value: &Node) {
        if let Some(strategy) =
            self.word(at, value, Strategy::parse, Strategy::ALL.map(Strategy::as_str))
        {
            self.say(operation, Says::Strategy(strategy), at);
        }
    }

    /// One of a few words.
    fn word<T, const N: usize>(
        &mut self,
        at: &Key<'_>,
        value: &Node,
        parse: impl Fn(&str) -> Option<T>,
        known: [&'static str; N],
    ) -> Option<T> {
        let help = |text: &str| match nearest(&text.trim().to_lowercase(), known) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("one of \"{}\" would do", known.join("\", \"")),
        };
        match &value.kind {
            NodeKind::Text(text) => {
                if let Some(known) = parse(text) {
                    return Some(known);
                }
                let what = format!("`{}` is {}", at.path, clipped(text));
                self.wrong(
                    Kind::Unknown,
                    at.path,
                    &value.place,
                    what,
                    "there is no such name",
                    &help(text),
                );
            }
            other => {
                let what = format!("`{}` is {}", at.path, other.found());
                self.wrong(
                    Kind::Type,
                    at.path,
                    &value.place,
                    what,
                    "it is a name in quotation marks",
                    &help(""),
                );
            }
        }
        None
    }

    /// A name or a description, which nothing is made of.
    fn label(&mut self, at: &Key<'_>, value: &Node, most: usize) {
        let NodeKind::Text(text) = &value.kind else {
            let what = format!("`{}` is {}", at.path, value.kind.found());
            self.wrong(
                Kind::Type,
                at.path,
                &value.place,
                what,
                "it is a text in quotation marks",
                "\"ours, as of May\" would do",
            );
            return;
        };
        let len = text.chars().count();
        if !(1..=most).contains(&len) {
            let what = format!("`{}` has {len} characters, and 1 to {most} are allowed", at.path);
            self.wrong(
                Kind::Range,
                at.path,
                &value.place,
                what,
                "it is shown in lists",
                "\"ours, as of May\" would do",
            );
        }
    }

    fn field<'k>(
        &mut self,
        operation: Option<&Arc<str>>,
        key: &str,
        at: &Key<'_>,
        value: &Node,
        known: impl Iterator<Item = &'k str>,
    ) {
        let Some(field) = super::Field::parse(key) else {
            let what = format!("the key `{}` is unknown", at.path);
            let help = match nearest(key, known) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "take it away; `seedbed config schema` has all keys".to_owned(),
            };
            self.wrong(
                Kind::Unknown,
                at.path,
                at.place,
                what,
                "a key that is passed over is a setting that does not hold",
                &help,
            );
            return;
        };
        match read_field(field, &value.kind) {
            Ok(read) => self.say(operation, Says::Field(field, read), at),
            Err(bad) => self.wrong(
                bad.kind,
                at.path,
                &value.place,
                format!("`{}` is {}", at.path, value.kind.found()),
                &bad.why,
                &bad.help,
            ),
        }
    }

    fn say(&mut self, operation: Option<&Arc<str>>, says: Says, at: &Key<'_>) {
        let origin = match self.speaker {
            Speaker::File => Origin::File {
                name: self.source.name().into(),
                line: self.source.position(at.place.start).0,
                key: at.path.into(),
            },
            Speaker::Env => {
                Origin::Env { variable: self.source.name().into(), key: Some(at.path.into()) }
            }
            Speaker::Sim => Origin::Sim { key: at.path.into() },
            Speaker::Change { by, number } => {
                Origin::Change { by: Arc::clone(by), number: *number }
            }
        };
        self.statements.push(Statement { operation: operation.cloned(), says, origin });
    }

    fn wrong(
        &mut self,
        kind: Kind,
        key: &str,
        place: &Range<usize>,
        what: String,
        why: &str,
        help: &str,
    ) {
        self.problems.push(Problem {
            kind,
            is_warning: false,
            key: key.to_owned(),
            what,
            why: why.to_owned(),
            help: help.to_owned(),
            source: self.source.clone(),
            place: place.clone(),
        });
    }

    fn warn(
        &mut self,
        kind: Kind,
        key: &str,
        place: &Range<usize>,
        what: String,
        why: &str,
        help: String,
    ) {
        self.wrong(kind, key, place, what, why, &help);
        if let Some(last) = self.problems.last_mut() {
            last.is_warning = true;
        }
    }
}

pub(super) use field::read_number as read_field_of;
