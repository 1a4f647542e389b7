//! Variables in a text: an env file, a shell script, the environment of a container.
//!
//! A text is looked at line by line; what is no assignment of a known variable is passed over, as it
//! may be anything, and is never kept. Nothing is run and nothing is substituted.

use std::collections::BTreeMap;

use super::super::env::{CUSTOM_CONFIG, LEGACY, PRESET};

/// The longest text that is read, in bytes.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;

/// Why a text is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It is too long.
    #[error("a file of variables has at most {} KiB", TEXT_BYTES_MAX / 1024)]
    TooLarge,
    /// A value begins with a quote and does not end with one.
    #[error("line {line}: the quotes around the value of {variable} are not closed")]
    Open {
        /// The line, counted from 1.
        line: usize,
        /// The variable.
        variable: String,
    },
    /// A character that cannot be seen stands in a value.
    #[error("line {line}: the value of {variable} has a character that cannot be seen")]
    Invisible {
        /// The line, counted from 1.
        line: usize,
        /// The variable.
        variable: String,
    },
}

/// The variables about resilience that a text sets, old and new; of one that is set twice the last
/// counts, as in a shell.
///
/// It reads `NAME=value`, `export NAME=value`, `-e NAME=value`, `- NAME=value` and `NAME: value`, with
/// single quotes, double quotes, or none.
///
/// # Errors
///
/// A text that is too long, quotes that are not closed, characters that cannot be seen.
pub fn variables(text: &str) -> Result<BTreeMap<String, String>, TextError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(TextError::TooLarge);
    }
    let mut found = BTreeMap::new();
    for (index, line) in text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate() {
        let Some((name, rest)) = assignment(line) else { continue };
        let line = index + 1;
        let variable = || name.to_owned();
        let Some(value) = value(rest) else {
            return Err(TextError::Open { line, variable: variable() });
        };
        if value.chars().any(|it| it.is_control() || is_invisible(it)) {
            return Err(TextError::Invisible { line, variable: variable() });
        }
        found.insert(name.to_owned(), value);
    }
    Ok(found)
}

/// Whether a variable is one that is looked for.
fn is_known(name: &str) -> bool {
    name == PRESET || name == CUSTOM_CONFIG || LEGACY.iter().any(|(known, _)| *known == name)
}

/// The variable that a line sets, and what comes after the sign.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let mut rest = line.trim();
    for before in ["- ", "export ", "set ", "-e ", "--env "] {
        rest = rest.strip_prefix(before).map_or(rest, str::trim_start);
    }
    // Of a command that goes on in the next line.
    let rest = rest.strip_suffix('\\').unwrap_or(rest).trim_end();
    let rest = rest.strip_prefix(['"', '\'']).filter(|it| is_item(it)).unwrap_or(rest);
    let end = rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_')?;
    let (name, after) = rest.split_at(end);
    let after = after.trim_start();
    let after =
        after.strip_prefix('=').or_else(|| after.strip_prefix(": ").map(str::trim_start))?;
    is_known(name).then_some((name, after))
}

/// Whether a quote stood before a whole assignment, as in `- "NAME=value"`.
fn is_item(rest: &str) -> bool {
    rest.ends_with(['"', '\''])
}

/// A value without its quotes, or `None` if they are not closed.
fn value(rest: &str) -> Option<String> {
    let rest = rest.trim();
    let mut letters = rest.chars();
    match letters.next() {
        Some('\'') => {
            // What a shell writes as '\'' , and YAML as ''.
            let (mut out, mut left) = (String::new(), letters.as_str());
            loop {
                let (part, after) = left.split_once('\'')?;
                out.push_str(part);
                left = match after.strip_prefix("\\''").or_else(|| after.strip_prefix('\'')) {
                    Some(more) => more,
                    None => return Some(out),
                };
                out.push('\'');
            }
        }
        Some('"') => {
            let mut out = String::new();
            while let Some(letter) = letters.next() {
                match letter {
                    '"' => return Some(out),
                    '\\' => match letters.next()? {
                        escaped @ ('"' | '\\' | '$' | '`') => out.push(escaped),
                        other => out.extend(['\\', other]),
                    },
                    other => out.push(other),
                }
            }
            None
        }
        _ => {
            let end = rest.find(" #").unwrap_or(rest.len());
            let plain = rest.get(..end).unwrap_or_default().trim_end();
            Some(plain.trim_end_matches(['"', '\'']).to_owned())
        }
    }
}

/// Marks of direction, zero-width characters and the like.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}'
        | '\u{e0000}'..='\u{10ffff}')
}
