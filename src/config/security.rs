//! What a text from outside may not be, whatever it says: too large, too deep, invisible, or meant
//! to be run somewhere. Limits are those of the source project unless a line says otherwise.
//!
//! Nothing here knows what a key means.

mod patterns;

use std::ops::Range;

use super::{
    number::is_unsafe,
    problem::{Kind, Problem},
    source::Source,
    tree::{Entry, Node, NodeKind, clipped},
};

/// The longest text, in bytes.
pub const TEXT_BYTES_MAX: usize = 4_096;
/// The longest text inside a configuration, in characters.
pub const STRING_MAX: usize = 200;
/// The longest list.
pub const LIST_MAX: usize = 20;
/// The most members of a table.
pub const TABLE_MAX: usize = 50;
/// How deep tables and lists are nested, the outermost included.
pub const DEPTH_MAX: usize = 10;
/// The most operations that one text says something of.
pub const OVERRIDES_MAX: usize = 10;
/// How often a character may come in a row.
pub const REPEATS_MAX: usize = 10;
/// The last character that is allowed.
pub const CHARACTER_MAX: char = '\u{1f4ff}';

/// A text that is too long to be looked at.
pub(super) fn too_long(name: &str, bytes: usize) -> Option<Problem> {
    (bytes > TEXT_BYTES_MAX).then(|| Problem {
        kind: Kind::TooLarge,
        is_warning: false,
        key: String::new(),
        what: format!("the text is longer than {TEXT_BYTES_MAX} bytes"),
        why: "a configuration is a page at most, and reading more costs whoever reads".to_owned(),
        help: "keep what differs from a preset; `preset = \"production\"` is a whole configuration"
            .to_owned(),
        // What is too long is not kept for a message.
        source: Source::new(name, ""),
        place: 0..0,
    })
}

/// Characters of the text itself that nobody can see, comments included.
pub(super) fn characters(source: &Source) -> Vec<Problem> {
    let is_layout = |c: char| matches!(c, '\n' | '\r' | '\t');
    let bad = source.text().char_indices().filter(|(_, c)| !is_layout(*c) && is_forbidden(*c));
    bad.take(super::problem::PROBLEMS_MAX)
        .map(|(at, c)| invisible(source, String::new(), c, at..at + c.len_utf8()))
        .collect()
}

fn invisible(source: &Source, key: String, c: char, place: Range<usize>) -> Problem {
    let code = u32::from(c);
    let (mark, help) = match c {
        '\u{feff}' => (", a byte order mark", "save the text as UTF-8 without a byte order mark"),
        _ => ("", "take it away, or write letters, digits and `_` as in \"balanced\""),
    };
    Problem {
        kind: Kind::Invisible,
        is_warning: false,
        key,
        what: format!("the character U+{code:04X}{mark}"),
        why: "what cannot be seen, or not everywhere, makes two texts that look alike differ"
            .to_owned(),
        help: help.to_owned(),
        source: source.clone(),
        place,
    }
}

/// Everything about the values that does not depend on what they mean.
pub(super) fn values(source: &Source, root: &Node) -> Vec<Problem> {
    let mut guard = Guard { source, problems: Vec::new() };
    guard.node(root, "");
    guard.problems
}

struct Guard<'a> {
    source: &'a Source,
    problems: Vec<Problem>,
}

impl Guard<'_> {
    fn node(&mut self, node: &Node, key: &str) {
        match &node.kind {
            NodeKind::Text(text) => self.text(text, key, &node.place),
            NodeKind::Number(number) if is_unsafe(number) => self.tell(
                Kind::Range,
                true,
                key,
                format!("the number {}", super::tree::clip(number)),
                "other readers of the same text get another number",
                "every setting has a range of small numbers".to_owned(),
                &node.place,
            ),
            NodeKind::List(items) => {
                self.count(items.len(), LIST_MAX, "list", key, &node.place);
                for item in items {
                    self.node(item, key);
                }
            }
            NodeKind::Table(entries) => {
                self.count(entries.len(), TABLE_MAX, "table", key, &node.place);
                for Entry { key: name, key_place, value } in entries {
                    let key = join(key, name);
                    self.text(name, &key, key_place);
                    self.node(value, &key);
                }
            }
            NodeKind::Number(_) | NodeKind::Bool(_) | NodeKind::Null | NodeKind::Date => {}
        }
    }

    fn count(&mut self, len: usize, most: usize, what: &str, key: &str, place: &Range<usize>) {
        if len > most {
            self.tell(
                Kind::TooLarge,
                false,
                key,
                format!("a {what} of {len}, and {most} are allowed"),
                "nothing that can be set needs as many",
                format!("keep {most} of them"),
                place,
            );
        }
    }

    fn text(&mut self, text: &str, key: &str, place: &Range<usize>) {
        let len = text.chars().count();
        if len > STRING_MAX {
            self.tell(
                Kind::TooLarge,
                false,
                key,
                format!("a text of {len} characters, and {STRING_MAX} are allowed"),
                "no name or description needs as many",
                "write a shorter one".to_owned(),
                place,
            );
        }
        // What was written as an escape is seen only here.
        if let Some(c) = text.chars().find(|c| is_forbidden(*c)) {
            let raw = self.source.text().get(place.clone()).unwrap_or_default();
            if !raw.contains(c) {
                let problem = invisible(self.source, key.to_owned(), c, place.clone());
                self.problems.push(problem);
            }
        }
        let raw = self.source.text().get(place.clone()).unwrap_or_default();
        for name in patterns::found(text, raw) {
            self.tell(
                Kind::Forbidden,
                false,
                key,
                format!("{} has {name} in it", clipped(text)),
                "some program may run it, and no setting needs it",
                "write it in plain words".to_owned(),
                place,
            );
        }
        if let Some((c, count)) = longest_run(text).filter(|(_, count)| *count > REPEATS_MAX) {
            self.tell(
                Kind::Repeated,
                true,
                key,
                format!("{} comes {count} times in a row", clipped(&c.to_string())),
                "that is seldom meant, and padding is a way to hide something",
                format!("{REPEATS_MAX} in a row are let through"),
                place,
            );
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a message")]
    fn tell(
        &mut self,
        kind: Kind,
        is_warning: bool,
        key: &str,
        what: String,
        why: &str,
        help: String,
        place: &Range<usize>,
    ) {
        self.problems.push(Problem {
            kind,
            is_warning,
            key: key.to_owned(),
            what,
            why: why.to_owned(),
            help,
            source: self.source.clone(),
            place: place.clone(),
        });
    }
}

/// A key inside another.
pub(super) fn join(outer: &str, inner: &str) -> String {
    // Long ones are refused anyway, and must not make messages long.
    let inner = super::tree::clip(inner);
    if outer.is_empty() { inner } else { format!("{outer}.{inner}") }
}

/// Whether a character has no place in a configuration: beyond U+1F4FF, or of the categories Cc
/// (control), Cf (format), Co (private use); Cs cannot be in a text at all.
fn is_forbidden(c: char) -> bool {
    /// The general category Cf of Unicode 16, up to the last character allowed.
    const FORMAT: [(char, char); 18] = [
        ('\u{ad}', '\u{ad}'),
        ('\u{600}', '\u{605}'),
        ('\u{61c}', '\u{61c}'),
        ('\u{6dd}', '\u{6dd}'),
        ('\u{70f}', '\u{70f}'),
        ('\u{890}', '\u{891}'),
        ('\u{8e2}', '\u{8e2}'),
        ('\u{180e}', '\u{180e}'),
        ('\u{200b}', '\u{200f}'),
        ('\u{202a}', '\u{202e}'),
        ('\u{2060}', '\u{2064}'),
        ('\u{2066}', '\u{206f}'),
        ('\u{feff}', '\u{feff}'),
        ('\u{fff9}', '\u{fffb}'),
        ('\u{110bd}', '\u{110cd}'),
        ('\u{13430}', '\u{1343f}'),
        ('\u{1bca0}', '\u{1bca3}'),
        ('\u{1d173}', '\u{1d17a}'),
    ];
    if c.is_ascii() {
        return c.is_control();
    }
    c > CHARACTER_MAX
        || c.is_control()
        || ('\u{e000}'..='\u{f8ff}').contains(&c)
        || FORMAT.iter().any(|(first, last)| match (*first, *last) {
            // Between these two are ordinary letters.
            (first @ '\u{110bd}', last) => c == first || c == last,
            (first, last) => (first..=last).contains(&c),
        })
}

/// The character that comes most often in a row.
fn longest_run(text: &str) -> Option<(char, usize)> {
    let mut longest = None;
    let mut run: Option<(char, usize)> = None;
    for c in text.chars() {
        let count = match run {
            Some((last, count)) if last == c => count + 1,
            _ => 1,
        };
        run = Some((c, count));
        if longest.is_none_or(|(_, most)| count > most) {
            longest = run;
        }
    }
    longest
}
